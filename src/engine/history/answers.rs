//! The store's answers, and waits that are too long.

use super::past::Past;
use super::waits::{Goal, Overdue, Showing};
use crate::door::Kind;
use crate::door::irc::IrcDoor;
use crate::door::recall::{Notice, Recalled};
use crate::door::reply::Reply;
use crate::engine::Engine;
use crate::engine::id::ConnId;
use crate::engine::life::Life;
use crate::engine::pause::{Pause, Recalling};
use crate::history::{Missed, Request, Verdict};
use crate::hub::names::RoomName;
use crate::hub::record::Account;
use crate::limits::FLOOR_EVERY_MS;

impl<S> Engine<S> {
    /// The store has answered a request. An answer that nobody waits for is dropped.
    pub fn handle_history(&mut self, number: u64, verdict: Verdict) {
        match self.history.waits.close(number) {
            None => {}
            Some(Goal::Keep(tickets)) => {
                for ticket in tickets {
                    self.settle(ticket, verdict == Verdict::Kept);
                }
            }
            Some(Goal::Forget(forgetting)) => self.on_forgotten(number, forgetting, verdict),
            Some(goal) => self.hand_over(number, goal, verdict),
        }
        self.history.waits.tidy();
    }

    /// The store took no such request: too many wait.
    pub fn handle_history_refused(&mut self, number: u64) {
        self.handle_history(number, Verdict::Busy);
    }

    /// Ends the waits that are too long.
    pub(super) fn end_waits(&mut self) {
        while let Some(overdue) = self.history.waits.poll_overdue(self.now) {
            match overdue {
                Overdue::Answer(number, Goal::Forget(forgetting)) => self.on_late_to_forget(number, forgetting),
                Overdue::Answer(number, goal) => {
                    self.history.outgoing.push_back(super::ToHistory::Cancel { number });
                    self.hand_over(number, goal, Verdict::Unavailable);
                }
                Overdue::Ticket(ticket, id) => self.settle_for(ticket, id, false),
            }
        }
        self.history.waits.tidy();
    }

    /// A command of a connection waits for the disk.
    pub(in crate::engine) fn on_awaited(&mut self, id: ConnId, ticket: u64) {
        let now = self.now;
        self.history.waits.await_ticket(ticket, id, now);
        if let Some(conn) = self.conns.find(id) {
            conn.pause = Pause::Recalling { what: Recalling::Ticket(ticket), since: now };
        }
    }

    /// A wait of the hub is over, unless it was before.
    fn settle(&mut self, ticket: u64, is_kept: bool) {
        if let Some(id) = self.history.waits.end_ticket(ticket) {
            self.settle_for(ticket, id, is_kept);
        }
    }

    fn settle_for(&mut self, ticket: u64, id: ConnId, is_kept: bool) {
        self.end_recall(id, Recalling::Ticket(ticket));
        self.guard(id, |engine| {
            engine.hub.settle_wait(ticket, is_kept);
            engine.turn.work += engine.hub.take_work();
            if engine.is_ending() {
                engine.drop_events(); // everybody has been told that the server stops
            } else {
                engine.deliver();
                engine.end_if_answered(id);
            }
        });
    }

    /// A connection that has ended waits for nothing any longer. Its records are settled when the store answers.
    pub(in crate::engine) fn abandon_recall(&mut self, what: Recalling) {
        match what {
            Recalling::Answer(number) => self.history.cancel(number),
            Recalling::Ticket(_) => {}
        }
    }

    /// Ends the pause of a connection that waits for this. False if it does not.
    pub(super) fn end_recall(&mut self, id: ConnId, what: Recalling) -> bool {
        let is_it = self
            .conns
            .peek(id)
            .is_some_and(|conn| matches!(conn.pause, Pause::Recalling { what: it, .. } if it == what));
        if is_it {
            self.resume(id);
        }
        is_it
    }

    fn hand_over(&mut self, number: u64, goal: Goal, verdict: Verdict) {
        let Some(id) = goal.of() else { return };
        if let Goal::Missed { is_told, .. } = goal {
            self.guard(id, |engine| engine.on_missed(id, is_told, verdict));
        } else if let Goal::Profile { account, showing: Showing::Called, .. } = &goal {
            self.guard(id, |engine| engine.on_called(account, verdict));
        } else if self.end_recall(id, Recalling::Answer(number)) {
            self.guard(id, |engine| engine.on_recalled(id, goal, verdict));
        }
    }

