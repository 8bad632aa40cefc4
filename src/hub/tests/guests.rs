//! Guests: users without an account, whose session is a place in one room.

use super::*;

/// ~bob (8) has made tea and listens; ~zoe (9) and Alice (1) have entered it, and ~zoe does not listen yet.
const TEA: &[&str] =
    &["1 enter Alice", "2 enter bob", "8 found bob tea", "8 listen tea", "9 visit zoe TEA", "1 join tea"];

/// Like `check`, after `TEA`.
#[track_caller]
fn check_in(setup: &[&str], step: &str, expected: &[&str]) {
    check(&[TEA, setup].concat(), step, expected);
}

#[test]
fn making_and_entering() {
    check(&[], "8 found Bob tea", &["to 8.0: in tea#0"]);
    check(&["8 found bob tea"], "9 found zoe TEA", &["to 9.0: tea is there"]);
    check(&[], "8 visit bob tea", &["to 8.0: no such room"]);
    check(&["8 found bob tea word"], "9 visit zoe tea sword", &["to 9.0: wrong word for tea"]);
    check_in(&["1 part tea"], "7 visit kim tea", &["to 8.0: ~kim enters tea", "to 7.0: in tea#0"]);
    check_in(&[], "7 visit kim tea", &["to 7.0: tea is full"]);
}

#[test]
fn a_refused_guest_has_no_session() {
    for (step, refusal) in [("visit kim cake", "no such room"), ("visit bob tea", "guest is there")] {
        check_in(&["1 part tea"], &format!("7 {step}"), &[&format!("to 7.0: {refusal}")]);
        check_in(&["1 part tea", &format!("7 {step}")], "7 rm tea hi", &[]);
        check_in(&["1 part tea", &format!("7 {step}")], "7 leave", &[]);
        // The guest may try again.
        let tried = ["1 part tea", &format!("7 {step}")];
        check_in(&tried, "7 visit kim tea", &["to 8.0: ~kim enters tea", "to 7.0: in tea#0"]);
    }
}

#[test]
fn guest_names_are_unique_in_a_room() {
    let has_place = ["1 part tea"];
    for taken in ["bob", "BOB", "Zoe"] {
        check_in(&has_place, &format!("7 visit {taken} tea"), &["to 7.0: guest is there"]);
    }
    // An account may have the name of a guest.
    check_in(&has_place, "2 join tea", &["to 8.0: bob enters tea", "to 2.0: in tea#0"]);
    check_in(&["9 leave"], "7 visit alice tea", &["to 8.0 1.0: ~alice enters tea", "to 7.0: in tea#0"]);
    // So may a guest in another room, and in the same room once the first guest has left.
    check_in(&["2 make cake"], "7 visit bob cake", &["to 2.0: ~bob enters cake", "to 7.0: in cake#1"]);
    check_in(&["9 leave"], "7 visit zoe tea", &["to 8.0 1.0: ~zoe enters tea", "to 7.0: in tea#0"]);
}

#[test]
fn a_guest_receives_messages_after_listen() {
    check_in(&[], "1 rm tea hi", &["to 8.0: Alice says in tea hi", "to 1.0: sent to 1"]);
    check_in(&[], "9 listen tea", &[]);
    check_in(&["9 listen tea"], "1 rm tea hi", &["to 8.0 9.0: Alice says in tea hi", "to 1.0: sent to 2"]);
    check_in(
        &["9 listen tea", "9 listen tea"],
        "1 rm tea hi",
        &["to 8.0 9.0: Alice says in tea hi", "to 1.0: sent to 2"],
    );
    check_in(&[], "9 listen cake", &[]);
    check_in(&["2 make cake", "9 listen cake"], "1 rm tea hi", &["to 8.0: Alice says in tea hi", "to 1.0: sent to 1"]);
    check_in(&[], "2 listen tea", &[]);
    // A guest that does not listen may send messages. It is not counted among the receivers.
    check_in(&[], "9 rm tea hi", &["to 8.0 1.0: ~zoe says in tea hi", "to 9.0: sent to 2"]);
    check_in(&[], "8 rm tea hi", &["to 1.0: ~bob says in tea hi", "to 8.0: sent to 1"]);
}

#[test]
fn notices_before_listen() {
    check_in(&[], "1 part tea", &["to 8.0: Alice leaves tea", "to 1.0: done", "ended 1.0#0"]);
    check_in(&["9 listen tea"], "1 part tea", &["to 8.0 9.0: Alice leaves tea", "to 1.0: done", "ended 1.0#0"]);
    // The close of the room is announced to all members, listening or not.
    check_in(
        &[],
        "8 close tea",
        &["to 8.0 9.0 1.0: tea closed by its host", "to 8.0: done", "ended 8.0#0 9.0#0 1.0#0"],
    );
}

