//! The names that are present somewhere, in order, each with its sessions.

use std::collections::BTreeMap;

use super::session::SessionId;

/// Names with their sessions. A name without sessions is not in the table.
#[derive(Debug)]
pub(super) struct Presence<N>(BTreeMap<N, Sessions>);

/// The sessions of one name, the oldest first. A single session, the common case, needs no heap.
#[derive(Debug)]
enum Sessions {
    One(SessionId),
    Several(Vec<SessionId>),
}

impl Sessions {
    fn as_slice(&self) -> &[SessionId] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Several(ids) => ids,
        }
    }

    fn push(&mut self, id: SessionId) {
        match self {
            Self::One(first) => *self = Self::Several(vec![*first, id]),
            Self::Several(ids) => ids.push(id),
        }
    }

    /// Removes a session. Returns whether any are left. A single session is not removed: its owner drops the whole entry.
    fn remove(&mut self, id: SessionId) -> bool {
        match self {
            Self::One(only) => *only != id,
            Self::Several(ids) => {
                ids.retain(|other| *other != id);
                !ids.is_empty()
            }
        }
    }
}

impl<N> Default for Presence<N> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<N: Ord> Presence<N> {
    /// Adds a session to a name.
    pub(super) fn add(&mut self, name: N, id: SessionId) {
        self.0.entry(name).and_modify(|sessions| sessions.push(id)).or_insert(Sessions::One(id));
    }

    /// Removes a session from a name, and the name with its last session.
    pub(super) fn remove(&mut self, name: &N, id: SessionId) {
        if self.0.get_mut(name).is_some_and(|sessions| !sessions.remove(id)) {
            self.0.remove(name);
        }
    }

    /// The name, as its first session spelled it, and its sessions.
    pub(super) fn find(&self, name: &N) -> Option<(&N, &[SessionId])> {
        self.0.get_key_value(name).map(|(name, sessions)| (name, sessions.as_slice()))
    }

    /// All names from `least` on, in order.
    pub(super) fn from(&self, least: N) -> impl Iterator<Item = (&N, &[SessionId])> {
        self.0.range(least..).map(|(name, sessions)| (name, sessions.as_slice()))
    }

    /// The number of names.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All names, in order.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&N, &[SessionId])> {
        self.0.iter().map(|(name, sessions)| (name, sessions.as_slice()))
    }
}
