//! Datagrams and their sockets.

/// The longest datagram, in either direction: as long as a line.
pub const DATAGRAM_BYTES: usize = 4096;
/// A member may send a datagram every so many milliseconds in the long run …
pub const DATAGRAM_EVERY_MS: u64 = 20;
/// … and so many at once.
pub const DATAGRAM_BURST: u64 = 100;
/// Datagrams that one system call sends: more would save little, for each costs the kernel as much as ever.
pub const DATAGRAM_BATCH: usize = 64;
/// Datagrams that may wait at a socket for the kernel to take them, and their bytes (a text that many hear counts
/// once); more are dropped.
pub const DATAGRAM_QUEUE: usize = 16_384;
/// See [`DATAGRAM_QUEUE`]: 256 of the longest texts, far more than a turn lets through.
pub const DATAGRAM_QUEUE_BYTES: usize = 1024 * 1024;
/// How often a socket is asked again in a row whose answer was an error.
pub const DATAGRAM_ERRORS: usize = 16;
/// SO_RCVBUF of a datagram socket: for what comes while the loop is at something else.
pub const DATAGRAM_RECEIVE_BUFFER: usize = 4 * 1024 * 1024;
