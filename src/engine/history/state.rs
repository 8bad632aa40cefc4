//! What is kept: rows and records go into the batch, what is dropped is counted, and the store's state is watched.

use log::{error, warn};

use crate::engine::Engine;
use crate::engine::degraded::{Part, State};
use crate::engine::id::ConnId;
use crate::history::Trouble;
use crate::hub::command::{Command, Ignore};
use crate::hub::event::{Event, Message};
use crate::hub::names::{UserName, Who};
use crate::hub::record::{Account, Fate, Hole, Record, Row, Spot};
use crate::hub::{HandedOut, Keeping};
use crate::limits;

/// Why messages are missing that were dropped here.
const WHY_FULL: &str = "the disk is too slow, or fails";
/// Why nothing is kept any more.
const LOST: &str = "its thread has ended; restart the server";

impl<S> Engine<S> {
    /// Takes an event that was delivered. The text of a message that is kept moves into the batch.
    #[inline]
    pub(in crate::engine) fn keep(&mut self, event: Event) {
        if let Event::Said(message) | Event::SaidIn { message, .. } = event {
            if message.fate != Fate::Unkept {
                self.keep_message(message);
            }
        } else if let Event::Told { message, .. } = event
            && message.fate != Fate::Unkept
        {
            self.keep_message(*message);
        }
    }

    fn keep_message(&mut self, message: Message) {
        let Message { id, from, text, fate, manner: _ } = message;
        match fate {
            Fate::Unkept => {}
            Fate::Kept(spot) => {
                self.counters.history_kept += 1;
                self.history.gathering.add_row(Row { id, spot, from, text }, self.now);
                self.watch_queue();
            }
            Fate::Dropped(spot) => self.drop_message(spot, &from),
        }
    }

    fn drop_message(&mut self, spot: Spot, from: &Who) {
        self.counters.history_dropped += 1;
        let from = match from {
            Who::Account(name) => self.online_account(name),
            Who::Guest(_) => None,
        };
        self.history.drops.add(spot, from);
    }

    /// An account that is online.
    fn online_account(&self, name: &UserName) -> Option<Account> {
        self.hub.account_of(*self.hub.sessions_of(name).first()?).cloned()
    }

    /// Takes the records that a command has brought forth.
    #[inline]
    pub(in crate::engine) fn gather(&mut self) {
        while let Some(handed_out) = self.hub.poll_record() {
            self.keep_record(handed_out);
        }
    }

    /// Drops the events of a command, and takes its records.
    pub(super) fn drop_events(&mut self) {
        while self.hub.poll_event().is_some() {}
        self.gather();
    }

    fn keep_record(&mut self, HandedOut { record, ticket }: HandedOut) {
        self.counters.history_kept += u64::from(matches!(record, Record::Row(_)));
        self.history.gathering.add(record, ticket, self.now);
        self.watch_queue();
    }

    /// A direct message names the account that it is for, unless that is online; IGNORE names the account in any case.
    #[inline]
    pub(in crate::engine) fn name_receiver(&self, id: ConnId, command: &mut Command<'_>) {
        if self.history.is_on
            && let Command::Tell { to: Who::Account(name), account, .. }
            | Command::CanTell { name: Who::Account(name), account } = command
            && !self.hub.sessions_of(name).iter().any(|session| *session != id.session())
        {
            *account = self.logins.roll.account(name);
        } else if let Command::Ignore(Ignore::Name { name, account, .. }) = command {
            *account = self.logins.roll.account(name);
        }
    }

    /// How many bytes of rows wait in the store.
    pub fn handle_backlog(&mut self, bytes: usize) {
        self.history.backlog = bytes;
        self.watch_queue();
    }

    /// Drops messages while the queue is full, until half of it is free.
    fn watch_queue(&mut self) {
        let most = self.settings.history.as_ref().map_or(u64::MAX, |rules| rules.queue_bytes);
        let queued = self.history.queued() as u64;
        if !self.history.is_full && queued >= most {
            self.history.is_full = true;
            self.hub.set_keeping(Keeping::Full);
            warn!(
                "history: {queued} bytes wait to be stored; messages are delivered and not stored until less than half of that waits"
            );
        } else if self.history.is_full && queued <= most / 2 && !self.history.is_lost {
            self.history.is_full = false;
            self.write_holes();
            self.hub.set_keeping(Keeping::On);
        }
    }

    /// Writes down what was dropped.
    pub(super) fn write_holes(&mut self) {
        for (place, count) in self.history.drops.take() {
            self.counters.history_holes += 1;
            let id = self.hub.draw_id(self.unix_ms);
            let hole = Hole { id, spot: place.spot, with: place.with, count: Some(count), why: WHY_FULL.into() };
            self.history.gathering.add(Record::Hole(hole), None, self.now);
        }
    }

    /// What does not work in the store at the moment.
    pub fn handle_trouble(&mut self, trouble: Trouble) {
        let state = |why: Option<String>| why.map_or(State::Well, |why| State::Ill(why.into()));
        if !self.history.is_lost {
            self.handle_part(Part::HistoryBroken, state(trouble.broken));
            self.handle_part(Part::HistoryFull, state(trouble.full));
        }
    }

    /// A thread of the store has panicked: nothing is kept from now on, and everything else goes on.
    pub fn handle_history_lost(&mut self) {
        error!("internal error: the history's thread has panicked; nothing is stored until the server is restarted");
        self.counters.panics += 1;
        self.history.is_lost = true;
        self.history.is_full = true;
        self.hub.set_keeping(Keeping::Full);
        self.end_forgets();
        self.handle_part(Part::HistoryBroken, State::Ill(LOST.into()));
    }

    /// Forgets deleted accounts whose last session has ended.
    pub(in crate::engine) fn forget_deleted(&mut self) {
        if self.history.deleted.is_empty() {
            return;
        }
        let is_there = |account: &Account| {
            let mut sessions = self.hub.sessions_of(&account.name).iter();
            sessions.any(|session| self.hub.account_of(*session) == Some(account))
        };
        let (waiting, ended): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.history.deleted).into_iter().partition(is_there);
        self.history.deleted = waiting;
        for account in ended {
            self.hub.forget_account(&account);
            self.deliver();
        }
    }

    /// New settings: whether there is a store is decided at the start. `before` are the rules until now.
    pub(in crate::engine) fn set_history_rules(&mut self, before: Option<limits::History>) {
        let after = self.settings.history.take();
        self.settings.history = if self.history.is_on { after.or(before) } else { None };
        self.watch_queue();
    }

    /// The server stops: every account that is online was seen until now.
    pub(in crate::engine) fn note_all_seen(&mut self) {
        if !self.history.is_on {
            return;
        }
        let now = self.hub.next_id(self.unix_ms);
        let mut accounts: Vec<Account> =
            self.hub.everyone().iter().filter_map(|session| self.hub.account_of(*session).cloned()).collect();
        accounts.sort_unstable();
        accounts.dedup();
        for account in accounts {
            self.history.gathering.add(Record::Seen(account, now), None, self.now);
        }
    }
}
