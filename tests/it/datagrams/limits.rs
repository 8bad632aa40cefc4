//! Limits: datagrams per second, the bytes of one, guests that come and go, and a flood.

use std::io::Read as _;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use testkit::rooms::{JOIN, MAKE, Over, Peer, Way, exchange, request, token_of};
use testkit::{Client, Server, eventually, pause};

use super::{HERE, enter};

#[test]
fn a_hundred_at_once_and_then_fifty_a_second() {
    let server = Server::builder().rooms(&[""]).start();
    let (bob, eve) = (server.guest(MAKE, "lobby", "bob"), server.guest(JOIN, "lobby", "eve"));
    let began = Instant::now();
    for n in 0..300 {
        bob.say(&n.to_string());
    }
    eve.say("enough");
    // The first was the hello. However slow the machine is, the allowance grows by one in 20 ms.
    let mut heard = 0;
    bob.expect("~eve: enough");
    let most = 99 + began.elapsed().as_millis() as u64 / 20 + 1;
    eve.socket.set_nonblocking(true).unwrap();
    while eve.socket.recv(&mut [0; 100]).is_ok() {
        heard += 1;
    }
    eve.socket.set_nonblocking(false).unwrap();
    assert!((99..=most).contains(&heard), "{heard} of 300, {most} at most");
    server.expect_counters(&[
        ("datagrams_in", 303),
        ("datagrams_invalid", 0),
        ("datagrams_too_fast", 300 - heard),
        ("datagrams_out", heard + 1),
    ]);
    // It wears off.
    eventually("bob may speak again", || {
        bob.say("again");
        eve.socket.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
        eve.socket.recv(&mut [0; 100]).is_ok()
    });
}

#[test]
fn a_datagram_too_long_for_a_member_is_dropped() {
    let server = Server::builder().rooms(&["", "&down=named"]).datagrams().start();
    let mut alice = server.bare("alice");
    enter(&mut alice, "MAKE lobby");
    let bob = server.guest(JOIN, "lobby", "bob");
    let fay = server.silent_guest_at(1, JOIN, "lobby", "fay");
    fay.hello();
    fay.say("ready");
    bob.expect("~fay: ready");
    for line in ["C 103 lobby ~bob entered", "C 103 lobby ~fay entered", "D RM lobby ~fay ready"] {
        alice.expect_exact(line);
    }
    // A line of alice's has at most 4096 bytes, including `RM a ` and LF, so its text always fits into a datagram
    // except with the longest name. The 4068 bytes of message in a datagram fit after a short name, but not after a
    // long one.
    let longest = "x".repeat(4096 - 28);
    bob.say(&longest);
    alice.expect_exact(&format!("D RM lobby ~bob {longest}"));
    fay.expect(&format!("\u{4}~bob{longest}"));
    let wide = "𝔸".repeat(32);
    let answer = exchange(server.door("rooms"), &request(JOIN, "lobby", wide.as_bytes()), Way::Whole);
    let wide_one = Peer::new(HERE, server.door("udp"), &token_of(&answer));
    alice.expect_exact(&format!("C 103 lobby ~{wide} entered"));
    wide_one.say(&longest);
    alice.expect_exact(&format!("D RM lobby ~{wide} {longest}"));
    // 131 bytes precede it for one member, 130 for the other.
    let between = "y".repeat(4096 - 130);
    wide_one.say(&between);
    alice.expect_exact(&format!("D RM lobby ~{wide} {between}"));
    assert_eq!(fay.hear(), [&[129], format!("~{wide}{between}").as_bytes()].concat());
    wide_one.say("short");
    bob.expect(&format!("~{wide}: short"));
    server.expect_counters(&[("datagrams_too_long", 3), ("datagrams_dropped", 0), ("datagrams_invalid", 0)]);
}

#[test]
fn three_thousand_guests_leave_nothing_behind() {
    let server = Server::builder().rooms(&[""]).start();
    let round = |guests: usize| {
        for n in 0..guests {
            let host = server.silent_guest(MAKE, &format!("room{n}"), "host");
            host.say("/exit");
        }
        server.expect_counters(&[("rooms", 0), ("peers", 0), ("connections", 0)]);
    };
    round(500);
    let before = server.resident_kib();
    round(3000);
    let after = server.resident_kib();
    assert!(after < before + 2048, "{before} KiB before, {after} KiB after");
}

#[test]
fn a_flood_of_datagrams_delays_nobody_else() {
    // On a busy machine the many may be slow. This test is about two others, who must not be.
    let owed = |builder: testkit::Builder, key| builder.set(key, "1000000000");
    let server = owed(owed(Server::builder().rooms(&[""]), "limits.owed_bytes"), "limits.owed_soft_bytes");
    let server = server.no_rates().start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    let mut crowd: Vec<Client> = (0..8).map(|n| server.bare(&format!("member{n}"))).collect();
    enter(&mut crowd[0], "MAKE hall");
    for client in &mut crowd[1..] {
        enter(client, "JOIN hall");
    }
    let guests: Vec<Peer> = (0..60).map(|n| server.guest(JOIN, "hall", &format!("guest{n}"))).collect();
    let text = "x".repeat(4000);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for client in &mut crowd {
            // They read as fast as they can, so the server must not call them slow.
            let stream = client.stream().try_clone().unwrap();
            let is_over = &is_over;
            scope.spawn(move || {
                let (mut stream, mut bytes) = (stream, vec![0; 1 << 20]);
                stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
                while !is_over.load(Relaxed) {
                    assert!(!matches!(stream.read(&mut bytes), Ok(0)), "the server has closed a member");
                }
            });
        }
        scope.spawn(|| {
            while !is_over.load(Relaxed) {
                guests.iter().for_each(|guest| guest.say(&text));
                pause(10);
            }
        });
        let _over = Over(&is_over);
        for n in 0..200 {
            alice.send(&format!("DM bob {n}"));
            bob.expect_exact(&format!("D DM alice {n}"));
            alice.expect_exact("C 250 sent to bob");
        }
    });
    assert!(!server.log_text().contains("too slow"));
}
