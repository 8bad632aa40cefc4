//! The relay door.

/// The longest message, without its end. The programs that this door is for read 1,024 bytes at a time, with a NUL.
pub const RELAY_MESSAGE_BYTES: usize = 1023;
/// Milliseconds between two strings to a client that ends messages with NUL. It drops the part of a read after the first
/// NUL, so it needs time to read the string before. Messages that come meanwhile are one string.
pub const RELAY_REST_MS: u64 = 20;
/// Connections of the relay door are at most this fraction of all: they have no accounts, and each is in a room.
pub const RELAY_SHARE: usize = 4;
