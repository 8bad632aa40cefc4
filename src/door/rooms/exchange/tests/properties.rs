//! Properties that hold for any input.

use proptest::prelude::*;

use super::*;

/// Random bytes, requests with any payload, and requests with one wrong byte in the header.
fn any_input() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..60),
        "\\PC{0,20}".prop_map(String::into_bytes),
        "\"\\PC{0,20}\"".prop_map(String::into_bytes),
        r#"\{("(user_?name|user_address|password|x)":("\PC{0,9}"|1|null|\[\]),?){0,4}\}"#.prop_map(String::into_bytes),
    ];
    let room = prop_oneof![
        "[a-z]{0,5}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..=255),
        "\\PC{0,40}".prop_map(String::into_bytes),
    ];
    let whole =
        (room, prop_oneof![4 => 1..=2u8, 1 => any::<u8>()], prop_oneof![8 => Just(0), 1 => any::<u8>()], payload)
            .prop_map(|(room, operation, state, payload)| frame(&room, operation, state, &payload));
    let lying = (whole.clone(), 0..32usize, any::<u8>()).prop_map(|(mut input, at, byte)| {
        input[at] = byte;
        input
    });
    prop_oneof![1 => prop::collection::vec(any::<u8>(), 0..5000), 4 => whole, 2 => lying]
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        any::<[u8; 16]>().prop_map(|bytes| Outcome::Entered(RoomToken::new(bytes))),
        Just(Outcome::RoomExists),
        Just(Outcome::NoSuchRoom),
        Just(Outcome::WrongPassword),
        Just(Outcome::Refused),
    ]
}

/// Decodes `input` as the whole input. Returns the result and the size of the request in bytes.
fn outcome_of(input: &[u8], options: Options) -> (Decoded, usize) {
    let mut door = Exchange::new(options);
    let end = match door.cut(input) {
        Cut::Partial => input.len(),
        Cut::Whole { end } => end,
    };
    (door.decode(&input[..end]), end)
}

proptest! {
    #[test]
    fn every_whole_header_gets_an_answer(
        input in any_input(), outcome in any_outcome(), status_ok: bool, down_named: bool,
    ) {
        let options = Options { status_ok, down_named };
        let mut door = Exchange::new(options);
        let (decoded, end) = outcome_of(&input, options);
        prop_assert!(end <= 4096 || door.cut(&input) == Cut::Partial);
        prop_assert_eq!(door.decode(&input[..end]), outcome_of(&input, options).0);
        let outcome = match decoded {
            Decoded::Nothing => {
                prop_assert!(input.len() < 32);
                return Ok(());
            }
            Decoded::Answer(outcome) => outcome,
            Decoded::Request(_) => outcome,
        };
        let mut out = b"before".to_vec();
        door.answer(outcome, &mut out);
        prop_assert!(out.starts_with(b"before"));
        let answer = &out[6..];
        let starts = starts(answer);
        prop_assert!(matches!(starts.len(), 1 | 2));
        let is_in = matches!(outcome, Outcome::Entered(_));
        let last = *starts.last().unwrap();
        prop_assert_eq!(answer[last + 2] == 2, is_in, "the token's frame is the last");
        for start in starts {
            prop_assert_eq!(answer[start + 1], input[1]);
            prop_assert!(answer[start] == 0 || answer[start] == input[0]);
        }
    }

    #[test]
    fn requests_do_not_depend_on_cuts(input in any_input(), at: prop::sample::Index) {
        let mut door = Exchange::new(PLAIN);
        let (whole, end) = outcome_of(&input, PLAIN);
        let at = at.index(input.len() + 1);
        match door.cut(&input[..at]) {
            Cut::Whole { end: found } => {
                prop_assert_eq!(found, end);
                prop_assert_eq!(door.decode(&input[..found]), whole);
            }
            Cut::Partial => prop_assert!(at < end || at == input.len()),
        }
        // The bytes after a request do not matter.
        let more = [&input[..end], b"\x1f\x90"].concat();
        if door.cut(&input) != Cut::Partial {
            prop_assert_eq!(outcome_of(&more, PLAIN), outcome_of(&input, PLAIN));
        }
    }

    #[test]
    fn valid_requests_are_decoded(room in "[\\p{L}\\p{N}_.-]{1,20}", guest in "[\\p{L}\\p{N}_.-]{1,20}", form in 0..5) {
        prop_assume!(RoomName::parse(&room).is_ok() && GuestName::parse(&guest).is_ok());
        let payload = match form {
            0 => guest.clone(),
            1 => format!("{guest}12"),
            2 => serde_json::json!({ "username": guest }).to_string(),
            3 => serde_json::json!(guest).to_string(),
            _ => serde_json::json!({ "user_name": guest, "user_address": "127.0.0.1" }).to_string(),
        };
        let options = Options { status_ok: form == 1, down_named: false };
        prop_assume!(room.len() < 256);
        let (decoded, _) = outcome_of(&frame(room.as_bytes(), 2, 0, payload.as_bytes()), options);
        let Decoded::Request(request) = decoded else { return Err(TestCaseError::fail(format!("{decoded:?}"))) };
        prop_assert!(request.room.is(&room));
        prop_assert_eq!(request.guest, GuestName::parse(&guest).unwrap());
    }
}
