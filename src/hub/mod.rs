//! The hub: what a chat *is*. Sessions, names and rooms, and which session receives what, in which order.
//!
//! The hub knows no bytes, sockets, clocks, threads or randomness; time is an argument. It cannot fail: a user's mistake
//! is an event to that user. Call [`Hub::handle`] with one command, then [`Hub::poll_event`] until it returns `None`, then
//! [`Hub::poll_ended_place`] likewise.

mod attendance;
pub mod command;
mod direct;
pub mod event;
mod guests;
mod invitations;
mod kept;
mod lists;
mod login;
mod membership;
pub mod names;
mod neighbours;
pub mod people;
mod presence;
pub mod profile;
pub mod record;
pub mod room;
pub mod session;
mod topics;
pub mod view;
mod waiting;
mod waits;

use std::collections::{BTreeMap, VecDeque};

use command::Command;
use event::{Audience, Event, Manner, Message};
use kept::Book;
use names::{GuestName, RoomName, UserName, Who};
use people::{Parting, People};
use presence::Presence;
use record::{Account, Fate, Record, Spot};
use room::{Member, RoomId, Rooms};
use session::{Roster, SessionId};
use waits::Waits;

use crate::limits::LIST_LINE_WORK;

/// Bits of a message id below its time: about a million ids per millisecond.
const ID_TIME_SHIFT: u32 = 20;

/// The sessions and rooms of a chat, and the events that are not yet polled.
#[derive(Debug)]
pub struct Hub {
    rules: Rules,
    roster: Roster,
    online: Presence<UserName>,
    /// The guests who have logged in. Each has one session.
    guests_online: Presence<GuestName>,
    /// The guests of one room.
    guests: BTreeMap<SessionId, GuestName>,
    guest_names: Presence<GuestName>,
    rooms: Rooms,
    kept: Book,
    waiting: waiting::Counts,
    waits: Waits,
    people: People,
    now_ms: u64,
    last_id: u64,
    events: VecDeque<(Audience, Event)>,
    ended_places: VecDeque<(SessionId, RoomId)>,
    records: VecDeque<HandedOut>,
    keeping: Keeping,
    tells_neighbours: bool,
    met: neighbours::Met,
    /// The most sessions at once since the start.
    most_sessions: usize,
    work: usize,
}

/// A record to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOut {
    /// The record.
    pub record: Record,
    /// The number of the wait for it, if somebody waits until it is on disk.
    pub ticket: Option<u64>,
}

/// Whether messages are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keeping {
    /// There is no store.
    #[default]
    Off,
    /// They are.
    On,
    /// The store has no room for more.
    Full,
}

/// Limits that the operator sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Concurrent sessions of one account.
    pub sessions_per_account: u32,
    /// Lines in an answer that lists names or rooms.
    pub list_lines: u32,
    /// Rooms that one session may be in at once.
    pub rooms_per_session: u32,
    /// Members of one room.
    pub room_members: u32,
    /// Days for which a kept room's messages may be kept at most.
    pub keep_days: u32,
}