    /// Answers a connection.
    fn on_recalled(&mut self, id: ConnId, goal: Goal, verdict: Verdict) {
        let answer = match (goal, verdict) {
            (Goal::Page { is_unread, .. }, Verdict::Page(page)) => {
                let next = page.next;
                self.answer_recall(id, Recalled::Page { page, is_unread });
                if is_unread {
                    self.on_missed_page(id, next);
                }
                return;
            }
            (Goal::Counts(_), Verdict::Counts(mut counts)) => {
                counts.retain(|count| self.is_still_read_by(id, &count.place));
                let keep_days = self.settings.history.as_ref().map_or(0, |rules| rules.keep_days);
                Recalled::Counts { counts, keep_days }
            }
            (Goal::Mark { place, upto, .. }, Verdict::Marked { rose }) => {
                self.answer_recall(id, Recalled::Read);
                if place.is_none() {
                    self.note_all_read(id, upto);
                } else if self.is_irc(id) && self.conns.peek(id).is_some_and(|conn| conn.past.is_some()) {
                    self.ask_missed(id, false); // perhaps nothing is left that waits
                }
                if rose {
                    self.on_marked(id, place, upto);
                }
                return;
            }
            (Goal::Profile { account, showing, .. }, Verdict::Profile(profile)) => {
                self.shown_profile(account, showing, profile)
            }
            (Goal::Loud { place, level, .. }, Verdict::Marked { .. }) => Recalled::Loud { place, level },
            (_, Verdict::Busy) => Recalled::Busy,
            (
                Goal::Keep(_)
                | Goal::Page { .. }
                | Goal::Counts(_)
                | Goal::Mark { .. }
                | Goal::Missed { .. }
                | Goal::Profile { .. }
                | Goal::Loud { .. }
                | Goal::Forget(_),
                Verdict::Kept
                | Verdict::NotKept
                | Verdict::Page(_)
                | Verdict::Counts(_)
                | Verdict::Missed(_)
                | Verdict::Marked { .. }
                | Verdict::Profile(_)
                | Verdict::Forgotten(_)
                | Verdict::Unavailable,
            ) => Recalled::Unavailable,
        };
        self.answer_recall(id, answer);
    }

    /// True unless a place, as it is shown, is a room that the account may no longer read.
    fn is_still_read_by(&self, id: ConnId, place: &str) -> bool {
        if place.starts_with(['*', '@']) {
            return true;
        }
        let (Some(name), Ok(room)) = (self.account_of(id), RoomName::parse(place)) else { return false };
        self.hub.kept_room_of(name, &room).is_some()
    }

    /// A page of what was missed is in the output: MISSED goes on after it.
    fn on_missed_page(&mut self, id: ConnId, next: Option<u64>) {
        let newest = self.hub.last_id();
        let Some(conn) = self.conns.find(id) else { return };
        if let Some(past) = &mut conn.past {
            past.go_on_after(next);
        }
        conn.note_point(newest);
    }

    /// An account has read everything up to this message: none of its sessions has missed that any longer.
    fn note_all_read(&mut self, id: ConnId, upto: u64) {
        let Some(name) = self.account_of(id) else { return };
        for session in self.hub.sessions_of(name) {
            if let Some(past) = self.conns.find(ConnId::of(*session)).and_then(|conn| conn.past.as_mut()) {
                past.has_read(upto);
            }
        }
    }

    /// An account has logged in on a connection. A bare session is told how much it has missed.
    pub(in crate::engine) fn begin_past(&mut self, id: ConnId) {
        if !self.history.is_on {
            return;
        }
        let Some(account) = self.hub.account_of(id.session()).cloned() else { return };
        let irc = self.conns.peek(id).and_then(|conn| conn.door.as_irc());
        if irc.is_none_or(IrcDoor::reads_what_comes) {
            self.begin_missed(id, account.clone());
        }
        if self.irc.is_seen() && self.hub.sessions_of(&account.name).len() == 1 {
            let goal = Goal::Profile { id, account: account.clone(), showing: Showing::Called };
            self.history.ask(Request::Profile(account), goal, self.now);
        }
    }

    fn begin_missed(&mut self, id: ConnId, account: Account) {
        let (newest, due) = (self.hub.last_id(), self.now + FLOOR_EVERY_MS);
        let is_irc = self.is_irc(id);
        let Some(conn) = self.conns.find(id) else { return };
        let is_bare = is_irc || conn.door.kind() == Some(Kind::Bare);
        conn.past = Some(Box::new(Past::new(account, newest, is_bare)));
        if is_bare {
            self.history.looks.push_back((due, id));
            self.ask_missed(id, !is_irc); // the IRC door says itself what waits
        }
    }

    /// Asks how much an account has missed.
    pub(super) fn ask_missed(&mut self, id: ConnId, is_told: bool) {
        let Some(mine) = self.mine(id) else { return };
        self.history.ask(Request::Missed(mine), Goal::Missed { id, is_told }, self.now);
    }

    fn on_missed(&mut self, id: ConnId, is_told: bool, verdict: Verdict) {
        let Verdict::Missed(missed) = verdict else { return };
        // It may be closing: then it is told nothing more.
        let Some(conn) = self.conns.find(id).filter(|conn| conn.life == Life::Open) else { return };
        let Missed { count, mentions, floor } = missed;
        // There is no MISSED for IRC: what is not for the account itself is over.
        let left = if conn.door.as_irc().is_some() { mentions } else { count };
        let Some(past) = &mut conn.past else { return };
        past.set_floor(floor);
        past.is_behind &= left > 0;
        if is_told && count > 0 {
            self.reply(id, &Reply::Notice(Notice::Missed(missed)));
        }
    }
}
