//! The shadow: a model of the hub that consists of plain lists and linear searches.

use super::*;

/// The sessions in the order of their logins, and the rooms in the order in which they were made.
pub(super) struct Shadow {
    pub(super) rules: Rules,
    pub(super) sessions: Vec<(SessionId, UserName)>,
    pub(super) rooms: Vec<ShadowRoom>,
    pub(super) last_id: u64,
    arrivals: usize,
    said: Vec<(Vec<SessionId>, Event)>,
    ended: Ended,
    /// The ids of the hub's rooms, by their names.
    pub(super) ids: BTreeMap<RoomName, RoomId>,
}

pub(super) struct ShadowRoom {
    pub(super) name: RoomName,
    /// The id that the hub gave the room when it was made.
    pub(super) id: RoomId,
    lock: Option<Lock>,
    closes_with_host: bool,
    host: SessionId,
    /// The members in the order in which they entered.
    pub(super) members: Vec<ShadowMember>,
}

#[derive(Clone)]
pub(super) struct ShadowMember {
    pub(super) session: SessionId,
    pub(super) who: Who,
    pub(super) listens: bool,
    arrival: usize,
}

impl ShadowRoom {
    fn listeners(&self) -> Vec<SessionId> {
        self.members.iter().filter(|member| member.listens).map(|member| member.session).collect()
    }

    fn host_name(&self) -> Who {
        self.members.iter().find(|member| member.session == self.host).unwrap().who.clone()
    }
}

impl Shadow {
    pub(super) fn new(rules: Rules) -> Self {
        let (sessions, rooms, said, ended) = (vec![], vec![], vec![], vec![]);
        Self { rules, sessions, rooms, last_id: 0, arrivals: 0, said, ended, ids: BTreeMap::new() }
    }

    /// The expected events with their receivers, and the places that end. The hub must have carried out the command before,
    /// and `ids` must be up to date.
    pub(super) fn handle(
        &mut self,
        who: SessionId,
        command: Command<'_>,
        unix_ms: u64,
    ) -> (Vec<(Vec<SessionId>, Event)>, Ended) {
        match (self.who_is(who), command) {
            (None, Command::LogIn { name, .. }) => self.log_in(who, name),
            (None, Command::EnterAsGuest { guest, makes, entry }) => {
                let event = self.place(who, guest.into(), entry, makes, false);
                self.tell(who, event);
            }
            (None, _) | (Some(_), Command::LogIn { .. } | Command::EnterAsGuest { .. }) => {}
            (Some(me), command) => self.handle_of(who, me, command, unix_ms),
        }
        (std::mem::take(&mut self.said), std::mem::take(&mut self.ended))
    }

    fn handle_of(&mut self, who: SessionId, me: Who, command: Command<'_>, unix_ms: u64) {
        let answer = match command {
            Command::LogIn { .. } | Command::EnterAsGuest { .. } => unreachable!("who is in does not come in"),
            Command::Leave => return self.leave(who),
            Command::Say { text } => {
                let message = self.message(me, &text, unix_ms);
                let hearers = self.others(self.sessions.iter().map(|(id, _)| *id), who);
                self.say(hearers.clone(), Event::Said(message));
                Event::Sent { hearers: hearers.len(), id: self.last_id, is_dropped: false }
            }
            Command::Tell { to, text, .. } => match self.look_up(who, to) {
                (name, false) => nobody_hears(&me, name),
                (name, true) => {
                    let message = self.message(me, &text, unix_ms);
                    self.say(self.others(self.sessions_of(&name).into_iter(), who), Event::Told(message));
                    self.copy_to_others(who, &name, &text);
                    Event::SentTo { name, id: self.last_id, is_dropped: false }
                }
            },
            Command::CanTell { name, .. } => match self.look_up(who, name) {
                (name, true) => Event::CanTell { name },
                (name, false) => nobody_hears(&me, name),
            },
            Command::Who { prefix } => {
                let (names, matching) = self.listed(self.accounts(), prefix, |name| name.as_str().to_owned());
                Event::Online { names, matching }
            }
            Command::Make(_) | Command::Join(_) if matches!(me, Who::Guest(_)) => return,
            Command::Make(entry) => self.place(who, me, entry, Some(HostGoes::PassesOn), true),
            Command::Rename { guest } => match self.rename(who, me, guest) {
                Some(refusal) => refusal,
                None => return,
            },
            Command::Join(entry) => self.place(who, me, entry, None, true),
            Command::LeaveRoom { room } => self.leave_room(who, &room).unwrap_or_else(|refusal| refusal),
            Command::SayIn { room, text } => {
                self.say_in(who, me, &room, &text, unix_ms).unwrap_or_else(|refusal| refusal)
            }
            Command::CanSayIn { room } => self.mine(who, &room).map_or_else(|refusal| refusal, |_| Event::CanSayIn),
            Command::Listen { room } => {
                if let Ok(room) = self.mine(who, &room) {
                    self.rooms[room].members.iter_mut().find(|member| member.session == who).unwrap().listens = true;
                }
                return;
            }
            Command::Rooms { prefix } => self.list_rooms(prefix),
            Command::Names { room, prefix } => self.list_names(&room, prefix),
            Command::Kick { room, name } => self.kick(who, &room, name).unwrap_or_else(|refusal| refusal),
            Command::Keep { .. } | Command::Topic { .. } | Command::LockRoom { .. } => todo!(),
            Command::CloseRoom { room } => match self.hosted(who, &room) {
                Ok(room) => {
                    self.close(room, Closing::ByHost);
                    Event::Done
                }
                Err(refusal) => refusal,
            },
        };
        self.tell(who, answer);
    }

