//! A seeded simulation: random commands go to the hub and to its shadow, a model made of plain lists. After each command
//! both must have produced the same events for the same receivers, and the same records.
//!
//! Two stores keep the records. One carries out all of them, the other none whose wait is lost. Both must know the kept
//! rooms that the hub knows, and a message must be found by everybody who has heard it and may read it. Now and then the
//! server starts anew with what is kept.
//!
//! A failing run prints its seed. `CHATD_SEED=seed cargo test simulation` runs that seed alone, `CHATD_SEEDS=number` so
//! many of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::replay::Replay;
use super::shadow::Shadow;
use super::shadow_store::ShadowAsked;
use super::*;

const SEEDS: u64 = 56;
const COMMANDS: usize = 800;
const SLOTS: u64 = 14;
/// A few names. Some are prefixes of others, and their order differs from the order of their bytes.
const ACCOUNTS: [&str; 8] = ["alice", "Ali", "Bob", "bo_b", "BO", "carol", "Zoe", "z.1"];
/// A few names, some of them equal in other cases and normal forms.
const ROOMS: [&str; 6] = ["lobby", "LOBBY", "tea", "Tea-2", "Gr\u{fc}n", "GRU\u{308}N"];
/// A few names. Two are names of accounts, too.
const GUESTS: [&str; 4] = ["bob", "Zoe", "B\u{f6}b", "b"];

#[test]
fn the_hub_and_its_shadow_say_the_same() {
    let number =
        |key| std::env::var(key).ok().map(|text| text.parse::<u64>().expect("a number of a seed, or of seeds"));
    if let Some(seed) = number("CHATD_SEED") {
        return Simulation::new(seed).run();
    }
    let mut kinds = BTreeSet::new();
    for seed in 1..=number("CHATD_SEEDS").unwrap_or(SEEDS) {
        println!("CHATD_SEED={seed}");
        let mut simulation = Simulation::new(seed);
        simulation.run();
        kinds.append(&mut simulation.kinds);
    }
    let missing: Vec<_> = KINDS.iter().filter(|kind| !kinds.contains(**kind)).collect();
    assert!(missing.is_empty(), "no seed leads to {missing:?}");
}

/// What has to happen somewhere, so that the simulation is about it.
const KINDS: [&str; 64] = [
    "Attends true",
    "Attends false",
    "Counted",
    "Invited",
    "Invitation",
    "InvitedHere",
    "InRoomAlready",
    "OwnerIs",
    "HostIs after",
    "Sent to fewer",
    "Told",
    "OwnTold",
    "Awaited",
    "KeptFor",
    "NotKept",
    "Withdrawn",
    "NothingKept",
    "RoomKept",
    "TopicIs",
    "TopicShown",
    "TooManyDays",
    "MemberOfTooMany",
    "HostIs",
    "NotInRoom",
    "RoomClosed",
    "AwayIs",
    "LockIs",
    "owner enters",
    "Presence Online",
    "Presence Offline",
    "Presence Away",
    "Presence Back",
    "Watched",
    "Watches",
    "Ignores",
    "IgnoresYourself",
    "NoSuchAccount",
    "TakesNone",
    "SentTo",
    "record Row",
    "record Seen",
    "record Deleted",
    "record Room",
    "record RoomGone",
    "record Member",
    "record NoMember",
    "record Hole",
    "record Withdrawn",
    "record Profile",
    "record Unset",
    "record Ignore",
    "record NoIgnore",
    "cut",
    "Renamed",
    "YouAre",
    "NotAGuest",
    "NeedsAccount",
    "HearsOneRoom",
    "Neighbour Offline",
    "Neighbour Away",
    "Neighbour Called",
    "guest told",
    "guest becomes an account",
    "guest enters again",
];

