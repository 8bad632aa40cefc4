//! The buffers that all connections share. A connection keeps only a begun record, and what its socket did not take.

use super::records::{CIPHER_BYTES, RECORD_PLAIN_BYTES};
use crate::limits::{READ_BYTES, TLS_RECORD_BYTES};

/// Memory that belongs to one connection for the length of one call.
#[derive(Debug)]
pub(crate) struct Buffers {
    /// What a socket gave; records are decrypted in place.
    pub(super) input: Box<[u8]>,
    /// The plaintext of the record to send, gathered from several slices.
    pub(super) plain: Box<[u8]>,
    /// The record to send.
    pub(super) cipher: Box<[u8]>,
}

impl Default for Buffers {
    fn default() -> Self {
        let buffer = |size: usize| vec![0; size].into_boxed_slice();
        Self {
            input: buffer(READ_BYTES.max(TLS_RECORD_BYTES)),
            plain: buffer(RECORD_PLAIN_BYTES),
            cipher: buffer(CIPHER_BYTES),
        }
    }
}
