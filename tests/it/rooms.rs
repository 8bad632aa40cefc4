//! Rooms over the wire: who is in, who hears what, to the byte; and what becomes of a room when people go.

use std::collections::BTreeMap;
use std::thread;

use crate::util::{Client, Server, eventually};

/// Makes or joins a room, and gives the token.
#[track_caller]
fn enter(client: &mut Client, operation: &str, room: &str) -> String {
    let reply = client.ask(&format!("{operation} {room}"));
    let token = reply.strip_prefix(&format!("C 227 {room} token=")).unwrap_or_else(|| panic!("{reply:?}"));
    let is_base32 = token.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'));
    assert!(token.len() == 26 && is_base32, "{reply:?}");
    token.to_owned()
}

/// The first makes the lobby and the others join it, all of whom have heard of all comings then.
#[track_caller]
fn gather(clients: &mut [(&str, &mut Client)]) {
    for n in 0..clients.len() {
        let (name, client) = &mut clients[n];
        enter(client, if n == 0 { "MAKE" } else { "JOIN" }, "lobby");
        let notice = format!("C 103 lobby {name} entered");
        for (_, earlier) in &mut clients[..n] {
            earlier.expect_exact(&notice);
        }
    }
}

/// `D RM id room from text` without the id, and the id.
#[track_caller]
fn typed_message(client: &mut Client) -> (u64, String) {
    let line = client.line();
    let (id, rest) = line.strip_prefix("D RM ").unwrap_or_else(|| panic!("{line:?}")).split_once(' ').unwrap();
    (id.parse().expect("an id"), format!("D RM {rest}"))
}

#[test]
fn three_people_in_a_room() {
    let server = Server::start();
    let (mut alice, mut bob, mut carol) = (server.bare("alice"), server.typed("bob"), server.bare("carol"));
    let mut dave = server.bare("dave");
    gather(&mut [("alice", &mut alice), ("bob", &mut bob), ("carol", &mut carol)]);
    alice.send("RM lobby hello  room ");
    alice.expect_exact("C 250 sent to 2");
    assert_eq!(typed_message(&mut bob).1, "D RM lobby alice hello  room ");
    carol.expect_exact("D RM lobby alice hello  room ");
    bob.send("C rm LOBBY hi");
    bob.expect_exact("C 250 sent to 2");
    alice.expect_exact("D RM lobby bob hi");
    carol.expect_exact("D RM lobby bob hi");
    carol.send_raw(b"RM lobby\nEX\n");
    carol.expect_all(&["C 354 your message?", "C 250 sent to 2"]);
    alice.expect_exact("D RM lobby carol EX");
    assert_eq!(typed_message(&mut bob).1, "D RM lobby carol EX");
    bob.send("C RM lobby");
    bob.expect_exact("C 354 your message?");
    bob.send("D C 250 sent to 9");
    bob.expect_exact("C 250 sent to 2");
    for client in [&mut alice, &mut carol] {
        client.expect_exact("D RM lobby bob C 250 sent to 9");
    }
    for (line, reply) in [
        ("RM lobby hi", "C 550 you are not in lobby"),
        ("RM lobby", "C 550 you are not in lobby"),
        ("RM tea hi", "C 550 no such room"),
    ] {
        dave.send(line);
        dave.expect_exact(reply);
    }
    for client in [&mut alice, &mut bob, &mut carol, &mut dave] {
        client.barrier();
    }
}