impl Hub {
    /// A hub without sessions and rooms.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            roster: Roster::default(),
            online: Presence::default(),
            guests_online: Presence::default(),
            guests: BTreeMap::new(),
            guest_names: Presence::default(),
            rooms: Rooms::default(),
            kept: Book::default(),
            waiting: waiting::Counts::default(),
            waits: Waits::default(),
            people: People::default(),
            now_ms: 0,
            last_id: 0,
            events: VecDeque::new(),
            ended_places: VecDeque::new(),
            records: VecDeque::new(),
            keeping: Keeping::Off,
            tells_neighbours: false,
            met: neighbours::Met::default(),
            most_sessions: 0,
            work: 0,
        }
    }

    /// Changes the limits for later commands. No session or member is removed.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Releases memory left over from a peak.
    pub fn shrink(&mut self) {
        self.roster.shrink();
        self.rooms.shrink();
        self.events.shrink_to_fit();
        self.ended_places.shrink_to_fit();
        self.records.shrink_to_fit();
        self.people.shrink();
    }

    /// Carries out one command of the session `who`. `unix_ms` is the Unix time in milliseconds, from which message ids
    /// are made.
    ///
    /// Ignored unless the session is logged in or a guest; `LogIn` and `EnterAsGuest` are ignored if it is, except that a
    /// guest who has logged in may log in to an account.
    pub fn handle(&mut self, who: SessionId, command: Command<'_>, unix_ms: u64) {
        let is_in = self.roster.owner_of(who).is_some() || self.guests.contains_key(&who);
        if is_in == matches!(command, Command::LogIn { .. } | Command::EnterAsGuest { .. })
            && !self.becomes_account(who, &command)
        {
            return;
        }
        self.now_ms = unix_ms;
        match command {
            Command::LogIn { who: name, since, called } => self.on_log_in(who, name, since, called.as_deref()),
            Command::Leave { text } => self.end_session(who, Parting::Left, text.as_deref()),
            Command::Say { text, manner } => self.on_say(who, &text, manner),
            Command::Tell { to, account, text, manner } => self.on_tell(who, to, account, (&text, manner)),
            Command::CanTell { name, account } => self.on_can_tell(who, name, account),
            Command::Who { prefix, most } => self.on_who(who, &prefix, most),
            Command::AreOn { names } => self.on_are_on(who, names),
            Command::Make(entry) => self.on_make(who, entry),
            Command::Join(entry) => self.on_join(who, entry),
            Command::EnterAsGuest { guest, makes, entry } => self.on_enter_as_guest(who, guest, makes, entry),
            Command::Rename { guest } => self.on_rename(who, guest),
            Command::LeaveRoom { room, text } => self.on_leave_room(who, &room, text.as_deref()),
            Command::SayIn { room, text, manner } => self.on_say_in(who, &room, (&text, manner)),
            Command::CanSayIn { room } => self.on_can_say_in(who, &room),
            Command::Listen { room } => self.on_listen(who, &room),
            Command::Rooms { prefix } => self.on_rooms(who, &prefix),
            Command::Names { room, prefix, most } => self.on_names(who, &room, &prefix, most),
            Command::Kick { room, name, text } => self.on_kick(who, &room, &name, text.as_deref()),
            Command::CloseRoom { room } => self.on_close_room(who, &room),
            Command::Keep { room, how } => self.on_keep(who, &room, how),
            Command::Topic { room, text } => self.on_topic(who, &room, text.as_deref()),
            Command::LockRoom { room, lock } => self.on_lock_room(who, &room, lock),
            Command::Cut => self.end_session(who, Parting::Cut, None),
            Command::Away { text } => self.on_away(who, text.as_deref()),
            Command::Watch(watch) => self.on_watch(who, watch),
            Command::Ignore(ignore) => self.on_ignore(who, ignore),
            Command::Set { key, value } => self.on_set(who, key, value.as_deref()),
            Command::Invite { room, name } => self.on_invite(who, &room, &name),
            Command::HandOn { room, name } => self.on_hand_on(who, &room, &name),
            Command::Attend { public } => self.on_attend(who, public),
            Command::Census => self.on_census(who),
        }
        self.most_sessions = self.most_sessions.max(self.sessions());
    }

    /// The cost of the commands since the last call, in the unit of [`TURN_WORK`](crate::limits::TURN_WORK). It covers work
    /// that grows with the number of sessions and members, without the delivery of events, which the caller charges.
    pub fn take_work(&mut self) -> usize {
        std::mem::take(&mut self.work)
    }

    /// The next event and its receivers, in the order in which the events happened; `None` when all are polled.
    pub fn poll_event(&mut self) -> Option<(Audience, Event)> {
        self.events.pop_front()
    }

    /// The next place in a room that has ended, as its session and room; `None` when all are polled.
    ///
    /// Poll the places after the events and before the next `Make` or `EnterAsGuest`, which may use the id of a closed
    /// room again.
    pub fn poll_ended_place(&mut self) -> Option<(SessionId, RoomId)> {
        self.ended_places.pop_front()
    }

    /// The next record to keep, in the order in which things happened; `None` when all are polled. Poll the records after
    /// the events of each command.
    pub fn poll_record(&mut self) -> Option<HandedOut> {
        self.records.pop_front()
    }

    /// Whether messages are kept from now on.
    pub fn set_keeping(&mut self, keeping: Keeping) {
        self.keeping = keeping;
    }

    /// The newest message id.
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// An id for something that comes after all messages so far.
    pub fn draw_id(&mut self, unix_ms: u64) -> u64 {
        self.next_id(unix_ms)
    }

    /// The account of a session; `None` for a guest and for an unknown session.
    pub fn account_of(&self, who: SessionId) -> Option<&Account> {
        self.roster.account_of(who)
    }

    /// The room of that name, in any case.
    pub fn find_room(&self, name: &RoomName) -> Option<RoomId> {
        self.rooms.find(name)
    }

    /// Whether a guest in a room, or one who has logged in, has that name, in any case.
    pub fn has_guest(&self, room: &RoomName, guest: &GuestName) -> bool {
        let room = self.rooms.find(room).and_then(|id| self.rooms.room(id));
        self.guests_online.find(guest).is_some()
            || room.is_some_and(|room| room.present().find(&Who::Guest(guest.clone())).is_some())
    }

    /// The number of rooms.
    pub fn rooms(&self) -> usize {
        self.rooms.by_name().len()
    }

    /// The members of a room, the longest-standing first; empty if the room does not exist.
    pub fn members_of(&self, room: RoomId) -> &[Member] {
        self.rooms.room(room).map_or(&[], |room| room.members())
    }

    /// Every session that has logged in. Guests of one room are not among them.
    pub fn everyone(&self) -> &[SessionId] {
        self.roster.everyone()
    }

    /// The sessions of an account, the oldest first; empty if it is not online.
    pub fn sessions_of(&self, name: &UserName) -> &[SessionId] {
        self.online.find(name).map_or(&[], |(_, sessions)| sessions)
    }

    /// The sessions of an account, the oldest first, or that of a guest who has logged in; empty if it is not online.
    pub fn sessions_named(&self, who: &Who) -> &[SessionId] {
        match who {
            Who::Account(name) => self.sessions_of(name),
            Who::Guest(name) => self.guests_online.find(name).map_or(&[], |(_, sessions)| sessions),
        }
    }

    /// A name as it is shown, and its sessions; `None` if it is not online.
    fn find_online(&self, who: &Who) -> Option<(Who, &[SessionId])> {
        match who {
            Who::Account(name) => self.online.find(name).map(|(name, ids)| (Who::Account(name.clone()), ids)),
            Who::Guest(name) => self.guests_online.find(name).map(|(name, ids)| (Who::Guest(name.clone()), ids)),
        }
    }

    /// The sessions of an account that must end before it may log in once more, the oldest first; empty while the account
    /// has fewer than [`Rules::sessions_per_account`].
    pub fn surplus_of(&self, name: &UserName) -> &[SessionId] {
        let sessions = self.sessions_of(name);
        let surplus = (sessions.len() + 1).saturating_sub(self.rules.sessions_per_account as usize);
        sessions.get(..surplus).unwrap_or(sessions)
    }

    /// The account of a session; `None` for a guest and for an unknown session.
    pub fn name_of(&self, who: SessionId) -> Option<&UserName> {
        self.roster.name_of(who)
    }

    /// The account or guest of a session; `None` for an unknown session.
    pub fn who_is(&self, who: SessionId) -> Option<Who> {
        self.roster.who_of(who).or_else(|| self.guests.get(&who).map(|name| Who::Guest(name.clone())))
    }

    /// The number of accounts online.
    pub fn accounts_online(&self) -> usize {
        self.online.len()
    }

    /// The number of accounts and guests online.
    pub fn online(&self) -> usize {
        self.online.len() + self.guests_online.len()
    }

    fn on_say(&mut self, who: SessionId, text: &str, manner: Manner) {
        let fate = self.fate(|| Spot::Everybody);
        let Some(message) = self.message(who, (text, manner), fate) else { return };
        let hearers = self.roster.attending() - usize::from(self.roster.attends(who));
        self.events.push_back((Audience::Others(who), Event::Said(message.clone())));
        self.tell(who, Event::Sent { room: None, hearers, message });
    }

    /// What a session says now.
    fn message(&mut self, who: SessionId, (text, manner): (&str, Manner), fate: Fate) -> Option<Message> {
        let from = self.who_is(who)?;
        self.roster.note_spoken(who, self.now_ms);
        Some(Message { id: self.next_id(self.now_ms), from, text: text.into(), manner, fate })
    }

    /// What becomes of a message of this place.
    fn fate(&self, spot: impl FnOnce() -> Spot) -> Fate {
        match self.keeping {
            Keeping::Off => Fate::Unkept,
            Keeping::On => Fate::Kept(spot()),
            Keeping::Full => Fate::Dropped(spot()),
        }
    }

    /// Hands out a record, if there is a store.
    fn record(&mut self, record: Record) {
        if self.keeping != Keeping::Off {
            self.records.push_back(HandedOut { record, ticket: None });
        }
    }

    /// A new message id. Ids increase even if the clock is set back or returns the same millisecond twice.
    pub fn next_id(&mut self, unix_ms: u64) -> u64 {
        self.last_id = (unix_ms << ID_TIME_SHIFT).max(self.last_id + 1);
        self.last_id
    }

    /// Charges a list of `shown` lines out of `matching` entries.
    fn charge_list(&mut self, shown: usize, matching: usize) {
        self.work += shown * LIST_LINE_WORK + matching;
    }

    fn tell(&mut self, who: SessionId, event: Event) {
        self.events.push_back((Audience::One(who), event));
    }

    /// Checks what holds between two commands, when all events are polled.
    #[cfg(test)]
    fn check_invariants(&self) {
        assert!(self.events.is_empty(), "events are left: {:?}", self.events);
        assert!(self.ended_places.is_empty(), "ended places are left");
        self.roster.check_invariants();
        self.rooms.check_invariants();
        self.waiting.check_invariants();
        self.check_kept_rooms();
        self.check_people();
        assert_eq!(self.guest_names.iter().map(|(_, ids)| ids.len()).sum::<usize>(), self.guests.len());
        assert!(self.guests.values().all(|guest| self.guest_names.find(guest).is_some()));
        assert!(self.guests.keys().all(|guest| self.rooms.places_of(*guest).count() == 1), "a guest is nowhere");
        self.check_guests_online();
        let mut by_name: BTreeMap<&UserName, Vec<SessionId>> = BTreeMap::new();
        for id in self.everyone() {
            let Some(name) = self.name_of(*id) else { continue };
            by_name.entry(name).or_default().push(*id);
        }
        let sorted = |ids: &[SessionId]| {
            let mut ids = ids.to_vec();
            ids.sort();
            ids
        };
        let online: Vec<_> = self.online.iter().map(|(name, ids)| (name, sorted(ids))).collect();
        let grouped: Vec<_> = by_name.into_iter().map(|(name, ids)| (name, sorted(&ids))).collect();
        assert_eq!(online, grouped, "who is online is not who has a seat");
    }
}

impl Hub {
    /// Checks that the kept rooms and the book agree, and that each owner is a member.
    #[cfg(test)]
    fn check_kept_rooms(&self) {
        let mut members = Vec::new();
        for id in self.rooms.by_name().values() {
            let Some(kept) = self.rooms.room(*id).and_then(|room| room.kept.as_ref()) else { continue };
            members.extend(kept.members.values().map(|member| (kept.id, *id, member.account.clone())));
            let owner = kept.owner.as_ref().map(|owner| kept.members.get(&owner.name).map(|member| &member.account));
            assert!(owner.is_none_or(|member| member == kept.owner.as_ref()), "the owner is no member: {kept:?}");
        }
        self.kept.check_invariants(&members);
    }
}

/// The first entries of a list, at most `most`, each converted by `line`; and the number of all entries.
/// `all` is that number if it is known without counting.
fn listed<T, L>(
    mut list: impl Iterator<Item = T>,
    line: impl Fn(T) -> L,
    most: u32,
    all: Option<usize>,
) -> (Vec<L>, usize) {
    let shown: Vec<L> = list.by_ref().take(most as usize).map(line).collect();
    let count = all.unwrap_or_else(|| shown.len() + list.count());
    (shown, count)
}

#[cfg(test)]
mod tests;
