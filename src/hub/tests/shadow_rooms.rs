//! The shadow's invitations, hosts that hand their room on, and who hears public messages.

use super::shadow::Shadow;
use super::*;

impl Shadow {
    pub(super) fn attend(&mut self, who: SessionId, public: bool) -> Event {
        self.deaf.retain(|id| *id != who);
        if !public {
            self.deaf.push(who);
        }
        Event::Attends { public }
    }

    pub(super) fn census(&self) -> Event {
        let members = self.rooms.iter().flat_map(|room| &room.members);
        let guests = members.filter(|member| matches!(member.who, Who::Guest(_))).count();
        let (accounts, sessions) = (self.accounts().len(), self.sessions.len() + guests);
        Event::Counted(Census { accounts, guests, sessions, rooms: self.rooms.len() })
    }

    pub(super) fn invite(&mut self, who: SessionId, me: Who, room: &RoomName, name: &Who) -> Result<Event, Event> {
        let at = self.mine(who, room)?;
        let room = self.rooms[at].name.clone();
        if let Some(member) = self.rooms[at].members.iter().find(|member| member.who == *name) {
            return Err(Event::InRoomAlready { room, name: member.who.clone() });
        }
        let Who::Account(asked) = name else { return Err(Event::NotInRoom { name: name.clone() }) };
        let Some(name) = self.accounts().into_iter().find(|name| name == asked) else {
            return Err(Event::NotOnline { name: asked.clone() });
        };
        if let Some(name) = self.takes_none(&me, &name, None) {
            return Err(Event::TakesNone { name });
        }
        self.people.spoke(who, self.now_ms);
        let event = Event::Invitation { room: room.clone(), from: me, to: name.clone().into() };
        self.say(self.others(self.sessions_of(&name).into_iter(), who), event);
        let away = self.people.away(&name);
        Ok(Event::Invited { room, name: name.into(), away })
    }

    pub(super) fn hand_on(&mut self, who: SessionId, me: Who, room: &RoomName, name: &Who) -> Result<Event, Event> {
        let at = self.mine(who, room)?;
        if let Some(kept) = &self.rooms[at].kept {
            return Err(Event::OwnerIs { owner: kept.owner.as_ref().map(|owner| owner.name.clone()) });
        }
        let at = self.hosted(who, room)?;
        let room = &mut self.rooms[at];
        let heir = room.members.iter().find(|member| member.who == *name);
        let heir = heir.ok_or_else(|| Event::NotInRoom { name: name.clone() })?.clone();
        if heir.who != me {
            room.host = Some(heir.session);
            let event = Event::HostIs { room: room.name.clone(), who: heir.who, was: Some(me) };
            let listeners = room.listeners();
            self.say(listeners, event);
        }
        Ok(Event::Done)
    }
}