#[test]
fn notices_of_coming_going_kicking_and_closing() {
    let server = Server::start();
    let (mut alice, mut bob, mut carol) = (server.bare("alice"), server.typed("bob"), server.bare("carol"));
    gather(&mut [("alice", &mut alice), ("bob", &mut bob), ("carol", &mut carol)]);
    carol.send("LEAVE Lobby");
    carol.expect_exact("C 200 done");
    for client in [&mut alice, &mut bob] {
        client.expect_exact("C 104 lobby carol left");
    }
    enter(&mut carol, "JOIN", "lobby");
    for client in [&mut alice, &mut bob] {
        client.expect_exact("C 103 lobby carol entered");
    }
    bob.send("C KICK lobby carol");
    bob.expect_exact("C 554 you are not the host of lobby");
    alice.send("KICK lobby CAROL");
    alice.expect_all(&["C 104 lobby carol left: kicked", "C 200 done"]);
    for client in [&mut bob, &mut carol] {
        client.expect_exact("C 104 lobby carol left: kicked");
    }
    carol.send("RM lobby why?");
    carol.expect_exact("C 550 you are not in lobby");
    alice.send("KICK lobby carol");
    alice.expect_exact("C 550 carol is not in that room");
    alice.send("LEAVE lobby");
    alice.expect_exact("C 200 done");
    bob.expect_all(&["C 104 lobby alice left", "C 107 lobby bob is host now"]);
    enter(&mut alice, "JOIN", "lobby");
    bob.expect_exact("C 103 lobby alice entered");
    bob.send("C CLOSE lobby");
    bob.expect_all(&["C 106 lobby closed: by its host", "C 200 done"]);
    alice.expect_exact("C 106 lobby closed: by its host");
    alice.send("RM lobby anybody?");
    alice.expect_exact("C 550 no such room");
    assert_eq!(alice.list("ROOMS"), ["0 rooms"]);
    for client in [&mut alice, &mut bob, &mut carol] {
        client.barrier();
    }
}

#[test]
fn notices_may_come_at_a_prompt_and_never_inside_a_reply() {
    let server = Server::builder().no_rates().start();
    let (mut alice, mut bob) = (server.bare("alice"), server.typed("bob"));
    gather(&mut [("alice", &mut alice), ("bob", &mut bob)]);
    alice.send("RM lobby");
    alice.expect_exact("C 354 your message?");
    bob.send("C LEAVE lobby");
    bob.expect_exact("C 200 done");
    alice.expect_exact("C 104 lobby bob left");
    alice.send("still here");
    alice.expect_exact("C 250 sent to 0");
    // `list` panics when anything stands between the lines of a reply.
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..200 {
                assert!(bob.ask("JOIN lobby").starts_with("C 227"));
                bob.ask("LEAVE lobby");
            }
        });
        for _ in 0..200 {
            assert!(alice.list("HELP").len() > 10);
            assert!(alice.list("NAMES lobby").last().unwrap().ends_with(" in lobby"));
        }
    });
}

#[test]
fn membership_is_a_sessions() {
    let server = Server::start();
    let (mut here, mut there, mut bob) = (server.bare("alice"), server.typed("alice"), server.bare("bob"));
    enter(&mut bob, "MAKE", "lobby");
    let first = enter(&mut here, "JOIN", "lobby");
    bob.expect_exact("C 103 lobby alice entered");
    there.send("C RM lobby hi");
    there.expect_exact("C 550 you are not in lobby");
    assert_eq!(bob.ask("RM lobby hi"), "C 250 sent to 1");
    here.expect_exact("D RM lobby bob hi");
    there.barrier();
    let second = enter(&mut there, "JOIN", "lobby");
    assert_ne!(first, second, "a token of its own for each session");
    bob.expect_exact("C 103 lobby alice entered");
    here.expect_exact("C 103 lobby alice entered");
    assert_eq!(bob.list("NAMES lobby"), ["alice", "bob host", "2 in lobby"]);
    assert_eq!(bob.list("ROOMS"), ["lobby 3 members", "1 room"]);
    // Each hears the other.
    assert_eq!(here.ask("RM lobby note"), "C 250 sent to 2");
    assert_eq!(typed_message(&mut there).1, "D RM lobby alice note");
    bob.expect_exact("D RM lobby alice note");
    // All of them are put out at once, and everybody is told once.
    bob.send("KICK lobby alice");
    bob.expect_all(&["C 104 lobby alice left: kicked", "C 200 done"]);
    for client in [&mut here, &mut there] {
        client.expect_exact("C 104 lobby alice left: kicked");
    }
    for client in [&mut here, &mut there, &mut bob] {
        client.barrier();
    }
}

