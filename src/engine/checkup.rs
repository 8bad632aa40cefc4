//! The checkup: what the engine reports of itself to [`degraded`](super::degraded), and the readers that it ends while
//! memory is short.

use super::Engine;
use super::degraded::{Part, State};
use super::life::{End, Life};
use super::time::{Millis, NEVER};
use crate::close::CloseReason;
use crate::door::Class;
use crate::limits::{CHECKUP_MS, DEGRADED_SOFT_MS, SLOW_SECONDS, SLOW_TURN_US};

/// What is checked once a second while turns happen.
#[derive(Debug)]
pub(super) struct Checkup {
    /// When the next one is due; [`NEVER`] before the next turn.
    pub(super) due: Millis,
    slow: SlowSeconds,
    /// Log lines that were dropped, at the last look.
    log_lines_dropped: u64,
}

/// The first and the last of the latest seconds in a row in which a turn was long.
#[derive(Clone, Copy, Debug, Default)]
struct SlowSeconds(Option<(u64, u64)>);

impl Checkup {
    /// Nothing is due.
    pub(super) fn new() -> Self {
        Self { due: NEVER, slow: SlowSeconds::default(), log_lines_dropped: 0 }
    }

    /// A turn begins.
    pub(super) fn begin_turn(&mut self, now: Millis) {
        if self.due == NEVER {
            self.due = now + CHECKUP_MS;
        }
    }
}

impl SlowSeconds {
    /// A turn that began at `now` was long: it took `us` microseconds. True if turns were long in enough seconds.
    fn note(&mut self, now: Millis, us: u64) -> bool {
        let (began, ended) = (now / 1_000, (now + us / 1_000) / 1_000);
        let first = self.0.filter(|(_, last)| began <= last + 1).map_or(began, |(first, _)| first);
        self.0 = Some((first, ended));
        ended + 1 - first >= SLOW_SECONDS
    }
}

impl<S> Engine<S> {
    /// True if a checkup is due; the owner of the log calls [`note_log`](Self::note_log) then.
    pub fn is_checkup_due(&self) -> bool {
        self.checkup.due <= self.now
    }

    /// The number of log lines that were dropped since the start.
    pub fn note_log(&mut self, lines_dropped: u64) {
        if lines_dropped > self.checkup.log_lines_dropped {
            self.checkup.log_lines_dropped = lines_dropped;
            self.pulse(Part::LogBehind, "lines were dropped, because the log is written too slowly");
        }
    }

    /// Looks at everything that says nothing by itself when it is well again.
    pub(super) fn check_up(&mut self) {
        if !self.is_checkup_due() {
            return;
        }
        self.checkup.due = NEVER;
        self.check_places();
        self.check_certificates();
        if self.is_memory_short() {
            self.checkup.due = self.now + CHECKUP_MS;
            self.close_large_debtors();
        } else {
            self.handle_part(Part::Memory, State::Well);
        }
    }

    /// Notes a long turn.
    pub(super) fn note_turn_length(&mut self, us: u64) {
        if us > SLOW_TURN_US && self.checkup.slow.note(self.now, us) {
            self.pulse(Part::Overloaded, "a turn of the loop took more than 50 ms in each of the last 10 seconds");
        }
    }

    /// Reports whether all places are taken.
    pub(super) fn check_places(&mut self) {
        let state =
            if self.gate.is_full(Class::Chat) { State::Ill("limits.connections are open".into()) } else { State::Well };
        self.handle_part(Part::Full, state);
    }

    /// Reports whether a certificate has expired.
    pub(super) fn check_certificates(&mut self) {
        let now = self.unix_ms / 1_000;
        let expired = self.metrics.listeners.iter().find(|listening| listening.not_after.is_some_and(|end| end < now));
        let state = expired
            .map_or(State::Well, |listening| State::Ill(format!("that of {} is out of date", listening.name).into()));
        self.handle_part(Part::CertificateExpired, state);
    }

    /// Reports that memory is short as soon as it is.
    pub(super) fn check_memory(&mut self) {
        if self.is_memory_short() {
            let cause = "unread output takes more than 3/4 of limits.owed_total_bytes";
            self.handle_part(Part::Memory, State::Ill(cause.into()));
        }
    }

    fn is_memory_short(&self) -> bool {
        let bound = self.settings.limits.owed_total_bytes;
        self.pages.owed_bytes() > bound - bound / 4
    }

    /// A part was ill for a moment.
    fn pulse(&mut self, part: Part, cause: &'static str) {
        self.handle_part(part, State::Ill(cause.into()));
        self.handle_part(part, State::Well);
    }

    /// Closes the connections that hold the larger half of the memory, if they have owed more than
    /// `limits.owed_soft_bytes` for a second. Connections that wait for the same public messages share their memory, so
    /// each of them holds little.
    fn close_large_debtors(&mut self) {
        let half = self.pages.owed_bytes() / 2;
        let mut sum = 0;
        self.turn.work += self.conns.len();
        for (memory, id) in self.debtors() {
            if sum >= half {
                break;
            }
            sum += memory.0;
            let now = self.now;
            let Some(conn) = self.conns.find(id) else { continue };
            if conn.life == Life::Open && conn.soft_since.saturating_add(DEGRADED_SOFT_MS) <= now {
                self.schedule_close(id, End::Closed(CloseReason::TooSlow));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: u64 = SLOW_TURN_US + 1;

    #[track_caller]
    fn check(turns: &[(Millis, u64)], expected: bool) {
        let mut slow = Checkup::new().slow;
        let found = turns.iter().fold(false, |_, (now, us)| slow.note(*now, *us));
        assert_eq!(found, expected, "{turns:?}");
    }

    #[test]
    fn ten_slow_seconds_in_a_row() {
        let row = |count: u64| (0..count).map(|n| (5_500 + n * 1_000, LONG)).collect::<Vec<_>>();
        check(&row(9), false);
        check(&row(10), true);
        let with_gap: Vec<_> = row(12).into_iter().filter(|(now, _)| *now != 9_500).collect();
        check(&with_gap, false);
        let at_once: Vec<_> = (0..100).map(|n| (5_000 + n, LONG)).collect();
        check(&at_once, false);
        // From the start of the server on.
        let from_zero: Vec<_> = (0..10).map(|n| (n * 1_000, LONG)).collect();
        check(&from_zero, true);
        // Turns that last for seconds are slow in each of them.
        check(&[(5_000, 4_000_000), (9_100, 4_000_000), (13_200, 1_000_000)], true);
    }
}
