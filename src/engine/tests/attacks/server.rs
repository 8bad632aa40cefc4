//! The server itself: reload, stop, idle, vanished peers, a crowd.

use super::*;
use crate::engine::Ready;

#[test]
fn new_settings_hold_for_open_connections() {
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
fn a_turn_ends_though_events_without_lines_never_cease() {
    let mut world = world(settings(), 10);
    let (paused, talker) = (world.person(0), world.person(1));
    world.run_for(1_000);
    for _ in 0..200 {
        world.order(paused, "NOOP", &["200"], What::Other); // it is paused for its rate
    }
    world.run_for(1_000);
    world.say_at_length(talker, Place::All, 20);
    world.wake_clients();
    world.wait();
    world.read();
    let id = world.clients[paused].session.expect("a session");
    let mut looks = 0;
    while world.engine.may_join() {
        world.engine.handle_ready(id, Ready { is_readable: true, ..Ready::default() });
        world.read_all();
        looks += 1;
        assert!(looks < 10_000, "the turn does not end");
    }
    assert!(looks > 100, "the turn ends after {looks} looks");
    world.run_for(30_000);
    world.finish();
}

#[test]
fn a_stop_tells_all_readers_and_waits_for_nobody() {
    for (reading, expected) in [(Reading::All, 0..=20), (Reading::Stopped, CLOSE_MS..=SHUTDOWN_MS)] {
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
fn events_without_lines_do_not_delay_the_flush() {
    let mut world = world(settings(), 10);
    let people: Vec<_> = (0..2).map(|account| world.person(account)).collect();
    world.run_for(1_000);
    world.say_at_length(people[0], Place::All, 20);
    world.wake_clients();
    world.wait();
    world.read();
    let mut looks = 0;
    while world.engine.may_join() && looks < 10_000 {
        world.engine.note_joined(1);
        looks += 1;
    }
    assert!((100..10_000).contains(&looks), "{looks} looks");
    world.flush();
    world.run_for(1_000);
    world.check_in(&people);
    world.finish();
}

#[test]
fn rounds_of_many_receivers_lose_nothing_while_people_come_and_go() {
    let mut world = world(settings(), 400);
    world.short_writes = 20;
    let mut people: Vec<_> = (0..200).map(|account| world.person(account)).collect();
    world.run_for(2_000);
    for account in 200..320 {
        people.push(world.person(account));
        let leaver = people.remove(usize::from(account) * 7 % 100);
        world.clients[leaver].going = [Going::Bye, Going::End, Going::Reset][usize::from(account) % 3];
        world.go(leaver);
        for place in (usize::from(account) % 11..people.len()).step_by(11) {
            if world.clients[people[place]].is_in() {
                world.say_at_length(people[place], Place::All, place);
            }
        }
        let to = world.clients[people[5]].account;
        if world.clients[people[3]].is_in() {
            world.say_at_length(people[3], Place::Account(to), 10);
        }
        world.run_for(3);
    }
    world.run_for(60_000);
    world.finish();
}

#[test]
fn a_close_that_panics_takes_no_message_from_others() {
    let mut world = world(settings(), 10);
    let [broken, other] = [0, 1].map(|account| world.person_who(account, |client| client.is_typed = true));
    let speaker = world.person_who(2, |client| client.is_typed = false);
    world.run_for(1_000);
    let id = world.wires[broken].id.expect("a connection");
    world.clients[broken].may_panic = true;
    let result = world.engine.guard(id, |engine| {
        engine.leave_public(id);
        panic!("a test wants this panic");
    });
    assert_eq!(result, None::<()>);
    world.run_for(1_000);
    let number = world.say_at_length(speaker, Place::All, 20);
    world.run_for(1_000);
    assert_eq!((world.closed("internal error"), world.ledger.heard(number)), (1, 1));
    world.check_in(&[other, speaker]);
    world.finish();
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
fn a_vanished_peer_is_found_and_a_stopped_one_is_kept() {
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
fn a_member_silent_by_datagrams_hears_by_its_connection_again() {
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
