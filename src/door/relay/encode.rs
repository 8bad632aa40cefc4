//! Encodes messages as `name : text`.

use std::fmt::Write as _;

use crate::door::decoded::Kind;
use crate::door::wire::Wire;
use crate::hub::event::{Event, Message};

/// Appends a message in a room, or what an operator announces, to `out`, in the spelling `kind`. Other events say nothing
/// to these programs.
pub fn encode(kind: Kind, event: &Event, out: &mut Vec<u8>) {
    if let Event::Announced { text } = event {
        encode_server(kind, text, out);
    }
    if let Event::SaidIn { message: Message { from, text, .. }, .. } = event {
        let result = write!(Wire(out), "{from}");
        debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
        encode_said(kind, text, out);
    }
}

/// Appends a text of the server to `out`. No account and no guest has this name.
pub(super) fn encode_server(kind: Kind, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"server");
    encode_said(kind, text, out);
}

/// A TAB becomes one space, as in bare lines.
fn encode_said(kind: Kind, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b" : ");
    out.extend(text.bytes().map(|byte| if byte == b'\t' { b' ' } else { byte }));
    out.extend_from_slice(if kind == Kind::RelayCrLf { b"\r\n" } else { b"\n" });
}
