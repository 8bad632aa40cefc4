//! WebSocket frames (RFC 6455): those of clients to messages, messages to frames. Nothing is allocated for a frame that
//! comes whole.

use zeroize::Zeroizing;

use crate::limits::DISCARD_BYTES;

/// The first byte of the one frame of a text message.
const TEXT: u8 = FINAL | opcode::TEXT;
/// The bit of the last frame of a message.
const FINAL: u8 = 0x80;
/// The bits that extensions use. None is spoken here.
const RESERVED: u8 = 0x70;
/// The bit of a masked frame.
const MASKED: u8 = 0x80;
/// The longest payload of a control frame, in bytes.
const CONTROL_BYTES: usize = 125;
/// The longest head of a client's frame, in bytes.
pub const CLIENT_HEAD_BYTES: usize = 14;
/// The longest head of a server's frame here, in bytes: no message has 64 KiB.
const SERVER_HEAD_BYTES: usize = 4;

/// The kinds of frames.
mod opcode {
    pub(super) const CONTINUATION: u8 = 0x0;
    pub(super) const TEXT: u8 = 0x1;
    pub(super) const BINARY: u8 = 0x2;
    pub(super) const CLOSE: u8 = 0x8;
    pub(super) const PING: u8 = 0x9;
    pub(super) const PONG: u8 = 0xa;
}

/// Why a connection closes, as a number of RFC 6455, section 7.4.
pub mod code {
    /// The conversation is over.
    pub const NORMAL: u16 = 1000;
    /// The server is going away.
    pub const GOING_AWAY: u16 = 1001;
    /// The frames break the protocol.
    pub const PROTOCOL: u16 = 1002;
    /// A message is not text.
    pub const UNSUPPORTED: u16 = 1003;
    /// A text is no UTF-8.
    pub const NOT_TEXT: u16 = 1007;
    /// The client has broken a rule.
    pub const POLICY: u16 = 1008;
    /// A message is too long.
    pub const TOO_BIG: u16 = 1009;
    /// An error of the server.
    pub const INTERNAL: u16 = 1011;
    /// The server restarts.
    pub const RESTART: u16 = 1012;
    /// The server is overloaded.
    pub const TRY_LATER: u16 = 1013;
}

/// What the input begins with. Offsets are from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// No frame ends in the input: the bytes from `keep` on go in front of the next input.
    Partial {
        /// The offset of the first byte that is needed again.
        keep: usize,
    },
    /// A text message is `start..end`, unmasked in place.
    Text {
        /// Its first byte.
        start: usize,
        /// The byte behind its last one.
        end: usize,
        /// The next frame.
        next: usize,
    },
    /// A text message in several frames is whole: [`Frames::take`] gives it.
    Gathered {
        /// The next frame.
        next: usize,
    },
    /// The end of a message that was longer than its bound.
    TooLong {
        /// The next frame.
        next: usize,
    },
    /// A ping whose payload is `start..end`, unmasked in place.
    Ping {
        /// The first byte of the payload.
        start: usize,
        /// The byte behind its last one.
        end: usize,
        /// The next frame.
        next: usize,
    },
    /// The client closes the conversation.
    Close {
        /// The code to answer with.
        code: u16,
        /// The next frame, which nobody reads.
        next: usize,
    },
    /// A frame that asks for nothing.
    Nothing {
        /// The next frame.
        next: usize,
    },
    /// The input breaks the protocol: the connection closes with this code.
    Bad(u16),
}

/// The frames of one client. A new one owns no heap.
#[derive(Debug, Default)]
pub struct Frames {
    /// The payloads of a message of several frames, which has begun.
    gathered: Zeroizing<Vec<u8>>,
    message: Message,
    /// Bytes of the current frame's payload that are discarded as they come, and whether it is the last frame.
    skipping: Option<(usize, bool)>,
}

/// The message that has begun in an earlier frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Message {
    /// None has.
    #[default]
    None,
    /// Its payloads are gathered.
    Begun,
    /// It is longer than its bound: so many bytes came until now.
    TooLong(usize),
}

