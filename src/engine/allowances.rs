//! What accounts have used of their rates on connections that have ended, so that logging in again lifts no rate.

use std::collections::HashMap;

use super::rate::Rate;
use super::time::Millis;
use crate::hub::names::UserName;

/// So many accounts are kept before those are looked for that have nothing used any more.
const SWEEP_LEAST: usize = 64;

/// The used allowances of accounts. Each connection that logs in takes one over, if there is one: an account never has
/// more of them than it had sessions at once. They are whole again within seconds, and are forgotten then.
#[derive(Debug, Default)]
pub(super) struct Allowances {
    of: HashMap<UserName, Vec<Rate>>,
    /// How many accounts there may be before the next sweep.
    sweep_at: usize,
}

impl Allowances {
    /// A connection of `name` has ended at `now`, and had used this.
    pub(super) fn keep(&mut self, name: &UserName, rate: Rate, now: Millis) {
        if rate.full_at() <= now {
            return;
        }
        if self.of.len() >= self.sweep_at.max(SWEEP_LEAST) {
            self.sweep(now);
        }
        self.of.entry(name.clone()).or_default().push(rate);
    }

    /// The least used allowance that a connection of `name` has left behind.
    pub(super) fn take(&mut self, name: &UserName) -> Option<Rate> {
        let rates = self.of.get_mut(name)?;
        let (place, _) = rates.iter().enumerate().min_by_key(|(_, rate)| rate.full_at())?;
        let rate = rates.swap_remove(place);
        if rates.is_empty() {
            self.of.remove(name);
        }
        Some(rate)
    }

    /// Forgets everything: the rates have changed.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Gives back memory that was for more.
    pub(super) fn shrink(&mut self, now: Millis) {
        self.sweep(now);
        self.of.shrink_to_fit();
    }

    /// Forgets those that are whole again. The next time is when there are twice as many, so it costs little each time.
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

    /// An allowance of which so many lines are used at `now`.
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
