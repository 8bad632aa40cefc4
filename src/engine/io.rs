//! The seam between the engine and its sockets: what the owner of the sockets reports, and what it is asked to do.

use super::id::ConnId;

use std::io::IoSlice;

/// What the poll says of a connection's socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// There may be bytes to read.
    pub is_readable: bool,
    /// The peer has closed its side, or has sent urgent data, at which a read stops: a short read has not drained the
    /// socket.
    pub is_ending: bool,
    /// The socket takes bytes again.
    pub is_writable: bool,
    /// The connection is broken.
    pub is_broken: bool,
}

/// What came of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Bytes were read into the room that was given.
    Bytes {
        /// How many; at least one.
        count: usize,
        /// The read came back short, so the socket is drained unless it is [ending](Ready::is_ending).
        is_short: bool,
    },
    /// Nothing is there; the poll reports when there is more.
    Nothing,
    /// The peer has ended its stream.
    End,
    /// The connection is broken.
    Broken,
}

/// What came of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    /// The socket took bytes.
    Bytes {
        /// How many; 0 if it takes none now.
        count: usize,
        /// It took less than was offered; the poll reports when it takes more.
        is_short: bool,
    },
    /// The connection is broken.
    Broken,
}

/// A connection that is to be read; [`Engine::handle_read`](super::Engine::handle_read) follows.
#[derive(Debug)]
pub struct ToRead<'a, S> {
    /// Which.
    pub id: ConnId,
    /// Its socket.
    pub socket: &'a mut S,
    /// Where the bytes go; never empty.
    pub room: &'a mut [u8],
}

/// A connection that is to be written to, once; [`Engine::handle_wrote`](super::Engine::handle_wrote) follows.
#[derive(Debug)]
pub struct ToWrite<'a, S> {
    /// Which.
    pub id: ConnId,
    /// Its socket.
    pub socket: &'a mut S,
    /// What is offered; never empty.
    pub frames: Frames<'a>,
}

/// Bytes to write, in order.
#[derive(Debug)]
pub enum Frames<'a> {
    /// In one place.
    One(&'a [u8]),
    /// In several places, at most as many as one vectored write takes.
    Many(Vec<IoSlice<'a>>),
}

impl Frames<'_> {
    /// How many bytes these are.
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
    /// Which connection.
    pub id: ConnId,
    /// Why it is asked.
    pub why: Why,
}

/// Why a socket is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The connection owes more than `limits.owed_bytes`: what the kernel holds for it now is noted.
    Owing,
    /// It still owes as much a second later: it is closed unless the kernel holds less than before.
    Stopped,
    /// It lingers: it is reset unless the kernel still delivers to it.
    Lingering,
    /// Something was written to it that it may not have acknowledged: has the peer vanished?
    Liveness,
}

/// What the kernel says of the bytes that it holds for a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Bytes that the peer has not acknowledged, the end of the stream counted as one. `None` if the kernel does not
    /// say.
    pub unacknowledged: Option<u32>,
    /// How the connection fares; `None` if all is acknowledged, or if the kernel does not say.
    pub path: Option<Path>,
}

/// How a connection fares that has something on its way (TCP_INFO, tcp(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Segments were sent and are not acknowledged.
    pub is_in_flight: bool,
    /// Probes of the peer's window that were not answered.
    pub probes: u8,
    /// Milliseconds since data was last sent, for the first time or again.
    pub sent_ms: u32,
    /// Milliseconds since the peer last acknowledged something, new or not.
    pub acknowledged_ms: u32,
}

/// A connection that is over: its socket, to be closed.
#[derive(Debug)]
pub struct Gone<S> {
    /// Its socket.
    pub socket: S,
    /// Whether it is reset, so that the kernel does not go on delivering to it.
    pub is_reset: bool,
}
