//! The table of who watches whom.

use std::collections::BTreeMap;

use crate::hub::names::Who;
use crate::hub::session::SessionId;
use crate::limits::{WATCHES, WATCHES_EACH};

/// The names that sessions watch.
#[derive(Debug, Default)]
pub(super) struct Watches {
    /// The names of each session, at least one, each with the session's place among those that watch it.
    of: BTreeMap<SessionId, BTreeMap<Who, u32>>,
    /// The sessions that watch a name, at least one. The order depends on the commands alone, so it is deterministic.
    by: BTreeMap<Who, Vec<SessionId>>,
    /// Watches of all sessions together.
    count: usize,
}

impl Watches {
    /// The sessions that watch a name.
    pub(super) fn by(&self, name: &Who) -> &[SessionId] {
        self.by.get(name).map_or(&[], Vec::as_slice)
    }

    /// The names that a session watches, in lower-case order.
    pub(super) fn of(&self, who: SessionId) -> impl Iterator<Item = &Who> {
        self.of.get(&who).into_iter().flat_map(BTreeMap::keys)
    }

    pub(super) fn has(&self, who: SessionId, name: &Who) -> bool {
        self.of.get(&who).is_some_and(|names| names.contains_key(name))
    }

    /// Whether a session may watch one more name.
    pub(super) fn has_room(&self, who: SessionId) -> bool {
        self.count < WATCHES && self.of.get(&who).map_or(0, BTreeMap::len) < WATCHES_EACH
    }

    /// The session watches this name from now on. The caller has checked that it does not yet.
    pub(super) fn add(&mut self, who: SessionId, name: Who) {
        let watchers = self.by.entry(name.clone()).or_insert_with(|| Vec::with_capacity(1));
        self.of.entry(who).or_default().insert(name, watchers.len() as u32);
        watchers.push(who);
        self.count += 1;
    }

    /// The session watches this name no longer.
    pub(super) fn remove(&mut self, who: SessionId, name: &Who) {
        let Some(names) = self.of.get_mut(&who) else { return };
        let Some(place) = names.remove(name) else { return };
        if names.is_empty() {
            self.of.remove(&who);
        }
        self.leave(name, place);
    }

    /// A session has ended. Gives the number of its watches.
    pub(super) fn end(&mut self, who: SessionId) -> usize {
        let names = self.of.remove(&who).unwrap_or_default();
        names.iter().for_each(|(name, place)| self.leave(name, *place));
        names.len()
    }

    /// The session at this place of those that watch a name goes. The last one of the list moves there.
    fn leave(&mut self, name: &Who, place: u32) {
        self.count -= 1;
        let Some(watchers) = self.by.get_mut(name) else { return };
        watchers.swap_remove(place as usize);
        if let Some(moved) = watchers.get(place as usize)
            && let Some(its) = self.of.get_mut(moved).and_then(|names| names.get_mut(name))
        {
            *its = place;
        }
        if watchers.is_empty() {
            self.by.remove(name);
        }
    }

    pub(super) fn shrink(&mut self) {
        self.by.values_mut().for_each(Vec::shrink_to_fit);
    }

    /// Checks that both directions agree.
    #[cfg(test)]
    pub(super) fn check_invariants(&self) {
        for (who, names) in &self.of {
            assert!(!names.is_empty(), "a session watches nobody");
            for (name, place) in names {
                assert_eq!(self.by[name][*place as usize], *who, "the watch of {name} is elsewhere");
            }
        }
        let count = self.of.values().map(BTreeMap::len).sum::<usize>();
        assert_eq!(
            (self.by.values().map(Vec::len).sum(), self.count),
            (count, count),
            "a watch is in one direction only"
        );
        assert!(self.by.values().all(|watchers| !watchers.is_empty()), "nobody watches a name");
        assert!(self.count <= WATCHES);
    }

    #[cfg(test)]
    pub(super) fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.of.keys().copied()
    }
}
