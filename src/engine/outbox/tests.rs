use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use proptest::prelude::*;

use super::*;
use crate::door::Kind;

/// The unsent output of an outbox, as bytes.
fn bytes(outbox: &Outbox, pages: &Pages) -> Vec<u8> {
    let slices = outbox.slices(pages);
    slices.iter().map(|slice| &**slice).collect::<Vec<&[u8]>>().concat()
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
        for frame in [b"one\n", b"two\n"] {
            let piece = page(&mut pages, frame);
            outbox.push_shared(piece, &mut pages);
        }
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

#[test]
fn a_frame_may_contain_line_feeds() {
    // Headers as a WebSocket has them: a length of 10 is the byte 0x0A.
    let frames = [&b"\x81\x0a0123456789"[..], b"\n\n", b"\x81\x02a\n", b"\x82\x0a\n\n\n\n\n\n\n\n\n\n"];
    let all = frames.concat();
    let ends: Vec<usize> = (1..=frames.len()).map(|count| frames[..count].concat().len()).collect();
    for sent in 0..=all.len() {
        let (mut pages, mut outbox) = (Pages::default(), Outbox::default());
        for frame in &frames[..2] {
            let piece = page(&mut pages, frame);
            outbox.push_shared(piece, &mut pages);
        }
        for frame in &frames[2..] {
            outbox.push_own(&mut pages, |own| own.extend_from_slice(frame));
        }
        page(&mut pages, b"to others\n");
        outbox.advance(sent, &mut pages);
        let end = ends.iter().copied().find(|end| *end >= sent).filter(|_| sent > 0).unwrap_or(0);
        for cut in ["first", "second"] {
            outbox.drop_all_but_begun(&mut pages);
            assert_eq!(bytes(&outbox, &pages), all[sent..end], "{cut} cut after {sent} bytes");
        }
        outbox.push_own(&mut pages, |own| own.extend_from_slice(b"bye\n"));
        outbox.advance(end - sent, &mut pages);
        outbox.drop_all_but_begun(&mut pages);
        assert!(outbox.is_empty(), "the last reply is a frame of its own, and none of it was sent");
    }
}

#[test]
fn an_empty_outbox_is_small_and_owns_no_heap() {
    assert!(size_of::<Outbox>() <= 24, "{} bytes", size_of::<Outbox>());
    let (mut pages, mut outbox) = (Pages::default(), Outbox::default());
    outbox.push_own(&mut pages, |_| {});
    assert_eq!((outbox.heap_bytes(), pages.heap_bytes), (0, 0));
    let piece = page(&mut pages, b"one\n");
    outbox.push_shared(piece, &mut pages);
    assert_eq!(outbox.heap_bytes(), 0);
    outbox.push_own(&mut pages, |own| own.extend_from_slice(b"two\n"));
    assert!(outbox.heap_bytes() > 0);
    outbox.advance(8, &mut pages);
    assert_eq!((outbox.heap_bytes(), pages.heap_bytes), (0, 0));
}

#[derive(Clone, Debug)]
enum Act {
    Shared(Vec<u8>, u8),
    Own(usize, Vec<u8>),
    Torn(usize, Vec<u8>),
    Send(usize, usize),
    Clear(usize),
    Cut(usize),
    Turn,
    Pack,
}

fn act() -> impl Strategy<Value = Act> {
    let byte = || prop_oneof![2 => b'a'..=b'z', 1 => Just(b'\n')];
    let text = prop_oneof![9 => proptest::collection::vec(byte(), 1..60), 1 => proptest::collection::vec(byte(), 3000)];
    prop_oneof![
        4 => (text.clone(), any::<u8>()).prop_map(|(text, who)| Act::Shared(text, who)),
        3 => (0..8usize, text.clone()).prop_map(|(who, text)| Act::Own(who, text)),
        1 => (0..8usize, text).prop_map(|(who, text)| Act::Torn(who, text)),
        6 => (0..8usize, 0..9000usize).prop_map(|(who, count)| Act::Send(who, count)),
        1 => (0..8usize).prop_map(Act::Clear),
        1 => (0..8usize).prop_map(Act::Cut),
        3 => Just(Act::Turn),
        1 => Just(Act::Pack),
    ]
}

/// A plain queue of frames. The first may be partly sent.
#[derive(Clone, Debug, Default)]
struct Model {
    frames: VecDeque<Vec<u8>>,
    is_begun: bool,
}

impl Model {
    fn owed(&self) -> usize {
        self.frames.iter().map(Vec::len).sum()
    }

    fn bytes(&self) -> Vec<u8> {
        self.frames.iter().map(|frame| &**frame).collect::<Vec<&[u8]>>().concat()
    }

    fn advance(&mut self, mut count: usize) {
        while let Some(frame) = self.frames.front_mut().filter(|_| count > 0) {
            let part = count.min(frame.len());
            frame.drain(..part);
            count -= part;
            self.is_begun = !frame.is_empty();
            if !self.is_begun {
                self.frames.pop_front();
            }
        }
    }

    fn cut(&mut self) {
        self.frames.truncate(usize::from(self.is_begun));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Eight outboxes against eight plain queues: the same bytes in the same order, the same frames whole, and no page is
    /// leaked.
    #[test]
    fn outboxes_are_queues(acts in proptest::collection::vec(act(), 1..150)) {
        let mut pages = Pages::default();
        let mut outboxes: Vec<Outbox> = (0..8).map(|_| Outbox::default()).collect();
        let mut models = vec![Model::default(); 8];
        for act in acts {
            match act {
                Act::Shared(text, who) => {
                    let piece = page(&mut pages, &text);
                    for number in (0..8).filter(|number| who >> number & 1 == 1) {
                        outboxes[number].push_shared(piece, &mut pages);
                        models[number].frames.push_back(text.clone());
                    }
                }
                Act::Own(number, text) => {
                    outboxes[number].push_own(&mut pages, |own| own.extend_from_slice(&text));
                    models[number].frames.push_back(text);
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
                    let count = count.min(models[number].owed());
                    outboxes[number].advance(count, &mut pages);
                    models[number].advance(count);
                }
                Act::Clear(number) => {
                    outboxes[number].clear(&mut pages);
                    models[number] = Model::default();
                }
                Act::Cut(number) => {
                    outboxes[number].drop_all_but_begun(&mut pages);
                    models[number].cut();
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
                prop_assert_eq!(outbox.owed(), model.owed());
                prop_assert!(bytes(outbox, &pages) == model.bytes());
            }
        }
        for outbox in &mut outboxes {
            outbox.clear(&mut pages);
        }
        pages.turn_over();
        prop_assert_eq!(pages.owed_bytes(), 0);
    }
}