/// The name of a variant.
fn kind(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

struct Simulation {
    random: Random,
    hub: Hub,
    shadow: Shadow,
    /// The generation of each slot's latest session.
    generations: Vec<u32>,
    unix_ms: u64,
    /// When each account was registered.
    registered: BTreeMap<&'static str, u64>,
    /// The accounts that were cut off, the first one first, and of which the hub is to be told that it was long ago.
    cuts: Vec<UserName>,
    /// What comes of each wait.
    verdicts: BTreeMap<u64, bool>,
    /// The store that carries out all records, and the one that carries out those that do not fail.
    stores: [Replay; 2],
    heard: Vec<Heard>,
    /// The kinds of events and records that have happened.
    kinds: BTreeSet<String>,
}

/// An account has heard a message that is kept.
struct Heard {
    account: Account,
    id: u64,
    text: Arc<str>,
}

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    Command(SessionId, Command<'static>),
    Settle(u64, bool),
    Forget(Account),
    Tend,
    EndCut(UserName),
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut simulation = Self {
            random: Random(seed),
            hub: Hub::new(RULES),
            shadow: Shadow::new(RULES),
            generations: vec![0; SLOTS as usize],
            unix_ms: 1_700_000_000_000,
            registered: ACCOUNTS.iter().map(|name| (*name, 1)).collect(),
            cuts: Vec::new(),
            verdicts: BTreeMap::new(),
            stores: Default::default(),
            heard: Vec::new(),
            kinds: BTreeSet::new(),
        };
        // A few servers have no store.
        simulation.set_keeping(if seed.is_multiple_of(6) { Keeping::Off } else { Keeping::On });
        simulation.tell_neighbours(!seed.is_multiple_of(4));
        simulation
    }

    fn set_keeping(&mut self, keeping: Keeping) {
        self.hub.set_keeping(keeping);
        self.shadow.store.keeping = keeping;
    }

    fn tell_neighbours(&mut self, is_on: bool) {
        self.hub.tell_neighbours(is_on);
        self.shadow.tells_neighbours = is_on;
    }

    fn run(&mut self) {
        for turn in 0..COMMANDS {
            self.step_the_clock();
            if self.random.one_in(50) {
                self.change_the_rules();
            }
            if self.shadow.store.keeping != Keeping::Off && self.random.one_in(40) {
                let is_full = self.random.one_in(3);
                self.set_keeping(if is_full { Keeping::Full } else { Keeping::On });
            }
            if self.random.one_in(150) {
                self.start_anew(turn);
            }
            for step in self.steps() {
                self.carry_out(turn, step);
            }
        }
        self.settle_all(COMMANDS);
        self.check_heard();
    }

    fn change_the_rules(&mut self) {
        let rules = Rules {
            sessions_per_account: 1 + self.random.below(4) as u32,
            list_lines: 1 + self.random.below(9) as u32,
            rooms_per_session: 1 + self.random.below(4) as u32,
            room_members: 1 + self.random.below(9) as u32,
            keep_days: self.random.below(3) as u32,
        };
        self.hub.set_rules(rules.clone());
        self.shadow.rules = rules;
    }

    /// What happens in a turn: mostly a command.
    fn steps(&mut self) -> Vec<Step> {
        let waits: Vec<u64> = self.shadow.store.waits.iter().map(|wait| wait.ticket).collect();
        match self.random.below(100) {
            0..=20 if !waits.is_empty() => {
                let ticket = waits[self.random.below(waits.len() as u64) as usize];
                vec![self.verdict(ticket)]
            }
            21..=22 => vec![Step::Tend],
            23 => self.delete_an_account(),
            24..=27 if !self.cuts.is_empty() => vec![Step::EndCut(self.cuts.remove(0))],
            28 if self.random.one_in(4) => vec![Step::EndCut(name("nobody"))],
            _ => {
                let (who, command) = self.command();
                vec![Step::Command(who, command)]
            }
        }
    }

    fn verdict(&self, ticket: u64) -> Step {
        Step::Settle(ticket, self.verdicts[&ticket])
    }

    /// All sessions end, and the name is registered anew. Sometimes the hub is not told.
    fn delete_an_account(&mut self) -> Vec<Step> {
        let spelled = self.random.pick(&ACCOUNTS);
        let account = self.account_of(spelled);
        let sessions = self.shadow.sessions_of(&account.name);
        let mut steps: Vec<Step> =
            sessions.into_iter().map(|who| Step::Command(who, Command::Leave { text: None })).collect();
        if !self.random.one_in(3) {
            steps.push(Step::Forget(account));
        }
        *self.registered.get_mut(spelled).expect("an account") += 1;
        steps
    }

    fn account_of(&self, spelled: &str) -> Account {
        Account { name: name(spelled), since: self.registered[spelled] }
    }

    fn carry_out(&mut self, turn: usize, step: Step) {
        let what = format!("turn {turn}: {step:?} at {}", self.unix_ms);
        let last_id = self.shadow.last_id;
        match step.clone() {
            Step::Command(who, command) => self.hub.handle(who, command, self.unix_ms),
            Step::Settle(ticket, is_kept) => self.hub.settle_wait(ticket, is_kept),
            Step::Forget(account) => self.hub.forget_account(&account),
            Step::Tend => self.hub.tend_kept_rooms(self.unix_ms),
            Step::EndCut(name) => self.hub.end_cut(&name),
        }
        self.shadow.ids.clone_from(self.hub.rooms.by_name());
        let (expected, mut ended_expected) = match step {
            Step::Command(who, command) => self.shadow.handle(who, command, self.unix_ms),
            Step::Settle(ticket, is_kept) => {
                self.shadow.settle(ticket, is_kept);
                self.shadow.take()
            }
            Step::Forget(account) => {
                self.shadow.forget(&account);
                self.shadow.take()
            }
            Step::Tend => {
                self.shadow.tend(self.unix_ms);
                self.shadow.take()
            }
            Step::EndCut(name) => {
                self.shadow.end_cut(&name);
                self.shadow.take()
            }
        };
        let (said, mut ended) = drain(&mut self.hub);
        ended.sort();
        ended_expected.sort();
        let said: Vec<_> =
            said.into_iter().map(|(audience, event)| (sorted(self.hub.hearers(&audience)), event)).collect();
        let expected: Vec<_> = expected.into_iter().map(|(to, event)| (sorted(to), event)).collect();
        // Names are equal in any case. Their debug form shows the spelling, which must be equal, too.
        assert_eq!(format!("{said:?}"), format!("{expected:?}"), "{what}");
        assert_eq!(said, expected, "{what}");
        assert_eq!(ended, ended_expected, "{what}");
        assert!(said.iter().filter_map(|(_, event)| id_of(event)).all(|id| id > last_id), "{what}");
        self.keep(&said, &what);
        self.hear_of_cuts(&what);
        self.check_people(&what);
        self.check_who_is_in(&what);
        self.check_rooms(&what);
        self.check_kept(&what);
    }

    /// Gives the stores what there is to keep.
    fn keep(&mut self, said: &[(Vec<SessionId>, Event)], what: &str) {
        let heard = self.heard.len();
        for (hearers, event) in said {
            self.kinds.insert(kind(event));
            if let Event::Attends { public } = event {
                self.kinds.insert(format!("Attends {public}"));
            }
            if let Event::HostIs { was: Some(_), .. } = event {
                self.kinds.insert("HostIs after".to_owned());
            }
            if let Event::Sent { room: None, hearers, .. } = event
                && hearers + 1 < self.hub.everyone().len()
            {
                self.kinds.insert("Sent to fewer".to_owned());
            }
            if let Event::Presence { change, .. } = event {
                self.kinds.insert(format!("Presence {}", kind(change)));
            } else if let Event::Neighbour { news, .. } = event {
                self.kinds.insert(format!("Neighbour {}", kind(news)));
            } else if let Event::SentTo { name: Who::Guest(_), .. } = event {
                self.kinds.insert("guest told".to_owned());
            } else if let Event::Renamed { now: Who::Account(_), .. } = event {
                self.kinds.insert("guest becomes an account".to_owned());
            } else if let Event::Arrived { first: false, .. } = event {
                self.kinds.insert("guest enters again".to_owned());
            } else if let Event::Arrived { is_owner: true, .. } = event {
                self.kinds.insert("owner enters".to_owned());
            }
            self.hear(hearers, event);
        }
        let records = records(&mut self.hub);
        let expected = std::mem::take(&mut self.shadow.store.records);
        assert_eq!(format!("{records:?}"), format!("{expected:?}"), "{what}");
        for HandedOut { record, ticket } in records {
            let is_kept = ticket.is_none_or(|ticket| {
                let is_kept = !self.random.one_in(3);
                self.verdicts.insert(ticket, is_kept);
                is_kept
            });
            self.kinds.insert(format!("record {}", kind(&record)));
            self.stores[0].apply(&record);
            if is_kept { self.stores[1].apply(&record) } else { self.stores[1].skip(&record) }
        }
        // Copies of messages that nothing keeps.
        let new = self.heard.split_off(heard);
        self.heard.extend(new.into_iter().filter(|heard| self.stores[0].rows.contains_key(&heard.id)));
    }

    fn hear_of_cuts(&mut self, what: &str) {
        let cuts: Vec<UserName> = std::iter::from_fn(|| self.hub.poll_cut()).collect();
        let expected = std::mem::take(&mut self.shadow.people.unpolled);
        assert_eq!(format!("{cuts:?}"), format!("{expected:?}"), "{what}");
        if !cuts.is_empty() {
            self.kinds.insert("cut".to_owned());
        }
        self.cuts.extend(cuts);
    }

    /// Hub and shadow know the same of everybody; the stores do, while nothing is on its way to the disk.
    fn check_people(&self, what: &str) {
        let guests = GUESTS.map(|guest| Who::Guest(GuestName::parse(guest).unwrap()));
        for name in ACCOUNTS.map(|account| Who::Account(name(account))).into_iter().chain(guests) {
            let watchers = sorted(self.hub.watchers_of(&name).to_vec());
            assert_eq!(watchers, self.shadow.people.watchers_of(&name), "{what}");
            let person = self.hub.person(&name, self.unix_ms);
            assert_eq!(format!("{person:?}"), format!("{:?}", self.shadow.person(&name, self.unix_ms)), "{what}");
        }
        let ignores = self.hub.all_ignores();
        assert_eq!(ignores, self.shadow.people.ignores(), "{what}");
        if !self.shadow.store.waits.is_empty() || self.shadow.store.keeping == Keeping::Off {
            return;
        }
        for store in &self.stores {
            assert_eq!(store.ignores, ignores, "{what}");
            let profiles: Vec<_> = store.profiles().into_iter().collect();
            assert_eq!(profiles, self.shadow.people.profiles, "{what}");
        }
    }

    /// Keeps a message that is to be kept, and notes who has heard it.
    fn hear(&mut self, hearers: &[SessionId], event: &Event) {
        let (id, text) = if let Some(message) = message_of(event) {
            let Fate::Kept(spot) = message.fate.clone() else { return };
            let (id, from, text) = (message.id, message.from.clone(), message.text.clone());
            let row = Record::Row(record::Row { id, spot, from, text: text.clone() });
            self.stores.iter_mut().for_each(|store| store.apply(&row));
            (id, text)
        } else if let Event::OwnTold { message, .. } = event {
            (message.id, message.text.clone())
        } else {
            return;
        };
        for hearer in hearers {
            let Some(account) = self.shadow.account_of(*hearer) else { continue };
            self.heard.push(Heard { account, id, text: text.clone() });
        }
    }

    /// The hub and both stores know the same kept rooms, while nothing is on its way to the disk.
    fn check_kept(&self, what: &str) {
        if !self.shadow.store.waits.is_empty() || self.shadow.store.keeping == Keeping::Off {
            return;
        }
        let mut expected = BTreeMap::new();
        for id in self.hub.rooms.by_name().values() {
            let room = self.hub.rooms.room(*id).expect("a room");
            let Some(kept) = &room.kept else { continue };
            let members = kept.by_standing().into_iter().map(|member| member.account.clone());
            expected.insert(kept.id, (super::super::kept::kept_room(room, kept), members.collect::<Vec<_>>()));
        }
        for store in &self.stores {
            assert_eq!(format!("{:?}", store.rooms), format!("{expected:?}"), "{what}");
            assert_eq!(store.rooms, expected, "{what}");
        }
    }

    /// A message that an account has heard is found by it, unless it went with its room or was never kept, or the account
    /// is no longer a member of its room.
    fn check_heard(&self) {
        let store = &self.stores[1];
        for Heard { account, id, text } in &self.heard {
            let Some((row, _)) = store.rows.get(id) else { continue };
            assert_eq!(row.text, *text, "message {id}");
            let is_mine = match &row.spot {
                Spot::Room(room) => {
                    let of_room = self.shadow.rooms.iter().filter_map(|room| room.kept.as_ref());
                    let members = of_room.filter(|kept| kept.id == *room).flat_map(|kept| &kept.members);
                    members.map(|(member, _)| member).any(|member| member == account)
                }
                Spot::Everybody | Spot::Direct(_) => true,
            };
            assert_eq!(store.is_of(*id, account), is_mine, "message {id} of {account:?}");
        }
        let lost = |heard: &&Heard| !store.rows.contains_key(&heard.id) && !self.is_told_to_be_lost(heard.id);
        assert!(!self.heard.iter().any(|heard| lost(&heard)), "a message is lost");
    }

    /// Whether a message was withdrawn, or was said in a room that is no longer kept, or was not kept at all: every store
    /// that had it has deleted it.
    fn is_told_to_be_lost(&self, id: u64) -> bool {
        !self.stores[0].rows.contains_key(&id)
    }

    fn settle_all(&mut self, turn: usize) {
        for wait in self.shadow.store.waits.clone() {
            let step = self.verdict(wait.ticket);
            self.carry_out(turn, step);
        }
    }

    /// The server ends, and starts with what is kept.
    fn start_anew(&mut self, turn: usize) {
        self.settle_all(turn);
        self.check_heard();
        let keeping = self.shadow.store.keeping;
        let restored = self.stores[1].restored();
        self.hub = Hub::new(self.shadow.rules.clone());
        self.cuts.clear();
        self.set_keeping(keeping);
        self.tell_neighbours(self.shadow.tells_neighbours);
        self.hub.restore(restored.clone());
        self.shadow.most_sessions = 0;
        self.shadow.start_anew(restored, self.hub.rooms.by_name());
        self.check_rooms("a start");
        self.check_kept("a start");
        self.check_people("a start");
        assert!(records(&mut self.hub).is_empty(), "a start is nothing to keep");
    }

    /// Moves the clock: mostly forward, sometimes not at all, sometimes back.
    fn step_the_clock(&mut self) {
        self.unix_ms = match self.random.below(10) {
            0 => self.unix_ms - self.random.below(5_000),
            1..=4 => self.unix_ms,
            5 if self.random.one_in(30) => self.unix_ms + 86_400_000,
            _ => self.unix_ms + self.random.below(100),
        };
    }

    fn command(&mut self) -> (SessionId, Command<'static>) {
        let slot = self.random.below(SLOTS);
        let generation = self.generations[slot as usize];
        let mut who = SessionId { slot: slot as u32, generation };
        if self.random.one_in(12) {
            // The id of an ended session, or one that no session has yet.
            who.generation = (generation + 1).saturating_sub(2 * self.random.below(2) as u32);
        }
        if self.random.one_in(6)
            && let Some((who, room)) = self.somebody_somewhere()
        {
            return (who, self.command_in(room));
        }
        if self.random.one_in(10) {
            return (who, self.command_of_rooms());
        }
        self.somebody_of_interest().unwrap_or_else(|| self.any_command(who, slot))
    }

    fn somebody_of_interest(&mut self) -> Option<(SessionId, Command<'static>)> {
        let watched = if self.random.one_in(10) { self.somebody_watched() } else { None };
        if watched.is_some() || !self.random.one_in(10) { watched } else { self.somebody_ignored() }
    }

    fn any_command(&mut self, mut who: SessionId, slot: u64) -> (SessionId, Command<'static>) {
        let spelled = self.account();
        let account = self.account_of(spelled);
        let command = match self.random.below(92) {
            0..=7 => {
                who.generation = self.generation_for_login(slot);
                let called = self.topic().filter(|text| !text.is_empty()).map(Into::into);
                return (who, Command::LogIn { who: account.name.into(), since: account.since, called });
            }
            8..=11 => {
                who.generation = self.generation_for_login(slot);
                let guest = GuestName::parse(self.random.pick(&GUESTS)).unwrap();
                return (who, Command::EnterAsGuest { guest, makes: self.makes(), entry: self.entry() });
            }
            12..=13 => Command::Leave { text: self.topic().filter(|text| !text.is_empty()).map(Into::into) },
            14 => Command::Cut,
            15..=16 => Command::Say { text: "hello all".into(), manner: self.manner() },
            17..=18 => {
                let (to, account) = self.receiver_or_guest(spelled, account);
                Command::Tell { to, text: "psst".into(), manner: self.manner(), account }
            }
            19 => {
                let (name, account) = self.receiver_or_guest(spelled, account);
                Command::CanTell { name, account }
            }
            20 => Command::Who {
                prefix: self.random.pick(&["", "", "~", "~B", "a", "AL", "bo", "B", "b-", "zoe", "x", "é"]).into(),
                most: self.most(),
            },
            21..=25 => Command::Make(self.entry()),
            26..=32 => Command::Join(self.entry()),
            33..=34 => Command::LeaveRoom {
                room: self.room(),
                text: self.topic().filter(|text| !text.is_empty()).map(Into::into),
            },
            35..=39 => Command::SayIn { room: self.room(), text: "hello room".into(), manner: self.manner() },
            40 => Command::CanSayIn { room: self.room() },
            41..=43 => Command::Listen { room: self.room() },
            44 => Command::Rooms {
                prefix: self.random.pick(&["", "", "l", "TEA", "tea-", "gr\u{fc}", "GR", "x", "~", "."]).into(),
            },
            45..=46 => Command::Names {
                room: self.room(),
                prefix: self.random.pick(&["", "", "a", "BO", "~", "~B", "~b\u{f6}", "x", "~~"]).into(),
                most: self.most(),
            },
            50..=52 => Command::Rename { guest: GuestName::parse(self.random.pick(&GUESTS)).unwrap() },
            47..=48 => Command::Kick { room: self.room(), name: self.account_or_guest(spelled), text: None },
            84..=89 => {
                who.generation = self.generation_for_login(slot);
                let guest = GuestName::parse(self.random.pick(&GUESTS)).unwrap();
                let called = self.topic().filter(|text| !text.is_empty()).map(Into::into);
                return (who, Command::LogIn { who: guest.into(), since: 0, called });
            }
            53..=60 => Command::Keep { room: self.room(), how: self.keep_how(spelled) },
            61..=63 => Command::Topic { room: self.room(), text: self.topic().map(Into::into) },
            64..=65 => {
                let Entry { room, lock } = self.entry();
                Command::LockRoom { room, lock }
            }
            66..=68 => Command::Away { text: self.topic().filter(|text| !text.is_empty()).map(Into::into) },
            69..=73 => Command::Watch(self.watch(spelled)),
            74..=79 => Command::Ignore(self.ignore(spelled, account)),
            80..=81 => self.set(),
            82 => Command::Cut,
            _ => Command::CloseRoom { room: self.room() },
        };
        (who, command)
    }

    /// The most lines of a list.
    fn most(&mut self) -> Option<u32> {
        match self.random.below(4) {
            0 => Some(2),
            1 => Some(1_000),
            _ => None,
        }
    }

    /// What brings people together, or counts them.
    fn command_of_rooms(&mut self) -> Command<'static> {
        let (room, spelled) = (self.room(), self.account());
        match self.random.below(9) {
            8 => Command::AreOn {
                names: (0..4)
                    .map(|_| {
                        let spelled = self.account();
                        self.account_or_guest(spelled)
                    })
                    .collect(),
            },
            0..=2 => Command::Attend { public: self.random.one_in(2) },
            3 => Command::Census,
            4..=5 => Command::Invite { room, name: self.account_or_guest(spelled) },
            _ => Command::HandOn { room, name: self.account_or_guest(spelled) },
        }
    }

    /// Somebody who is watched comes, goes or is away.
    fn somebody_watched(&mut self) -> Option<(SessionId, Command<'static>)> {
        let name = one_of(&mut self.random, self.shadow.people.watched())?;
        let session = one_of(&mut self.random, self.shadow.sessions_named(&name));
        let Some(session) = session else {
            let (name, since) = match name {
                Who::Account(name) => {
                    let account = self.account_of(ACCOUNTS.iter().find(|spelled| super::name(spelled) == name)?);
                    (account.name.into(), account.since)
                }
                guest @ Who::Guest(_) => (guest, 0),
            };
            let slot = self.random.below(SLOTS);
            let who = SessionId { slot: slot as u32, generation: self.generation_for_login(slot) };
            return Some((who, Command::LogIn { who: name, since, called: None }));
        };
        let command = match self.random.below(5) {
            0..=1 => Command::Cut,
            2 => Command::Leave { text: Some("bye".into()) },
            3 => Command::Away { text: Some("tea".into()) },
            _ => Command::Away { text: None },
        };
        Some((session, command))
    }

    /// Somebody who is ignored writes, or is ignored no longer, or is again.
    fn somebody_ignored(&mut self) -> Option<(SessionId, Command<'static>)> {
        let (ignorer, whom) = one_of(&mut self.random, self.shadow.people.ignores().into_iter().collect())?;
        let (whom, name) = match whom {
            Whom::Guests => {
                let online = self.shadow.guests.iter().map(|(session, _)| *session);
                let guests = self.hub.guests().map(|(session, _)| session).chain(online).collect();
                let guest = one_of(&mut self.random, guests)?;
                return Some((guest, Command::CanTell { name: ignorer.name.clone().into(), account: Some(ignorer) }));
            }
            Whom::Account(account) => (self.shadow.sessions_of(&account.name), account.name),
        };
        let command = match self.random.below(3) {
            0 => Command::Tell {
                to: ignorer.name.clone().into(),
                text: "psst".into(),
                manner: self.manner(),
                account: Some(ignorer),
            },
            is_on => {
                let spelled = *ACCOUNTS.iter().find(|spelled| super::name(spelled) == name)?;
                let account = Some(self.account_of(spelled));
                let session = one_of(&mut self.random, self.shadow.sessions_of(&ignorer.name))?;
                return Some((session, Command::Ignore(Ignore::Name { name, account, is_on: is_on == 1 })));
            }
        };
        Some((one_of(&mut self.random, whom)?, command))
    }

    /// A session in a room: mostly one of the host's.
    fn somebody_somewhere(&mut self) -> Option<(SessionId, RoomName)> {
        let rooms = &self.shadow.rooms;
        let room = rooms.get(self.random.below(rooms.len().max(1) as u64) as usize)?;
        let hosts = room.members.iter().find(|member| Some(&member.who) == room.host_name().as_ref());
        let some = room.members.get(self.random.below(room.members.len().max(1) as u64) as usize);
        let member = hosts.filter(|_| !self.random.one_in(3)).or(some)?;
        Some((member.session, room.name.clone()))
    }

    /// What somebody in a room may do there.
    fn command_in(&mut self, room: RoomName) -> Command<'static> {
        let spelled = self.account();
        let of_room = self.shadow.rooms.iter().find(|other| other.name == room).and_then(|room| room.kept.as_ref());
        if of_room.is_some_and(|kept| kept.asked == Some(ShadowAsked::Off)) && self.random.one_in(2) {
            return Command::SayIn { room, text: "hello room".into(), manner: self.manner() };
        }
        match self.random.below(12) {
            11 => Command::Set {
                key: ProfileKey::Name,
                value: self.topic().filter(|text| !text.is_empty()).map(Into::into),
            },
            8 => Command::Invite { room, name: self.account_or_guest(spelled) },
            9..=10 => Command::HandOn { name: self.present_in(&room, spelled), room },
            0..=3 => Command::Keep { room, how: self.keep_how(spelled) },
            4 => Command::Topic { room, text: self.topic().map(Into::into) },
            5 => Command::Kick { name: self.member_of(&room, spelled), room, text: Some("enough".into()) },
            _ => Command::SayIn { room, text: "hello room".into(), manner: self.manner() },
        }
    }

    /// The name of somebody who is in a room; sometimes any name.
    fn present_in(&mut self, name: &RoomName, spelled: &str) -> Who {
        let room = self.shadow.rooms.iter().find(|room| room.name == *name);
        let members = room.into_iter().flat_map(|room| &room.members).map(|member| member.who.clone()).collect();
        let member = one_of(&mut self.random, members).filter(|_| !self.random.one_in(4));
        member.unwrap_or_else(|| self.account_or_guest(spelled))
    }

    /// A member account of a kept room, there or not; sometimes any name.
    fn member_of(&mut self, name: &RoomName, spelled: &str) -> Who {
        let room = self.shadow.rooms.iter().find(|room| room.name == *name);
        let members = room.and_then(|room| room.kept.as_ref()).map_or(&[][..], |kept| &kept.members);
        let member = members.get(self.random.below(members.len().max(1) as u64) as usize);
        let member = member.map(|(account, _)| account.name.clone().into());
        member.filter(|_| !self.random.one_in(3)).unwrap_or_else(|| self.account_or_guest(spelled))
    }

    /// Somebody to tell something: sometimes nobody has that name.
    fn receiver(&mut self, spelled: &str, account: Account) -> (UserName, Option<Account>) {
        let name = self.in_some_case(spelled);
        let account = (name == account.name).then_some(account);
        (name, account)
    }

    fn receiver_or_guest(&mut self, spelled: &str, account: Account) -> (Who, Option<Account>) {
        if self.random.one_in(3) {
            return (self.account_or_guest(spelled), None);
        }
        let (name, account) = self.receiver(spelled, account);
        (name.into(), account)
    }

    fn keep_how(&mut self, spelled: &str) -> Keep {
        match self.random.below(8) {
            0..=2 => Keep::Days(None),
            3..=4 => Keep::Days(Some(self.random.below(4) as u32)),
            5..=6 => Keep::Off,
            _ => Keep::To(self.in_some_case(spelled)),
        }
    }

    fn watch(&mut self, spelled: &str) -> Watch {
        match self.random.below(8) {
            0 => Watch::List,
            1 => Watch::Off(self.account_or_guest(spelled)),
            _ => Watch::On(self.account_or_guest(spelled)),
        }
    }

    fn ignore(&mut self, spelled: &str, account: Account) -> Ignore {
        let is_on = !self.random.one_in(3);
        match self.random.below(8) {
            0 => Ignore::List,
            1 => Ignore::Guests { is_on },
            _ => {
                let (name, account) = self.receiver(spelled, account);
                Ignore::Name { name, account, is_on }
            }
        }
    }

    fn set(&mut self) -> Command<'static> {
        let key = ProfileKey::ALL[self.random.below(3) as usize];
        Command::Set { key, value: self.topic().filter(|text| !text.is_empty()).map(Into::into) }
    }

    fn topic(&mut self) -> Option<&'static str> {
        match self.random.below(3) {
            0 => None,
            _ => Some(self.random.pick(&["", "tea at five", "cake"])),
        }
    }

    fn manner(&mut self) -> Manner {
        if self.random.one_in(4) { Manner::Notice } else { Manner::Text }
    }

    fn makes(&mut self) -> Option<HostGoes> {
        match self.random.below(6) {
            0 => Some(HostGoes::Closes),
            1 => Some(HostGoes::PassesOn),
            _ => None,
        }
    }

    fn account(&mut self) -> &'static str {
        self.random.pick(&ACCOUNTS)
    }

    fn room(&mut self) -> RoomName {
        RoomName::parse(self.random.pick(&ROOMS)).unwrap()
    }

    fn entry(&mut self) -> Entry {
        // "word" is the usual password of a room with one; none and the empty one fit the others.
        let word = match self.random.below(9) {
            0 => Some("word"),
            1 => Some("sword"),
            2 => Some(""),
            _ => None,
        };
        Entry { room: self.room(), lock: word.filter(|word| !word.is_empty()).map(Lock::unsealed) }
    }

    /// An account or a guest, in some spelling.
    fn account_or_guest(&mut self, account: &str) -> Who {
        if self.random.one_in(2) {
            return self.in_some_case(account).into();
        }
        let guest = self.random.pick(&GUESTS);
        let guest = if self.random.one_in(2) { guest.to_uppercase() } else { guest.to_owned() };
        GuestName::parse(&guest).unwrap().into()
    }

    /// The generation for a login in this slot: a new one if the slot is free, else that of its session, which logs in
    /// again.
    fn generation_for_login(&mut self, slot: u64) -> u32 {
        let generation = &mut self.generations[slot as usize];
        let id = SessionId { slot: slot as u32, generation: *generation };
        if self.shadow.who_is(id).is_none() {
            *generation += 1;
        }
        *generation
    }

    /// A name as it was registered, in upper case or in lower case; sometimes a name that no account has.
    fn in_some_case(&mut self, account: &str) -> UserName {
        match self.random.below(8) {
            0 => name("nobody"),
            1..=2 => name(&account.to_ascii_uppercase()),
            3..=4 => name(&account.to_ascii_lowercase()),
            _ => name(account),
        }
    }

    fn check_who_is_in(&self, what: &str) {
        let mut everyone = self.hub.everyone().to_vec();
        everyone.sort();
        let guests = self.shadow.guests.iter().map(|(id, _)| *id);
        let mut expected: Vec<_> = self.shadow.sessions.iter().map(|(id, _)| *id).chain(guests).collect();
        expected.sort();
        assert_eq!(everyone, expected, "{what}");
        assert_eq!(self.hub.accounts_online(), self.shadow.accounts().len(), "{what}");
        for (id, account) in &self.shadow.sessions {
            assert_eq!(self.hub.account_of(*id), Some(account), "{what}");
            let account = &account.name;
            assert_eq!(self.hub.sessions_of(account), self.shadow.sessions_of(account), "{what}");
            assert_eq!(self.hub.surplus_of(account), self.shadow.surplus_of(account), "{what}");
        }
        for (slot, generation) in self.generations.iter().enumerate() {
            let id = SessionId { slot: slot as u32, generation: *generation };
            assert_eq!(self.hub.who_is(id), self.shadow.who_is(id), "{what}");
        }
    }

    /// Checks that hub and shadow have the same rooms, with the same ids and the same members in the same order.
    fn check_rooms(&self, what: &str) {
        assert_eq!(self.hub.rooms.by_name().len(), self.shadow.rooms.len(), "{what}");
        for room in &self.shadow.rooms {
            let id = self.hub.rooms.find(&room.name).expect("a room");
            assert_eq!(id, room.id, "{what}");
            let members = self.hub.members_of(id);
            let members: Vec<_> = members.iter().map(|member| (member.session, member.listens)).collect();
            let expected = room.members.iter().map(|member| (member.session, member.listens));
            assert_eq!(members, expected.collect::<Vec<_>>(), "{what}");
            assert!(room.members.iter().all(|member| self.hub.who_is(member.session).as_ref() == Some(&member.who)));
        }
    }
}

/// Any of these; `None` if there are none.
fn one_of<T: Clone>(random: &mut Random, all: Vec<T>) -> Option<T> {
    all.get(random.below(all.len().max(1) as u64) as usize).cloned()
}

fn sorted(mut sessions: Vec<SessionId>) -> Vec<SessionId> {
    sessions.sort();
    sessions
}

/// SplitMix64 (Steele, Lea and Flood, 2014): every seed is good, and a seed gives the same run on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`. The slight bias of the remainder does not matter here.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len() as u64) as usize]
    }
}
