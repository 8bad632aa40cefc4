//! A new hub with what an earlier run has kept.

use super::record::{Restored, RestoredRoom, Waiting};
use super::*;
use crate::limits::{KEPT_MEMBERS, KEPT_ROOMS, KEPT_ROOMS_EACH, WAITING_FROM_ONE};

fn kept_room(number: u32, shown: &str, owner: Option<&str>) -> KeptRoom {
    KeptRoom {
        id: KeptId(number),
        name: room(shown),
        owner: owner.map(account),
        ownerless_since_ms: 0,
        days: 7,
        topic: Some(Topic { by: "Alice".into(), text: "tea".into(), set_ms: 5 }),
        lock: Some(Lock::unsealed("word")),
    }
}

/// The lobby of Alice, with bob as the longest-standing member.
fn restored() -> Restored {
    let lobby =
        RestoredRoom { room: kept_room(4, "Lobby", Some("Alice")), members: vec![account("bob"), account("Alice")] };
    Restored { last_id: 5 << 20, last_room: 6, rooms: vec![lobby], waiting: vec![], ignores: vec![] }
}

fn hub_with(restored: Restored, rules: Rules) -> Hub {
    let mut hub = Hub::new(rules);
    hub.set_keeping(Keeping::On);
    hub.restore(restored);
    assert_eq!(said_and_kept(&mut hub), [""; 0]);
    hub
}

#[track_caller]
fn check_restored(setup: &[&str], step: &str, expected: &[&str]) {
    let mut hub = hub_with(restored(), RULES);
    for step in setup {
        carry_out(&mut hub, step, 1);
        drain(&mut hub);
        records(&mut hub);
    }
    carry_out(&mut hub, step, 1);
    assert_eq!(said_and_kept(&mut hub), expected, "{step} after {setup:?}");
}

#[test]
fn a_room_is_what_it_was() {
    for (member, owner) in [("Alice", " its owner"), ("bob", "")] {
        let arrived = format!("to nobody: {member} enters Lobby{owner}");
        let entered = [&arrived, "to 1.0: in Lobby#0 kept 7 days by Alice: tea"];
        check_restored(&[&format!("1 enter {member}")], "1 join lobby", &entered);
    }
    check_restored(&["1 enter carol"], "1 join lobby", &["to 1.0: needs a word"]);
    check_restored(&["1 enter carol"], "1 join lobby sword", &["to 1.0: wrong word for Lobby"]);
    check_restored(&["1 enter carol"], "1 names lobby", &["to 1.0: in Lobby [Alice absent, bob absent] of 2"]);
    check_restored(&["1 enter Alice"], "1 close lobby", &["to 1.0: done", "records", "room 4 gone"]);
    check_restored(&["1 enter carol"], "1 make LOBBY", &["to 1.0: Lobby is there"]);
    check_restored(
        &["1 enter Alice", "1 make tea"],
        "1 keep tea",
        &["to 1.0: waits for 1", "records", "room 7 tea of Alice 30d", "member 7 Alice #1"],
    );
    // Another account of that name is none of its members.
    check_restored(&["1 reenter bob"], "1 join lobby", &["to 1.0: needs a word"]);
    // The longest-standing member is still known.
    check_restored(
        &["server forget Alice"],
        &format!("server tend {}", 30 * 86_400_000_u64),
        &["records", "room 4 Lobby of nobody 7d since 2592000000 by Alice: tea locked"],
    );
    check_restored(
        &["server forget Alice", "server tend 1"],
        &format!("server tend {}", 1 + 30 * 86_400_000_u64),
        &["records", "room 4 Lobby of bob 7d by Alice: tea locked"],
    );
}

#[test]
fn ids_go_on_above_those_on_disk() {
    let first = |last_id: u64, unix_ms: u64| {
        let mut hub = hub_with(Restored { last_id, ..Restored::default() }, RULES);
        hub.draw_id(unix_ms)
    };
    assert_eq!(first(5_000 << 20, 9_000), 9_000 << 20);
    assert_eq!(first(5_000 << 20, 6_001), 6_001 << 20);
    assert_eq!(first(5_000 << 20, 5_500), (6_000 << 20) + 1);
    assert_eq!(first(5_000 << 20, 1), (6_000 << 20) + 1);
    assert_eq!(first(0, 1), 1 << 20);
    assert_eq!(hub_with(Restored { last_id: 7, ..Restored::default() }, RULES).last_id(), 7 + (1_000 << 20));
}

#[test]
fn what_waits_still_counts() {
    let waiting = vec![Waiting { to: account("carol"), from: account("bob"), count: WAITING_FROM_ONE }];
    let mut hub = hub_with(Restored { waiting, ..Restored::default() }, RULES);
    for (step, expected) in [
        ("1 enter bob", &["to 1.0: welcome bob, 1 online", "records", "account bob"][..]),
        ("1 mail carol hi", &["to 1.0: too many wait for carol"]),
        ("2 enter carol", &["to 2.0: welcome carol, 2 online", "records", "account carol"]),
        ("2 leave", &["records", "seen carol"]),
        ("1 mail carol hi", &["to 1.0: waits for 1", "records", "row @carol from bob: hi #1"]),
    ] {
        carry_out(&mut hub, step, 1);
        assert_eq!(said_and_kept(&mut hub), expected, "{step}");
    }
}

