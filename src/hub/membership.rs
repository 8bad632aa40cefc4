//! Commands on rooms: make, enter, leave, say, list, and those of the host.

use super::command::Entry;
use super::event::{Audience, Closing, Event, RoomLine, Seat};
use super::names::{GuestName, RoomName, Who};
use super::record::Fate;
use super::room::{HostGoes, Room, RoomId};
use super::session::SessionId;
use super::{Hub, listed};
use crate::limits::{PLACE_END_WORK, WORK_MEMBERS};

impl Hub {
    /// `Make`. Ignored for guests, who are in one room only.
    pub(super) fn on_make(&mut self, who: SessionId, entry: Entry) {
        let Some(name) = self.name_of(who).cloned().map(Who::from) else { return };
        let event = self.make(who, name, entry, HostGoes::PassesOn, true).unwrap_or_else(|refusal| refusal);
        self.tell(who, event);
    }

    /// `Join`. Ignored for guests. A member gets [`Event::Entered`] again, and other members get no event.
    pub(super) fn on_join(&mut self, who: SessionId, entry: Entry) {
        let Some(name) = self.name_of(who).cloned().map(Who::from) else { return };
        let place = self.rooms.find(&entry.room).filter(|id| self.rooms.member(who, *id).is_some());
        let event = match place {
            Some(id) => Event::Entered { room: self.name_of_room(id, entry.room), id, kept: None },
            None => self.join(who, name, entry, true).unwrap_or_else(|refusal| refusal),
        };
        self.tell(who, event);
    }

    /// `EnterAsGuest`. The guest becomes a session if it gets a place. It listens only after `Listen`.
    pub(super) fn on_enter_as_guest(
        &mut self,
        who: SessionId,
        guest: GuestName,
        makes: Option<HostGoes>,
        entry: Entry,
    ) {
        let name = Who::Guest(guest.clone());
        let result = match makes {
            Some(host_goes) => self.make(who, name, entry, host_goes, false),
            None => self.join(who, name, entry, false),
        };
        if result.is_ok() {
            self.guests.insert(who, guest);
        }
        self.tell(who, result.unwrap_or_else(|refusal| refusal));
    }

    /// `Rename`. Ignored for accounts. The guest itself gets no answer, unless the name is taken.
    pub(super) fn on_rename(&mut self, who: SessionId, guest: GuestName) {
        let Some(old) = self.guests.get(&who).cloned().map(Who::from) else { return };
        let Some((_, id)) = self.rooms.places_of(who).next() else { return };
        let Some(room) = self.rooms.room(id) else { return };
        let (shown, new) = (room.name.clone(), Who::Guest(guest.clone()));
        let is_host = room.host == who;
        if room.present().find(&new).is_some_and(|(_, sessions)| *sessions != [who]) {
            return self.tell(who, Event::GuestNameTaken);
        }
        self.rooms.rename(id, who, &old, new.clone());
        self.guests.insert(who, guest);
        let mut events = vec![
            Event::Gone { room: shown.clone(), who: old, kicked: false },
            Event::Arrived { room: shown.clone(), who: new.clone() },
        ];
        events.extend(is_host.then_some(Event::HostIs { room: shown, who: new }));
        for event in events {
            self.events.push_back((Audience::Room { room: id, except: Some(who) }, event));
        }
    }

    fn make(
        &mut self,
        who: SessionId,
        name: Who,
        entry: Entry,
        host_goes: HostGoes,
        listens: bool,
    ) -> Result<Event, Event> {
        let Entry { room, lock } = entry;
        if let Some(id) = self.rooms.find(&room) {
            return Err(Event::RoomExists { room: self.name_of_room(id, room) });
        }
        self.check_rooms_of(who)?;
        let id = self.rooms.open(Room::new(room.clone(), lock, host_goes, who));
        self.rooms.enter(id, who, name, listens);
        Ok(Event::Entered { room, id, kept: None })
    }

