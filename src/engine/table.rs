//! The table of all connections: a slab with access by id, so that a stale id never finds the next user of a slot.

use super::conn::Conn;
use super::id::ConnId;
use super::life::Life;

use slab::Slab;

/// All connections.
#[derive(Debug)]
pub(super) struct Table<S>(Slab<Conn<S>>);

impl<S> Default for Table<S> {
    fn default() -> Self {
        Self(Slab::new())
    }
}

impl<S> Table<S> {
    /// The connection of an id; `None` if it has ended. A method of the table, so that its owner's other fields are not
    /// borrowed.
    pub(super) fn find(&mut self, id: ConnId) -> Option<&mut Conn<S>> {
        self.0.get_mut(id.slot as usize).filter(|conn| conn.id == id && !matches!(conn.life, Life::Gone(_)))
    }

    /// Shared access to a connection; `None` if it has ended.
    pub(super) fn peek(&self, id: ConnId) -> Option<&Conn<S>> {
        self.0.get(id.slot as usize).filter(|conn| conn.id == id && !matches!(conn.life, Life::Gone(_)))
    }

    /// The slot of the next connection.
    pub(super) fn vacant_slot(&self) -> u32 {
        self.0.vacant_key() as u32
    }

    /// Adds a connection, whose slot must be the [vacant](Self::vacant_slot) one.
    pub(super) fn insert(&mut self, conn: Conn<S>) {
        let (slot, id) = (self.0.vacant_key(), conn.id);
        debug_assert_eq!(slot, id.slot as usize, "a connection came in between");
        self.0.insert(conn);
    }

    /// Removes a connection, even one that has ended. Only [`poll_gone`](super::Engine::poll_gone) does this.
    pub(super) fn remove(&mut self, id: ConnId) -> Option<Conn<S>> {
        let is_it = self.0.get(id.slot as usize).is_some_and(|conn| conn.id == id);
        if is_it { self.0.try_remove(id.slot as usize) } else { None }
    }

    /// All connections, also those that have ended.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Conn<S>> {
        self.0.iter().map(|(_, conn)| conn)
    }

    /// All connections, also those that have ended, mutably.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Conn<S>> {
        self.0.iter_mut().map(|(_, conn)| conn)
    }

    /// The ids of all.
    pub(super) fn ids(&self) -> Vec<ConnId> {
        self.iter().map(|conn| conn.id).collect()
    }

    /// Releases the slots behind the last one in use.
    pub(super) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// Number of connections, including those that have ended and are not reaped yet.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