#[test]
fn a_host_is_host_in_all_its_sessions() {
    let server = Server::start();
    let (mut here, mut there, mut bob) = (server.bare("alice"), server.bare("alice"), server.bare("bob"));
    gather(&mut [("alice", &mut here), ("alice", &mut there), ("bob", &mut bob)]);
    there.send("KICK lobby bob");
    there.expect_all(&["C 104 lobby bob left: kicked", "C 200 done"]);
    bob.expect_exact("C 104 lobby bob left: kicked");
    here.expect_exact("C 104 lobby bob left: kicked");
    // When the session that made the room goes, the room has a host that is named anew.
    here.send("EX");
    here.expect_exact("C 221 bye");
    there.expect_all(&["C 104 lobby alice left", "C 107 lobby alice is host now"]);
    there.barrier();
}

#[test]
fn tokens_of_rooms() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    let made = enter(&mut alice, "MAKE", "lobby");
    assert_eq!(enter(&mut alice, "JOIN", "lobby"), made, "of a room one is in");
    let joined = enter(&mut bob, "JOIN", "lobby");
    alice.expect_exact("C 103 lobby bob entered");
    assert_eq!(enter(&mut bob, "JOIN", "lobby"), joined);
    alice.barrier();
    bob.ask("LEAVE lobby");
    alice.expect_exact("C 104 lobby bob left");
    let again = enter(&mut bob, "JOIN", "lobby");
    let other = enter(&mut bob, "MAKE", "tea");
    let all = [made, joined, again, other];
    assert!((0..4).all(|n| !all[..n].contains(&all[n])), "{all:?}");
}

#[test]
fn tokens_passwords_and_words_in_rooms_are_not_logged() {
    let mut server = Server::builder().set("log.level", "\"trace\"").start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    let mut secrets = vec!["ein Wort im Raum".to_owned(), "Sesam".to_owned(), "Simsalabim".to_owned()];
    let reply = alice.ask("MAKE lobby Sesam");
    secrets.push(reply.split_once("token=").expect("a token").1.to_owned());
    assert_eq!(bob.ask("JOIN lobby Simsalabim"), "C 554 wrong room password");
    let reply = bob.ask("JOIN lobby Sesam");
    secrets.push(reply.split_once("token=").expect("a token").1.to_owned());
    alice.expect_exact("C 103 lobby bob entered");
    assert_eq!(alice.ask("RM lobby ein Wort im Raum"), "C 250 sent to 1");
    bob.reset();
    alice.expect_exact("C 104 lobby bob left");
    alice.ask("CLOSE lobby");
    drop(alice);
    server.term();
    let log = server.log_text();
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret:?} is in the log:\n{log}");
    }
}

#[test]
fn room_passwords() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.typed("bob"));
    assert!(alice.ask("MAKE lobby sesame").starts_with("C 227 lobby token="));
    for wrong in ["", " Sesame", " sesam", " sesames"] {
        assert_eq!(bob.ask(&format!("JOIN lobby{wrong}")), "C 554 wrong room password");
    }
    assert_eq!(bob.list("ROOMS"), ["lobby 1 member, password", "1 room"]);
    assert!(bob.ask("JOIN Lobby sesame").starts_with("C 227 lobby token="));
    alice.expect_exact("C 103 lobby bob entered");
    assert!(bob.ask("JOIN lobby whatever").starts_with("C 227 lobby token="), "who is in is in");
    alice.barrier();
}

#[test]
fn names_of_rooms_in_any_script_and_form() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    assert!(alice.ask("MAKE Gru\u{308}n").starts_with("C 227 Grün token="));
    assert_eq!(bob.ask("MAKE gRÜN"), "C 553 Grün is there already; JOIN Grün enters it");
    assert!(bob.ask("JOIN grün").starts_with("C 227 Grün token="));
    alice.expect_exact("C 103 Grün bob entered");
    assert_eq!(bob.ask("RM GRU\u{308}N hi"), "C 250 sent to 1");
    alice.expect_exact("D RM Grün bob hi");
    let (longest, too_long) = ("東".repeat(32), "東".repeat(33));
    assert!(alice.ask(&format!("MAKE {longest}")).starts_with(&format!("C 227 {longest} token=")));
    for bad in [&*too_long, "~tea", "a/b", "👋", "server", "rooms"] {
        assert!(alice.ask(&format!("MAKE {bad}")).starts_with("C 553 "), "{bad}");
        assert_eq!(alice.ask(&format!("JOIN {bad}")), "C 550 no such room", "{bad}");
    }
}

