//! What an operator sees of the hub, and what an operator does to it.

use super::Hub;
use super::event::Closing;
use super::names::{GuestName, RoomName, UserName, Who};
use super::room::{Room, RoomId};
use super::session::SessionId;

/// A room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomView {
    /// The name, as its maker spelled it.
    pub name: RoomName,
    /// The number of sessions in it.
    pub members: usize,
    /// Its host: of a kept room its owner, if one of the owner's sessions is there.
    pub host: Option<Who>,
    /// Days for which its messages are kept, if it is a kept room.
    pub kept: Option<u32>,
    /// The owner of a kept room, if it has one.
    pub owner: Option<UserName>,
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
            host: self.host_of(room),
            kept: room.kept.as_ref().map(|kept| kept.days),
            owner: room.kept.as_ref().and_then(|kept| kept.owner.as_ref()).map(|owner| owner.name.clone()),
            is_locked: room.lock.is_some(),
        })
    }

    /// The names in a room in lower-case order, accounts before guests; true marks the host. `None` if there is no such
    /// room.
    pub fn names_in(&self, name: &RoomName) -> Option<Vec<(Who, bool)>> {
        let room = self.room_of_name(name)?;
        let host = self.host_of(room);
        let names = room.present().from(Who::least_with(""));
        Some(names.map(|(name, _)| (name.clone(), Some(name) == host.as_ref())).collect())
    }

    /// The rooms of a session, in the order in which it entered them.
    pub fn rooms_of(&self, who: SessionId) -> Vec<(RoomId, RoomName)> {
        let mut places: Vec<(u64, RoomId)> = self.rooms.places_of(who).collect();
        places.sort_unstable();
        let named = |(_, id): (u64, RoomId)| Some((id, self.rooms.room(id)?.name.clone()));
        places.into_iter().filter_map(named).collect()
    }

    /// All guests of one room, by their session.
    pub fn guests(&self) -> impl Iterator<Item = (SessionId, &GuestName)> {
        self.guests.iter().map(|(session, name)| (*session, name))
    }

    /// The operator closes a room. A kept room ends with all that is kept of it. False if there is no such room.
    pub fn close_by_operator(&mut self, name: &RoomName, reason: &str) -> bool {
        let Some(id) = self.find_room(name) else { return false };
        self.close_room(id, Closing::ByOperator(reason.into()));
        true
    }

    fn room_of_name(&self, name: &RoomName) -> Option<&Room> {
        self.rooms.room(self.find_room(name)?)
    }
}
