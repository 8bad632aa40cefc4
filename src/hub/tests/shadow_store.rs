//! The shadow's part that is kept: rooms, what waits for accounts that are away, and the records.

use super::shadow::{Shadow, ShadowRoom};
use super::*;
use crate::hub::record::{Hole, Row};

/// What the shadow knows about the store.
#[derive(Default)]
pub(super) struct ShadowStore {
    pub(super) keeping: Keeping,
    pub(super) records: Vec<HandedOut>,
    /// The messages that wait: their receivers and senders, and their ids.
    pub(super) waiting: Vec<(Account, Account, u64)>,
    pub(super) waits: Vec<ShadowWait>,
    pub(super) last_ticket: u64,
    pub(super) last_room: u32,
}

#[derive(Clone)]
pub(super) struct ShadowWait {
    pub(super) ticket: u64,
    who: SessionId,
    account: Account,
    what: ShadowWaited,
}

#[derive(Clone)]
pub(super) enum ShadowWaited {
    Told(Account, Message),
    Keep(KeptId, ShadowAsked),
    Ignore(Whom),
    Set(Setting),
}

impl ShadowWait {
    /// Whether it is a change of this account's profile.
    pub(super) fn sets(&self, account: &Account) -> bool {
        self.account == *account && matches!(self.what, ShadowWaited::Set(_))
    }
}

pub(super) struct ShadowKept {
    pub(super) id: KeptId,
    pub(super) owner: Option<Account>,
    pub(super) ownerless_since_ms: u64,
    pub(super) days: u32,
    /// The members in the order in which they became ones, each with the newest message of that moment.
    pub(super) members: Vec<(Account, u64)>,
    pub(super) asked: Option<ShadowAsked>,
    /// Messages since the room was to be kept no longer.
    unkept: u64,
}

#[derive(Clone, PartialEq)]
pub(super) enum ShadowAsked {
    New,
    Days(u32),
    To(Account),
    Off,
}

impl ShadowStore {
    pub(super) fn fate(&self, spot: Option<Spot>) -> Fate {
        match (spot, self.keeping) {
            (None, _) | (_, Keeping::Off) => Fate::Unkept,
            (Some(spot), Keeping::On) => Fate::Kept(spot),
            (Some(spot), Keeping::Full) => Fate::Dropped(spot),
        }
    }
}

impl ShadowRoom {
    pub(super) fn has_member_account(&self, who: &Who) -> bool {
        let Some(kept) = &self.kept else { return false };
        kept.members.iter().any(|(account, _)| Who::Account(account.name.clone()) == *who)
    }

    pub(super) fn is_owned_by(&self, who: &Who) -> bool {
        let owner = self.kept.as_ref().and_then(|kept| kept.owner.as_ref());
        owner.is_some_and(|owner| Who::Account(owner.name.clone()) == *who)
    }

    pub(super) fn absent(&self) -> Vec<NameLine> {
        let members = self.kept.iter().flat_map(|kept| &kept.members);
        let members = members.map(|(account, _)| Who::Account(account.name.clone()));
        let line = |who| NameLine { who, seat: Seat::Absent, is_away: false, called: None };
        members.filter(|member| !self.has(member)).map(line).collect()
    }

    /// The record of a kept room, as the store has to know it.
    fn record(&self) -> Option<Record> {
        let kept = self.kept.as_ref()?;
        let mut room = KeptRoom {
            id: kept.id,
            name: self.name.clone(),
            owner: kept.owner.clone(),
            ownerless_since_ms: kept.ownerless_since_ms,
            days: kept.days,
            topic: self.topic.clone(),
            lock: self.lock,
        };
        match kept.asked.clone() {
            Some(ShadowAsked::Off) => return None,
            Some(ShadowAsked::Days(days)) => room.days = days,
            Some(ShadowAsked::To(heir)) => (room.owner, room.ownerless_since_ms) = (Some(heir), 0),
            Some(ShadowAsked::New) | None => {}
        }
        Some(Record::Room(Box::new(room)))
    }
}

impl Shadow {
    pub(super) fn record(&mut self, record: Record) {
        if self.store.keeping != Keeping::Off {
            self.store.records.push(HandedOut { record, ticket: None });
        }
    }

    pub(super) fn record_room(&mut self, at: usize) {
        if let Some(record) = self.rooms[at].record() {
            self.record(record);
        }
    }

    pub(super) fn account_of(&self, who: SessionId) -> Option<Account> {
        self.sessions.iter().find(|(id, _)| *id == who).map(|(_, account)| account.clone())
    }

