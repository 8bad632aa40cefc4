//! Operations on rooms: answers and notices, to the byte.

use super::*;
use crate::hub::event::NameLine;

/// Alice has made the room tea, and bob has joined it.
const TEA: &[&str] = &["> C MAKE tea", "< C 227 tea token=…", "bob: JOIN tea", "< C 103 tea bob entered"];

/// Plays a script in both dialects, after alice's login and `TEA`.
#[track_caller]
fn check_tea(script: &[&str]) {
    check_in(&[TEA, script].concat());
}

#[test]
fn making_and_joining() {
    // The first token of the test server consists of the byte 1, the second of the byte 2.
    check_in(&[
        "> C MAKE tea",
        "< C 227 tea token=AEAQCAIBAEAQCAIBAEAQCAIBAE",
        "bob: JOIN TEA",
        "< C 103 tea bob entered",
    ]);
    check_tea(&["> C MAKE TEA", "< C 553 tea is there already; JOIN tea enters it"]);
    check_in(&["bob: MAKE Tea", "> C join tEA", "< C 227 Tea token=…", "bob< C 103 Tea alice entered"]);
    check_in(&["> C JOIN tea", "< C 550 no such room; ROOMS lists all", "> C NOOP", "< C 200…"]);
    check_in(&["> C   make   tea  ", "< C 227 tea token=…"]);
    // A member gets the same token again, and no other member gets a notice.
    let first = "< C 227 tea token=AEAQCAIBAEAQCAIBAEAQCAIBAE";
    check_in(&[
        "> C MAKE tea",
        first,
        "bob: JOIN tea",
        "< C 103…",
        "> C JOIN Tea",
        first,
        "bob: NAMES tea",
        "bob< C 211-alice host",
        "bob< C 211-bob",
        "bob< C 211 2 in tea",
    ]);
    // A former member that enters again gets a new token.
    check_in(&[
        "> C MAKE tea",
        first,
        "> C LEAVE tea",
        "< C 200 done",
        "> C MAKE tea",
        "< C 227 tea token=AIBAEAQCAIBAEAQCAIBAEAQCAI",
    ]);
}

#[test]
fn room_passwords() {
    let made = ["bob: MAKE tea word", "bob< C 227 tea token=…"];
    let after_made = |script: &[&str]| check_in(&[&made, script].concat());
    after_made(&["> C JOIN tea", "< C 554 the room needs a password: JOIN room password", "> C NOOP", "< C 200…"]);
    after_made(&["> C JOIN tea   ", "< C 554 the room needs a password: JOIN room password"]);
    after_made(&["> C JOIN tea Word", "< C 554 wrong room password"]);
    after_made(&["> C JOIN tea word", "< C 227 tea token=…", "bob< C 103 tea alice entered"]);
    after_made(&["> C JOIN  tea   word", "< C 227 tea token=…"]);
    // The password extends to the end of the line, unchanged.
    after_made(&["> C JOIN tea word ", "< C 554 wrong room password"]);
    after_made(&["> C JOIN tea word word", "< C 554 wrong room password"]);
    check_in(&["bob: MAKE tea two  words ", "> C JOIN tea  two  words ", "< C 227 tea token=…"]);
    let longest = "p ü".repeat(32);
    check_in(&[&format!("bob: MAKE tea {longest}"), &format!("> C JOIN tea {longest}"), "< C 227 tea token=…"]);
    for verb in ["MAKE", "JOIN"] {
        let size = "< C 501 a room's password has 1 to 128 bytes";
        check_in(&[&format!("> C {verb} tea {longest}x"), size, "> C NOOP", "< C 200…"]);
        check_in(&[&format!("> C {verb} tea wo\u{200b}rd"), "< C 501 bad bytes…"]);
    }
    after_made(&["> C ROOMS", "< C 211-tea 1 member, password", "< C 211 1 room"]);
    check_in(&["bob: MAKE tea", "> C JOIN tea word", "< C 227 tea token=…"]);
    check_in(&["bob: MAKE tea grüße", "> C JOIN tea grüße", "< C 227 tea token=…"]);
}

#[test]
fn usage() {
    for (line, usage) in [
        ("MAKE", "MAKE room [password]"),
        ("MAKE  ", "MAKE room [password]"),
        ("JOIN", "JOIN room [password]"),
        ("LEAVE", "LEAVE room"),
        ("LEAVE tea tea", "LEAVE room"),
        ("RM", "RM room [text]"),
        ("RM  ", "RM room [text]"),
        ("ROOMS a b", "ROOMS [prefix]"),
        ("NAMES", "NAMES room [prefix]"),
        ("NAMES tea a b", "NAMES room [prefix]"),
        ("KICK", "KICK room name"),
        ("KICK tea", "KICK room name"),
        ("KICK tea bob alice", "KICK room name"),
        ("CLOSE", "CLOSE room"),
        ("CLOSE tea now", "CLOSE room"),
    ] {
        check_tea(&[&format!("> C {line}"), &format!("< C 501 usage: {usage}"), "> C NOOP", "< C 200…"]);
    }
}

