//! The states in the life of a connection.

use super::time::Millis;
use crate::close::CloseReason;
use crate::limits::LEAVE_MS;

/// The state of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// It is in use.
    Open,
    /// Closing: what it is owed is written; its input is discarded.
    Draining(Box<Linger>),
    /// Closing: everything is written, and our side of the stream has ended; its input is discarded until it ends.
    Lingering(Box<Linger>),
    /// It has ended: its socket is to be closed.
    Gone(Parting),
}

/// How the socket of a connection that has ended is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parting {
    /// The kernel goes on delivering what it holds.
    Closed,
    /// The kernel drops what it holds; otherwise it would keep trying for minutes.
    Reset,
}

/// How long a closing connection may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Linger {
    /// When to check it again.
    pub(super) due: Millis,
    /// When it ends in any case.
    pub(super) last: Millis,
    /// True if the client has left by itself: what the kernel holds for it is still delivered.
    pub(super) is_left: bool,
}

impl Linger {
    /// Bytes were taken. A client that has left by itself may be as slow at the end as before, and is reset only if it
    /// takes nothing. A client that the server closes gets no extension.
    pub(super) fn prolong(&mut self, now: Millis) {
        if self.is_left {
            self.last = now + LEAVE_MS;
            self.due = self.last;
        }
    }
}

/// How a connection will end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is broken: nothing can be sent.
    Broken,
    /// Its peer has vanished, and the kernel has nothing left to try either.
    Vanished,
    /// The server closes it.
    Closed(CloseReason),
}

/// Whether a connection has sent its first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has not sent a line yet, and counts among the silent ones.
    Silent,
    /// As [`Silent`](Self::Silent), and its address had failed too often when it arrived.
    Penalised,
    /// It has sent a line, or is exempt.
    Heard,
    /// It does not count for its address: a proxy that has not named its client yet, or a door outside of the limits.
    Uncounted,
}

impl Standing {
    /// The standing after a line.
    pub(super) fn heard(self) -> Self {
        match self {
            Self::Silent | Self::Penalised | Self::Heard => Self::Heard,
            Self::Uncounted => Self::Uncounted,
        }
    }
}

/// The state of a socket's input. Polling is edge-triggered: only reading everything ends `Ready` and `Ending`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// All has been read; the poll reports more.
    Drained,
    /// There may be more.
    Ready,
    /// There may be more even after a short read: the client has closed its side, or has sent urgent data, at which a
    /// read stops. Only the end of the stream, or a read that finds nothing, ends this state.
    Ending,
    /// The end of the stream has been read.
    Ended,
}

impl Input {
    /// True if a read may find something.
    pub(super) fn may_have_more(self) -> bool {
        match self {
            Self::Ready | Self::Ending => true,
            Self::Drained | Self::Ended => false,
        }
    }
}

/// Whether a connection has unwritten output, and the queue that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flush {
    /// No output since its last flush; it is in no queue.
    Idle,
    /// Broadcast output only; written when its turn comes.
    Broadcast,
    /// Direct output; written in this turn.
    Direct,
}
