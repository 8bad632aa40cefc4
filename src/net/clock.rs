//! The loop's clock: read once a turn, so that all that happens in a turn happens at one time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds of monotonic time since the loop began. Every limit runs on these.
pub(crate) type Millis = u64;

/// A time that never comes.
pub(super) const NEVER: Millis = Millis::MAX;

/// What time it is in this turn.
#[derive(Debug)]
pub(super) struct Clock {
    began: Instant,
    turn_began: Instant,
    /// Monotonic.
    pub(super) now: Millis,
    /// Unix time in milliseconds: for the ids of messages and the expiry of tokens, never for a limit.
    pub(super) unix_ms: u64,
}

impl Clock {
    pub(super) fn new() -> Self {
        let began = Instant::now();
        let mut clock = Self { began, turn_began: began, now: 0, unix_ms: 0 };
        clock.read();
        clock
    }

    /// Reads the time: a turn begins. A clock before 1970 counts as 1970.
    pub(super) fn read(&mut self) {
        self.turn_began = Instant::now();
        self.now = self.turn_began.duration_since(self.began).as_millis() as Millis;
        self.unix_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    }

    /// How long this turn has taken so far.
    pub(super) fn in_turn(&self) -> Duration {
        self.turn_began.elapsed()
    }
}

/// Seconds as the loop counts them.
pub(super) fn seconds(count: u32) -> Millis {
    Millis::from(count) * 1000
}
