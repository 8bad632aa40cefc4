//! A seeded simulation: random commands go to the hub and to its shadow, a model made of plain lists. After each command
//! both must have produced the same events for the same receivers.
//!
//! A failing run prints its seed. `CHATD_SEED=seed cargo test simulation` runs that seed alone.

use super::shadow::Shadow;
use super::*;

const SEEDS: u64 = 48;
const COMMANDS: usize = 600;
const SLOTS: u64 = 14;
/// A few names. Some are prefixes of others, and their order differs from the order of their bytes.
const ACCOUNTS: [&str; 8] = ["alice", "Ali", "Bob", "bo_b", "BO", "carol", "Zoe", "z.1"];
/// A few names, some of them equal in other cases and normal forms.
const ROOMS: [&str; 6] = ["lobby", "LOBBY", "tea", "Tea-2", "Gr\u{fc}n", "GRU\u{308}N"];
/// A few names. Two are names of accounts, too.
const GUESTS: [&str; 4] = ["bob", "Zoe", "B\u{f6}b", "b"];

#[test]
fn the_hub_and_its_shadow_say_the_same() {
    let seeds = match std::env::var("CHATD_SEED") {
        Ok(seed) => vec![seed.parse().expect("CHATD_SEED is a number")],
        Err(_) => (1..=SEEDS).collect(),
    };
    for seed in seeds {
        println!("CHATD_SEED={seed}");
        Simulation::new(seed).run();
    }
}

struct Simulation {
    random: Random,
    hub: Hub,
    shadow: Shadow,
    /// The generation of each slot's latest session.
    generations: Vec<u32>,
    unix_ms: u64,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        Self {
            random: Random(seed),
            hub: Hub::new(RULES),
            shadow: Shadow::new(RULES),
            generations: vec![0; SLOTS as usize],
            unix_ms: 1_700_000_000_000,
        }
    }

    fn run(&mut self) {
        for turn in 0..COMMANDS {
            self.step_the_clock();
            if self.random.one_in(50) {
                let rules = Rules {
                    sessions_per_account: 1 + self.random.below(4) as u32,
                    list_lines: 1 + self.random.below(9) as u32,
                    rooms_per_session: 1 + self.random.below(4) as u32,
                    room_members: 1 + self.random.below(9) as u32,
                    keep_days: 30,
                };
                self.hub.set_rules(rules.clone());
                self.shadow.rules = rules;
            }
            let (who, command) = self.command();
            let what = format!("turn {turn}: {who:?} {command:?} at {}", self.unix_ms);
            let last_id = self.shadow.last_id;
            self.hub.handle(who, command.clone(), self.unix_ms);
            self.shadow.ids.clone_from(self.hub.rooms.by_name());
            let (expected, mut ended_expected) = self.shadow.handle(who, command, self.unix_ms);
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
            self.check_who_is_in(&what);
            self.check_rooms(&what);
        }
    }

    /// Moves the clock: mostly forward, sometimes not at all, sometimes back.
    fn step_the_clock(&mut self) {
        self.unix_ms = match self.random.below(10) {
            0 => self.unix_ms - self.random.below(5_000),
            1..=4 => self.unix_ms,
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
        let account = self.account();
        let command = match self.random.below(53) {
            0..=7 => {
                who.generation = self.generation_for_login(slot);
                return (who, Command::LogIn { name: name(account), since: 1 });
            }
            8..=11 => {
                who.generation = self.generation_for_login(slot);
                let guest = GuestName::parse(self.random.pick(&GUESTS)).unwrap();
                return (who, Command::EnterAsGuest { guest, makes: self.makes(), entry: self.entry() });
            }
            12..=14 => Command::Leave,
            15..=16 => Command::Say { text: "hello all".into() },
            17..=18 => Command::Tell { to: self.in_some_case(account), text: "psst".into(), account: None },
            19 => Command::CanTell { name: self.in_some_case(account), account: None },
            20 => Command::Who { prefix: self.random.pick(&["", "", "a", "AL", "bo", "B", "b-", "zoe", "x", "é"]) },
            21..=25 => Command::Make(self.entry()),
            26..=32 => Command::Join(self.entry()),
            33..=34 => Command::LeaveRoom { room: self.room() },
            35..=39 => Command::SayIn { room: self.room(), text: "hello room".into() },
            40 => Command::CanSayIn { room: self.room() },
            41..=43 => Command::Listen { room: self.room() },
            44 => Command::Rooms {
                prefix: self.random.pick(&["", "", "l", "TEA", "tea-", "gr\u{fc}", "GR", "x", "~", "."]),
            },
            45..=46 => Command::Names {
                room: self.room(),
                prefix: self.random.pick(&["", "", "a", "BO", "~", "~B", "~b\u{f6}", "x", "~~"]),
            },
            50..=52 => Command::Rename { guest: GuestName::parse(self.random.pick(&GUESTS)).unwrap() },
            47..=48 => Command::Kick { room: self.room(), name: self.account_or_guest(account) },
            _ => Command::CloseRoom { room: self.room() },
        };
        (who, command)
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
        let mut expected: Vec<_> = self.shadow.sessions.iter().map(|(id, _)| *id).collect();
        expected.sort();
        assert_eq!(everyone, expected, "{what}");
        assert_eq!(self.hub.accounts_online(), self.shadow.accounts().len(), "{what}");
        for (id, account) in &self.shadow.sessions {
            assert_eq!(self.hub.name_of(*id), Some(account), "{what}");
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
