//! Properties that hold for any input.

use proptest::prelude::*;

use super::*;
use crate::door::irc::Bits;
use crate::door::irc::spell::{self, Dress};

/// Words with a meaning at the IRC door, and pieces of them.
const WORDS: &[&str] = &[
    "@label=a",
    "NICK",
    "USER",
    "PASS",
    "CAP",
    "LS",
    "302",
    "REQ",
    "END",
    "AUTHENTICATE",
    "PLAIN",
    "+",
    "REGISTER",
    "PING",
    "QUIT",
    "JOIN",
    "PART",
    "TOPIC",
    "NAMES",
    "LIST",
    "KICK",
    "INVITE",
    "MODE",
    "+k",
    "+o",
    "-P",
    "WHO",
    "%na,1",
    "WHOIS",
    "WHOWAS",
    "ISON",
    "USERHOST",
    "AWAY",
    "SETNAME",
    "MONITOR",
    "C",
    "S",
    "CHATHISTORY",
    "LATEST",
    "BETWEEN",
    "TARGETS",
    "MARKREAD",
    "timestamp=2026-11-26T17:31:24.250Z",
    "msgid=7",
    "*",
    "50",
    "NS",
    "IDENTIFY",
    "LUSERS",
    "MOTD",
    "HELP",
    "PRIVMSG",
    "NOTICE",
    "TAGMSG",
    "#a",
    "#a,#b",
    "&all",
    "bob",
    "^bob",
    "~bob",
    "a,b,c,d,e",
    ":",
    ":x y",
    "0",
    "\u{1}ACTION x",
    "\u{2}",
    "\u{3}4",
    "\u{202e}",
    "\u{feff}",
    "é",
    "\r",
    "\0",
];

fn any_line() -> impl Strategy<Value = String> {
    let word = prop_oneof![8 => prop::sample::select(WORDS).prop_map(str::to_owned), 1 => any::<String>()];
    prop::collection::vec(word, 0..7).prop_map(|words| words.join(" ").replace('\n', ""))
}

/// Each line is one line, UTF-8 without control characters but those of ACTION, and not too long.
fn check_lines(out: &[u8]) -> Result<(), TestCaseError> {
    let text = std::str::from_utf8(out).map_err(|_| TestCaseError::fail("no UTF-8"))?;
    prop_assert!(text.is_empty() || text.ends_with("\r\n"));
    for line in text.split_terminator("\r\n") {
        let rest = if line.starts_with('@') { line.split_once(' ').map_or("", |(_, rest)| rest) } else { line };
        prop_assert!(rest.len() <= 510, "{} bytes", rest.len());
        prop_assert!(!line.is_empty() && !line.contains(['\r', '\n', '\0']), "{line:?}");
        let body = rest.replace('\u{1}', "");
        prop_assert!(crate::text::check(body.as_bytes()).is_some(), "{rest:?}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_lines(lines in prop::collection::vec(any_line(), 0..12), is_in: bool, guests: bool) {
        let caps = "echo-message labeled-response batch message-tags server-time standard-replies";
        let mut client = if is_in { Client::alice(caps) } else { Client::new(Options { guests, sts: None }) };
        for line in &lines {
            let mut steps = 0;
            let decoded = client.door.decode(line.as_bytes());
            let mut is_asked = decoded != Decoded::Nothing;
            drop(decoded);
            loop {
                steps += 1;
                prop_assert!(steps < 200, "{line:?} never ends");
                if is_asked {
                    client.door.encode_event(&Event::Done, &mut client.out);
                }
                match client.next() {
                    Some(Decoded::Refuse(_)) => return Ok(()),
                    Some(_) => is_asked = true,
                    None => break,
                }
                if !client.door.is_logged_in() {
                    break; // it waits for a verdict
                }
            }
            client.end();
            check_lines(&client.out)?;
            client.out.clear();
        }
    }

    #[test]
    fn any_bytes(lines: Vec<Vec<u8>>) {
        let mut client = Client::new(Options::default());
        for line in &lines {
            let _decoded = client.door.decode(line);
            client.end();
            check_lines(&client.out)?;
        }
    }

    #[test]
    fn any_text_of_another_door(text in "[ -~\u{e9}\u{1f44b}\t/me]{1,4000}", bits in 0..16usize, is_deed: bool) {
        let text = if is_deed { format!("/me {text}") } else { text };
        let (server, mut out) = (Server::default(), Vec::new());
        let event = Event::SaidIn { room: room("a"), message: message("bob", &text) };
        spell::encode(Dress::new(&server, Bits::of_index(bits), 0), &event, &mut out);
        check_lines(&out)?;
        let lines = String::from_utf8(out).unwrap();
        let said: String = lines
            .split_terminator("\r\n")
            .map(|line| line.split_once(" PRIVMSG #a :").unwrap().1)
            .map(|said| said.strip_prefix("\u{1}ACTION ").map_or(said, |said| said.trim_end_matches('\u{1}')))
            .collect();
        let expected = text.strip_prefix("/me ").unwrap_or(&text);
        prop_assert_eq!(said, if text == "/me" { "" } else { expected });
    }
}
