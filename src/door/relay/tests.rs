//! Tests of the relay door without a socket: what is understood of a stream, however it is cut, and what is sent.

use proptest::prelude::*;

use super::*;
use crate::hub::event::{Event, Message};
use crate::hub::names::{GuestName, UserName, Who};
use crate::hub::record::Fate;

fn door() -> RelayDoor {
    RelayDoor::new(Options { room: RoomName::parse("lobby").unwrap(), gap_ms: 100, echo: false })
}

/// A piece of a stream: bytes, or a silence.
#[derive(Clone, Copy, Debug)]
enum Piece<'a> {
    Bytes(&'a [u8]),
    Silence,
}

/// What is understood of a stream: `text`, `name=text` for a speaker that names itself, `refused`, `over`. Also the number
/// of frames.
fn heard<'a>(door: &mut RelayDoor, pieces: impl IntoIterator<Item = Piece<'a>>) -> (Vec<String>, usize) {
    let (mut held, mut heard, mut frames) = (Vec::new(), Vec::new(), 0);
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => held.extend_from_slice(bytes),
            Piece::Silence if held.is_empty() => continue,
            Piece::Silence => door.handle_silence(),
        }
        loop {
            if door.sniff(&held).is_some() {
                heard.push("refused".to_owned());
                return (heard, frames);
            }
            let Cut::Line { end, next } = door.cut(&held) else { break };
            assert!(end <= RELAY_MESSAGE_BYTES + 1 && end <= next && next <= held.len());
            assert!(next > 0, "it takes nothing");
            frames += 1;
            heard.extend(spelled(door.decode(&held[..end])));
            held.drain(..next);
        }
        assert!(held.len() <= RELAY_MESSAGE_BYTES + 1, "it holds {} bytes", held.len());
    }
    (heard, frames)
}

fn spelled(decoded: Decoded<'_>) -> Option<String> {
    match decoded {
        Decoded::Nothing => None,
        Decoded::Command(Command::SayIn { room, text, .. }) => {
            assert_eq!(room.as_str(), "lobby");
            Some(text.into_owned())
        }
        Decoded::SayAs { guest, text, .. } => Some(format!("{}={text}", guest.as_str())),
        Decoded::Refuse(_) => Some("refused".to_owned()),
        Decoded::Over => Some("over".to_owned()),
        Decoded::Reply(_)
        | Decoded::Command(_)
        | Decoded::Name(_)
        | Decoded::Guest(_)
        | Decoded::NameOrBye(_)
        | Decoded::Token { .. }
        | Decoded::Password { .. }
        | Decoded::ChangePassword
        | Decoded::OldPassword(_)
        | Decoded::NewPassword(_)
        | Decoded::IssueToken
        | Decoded::EnterRoom { .. }
        | Decoded::EnterAsGuest(_)
        | Decoded::Irc(_)
        | Decoded::Ask(_)
        | Decoded::Fetch(_)
        | Decoded::Operate(_)
        | Decoded::OperatorPassword(_)
        | Decoded::Recall(_)
        | Decoded::Help
        | Decoded::HelpOperate
        | Decoded::Bye => panic!("{decoded:?} is none of the relay door's"),
    }
}

/// Sends `stream` in pieces of every size, then a silence.
#[track_caller]
fn check(stream: &[u8], expected: &[&str]) {
    for size in 1..=stream.len() {
        let pieces = stream.chunks(size).map(Piece::Bytes).chain([Piece::Silence]);
        assert_eq!(heard(&mut door(), pieces).0, expected, "{stream:?} in pieces of {size}");
    }
}

#[test]
fn messages_end_in_three_ways() {
    check(b"one\ntwo\r\nthree\0four\n", &["one", "two", "three", "four"]);
    check(b"one\n\0two\0\0\0\n\r\n\r\nthree\r\0", &["one", "two", "three"]);
    check(b"\n\0\r\nwhat", &["what"]);
    check(b"wh\rat\r\r\n", &["what"]);
    check(b" \n \t \0", &[]);
}

