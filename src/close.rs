//! Every way in which the server ends a connection: one word for the peer, the log and the counters.

use std::fmt;

/// Why the server closes a connection. The text (its `Display`) is what stands behind `C 421`, in the log and
/// in the counters. A client that leaves by itself (EX, end of input, reset) has no `CloseReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Not logged in within `login.deadline_s` of connecting.
    LoginTooLong,
    /// Too many wrong passwords, refused tokens or lines before login; or a penalised address.
    TooManyFailures,
    /// Owes more than `limits.owed_bytes`, or more than `limits.owed_soft_bytes` for `limits.owed_soft_s`; or the most
    /// of all, while all owe more than `limits.owed_total_bytes`.
    TooSlow,
    /// A line went on past its bound in bytes or in time.
    LineNeverEnded,
    /// `limits::BAD_LINES` lines were answered 500 or 501.
    TooManyBadLines,
    /// The first line was plainly another protocol.
    NotAChatClient,
    /// The connection began with a PROXY header, which nothing here expects.
    ProxyHeader,
    /// `limits.connections` are open, the process is out of descriptors, or silent connections are being shed.
    ServerFull,
    /// `limits.per_address` or `limits.new_per_address` is reached.
    TooManyFromAddress,
    /// `accounts.sessions_per_account` sessions are open already; the number is told.
    LoggedInAlready(u32),
    /// The account's password was changed by another of its sessions.
    PasswordChanged,
    /// Another login by password took the place of the account's oldest session, which this was.
    Replaced,
    /// The server is going down; the peer may try again after this many seconds.
    ShuttingDown(u32),
    /// A fault of the server's own.
    Internal,
}

/// How many kinds of reason there are: the length of a table indexed by [`CloseReason::index`].
pub const KINDS: usize = 14;

impl CloseReason {
    /// The reason's place in a table of counters, below [`KINDS`].
    pub fn index(self) -> usize {
        match self {
            Self::LoginTooLong => 0,
            Self::TooManyFailures => 1,
            Self::TooSlow => 2,
            Self::LineNeverEnded => 3,
            Self::TooManyBadLines => 4,
            Self::NotAChatClient => 5,
            Self::ServerFull => 6,
            Self::TooManyFromAddress => 7,
            Self::LoggedInAlready(_) => 8,
            Self::ShuttingDown(_) => 9,
            Self::Internal => 10,
            Self::ProxyHeader => 11,
            Self::PasswordChanged => 12,
            Self::Replaced => 13,
        }
    }

    /// The word of its counter; the text of those that tell no number.
    pub fn name(self) -> &'static str {
        NAMES.get(self.index()).copied().unwrap_or_default()
    }

    /// Whether what is still queued for the peer is dropped (all but a frame already begun) before `421` is said.
    /// True only where the queue itself is the trouble.
    pub fn drops_queue(self) -> bool {
        self == Self::TooSlow
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoggedInAlready(sessions) => write!(f, "logged in {sessions} times already"),
            Self::ShuttingDown(seconds) => write!(f, "shutting down, retry in {seconds} s"),
            Self::LoginTooLong
            | Self::TooManyFailures
            | Self::TooSlow
            | Self::LineNeverEnded
            | Self::TooManyBadLines
            | Self::NotAChatClient
            | Self::ProxyHeader
            | Self::ServerFull
            | Self::TooManyFromAddress
            | Self::PasswordChanged
            | Self::Replaced
            | Self::Internal => f.write_str(self.name()),
        }
    }
}

/// The reasons' words, in the order of [`CloseReason::index`]: the counters' names, and the text of all those that tell
/// no number.
pub const NAMES: [&str; KINDS] = [
    "login took too long",
    "too many failures",
    "too slow",
    "line never ended",
    "too many bad lines",
    "not a chat client",
    "server full",
    "too many from your address",
    "logged in N times already",
    "shutting down",
    "internal error",
    "not a chat client: a PROXY header",
    "password was changed",
    "another login took this place",
];