#[test]
fn rooms_with_one_name_are_one_room() {
    let again = RestoredRoom { room: kept_room(5, "LOBBY", Some("bob")), members: vec![account("bob")] };
    let mut both = restored();
    both.rooms.push(again);
    let hub = hub_with(both, RULES);
    assert_eq!((hub.rooms(), hub.kept_rooms_of(&name("bob"))), (1, vec![KeptId(4)]));
}

#[test]
fn an_owner_is_a_member() {
    let room = RestoredRoom { room: kept_room(1, "tea", Some("Alice")), members: vec![] };
    let hub = hub_with(Restored { rooms: vec![room], ..Restored::default() }, RULES);
    assert_eq!(hub.kept_rooms_of(&name("alice")), [KeptId(1)]);
}

/// So many kept rooms, of so many owners in turn, with these members besides.
fn many(rooms: usize, owners: usize, members: &[Account]) -> Restored {
    let rooms = (0..rooms).map(|n| {
        let room = kept_room(n as u32 + 1, &format!("room{n}"), Some(&format!("owner{}", n % owners)));
        RestoredRoom { room, members: members.to_vec() }
    });
    Restored { rooms: rooms.collect(), ..Restored::default() }
}

const WIDE: Rules = Rules { rooms_per_session: 5_000, ..RULES };

#[test]
fn an_account_owns_so_many_rooms() {
    let setup = ["0 enter owner0", "0 make tea"];
    let mut hub = hub_with(many(KEPT_ROOMS_EACH, 1, &[account("bob")]), WIDE);
    for step in setup {
        carry_out(&mut hub, step, 1);
    }
    drain(&mut hub);
    records(&mut hub);
    carry_out(&mut hub, "0 keep tea", 1);
    assert_eq!(said_and_kept(&mut hub), [format!("to 0.0: None owns {KEPT_ROOMS_EACH}")]);
    // Nor does anybody give it another one.
    for step in ["1 enter bob", "1 make cake", "0 join cake", "1 keep cake", "server kept 1"] {
        carry_out(&mut hub, step, 1);
    }
    drain(&mut hub);
    records(&mut hub);
    carry_out(&mut hub, "1 keep cake to OWNER0", 1);
    assert_eq!(said_and_kept(&mut hub), [format!("to 1.0: Some(UserName(owner0)) owns {KEPT_ROOMS_EACH}")]);
    // Who inherits is the first that may own another one.
    for step in ["1 leave", "server forget bob", "server tend 3000000000"] {
        carry_out(&mut hub, step, 1);
        drain(&mut hub);
    }
    let last = records(&mut hub).pop().unwrap();
    assert_eq!(spelled_record(&last), "deleted bob");
    assert!(hub.view_room(&room("cake")).unwrap().owner.is_none());
}

#[test]
fn there_are_so_many_kept_rooms() {
    let mut hub = hub_with(many(KEPT_ROOMS, KEPT_ROOMS, &[]), WIDE);
    for step in ["1 enter bob", "1 make tea"] {
        carry_out(&mut hub, step, 1);
    }
    drain(&mut hub);
    records(&mut hub);
    carry_out(&mut hub, "1 keep tea", 1);
    assert_eq!(said_and_kept(&mut hub), ["to 1.0: no more can be kept"]);
}

#[test]
fn there_are_so_many_members() {
    let members: Vec<Account> = (0..999).map(|n| account(&format!("member{n}"))).collect();
    let mut full = many(KEPT_MEMBERS / 1_000, 100, &members);
    full.rooms.iter_mut().for_each(|room| room.room.lock = None);
    let mut hub = Hub::new(WIDE);
    hub.set_keeping(Keeping::On);
    hub.restore(full);
    for (step, expected) in [
        ("1 enter bob", ""),
        ("1 make tea", ""),
        ("1 keep tea", "to 1.0: no more can be kept"),
        ("1 join room7", "to 1.0: no more can be kept"),
        ("2 enter member5", ""),
        ("2 part room7", "to 2.0: done"),
        ("1 keep tea", "to 1.0: waits for 1"),
    ] {
        carry_out(&mut hub, step, 1);
        let answer = std::iter::from_fn(|| hub.poll_event()).last();
        let answer =
            answer.map(|(audience, event)| format!("{}: {}", spelled_audience(&hub, &audience), spelled_event(&event)));
        assert!(expected.is_empty() || answer.as_deref() == Some(expected), "{step}: {answer:?}");
    }
}

#[test]
fn an_account_is_seen_until_its_last_session_has_ended() {
    let mut hub = Hub::new(RULES);
    hub.set_keeping(Keeping::On);
    let alice = Account { name: UserName::parse("alice").unwrap(), since: 1 };
    let who = SessionId { slot: 0, generation: 0 };
    hub.handle(who, Command::LogIn { who: alice.name.clone().into(), since: 1, called: None }, 1_000);
    hub.handle(who, Command::Leave { text: None }, 900_000);
    let records: Vec<Record> = std::iter::from_fn(|| hub.poll_record()).map(|out| out.record).collect();
    assert_eq!(records.last(), Some(&Record::Seen(alice, 900_000 << 20)), "nobody has said anything");
}
