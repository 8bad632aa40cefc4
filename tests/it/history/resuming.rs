//! Clients that are cut at random while they talk, and while the server is killed and restarted: live lines and pages
//! together have each message once (see `pages.rs`).
//!
//! `CHATD_SEED=…` replays the actions of each client; their interleaving depends on the machine.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Dice, Server, pause};

use super::memory::Memory;
use super::pages::{Had, Line, Place, Trace, check};
use super::wire::Wire;

/// The number of clients. The last two share an account.
const PEOPLE: usize = 8;
/// The kept rooms. Everybody is a member of the first, and every other account of the second.
const ROOMS: [&str; 2] = ["room0", "room1"];
/// An account that is never there: what it is told is acknowledged once it is on disk.
const ABSENT: &str = "ghost";

fn account(person: usize) -> String {
    if person + 2 < PEOPLE { format!("c{person}") } else { "twin".to_owned() }
}

fn rooms(person: usize) -> &'static [&'static str] {
    if person.is_multiple_of(2) && person + 2 < PEOPLE { &ROOMS } else { &ROOMS[..1] }
}

/// What the clients and the one who kills the server share.
struct Stage {
    /// The server's address, and the number of its run.
    server: Mutex<(SocketAddr, usize)>,
    /// Clients that still talk.
    busy: AtomicUsize,
    /// Everybody has talked, and the server stays.
    is_over: AtomicBool,
}

/// A client through all of its connections.
struct Person<'a> {
    number: usize,
    stage: &'a Stage,
    dice: Dice,
    memory: Memory,
    had: Vec<(usize, Had)>,
    said: usize,
    wire: Option<Wire>,
    run: usize,
    /// The messages without an answer: their place and text.
    pending: VecDeque<(Place, String)>,
    cuts: usize,
}

impl<'a> Person<'a> {
    fn new(number: usize, stage: &'a Stage, seed: u64) -> Self {
        let (memory, had, pending) = Default::default();
        let dice = Dice::of(seed.wrapping_add(number as u64));
        Self { number, stage, dice, memory, had, said: 0, wire: None, run: 0, pending, cuts: 0 }
    }

    fn me(&self) -> String {
        account(self.number)
    }

    /// Talks, and once everybody has, resumes for the last time and reads all that is stored.
    fn live(mut self, acts: usize) -> Trace {
        for _ in 0..acts {
            if self.act().is_none() {
                self.connect();
            }
        }
        self.stage.busy.fetch_sub(1, Ordering::Relaxed);
        while !self.stage.is_over.load(Ordering::Relaxed) {
            if self.wire.is_none() || self.ask("NOOP").is_none() {
                self.connect();
            }
            pause(10);
        }
        self.connect();
        let mut stored = Vec::new();
        self.read_after(1, |_, line| stored.push(line)).expect("the server stays");
        println!("{} ({}): {} cuts, {} said", self.me(), self.number, self.cuts, self.said);
        let rooms = rooms(self.number).iter().map(|&room| room.to_owned()).collect();
        Trace { account: self.me(), rooms, had: self.had, stored }
    }

    /// Performs one action. `None` once the connection has ended.
    fn act(&mut self) -> Option<()> {
        self.wire.as_ref()?;
        let room = rooms(self.number)[self.dice.below(rooms(self.number).len() as u64) as usize];
        match self.dice.below(100) {
            0..30 => self.say("PM", Place::Everybody, 1),
            30..36 => self.say("PM", Place::Everybody, 20),
            36..60 => self.say(&format!("RM {room}"), Place::Room(room.to_owned()), 1),
            60..64 => self.say(&format!("RM {room}"), Place::Room(room.to_owned()), 10),
            64..84 => {
                let other = account(self.dice.below(PEOPLE as u64) as usize);
                if other == self.me() { self.ask("NOOP").map(|_| ()) } else { self.tell(&other) }
            }
            84..88 => self.tell(ABSENT),
            88..92 => {
                pause(self.dice.below(20));
                Some(())
            }
            92..97 => self.ask("NOOP").map(|_| ()),
            97..99 => {
                self.wire.take()?.reset();
                None
            }
            // It sends, and does not wait for the answer.
            99.. => {
                self.send("PM", Place::Everybody);
                self.wire.take()?.reset();
                None
            }
        }
    }

