//! The heads of clients' frames.

use super::{CONTROL_BYTES, FINAL, code, opcode};

/// The bits that extensions use. None is spoken here.
const RESERVED: u8 = 0x70;
/// The bit of a masked frame.
const MASKED: u8 = 0x80;

/// The head of a client's frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) opcode: u8,
    pub(super) is_final: bool,
    /// Its own length.
    pub(super) bytes: usize,
    /// The length of the payload.
    pub(super) payload: usize,
    mask: [u8; 4],
}

impl Head {
    /// The head at the start of `bytes`; `None` if it is not whole. What is wrong is found at the first byte that says
    /// so.
    ///
    /// # Errors
    /// The code of the close.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, u16> {
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

    pub(super) fn is_control(&self) -> bool {
        self.opcode >= opcode::CLOSE
    }

    /// Unmasks the payload in place, if it is whole. Gives where it is.
    pub(super) fn unmask(&self, bytes: &mut [u8]) -> Option<(usize, usize)> {
        let (start, end) = (self.bytes, self.bytes.checked_add(self.payload)?);
        for four in bytes.get_mut(start..end)?.chunks_mut(self.mask.len()) {
            for (byte, mask) in four.iter_mut().zip(self.mask) {
                *byte ^= mask;
            }
        }
        Some((start, end))
    }
}
