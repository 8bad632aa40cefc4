//! Random schedules. A failing run prints its seed. `CHATD_SEED=seed cargo test --lib simulation` runs that seed alone;
//! `CHATD_SIM_SEEDS=count` sets the number of seeds.

use std::net::SocketAddr;

use testkit::Dice;

use super::clients::{Client, Going, Reading, Role};
use super::irc_clients::IrcTalk;
use super::store::Mood;
use super::world::World;
use crate::engine::{Millis, NEVER, Settings};
use crate::limits::{self, Limits};

const SEEDS: u64 = 200;
const MINUTE_MS: Millis = 60_000;

#[test]
fn whatever_clients_do_the_promises_hold() {
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse().expect("a number"));
    let seeds = match number("CHATD_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("CHATD_SIM_SEEDS").unwrap_or(SEEDS),
    };
    let is_all = seeds.clone().count() > 20;
    let mut sums = [0; 3];
    for seed in seeds {
        println!("CHATD_SEED={seed}");
        let mut world = populate(seed);
        if seed % 4 == 0 {
            world.finish_by_stop()
        } else {
            world.finish()
        }
        let checks = world.shadow.checks;
        for (sum, count) in sums.iter_mut().zip(checks) {
            *sum += count;
        }
        let (messages, heard) = world.ledger.counts();
        let counters = &world.engine.counters;
        println!(
            "{} clients, {} turns, {} s, {messages} messages heard {heard} times, {} lines",
            world.clients.len(),
            world.turns,
            world.now / 1000,
            counters.lines
        );
    }
    // Messages that were taken, messages that were refused, and looks at who is there.
    println!("people were checked {sums:?} times");
    assert!(!is_all || sums.iter().all(|sum| *sum > 20), "the schedules show little of people: {sums:?}");
}

/// The settings of a run: the defaults, or tight ones.
fn settings(dice: &mut Dice) -> Settings {
    let mut limits = Limits { include_loopback: dice.below(5) == 0, ..Limits::default() };
    if dice.below(8) == 0 {
        limits.owed_total_bytes = 128 * 1024;
    }
    if dice.below(2) == 0 {
        limits.owed_soft_bytes = 8_192 << dice.below(3);
        limits.owed_bytes = 2 * limits.owed_soft_bytes;
    }
    limits.rate_lines_per_s = [0, 5, 10, 10][dice.below(4) as usize];
    limits.rate_burst = 1 + dice.below(60) as u32;
    let accounts = limits::Accounts { sessions_per_account: 1 + dice.below(4) as u32, ..limits::Accounts::default() };
    let rooms = limits::Rooms { per_session: 1 + dice.below(8) as u32, ..limits::Rooms::default() };
    Settings {
        limits,
        accounts,
        rooms,
        history: (dice.below(2) == 0).then(limits::History::default),
        stats_s: 60 * dice.below(2) as u32,
        ..Settings::default()
    }
}

/// A world in which clients of all kinds connect over some minutes.
fn populate(seed: u64) -> World {
    let mut dice = Dice::of(seed);
    let settings = settings(&mut dice);
    let most_connections = if dice.below(6) == 0 { 20 } else { 10_000 };
    let mut world = World::new(seed, settings, most_connections);
    for account in 0..world.names / 2 {
        world.accounts.borrow_mut().add(&format!("u{account}"), "password");
    }
    world.accounts.borrow_mut().is_failing = dice.below(5) == 0;
    world.accounts.borrow_mut().hash_ms = 1 + dice.below(60);
    world.accounts.borrow_mut().trouble = [0, 50][dice.below(2) as usize];
    if let Some(store) = &mut world.store {
        store.delay_ms = [1, 20, 700, 2_900][dice.below(4) as usize];
    }
    world.is_partly_by_tls = true;
    world.is_partly_by_web = true;
    world.short_writes = [0, 20, 4][dice.below(3) as usize];
    let length = MINUTE_MS * (1 + dice.below(10));
    let is_loud = dice.below(10) == 0;
    for number in 0..20 + dice.below(40) {
        let at = dice.below(length);
        let mut client = client(number, length, &mut dice);
        if is_loud && client.role == Role::Talker {
            (client.text_bytes, client.batch, client.every_ms) = (4_000, 10, 500);
        }
        let capacity = 1024 << dice.below(7);
        world.add(client, capacity, at);
    }
    world.run(length / 3);
    let mood = [Mood::Well, Mood::Stuck, Mood::Broken][dice.below(3) as usize];
    world.set_mood(mood);
    world.run(length / 2);
    world.set_mood(Mood::Well);
    if dice.below(3) == 0 {
        let mut new = world.engine.settings().clone();
        new.limits.rate_lines_per_s = [0, 3, 20][dice.below(3) as usize];
        new.limits.rate_burst = 1 + dice.below(60) as u32;
        new.limits.line_s = 10 + dice.below(40) as u32;
        new.login.deadline_s = 20 + dice.below(80) as u32;
        new.rooms.guest_idle_s = 100 + dice.below(300) as u32;
        new.accounts.sessions_per_account = 1 + dice.below(4) as u32;
        world.reload(new);
    }
    world.run(length);
    world
}

fn client(number: u64, length: Millis, dice: &mut Dice) -> Client {
    let host = if dice.below(3) == 0 { [192, 0, 2, dice.below(8) as u8] } else { [127, 0, 0, 1] };
    let addr = SocketAddr::from((host, 10_000 + number as u16));
    let role = match dice.below(20) {
        0 => Role::Silent,
        1 => Role::Dribbler,
        2 => Role::Guesser,
        3 => Role::Flooder,
        4..=5 => Role::Guest,
        _ => Role::Talker,
    };
    let mut client = Client::new(addr, role, dice.below(24) as u16);
    client.is_typed = dice.below(3) > 0;
    client.operations = 1 + dice.below(80) as u32;
    client.every_ms = 1 << (4 + dice.below(10));
    client.batch = if dice.below(4) == 0 { 1 + dice.below(40) as u32 } else { 1 };
    client.text_bytes = [60, 60, 400, 4000][dice.below(4) as usize];
    client.going = [Going::Bye, Going::Bye, Going::End, Going::Reset, Going::Stays][dice.below(5) as usize];
    client.closes = dice.below(6) > 0;
    client.has_token = dice.below(4) == 0;
    match dice.below(8) {
        0 => client.reading = Reading::Rate(1 + dice.below(1000) as usize),
        1 => client.stops = Some((dice.below(10 * MINUTE_MS), 100 << dice.below(10))),
        2 if dice.below(3) == 0 => client.vanishes_at = dice.below(length),
        3 if role == Role::Flooder => client.reading = Reading::Stopped,
        _ => {}
    }
    client.irc = (role == Role::Talker && dice.below(4) == 0).then(|| IrcTalk::new(number, dice));
    client.tracks = true;
    client.is_fair = client.stops.is_none()
        && client.vanishes_at == NEVER
        && match client.reading {
            Reading::All => true,
            Reading::Rate(bytes) => bytes >= 400,
            Reading::Stopped => false,
        };
    client
}
