//! Planned runs: the attacks on a public server, and what those who do not attack notice of them.

use std::net::SocketAddr;

use super::clients::{Client, End, Going, Reading, Role, What};
use super::ledger::Place;
use super::world::World;
use crate::engine::{Millis, Settings};
use crate::limits::{self, FAREWELL_MS, Limits, SHUTDOWN_MS};

/// The longest text of a message that a line holds together with its operation and its number.
const LONGEST: usize = 4_060;
/// What two who do not attack wait for each other's messages at most, in milliseconds.
const PROMPT_MS: Millis = 50;

fn settings() -> Settings {
    let accounts = limits::Accounts { sessions_per_account: 1_000, ..limits::Accounts::default() };
    let (limits, login, rooms) = (Limits::default(), limits::Login::default(), limits::Rooms::default());
    Settings { limits, login, accounts, rooms, stats_s: 0 }
}

/// A world with an account for each of so many numbers.
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
    /// Somebody who is logged in, reads, and does what it is told to.
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

    /// Two who do not attack talk to each other as long as `time`.
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

#[test]
fn many_who_flood_one_reader_are_slowed_and_it_is_not_cut() {
    let mut world = world(settings(), 200);
    let pair = (world.person(198), world.person(199));
    let victim = world.person_who(0, |client| client.reading = Reading::Rate(2_500));
    let eves: Vec<_> = (1..151).map(|account| world.person(account)).collect();
    world.run_for(2_000);
    let said: Vec<_> =
        eves.iter().flat_map(|eve| [*eve; 5]).map(|eve| world.say_at_length(eve, Place::Account(0), LONGEST)).collect();
    world.check_prompt(pair, 10_000);
    assert!(said.iter().all(|number| world.ledger.heard(*number) == 1), "something was not heard");
    assert!(world.engine.counters.throttled > 0, "nobody was slowed");
    world.check_in(&[victim]);
    world.finish();
}

#[test]
fn many_who_speak_to_all_cut_no_reader_on_a_slow_line() {
    let mut world = world(settings(), 100);
    let readers: Vec<_> =
        (0..8).map(|account| world.person_who(account, |client| client.reading = Reading::Rate(750))).collect();
    let eves: Vec<_> = (10..70).map(|account| world.person(account)).collect();
    world.run_for(2_000);
    for eve in &eves {
        (0..3).for_each(|_| {
            world.say_at_length(*eve, Place::All, LONGEST);
        });
    }
    world.run_for(60_000);
    assert!(world.engine.counters.throttled > 0, "nobody was slowed");
    world.check_in(&readers);
    world.finish();
}

#[test]
fn members_of_a_room_who_stop_reading_are_cut_and_slow_nobody() {
    let mut world = world(settings(), 100);
    let pair = (world.person(98), world.person(99));
    let stopped: Vec<_> = (0..60).map(|account| world.person_who(account, |client| client.is_fair = false)).collect();
    let talkers: Vec<_> = (60..64).map(|account| world.person(account)).collect();
    world.run_for(1_000);
    world.order(talkers[0], "MAKE r0", &["227"], What::Enter { room: 0, is_wrong: false });
    world.run_for(100);
    for member in stopped.iter().chain(&talkers[1..]) {
        world.order(*member, "JOIN r0", &["227"], What::Enter { room: 0, is_wrong: false });
    }
    world.run_for(1_000);
    for member in &stopped {
        world.clients[*member].reading = Reading::Stopped;
    }
    for _ in 0..20 {
        for talker in &talkers {
            world.say_at_length(*talker, Place::Room(0), LONGEST);
        }
        world.check_prompt(pair, 1_000);
    }
    world.check_in(&talkers);
    assert_eq!(world.engine.hub.everyone().len(), 6, "who has stopped is still there");
    world.finish();
    assert_eq!(world.engine.counters.closed[2], 60, "too slow");
}

#[test]
fn who_owes_too_much_for_too_long_is_cut() {
    let mut world = world(settings(), 10);
    let (stopped, slow) = (world.person_who(0, |client| client.is_fair = false), world.person(1));
    let talker = world.person_who(2, |client| client.account = 2);
    world.run_for(1_000);
    world.clients[stopped].reading = Reading::Stopped;
    world.clients[slow].reading = Reading::Rate(15);
    // 160 KB, of which 64 KB are on their way.
    for round in 0..13 {
        for to in [0, 1] {
            (0..3 - round % 2).for_each(|_| {
                world.say_at_length(talker, Place::Account(to), LONGEST);
            });
        }
        world.run_for(1_500);
    }
    let begun = world.watches[stopped].soft_since;
    world.run(begun + 9_900);
    world.check_in(&[stopped]);
    world.run_for(1_000);
    assert_eq!(world.engine.counters.closed[2], 1, "too slow");
    world.run_for(20_000);
    world.check_in(&[slow]);
    world.finish();
}

