//! History: what was said goes to the store, and comes back as answers.
//!
//! ```text
//! deliver ─▶ row ─┐
//! hub ─▶ record ──┴▶ batch ─┬▶ poll_history ─▶ store ─▶ handle_history ─▶ answers, or the hub settles a wait
//! on_recall ─▶ request ─────┘
//! ```
//!
//! The text of a message is moved into the current [`batch`] after its delivery. The batch goes out before any other
//! request, so a page holds everything that was said before it was asked for. A connection that waits for the store is
//! not read, and waits for [`HISTORY_WAIT_MS`](crate::limits::HISTORY_WAIT_MS) at most ([`waits`]).

mod batch;
mod drops;
mod waits;

mod when;
mod requests;
mod answers;
mod people;
mod forgetting;
mod forgotten;
mod forgets;
mod telling;

mod floors;
mod marks;
mod notices;
mod state;
pub(super) mod past;

use std::collections::VecDeque;

use super::Engine;
use super::id::ConnId;
use super::time::{Millis, NEVER};
use crate::history::Request;
use crate::hub::Keeping;
use crate::hub::record::{Account, Restored};
use batch::Gathering;
use drops::Drops;
use forgets::Forgets;
use marks::MarkNotices;
use telling::Telling;
use waits::{Goal, Waits};

pub use past::LastLook;

/// How often kept rooms without an owner are looked at, in milliseconds.
const TEND_EVERY_MS: Millis = 60 * 60 * 1_000;

/// A message to the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToHistory {
    /// A request. [`Engine::handle_history`] takes the answer.
    Ask {
        /// The number of the request; each has another one.
        number: u64,
        /// The request.
        request: Request,
    },
    /// Nobody waits for this answer any longer.
    Cancel {
        /// The number of the request.
        number: u64,
    },
}

/// What the engine has of the history.
#[derive(Debug, Default)]
pub(super) struct History {
    /// There is a store.
    is_on: bool,
    /// Its thread has ended early: nothing is kept any more.
    is_lost: bool,
    /// Messages are dropped, because too much waits.
    is_full: bool,
    /// Bytes of rows that wait in the store.
    backlog: usize,
    gathering: Gathering,
    drops: Drops,
    waits: Waits,
    outgoing: VecDeque<ToHistory>,
    notices: MarkNotices,
    /// What accounts have forgotten lately.
    forgets: Forgets,
    /// Of what was forgotten not everybody has been told yet.
    tellings: VecDeque<Telling>,
    /// Accounts that were deleted, whose sessions have not all ended.
    pub(super) deleted: Vec<Account>,
    /// When kept rooms without an owner are looked at next.
    tend_due: Millis,
    /// When the floor of a bare session is looked at next, in this order.
    looks: VecDeque<(Millis, ConnId)>,
}

impl History {
    /// Queues a request, after everything that was said before it.
    fn ask(&mut self, request: Request, goal: Goal, now: Millis) -> u64 {
        self.send_batch();
        let number = self.waits.open(goal, now);
        self.outgoing.push_back(ToHistory::Ask { number, request });
        number
    }

    /// Queues the current batch, if it holds anything.
    fn send_batch(&mut self) {
        let Some((batch, tickets)) = self.gathering.take() else { return };
        let number = self.waits.open_keep(tickets);
        self.outgoing.push_back(ToHistory::Ask { number, request: Request::Keep(batch) });
    }

    /// Nobody waits for this answer any longer.
    fn cancel(&mut self, number: u64) {
        if self.waits.abandon(number) {
            self.outgoing.push_back(ToHistory::Cancel { number });
        }
    }

    /// Bytes of rows that wait, here and in the store.
    pub(super) fn queued(&self) -> usize {
        self.gathering.bytes() + self.backlog
    }
}

impl<S> Engine<S> {
    /// There is a store, and this is what it has kept. Call this before the first turn; without it nothing is kept.
    pub fn restore(&mut self, restored: Restored) {
        self.history.is_on = true;
        self.hub.restore(restored);
        self.hub.set_keeping(Keeping::On);
    }

    /// The next message to the history.
    pub fn poll_history(&mut self) -> Option<ToHistory> {
        let is_due = self.is_ending() || self.history.gathering.is_due(self.now, self.commit_ms());
        if is_due {
            self.history.send_batch();
        }
        self.history.outgoing.pop_front()
    }

    /// The loop has ended: everything that was said goes out with the next [`poll_history`](Self::poll_history).
    pub fn end_history(&mut self) {
        if self.history.is_on && !self.history.is_lost {
            self.write_holes();
        }
        self.history.send_batch();
    }

    /// True if there is something for [`poll_history`](Self::poll_history) now.
    pub(super) fn has_history_to_pass(&self) -> bool {
        !self.history.outgoing.is_empty() || self.history.gathering.is_due(self.now, self.commit_ms())
    }

    /// When something of the history is due; [`NEVER`] if nothing is.
    pub(super) fn history_due(&self) -> Millis {
        let history = &self.history;
        if !history.is_on {
            return NEVER;
        }
        let look = history.looks.front().map_or(NEVER, |(due, _)| *due);
        let waits = history.gathering.due(self.commit_ms()).min(history.waits.next_due());
        let tell = if history.tellings.is_empty() { NEVER } else { self.now };
        let others = history.notices.next_due().min(look).min(history.tend_due).min(tell);
        let others = if self.is_ending() { NEVER } else { others };
        waits.min(others)
    }

    /// Handles what is due.
    pub(super) fn run_history(&mut self) {
        self.end_waits();
        if !self.is_ending() {
            self.look_at_floors();
            self.tell_due_marks();
            self.tell_forgotten();
            self.tend_rooms();
        }
    }

    /// Kept rooms without an owner are passed on.
    fn tend_rooms(&mut self) {
        if self.history.is_on && self.history.tend_due <= self.now {
            self.history.tend_due = self.now + TEND_EVERY_MS;
            self.hub.tend_kept_rooms(self.unix_ms);
            self.turn.work += self.hub.take_work();
            self.deliver();
        }
    }

    fn commit_ms(&self) -> Millis {
        self.settings.history.as_ref().map_or(0, |rules| rules.commit_ms.into())
    }
}