    fn log_in(&mut self, who: SessionId, name: UserName) {
        let sessions = self.sessions_of(&name).len() as u32;
        if sessions >= self.rules.sessions_per_account {
            return self.tell(who, Event::SessionsFull { sessions });
        }
        self.sessions.push((who, name.clone()));
        let online = self.accounts().len();
        self.tell(who, Event::Welcome { name, online });
    }

    fn leave(&mut self, who: SessionId) {
        // In the order in which the session entered the rooms.
        while let Some((_, name)) = self.rooms_of(who).into_iter().min() {
            let room = self.rooms.iter().position(|room| room.name == name).unwrap();
            self.take_out(&[who], room, false);
        }
        self.sessions.retain(|(id, _)| *id != who);
    }

    fn place(&mut self, who: SessionId, name: Who, entry: Entry, makes: Option<HostGoes>, listens: bool) -> Event {
        let Entry { room, lock } = entry;
        let found = self.rooms.iter().position(|other| other.name == room);
        let is_full_of_rooms = self.rooms_of(who).len() >= self.rules.rooms_per_session as usize;
        let too_many = Event::TooManyRooms { most: self.rules.rooms_per_session };
        let arrival = self.arrivals + 1;
        let member = ShadowMember { session: who, who: name.clone(), listens, arrival };
        let event = match found {
            Some(found) if makes.is_some() => return Event::RoomExists { room: self.rooms[found].name.clone() },
            None if makes.is_some() && is_full_of_rooms => return too_many,
            None if makes.is_some() => {
                let closes_with_host = makes == Some(HostGoes::Closes);
                let (host, id) = (who, *self.ids.get(&room).expect("the hub has made the room too"));
                let name = room.clone();
                self.rooms.push(ShadowRoom { name, id, lock, closes_with_host, host, members: vec![member] });
                Event::Entered { room, id, kept: None }
            }
            None => return Event::NoSuchRoom,
            Some(found) => {
                let room = &mut self.rooms[found];
                let shown = room.name.clone();
                if room.members.iter().any(|member| member.session == who) {
                    return Event::Entered { room: shown, id: room.id, kept: None };
                }
                if room.lock.is_some() && room.lock != lock {
                    let room = room.name.clone();
                    return if lock.is_none() { Event::RoomNeedsPassword } else { Event::WrongRoomPassword { room } };
                }
                if matches!(name, Who::Guest(_)) && room.members.iter().any(|member| member.who == name) {
                    return Event::GuestNameTaken;
                }
                if room.members.len() >= self.rules.room_members as usize {
                    return Event::RoomFull { room: shown };
                }
                if is_full_of_rooms {
                    return too_many;
                }
                let (listeners, id) = (room.listeners(), room.id);
                room.members.push(member);
                self.say(listeners, Event::Arrived { room: shown.clone(), who: name });
                Event::Entered { room: shown, id, kept: None }
            }
        };
        self.arrivals = arrival;
        event
    }

