//! The hub: what a chat *is*. Who is in, who hears what, in which order.
//!
//! It knows no byte, socket, clock, thread or randomness; time is an argument. It cannot fail: a user's mistake is
//! an event to that user. Use: [`Hub::handle`] one command, then [`Hub::poll_event`] until there is none.

pub mod command;
pub mod event;
mod membership;
pub mod names;
mod presence;
pub mod room;
pub mod session;

use std::collections::{BTreeMap, VecDeque};

use command::Command;
use event::{Audience, Event, Message};
use names::{GuestName, RoomName, RoomToken, UserName, Who};
use presence::Presence;
use room::{Member, RoomId, Rooms};
use session::{Roster, SessionId};

use crate::limits::LIST_LINE_WORK;

/// Bits of a message's id below its time: a million ids a millisecond.
const ID_TIME_SHIFT: u32 = 20;

/// Who is in, and what they have to hear.
#[derive(Debug)]
pub struct Hub {
    rules: Rules,
    roster: Roster,
    online: Presence<UserName>,
    guests: BTreeMap<SessionId, GuestName>,
    rooms: Rooms,
    last_id: u64,
    events: VecDeque<(Audience, Event)>,
    void_tokens: VecDeque<RoomToken>,
    work: usize,
}

/// What the operator may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How often one account may be in at once.
    pub sessions_per_account: u32,
    /// Names that a list shows at most.
    pub list_lines: u32,
    /// Rooms that a session may be in at once.
    pub rooms_per_session: u32,
    /// Members that a room may have.
    pub room_members: u32,
}

