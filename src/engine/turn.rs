//! The turn: its bounds, its deadlines, its end.

use super::life::Life;
use super::time::{Millis, NEVER};
use super::{Engine, Settings};
use crate::close::CloseReason;
use crate::limits::{
    LOOK_WORK, TIMER_WORK, TURN_FRAMES_BYTES, TURN_FRAMES_BYTES_DATAGRAMS, TURN_WORK, TURN_WORK_ACCEPTS,
    TURN_WORK_DATAGRAMS, TURN_WORK_ENDS, TURN_WORK_LINES,
};

/// The work of this turn so far, and the bounds of its current phase.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// See [`TURN_WORK`].
    pub(super) work: usize,
    /// The work at which the phase ends.
    most: usize,
    /// Bytes of frames that the phase may queue.
    frames_most: usize,
}

/// The phases of a turn that have a share of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Accepting connections.
    Accepts,
    /// Receiving datagrams.
    Datagrams,
    /// Reading lines.
    Reads,
    /// Writing output.
    Writes,
}

impl<S> Engine<S> {
    /// Begins a turn at `now`, in milliseconds of a monotonic clock; `unix_ms` is the time since 1970.
    pub fn begin_turn(&mut self, now: Millis, unix_ms: u64) {
        (self.now, self.unix_ms) = (now, unix_ms);
        self.checkup.begin_turn(now);
        self.turn = Turn::default();
        self.reader.begin_turn();
    }

    /// Begins a phase of the turn.
    pub fn begin_phase(&mut self, phase: Phase) {
        let turn = &mut self.turn;
        turn.frames_most = usize::MAX;
        match phase {
            Phase::Accepts => turn.most = turn.work + TURN_WORK_ACCEPTS,
            Phase::Datagrams => {
                turn.most = turn.work + TURN_WORK_DATAGRAMS;
                turn.frames_most = TURN_FRAMES_BYTES_DATAGRAMS;
            }
            // Lines have their share whatever timers, ends and datagrams have cost.
            Phase::Reads => turn.work = turn.work.min(TURN_WORK - TURN_WORK_LINES),
            Phase::Writes => self.writer.begin(self.public.behind()),
        }
    }

    /// True if the phase of accepts or of datagrams may go on.
    pub fn has_share_left(&self) -> bool {
        let is_spent = self.turn.work >= self.turn.most || self.pages.turn_bytes() >= self.turn.frames_most;
        !is_spent && !self.datagrams.wants_flush()
    }

    /// True if the turn has done enough work, or queued enough bytes, that it must flush.
    pub(super) fn is_turn_full(&self) -> bool {
        self.pages.turn_bytes() >= TURN_FRAMES_BYTES || self.turn.work >= TURN_WORK || self.datagrams.wants_flush()
    }

    /// True if lines that come now would go out in the same writes as those of this turn: then it is worth to look for
    /// them. A look counts as work, so that a turn ends even if events that bring no line never cease.
    pub fn may_join(&mut self) -> bool {
        let is_worth = !self.public.is_settled() && self.reader.is_idle();
        let may_join = is_worth && self.reader.has_room() && !self.is_turn_full();
        if may_join {
            self.turn.work += LOOK_WORK;
        }
        may_join
    }

    /// Counts `events` of the poll that came while the turn read. Many of them bring no line, such as those of
    /// connections that are paused, and nothing else bounds these.
    pub fn note_joined(&mut self, events: usize) {
        self.reader.note_steps(events);
    }

    /// Whether there is more to do without waiting for anything.
    pub fn is_busy(&self) -> bool {
        !(self.reader.is_idle()
            && self.closes.is_empty()
            && self.writer.is_idle()
            && self.public.is_settled()
            && self.probes.is_empty()
            && !self.bans.is_busy()
            && !self.has_history_to_pass())
            || self.datagrams.may_flush()
    }

    /// When the next turn must begin even without events; [`NEVER`] if nothing is due.
    pub fn next_due(&self) -> Millis {
        [
            self.timers.next_due().unwrap_or(NEVER),
            self.datagrams.peers.next_due().unwrap_or(NEVER),
            self.log_limit.next_due().unwrap_or(NEVER),
            self.stats_due,
            self.checkup.due,
            self.degraded.next_due(),
            self.exchange_due(),
            self.history_due(),
            self.cuts_due(),
            self.desk.traces.next_due(),
            self.high_water.due,
            self.ending.due(),
        ]
        .into_iter()
        .fold(NEVER, Millis::min)
    }

    /// Handles what is due. A timer that fires too early is armed again for its real deadline.
    pub fn run_timers(&mut self) {
        while self.turn.work < TURN_WORK_ENDS
            && let Some(id) = self.timers.pop_due(self.now)
        {
            self.turn.work += TIMER_WORK;
            if let Some(conn) = self.conns.find(id) {
                conn.armed = NEVER;
                self.touched.push(id);
                self.guard(id, |engine| engine.on_due(id));
            }
        }
        self.run_exchanges();
        self.run_history();
        self.end_cuts();
        self.check_up();
        self.end_degraded();
        self.end_silences();
        self.run_leaves();
        self.end_due_traces();
        if self.high_water.due <= self.now {
            self.trim();
        }
        self.log_sums();
    }

    fn on_due(&mut self, id: super::ConnId) {
        let now = self.now;
        let Settings { login, limits, web, .. } = &self.settings;
        let Some(conn) = self.conns.peek(id) else { return };
        match &conn.life {
            Life::Gone(_) => {}
            Life::Draining(linger) | Life::Lingering(linger) => {
                if linger.due <= now {
                    self.on_linger_due(id);
                }
            }
            Life::Open if !conn.door.is_logged_in() && conn.login_due(login) <= now => {
                self.close(id, conn.stage.overdue());
            }
            Life::Open if conn.line_due(limits) <= now && conn.door.gap_ms().is_some() => self.on_silence(id),
            Life::Open if conn.line_due(limits) <= now => self.close(id, CloseReason::LineNeverEnded),
            Life::Open if conn.write_due() <= now => self.mark_direct(id),
            Life::Open if conn.soft_due(limits) <= now => self.close(id, CloseReason::TooSlow),
            Life::Open if conn.hard_due(limits) <= now => self.on_hard_due(id),
            Life::Open if conn.liveness.due() <= now => self.on_liveness_due(id),
            Life::Open if conn.web_due(web) <= now => self.on_web_due(id),
            Life::Open => self.end_pause(id),
        }
    }

    /// Ends the flush, and keeps memory under its bound.
    pub fn end_flush(&mut self) {
        self.public.trim(&mut self.pages);
        if self.writer.has_told_everybody() && self.public.is_settled() {
            self.public.clear(&mut self.pages);
            self.pages.turn_over(); // until then, new lines bring forth no more than one turn's frames
        }
        self.backpressure.turn_over();
        self.check_memory();
        self.bound_debts();
    }

    /// Ends the turn: arms the timers of connections whose deadlines may have changed.
    pub fn rearm(&mut self) {
        while let Some(id) = self.touched.pop() {
            if let Some(conn) = self.conns.find(id) {
                let due = conn.next_due(&self.settings);
                self.timers.arm(id, &mut conn.armed, due);
            }
        }
    }
}
