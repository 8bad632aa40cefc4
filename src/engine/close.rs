//! The end of connections: a closing message, draining, lingering, reset or close.

use std::borrow::Cow;

use super::Engine;
use super::conn::Conn;
use super::id::ConnId;
use super::io::{Finished, Gone, InFlight, Probe, Why};
use super::life::{End, Input, Life, Linger, Parting};
use super::log_limit::Subject;
use super::login::ToAccounts;
use super::pause::Pause;
use super::stage::Stage;
use super::time::{Millis, NEVER};
use crate::close::CloseReason;
use crate::door::Door;
use crate::door::reply::Reply;
use crate::hub::command::Command;
use crate::limits::{CLOSE_MS, END_WORK, LEAVE_MS, LINGER_MS, TURN_WORK_ENDS, WEB_ANSWER_MS};

/// The state of the shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The server runs.
    No,
    /// All connections have got a closing message; those that are still open at this time are reset.
    Until(Millis),
}

/// How the session of a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Going {
    /// The client has said goodbye, or ended its stream.
    Left {
        /// Why, for others.
        text: Option<Box<str>>,
    },
    /// Anything else: the user may come back at once.
    Cut,
}

impl Ending {
    /// When it is over in any case.
    pub(super) fn due(self) -> Millis {
        match self {
            Self::No => NEVER,
            Self::Until(due) => due,
        }
    }
}

impl<S> Engine<S> {
    /// Schedules the end of a connection. Its rooms are notified, so a thousand ends at once are a million frames: they
    /// are carried out over several turns. The first reason counts.
    pub(super) fn schedule_close(&mut self, id: ConnId, end: End) {
        if let Some(conn) = self.conns.find(id)
            && conn.end.is_none()
        {
            conn.end = Some(Box::new(end));
            self.closes.push_back(id);
        }
    }

    /// Carries out scheduled closes, as many as this turn has room for.
    pub fn run_closes(&mut self) {
        while self.turn.work < TURN_WORK_ENDS
            && let Some(id) = self.closes.pop_front()
        {
            let Some(end) = self.conns.find(id).and_then(|conn| conn.end.take()) else { continue };
            self.guard(id, |engine| match *end {
                End::Broken => engine.drop_now(id),
                End::Vanished => engine.part_as(id, Parting::Reset),
                End::Closed(reason) => engine.close(id, reason),
            });
        }
        self.forget_deleted();
    }

    /// Ends several connections for one reason: as many as this turn has room for, and the others in the next turns.
    /// Those are not read any more.
    pub(super) fn close_all(&mut self, ids: &[ConnId], reason: &CloseReason) {
        for id in ids {
            if self.turn.work < TURN_WORK_ENDS {
                self.close(*id, reason.clone());
            } else {
                self.schedule_close(*id, End::Closed(reason.clone()));
            }
        }
    }

    /// Ends a connection for a reason, which its client receives, and which is logged and counted.
    pub(super) fn close(&mut self, id: ConnId, reason: CloseReason) {
        self.close_with(id, reason, |door, reason, out| door.encode_reply(&Reply::Closing(reason), out));
    }

    /// The same; `tell` encodes what the client receives.
    pub(super) fn close_with(
        &mut self,
        id: ConnId,
        reason: CloseReason,
        tell: impl FnOnce(&mut Door, CloseReason, &mut Vec<u8>),
    ) {
        let Some(conn) = self.conns.find(id).filter(|conn| conn.life == Life::Open) else { return };
        let from = conn.origin;
        let subject = match self.account_of(id) {
            None if reason == CloseReason::TlsFailed => Subject::TlsFailed,
            Some(_) => Subject::Closed(reason.name()),
            None => Subject::ClosedStranger(reason.name()),
        };
        self.log_peer(subject, from.ip(), |engine| format!("421 {reason}: {} from {from}", engine.known_name(id)));
        self.counters.count_closed(&reason);
        self.part(id, Going::Cut);
        if reason == CloseReason::TlsFailed {
            return self.drain_untold(id);
        }
        if self.conns.peek(id).is_some_and(|conn| !conn.stage.can_tell()) {
            return self.drop_untold(id);
        }
        if let Some(Conn { outbox, door, stage, .. }) = self.conns.find(id) {
            *stage = Stage::Open;
            if reason.drops_queue() {
                outbox.drop_all_but_begun(&mut self.pages);
            }
            outbox.push_own(&mut self.pages, |out| tell(door, reason, out));
        }
        self.drain(id, false);
    }