    fn join(&mut self, who: SessionId, name: Who, entry: Entry, listens: bool) -> Result<Event, Event> {
        let Entry { room: asked, lock } = entry;
        let Some(id) = self.rooms.find(&asked) else { return Err(Event::NoSuchRoom) };
        let Some(room) = self.rooms.room(id) else { return Err(Event::NoSuchRoom) };
        let shown = room.name.clone();
        match lock {
            None if room.lock.is_some() => return Err(Event::RoomNeedsPassword),
            Some(given) if !room.opens_to(&given) => return Err(Event::WrongRoomPassword { room: shown }),
            None | Some(_) => {}
        }
        if matches!(name, Who::Guest(_)) && room.present().find(&name).is_some() {
            return Err(Event::GuestNameTaken);
        }
        if room.members().len() >= self.rules.room_members as usize {
            return Err(Event::RoomFull { room: shown });
        }
        self.check_rooms_of(who)?;
        self.rooms.enter(id, who, name.clone(), listens);
        let audience = Audience::Room { room: id, except: Some(who) };
        self.events.push_back((audience, Event::Arrived { room: shown.clone(), who: name }));
        Ok(Event::Entered { room: shown, id, kept: None })
    }

    fn check_rooms_of(&self, who: SessionId) -> Result<(), Event> {
        let most = self.rules.rooms_per_session;
        if self.rooms.places_of(who).count() >= most as usize { Err(Event::TooManyRooms { most }) } else { Ok(()) }
    }

    /// `LeaveRoom`.
    pub(super) fn on_leave_room(&mut self, who: SessionId, room: &RoomName) {
        match self.place(who, room) {
            Ok(id) => {
                self.take_out(who, id);
                self.tell(who, Event::Done);
            }
            Err(refusal) => self.tell(who, refusal),
        }
    }

    /// Ends all places of a session, in the order in which it entered the rooms.
    pub(super) fn leave_all(&mut self, who: SessionId) {
        let mut places: Vec<(u64, RoomId)> = self.rooms.places_of(who).collect();
        places.sort_unstable();
        for (_, room) in places {
            self.take_out(who, room);
        }
    }

    /// `SayIn`.
    pub(super) fn on_say_in(&mut self, who: SessionId, room: &RoomName, text: &str, unix_ms: u64) {
        let id = match self.place(who, room) {
            Ok(id) => id,
            Err(refusal) => return self.tell(who, refusal),
        };
        let Some((name, hearers)) = self.rooms.room(id).map(|room| (room.name.clone(), room.listening())) else {
            return;
        };
        let is_heard_by_itself = self.rooms.member(who, id).is_some_and(|member| member.listens);
        let Some(message) = self.message(who, text, Fate::Unkept, unix_ms) else { return };
        let (id_of_message, is_dropped) = (message.id, matches!(message.fate, Fate::Dropped(_)));
        let audience = Audience::Room { room: id, except: Some(who) };
        self.events.push_back((audience, Event::SaidIn { room: name, message }));
        let hearers = hearers - usize::from(is_heard_by_itself);
        self.tell(who, Event::Sent { hearers, id: id_of_message, is_dropped });
    }

    /// `CanSayIn`.
    pub(super) fn on_can_say_in(&mut self, who: SessionId, room: &RoomName) {
        let event = self.place(who, room).map_or_else(|refusal| refusal, |_| Event::CanSayIn);
        self.tell(who, event);
    }

