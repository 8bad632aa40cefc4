//! Output that is queued for slow readers.

/// A connection that takes bytes may owe so many times `limits.owed_bytes`: what many speakers say in one moment is
/// more than a slow line takes in it.
pub const OWED_TIMES_MOST: usize = 4;
/// A connection takes bytes if it took some within this time. One that takes none slows nobody, and is held to
/// `limits.owed_bytes`.
pub const TOOK_RECENTLY_MS: u64 = 1_000;
/// A connection lags that owes more than this part of `limits.owed_soft_bytes`.
pub const LAG_PART: usize = 4;
/// While one in so many of those a line is for, and more than one, lags and still takes bytes, the line waits: speakers
/// then go as fast as their audience, instead of the audience being closed for listening too slowly.
pub const CROWD_SHARE: usize = 16;
/// Such a line waits at least this long, so that its speaker is not looked at in each turn …
pub const THROTTLE_LEAST_MS: u64 = 5;
/// … and at most this long if it is short: p99 is promised to stay under 50 ms. Nobody who types by hand notices …
pub const THROTTLE_MS: u64 = 40;
/// … and if it is long, as long as it takes at so many bytes a second: half of the default rate, so that hundreds
/// of speakers together are no faster than one line of 20 Mbit/s.
pub const THROTTLE_BYTES_PER_S: u64 = 8192;
/// A page of shared frames that some slow reader still refers to is left to it at this size.
pub const PAGE_BYTES: usize = 64 * 1024;
/// Closed pages are searched for those of which little is still owed when they take more than this part of
/// `limits.owed_total_bytes`, and again whenever they have doubled.
pub const PACK_PART: u64 = 16;
/// When all together owe more than `limits.owed_total_bytes`, connections are closed until they owe less by this part,
/// so that ranking them all is worth its time.
pub const DEBT_RELIEF_PART: u64 = 16;
