//! The frames of a client: messages, pings, and what breaks the protocol.

use zeroize::Zeroizing;

use super::{Head, code, opcode};
use crate::limits::DISCARD_BYTES;

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