    /// The client has said goodbye, or ended its stream: its output is still sent.
    pub(super) fn leave(&mut self, id: ConnId) {
        self.leave_saying(id, None);
    }

    /// The same. Others get the text.
    pub(super) fn leave_saying(&mut self, id: ConnId, text: Option<Box<str>>) {
        if self.conns.find(id).is_none_or(|conn| conn.life != Life::Open) {
            return;
        }
        self.counters.left += 1;
        self.part(id, Going::Left { text });
        if self.conns.peek(id).is_some_and(|conn| !conn.stage.can_tell()) {
            return self.drop_untold(id);
        }
        if let Some(Conn { outbox, door, stage, .. }) = self.conns.find(id) {
            *stage = Stage::Open;
            outbox.push_own(&mut self.pages, |out| door.end(out));
        }
        self.drain(id, true);
    }

    /// The connection is broken: nothing is sent any more.
    pub(super) fn drop_now(&mut self, id: ConnId) {
        self.part_as(id, Parting::Closed);
    }

    fn part_as(&mut self, id: ConnId, parting: Parting) {
        let Some(conn) = self.conns.find(id) else { return };
        if conn.life == Life::Open {
            self.counters.left += 1;
            self.part(id, Going::Cut);
        }
        self.drop_guest(id);
        self.mark_closed(id, parting);
    }

    /// Ends the session of a connection. Its output is still sent.
    fn part(&mut self, id: ConnId, going: Going) {
        self.turn.work += END_WORK;
        self.leave_public(id);
        self.leave_desk(id);
        let Some(conn) = self.conns.find(id) else { return };
        let is_dialogue = conn.door.is_dialogue();
        let pause = std::mem::replace(&mut conn.pause, Pause::None);
        (conn.held, conn.claim) = (None, None);
        self.note_lag(id, false);
        match pause {
            Pause::Checking { .. } => self.logins.ask(ToAccounts::Cancel(id)),
            Pause::Recalling { what, .. } => self.abandon_recall(what),
            Pause::None | Pause::Owing { .. } | Pause::Answering { .. } | Pause::Until { .. } | Pause::Delay { .. } => {
            }
        }
        self.end_past(id);
        self.keep_allowance(id);
        // At a shutdown no one is left to be notified.
        if is_dialogue && self.ending == Ending::No {
            match going {
                Going::Left { text } => {
                    self.command(id, Command::Leave { text: text.map(|text| Cow::Owned(text.into())) })
                }
                Going::Cut => self.cut_session(id),
            }
        }
    }

    /// Keeps what the account has used of its rates for its next login.
    fn keep_allowance(&mut self, id: ConnId) {
        let Some(name) = self.hub.name_of(id.session()) else { return };
        if let Some(conn) = self.conns.find(id) {
            self.logins.allowances.keep(name, std::mem::take(&mut conn.rate), self.now);
        }
    }

    /// Begins to linger: the flush sends what is owed, the read phase discards input, and the timer ends both.
    pub(super) fn drain(&mut self, id: ConnId, is_left: bool) {
        if let Some(conn) = self.conns.find(id) {
            let time = match is_left {
                false => CLOSE_MS,
                true if conn.door.is_fetching() => WEB_ANSWER_MS,
                true => LEAVE_MS,
            };
            let last = self.now + time;
            conn.life = Life::Draining(Box::new(Linger { due: last, last, is_left }));
        }
        self.mark_direct(id);
        self.enqueue(id);
        self.touched.push(id);
    }

    /// The kernel has everything that a closing connection was owed: our side of the stream ends.
    pub(super) fn on_drained(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find(id).filter(|conn| matches!(conn.life, Life::Draining(_))) else { return };
        // By TLS the end is a message, which a client that has ended its side still reads.
        if conn.input == Input::Ended && !conn.is_tls {
            return self.mark_closed(id, Parting::Closed);
        }
        self.finish_stream(id);
    }

