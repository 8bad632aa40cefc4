//! Rooms: one room, and the table of all of them with who is where.

use std::collections::BTreeMap;
use std::fmt;

use slab::Slab;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::names::{RoomName, Who};
use super::presence::Presence;
use super::session::SessionId;

/// A room, for as long as it exists; used again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(u32);

/// A session's place in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Whose place.
    pub session: SessionId,
    /// Whether it hears the room yet: who speaks through another channel than it came by hears from its first word on.
    pub listens: bool,
    arrival: u64,
}

/// What becomes of a room whose host goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostGoes {
    /// The longest-standing member is host then.
    PassesOn,
    /// The room closes.
    Closes,
}

/// The text that a room is entered by. Prints as `***`.
pub(super) struct RoomPassword(Zeroizing<Box<str>>);

impl RoomPassword {
    /// `None` if the text is empty: nobody could say it.
    pub(super) fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(Zeroizing::new(text.into())))
    }
}

impl fmt::Debug for RoomPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A room: who is in it, in the order of their coming.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: RoomName,
    pub(super) password: Option<RoomPassword>,
    pub(super) host_goes: HostGoes,
    pub(super) host: SessionId,
    members: Vec<Member>,
    listening: usize,
    present: Presence<Who>,
}

impl Room {
    /// A room that its host is about to enter.
    pub(super) fn new(name: RoomName, password: Option<RoomPassword>, host_goes: HostGoes, host: SessionId) -> Self {
        Self { name, password, host_goes, host, members: Vec::new(), listening: 0, present: Presence::default() }
    }

    /// Everybody in it, the longest-standing first.
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// How many hear what is said.
    pub(super) fn listening(&self) -> usize {
        self.listening
    }

    /// Who is in it, in lower-case order, accounts before guests, each with its sessions.
    pub(super) fn present(&self) -> &Presence<Who> {
        &self.present
    }

    /// Whether `given` lets somebody in. A room without a password takes any.
    pub(super) fn opens_to(&self, given: &str) -> bool {
        let is_it = |password: &RoomPassword| bool::from(password.0.as_bytes().ct_eq(given.as_bytes()));
        self.password.as_ref().is_none_or(is_it)
    }

    /// Where a member stands among the members.
    fn index(&self, arrival: u64) -> Option<usize> {
        self.members.binary_search_by_key(&arrival, |member| member.arrival).ok()
    }
}

/// All rooms, by id and by name, and who is where.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    rooms: Slab<Room>,
    by_name: BTreeMap<RoomName, RoomId>,
    /// The memberships: each by the number of its arrival, which finds it among the room's members.
    places: BTreeMap<(SessionId, RoomId), u64>,
    arrivals: u64,
}

impl Rooms {
    /// The room of a name.
    pub(super) fn find(&self, name: &RoomName) -> Option<RoomId> {
        self.by_name.get(name).copied()
    }

    /// All names, in lower-case order.
    pub(super) fn by_name(&self) -> &BTreeMap<RoomName, RoomId> {
        &self.by_name
    }

    pub(super) fn room(&self, id: RoomId) -> Option<&Room> {
        self.rooms.get(id.0 as usize)
    }

    pub(super) fn room_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        self.rooms.get_mut(id.0 as usize)
    }

    /// Adds a room, whose name is free.
    pub(super) fn open(&mut self, room: Room) -> RoomId {
        let name = room.name.clone();
        let id = RoomId(self.rooms.insert(room) as u32);
        self.by_name.insert(name, id);
        id
    }

    /// Takes a room away, with all memberships in it.
    pub(super) fn close(&mut self, id: RoomId) -> Option<Room> {
        let room = self.rooms.try_remove(id.0 as usize)?;
        self.by_name.remove(&room.name);
        for member in &room.members {
            self.places.remove(&(member.session, id));
        }
        Some(room)
    }

    /// A session's place in a room, if it has one.
    pub(super) fn member(&self, session: SessionId, id: RoomId) -> Option<&Member> {
        let room = self.room(id)?;
        room.members.get(room.index(*self.places.get(&(session, id))?)?)
    }

    /// The rooms that a session is in, each with the number of its arrival there.
    pub(super) fn places_of(&self, session: SessionId) -> impl Iterator<Item = (u64, RoomId)> + '_ {
        let all = (session, RoomId(0))..=(session, RoomId(u32::MAX));
        self.places.range(all).map(|((_, room), arrival)| (*arrival, *room))
    }

    /// Gives a session a place in a room in which it has none yet.
    pub(super) fn enter(&mut self, id: RoomId, session: SessionId, who: Who, listens: bool) {
        let Some(room) = self.rooms.get_mut(id.0 as usize) else { return };
        self.arrivals += 1;
        let arrival = self.arrivals;
        room.members.push(Member { session, listens, arrival });
        room.listening += usize::from(listens);
        room.present.add(who, session);
        self.places.insert((session, id), arrival);
    }

    /// A member hears the room from now on.
    pub(super) fn listen(&mut self, id: RoomId, session: SessionId) {
        let Some(arrival) = self.places.get(&(session, id)) else { return };
        let Some(room) = self.rooms.get_mut(id.0 as usize) else { return };
        let Some(index) = room.index(*arrival) else { return };
        if let Some(member) = room.members.get_mut(index)
            && !std::mem::replace(&mut member.listens, true)
        {
            room.listening += 1;
        }
    }

    /// Takes a session's place in a room away.
    pub(super) fn leave(&mut self, id: RoomId, session: SessionId, who: &Who) -> Option<Member> {
        let arrival = self.places.remove(&(session, id))?;
        let room = self.rooms.get_mut(id.0 as usize)?;
        let index = room.index(arrival)?;
        let member = room.members.remove(index);
        room.listening -= usize::from(member.listens);
        room.present.remove(who, session);
        Some(member)
    }

    /// Gives back memory that was for more rooms, and more members.
    pub(super) fn shrink(&mut self) {
        self.rooms.shrink_to_fit();
        for (_, room) in &mut self.rooms {
            room.members.shrink_to_fit();
        }
    }

    /// Names, places and members say the same.
    #[cfg(test)]
    pub(super) fn check_invariants(&self) {
        assert_eq!(self.by_name.len(), self.rooms.len());
        let mut places = 0;
        for (name, id) in &self.by_name {
            let room = self.room(*id).expect("a name has a room");
            assert_eq!(room.name, *name);
            assert!(!room.members.is_empty(), "{name} is empty");
            assert!(room.members.is_sorted_by_key(|member| member.arrival));
            assert!(room.members.iter().any(|member| member.session == room.host), "the host of {name} is not in it");
            assert_eq!(room.listening, room.members.iter().filter(|member| member.listens).count());
            assert_eq!(room.present.iter().map(|(_, sessions)| sessions.len()).sum::<usize>(), room.members.len());
            for member in &room.members {
                assert_eq!(self.member(member.session, *id), Some(member));
            }
            places += room.members.len();
        }
        assert_eq!(self.places.len(), places);
    }
}