#[test]
fn a_guests_room_closes_with_its_host() {
    check_in(&[], "8 leave", &["to 9.0 1.0: tea closed, its host has left", "ended 8.0#0 9.0#0 1.0#0"]);
    check_in(
        &[],
        "8 part tea",
        &["to 9.0 1.0: tea closed, its host has left", "to 8.0: done", "ended 8.0#0 9.0#0 1.0#0"],
    );
    check_in(
        &[],
        "8 kick tea ~bob",
        &[
            "to 8.0: ~bob leaves tea, kicked",
            "to 9.0 1.0: tea closed, its host has left",
            "to 8.0: done",
            "ended 8.0#0 9.0#0 1.0#0",
        ],
    );
    check_in(&["8 leave"], "1 rooms", &["to 1.0: rooms [] of 0"]);
    check_in(&["8 leave"], "1 rm tea hi", &["to 1.0: no such room"]);
    check(&["8 found bob tea"], "8 leave", &["ended 8.0#0"]);
}

/// ~bob (8) has begun tea, which passes to the next member; Alice (1) and ~zoe (9) have entered it. Both guests listen.
const BEGUN: &[&str] = &[
    "1 enter Alice",
    "2 enter bob",
    "8 begin bob tea",
    "8 listen tea",
    "1 join tea",
    "9 visit zoe TEA",
    "9 listen tea",
];

#[test]
fn a_room_that_a_guest_has_begun_passes_to_the_next_member() {
    check(&[], "8 begin bob tea", &["to 8.0: in tea#0"]);
    check(&["8 begin bob tea"], "9 begin zoe TEA", &["to 9.0: tea is there"]);
    check(BEGUN, "8 leave", &["to 1.0 9.0: ~bob leaves tea", "to 1.0 9.0: Alice is host of tea", "ended 8.0#0"]);
    check(
        &[BEGUN, &["8 leave"]].concat(),
        "1 part tea",
        &["to 9.0: Alice leaves tea", "to 9.0: ~zoe is host of tea", "to 1.0: done", "ended 1.0#0"],
    );
    // The last one closes it.
    check(&[BEGUN, &["8 leave", "1 leave"]].concat(), "9 leave", &["ended 9.0#0"]);
    check(&[BEGUN, &["8 leave", "1 leave", "9 leave"]].concat(), "2 rooms", &["to 2.0: rooms [] of 0"]);
}

#[test]
fn a_guest_takes_another_name() {
    check(BEGUN, "9 rename kim", &["to 8.0 1.0: ~zoe leaves tea", "to 8.0 1.0: ~kim enters tea"]);
    let renamed = [BEGUN, &["9 rename kim"]].concat();
    check(&renamed, "9 rm tea hi", &["to 8.0 1.0: ~kim says in tea hi", "to 9.0: sent to 2"]);
    check(&renamed, "2 names tea", &["to 2.0: in tea [Alice, ~bob host, ~kim] of 3"]);
    // The name is free for another guest.
    check(
        &[&renamed[..], &["1 part tea"]].concat(),
        "7 visit zoe tea",
        &["to 8.0 9.0: ~zoe enters tea", "to 7.0: in tea#0"],
    );
    // The host stays host, and its room is told so, since it has been told that the host has left.
    check(
        BEGUN,
        "8 rename kim",
        &["to 1.0 9.0: ~bob leaves tea", "to 1.0 9.0: ~kim enters tea", "to 1.0 9.0: ~kim is host of tea"],
    );
    check(
        &[BEGUN, &["8 rename kim"]].concat(),
        "8 kick tea ~zoe",
        &["to 9.0: ~zoe leaves tea, kicked", "to 8.0 1.0: ~zoe leaves tea, kicked", "to 8.0: done", "ended 9.0#0"],
    );
}

#[test]
fn a_guest_takes_no_name_of_another_guest() {
    for taken in ["bob", "BOB"] {
        check(BEGUN, &format!("9 rename {taken}"), &["to 9.0: guest is there"]);
        let refused = format!("9 rename {taken}");
        check(&[BEGUN, &[&refused]].concat(), "9 rm tea hi", &["to 8.0 1.0: ~zoe says in tea hi", "to 9.0: sent to 2"]);
    }
    // The name of an account is free, and so is its own in another case.
    check(BEGUN, "9 rename alice", &["to 8.0 1.0: ~zoe leaves tea", "to 8.0 1.0: ~alice enters tea"]);
    check(BEGUN, "9 rename ZOE", &["to 8.0 1.0: ~zoe leaves tea", "to 8.0 1.0: ~ZOE enters tea"]);
    // Only guests have names to take.
    check(BEGUN, "1 rename kim", &["to 1.0: no guest"]);
    check(BEGUN, "7 rename kim", &[]);
}

