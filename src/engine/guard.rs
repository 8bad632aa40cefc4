//! Faults of the server's own: a panic in what one connection asked for ends that connection, and nobody else's.
//!
//! What is done for one connection runs inside [`Engine::guard`]: its lines, its verdicts, its deadlines. What is done
//! for all (accepting, flushing, reaping) does not: a fault there is everybody's, and ends the process for its
//! supervisor.
//!
//! Why the loop may go on after a panic:
//!
//! * What was taken out of it (the scratch buffer) is held outside of the guard, so it is put back in any case.
//! * A hub that has carried out a command has events to tell. Those of the broken one are told like any others,
//!   for others are owed them; so what the hub says has happened has happened for everybody. A frame is encoded before
//!   the first outbox gets it, and from there on nothing is computed that can fail: of those who hear in one spelling,
//!   a message is heard by all or by none.
//! * What the hub was in the middle of may be half done: a place in a room, say, whose holder the list does not name.
//!   No code there trusts the one to find the other, so the worst is that somebody is missed or listed wrongly in that
//!   room.
//! * A frame that broke in the middle leaves nothing in an outbox, and in a page only bytes that no piece refers to.
//! * A guest whose connection broke may be in a room without knowing its token: it leaves.
//! * The connection is closed like any other. If that panics too, what is broken is not one connection's.
//!
//! Many faults in a short time are no accident: the process ends, and its supervisor starts a sound one. So it does
//! when the account thread has met one, for that does not come back, and without it nobody can log in or register any
//! more.

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

impl<S> Engine<S> {
    /// Does something for one connection, which alone is closed if that panics. `None` then.
    pub(super) fn guard<T>(&mut self, id: ConnId, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let was_open = self.conns.peek(id).is_some_and(|conn| conn.life == Life::Open);
        // Who looks at the reactor after a panic is `recover`, which knows what may be broken.
        let result = catch_unwind(AssertUnwindSafe(|| work(self))).ok();
        if result.is_none() {
            self.recover(Self::deliver);
            if self.conns.peek(id).is_some_and(|conn| !conn.door.is_dialogue()) {
                self.command_unanswered(id.session(), Command::Leave);
            }
            if was_open {
                self.close(id, CloseReason::Internal);
            } else {
                self.cut_off(id);
            }
        }
        result
    }

    /// Does something that came by no connection, such as a datagram. If that panics it is dropped, and nobody is told.
    pub(super) fn guard_unanswered(&mut self, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            self.recover(Self::deliver_unanswered);
        }
    }

    /// After a panic: counts it, and tells what is still to be told. Each event is taken before it is told, so this
    /// comes to an end even if every one of them panics.
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

/// The faults of late.
#[derive(Debug, Default)]
pub(super) struct Faults {
    times: VecDeque<Millis>,
    is_fatal: bool,
}

impl Faults {
    /// Whether the process is to end for them.
    pub(super) fn is_fatal(&self) -> bool {
        self.is_fatal
    }

    /// Notes one. True when it is the one that makes them too many; that is for good.
    fn note(&mut self, now: Millis) -> bool {
        self.times.push_back(now);
        while self.times.front().is_some_and(|first| *first + FAULTS_WINDOW_MS <= now) {
            self.times.pop_front();
        }
        self.times.len() >= FAULTS && !std::mem::replace(&mut self.is_fatal, true)
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
