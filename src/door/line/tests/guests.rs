//! Guests who log in.

use super::*;

/// The login of a guest, and how many are online then.
const AS_ZOE: &[&str] =
    &["guests>", "> C ~zoë", "< C 230 welcome ~zoë; 2 online; HELP lists what you can do", "> C NOOP", "< C 200…"];

#[track_caller]
fn check_as_zoe(script: &[&str]) {
    check_both(&[AS_ZOE, script].concat());
}

#[test]
fn guests_log_in_where_they_may() {
    check_as_zoe(&[]);
    check_both(&["guests>", "> C   ~zoe  ", "< C 230 welcome ~zoe…"]);
    let bad = "< C 553 a guest's name is ~ and 1 to 32 letters, digits or _ . -; your name?";
    let long = format!("> C ~{}", "x".repeat(33));
    for name in ["> C ~", "> C ~a/b", "> C ~~", "> C ~z\u{200b}oe", &long] {
        check_both(&["guests>", name, bad, "> C ~zoe", "< C 230 welcome ~zoe…"]);
    }
    check_both(&["guests>", "> C ~server", "< C 553 that name is reserved; your name?", "> C alice", "< C 331…"]);
    check_both(&["guests>", "> C ~taken", "< C 553 another guest has that name; your name?", "> C ~a", "< C 230…"]);
    check_both(&["guests>", "> C ~zoe miller", "< C 553 a name is one word…", "> C ~zoe", "< C 230…"]);
    check_both(&["guests>", "> C ~zoe t1.T0KEN", "< C 553…", "> C ~zoe", "< C 230…"]);
    check_both(&["guests>", "> C alice", "< C 331…", "> C ~password", "< C 530…"]);
    // Elsewhere it is no name.
    check_both(&["> C ~zoe", "< C 553 a name is a letter…", "> C alice", "< C 331…"]);
}

#[test]
fn the_name_of_a_guest_decides_the_dialect() {
    check(&["guests>", "> C ~server", "< C 553…", "> ~zoe", "< C 230…", "> NOOP", "< C 200 done"]);
    check(&["guests>", "> ~server", "< C 553…", "> C ~zoe", "< C 230…", "> NOOP", "< C 501…"]);
}

#[test]
fn a_guest_talks_like_everybody() {
    check_as_zoe(&["> C PM hello", "< C 250 sent to 1", "bob< D PM ~zoë hello"]);
    check_as_zoe(&["> C DM bob hi", "< C 250 sent to bob", "bob< D DM ~zoë hi"]);
    check_as_zoe(&["> C WHO", "< C 211-bob", "< C 211-~zoë", "< C 211 2 online"]);
    check_as_zoe(&["> C WHO ~", "< C 211-~zoë", "< C 211 1 online", "> C WHO ~x", "< C 211 0 online"]);
    check_as_zoe(&["> C DM ~zoë hi", "< C 550 that is you, and you have no other session"]);
    check_as_zoe(&["> C WATCH ~ZOË", "< C 200 ~zoë is online", "> C WATCH ~x", "< C 200 ~x is offline"]);
    check_as_zoe(&["> C AWAY lunch", "< C 200 you are away: lunch", "> C AWAY", "< C 200 you are back"]);
    check_as_zoe(&["> C MAKE tea", "< C 227…", "> C NAMES tea", "< C 211-~zoë host", "< C 211 1 in tea"]);
    check_as_zoe(&[
        "> C MAKE tea",
        "< C 227…",
        "bob: JOIN tea",
        "< C 103 tea bob entered",
        "> C KICK tea bob",
        "< C 104…",
        "< C 200 done",
    ]);
}

#[test]
fn a_message_to_a_guest() {
    let mut server = Server::new();
    server.line = Line::with_guests();
    server.send("C ~zoë".as_bytes());
    server.send_of_bob("DM ~ZOË hi");
    let [hi] = &taken(&mut server.out)[..] else { panic!("one line") };
    assert!(hi.starts_with("D DM ") && hi.ends_with(" bob hi"), "{hi}");
    assert_eq!(taken(&mut server.bob_heard), ["C 250 sent to ~zoë"]);
    // A prompt is answered like one for an account.
    server.send_of_bob("DM ~zoë");
    assert_eq!(taken(&mut server.bob_heard), ["C 354 your message?"]);
    server.send_of_bob("ho");
    assert_eq!(taken(&mut server.bob_heard), ["C 250 sent to ~zoë"]);
}

#[test]
fn what_needs_an_account() {
    let needs = "< C 554 that needs an account, and you are a guest";
    check_as_zoe(&["> C MAKE tea", "< C 227…", "> C KEEP tea", needs, "> C IGNORE bob", needs, "> C IGNORE ~", needs]);
    check_as_zoe(&["> C SET status x", needs, "> C SET name Zoë Z.", "< C 200 done", "> C SET name -", "< C 200 done"]);
}

#[test]
fn guests_take_other_names() {
    check_as_zoe(&["> C NICK ~rob", "< C 200 you are ~rob now", "> C PM hi", "< C 250…", "bob< D PM ~rob hi"]);
    check_as_zoe(&["> C NICK ~ZOË", "< C 200 you are ~ZOË now"]);
    check_as_zoe(&["> C nick  ~rob ", "< C 200 you are ~rob now"]);
    let usage = "< C 501 usage: NICK ~name; for guests, an account keeps its name";
    for line in ["> C NICK", "> C NICK rob", "> C NICK ~a ~b"] {
        check_as_zoe(&[line, usage]);
    }
    check_as_zoe(&["> C NICK ~", "< C 553 a guest's name is ~ and 1 to 32 letters, digits or _ . -"]);
    check_as_zoe(&["> C NICK ~who", "< C 553 that name is reserved", "> C NOOP", "< C 200…"]);
    check_in(&["> C NICK ~rob", "< C 554 an account keeps its name; NICK is for guests"]);
}

#[test]
fn those_in_a_room_are_told_of_another_name() {
    check_as_zoe(&[
        "> C MAKE tea",
        "< C 227…",
        "bob: JOIN tea",
        "< C 103 tea bob entered",
        "> C NICK ~rob",
        "< C 200 you are ~rob now",
        "bob< C 102 ~zoë is ~rob now",
        "> C NAMES tea",
        "< C 211-bob",
        "< C 211-~rob host",
        "< C 211 2 in tea",
    ]);
    // A guest of one room hears that room only.
    check_as_zoe(&[
        "> C MAKE tea",
        "< C 227…",
        "zoe> tea",
        "< C 103 tea ~zoe entered",
        "> C NICK ~ZOE",
        "< C 553 another guest has that name",
    ]);
    check_as_zoe(&[
        "> C MAKE tea",
        "< C 227…",
        "zoe> tea",
        "< C 103 tea ~zoe entered",
        "> C DM ~zoe hi",
        "< C 550 ~zoe is a guest of one room, and hears that room only: RM room text",
        "> C NOOP",
        "< C 200…",
    ]);
}