impl Hub {
    /// An empty hub.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            roster: Roster::default(),
            online: Presence::default(),
            guests: BTreeMap::new(),
            rooms: Rooms::default(),
            last_id: 0,
            events: VecDeque::new(),
            void_tokens: VecDeque::new(),
            work: 0,
        }
    }

    /// New rules, for what comes; nobody is put out.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Gives back memory that nobody needs who is in.
    pub fn shrink(&mut self) {
        self.roster.shrink();
        self.rooms.shrink();
        self.events.shrink_to_fit();
        self.void_tokens.shrink_to_fit();
    }

    /// Carries out one command of `who`, at `unix_ms` (milliseconds of Unix time, for the message's id).
    /// A command of somebody who is not in (but for `LogIn` and `EnterAsGuest`) does nothing, nor do these of somebody who is.
    pub fn handle(&mut self, who: SessionId, command: Command<'_>, unix_ms: u64) {
        let is_in = self.roster.name_of(who).is_some() || self.guests.contains_key(&who);
        if is_in == matches!(command, Command::LogIn { .. } | Command::EnterAsGuest { .. }) {
            return;
        }
        match command {
            Command::LogIn { name } => self.on_log_in(who, name),
            Command::Leave => self.on_leave(who),
            Command::Say { text } => self.on_say(who, &text, unix_ms),
            Command::Tell { to, text } => self.on_tell(who, to, &text, unix_ms),
            Command::CanTell { name } => self.on_can_tell(who, name),
            Command::Who { prefix } => self.on_who(who, prefix),
            Command::Make(entry) => self.on_make(who, entry),
            Command::Join(entry) => self.on_join(who, entry),
            Command::EnterAsGuest { guest, makes, entry } => self.on_enter_as_guest(who, guest, makes, entry),
            Command::LeaveRoom { room } => self.on_leave_room(who, &room),
            Command::SayIn { room, text } => self.on_say_in(who, &room, &text, unix_ms),
            Command::CanSayIn { room } => self.on_can_say_in(who, &room),
            Command::Listen { room } => self.on_listen(who, &room),
            Command::Rooms { prefix } => self.on_rooms(who, prefix),
            Command::Names { room, prefix } => self.on_names(who, &room, prefix),
            Command::Kick { room, name } => self.on_kick(who, &room, &name),
            Command::CloseRoom { room } => self.on_close_room(who, &room),
        }
    }

    /// What the commands since the last call have cost beside their events, in the measure of
    /// [`TURN_WORK`](crate::limits::TURN_WORK): what grows with how many are there. What it costs to tell the events is for whoever tells them.
    pub fn take_work(&mut self) -> usize {
        std::mem::take(&mut self.work)
    }

    /// The next event and who hears it, in the order in which they happened.
    pub fn poll_event(&mut self) -> Option<(Audience, Event)> {
        self.events.pop_front()
    }

    /// A token that is good for nothing any more: its place in a room has gone. To be asked after the events.
    pub fn poll_void_token(&mut self) -> Option<RoomToken> {
        self.void_tokens.pop_front()
    }

    /// The room of a name.
    pub fn find_room(&self, name: &RoomName) -> Option<RoomId> {
        self.rooms.find(name)
    }

    /// How many rooms there are.
    pub fn rooms(&self) -> usize {
        self.rooms.by_name().len()
    }

    /// The members of a room, the longest-standing first; none if it is gone.
    pub fn members_of(&self, room: RoomId) -> &[Member] {
        self.rooms.room(room).map_or(&[], |room| room.members())
    }

    /// Every session of an account that is in.
    pub fn everyone(&self) -> &[SessionId] {
        self.roster.everyone()
    }

    /// The sessions of an account, the oldest first; none if it is not online.
    pub fn sessions_of(&self, name: &UserName) -> &[SessionId] {
        self.online.find(name).map_or(&[], |(_, sessions)| sessions)
    }

    /// The oldest sessions of an account, the oldest first, that must end before one more may enter; none while it has
    /// fewer than it may have.
    pub fn surplus_of(&self, name: &UserName) -> &[SessionId] {
        let sessions = self.sessions_of(name);
        let surplus = (sessions.len() + 1).saturating_sub(self.rules.sessions_per_account as usize);
        sessions.get(..surplus).unwrap_or(sessions)
    }

    /// The account of a session that is in.
    pub fn name_of(&self, who: SessionId) -> Option<&UserName> {
        self.roster.name_of(who)
    }

    /// Whose words a session's are; `None` when it is not in.
    pub fn who_is(&self, who: SessionId) -> Option<Who> {
        let account = self.roster.name_of(who).map(|name| Who::Account(name.clone()));
        account.or_else(|| self.guests.get(&who).map(|name| Who::Guest(name.clone())))
    }

    /// How many accounts are online.
    pub fn accounts_online(&self) -> usize {
        self.online.len()
    }

    fn on_log_in(&mut self, who: SessionId, name: UserName) {
        let sessions = self.sessions_of(&name).len();
        if sessions >= self.rules.sessions_per_account as usize {
            let sessions = sessions as u32;
            return self.tell(who, Event::SessionsFull { sessions });
        }
        self.online.add(name.clone(), who);
        self.roster.insert(who, name.clone());
        let online = self.online.len();
        self.tell(who, Event::Welcome { name, online });
    }

    fn on_leave(&mut self, who: SessionId) {
        self.leave_all(who);
        let Some(name) = self.roster.remove(who) else { return };
        self.online.remove(&name, who);
    }

    fn on_say(&mut self, who: SessionId, text: &str, unix_ms: u64) {
        let Some(message) = self.message(who, text, unix_ms) else { return };
        let is_among_them = self.roster.name_of(who).is_some(); // a guest is not
        let hearers = self.roster.everyone().len() - usize::from(is_among_them);
        self.events.push_back((Audience::Others(who), Event::Said(message)));
        self.tell(who, Event::Sent { hearers });
    }

    fn on_tell(&mut self, who: SessionId, to: UserName, text: &str, unix_ms: u64) {
        let (name, is_reached) = self.look_up(who, to);
        if !is_reached {
            return self.tell(who, self.nobody_hears(who, name));
        }
        let Some(message) = self.message(who, text, unix_ms) else { return };
        let audience = Audience::Account { name: name.clone(), except: who };
        self.events.push_back((audience, Event::Told(message)));
        self.tell(who, Event::SentTo { name });
    }

    fn on_can_tell(&mut self, who: SessionId, name: UserName) {
        let (name, is_reached) = self.look_up(who, name);
        self.tell(who, if is_reached { Event::CanTell { name } } else { self.nobody_hears(who, name) });
    }

    /// Why a direct message from `who` to `name` reaches no session.
    fn nobody_hears(&self, who: SessionId, name: UserName) -> Event {
        if self.name_of(who) == Some(&name) { Event::OnlyYou } else { Event::NotOnline { name } }
    }

    fn on_who(&mut self, who: SessionId, prefix: &str) {
        let least = UserName::least_with(prefix);
        let names = self.online.from(least.clone()).map(|(name, _)| name);
        let matching = names.take_while(|name| name.begins_with(&least));
        let all = prefix.is_empty().then_some(self.online.len());
        let (names, matching) = listed(matching, UserName::clone, &self.rules, all);
        self.charge_list(names.len(), matching);
        self.tell(who, Event::Online { names, matching });
    }

    /// The name as registered if it is online, else as it is; and whether a direct message from `who` to it reaches
    /// any session but `who`'s own.
    fn look_up(&self, who: SessionId, name: UserName) -> (UserName, bool) {
        match self.online.find(&name) {
            Some((registered, sessions)) => (registered.clone(), sessions.iter().any(|id| *id != who)),
            None => (name, false),
        }
    }

    fn message(&mut self, who: SessionId, text: &str, unix_ms: u64) -> Option<Message> {
        let from = self.who_is(who)?;
        Some(Message { id: self.next_id(unix_ms), from, text: text.into() })
    }

    /// Strictly increasing, also when the clock is set back or gives the same millisecond twice.
    fn next_id(&mut self, unix_ms: u64) -> u64 {
        self.last_id = (unix_ms << ID_TIME_SHIFT).max(self.last_id + 1);
        self.last_id
    }

    /// A list was made: of `matching` names, of which `shown` are in it.
    fn charge_list(&mut self, shown: usize, matching: usize) {
        self.work += shown * LIST_LINE_WORK + matching;
    }

    fn tell(&mut self, who: SessionId, event: Event) {
        self.events.push_back((Audience::One(who), event));
    }

    /// What holds whenever a command has been carried out and its events were taken.
    #[cfg(test)]
    fn check_invariants(&self) {
        assert!(self.events.is_empty(), "events are left: {:?}", self.events);
        assert!(self.void_tokens.is_empty(), "void tokens are left");
        self.roster.check_invariants();
        self.rooms.check_invariants();
        assert!(self.guests.keys().all(|guest| self.rooms.places_of(*guest).count() == 1), "a guest is nowhere");
        let mut by_name: BTreeMap<&UserName, Vec<SessionId>> = BTreeMap::new();
        for id in self.everyone() {
            let name = self.name_of(*id).expect("everyone has a seat");
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

/// As much of a list as may be shown, as `line` makes it, and how long it is: `all`, if that is known without counting.
fn listed<T, L>(
    mut list: impl Iterator<Item = T>,
    line: impl Fn(T) -> L,
    rules: &Rules,
    all: Option<usize>,
) -> (Vec<L>, usize) {
    let shown: Vec<L> = list.by_ref().take(rules.list_lines as usize).map(line).collect();
    let count = all.unwrap_or_else(|| shown.len() + list.count());
    (shown, count)
}

#[cfg(test)]
mod tests;