#[test]
fn a_silence_ends_a_message() {
    let bytes = |bytes| Piece::Bytes(bytes);
    let said = |pieces: &[Piece<'_>]| heard(&mut door(), pieces.iter().copied()).0;
    assert_eq!(said(&[bytes(b"one"), Piece::Silence, bytes(b"two"), Piece::Silence]), ["one", "two"]);
    assert_eq!(said(&[bytes(b"on"), bytes(b"e"), Piece::Silence, Piece::Silence, bytes(b"\n")]), ["one"]);
    assert_eq!(said(&[bytes(b"one\ntw"), Piece::Silence, bytes(b"o\n")]), ["one", "tw", "o"]);
    assert_eq!(said(&[bytes(b"one\r"), Piece::Silence, bytes(b"\ntwo\n")]), ["one", "two"]);
    // The rest of a buffer that was half sent is not silent.
    assert_eq!(said(&[bytes(b"one"), Piece::Silence, bytes(b"tw"), bytes(b"o\0")]), ["one", "two"]);
}

#[test]
fn the_end_of_the_input_ends_a_message() {
    for (rest, expected) in
        [(&b"two"[..], &["one", "two", "over"][..]), (b"tw\ro\r", &["one", "two", "over"]), (b"\r", &["one", "over"])]
    {
        let mut door = door();
        assert_eq!(heard(&mut door, [Piece::Bytes(b"one\0")]).0, ["one"]);
        door.handle_end();
        let mut said = vec!["one".to_owned()];
        let mut left = rest;
        while said.last().is_none_or(|last| last != "over") {
            let Cut::Line { end, next } = door.cut(left) else { panic!("it waits") };
            said.extend(spelled(door.decode(&left[..end])));
            left = &left[next..];
        }
        assert_eq!(said, expected);
    }
}

#[track_caller]
fn check_ending(stream: &[u8], expected: Ending) {
    for size in 1..=stream.len().max(1) {
        let mut door = door();
        heard(&mut door, stream.chunks(size).map(Piece::Bytes).chain([Piece::Silence]));
        assert_eq!(door.ending, expected, "{stream:?} in pieces of {size}");
    }
}

#[test]
fn the_last_end_counts() {
    check_ending(b"", Ending::Nul);
    check_ending(b"hi", Ending::Nul);
    check_ending(b"hi\n", Ending::Lf);
    check_ending(b"hi\r\n", Ending::CrLf);
    check_ending(b"hi\r\n\n", Ending::Lf);
    check_ending(b"hi\n\0", Ending::Nul);
    check_ending(b"hi\0ho\r\n", Ending::CrLf);
    check_ending(b"hi\r\nho", Ending::CrLf);
    check_ending(b"hi\nho\r", Ending::Lf);
}

#[test]
fn a_padded_buffer_is_one_frame() {
    let mut buffer = b"hello".to_vec();
    buffer.resize(1024, 0);
    let (said, frames) = heard(&mut door(), [Piece::Bytes(&buffer), Piece::Bytes(&buffer)]);
    assert_eq!((said, frames), (vec!["hello".to_owned(); 2], 2));
}

#[test]
fn speakers_name_themselves() {
    check(b"bob : hi\0bob : ho\0", &["bob=hi", "ho"]);
    check(b"bob > hi\nbob > ho\nbob : he\n", &["bob=hi", "ho", "he"]);
    check(b"bob : hi\0zoe : ho\0bobby : he\0bob: ha\0", &["bob=hi", "zoe : ho", "bobby : he", "bob: ha"]);
    check("Zo\u{eb}_1.-x : hi\0".as_bytes(), &["Zo\u{eb}_1.-x=hi"]);
    check("Zoe\u{308} : hi\0Zoe\u{308} : ho\0".as_bytes(), &["Zo\u{eb}=hi", "ho"]);
    check(b"\xef\xbb\xbfbob : hi\0", &["bob=hi"]);
    check(b"bob :  : hi\0", &["bob= : hi"]);
    // A first message without a name is said without one, and the next ones too.
    check(b"hi\0bob : hi\0", &["hi", "bob : hi"]);
    for text in
        ["bob: hi", "bob :hi", "bob  : hi", "b/b : hi", "~bob : hi", ": hi", " : hi", "server : hi", "Admin : hi"]
    {
        check(format!("{text}\0").as_bytes(), &[text]);
    }
    let (longest, too_long) = ("b".repeat(32), "b".repeat(33));
    check(format!("{longest} : hi\0").as_bytes(), &[&format!("{longest}=hi")]);
    check(format!("{too_long} : hi\0").as_bytes(), &[&format!("{too_long} : hi")]);
}

#[test]
fn a_name_alone_says_nothing() {
    for alone in ["bob :", "bob : ", "bob >", "bob :   ", "bob : \t"] {
        check(format!("{alone}\0").as_bytes(), &[]);
        check(format!("bob : hi\0{alone}\0bob : ho\0").as_bytes(), &["bob=hi", "ho"]);
        // It is no first message.
        check(format!("{alone}\0zoe : hi\0").as_bytes(), &["zoe=hi"]);
    }
    check(b"hi\0bob :\0", &["hi", "bob :"]);
}

#[test]
fn what_a_line_may_not_hold_is_dropped() {
    check(b"\x1b[2Jh\x07i\x7f\xff\xc3\0", &["[2Jhi"]);
    check("h\u{202e}i\u{2028}\u{200b}\u{9b}!\0".as_bytes(), &["hi!"]);
    check(b"\x1b\xff\x01\0", &[]);
    check(b"h\ti\0", &["h\ti"]);
    check(b"b\x01ob : hi\0bob : ho\0", &["bob=hi", "ho"]);
}

#[test]
fn long_messages_are_split_at_whole_characters() {
    let x = |count: usize| "x".repeat(count);
    check(format!("{}\n", x(1023)).as_bytes(), &[&x(1023)]);
    check(format!("{}\r\n", x(1023)).as_bytes(), &[&x(1023)]);
    check(format!("{}\0y", x(1023)).as_bytes(), &[&x(1023), "y"]);
    check(x(1023).as_bytes(), &[&x(1023)]);
    check(format!("{}\r", x(1023)).as_bytes(), &[&x(1023)]);
    check(format!("{}\n", x(1024)).as_bytes(), &[&x(1023), "x"]);
    check(x(2500).as_bytes(), &[&x(1023), &x(1023), &x(454)]);
    for (character, fits) in [("\u{e9}", 1022), ("\u{20ac}", 1021), ("\u{1f44b}", 1020)] {
        for before in fits - 2..=1023 {
            let text = format!("{}{character}{character}", x(before));
            let first = before + character.len() * ((1023 - before) / character.len());
            let (one, two) = text.split_at(first);
            check(format!("{text}\n").as_bytes(), &if two.is_empty() { vec![one] } else { vec![one, two] });
        }
    }
    // A later part is no message of its own.
    check(format!("bob : {}bob : hi\n", x(1017)).as_bytes(), &[&format!("bob={}", x(1017)), "bob : hi"]);
    check(&[0x80; 3000], &[]);
}

#[test]
fn other_protocols_are_refused() {
    check(b"GET / HTTP/1.1\r\n", &["refused"]);
    check(b"\x16\x03\x01\x00\xa5", &["refused"]);
    check(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", &["refused"]);
    check(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c", &["refused"]);
    check(b"\r\n\r\n\0\r\nQUITE\n", &["QUITE"]);
    // Only at the very start, however it is cut.
    check(b"\n\r\n\r\n\0\r\nQUIT\n!\n", &["QUIT", "!"]);
    check(b"hi\nGET / HTTP/1.1\r\n", &["hi", "GET / HTTP/1.1"]);
}

fn message(from: Who, text: &str) -> Event {
    let room = RoomName::parse("lobby").unwrap();
    Event::SaidIn {
        room,
        message: Message { id: 1, from, text: text.into(), manner: Manner::Text, fate: Fate::Unkept },
    }
}

#[test]
fn encoded_messages() {
    let alice = Who::from(UserName::parse("Alice").unwrap());
    let bob = Who::from(GuestName::parse("bob").unwrap());
    let encoded = |kind, event: &Event| {
        let mut out = Vec::new();
        encode(kind, event, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(encoded(Kind::RelayLf, &message(alice.clone(), "hi\tthere")), "Alice : hi there\n");
    assert_eq!(encoded(Kind::RelayCrLf, &message(bob.clone(), "hi")), "~bob : hi\r\n");
    let room = RoomName::parse("lobby").unwrap();
    let arrived =
        Event::Arrived { room: room.clone(), who: alice, first: true, away: None, called: None, is_owner: false };
    for event in [arrived, Event::HostIs { room, who: bob, was: None }, Event::Done] {
        assert_eq!(encoded(Kind::RelayLf, &event), "");
    }
}

#[test]
fn replies_of_the_server() {
    let reply = Reply::Closing(CloseReason::RoomFull);
    for (sent, expected) in
        [(&b""[..], &b"server : the room is full\n"[..]), (b"hi\r\n", b"server : the room is full\r\n")]
    {
        let mut door = door();
        heard(&mut door, [Piece::Bytes(sent)]);
        let mut out = Vec::new();
        door.encode_reply(&Reply::Greeting, &mut out);
        door.encode_reply(&Reply::Done, &mut out);
        door.encode_reply(&reply, &mut out);
        assert_eq!(out, expected);
    }
    let mut out = Vec::new();
    door().refuse(CloseReason::ServerFull, &mut out);
    assert_eq!(out, b"server : server full\0");
}

/// Streams with many ends, names and bytes that are no text.
fn any_stream() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => "[a-c]{0,6}".prop_map(String::into_bytes),
        2 => prop::sample::select(vec![&b"\n"[..], b"\0", b"\r\n", b"\r", b"\0\0\0", b"\n\0"]).prop_map(<[u8]>::to_vec),
        2 => prop::sample::select(vec![&b"bob : "[..], b"bob > ", b"bob :", b" : ", b"\xef\xbb\xbf"]).prop_map(<[u8]>::to_vec),
        1 => (1000..1030usize, "[xé€👋]").prop_map(|(count, text)| text.repeat(count / text.len()).into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn messages_do_not_depend_on_cuts(stream in any_stream(), sizes in prop::collection::vec(1..700usize, 1..5)) {
        let mut whole = door();
        let expected = heard(&mut whole, [Piece::Bytes(&stream), Piece::Silence]).0;
        let (mut rest, mut pieces) = (stream.as_slice(), Vec::new());
        for size in sizes.iter().cycle() {
            let (piece, after) = rest.split_at(rest.len().min(*size));
            if piece.is_empty() {
                break;
            }
            pieces.push(Piece::Bytes(piece));
            rest = after;
        }
        let mut cut = door();
        prop_assert_eq!(&heard(&mut cut, pieces.into_iter().chain([Piece::Silence])).0, &expected);
        if !expected.contains(&"refused".to_owned()) {
            prop_assert_eq!(cut.ending, whole.ending);
        }
    }

    #[test]
    fn any_bytes_are_harmless(stream in any_stream(), guest in "[a-z]{3,20}[0-9]") {
        let from = Who::from(GuestName::parse(&guest).unwrap());
        for text in heard(&mut door(), [Piece::Bytes(&stream), Piece::Silence]).0 {
            prop_assert!(text.len() <= RELAY_MESSAGE_BYTES && !text.is_empty());
            prop_assert!(text::check(text.as_bytes()).is_some_and(|checked| checked.is_clean), "{:?}", text);
            let mut out = Vec::new();
            encode(Kind::RelayLf, &message(from.clone(), &text), &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), format!("~{guest} : {}\n", text.replace('\t', " ")));
        }
    }
}
