//! Kept rooms.

use super::*;

/// Alice (1, 3) owns the lobby, which is kept; bob (2) is a member and there, carol (4) is neither.
const KEPT: &[&str] = &[
    "1 enter Alice",
    "2 enter bob",
    "3 enter Alice",
    "4 enter carol",
    "1 make Lobby",
    "2 join lobby",
    "1 keep lobby",
    "server kept 1",
];

#[track_caller]
fn check_in(setup: &[&str], step: &str, expected: &[&str]) {
    check_kept(&[KEPT, setup].concat(), step, expected);
}

#[test]
fn keeping() {
    let setup = &KEPT[..6];
    check_kept(
        setup,
        "1 keep LOBBY 7",
        &["to 1.0: waits for 1", "records", "room 1 Lobby of Alice 7d", "member 1 Alice", "member 1 bob #1"],
    );
    check_kept(
        &[setup, &["1 keep lobby"]].concat(),
        "server kept 1",
        &["to 1.0 2.0: Lobby is kept 30 days", "to 1.0: done"],
    );
    check_kept(&[setup, &["1 keep lobby"]].concat(), "server lost 1", &["to 1.0: not kept", "records", "room 1 gone"]);
    check_kept(setup, "2 keep lobby", &["to 2.0: not host of Lobby"]);
    check_kept(setup, "4 keep lobby", &["to 4.0: not in Lobby"]);
    check_kept(setup, "4 keep tea", &["to 4.0: no such room"]);
    check_kept(setup, "1 keep lobby 31", &["to 1.0: at most 30 days"]);
    check_kept(setup, "1 keep lobby off", &["to 1.0: done"]);
    check_kept(setup, "1 keep lobby to bob", &["to 1.0: bob is not there"]);
    check(setup, "1 keep lobby", &["to 1.0: nothing is kept"]);
    check(&["8 found zoe tea"], "8 keep tea", &["to 8.0: needs an account"]);
}

#[test]
fn a_room_that_is_not_kept_after_all_is_as_before() {
    let lost = [&KEPT[..7], &["server lost 1"]].concat();
    check_kept(&lost, "2 join lobby", &["to 2.0: in Lobby#0"]);
    check_kept(
        &lost,
        "1 part lobby",
        &["to 2.0: Alice leaves Lobby", "to 2.0: bob is host of Lobby", "to 1.0: done", "ended 1.0#0"],
    );
    // Without its owner it gets a host, and without anybody it closes.
    let left = [&KEPT[..7], &["1 part lobby"]].concat();
    check_kept(&left, "server lost 1", &["to 2.0: bob is host of Lobby", "to 1.0: not kept", "records", "room 1 gone"]);
    let empty = [&left[..], &["2 leave"]].concat();
    check_kept(&empty, "4 rooms", &["to 4.0: rooms [Lobby 0 kept] of 1"]);
    check_kept(&[&empty[..], &["server lost 1"]].concat(), "4 rooms", &["to 4.0: rooms [] of 0"]);
    // A room that is made meanwhile is another one.
    let closed = [&KEPT[..7], &["1 close lobby", "4 make lobby"]].concat();
    check_kept(&closed, "server lost 1", &["to 1.0: not kept"]);
    check_kept(&closed, "server kept 1", &["to 1.0: no such room"]);
    check_kept(
        &[&closed[..], &["server kept 1"]].concat(),
        "1 join lobby",
        &["to 4.0: Alice enters lobby", "to 1.0: in lobby#0"],
    );
    // Kept again, it has another id.
    check_kept(
        &[&lost[..], &["1 keep lobby"]].concat(),
        "server kept 2",
        &["to 1.0 2.0: Lobby is kept 30 days", "to 1.0: done"],
    );
    check_kept(
        &lost,
        "1 keep lobby",
        &["to 1.0: waits for 2", "records", "room 2 Lobby of Alice 30d", "member 2 Alice", "member 2 bob #2"],
    );
}

#[test]
fn who_has_gone_is_not_answered_but_the_room_is_kept() {
    check_kept(&[&KEPT[..7], &["1 leave"]].concat(), "server kept 1", &["to 2.0: Lobby is kept 30 days"]);
}

