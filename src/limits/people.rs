//! People: profiles, presence, who hears whom.

/// The longest display name of a profile, in bytes.
pub const PROFILE_NAME_BYTES: usize = 64;
/// The longest status of a profile, in bytes.
pub const PROFILE_STATUS_BYTES: usize = 128;
/// The longest pronouns of a profile, in bytes.
pub const PROFILE_PRONOUNS_BYTES: usize = 32;
/// The longest time zone of a profile, in bytes.
pub const PROFILE_ZONE_BYTES: usize = 48;
/// The longest address of a page in a profile, in bytes.
pub const PROFILE_URL_BYTES: usize = 256;
/// The longest `about` of a profile, in bytes.
pub const PROFILE_ABOUT_BYTES: usize = 512;
/// The longest text of AWAY, in bytes.
pub const AWAY_BYTES: usize = 200;
/// Names that one session watches.
pub const WATCHES_EACH: usize = 100;
/// Watches of all sessions together, at some 100 bytes each.
pub const WATCHES: usize = 200_000;
/// Milliseconds after which an account whose last connection was cut counts as offline for those who watch it.
pub const CUT_MS: u64 = 10_000;
/// Accounts that one account ignores.
pub const IGNORES_EACH: usize = 100;
/// Accounts ignored by all accounts together, at some 150 bytes each.
pub const IGNORES: usize = 200_000;
/// Messages that an account may forget one by one in a minute.
pub const FORGETS_A_MINUTE: u32 = 6;
/// How often an account may forget all its messages, in milliseconds.
pub const FORGET_ALL_EVERY_MS: u64 = 60 * 60 * 1_000;
/// Milliseconds in which the store must have forgotten; otherwise the client gets a 450.
pub const FORGET_WAIT_MS: u64 = 60_000;