    fn kept(&mut self, at: usize) -> &mut ShadowKept {
        self.rooms[at].kept.as_mut().expect("a kept room")
    }

    /// Lets a session wait for the last record.
    pub(super) fn wait(&mut self, who: SessionId, what: ShadowWaited) {
        self.store.last_ticket += 1;
        let ticket = self.store.last_ticket;
        self.store.records.last_mut().expect("a record").ticket = Some(ticket);
        let account = self.account_of(who).expect("only accounts wait");
        self.store.waits.push(ShadowWait { ticket, who, account, what });
        self.tell(who, Event::Awaited { ticket });
    }

    pub(super) fn come_online(&mut self, account: &Account) {
        let members = self.rooms.iter().filter_map(|room| room.kept.as_ref()).flat_map(|kept| &kept.members);
        let mut known: Vec<Account> = members.map(|(member, _)| member.clone()).chain(self.people.known()).collect();
        known.retain(|older| older.name == account.name && older != account);
        known.sort();
        known.dedup();
        for older in known {
            self.forget(&older);
        }
        self.people.profiles.retain(|((other, _), _)| other.name != account.name || other == account);
        self.store.waiting.retain(|(to, ..)| to.name != account.name);
        self.record(Record::Account(account.clone()));
    }

    pub(super) fn forget(&mut self, account: &Account) {
        let mut rooms: Vec<(KeptId, usize)> = Vec::new();
        for (at, room) in self.rooms.iter().enumerate() {
            if let Some(kept) = &room.kept
                && kept.members.iter().any(|(member, _)| member == account)
            {
                rooms.push((kept.id, at));
            }
        }
        rooms.sort();
        for (_, at) in rooms {
            let now_ms = self.now_ms;
            let kept = self.kept(at);
            if kept.owner.as_ref() == Some(account) {
                (kept.owner, kept.ownerless_since_ms) = (None, now_ms);
                self.record_room(at);
            }
            self.end_membership(at, &account.name);
        }
        self.forget_person(account);
        self.store.waiting.retain(|(to, ..)| to != account);
        self.record(Record::Deleted(account.clone()));
    }

    pub(super) fn end_membership(&mut self, at: usize, name: &UserName) {
        let Some(kept) = &mut self.rooms[at].kept else { return };
        let is_owner = kept.owner.as_ref().is_some_and(|owner| owner.name == *name);
        let place = kept.members.iter().position(|(member, _)| member.name == *name);
        if let (Some(place), false) = (place, is_owner) {
            let (account, _) = kept.members.remove(place);
            let id = kept.id;
            self.record(Record::NoMember(id, account));
        }
    }

    fn memberships(&self, name: &UserName) -> usize {
        self.rooms.iter().filter(|room| room.has_member_account(&name.clone().into())).count()
    }

    fn owned_by(&self, name: &UserName) -> usize {
        let is_of = |account: &Account| account.name == *name;
        let kept = self.rooms.iter().filter_map(|room| room.kept.as_ref());
        let gets = |kept: &&ShadowKept| matches!(&kept.asked, Some(ShadowAsked::To(heir)) if is_of(heir));
        kept.filter(|kept| kept.owner.as_ref().is_some_and(is_of) || gets(kept)).count()
    }

    pub(super) fn check_membership(&self, room: &ShadowRoom, who: &Who) -> Result<(), Event> {
        let most = self.rules.rooms_per_session;
        let Who::Account(name) = who else { return Ok(()) };
        let is_new = room.kept.is_some() && !room.has_member_account(who);
        if is_new && self.memberships(name) >= most as usize { Err(Event::MemberOfTooMany { most }) } else { Ok(()) }
    }

    /// Makes a session's account a member of the kept room that it is in, unless it is a member of too many.
    pub(super) fn become_member(&mut self, who: SessionId, at: usize) {
        let Some(account) = self.account_of(who) else { return };
        let name = Who::Account(account.name.clone());
        let is_one = self.rooms[at].kept.is_none() || self.rooms[at].has_member_account(&name);
        if is_one || self.check_membership(&self.rooms[at], &name).is_err() {
            return;
        }
        let last_id = self.last_id;
        let kept = self.kept(at);
        kept.members.push((account.clone(), last_id));
        if kept.asked != Some(ShadowAsked::Off) {
            let id = kept.id;
            self.record(Record::Member(id, account, last_id));
        }
    }

    pub(super) fn membership_from_outside(&self, account: &UserName, name: &RoomName) -> Option<usize> {
        let who = Who::Account(account.clone());
        self.rooms.iter().position(|room| room.name == *name && room.has_member_account(&who) && !room.has(&who))
    }

