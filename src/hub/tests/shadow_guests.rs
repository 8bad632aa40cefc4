//! The shadow's part about guests, and about those who share a room with somebody.

use super::shadow::{Shadow, ShadowRoom};
use super::*;

impl Shadow {
    /// Whether this is the session of a guest who has logged in.
    pub(super) fn is_guest_online(&self, who: SessionId) -> bool {
        self.guests.iter().any(|(session, _)| *session == who)
    }

    /// What guests do otherwise than accounts, or may not do. False for all else.
    pub(super) fn handle_of_guest(&mut self, who: SessionId, me: &Who, command: &Command<'_>) -> bool {
        if matches!(command, Command::Away { .. } | Command::Watch(_) | Command::Make(_) | Command::Join(_)) {
            return !self.is_guest_online(who);
        }
        if let Command::Set { key: ProfileKey::Name, value } = command
            && self.is_guest_online(who)
        {
            self.set_called(me, value.as_deref());
            self.tell(who, Event::Done);
            return true;
        }
        let needs_account = matches!(command, Command::Ignore(_) | Command::Set { .. } | Command::Keep { .. });
        if needs_account {
            self.tell(who, Event::NeedsAccount);
        }
        needs_account
    }

    /// Whether some guest has this name.
    fn is_guest_name(&self, name: &Who) -> bool {
        let guests = self.guests.iter().map(|(_, guest)| Who::Guest(guest.clone()));
        let mut members = self.rooms.iter().flat_map(|room| &room.members).map(|member| member.who.clone());
        matches!(name, Who::Guest(_))
            && (guests.into_iter().any(|guest| guest == *name) || members.any(|who| who == *name))
    }

    pub(super) fn let_guest_in(&mut self, who: SessionId, name: GuestName, called: Option<&str>) {
        let me = Who::Guest(name.clone());
        if self.is_guest_name(&me) {
            return self.tell(who, Event::GuestNameTaken);
        }
        self.guests.push((who, name));
        self.people.spoke(who, self.now_ms);
        self.people.call(&me, called);
        self.tell(who, Event::Welcome { name: me.clone(), online: self.online().len() });
        self.tell_watchers(&me, Change::Online);
    }

    /// A guest who has logged in has become this account, or has this name.
    pub(super) fn change_name(&mut self, who: SessionId, was: &Who, now: &Who) {
        let mut rooms = self.rooms_of(who);
        rooms.sort();
        let names: Vec<RoomName> = rooms.into_iter().map(|(_, name)| name).collect();
        let mut rooms: Vec<usize> =
            names.iter().map(|name| self.rooms.iter().position(|room| room.name == *name).unwrap()).collect();
        let neighbours = self.neighbours(&[who]);
        let is_merged = was != now && rooms.iter().any(|at| self.rooms[*at].has(now));
        for at in rooms.drain(..) {
            let first = !self.rooms[at].has(now);
            let room = &mut self.rooms[at];
            room.members.iter_mut().find(|member| member.session == who).unwrap().who = now.clone();
            if is_merged {
                self.tell_of_renamed(who, at, was, now, first);
            }
        }
        if !is_merged && !neighbours.is_empty() {
            self.say(neighbours, Event::Renamed { was: was.clone(), now: now.clone() });
        }
    }

    pub(super) fn tell_of_renamed(&mut self, who: SessionId, at: usize, was: &Who, now: &Who, first: bool) {
        let room = &self.rooms[at];
        let (shown, is_host) = (room.name.clone(), room.host == Some(who));
        let others: Vec<_> = room.listeners().into_iter().filter(|session| *session != who).collect();
        let (why, away) = (Leaving::Left, self.people.away(now));
        let (called, is_owner) = (self.people.called(now), room.is_owned_by(now));
        self.say(others.clone(), Event::Gone { room: shown.clone(), who: was.clone(), last: true, why, text: None });
        self.say(
            others.clone(),
            Event::Arrived { room: shown.clone(), who: now.clone(), first, away, called, is_owner },
        );
        if is_host {
            self.say(others, Event::HostIs { room: shown, who: now.clone(), was: None });
        }
    }

    /// The answer, unless it is a guest of one room, which gets a refusal alone.
    pub(super) fn rename(&mut self, who: SessionId, me: Who, guest: GuestName) -> Option<Event> {
        let (Who::Guest(_), new) = (&me, Who::Guest(guest.clone())) else { return Some(Event::NotAGuest) };
        if !self.is_guest_online(who) {
            return self.rename_in_room(who, me, new);
        }
        if me != new && self.is_guest_name(&new) {
            return Some(Event::GuestNameTaken);
        }
        if me.to_string() != new.to_string() {
            self.change_name(who, &me, &new);
            self.guests.iter_mut().find(|(session, _)| *session == who).unwrap().1 = guest;
            self.people.rename(&me, &new);
        }
        self.tell(who, Event::YouAre { was: me.clone(), now: new.clone() });
        if me != new {
            self.tell_watchers(&me, Change::Offline);
            self.tell_watchers(&new, Change::Online);
            if let Some(why) = self.people.away(&new) {
                self.tell_watchers(&new, Change::Away(why));
            }
        }
        None
    }

    fn rename_in_room(&mut self, who: SessionId, me: Who, new: Who) -> Option<Event> {
        let (_, name) = self.rooms_of(who).remove(0);
        let at = self.rooms.iter().position(|room| room.name == name).unwrap();
        let is_other = |room: &ShadowRoom| room.members.iter().any(|other| other.who == new && other.session != who);
        if is_other(&self.rooms[at]) || self.guests.iter().any(|(_, guest)| Who::Guest(guest.clone()) == new) {
            return Some(Event::GuestNameTaken);
        }
        self.rooms[at].members.iter_mut().find(|member| member.session == who).unwrap().who = new.clone();
        self.tell_of_renamed(who, at, &me, &new, true);
        None
    }

    /// The sessions of others that hear a room in which one of these is.
    pub(super) fn neighbours(&self, sessions: &[SessionId]) -> Vec<SessionId> {
        let is_there = |room: &&ShadowRoom| room.members.iter().any(|member| sessions.contains(&member.session));
        let mut all: Vec<SessionId> = self.rooms.iter().filter(is_there).flat_map(ShadowRoom::listeners).collect();
        all.retain(|session| !sessions.contains(session));
        all.sort();
        all.dedup();
        all
    }

    pub(super) fn tell_neighbours_of(&mut self, who: &Who, news: News) {
        let neighbours = self.neighbours(&self.sessions_named(who));
        if self.tells_neighbours && !neighbours.is_empty() {
            self.say(neighbours, Event::Neighbour { who: who.clone(), news });
        }
    }

    /// The sessions of an account, or that of a guest who has logged in.
    pub(super) fn sessions_named(&self, who: &Who) -> Vec<SessionId> {
        match who {
            Who::Account(name) => self.sessions_of(name),
            Who::Guest(name) => self.guests.iter().filter(|(_, guest)| guest == name).map(|(id, _)| *id).collect(),
        }
    }

    /// Accounts and guests who have logged in.
    pub(super) fn online(&self) -> Vec<Who> {
        let guests = self.guests.iter().map(|(_, guest)| Who::Guest(guest.clone()));
        self.accounts().into_iter().map(Who::Account).chain(guests).collect()
    }
}
