use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use proptest::prelude::*;

use super::*;
use crate::door::Kind;

/// What an outbox owes, as the bytes that would be sent.
fn bytes(outbox: &Outbox, pages: &Pages) -> Vec<u8> {
    outbox.slices(pages).iter().flat_map(|slice| slice.to_vec()).collect()
}

fn page(pages: &mut Pages, text: &[u8]) -> Piece {
    pages.write(Kind::Bare, |out| out.extend_from_slice(text))
}

#[test]
fn frames_that_follow_each_other_are_one_piece() {
    let (mut pages, mut outbox) = (Pages::default(), Outbox::default());
    for text in [b"one\n", b"two\n"] {
        let piece = page(&mut pages, text);
        outbox.push_shared(piece, &mut pages);
    }
    assert_eq!(outbox.single(&pages), Some(&b"one\ntwo\n"[..]));
    outbox.push_own(&mut pages, |own| own.extend_from_slice(b"mine\n"));
    let piece = page(&mut pages, b"three\n");
    outbox.push_shared(piece, &mut pages);
    assert_eq!(outbox.single(&pages), None);
    assert_eq!(outbox.slices(&pages).len(), 3);
    assert_eq!(bytes(&outbox, &pages), b"one\ntwo\nmine\nthree\n");
    outbox.clear(&mut pages);
    assert_eq!(pages.owed_bytes(), 0);
}

#[test]
fn only_a_begun_frame_survives_a_cut() {
    for sent in 0..=12 {
        let (mut pages, mut outbox) = (Pages::default(), Outbox::default());
        let piece = page(&mut pages, b"one\ntwo\n");
        outbox.push_shared(piece, &mut pages);
        outbox.push_own(&mut pages, |own| own.extend_from_slice(b"six\n"));
        outbox.advance(sent, &mut pages);
        outbox.drop_all_but_begun(&mut pages);
        let whole = sent.next_multiple_of(4);
        assert_eq!(bytes(&outbox, &pages), b"one\ntwo\nsix\n"[sent..whole], "{sent} bytes sent");
        // Cutting twice loses nothing of the begun frame.
        outbox.drop_all_but_begun(&mut pages);
        assert_eq!(outbox.owed(), whole - sent);
        outbox.clear(&mut pages);
    }
}

#[derive(Clone, Debug)]
enum Act {
    Shared(Vec<u8>, u8),
    Own(usize, Vec<u8>),
    Torn(usize, Vec<u8>),
    Send(usize, usize),
    Clear(usize),
    Turn,
    Pack,
}

fn act() -> impl Strategy<Value = Act> {
    let byte = || b'a'..=b'z';
    let text = prop_oneof![9 => proptest::collection::vec(byte(), 1..60), 1 => proptest::collection::vec(byte(), 3000)];
    prop_oneof![
        4 => (text.clone(), any::<u8>()).prop_map(|(text, who)| Act::Shared(text, who)),
        3 => (0..8usize, text.clone()).prop_map(|(who, text)| Act::Own(who, text)),
        1 => (0..8usize, text).prop_map(|(who, text)| Act::Torn(who, text)),
        6 => (0..8usize, 0..9000usize).prop_map(|(who, count)| Act::Send(who, count)),
        1 => (0..8usize).prop_map(Act::Clear),
        3 => Just(Act::Turn),
        1 => Just(Act::Pack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Eight outboxes against eight plain byte queues: the same bytes in the same order, and no page is leaked.
    #[test]
    fn outboxes_are_queues(acts in proptest::collection::vec(act(), 1..150)) {
        let mut pages = Pages::default();
        let mut outboxes: Vec<Outbox> = (0..8).map(|_| Outbox::default()).collect();
        let mut models: Vec<VecDeque<u8>> = vec![VecDeque::new(); 8];
        for act in acts {
            match act {
                Act::Shared(text, who) => {
                    let piece = page(&mut pages, &text);
                    for number in (0..8).filter(|number| who >> number & 1 == 1) {
                        outboxes[number].push_shared(piece, &mut pages);
                        models[number].extend(&text);
                    }
                }
                Act::Own(number, text) => {
                    outboxes[number].push_own(&mut pages, |own| own.extend_from_slice(&text));
                    models[number].extend(&text);
                }
                Act::Torn(number, text) => {
                    let outbox = &mut outboxes[number];
                    let torn = catch_unwind(AssertUnwindSafe(|| {
                        outbox.push_own(&mut pages, |own| {
                            own.extend_from_slice(&text);
                            resume_unwind(Box::new("an encoder that does not come to its end"));
                        });
                    }));
                    prop_assert!(torn.is_err());
                }
                Act::Send(number, count) => {
                    let count = count.min(models[number].len());
                    outboxes[number].advance(count, &mut pages);
                    models[number].drain(..count);
                }
                Act::Clear(number) => {
                    outboxes[number].clear(&mut pages);
                    models[number].clear();
                }
                Act::Turn => pages.turn_over(),
                Act::Pack => {
                    pages.begin_weighing();
                    outboxes.iter().flat_map(Outbox::shared_pieces).for_each(|piece| pages.weigh(*piece));
                    outboxes.iter_mut().for_each(|outbox| outbox.pack(&mut pages));
                    pages.end_packing();
                }
            }
            let heap: u64 = outboxes.iter().map(Outbox::heap_bytes).sum();
            prop_assert_eq!(pages.heap_bytes, heap);
            for (outbox, model) in outboxes.iter().zip(&models) {
                prop_assert_eq!(outbox.owed(), model.len());
                prop_assert!(bytes(outbox, &pages).iter().eq(model.iter()));
            }
        }
        for outbox in &mut outboxes {
            outbox.clear(&mut pages);
        }
        pages.turn_over();
        prop_assert_eq!(pages.owed_bytes(), 0);
    }
}
