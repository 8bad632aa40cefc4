//! What ends a membership or a room, and who is told: a host that leaves, silence, and the end of the server.

use std::fs;
use std::time::Instant;

use testkit::rooms::{JOIN, MAKE};
use testkit::{Client, PATIENCE, Server};

use super::{both, enter, enter_by_udp};

#[test]
fn a_guest_s_room_closes_once_with_its_host() {
    for ends_by_silence in [false, true] {
        let idle = if ends_by_silence { "2" } else { "300" };
        let server = Server::builder().rooms(&["", "&down=named"]).set("rooms.guest_idle_s", idle).start();
        let host = server.guest(MAKE, "lobby", "host");
        let mut alice = server.bare("alice");
        enter(&mut alice, "JOIN lobby");
        let eve = server.guest(JOIN, "lobby", "eve");
        let deaf = server.silent_guest(JOIN, "lobby", "deaf");
        let fay = server.silent_guest_at(1, JOIN, "lobby", "fay");
        fay.hello();
        for guest in ["~eve", "~deaf", "~fay"] {
            alice.expect_exact(&format!("C 103 lobby {guest} entered"));
        }
        alice.barrier(); // earlier datagrams have been handled
        if ends_by_silence {
            let deadline = Instant::now() + PATIENCE;
            while server.counter("rooms") > 0 {
                assert!(Instant::now() < deadline, "the host has been silent for long");
                // Everybody else sends a datagram.
                [&eve, &deaf, &fay].iter().for_each(|peer| peer.hello());
            }
            deaf.expect("server: room closed");
        } else {
            host.say("exit");
        }
        alice.expect_exact("C 106 lobby closed: its host has left");
        eve.expect("server: room closed");
        fay.expect("\u{6}serverroom closed");
        for peer in [&eve, &deaf, &fay, &host] {
            peer.say("anybody?");
        }
        alice.barrier();
        assert_eq!(alice.ask("RM lobby anybody?"), "C 550 no such room; ROOMS lists all");
        server.expect_counters(&[("rooms", 0), ("peers", 0)]);
        for peer in [&eve, &deaf, &fay, &host] {
            peer.expect_nothing();
        }
    }
}

#[test]
fn an_account_s_room_passes_on_to_a_member() {
    let hosts_end: [fn(Client); 3] = [
        |alice| alice.reset(),
        |mut alice| drop(alice.ask("EX")),
        |mut alice| {
            alice.op("KICK lobby alice");
            alice.expect_exact("C 104 lobby alice left: kicked");
            alice.expect("C 200");
            alice.barrier();
            drop(alice);
        },
    ];
    for (n, end) in hosts_end.into_iter().enumerate() {
        let server = both();
        let (mut alice, mut carol) = (server.bare("alice"), server.bare("carol"));
        let alice_udp = enter_by_udp(&mut alice, "MAKE lobby");
        let bob = server.guest(JOIN, "lobby", "bob");
        alice.expect_exact("C 103 lobby ~bob entered");
        enter(&mut carol, "JOIN lobby");
        alice.expect_exact("C 103 lobby carol entered");
        end(alice);
        carol.expect(if n == 2 { "C 104 lobby alice left: kicked" } else { "C 104 lobby alice left" });
        carol.expect_exact("C 107 lobby ~bob is host now");
        alice_udp.say("boo");
        bob.say("the room is mine");
        carol.expect_exact("D RM lobby ~bob the room is mine");
        assert_eq!(carol.ask("KICK lobby ~bob"), "C 554 you are not the host of lobby");
        // It is still the room of an account: it goes on without its host.
        bob.say("/exit");
        carol.expect_exact("C 104 lobby ~bob left");
        carol.expect_exact("C 107 lobby carol is host now");
        let eve = server.guest(JOIN, "lobby", "eve");
        carol.expect_exact("C 103 lobby ~eve entered");
        carol.op("KICK lobby ~eve");
        carol.expect_exact("C 104 lobby ~eve left: kicked");
        carol.expect("C 200");
        eve.say("boo");
        carol.barrier();
        for peer in [&alice_udp, &bob, &eve] {
            peer.expect_nothing();
        }
        server.expect_counters(&[("datagrams_invalid", 2), ("peers", 1)]);
    }
}

#[test]
fn hup_changes_how_long_silence_may_last() {
    let server = both();
    let mut alice = server.bare("alice");
    let alice_udp = enter_by_udp(&mut alice, "MAKE lobby");
    let bob = server.guest(JOIN, "lobby", "bob");
    alice.expect_exact("C 103 lobby ~bob entered");
    let text = fs::read_to_string(server.path("config.toml")).unwrap();
    fs::write(server.path("config.toml"), format!("{text}\n[rooms]\nguest_idle_s = 2\ndatagram_idle_s = 1\n")).unwrap();
    server.hup();
    server.wait_for_log("configuration re-read");
    alice.expect_exact("C 104 lobby ~bob left");
    // alice has sent no datagram for as long, and receives lines again.
    let eve = server.guest(JOIN, "lobby", "eve");
    alice.expect_exact("C 103 lobby ~eve entered");
    eve.say("hello");
    alice.expect_exact("D RM lobby ~eve hello");
    alice_udp.expect_nothing();
    bob.expect_nothing();
}

#[test]
fn shutdown_sends_one_last_datagram() {
    let mut server = Server::builder().rooms(&["", "&down=named"]).datagrams().start();
    let mut alice = server.bare("alice");
    let alice_udp = enter_by_udp(&mut alice, "MAKE lobby");
    let bob = server.guest(MAKE, "den", "bob");
    let eve = server.guest(JOIN, "den", "eve");
    let fay = server.silent_guest_at(1, JOIN, "lobby", "fay");
    fay.say("hi");
    alice_udp.expect("~fay: hi");
    bob.say("hi");
    eve.expect("~bob: hi");
    assert_eq!(server.term().code(), Some(0));
    alice_udp.expect("server: room closed");
    bob.expect("server: room closed");
    eve.expect("server: room closed");
    fay.expect("\u{6}serverroom closed");
    assert_eq!(alice.reply(), "C 421 shutting down, retry in 2 s");
    for peer in [&alice_udp, &bob, &eve, &fay] {
        // The server is gone, so the socket may report that instead.
        assert!(peer.socket.set_nonblocking(true).is_ok() && peer.socket.recv(&mut [0; 100]).is_err());
    }
    let log = server.log_text();
    let last = log.lines().rev().find(|line| line.contains("stats: ")).unwrap();
    assert!(last.contains(" datagrams_out=6 ") && last.contains(" peers=0 "), "{last}");
}
