//! Deadlines: what is due is done, and what may become due is armed.

use super::conn::{Life, Pause};
use super::reactor::Reactor;
use super::token::ConnId;
use crate::close::CloseReason;
use crate::limits::{TIMER_WORK, TURN_WORK_ENDS};

impl Reactor {
    /// Does what is due. A timer that fires for nothing is armed again for what it was moved to.
    pub(super) fn expire(&mut self) {
        while self.turn_work < TURN_WORK_ENDS
            && let Some(id) = self.timers.pop_due(self.clock.now)
        {
            self.turn_work += TIMER_WORK;
            if let Some(conn) = self.conn(id) {
                conn.armed = super::clock::NEVER;
                self.touched.push(id);
                self.guard(id, |reactor| reactor.on_due(id));
            }
        }
        self.end_silences();
        if self.accept_retry <= self.clock.now {
            self.retry_accept();
        }
        if self.crest.due <= self.clock.now {
            self.slim();
        }
        self.log_sums();
        if self.stats_due <= self.clock.now {
            self.log_stats();
        }
    }

    fn on_due(&mut self, id: ConnId) {
        let now = self.clock.now;
        let (login, limits) = (&self.tuning.login, &self.tuning.limits);
        let Some(conn) = self.conns.peek(id) else { return };
        match &conn.life {
            Life::Gone => {}
            Life::Draining(farewell) | Life::Lingering(farewell) => {
                if farewell.due <= now {
                    self.end_farewell(id);
                }
            }
            Life::Open if !conn.door.is_logged_in() && conn.login_due(login) <= now => {
                self.close(id, CloseReason::LoginTooLong);
            }
            Life::Open if conn.line_due(limits) <= now => self.close(id, CloseReason::LineNeverEnded),
            Life::Open if conn.soft_due(limits) <= now => self.close(id, CloseReason::TooSlow),
            Life::Open if conn.hard_due(limits) <= now => self.on_hard_due(id),
            Life::Open if conn.watch.due() <= now => self.look_for(id),
            Life::Open => self.end_pause(id),
        }
    }

    fn end_pause(&mut self, id: ConnId) {
        let now = self.clock.now;
        let Some(conn) = self.conn(id) else { return };
        match conn.pause {
            Pause::Pace { due, .. } if due <= now => self.resume(id),
            Pause::Delay { due, answer, .. } if due <= now => {
                self.resume(id);
                self.on_late(id, answer);
            }
            Pause::None | Pause::Verdict(_) | Pause::Owing(_) | Pause::Pace { .. } | Pause::Delay { .. } => {}
        }
    }

    /// Arms the timers of those whose deadlines may have changed in this turn.
    pub(super) fn arm(&mut self) {
        while let Some(id) = self.touched.pop() {
            if let Some(conn) = self.conns.find(id) {
                let due = conn.next_due(&self.tuning.login, &self.tuning.limits);
                self.timers.arm(id, &mut conn.armed, due);
            }
        }
    }
}
