//! The settings of the operator: the tables of `config.toml` and their defaults.

use serde::{Deserialize, Serialize};

use super::LINE_BYTES;

/// `[limits]`: connections, lines, what may be owed, rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Apply the per-address rules to loopback too (tests do).
    pub include_loopback: bool,
    /// Connections at once. Each costs about 1 KiB here and up to 200 KiB in the kernel.
    pub connections: u32,
    /// Connections of one address at once: a household behind one address.
    pub per_address: u32,
    /// New connections of one address in [`NEW_WINDOW_S`](super::NEW_WINDOW_S).
    pub new_per_address: u32,
    /// Connections that never sent a line: from here on new ones are dropped at random …
    pub silent: u32,
    /// … and from here on all of them.
    pub silent_most: u32,
    /// A line of a client, with its CR and LF.
    pub line_bytes: u32,
    /// Seconds in which a begun line must end.
    pub line_s: u32,
    /// What a connection may owe at most: a reader this far behind is not reading.
    pub owed_bytes: u32,
    /// What a connection may owe for long …
    pub owed_soft_bytes: u32,
    /// … which is this many seconds.
    pub owed_soft_s: u32,
    /// What all connections may owe together; pages that they share count once.
    pub owed_total_bytes: u64,
    /// SO_SNDBUF of a connection; 0 leaves it to the kernel, which takes megabytes for a stalled client.
    pub send_buffer_bytes: u32,
    /// Lines a second that a user may send in the long run; 0 lifts the rule.
    pub rate_lines_per_s: u32,
    /// Lines that a user may send at once.
    pub rate_burst: u32,
    /// Bytes a second that a user may send, one second's worth at once; 0 lifts the rule.
    pub rate_bytes_per_s: u32,
    /// Lines that a list shows at most.
    pub list_lines: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            include_loopback: false,
            connections: 10_000,
            per_address: 16,
            new_per_address: 32,
            silent: 256,
            silent_most: 1024,
            line_bytes: LINE_BYTES,
            line_s: 30,
            owed_bytes: 256 * 1024,
            owed_soft_bytes: 64 * 1024,
            owed_soft_s: 10,
            owed_total_bytes: 256 * 1024 * 1024,
            send_buffer_bytes: 64 * 1024,
            rate_lines_per_s: 10,
            rate_burst: 40,
            rate_bytes_per_s: 16 * 1024,
            list_lines: 200,
        }
    }
}

/// `[login]`: how long and how often somebody may try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// Seconds from connecting to being logged in.
    pub deadline_s: u32,
    /// Wrong passwords (and refused tokens) that close a connection.
    pub failures: u32,
    /// A wrong password is answered this many milliseconds after it was sent, so that guessing is slow.
    pub failure_delay_ms: u32,
    /// Whether failures also count against the peer's address.
    pub penalties: bool,
}

impl Default for Login {
    fn default() -> Self {
        Self { deadline_s: 60, failures: 3, failure_delay_ms: 2000, penalties: true }
    }
}

/// Who may make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Anybody who picks a free name and a password.
    Open,
    /// Nobody; an unknown name is treated as a wrong password is.
    Closed,
}

/// `[accounts] argon2`: what one password check costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Argon2Cost {
    /// Memory in KiB, at least 8 a lane.
    pub memory_kib: u32,
    /// Passes over the memory, at least 1.
    pub iterations: u32,
    /// Lanes, at least 1.
    pub parallelism: u32,
}

impl Default for Argon2Cost {
    /// OWASP's recommendation for Argon2id.
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}

/// `[accounts]`, without the file's place: who may have one, and what a password costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Accounts {
    /// Who may make an account.
    pub registration: Registration,
    /// How many accounts there may be; the operator may add more. Each takes some 130 bytes of the file and 300 of memory.
    pub most: u32,
    /// The shortest password that may be chosen.
    pub password_min_bytes: u32,
    /// How often one account may be logged in at once.
    pub sessions_per_account: u32,
    /// What one password check costs.
    pub argon2: Argon2Cost,
    /// Passwords that may wait to be checked.
    pub queue: u32,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            registration: Registration::Open,
            most: 100_000,
            password_min_bytes: 8,
            sessions_per_account: 4,
            argon2: Argon2Cost::default(),
            queue: 64,
        }
    }
}

/// `[rooms]`: how many, how large, and how long silence may last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rooms {
    /// Rooms that a session may be in at once.
    pub per_session: u32,
    /// Members that a room may have.
    pub members: u32,
    /// Seconds after which a silent guest of the room door is let go.
    pub guest_idle_s: u32,
    /// Seconds after which a member who sends no datagrams gets its messages by TCP again.
    pub datagram_idle_s: u32,
}

impl Default for Rooms {
    fn default() -> Self {
        Self { per_session: 32, members: 10_000, guest_idle_s: 300, datagram_idle_s: 60 }
    }
}