#[test]
fn silent_ones_are_shed_and_end_in_time() {
    let mut world = world(settings(), 10);
    let pair = (world.person(0), world.person(1));
    for number in 0..2_000 {
        let mut client = stranger(number, Role::Silent);
        client.closes = number % 2 == 0;
        world.add(client, 4_096, 1_000 + number as Millis);
    }
    world.run_for(4_000);
    let (silent, refused) = (world.engine.gate.silent, world.closed("server full"));
    assert!((400..1_024).contains(&silent), "{silent} are silent");
    assert_eq!(silent as usize + refused, 2_000);
    world.check_prompt(pair, 5_000);
    world.run_for(60_000);
    assert_eq!((world.engine.gate.silent, world.engine.conns.len()), (0, 2));
    assert_eq!(world.closed("login took too long"), silent as usize);
    world.finish();
}

#[test]
fn who_writes_a_byte_a_second_is_cut_in_time() {
    let mut world = world(settings(), 10);
    let pair = (world.person(0), world.person(1));
    for number in 0..300 {
        world.add(local(Role::Dribbler, number), 4_096, 1_000 + 10 * Millis::from(number));
    }
    world.run_for(1_000);
    world.check_prompt(pair, 29_000);
    assert_eq!(world.closed("line never ended"), 0);
    world.run_for(5_000);
    assert_eq!(world.closed("line never ended"), 300);
    world.finish();
}

#[test]
fn thousands_of_lines_at_once_keep_nobody_waiting() {
    let mut world = world(settings(), 10);
    let pair = (world.person(0), world.person(1));
    let pipeliner = world.person(2);
    world.run_for(1_000);
    for _ in 0..2_000 {
        world.order(pipeliner, "NOOP", &["200"], What::Other);
    }
    world.check_prompt(pair, 10_000);
    let taken = 2_000 - world.clients[pipeliner].expected.len();
    assert!((139..=145).contains(&taken), "{taken} lines were taken in ten seconds");
    world.run_for(190_000);
    assert!(world.clients[pipeliner].expected.is_empty(), "{:?}", world.clients[pipeliner].expected.len());
    world.finish();
}

#[test]
fn coming_again_does_not_lift_the_rate() {
    let mut world = world(settings(), 10);
    for _ in 0..20 {
        let eve = world.person(0);
        world.run_for(400);
        for _ in 0..40 {
            world.order(eve, "NOOP", &["200"], What::Other);
        }
        world.run_for(400);
        world.clients[eve].going = Going::Reset;
        world.go(eve);
        world.run_for(200);
    }
    let lines = world.engine.counters.lines;
    assert!(lines < 20 + 40 + 20 * 10 + 20, "{lines} lines in 20 s");
    world.finish();
}

#[test]
fn who_guesses_passwords_keeps_no_neighbour_out() {
    let mut world = world(settings(), 10);
    let at = |role, port| Client::new(SocketAddr::from(([192, 0, 2, 1], port)), role, 3);
    for port in 0..5 {
        world.add(at(Role::Guesser, port), 4_096, 1_000 * Millis::from(port));
    }
    world.run_for(20_000);
    assert_eq!(world.closed("too many failures"), 5);
    // A password is not looked at; a token lets a neighbour in, and somebody from elsewhere comes in with a password.
    let by_password = world.add(at(Role::Talker, 90), 4_096, world.now);
    let mut neighbour = at(Role::Talker, 91);
    neighbour.has_token = true;
    let by_token = world.add(neighbour, 4_096, world.now);
    let elsewhere = world.add(stranger(7, Role::Talker), 4_096, world.now);
    world.run_for(3_000);
    assert_eq!(world.clients[by_password].end, Some(End::Told("too many failures".to_owned())));
    world.check_in(&[by_token, elsewhere]);
    world.finish();
}

#[test]
fn a_new_password_ends_the_other_sessions() {
    let mut world = world(settings(), 10);
    let sessions: Vec<_> = (0..4).map(|_| world.person(3)).collect();
    world.run_for(1_000);
    for (round, session) in [0, 0, 0, 0].into_iter().enumerate() {
        world.clients[sessions[session]].in_dialogue = true;
        world.order(sessions[session], "PASSWD", &["331", "450"], What::Passwd);
        world.run_for(1_000);
        let epoch = world.accounts.borrow().find("u3").map(|account| account.epoch);
        assert_eq!(epoch, Some(2 + round.min(2) as u32), "three times in ten minutes");
    }
    world.check_in(&sessions[..1]);
    assert_eq!(world.closed("password was changed"), 3);
    world.finish();
}