    pub(super) fn owned(&self, who: SessionId, name: &RoomName) -> Option<usize> {
        let account = self.account_of(who)?;
        let is_owned = |room: &ShadowRoom| room.kept.as_ref().is_some_and(|kept| kept.owner.as_ref() == Some(&account));
        self.rooms.iter().position(|room| room.name == *name && is_owned(room))
    }

    pub(super) fn show_topic(&self, who: SessionId, name: &RoomName) -> Result<Event, Event> {
        let outside = self.account_of(who).and_then(|account| self.membership_from_outside(&account.name, name));
        let at = self.mine(who, name).or_else(|refusal| outside.ok_or(refusal))?;
        Ok(Event::TopicShown { room: self.rooms[at].name.clone(), topic: self.rooms[at].topic.clone() })
    }

    pub(super) fn set_topic(&mut self, me: Who, at: usize, text: &str) -> Event {
        let by: Box<str> = me.to_string().into();
        let set_ms = self.now_ms;
        let room = &mut self.rooms[at];
        if text.is_empty() && room.topic.is_none() {
            return Event::Done;
        }
        room.topic = (!text.is_empty()).then(|| Topic { by: by.clone(), text: text.into(), set_ms });
        let (listeners, event) = (room.listeners(), Event::TopicIs { room: room.name.clone(), by, text: text.into() });
        self.say(listeners, event);
        self.record_room(at);
        Event::Done
    }

    pub(super) fn fate_in(&mut self, at: usize) -> Fate {
        let Some(kept) = &mut self.rooms[at].kept else { return Fate::Unkept };
        if kept.asked == Some(ShadowAsked::Off) {
            kept.unkept += 1;
            return Fate::Unkept;
        }
        let spot = (kept.days > 0).then_some(Spot::Room(kept.id));
        self.store.fate(spot)
    }

    /// The account for which a message of this session is kept.
    pub(super) fn absent(&self, who: SessionId, account: Option<Account>) -> Option<Account> {
        let sender = self.account_of(who)?;
        account.filter(|account| account.name != sender.name && self.store.keeping != Keeping::Off)
    }

    /// Keeps a message. A refusal if it is not possible.
    pub(super) fn tell_absent(
        &mut self,
        who: SessionId,
        to: Account,
        said: (&str, Manner),
        unix_ms: u64,
    ) -> Option<Event> {
        let from = self.account_of(who)?;
        let waiting = |from: Option<&Account>| {
            let of = |(receiver, sender, _): &&(Account, Account, u64)| {
                *receiver == to && from.is_none_or(|from| sender == from)
            };
            self.store.waiting.iter().filter(of).count()
        };
        if self.store.keeping == Keeping::Full {
            return Some(Event::NotKept);
        }
        let (mine, all) = (waiting(Some(&from)), waiting(None));
        if (mine >= 100 || all >= 1_000) && (mine >= 10 || all >= 2_000) {
            return Some(Event::TooManyWaiting { name: to.name });
        }
        self.people.spoke(who, unix_ms);
        let fate = Fate::Kept(Spot::Direct(to.clone()));
        let message = self.message(from.name.clone().into(), said, fate, unix_ms);
        self.store.waiting.push((to.clone(), from.clone(), message.id));
        self.copy_to_others(who, &to.name.clone().into(), &message);
        let (id, spot, text) = (message.id, Spot::Direct(to.clone()), said.0.into());
        self.record(Record::Row(Row { id, spot, from: from.name.into(), text }));
        self.wait(who, ShadowWaited::Told(to, message));
        None
    }

    /// `None` if the session waits.
    pub(super) fn keep(&mut self, who: SessionId, name: &RoomName, how: Keep) -> Option<Event> {
        self.account_of(who)?;
        self.ask(who, name, how).err()
    }

