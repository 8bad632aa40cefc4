//! Properties that hold for any input.

use proptest::prelude::*;

use super::*;

/// Words with a meaning at the line door, and pieces of them.
const WORDS: &[&str] = &[
    "C ",
    "D ",
    "PM",
    "DM",
    "WHO",
    "PASSWD",
    "TOKEN",
    "HELP",
    "NOOP",
    "MAKE",
    "JOIN",
    "LEAVE",
    "RM",
    "ROOMS",
    "NAMES",
    "KICK",
    "CLOSE",
    "HISTORY",
    "MISSED",
    "SEARCH",
    "UNREAD",
    "READ",
    "KEEP",
    "TOPIC",
    "LOCK",
    "WANT",
    "WHOIS",
    "SET",
    "AWAY",
    "WATCH",
    "IGNORE",
    "NICK",
    "~rob",
    "NOTIFY",
    "FORGET",
    "status",
    "url",
    "seen",
    "http://",
    "none",
    "all",
    "before",
    "after:",
    "in:",
    "from:",
    "2026-11-26",
    "90m",
    "7",
    "\"",
    "*",
    "#",
    "@",
    "-",
    "ids",
    "off",
    "TO",
    "tea",
    "~",
    "pm",
    "EX",
    "alice",
    "bob",
    "dora",
    "taken",
    "password1",
    "busybusy",
    "fulldisk",
    "t1.T0KEN",
    "hi",
    " ",
    "  ",
    "\t",
    "\r",
    "\u{1}",
    "é",
    "\u{202e}",
    "\u{200b}",
    "\u{feff}",
    "quit",
    "BM",
    "?",
    "x",
    "GET / HTTP/",
];

/// Random bytes, and lines made of meaningful words.
fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(WORDS);
    prop_oneof![
        1 => prop::collection::vec(any::<u8>().prop_filter("no LF", |&b| b != b'\n'), 0..40),
        1 => Just(Vec::new()),
        4 => word.clone().prop_map(|word| word.as_bytes().to_vec()),
        8 => prop::collection::vec(word, 0..5).prop_map(|words| words.concat().into_bytes()),
    ]
}

/// The number of replies in `told`. Notices are no replies.
fn replies(told: &[String]) -> usize {
    told.iter().filter(|line| line.starts_with("C ") && !line.starts_with("C 1") && line.as_bytes()[5] == b' ').count()
}

