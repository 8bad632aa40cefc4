//! What an operator sees of the hub, and what an operator does to it.

use super::Hub;
use super::event::Closing;
use super::names::{GuestName, RoomName, Who};
use super::room::{Room, RoomId};
use super::session::SessionId;

/// A room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomView {
    /// The name, as its maker spelled it.
    pub name: RoomName,
    /// The number of sessions in it.
    pub members: usize,
    /// Its host.
    pub host: Option<Who>,
    /// True if it has a password.
    pub is_locked: bool,
}

impl Hub {
    /// The names of all rooms, in lower-case order.
    pub fn room_names(&self) -> impl Iterator<Item = &RoomName> {
        self.rooms.by_name().keys()
    }

    /// The room of that name, in any case.
    pub fn view_room(&self, name: &RoomName) -> Option<RoomView> {
        let room = self.room_of_name(name)?;
        Some(RoomView {
            name: room.name.clone(),
            members: room.members().len(),
            host: self.who_is(room.host),
            is_locked: room.lock.is_some(),
        })
    }

    /// The names in a room in lower-case order, accounts before guests; true marks the host. `None` if there is no such
    /// room.
    pub fn names_in(&self, name: &RoomName) -> Option<Vec<(Who, bool)>> {
        let room = self.room_of_name(name)?;
        let names = room.present().from(Who::least_with(""));
        Some(names.map(|(name, sessions)| (name.clone(), sessions.contains(&room.host))).collect())
    }

    /// The rooms of a session, in the order in which it entered them.
    pub fn rooms_of(&self, who: SessionId) -> Vec<(RoomId, RoomName)> {
        let mut places: Vec<(u64, RoomId)> = self.rooms.places_of(who).collect();
        places.sort_unstable();
        let named = |(_, id): (u64, RoomId)| Some((id, self.rooms.room(id)?.name.clone()));
        places.into_iter().filter_map(named).collect()
    }

    /// All guests, by their session.
    pub fn guests(&self) -> impl Iterator<Item = (SessionId, &GuestName)> {
        self.guests.iter().map(|(session, name)| (*session, name))
    }

    /// The operator closes a room. False if there is no such room.
    pub fn close_by_operator(&mut self, name: &RoomName, reason: &str) -> bool {
        let Some(id) = self.find_room(name) else { return false };
        self.close_room(id, Closing::ByOperator(reason.into()));
        true
    }

    fn room_of_name(&self, name: &RoomName) -> Option<&Room> {
        self.rooms.room(self.find_room(name)?)
    }
}
