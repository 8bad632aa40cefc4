//! Who is somewhere, by name: each name once, in order, with its sessions.

use std::collections::BTreeMap;

use super::session::SessionId;

/// Names with their sessions. A name without one is not in it.
#[derive(Debug)]
pub(super) struct Presence<N>(BTreeMap<N, Sessions>);

/// The sessions of one name, the oldest first. Most names have one: it costs no heap.
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

    /// Whether there are any left without this one.
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
    /// A session more for this name.
    pub(super) fn add(&mut self, name: N, id: SessionId) {
        self.0.entry(name).and_modify(|sessions| sessions.push(id)).or_insert(Sessions::One(id));
    }

    /// A session less.
    pub(super) fn remove(&mut self, name: &N, id: SessionId) {
        if self.0.get_mut(name).is_some_and(|sessions| !sessions.remove(id)) {
            self.0.remove(name);
        }
    }

    /// The name as it came first, and its sessions.
    pub(super) fn find(&self, name: &N) -> Option<(&N, &[SessionId])> {
        self.0.get_key_value(name).map(|(name, sessions)| (name, sessions.as_slice()))
    }

    /// All from `least` on, in order.
    pub(super) fn from(&self, least: N) -> impl Iterator<Item = (&N, &[SessionId])> {
        self.0.range(least..).map(|(name, sessions)| (name, sessions.as_slice()))
    }

    /// How many names there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them, in order.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&N, &[SessionId])> {
        self.0.iter().map(|(name, sessions)| (name, sessions.as_slice()))
    }
}