#[test]
fn the_host_is_reset_and_the_room_goes_on() {
    let server = Server::start();
    let (mut alice, mut bob, mut carol) = (server.bare("alice"), server.typed("bob"), server.bare("carol"));
    gather(&mut [("alice", &mut alice), ("bob", &mut bob), ("carol", &mut carol)]);
    alice.reset();
    for client in [&mut bob, &mut carol] {
        client.expect_all(&["C 104 lobby alice left", "C 107 lobby bob is host now"]);
    }
    assert_eq!(bob.ask("RM lobby hi"), "C 250 sent to 1");
    carol.expect_exact("D RM lobby bob hi");
    // By EX it is the same, and by the end of the input.
    assert_eq!(bob.ask("EX"), "C 221 bye");
    carol.expect_all(&["C 104 lobby bob left", "C 107 lobby carol is host now"]);
    let mut dave = server.bare("dave");
    enter(&mut dave, "JOIN", "lobby");
    carol.expect_exact("C 103 lobby dave entered");
    carol.send("RM lobby last words");
    carol.half_close();
    carol.expect_exact("C 250 sent to 1");
    carol.expect_closed();
    dave.expect_all(&["D RM lobby carol last words", "C 104 lobby carol left", "C 107 lobby dave is host now"]);
    assert_eq!(dave.list("NAMES lobby"), ["dave host", "1 in lobby"]);
    dave.ask("LEAVE lobby");
    assert_eq!(dave.list("ROOMS"), ["0 rooms"]);
}

#[test]
fn who_is_in_several_rooms_leaves_them_all() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    for room in ["z", "a", "m"] {
        enter(&mut alice, "MAKE", room);
        enter(&mut bob, "JOIN", room);
        alice.expect_exact(&format!("C 103 {room} bob entered"));
    }
    bob.reset();
    alice.expect_all(&["C 104 z bob left", "C 104 a bob left", "C 104 m bob left"]);
    alice.barrier();
    let mut bob = server.bare("bob");
    assert_eq!(bob.ask("RM z hi"), "C 550 you are not in z");
}

#[test]
fn lists_show_no_more_lines_than_configured() {
    let server = Server::builder().set("limits.list_lines", "3").start();
    let mut alice = server.bare("alice");
    for room in ["tea", "Cake", "pie"] {
        enter(&mut alice, "MAKE", room);
    }
    assert_eq!(alice.list("ROOMS"), ["Cake 1 member", "pie 1 member", "tea 1 member", "3 rooms"]);
    for room in ["cocoa", "Coffee"] {
        enter(&mut alice, "MAKE", room);
    }
    let expected = ["Cake 1 member", "cocoa 1 member", "Coffee 1 member", "3 of 5 rooms; ROOMS prefix narrows it"];
    assert_eq!(alice.list("ROOMS"), expected);
    assert_eq!(alice.list("ROOMS co"), ["cocoa 1 member", "Coffee 1 member", "2 rooms"]);
    let _others = ["bob", "Carol", "dave"].map(|name| {
        let mut client = server.bare(name);
        enter(&mut client, "JOIN", "Cake");
        client
    });
    let expected = ["alice host", "bob", "Carol", "3 of 4 in Cake; NAMES Cake prefix narrows it"];
    assert_eq!(alice.list("NAMES cake"), expected);
    assert_eq!(alice.list("NAMES cake D"), ["dave", "1 in Cake"]);
}

