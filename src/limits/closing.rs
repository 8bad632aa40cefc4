//! Ends: of a connection, of the server, and by its own faults.

/// How long a closing connection may take in all, to hear its last line and to stop talking, before it is reset. One
/// that has left by itself has this long since it last took bytes.
pub const FAREWELL_MS: u64 = 5_000;
/// How long a client that has left by itself (EX, end of stream) and takes no bytes is still owed some, for somebody
/// may be paging through the output of `nc`.
pub const LEAVE_MS: u64 = 60_000;
/// How long a client that has been told its last line may keep its own side open before it is reset. Clients that
/// wait for their user at that point (`nc` does) then end with the server.
pub const LINGER_MS: u64 = 2_000;
/// How long a shutdown may take to tell everybody: longer than a farewell, and so short that with what follows (the
/// accounts, the last lines of the log) it stays under the promised 10 s.
pub const SHUTDOWN_MS: u64 = 6_000;
/// How long the end of the server waits for a password that is being hashed, or a change that is on its way to disk.
pub const ACCOUNTS_CLOSE_MS: u64 = 2_000;
/// What a peer is told to wait before it tries a server again that is being restarted, in seconds.
pub const SHUTDOWN_RETRY_S: u32 = 2;
/// So many faults of the server's own (panics) …
pub const FAULTS: usize = 10;
/// … in this time are no accident: the process ends, for a sound one to be started.
pub const FAULTS_WINDOW_MS: u64 = 60_000;
