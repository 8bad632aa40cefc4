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
    pub(super) fn on_who(&mut self, who: SessionId, prefix: &str, most: Option<u32>) {
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
            self.present(who)
        };
        let most = most.unwrap_or(self.rules.list_lines);
        let all = prefix.is_empty().then(|| self.online());
        let (names, matching) = listed(accounts.chain(guests), line, most, all);
        self.charge_list(names.len(), matching);
        self.tell(who, Event::Online { names, matching });
    }

    fn present(&self, who: Who) -> Present {
        Present { is_away: self.is_away(&who), called: self.called_of(&who), who }
    }

    /// `AreOn`.
    pub(super) fn on_are_on(&mut self, who: SessionId, names: Vec<Who>) {
        let asked = names.len();
        let names: Vec<Present> = names.iter().filter_map(|name| Some(self.present(self.find_here(name)?.0))).collect();
        let matching = names.len();
        self.charge_list(matching, asked);
        self.tell(who, Event::Online { names, matching });
    }

    /// A name as it is shown, and its sessions, also of guests of one room; `None` if it is not here.
    fn find_here(&self, who: &Who) -> Option<(Who, &[SessionId])> {
        let of_one_room = || match who {
            Who::Account(_) => None,
            Who::Guest(name) => self.guest_names.find(name).map(|(name, ids)| (Who::Guest(name.clone()), ids)),
        };
        self.find_online(who).or_else(of_one_room)
    }

    /// The name of somebody who is here, as it is shown, for one in any case.
    pub fn name_here(&self, who: &Who) -> Option<Who> {
        self.find_here(who).map(|(who, _)| who)
    }

    /// The rooms that somebody is in, in lower-case order, and whether they are the host there. As long as there are rooms
    /// of their sessions.
    pub fn rooms_named(&self, who: &Who) -> Vec<(RoomName, bool)> {
        let Some((who, sessions)) = self.find_here(who) else { return Vec::new() };
        let ids = sessions.iter().flat_map(|session| self.rooms.places_of(*session)).map(|(_, id)| id);
        let rooms = ids.filter_map(|id| self.rooms.room(id));
        let mut rooms: Vec<(RoomName, bool)> =
            rooms.map(|room| (room.name.clone(), self.host_of(room).as_ref() == Some(&who))).collect();
        rooms.sort_unstable();
        rooms.dedup();
        rooms
    }

    /// `Rooms`.
    pub(super) fn on_rooms(&mut self, who: SessionId, prefix: &str) {
        let all = self.rooms.by_name();
        let least = RoomName::least_with(prefix);
        let matching = all.range(least.clone()..).take_while(|(name, _)| name.begins_with(&least));
        let line = |(name, id): (&RoomName, &RoomId)| {
            let room = self.rooms.room(*id);
            let (members, is_locked) = room.map_or((0, false), |room| (room.members().len(), room.lock.is_some()));
            let is_kept = room.is_some_and(|room| room.kept.is_some());
            let is_told = !is_locked || self.is_member(who, *id);
            let topic = room.and_then(|room| room.topic.as_ref()).filter(|_| is_told).map(|topic| topic.text.clone());
            RoomLine { name: name.clone(), members, is_locked, is_kept, topic }
        };
        let most = self.rules.list_lines;
        let (rooms, matching) = listed(matching, line, most, prefix.is_empty().then_some(all.len()));
        self.charge_list(rooms.len(), matching);
        self.tell(who, Event::Rooms { rooms, matching });
    }

    /// `Names`: who is there, then the member accounts of a kept room that are not.
    pub(super) fn on_names(&mut self, who: SessionId, room: &RoomName, prefix: &str, most: Option<u32>) {
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
            Named::Absent(name) => {
                NameLine { who: Who::Account(name.clone()), seat: Seat::Absent, is_away: false, called: None }
            }
        };
        let matching = present.map(|(name, _)| Named::Present(name)).chain(absent(room, prefix).map(Named::Absent));
        let is_known = prefix.is_empty() && room.kept.is_none();
        let (names, matching) =
            listed(matching, line, most.unwrap_or(self.rules.list_lines), is_known.then_some(all.len()));
        let room = room.name.clone();
        self.charge_list(names.len(), matching);
        self.tell(who, Event::Names { room, names, matching });
    }

    /// Whether a session is in a room, or its account a member of it.
    fn is_member(&self, who: SessionId, id: RoomId) -> bool {
        self.rooms.member(who, id).is_some() || self.name_of(who).is_some_and(|name| self.is_member_of(id, name))
    }

    fn name_line(&self, who: &Who, seat: Seat) -> NameLine {
        NameLine { who: who.clone(), seat, is_away: self.is_away(who), called: self.called_of(who) }
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