#[test]
fn names_of_rooms() {
    let longest = "ä".repeat(32);
    for good in ["a", "1", "_", ".", "-", "東京", "комната", "Grüße_1.b-c", "٣", &longest] {
        check_in(&[&format!("> C MAKE {good}"), &format!("< C 227 {good} token=…")]);
    }
    // Other normal forms and cases are the same name. It is shown in NFC, as its maker spelled it.
    check_in(&["> C MAKE gru\u{308}n", "< C 227 grün token=…", "bob: JOIN GRÜN", "< C 103 grün bob entered"]);
    let longest = "e\u{301}".repeat(32);
    check_in(&[&format!("> C MAKE {longest}"), &format!("< C 227 {} token=…", "é".repeat(32))]);
    let (too_long, very_long) = ("ä".repeat(33), "x".repeat(4000));
    for bad in ["a/b", "~tea", "#tea", "a:b", "👋", "e\u{20dd}", "\u{3164}", "a\u{200b}", "a\tb", &too_long, &very_long]
    {
        check_in(&[&format!("> C MAKE {bad}"), "< C 553 a room's name is 1 to 32 letters, digits or _ . -"]);
        for verb in ["JOIN", "LEAVE", "NAMES", "CLOSE", "RM"] {
            check_in(&[&format!("> C {verb} {bad}"), "< C 550 no such room; ROOMS lists all", "> C NOOP", "< C 200…"]);
        }
        check_in(&[&format!("> C RM {bad} hi"), "< C 550 no such room; ROOMS lists all"]);
        check_in(&[&format!("> C KICK {bad} bob"), "< C 550 no such room; ROOMS lists all"]);
    }
    for reserved in ["server", "ADMIN", "Rooms", "make", "chatd"] {
        check_in(&[&format!("> C MAKE {reserved}"), "< C 553 that name is reserved"]);
        check_in(&[&format!("> C JOIN {reserved}"), "< C 550 no such room; ROOMS lists all"]);
    }
}

#[test]
fn limits() {
    let two = ["> C MAKE a", "< C 227…", "> C MAKE b", "< C 227…"];
    let refused = "< C 554 you are in 2 rooms already; LEAVE one first";
    check_in(&[&two[..], &["> C MAKE c", refused, "bob: MAKE c", "> C JOIN c", refused]].concat());
    check_in(&[&two[..], &["> C LEAVE a", "< C 200 done", "> C MAKE c", "< C 227 c token=…"]].concat());
    let mut server = Server::new();
    server.send_of_bob("MAKE tea");
    for slot in [7, 8] {
        let (who, name) = (SessionId { slot, generation: 0 }, UserName::parse("carol").unwrap());
        server.ask_hub(who, Command::LogIn { who: name.into(), since: 1, called: None });
        server.enter_room(who, RoomName::parse("tea").unwrap(), None, false);
    }
    server.send(b"alice t1.T0KEN");
    assert_eq!(server.send(b"JOIN tea"), ["C 554 tea is full"]);
}

#[test]
fn leaving() {
    check_tea(&["> C LEAVE TEA", "< C 200 done", "bob< C 104 tea alice left", "bob< C 107 tea bob is host now"]);
    check_tea(&["bob: LEAVE tea", "< C 104 tea bob left", "bob: LEAVE tea", "bob< C 550 you are not in tea"]);
    check_in(&["> C LEAVE tea", "< C 550 no such room; ROOMS lists all", "> C NOOP", "< C 200…"]);
    check_in(&["bob: MAKE Tea", "> C LEAVE tea", "< C 550 you are not in Tea"]);
    check_in(&[
        "> C MAKE tea",
        "< C 227…",
        "> C LEAVE tea",
        "< C 200 done",
        "> C LEAVE tea",
        "< C 550 no such room; ROOMS lists all",
    ]);
}

#[test]
fn speaking_in_a_room() {
    check_tea(&["> C RM tea hello all", "< C 250 sent to 1", "bob< D RM tea alice hello all"]);
    check_tea(&["> C rm TEA    hello   all ", "< C 250 sent to 1", "bob< D RM tea alice hello   all "]);
    check_tea(&["> C RM tea \thi", "< C 250 sent to 1", "bob< D RM tea alice  hi"]);
    check_in(&["> C MAKE tea", "< C 227…", "> C RM tea hello", "< C 250 sent to 0"]);
    check_in(&["> C RM tea hello", "< C 550 no such room; ROOMS lists all", "> C NOOP", "< C 200…"]);
    check_in(&["bob: MAKE Tea", "> C RM tea hello", "< C 550 you are not in Tea", "> C NOOP", "< C 200…"]);
}

