//! TLS: versions, handshakes, records, certificates.

use serde::{Deserialize, Serialize};

/// `tls.min_version`: the oldest version of TLS that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[default]
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    Tls13,
}

/// The longest record, with its header (RFC 8446, 5.2: 16 KiB of plaintext and 256 bytes). At most one begun record is
/// held for a connection.
pub const TLS_RECORD_BYTES: usize = 5 + 16 * 1024 + 256;
/// Bytes that a client may send before its handshake is done. A browser needs 2 KiB.
pub const TLS_HANDSHAKE_BYTES: usize = 16 * 1024;
/// Records in a row without plaintext, such as key updates, after which a connection is closed. Each makes the server
/// compute new keys. Clients send one in millions of records.
pub const TLS_BLANK_RECORDS: usize = 16;
/// The work of a record with plaintext: 0.5 µs. A read of 4 KiB may hold 180 of them, of one byte each.
pub const TLS_RECORD_WORK: usize = 25;
/// The work of a record without plaintext: new keys for a direction.
pub const TLS_BLANK_WORK: usize = 250;
/// The work of a step of a handshake that agrees on keys and signs: 80 µs.
pub const TLS_SIGN_WORK: usize = 4_000;
/// The same with an RSA key.
pub const TLS_RSA_WORK: usize = 12_000;
/// The work of another step of a handshake.
pub const TLS_STEP_WORK: usize = 500;
/// The largest file of certificates or of a key.
pub const TLS_FILE_BYTES: u64 = 1024 * 1024;
/// From so many seconds before its end on, a certificate is warned of every day: 14 days.
pub const TLS_EXPIRY_WARN_S: u64 = 14 * 24 * 60 * 60;
/// … every so often.
pub const TLS_EXPIRY_AGAIN_MS: u64 = 24 * 60 * 60 * 1000;
