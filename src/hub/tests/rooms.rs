//! Rooms of accounts.

use super::*;

/// Alice (1) is host of the lobby. Alice (3) and bob (2) are members, carol (4) is not.
const LOBBY: &[&str] =
    &["1 enter Alice", "2 enter bob", "3 enter Alice", "4 enter carol", "1 make Lobby", "2 join lobby", "3 join LOBBY"];

/// Like `check`, after `LOBBY`.
#[track_caller]
fn check_in(setup: &[&str], step: &str, expected: &[&str]) {
    check(&[LOBBY, setup].concat(), step, expected);
}

#[test]
fn making() {
    check(THREE, "1 make Lobby", &["to 1.0: in Lobby#0"]);
    check(&[THREE, &["1 make Lobby"]].concat(), "2 make lobby", &["to 2.0: Lobby is there"]);
    check(&[THREE, &["1 make Lobby"]].concat(), "1 make LOBBY", &["to 1.0: Lobby is there"]);
    check(&[THREE, &["1 make gru\u{308}n"]].concat(), "2 make GRÜN", &["to 2.0: grün is there"]);
    check(&[THREE, &["1 make Lobby"]].concat(), "2 make tea", &["to 2.0: in tea#1"]);
}

#[test]
fn joining_is_announced_to_members() {
    check_in(&["3 part lobby"], "4 join lobby", &["to 1.0 2.0: carol enters Lobby", "to 4.0: in Lobby#0"]);
    check_in(&[], "4 join tea", &["to 4.0: no such room"]);
    // A second session of a member's account enters like any other.
    check(&LOBBY[..6], "3 join lobby", &["to 1.0 2.0: Alice enters Lobby again", "to 3.0: in Lobby#0"]);
}

#[test]
fn joining_again_is_not_announced() {
    check_in(&[], "2 join LOBBY", &["to 2.0: in Lobby#0"]);
    check_in(&[], "1 join lobby", &["to 1.0: in Lobby#0"]);
    // Limits and passwords do not matter to a member.
    check_in(&["2 make tea"], "2 join lobby", &["to 2.0: in Lobby#0"]);
    check(&["1 enter a", "1 make tea word"], "1 join tea sword", &["to 1.0: in tea#0"]);
    // A former member enters like any other.
    check_in(&["2 part lobby"], "2 join lobby", &["to 1.0 3.0: bob enters Lobby", "to 2.0: in Lobby#0"]);
}

#[test]
fn passwords() {
    const LOCKED: &[&str] = &["1 enter Alice", "2 enter bob", "1 make tea word"];
    for wrong in [" sword", " Word", " wor", " words", "  word", " word "] {
        check(LOCKED, &format!("2 join Tea{wrong}"), &["to 2.0: wrong word for tea"]);
    }
    for none in ["", " "] {
        check(LOCKED, &format!("2 join tea{none}"), &["to 2.0: needs a word"]);
    }
    check(LOCKED, "2 join tea word", &["to 1.0: bob enters tea", "to 2.0: in tea#0"]);
    check(LOCKED, "2 rooms", &["to 2.0: rooms [tea 1 locked] of 1"]);
    // Any password is right for a room without one. An empty password is none.
    for setup in ["1 make tea", "1 make tea "] {
        for word in ["", " ", " word"] {
            let expected = ["to 1.0: bob enters tea", "to 2.0: in tea#0"];
            check(&["1 enter Alice", "2 enter bob", setup], &format!("2 join tea{word}"), &expected);
        }
        check(&["1 enter Alice", setup], "1 rooms", &["to 1.0: rooms [tea 1] of 1"]);
    }
    // The password ends with its room.
    check(
        &[LOCKED, &["1 part tea", "2 make tea"]].concat(),
        "1 join tea",
        &["to 2.0: Alice enters tea", "to 1.0: in tea#0"],
    );
}

