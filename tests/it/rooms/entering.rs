//! Finding and entering a room: names, passwords, tokens, lists and limits.

use testkit::Server;

use super::enter;

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
fn room_secrets_and_messages_are_not_logged() {
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
    assert_eq!(bob.ask("JOIN lobby"), "C 554 the room needs a password: JOIN room password");
    for wrong in [" Sesame", " sesam", " sesames", " sesame sesame"] {
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
        assert_eq!(alice.ask(&format!("JOIN {bad}")), "C 550 no such room; ROOMS lists all", "{bad}");
    }
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
    enter(&mut alice, "JOIN", "a"); // a member stays a member
    bob.reset();
    alice.expect_exact("C 104 a bob left");
    enter(&mut carol, "JOIN", "a");
    assert_eq!(alice.ask("LEAVE b"), "C 200 done");
    enter(&mut alice, "MAKE", "c");
}
