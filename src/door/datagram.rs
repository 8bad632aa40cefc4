//! Datagrams of rooms, from members and to members.
//!
//! From a member: the size of the room's name and the size of the token, one byte each, then the room's name, the token
//! and the message. To a member: one of two [`Spelling`]s. Each datagram is complete, so this module has no state.

use std::borrow::Cow;

use super::token::RoomToken;
use crate::hub::names::Who;
use crate::limits::DATAGRAM_BYTES;
use crate::text::{self, Checked};

/// A datagram from a member. Texts are borrowed from the bytes that were received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Up<'a> {
    /// The room as the member spelled it; `None` if the token alone names it.
    pub room: Option<&'a str>,
    /// The token, which identifies the member and the room.
    pub token: RoomToken,
    /// The part after the token.
    pub body: Body<'a>,
}

/// The part of a datagram after the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// No message: the member only shows its address.
    Empty,
    /// A message: checked text without invisible characters. From a guest it may be a [`Control`] word.
    Text(Cow<'a, str>),
}

/// A word with a meaning of its own if a guest sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// The same as [`Body::Empty`].
    Hello,
    /// The guest leaves the room.
    Leave,
}

/// The format of datagrams to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spelling {
    /// `name: message`.
    Text,
    /// The size of the name in one byte, then the name and the message.
    Named,
}

impl Spelling {
    /// All spellings.
    pub const ALL: [Self; 2] = [Self::Text, Self::Named];
}

/// The sender of a message to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker<'a> {
    /// The server, shown as `server`, which is a reserved name.
    Server,
    /// A member of the room.
    Member(&'a Who),
}

/// Decodes a datagram from a member; `None` if it is invalid. Invalid datagrams are not answered.
pub fn decode(datagram: &[u8]) -> Option<Up<'_>> {
    if datagram.len() > DATAGRAM_BYTES {
        return None;
    }
    let ([room_bytes, token_bytes], rest) = datagram.split_first_chunk()?;
    let (room, rest) = rest.split_at_checked(usize::from(*room_bytes))?;
    let (token, message) = rest.split_at_checked(usize::from(*token_bytes))?;
    let token = RoomToken::decode(token)?;
    let room = if room.is_empty() { None } else { Some(std::str::from_utf8(room).ok()?) };
    let message = without_end(message);
    let body = if message.is_empty() { Body::Empty } else { Body::Text(said(message)?) };
    Some(Up { room, token, body })
}

/// Removes one LF, CR LF or NUL from the end of a message. Programs that read lines send the line end, and programs in C
/// send the terminating NUL.
fn without_end(message: &[u8]) -> &[u8] {
    [&b"\r\n"[..], b"\n", b"\0"].iter().find_map(|end| message.strip_suffix(*end)).unwrap_or(message)
}

/// Checks a message and removes invisible characters; `None` if it contains forbidden bytes, or nothing is left.
fn said(message: &[u8]) -> Option<Cow<'_, str>> {
    let Checked { text, is_clean } = text::check(message)?;
    let text = if is_clean { Cow::Borrowed(text) } else { text::without_taken_out(text) };
    (!text.is_empty()).then_some(text)
}

/// The control word that `text` is when a guest sends it; `None` for a message. From an account these words are messages.
pub fn control(text: &str) -> Option<Control> {
    match text {
        "__REGISTER__" | "@join" => Some(Control::Hello),
        "/exit" | "exit" | "__LEAVE__" | "@quit" => Some(Control::Leave),
        _ => None,
    }
}

