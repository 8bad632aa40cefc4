//! The time that the searches of one account may take.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::hub::record::Account;
use crate::limits::{SEARCH_SHARE_MS, SEARCH_WINDOW_MS};

/// Accounts after which those with an old window are forgotten.
const ACCOUNTS: usize = 1_024;

/// What the accounts have used of their time.
#[derive(Default)]
pub(super) struct Shares {
    used: HashMap<Account, Used>,
}

struct Used {
    /// The end of the window, in which the account has used `time`.
    end: Instant,
    time: Duration,
}

impl Shares {
    /// Whether the account may search now.
    pub(super) fn has_left(&self, who: &Account, now: Instant) -> bool {
        let is_used_up = |used: &Used| now < used.end && used.time >= Duration::from_millis(SEARCH_SHARE_MS);
        !self.used.get(who).is_some_and(is_used_up)
    }

    /// Takes the time of a search, which ended now, out of the account's share. A window begins with its first search.
    pub(super) fn charge(&mut self, who: Account, now: Instant, time: Duration) {
        let end = now + Duration::from_millis(SEARCH_WINDOW_MS);
        if self.used.len() >= ACCOUNTS {
            self.used.retain(|_, used| now < used.end);
        }
        let used = self.used.entry(who).or_insert(Used { end, time: Duration::ZERO });
        if now >= used.end {
            *used = Used { end, time: Duration::ZERO };
        }
        used.time += time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::names::UserName;

    #[test]
    fn a_share_is_used_up_for_a_window() {
        let account = |name: &str| Account { name: UserName::parse(name).unwrap(), since: 1 };
        let (alice, bob) = (account("alice"), account("bob"));
        let (mut shares, start) = (Shares::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert!(shares.has_left(&alice, start));
        for ms in [0, 2_000, 4_000] {
            shares.charge(alice.clone(), at(ms), Duration::from_millis(333));
            assert!(shares.has_left(&alice, at(ms)));
        }
        shares.charge(alice.clone(), at(5_000), Duration::from_millis(1));
        assert!(!shares.has_left(&alice, at(5_000)));
        assert!(!shares.has_left(&alice, at(SEARCH_WINDOW_MS - 1)));
        assert!(shares.has_left(&bob, at(5_000)));
        assert!(shares.has_left(&Account { since: 2, ..alice.clone() }, at(5_000)));
        assert!(shares.has_left(&alice, at(SEARCH_WINDOW_MS)));
        shares.charge(alice.clone(), at(SEARCH_WINDOW_MS), Duration::from_millis(999));
        assert!(shares.has_left(&alice, at(SEARCH_WINDOW_MS)));
        shares.charge(alice.clone(), at(SEARCH_WINDOW_MS + 1), Duration::from_millis(1));
        assert!(!shares.has_left(&alice, at(2 * SEARCH_WINDOW_MS - 1)));
        assert!(shares.has_left(&alice, at(2 * SEARCH_WINDOW_MS)));
    }

    #[test]
    fn accounts_of_old_windows_are_forgotten() {
        let (mut shares, start) = (Shares::default(), Instant::now());
        for since in 0..10_000 {
            let who = Account { name: UserName::parse("alice").unwrap(), since };
            shares.charge(who, start + Duration::from_millis(since * 20), Duration::from_millis(2));
        }
        assert!(shares.used.len() <= ACCOUNTS + 1);
    }
}