#[test]
fn an_empty_kept_room_stays() {
    check_in(&["1 part lobby", "2 leave"], "4 rooms", &["to 4.0: rooms [Lobby 0 kept] of 1"]);
    check_in(&["1 leave", "2 leave"], "4 names lobby", &["to 4.0: in Lobby [Alice absent, bob absent] of 2"]);
    check_in(
        &["1 leave", "2 leave"],
        "4 join lobby",
        &["to nobody: carol enters Lobby", "to 4.0: in Lobby#0 kept 30 days", "records", "member 1 carol"],
    );
    check_in(&["1 leave", "2 leave"], "4 make lobby", &["to 4.0: Lobby is there"]);
    // A guest may enter it, and is no member.
    check_in(
        &["1 leave", "2 leave"],
        "8 visit zoe lobby",
        &["to nobody: ~zoe enters Lobby", "to 8.0: in Lobby#0 kept 30 days"],
    );
    check_in(&["1 leave", "2 leave", "8 visit zoe lobby"], "8 leave", &["ended 8.0#0"]);
}

#[test]
fn nobody_succeeds_the_owner() {
    check_in(&[], "1 leave", &["to 2.0: Alice leaves Lobby", "ended 1.0#0"]);
    check_in(&[], "1 part lobby", &["to 2.0: Alice leaves Lobby", "to 1.0: done", "ended 1.0#0"]);
    check_in(&["1 part lobby"], "2 kick lobby alice", &["to 2.0: not host of Lobby"]);
    check_in(&["1 part lobby"], "2 names lobby", &["to 2.0: in Lobby [bob, Alice absent] of 2"]);
    // Any session of the owner's that is there is host.
    check_in(&["1 part lobby"], "3 lock lobby word", &["to 3.0: not in Lobby"]);
    check_in(
        &["1 part lobby", "3 join lobby"],
        "3 lock lobby word",
        &["to 3.0: done", "records", "room 1 Lobby of Alice 30d locked"],
    );
    check_in(&[], "4 names lobby", &["to 4.0: in Lobby [Alice host, bob] of 2"]);
    check_in(
        &["3 join lobby"],
        "1 kick lobby alice",
        &[
            "to 1.0: Alice leaves Lobby, kicked",
            "to 3.0: Alice leaves Lobby, kicked",
            "to 2.0: Alice leaves Lobby, kicked",
            "to 1.0: done",
            "ended 1.0#0 3.0#0",
        ],
    );
}

#[test]
fn joining_makes_a_member() {
    let joined = ["to 1.0 2.0: carol enters Lobby", "to 4.0: in Lobby#0 kept 30 days", "records", "member 1 carol"];
    check_in(&[], "4 join lobby", &joined);
    // A member enters without the password, others do not.
    let locked = ["2 leave", "1 lock lobby word"];
    check_in(&locked, "4 join lobby", &["to 4.0: needs a word"]);
    check_in(&locked, "8 visit bob lobby", &["to 8.0: needs a word"]);
    let back = ["2 leave", "1 lock lobby word", "2.1 enter bob"];
    for given in ["lobby", "lobby sword"] {
        let expected = ["to 1.0: bob enters Lobby", "to 2.1: in Lobby#0 kept 30 days"];
        check_in(&back, &format!("2.1 join {given}"), &expected);
    }
    check_in(&["1 lock lobby word", "1 lock lobby"], "4 join lobby", &joined);
    // The places of the room are for those who are there.
    check_in(
        &["3 join lobby", "2 leave"],
        "4 join lobby",
        &["to 1.0 3.0: carol enters Lobby", "to 4.0: in Lobby#0 kept 30 days", "records", "member 1 carol"],
    );
}

