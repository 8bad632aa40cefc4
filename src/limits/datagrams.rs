//! Datagrams and their sockets.

/// The longest datagram in either direction: as long as a line.
pub const DATAGRAM_BYTES: usize = 4096;
/// Milliseconds per datagram that a member may send in the long run.
pub const DATAGRAM_EVERY_MS: u64 = 20;
/// Datagrams that a member may send at once.
pub const DATAGRAM_BURST: u32 = 100;
/// Datagrams sent with one system call. More would save little, since the kernel's cost per datagram stays.
pub const DATAGRAM_BATCH: usize = 64;
/// Datagrams queued for a socket that the kernel does not take; more are dropped.
pub const DATAGRAM_QUEUE: usize = 16_384;
/// Bytes of text in [`DATAGRAM_QUEUE`], where a text for many members counts once: 256 of the longest texts, far more
/// than one turn produces.
pub const DATAGRAM_QUEUE_BYTES: usize = 1024 * 1024;
/// Errors in a row that are read from one socket. After that it is left until the poll reports it again.
pub const DATAGRAM_ERRORS: usize = 16;
/// SO_RCVBUF of a datagram socket, for datagrams that arrive while the loop is busy.
pub const DATAGRAM_RECEIVE_BUFFER: usize = 4 * 1024 * 1024;
