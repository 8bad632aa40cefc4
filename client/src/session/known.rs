//! The names and rooms seen so far.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::command::{is_guest_name, is_room_name, is_user_name};

/// Of each kind, at least this many are remembered, and at most twice as many: the latest ones.
const REMEMBERED: usize = 2048;
/// The number of those who spoke last whose order is remembered.
const SPEAKERS: usize = 32;

/// Names and rooms, for completion. Only valid ones are kept.
#[derive(Clone, Debug, Default)]
pub struct Known {
    version: u64,
    names: Seen,
    rooms: Seen,
    /// Who spoke last, the latest first.
    speakers: VecDeque<String>,
}

impl Known {
    /// A number that grows with each change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The names, in arbitrary order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter()
    }

    /// How recently this user has said something: 0 is the latest; `None` if that is long ago.
    pub fn recency(&self, name: &str) -> Option<usize> {
        self.speakers.iter().position(|speaker| speaker == name)
    }

    /// The rooms, in arbitrary order.
    pub fn rooms(&self) -> impl Iterator<Item = &str> {
        self.rooms.iter()
    }

    pub(crate) fn see_name(&mut self, name: &str) {
        let is_name = is_user_name(name) || is_guest_name(name);
        if is_name && self.names.see(name) {
            self.version += 1;
        }
    }

    /// Somebody else has said something.
    pub(crate) fn hear(&mut self, name: &str) {
        self.see_name(name);
        if self.speakers.front().is_some_and(|last| last == name) || !self.names.has(name) {
            return;
        }
        self.speakers.retain(|speaker| speaker != name);
        self.speakers.truncate(SPEAKERS - 1);
        self.speakers.push_front(name.to_owned());
        self.version += 1;
    }

    pub(crate) fn see_room(&mut self, room: &str) {
        if is_room_name(room) && self.rooms.see(room) {
            self.version += 1;
        }
    }
}

/// Two generations: a full newer one replaces the older one. Copies share them until one changes.
#[derive(Clone, Debug, Default)]
struct Seen {
    newer: Arc<BTreeSet<String>>,
    older: Arc<BTreeSet<String>>,
}

impl Seen {
    /// Adds a name. True if that changes what is remembered.
    fn see(&mut self, what: &str) -> bool {
        if self.newer.contains(what) {
            return false;
        }
        if self.newer.len() == REMEMBERED {
            self.older = std::mem::take(&mut self.newer);
        }
        let was_known = self.older.contains(what) && Arc::make_mut(&mut self.older).remove(what);
        Arc::make_mut(&mut self.newer).insert(what.to_owned());
        !was_known
    }

    fn has(&self, what: &str) -> bool {
        self.newer.contains(what) || self.older.contains(what)
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        self.newer.iter().chain(self.older.iter()).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_and_a_name() {
        let mut known = Known::default();
        for (name, version) in
            [("alice", 1), ("alice", 1), ("\u{1b}[2J", 1), ("", 1), ("~", 1), ("bob", 2), ("~gäst", 3)]
        {
            known.see_name(name);
            assert_eq!(known.version(), version, "{name}");
        }
        known.see_room("größe");
        known.see_room("a\u{202e}b");
        assert_eq!(known.names().collect::<Vec<_>>(), ["alice", "bob", "~gäst"]);
        assert_eq!(known.rooms().collect::<Vec<_>>(), ["größe"]);
    }

    #[test]
    fn who_spoke_last() {
        let mut known = Known::default();
        for name in ["alice", "bob", "alice", "alice", "\u{1b}", "carol", "bob"] {
            known.hear(name);
        }
        assert_eq!(
            ["bob", "carol", "alice", "dave", "\u{1b}"].map(|name| known.recency(name)),
            [Some(0), Some(1), Some(2), None, None]
        );
        let version = known.version();
        known.hear("bob");
        assert_eq!(known.version(), version, "nothing to copy");
        (0..1000).for_each(|number| known.hear(&format!("n{number}")));
        assert_eq!((known.speakers.len(), known.recency("bob")), (SPEAKERS, None));
    }

    #[test]
    fn the_latest_names_are_kept() {
        let mut known = Known::default();
        for number in 0..100_000 {
            known.see_name(&format!("n{number}"));
            if number % 100 == 0 {
                known.see_name("alice");
            }
        }
        assert!((REMEMBERED..=2 * REMEMBERED).contains(&known.names().count()));
        assert!(["alice", "n99999", "n98000"].iter().all(|name| known.names().any(|known| known == *name)));
    }
}
