//! Rooms, and the table of all rooms and memberships.

use std::collections::BTreeMap;

use slab::Slab;

use super::kept::Kept;
use super::names::{RoomName, Who};
use super::presence::Presence;
use super::record::{Lock, Topic};
use super::session::SessionId;

/// Identifies a room while it exists. After it has closed, a new room may get the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(u32);

/// A session's place in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The member's session.
    pub session: SessionId,
    /// Whether the room's messages are delivered to this member. False for a guest until `Listen`.
    pub listens: bool,
    arrival: u64,
}

/// What happens to a room when its host leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostGoes {
    /// The longest-standing member becomes host.
    PassesOn,
    /// The room closes.
    Closes,
}

/// A room and its members, in the order in which they entered.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: RoomName,
    pub(super) lock: Option<Lock>,
    pub(super) topic: Option<Topic>,
    pub(super) host_goes: HostGoes,
    /// The host of a room that is not kept.
    pub(super) host: Option<SessionId>,
    /// What it has besides, if it is a kept room.
    pub(super) kept: Option<Box<Kept>>,
    members: Vec<Member>,
    listening: usize,
    present: Presence<Who>,
}

impl Room {
    /// A room without members. Its host, if it has one, enters next.
    pub(super) fn new(name: RoomName, lock: Option<Lock>, host_goes: HostGoes, host: Option<SessionId>) -> Self {
        let (members, present) = (Vec::new(), Presence::default());
        Self { name, lock, topic: None, host_goes, host, kept: None, members, listening: 0, present }
    }

    /// All members, the longest-standing first.
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The number of listening members.
    pub(super) fn listening(&self) -> usize {
        self.listening
    }

    /// The members' names in lower-case order, accounts before guests, each with its sessions.
    pub(super) fn present(&self) -> &Presence<Who> {
        &self.present
    }

    /// Whether it is a kept room of this account.
    pub(super) fn is_owned_by(&self, who: &Who) -> bool {
        matches!(who, Who::Account(name) if self.kept.as_ref().is_some_and(|kept| kept.is_owned_by(name)))
    }

    /// Whether `given` is the check of the password. Any is right for a room without a password.
    pub(super) fn opens_to(&self, given: &Lock) -> bool {
        self.lock.as_ref().is_none_or(|lock| lock == given)
    }

    /// The index of the member with this arrival number.
    fn index(&self, arrival: u64) -> Option<usize> {
        self.members.binary_search_by_key(&arrival, |member| member.arrival).ok()
    }
}

/// All rooms by id and by name, and all memberships.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    rooms: Slab<Room>,
    by_name: BTreeMap<RoomName, RoomId>,
    /// The memberships, each with its arrival number, by which [`Room::index`] finds it among the members.
    places: BTreeMap<(SessionId, RoomId), u64>,
    arrivals: u64,
}

impl Rooms {
    /// The room of that name.
    pub(super) fn find(&self, name: &RoomName) -> Option<RoomId> {
        self.by_name.get(name).copied()
    }

    /// All rooms in lower-case order of their names.
    pub(super) fn by_name(&self) -> &BTreeMap<RoomName, RoomId> {
        &self.by_name
    }

    pub(super) fn room(&self, id: RoomId) -> Option<&Room> {
        self.rooms.get(id.0 as usize)
    }

    pub(super) fn room_mut(&mut self, id: RoomId) -> Option<&mut Room> {
        self.rooms.get_mut(id.0 as usize)
    }

    /// Adds a room. The caller has checked that its name is free.
    pub(super) fn open(&mut self, room: Room) -> RoomId {
        let name = room.name.clone();
        let id = RoomId(self.rooms.insert(room) as u32);
        self.by_name.insert(name, id);
        id
    }

    /// Removes a room with its memberships and returns it.
    pub(super) fn close(&mut self, id: RoomId) -> Option<Room> {
        let room = self.rooms.try_remove(id.0 as usize)?;
        self.by_name.remove(&room.name);
        for member in &room.members {
            self.places.remove(&(member.session, id));
        }
        Some(room)
    }

    /// A session's membership in a room, if it has one.
    pub(super) fn member(&self, session: SessionId, id: RoomId) -> Option<&Member> {
        let room = self.room(id)?;
        room.members.get(room.index(*self.places.get(&(session, id))?)?)
    }

    /// The rooms of a session, each with its arrival number, in the order of their ids.
    pub(super) fn places_of(&self, session: SessionId) -> impl Iterator<Item = (u64, RoomId)> + '_ {
        let all = (session, RoomId(0))..=(session, RoomId(u32::MAX));
        self.places.range(all).map(|((_, room), arrival)| (*arrival, *room))
    }

    /// Adds a member to a room. The caller has checked that it is not one yet.
    pub(super) fn enter(&mut self, id: RoomId, session: SessionId, who: Who, listens: bool) {
        let Some(room) = self.rooms.get_mut(id.0 as usize) else { return };
        self.arrivals += 1;
        let arrival = self.arrivals;
        room.members.push(Member { session, listens, arrival });
        room.listening += usize::from(listens);
        room.present.add(who, session);
        self.places.insert((session, id), arrival);
    }

    /// Gives a member another name in its room.
    pub(super) fn rename(&mut self, id: RoomId, session: SessionId, old: &Who, new: Who) {
        let Some(room) = self.rooms.get_mut(id.0 as usize) else { return };
        room.present.remove(old, session);
        room.present.add(new, session);
    }

    /// Marks a member as listening.
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

    /// Removes a member from a room and returns it.
    pub(super) fn leave(&mut self, id: RoomId, session: SessionId, who: &Who) -> Option<Member> {
        let arrival = self.places.remove(&(session, id))?;
        let room = self.rooms.get_mut(id.0 as usize)?;
        let index = room.index(arrival)?;
        let member = room.members.remove(index);
        room.listening -= usize::from(member.listens);
        room.present.remove(who, session);
        Some(member)
    }

    /// Releases memory left over from a peak.
    pub(super) fn shrink(&mut self) {
        self.rooms.shrink_to_fit();
        for (_, room) in &mut self.rooms {
            room.members.shrink_to_fit();
        }
    }

    /// Checks that names, memberships and members agree.
    #[cfg(test)]
    pub(super) fn check_invariants(&self) {
        assert_eq!(self.by_name.len(), self.rooms.len());
        let mut places = 0;
        for (name, id) in &self.by_name {
            let room = self.room(*id).expect("a name has a room");
            assert_eq!(room.name, *name);
            assert!(room.kept.is_some() || !room.members.is_empty(), "{name} is empty");
            assert!(room.members.is_sorted_by_key(|member| member.arrival));
            let has_host = room.members.iter().any(|member| Some(member.session) == room.host);
            assert_eq!(has_host, room.kept.is_none(), "the host of {name} is not in it, or it is kept");
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