#[test]
fn leaving_with_the_last_session_ends_membership() {
    let gone = ["to 1.0: bob leaves Lobby", "to 2.0: done", "ended 2.0#0", "records", "no member 1 bob"];
    check_in(&[], "2 part lobby", &gone);
    check_in(
        &["5 enter bob", "5 join lobby"],
        "2 part lobby",
        &["to 1.0 5.0: bob leaves Lobby, still there", "to 2.0: done", "ended 2.0#0"],
    );
    check_in(
        &["5 enter bob", "5 join lobby"],
        "5 leave",
        &["to 1.0 2.0: bob leaves Lobby, still there", "ended 5.0#0"],
    );
    // From outside, if no session of the account is there.
    let outside = ["5 enter bob", "2 leave"];
    check_in(&outside, "5 part lobby", &["to 5.0: done", "records", "no member 1 bob"]);
    check_in(&["5 enter bob"], "5 part lobby", &["to 5.0: not in Lobby"]);
    check_in(&["5 enter bob", "2 leave", "5 part lobby"], "5 part lobby", &["to 5.0: not in Lobby"]);
    check_in(&[], "4 part lobby", &["to 4.0: not in Lobby"]);
    // The owner stays a member.
    check_in(&["1 part lobby"], "1 part lobby", &["to 1.0: done"]);
    check_in(&["1 part lobby"], "4 names lobby", &["to 4.0: in Lobby [bob, Alice absent] of 2"]);
    // The end of a session ends nothing.
    check_in(&[], "2 leave", &["to 1.0: bob leaves Lobby, offline", "ended 2.0#0", "records", "seen bob"]);
}

#[test]
fn kicking_ends_membership() {
    check_in(
        &[],
        "1 kick lobby bob",
        &[
            "to 2.0: bob leaves Lobby, kicked",
            "to 1.0: bob leaves Lobby, kicked",
            "to 1.0: done",
            "ended 2.0#0",
            "records",
            "no member 1 bob",
        ],
    );
    check_in(&["2 leave"], "1 kick lobby BOB", &["to 1.0: done", "records", "no member 1 bob"]);
    check_in(&["2 leave", "1 kick lobby bob"], "1 kick lobby bob", &["to 1.0: bob is not there"]);
    check_in(&[], "1 kick lobby carol", &["to 1.0: carol is not there"]);
    check_in(&["1 lock lobby word", "1 kick lobby bob"], "2 join lobby", &["to 2.0: needs a word"]);
    check_in(&["2 leave"], "1 kick lobby ~bob", &["to 1.0: ~bob is not there"]);
}

#[test]
fn what_is_said_in_a_kept_room() {
    let fate = |setup: &[&str], step: &str| {
        let mut hub = hub_after(&[&["server on"], KEPT, setup].concat());
        carry_out(&mut hub, step, 1);
        drain(&mut hub).0.into_iter().find_map(|(_, event)| {
            let Event::SaidIn { message, .. } = event else { return None };
            Some(message.fate)
        })
    };
    let here = || Spot::Room(KeptId(1));
    assert_eq!(fate(&[], "1 rm lobby hi"), Some(Fate::Kept(here())));
    assert_eq!(fate(&["8 visit zoe lobby"], "8 rm lobby hi"), Some(Fate::Kept(here())));
    assert_eq!(fate(&["server full"], "1 rm lobby hi"), Some(Fate::Dropped(here())));
    assert_eq!(fate(&["1 keep lobby 0", "server kept 2"], "1 rm lobby hi"), Some(Fate::Unkept));
    assert_eq!(fate(&["1 keep lobby off", "server kept 2"], "1 rm lobby hi"), Some(Fate::Unkept));
    assert_eq!(fate(&["1 keep lobby off", "server lost 2"], "1 rm lobby hi"), Some(Fate::Kept(here())));
}

