//! Login: lines before login, passwords, resume tokens.

/// Lines before login; those answered 450 do not count. A person needs three.
pub const LOGIN_LINES: u8 = 32;
/// Output queued for a connection before login, which receives a few dozen short lines at most.
pub const LOGIN_OWED_BYTES: usize = 4 * 1024;
/// The longest password. Argon2 would accept more, but it must fit a line before login.
pub const PASSWORD_MAX_BYTES: usize = 128;
/// The longest resume token, in printable ASCII, so that `name token` fits a line before login.
pub const TOKEN_MAX_BYTES: usize = 470;
/// Lifetime of a resume token, in seconds: a day, so that a laptop may sleep.
pub const TOKEN_LIFE_S: u64 = 24 * 60 * 60;
/// The delay, in seconds, after which a client is told to retry when the password queue is full.
pub const BUSY_RETRY_S: u32 = 2;
/// How long a connection is not read after a 450 before login. Such lines count towards no limit, so a client that
/// repeats them without a delay would keep the loop busy.
pub const BUSY_HOLD_MS: u64 = 1_000;
