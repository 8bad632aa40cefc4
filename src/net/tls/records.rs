//! Records: how they lie in received bytes, and what goes into one.

use crate::engine::Frames;
use crate::limits::TLS_RECORD_BYTES;

/// The most plaintext of one record (RFC 8446, 5.1).
pub(super) const RECORD_PLAIN_BYTES: usize = 16 * 1024;
/// Room for one record and for a short one before it, such as the answer to a key update.
pub(super) const CIPHER_BYTES: usize = TLS_RECORD_BYTES + 1024;
/// The header of a record: its type, its version, the length of the rest.
pub(super) const HEADER_BYTES: usize = 5;
/// The type of a record of the handshake, with which TLS begins.
pub(super) const HANDSHAKE: u8 = 0x16;

/// The whole records in received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) whole: usize,
    /// Where the last of them ends.
    pub(super) end: usize,
    /// The next one says that it is longer than records may be.
    pub(super) is_next_oversized: bool,
}

/// Counts the whole records from `start` on.
pub(super) fn count_records(bytes: &[u8], start: usize) -> Records {
    let mut records = Records { whole: 0, end: start, is_next_oversized: false };
    while let Some(size) = record_bytes(bytes.get(records.end..).unwrap_or_default()) {
        records.is_next_oversized = size > TLS_RECORD_BYTES;
        if records.is_next_oversized || records.end + size > bytes.len() {
            break;
        }
        records.whole += 1;
        records.end += size;
    }
    records
}

/// The size of the record that begins here, with its header; `None` if the header is not whole.
pub(super) fn record_bytes(bytes: &[u8]) -> Option<usize> {
    let length = bytes.first_chunk::<HEADER_BYTES>()?.last_chunk::<2>()?;
    Some(HEADER_BYTES + usize::from(u16::from_be_bytes(*length)))
}

/// The first bytes of `frames`, as many as fit one record.
pub(super) fn gather<'a>(frames: &'a Frames<'_>, plain: &'a mut [u8]) -> &'a [u8] {
    match frames {
        Frames::One(bytes) => bytes.get(..bytes.len().min(RECORD_PLAIN_BYTES)).unwrap_or_default(),
        Frames::Many(slices) => {
            let mut count = 0;
            for slice in slices {
                let left = plain.get_mut(count..).unwrap_or_default();
                let size = slice.len().min(left.len());
                let (Some(to), Some(from)) = (left.get_mut(..size), slice.get(..size)) else { break };
                to.copy_from_slice(from);
                count += size;
            }
            plain.get(..count).unwrap_or_default()
        }
    }
}