#[test]
fn limits() {
    check_in(&[], "4 join lobby", &["to 4.0: Lobby is full"]);
    check_in(&["3 part lobby"], "4 join lobby", &["to 1.0 2.0: carol enters Lobby", "to 4.0: in Lobby#0"]);
    check_in(&["4 make tea", "4 make cake"], "4 make pie", &["to 4.0: in 2 rooms"]);
    check_in(&["3 part lobby", "4 make tea", "4 make cake"], "4 join lobby", &["to 4.0: in 2 rooms"]);
    check_in(&["4 make tea", "4 make cake", "4 part tea"], "4 make pie", &["to 4.0: in pie#1"]);
    // Each session of an account has rooms of its own.
    check_in(&["1 make tea"], "3 make cake", &["to 3.0: in cake#2"]);
}

#[test]
fn new_limits_remove_no_member() {
    let mut hub = hub_after(&[LOBBY, &["1 make tea"]].concat());
    hub.set_rules(Rules { rooms_per_session: 1, room_members: 1, ..RULES });
    for (step, expected) in [
        ("1 rm lobby hi", &["to 2.0 3.0: Alice says in Lobby hi", "to 1.0: sent to 2"][..]),
        ("4 join lobby", &["to 4.0: Lobby is full"]),
        ("1 make cake", &["to 1.0: in 1 rooms"]),
        ("1 join lobby", &["to 1.0: in Lobby#0"]),
    ] {
        carry_out(&mut hub, step, 1);
        assert_eq!(said(&mut hub), expected, "{step}");
    }
}

#[test]
fn leaving_a_room() {
    check_in(&[], "2 part lobby", &["to 1.0 3.0: bob leaves Lobby", "to 2.0: done", "ended 2.0#0"]);
    check_in(&[], "4 part lobby", &["to 4.0: not in Lobby"]);
    check_in(&[], "4 part tea", &["to 4.0: no such room"]);
    check_in(&["2 part lobby"], "2 part lobby", &["to 2.0: not in Lobby"]);
    check_in(&["2 part lobby"], "2 rm lobby hi", &["to 2.0: not in Lobby"]);
}

#[test]
fn the_longest_standing_member_becomes_host() {
    check_in(
        &[],
        "1 part lobby",
        &[
            "to 2.0 3.0: Alice leaves Lobby, still there",
            "to 2.0 3.0: bob is host of Lobby",
            "to 1.0: done",
            "ended 1.0#0",
        ],
    );
    check_in(
        &["2 part lobby", "2 join lobby"],
        "1 part lobby",
        &[
            "to 3.0 2.0: Alice leaves Lobby, still there",
            "to 3.0 2.0: Alice is host of Lobby",
            "to 1.0: done",
            "ended 1.0#0",
        ],
    );
    // A member that enters again is the newest.
    check_in(
        &["1 part lobby", "1 join lobby"],
        "2 part lobby",
        &["to 3.0 1.0: bob leaves Lobby", "to 3.0 1.0: Alice is host of Lobby", "to 2.0: done", "ended 2.0#0"],
    );
    check_in(
        &["1 leave"],
        "2 close lobby",
        &["to 2.0 3.0: Lobby closed by its host", "to 2.0: done", "ended 2.0#0 3.0#0"],
    );
}

#[test]
fn an_empty_room_closes() {
    check_in(&["1 part lobby", "3 part lobby"], "2 part lobby", &["to 2.0: done", "ended 2.0#0"]);
    let emptied = ["1 part lobby", "3 leave", "2 part lobby"];
    check_in(&emptied, "2 rooms", &["to 2.0: rooms [] of 0"]);
    check_in(&emptied, "2 join lobby", &["to 2.0: no such room"]);
    check_in(&emptied, "2 make LOBBY", &["to 2.0: in LOBBY#0"]);
    check(&["1 enter Alice", "1 make tea"], "1 leave", &["ended 1.0#0"]);
}

#[test]
fn the_end_of_a_session_ends_its_places() {
    check_in(&[], "2 leave", &["to 1.0 3.0: bob leaves Lobby, offline", "ended 2.0#0"]);
    check_in(
        &[],
        "1 leave",
        &["to 2.0 3.0: Alice leaves Lobby, still there", "to 2.0 3.0: bob is host of Lobby", "ended 1.0#0"],
    );
    // The places end in the order in which the session entered the rooms, whatever the ids of the rooms.
    let two = ["4 make tea", "2 join tea", "1 part lobby", "3 part lobby"];
    check_in(&two, "2 leave", &["to 4.0: bob leaves tea, offline", "ended 2.0#0 2.0#1"]);
    let swapped = ["4 make tea", "2 part lobby", "2 join tea", "2 join lobby"];
    check_in(
        &swapped,
        "2 leave",
        &["to 4.0: bob leaves tea, offline", "to 1.0 3.0: bob leaves Lobby, offline", "ended 2.0#1 2.0#0"],
    );
    // The account's other session stays.
    check_in(&["1 leave"], "3 rm lobby hi", &["to 2.0: Alice says in Lobby hi", "to 3.0: sent to 1"]);
}

