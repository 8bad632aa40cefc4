//! Slow readers, and floods of them.

use super::*;

#[test]
fn a_flooded_reader_is_not_closed() {
    let mut world = world(settings(), 200);
    let pair = (world.person(198), world.person(199));
    let victim = world.person_who(0, |client| client.reading = Reading::Rate(2_500));
    let eves: Vec<_> = (1..151).map(|account| world.person(account)).collect();
    world.run_for(2_000);
    let said: Vec<_> =
        eves.iter().flat_map(|eve| [*eve; 5]).map(|eve| world.say_at_length(eve, Place::Account(0), LONGEST)).collect();
    world.check_prompt(pair, 10_000);
    assert!(said.iter().all(|number| world.ledger.heard(*number) == 1), "something was not heard");
    assert!(world.engine.counters.throttled > 0, "no speaker was throttled");
    world.check_in(&[victim]);
    world.finish();
}

#[test]
fn a_flood_to_everybody_closes_no_reader_on_a_slow_line() {
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
    assert!(world.engine.counters.throttled > 0, "no speaker was throttled");
    world.check_in(&readers);
    world.finish();
}

#[test]
fn members_that_stop_reading_are_closed_and_delay_nobody() {
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
    assert_eq!(world.engine.hub.everyone().len(), 6, "members that stopped reading are still there");
    world.finish();
    assert_eq!(world.engine.counters.closed[2], 60, "too slow");
}

#[test]
fn too_much_unread_for_too_long_closes() {
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
fn replies_to_clients_that_do_not_read_stay_few() {
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
fn the_largest_queues_go_when_memory_is_full() {
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
fn a_reader_that_takes_a_little_of_too_much_is_closed_at_the_lid() {
    let mut tight = settings();
    (tight.limits.rate_lines_per_s, tight.limits.rate_bytes_per_s) = (0, 0);
    (tight.limits.owed_bytes, tight.limits.owed_soft_bytes, tight.limits.owed_soft_s) = (16_384, 16_384, 1_000);
    let mut world = world(tight, 20);
    let slow = |client: &mut Client| (client.reading, client.is_fair) = (Reading::Rate(5), false);
    let victim = world.person_who(0, slow);
    world.wires[victim].capacity = 4_096;
    let eves: Vec<_> = (1..17).map(|account| world.person(account)).collect();
    world.run_for(2_000);
    for eve in eves.iter().flat_map(|eve| [*eve; 20]) {
        world.say_at_length(eve, Place::Account(0), LONGEST);
    }
    world.run_for(20_000);
    assert_eq!(world.closed("too slow"), 1);
    world.finish();
}
