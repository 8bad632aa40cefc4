//! Tests of the exchange: frames of requests and answers, to the byte.

use super::*;
use crate::door::token::RoomToken;
use crate::hub::names::GuestName;

mod properties;

/// Base32 of the bytes 0 to 15.
const TOKEN: &str = "AAAQEAYEAUDAOCAJBIFQYDIOB4";

const PLAIN: Options = Options { status_ok: false, down_named: false };
const STATUS_OK: Options = Options { status_ok: true, down_named: false };

fn entered() -> Outcome {
    Outcome::Entered(RoomToken::new(std::array::from_fn(|i| i as u8)))
}

/// A frame, written after the description of the format alone.
fn frame(room: &[u8], operation: u8, state: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![room.len() as u8, operation, state];
    frame.extend([0; 25]);
    frame.extend((payload.len() as u32).to_be_bytes());
    frame.extend(room);
    frame.extend(payload);
    frame
}

/// Decodes `input`, which arrives in two pieces, cut at `at`.
fn exchange(options: Options, input: &[u8], at: usize) -> (Decoded, Exchange) {
    let mut door = Exchange::new(options);
    let cut = match door.cut(&input[..at]) {
        Cut::Partial => door.cut(input),
        found @ Cut::Whole { .. } => {
            assert_eq!(door.cut(input), found, "the result must not depend on later bytes");
            found
        }
    };
    let Cut::Whole { end } = cut else { panic!("all is there") };
    (door.decode(&input[..end]), door)
}

/// Sends a valid request, and checks the frames of the answer for each outcome.
#[track_caller]
fn check_answers(options: Options, payload: &[u8], expected: &[(Outcome, Vec<Vec<u8>>)]) {
    for (operation, name) in [(1, Operation::Make), (2, Operation::Join)] {
        let request = frame(b"Lobby", operation, 0, payload);
        let with_port = [request.clone(), vec![0x1f, 0x90]].concat();
        for (input, at) in (0..=request.len()).map(|at| (&request, at)).chain([(&with_port, request.len())]) {
            let (decoded, door) = exchange(options, input, at);
            let Decoded::Request(request) = decoded else { panic!("{decoded:?} for {payload:?}") };
            assert_eq!((request.operation, request.room.as_str(), request.guest.as_str()), (name, "Lobby", "bob"));
            for (outcome, frames) in expected {
                let mut out = Vec::new();
                door.answer(*outcome, &mut out);
                let mut frames = frames.concat();
                // The expected frames are those for JOIN. Answers repeat the operation.
                for start in starts(&frames) {
                    frames[start + 1] = operation;
                }
                assert_eq!(out, frames, "{outcome:?} of {payload:?}, cut at {at}");
            }
        }
    }
}

/// The offsets of the frames in a well-formed answer.
fn starts(frames: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at < frames.len() {
        starts.push(at);
        let size = u32::from_be_bytes(frames[at + 28..at + 32].try_into().unwrap());
        at += 32 + usize::from(frames[at]) + size as usize;
    }
    assert_eq!(at, frames.len());
    starts
}

/// Sends bytes that the door refuses without asking the hub, and checks the one frame of the answer.
#[track_caller]
fn check_refused(options: Options, input: &[u8], outcome: Outcome, expected: &[u8]) {
    for at in 0..=input.len() {
        let (decoded, door) = exchange(options, input, at);
        assert_eq!(decoded, Decoded::Answer(outcome), "cut at {at}");
        let mut out = Vec::new();
        door.answer(outcome, &mut out);
        assert_eq!(out, expected, "cut at {at}");
    }
}

