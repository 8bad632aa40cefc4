//! How much accounts have forgotten lately.

use std::collections::{BTreeMap, VecDeque};

use crate::engine::time::Millis;
use crate::hub::record::Account;
use crate::limits::{FORGET_ALL_EVERY_MS, FORGETS_A_MINUTE};

/// Accounts before the first sweep.
const SWEEP_LEAST: usize = 64;
const MINUTE_MS: Millis = 60_000;

/// The rates of the accounts that have forgotten something lately; others have all of theirs.
#[derive(Debug, Default)]
pub(super) struct Forgets {
    of: BTreeMap<Account, Used>,
    /// Number of accounts at which the next sweep happens.
    sweep_at: usize,
}

/// When an account has forgotten something.
#[derive(Debug, Default)]
struct Used {
    /// One message each, in this order; at most [`FORGETS_A_MINUTE`].
    ones: VecDeque<Millis>,
    /// All of its messages.
    all: Option<Millis>,
}

/// What FORGET is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One message.
    One,
    /// All of the account's messages.
    All,
}

/// What a request takes of the rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    kind: Kind,
    at: Millis,
}

impl Forgets {
    /// Takes what a request needs. [`refund`](Self::refund) it if it is not carried out. An error is the number of seconds
    /// until there is enough again.
    pub(super) fn take(&mut self, account: &Account, kind: Kind, now: Millis) -> Result<Taken, u64> {
        if self.of.len() >= self.sweep_at.max(SWEEP_LEAST) {
            self.sweep(now);
        }
        let used = self.of.entry(account.clone()).or_default();
        used.forget_old(now);
        let free_at = match kind {
            Kind::One if used.ones.len() < FORGETS_A_MINUTE as usize => None,
            Kind::One => used.ones.front().map(|first| first + MINUTE_MS),
            Kind::All => used.all.map(|last| last + FORGET_ALL_EVERY_MS),
        };
        if let Some(free_at) = free_at {
            return Err(free_at.saturating_sub(now).div_ceil(1_000).max(1));
        }
        match kind {
            Kind::One => used.ones.push_back(now),
            Kind::All => used.all = Some(now),
        }
        Ok(Taken { kind, at: now })
    }

    /// Gives back what a request has taken.
    pub(super) fn refund(&mut self, account: &Account, taken: Taken) {
        let Some(used) = self.of.get_mut(account) else { return };
        match taken.kind {
            Kind::One => {
                if let Some(place) = used.ones.iter().position(|at| *at == taken.at) {
                    used.ones.remove(place);
                }
            }
            Kind::All => used.all = used.all.filter(|at| *at != taken.at),
        }
    }

    /// Releases memory left over from a peak.
    pub(super) fn shrink(&mut self, now: Millis) {
        self.sweep(now);
    }

    /// Forgets accounts that have all of their rates again. The next sweep is at twice as many, so its cost is amortised.
    fn sweep(&mut self, now: Millis) {
        self.of.retain(|_, used| {
            used.forget_old(now);
            !used.ones.is_empty() || used.all.is_some()
        });
        self.sweep_at = self.of.len() * 2;
    }
}

impl Used {
    fn forget_old(&mut self, now: Millis) {
        while self.ones.pop_front_if(|at| *at + MINUTE_MS <= now).is_some() {}
        self.all = self.all.filter(|at| *at + FORGET_ALL_EVERY_MS > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::names::UserName;

    fn account(name: &str, since: u64) -> Account {
        Account { name: UserName::parse(name).unwrap(), since }
    }

    #[test]
    fn six_a_minute_in_any_minute() {
        let (mut forgets, alice) = (Forgets::default(), account("alice", 1));
        for now in [0, 10_000, 10_000, 20_000, 30_000, 59_999] {
            assert!(forgets.take(&alice, Kind::One, now).is_ok(), "{now}");
        }
        assert_eq!(forgets.take(&alice, Kind::One, 59_999), Err(1));
        let sixth = forgets.take(&alice, Kind::One, 60_000).unwrap();
        assert_eq!(forgets.take(&alice, Kind::One, 60_001), Err(10), "the next was at 10,000");
        forgets.refund(&alice, sixth);
        forgets.refund(&alice, sixth);
        assert!(forgets.take(&alice, Kind::One, 60_001).is_ok());
        assert_eq!(forgets.take(&alice, Kind::One, 60_001), Err(10), "one was given back once");
        assert!(forgets.take(&account("bob", 1), Kind::One, 60_001).is_ok());
    }

    #[test]
    fn all_is_once_an_hour() {
        let (mut forgets, alice) = (Forgets::default(), account("alice", 1));
        let first = forgets.take(&alice, Kind::All, 0).unwrap();
        assert!(forgets.take(&alice, Kind::One, 0).is_ok(), "another rate");
        assert_eq!(forgets.take(&alice, Kind::All, 1), Err(3_600));
        assert_eq!(forgets.take(&alice, Kind::All, 3_599_999), Err(1));
        let second = forgets.take(&alice, Kind::All, 3_600_000).unwrap();
        forgets.refund(&alice, first);
        assert!(forgets.take(&alice, Kind::All, 3_600_001).is_err(), "that was the first one");
        forgets.refund(&alice, second);
        assert!(forgets.take(&alice, Kind::All, 3_600_001).is_ok());
        assert!(forgets.take(&account("alice", 2), Kind::All, 3_600_001).is_ok(), "registered anew");
    }

    #[test]
    fn what_is_over_is_not_remembered() {
        let mut forgets = Forgets::default();
        for n in 0..1_000 {
            let taken = forgets.take(&account(&format!("eve{n}"), 1), Kind::One, n * 1_000).unwrap();
            if n % 2 == 0 {
                forgets.refund(&account(&format!("eve{n}"), 1), taken);
            }
        }
        assert!(forgets.of.len() <= 2 * SWEEP_LEAST, "{}", forgets.of.len());
        forgets.shrink(9_999_999);
        assert!(forgets.of.is_empty());
    }
}