    /// `Listen`.
    pub(super) fn on_listen(&mut self, who: SessionId, room: &RoomName) {
        if let Ok(id) = self.place(who, room) {
            self.rooms.listen(id, who);
        }
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

    /// `Names`.
    pub(super) fn on_names(&mut self, who: SessionId, room: &RoomName, prefix: &str) {
        let Some(room) = self.rooms.find(room).and_then(|id| self.rooms.room(id)) else {
            return self.tell(who, Event::NoSuchRoom);
        };
        let all = room.present();
        let least = Who::least_with(prefix);
        let matching = all.from(least.clone()).take_while(|(name, _)| name.begins_with(&least));
        let line = |(name, sessions): (&Who, &[SessionId])| {
            let seat = if sessions.contains(&room.host) { Seat::Host } else { Seat::Member };
            (name.clone(), seat)
        };
        let (names, matching) = listed(matching, line, &self.rules, prefix.is_empty().then_some(all.len()));
        let room = room.name.clone();
        self.charge_list(names.len(), matching);
        self.tell(who, Event::Names { room, names, matching });
    }

    /// `Kick`: removes all sessions of one name. Each receiver gets one event, however many sessions are removed.
    pub(super) fn on_kick(&mut self, who: SessionId, room: &RoomName, name: &Who) {
        let id = match self.host_place(who, room) {
            Ok(id) => id,
            Err(refusal) => return self.tell(who, refusal),
        };
        let kicked = self.rooms.room(id).and_then(|room| room.present().find(name));
        let Some((name, sessions)) = kicked.map(|(name, sessions)| (name.clone(), sessions.to_vec())) else {
            return self.tell(who, Event::NotInRoom { name: name.clone() });
        };
        let mut event = None;
        for session in &sessions {
            event = self.remove(*session, id, &name).map(|room| Event::Gone { room, who: name.clone(), kicked: true });
        }
        if let Some(event) = event {
            for session in &sessions {
                self.tell(*session, event.clone());
            }
            self.settle(id, event);
        }
        self.tell(who, Event::Done);
    }

    /// `CloseRoom`.
    pub(super) fn on_close_room(&mut self, who: SessionId, room: &RoomName) {
        match self.host_place(who, room) {
            Ok(id) => {
                self.close_room(id, Closing::ByHost);
                self.tell(who, Event::Done);
            }
            Err(refusal) => self.tell(who, refusal),
        }
    }

    /// Removes a member that leaves or whose session ends.
    fn take_out(&mut self, who: SessionId, id: RoomId) {
        let Some(name) = self.who_is(who) else { return };
        if let Some(room) = self.remove(who, id, &name) {
            self.settle(id, Event::Gone { room, who: name, kicked: false });
        }
    }

    /// Removes a member from a room and returns the room's name. The caller must call [`settle`](Self::settle) next.
    fn remove(&mut self, session: SessionId, id: RoomId, name: &Who) -> Option<RoomName> {
        let members = self.rooms.room(id).map_or(0, |room| room.members().len());
        self.work += members / WORK_MEMBERS;
        self.rooms.leave(id, session, name)?;
        self.end_place(session, id);
        self.rooms.room(id).map(|room| room.name.clone())
    }

    /// Brings a room in order after [`remove`](Self::remove). An empty room is closed. A room without its host is closed or
    /// gets a new host, depending on [`HostGoes`]. The members get the event `gone`, unless the room closes: then they get
    /// [`Event::RoomClosed`] alone.
    fn settle(&mut self, id: RoomId, gone: Event) {
        let Some(room) = self.rooms.room(id) else { return };
        let Some(eldest) = room.members().first().map(|member| member.session) else {
            self.rooms.close(id);
            return;
        };
        let new_host = self.rooms.member(room.host, id).is_none().then_some(eldest);
        if new_host.is_some() && room.host_goes == HostGoes::Closes {
            return self.close_room(id, Closing::HostLeft);
        }
        self.events.push_back((Audience::Room { room: id, except: None }, gone));
        if let Some(host) = new_host {
            self.pass_on(id, host);
        }
    }

    fn pass_on(&mut self, id: RoomId, host: SessionId) {
        let Some(who) = self.who_is(host) else { return };
        let Some(room) = self.rooms.room_mut(id) else { return };
        room.host = host;
        let event = Event::HostIs { room: room.name.clone(), who };
        self.events.push_back((Audience::Room { room: id, except: None }, event));
    }

    pub(super) fn close_room(&mut self, id: RoomId, why: Closing) {
        let Some(room) = self.rooms.close(id) else { return };
        let members = room.members().to_vec();
        for member in &members {
            self.end_place(member.session, id);
        }
        self.events.push_back((Audience::Members { room: id, members }, Event::RoomClosed { room: room.name, why }));
    }

    /// Notes that a place has ended. The session of a guest ends with it.
    fn end_place(&mut self, session: SessionId, room: RoomId) {
        self.work += PLACE_END_WORK;
        self.ended_places.push_back((session, room));
        self.guests.remove(&session);
    }

    /// The room of that name, if `who` is a member; else the refusal.
    fn place(&self, who: SessionId, room: &RoomName) -> Result<RoomId, Event> {
        let id = self.rooms.find(room).ok_or(Event::NoSuchRoom)?;
        let is_in = self.rooms.member(who, id).is_some();
        if is_in { Ok(id) } else { Err(Event::NotMember { room: self.name_of_room(id, room.clone()) }) }
    }

    /// The room of that name, if `who` is its host, or another session of the host's account; else the refusal.
    fn host_place(&self, who: SessionId, name: &RoomName) -> Result<RoomId, Event> {
        let id = self.place(who, name)?;
        let host = self.rooms.room(id).map(|room| room.host);
        let is_host = host.is_some_and(|host| host == who || self.who_is(host) == self.who_is(who));
        if is_host { Ok(id) } else { Err(Event::NotHost { room: self.name_of_room(id, name.clone()) }) }
    }

    /// A room's name, as its maker spelled it; `asked` if the room does not exist.
    fn name_of_room(&self, id: RoomId, asked: RoomName) -> RoomName {
        self.rooms.room(id).map_or(asked, |room| room.name.clone())
    }
}