#[test]
fn other_days() {
    check_in(&[], "1 keep lobby 5", &["to 1.0: waits for 2", "records", "room 1 Lobby of Alice 5d #2"]);
    let days = ["1 keep lobby 5"];
    check_in(
        &days,
        "4 join lobby",
        &["to 1.0 2.0: carol enters Lobby", "to 4.0: in Lobby#0 kept 30 days", "records", "member 1 carol"],
    );
    check_in(&days, "server kept 2", &["to 1.0 2.0: Lobby is kept 5 days", "to 1.0: done"]);
    check_in(&days, "server lost 2", &["to 1.0: not kept", "records", "room 1 Lobby of Alice 30d"]);
    // What changes meanwhile is kept with it, whatever comes of it.
    let changed = ["1 keep lobby 5", "1 settopic lobby tea"];
    check_in(
        &days,
        "1 settopic lobby tea",
        &["to 1.0 2.0: Lobby by Alice: tea", "to 1.0: done", "records", "room 1 Lobby of Alice 5d by Alice: tea"],
    );
    check_in(&changed, "server lost 2", &["to 1.0: not kept", "records", "room 1 Lobby of Alice 30d by Alice: tea"]);
    // One thing at a time.
    check_in(&["3 join lobby", "1 keep lobby 5"], "3 keep lobby 6", &["to 3.0: not kept"]);
    check_in(
        &["1 keep lobby 5", "server kept 2"],
        "1 keep lobby 0",
        &["to 1.0: waits for 3", "records", "room 1 Lobby of Alice 0d #3"],
    );
    check_in(
        &["1 keep lobby 0", "server kept 2"],
        "4 join lobby",
        &["to 1.0 2.0: carol enters Lobby", "to 4.0: in Lobby#0 kept 0 days", "records", "member 1 carol"],
    );
}

#[test]
fn keeping_no_longer() {
    let off = ["1 keep lobby off"];
    check_in(&[], "1 keep lobby off", &["to 1.0: waits for 2", "records", "room 1 gone #2"]);
    check_in(&off, "server kept 2", &["to 1.0 2.0: Lobby is not kept", "to 1.0: done"]);
    check_in(
        &["1 keep lobby off", "server kept 2"],
        "1 part lobby",
        &["to 2.0: Alice leaves Lobby", "to 2.0: bob is host of Lobby", "to 1.0: done", "ended 1.0#0"],
    );
    // The owner has left meanwhile.
    check_in(
        &["1 keep lobby off", "1 leave"],
        "server kept 2",
        &["to 2.0: Lobby is not kept", "to 2.0: bob is host of Lobby"],
    );
    // An empty room is gone.
    let left = ["1 keep lobby off", "2 leave", "1 part lobby"];
    check_in(&left, "server kept 2", &["to nobody: Lobby is not kept", "to 1.0: done"]);
    check_in(&[&left[..], &["server kept 2"]].concat(), "1 rooms", &["to 1.0: rooms [] of 0"]);
    // If that does not get to the disk, the room stays as it is, with what has changed meanwhile.
    let again = ["room 1 Lobby of Alice 30d", "member 1 Alice", "member 1 bob"];
    check_in(&off, "server lost 2", &[&["to 1.0: not kept", "records"], &again[..]].concat());
    check_in(
        &off,
        "2 part lobby",
        &["to 1.0: bob leaves Lobby", "to 2.0: done", "ended 2.0#0", "records", "no member 1 bob"],
    );
    check_in(&off, "4 join lobby", &["to 1.0 2.0: carol enters Lobby", "to 4.0: in Lobby#0 kept 30 days"]);
    check_in(
        &["1 keep lobby off", "4 join lobby", "1 settopic lobby tea", "2 rm lobby a", "2 rm lobby b"],
        "server lost 2",
        &[
            "to 1.0: not kept",
            "records",
            "room 1 Lobby of Alice 30d by Alice: tea",
            "member 1 Alice",
            "member 1 bob",
            "member 1 carol",
            "hole room 1: Some(2)",
        ],
    );
    check_in(&["1 keep lobby off", "1 close lobby"], "server kept 2", &["to 1.0: done"]);
    check_in(&["1 keep lobby off", "1 close lobby"], "server lost 2", &["to 1.0: not kept"]);
}

