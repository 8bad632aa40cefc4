//! The token bucket: the one type behind all rates.

use super::time::{Millis, Nanos, nanos};

/// A token bucket (GCRA), full at first. It is kept as the time at which it is full again: nothing has to be counted
/// up, and it takes eight bytes. Its [`Quota`] is an argument of each call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    full_at: Nanos,
}

impl Bucket {
    /// When it is full again. In the past if nothing is used.
    pub(super) fn full_at(self) -> Nanos {
        self.full_at
    }

    /// From when on tokens may be taken, in milliseconds, rounded up.
    pub(super) fn free_at(self, quota: &Quota) -> Millis {
        self.full_at.saturating_sub(quota.ahead).div_ceil(nanos(1))
    }

    /// Takes `count` tokens at `now`, whether there are as many or not.
    pub(super) fn spend(&mut self, count: u64, now: Millis, quota: &Quota) {
        self.full_at = self.full_at.max(nanos(now)).saturating_add(quota.time_for(count));
    }

    /// Takes `count` tokens at `now` if any may be taken. True if so.
    pub(super) fn take(&mut self, count: u64, now: Millis, quota: &Quota) -> bool {
        let is_free = self.full_at <= nanos(now).saturating_add(quota.ahead);
        if is_free {
            self.spend(count, now, quota);
        }
        is_free
    }

    /// Puts `count` tokens back.
    pub(super) fn refund(&mut self, count: u64, quota: &Quota) {
        self.full_at = self.full_at.saturating_sub(quota.time_for(count));
    }
}

/// How fast a bucket refills, and how much may be taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quota {
    /// Tokens that come back in `window`.
    tokens: u64,
    window: Nanos,
    /// Tokens may be taken while the bucket is full again within this time. The tokens taken may exceed it.
    ahead: Nanos,
}

impl Quota {
    /// `tokens` come back in each `window`, and `burst` may be taken at once, one by one. `None` if `tokens` is 0.
    pub(super) fn by_one(tokens: u32, window: Nanos, burst: u32) -> Option<Self> {
        let price = window.checked_div(u64::from(tokens))?;
        let ahead = price.saturating_mul(u64::from(burst.saturating_sub(1)));
        Some(Self { tokens: u64::from(tokens), window, ahead })
    }

    /// `tokens` are refilled per `window`. Any number may be taken at once while less than a window's tokens are used.
    /// `None` if `tokens` is 0.
    pub(super) fn by_many(tokens: u32, window: Nanos) -> Option<Self> {
        (tokens > 0).then_some(Self { tokens: u64::from(tokens), window, ahead: window })
    }

    /// In how much time `count` tokens come back, rounded down to a nanosecond.
    fn time_for(&self, count: u64) -> Nanos {
        count.saturating_mul(self.window).checked_div(self.tokens).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many tokens are taken one by one at each of these times.
    #[track_caller]
    fn check(quota: Option<Quota>, count: u64, times: &[Millis], expected: &[usize]) {
        let (quota, mut bucket) = (quota.expect("a quota"), Bucket::default());
        let mut taken = Vec::new();
        for now in times {
            assert_eq!(bucket.free_at(&quota) <= *now, bucket.full_at() <= nanos(*now) + quota.ahead);
            taken.push((0..1000).take_while(|_| bucket.take(count, *now, &quota)).count());
        }
        assert_eq!(taken, expected, "{quota:?}");
    }

    #[test]
    fn a_burst_then_a_rate() {
        check(Quota::by_one(10, nanos(1000), 40), 1, &[0, 99, 100, 1100, 60_000], &[40, 0, 1, 10, 40]);
        check(Quota::by_one(1, nanos(20), 100), 1, &[5, 24, 25, 44], &[100, 0, 1, 0]);
        check(Quota::by_one(3, nanos(1000), 0), 1, &[0, 333, 334, 1_000_000], &[1, 0, 1, 1]);
    }

    #[test]
    fn many_at_once_may_exceed_the_burst() {
        check(Quota::by_many(1000, nanos(1000)), 600, &[0, 199, 200, 800], &[2, 0, 1, 1]);
        check(Quota::by_many(1000, nanos(1000)), 5000, &[0, 3999, 4000], &[1, 0, 1]);
    }

    #[test]
    fn what_is_put_back_may_be_taken_again() {
        let quota = Quota::by_one(2, nanos(600_000), 2).expect("a quota");
        let mut bucket = Bucket::default();
        assert_eq!([(); 3].map(|()| bucket.take(1, 7, &quota)), [true, true, false]);
        bucket.refund(1, &quota);
        assert_eq!([(); 2].map(|()| bucket.take(1, 7, &quota)), [true, false]);
    }

    #[test]
    fn nothing_overflows() {
        let quota = Quota::by_one(u32::MAX, u64::MAX, u32::MAX).expect("a quota");
        let mut bucket = Bucket::default();
        bucket.spend(u64::MAX, Millis::MAX, &quota);
        assert!(bucket.take(1, Millis::MAX, &quota));
        assert_eq!(Quota::by_one(0, nanos(1000), 1), None);
        assert_eq!(Quota::by_many(0, nanos(1000)), None);
    }
}
