//! Commands on rooms: make, enter, leave, say, and those of the host.

use super::Hub;
use super::command::Entry;
use super::event::{Audience, Closing, Event, Leaving, Manner};
use super::login::owned;
use super::names::{RoomName, Who};
use super::record::Lock;
use super::room::{HostGoes, Room, RoomId};
use super::session::SessionId;
use crate::limits::{PLACE_END_WORK, WORK_MEMBERS};

impl Hub {
    /// `Make`. Ignored for guests of one room.
    pub(super) fn on_make(&mut self, who: SessionId, entry: Entry) {
        let Some(name) = self.roster.who_of(who) else { return };
        let made = self.make(who, name, entry, HostGoes::PassesOn, true);
        self.answer_entry(who, made, false);
    }

    /// `Join`. Ignored for guests of one room. A member gets [`Event::Entered`] again, and other members get no event.
    pub(super) fn on_join(&mut self, who: SessionId, entry: Entry) {
        let Some(name) = self.roster.who_of(who) else { return };
        let place = self.rooms.find(&entry.room).filter(|id| self.rooms.member(who, *id).is_some());
        let entered = match place {
            Some(id) => Ok(self.enter_again(who, id)),
            None => self.join(who, name, entry, true),
        };
        self.answer_entry(who, entered, place.is_some());
    }

    /// A member enters the room that it is in. Its account becomes a member of a kept room, if it could not before.
    fn enter_again(&mut self, who: SessionId, id: RoomId) -> RoomId {
        if let Some(account) = self.account_of(who).cloned() {
            self.become_member(id, account);
        }
        id
    }

    /// Answers somebody who is in a room now, or is refused. `again`: it was there already.
    pub(super) fn answer_entry(&mut self, who: SessionId, entered: Result<RoomId, Event>, again: bool) {
        let id = match entered {
            Ok(id) => id,
            Err(refusal) => return self.tell(who, refusal),
        };
        let Some(room) = self.rooms.room(id) else { return };
        let kept = room.kept.as_ref().map(|kept| kept.days);
        let (host, topic, room) = (self.host_of(room), room.topic.clone(), room.name.clone());
        self.tell(who, Event::Entered { room, id, kept, again, topic, host });
    }

    pub(super) fn make(
        &mut self,
        who: SessionId,
        name: Who,
        entry: Entry,
        host_goes: HostGoes,
        listens: bool,
    ) -> Result<RoomId, Event> {
        let Entry { room, lock } = entry;
        if let Some(id) = self.rooms.find(&room) {
            return Err(Event::RoomExists { room: self.name_of_room(id, room) });
        }
        self.check_rooms_of(who)?;
        let id = self.rooms.open(Room::new(room, lock, host_goes, Some(who)));
        self.rooms.enter(id, who, name, listens);
        Ok(id)
    }

    pub(super) fn join(&mut self, who: SessionId, name: Who, entry: Entry, listens: bool) -> Result<RoomId, Event> {
        let Entry { room: asked, lock } = entry;
        let Some(id) = self.rooms.find(&asked) else { return Err(Event::NoSuchRoom) };
        let Some(room) = self.rooms.room(id) else { return Err(Event::NoSuchRoom) };
        let shown = room.name.clone();
        check_password(room, &name, lock)?;
        if matches!(name, Who::Guest(_)) && room.present().find(&name).is_some() {
            return Err(Event::GuestNameTaken);
        }
        if room.members().len() >= self.rules.room_members as usize {
            return Err(Event::RoomFull { room: shown });
        }
        self.check_rooms_of(who)?;
        self.check_membership(room, &name)?;
        let (first, away) = (room.present().find(&name).is_none(), self.away_of(&name));
        let (called, is_owner) = (self.called_of(&name), room.is_owned_by(&name));
        self.rooms.enter(id, who, name.clone(), listens);
        let audience = Audience::Room { room: id, except: Some(who) };
        self.events.push_back((audience, Event::Arrived { room: shown, who: name, first, away, called, is_owner }));
        Ok(self.enter_again(who, id))
    }

    fn check_rooms_of(&self, who: SessionId) -> Result<(), Event> {
        let most = self.rules.rooms_per_session;
        if self.rooms.places_of(who).count() >= most as usize { Err(Event::TooManyRooms { most }) } else { Ok(()) }
    }

