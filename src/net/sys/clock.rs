//! The loop's clock: read once per turn, so that everything in a turn happens at one time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::engine::Millis;

/// The time in this turn.
#[derive(Debug)]
pub(crate) struct Clock {
    began: Instant,
    turn_began: Instant,
    /// Unix time of the start, in seconds.
    pub(crate) started_s: u64,
    /// Monotonic milliseconds.
    pub(crate) now: Millis,
    /// Unix time in milliseconds: for message ids and the expiry of tokens, never for a limit.
    pub(crate) unix_ms: u64,
    /// How long the last wait was.
    pub(crate) silence: Duration,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let began = Instant::now();
        let mut clock = Self { began, turn_began: began, started_s: 0, now: 0, unix_ms: 0, silence: Duration::MAX };
        clock.read();
        clock.started_s = clock.unix_ms / 1_000;
        clock
    }

    /// Reads the time at the start of a turn. A clock before 1970 counts as 1970.
    pub(crate) fn read(&mut self) {
        self.turn_began = Instant::now();
        self.now = self.turn_began.duration_since(self.began).as_millis() as Millis;
        self.unix_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    }

    /// Duration of this turn so far.
    pub(crate) fn in_turn(&self) -> Duration {
        self.turn_began.elapsed()
    }
}