    fn tell(&mut self, whom: &str) -> Option<()> {
        self.say(&format!("DM {whom}"), Place::of(&format!("@{whom}"), &self.me()), 1)
    }

    /// Sends this many messages, and waits for their answers.
    fn say(&mut self, operation: &str, place: Place, count: usize) -> Option<()> {
        (0..count).for_each(|_| self.send(operation, place.clone()));
        while !self.pending.is_empty() {
            let reply = self.reply()?;
            self.on_answer(&reply);
        }
        Some(())
    }

    fn send(&mut self, operation: &str, place: Place) {
        self.said += 1;
        let text = format!("p{}.{}", self.number, self.said);
        if let Some(wire) = &mut self.wire {
            wire.send(&format!("C {operation} {text}"));
        }
        self.memory.on_send();
        self.pending.push_back((place, text));
    }

    #[track_caller]
    fn on_answer(&mut self, reply: &str) {
        let (place, text) = self.pending.pop_front().expect("a message without an answer");
        self.memory.on_answer();
        if reply.starts_with("C 450 ") {
            return self.note(Had::Refused(text));
        }
        let id = reply.rsplit_once(" id=").and_then(|(_, id)| id.parse().ok());
        let id = id.unwrap_or_else(|| panic!("{text}: {reply:?} has no id"));
        let line = Line { id, place, from: self.me(), text, is_hole: false };
        if reply.starts_with("C 250 kept for ") {
            self.note(Had::Kept(line));
        } else {
            assert!(reply.starts_with("C 250 sent to "), "{reply:?}");
            self.note(Had::Confirmed(line));
        }
    }

    fn note(&mut self, had: Had) {
        self.had.push((self.run, had));
    }

    /// The next line that is no message and no notice.
    fn reply(&mut self) -> Option<String> {
        loop {
            let Some(line) = self.wire.as_mut()?.line() else {
                self.wire = None;
                return None;
            };
            if let Some(message) = Line::live(&line, &self.me()) {
                self.memory.on_message(message.id);
                self.note(Had::Live(message));
            } else if !line.starts_with("D ") && !line.starts_with("C 1") {
                return Some(line);
            }
        }
    }

    fn ask(&mut self, command: &str) -> Option<String> {
        self.wire.as_mut()?.send(&format!("C {command}"));
        self.reply()
    }

    /// Connects, enters its rooms and resumes, again and again until it has reached the end.
    #[track_caller]
    fn connect(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.try_connect().is_none() {
            assert!(Instant::now() < deadline, "{} does not come back", self.me());
            pause(5);
        }
    }

    fn try_connect(&mut self) -> Option<()> {
        self.cuts += 1;
        self.pending.clear();
        self.memory.on_connect();
        let (addr, run) = *self.stage.server.lock().expect("the server");
        self.run = run;
        self.wire = Some(Wire::log_in(addr, &self.me())?);
        let wants = self.ask("WANT ids own")?;
        assert!(wants.starts_with("C 200 "), "{wants:?}");
        for room in rooms(self.number) {
            let entered = self.ask(&format!("JOIN {room}"))?;
            assert!(entered.starts_with("C 227 "), "{}: {entered:?}", self.me());
        }
        self.note(Had::Resume);
        self.read_after(self.memory.everything_to().max(1), |person, line| {
            if !line.is_hole {
                person.memory.on_message(line.id);
            }
            person.note(Had::Paged(line));
        })?;
        self.memory.on_end();
        Some(())
    }