#[test]
fn limits_of_rooms() {
    let server = Server::builder().set("rooms.per_session", "2").set("rooms.members", "2").start();
    let (mut alice, mut bob, mut carol) = (server.bare("alice"), server.bare("bob"), server.typed("carol"));
    enter(&mut alice, "MAKE", "a");
    enter(&mut alice, "MAKE", "b");
    assert_eq!(alice.ask("MAKE c"), "C 554 you are in 2 rooms already; LEAVE one first");
    enter(&mut bob, "MAKE", "c");
    assert_eq!(alice.ask("JOIN c"), "C 554 you are in 2 rooms already; LEAVE one first");
    enter(&mut bob, "JOIN", "a");
    assert_eq!(carol.ask("JOIN a"), "C 554 a is full");
    alice.expect_exact("C 103 a bob entered");
    enter(&mut alice, "JOIN", "a"); // who is in is in
    bob.reset();
    alice.expect_exact("C 104 a bob left");
    enter(&mut carol, "JOIN", "a");
    assert_eq!(alice.ask("LEAVE b"), "C 200 done");
    enter(&mut alice, "MAKE", "c");
}

#[test]
fn ids_rise_over_all_kinds_of_messages() {
    let server = Server::builder().no_rates().start();
    let (mut alice, mut bob, mut carol) = (server.typed("alice"), server.typed("bob"), server.typed("carol"));
    gather(&mut [("alice", &mut alice), ("bob", &mut bob), ("carol", &mut carol)]);
    let mut last = 0;
    for n in 0..50 {
        let (operation, heard) =
            [("RM lobby", "RM"), ("PM", "PM"), ("DM bob", "DM")].get(n % 3).copied().expect("one of three");
        alice.ask(&format!("{operation} {n}"));
        let line = bob.line();
        let (id, _) = line.strip_prefix(&format!("D {heard} ")).expect("such a message").split_once(' ').unwrap();
        let id: u64 = id.parse().expect("an id");
        assert!(id > last, "{id} after {last}");
        if heard != "DM" {
            assert_eq!(carol.line(), line, "the same for all who hear it");
        }
        last = id;
    }
}

/// What a member heard, in its order: `NAME N`, with the id if it was told one.
type History = Vec<(Option<u64>, String)>;

/// Has a member say `count` things as fast as can be, and gives what it heard until it has heard so much of each of the
/// `others`.
fn speak(name: &str, client: &mut Client, others: usize, count: usize) -> History {
    let said: Vec<String> = (0..count).map(|n| format!("RM lobby {name} {n}")).collect();
    let dress = if client.is_typed() { "C " } else { "" };
    client.send_raw(said.iter().map(|line| format!("{dress}{line}\n")).collect::<String>().as_bytes());
    let (mut history, mut replies) = (History::new(), 0);
    while replies < count || history.len() < others * count {
        let line = client.line();
        let Some(message) = line.strip_prefix("D RM ") else {
            assert_eq!(line, format!("C 250 sent to {others}"));
            replies += 1;
            continue;
        };
        let (id, message) = match message.strip_prefix("lobby ") {
            Some(message) => (None, message),
            None => {
                let (id, message) = message.split_once(" lobby ").expect("an id and the room");
                (Some(id.parse().expect("an id")), message)
            }
        };
        let (from, text) = message.split_once(' ').expect("a sender");
        assert!(text.starts_with(from), "{line:?}");
        history.push((id, text.to_owned()));
    }
    history
}

#[test]
fn all_members_see_one_order() {
    const COUNT: usize = 200;
    let server = Server::builder().no_rates().start();
    let names = ["alice", "bob", "carol", "dave", "erin", "frank"];
    let mut clients = names.map(|name| if name < "dave" { server.typed(name) } else { server.bare(name) });
    let mut members: Vec<(&str, &mut Client)> = names.into_iter().zip(&mut clients).collect();
    gather(&mut members);
    let others = names.len() - 1;
    let histories: Vec<History> = thread::scope(|scope| {
        let speakers: Vec<_> =
            members.into_iter().map(|(name, client)| scope.spawn(move || speak(name, client, others, COUNT))).collect();
        speakers.into_iter().map(|speaker| speaker.join().expect("a history")).collect()
    });
    // The one order is that of the ids, and everybody has heard all of it but what was its own.
    let with_ids = histories.iter().flatten().filter_map(|(id, text)| Some(((*id)?, text.as_str())));
    let all: BTreeMap<u64, &str> = with_ids.collect();
    assert_eq!(all.len(), names.len() * COUNT, "an id for each message");
    for (name, history) in names.iter().zip(&histories) {
        let expected = all.values().copied().filter(|text| !text.starts_with(name));
        assert!(history.iter().map(|(_, text)| text.as_str()).eq(expected), "{name} has seen another order");
        assert!(history.iter().all(|(id, text)| id.is_none_or(|id| all[&id] == text)), "{name} has seen other ids");
        let own = all.values().filter_map(|text| text.strip_prefix(name)?.trim().parse::<usize>().ok());
        assert!(own.eq(0..COUNT), "the lines of {name} are out of order");
    }
}

