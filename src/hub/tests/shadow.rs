//! The shadow: a model of the hub that consists of plain lists and linear searches.

use super::shadow_people::ShadowPeople;
use super::shadow_store::{ShadowKept, ShadowStore};
use super::*;

/// The sessions in the order of their logins, and the rooms in the order in which they were made.
pub(super) struct Shadow {
    pub(super) rules: Rules,
    pub(super) sessions: Vec<(SessionId, Account)>,
    /// The guests who have logged in.
    pub(super) guests: Vec<(SessionId, GuestName)>,
    pub(super) tells_neighbours: bool,
    pub(super) rooms: Vec<ShadowRoom>,
    pub(super) last_id: u64,
    pub(super) store: ShadowStore,
    pub(super) people: ShadowPeople,
    /// The sessions that hear no public messages.
    pub(super) deaf: Vec<SessionId>,
    pub(super) most_sessions: usize,
    pub(super) now_ms: u64,
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
    pub(super) lock: Option<Lock>,
    pub(super) topic: Option<Topic>,
    pub(super) kept: Option<ShadowKept>,
    closes_with_host: bool,
    /// The host of a room that is not kept.
    pub(super) host: Option<SessionId>,
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
    pub(super) fn listeners(&self) -> Vec<SessionId> {
        self.members.iter().filter(|member| member.listens).map(|member| member.session).collect()
    }

    pub(super) fn has(&self, who: &Who) -> bool {
        self.members.iter().any(|member| member.who == *who)
    }

    /// The host, if it is there.
    pub(super) fn host_name(&self) -> Option<Who> {
        match &self.kept {
            Some(kept) => kept.owner.clone().map(|owner| owner.name.into()).filter(|owner| self.has(owner)),
            None => self.members.iter().find(|member| Some(member.session) == self.host).map(|host| host.who.clone()),
        }
    }
}

