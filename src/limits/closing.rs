//! Closing connections, shutting down, and internal errors.

/// How long a closing connection has in all to take its last line and stop sending, before it is reset. After the
/// client has ended the connection, the time runs from when it last took bytes.
pub const CLOSE_MS: u64 = 5_000;
/// How long output is kept for a client that has ended the connection (EX, end of stream) and takes no bytes: the user
/// may be paging through the output of `nc`.
pub const LEAVE_MS: u64 = 60_000;
/// How long a client that got its last line may keep its side open before it is reset. A client that waits for its user
/// at that point, as `nc` does, then ends with the server.
pub const LINGER_MS: u64 = 2_000;
/// How long a shutdown may take to tell every client: longer than [`CLOSE_MS`], and short enough that the accounts
/// and the log can finish within the promised 10 s.
pub const SHUTDOWN_MS: u64 = 6_000;
/// How long the end of the server waits for a password that is being hashed or a change on its way to disk.
pub const ACCOUNTS_CLOSE_MS: u64 = 2_000;
/// The delay, in seconds, after which a peer is told to retry while the server restarts.
pub const SHUTDOWN_RETRY_S: u32 = 2;
/// Internal errors (panics) in [`FAULTS_WINDOW_MS`] after which the process ends, so that a supervisor can restart it.
pub const FAULTS: usize = 10;
/// The window of [`FAULTS`].
pub const FAULTS_WINDOW_MS: u64 = 60_000;
