//! Lists of rooms, and of the names in a room.

use super::event::{Event, NameLine, Present, RoomLine, Seat};
use super::names::{GuestName, RoomName, UserName, Who};
use super::room::{Room, RoomId};
use super::session::SessionId;
use super::{Hub, listed};

/// Somebody who is online.
enum Online<'a> {
    Account(&'a UserName),
    Guest(&'a GuestName),
}

/// A line of a list of names.
enum Named<'a> {
    Present(&'a Who),
    Absent(&'a UserName),
}

impl Hub {
    /// `Who`: accounts, and guests who have logged in.
    pub(super) fn on_who(&mut self, who: SessionId, prefix: &str) {
        let (of_accounts, of_guests) = match prefix.strip_prefix('~') {
            Some(guest) => (None, Some(guest)),
            None => (Some(prefix), prefix.is_empty().then_some("")),
        };
        let least = of_accounts.map(UserName::least_with);
        let accounts = least.iter().flat_map(|least| {
            let names = self.online.from(least.clone()).map(|(name, _)| name);
            names.take_while(|name| name.begins_with(least)).map(Online::Account)
        });
        let least = of_guests.map(GuestName::least_with);
        let guests = least.iter().flat_map(|least| {
            let names = self.guests_online.from(least.clone()).map(|(name, _)| name);
            names.take_while(|name| name.begins_with(least)).map(Online::Guest)
        });
        let line = |name: Online<'_>| {
            let who = match name {
                Online::Account(name) => Who::Account(name.clone()),
                Online::Guest(name) => Who::Guest(name.clone()),
            };
            Present { is_away: self.is_away(&who), who }
        };
        let all = prefix.is_empty().then(|| self.online());
        let (names, matching) = listed(accounts.chain(guests), line, &self.rules, all);
        self.charge_list(names.len(), matching);
        self.tell(who, Event::Online { names, matching });
    }

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
        NameLine { who: who.clone(), seat, is_away: self.is_away(who) }
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