#[test]
fn who_comes_and_goes_all_the_time_leaves_nothing() {
    let mut world = world(settings(), 100);
    let pair = (world.person(98), world.person(99));
    let host = world.person(97);
    let others: Vec<_> = (0..60).map(|account| world.person(account)).collect();
    world.run_for(1_000);
    world.order(host, "MAKE r0", &["227"], What::Enter { room: 0, is_wrong: false });
    for round in 0..10 {
        for other in &others {
            world.order(*other, "JOIN r0", &["227"], What::Enter { room: 0, is_wrong: false });
            world.order(*other, "LEAVE r0", &["200"], What::Leave(0));
        }
        for number in 0..50 {
            let mut client = local(Role::Talker, 0);
            client.going = Going::Reset;
            client.operations = (number % 2) as u32;
            client.every_ms = 1;
            let i = world.add(client, 1_024, world.now + number);
            world.reset_at(i, world.now + 1 + number + round * 7);
        }
        world.check_prompt(pair, 1_000);
    }
    world.finish();
}

#[test]
fn who_asks_and_does_not_read_is_owed_little() {
    let mut world = world(settings(), 100);
    let pair = (world.person(98), world.person(99));
    let flooders: Vec<_> = (0..40)
        .map(|account| {
            let mut client = local(Role::Flooder, account);
            (client.operations, client.every_ms, client.batch, client.has_token) = (100, 100, 10, true);
            (client.reading, client.is_fair) = (Reading::All, false);
            world.add(client, 4_096, 0)
        })
        .collect();
    world.run_for(200);
    for flooder in &flooders {
        world.clients[*flooder].reading = Reading::Stopped;
    }
    world.check_prompt(pair, 40_000);
    let soft = u64::from(settings().limits.owed_soft_bytes);
    assert!(world.engine.pages.owed_bytes() < 40 * 2 * soft, "{}", world.engine.pages.owed_bytes());
    world.finish();
}

#[test]
fn when_all_owe_too_much_the_largest_debtors_go() {
    let mut tight = settings();
    tight.limits.owed_total_bytes = 1 << 20;
    tight.limits.owed_bytes = 1 << 20;
    tight.limits.owed_soft_bytes = 1 << 20;
    let mut world = world(tight, 100);
    let pair = (world.person(98), world.person(99));
    let stopped: Vec<_> = (0..8).map(|account| world.person_who(account, |client| client.is_fair = false)).collect();
    let little = world.person_who(20, |client| client.is_fair = true);
    let eves: Vec<_> = (30..60).map(|account| world.person(account)).collect();
    world.run_for(1_000);
    for client in stopped.iter().chain([&little]) {
        world.clients[*client].reading = Reading::Stopped;
    }
    for round in 0..20 {
        for (number, eve) in eves.iter().enumerate() {
            let to = ((number + round) % 8) as u16;
            world.say_at_length(*eve, Place::Account(to), LONGEST);
        }
        world.say_at_length(eves[0], Place::Account(20), 1_000);
        world.check_prompt(pair, 1_000);
        assert!(world.engine.pages.owed_bytes() <= 1 << 20, "{}", world.engine.pages.owed_bytes());
    }
    world.check_in(&[little, pair.0, pair.1]);
    world.finish();
    assert!((1..=8).contains(&world.engine.counters.closed[2]), "{}", world.engine.counters.closed[2]);
}

#[test]
fn new_settings_hold_for_who_is_there() {
    let mut world = world(settings(), 10);
    let slow = world.person(0);
    world.add(local(Role::Silent, 5), 4_096, 0);
    world.run_for(1_000);
    for _ in 0..200 {
        world.order(slow, "NOOP", &["200"], What::Other);
    }
    world.run_for(1_000);
    assert!(world.clients[slow].expected.len() > 100);
    let mut new = settings();
    new.limits.rate_lines_per_s = 0;
    new.login.deadline_s = 10;
    world.reload(new);
    world.run_for(1_000);
    assert_eq!(world.clients[slow].expected.len(), 0, "the rate was lifted");
    world.run_for(8_000);
    assert_eq!(world.closed("login took too long"), 1);
    world.finish();
}

#[test]
fn the_end_is_told_to_all_who_read_and_waits_for_nobody() {
    for (reading, expected) in [(Reading::All, 0..=20), (Reading::Stopped, FAREWELL_MS..=SHUTDOWN_MS)] {
        let mut world = world(settings(), 10);
        let people: Vec<_> = (0..4).map(|account| world.person(account)).collect();
        let last = world.person_who(5, |client| client.is_fair = false);
        world.add(local(Role::Silent, 6), 4_096, 0);
        world.run_for(1_000);
        world.clients[last].reading = reading;
        world.wires[last].capacity = 1_024;
        world.say_at_length(people[0], Place::All, LONGEST);
        world.clients[last].closes = reading == Reading::All;
        world.run_for(100);
        let stopped_at = world.now;
        world.stop();
        world.run_for(60_000);
        assert!(world.engine.is_over(), "it goes on");
        assert!(expected.contains(&(world.now - stopped_at)), "it took {} ms", world.now - stopped_at);
        let told = 5 + usize::from(reading == Reading::All);
        assert_eq!(world.closed("shutting down, retry in 2 s"), told);
        world.ledger.check(&world.clients);
    }
}

