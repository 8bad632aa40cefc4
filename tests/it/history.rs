//! Clients that connect, talk, enter and leave rooms, replace each other and vanish, all at random. The lines that each
//! has received are checked against the promises (see `checker.rs`).
//!
//! `CHATD_SEED=…` replays the actions of each client; their interleaving depends on the machine.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use testkit::{Client, Dice, PASSWORD, Server, pause};

use self::checker::{End, Event, Life, check};

pub(crate) mod checker;
#[cfg(feature = "history")]
mod erased;
#[cfg(feature = "history")]
mod killed;
#[cfg(feature = "history")]
mod memory;
#[cfg(feature = "history")]
mod pages;
#[cfg(feature = "history")]
mod questions;
#[cfg(feature = "history")]
mod reading;
#[cfg(feature = "history")]
mod resuming;
#[cfg(feature = "history")]
mod rights;
#[cfg(feature = "history")]
mod trouble;
#[cfg(feature = "history")]
mod wire;

/// The number of clients. The last two share an account.
const PEOPLE: usize = 12;
const ROOMS: u64 = 4;

/// The account of a client.
fn account(person: usize) -> String {
    if person + 2 < PEOPLE { format!("c{person}") } else { "twin".to_owned() }
}

/// Counts clients that are not done, including those that fail.
struct Busy<'a>(&'a AtomicUsize);

impl<'a> Busy<'a> {
    fn new(busy: &'a AtomicUsize) -> Self {
        busy.fetch_add(1, Ordering::Relaxed);
        Self(busy)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One client, through several connections.
struct Person<'a> {
    number: usize,
    server: &'a Server,
    dice: Dice,
    client: Client,
    events: Vec<Event>,
    lives: Vec<Life>,
    said: usize,
}

impl<'a> Person<'a> {
    fn new(number: usize, server: &'a Server, seed: u64) -> Self {
        let client = server.typed(&account(number));
        let dice = Dice::of(seed.wrapping_add(number as u64));
        Self { number, server, dice, client, events: Vec::new(), lives: Vec::new(), said: 0 }
    }

    /// Performs this many actions, and then reads until all others have, too.
    fn live(mut self, acts: usize, busy: &AtomicUsize) -> Self {
        let is_busy = Busy::new(busy);
        (0..acts).for_each(|_| self.act());
        drop(is_busy);
        while busy.load(Ordering::Relaxed) > 0 {
            self.ask("NOOP");
            pause(1);
        }
        self
    }

    /// Performs one action.
    fn act(&mut self) {
        let room = format!("room{}", self.dice.below(ROOMS));
        match self.dice.below(100) {
            0..22 => self.say("PM".to_owned(), 1),
            22..26 => self.say("PM".to_owned(), 20),
            26..36 => {
                let whom = account(self.dice.below(PEOPLE as u64) as usize);
                self.say(format!("DM {whom}"), 1);
            }
            36..56 => self.say(format!("RM {room}"), 1),
            56..60 => self.say(format!("RM {room}"), 10),
            60..74 => self.ask(&format!("JOIN {room}")),
            74..81 => self.ask(&format!("MAKE {room}")),
            81..85 => self.ask(&format!("LEAVE {room}")),
            85..93 => {
                let whom = account(self.dice.below(PEOPLE as u64) as usize);
                self.ask(&format!("KICK {room} {whom}"));
            }
            93 => self.ask(&format!("CLOSE {room}")),
            94 => self.ask(&format!("NAMES {room}")),
            95 => self.ask("WHO"),
            96 => pause(self.dice.below(5)),
            97.. => self.go(),
        }
    }

    fn ask(&mut self, command: &str) {
        self.client.typed(command);
        self.hear_reply(command);
    }

    /// Sends this many messages, without waiting for answers in between.
    fn say(&mut self, operation: String, count: usize) {
        let commands: Vec<String> = (0..count).map(|_| self.next_text(&operation)).collect();
        let lines: String = commands.iter().map(|command| format!("C {command}\n")).collect();
        self.client.send_raw(lines.as_bytes());
        commands.iter().for_each(|command| self.hear_reply(command));
    }

