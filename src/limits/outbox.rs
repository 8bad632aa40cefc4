//! Output queued for slow readers.

/// A connection that is taking bytes may have this many times `limits.owed_bytes` queued: many speakers at once produce
/// more than a slow line can take.
pub const OWED_TIMES_MOST: usize = 4;
/// A connection is taking bytes if it took some within this time. One that takes none slows nobody down, and is held to
/// `limits.owed_bytes`.
pub const TOOK_RECENTLY_MS: u64 = 1_000;
/// A connection lags if more than `limits.owed_soft_bytes / LAG_PART` is queued for it.
pub const LAG_PART: usize = 4;
/// A line waits while more than one in this many of its receivers lag and are taking bytes. One lagging receiver of
/// several does not make it wait. Speakers then slow down to the pace of their audience, instead of the audience being
/// closed as too slow.
pub const LAG_SHARE: usize = 16;
/// The shortest wait of such a line, so that its speaker is not checked every turn.
pub const THROTTLE_LEAST_MS: u64 = 5;
/// The longest wait of a short line: p99 latency is promised to stay under 50 ms. Nobody who types by hand notices
/// this.
pub const THROTTLE_MS: u64 = 40;
/// A long line waits for its length at this rate, half of the default rate. Hundreds of speakers then stay below 20
/// Mbit/s in sum.
pub const THROTTLE_BYTES_PER_S: u64 = 8192;
/// A page of shared frames is closed at this size if a slow reader still refers to it.
pub const PAGE_BYTES: usize = 64 * 1024;
/// Closed pages are searched for those with little unread data when they exceed `limits.owed_total_bytes / PACK_PART`,
/// and again each time they have doubled.
pub const PACK_PART: u64 = 16;
/// When the total exceeds `limits.owed_total_bytes`, connections are closed until it is below that by
/// `limits.owed_total_bytes / DEBT_RELIEF_PART`, so that ranking all connections pays off.
pub const DEBT_RELIEF_PART: u64 = 16;
