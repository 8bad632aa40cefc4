//! Random commands against the hub and against a shadow of it that is nothing but lists: after every command both must
//! have said the same to the same.
//!
//! A run that fails prints its seed; `CHATD_SEED=seed cargo test simulation` runs that seed alone.

use super::*;

const SEEDS: u64 = 48;
const COMMANDS: usize = 600;
const SLOTS: u64 = 14;
/// Few, some of them beginnings of others, in an order that is not that of their bytes.
const ACCOUNTS: [&str; 8] = ["alice", "Ali", "Bob", "bo_b", "BO", "carol", "Zoe", "z.1"];

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
    /// The generation of each slot's latest user.
    generations: Vec<u32>,
    unix_ms: u64,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        Self {
            random: Random(seed),
            hub: Hub::new(RULES),
            shadow: Shadow { rules: RULES, sessions: Vec::new(), last_id: 0 },
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
                    ..RULES
                };
                self.hub.set_rules(rules.clone());
                self.shadow.rules = rules;
            }
            let (who, command) = self.command();
            let what = format!("turn {turn}: {who:?} {command:?} at {}", self.unix_ms);
            let last_id = self.shadow.last_id;
            self.hub.handle(who, command.clone(), self.unix_ms);
            let expected = self.shadow.handle(who, command, self.unix_ms);
            let said = drain(&mut self.hub);
            // Names are equal in any case; their spelling counts too, and Debug shows it.
            assert_eq!(format!("{said:?}"), format!("{expected:?}"), "{what}");
            assert!(said.iter().filter_map(|(_, event)| id_of(event)).all(|id| id > last_id), "{what}");
            self.check_who_is_in(&what);
        }
    }

    /// Mostly on, sometimes not at all, sometimes back.
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
            // An id that has gone stale, or that nobody has yet.
            who.generation = (generation + 1).saturating_sub(2 * self.random.below(2) as u32);
        }
        let account = self.account();
        let command = match self.random.below(20) {
            0..=5 => {
                who.generation = self.whoever_enters(slot);
                return (who, Command::Enter { name: name(account) });
            }
            6..=8 => Command::Leave,
            9..=11 => Command::Say { text: "hello all" },
            12..=15 => Command::Tell { to: self.in_some_case(account), text: "psst" },
            16..=17 => Command::Find { name: self.in_some_case(account) },
            _ => Command::Who { prefix: self.random.pick(&["", "", "a", "AL", "bo", "B", "b-", "zoe", "x", "é"]) },
        };
        (who, command)
    }

    fn account(&mut self) -> &'static str {
        self.random.pick(&ACCOUNTS)
    }

    /// A slot that is free has a new user; one that is not still has the old one, who asks again.
    fn whoever_enters(&mut self, slot: u64) -> u32 {
        let generation = &mut self.generations[slot as usize];
        let id = SessionId { slot: slot as u32, generation: *generation };
        if self.shadow.name_of(id).is_none() {
            *generation += 1;
        }
        *generation
    }

    /// A name as its owner registered it, or as somebody else might type it; now and then nobody's.
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
        }
    }
}

/// Who is in, in the order of their coming; everything else is looked for.
struct Shadow {
    rules: Rules,
    sessions: Vec<(SessionId, UserName)>,
    last_id: u64,
}

impl Shadow {
    fn handle(&mut self, who: SessionId, command: Command<'_>, unix_ms: u64) -> Vec<(Audience, Event)> {
        let me = self.name_of(who);
        let one = |event| vec![(Audience::One(who), event)];
        match (command, me) {
            (Command::Enter { name }, None) => {
                let sessions = self.sessions_of(&name).len() as u32;
                if sessions >= self.rules.sessions_per_account {
                    return one(Event::SessionsFull { sessions });
                }
                self.sessions.push((who, name.clone()));
                one(Event::Welcome { name, online: self.accounts().len() })
            }
            (Command::Enter { .. }, Some(_)) | (_, None) => vec![],
            (Command::Leave, Some(_)) => {
                self.sessions.retain(|(id, _)| *id != who);
                vec![]
            }
            (Command::Say { text }, Some(from)) => {
                let said = Event::Said(self.message(from, text, unix_ms));
                let sent = Event::Sent { hearers: self.sessions.iter().filter(|(id, _)| *id != who).count() };
                vec![(Audience::Others(who), said), (Audience::One(who), sent)]
            }
            (Command::Tell { to, text }, Some(from)) => {
                let (name, reached) = self.look_up(who, to);
                if !reached {
                    return one(Event::NotOnline { name });
                }
                let told = Event::Told(self.message(from, text, unix_ms));
                let audience = Audience::Account { name: name.clone(), except: who };
                vec![(audience, told), (Audience::One(who), Event::SentTo { name })]
            }
            (Command::Find { name }, Some(_)) => match self.look_up(who, name) {
                (name, true) => one(Event::Found { name }),
                (name, false) => one(Event::NotOnline { name }),
            },
            (Command::Who { prefix }, Some(_)) => {
                let prefix = prefix.to_lowercase();
                let mut names = self.accounts();
                names.retain(|name| name.as_str().to_lowercase().starts_with(&prefix));
                names.sort_by_key(|name| name.as_str().to_lowercase());
                let matching = names.len();
                names.truncate(self.rules.list_lines as usize);
                one(Event::Online { names, matching })
            }
        }
    }

    fn name_of(&self, who: SessionId) -> Option<UserName> {
        self.sessions.iter().find(|(id, _)| *id == who).map(|(_, name)| name.clone())
    }

    fn sessions_of(&self, name: &UserName) -> Vec<SessionId> {
        self.sessions.iter().filter(|(_, other)| other == name).map(|(id, _)| *id).collect()
    }

    fn accounts(&self) -> Vec<UserName> {
        let mut accounts: Vec<UserName> = Vec::new();
        for (_, name) in &self.sessions {
            if !accounts.contains(name) {
                accounts.push(name.clone());
            }
        }
        accounts
    }

    /// The name as registered if it is online, and whether another session than `who` has it.
    fn look_up(&self, who: SessionId, name: UserName) -> (UserName, bool) {
        let reached = self.sessions_of(&name).iter().any(|id| *id != who);
        (self.accounts().into_iter().find(|account| *account == name).unwrap_or(name), reached)
    }

    fn message(&mut self, from: UserName, text: &str, unix_ms: u64) -> Message {
        self.last_id = (self.last_id + 1).max(unix_ms * 1_048_576);
        Message { id: self.last_id, from: from.into(), text: text.into() }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): any seed is a good one, and the same seed is the same run everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`; that some values come a trifle more often does not matter here.
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
