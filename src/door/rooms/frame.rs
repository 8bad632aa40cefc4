//! Frames of the room door: a header of 32 bytes, a room's name and a payload.
//!
//! | bytes | field |
//! | --- | --- |
//! | 0 | size of the room's name |
//! | 1 | operation |
//! | 2 | state |
//! | 3–31 | size of the payload, big-endian |

use super::request::Operation;
use crate::limits::ROOM_REQUEST_BYTES;

/// The size of a header in bytes.
pub(super) const HEADER_BYTES: usize = 32;
/// The number of header bytes that hold the size of the payload.
const SIZE_BYTES: usize = 29;

/// The state of the exchange that a frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Request = 0,
    Response = 1,
    Complete = 2,
}

/// The header of a request, not validated.
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
    /// Splits `bytes` into the header and the rest; `None` if the header is not complete.
    pub(super) fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let ([room_bytes, operation, state], rest) = bytes.split_first_chunk()?;
        let (payload_bytes, body) = rest.split_first_chunk()?;
        Some((Self { room_bytes: *room_bytes, operation: *operation, state: *state, payload_bytes }, body))
    }

    /// The size of the whole request in bytes; `None` if it is refused for its header: it is no request, or too large.
    pub(super) fn end(&self) -> Option<usize> {
        let is_request = self.known_operation().is_some() && self.state == State::Request as u8;
        let end = HEADER_BYTES + usize::from(self.room_bytes) + self.payload_size()?;
        (is_request && end <= ROOM_REQUEST_BYTES).then_some(end)
    }

    /// The request of this header and the bytes after it; `None` if it is refused or not complete.
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

    /// The size of the payload in bytes; `None` if it does not fit into two bytes, which exceeds the bound of a request.
    fn payload_size(&self) -> Option<usize> {
        let (high, low) = self.payload_bytes.split_last_chunk::<2>()?;
        high.iter().all(|&byte| byte == 0).then(|| usize::from(u16::from_be_bytes(*low)))
    }
}

/// Appends a frame of the server to `out`.
pub(super) fn encode(operation: u8, state: State, room: &str, payload: &[u8], out: &mut Vec<u8>) {
    // The size of the room's name fits: the name came in a request, with a size of one byte.
    let size = (payload.len() as u64).to_be_bytes();
    out.extend([room.len() as u8, operation, state as u8]);
    out.resize(out.len() + SIZE_BYTES - size.len(), 0);
    out.extend(size);
    out.extend(room.as_bytes());
    out.extend(payload);
}