#[test]
fn message_prompt() {
    let ask = ["> C RM tea", "< C 354 your message?"];
    let after_ask = |script: &[&str]| check_tea(&[&ask, script].concat());
    after_ask(&["> D  hello  all ", "< C 250 sent to 1", "bob< D RM tea alice  hello  all ", "> C NOOP", "< C 200…"]);
    after_ask(&["> D \u{200b}", "< C 501…", "> D \u{200b}hi", "< C 250 sent to 1", "bob< D RM tea alice hi"]);
    after_ask(&["> D RM tea x", "< C 250 sent to 1", "bob< D RM tea alice RM tea x"]);
    after_ask(&["> D   ", "< C 250 sent to 1", "bob< D RM tea alice   "]);
    after_ask(&["> ", "< C 200 cancelled", "> C NOOP", "< C 200 done"]);
    check_tea(&["> C RM  tea  ", "< C 354 your message?", "> D hi", "< C 250 sent to 1"]);
    // A refusal comes at once, without a prompt.
    check_in(&["> C RM tea", "< C 550 no such room; ROOMS lists all", "> C NOOP", "< C 200…"]);
    check_in(&["bob: MAKE Tea", "> C RM tea", "< C 550 you are not in Tea", "> C NOOP", "< C 200…"]);
}

#[test]
fn the_room_changes_during_the_prompt() {
    let tea = ["bob: MAKE tea", "> C JOIN tea", "< C 227…", "> C RM tea", "< C 354 your message?"];
    let after_ask = |script: &[&str]| check_in(&[&tea, script].concat());
    let closed = ["bob: CLOSE tea", "< C 106 tea closed: by its host"];
    after_ask(&[&closed[..], &["> D hi", "< C 550 no such room; ROOMS lists all", "> C NOOP", "< C 200…"]].concat());
    let kicked = ["bob: KICK tea alice", "< C 104 tea alice left: kicked"];
    after_ask(&[&kicked[..], &["> D hi", "< C 550 you are not in tea", "> C NOOP", "< C 200…"]].concat());
    // A notice does not change the prompt.
    after_ask(&[
        "bob: LEAVE tea",
        "< C 104 tea bob left",
        "< C 107 tea alice is host now",
        "> D hi",
        "< C 250 sent to 0",
    ]);
}

#[test]
fn received_messages() {
    let frame = format!("< D RM {} tea bob hi  all", 1000u64 << 20);
    check(&[LOGIN, TEA, &["bob: RM tea hi  all", &frame, "bob< C 250 sent to 1"]].concat());
    let guest = format!("< D RM {} tea ~zoe hi", 1000u64 << 20);
    check(
        &[
            LOGIN,
            TEA,
            &[
                "zoe> tea",
                "< C 103 tea ~zoe entered",
                "bob< C 103 tea ~zoe entered",
                "zoe: tea hi",
                &guest,
                "bob< D RM tea ~zoe hi",
            ],
        ]
        .concat(),
    );
    let bare: Vec<String> = [LOGIN, TEA].concat().into_iter().map(undressed).collect();
    let bare: Vec<&str> = bare.iter().map(String::as_str).collect();
    check(&[&bare[..], &["bob: RM tea hi  all", "< D RM tea bob hi  all", "bob< C 250 sent to 1"]].concat());
    // Only members get messages and notices.
    check_in(&["bob: MAKE tea", "bob: RM tea hi", "bob: LEAVE tea", "> C NOOP", "< C 200…"]);
}

#[test]
fn lists_of_rooms() {
    check_in(&["> C ROOMS", "< C 211 0 rooms"]);
    check_tea(&["> C ROOMS", "< C 211-tea 2 members", "< C 211 1 room"]);
    check_tea(&[
        "bob: MAKE Grün word",
        "> C rooms",
        "< C 211-Grün 1 member, password",
        "< C 211-tea 2 members",
        "< C 211 2 rooms",
        "> C ROOMS gr",
        "< C 211-Grün 1 member, password",
        "< C 211 1 room",
        "> C ROOMS  GRU\u{308} ",
        "< C 211-Grün 1 member, password",
        "< C 211 1 room",
        "> C ROOMS x",
        "< C 211 0 rooms",
    ]);
}

