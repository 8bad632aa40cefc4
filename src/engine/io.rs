//! The seam between the engine and its sockets: what the owner of the sockets reports, and what it is asked to do.

use super::history::past::LastLook;
use super::id::ConnId;
use super::stage::{Shaken, Unusable};

use std::io::IoSlice;
use std::net::IpAddr;

/// An event of the poll for a connection's socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// There may be bytes to read.
    pub is_readable: bool,
    /// The peer has closed its side, or has sent urgent data, at which a read stops: a short read does not mean that
    /// the socket is drained.
    pub is_ending: bool,
    /// The socket accepts bytes again.
    pub is_writable: bool,
    /// The connection is broken.
    pub is_broken: bool,
}

/// The result of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Bytes were read into the given space.
    Bytes {
        /// Number of bytes, at least 1.
        count: usize,
        /// The read was short, so the socket is drained unless it is [ending](Ready::is_ending).
        is_short: bool,
    },
    /// A PROXY header was read. It names the client, or `None` if the proxy speaks for itself.
    Named(Option<IpAddr>),
    /// TLS records were read.
    Records {
        /// Bytes of plaintext in the given space; 0 if none of the records has any, or none is whole.
        count: usize,
        /// The socket is drained, and no whole record is left, unless the socket is [ending](Ready::is_ending).
        is_short: bool,
        /// The work of the records, in the unit of [`TURN_WORK`](crate::limits::TURN_WORK).
        work: usize,
    },
    /// The TLS handshake went on.
    Shaken(Shaken),
    /// What was read cannot begin a connection.
    Unusable(Unusable),
    /// There was nothing to read; the poll reports when there is.
    Nothing,
    /// The peer has ended its stream.
    End,
    /// The connection is broken.
    Broken,
}

impl Read {
    /// The work of TLS before a connection can talk, in the unit of [`TURN_WORK`](crate::limits::TURN_WORK).
    pub(super) fn entering_work(self) -> usize {
        match self {
            Self::Shaken(Shaken { work, .. }) | Self::Unusable(Unusable::TlsFailed { work }) => work,
            Self::Unusable(Unusable::NoProxyHeader | Unusable::NotTls { .. }) => 0,
            Self::Bytes { .. } | Self::Named(_) | Self::Records { .. } | Self::Nothing | Self::End | Self::Broken => 0,
        }
    }
}

/// The result of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    /// The socket accepted bytes.
    Bytes {
        /// Number of bytes; 0 if it accepts none now.
        count: usize,
        /// It accepted fewer than offered; the poll reports when it accepts more.
        is_short: bool,
    },
    /// Bytes were encrypted, and the socket did not accept all of their ciphertext; the poll reports when it accepts
    /// more. A write is due then, even of no bytes.
    Sealed {
        /// Number of bytes; 0 if older ciphertext was not accepted yet.
        count: usize,
        /// Bytes of ciphertext that wait, at least 1.
        sealed: usize,
    },
    /// The connection is broken.
    Broken,
}

/// The result of ending our side of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// It has ended.
    Done,
    /// The socket did not accept the whole ending; the poll reports when it accepts more.
    Sealed {
        /// Bytes of ciphertext that wait, at least 1.
        sealed: usize,
    },
    /// It failed.
    Failed,
}

/// A connection to read; [`Engine::handle_read`](super::Engine::handle_read) follows.
#[derive(Debug)]
pub struct ToRead<'a, S> {
    /// Its id.
    pub id: ConnId,
    /// Its socket.
    pub socket: &'a mut S,
    /// Where the bytes go; never empty.
    pub room: &'a mut [u8],
    /// The connection is ending: what it sends is discarded, and needs no decryption.
    pub is_discarded: bool,
}

/// A connection to write to, once; [`Engine::handle_wrote`](super::Engine::handle_wrote) follows.
#[derive(Debug)]
pub struct ToWrite<'a, S> {
    /// Its id.
    pub id: ConnId,
    /// Its socket.
    pub socket: &'a mut S,
    /// The bytes to write; empty only if ciphertext waits.
    pub frames: Frames<'a>,
}

/// Bytes to write, in order.
#[derive(Debug)]
pub enum Frames<'a> {
    /// Contiguous bytes.
    One(&'a [u8]),
    /// Several slices, at most as many as one vectored write takes.
    Many(Vec<IoSlice<'a>>),
}

impl Frames<'_> {
    /// Number of bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::One(bytes) => bytes.len(),
            Self::Many(slices) => slices.iter().map(|slice| slice.len()).sum(),
        }
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A question about a socket; [`Engine::handle_probe`](super::Engine::handle_probe) takes the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Its connection.
    pub id: ConnId,
    /// The reason for the question.
    pub why: Why,
}

/// Why a socket is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The connection owes more than `limits.owed_bytes`: the engine notes what the kernel holds now.
    Owing,
    /// It still owes as much a second later: the engine closes it unless the kernel holds less than before.
    Stopped,
    /// It lingers: the engine resets it unless the kernel still delivers to it.
    Lingering,
    /// It is bare: the engine notes what it has acknowledged.
    Floor,
    /// It may not have acknowledged everything that was written: the engine checks whether the peer has vanished.
    Liveness,
}

/// The bytes that the kernel holds for a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Bytes that the peer has not acknowledged, counting the end of the stream as one. `None` if unknown.
    pub unacknowledged: Option<u32>,
    /// The state of the path; `None` if everything is acknowledged, or if unknown.
    pub path: Option<Path>,
}

/// The state of a path with data in flight (TCP_INFO, tcp(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Segments were sent and are not acknowledged.
    pub is_in_flight: bool,
    /// Unanswered probes of the peer's window.
    pub probes: u8,
    /// Milliseconds since data was last sent or retransmitted.
    pub sent_ms: u32,
    /// Milliseconds since the last acknowledgement from the peer.
    pub acknowledged_ms: u32,
}

/// A connection that has ended, with its socket to close.
#[derive(Debug)]
pub struct Gone<S> {
    /// Its socket.
    pub socket: S,
    /// True if the connection is reset, so that the kernel stops delivering.
    pub is_reset: bool,
    /// What is left to look at: see [`Engine::handle_last_look`](super::Engine::handle_last_look).
    pub last_look: Option<LastLook>,
}
