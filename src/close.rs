//! The reasons for which the server closes a connection: one text for the peer, the log and the counters.

use std::fmt;
use std::sync::Arc;

/// Why the server closes a connection. Its `Display` is the text after `C 421`, in the log and in the counters. A
/// connection that the client ends (EX, end of input, reset) has no `CloseReason`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The client did not log in within `login.deadline_s` of connecting.
    LoginTooLong,
    /// Too many wrong passwords, refused tokens or lines before login, or the address has a penalty.
    TooManyFailures,
    /// Queued output exceeds `limits.owed_bytes`, or has exceeded `limits.owed_soft_bytes` for `limits.owed_soft_s`; or
    /// it is the largest of all while the total exceeds `limits.owed_total_bytes`.
    TooSlow,
    /// A line exceeded its bound in bytes or in time.
    LineNeverEnded,
    /// [`limits::BAD_LINES`](crate::limits::BAD_LINES) lines were answered 500 or 501.
    TooManyBadLines,
    /// The first line belongs to another protocol.
    NotAChatClient,
    /// The connection began with a PROXY header, and the listener does not expect one.
    ProxyHeader,
    /// The listener expects a PROXY header, and the connection did not begin with one from a known proxy.
    NoProxyHeader,
    /// The listener expects TLS, and the connection did not begin with it.
    NotTls,
    /// A client of the web door has broken the WebSocket protocol.
    BadWebSocketFrame,
    /// The TLS handshake failed, or was too long in bytes or in time.
    TlsFailed,
    /// `limits.connections` are open, the process has no descriptors left, or silent connections are being shed.
    ServerFull,
    /// `limits.per_address` or `limits.new_per_address` is reached.
    TooManyFromAddress,
    /// The account has this many sessions already, `accounts.sessions_per_account`.
    LoggedInAlready(u32),
    /// Another session of the account changed its password.
    PasswordChanged,
    /// This was the oldest session of the account when another login by password needed its place.
    Replaced,
    /// The server is shutting down. The peer may retry after this many seconds.
    ShuttingDown(u32),
    /// An internal error of the server.
    Internal,
    /// An operator ended the connection.
    PutOut(Note),
    /// The account or the address is banned.
    Banned(Note),
    /// The room of a connection at the relay door has a password.
    RoomLocked,
    /// That room is full.
    RoomFull,
    /// That room was closed.
    RoomClosed,
    /// The host of that room has removed the guest.
    Kicked,
}

/// An operator's words about the end of a connection, which follow the reason's name and a colon; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note(Option<Arc<str>>);

impl Note {
    /// A note. The text is [checked](crate::text), as it is sent as it is.
    pub fn new(text: &str) -> Self {
        Self((!text.is_empty()).then(|| text.into()))
    }
}

/// The number of reasons: the length of a table indexed by [`CloseReason::index`].
pub const KINDS: usize = 24;

impl CloseReason {
    /// The index of the reason in a table of counters, less than [`KINDS`].
    pub fn index(&self) -> usize {
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
            Self::NoProxyHeader => 14,
            Self::NotTls => 15,
            Self::TlsFailed => 16,
            Self::PutOut(_) => 17,
            Self::Banned(_) => 18,
            Self::RoomLocked => 19,
            Self::RoomFull => 20,
            Self::RoomClosed => 21,
            Self::Kicked => 22,
            Self::BadWebSocketFrame => 23,
        }
    }

    /// The name of the reason's counter. Also its text, unless that contains a number or a note.
    pub fn name(&self) -> &'static str {
        NAMES.get(self.index()).copied().unwrap_or_default()
    }

    /// Whether output that is still queued is dropped before `421` is sent, except for a frame that is partly sent.
    /// True only if the queue is the reason.
    pub fn drops_queue(&self) -> bool {
        *self == Self::TooSlow
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoggedInAlready(sessions) => write!(f, "logged in {sessions} times already"),
            Self::ShuttingDown(seconds) => write!(f, "shutting down, retry in {seconds} s"),
            Self::PutOut(Note(Some(note))) | Self::Banned(Note(Some(note))) => write!(f, "{}: {note}", self.name()),
            Self::LoginTooLong
            | Self::TooManyFailures
            | Self::TooSlow
            | Self::LineNeverEnded
            | Self::TooManyBadLines
            | Self::NotAChatClient
            | Self::ProxyHeader
            | Self::NoProxyHeader
            | Self::NotTls
            | Self::TlsFailed
            | Self::PutOut(Note(None))
            | Self::Banned(Note(None))
            | Self::ServerFull
            | Self::TooManyFromAddress
            | Self::PasswordChanged
            | Self::Replaced
            | Self::Internal
            | Self::RoomLocked
            | Self::RoomFull
            | Self::RoomClosed
            | Self::Kicked
            | Self::BadWebSocketFrame => f.write_str(self.name()),
        }
    }
}

/// The names of the reasons in the order of [`CloseReason::index`].
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
    "a PROXY header is missing",
    "not TLS",
    "TLS failed",
    "put out by the operator",
    "banned",
    "the room has a password",
    "the room is full",
    "the room was closed",
    "kicked",
    "bad WebSocket frame",
];
