//! How fast a user may talk: two leaky buckets, kept as the times at which they will be empty again (GCRA).

use super::time::Millis;
use crate::limits::Limits;

const MICROS_A_SECOND: u64 = 1_000_000;

/// Bytes against `limits.rate_bytes_per_s`, one second's worth at once.
#[derive(Debug, Default)]
pub(super) struct ByteBucket {
    /// When it is empty, in microseconds of the loop's clock.
    clear: u64,
}

impl ByteBucket {
    /// From when on more may be taken, in milliseconds.
    pub(super) fn free_at(&self, limits: &Limits) -> Millis {
        if limits.rate_bytes_per_s == 0 { 0 } else { self.clear.saturating_sub(MICROS_A_SECOND).div_ceil(1000) }
    }

    /// `bytes` bytes were taken at `now`.
    pub(super) fn spend(&mut self, bytes: usize, now: Millis, limits: &Limits) {
        let cost = (bytes as u64 * MICROS_A_SECOND).checked_div(u64::from(limits.rate_bytes_per_s));
        self.clear = self.clear.max(now * 1000) + cost.unwrap_or(0);
    }

    /// Takes `bytes` bytes at `now` if that is within the rate; gives whether it is.
    pub(super) fn take(&mut self, bytes: usize, now: Millis, limits: &Limits) -> bool {
        let is_free = self.free_at(limits) <= now;
        if is_free {
            self.spend(bytes, now, limits);
        }
        is_free
    }
}

/// How much of its allowance a connection has used. A fresh one has used nothing.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// When the lines' bucket is empty, in microseconds of the loop's clock.
    lines_clear: u64,
    bytes: ByteBucket,
}

impl Rate {
    /// From when on another line may be taken.
    pub(super) fn free_at(&self, limits: &Limits) -> Millis {
        let line_ahead = line_cost(limits) * u64::from(limits.rate_burst.max(1) - 1);
        let lines_free = self.lines_clear.saturating_sub(line_ahead);
        let lines_free = if limits.rate_lines_per_s == 0 { 0 } else { lines_free.div_ceil(1000) };
        lines_free.max(self.bytes.free_at(limits))
    }

    /// A line of `bytes` bytes was taken at `now`.
    pub(super) fn spend(&mut self, bytes: usize, now: Millis, limits: &Limits) {
        self.lines_clear = self.lines_clear.max(now * 1000) + line_cost(limits);
        self.bytes.spend(bytes, now, limits);
    }

    /// When nothing of the allowance is used any more.
    pub(super) fn clear_at(&self) -> Millis {
        self.lines_clear.max(self.bytes.clear).div_ceil(1000)
    }

    /// The bytes that this user may send, by whatever way.
    pub(super) fn bytes(&mut self) -> &mut ByteBucket {
        &mut self.bytes
    }
}

/// What a line adds to its bucket, in microseconds.
fn line_cost(limits: &Limits) -> u64 {
    MICROS_A_SECOND.checked_div(u64::from(limits.rate_lines_per_s)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many lines of `bytes` bytes are taken within `time` milliseconds from `start` on.
    fn taken(bytes: usize, start: Millis, time: Millis, limits: &Limits) -> usize {
        let (mut rate, mut count) = (Rate::default(), 0);
        for now in start..start + time {
            while rate.free_at(limits) <= now && count < 100_000 {
                rate.spend(bytes, now, limits);
                count += 1;
            }
        }
        count
    }

    #[track_caller]
    fn check(bytes: usize, time: Millis, expected: std::ops::RangeInclusive<usize>) {
        for start in [0, 123_456] {
            let count = taken(bytes, start, time, &Limits::default());
            assert!(expected.contains(&count), "{count} lines of {bytes} bytes in {time} ms");
        }
    }

    #[test]
    fn a_burst_then_a_rate() {
        check(10, 1, 40..=40);
        check(10, 1_001, 50..=50);
        check(10, 10_001, 140..=140);
    }

    #[test]
    fn bytes_count_too() {
        check(4096, 1, 4..=5);
        check(4096, 10_001, 44..=45);
    }

    #[test]
    fn lifted_rules_do_not_hold() {
        let limits = Limits { rate_lines_per_s: 0, rate_bytes_per_s: 0, ..Limits::default() };
        assert_eq!(taken(4096, 5, 1, &limits), 100_000);
    }
}
