//! How many direct messages were kept for each account since it was last online.

use std::collections::BTreeMap;

use super::names::UserName;
use super::record::{Account, Waiting};
use crate::limits::{WAITING, WAITING_FROM_FEW, WAITING_FROM_ONE, WAITING_MOST, WAITING_PAIRS};

/// The numbers, by receiver and sender.
#[derive(Debug, Default)]
pub(super) struct Counts {
    receivers: BTreeMap<UserName, Count>,
    /// Senders of all receivers together.
    pairs: usize,
}

/// The messages for one receiver, at least one.
#[derive(Debug)]
struct Count {
    since: u64,
    /// The first message that is counted: older ones do not count any more. 0 after a restart.
    first: u64,
    total: u32,
    senders: BTreeMap<Account, u32>,
}

impl Counts {
    /// Whether one more message may wait.
    pub(super) fn has_room(&self, to: &Account, from: &Account) -> bool {
        let count = self.receivers.get(&to.name).filter(|count| count.since == to.since);
        let Some(count) = count else { return self.pairs < WAITING_PAIRS };
        let from_one = count.senders.get(from).copied().unwrap_or(0);
        let has_room = if from_one < WAITING_FROM_FEW {
            count.total < WAITING_MOST
        } else {
            from_one < WAITING_FROM_ONE && count.total < WAITING
        };
        has_room && (from_one > 0 || self.pairs < WAITING_PAIRS)
    }

    /// Counts a message.
    pub(super) fn add(&mut self, to: &Account, from: &Account, id: u64) {
        self.add_many(to, from, id, 1);
    }

    /// Takes over a number of an earlier run.
    pub(super) fn restore(&mut self, waiting: Waiting) {
        let Waiting { to, from, count } = waiting;
        if count > 0 && self.pairs < WAITING_PAIRS {
            self.add_many(&to, &from, 0, count);
        }
    }

    fn add_many(&mut self, to: &Account, from: &Account, id: u64, messages: u32) {
        if self.receivers.get(&to.name).is_some_and(|count| count.since != to.since) {
            self.clear(&to.name);
        }
        let none = || Count { since: to.since, first: id, total: 0, senders: BTreeMap::new() };
        let count = self.receivers.entry(to.name.clone()).or_insert_with(none);
        count.total = count.total.saturating_add(messages);
        let of_sender = count.senders.entry(from.clone()).or_insert(0);
        self.pairs += usize::from(*of_sender == 0);
        *of_sender = of_sender.saturating_add(messages);
    }

    /// A message that was counted does not wait after all.
    pub(super) fn take_back(&mut self, to: &Account, from: &Account, id: u64) {
        let count = self.receivers.get_mut(&to.name).filter(|count| count.since == to.since && count.first <= id);
        let Some(count) = count else { return };
        let Some(of_sender) = count.senders.get_mut(from) else { return };
        (count.total, *of_sender) = (count.total - 1, *of_sender - 1);
        if *of_sender == 0 {
            count.senders.remove(from);
            self.pairs -= 1;
        }
        if count.senders.is_empty() {
            self.receivers.remove(&to.name);
        }
    }

    /// An account is online: nothing waits for it any more.
    pub(super) fn clear(&mut self, name: &UserName) {
        self.pairs -= self.receivers.remove(name).map_or(0, |count| count.senders.len());
    }

    /// An account was deleted.
    pub(super) fn forget(&mut self, account: &Account) {
        if self.receivers.get(&account.name).is_some_and(|count| count.since == account.since) {
            self.clear(&account.name);
        }
    }

    /// Checks that the numbers agree.
    #[cfg(test)]
    pub(super) fn check_invariants(&self) {
        assert_eq!(self.pairs, self.receivers.values().map(|count| count.senders.len()).sum::<usize>());
        for count in self.receivers.values() {
            assert_eq!(count.total, count.senders.values().sum::<u32>());
            assert!(!count.senders.is_empty() && count.senders.values().all(|messages| *messages > 0));
        }
    }

    /// The number of messages that wait for an account.
    #[cfg(test)]
    pub(super) fn of(&self, name: &UserName) -> u32 {
        self.receivers.get(name).map_or(0, |count| count.total)
    }
}