    fn ask(&mut self, who: SessionId, name: &RoomName, how: Keep) -> Result<(), Event> {
        if self.store.keeping == Keeping::Off {
            return Err(Event::NothingKept);
        }
        let at = self.hosted(who, name)?;
        if self.rooms[at].kept.as_ref().is_some_and(|kept| kept.asked.is_some()) {
            return Err(Event::NotKept);
        }
        let is_kept = self.rooms[at].kept.is_some();
        let most = self.rules.keep_days;
        let asked = match how {
            Keep::Days(Some(days)) if days > most => return Err(Event::TooManyDays { most }),
            Keep::Days(days) if is_kept => ShadowAsked::Days(days.unwrap_or(most)),
            Keep::Days(days) => return self.begin(who, at, days.unwrap_or(most)),
            Keep::Off if is_kept => ShadowAsked::Off,
            Keep::Off => return Err(Event::Done),
            Keep::To(name) => {
                let members = self.rooms[at].kept.iter().flat_map(|kept| &kept.members);
                let heir = members.map(|(member, _)| member.clone()).find(|member| member.name == name);
                let heir = heir.ok_or(Event::NotInRoom { name: name.clone().into() })?;
                let is_mine = self.account_of(who).as_ref() == Some(&heir);
                if !is_mine && self.owned_by(&name) >= 8 {
                    return Err(Event::OwnsTooMany { name: Some(heir.name), most: 8 });
                }
                ShadowAsked::To(heir)
            }
        };
        self.kept(at).asked = Some(asked.clone());
        let id = self.kept(at).id;
        match self.rooms[at].record() {
            Some(record) => self.record(record),
            None => self.record(Record::RoomGone(id)),
        }
        self.wait(who, ShadowWaited::Keep(id, asked));
        Ok(())
    }

    fn begin(&mut self, who: SessionId, at: usize, days: u32) -> Result<(), Event> {
        let owner = self.account_of(who).expect("an account");
        if self.owned_by(&owner.name) >= 8 {
            return Err(Event::OwnsTooMany { name: None, most: 8 });
        }
        let most = self.rules.rooms_per_session;
        if self.memberships(&owner.name) >= most as usize {
            return Err(Event::MemberOfTooMany { most });
        }
        self.store.last_room += 1;
        let (id, members, asked) = (KeptId(self.store.last_room), vec![], Some(ShadowAsked::New));
        let room = &mut self.rooms[at];
        room.host = None;
        let owner = Some(owner);
        room.kept = Some(ShadowKept { id, owner, ownerless_since_ms: 0, days, members, asked, unkept: 0 });
        let sessions: Vec<SessionId> = room.members.iter().map(|member| member.session).collect();
        self.record_room(at);
        sessions.into_iter().for_each(|session| self.become_member(session, at));
        self.wait(who, ShadowWaited::Keep(id, ShadowAsked::New));
        Ok(())
    }

    /// The server starts with what was kept. `ids` are those of the new hub's rooms.
    pub(super) fn start_anew(&mut self, restored: record::Restored, ids: &BTreeMap<RoomName, RoomId>) {
        self.sessions.clear();
        self.guests.clear();
        self.deaf.clear();
        self.people.start_anew();
        self.rooms.retain(|room| room.kept.is_some());
        for room in &mut self.rooms {
            room.members.clear();
            room.id = ids[&room.name];
        }
        for (_, since_id) in
            self.rooms.iter_mut().filter_map(|room| room.kept.as_mut()).flat_map(|kept| &mut kept.members)
        {
            *since_id = 0;
        }
        self.last_id = if restored.last_id > 0 { restored.last_id + 1_000 * 1_048_576 } else { 0 };
        self.now_ms = 0;
        self.store.last_ticket = 0;
        self.store.waiting.clear();
        for record::Waiting { to, from, count } in restored.waiting {
            self.store.waiting.extend((0..count).map(|_| (to.clone(), from.clone(), 0)));
        }
    }

    /// A wait is over.
    pub(super) fn settle(&mut self, ticket: u64, is_kept: bool) {
        let Some(place) = self.store.waits.iter().position(|wait| wait.ticket == ticket) else { return };
        let ShadowWait { who, account, what, .. } = self.store.waits.remove(place);
        let answer = match what {
            ShadowWaited::Told(to, message) if is_kept => Event::KeptFor { name: to.name, message },
            ShadowWaited::Told(to, Message { id, .. }) => {
                self.store.waiting.retain(|(.., waiting)| *waiting != id);
                self.record(Record::Withdrawn(id));
                let of_account = self.sessions.iter().filter(|(session, of)| *of == account && *session != who);
                let others: Vec<SessionId> = of_account.map(|(session, _)| *session).collect();
                if !others.is_empty() {
                    self.say(others, Event::Withdrawn { to: to.name, id });
                }
                Event::NotKept
            }
            ShadowWaited::Keep(id, asked) => self.settle_keep(id, asked, is_kept),
            ShadowWaited::Ignore(whom) => self.settle_ignore(ticket, &account, whom, is_kept),
            ShadowWaited::Set(setting) => self.settle_set(setting, is_kept),
        };
        if self.account_of(who) == Some(account) {
            self.tell(who, answer);
        }
    }

