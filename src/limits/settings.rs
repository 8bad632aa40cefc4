//! The operator's settings: the tables of `config.toml`, with their defaults.

use serde::{Deserialize, Serialize};

use super::LINE_BYTES;
use crate::network::Network;

/// `[limits]`: connections, lines, queued output, rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Apply the per-address rules to loopback too. Tests do.
    pub include_loopback: bool,
    /// Connections at once. Each costs about 1 KiB here and up to 200 KiB in the kernel.
    pub connections: u32,
    /// Connections of one address at once. The default suits a household behind one address.
    pub per_address: u32,
    /// New connections of one address in [`NEW_WINDOW_S`](super::NEW_WINDOW_S).
    pub new_per_address: u32,
    /// From this many connections that have never sent a line, new ones are dropped at random.
    pub silent: u32,
    /// From this many connections that have never sent a line, all new ones are dropped.
    pub silent_most: u32,
    /// The longest line of a client, in bytes, with its CR and LF.
    pub line_bytes: u32,
    /// Seconds in which a line that has begun must end.
    pub line_s: u32,
    /// Bytes queued for one connection at most. A client this far behind is not reading.
    pub owed_bytes: u32,
    /// Bytes that may stay queued for one connection for [`owed_soft_s`](Self::owed_soft_s).
    pub owed_soft_bytes: u32,
    /// Seconds for which more than [`owed_soft_bytes`](Self::owed_soft_bytes) may be queued.
    pub owed_soft_s: u32,
    /// Bytes queued for all connections together. Shared pages count once.
    pub owed_total_bytes: u64,
    /// SO_SNDBUF of a connection, in bytes; 0 leaves it to the kernel, which takes megabytes for a stalled client.
    pub send_buffer_bytes: u32,
    /// Lines per second that a user may send in the long run; 0 means no limit.
    pub rate_lines_per_s: u32,
    /// Lines that a user may send at once.
    pub rate_burst: u32,
    /// Bytes per second that a user may send, with one second's worth at once; 0 means no limit.
    pub rate_bytes_per_s: u32,
    /// Lines that a list shows at most.
    pub list_lines: u32,
    /// The proxies that may name the addresses of their clients.
    pub proxies: Vec<Network>,
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
            proxies: Vec::new(),
        }
    }
}

/// `[login]`: deadline and failures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// Seconds from connecting to being logged in.
    pub deadline_s: u32,
    /// Wrong passwords and refused tokens after which a connection is closed.
    pub failures: u32,
    /// Milliseconds from a wrong password to its answer, so that guessing is slow.
    pub failure_delay_ms: u32,
    /// Whether failures also count against the peer's address.
    pub penalties: bool,
}

impl Default for Login {
    fn default() -> Self {
        Self { deadline_s: 60, failures: 3, failure_delay_ms: 2000, penalties: true }
    }
}

/// Who may register an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Anybody who picks a free name and a password.
    Open,
    /// Nobody. An unknown name is treated like a wrong password.
    Closed,
}

/// `[accounts] argon2`: the cost of one password check.
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

/// `[accounts]` without the file's path: who may have an account, and the cost of passwords.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Accounts {
    /// Who may register an account.
    pub registration: Registration,
    /// The number of accounts up to which users may register; the operator may add more. Each takes 130 bytes of the
    /// file and 300 bytes of memory.
    pub most: u32,
    /// The shortest password that may be chosen, in bytes.
    pub password_min_bytes: u32,
    /// Sessions that one account may have at once.
    pub sessions_per_account: u32,
    /// The cost of one password check.
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

/// `[web]`: who may use the web door under which name, and how its idle connections are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Web {
    /// Names of this server, besides `localhost`, addresses, and the names of a listener's certificate.
    pub names: Vec<String>,
    /// Seconds without a write after which a WebSocket gets a ping, so that no proxy takes it for dead; 0 for none.
    pub ping_s: u32,
}

impl Default for Web {
    /// Nginx ends what is silent for 60 s.
    fn default() -> Self {
        Self { names: Vec::new(), ping_s: 45 }
    }
}

/// `[rooms]`: how many, how large, and how long members may be silent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rooms {
    /// Rooms that a session may be in at once.
    pub per_session: u32,
    /// Members that a room may have.
    pub members: u32,
    /// Seconds after which a silent guest of the room door is removed.
    pub guest_idle_s: u32,
    /// Seconds after which a member who sends no datagrams receives messages by TCP again.
    pub datagram_idle_s: u32,
}

impl Default for Rooms {
    fn default() -> Self {
        Self { per_session: 32, members: 10_000, guest_idle_s: 300, datagram_idle_s: 60 }
    }
}