/// The head of a client's frame.
#[derive(Clone, Copy, Debug)]
struct Head {
    opcode: u8,
    is_final: bool,
    /// Its own length.
    bytes: usize,
    /// The length of the payload.
    payload: usize,
    mask: [u8; 4],
}

impl Frames {
    /// True if a message has begun in earlier frames, or is being discarded.
    pub fn has_begun(&self) -> bool {
        self.message != Message::None || self.skipping.is_some()
    }

    /// The message that [`Next::Gathered`] has announced.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut *self.gathered)
    }

    /// Looks for a frame at the start of `bytes`. A text has at most `limit` bytes, counted with an LF that it need not
    /// have.
    pub fn next(&mut self, bytes: &mut [u8], limit: usize) -> Next {
        if let Some((left, is_final)) = self.skipping {
            return self.skip(bytes.len(), left, is_final);
        }
        let head = match Head::parse(bytes) {
            Ok(Some(head)) => head,
            Ok(None) => return Next::Partial { keep: 0 },
            Err(code) => return Next::Bad(code),
        };
        if head.is_control() { control(&head, bytes) } else { self.data(&head, bytes, limit) }
    }

    /// A frame of a message.
    fn data(&mut self, head: &Head, bytes: &mut [u8], limit: usize) -> Next {
        let is_first = head.opcode != opcode::CONTINUATION;
        if is_first != (self.message == Message::None) {
            return Next::Bad(code::PROTOCOL);
        }
        let before = match self.message {
            Message::None => 0,
            Message::Begun => self.gathered.len(),
            Message::TooLong(bytes) => bytes,
        };
        let total = before.saturating_add(head.payload);
        if total > DISCARD_BYTES {
            return Next::Bad(code::TOO_BIG);
        }
        // One byte more is an LF, which is taken off; a CR before it counts.
        if matches!(self.message, Message::TooLong(_)) || total > limit {
            self.gathered = Zeroizing::default();
            self.message = Message::TooLong(total);
            return self.skip(bytes.len().saturating_sub(head.bytes), head.payload, head.is_final).behind(head.bytes);
        }
        let Some((start, end)) = head.unmask(bytes) else { return Next::Partial { keep: 0 } };
        if is_first && head.is_final {
            let text = without_end(bytes.get(start..end).unwrap_or_default());
            let length = text.len();
            let is_too_long = length >= limit;
            return if is_too_long {
                Next::TooLong { next: end }
            } else {
                Next::Text { start, end: start + length, next: end }
            };
        }
        self.gather(bytes.get(start..end).unwrap_or_default());
        self.message = Message::Begun;
        if !head.is_final {
            return Next::Nothing { next: end };
        }
        self.message = Message::None;
        let length = without_end(&self.gathered).len();
        self.gathered.truncate(length);
        if length >= limit {
            self.gathered = Zeroizing::default();
            return Next::TooLong { next: end };
        }
        Next::Gathered { next: end }
    }

    /// Keeps a part of a message. It may be one of a password, so that no copy of it is left behind.
    fn gather(&mut self, part: &[u8]) {
        let mut whole = Vec::with_capacity(self.gathered.len() + part.len());
        whole.extend_from_slice(&self.gathered);
        whole.extend_from_slice(part);
        self.gathered = Zeroizing::new(whole);
    }

    /// Discards `left` bytes, of which so many are here.
    fn skip(&mut self, here: usize, left: usize, is_final: bool) -> Next {
        if here < left {
            self.skipping = Some((left - here, is_final));
            return Next::Partial { keep: here };
        }
        self.skipping = None;
        if !is_final {
            return Next::Nothing { next: left };
        }
        self.message = Message::None;
        Next::TooLong { next: left }
    }
}

impl Next {
    /// The same, if `bytes` more stand before it.
    fn behind(self, bytes: usize) -> Self {
        match self {
            Self::Partial { keep } => Self::Partial { keep: keep + bytes },
            Self::Nothing { next } => Self::Nothing { next: next + bytes },
            Self::TooLong { next } => Self::TooLong { next: next + bytes },
            Self::Text { .. } | Self::Gathered { .. } | Self::Ping { .. } | Self::Close { .. } | Self::Bad(_) => self,
        }
    }
}

