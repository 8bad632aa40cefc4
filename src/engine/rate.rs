//! How fast a user may send: lines and bytes, each with a token bucket.

use super::bucket::{Bucket, Quota};
use super::time::{Millis, Nanos, nanos};
use crate::limits::Limits;

const SECOND: Nanos = nanos(1000);

/// The usage of `limits.rate_lines_per_s` and `limits.rate_bytes_per_s` by one user. The default is no usage.
#[derive(Debug, Default)]
pub(super) struct Rate {
    lines: Bucket,
    bytes: Bucket,
}

impl Rate {
    /// The time from which another line may be taken, in milliseconds.
    pub(super) fn free_at(&self, limits: &Limits) -> Millis {
        let lines = lines_quota(limits).map_or(0, |quota| self.lines.free_at(&quota));
        let bytes = bytes_quota(limits).map_or(0, |quota| self.bytes.free_at(&quota));
        lines.max(bytes)
    }

    /// A line of `bytes` bytes was taken at `now`.
    pub(super) fn spend(&mut self, bytes: usize, now: Millis, limits: &Limits) {
        if let Some(quota) = lines_quota(limits) {
            self.lines.spend(1, now, &quota);
        }
        if let Some(quota) = bytes_quota(limits) {
            self.bytes.spend(bytes as u64, now, &quota);
        }
    }

    /// When nothing is used any more, in milliseconds.
    pub(super) fn full_at(&self) -> Millis {
        self.lines.full_at().max(self.bytes.full_at()).div_ceil(nanos(1))
    }

    /// The bucket of bytes, for what this user sends by other ways; see [`take_bytes`].
    pub(super) fn bytes(&mut self) -> &mut Bucket {
        &mut self.bytes
    }
}

/// Takes `bytes` bytes at `now` from a bucket of `limits.rate_bytes_per_s`. True if they are within the rate.
pub(super) fn take_bytes(bucket: &mut Bucket, bytes: usize, now: Millis, limits: &Limits) -> bool {
    bytes_quota(limits).is_none_or(|quota| bucket.take(bytes as u64, now, &quota))
}

/// `None` if lines are not limited.
fn lines_quota(limits: &Limits) -> Option<Quota> {
    Quota::by_one(limits.rate_lines_per_s, SECOND, limits.rate_burst)
}

/// One second's worth at once. `None` if bytes are not limited.
fn bytes_quota(limits: &Limits) -> Option<Quota> {
    Quota::by_many(limits.rate_bytes_per_s, SECOND)
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
