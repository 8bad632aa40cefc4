//! When each line is due. Without a clock.

use super::run::SECOND;

/// An even schedule for all senders: each sends `rate` lines a second, and they take turns, so that no two lines are
/// due at the same time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rhythm {
    begin: u64,
    /// Nanoseconds between two lines of all senders together.
    step: f64,
    senders: u64,
}

impl Rhythm {
    /// A schedule that begins at `begin`. There must be a sender.
    pub(super) fn new(begin: u64, rate: f64, senders: usize) -> Self {
        let senders = senders.max(1) as u64;
        Self { begin, step: SECOND as f64 / (rate * senders as f64), senders }
    }

    /// When the n-th line of all is due, in nanoseconds of the run.
    pub(super) fn due(&self, line: u64) -> u64 {
        self.begin + (line as f64 * self.step) as u64
    }

    /// The sender of the n-th line of all.
    pub(super) fn sender(&self, line: u64) -> usize {
        (line % self.senders) as usize
    }

    /// When a sender's n-th line is due.
    pub(super) fn due_of(&self, sender: usize, line: u64) -> u64 {
        self.due(line * self.senders + sender as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voices_take_turns_at_even_distances() {
        let rhythm = Rhythm::new(500, 10.0, 4);
        let dues: Vec<u64> = (0..5).map(|line| rhythm.due(line)).collect();
        assert_eq!(dues, [500, 25_000_500, 50_000_500, 75_000_500, 100_000_500]);
        assert_eq!((0..5).map(|line| rhythm.sender(line)).collect::<Vec<_>>(), [0, 1, 2, 3, 0]);
        assert_eq!(rhythm.due_of(3, 0), rhythm.due(3));
        assert_eq!(rhythm.due_of(1, 2), rhythm.due(9));
    }

    #[test]
    fn a_day_at_a_million_a_second_does_not_drift() {
        let rhythm = Rhythm::new(0, 1_000_000.0, 1);
        assert_eq!(rhythm.due(86_400_000_000), 86_400 * SECOND);
    }
}
