//! Pauses: open connections that are not read for a time.

use super::Engine;
use super::id::ConnId;
use super::time::Millis;
use crate::hub::command::Command;

/// Why an open connection is not read. `since` is the start of the pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// It is read.
    None,
    /// Its password is being checked.
    Checking {
        /// The request.
        what: Asked,
        since: Millis,
    },
    /// It is read again from `due` on.
    Until {
        /// The reason.
        why: Until,
        due: Millis,
        since: Millis,
    },
    /// It owes so much that its own commands must wait; it is read again when it has taken some.
    Owing { since: Millis },
    /// An operator's command, or a monitoring program's request, is being answered; see [`operator`](super::operator)
    /// and [`metrics`](super::metrics).
    Answering { since: Millis },
    /// It waits for the history; see [`history`](super::history).
    Recalling {
        /// What it waits for.
        what: Recalling,
        since: Millis,
    },
    /// The reply to a wrong password (of an account or a room) is delayed until `due`.
    Delay {
        /// The reply.
        answer: Late,
        due: Millis,
        since: Millis,
    },
}

/// What a connection waits for, of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recalling {
    /// The answer to this request.
    Answer(u64),
    /// The end of this wait of the hub.
    Ticket(u64),
}

/// The reason of a pause with a known end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// It exceeds its rate.
    Rate,
    /// Its receivers lag.
    Backpressure,
    /// The server was too busy for it.
    Busy,
}

/// A request of a connection to the accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// To check the account's password, for a login.
    LogIn,
    /// To register an account.
    Register,
    /// To check the account's password, for a change.
    OldPassword,
    /// To store a new password.
    NewPassword,
    /// To carry out an operator's request.
    Deed,
}

/// The delayed reply to a wrong password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// Wrong; this many tries are left.
    Wrong(u32),
    /// The current password, within PASSWD, was wrong.
    WrongOld,
    /// The room has another password.
    WrongRoom,
    /// Wrong, and that was the last try.
    TooMany,
}

/// A message that was decoded and waits, because its receivers lag. It is the next thing that its connection does.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) message: Command<'static>,
    /// The size of its line on the wire.
    pub(super) bytes: usize,
    /// When it has waited long enough.
    pub(super) until: Millis,
}

impl<S> Engine<S> {
    /// Ends a pause: pending lines are carried out, and reading goes on.
    pub(super) fn resume(&mut self, id: ConnId) {
        let now = self.now;
        if let Some(conn) = self.conns.find(id) {
            conn.resume(now);
            self.enqueue(id);
            self.touched.push(id);
        }
    }

    /// Ends the pause of a connection if it is due.
    pub(super) fn end_pause(&mut self, id: ConnId) {
        let now = self.now;
        let Some(conn) = self.conns.find(id) else { return };
        match conn.pause {
            Pause::Until { due, .. } if due <= now => self.resume(id),
            Pause::Delay { due, answer, .. } if due <= now => {
                self.resume(id);
                self.on_late(id, answer);
            }
            Pause::None
            | Pause::Checking { .. }
            | Pause::Owing { .. }
            | Pause::Answering { .. }
            | Pause::Recalling { .. }
            | Pause::Until { .. }
            | Pause::Delay { .. } => {}
        }
    }
}