    /// Reads pages until there is no more.
    fn read_after(&mut self, after: u64, mut on_line: impl FnMut(&mut Self, Line)) -> Option<()> {
        let mut after = after.to_string();
        loop {
            let mut line = self.ask(&format!("HISTORY after {after} 200"))?;
            while let Some(item) = line.strip_prefix("C 212-") {
                let item = Line::paged(item, &self.me()).unwrap_or_else(|| panic!("a line of a page: {line:?}"));
                on_line(self, item);
                line = self.wire.as_mut()?.line()?;
                assert!(line.starts_with("C 212"), "{line:?} inside a page");
            }
            if line.starts_with("C 450 ") {
                pause(100);
            } else if let Some((_, next)) = line.split_once(" next=") {
                next.clone_into(&mut after);
            } else {
                assert!(line.starts_with("C 212 ") && line.ends_with(" end"), "{line:?}");
                return Some(());
            }
        }
    }
}

/// Makes the accounts and the kept rooms, with their members.
fn set_up(server: &Server) {
    server.typed(ABSENT).barrier();
    let mut owner = server.typed(&account(0));
    for room in ROOMS {
        let made = owner.ask(&format!("MAKE {room}"));
        assert!(made.starts_with("C 227 "), "{made:?}");
        let kept = owner.ask(&format!("KEEP {room}"));
        assert!(kept.starts_with("C 200"), "{kept:?}");
    }
    for person in 1..PEOPLE {
        let mut client = server.typed(&account(person));
        for room in rooms(person) {
            let entered = client.ask(&format!("JOIN {room}"));
            assert!(entered.starts_with("C 227 "), "{entered:?}");
        }
    }
}

/// Lets all clients perform `acts` actions each while the server is killed, and checks what they have had.
#[track_caller]
fn run(acts: usize) {
    let seed = Dice::today();
    println!("CHATD_SEED={seed}");
    let builder = Server::builder().no_rates().set("accounts.sessions_per_account", "16");
    let builder = builder.set("limits.owed_bytes", "67108864").set("limits.owed_soft_bytes", "67108864");
    let mut server = builder.start();
    set_up(&server);
    let stage = Stage {
        server: Mutex::new((server.addr(), 0)),
        busy: AtomicUsize::new(PEOPLE),
        is_over: AtomicBool::new(false),
    };
    let (mut runs, mut in_order, mut dice) = (0, BTreeSet::new(), Dice::of(seed ^ 1));
    let traces: Vec<Trace> = thread::scope(|scope| {
        let stage = &stage;
        let people: Vec<_> =
            (0..PEOPLE).map(|number| scope.spawn(move || Person::new(number, stage, seed).live(acts))).collect();
        while stage.busy.load(Ordering::Relaxed) > 0 && !people.iter().any(thread::ScopedJoinHandle::is_finished) {
            pause(100 + dice.below(600));
            let begun = Instant::now();
            if dice.below(4) == 0 {
                in_order.insert(runs);
                server.term();
            } else {
                server.kill9();
            }
            let ended = begun.elapsed();
            server.restart();
            println!("run {runs} ended in {ended:?}, and the next one began in {:?}", begun.elapsed() - ended);
            runs += 1;
            *stage.server.lock().expect("the server") = (server.addr(), runs);
        }
        stage.is_over.store(true, Ordering::Relaxed);
        people.into_iter().map(|person| person.join().expect("a client")).collect()
    });
    in_order.insert(runs);
    let totals = check(&traces, &in_order).unwrap_or_else(|fault| panic!("CHATD_SEED={seed}: {fault}"));
    println!("CHATD_SEED={seed}: {} runs of the server, {} in order; {totals}", runs + 1, in_order.len());
    assert!(runs > 0 && totals.said > 0, "nothing happened");
}

#[test]
fn each_message_is_had_once_through_cuts_and_kills() {
    run(200);
}

#[test]
#[ignore = "10,000 messages and dozens of kills take a minute"]
fn each_of_ten_thousand_messages_is_had_once() {
    run(800);
}
