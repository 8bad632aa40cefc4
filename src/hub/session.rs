//! Session ids, and the table of all logged-in sessions.

use super::names::{GuestName, UserName, Who};
use super::record::Account;

/// Identifies a session. The hub's caller chooses the ids. A slot may be used again, a generation must not, so that the
/// id of an ended session finds no other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId {
    /// A small number, unique among the sessions that exist. It is an index of a table.
    pub slot: u32,
    /// Tells the sessions of one slot apart.
    pub generation: u32,
}

/// All sessions that have logged in: a dense list for broadcasts, and an index by slot.
#[derive(Debug, Default)]
pub(super) struct Roster {
    everyone: Vec<SessionId>,
    by_slot: Vec<Option<Seat>>,
}

#[derive(Debug)]
struct Seat {
    id: SessionId,
    place: u32,
    owner: Owner,
    /// Whether the account has other sessions.
    has_siblings: bool,
    /// When it last said something, or logged in: the Unix time in milliseconds.
    spoke_ms: u64,
}

/// Whose a session is.
#[derive(Debug)]
pub(super) enum Owner {
    Account(Account),
    /// A guest who has logged in.
    Guest(Box<GuestName>),
}

impl Owner {
    pub(super) fn who(&self) -> Who {
        match self {
            Self::Account(account) => Who::Account(account.name.clone()),
            Self::Guest(name) => Who::Guest(GuestName::clone(name)),
        }
    }

    fn account(&self) -> Option<&Account> {
        match self {
            Self::Account(account) => Some(account),
            Self::Guest(_) => None,
        }
    }

    fn guest(&self) -> Option<&GuestName> {
        match self {
            Self::Account(_) => None,
            Self::Guest(name) => Some(name),
        }
    }
}

impl Roster {
    /// Every session. The order depends on logins and logouts alone, so it is deterministic.
    pub(super) fn everyone(&self) -> &[SessionId] {
        &self.everyone
    }

    /// Whose a session is; `None` if it is not logged in.
    pub(super) fn owner_of(&self, id: SessionId) -> Option<&Owner> {
        let seat = self.by_slot.get(id.slot as usize)?.as_ref()?;
        (seat.id == id).then_some(&seat.owner)
    }

    /// The account or guest of a session; `None` if it is not logged in.
    pub(super) fn who_of(&self, id: SessionId) -> Option<Who> {
        self.owner_of(id).map(Owner::who)
    }

    /// The account of a session; `None` for a guest and for an unknown session.
    pub(super) fn name_of(&self, id: SessionId) -> Option<&UserName> {
        self.account_of(id).map(|account| &account.name)
    }

    /// The same, with the time of its registration.
    pub(super) fn account_of(&self, id: SessionId) -> Option<&Account> {
        self.owner_of(id).and_then(Owner::account)
    }

    /// The guest of a session; `None` for an account and for an unknown session.
    pub(super) fn guest_of(&self, id: SessionId) -> Option<&GuestName> {
        self.owner_of(id).and_then(Owner::guest)
    }

    /// Gives a session to somebody else.
    pub(super) fn hand_over(&mut self, id: SessionId, owner: Owner) {
        if let Some(Some(seat)) = self.by_slot.get_mut(id.slot as usize)
            && seat.id == id
        {
            seat.owner = owner;
        }
    }

    /// Whether the account of a session has other sessions; false for a guest and for an unknown session.
    pub(super) fn has_siblings(&self, id: SessionId) -> bool {
        self.by_slot
            .get(id.slot as usize)
            .and_then(Option::as_ref)
            .is_some_and(|seat| seat.id == id && seat.has_siblings)
    }

    /// Notes for all sessions of one account whether there are others.
    pub(super) fn note_siblings(&mut self, sessions: &[SessionId]) {
        for id in sessions {
            if let Some(Some(seat)) = self.by_slot.get_mut(id.slot as usize) {
                seat.has_siblings = sessions.len() > 1;
            }
        }
    }

    /// Notes that a session says something. Nothing happens for a guest of one room.
    pub(super) fn note_spoken(&mut self, id: SessionId, unix_ms: u64) {
        if let Some(Some(seat)) = self.by_slot.get_mut(id.slot as usize)
            && seat.id == id
        {
            seat.spoke_ms = unix_ms;
        }
    }

    /// When a session last said something, or logged in: the Unix time in milliseconds. `None` for a guest of one room and
    /// for an unknown session.
    pub(super) fn spoke_ms(&self, id: SessionId) -> Option<u64> {
        let seat = self.by_slot.get(id.slot as usize)?.as_ref()?;
        (seat.id == id).then_some(seat.spoke_ms)
    }

    /// Adds a session. The caller has checked that it is not logged in, and has removed any older session of its slot.
    pub(super) fn insert(&mut self, id: SessionId, owner: Owner, unix_ms: u64) {
        let slot = id.slot as usize;
        if self.by_slot.len() <= slot {
            self.by_slot.resize_with(slot + 1, || None);
        }
        if let Some(seat) = self.by_slot.get_mut(slot) {
            debug_assert!(seat.is_none(), "slot {slot} is taken");
            *seat = Some(Seat { id, place: self.everyone.len() as u32, owner, has_siblings: false, spoke_ms: unix_ms });
            self.everyone.push(id);
        }
    }

    /// Removes a session and returns whose it was; `None` if it was not logged in. The last session of the list moves to
    /// its place.
    pub(super) fn remove(&mut self, id: SessionId) -> Option<Owner> {
        let seat = self.by_slot.get_mut(id.slot as usize)?.take_if(|seat| seat.id == id)?;
        self.everyone.swap_remove(seat.place as usize);
        if let Some(moved) = self.everyone.get(seat.place as usize)
            && let Some(Some(other)) = self.by_slot.get_mut(moved.slot as usize)
        {
            other.place = seat.place;
        }
        Some(seat.owner)
    }

    /// Releases memory left over from a peak.
    pub(super) fn shrink(&mut self) {
        let used = self.by_slot.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        self.by_slot.truncate(used);
        self.by_slot.shrink_to_fit();
        self.everyone.shrink_to_fit();
    }

    /// Checks that list and index agree: each entry of the list has one seat, and each seat one entry.
    #[cfg(test)]
    pub(super) fn check_invariants(&self) {
        for (place, id) in self.everyone.iter().enumerate() {
            let seat = self.by_slot.get(id.slot as usize).and_then(Option::as_ref).expect("who is listed has a seat");
            assert_eq!((seat.id, seat.place as usize), (*id, place), "the seat is another's, or elsewhere");
        }
        assert_eq!(self.by_slot.iter().flatten().count(), self.everyone.len(), "a seat is not listed");
    }
}
