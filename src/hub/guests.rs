//! Guests: those of one room, whose session is a place there, and those who have logged in.

use super::Hub;
use super::command::{Entry, HostGoes};
use super::event::{Audience, Event, Leaving};
use super::names::{GuestName, Who};
use super::record::Account;
use super::room::RoomId;
use super::session::{Owner, SessionId};

impl Hub {
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
            _ if self.guests_online.find(&guest).is_some() => Err(Event::GuestNameTaken),
            Some(host_goes) => self.make(who, name, entry, host_goes, false),
            None => self.join(who, name, entry, false),
        };
        if result.is_ok() {
            self.guest_names.add(guest.clone(), who);
            self.guests.insert(who, guest);
        }
        self.answer_entry(who, result, false);
    }

    /// `Rename`.
    pub(super) fn on_rename(&mut self, who: SessionId, guest: GuestName) {
        if let Some(was) = self.roster.guest_of(who).cloned() {
            self.rename_online(who, was, guest);
        } else if self.guests.contains_key(&who) {
            self.rename_in_room(who, guest);
        } else {
            self.tell(who, Event::NotAGuest);
        }
    }

    /// Renames a guest who has logged in. Those who share a room with it are told once.
    fn rename_online(&mut self, who: SessionId, was: GuestName, now: GuestName) {
        let (old, new) = (Who::Guest(was.clone()), Who::Guest(now.clone()));
        if now != was && self.is_guest_here(&new) {
            return self.tell(who, Event::GuestNameTaken);
        }
        if now.as_str() != was.as_str() {
            self.guests_online.remove(&was, who);
            self.guests_online.add(now.clone(), who);
            self.roster.hand_over(who, Owner::Guest(Box::new(now)));
            self.keep_places(who, old.clone(), &new);
            self.rename_person(&old, &new);
        }
        self.tell(who, Event::YouAre { was: old.clone(), now: new.clone() });
        if old != new {
            self.announce_guest_going(&old);
            self.announce_guest(&new);
        }
    }

    /// A guest who has logged in has become an account.
    pub(super) fn become_account(&mut self, who: SessionId, was: Who, now: &Who) {
        let called = self.called(&was).map(Box::from);
        self.begin_called(now, called.as_deref());
        self.keep_places(who, was.clone(), now);
        self.announce_guest_going(&was);
    }

    /// A session keeps its places under another name. If the new name is in one of its rooms already, all of its rooms see
    /// it leave and enter.
    pub(super) fn keep_places(&mut self, who: SessionId, was: Who, now: &Who) {
        let rooms: Vec<RoomId> = self.rooms_in_order(who);
        let is_there = |id: &RoomId| {
            self.rooms.room(*id).is_some_and(|room| room.present().find(now).is_some_and(|_| was != *now))
        };
        let is_merged = rooms.iter().any(is_there);
        let neighbours = if is_merged { Vec::new() } else { self.neighbours_of(&[who]) };
        for id in rooms {
            let is_first = self.rooms.room(id).is_some_and(|room| room.present().find(now).is_none());
            self.rooms.rename(id, who, &was, now.clone());
            if is_merged {
                self.tell_of_renamed(who, id, &was, now, is_first);
            }
        }
        if !neighbours.is_empty() {
            let event = Event::Renamed { was, now: now.clone() };
            self.events.push_back((Audience::Neighbours(neighbours), event));
        }
    }

    /// Renames a guest of one room, which sees it leave and enter. The guest itself gets no answer, unless the name is
    /// taken.
    fn rename_in_room(&mut self, who: SessionId, guest: GuestName) {
        let Some(old) = self.guests.get(&who).cloned().map(Who::from) else { return };
        let Some((_, id)) = self.rooms.places_of(who).next() else { return };
        let Some(room) = self.rooms.room(id) else { return };
        let new = Who::Guest(guest.clone());
        let is_taken = room.present().find(&new).is_some_and(|(_, sessions)| *sessions != [who]);
        if is_taken || self.guests_online.find(&guest).is_some() {
            return self.tell(who, Event::GuestNameTaken);
        }
        self.rooms.rename(id, who, &old, new.clone());
        if let Some(old) = self.guests.insert(who, guest.clone()) {
            self.guest_names.remove(&old, who);
        }
        self.guest_names.add(guest, who);
        self.tell_of_renamed(who, id, &old, &new, true);
    }

    /// Tells the others in a room that a member has left, and has entered under another name.
    fn tell_of_renamed(&mut self, who: SessionId, id: RoomId, was: &Who, now: &Who, first: bool) {
        let Some(room) = self.rooms.room(id) else { return };
        let shown = room.name.clone();
        let is_host = room.host == Some(who);
        let (away, called, is_owner) = (self.away_of(now), self.called_of(now), room.is_owned_by(now));
        let left = Leaving::Left;
        let mut events = vec![
            Event::Gone { room: shown.clone(), who: was.clone(), last: true, why: left, text: None },
            Event::Arrived { room: shown.clone(), who: now.clone(), first, away, called, is_owner },
        ];
        events.extend(is_host.then(|| Event::HostIs { room: shown, who: now.clone(), was: None }));
        for event in events {
            self.events.push_back((Audience::Room { room: id, except: Some(who) }, event));
        }
    }

    /// A guest has become an account, which becomes a member of the kept rooms that it is in, as far as it may.
    pub(super) fn become_member_everywhere(&mut self, who: SessionId, account: &Account) {
        for id in self.rooms_in_order(who) {
            self.become_member(id, account.clone());
        }
    }

    /// Checks that those who have logged in as guests are in the table, and that no other guest has such a name.
    #[cfg(test)]
    pub(super) fn check_guests_online(&self) {
        let mut guests = 0;
        for (name, sessions) in self.guests_online.iter() {
            let [session] = sessions else { panic!("{name} has {sessions:?}") };
            assert_eq!(self.roster.guest_of(*session), Some(name));
            assert!(self.guest_names.find(name).is_none(), "two guests are {name}");
            guests += 1;
        }
        assert_eq!(self.everyone().iter().filter(|id| self.roster.guest_of(**id).is_some()).count(), guests);
    }
}