    /// The command that sends the next message.
    fn next_text(&mut self, operation: &str) -> String {
        self.said += 1;
        format!("{operation} p{}.{}.{}", self.number, self.lives.len(), self.said)
    }

    /// Reads up to the last line of a reply.
    fn hear_reply(&mut self, command: &str) {
        loop {
            let line = self.client.line();
            if line.starts_with("D ") || line.starts_with("C 1") {
                self.events.push(Event::Heard(line));
            } else if line.as_bytes()[5] == b' ' {
                return self.events.push(Event::Answered { command: command.to_owned(), reply: line });
            }
        }
    }

    /// Disconnects, in one of several ways, and connects again.
    fn go(&mut self) {
        let end = match self.dice.below(4) {
            // Both send a message in the same write: everything sent before that is received, however close to the end.
            0 => {
                let last = self.next_text("PM");
                self.client.send_raw(format!("C {last}\nC EX\n").as_bytes());
                self.hear_reply(&last);
                self.hear_reply("EX");
                self.client.expect_closed();
                End::Orderly
            }
            1 => {
                let last = self.next_text("PM");
                self.client.typed(&last);
                self.client.half_close();
                self.hear_reply(&last);
                let rest = self.client.expect_reset_or_closed();
                self.events.extend(rest.lines().map(|line| Event::Heard(line.to_owned())));
                End::Orderly
            }
            // Neither waits for lines under way.
            2 => End::Vanished,
            _ => {
                let torn = format!("C PM p{}.{}.torn", self.number, self.lives.len());
                self.client.send_raw(torn.as_bytes());
                End::Vanished
            }
        };
        let name = account(self.number);
        let mut next = self.server.greeted();
        std::mem::swap(&mut next, &mut self.client);
        if end == End::Vanished {
            next.reset();
        }
        self.client.login_typed(&name);
        self.bury(end);
    }

    fn bury(&mut self, end: End) {
        let (name, events) = (account(self.number), std::mem::take(&mut self.events));
        self.lives.push(Life { person: self.number, account: name, events, end });
    }
}

/// Lets all clients perform `acts` actions each, checks what they received, and that all accounts exist after a crash.
#[track_caller]
fn run(acts: usize) {
    let seed = Dice::today();
    println!("CHATD_SEED={seed}");
    // On a busy machine one of these clients may fall behind by more than the limit. Other tests cover slow readers.
    let builder =
        Server::builder().no_rates().set("limits.owed_bytes", "67108864").set("limits.owed_soft_bytes", "67108864");
    let builder = builder.set("accounts.sessions_per_account", "8");
    let mut server = builder.start();
    let begun = Instant::now();
    let busy = &AtomicUsize::new(0);
    let mut people: Vec<Person<'_>> = thread::scope(|scope| {
        let people: Vec<_> = (0..PEOPLE).map(|number| Person::new(number, &server, seed)).collect();
        let threads: Vec<_> = people.into_iter().map(|person| scope.spawn(move || person.live(acts, busy))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a person that got all its replies")).collect()
    });
    // Everything that the server has confirmed is queued for all receivers: it precedes their next reply.
    for person in &mut people {
        person.ask("NOOP");
        person.bury(End::Stayed);
    }
    let lives: Vec<Life> = people.into_iter().flat_map(|person| person.lives).collect();
    let told = check(&lives).unwrap_or_else(|fault| panic!("CHATD_SEED={seed}: {fault}"));
    println!("CHATD_SEED={seed}: {} acts in {:?}; {told}", acts * PEOPLE, begun.elapsed());
    server.kill9();
    let text = fs::read_to_string(server.path("accounts")).expect("the account file");
    server.restart();
    for person in 0..PEOPLE - 1 {
        let name = account(person);
        assert!(text.contains(&format!(":{name}:")), "{name} got 230 and is not on disk");
        let mut client = server.greeted();
        client.send(&format!("{name}\n{PASSWORD}"));
        client.expect_exact(&format!("C 331 {name}, your password?"));
        client.expect("C 230 ");
    }
}

#[test]
fn a_history_is_what_was_promised() {
    run(1_000);
}

#[test]
#[ignore = "180,000 acts take about a minute"]
fn a_long_history_is_what_was_promised() {
    run(15_000);
}