    /// Renames a guest. A refusal if another guest of its room has the name.
    fn rename(&mut self, who: SessionId, me: Who, guest: GuestName) -> Option<Event> {
        let Who::Guest(_) = me else { return None };
        let (_, name) = self.rooms_of(who).remove(0);
        let room = self.rooms.iter_mut().find(|room| room.name == name).unwrap();
        let new = Who::from(guest);
        if room.members.iter().any(|member| member.who == new && member.session != who) {
            return Some(Event::GuestNameTaken);
        }
        room.members.iter_mut().find(|member| member.session == who).unwrap().who = new.clone();
        let (shown, is_host) = (room.name.clone(), room.host == who);
        let others: Vec<_> = room.listeners().into_iter().filter(|session| *session != who).collect();
        self.say(others.clone(), Event::Gone { room: shown.clone(), who: me, kicked: false });
        self.say(others.clone(), Event::Arrived { room: shown.clone(), who: new.clone() });
        if is_host {
            self.say(others, Event::HostIs { room: shown, who: new });
        }
        None
    }

    fn leave_room(&mut self, who: SessionId, room: &RoomName) -> Result<Event, Event> {
        let room = self.mine(who, room)?;
        self.take_out(&[who], room, false);
        Ok(Event::Done)
    }

    fn say_in(&mut self, who: SessionId, me: Who, room: &RoomName, text: &str, unix_ms: u64) -> Result<Event, Event> {
        let room = &self.rooms[self.mine(who, room)?];
        let (name, hearers) = (room.name.clone(), self.others(room.listeners().into_iter(), who));
        let message = self.message(me, text, unix_ms);
        self.say(hearers.clone(), Event::SaidIn { room: name, message });
        Ok(Event::Sent { hearers: hearers.len(), id: self.last_id, is_dropped: false })
    }

    fn kick(&mut self, who: SessionId, room: &RoomName, name: Who) -> Result<Event, Event> {
        let room = self.hosted(who, room)?;
        let named = self.rooms[room].members.iter().filter(|member| member.who == name);
        let sessions: Vec<SessionId> = named.map(|member| member.session).collect();
        if sessions.is_empty() {
            return Err(Event::NotInRoom { name });
        }
        self.take_out(&sessions, room, true);
        Ok(Event::Done)
    }

    /// Removes the sessions of one name from a room.
    fn take_out(&mut self, sessions: &[SessionId], at: usize, kicked: bool) {
        let room = &mut self.rooms[at];
        let (gone, staying) = room.members.clone().into_iter().partition(|member| sessions.contains(&member.session));
        room.members = staying;
        let gone: Vec<ShadowMember> = gone;
        self.ended.extend(gone.iter().map(|member| (member.session, room.id)));
        let event = Event::Gone { room: room.name.clone(), who: gone[0].who.clone(), kicked };
        let (listeners, is_headless) = (room.listeners(), sessions.contains(&room.host));
        if kicked {
            gone.iter().for_each(|member| self.tell(member.session, event.clone()));
        }
        let room = &mut self.rooms[at];
        if room.members.is_empty() {
            self.rooms.remove(at);
        } else if is_headless && room.closes_with_host {
            self.close(at, Closing::HostLeft);
        } else if is_headless {
            room.host = room.members[0].session;
            let host = Event::HostIs { room: room.name.clone(), who: room.host_name() };
            self.say(listeners.clone(), event);
            self.say(listeners, host);
        } else {
            self.say(listeners, event);
        }
    }

    fn close(&mut self, at: usize, why: Closing) {
        let room = self.rooms.remove(at);
        self.ended.extend(room.members.iter().map(|member| (member.session, room.id)));
        let members = room.members.iter().map(|member| member.session).collect();
        self.say(members, Event::RoomClosed { room: room.name, why });
    }

    fn list_rooms(&self, prefix: &str) -> Event {
        let all = self.rooms.iter().map(|room| RoomLine {
            name: room.name.clone(),
            members: room.members.len(),
            is_locked: room.lock.is_some(),
        });
        let (rooms, matching) = self.listed(all.collect(), prefix, |line| line.name.to_string());
        Event::Rooms { rooms, matching }
    }

    fn list_names(&self, room: &RoomName, prefix: &str) -> Event {
        let Some(room) = self.rooms.iter().find(|other| other.name == *room) else { return Event::NoSuchRoom };
        let mut all: Vec<(Who, Seat)> = Vec::new();
        for member in &room.members {
            let seat = if member.who == room.host_name() { Seat::Host } else { Seat::Member };
            let line = (member.who.clone(), seat);
            if !all.contains(&line) {
                all.push(line);
            }
        }
        let (names, matching) = self.listed(all, prefix, |(name, _)| name.to_string());
        Event::Names { room: room.name.clone(), names, matching }
    }