impl Head {
    /// The head at the start of `bytes`; `None` if it is not whole. What is wrong is found at the first byte that says
    /// so.
    ///
    /// # Errors
    /// The code of the close.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, u16> {
        let [first, rest @ ..] = bytes else { return Ok(None) };
        let (opcode, is_final) = (first & 0x0f, first & FINAL != 0);
        let is_known = matches!(
            opcode,
            opcode::CONTINUATION | opcode::TEXT | opcode::BINARY | opcode::CLOSE | opcode::PING | opcode::PONG
        );
        let is_control = opcode >= opcode::CLOSE;
        if first & RESERVED != 0 || !is_known || is_control && !is_final {
            return Err(code::PROTOCOL);
        }
        if opcode == opcode::BINARY {
            return Err(code::UNSUPPORTED);
        }
        let [second, rest @ ..] = rest else { return Ok(None) };
        let short = second & !MASKED;
        if second & MASKED == 0 || is_control && usize::from(short) > CONTROL_BYTES {
            return Err(code::PROTOCOL);
        }
        let (length, least, rest) = match (short, rest) {
            (126, [a, b, rest @ ..]) => (u64::from(u16::from_be_bytes([*a, *b])), 126, rest),
            (127, [a, b, c, d, e, f, g, h, rest @ ..]) => {
                (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), 0x1_0000, rest)
            }
            (126 | 127, _) => return Ok(None),
            (short, rest) => (u64::from(short), 0, rest),
        };
        if length < least || length >> 63 != 0 {
            return Err(code::PROTOCOL);
        }
        let [a, b, c, d, rest @ ..] = rest else { return Ok(None) };
        let payload = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(Some(Self { opcode, is_final, bytes: bytes.len() - rest.len(), payload, mask: [*a, *b, *c, *d] }))
    }

    fn is_control(&self) -> bool {
        self.opcode >= opcode::CLOSE
    }

    /// Unmasks the payload in place, if it is whole. Gives where it is.
    fn unmask(&self, bytes: &mut [u8]) -> Option<(usize, usize)> {
        let (start, end) = (self.bytes, self.bytes.checked_add(self.payload)?);
        for four in bytes.get_mut(start..end)?.chunks_mut(self.mask.len()) {
            for (byte, mask) in four.iter_mut().zip(self.mask) {
                *byte ^= mask;
            }
        }
        Some((start, end))
    }
}

/// A control frame.
fn control(head: &Head, bytes: &mut [u8]) -> Next {
    let Some((start, end)) = head.unmask(bytes) else { return Next::Partial { keep: 0 } };
    match head.opcode {
        opcode::PING => Next::Ping { start, end, next: end },
        opcode::CLOSE => match closing(bytes.get(start..end).unwrap_or_default()) {
            Ok(code) => Next::Close { code, next: end },
            Err(code) => Next::Bad(code),
        },
        _ => Next::Nothing { next: end },
    }
}

/// The code with which a client's close is answered.
///
/// # Errors
/// The close is wrong itself: the code to close with.
fn closing(payload: &[u8]) -> Result<u16, u16> {
    let (code, why) = match payload {
        [] => return Ok(code::NORMAL),
        [a, b, why @ ..] => (u16::from_be_bytes([*a, *b]), why),
        [_] => return Err(code::PROTOCOL),
    };
    match code {
        1000..=1003 | 1007..=1014 | 3000..=4999 if std::str::from_utf8(why).is_ok() => Ok(code),
        1000..=1003 | 1007..=1014 | 3000..=4999 => Err(code::NOT_TEXT),
        _ => Err(code::PROTOCOL),
    }
}

/// A text without one LF or CR LF at its end.
fn without_end(text: &[u8]) -> &[u8] {
    let Some(line) = text.strip_suffix(b"\n") else { return text };
    line.strip_suffix(b"\r").unwrap_or(line)
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

#[cfg(test)]
mod tests;
