//! Sessions: who is in, by the id that the owner of the connections gave, and the roster of all of them.

use super::names::UserName;

/// A connection, and the session that it becomes at login. Given by whoever owns the connections; a slot is used
/// again, its generation is not, so an id that has gone stale is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId {
    /// The place in the owner's table.
    pub slot: u32,
    /// Which of the slot's users.
    pub generation: u32,
}

/// All sessions: a dense list to speak to, and an index by slot to find one in it.
#[derive(Debug, Default)]
pub(super) struct Roster {
    everyone: Vec<SessionId>,
    by_slot: Vec<Option<Seat>>,
}

#[derive(Debug)]
struct Seat {
    id: SessionId,
    place: u32,
    name: UserName,
}

impl Roster {
    /// Every session, in an order that depends on comings and goings alone.
    pub(super) fn everyone(&self) -> &[SessionId] {
        &self.everyone
    }

    /// The name of a session's account; `None` when the session is not in.
    pub(super) fn name_of(&self, id: SessionId) -> Option<&UserName> {
        let seat = self.by_slot.get(id.slot as usize)?.as_ref()?;
        (seat.id == id).then_some(&seat.name)
    }

    /// Adds a session that is not in yet. A stale session in the same slot must have been removed.
    pub(super) fn insert(&mut self, id: SessionId, name: UserName) {
        let slot = id.slot as usize;
        if self.by_slot.len() <= slot {
            self.by_slot.resize_with(slot + 1, || None);
        }
        if let Some(seat) = self.by_slot.get_mut(slot) {
            debug_assert!(seat.is_none(), "slot {slot} is taken");
            *seat = Some(Seat { id, place: self.everyone.len() as u32, name });
            self.everyone.push(id);
        }
    }

    /// Removes a session and gives its name; `None` when it was not in. The last one of the list takes its place.
    pub(super) fn remove(&mut self, id: SessionId) -> Option<UserName> {
        let seat = self.by_slot.get_mut(id.slot as usize)?.take_if(|seat| seat.id == id)?;
        self.everyone.swap_remove(seat.place as usize);
        if let Some(moved) = self.everyone.get(seat.place as usize)
            && let Some(Some(other)) = self.by_slot.get_mut(moved.slot as usize)
        {
            other.place = seat.place;
        }
        Some(seat.name)
    }

    /// Gives back memory that was for more sessions.
    pub(super) fn shrink(&mut self) {
        let used = self.by_slot.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        self.by_slot.truncate(used);
        self.by_slot.shrink_to_fit();
        self.everyone.shrink_to_fit();
    }

    /// The list and the index say the same: each place has one seat, each seat its place.
    #[cfg(test)]
    pub(super) fn check_invariants(&self) {
        for (place, id) in self.everyone.iter().enumerate() {
            let seat = self.by_slot.get(id.slot as usize).and_then(Option::as_ref).expect("who is listed has a seat");
            assert_eq!((seat.id, seat.place as usize), (*id, place), "the seat is another's, or elsewhere");
        }
        assert_eq!(self.by_slot.iter().flatten().count(), self.everyone.len(), "a seat is not listed");
    }
}