impl Shadow {
    pub(super) fn new(rules: Rules) -> Self {
        let (sessions, guests, rooms, said, ended) = (vec![], vec![], vec![], vec![], vec![]);
        let (store, people, ids) = (ShadowStore::default(), ShadowPeople::default(), BTreeMap::new());
        let (last_id, now_ms, arrivals, tells_neighbours) = (0, 0, 0, false);
        Self {
            rules,
            sessions,
            guests,
            tells_neighbours,
            rooms,
            last_id,
            store,
            people,
            deaf: vec![],
            most_sessions: 0,
            now_ms,
            arrivals,
            said,
            ended,
            ids,
        }
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
            (None, Command::LogIn { who: Who::Guest(name), called, .. }) => {
                self.now_ms = unix_ms;
                self.let_guest_in(who, name, called.as_deref());
            }
            (was, Command::LogIn { who: Who::Account(name), since, called })
                if was.is_none() || self.is_guest_online(who) =>
            {
                self.now_ms = unix_ms;
                self.log_in(who, was, Account { name, since }, called.as_deref());
            }
            (None, Command::EnterAsGuest { guest, makes, entry }) => {
                self.now_ms = unix_ms;
                let is_online = self.guests.iter().any(|(_, other)| *other == guest);
                let entered = if is_online {
                    Err(Event::GuestNameTaken)
                } else {
                    self.place(who, guest.into(), entry, makes, false)
                };
                self.answer_entry(who, entered, false);
            }
            (None, _) | (Some(_), Command::LogIn { .. } | Command::EnterAsGuest { .. }) => {}
            (Some(me), command) => {
                self.now_ms = unix_ms;
                self.handle_of(who, me, command, unix_ms);
            }
        }
        self.most_sessions = self.most_sessions.max(self.count_sessions());
        self.take()
    }

    /// What was said and has ended since the last time.
    pub(super) fn take(&mut self) -> (Vec<(Vec<SessionId>, Event)>, Ended) {
        (std::mem::take(&mut self.said), std::mem::take(&mut self.ended))
    }

    #[expect(clippy::too_many_lines, reason = "an arm for each command")]
    fn handle_of(&mut self, who: SessionId, me: Who, command: Command<'_>, unix_ms: u64) {
        if matches!(me, Who::Guest(_)) && self.handle_of_guest(who, &me, &command) {
            return;
        }
        let answer = match command {
            Command::LogIn { .. } | Command::EnterAsGuest { .. } => unreachable!("who is in does not come in"),
            Command::Leave { text } => return self.leave(who, false, text.as_deref()),
            Command::Cut => return self.leave(who, true, None),
            Command::Away { text } => return self.be_away(who, &me, text.as_deref()),
            Command::Watch(watch) => self.watch(who, watch),
            Command::Ignore(ignore) => match self.ignore(who, ignore) {
                Some(answer) => answer,
                None => return,
            },
            Command::Set { key, value } => match self.set(who, key, value.as_deref()) {
                Some(answer) => answer,
                None => return,
            },
            Command::Say { text, manner } => self.say_to_all(who, me, (&text, manner), unix_ms),
            Command::Tell { to, text, manner, account } => {
                match self.tell_somebody(who, me, to, account, (&text, manner), unix_ms) {
                    Some(answer) => answer,
                    None => return,
                }
            }
            Command::CanTell { name, account } => self.can_tell(who, &me, name, account),
            Command::Who { prefix, most } => {
                let all = self.online().into_iter().map(|who| self.present(who)).collect();
                let (names, matching) = self.listed(all, &prefix, most, |line| line.who.to_string());
                Event::Online { names, matching }
            }
            Command::AreOn { names } => self.are_on(names),
            Command::Make(entry) => {
                let entered = self.place(who, me, entry, Some(HostGoes::PassesOn), true);
                return self.answer_entry(who, entered, false);
            }
            Command::Rename { guest } => match self.rename(who, me, guest) {
                Some(refusal) => refusal,
                None => return,
            },
            Command::Join(entry) => {
                let again = self.mine(who, &entry.room).is_ok();
                let entered = self.place(who, me, entry, None, true);
                return self.answer_entry(who, entered, again);
            }
            Command::LeaveRoom { room, text } => {
                self.leave_room(who, &room, text.as_deref()).unwrap_or_else(|refusal| refusal)
            }
            Command::SayIn { room, text, manner } => {
                self.say_in(who, me, &room, (&text, manner), unix_ms).unwrap_or_else(|refusal| refusal)
            }
            Command::Attend { .. } if matches!(me, Who::Guest(_)) && !self.is_guest_online(who) => return,
            Command::Attend { public } => self.attend(who, public),
            Command::Census => self.census(),
            Command::Invite { room, name } => self.invite(who, me, &room, &name).unwrap_or_else(|refusal| refusal),
            Command::HandOn { room, name } => self.hand_on(who, me, &room, &name).unwrap_or_else(|refusal| refusal),
            Command::CanSayIn { room } => self.mine(who, &room).map_or_else(|refusal| refusal, |_| Event::CanSayIn),
            Command::Listen { room } => return self.listen(who, &room),
            Command::Rooms { prefix } => self.list_rooms(who, &prefix),
            Command::Names { room, prefix, most } => self.list_names(&room, &prefix, most),
            Command::Kick { room, name, text } => {
                self.kick(who, me, &room, name, text.as_deref()).unwrap_or_else(|refusal| refusal)
            }
            Command::Keep { room, how } => match self.keep(who, &room, how) {
                Some(answer) => answer,
                None => return,
            },
            Command::Topic { room, text: None } => self.show_topic(who, &room).unwrap_or_else(|refusal| refusal),
            Command::Topic { room, text: Some(text) } => {
                self.hosted(who, &room).map_or_else(|refusal| refusal, |room| self.set_topic(me, room, &text))
            }
            Command::LockRoom { room, lock } => self.lock_room(who, me, &room, lock).unwrap_or_else(|refusal| refusal),
            Command::CloseRoom { room } => match self.owned(who, &room).map_or_else(|| self.hosted(who, &room), Ok) {
                Ok(room) => {
                    self.close(room, Closing::ByHost);
                    Event::Done
                }
                Err(refusal) => refusal,
            },
        };
        self.tell(who, answer);
    }

    fn can_tell(&self, who: SessionId, me: &Who, name: Who, account: Option<Account>) -> Event {
        if let Some(name) = self.takes_none(me, &name, account.as_ref()) {
            return Event::TakesNone { name };
        }
        match self.look_up(who, name) {
            (name, true) => Event::CanTell { name },
            (name, false) => match self.absent(who, account) {
                Some(Account { name, .. }) => Event::CanTell { name: name.into() },
                None => self.nobody_hears(me, name),
            },
        }
    }

    fn say_to_all(&mut self, who: SessionId, me: Who, said: (&str, Manner), unix_ms: u64) -> Event {
        self.people.spoke(who, unix_ms);
        let fate = self.store.fate(Some(Spot::Everybody));
        let message = self.message(me, said, fate, unix_ms);
        let online = self.sessions.iter().map(|(id, _)| *id).chain(self.guests.iter().map(|(id, _)| *id));
        let hearers = self.others(online.filter(|id| !self.deaf.contains(id)), who);
        self.say(hearers.clone(), Event::Said(message.clone()));
        Event::Sent { room: None, hearers: hearers.len(), message }
    }

    /// A direct message. `None` if the sender waits.
    fn tell_somebody(
        &mut self,
        who: SessionId,
        me: Who,
        to: Who,
        account: Option<Account>,
        said: (&str, Manner),
        unix_ms: u64,
    ) -> Option<Event> {
        if let Some(name) = self.takes_none(&me, &to, account.as_ref()) {
            return Some(Event::TakesNone { name });
        }
        let (name, is_reached) = self.look_up(who, to);
        if !is_reached {
            return match self.absent(who, account).filter(|_| said.1 == Manner::Text) {
                Some(account) => self.tell_absent(who, account, said, unix_ms),
                None => Some(self.nobody_hears(&me, name)),
            };
        }
        let receiver = self.sessions.iter().find(|(_, account)| Who::Account(account.name.clone()) == name);
        let receiver = receiver.filter(|_| matches!(me, Who::Account(_))).map(|(_, account)| account.clone());
        self.people.spoke(who, unix_ms);
        let fate = self.store.fate(receiver.map(Spot::Direct));
        let message = Box::new(self.message(me, said, fate, unix_ms));
        let told = Event::Told { to: name.clone(), message: message.clone() };
        self.say(self.others(self.sessions_named(&name).into_iter(), who), told);
        self.copy_to_others(who, &name, &message);
        let away = self.people.away(&name);
        Some(Event::SentTo { name, message, away })
    }

    fn listen(&mut self, who: SessionId, room: &RoomName) {
        if let Ok(room) = self.mine(who, room) {
            self.rooms[room].members.iter_mut().find(|member| member.session == who).unwrap().listens = true;
        }
    }

    fn lock_room(&mut self, who: SessionId, by: Who, room: &RoomName, lock: Option<Lock>) -> Result<Event, Event> {
        let at = self.hosted(who, room)?;
        self.rooms[at].lock = lock;
        self.record_room(at);
        if self.tells_neighbours {
            let others = self.others(self.rooms[at].listeners().into_iter(), who);
            let (room, is_locked) = (self.rooms[at].name.clone(), lock.is_some());
            self.say(others, Event::LockIs { room, by, is_locked });
        }
        Ok(Event::Done)
    }

    fn log_in(&mut self, who: SessionId, was: Option<Who>, account: Account, called: Option<&str>) {
        let sessions = self.sessions_of(&account.name).len() as u32;
        if sessions >= self.rules.sessions_per_account {
            return self.tell(who, Event::SessionsFull { sessions });
        }
        if sessions == 0 {
            self.come_online(&account);
        }
        let name = account.name.clone();
        self.sessions.push((who, account));
        self.guests.retain(|(session, _)| *session != who);
        if was.is_none() {
            self.people.spoke(who, self.now_ms);
        }
        let now = Who::Account(name.clone());
        self.people.call(&now, called);
        self.tell(who, Event::Welcome { name: now.clone(), online: self.online().len() });
        if let Some(was) = was {
            let called = self.people.called(&was);
            self.people.call(&now, called.as_deref());
            self.change_name(who, &was, &now);
            self.people.end_name(&was);
            self.tell_watchers(&was, Change::Offline);
            let mut rooms = self.rooms_of(who);
            rooms.sort();
            for (_, name) in rooms {
                let at = self.rooms.iter().position(|room| room.name == name).unwrap();
                self.become_member(who, at);
            }
        }
        if sessions == 0 {
            self.announce_coming(&name);
        }
    }

    fn leave(&mut self, who: SessionId, is_cut: bool, text: Option<&str>) {
        let me = self.who_is(who).expect("who leaves is in");
        let is_last = !self.is_visitor(who) && self.sessions_named(&me).len() == 1;
        let why = if is_last { Leaving::Offline } else { Leaving::Left };
        if is_last {
            self.tell_neighbours_of(&me, News::Offline { text: text.map(Into::into) });
        }
        // In the order in which the session entered the rooms.
        while let Some((_, name)) = self.rooms_of(who).into_iter().min() {
            let room = self.rooms.iter().position(|room| room.name == name).unwrap();
            self.take_out(&[who], room, &why, text);
        }
        let account = self.account_of(who);
        self.sessions.retain(|(id, _)| *id != who);
        self.deaf.retain(|id| *id != who);
        let is_guest = self.is_guest_online(who);
        self.guests.retain(|(id, _)| *id != who);
        self.people.end(who);
        if let Some(account) = account.filter(|account| self.sessions_of(&account.name).is_empty()) {
            self.announce_going(&account, is_cut);
            let id = self.next_id(self.now_ms);
            self.record(Record::Seen(account, id));
        } else if is_guest {
            self.people.end_name(&me);
            self.tell_watchers(&me, Change::Offline);
        }
    }

    /// Whether this is the session of a guest of one room.
    fn is_visitor(&self, who: SessionId) -> bool {
        self.account_of(who).is_none() && !self.is_guest_online(who)
    }

    /// Somebody makes or enters a room, or is refused.
    fn place(
        &mut self,
        who: SessionId,
        name: Who,
        entry: Entry,
        makes: Option<HostGoes>,
        listens: bool,
    ) -> Result<usize, Event> {
        let Entry { room: asked, lock } = entry;
        let found = self.rooms.iter().position(|other| other.name == asked);
        let at = match (found, makes) {
            (Some(found), Some(_)) => return Err(Event::RoomExists { room: self.rooms[found].name.clone() }),
            (None, None) => return Err(Event::NoSuchRoom),
            (Some(found), None) if self.rooms[found].members.iter().any(|member| member.session == who) => {
                self.become_member(who, found);
                return Ok(found);
            }
            (Some(found), None) => {
                self.refusal(&self.rooms[found], &name, lock.as_ref()).map_or(Ok(found), Err)?;
                self.check_rooms_of(who)?;
                self.check_membership(&self.rooms[found], &name)?;
                let (shown, listeners) = (self.rooms[found].name.clone(), self.rooms[found].listeners());
                let (first, away) = (!self.rooms[found].has(&name), self.people.away(&name));
                let (called, is_owner) = (self.people.called(&name), self.rooms[found].is_owned_by(&name));
                self.say(listeners, Event::Arrived { room: shown, who: name.clone(), first, away, called, is_owner });
                found
            }
            (None, Some(host_goes)) => {
                self.check_rooms_of(who)?;
                let id = *self.ids.get(&asked).expect("the hub has made the room too");
                let closes_with_host = host_goes == HostGoes::Closes;
                let (host, topic, kept, members) = (Some(who), None, None, vec![]);
                self.rooms.push(ShadowRoom { name: asked, id, lock, topic, kept, closes_with_host, host, members });
                self.rooms.len() - 1
            }
        };
        self.arrivals += 1;
        let member = ShadowMember { session: who, who: name, listens, arrival: self.arrivals };
        self.rooms[at].members.push(member);
        self.become_member(who, at);
        Ok(at)
    }

    /// Why a name may not enter a room.
    fn refusal(&self, room: &ShadowRoom, name: &Who, given: Option<&Lock>) -> Option<Event> {
        let shown = room.name.clone();
        if room.lock.is_some() && room.lock.as_ref() != given && !room.has_member_account(name) {
            return Some(match given {
                None => Event::RoomNeedsPassword,
                Some(_) => Event::WrongRoomPassword { room: shown },
            });
        }
        if matches!(name, Who::Guest(_)) && room.has(name) {
            return Some(Event::GuestNameTaken);
        }
        (room.members.len() >= self.rules.room_members as usize).then_some(Event::RoomFull { room: shown })
    }

    fn check_rooms_of(&self, who: SessionId) -> Result<(), Event> {
        let most = self.rules.rooms_per_session;
        if self.rooms_of(who).len() >= most as usize { Err(Event::TooManyRooms { most }) } else { Ok(()) }
    }

    fn answer_entry(&mut self, who: SessionId, entered: Result<usize, Event>, again: bool) {
        let at = match entered {
            Ok(at) => at,
            Err(refusal) => return self.tell(who, refusal),
        };
        let room = &self.rooms[at];
        let (shown, id, topic) = (room.name.clone(), room.id, room.topic.clone());
        let kept = room.kept.as_ref().map(|kept| kept.days);
        let host = room.host_name();
        self.tell(who, Event::Entered { room: shown, id, kept, again, topic, host });
    }

    fn leave_room(&mut self, who: SessionId, name: &RoomName, text: Option<&str>) -> Result<Event, Event> {
        let account = self.account_of(who);
        match self.mine(who, name) {
            Ok(at) => {
                let id = self.rooms[at].id;
                self.take_out(&[who], at, &Leaving::Left, text);
                let at = self.rooms.iter().position(|room| room.id == id);
                if let (Some(at), Some(account)) = (at, account)
                    && !self.rooms[at].has(&account.name.clone().into())
                {
                    self.end_membership(at, &account.name);
                }
            }
            Err(refusal) => {
                let account = account.ok_or(refusal.clone())?;
                let at = self.membership_from_outside(&account.name, name).ok_or(refusal)?;
                self.end_membership(at, &account.name);
            }
        }
        Ok(Event::Done)
    }

    fn say_in(
        &mut self,
        who: SessionId,
        me: Who,
        room: &RoomName,
        said: (&str, Manner),
        unix_ms: u64,
    ) -> Result<Event, Event> {
        let at = self.mine(who, room)?;
        self.people.spoke(who, unix_ms);
        let fate = self.fate_in(at);
        let room = &self.rooms[at];
        let (name, hearers) = (room.name.clone(), self.others(room.listeners().into_iter(), who));
        let message = self.message(me, said, fate, unix_ms);
        self.say(hearers.clone(), Event::SaidIn { room: name.clone(), message: message.clone() });
        Ok(Event::Sent { room: Some(Box::new(name)), hearers: hearers.len(), message })
    }

    fn kick(
        &mut self,
        who: SessionId,
        by: Who,
        room: &RoomName,
        name: Who,
        text: Option<&str>,
    ) -> Result<Event, Event> {
        let room = self.hosted(who, room)?;
        let named = self.rooms[room].members.iter().filter(|member| member.who == name);
        let sessions: Vec<SessionId> = named.map(|member| member.session).collect();
        let is_member = self.rooms[room].has_member_account(&name);
        if sessions.is_empty() && !is_member {
            return Err(Event::NotInRoom { name });
        }
        if !sessions.is_empty() {
            self.take_out(&sessions, room, &Leaving::Kicked { by }, text);
        }
        if let (true, Who::Account(name)) = (is_member, name) {
            self.end_membership(room, &name);
        }
        Ok(Event::Done)
    }

    /// Removes the sessions of one name from a room.
    fn take_out(&mut self, sessions: &[SessionId], at: usize, why: &Leaving, text: Option<&str>) {
        let room = &mut self.rooms[at];
        let (gone, staying) = room.members.clone().into_iter().partition(|member| sessions.contains(&member.session));
        room.members = staying;
        let gone: Vec<ShadowMember> = gone;
        self.ended.extend(gone.iter().map(|member| (member.session, room.id)));
        let who = gone[0].who.clone();
        let (room, last, why, text) = (room.name.clone(), !room.has(&who), why.clone(), text.map(Into::into));
        let is_kick = matches!(why, Leaving::Kicked { .. });
        let event = Event::Gone { room, who, last, why, text };
        if is_kick {
            gone.iter().for_each(|member| self.tell(member.session, event.clone()));
        }
        let room = &self.rooms[at];
        let (is_empty, is_headless) = (room.members.is_empty(), room.kept.is_none() && room.host_name().is_none());
        if !is_empty && is_headless && room.closes_with_host {
            return self.close(at, Closing::HostLeft);
        }
        if !is_empty {
            self.say(room.listeners(), event);
        }
        self.find_host(at);
    }

    /// A room that is not kept and has no host gets one, or ends if nobody is there.
    pub(super) fn find_host(&mut self, at: usize) {
        let room = &mut self.rooms[at];
        if room.kept.is_some() || room.host_name().is_some() {
            return;
        }
        let Some(eldest) = room.members.first() else {
            self.rooms.remove(at);
            return;
        };
        room.host = Some(eldest.session);
        let event = Event::HostIs { room: room.name.clone(), who: eldest.who.clone(), was: None };
        let listeners = room.listeners();
        self.say(listeners, event);
    }

    fn is_away(&self, who: &Who) -> bool {
        self.people.away(who).is_some()
    }

    pub(super) fn close(&mut self, at: usize, why: Closing) {
        let room = self.rooms.remove(at);
        self.ended.extend(room.members.iter().map(|member| (member.session, room.id)));
        if let Some(kept) = room.kept {
            self.record(Record::RoomGone(kept.id));
        }
        let members: Vec<SessionId> = room.members.iter().map(|member| member.session).collect();
        if !members.is_empty() {
            self.say(members, Event::RoomClosed { room: room.name, why });
        }
    }

    fn list_rooms(&self, who: SessionId, prefix: &str) -> Event {
        let me = self.account_of(who).map(|account| Who::Account(account.name));
        let is_told = |room: &ShadowRoom| {
            let is_in = room.members.iter().any(|member| member.session == who);
            room.lock.is_none() || is_in || me.as_ref().is_some_and(|me| room.has_member_account(me))
        };
        let all = self.rooms.iter().map(|room| RoomLine {
            name: room.name.clone(),
            members: room.members.len(),
            is_locked: room.lock.is_some(),
            is_kept: room.kept.is_some(),
            topic: room.topic.as_ref().filter(|_| is_told(room)).map(|topic| topic.text.clone()),
        });
        let (rooms, matching) = self.listed(all.collect(), prefix, None, |line| line.name.to_string());
        Event::Rooms { rooms, matching }
    }

    fn list_names(&self, room: &RoomName, prefix: &str, most: Option<u32>) -> Event {
        let Some(room) = self.rooms.iter().find(|other| other.name == *room) else { return Event::NoSuchRoom };
        let mut all: Vec<NameLine> = Vec::new();
        for member in &room.members {
            let seat = if Some(&member.who) == room.host_name().as_ref() { Seat::Host } else { Seat::Member };
            let (is_away, called) = (self.is_away(&member.who), self.people.called(&member.who));
            let line = NameLine { who: member.who.clone(), seat, is_away, called };
            if !all.contains(&line) {
                all.push(line);
            }
        }
        let shown = |line: &NameLine| line.who.to_string();
        let unbound = Self { rules: Rules { list_lines: u32::MAX, ..self.rules.clone() }, ..Self::new(RULES) };
        let mut names = unbound.listed(all, prefix, None, shown).0;
        names.extend(unbound.listed(room.absent(), prefix, None, shown).0);
        let matching = names.len();
        names.truncate(most.unwrap_or(self.rules.list_lines) as usize);
        Event::Names { room: room.name.clone(), names, matching }
    }

    /// The entries of `all` that begin with `prefix`, in lower-case order (`~` sorts after all letters), as many as a list
    /// may show; and their number.
    fn listed<T>(
        &self,
        mut all: Vec<T>,
        prefix: &str,
        most: Option<u32>,
        shown: impl Fn(&T) -> String,
    ) -> (Vec<T>, usize) {
        all.retain(|line| shown(line).to_lowercase().starts_with(&prefix.to_lowercase()));
        all.sort_by_key(|line| shown(line).to_lowercase());
        let matching = all.len();
        all.truncate(most.unwrap_or(self.rules.list_lines) as usize);
        (all, matching)
    }

    /// The index of the room of that name, if `who` is a member; else the refusal.
    pub(super) fn mine(&self, who: SessionId, name: &RoomName) -> Result<usize, Event> {
        let at = self.rooms.iter().position(|room| room.name == *name).ok_or(Event::NoSuchRoom)?;
        let is_in = self.rooms[at].members.iter().any(|member| member.session == who);
        if is_in { Ok(at) } else { Err(Event::NotMember { room: self.rooms[at].name.clone() }) }
    }

    pub(super) fn hosted(&self, who: SessionId, name: &RoomName) -> Result<usize, Event> {
        let at = self.mine(who, name)?;
        let host = self.rooms[at].host_name();
        let is_host = host.is_some() && host == self.who_is(who);
        if is_host { Ok(at) } else { Err(Event::NotHost { room: self.rooms[at].name.clone() }) }
    }

    /// The rooms of a session, each with its arrival number.
    pub(super) fn rooms_of(&self, who: SessionId) -> Vec<(usize, RoomName)> {
        let members = self.rooms.iter().flat_map(|room| room.members.iter().map(move |member| (room, member)));
        let mine = members.filter(|(_, member)| member.session == who);
        mine.map(|(room, member)| (member.arrival, room.name.clone())).collect()
    }

    /// The name of a session: an account from the sessions, a guest from the members of rooms.
    pub(super) fn who_is(&self, who: SessionId) -> Option<Who> {
        let account = self.sessions.iter().find(|(id, _)| *id == who).map(|(_, account)| account.name.clone().into());
        let guest = self.guests.iter().find(|(id, _)| *id == who).map(|(_, guest)| guest.clone().into());
        let mut members = self.rooms.iter().flat_map(|room| &room.members);
        account.or(guest).or_else(|| members.find(|member| member.session == who).map(|member| member.who.clone()))
    }

    pub(super) fn sessions_of(&self, name: &UserName) -> Vec<SessionId> {
        self.sessions.iter().filter(|(_, other)| other.name == *name).map(|(id, _)| *id).collect()
    }

    pub(super) fn surplus_of(&self, name: &UserName) -> Vec<SessionId> {
        let mut sessions = self.sessions_of(name);
        let may_stay = (self.rules.sessions_per_account as usize - 1).min(sessions.len());
        sessions.truncate(sessions.len() - may_stay);
        sessions
    }

    pub(super) fn accounts(&self) -> Vec<UserName> {
        let mut accounts: Vec<UserName> = Vec::new();
        for (_, Account { name, .. }) in &self.sessions {
            if !accounts.contains(name) {
                accounts.push(name.clone());
            }
        }
        accounts
    }

    /// The name as it was registered if the account is online, and whether it has a session other than `who`.
    fn look_up(&self, who: SessionId, name: Who) -> (Who, bool) {
        let reached = self.sessions_named(&name).iter().any(|id| *id != who);
        (self.online().into_iter().find(|other| *other == name).unwrap_or(name), reached)
    }

    pub(super) fn others(&self, sessions: impl Iterator<Item = SessionId>, who: SessionId) -> Vec<SessionId> {
        sessions.filter(|id| *id != who).collect()
    }

    pub(super) fn message(&mut self, from: Who, (text, manner): (&str, Manner), fate: Fate, unix_ms: u64) -> Message {
        Message { id: self.next_id(unix_ms), from, text: text.into(), manner, fate }
    }

    pub(super) fn next_id(&mut self, unix_ms: u64) -> u64 {
        self.last_id = (self.last_id + 1).max(unix_ms * 1_048_576);
        self.last_id
    }

    /// The other sessions of a sender are shown its direct message, unless they hear it anyway.
    pub(super) fn copy_to_others(&mut self, who: SessionId, to: &Who, message: &Message) {
        let Some(Who::Account(me)) = self.who_is(who) else { return };
        let others = self.others(self.sessions_of(&me).into_iter(), who);
        if Who::Account(me) != *to && !others.is_empty() {
            self.say(others, Event::OwnTold { to: to.clone(), message: Box::new(message.clone()) });
        }
    }

    pub(super) fn tell(&mut self, who: SessionId, event: Event) {
        self.say(vec![who], event);
    }

    pub(super) fn say(&mut self, to: Vec<SessionId>, event: Event) {
        self.said.push((to, event));
    }

    /// The refusal of a direct message that reaches no session.
    pub(super) fn nobody_hears(&self, me: &Who, name: Who) -> Event {
        let is_guest = matches!(name, Who::Guest(_));
        if *me == name {
            Event::OnlyYou
        } else if is_guest && self.rooms.iter().any(|room| room.has(&name)) {
            Event::HearsOneRoom { name }
        } else {
            Event::NotOnline { name }
        }
    }
}
