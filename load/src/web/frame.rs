//! Frames (RFC 6455, section 5): a server's are read, a client's are written.

use super::{ENDLESS, LINE_MOST};

/// The bit of a message's last frame.
const LAST: u8 = 0x80;
/// The bits of extensions, of which none was asked for.
const RESERVED: u8 = 0x70;
/// The bit of a masked payload.
const MASKED: u8 = 0x80;
/// The longest payload of a control frame, in bytes; longer ones have their length in more than a byte.
const SHORT_MOST: usize = 125;
/// The longest head of a client's frame, in bytes.
const HEAD_MOST: usize = 14;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// Why a connection is over whose frames break the protocol.
pub(super) const BROKEN: &str = "the server's WebSocket frames break the protocol";

/// What the input begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next<'a> {
    /// A frame that is not whole.
    Partial,
    /// A frame of this many bytes.
    Whole { frame: Frame<'a>, length: usize },
}

/// A frame of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// The first of a message.
    Text { payload: &'a [u8], is_last: bool },
    /// One of those behind it.
    More { payload: &'a [u8], is_last: bool },
    /// It wants a pong.
    Ping(&'a [u8]),
    /// It asks for nothing.
    Pong,
    /// Nothing follows.
    Close,
}

/// Looks for a server's frame at the start of `bytes`.
///
/// # Errors
/// It breaks the protocol, or is too long.
pub(super) fn next(bytes: &[u8]) -> Result<Next<'_>, String> {
    let [first, second, rest @ ..] = bytes else { return Ok(Next::Partial) };
    let (opcode, is_last) = (first & 0x0f, first & LAST != 0);
    let is_control = opcode >= CLOSE;
    let short = usize::from(second & !MASKED);
    if first & RESERVED != 0 || second & MASKED != 0 || is_control && (!is_last || short > SHORT_MOST) {
        return Err(BROKEN.to_owned());
    }
    let (size, rest) = match (short, rest) {
        (126, [a, b, rest @ ..]) => (usize::from(u16::from_be_bytes([*a, *b])), rest),
        (127, [a, b, c, d, e, f, g, h, rest @ ..]) => {
            let size = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
            (usize::try_from(size).unwrap_or(usize::MAX), rest)
        }
        (126 | 127, _) => return Ok(Next::Partial),
        (short, rest) => (short, rest),
    };
    if size > LINE_MOST {
        return Err(ENDLESS.to_owned());
    }
    let Some(payload) = rest.get(..size) else { return Ok(Next::Partial) };
    let frame = match opcode {
        TEXT => Frame::Text { payload, is_last },
        CONTINUATION => Frame::More { payload, is_last },
        PING => Frame::Ping(payload),
        PONG => Frame::Pong,
        CLOSE => Frame::Close,
        _ => return Err(BROKEN.to_owned()),
    };
    Ok(Next::Whole { frame, length: bytes.len() - rest.len() + size })
}

/// The masks of one client's frames. They keep programs between the two from taking a payload for something else; here
/// there is nothing to be kept from them, so any numbers do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Masks(u32);

impl Masks {
    /// Those of the n-th connection.
    pub(crate) fn new(n: usize) -> Self {
        // Zero would stay zero.
        Self((n as u32).wrapping_mul(0x9e37_79b9) | 1)
    }

    /// The next one (xorshift).
    fn next(&mut self) -> [u8; 4] {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0.to_be_bytes()
    }
}

/// Makes what `out` has from `start` on a text message.
pub(crate) fn wrap(out: &mut Vec<u8>, start: usize, masks: &mut Masks) {
    wrap_as(TEXT, out, start, masks);
}

/// Makes what `out` has from `start` on, 125 bytes at most, a pong.
pub(crate) fn wrap_pong(out: &mut Vec<u8>, start: usize, masks: &mut Masks) {
    wrap_as(PONG, out, start, masks);
}

fn wrap_as(opcode: u8, out: &mut Vec<u8>, start: usize, masks: &mut Masks) {
    let mask = masks.next();
    let payload = out.get_mut(start..).unwrap_or_default();
    for four in payload.chunks_mut(mask.len()) {
        for (byte, mask) in four.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
    let size = payload.len();
    let mut head = Vec::with_capacity(HEAD_MOST);
    head.push(LAST | opcode);
    if size <= SHORT_MOST {
        head.push(MASKED | size as u8);
    } else if let Ok(size) = u16::try_from(size) {
        head.push(MASKED | 126);
        head.extend(size.to_be_bytes());
    } else {
        head.push(MASKED | 127);
        head.extend((size as u64).to_be_bytes());
    }
    head.extend(mask);
    out.splice(start..start, head);
}
