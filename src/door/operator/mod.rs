//! The operator's door: the typed dialect without a login. `C COMMAND` asks; items and a last line answer.
//!
//! The same commands come from operators in the chat (`OP COMMAND`), and are answered in the same form.

mod answer;
mod arguments;
mod command;
mod form;
mod mask;
mod utc;

pub use answer::{ITEM, Item, Last, NOTHING, elements, pairs};
pub use arguments::Accounts;
pub use command::{COMMANDS, Command, Fault, Help, Sort, Whom, duration};
pub use form::{Form, form};
pub use mask::{MASK, from_client, from_server};
pub use utc::{utc, utc_ms};

use std::fmt::Write as _;

use super::decoded::Decoded;
use super::reply::Reply;
use super::wire::Wire;
use crate::secret::Masked;
use crate::text::{self, Checked};

/// The dialogue of one operator's connection.
#[derive(Debug, Default)]
pub struct OperatorDoor;

impl OperatorDoor {
    /// Decodes a line, given without its LF.
    pub fn decode<'a>(&mut self, line: &'a [u8]) -> Decoded<'a> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(Checked { text, is_clean: true }) = text::check(line) else { return Decoded::Reply(Reply::BadBytes) };
        match text.strip_prefix("C ") {
            Some(command) if command.trim_matches(' ').is_empty() => Decoded::Nothing,
            Some(command) => Decoded::Operate(command),
            None if text.is_empty() => Decoded::Nothing,
            None => match text.strip_prefix("D ") {
                Some(password) => Decoded::OperatorPassword(Masked(password.as_bytes())),
                None => Decoded::Reply(Reply::NeitherCommandNorData),
            },
        }
    }

    /// Appends a reply of the server to `out`.
    pub fn encode_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) {
        let result = if *reply == Reply::Greeting {
            writeln!(Wire(out), "C 220 chatd {} operator", env!("CARGO_PKG_VERSION"))
        } else if *reply == Reply::NotNow {
            writeln!(Wire(out), "C 503 nothing was asked for")
        } else {
            reply.encode(out);
            Ok(())
        };
        debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
    }
}

/// Appends the answer to a peer that is neither root nor the server's own user to `out`.
pub fn refuse_stranger(out: &mut Vec<u8>) {
    Last::Forbidden("only root and the server's own user may connect here".to_owned()).encode(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let mut door = OperatorDoor;
        let mut check = |line: &[u8], expected: Decoded<'_>| assert_eq!(door.decode(line), expected, "{line:?}");
        check(b"C status", Decoded::Operate("status"));
        check(b"C kick a b\r", Decoded::Operate("kick a b"));
        for nothing in [&b""[..], b"\r", b"C ", b"C   "] {
            check(nothing, Decoded::Nothing);
        }
        check(b"D  x ", Decoded::OperatorPassword(Masked(b" x ")));
        check(b"D ", Decoded::OperatorPassword(Masked(b"")));
        for neither in [&b"status"[..], b"C", b"D", b"c status"] {
            check(neither, Decoded::Reply(Reply::NeitherCommandNorData));
        }
        for bad in [&b"C a\x1bb"[..], b"C \xff", "C a\u{200b}".as_bytes()] {
            check(bad, Decoded::Reply(Reply::BadBytes));
        }
    }

    #[test]
    fn the_greeting() {
        let mut out = Vec::new();
        OperatorDoor.encode_reply(&Reply::Greeting, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), concat!("C 220 chatd ", env!("CARGO_PKG_VERSION"), " operator\n"));
    }
}
