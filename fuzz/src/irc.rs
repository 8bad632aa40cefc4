//! The IRC door: lines, and what is answered without the hub.

use std::sync::Arc;

use chatd::door::Decoded;
use chatd::door::inbox::{Cut, Inbox};
use chatd::door::irc::{IrcDoor, Options, Request, Server};
use chatd::door::reply::Reply;
use chatd::hub::event::Event;
use chatd::hub::names::Who;
use chatd::text;

use super::pieces::pieces;

/// More steps than any line has.
const STEPS_MOST: usize = 300;

/// However a stream is cut, a client is told the same: whole lines of at most 512 bytes besides their tags, which no
/// terminal obeys.
///
/// Byte 0 says how it begins (bit 0: logged in; bit 1: guests are let in), bytes 1 to 3 how it is cut; the rest is what is
/// sent.
pub fn irc(data: &[u8]) {
    let Some(([how, steps @ ..], sent)) = data.split_first_chunk::<4>() else { return };
    let login: &[u8] = if how & 1 == 1 {
        b"CAP REQ :labeled-response batch message-tags echo-message server-time\nPASS bob:x\nNICK bob\nUSER b 0 * b\nCAP END\n"
    } else {
        b""
    };
    let (sent, guests) = ([login, sent].concat(), how & 2 == 2);
    let told = told(sent.chunks(sent.len().max(1)), guests);
    check_lines(&told);
    assert_eq!(self::told(pieces(&sent, steps), guests), told, "cut in pieces of {steps:?}");
}

/// What a client is told whose passwords are right and whose commands are all carried out.
fn told<'a>(pieces: impl Iterator<Item = &'a [u8]>, guests: bool) -> Vec<u8> {
    let mut door = IrcDoor::new(Arc::new(Server::default()), Options { guests, sts: None });
    let (mut inbox, mut held, mut out) = (Inbox::default(), Vec::new(), Vec::new());
    for piece in pieces {
        held.extend_from_slice(piece);
        loop {
            match inbox.cut(&held, door.frame_limit()) {
                Cut::Line { end, next } => {
                    let line = held[..end].to_vec();
                    if !on_line(&mut door, &line, &mut out) {
                        return out;
                    }
                    held.drain(..next);
                }
                Cut::TooLong { next } => {
                    door.encode_reply(&Reply::LineTooLong(door.frame_limit()), &mut out);
                    held.drain(..next);
                }
                Cut::Partial { keep } => {
                    held.drain(..keep);
                    break;
                }
                Cut::NeverEnds => return out,
                cut @ (Cut::Frame { .. } | Cut::Gathered { .. }) => panic!("{cut:?} is no line"),
            }
        }
    }
    out
}

/// Carries out a line, to the end of its last step. False if it ends the connection.
fn on_line(door: &mut IrcDoor, line: &[u8], out: &mut Vec<u8>) -> bool {
    let first = door.decode(line);
    let mut answer = answer(&first);
    drop(first);
    for _ in 0..STEPS_MOST {
        match answer {
            Answer::None => {}
            Answer::Over => return false,
            Answer::Reply(reply) => door.encode_reply(&reply, out),
            Answer::Event(event) => door.encode_event(&event, out),
        }
        let Some((decoded, _)) = door.next_step() else {
            door.end_line(out);
            return true;
        };
        answer = self::answer(&decoded);
    }
    panic!("{line:?} never ends")
}

enum Answer {
    None,
    Over,
    Reply(Reply),
    Event(Event),
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the door gives a few of all requests")]
fn answer(decoded: &Decoded<'_>) -> Answer {
    match decoded {
        Decoded::Nothing => Answer::None,
        Decoded::Command(_) | Decoded::Recall(_) => Answer::Event(Event::Done),
        Decoded::Refuse(_) => Answer::Over,
        Decoded::Irc(request) => match &**request {
            Request::Prove { name, password } | Request::Register { name, password } => {
                assert!((1..=128).contains(&password.as_bytes().len()));
                Answer::Reply(Reply::Proved { name: name.clone() })
            }
            Request::ChangePassword { .. } => Answer::Reply(Reply::PasswordChanged),
            Request::EnterProved { .. } => {
                Answer::Event(Event::Welcome { name: Who::parse("bob").expect("a name"), online: 1 })
            }
            Request::EnterAsGuest { guest, .. } => {
                Answer::Event(Event::Welcome { name: guest.clone().into(), online: 1 })
            }
            Request::EnterRoom { makes: false, .. } => Answer::Event(Event::NoSuchRoom),
            Request::EnterRoom { makes: true, .. } => Answer::Event(Event::Done),
            Request::Quit { .. } => Answer::Over,
        },
        decoded => panic!("{decoded:?} is none of the IRC door's"),
    }
}

/// Whole lines of text, not too long, without a byte that a terminal obeys.
fn check_lines(told: &[u8]) {
    let told = std::str::from_utf8(told).expect("UTF-8");
    assert!(told.is_empty() || told.ends_with("\r\n"));
    for line in told.split_terminator("\r\n") {
        let rest = if line.starts_with('@') { line.split_once(' ').expect("more than tags").1 } else { line };
        assert!(!rest.is_empty() && rest.len() <= 510, "{} bytes", rest.len());
        let shown = line.replace('\u{1}', "");
        assert!(text::check(shown.as_bytes()).is_some(), "{line:?}");
    }
}