#[test]
fn which_guests_are_there() {
    let hub = hub_after(BEGUN);
    assert!(hub.has_guest(&room("TEA"), &GuestName::parse("ZOE").unwrap()));
    assert!(!hub.has_guest(&room("tea"), &GuestName::parse("alice").unwrap()));
    assert!(!hub.has_guest(&room("cake"), &GuestName::parse("zoe").unwrap()));
}

#[test]
fn the_session_of_a_guest_ends_with_its_place() {
    let ends = [("8 leave", 0), ("8 close tea", 0), ("8 kick tea ~zoe", 1), ("9 part tea", 1), ("9 leave", 1)];
    for (end, free_id) in ends {
        for step in ["rm tea hi", "part tea", "leave", "names tea", "who", "say hi", "listen tea", "join tea"] {
            check_in(&[end], &format!("9 {step}"), &[]);
        }
        // Another session may use the slot.
        check_in(&[end], "9.1 found kim cake", &[&format!("to 9.1: in cake#{free_id}")]);
        check_in(&[end], "9.1 enter dora", &["to 9.1: welcome dora, 3 online"]);
    }
}

#[test]
fn a_guest_has_one_room_and_is_no_account() {
    check_in(&[], "9 visit zoe tea", &[]);
    check_in(&[], "9 visit zoe cake", &[]);
    check_in(&[], "9 found zoe cake", &[]);
    check_in(&[], "9 enter dora", &[]);
    check_in(&[], "1 visit zoe tea", &[]);
    check_in(&[], "1 who", &["to 1.0: online Alice bob of 2"]);
    // A guest is in one room: it can neither make nor join another.
    for step in ["9 make cake", "9 join tea", "8 make cake", "8 join tea"] {
        check_in(&[], step, &[]);
    }
    check_in(&["2 make cake"], "9 join cake", &[]);
    check_in(&["2 make cake", "9 join cake", "9 part tea"], "2 names cake", &["to 2.0: in cake [bob host] of 1"]);
}

#[test]
fn public_messages_of_a_guest() {
    // No door allows this, but the hub counts the receivers correctly.
    check(&["8 found bob tea"], "8 say hi", &["all but 8.0: ~bob says hi", "to 8.0: sent to 0"]);
    check_in(&[], "8 say hi", &["all but 8.0: ~bob says hi", "to 8.0: sent to 2"]);
    check_in(&[], "8 tell alice hi", &["Alice but 8.0: ~bob tells hi", "to 8.0: sent to Alice"]);
}

#[test]
fn lists_show_guests_after_accounts() {
    check_in(&[], "2 names tea", &["to 2.0: in tea [Alice, ~bob host, ~zoe] of 3"]);
    check_in(&[], "2 names tea ~", &["to 2.0: in tea [~bob host, ~zoe] of 2"]);
    check_in(&[], "2 names tea ~ZO", &["to 2.0: in tea [~zoe] of 1"]);
    check_in(&[], "2 names tea zo", &["to 2.0: in tea [] of 0"]);
    check_in(&[], "2 names tea a", &["to 2.0: in tea [Alice] of 1"]);
    check_in(&[], "2 names tea z", &["to 2.0: in tea [] of 0"]);
    check_in(&[], "2 rooms", &["to 2.0: rooms [tea 3] of 1"]);
}

#[test]
fn guests_in_a_room_of_an_account() {
    const CAKE: &[&str] = &["1 enter Alice", "2 enter bob", "1 make cake", "8 visit bob cake", "2 join cake"];
    check(
        CAKE,
        "1 kick cake ~BOB",
        &["to 8.0: ~bob leaves cake, kicked", "to 1.0 2.0: ~bob leaves cake, kicked", "to 1.0: done", "ended 8.0#0"],
    );
    check(
        CAKE,
        "1 kick cake bob",
        &["to 2.0: bob leaves cake, kicked", "to 1.0: bob leaves cake, kicked", "to 1.0: done", "ended 2.0#0"],
    );
    check(CAKE, "8 kick cake bob", &["to 8.0: not host of cake"]);
    // The room of an account does not close with its host: a guest may become host.
    check(CAKE, "1 leave", &["to 2.0: Alice leaves cake, offline", "to 2.0: ~bob is host of cake", "ended 1.0#0"]);
    check(
        &[CAKE, &["1 leave"]].concat(),
        "8 leave",
        &["to 2.0: ~bob leaves cake", "to 2.0: bob is host of cake", "ended 8.0#0"],
    );
}