    /// `LeaveRoom`. With its last session in a kept room an account leaves it.
    pub(super) fn on_leave_room(&mut self, who: SessionId, room: &RoomName, text: Option<&str>) {
        match self.place(who, room) {
            Ok(id) => {
                let account = self.name_of(who).cloned();
                self.take_out(who, id, &Leaving::Left, text);
                if let Some(name) = account {
                    self.end_membership_of_absent(id, &name);
                }
                self.tell(who, Event::Done);
            }
            Err(refusal) => self.leave_from_outside(who, room, refusal),
        }
    }

    /// Ends the membership in a kept room that no session of the account is in.
    fn leave_from_outside(&mut self, who: SessionId, room: &RoomName, refusal: Event) {
        let place = self.name_of(who).and_then(|name| Some((self.membership_from_outside(name, room)?, name.clone())));
        let event = place.map_or(refusal, |(id, name)| {
            self.end_membership(id, &name);
            Event::Done
        });
        self.tell(who, event);
    }

    /// Ends all places of a session, in the order in which it entered the rooms.
    pub(super) fn leave_all(&mut self, who: SessionId, why: &Leaving, text: Option<&str>) {
        for room in self.rooms_in_order(who) {
            self.take_out(who, room, why, text);
        }
    }

    /// `SayIn`.
    pub(super) fn on_say_in(&mut self, who: SessionId, room: &RoomName, said: (&str, Manner)) {
        let id = match self.place(who, room) {
            Ok(id) => id,
            Err(refusal) => return self.tell(who, refusal),
        };
        let Some((name, hearers)) = self.rooms.room(id).map(|room| (room.name.clone(), room.listening())) else {
            return;
        };
        let is_heard_by_itself = self.rooms.member(who, id).is_some_and(|member| member.listens);
        let fate = self.fate_in(id);
        let Some(message) = self.message(who, said, fate) else { return };
        let audience = Audience::Room { room: id, except: Some(who) };
        self.events.push_back((audience, Event::SaidIn { room: name.clone(), message: message.clone() }));
        let hearers = hearers - usize::from(is_heard_by_itself);
        self.tell(who, Event::Sent { room: Some(Box::new(name)), hearers, message });
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

    /// `Kick`: removes all sessions of one name, and its membership of a kept room. Each receiver gets one event, however
    /// many sessions are removed.
    pub(super) fn on_kick(&mut self, who: SessionId, room: &RoomName, name: &Who, text: Option<&str>) {
        let id = match self.host_place(who, room) {
            Ok(id) => id,
            Err(refusal) => return self.tell(who, refusal),
        };
        let kicked = self.rooms.room(id).and_then(|room| room.present().find(name));
        if let Some((name, sessions)) = kicked.map(|(name, sessions)| (name.clone(), sessions.to_vec())) {
            let Some(by) = self.who_is(who) else { return };
            self.kick(id, &name, &sessions, by, text);
            self.end_kicked_membership(id, &name);
        } else if !self.end_kicked_membership(id, name) {
            return self.tell(who, Event::NotInRoom { name: name.clone() });
        }
        self.tell(who, Event::Done);
    }

    fn kick(&mut self, id: RoomId, name: &Who, sessions: &[SessionId], by: Who, text: Option<&str>) {
        let mut shown = None;
        for session in sessions {
            shown = self.remove(*session, id, name);
        }
        if let Some(room) = shown {
            let why = Leaving::Kicked { by };
            let event = Event::Gone { room, who: name.clone(), last: true, why, text: owned(text) };
            for session in sessions {
                self.tell(*session, event.clone());
            }
            self.settle(id, event);
        }
    }

    /// False if the name is not that of a member account.
    fn end_kicked_membership(&mut self, id: RoomId, name: &Who) -> bool {
        matches!(name, Who::Account(name) if self.end_membership(id, name))
    }

    /// `CloseRoom`. The owner of a kept room need not be there.
    pub(super) fn on_close_room(&mut self, who: SessionId, room: &RoomName) {
        let owned = self.rooms.find(room).filter(|id| self.account_of(who).is_some_and(|me| self.is_owner(*id, me)));
        match owned.map_or_else(|| self.host_place(who, room), Ok) {
            Ok(id) => {
                self.close_room(id, Closing::ByHost);
                self.tell(who, Event::Done);
            }
            Err(refusal) => self.tell(who, refusal),
        }
    }

    /// Removes a member that leaves or whose session ends.
    fn take_out(&mut self, who: SessionId, id: RoomId, why: &Leaving, text: Option<&str>) {
        let Some(name) = self.who_is(who) else { return };
        if let Some(room) = self.remove(who, id, &name) {
            let last = self.rooms.room(id).is_none_or(|room| room.present().find(&name).is_none());
            self.settle(id, Event::Gone { room, who: name, last, why: why.clone(), text: owned(text) });
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
    /// [`Event::RoomClosed`] alone. A kept room stays, and nobody succeeds its owner.
    fn settle(&mut self, id: RoomId, gone: Event) {
        let Some(room) = self.rooms.room(id) else { return };
        let is_closed_with_host = !self.has_host(id, room) && room.host_goes == HostGoes::Closes;
        if !room.members().is_empty() && is_closed_with_host {
            return self.close_room(id, Closing::HostLeft);
        }
        if !room.members().is_empty() {
            self.events.push_back((Audience::Room { room: id, except: None }, gone));
        }
        self.find_host(id);
    }

    /// Whether a room that is not kept has its host, which may have left.
    fn has_host(&self, id: RoomId, room: &Room) -> bool {
        room.kept.is_some() || room.host.is_some_and(|host| self.rooms.member(host, id).is_some())
    }

    /// Gives a room that is not kept a host: the longest-standing member. Closes it if there is nobody.
    pub(super) fn find_host(&mut self, id: RoomId) {
        let Some(room) = self.rooms.room(id).filter(|room| !self.has_host(id, room)) else { return };
        match room.members().first().map(|member| member.session) {
            Some(eldest) => self.pass_on(id, eldest, None),
            None => drop(self.rooms.close(id)),
        }
    }

    pub(super) fn close_room(&mut self, id: RoomId, why: Closing) {
        let Some(room) = self.rooms.close(id) else { return };
        let members = room.members().to_vec();
        for member in &members {
            self.end_place(member.session, id);
        }
        if let Some(kept) = &room.kept {
            self.forget_kept(kept);
        }
        if !members.is_empty() {
            self.events
                .push_back((Audience::Members { room: id, members }, Event::RoomClosed { room: room.name, why }));
        }
    }

    /// Notes that a place has ended. The session of a guest of one room ends with it.
    fn end_place(&mut self, session: SessionId, room: RoomId) {
        self.work += PLACE_END_WORK;
        self.ended_places.push_back((session, room));
        if let Some(guest) = self.guests.remove(&session) {
            self.guest_names.remove(&guest, session);
        }
    }

    /// The room of that name, if `who` is a member; else the refusal.
    pub(super) fn place(&self, who: SessionId, room: &RoomName) -> Result<RoomId, Event> {
        let id = self.rooms.find(room).ok_or(Event::NoSuchRoom)?;
        let is_in = self.rooms.member(who, id).is_some();
        if is_in { Ok(id) } else { Err(Event::NotMember { room: self.name_of_room(id, room.clone()) }) }
    }

    /// The room of that name, if `who` is its host, or another session of the host's account; else the refusal.
    pub(super) fn host_place(&self, who: SessionId, name: &RoomName) -> Result<RoomId, Event> {
        let id = self.place(who, name)?;
        let host = self.rooms.room(id).and_then(|room| self.host_of(room));
        let is_host = host.is_some() && host == self.who_is(who);
        if is_host { Ok(id) } else { Err(Event::NotHost { room: self.name_of_room(id, name.clone()) }) }
    }

    /// A room's name, as its maker spelled it; `asked` if the room does not exist.
    fn name_of_room(&self, id: RoomId, asked: RoomName) -> RoomName {
        self.rooms.room(id).map_or(asked, |room| room.name.clone())
    }
}

/// Refuses a wrong password. A member account of a kept room needs none.
fn check_password(room: &Room, who: &Who, given: Option<Lock>) -> Result<(), Event> {
    if let (Some(kept), Who::Account(name)) = (&room.kept, who)
        && kept.is_member(name)
    {
        return Ok(());
    }
    match given {
        None if room.lock.is_some() => Err(Event::RoomNeedsPassword),
        Some(given) if !room.opens_to(&given) => Err(Event::WrongRoomPassword { room: room.name.clone() }),
        None | Some(_) => Ok(()),
    }
}
