//! The relay door.

/// The longest message, without its end. The programs that this door is for read 1,024 bytes at a time, with a NUL.
pub const RELAY_MESSAGE_BYTES: usize = 1023;
/// Milliseconds between two strings to a client that ends messages with NUL. It drops what one read gives it after the
/// first NUL, so it must have read the one before; what comes meanwhile is one string.
pub const RELAY_REST_MS: u64 = 20;
/// Connections of the relay door are at most this fraction of all: they have no accounts, and each is in a room.
pub const RELAY_SHARE: usize = 4;
