//! Lists of rooms, and of the names in a room.

use super::event::{Event, NameLine, RoomLine, Seat};
use super::names::{RoomName, UserName, Who};
use super::room::{Room, RoomId};
use super::session::SessionId;
use super::{Hub, listed};

/// A line of a list of names.
enum Named<'a> {
    Present(&'a Who),
    Absent(&'a UserName),
}

impl Hub {
    /// `Rooms`.
    pub(super) fn on_rooms(&mut self, who: SessionId, prefix: &str) {
        let all = self.rooms.by_name();
        let least = RoomName::least_with(prefix);
        let matching = all.range(least.clone()..).take_while(|(name, _)| name.begins_with(&least));
        let line = |(name, id): (&RoomName, &RoomId)| {
            let room = self.rooms.room(*id);
            let (members, is_locked) = room.map_or((0, false), |room| (room.members().len(), room.lock.is_some()));
            RoomLine { name: name.clone(), members, is_locked }
        };
        let (rooms, matching) = listed(matching, line, &self.rules, prefix.is_empty().then_some(all.len()));
        self.charge_list(rooms.len(), matching);
        self.tell(who, Event::Rooms { rooms, matching });
    }

    /// `Names`: who is there, then the member accounts of a kept room that are not.
    pub(super) fn on_names(&mut self, who: SessionId, room: &RoomName, prefix: &str) {
        let Some(room) = self.rooms.find(room).and_then(|id| self.rooms.room(id)) else {
            return self.tell(who, Event::NoSuchRoom);
        };
        let host = self.host_of(room);
        let all = room.present();
        let least = Who::least_with(prefix);
        let present = all.from(least.clone()).take_while(|(name, _)| name.begins_with(&least));
        let line = |named: Named<'_>| match named {
            Named::Present(name) if Some(name) == host.as_ref() => self.name_line(name, Seat::Host),
            Named::Present(name) => self.name_line(name, Seat::Member),
            Named::Absent(name) => NameLine { who: Who::Account(name.clone()), seat: Seat::Absent, is_away: false },
        };
        let matching = present.map(|(name, _)| Named::Present(name)).chain(absent(room, prefix).map(Named::Absent));
        let is_known = prefix.is_empty() && room.kept.is_none();
        let (names, matching) = listed(matching, line, &self.rules, is_known.then_some(all.len()));
        let room = room.name.clone();
        self.charge_list(names.len(), matching);
        self.tell(who, Event::Names { room, names, matching });
    }

    fn name_line(&self, who: &Who, seat: Seat) -> NameLine {
        let is_away = matches!(who, Who::Account(name) if self.is_away(name));
        NameLine { who: who.clone(), seat, is_away }
    }
}

/// The member accounts of a kept room that are not there and begin with `prefix`.
fn absent<'a>(room: &'a Room, prefix: &str) -> impl Iterator<Item = &'a UserName> {
    let least = UserName::least_with(prefix);
    let members = room.kept.iter().flat_map({
        let least = least.clone();
        move |kept| kept.members.range(least.clone()..)
    });
    let matching = members.map(|(name, _)| name).take_while(move |name| name.begins_with(&least));
    matching.filter(|name| room.present().find(&Who::Account((*name).clone())).is_none())
}
