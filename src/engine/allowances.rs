//! Used rates of accounts, kept after their connections have ended, so that a new login does not reset a rate.

use std::collections::HashMap;

use super::rate::Rate;
use super::time::Millis;
use crate::hub::names::UserName;

/// Accounts before the first sweep.
const SWEEP_LEAST: usize = 64;

/// Used rates by account. Each connection that logs in takes one, if there is one, so an account has at most as many as
/// it had sessions at once. They are forgotten when they are unused again, within seconds.
#[derive(Debug, Default)]
pub(super) struct Allowances {
    of: HashMap<UserName, Vec<Rate>>,
    /// Number of accounts at which the next sweep happens.
    sweep_at: usize,
}

impl Allowances {
    /// Keeps the rate of a connection of `name` that ended at `now`.
    pub(super) fn keep(&mut self, name: &UserName, rate: Rate, now: Millis) {
        if rate.full_at() <= now {
            return;
        }
        if self.of.len() >= self.sweep_at.max(SWEEP_LEAST) {
            self.sweep(now);
        }
        self.of.entry(name.clone()).or_default().push(rate);
    }

    /// Removes and returns the least used rate of `name`.
    pub(super) fn take(&mut self, name: &UserName) -> Option<Rate> {
        let rates = self.of.get_mut(name)?;
        let (place, _) = rates.iter().enumerate().min_by_key(|(_, rate)| rate.full_at())?;
        let rate = rates.swap_remove(place);
        if rates.is_empty() {
            self.of.remove(name);
        }
        Some(rate)
    }

    /// Forgets everything, for new settings.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Releases memory left over from a peak.
    pub(super) fn shrink(&mut self, now: Millis) {
        self.sweep(now);
        self.of.shrink_to_fit();
    }

    /// Forgets rates that are unused again. The next sweep is at twice as many accounts, so its cost is amortised.
    fn sweep(&mut self, now: Millis) {
        self.of.retain(|_, rates| {
            rates.retain(|rate| rate.full_at() > now);
            !rates.is_empty()
        });
        self.sweep_at = self.of.len() * 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn name(text: &str) -> UserName {
        UserName::parse(text).unwrap()
    }

    /// A rate with `lines` lines used at `now`.
    fn used(lines: usize, now: Millis) -> Rate {
        let mut rate = Rate::default();
        (0..lines).for_each(|_| rate.spend(10, now, &Limits::default()));
        rate
    }

    #[test]
    fn who_comes_again_goes_on_with_what_was_used_least() {
        let mut allowances = Allowances::default();
        for lines in [30, 10, 20] {
            allowances.keep(&name("Eve"), used(lines, 1_000), 1_000);
        }
        assert_eq!(allowances.take(&name("bob")).map(|rate| rate.full_at()), None);
        let taken = [(); 4].map(|()| allowances.take(&name("eve")).map(|rate| rate.full_at()));
        assert_eq!(taken, [Some(2_000), Some(3_000), Some(4_000), None]);
    }

    #[test]
    fn what_is_whole_is_not_kept() {
        let mut allowances = Allowances::default();
        allowances.keep(&name("eve"), Rate::default(), 1_000);
        allowances.keep(&name("eve"), used(10, 1_000), 2_000);
        assert!(allowances.take(&name("eve")).is_none());
        for n in 0..1_000 {
            allowances.keep(&name(&format!("eve{n}")), used(1, n * 100), n * 100);
        }
        assert!(allowances.of.len() <= SWEEP_LEAST + 2, "{}", allowances.of.len());
        allowances.shrink(1_000_000);
        assert!(allowances.of.is_empty());
    }
}