#[test]
fn a_stale_id_has_no_place() {
    for step in ["rm lobby hi", "part lobby", "join lobby", "make tea", "names lobby", "rooms", "kick lobby bob"] {
        check_in(&[], &format!("1.7 {step}"), &[]);
        check_in(&["1 leave"], &format!("1 {step}"), &[]);
        check_in(&[], &format!("9 {step}"), &[]);
    }
    check_in(&["1 leave", "1.1 enter dora"], "1.1 rm lobby hi", &["to 1.1: not in Lobby"]);
    // A new room with the id of a closed one has none of its members.
    check_in(&["2 close lobby", "1 close lobby", "4 make tea"], "1 rm tea hi", &["to 1.0: not in tea"]);
}

#[test]
fn speaking_in_a_room() {
    check_in(&[], "1 rm LOBBY  hi  all ", &["to 2.0 3.0: Alice says in Lobby  hi  all ", "to 1.0: sent to 2"]);
    check_in(&[], "4 rm lobby hi", &["to 4.0: not in Lobby"]);
    check_in(&[], "1 rm tea hi", &["to 1.0: no such room"]);
    check_in(&["4 make tea"], "4 rm tea hi", &["to nobody: carol says in tea hi", "to 4.0: sent to 0"]);
    check_in(&[], "1 findroom lobby", &["to 1.0: found the room"]);
    check_in(&[], "4 findroom lobby", &["to 4.0: not in Lobby"]);
    check_in(&[], "1 findroom tea", &["to 1.0: no such room"]);
}

#[test]
fn ids_increase_across_all_kinds_of_messages() {
    let mut hub = hub_after(LOBBY);
    let mut ids = Vec::new();
    for (step, unix_ms) in
        [("1 say a", 5_000), ("1 rm lobby b", 5_000), ("2 tell alice c", 4_000), ("2 rm lobby d", 6_000)]
    {
        carry_out(&mut hub, step, unix_ms);
        ids.extend(drain(&mut hub).0.iter().filter_map(|(_, event)| id_of(event)));
    }
    assert_eq!(ids, [5_000 << 20, (5_000 << 20) + 1, (5_000 << 20) + 2, 6_000 << 20]);
}

#[test]
fn lists_of_rooms() {
    const FOUR: &[&str] = &["1 make tea", "1 make Lobby word", "2 make Tea-2", "2 join lobby word", "4 make grün"];
    let check_after = |step: &str, expected: &str| check(&[&LOBBY[..4], FOUR].concat(), step, &[expected]);
    check_after("3 rooms", "to 3.0: rooms [grün 1, Lobby 2 locked, tea 1] of 4");
    check_after("3 rooms te", "to 3.0: rooms [tea 1, Tea-2 1] of 2");
    check_after("3 rooms TEA-", "to 3.0: rooms [Tea-2 1] of 1");
    check_after("3 rooms GRU\u{308}", "to 3.0: rooms [grün 1] of 1");
    check_after("3 rooms x", "to 3.0: rooms [] of 0");
    check_after("3 rooms ~", "to 3.0: rooms [] of 0");
}

#[test]
fn lists_of_names() {
    // An account is listed once. It is host if any of its sessions is.
    check_in(&[], "4 names lobby", &["to 4.0: in Lobby [Alice host, bob] of 2"]);
    check_in(&[], "4 names LOBBY B", &["to 4.0: in Lobby [bob] of 1"]);
    check_in(&[], "4 names lobby carol", &["to 4.0: in Lobby [] of 0"]);
    check_in(&[], "4 names tea", &["to 4.0: no such room"]);
    check_in(&["1 part lobby"], "4 names lobby", &["to 4.0: in Lobby [Alice, bob host] of 2"]);
    let mut hub = hub_after(LOBBY);
    hub.set_rules(Rules { list_lines: 1, ..RULES });
    carry_out(&mut hub, "4 names lobby", 1);
    assert_eq!(said(&mut hub), ["to 4.0: in Lobby [Alice host] of 2"]);
}