#[test]
fn handing_over() {
    let to_bob = ["1 keep lobby to BOB"];
    check_in(&[], "1 keep lobby to BOB", &["to 1.0: waits for 2", "records", "room 1 Lobby of bob 30d #2"]);
    check_in(&to_bob, "server kept 2", &["to 1.0 2.0: bob is host of Lobby after Alice", "to 1.0: done"]);
    check_in(&to_bob, "server lost 2", &["to 1.0: not kept", "records", "room 1 Lobby of Alice 30d"]);
    check_in(&to_bob, "2 lock lobby word", &["to 2.0: not host of Lobby"]);
    check_in(&["1 keep lobby to bob", "server kept 2"], "1 lock lobby word", &["to 1.0: not host of Lobby"]);
    check_in(
        &["1 keep lobby to bob", "server kept 2", "2 part lobby"],
        "4 names lobby",
        &["to 4.0: in Lobby [Alice, bob absent] of 2"],
    );
    check_in(&["2 leave", "1 keep lobby to bob"], "server kept 2", &["to 1.0: done"]);
    check_in(&[], "1 keep lobby to carol", &["to 1.0: carol is not there"]);
    check_in(&[], "1 keep lobby to alice", &["to 1.0: waits for 2", "records", "room 1 Lobby of Alice 30d #2"]);
    check_in(&["1 keep lobby to alice"], "server kept 2", &["to 1.0: done"]);
    // An heir that has left, or whose account was deleted, gets nothing.
    let left = ["to 1.0: bob is not there", "records", "room 1 Lobby of Alice 30d"];
    check_in(&["1 keep lobby to bob", "2 part lobby"], "server kept 2", &left);
    check_in(&["1 keep lobby to bob", "2 leave", "server forget bob", "2.1 reenter bob"], "server kept 2", &left);
    // The former owner is a member like others now.
    check_in(
        &["1 keep lobby to bob", "server kept 2"],
        "1 part lobby",
        &["to 2.0: Alice leaves Lobby", "to 1.0: done", "ended 1.0#0", "records", "no member 1 Alice"],
    );
}

#[test]
fn closing() {
    let closed =
        ["to 1.0 2.0: Lobby closed by its host", "to 1.0: done", "ended 1.0#0 2.0#0", "records", "room 1 gone"];
    check_in(&[], "1 close lobby", &closed);
    // The owner need not be there; others must.
    check_in(
        &["1 leave"],
        "3 close lobby",
        &["to 2.0: Lobby closed by its host", "to 3.0: done", "ended 2.0#0", "records", "room 1 gone"],
    );
    check_in(&["1 part lobby", "2 leave"], "1 close lobby", &["to 1.0: done", "records", "room 1 gone"]);
    check_in(&[], "4 close lobby", &["to 4.0: not in Lobby"]);
    check_in(&[], "2 close lobby", &["to 2.0: not host of Lobby"]);
    // A room that is made anew inherits nothing.
    check_in(&["1 close lobby", "4 make lobby"], "2 part lobby", &["to 2.0: not in lobby"]);
    check_in(&["1 close lobby", "4 make lobby word"], "2 join lobby", &["to 2.0: needs a word"]);
    let mut hub = hub_after(&[&["server on"], KEPT].concat());
    assert!(hub.close_by_operator(&room("LOBBY"), "spam"));
    let expected = ["to 1.0 2.0: Lobby closed by the operator: spam", "ended 1.0#0 2.0#0", "records", "room 1 gone"];
    assert_eq!(said_and_kept(&mut hub), expected);
}

#[test]
fn a_deleted_owner_has_no_successor_for_a_while() {
    const DAY: u64 = 86_400_000;
    let deleted = ["1 leave", "3 leave", "server forget Alice"];
    check_in(
        &deleted[..2],
        "server forget Alice",
        &["records", "room 1 Lobby of nobody 30d since 1", "no member 1 Alice", "deleted Alice"],
    );
    check_in(&deleted, "2 lock lobby word", &["to 2.0: not host of Lobby"]);
    check_in(&deleted, "2 close lobby", &["to 2.0: not host of Lobby"]);
    check_in(&deleted, "4 names lobby", &["to 4.0: in Lobby [bob] of 1"]);
    check_in(&deleted, &format!("server tend {}", 30 * DAY), &[]);
    let due = format!("server tend {}", 30 * DAY + 1);
    check_in(&deleted, &due, &["to 2.0: bob is host of Lobby", "records", "room 1 Lobby of bob 30d"]);
    // The longest-standing member account, whether it is there or not.
    check_in(&[&["4 join lobby", "2 leave"], &deleted[..]].concat(), &due, &["records", "room 1 Lobby of bob 30d"]);
    // Without member accounts it closes.
    let guest = [&["8 visit zoe lobby", "2 part lobby"], &deleted[..]].concat();
    check_in(&guest, &due, &["to 8.0: Lobby closed, its host has left", "ended 8.0#0", "records", "room 1 gone"]);
    // Who registers the name anew inherits nothing.
    check_in(&[&deleted[..], &["1.1 reenter Alice"]].concat(), "1.1 part lobby", &["to 1.1: not in Lobby"]);
    check_in(&[&deleted[..], &["1.1 reenter Alice"]].concat(), "1.1 close lobby", &["to 1.1: not in Lobby"]);
}