    /// Our side of a stream was ended, as [`poll_finish`](Self::poll_finish) asked.
    pub fn handle_finished(&mut self, id: ConnId, finished: Finished) {
        let now = self.now;
        let Some(conn) = self.conns.find(id) else { return };
        let Life::Draining(linger) = &conn.life else { return };
        let linger = **linger;
        if let Finished::Sealed { sealed } = finished {
            conn.is_blocked = true;
            return self.note_sealed(id, sealed);
        }
        if finished == Finished::Failed || conn.input == Input::Ended {
            return self.mark_closed(id, Parting::Closed);
        }
        let last = linger.last.min(now + CLOSE_MS);
        conn.life = Life::Lingering(Box::new(Linger { due: last.min(now + LINGER_MS), last, ..linger }));
        self.touched.push(id);
    }

    /// A closing client has ended its stream.
    pub(super) fn on_end_while_closing(&mut self, id: ConnId) {
        if self.conns.find(id).is_some_and(|conn| matches!(conn.life, Life::Lingering(_))) {
            self.mark_closed(id, Parting::Closed);
        }
    }

    /// A closing connection has reached its deadline. A client that received everything and does not close its side is
    /// reset, so that clients that wait for their user (such as `nc`) end. A client that has not received everything
    /// gets more time, up to a limit; then it is reset, unless it left by itself: the kernel then goes on delivering
    /// for as long as the client acknowledges.
    pub(super) fn on_linger_due(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find(id) else { return };
        match conn.life {
            Life::Draining(_) => self.cut_off(id),
            Life::Lingering(_) => self.probes.push_back(Probe { id, why: Why::Lingering }),
            Life::Open | Life::Gone(_) => {}
        }
    }

    /// Takes the state of a lingering connection: reset, closed, or given more time.
    pub(super) fn on_lingering(&mut self, id: ConnId, in_flight: InFlight) {
        let now = self.now;
        let Some(conn) = self.conns.find(id) else { return };
        let Life::Lingering(linger) = &mut conn.life else { return };
        let has_all = in_flight.unacknowledged == Some(0);
        if !has_all && now < linger.last {
            linger.due = linger.last.min(now + LINGER_MS);
            self.touched.push(id);
        } else if linger.is_left && (!has_all || !conn.door.is_dialogue()) {
            self.mark_closed(id, Parting::Closed);
        } else {
            self.cut_off(id);
        }
    }

    /// Resets a connection at once, whatever it is owed.
    pub(super) fn cut_off(&mut self, id: ConnId) {
        self.drop_guest(id);
        let Some(conn) = self.conns.find(id) else { return };
        conn.outbox.clear(&mut self.pages);
        self.mark_closed(id, Parting::Reset);
    }

    pub(super) fn mark_closed(&mut self, id: ConnId, parting: Parting) {
        if let Some(conn) = self.conns.find(id) {
            conn.life = Life::Gone(parting);
            self.gone.push(id);
        }
    }

    /// The next connection that has ended, to be closed. Slots are freed only here, so no slot is used again within a
    /// batch of events.
    pub fn poll_gone(&mut self) -> Option<Gone<S>> {
        loop {
            let id = self.gone.pop()?;
            let Some(mut conn) = self.conns.remove(id) else { continue };
            let last_look = conn.last_look();
            conn.outbox.clear(&mut self.pages);
            self.pages.heap_bytes -= u64::from(conn.sealed);
            self.timers.disarm(id, &mut conn.armed);
            if self.desk.traces.has(id) {
                self.end_traces_of(id);
            }
            self.gate.release(conn.door.class(), conn.origin, conn.standing);
            self.relay.uncount(&conn.door);
            self.uncount_irc(&conn.door);
            self.end_exchange(id, conn.door.class());
            if self.gone.is_empty() {
                self.note_peers();
            }
            return Some(Gone { socket: conn.socket, is_reset: conn.life == Life::Gone(Parting::Reset), last_look });
        }
    }
}
