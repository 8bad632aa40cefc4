//! Invitations, and hosts that hand their room on.

use testkit::Server;

use super::{enter, gather};

#[test]
fn the_invited_are_told_in_all_their_sessions_and_nobody_else() {
    let server = Server::start();
    let (mut alice, mut carol) = (server.bare("alice"), server.bare("carol"));
    let (mut bob, mut twin, mut eve) = (server.typed("Bob"), server.bare("Bob"), server.bare("eve"));
    gather(&mut [("alice", &mut alice), ("carol", &mut carol)]);
    assert_eq!(carol.ask("invite LOBBY bob"), "C 200 Bob is invited to lobby", "any member may");
    for client in [&mut bob, &mut twin] {
        client.expect_exact("C 111 lobby carol invites you");
    }
    assert_eq!(bob.ask("AWAY lunch"), "C 200 you are away: lunch");
    assert_eq!(alice.ask("INVITE #lobby BOB"), "C 200 Bob is invited to lobby (away: lunch)");
    for client in [&mut bob, &mut twin] {
        client.expect_exact("C 111 lobby alice invites you");
    }
    for client in [&mut alice, &mut carol, &mut eve] {
        assert_eq!(client.heard(), [""; 0]);
    }
}

#[test]
fn an_invitation_opens_no_door() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    enter(&mut alice, "MAKE", "lobby");
    assert_eq!(alice.ask("LOCK lobby pa55 word"), "C 200 done");
    assert_eq!(alice.ask("INVITE lobby bob"), "C 200 bob is invited to lobby");
    bob.expect_exact("C 111 lobby alice invites you");
    assert_eq!(bob.ask("JOIN lobby"), "C 554 the room needs a password: JOIN room password");
}

#[test]
fn who_cannot_be_invited() {
    let server = Server::start();
    let (mut alice, mut bob, mut eve) = (server.bare("alice"), server.bare("bob"), server.bare("eve"));
    gather(&mut [("alice", &mut alice), ("bob", &mut bob)]);
    for (line, answer) in [
        ("INVITE lobby Bob", "C 554 bob is in lobby already"),
        ("INVITE lobby alice", "C 554 alice is in lobby already"),
        ("INVITE lobby nobody", "C 550 nobody is not online"),
        ("INVITE lobby ~zoe", "C 550 ~zoe is not online"),
        ("INVITE lobby é", "C 550 no such user"),
        ("INVITE tea bob", "C 550 no such room; ROOMS lists all"),
        ("INVITE lobby", "C 501 usage: INVITE room name"),
        ("INVITE", "C 501 usage: INVITE room name"),
        ("INVITE lobby bob carol", "C 501 usage: INVITE room name"),
    ] {
        assert_eq!(alice.ask(line), answer, "{line}");
    }
    assert_eq!(eve.ask("INVITE lobby bob"), "C 550 you are not in lobby");
    assert_eq!(eve.ask("IGNORE alice"), "C 200 done");
    assert_eq!(alice.ask("INVITE lobby eve"), "C 554 eve takes no messages from you");
    assert_eq!(eve.heard(), [""; 0]);
}

#[test]
fn the_host_hands_its_room_on() {
    let server = Server::start();
    let (mut alice, mut bob, mut carol) = (server.bare("alice"), server.bare("bob"), server.typed("carol"));
    gather(&mut [("alice", &mut alice), ("bob", &mut bob), ("carol", &mut carol)]);
    assert_eq!(bob.ask("HOST lobby carol"), "C 554 you are not the host of lobby");
    assert_eq!(alice.ask("HOST lobby ALICE"), "C 200 done");
    assert_eq!(alice.ask("HOST lobby nobody"), "C 550 nobody is not in that room");
    assert_eq!(alice.ask("HOST lobby"), "C 501 usage: HOST room name");
    alice.send("host LOBBY CAROL");
    alice.expect_all(&["C 107 lobby carol is host now", "C 200 done"]);
    for client in [&mut bob, &mut carol] {
        client.expect_exact("C 107 lobby carol is host now");
    }
    assert_eq!(bob.list("NAMES lobby"), ["alice", "bob", "carol host", "3 in lobby"]);
    assert_eq!(alice.ask("KICK lobby bob"), "C 554 you are not the host of lobby");
    carol.send("C KICK lobby alice");
    carol.expect_all(&["C 104 lobby alice left: kicked", "C 200 done"]);
    bob.expect_exact("C 104 lobby alice left: kicked");
    // The room goes on without the one that made it, and has a host as ever.
    carol.send("C LEAVE lobby");
    bob.expect_all(&["C 104 lobby carol left", "C 107 lobby bob is host now"]);
}

#[test]
fn the_session_that_entered_first_is_host() {
    let server = Server::start();
    let (mut alice, mut first, mut second) = (server.bare("alice"), server.bare("bob"), server.bare("bob"));
    gather(&mut [("alice", &mut alice), ("bob", &mut first), ("bob", &mut second)]);
    alice.send("HOST lobby bob");
    alice.expect_all(&["C 107 lobby bob is host now", "C 200 done"]);
    for client in [&mut first, &mut second] {
        client.expect_exact("C 107 lobby bob is host now");
    }
    second.send("LEAVE lobby");
    for client in [&mut alice, &mut first] {
        client.expect_exact("C 104 lobby bob left");
        client.barrier(); // no 107
    }
    first.send("LEAVE lobby");
    alice.expect_all(&["C 104 lobby bob left", "C 107 lobby alice is host now"]);
}

#[test]
fn a_kept_room_is_its_owners() {
    let server = Server::start();
    let (mut alice, mut bob, mut eve) = (server.bare("alice"), server.bare("bob"), server.bare("eve"));
    gather(&mut [("alice", &mut alice), ("bob", &mut bob)]);
    alice.send("KEEP lobby");
    alice.expect_all(&["C 112 lobby kept 30", "C 200 done"]);
    bob.expect_exact("C 112 lobby kept 30");
    assert_eq!(alice.ask("HOST lobby bob"), "C 554 the owner is alice");
    assert_eq!(bob.ask("HOST lobby bob"), "C 554 the owner is alice");
    assert_eq!(eve.ask("HOST lobby eve"), "C 550 you are not in lobby");
    alice.send("KEEP lobby TO bob");
    alice.expect_all(&["C 107 lobby bob is host now", "C 200 done"]);
    bob.expect_exact("C 107 lobby bob is host now");
    assert_eq!(alice.ask("HOST lobby alice"), "C 554 the owner is bob");
}
