//! Parts of the server that are degraded.

/// A part is degraded until it has been healthy for this long, so that a part on the edge is not reported every second.
pub const DEGRADED_ENDS_MS: u64 = 10_000;
/// How often at most people are told that a part is degraded, or that it works again.
pub const DEGRADED_NOTICE_MS: u64 = 60_000;
/// How often the server looks at its own state while it is in use.
pub const CHECKUP_MS: u64 = 1_000;
/// A second in which a turn takes longer than this is a slow one, in microseconds: p99 latency is promised to stay
/// under 50 ms.
pub const SLOW_TURN_US: u64 = 50_000;
/// Slow seconds in a row that make an overloaded server. One long turn is an accident.
pub const SLOW_SECONDS: u64 = 10;
/// Lines that a list shows at most on an overloaded server, or on one that runs out of memory.
pub const DEGRADED_LIST_LINES: u32 = 20;
/// While memory is short, this stands for `limits.owed_soft_s` for those who hold most of it.
pub const DEGRADED_SOFT_MS: u64 = 1_000;