#[test]
fn one_exchange_to_the_byte() {
    let mut input = b"\x05\x01\x00".to_vec();
    input.extend(b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x03");
    input.extend(b"lobbybob");
    let (decoded, door) = exchange(PLAIN, &input, input.len());
    assert!(matches!(decoded, Decoded::Request(_)));
    let mut out = Vec::new();
    door.answer(entered(), &mut out);
    let mut expected = b"\x00\x01\x01".to_vec();
    expected.extend(b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01");
    expected.extend(b"\x00");
    expected.extend(b"\x00\x01\x02");
    expected.extend(b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1a");
    expected.extend(b"AAAQEAYEAUDAOCAJBIFQYDIOB4");
    assert_eq!(out, expected);
}

#[test]
fn a_name() {
    let status = |code: u8| frame(b"", 2, 1, &[code]);
    check_answers(
        PLAIN,
        b"bob",
        &[
            (entered(), vec![status(0), frame(b"", 2, 2, TOKEN.as_bytes())]),
            (Outcome::RoomExists, vec![status(1)]),
            (Outcome::NoSuchRoom, vec![status(2)]),
            (Outcome::WrongPassword, vec![status(3)]),
            (Outcome::Refused, vec![status(4)]),
        ],
    );
}

#[test]
fn an_object_with_a_name() {
    let status = |code: u8| frame(b"Lobby", 2, 1, &[code]);
    for payload in [
        &br#"{"username":"bob"}"#[..],
        br#"{"user_name":"bob"}"#,
        br#" { "user_name" : "bob" , "password" : "sesame" , "color" : [{}] } "#,
        br#"{"username":"bob","user_address":"127.0.0.1:9"}"#,
        br#"{"username":"bob","user_name":"b o b"}"#,
    ] {
        check_answers(
            PLAIN,
            payload,
            &[
                (entered(), vec![status(0), frame(b"Lobby", 2, 2, TOKEN.as_bytes())]),
                (Outcome::RoomExists, vec![status(1)]),
                (Outcome::NoSuchRoom, vec![status(2)]),
                (Outcome::WrongPassword, vec![status(3)]),
                (Outcome::Refused, vec![status(4)]),
            ],
        );
    }
}

#[test]
fn a_json_string() {
    let status = |text: &str| frame(b"", 2, 1, text.as_bytes());
    let error = |message: &str| vec![status(&format!(r#"{{"success":0,"message":"{message}"}}"#))];
    let token = format!(r#"{{"token":"{TOKEN}"}}"#);
    for payload in [r#""bob""#, r#""\u0062ob""#, " \"bob\"\n"] {
        check_answers(
            PLAIN,
            payload.as_bytes(),
            &[
                (entered(), vec![status(r#"{"success":1}"#), frame(b"", 2, 2, token.as_bytes())]),
                (Outcome::RoomExists, error("room exists")),
                (Outcome::NoSuchRoom, error("no such room")),
                (Outcome::WrongPassword, error("wrong password")),
                (Outcome::Refused, error("refused: a name is bad or in use, the request is bad, or no place is left")),
            ],
        );
    }
}

#[test]
fn an_object_with_name_and_address() {
    let error = |message: &str| vec![frame(b"", 2, 0, format!(r#"{{"message":"{message}"}}"#).as_bytes())];
    let token = format!(r#"{{"token":"{TOKEN}","message":"entered"}}"#);
    for payload in [
        r#"{"user_name":"bob","user_address":"127.0.0.1:9"}"#,
        r#"{"user_address":null,"user_name":"bob","username":1}"#,
    ] {
        check_answers(
            PLAIN,
            payload.as_bytes(),
            &[
                (entered(), vec![frame(b"", 2, 2, token.as_bytes())]),
                (Outcome::RoomExists, error("room exists")),
                (Outcome::NoSuchRoom, error("no such room")),
                (Outcome::WrongPassword, error("wrong password")),
                (Outcome::Refused, error("refused: a name is bad or in use, the request is bad, or no place is left")),
            ],
        );
    }
}

#[test]
fn a_name_and_a_port() {
    let status = |word: &str| frame(b"", 2, 1, word.as_bytes());
    check_answers(
        STATUS_OK,
        b"bob\x1f\x90",
        &[
            (entered(), vec![status("OK"), frame(b"", 2, 2, TOKEN.as_bytes())]),
            (Outcome::RoomExists, vec![status("ROOM_EXISTS")]),
            (Outcome::NoSuchRoom, vec![status("ROOM_NOT_FOUND")]),
            (Outcome::WrongPassword, vec![status("WRONG_PASSWORD")]),
            (Outcome::Refused, vec![status("REFUSED")]),
        ],
    );
    for payload in [&b""[..], b"b", b"\x1f\x90", b"\xff\xff\xff", br#""bob"  "#, br#"{"user_name":"bob"}  "#] {
        check_refused(STATUS_OK, &frame(b"lobby", 1, 0, payload), Outcome::Refused, &frame(b"", 1, 1, b"REFUSED"));
    }
    let nowhere = frame(b"", 2, 0, b"bob\x1f\x90");
    check_refused(STATUS_OK, &nowhere, Outcome::NoSuchRoom, &frame(b"", 2, 1, b"ROOM_NOT_FOUND"));
    check_refused(STATUS_OK, &frame(b"lobby", 3, 0, b""), Outcome::Refused, &frame(b"", 3, 1, b"REFUSED"));
}

#[track_caller]
fn check_request(options: Options, input: &[u8], password: Option<&str>, spelling: Spelling) {
    let (decoded, _) = exchange(options, input, 0);
    let Decoded::Request(request) = decoded else { panic!("{decoded:?}") };
    assert_eq!((request.password.map(|Masked(word)| word).as_deref(), request.spelling), (password, spelling));
}

#[test]
fn passwords() {
    for (payload, password) in [
        (r#"{"username":"bob","password":"s\u00e9same"}"#, Some("sésame")),
        (r#"{"user_name":"bob","user_address":"","password":"sesame"}"#, Some("sesame")),
        (r#"{"username":"bob","password":"a","password":"b"}"#, Some("b")),
        (r#"{"username":"bob","password":" two  words\t"}"#, Some(" two  words\t")),
        (r#"{"username":"bob","password":""}"#, None),
        (r#"{"username":"bob","password":null}"#, None),
        (r#""bob""#, None),
        ("bob", None),
    ] {
        for operation in [1, 2] {
            let (decoded, _) = exchange(PLAIN, &frame(b"lobby", operation, 0, payload.as_bytes()), 0);
            let Decoded::Request(request) = decoded else { panic!("{decoded:?}") };
            assert!(!format!("{request:?}").contains("same"), "{request:?}");
            assert_eq!(request.password.map(|Masked(word)| word).as_deref(), password, "{payload}");
        }
    }
}

#[test]
fn invalid_passwords_make_no_room() {
    for text in ["two\\nlines", "\\u202e", "\\u200b", "w\\ufefford", &"x".repeat(129), &"ü".repeat(65)] {
        let payload = format!(r#"{{"username":"bob","password":"{text}"}}"#);
        let make = frame(b"lobby", 1, 0, payload.as_bytes());
        check_refused(PLAIN, &make, Outcome::Refused, &frame(b"lobby", 1, 1, &[4]));
        let (decoded, _) = exchange(PLAIN, &frame(b"lobby", 2, 0, payload.as_bytes()), 0);
        assert!(matches!(decoded, Decoded::Request(Request { password: Some(_), .. })), "{decoded:?}");
    }
}

#[test]
fn a_byte_order_mark_is_dropped() {
    let mark = "\u{feff}";
    let object = frame(b"lobby", 1, 0, format!(r#"{mark}{{"username":"bob"}}"#).as_bytes());
    check_request(PLAIN, &object, None, Spelling::Text);
    for payload in ["bob", r#""bob""#, r#"{"username":"bob"}"#] {
        let input = [mark.as_bytes(), &frame(b"lobby", 1, 0, payload.as_bytes())].concat();
        for at in 0..=input.len() {
            let (decoded, _) = exchange(PLAIN, &input, at);
            assert!(matches!(decoded, Decoded::Request(_)), "{decoded:?} for {payload}, cut at {at}");
        }
    }
    // The mark counts towards the size of the request.
    let largest = frame(b"lobby", 1, 0, &[b'x'; 4096 - 32 - 5]);
    assert_eq!(Exchange::new(PLAIN).cut(&largest), Cut::Whole { end: 4096 });
    let marked = [mark.as_bytes(), &largest[..32]].concat();
    check_refused(PLAIN, &marked, Outcome::Refused, &frame(b"", 1, 1, &[4]));
    assert_eq!(Exchange::new(PLAIN).cut(&marked[..34]), Cut::Partial);
}

#[test]
fn spellings_of_datagrams() {
    for (payload, spelling) in [
        ("bob", Spelling::Text),
        (r#"{"username":"bob"}"#, Spelling::Text),
        (r#""bob""#, Spelling::Named),
        (r#"{"user_name":"bob","user_address":"x"}"#, Spelling::Text),
    ] {
        let input = frame(b"lobby", 1, 0, payload.as_bytes());
        check_request(PLAIN, &input, None, spelling);
        check_request(Options { down_named: true, ..PLAIN }, &input, None, Spelling::Named);
    }
    let input = frame(b"lobby", 1, 0, b"bob\0\0");
    check_request(STATUS_OK, &input, None, Spelling::Text);
    check_request(Options { status_ok: true, down_named: true }, &input, None, Spelling::Named);
}

#[test]
fn other_json_is_a_name() {
    for name in ["123", "true", "null", "-1", "1.5", "~bob", "[1]", "{bob}", "\"bob"] {
        let (decoded, _) = exchange(PLAIN, &frame(b"lobby", 1, 0, name.as_bytes()), 0);
        match decoded {
            Decoded::Request(request) => assert_eq!(request.guest.as_str(), name),
            decoded @ (Decoded::Nothing | Decoded::Answer(_)) => {
                assert!(["~bob", "[1]", "{bob}", "\"bob"].contains(&name), "{decoded:?} for {name}")
            }
        }
    }
}

#[test]
fn invalid_names() {
    let refused = |room: &[u8], payload: &[u8]| {
        let input = frame(room, 1, 0, payload);
        check_refused(PLAIN, &input, Outcome::Refused, &frame(b"", 1, 1, &[4]));
    };
    for user in [&b""[..], b"b b", b"bob\n", b"\xff", b"server", b"~bob", &[b'a'; 33], b"x\xcc\x81", b"[[[", b"{}"] {
        refused(b"lobby", user);
    }
    for room in [&b" "[..], b"a b", b"\x1b[2J", b"\xff\xfe", b"Server", b"~a", &[b'a'; 33], &[b'a'; 255], b"\0"] {
        refused(room, b"bob");
    }
    for payload in ["{\"username\":\"bob\"", "{\"name\":\"bob\"}", "\"bob\" x", "\"\\ud800\"", &"[".repeat(3000)] {
        refused(b"lobby", payload.as_bytes());
    }
}

#[test]
fn bad_requests_are_refused_in_their_own_form() {
    let message = "refused: a name is bad or in use, the request is bad, or no place is left";
    let string = frame(b"", 2, 1, format!(r#"{{"success":0,"message":"{message}"}}"#).as_bytes());
    check_refused(PLAIN, &frame(b"lobby", 2, 0, br#""""#), Outcome::Refused, &string);
    check_refused(PLAIN, &frame(b"lobby", 2, 0, br#""a b""#), Outcome::Refused, &string);
    check_refused(PLAIN, &frame(b"a b", 2, 0, br#""bob""#), Outcome::Refused, &string);
    for payload in [
        r#"{"username":1}"#,
        r#"{"username":null}"#,
        r#"{"user_name":["bob"]}"#,
        r#"{"username":""}"#,
        r#"{"username":"a b"}"#,
        r#"{"username":"bob","password":1}"#,
        r#"{"username":"bob","password":["a"]}"#,
    ] {
        let input = frame(b"lobby", 2, 0, payload.as_bytes());
        check_refused(PLAIN, &input, Outcome::Refused, &frame(b"lobby", 2, 1, &[4]));
    }
    let addressed = frame(b"", 2, 0, format!(r#"{{"message":"{message}"}}"#).as_bytes());
    for payload in [r#"{"user_name":1,"user_address":"x"}"#, r#"{"user_name":"","user_address":"x"}"#] {
        check_refused(PLAIN, &frame(b"lobby", 2, 0, payload.as_bytes()), Outcome::Refused, &addressed);
    }
    // A room's name is repeated as it came, unless it contains control characters or invalid bytes.
    let bob = br#"{"username":"bob"}"#;
    check_refused(PLAIN, &frame(b"a b", 2, 0, bob), Outcome::Refused, &frame(b"a b", 2, 1, &[4]));
    check_refused(PLAIN, &frame(b"\x1b[2J", 2, 0, bob), Outcome::Refused, &frame(b"", 2, 1, &[4]));
    check_refused(PLAIN, &frame(b"\xff", 2, 0, bob), Outcome::Refused, &frame(b"", 2, 1, &[4]));
}

#[test]
fn an_empty_room_name() {
    for operation in [1, 2] {
        let byte = frame(b"", operation, 1, &[2]);
        check_refused(PLAIN, &frame(b"", operation, 0, b"bob"), Outcome::NoSuchRoom, &byte);
        check_refused(PLAIN, &frame(b"", operation, 0, b""), Outcome::NoSuchRoom, &byte);
        check_refused(PLAIN, &frame(b"", operation, 0, br#"{"username":"bob"}"#), Outcome::NoSuchRoom, &byte);
    }
    let message = frame(b"", 2, 1, br#"{"success":0,"message":"no such room"}"#);
    check_refused(PLAIN, &frame(b"", 2, 0, br#""bob""#), Outcome::NoSuchRoom, &message);
}

/// A header alone.
fn header(room_bytes: u8, operation: u8, state: u8, payload_bytes: &[u8]) -> Vec<u8> {
    let mut header = vec![room_bytes, operation, state];
    header.resize(32 - payload_bytes.len(), 0);
    header.extend(payload_bytes);
    header
}

#[test]
fn headers_refused_without_a_body() {
    for (operation, state) in [(0, 0), (3, 0), (255, 0), (1, 1), (2, 2), (1, 255)] {
        let input = header(5, operation, state, &[3]);
        check_refused(PLAIN, &input, Outcome::Refused, &frame(b"", operation, 1, &[4]));
    }
}

#[test]
fn wrong_sizes() {
    let refused = frame(b"", 1, 1, &[4]);
    for size in [vec![0x10, 0x00], vec![0xff, 0xff], vec![1, 0, 0], vec![0xff; 29], vec![1; 29], {
        let mut size = vec![0; 29];
        size[0] = 0x80;
        size
    }] {
        check_refused(PLAIN, &header(5, 1, 0, &size), Outcome::Refused, &refused);
    }
    // The largest request that is accepted, and the smallest that is refused.
    for room_bytes in [0, 5, 255] {
        let most = 4096 - 32 - u16::from(room_bytes);
        let door = Exchange::new(PLAIN);
        let fits = header(room_bytes, 1, 0, &most.to_be_bytes());
        assert_eq!(door.cut(&fits), Cut::Partial);
        assert_eq!(door.cut(&[fits.clone(), vec![b'a'; 4063]].concat()), Cut::Partial);
        assert_eq!(door.cut(&[fits.clone(), vec![b'a'; 4064]].concat()), Cut::Whole { end: 4096 });
        assert_eq!(door.cut(&[fits, vec![b'a'; 9999]].concat()), Cut::Whole { end: 4096 });
        check_refused(PLAIN, &header(room_bytes, 1, 0, &(most + 1).to_be_bytes()), Outcome::Refused, &refused);
    }
    // The largest payload is decoded.
    let largest = [br#"{"username":"bob","x":""#.to_vec(), vec![b'x'; 4064 - 5 - 25], b"\"}".to_vec()].concat();
    check_request(PLAIN, &frame(b"lobby", 1, 0, &largest), None, Spelling::Text);
}

#[test]
fn end_of_input() {
    let request = frame(b"lobby", 2, 0, br#"{"username":"bob"}"#);
    for at in 0..request.len() {
        let mut door = Exchange::new(PLAIN);
        assert_eq!(door.cut(&request[..at]), Cut::Partial);
        let decoded = door.decode(&request[..at]);
        if at < 32 {
            assert_eq!(decoded, Decoded::Nothing);
            continue;
        }
        assert_eq!(decoded, Decoded::Answer(Outcome::Refused));
        let mut out = Vec::new();
        door.answer(Outcome::Refused, &mut out);
        assert_eq!(out, frame(b"", 2, 1, &[4]));
    }
}

#[test]
fn names_are_normalised_and_repeated_as_they_came() {
    let (decoded, door) =
        exchange(PLAIN, &frame("Cafe\u{301}".as_bytes(), 2, 0, "{\"username\":\"Ze\u{301}\"}".as_bytes()), 0);
    let Decoded::Request(request) = decoded else { panic!("{decoded:?}") };
    assert_eq!((request.room.as_str(), request.guest.as_str()), ("Café", "Zé"));
    let mut out = Vec::new();
    door.answer(Outcome::NoSuchRoom, &mut out);
    assert_eq!(out, frame("Cafe\u{301}".as_bytes(), 2, 1, &[2]));
}
