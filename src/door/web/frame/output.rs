//! The frames of the server: text messages, and control frames.

use super::{CONTROL_BYTES, FINAL, opcode};

/// The first byte of the one frame of a text message.
const TEXT: u8 = FINAL | opcode::TEXT;
/// The longest head of a server's frame here, in bytes: no message has 64 KiB.
const SERVER_HEAD_BYTES: usize = 4;

/// A frame of the server, read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent<'a> {
    /// A line, without its LF.
    Text(&'a [u8]),
    /// A ping.
    Ping,
    /// A pong.
    Pong,
    /// The close, with its code and its reason.
    Close(u16, &'a [u8]),
}

impl<'a> Sent<'a> {
    /// The frame at the start of `bytes`, and its length; `None` if it is not whole, or no frame of this server.
    pub fn read(bytes: &'a [u8]) -> Option<(Self, usize)> {
        let (first, length, rest) = match bytes {
            [first, 126, high, low, rest @ ..] => (*first, usize::from(u16::from_be_bytes([*high, *low])), rest),
            [first, length, rest @ ..] if usize::from(*length) <= CONTROL_BYTES => (*first, usize::from(*length), rest),
            _ => return None,
        };
        let payload = rest.get(..length)?;
        let sent = match (first.checked_sub(FINAL)?, payload) {
            (opcode::TEXT, line) => Self::Text(line),
            (opcode::PING, _) => Self::Ping,
            (opcode::PONG, _) => Self::Pong,
            (opcode::CLOSE, [high, low, why @ ..]) => Self::Close(u16::from_be_bytes([*high, *low]), why),
            _ => return None,
        };
        Some((sent, bytes.len() - rest.len() + length))
    }
}

/// Makes the whole lines that `out` has from `start` on text messages, one each, without their LF.
pub fn wrap_lines(out: &mut Vec<u8>, start: usize) {
    let lines = out.get(start..).unwrap_or_default();
    let Some(first) = memchr::memchr(b'\n', lines) else { return };
    if first + 1 == lines.len() {
        return wrap_line(out, start);
    }
    let lines = out.split_off(start);
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let start = out.len();
        out.extend_from_slice(line);
        wrap_line(out, start);
    }
}

/// Makes the one line that `out` has from `start` on, with its LF at the end, a text message.
fn wrap_line(out: &mut Vec<u8>, start: usize) {
    out.pop(); // the LF
    let length = out.len().saturating_sub(start);
    let (head, bytes) = server_head(TEXT, length);
    let head = head.get(..bytes).unwrap_or_default();
    out.splice(start..start, head.iter().copied());
}

/// Appends a pong with this payload to `out`.
pub fn encode_pong(payload: &[u8], out: &mut Vec<u8>) {
    encode_control(opcode::PONG, payload, out);
}

/// Appends a ping to `out`.
pub fn encode_ping(out: &mut Vec<u8>) {
    encode_control(opcode::PING, &[], out);
}

/// Appends the close of the conversation to `out`, with a code and a reason, of which what is too long is cut off.
pub fn encode_close(code: u16, why: &str, out: &mut Vec<u8>) {
    let why = why.get(..why.floor_char_boundary(CONTROL_BYTES - 2)).unwrap_or_default();
    encode_control(opcode::CLOSE, &[&code.to_be_bytes(), why.as_bytes()].concat(), out);
}

fn encode_control(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    let (head, bytes) = server_head(FINAL | opcode, payload.len());
    out.extend_from_slice(head.get(..bytes).unwrap_or_default());
    out.extend_from_slice(payload);
}

/// The head of a server's frame, and its length. The payload has less than 64 KiB.
fn server_head(first: u8, payload: usize) -> ([u8; SERVER_HEAD_BYTES], usize) {
    debug_assert!(payload <= usize::from(u16::MAX), "no message is that long");
    let [high, low] = u16::try_from(payload).unwrap_or(u16::MAX).to_be_bytes();
    if payload <= CONTROL_BYTES { ([first, low, 0, 0], 2) } else { ([first, 126, high, low], 4) }
}