#[test]
fn kicking() {
    check_in(
        &[],
        "1 kick lobby BOB",
        &["to 2.0: bob leaves Lobby, kicked", "to 1.0 3.0: bob leaves Lobby, kicked", "to 1.0: done", "ended 2.0#0"],
    );
    check_in(&[], "1 kick lobby carol", &["to 1.0: carol is not there"]);
    check_in(&[], "1 kick lobby ~bob", &["to 1.0: ~bob is not there"]);
    check_in(&[], "2 kick lobby alice", &["to 2.0: not host of Lobby"]);
    check_in(&[], "4 kick lobby alice", &["to 4.0: not in Lobby"]);
    check_in(&[], "1 kick tea bob", &["to 1.0: no such room"]);
    // Any session of the host's account may kick.
    check_in(
        &[],
        "3 kick lobby bob",
        &["to 2.0: bob leaves Lobby, kicked", "to 1.0 3.0: bob leaves Lobby, kicked", "to 3.0: done", "ended 2.0#0"],
    );
    // A kicked member may enter again.
    let back = ["to 1.0 3.0: bob enters Lobby", "to 2.0: in Lobby#0"];
    check_in(&["1 kick lobby bob"], "2 join lobby", &back);
}

#[test]
fn kicking_an_account_with_several_sessions() {
    check_in(
        &["1 part lobby", "1 join lobby"],
        "2 kick lobby alice",
        &[
            "to 3.0: Alice leaves Lobby, kicked",
            "to 1.0: Alice leaves Lobby, kicked",
            "to 2.0: Alice leaves Lobby, kicked",
            "to 2.0: done",
            "ended 3.0#0 1.0#0",
        ],
    );
}

#[test]
fn the_host_kicks_itself() {
    check_in(
        &[],
        "3 kick lobby alice",
        &[
            "to 1.0: Alice leaves Lobby, kicked",
            "to 3.0: Alice leaves Lobby, kicked",
            "to 2.0: Alice leaves Lobby, kicked",
            "to 2.0: bob is host of Lobby",
            "to 3.0: done",
            "ended 1.0#0 3.0#0",
        ],
    );
    let alone = &["1 enter Alice", "1 make tea"];
    check(alone, "1 kick tea alice", &["to 1.0: Alice leaves tea, kicked", "to 1.0: done", "ended 1.0#0"]);
    check(&["1 enter Alice", "1 make tea", "1 kick tea alice"], "1 rooms", &["to 1.0: rooms [] of 0"]);
}

#[test]
fn closing() {
    check_in(
        &[],
        "1 close lobby",
        &["to 1.0 2.0 3.0: Lobby closed by its host", "to 1.0: done", "ended 1.0#0 2.0#0 3.0#0"],
    );
    check_in(
        &[],
        "3 close lobby",
        &["to 1.0 2.0 3.0: Lobby closed by its host", "to 3.0: done", "ended 1.0#0 2.0#0 3.0#0"],
    );
    check_in(&[], "2 close lobby", &["to 2.0: not host of Lobby"]);
    check_in(&[], "4 close lobby", &["to 4.0: not in Lobby"]);
    check_in(&[], "4 close tea", &["to 4.0: no such room"]);
    check_in(&["1 close lobby"], "2 rm lobby hi", &["to 2.0: no such room"]);
    check_in(&["1 close lobby"], "2 make lobby", &["to 2.0: in lobby#0"]);
    // Closed rooms do not count towards the limit.
    check_in(&["1 make tea", "1 close lobby"], "1 make cake", &["to 1.0: in cake#0"]);
}

#[test]
fn passwords_are_not_printed() {
    let command = Command::Make(entry("tea word"));
    let shown = format!("{command:?} {:?}", hub_after(&["1 enter Alice", "1 make tea word"]));
    assert!(!shown.contains("word\""), "{shown}");
    assert!(shown.contains("***"));
}