#[test]
fn rooms_do_not_survive_a_restart() {
    let mut server = Server::start();
    let mut alice = server.bare("alice");
    enter(&mut alice, "MAKE", "lobby");
    server.restart();
    let mut alice = server.bare("alice");
    assert_eq!(alice.list("ROOMS"), ["0 rooms"]);
    assert_eq!(alice.ask("JOIN lobby"), "C 550 no such room");
}

#[test]
fn people_with_nc_in_a_room() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    enter(&mut alice, "MAKE", "lobby");
    let mut nc = server.connect();
    nc.send_raw(b"bob\ncorrect horse\nJOIN lobby\nRM lobby hi all\nNAMES lobby\nLEAVE lobby\nEX\n");
    nc.half_close();
    for code in ["C 220 ", "C 332 ", "C 230 ", "C 227 lobby token="] {
        nc.expect(code);
    }
    nc.expect_all(&["C 250 sent to 1", "C 211-alice host", "C 211-bob", "C 211 2 in lobby", "C 200 done", "C 221 bye"]);
    nc.expect_closed();
    alice.expect_all(&["C 103 lobby bob entered", "D RM lobby bob hi all", "C 104 lobby bob left"]);
    alice.barrier();
}

#[test]
fn a_storm_of_resets_in_a_room_of_two_hundred() {
    const MEMBERS: usize = 200;
    let server = Server::builder().no_rates().set("accounts.queue", "250").start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    let mut members: Vec<Client> = (0..MEMBERS).map(|_| server.connect()).collect();
    for (n, client) in members.iter_mut().enumerate() {
        client.send(&format!("person{n}\ncorrect horse"));
    }
    for client in &mut members {
        for code in ["C 220 ", "C 332 ", "C 230 "] {
            client.expect(code);
        }
    }
    let before = server.descriptors();
    enter(&mut members[0], "MAKE", "lobby");
    for client in &mut members[1..] {
        assert!(client.ask("JOIN lobby").starts_with("C 227 "));
    }
    enter(&mut alice, "JOIN", "lobby");
    enter(&mut bob, "MAKE", "tea");
    assert_eq!(alice.ask("RM lobby hi"), format!("C 250 sent to {MEMBERS}"));
    members.into_iter().for_each(Client::reset);
    // Whoever was before her is told of, each once, and of the hosts on the way, of whom she is the last.
    let mut gone = BTreeMap::new();
    let mut line = alice.line();
    while line != "C 107 lobby alice is host now" {
        if let Some(name) = line.strip_prefix("C 104 lobby ").and_then(|rest| rest.strip_suffix(" left")) {
            *gone.entry(name.to_owned()).or_insert(0) += 1;
        } else {
            assert!(line.starts_with("C 107 lobby person"), "{line:?}");
        }
        line = alice.line();
    }
    assert_eq!(gone.len(), MEMBERS, "{gone:?}");
    assert!(gone.values().all(|count| *count == 1), "{gone:?}");
    alice.barrier();
    eventually("their descriptors are free", || server.descriptors() == before - MEMBERS);
    assert_eq!(bob.list("NAMES lobby"), ["alice host", "1 in lobby"]);
    assert_eq!(alice.ask("RM lobby hi"), "C 250 sent to 0");
    server.is_idle_for_a_second();
}
