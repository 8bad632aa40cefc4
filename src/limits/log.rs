//! The log.

/// Log lines that may wait for the writer; more are counted and dropped, for a slow disk must not stop the loop.
pub const LOG_LINES: usize = 4096;
/// Log lines that a peer can cause are counted in windows of so many milliseconds: a line a minute is little, and soon
/// enough for whoever reads it.
pub const LOG_WINDOW_MS: u64 = 60_000;
/// Windows at once, of a subject and an address (or network) each. Some 30 MB of log a day if all of them are always
/// full.
pub const LOG_WINDOWS: usize = 256;
/// How many of them single addresses of one network may have, for one subject: the others are counted together.
pub const LOG_OF_NETWORK: usize = 8;
/// Lines that a window lets through where each names an account: enough to see who was concerned.
pub const LOG_LINES_EACH: u32 = 8;
/// Lines that a window lets through at the level `debug`, which is asked for to see everything.
pub const LOG_LINES_EACH_DEBUG: u32 = 64;
