//! The table of all connections: a slab, asked by id, so that nobody meets the next user of a slot.

use slab::{Slab, VacantEntry};

use super::conn::{Conn, Life};
use super::token::ConnId;

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Table(Slab<Conn>);

impl Table {
    /// The connection of an id, unless it is gone. A method of the table, so that its owner's other fields stay free.
    pub(super) fn find(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.0.get_mut(id.slot as usize).filter(|conn| conn.id == id && conn.life != Life::Gone)
    }

    /// The same, to look at.
    pub(super) fn peek(&self, id: ConnId) -> Option<&Conn> {
        self.0.get(id.slot as usize).filter(|conn| conn.id == id && conn.life != Life::Gone)
    }

    /// A free slot, whose number is its key.
    pub(super) fn vacant_entry(&mut self) -> VacantEntry<'_, Conn> {
        self.0.vacant_entry()
    }

    /// Takes a connection out, also one that is gone. Reaping does this, and nobody else.
    pub(super) fn remove(&mut self, id: ConnId) -> Option<Conn> {
        let is_it = self.0.get(id.slot as usize).is_some_and(|conn| conn.id == id);
        if is_it { self.0.try_remove(id.slot as usize) } else { None }
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Conn> {
        self.0.iter().map(|(_, conn)| conn)
    }

    /// All of them, to change.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Conn> {
        self.0.iter_mut().map(|(_, conn)| conn)
    }

    /// The ids of all.
    pub(super) fn ids(&self) -> Vec<ConnId> {
        self.iter().map(|conn| conn.id).collect()
    }

    /// Gives back the slots behind the last one in use.
    pub(super) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// How many there are, those that are gone and not reaped yet too.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