/// Sends `lines` until the connection is closed, and checks the replies to each.
fn carry_on(mut server: Server, lines: &[Vec<u8>]) -> Result<(), TestCaseError> {
    for line in lines {
        let before = (server.line.dialect, server.line.dialogue.clone());
        let told = server.send(line);
        let after = (server.line.dialect, server.line.dialogue.clone());
        let line = if before.0.is_none() { without_mark(line) } else { line };
        let is_dressed = before.0 != Some(Dialect::Bare) && matches!(line, b"C " | b"C \r");
        let is_empty = matches!(line, b"" | b"\r") || is_dressed;
        let asks_nothing = matches!(before.1, Dialogue::Name | Dialogue::Ready);
        let expected = if is_empty && asks_nothing {
            0
        } else if after.1 == Dialogue::NameAndMessage && told.len() > 1 {
            2 // `DM` without arguments: the list, then 350
        } else {
            1
        };
        prop_assert_eq!(replies(&told), expected, "{:?} for {:?} in {:?}", told, line, before);
        if told.iter().any(|line| line.starts_with("C 501")) {
            prop_assert_eq!(&after, &before, "{:?} for {:?}", told, line);
        }
        if before.0.is_some() {
            prop_assert_eq!(after.0, before.0, "the dialect of a connection is for life");
        }
        if server.is_closed {
            break;
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_line_before_login_gets_one_reply(lines in prop::collection::vec(any_line(), 0..40)) {
        carry_on(Server::new(), &lines)?;
    }

    #[test]
    fn every_line_after_login_gets_one_reply(is_typed: bool, lines in prop::collection::vec(any_line(), 0..40)) {
        let mut server = Server::new();
        server.send(if is_typed { b"C alice t1.T0KEN" } else { b"alice t1.T0KEN" });
        prop_assert!(server.line.is_logged_in());
        carry_on(server, &lines)?;
    }

    #[test]
    fn any_bytes_can_be_decoded(line: Vec<u8>, is_typed: bool, password_min: u32) {
        let mut server = Server::new();
        server.line.decode(&line, password_min);
        server.line.sniff(&line, 16);
        server.send(if is_typed { b"C alice t1.T0KEN" } else { b"alice t1.T0KEN" });
    }

    #[test]
    fn a_message_is_one_line_that_says_what_was_said(
        text in "\\PC*[\t x]\\PC*", id: u64, from in "[A-Za-z][A-Za-z0-9_.-]{0,31}", is_direct: bool,
    ) {
        prop_assume!(text::check(text.as_bytes()).is_some_and(|checked| checked.is_clean));
        let message = message(id, UserName::from_record(&from).unwrap().into(), &text, false);
        let (what, event) = if is_direct { ("DM", Event::Told { to: Who::parse("bob").unwrap(), message: message.into() }) } else { ("PM", Event::Said(message)) };
        for (kind, expected) in [
            (Kind::Bare, format!("D {what} {from} {}\n", text.replace('\t', " "))),
            (Kind::Typed, format!("D {what} {id} {from} {text}\n")),
        ] {
            let mut out = Vec::new();
            encode(kind, &event, &mut out);
            prop_assert_eq!(out.iter().filter(|&&b| b == b'\n').count(), 1);
            prop_assert!(out.len() <= text.len() + 160, "what stands before the text is too long");
            prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn a_room_message_is_one_line(
        text in "\\PC*[\t x]\\PC*", id: u64, room in "[\\p{L}\\p{N}_.-]{1,32}", guest in "[\\p{L}\\p{N}_.-]{1,32}",
    ) {
        prop_assume!(text::check(text.as_bytes()).is_some_and(|checked| checked.is_clean));
        let (Ok(room), Ok(guest)) = (RoomName::parse(&room), GuestName::parse(&guest)) else { return Ok(()) };
        let message = message(id, guest.clone().into(), &text, false);
        let event = Event::SaidIn { room: room.clone(), message };
        for (kind, expected) in [
            (Kind::Bare, format!("D RM {room} {guest} {}\n", text.replace('\t', " "))),
            (Kind::Typed, format!("D RM {id} {room} {guest} {text}\n")),
        ] {
            let mut out = Vec::new();
            encode(kind, &event, &mut out);
            prop_assert_eq!(out.iter().filter(|&&b| b == b'\n').count(), 1);
            // Two names of 32 characters, of at most four bytes each.
            prop_assert!(out.len() <= text.len() + "D RM 18446744073709551615  ~ \n".len() + 2 * 32 * 4);
            prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    /// Whatever one member sends, another gets only notices and messages that the server has encoded.
    #[test]
    fn members_get_notices_and_messages_only(lines in prop::collection::vec(any_line(), 0..40)) {
        let mut server = Server::new();
        server.send_of_bob("MAKE tea");
        server.send(b"alice t1.T0KEN");
        server.send(b"JOIN tea");
        taken(&mut server.bob_heard);
        for line in lines {
            if server.is_closed {
                break;
            }
            server.send(&line);
            for heard in taken(&mut server.bob_heard) {
                let is_message = ["D PM alice ", "D DM alice ", "D RM tea alice "].iter().any(|start| heard.starts_with(start));
                let is_notice = ["C 103 tea alice entered", "C 104 tea alice left"].contains(&heard.as_str());
                prop_assert!(is_message || is_notice, "{} after {:?}", heard, line);
            }
        }
    }

    /// A text that the door accepts is encoded without forbidden characters.
    #[test]
    fn accepted_texts_can_be_encoded(line in any_line()) {
        let mut server = Server::new();
        server.send(b"alice t1.T0KEN");
        server.send(b"PM");
        server.send(&line);
        for heard in taken(&mut server.bob_heard) {
            prop_assert!(heard.starts_with("D PM alice "), "{}", heard);
        }
    }
}
