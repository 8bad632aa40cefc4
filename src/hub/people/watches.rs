//! The table of who watches whom.

use std::collections::BTreeMap;

use crate::hub::names::UserName;
use crate::hub::session::SessionId;
use crate::limits::{WATCHES, WATCHES_EACH};

/// The names that sessions watch.
#[derive(Debug, Default)]
pub(super) struct Watches {
    /// Each watch with its place among those of its name.
    of: BTreeMap<(SessionId, UserName), u32>,
    /// The sessions that watch a name, at least one. The order depends on the commands alone, so it is deterministic.
    by: BTreeMap<UserName, Vec<SessionId>>,
}

impl Watches {
    /// The sessions that watch a name.
    pub(super) fn by(&self, name: &UserName) -> &[SessionId] {
        self.by.get(name).map_or(&[], Vec::as_slice)
    }

    /// The names that a session watches, in lower-case order.
    pub(super) fn of(&self, who: SessionId) -> impl Iterator<Item = &UserName> {
        let first = (who, UserName::least_with(""));
        self.of.range(first..).take_while(move |((session, _), _)| *session == who).map(|((_, name), _)| name)
    }

    pub(super) fn has(&self, who: SessionId, name: &UserName) -> bool {
        self.of.contains_key(&(who, name.clone()))
    }

    /// Whether a session may watch one more name.
    pub(super) fn has_room(&self, who: SessionId) -> bool {
        self.of.len() < WATCHES && self.of(who).count() < WATCHES_EACH
    }

    /// The session watches this name from now on. The caller has checked that it does not yet.
    pub(super) fn add(&mut self, who: SessionId, name: UserName) {
        let watchers = self.by.entry(name.clone()).or_insert_with(|| Vec::with_capacity(1));
        self.of.insert((who, name), watchers.len() as u32);
        watchers.push(who);
    }

    /// The session watches this name no longer. The last one of the list moves to its place.
    pub(super) fn remove(&mut self, who: SessionId, name: &UserName) {
        let Some(place) = self.of.remove(&(who, name.clone())) else { return };
        let Some(watchers) = self.by.get_mut(name) else { return };
        watchers.swap_remove(place as usize);
        if let Some(moved) = watchers.get(place as usize)
            && let Some(its) = self.of.get_mut(&(*moved, name.clone()))
        {
            *its = place;
        }
        if watchers.is_empty() {
            self.by.remove(name);
        }
    }

    /// A session has ended. Gives the number of its watches.
    pub(super) fn end(&mut self, who: SessionId) -> usize {
        if self.of.is_empty() {
            return 0;
        }
        let names: Vec<UserName> = self.of(who).cloned().collect();
        names.iter().for_each(|name| self.remove(who, name));
        names.len()
    }

    pub(super) fn shrink(&mut self) {
        self.by.values_mut().for_each(Vec::shrink_to_fit);
    }

    /// Checks that both directions agree.
    #[cfg(test)]
    pub(super) fn check_invariants(&self) {
        for ((who, name), place) in &self.of {
            assert_eq!(self.by[name][*place as usize], *who, "the watch of {name} is elsewhere");
        }
        assert_eq!(self.by.values().map(Vec::len).sum::<usize>(), self.of.len(), "a watch is in one direction only");
        assert!(self.by.values().all(|watchers| !watchers.is_empty()), "nobody watches a name");
        assert!(self.of.len() <= WATCHES);
    }

    #[cfg(test)]
    pub(super) fn sessions(&self) -> impl Iterator<Item = SessionId> {
        self.of.keys().map(|(session, _)| *session)
    }
}
