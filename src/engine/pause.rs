//! Pauses: connections that are not read for a time although they are open.

use super::Engine;
use super::id::ConnId;
use super::time::Millis;
use crate::hub::command::Command;

/// Why a connection is not read although it is open. `since` is when it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// It is read.
    None,
    /// Its password is with the accounts.
    Checking {
        /// What was asked.
        what: Asked,
        since: Millis,
    },
    /// It is read again from `due` on.
    Until {
        /// What it waits for.
        why: Until,
        due: Millis,
        since: Millis,
    },
    /// It owes so much that its own commands must wait; it is read again when it has taken some.
    Owing { since: Millis },
    /// The answer to a wrong password (of an account or a room) is kept back until `due`.
    Delay {
        /// What is said then.
        answer: Late,
        due: Millis,
        since: Millis,
    },
}

/// What a paused connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// It talks faster than it may.
    Rate,
    /// Those it speaks to lag.
    Backpressure,
    /// The server was too busy for it.
    Busy,
}

/// What the accounts were asked for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Whether this is the account's password, to log in.
    LogIn,
    /// To make an account.
    Register,
    /// Whether this is the account's password, to change it.
    OldPassword,
    /// To set another password.
    NewPassword,
}

/// What is said to a wrong password, late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// Try again; so many tries are left.
    Wrong(u32),
    /// The old password, within PASSWD, was wrong.
    WrongOld,
    /// The room has another password.
    WrongRoom,
    /// That was the last try.
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
    /// Ends a pause: what was held is carried out, and reading goes on.
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
            Pause::None | Pause::Checking { .. } | Pause::Owing { .. } | Pause::Until { .. } | Pause::Delay { .. } => {}
        }
    }
}
