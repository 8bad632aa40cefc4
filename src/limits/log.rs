//! The log.

/// Log lines queued for the writer; more are counted and dropped. A slow disk must not stop the loop.
pub const LOG_LINES: usize = 4096;
/// The window in which log lines that a peer can cause are limited: one line a minute is soon enough for a reader.
pub const LOG_WINDOW_MS: u64 = 60_000;
/// Windows at once, one for each subject and address (or network). If all of them are always full, that is 30 MB of log
/// a day.
pub const LOG_WINDOWS: usize = 256;
/// Windows of single addresses that one network may have for one subject. Further addresses are counted together.
pub const LOG_OF_NETWORK: usize = 8;
/// Lines in a window for subjects that name an account: enough to see who was affected.
pub const LOG_LINES_EACH: u32 = 8;
/// Lines in a window at level `debug`, which is meant to show everything.
pub const LOG_LINES_EACH_DEBUG: u32 = 64;
