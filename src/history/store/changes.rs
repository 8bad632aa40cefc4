//! What changes of profiles and of ignored accounts have replaced, for as long as a change may be taken back. It is in
//! memory alone, so that nothing that was removed stays in the file.

use std::collections::VecDeque;

use crate::hub::profile::ProfileKey;
use crate::hub::record::{Account, Whom};
use crate::limits::HISTORY_WAIT_MS;

/// Milliseconds for which an old value is held: more than it takes until a change that took too long is taken back.
const HELD_MS: i64 = 5 * HISTORY_WAIT_MS as i64;
/// Old values that are held at most, of some 600 bytes each. An account has one change under way, and each waits for the
/// disk.
const HELD: usize = 4_096;

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Whose.
    pub(super) account: Account,
    /// Of what.
    pub(super) what: What,
    /// What was there before: a value, or the empty text for somebody who was ignored.
    pub(super) old: Option<Box<str>>,
    /// When, in milliseconds since 1970.
    pub(super) at_ms: i64,
}

/// What a change is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A key of the profile; the change has this id.
    Key(ProfileKey, u64),
    /// Whom the account ignores.
    Whom(Whom),
}

/// Changes in their order. The last ones are those of the open transaction.
#[derive(Debug, Default)]
pub(super) struct Changes {
    all: VecDeque<Change>,
    open: usize,
}

impl Changes {
    /// A change in the open transaction.
    pub(super) fn note(&mut self, change: Change) {
        self.all.push_back(change);
        self.open += 1;
        while self.all.len() > HELD.max(self.open) {
            self.all.pop_front();
        }
    }

    /// The transaction is on disk. Only changes of profiles may still be taken back.
    pub(super) fn commit(&mut self) {
        if self.open > 0 {
            let new = self.all.split_off(self.all.len().saturating_sub(std::mem::take(&mut self.open)));
            self.all.extend(new.into_iter().filter(|change| matches!(change.what, What::Key(..))));
        }
    }

    /// The transaction failed: its changes, the last one first.
    pub(super) fn take_open(&mut self) -> Vec<Change> {
        let open = self.all.split_off(self.all.len().saturating_sub(std::mem::take(&mut self.open)));
        open.into_iter().rev().collect()
    }

    /// The change of a profile with this id, if it is the newest one of its key.
    pub(super) fn newest(&self, id: u64) -> Option<&Change> {
        let mut newer = Vec::new();
        for change in self.all.iter().rev() {
            let What::Key(key, found) = change.what else { continue };
            if found == id {
                return (!newer.contains(&(&change.account, key))).then_some(change);
            }
            newer.push((&change.account, key));
        }
        None
    }

    /// Drops what nobody can take back any more. Only when no records wait.
    pub(super) fn expire(&mut self, now_ms: i64) {
        let is_old = |change: &Change| change.at_ms.saturating_add(HELD_MS) < now_ms;
        while self.all.len() > self.open && self.all.front().is_some_and(is_old) {
            self.all.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::store::tests::{alice, bob};

    fn change(account: Account, what: What, at_ms: i64) -> Change {
        Change { account, what, old: None, at_ms }
    }

    fn key(id: u64) -> What {
        What::Key(ProfileKey::Name, id)
    }

    #[test]
    fn the_newest_change_of_a_key_can_be_taken_back() {
        let mut changes = Changes::default();
        changes.note(change(alice(), key(1), 0));
        changes.note(change(bob(), key(2), 0));
        changes.note(change(alice(), What::Key(ProfileKey::Zone, 3), 0));
        changes.commit();
        assert!([1, 2, 3].iter().all(|id| changes.newest(*id).is_some()) && changes.newest(4).is_none());
        changes.note(change(alice(), key(5), 0));
        assert!(changes.newest(1).is_none() && changes.newest(5).is_some());
        assert_eq!(changes.take_open().len(), 1);
        assert!(changes.newest(1).is_some(), "the newer one failed");
    }

    #[test]
    fn what_is_on_disk_is_held_for_a_time_and_only_of_profiles() {
        let mut changes = Changes::default();
        changes.note(change(alice(), What::Whom(Whom::Guests), 0));
        changes.note(change(alice(), key(1), 0));
        changes.expire(i64::MAX);
        assert_eq!(changes.all.len(), 2, "they are not on disk");
        changes.commit();
        changes.expire(HELD_MS);
        assert_eq!((changes.all.len(), changes.take_open().len()), (1, 0));
        changes.expire(HELD_MS + 1);
        assert_eq!(changes.all.len(), 0);
        for n in 0..2 * HELD as u64 {
            changes.note(change(alice(), key(n), 0));
            changes.commit();
        }
        assert_eq!(changes.all.len(), HELD);
    }
}
