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
        let (accounts, sessions) = (self.accounts().len(), self.count_sessions());
        let guests = sessions - self.sessions.len();
        let (rooms, most_sessions) = (self.rooms.len(), self.most_sessions.max(sessions));
        Event::Counted(Census { accounts, guests, sessions, rooms, most_sessions })
    }

    /// The sessions of accounts and guests.
    pub(super) fn count_sessions(&self) -> usize {
        let members = self.rooms.iter().flat_map(|room| &room.members);
        let is_in_one_room = |session: SessionId| !self.is_guest_online(session);
        let of_rooms = members.filter(|member| matches!(member.who, Who::Guest(_)) && is_in_one_room(member.session));
        self.sessions.len() + self.guests.len() + of_rooms.count()
    }

    pub(super) fn present(&self, who: Who) -> Present {
        Present { is_away: self.people.away(&who).is_some(), called: self.people.called(&who), who }
    }

    pub(super) fn are_on(&self, names: Vec<Who>) -> Event {
        let members = self.rooms.iter().flat_map(|room| &room.members).map(|member| member.who.clone());
        let here: Vec<Who> = self.online().into_iter().chain(members).collect();
        let find = |name: Who| here.iter().find(|who| **who == name).cloned();
        let names: Vec<Present> = names.into_iter().filter_map(find).map(|who| self.present(who)).collect();
        let matching = names.len();
        Event::Online { names, matching }
    }

    pub(super) fn invite(&mut self, who: SessionId, me: Who, room: &RoomName, name: &Who) -> Result<Event, Event> {
        let at = self.mine(who, room)?;
        let room = self.rooms[at].name.clone();
        if let Some(member) = self.rooms[at].members.iter().find(|member| member.who == *name) {
            return Err(Event::InRoomAlready { room, name: member.who.clone() });
        }
        let Some(to) = self.online().into_iter().find(|other| other == name) else {
            return Err(self.nobody_hears(&me, name.clone()));
        };
        if let Some(name) = self.takes_none(&me, &to, None) {
            return Err(Event::TakesNone { name });
        }
        self.people.spoke(who, self.now_ms);
        let invited = Event::Invitation { room: room.clone(), from: me.clone(), to: to.clone() };
        self.say(self.others(self.sessions_named(&to).into_iter(), who), invited);
        if self.tells_neighbours {
            let members = self.others(self.rooms[at].listeners().into_iter(), who);
            self.say(members, Event::InvitedHere { room: room.clone(), from: me, to: to.clone() });
        }
        let away = self.people.away(&to);
        Ok(Event::Invited { room, name: to, away })
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