/// Appends the datagram that delivers `text` from `from` to `out`. A TAB becomes one space, as in bare lines. Returns
/// false and appends nothing if the datagram would exceed [`DATAGRAM_BYTES`].
pub fn encode(spelling: Spelling, from: Speaker<'_>, text: &str, out: &mut Vec<u8>) -> bool {
    let (mark, name) = match from {
        Speaker::Server => ("", "server"),
        Speaker::Member(Who::Account(name)) => ("", name.as_str()),
        Speaker::Member(Who::Guest(name)) => ("~", name.as_str()),
    };
    let name_bytes = mark.len() + name.len();
    let (before, behind): (&[u8], &[u8]) = match spelling {
        Spelling::Text => (b"", b": "),
        // The longest name has 32 characters of 4 bytes and the mark: less than 256 bytes.
        Spelling::Named => (&[name_bytes as u8], b""),
    };
    let pieces = [before, mark.as_bytes(), name.as_bytes(), behind, text.as_bytes()];
    if pieces.iter().map(|piece| piece.len()).sum::<usize>() > DATAGRAM_BYTES {
        return false;
    }
    out.extend(pieces.iter().copied().flatten());
    if text.contains('\t') {
        let start = out.len() - text.len(); // the byte that holds the size of a name may be 9, too
        out.iter_mut().skip(start).filter(|byte| **byte == b'\t').for_each(|byte| *byte = b' ');
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hub::names::{GuestName, UserName};

    /// Base32 of the bytes 0 to 15.
    const TOKEN: &[u8; 26] = b"AAAQEAYEAUDAOCAJBIFQYDIOB4";

    fn token() -> RoomToken {
        RoomToken::new(std::array::from_fn(|i| i as u8))
    }

    /// A datagram from a member, written after the description of the format alone.
    fn up(room: &[u8], token: &[u8], message: &[u8]) -> Vec<u8> {
        [&[room.len() as u8, token.len() as u8], room, token, message].concat()
    }

    #[track_caller]
    fn check(datagram: &[u8], expected: Option<(Option<&str>, Body<'_>)>) {
        let expected = expected.map(|(room, body)| Up { room, token: token(), body });
        assert_eq!(decode(datagram), expected, "{datagram:?}");
    }

    #[test]
    fn valid_datagrams() {
        check(b"\x05\x1alobbyAAAQEAYEAUDAOCAJBIFQYDIOB4hi", Some((Some("lobby"), Body::Text("hi".into()))));
        check(b"\x00\x1aAAAQEAYEAUDAOCAJBIFQYDIOB4hi", Some((None, Body::Text("hi".into()))));
        check(b"\x00\x1aAAAQEAYEAUDAOCAJBIFQYDIOB4", Some((None, Body::Empty)));
        check(&up("Café".as_bytes(), TOKEN, "é\t👋".as_bytes()), Some((Some("Café"), Body::Text("é\t👋".into()))));
        check(&up(&[b'a'; 255], TOKEN, b"exit"), Some((Some(&"a".repeat(255)), Body::Text("exit".into()))));
    }

    #[test]
    fn invisible_characters_are_removed() {
        for message in ["\u{feff}hi", "h\u{200b}i", "hi\u{61c}\u{2064}"] {
            check(&up(b"", TOKEN, message.as_bytes()), Some((None, Body::Text("hi".into()))));
        }
        check(&up(b"", TOKEN, " hi ".as_bytes()), Some((None, Body::Text(" hi ".into()))));
    }

    #[test]
    fn one_line_end_is_removed() {
        for end in [&b"\n"[..], b"\r\n", b"\0"] {
            check(&up(b"lobby", TOKEN, &[b"hi ", end].concat()), Some((Some("lobby"), Body::Text("hi ".into()))));
            check(&up(b"lobby", TOKEN, end), Some((Some("lobby"), Body::Empty)));
        }
    }

    #[test]
    fn invalid_datagrams() {
        let ends = [&b"hi\r"[..], b"hi\n\n", b"hi\n\0", b"hi\0\n", b"hi\0\0", b"hi\r\n\n", b"hi\nthere", b"\nhi"];
        let bytes = [&b"\x1b[2J"[..], b"\xff", b"\xc2\x85", "\u{2028}".as_bytes()];
        let invisible = ["x\u{fff9}".as_bytes(), "x\u{e0041}".as_bytes(), "\u{200b}\u{feff}".as_bytes()];
        for message in ends.into_iter().chain(bytes).chain(invisible) {
            check(&up(b"lobby", TOKEN, message), None);
        }
        check(&up(b"\xff", TOKEN, b"hi"), None);
        for token in [&b""[..], &TOKEN[..25], b"AAAQEAYEAUDAOCAJBIFQYDIOB4A", b"aaaqeayeaudaocajbifqydiob4"] {
            check(&up(b"lobby", token, b"hi"), None);
        }
        let whole = up(b"lobby", TOKEN, b"");
        for at in 0..whole.len() {
            check(&whole[..at], None);
        }
        check(&[[0xff, 0xff], [0, 0]].concat(), None);
    }

    #[test]
    fn longest_datagram() {
        let text = "x".repeat(4096 - 2 - 26);
        check(&up(b"", TOKEN, text.as_bytes()), Some((None, Body::Text(text.as_str().into()))));
        check(&up(b"a", TOKEN, text.as_bytes()), None);
        assert_eq!(up(b"", TOKEN, text.as_bytes()).len(), 4096);
    }

    #[test]
    fn control_words() {
        for (text, expected) in [
            ("__REGISTER__", Some(Control::Hello)),
            ("@join", Some(Control::Hello)),
            ("/exit", Some(Control::Leave)),
            ("exit", Some(Control::Leave)),
            ("__LEAVE__", Some(Control::Leave)),
            ("@quit", Some(Control::Leave)),
            ("", None),
            ("Exit", None),
            ("exit ", None),
            (" exit", None),
            ("@join us", None),
            ("/quit", None),
        ] {
            assert_eq!(control(text), expected, "{text:?}");
        }
    }

    #[track_caller]
    fn check_down(spelling: Spelling, from: Speaker<'_>, text: &str, expected: &[u8]) {
        let mut out = b"before".to_vec();
        assert!(encode(spelling, from, text, &mut out));
        assert_eq!(out, [b"before", expected].concat());
    }

    #[test]
    fn encoded_datagrams() {
        let alice = Who::from(UserName::parse("Alice").unwrap());
        let bob = Who::from(GuestName::parse("bob").unwrap());
        let zoe = Who::from(GuestName::parse("Zoë").unwrap());
        check_down(Spelling::Text, Speaker::Member(&alice), "hi", b"Alice: hi");
        check_down(Spelling::Text, Speaker::Member(&bob), "hi: there", b"~bob: hi: there");
        check_down(Spelling::Text, Speaker::Server, "room closed", b"server: room closed");
        check_down(Spelling::Named, Speaker::Member(&alice), "hi", b"\x05Alicehi");
        check_down(Spelling::Named, Speaker::Member(&bob), "hi", b"\x04~bobhi");
        check_down(Spelling::Named, Speaker::Member(&zoe), "hi", b"\x05~Zo\xc3\xabhi");
        check_down(Spelling::Named, Speaker::Server, "room closed", b"\x06serverroom closed");
        let nine = Who::from(UserName::parse("ninebytes").unwrap());
        check_down(Spelling::Named, Speaker::Member(&nine), "\thi\t\t", b"\x09ninebytes hi  ");
        check_down(Spelling::Text, Speaker::Member(&nine), "\thi\t\t", b"ninebytes:  hi  ");
    }

    #[test]
    fn encoded_datagrams_are_bounded() {
        let widest = GuestName::parse(&"𝔸".repeat(32)).unwrap();
        let widest = Who::from(widest);
        for (spelling, before) in [(Spelling::Text, 1 + 128 + 2), (Spelling::Named, 1 + 1 + 128)] {
            let mut out = Vec::new();
            assert!(encode(spelling, Speaker::Member(&widest), &"x".repeat(4096 - before), &mut out));
            assert_eq!(out.len(), 4096);
            assert!(!encode(spelling, Speaker::Member(&widest), &"x".repeat(4097 - before), &mut out));
            assert_eq!(out.len(), 4096);
            if spelling == Spelling::Named {
                assert_eq!(out[0], 129);
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_decoded(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
            if let Some(Up { body: Body::Text(message), .. }) = decode(&bytes) {
                control(&message);
            }
            let mut addressed = up(b"", TOKEN, &bytes);
            addressed.truncate(5000);
            if let Some(found) = decode(&addressed) {
                prop_assert_eq!(found.token, token());
                prop_assert!(bytes.len() <= 4068);
            }
        }

        #[test]
        fn messages_are_decoded(room in "\\PC{0,60}", bytes: [u8; 16], message in "\\PC{0,400}") {
            prop_assume!(room.len() < 256 && text::check(message.as_bytes()).is_some_and(|checked| checked.is_clean));
            let text = RoomToken::new(bytes).encode();
            let datagram = up(room.as_bytes(), text.as_bytes(), message.as_bytes());
            let body = if message.is_empty() { Body::Empty } else { Body::Text(message.as_str().into()) };
            let room = (!room.is_empty()).then_some(room.as_str());
            prop_assert_eq!(decode(&datagram), Some(Up { room, token: RoomToken::new(bytes), body }));
        }

        #[test]
        fn a_flipped_bit_is_no_valid_token(bytes: [u8; 16], bit in 0..26 * 8usize) {
            let text = RoomToken::new(bytes).encode();
            let mut datagram = up(b"lobby", text.as_bytes(), b"hi");
            datagram[7 + bit / 8] ^= 1 << (bit % 8);
            prop_assert!(decode(&datagram).is_none_or(|found| found.token != RoomToken::new(bytes)));
        }

        #[test]
        fn messages_are_encoded(guest in "[a-z]{3,20}[0-9]", message in "\\PC{0,400}", is_guest: bool) {
            let name = if is_guest {
                Who::from(GuestName::parse(&guest).unwrap())
            } else {
                Who::from(UserName::parse(&guest).unwrap())
            };
            let mut out = Vec::new();
            prop_assert!(encode(Spelling::Text, Speaker::Member(&name), &message, &mut out));
            prop_assert_eq!(String::from_utf8(out).unwrap(), format!("{name}: {message}"));
            let mut out = Vec::new();
            prop_assert!(encode(Spelling::Named, Speaker::Member(&name), &message, &mut out));
            let (shown, heard) = out[1..].split_at(usize::from(out[0]));
            let (shown, heard) = (str::from_utf8(shown).unwrap(), str::from_utf8(heard).unwrap());
            prop_assert_eq!((shown.to_owned(), heard), (name.to_string(), message.as_str()));
        }
    }
}
