//! Asking somebody into a room, and handing it on.

use super::Hub;
use super::event::{Audience, Event};
use super::names::{RoomName, Who};
use super::room::{Room, RoomId};
use super::session::SessionId;

impl Hub {
    /// `Invite`: a message to every session of somebody who is online. It opens no door.
    pub(super) fn on_invite(&mut self, who: SessionId, room: &RoomName, name: &Who) {
        let answer = self.invite(who, room, name).unwrap_or_else(|refusal| refusal);
        self.tell(who, answer);
    }

    fn invite(&mut self, who: SessionId, room: &RoomName, name: &Who) -> Result<Event, Event> {
        let id = self.place(who, room)?;
        let room = self.rooms.room(id).ok_or(Event::NoSuchRoom)?;
        let shown = room.name.clone();
        if let Some((name, _)) = room.present().find(name) {
            return Err(Event::InRoomAlready { room: shown, name: name.clone() });
        }
        let Some((to, _)) = self.find_online(name) else { return Err(self.reaches_nobody(name)) };
        if let Some(name) = self.peace(who, &to, None) {
            return Err(Event::TakesNone { name });
        }
        let from = self.who_is(who).ok_or(Event::NoSuchRoom)?;
        self.roster.note_spoken(who, self.now_ms);
        let event = Event::Invitation { room: shown.clone(), from: from.clone(), to: to.clone() };
        self.events.push_back((Audience::Person { who: to.clone(), except: who }, event));
        if self.tells_neighbours {
            let event = Event::InvitedHere { room: shown.clone(), from, to: to.clone() };
            self.events.push_back((Audience::Room { room: id, except: Some(who) }, event));
        }
        let away = self.away_of(&to);
        Ok(Event::Invited { room: shown, name: to, away })
    }

    /// The refusal for a name that no session has.
    fn reaches_nobody(&self, name: &Who) -> Event {
        let name = name.clone();
        if self.is_guest_here(&name) { Event::HearsOneRoom { name } } else { Event::NotOnline { name } }
    }

    /// `HandOn`. Handing it to oneself changes nothing.
    pub(super) fn on_hand_on(&mut self, who: SessionId, room: &RoomName, name: &Who) {
        let answer = self.hand_on(who, room, name).unwrap_or_else(|refusal| refusal);
        self.tell(who, answer);
    }

    fn hand_on(&mut self, who: SessionId, room: &RoomName, name: &Who) -> Result<Event, Event> {
        let id = self.place(who, room)?;
        if let Some(kept) = self.rooms.room(id).and_then(|room| room.kept.as_ref()) {
            let owner = kept.owner.as_ref().map(|owner| owner.name.clone());
            return Err(Event::OwnerIs { owner });
        }
        let id = self.host_place(who, room)?;
        let me = self.who_is(who);
        let room = self.rooms.room(id).ok_or(Event::NoSuchRoom)?;
        let heir = eldest_of(room, name).ok_or_else(|| Event::NotInRoom { name: name.clone() })?;
        if me.as_ref() != Some(name) {
            self.pass_on(id, heir, me);
        }
        Ok(Event::Done)
    }

    /// Makes a member the host of a room that is not kept. `was` is the former host, if it is still there.
    pub(super) fn pass_on(&mut self, id: RoomId, host: SessionId, was: Option<Who>) {
        let Some(who) = self.who_is(host) else { return };
        let Some(room) = self.rooms.room_mut(id) else { return };
        room.host = Some(host);
        let event = Event::HostIs { room: room.name.clone(), who, was };
        self.events.push_back((Audience::Room { room: id, except: None }, event));
    }
}

/// The session of this name that has been in a room for longest.
fn eldest_of(room: &Room, name: &Who) -> Option<SessionId> {
    room.present().find(name).and_then(|(_, sessions)| sessions.first().copied())
}
