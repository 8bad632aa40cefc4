//! Planned runs: attacks on a public server, and their effect on everybody else.

mod bans;
mod readers;
mod server;
mod strangers;

use std::net::SocketAddr;

use super::clients::{Client, End, Expect, Going, Reading, Role, What};
use super::ledger::Place;
use super::world::World;
use crate::engine::{Millis, Settings};
use crate::limits::{self, CLOSE_MS, SHUTDOWN_MS};

/// The longest text of a message that a line holds together with its operation and its number.
const LONGEST: usize = 4_060;
/// The longest time in milliseconds that a message between two other users may take.
const PROMPT_MS: Millis = 50;

fn settings() -> Settings {
    let accounts = limits::Accounts { sessions_per_account: 1_000, ..limits::Accounts::default() };
    Settings { accounts, ..Settings::default() }
}

/// A world with this many accounts.
fn world(settings: Settings, accounts: u16) -> World {
    let world = World::new(1, settings, 10_000);
    for account in 0..accounts {
        world.accounts.borrow_mut().add(&format!("u{account}"), "password");
    }
    world.accounts.borrow_mut().hash_ms = 1;
    world
}

/// A client at one of the machine's own addresses, which have no bounds.
fn local(role: Role, account: u16) -> Client {
    Client::new(SocketAddr::from(([127, 0, 0, 1], 20_000 + account)), role, account)
}

/// A client from elsewhere.
fn stranger(number: usize, role: Role) -> Client {
    let ip = [203, (number >> 12) as u8, (number >> 4) as u8, number as u8 & 15];
    Client::new(SocketAddr::from((ip, 9_999)), role, 0)
}

impl World {
    /// Adds a client that logs in, reads, and sends what the test orders.
    fn person(&mut self, account: u16) -> usize {
        self.person_who(account, |_| {})
    }

    fn person_who(&mut self, account: u16, change: impl FnOnce(&mut Client)) -> usize {
        let mut client = local(Role::Talker, account);
        client.has_token = true;
        change(&mut client);
        self.add(client, 64 * 1024, self.now)
    }

    fn run_for(&mut self, time: Millis) {
        self.run(self.now + time);
    }

    #[track_caller]
    fn check_in(&self, clients: &[usize]) {
        for i in clients {
            assert!(self.clients[*i].is_in(), "{i}: {:?}", self.clients[*i].end);
        }
    }

    /// Two other users talk to each other for `time`; each message must be prompt.
    #[track_caller]
    fn check_prompt(&mut self, (from, to): (usize, usize), time: Millis) {
        let end = self.now + time;
        while self.now < end {
            let number = self.say_at_length(from, Place::Account(self.clients[to].account), 20);
            self.run_for(PROMPT_MS);
            assert_eq!(self.ledger.heard(number), 1, "at {}", self.now);
            self.run_for(450);
        }
    }

    fn closed(&self, reason: &str) -> usize {
        let told = |client: &&Client| matches!(&client.end, Some(End::Told(told)) if told == reason);
        self.clients.iter().filter(told).count()
    }
}
