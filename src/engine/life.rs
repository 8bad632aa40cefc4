//! The life of a connection: the states that it goes through.

use super::time::Millis;
use crate::close::CloseReason;
use crate::limits::LEAVE_MS;

/// Where a connection is between its first and its last moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// It talks.
    Open,
    /// It is told what it is still owed; its input is thrown away.
    Draining(Box<Linger>),
    /// It has been told everything and has our end of stream; its input is thrown away until it ends.
    Lingering(Box<Linger>),
    /// It is over: its socket is to be closed.
    Gone(Parting),
}

/// How the socket of a connection that is over is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parting {
    /// The kernel goes on delivering what it holds.
    Closed,
    /// The kernel drops what it holds: it would go on trying for minutes.
    Reset,
}

/// How long a connection may take to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Linger {
    /// When to look at it again.
    pub(super) due: Millis,
    /// When it ends, whatever is left.
    pub(super) last: Millis,
    /// Whether the client has left by itself: what the kernel holds for it then is still delivered.
    pub(super) is_left: bool,
}

impl Linger {
    /// Bytes were taken. A client that has left by itself may be as slow at the end as it was before: it is only cut
    /// off when it stops. One that the server has closed was slow enough.
    pub(super) fn prolong(&mut self, now: Millis) {
        if self.is_left {
            self.last = now + LEAVE_MS;
            self.due = self.last;
        }
    }
}

/// How a connection that is about to end will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is broken: there is nobody to tell.
    Broken,
    /// Its peer has vanished, and the kernel has nothing left to try either.
    Vanished,
    /// The server closes it.
    Closed(CloseReason),
}

/// What is known of a connection by its first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It counts among those that never sent a line.
    Silent,
    /// As [`Silent`](Self::Silent); and it came from an address that had failed too often.
    Penalised,
    /// It has sent a line, or is exempt.
    Heard,
}

/// What is known of a socket's input. Polling is edge-triggered: only reading everything ends `Ready` and `Ending`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// All has been read; the poll reports more.
    Drained,
    /// There may be more.
    Ready,
    /// There may be more behind a read, however short it is: the client has closed its side, or has sent urgent data,
    /// at which a read stops. Only the end of the stream, or a read that finds nothing, ends the reading.
    Ending,
    /// The end of the stream has been read.
    Ended,
}

impl Input {
    /// Whether a read may find something.
    pub(super) fn may_have_more(self) -> bool {
        match self {
            Self::Ready | Self::Ending => true,
            Self::Drained | Self::Ended => false,
        }
    }
}

/// Whether a connection got bytes that are not written yet, and which queue it stands in for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flush {
    /// It got none since it was flushed.
    Idle,
    /// It got what many hear, and is written to when its turn comes.
    Broadcast,
    /// It got something for itself, and is written to in this turn.
    Direct,
}
