//! What an account's sessions have read, told once a second for each place.

use std::collections::{BTreeMap, VecDeque};

use crate::engine::id::ConnId;
use crate::engine::time::{Millis, NEVER};
use crate::hub::names::UserName;
use crate::limits::MARK_NOTICE_MS;

/// An account and its place, as it is shown; `None` for all places.
pub(super) type Key = (UserName, Option<Box<str>>);

/// The marks that were told in the last second, each with a later one that waits.
#[derive(Debug, Default)]
pub(super) struct MarkNotices {
    told: BTreeMap<Key, Option<Later>>,
    /// When each place may be told again, in this order.
    dues: VecDeque<(Millis, Key)>,
}

/// A mark that waits, and the session that has set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Later {
    pub(super) upto: u64,
    pub(super) by: ConnId,
}

impl MarkNotices {
    /// A session has read a place. True if that is told now; else it is told when the second is over.
    pub(super) fn note(&mut self, key: &Key, upto: u64, by: ConnId, now: Millis) -> bool {
        if let Some(later) = self.told.get_mut(key) {
            *later = Some(Later { upto, by });
            return false;
        }
        self.told.insert(key.clone(), None);
        self.dues.push_back((now + MARK_NOTICE_MS, key.clone()));
        true
    }

    /// When the next place may be told again; [`NEVER`] if none waits.
    pub(super) fn next_due(&self) -> Millis {
        self.dues.front().map_or(NEVER, |(due, _)| *due)
    }

    /// The next mark that has waited for its second.
    pub(super) fn poll(&mut self, now: Millis) -> Option<(Key, Later)> {
        loop {
            let (_, key) = self.dues.pop_front_if(|(due, _)| *due <= now)?;
            if let Some(later) = self.told.get_mut(&key).and_then(Option::take) {
                self.dues.push_back((now + MARK_NOTICE_MS, key.clone()));
                return Some((key, later));
            }
            self.told.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: ConnId = ConnId { slot: 1, generation: 1 };

    #[test]
    fn a_place_is_told_once_a_second_and_the_last_mark_counts() {
        let mut notices = MarkNotices::default();
        let key = |place: &str| (UserName::parse("alice").unwrap(), Some(place.into()));
        assert!(notices.note(&key("*"), 1, ID, 0));
        assert!(notices.note(&key("lobby"), 1, ID, 0), "another place");
        assert!(!notices.note(&key("*"), 2, ID, 10));
        assert!(!notices.note(&key("*"), 3, ID, 999));
        assert_eq!((notices.next_due(), notices.poll(999)), (1_000, None));
        assert_eq!(notices.poll(1_000), Some((key("*"), Later { upto: 3, by: ID })));
        assert_eq!((notices.poll(1_000), notices.next_due()), (None, 2_000));
        assert!(!notices.note(&key("*"), 4, ID, 1_500), "it was told at 1,000");
        assert!(notices.note(&key("lobby"), 2, ID, 1_500));
        assert_eq!(notices.poll(2_000), Some((key("*"), Later { upto: 4, by: ID })));
        assert_eq!((notices.poll(9_000), notices.next_due()), (None, NEVER));
        assert!(notices.told.is_empty());
    }
}