#[test]
fn an_account_that_was_registered_anew_has_nothing_of_the_older_one() {
    // The server was not told of the deletion.
    check_in(
        &["1 leave", "3 leave"],
        "1.1 reenter Alice",
        &[
            "to 1.1: welcome Alice, 3 online",
            "records",
            "room 1 Lobby of nobody 30d since 1",
            "no member 1 Alice",
            "deleted Alice",
            "account Alice/2",
        ],
    );
    check_in(
        &["1 lock lobby word", "2 leave"],
        "2.1 reenter bob",
        &["to 2.1: welcome bob, 3 online", "records", "no member 1 bob", "deleted bob", "account bob/2"],
    );
}

#[test]
fn topics() {
    let set = ["to 1.0 2.0: Lobby by Alice: tea at five", "to 1.0: done"];
    let record = ["records", "room 1 Lobby of Alice 30d by Alice: tea at five"];
    check_in(&[], "1 settopic lobby tea at five", &[&set[..], &record[..]].concat());
    // Rooms that are not kept have topics too, also without a store.
    check(&KEPT[..6], "1 settopic lobby tea at five", &set);
    check(&KEPT[..6], "1 settopic lobby ", &["to 1.0: done"]);
    let with = [&KEPT[..6], &["1 settopic lobby tea"]].concat();
    check(&with, "1 settopic lobby ", &["to 1.0 2.0: Lobby by Alice: ", "to 1.0: done"]);
    check(&with, "2 topic lobby", &["to 2.0: shown Lobby by Alice: tea"]);
    check(&[&with[..], &["1 settopic lobby "]].concat(), "2 topic lobby", &["to 2.0: Lobby has no topic"]);
    check(&with, "2 settopic lobby x", &["to 2.0: not host of Lobby"]);
    check(&with, "4 topic lobby", &["to 4.0: not in Lobby"]);
    check(&with, "4 topic cake", &["to 4.0: no such room"]);
    check(&with, "4 settopic lobby x", &["to 4.0: not in Lobby"]);
    // Who enters is told.
    check(&with, "4 join lobby", &["to 1.0 2.0: carol enters Lobby", "to 4.0: in Lobby#0 by Alice: tea"]);
    check(&with, "2 join lobby", &["to 2.0: in Lobby#0 by Alice: tea"]);
    check(
        &[&with[..], &["2 part lobby"]].concat(),
        "8 visit zoe lobby",
        &["to 1.0: ~zoe enters Lobby", "to 8.0: in Lobby#0 by Alice: tea"],
    );
    // A member account of a kept room sees it from outside.
    check_in(
        &["1 settopic lobby tea", "2 leave", "2.1 enter bob"],
        "2.1 topic lobby",
        &["to 2.1: shown Lobby by Alice: tea"],
    );
    check_in(&["1 settopic lobby tea"], "4 topic lobby", &["to 4.0: not in Lobby"]);
}

#[test]
fn locks() {
    let setup = &KEPT[..6];
    check(setup, "1 lock lobby word", &["to 1.0: done"]);
    check(setup, "2 lock lobby word", &["to 2.0: not host of Lobby"]);
    check(setup, "4 lock lobby word", &["to 4.0: not in Lobby"]);
    check(setup, "4 lock cake word", &["to 4.0: no such room"]);
    let locked = [setup, &["1 lock lobby word"]].concat();
    check(&locked, "4 join lobby", &["to 4.0: needs a word"]);
    check(&locked, "4 join lobby sword", &["to 4.0: wrong word for Lobby"]);
    let entered = ["to 1.0 2.0: carol enters Lobby", "to 4.0: in Lobby#0"];
    check(&locked, "4 join lobby word", &entered);
    check(&[&locked[..], &["1 lock lobby"]].concat(), "4 join lobby", &entered);
    check_in(&[], "1 lock lobby word", &["to 1.0: done", "records", "room 1 Lobby of Alice 30d locked"]);
}

