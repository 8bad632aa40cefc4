//! Waits: what sessions have asked for that is on its way to the disk.

use std::collections::BTreeMap;

use super::Hub;
use super::event::{Event, Message};
use super::profile::ProfileKey;
use super::record::{Account, KeptId, Whom};
use super::session::SessionId;
use crate::limits::HISTORY_WAITS;

/// All waits by their tickets.
#[derive(Debug, Default)]
pub(super) struct Waits {
    last: u64,
    open: BTreeMap<u64, Wait>,
}

/// The wait of one session.
#[derive(Debug)]
struct Wait {
    who: SessionId,
    account: Account,
    what: Waited,
}

/// What a session waits for.
#[derive(Debug)]
pub(super) enum Waited {
    /// A direct message to an account that is away.
    Told {
        /// The account.
        to: Account,
        /// The message.
        message: Box<Message>,
    },
    /// A change of what is kept of a room.
    Keep {
        /// The room.
        room: KeptId,
        /// True if it is to be kept no longer.
        is_off: bool,
    },
    /// A change of whom its account ignores.
    Ignore {
        /// Whom.
        whom: Whom,
    },
    /// A change of its profile.
    Set {
        /// The change's id.
        id: u64,
        /// What.
        key: ProfileKey,
        /// The value; `None` removes it.
        value: Option<Box<str>>,
    },
}

impl Waits {
    /// Whether another session may wait.
    pub(super) fn has_room(&self) -> bool {
        self.open.len() < HISTORY_WAITS
    }

    /// The ticket of the next wait.
    pub(super) fn next(&self) -> u64 {
        self.last + 1
    }
}

impl Hub {
    /// Lets a session wait until the last record is on disk.
    pub(super) fn await_last(&mut self, who: SessionId, what: Waited) {
        let Some(account) = self.account_of(who).cloned() else { return };
        let ticket = self.waits.next();
        self.waits.last = ticket;
        if let Some(last) = self.records.back_mut() {
            last.ticket = Some(ticket);
        }
        self.waits.open.insert(ticket, Wait { who, account, what });
        self.tell(who, Event::Awaited { ticket });
    }

    /// A wait is over: what was awaited is on disk, or is not and never will be. The events answer, unless the session has
    /// ended; poll the records too. A ticket that is unknown or settled does nothing.
    pub fn settle_wait(&mut self, ticket: u64, is_kept: bool) {
        let Some(Wait { who, account, what }) = self.waits.open.remove(&ticket) else { return };
        let answer = match what {
            Waited::Told { to, message } => self.settle_told(who, &account, to, *message, is_kept),
            Waited::Keep { room, is_off } => self.settle_keep(room, is_off, is_kept),
            Waited::Ignore { whom } => self.settle_ignore(ticket, &account, whom, is_kept),
            Waited::Set { id, key, value } => self.settle_set(&account, (key, value), id, is_kept),
        };
        if self.account_of(who) == Some(&account) {
            self.tell(who, answer);
        }
    }
}