    /// The entries of `all` that begin with `prefix`, in lower-case order (`~` sorts after all letters), as many as a list
    /// may show; and their number.
    fn listed<T>(&self, mut all: Vec<T>, prefix: &str, shown: impl Fn(&T) -> String) -> (Vec<T>, usize) {
        all.retain(|line| shown(line).to_lowercase().starts_with(&prefix.to_lowercase()));
        all.sort_by_key(|line| shown(line).to_lowercase());
        let matching = all.len();
        all.truncate(self.rules.list_lines as usize);
        (all, matching)
    }

    /// The index of the room of that name, if `who` is a member; else the refusal.
    fn mine(&self, who: SessionId, name: &RoomName) -> Result<usize, Event> {
        let at = self.rooms.iter().position(|room| room.name == *name).ok_or(Event::NoSuchRoom)?;
        let is_in = self.rooms[at].members.iter().any(|member| member.session == who);
        if is_in { Ok(at) } else { Err(Event::NotMember { room: self.rooms[at].name.clone() }) }
    }

    fn hosted(&self, who: SessionId, name: &RoomName) -> Result<usize, Event> {
        let at = self.mine(who, name)?;
        let is_host = Some(self.rooms[at].host_name()) == self.who_is(who);
        if is_host { Ok(at) } else { Err(Event::NotHost { room: self.rooms[at].name.clone() }) }
    }

    /// The rooms of a session, each with its arrival number.
    fn rooms_of(&self, who: SessionId) -> Vec<(usize, RoomName)> {
        let members = self.rooms.iter().flat_map(|room| room.members.iter().map(move |member| (room, member)));
        let mine = members.filter(|(_, member)| member.session == who);
        mine.map(|(room, member)| (member.arrival, room.name.clone())).collect()
    }

    /// The name of a session: an account from the sessions, a guest from the members of rooms.
    pub(super) fn who_is(&self, who: SessionId) -> Option<Who> {
        let account = self.sessions.iter().find(|(id, _)| *id == who).map(|(_, name)| name.clone().into());
        let mut members = self.rooms.iter().flat_map(|room| &room.members);
        account.or_else(|| members.find(|member| member.session == who).map(|member| member.who.clone()))
    }

    pub(super) fn sessions_of(&self, name: &UserName) -> Vec<SessionId> {
        self.sessions.iter().filter(|(_, other)| other == name).map(|(id, _)| *id).collect()
    }

    pub(super) fn surplus_of(&self, name: &UserName) -> Vec<SessionId> {
        let mut sessions = self.sessions_of(name);
        let may_stay = (self.rules.sessions_per_account as usize - 1).min(sessions.len());
        sessions.truncate(sessions.len() - may_stay);
        sessions
    }

    pub(super) fn accounts(&self) -> Vec<UserName> {
        let mut accounts: Vec<UserName> = Vec::new();
        for (_, name) in &self.sessions {
            if !accounts.contains(name) {
                accounts.push(name.clone());
            }
        }
        accounts
    }

    /// The name as it was registered if the account is online, and whether it has a session other than `who`.
    fn look_up(&self, who: SessionId, name: UserName) -> (UserName, bool) {
        let reached = self.sessions_of(&name).iter().any(|id| *id != who);
        (self.accounts().into_iter().find(|account| *account == name).unwrap_or(name), reached)
    }

    fn others(&self, sessions: impl Iterator<Item = SessionId>, who: SessionId) -> Vec<SessionId> {
        sessions.filter(|id| *id != who).collect()
    }

    fn message(&mut self, from: Who, text: &str, unix_ms: u64) -> Message {
        self.last_id = (self.last_id + 1).max(unix_ms * 1_048_576);
        Message { id: self.last_id, from, text: text.into(), fate: Fate::Unkept }
    }

    /// The other sessions of a sender are shown its direct message, unless they hear it anyway.
    fn copy_to_others(&mut self, who: SessionId, to: &UserName, text: &str) {
        let Some(Who::Account(me)) = self.who_is(who) else { return };
        let others = self.others(self.sessions_of(&me).into_iter(), who);
        if me != *to && !others.is_empty() {
            self.say(others, Event::OwnTold { to: to.clone(), id: self.last_id, text: text.into() });
        }
    }

    fn tell(&mut self, who: SessionId, event: Event) {
        self.say(vec![who], event);
    }

    fn say(&mut self, to: Vec<SessionId>, event: Event) {
        self.said.push((to, event));
    }
}

/// The refusal of a direct message that reaches no session.
fn nobody_hears(me: &Who, name: UserName) -> Event {
    if *me == Who::Account(name.clone()) { Event::OnlyYou } else { Event::NotOnline { name } }
}
