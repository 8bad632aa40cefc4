//! The frames of the room door: a header of 32 bytes, a room's name, a payload.
//!
//! | bytes | field |
//! | --- | --- |
//! | 0 | size of the room's name |
//! | 1 | operation |
//! | 2 | state |
//! | 3–31 | size of the payload, big-endian |

use super::Operation;
use crate::limits::ROOM_REQUEST_BYTES;

/// The size of a header.
pub(super) const HEADER_BYTES: usize = 32;
/// How many bytes of a header hold the size of the payload.
const SIZE_BYTES: usize = 29;

/// Where in an exchange a frame stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Request = 0,
    Response = 1,
    Complete = 2,
}

/// A request's header, as it came.
pub(super) struct Header<'a> {
    room_bytes: u8,
    pub(super) operation: u8,
    state: u8,
    payload_bytes: &'a [u8; SIZE_BYTES],
}

/// A request, borrowed from the bytes that were read.
pub(super) struct Frame<'a> {
    pub(super) operation: Operation,
    pub(super) room: &'a [u8],
    pub(super) payload: &'a [u8],
}

impl<'a> Header<'a> {
    /// The header at the start of `bytes` and what lies behind it; `None` if it is not all there.
    pub(super) fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let ([room_bytes, operation, state], rest) = bytes.split_first_chunk()?;
        let (payload_bytes, body) = rest.split_first_chunk()?;
        Some((Self { room_bytes: *room_bytes, operation: *operation, state: *state, payload_bytes }, body))
    }

    /// The size of the whole request in bytes; `None` if it is refused for its header alone, which is when it is none
    /// of this door's or too large.
    pub(super) fn end(&self) -> Option<usize> {
        let is_request = self.known_operation().is_some() && self.state == State::Request as u8;
        let end = HEADER_BYTES + usize::from(self.room_bytes) + self.payload_size()?;
        (is_request && end <= ROOM_REQUEST_BYTES).then_some(end)
    }

    /// The request whose header this is, out of what lies behind it; `None` if it is refused, or not all there.
    pub(super) fn frame(&self, body: &'a [u8]) -> Option<Frame<'a>> {
        let body = body.get(..self.end()? - HEADER_BYTES)?;
        let (room, payload) = body.split_at_checked(usize::from(self.room_bytes))?;
        Some(Frame { operation: self.known_operation()?, room, payload })
    }

    fn known_operation(&self) -> Option<Operation> {
        match self.operation {
            1 => Some(Operation::Make),
            2 => Some(Operation::Join),
            _ => None,
        }
    }

    /// `None` for a size that no request has: a number of 29 bytes may be larger than any that can be computed with.
    fn payload_size(&self) -> Option<usize> {
        let (high, low) = self.payload_bytes.split_last_chunk::<2>()?;
        high.iter().all(|&byte| byte == 0).then(|| usize::from(u16::from_be_bytes(*low)))
    }
}

/// Appends a frame of the server's to `out`.
pub(super) fn encode(operation: u8, state: State, room: &str, payload: &[u8], out: &mut Vec<u8>) {
    // A room's name came in a field of one byte, and no answer has more than a few dozen.
    let size = (payload.len() as u64).to_be_bytes();
    out.extend([room.len() as u8, operation, state as u8]);
    out.resize(out.len() + SIZE_BYTES - size.len(), 0);
    out.extend(size);
    out.extend(room.as_bytes());
    out.extend(payload);
}