#[test]
fn an_idle_server_takes_no_turns() {
    let mut world = world(settings(), 100);
    let people: Vec<_> = (0..100).map(|account| world.person(account)).collect();
    world.run_for(120_000);
    let turns = world.turns;
    world.run_for(3_600_000);
    assert!(world.turns - turns <= 2, "{} turns in an hour", world.turns - turns);
    world.check_in(&people);
    world.finish();
}

#[test]
fn who_has_vanished_is_found_and_who_has_stopped_is_left_alone() {
    let mut world = world(settings(), 10);
    let (vanished, stopped, talker) = (world.person(0), world.person(1), world.person(2));
    world.run_for(1_000);
    world.wires[vanished].vanished_at = world.now;
    for client in [vanished, stopped] {
        world.clients[client].reading = Reading::Stopped;
    }
    for _ in 0..9 {
        world.say_at_length(talker, Place::All, 4_000);
    }
    world.run_for(110_000);
    assert_eq!(world.wires[vanished].closed, Some(true), "it has vanished");
    world.run_for(600_000);
    assert_eq!((world.wires[stopped].closed, world.engine.conns.len()), (None, 2));
    world.finish();
}

#[test]
fn thousands_talk_for_an_hour() {
    const PEOPLE: u64 = 3_000;
    const HOUR_MS: Millis = 3_600_000;
    let mut world = world(settings(), 1_002);
    (world.rooms, world.names, world.audit_every_ms) = (200, 1_000, 20_000);
    for number in 0..PEOPLE {
        let mut client = local(Role::Talker, (number % 1_000) as u16);
        (client.is_public, client.has_token, client.is_typed) = (false, number % 2 == 0, number % 3 > 0);
        (client.operations, client.every_ms, client.going) = (6, HOUR_MS / 3, Going::Stays);
        if number % 10 == 0 {
            (client.operations, client.going) =
                (1 + number as u32 % 3, [Going::Bye, Going::Reset][number as usize / 10 % 2]);
        }
        if number % 100 == 7 {
            (client.stops, client.is_fair) = (Some((HOUR_MS / 8, HOUR_MS / 2)), false);
        }
        let at = world.dice.below(HOUR_MS / 8);
        world.add(client, 4_096, at);
    }
    let (first, second) = (world.person(1_000), world.person(1_001));
    for minute in 0..12 {
        world.run((minute + 1) * HOUR_MS / 13);
        world.check_prompt((first, second), 1_000);
        world.say_at_length(first, Place::All, 100);
    }
    world.run(HOUR_MS);
    let (messages, heard) = world.ledger.counts();
    assert!(messages > 5_000 && heard > 20_000, "{messages} messages, heard {heard} times");
    assert_eq!(world.closed("too slow"), 0);
    world.finish();
}

#[test]
fn a_member_who_is_silent_by_datagrams_hears_by_its_connection_again() {
    let mut world = world(settings(), 10);
    let (talker, member) = (world.person(0), world.person(1));
    world.run_for(1_000);
    world.order(talker, "MAKE r0", &["227"], What::Enter { room: 0, is_wrong: false });
    world.run_for(100);
    world.order(member, "JOIN r0", &["227"], What::Enter { room: 0, is_wrong: false });
    world.run_for(100);
    let token = world.clients[member].token.clone().expect("a token");
    let datagram = [&[0, token.len() as u8], token.as_bytes()].concat();
    let (right, wrong) = (SocketAddr::from(([127, 0, 0, 1], 7)), SocketAddr::from(([198, 51, 100, 7], 7)));
    world.pinned.insert(right);
    for from in [wrong, right, wrong] {
        world.datagrams.push_back((from, datagram.clone()));
    }
    // By datagrams for a minute, and then by its connection again.
    for (after, by_datagram, by_connection) in [(10, 1, 0), (59_000, 2, 0), (2_000, 2, 1)] {
        world.run_for(after);
        let number = world.say_at_length(talker, Place::Room(0), 10);
        world.run_for(100);
        assert_eq!(world.datagrams_out.get(&right).copied().unwrap_or_default(), by_datagram, "after {after} ms");
        assert_eq!(world.ledger.heard(number), by_connection, "after {after} ms");
        world.ledger.excuse(number);
    }
    world.finish();
}
