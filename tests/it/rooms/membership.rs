//! Members and hosts, and what becomes of a room when members leave, or the server ends.

use std::collections::BTreeMap;

use testkit::{Client, Server, eventually};

use super::{enter, gather, typed_message};

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
    // Each receives the other's message.
    assert_eq!(here.ask("RM lobby note"), "C 250 sent to 2");
    assert_eq!(typed_message(&mut there).1, "D RM lobby alice note");
    bob.expect_exact("D RM lobby alice note");
    // All of them are removed at once, and everybody is told once.
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
    // When the session that made the room ends, the room gets a new host.
    here.send("EX");
    here.expect_exact("C 221 bye");
    there.expect_all(&["C 104 lobby alice left", "C 107 lobby alice is host now"]);
    there.barrier();
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
    // The same with EX and with the end of the input.
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
    // She is told about each earlier member once, and about the hosts in between, until she is host herself.
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

#[test]
fn rooms_do_not_survive_a_restart() {
    let mut server = Server::start();
    let mut alice = server.bare("alice");
    enter(&mut alice, "MAKE", "lobby");
    server.restart();
    let mut alice = server.bare("alice");
    assert_eq!(alice.list("ROOMS"), ["0 rooms"]);
    assert_eq!(alice.ask("JOIN lobby"), "C 550 no such room; ROOMS lists all");
}

#[test]
fn shutdown_sends_no_leave_notices() {
    let mut server = Server::start();
    let (mut alice, mut bob, mut carol) = (server.bare("alice"), server.typed("bob"), server.bare("carol"));
    gather(&mut [("alice", &mut alice), ("bob", &mut bob), ("carol", &mut carol)]);
    server.signal(rustix::process::Signal::TERM);
    for mut client in [alice, bob, carol] {
        client.expect_421("shutting down, retry in 2 s");
    }
    assert_eq!(server.wait_exit().code(), Some(0));
}