#[test]
fn an_account_is_a_member_of_so_many_kept_rooms() {
    let two = ["1 make tea", "1 keep tea", "server kept 2"];
    check_in(&two, "3 make cake", &["to 3.0: in cake#2"]);
    check_in(&[&two[..], &["3 make cake"]].concat(), "3 keep cake", &["to 3.0: member of 2"]);
    let carols = ["4 make tea", "4 make cake", "4 keep tea", "4 keep cake", "server kept 2", "server kept 3"];
    check_in(&[&carols[..], &["4 part cake"]].concat(), "4 join lobby", &["to 4.0: member of 2"]);
    // Somebody who may not become one stays in a room that is kept now, and may enter it again once there is room.
    let setup = ["2 make tea", "1 join tea", "4 make cake", "4 keep cake", "server kept 2"];
    let full = [&setup[..], &["4 make pie", "4 keep pie", "server kept 3", "4 part pie", "4 join tea"]].concat();
    check_in(
        &full,
        "2 keep tea",
        &["to 2.0: waits for 4", "records", "room 4 tea of bob 30d", "member 4 bob", "member 4 Alice #4"],
    );
    let kept = [&full[..], &["2 keep tea", "server kept 4"]].concat();
    check_in(&kept, "4 rm tea hi", &["to 2.0 1.0: carol says in tea hi", "to 4.0: sent to 2"]);
    check_in(
        &[&kept[..], &["4 close pie"]].concat(),
        "4 join tea",
        &["to 4.0: in tea#1 kept 30 days", "records", "member 4 carol"],
    );
}

#[test]
fn operators_see_what_is_kept() {
    let hub = hub_after(&[&["server on"], KEPT, &["1 leave"]].concat());
    let view = hub.view_room(&room("lobby")).unwrap();
    assert_eq!((view.kept, view.owner, view.host), (Some(30), Some(name("Alice")), None));
    let hub = hub_after(&[&["server on"], KEPT].concat());
    assert_eq!(hub.view_room(&room("lobby")).unwrap().host, Some(Who::Account(name("Alice"))));
    assert_eq!(hub.names_in(&room("lobby")).unwrap(), [(name("Alice").into(), true), (name("bob").into(), false)]);
}

#[test]
fn queries() {
    let hub = hub_after(&[&["server on"], KEPT, &["2 leave"]].concat());
    assert_eq!(hub.kept_rooms_of(&name("BOB")), [KeptId(1)]);
    assert_eq!(hub.kept_rooms_of(&name("carol")), []);
    assert_eq!(hub.kept_room_of(&name("bob"), &room("LOBBY")), Some(KeptId(1)));
    assert_eq!(hub.kept_room_of(&name("carol"), &room("lobby")), None);
    assert_eq!(hub.kept_room_of(&name("bob"), &room("tea")), None);
    assert_eq!(hub.name_of_kept(KeptId(1)).map(RoomName::as_str), Some("Lobby"));
    assert_eq!(hub.name_of_kept(KeptId(2)), None);
}

#[test]
fn absent_members_are_listed_within_bounds() {
    let setup = [KEPT, &["4 join lobby", "2 leave", "4 leave"]].concat();
    check_kept(&setup, "1 names lobby", &["to 1.0: in Lobby [Alice host, bob absent, carol absent] of 3"]);
    check_kept(&setup, "1 names lobby B", &["to 1.0: in Lobby [bob absent] of 1"]);
    check_kept(&setup, "1 names lobby ~", &["to 1.0: in Lobby [] of 0"]);
    check_kept(&setup, "1 rooms", &["to 1.0: rooms [Lobby 1 kept] of 1"]);
    let mut hub = hub_after(&[&["server on"], &setup[..]].concat());
    hub.set_rules(Rules { list_lines: 2, ..RULES });
    carry_out(&mut hub, "1 names lobby", 1);
    assert_eq!(said(&mut hub), ["to 1.0: in Lobby [Alice host, bob absent] of 3"]);
}
