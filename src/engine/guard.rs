//! Faults of the server: a panic while a connection is served ends that connection only.
//!
//! Work for one connection runs inside [`Engine::guard`]: its lines, verdicts and deadlines. Work for all of them
//! (accepting, flushing, reaping) does not: a fault there affects everything, and ends the process for its supervisor.
//!
//! Why the loop may continue after a panic:
//!
//! * The scratch buffer is held outside of the guard, so it is put back in any case.
//! * A hub that has carried out a command has events to deliver. Those of the broken command are delivered like any
//!   others, since other users depend on them. A frame is encoded before the first outbox gets it, and nothing that can
//!   fail is computed afterwards: of the receivers with one spelling, all get a message or none.
//! * A change of the hub may be half done: for example, a place in a room whose holder the list does not
//!   name. No code relies on the two being consistent, so the worst effect is that a member is missed or listed wrongly
//!   in that room.
//! * A frame that was not finished leaves nothing in an outbox, and in a page only bytes that no piece refers to.
//! * A guest whose connection broke may be in a room without knowing its token: it leaves.
//! * The connection is closed like any other. If that panics too, the fault is not limited to one connection.
//!
//! Many faults in a short time are no accident: the process ends, and its supervisor starts a new one. It also ends if
//! the account thread has panicked, since that thread does not come back, and without it no login or registration is
//! possible.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use log::error;

use super::Engine;
use super::id::ConnId;
use super::life::Life;
use super::time::Millis;
use crate::close::CloseReason;
pub(super) use crate::failpoint::failpoint;
use crate::hub::command::Command;
use crate::limits::{FAULTS, FAULTS_WINDOW_MS};

/// The recent faults.
#[derive(Debug, Default)]
pub(super) struct Faults {
    times: VecDeque<Millis>,
    is_fatal: bool,
}

impl Faults {
    /// True if the process must end because of them.
    pub(super) fn is_fatal(&self) -> bool {
        self.is_fatal
    }

    /// Records a fault. True if it is the one that makes them too many; that state is final.
    fn note(&mut self, now: Millis) -> bool {
        self.times.push_back(now);
        while self.times.front().is_some_and(|first| *first + FAULTS_WINDOW_MS <= now) {
            self.times.pop_front();
        }
        self.times.len() >= FAULTS && !std::mem::replace(&mut self.is_fatal, true)
    }
}

impl<S> Engine<S> {
    /// Does something for one connection. If that panics, only this connection is closed, and the result is `None`.
    pub(super) fn guard<T>(&mut self, id: ConnId, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let was_open = self.conns.peek(id).is_some_and(|conn| conn.life == Life::Open);
        // After a panic only `recover` uses the engine; it knows what may be broken.
        let result = catch_unwind(AssertUnwindSafe(|| work(self))).ok();
        if result.is_none() {
            self.recover(Self::deliver);
            if self.conns.peek(id).is_some_and(|conn| !conn.door.is_dialogue()) {
                self.command_unanswered(id.session(), Command::Leave { text: None });
            }
            if was_open {
                self.close(id, CloseReason::Internal);
            } else {
                self.cut_off(id);
            }
        }
        result
    }

    /// Does something that came by no connection, such as a datagram. If that panics it is dropped, without a reply.
    pub(super) fn guard_unanswered(&mut self, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            self.recover(Self::deliver_unanswered);
        }
    }

    /// After a panic: counts it, and delivers the remaining events. Each event is removed before its delivery, so this
    /// ends even if every one of them panics.
    fn recover(&mut self, deliver: impl Fn(&mut Self)) {
        self.on_fault();
        while catch_unwind(AssertUnwindSafe(|| deliver(self))).is_err() {
            self.on_fault();
        }
    }

    fn on_fault(&mut self) {
        self.counters.panics += 1;
        if self.faults.note(self.now) {
            error!("internal error: {FAULTS} panics in {} s; stopping with exit code 1", FAULTS_WINDOW_MS / 1000);
            self.stop();
        }
    }

    /// The account thread has panicked.
    pub fn handle_accounts_lost(&mut self) {
        self.on_fault();
        self.faults.is_fatal = true;
        error!("internal error: nobody can log in or register any more; stopping with exit code 1");
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_in_a_minute_are_too_many() {
        let mut faults = Faults::default();
        // Nine at once, and one every seven seconds from there on: never ten in any minute.
        for now in (0..9).chain((1..100).map(|n| FAULTS_WINDOW_MS + n * 7_000)) {
            assert!(!faults.note(now), "{now}");
        }
        let mut faults = Faults::default();
        for n in 0..9 {
            assert!(!faults.note(n * 6_600));
        }
        assert!(!faults.is_fatal());
        assert!(faults.note(FAULTS_WINDOW_MS - 1));
        assert!(!faults.note(FAULTS_WINDOW_MS - 1), "told once");
        assert!(faults.is_fatal());
    }
}