    fn settle_keep(&mut self, id: KeptId, asked: ShadowAsked, is_kept: bool) -> Event {
        let Some(at) = self.rooms.iter().position(|room| room.kept.as_ref().is_some_and(|kept| kept.id == id)) else {
            return match (is_kept, asked) {
                (false, _) => Event::NotKept,
                (true, ShadowAsked::Off) => Event::Done,
                (true, _) => Event::NoSuchRoom,
            };
        };
        self.kept(at).asked = None;
        if !is_kept {
            match asked {
                ShadowAsked::New => {
                    self.unkeep(at);
                    self.record(Record::RoomGone(id));
                    self.find_host(at);
                }
                ShadowAsked::Days(_) | ShadowAsked::To(_) => self.record_room(at),
                ShadowAsked::Off => self.keep_on(at),
            }
            return Event::NotKept;
        }
        match asked {
            ShadowAsked::New => self.announce_kept(at),
            ShadowAsked::Days(days) => {
                self.kept(at).days = days;
                self.announce_kept(at);
            }
            ShadowAsked::To(heir) if self.kept(at).members.iter().any(|(member, _)| *member == heir) => {
                self.hand_over(at, heir);
            }
            ShadowAsked::To(heir) => {
                self.record_room(at);
                return Event::NotInRoom { name: heir.name.into() };
            }
            ShadowAsked::Off => {
                self.unkeep(at);
                self.announce_kept(at);
                self.find_host(at);
            }
        }
        Event::Done
    }

    /// The room is no longer kept: its host is a session of its owner's, if there is one.
    fn unkeep(&mut self, at: usize) {
        let room = &mut self.rooms[at];
        let host = room.host_name();
        room.kept = None;
        room.host = room.members.iter().find(|member| Some(&member.who) == host.as_ref()).map(|member| member.session);
    }

    /// The room is kept after all.
    fn keep_on(&mut self, at: usize) {
        self.record_room(at);
        let kept = self.kept(at);
        let (id, unkept, is_stored) = (kept.id, std::mem::take(&mut kept.unkept), kept.days > 0);
        for (member, since_id) in kept.members.clone() {
            self.record(Record::Member(id, member, since_id));
        }
        if unkept > 0 && is_stored {
            let (hole, spot) = (self.next_id(0), Spot::Room(id));
            let why = "the store did not answer".into();
            self.record(Record::Hole(Hole { id: hole, spot, with: None, count: Some(unkept), why }));
        }
    }

    fn announce_kept(&mut self, at: usize) {
        let room = &self.rooms[at];
        let event = Event::RoomKept { room: room.name.clone(), days: room.kept.as_ref().map(|kept| kept.days) };
        self.say(room.listeners(), event);
    }

    fn hand_over(&mut self, at: usize, heir: Account) {
        let kept = self.kept(at);
        let former = kept.owner.clone();
        (kept.owner, kept.ownerless_since_ms) = (Some(heir.clone()), 0);
        let (room, who) = (&self.rooms[at], Who::from(heir.name));
        let former = former.map(|former| Who::from(former.name));
        if former.as_ref() != Some(&who) && room.has(&who) {
            let was = former.filter(|former| room.has(former));
            self.say(room.listeners(), Event::HostIs { room: room.name.clone(), who, was });
        }
    }

    pub(super) fn tend(&mut self, unix_ms: u64) {
        self.now_ms = unix_ms;
        let kept = self.rooms.iter().filter_map(|room| room.kept.as_ref());
        let mut all: Vec<KeptId> = kept.map(|kept| kept.id).collect();
        all.sort();
        for id in all {
            let is_it = |room: &ShadowRoom| room.kept.as_ref().is_some_and(|kept| kept.id == id);
            let Some(at) = self.rooms.iter().position(is_it) else { continue };
            let kept = self.rooms[at].kept.as_ref().expect("a kept room");
            let is_due =
                unix_ms.saturating_sub(kept.ownerless_since_ms) >= u64::from(self.rules.keep_days) * 86_400_000;
            if kept.owner.is_some() || kept.asked.is_some() {
                continue;
            }
            if kept.ownerless_since_ms == 0 {
                self.kept(at).ownerless_since_ms = unix_ms;
                self.record_room(at);
            } else if is_due && kept.members.is_empty() {
                self.close(at, Closing::HostLeft);
            } else if is_due {
                let members: Vec<Account> = kept.members.iter().map(|(member, _)| member.clone()).collect();
                if let Some(heir) = members.into_iter().find(|member| self.owned_by(&member.name) < 8) {
                    self.hand_over(at, heir);
                    self.record_room(at);
                }
            }
        }
    }
}
