//! The server's sockets: one for two doors, two for one member, and over IPv6.

use std::net::UdpSocket;

use testkit::Server;
use testkit::rooms::{JOIN, Peer, Way, datagram, exchange, request, token_of};

use super::{HERE, both, enter, enter_by_udp};

#[test]
fn two_doors_may_share_a_socket() {
    // A port that was free a moment ago.
    let port = UdpSocket::bind((HERE, 0)).unwrap().local_addr().unwrap().port();
    let doors = [
        "line://127.0.0.1:0".to_owned(),
        format!("rooms://127.0.0.1:0?udp={port}"),
        format!("rooms://127.0.0.1:0?udp={port}&down=named"),
    ];
    let doors: Vec<&str> = doors.iter().map(String::as_str).collect();
    let datagrams = format!("\"127.0.0.1:{port}\"");
    let server =
        Server::builder().listen(&doors).set("datagrams", &datagrams).set("log.stats_s", "1").sockets(4).start();
    assert_eq!((server.doors("udp").len(), server.door("udp").port()), (1, port));
    server.expect_udp_sockets(1);
    let mut alice = server.bare("alice");
    let alice_udp = enter_by_udp(&mut alice, "MAKE lobby");
    let bob = server.guest(JOIN, "lobby", "bob");
    let fay = server.silent_guest_at(1, JOIN, "lobby", "fay");
    fay.say("hi");
    alice_udp.expect("~fay: hi");
    bob.expect("~fay: hi");
    bob.say("ho");
    fay.expect("\u{4}~bobho");
    alice_udp.expect("~bob: ho");
    // Another server cannot bind the socket.
    let busy = format!("127.0.0.1:{port}");
    let mut other = Server::builder().set("datagrams", "\"127.0.0.1:0\"").sockets(2).start();
    other.term();
    other.set("datagrams", &format!("\"{busy}\""));
    other.fails_to_start().check(75, &[&format!("udp://{busy}"), "in use", "another port with `datagrams`"]);
}

#[test]
fn members_of_two_rooms_use_two_sockets() {
    let server = both();
    let mut alice = server.bare("alice");
    let (one, two) = (enter_by_udp(&mut alice, "MAKE one"), enter_by_udp(&mut alice, "MAKE two"));
    let (bob, eve) = (server.guest(JOIN, "one", "bob"), server.guest(JOIN, "two", "eve"));
    alice.expect_exact("C 103 one ~bob entered");
    alice.expect_exact("C 103 two ~eve entered");
    alice.barrier(); // earlier datagrams have been handled
    one.say("to one");
    two.say("to two");
    bob.expect("alice: to one");
    eve.expect("alice: to two");
    bob.say("from one");
    eve.say("from two");
    one.expect("~bob: from one");
    two.expect("~eve: from two");
    // A token is valid for its room only.
    one.send(&datagram("two", &one.token, b"to two"));
    one.say("after");
    bob.expect("alice: after");
    eve.expect_nothing();
    // Its address is removed with its membership, and no other is.
    assert!(alice.ask("LEAVE one").starts_with("C 200"));
    eve.say("still?");
    two.expect("~eve: still?");
    bob.say("still?");
    eve.say("and now?");
    two.expect("~eve: and now?");
    one.expect_nothing();
}

#[test]
fn the_same_over_ipv6() {
    if let Err(error) = UdpSocket::bind("[::1]:0") {
        eprintln!("skipped: there is no IPv6 here: {error}");
        return;
    }
    let doors = ["line://[::1]:0", "rooms://[::1]:0?udp=0"];
    let server = Server::builder().listen(&doors).set("log.stats_s", "1").sockets(3).start();
    let mut alice = server.bare("alice");
    enter(&mut alice, "MAKE lobby");
    let udp = server.door("udp");
    let answer = exchange(server.door("rooms"), &request(JOIN, "lobby", b"bob"), Way::Whole);
    let bob = Peer::new(udp.ip(), udp, &token_of(&answer));
    alice.expect_exact("C 103 lobby ~bob entered");
    bob.say("over six");
    alice.expect_exact("D RM lobby ~bob over six");
    assert_eq!(alice.ask("RM lobby and back"), "C 250 sent to 1");
    bob.expect("alice: and back");
    Peer::new(udp.ip(), udp, &bob.token).say("another port");
    server.expect_counters(&[("datagrams_in", 2), ("datagrams_invalid", 1), ("datagrams_out", 1)]);
}