#[test]
fn lists_of_names() {
    check_tea(&["> C NAMES tea", "< C 211-alice host", "< C 211-bob", "< C 211 2 in tea"]);
    check_tea(&["> C names TEA  B", "< C 211-bob", "< C 211 1 in tea", "> C NAMES tea x", "< C 211 0 in tea"]);
    let guest = ["zoe> tea", "< C 103 tea ~zoe entered", "> C NAMES tea ~", "< C 211-~zoe", "< C 211 1 in tea"];
    check_tea(&guest);
    check_tea(
        &[&guest[..2], &["> C NAMES tea", "< C 211-alice host", "< C 211-bob", "< C 211-~zoe", "< C 211 3 in tea"]]
            .concat(),
    );
    check_in(&["> C NAMES tea", "< C 550 no such room; ROOMS lists all"]);
    // The members of any room can be listed.
    check_in(&["bob: MAKE Tea", "> C NAMES tea", "< C 211-bob host", "< C 211 1 in Tea"]);
}

#[test]
fn truncated_lists() {
    let room = |name| RoomName::parse(name).unwrap();
    let line =
        crate::hub::event::RoomLine { name: room("tea"), members: 2, is_locked: false, is_kept: true, topic: None };
    let bob = UserName::parse("bob").unwrap().into();
    let names = vec![NameLine { who: bob, seat: crate::hub::event::Seat::Host, is_away: false, called: None }];
    for (event, expected) in [
        (
            Event::Rooms { rooms: vec![line], matching: 10_482 },
            ["C 211-tea 2 members", "C 211 1 of 10482 rooms; ROOMS prefix narrows it"],
        ),
        (
            Event::Names { room: room("Tea"), names, matching: 10_482 },
            ["C 211-bob host", "C 211 1 of 10482 in Tea; NAMES Tea prefix narrows it"],
        ),
    ] {
        let mut out = Vec::new();
        encode(Kind::Bare, &event, &mut out);
        assert_eq!(taken(&mut out), expected);
    }
}

#[test]
fn kicking() {
    check_tea(&["> C KICK tea BOB", "< C 104 tea bob left: kicked", "< C 200 done", "bob< C 104 tea bob left: kicked"]);
    check_tea(&[
        "> C KICK tea dora",
        "< C 550 dora is not in that room",
        "> C KICK tea ~zoe",
        "< C 550 ~zoe is not in that room",
    ]);
    check_tea(&["> C KICK tea é", "< C 550 no such user", "> C KICK tea ~", "< C 550 no such user"]);
    check_tea(&["> C KICK cake bob", "< C 550 no such room; ROOMS lists all"]);
    check_tea(&["bob: KICK tea alice", "bob< C 554 you are not the host of tea"]);
    check_in(&["bob: MAKE Tea", "> C KICK tea bob", "< C 550 you are not in Tea"]);
    // A guest has the mark `~`.
    let guest = ["zoe> tea", "< C 103 tea ~zoe entered"];
    let put_out =
        ["> C KICK tea ~ZOE", "< C 104 tea ~zoe left: kicked", "< C 200 done", "bob< C 104 tea ~zoe left: kicked"];
    check_tea(&[&guest[..], &["> C KICK tea zoe", "< C 550 zoe is not in that room"], &put_out].concat());
    check_tea(&[&guest[..], &put_out, &["zoe: tea hi", "> C RM tea hi", "< C 250 sent to 1"]].concat());
    // A host may kick itself. Another member becomes host then.
    check_tea(&[
        "> C KICK tea alice",
        "< C 104 tea alice left: kicked",
        "< C 200 done",
        "bob< C 104 tea alice left: kicked",
        "bob< C 107 tea bob is host now",
    ]);
}

#[test]
fn closing() {
    check_tea(&[
        "> C CLOSE tea",
        "< C 106 tea closed: by its host",
        "< C 200 done",
        "bob< C 106 tea closed: by its host",
    ]);
    check_tea(&["bob: CLOSE tea", "bob< C 554 you are not the host of tea"]);
    check_in(&[
        "> C CLOSE tea",
        "< C 550 no such room; ROOMS lists all",
        "bob: MAKE Tea",
        "> C CLOSE tea",
        "< C 550 you are not in Tea",
    ]);
}

#[test]
fn a_guests_room_that_closes_with_its_host() {
    let mut server = Server::new();
    let (guest, room) = (GuestName::parse("zoe").unwrap(), RoomName::parse("cake").unwrap());
    let entry = Entry { room, lock: None };
    server.ask_hub(ZOE, Command::EnterAsGuest { guest, makes: Some(HostGoes::Closes), entry });
    server.send(b"alice t1.T0KEN");
    assert!(server.send(b"JOIN cake")[0].starts_with("C 227 cake token="));
    assert_eq!(server.send(b"RM cake hi"), ["C 250 sent to 0"]); // the guest does not listen yet
    assert_eq!(server.send(b"NAMES cake"), ["C 211-alice", "C 211-~zoe host", "C 211 2 in cake"]);
    server.ask_hub(ZOE, Command::Leave { text: None });
    assert_eq!(taken(&mut server.out), ["C 106 cake closed: its host has left"]);
}
