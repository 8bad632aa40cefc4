//! Passwords of rooms: what they may be, and the delays for guessing.

use std::time::{Duration, Instant};

use testkit::rooms::{JOIN, MAKE, Way, exchange, frames, request};
use testkit::{Builder, Client, Server};

const WRONG: &str = "C 554 wrong room password";

/// A server with room `tea`, password `open sesame`, and its host.
fn with_tea(builder: Builder) -> (Server, Client) {
    let server = builder.no_rates().start();
    let mut host = server.bare("host1");
    assert!(host.ask("MAKE tea open sesame").starts_with("C 227 "));
    (server, host)
}

/// The byte with which the room door answers.
fn answer(server: &Server, operation: u8, room: &str, name: &str, password: &str) -> u8 {
    let payload = format!(r#"{{"username":"{name}","password":"{password}"}}"#);
    frames(&exchange(server.door("rooms"), &request(operation, room, payload.as_bytes()), Way::Whole))[0].payload[0]
}

#[test]
fn room_passwords_go_to_the_end_of_the_line() {
    let (server, mut host) = with_tea(Server::builder().rooms(&[""]));
    let mut alice = server.typed("alice");
    assert_eq!(alice.ask("JOIN tea"), "C 554 the room needs a password: JOIN room password");
    assert_eq!(alice.ask("JOIN tea open"), WRONG);
    assert_eq!(alice.ask("JOIN tea open  sesame"), WRONG);
    assert!(alice.ask("JOIN tea   open sesame").starts_with("C 227 tea "));
    host.expect_exact("C 103 tea alice entered");
    assert_eq!(answer(&server, JOIN, "tea", "zoe", "open sesame"), 0);
    host.expect_exact("C 103 tea ~zoe entered");
    // A password set at the room door works at the line door.
    let longest = "long ".repeat(25) + "end";
    assert_eq!(answer(&server, MAKE, "cake", "kim", "two  words"), 0);
    assert_eq!(answer(&server, MAKE, "pie", "kim", &longest), 0);
    assert_eq!(answer(&server, MAKE, "jam", "kim", &format!("{longest}x")), 4);
    assert!(host.ask("JOIN cake two  words").starts_with("C 227 cake "));
    assert!(host.ask(&format!("JOIN pie {longest}")).starts_with("C 227 pie "));
    for operation in ["MAKE", "JOIN"] {
        let reply = host.ask(&format!("{operation} jam {longest}x"));
        assert_eq!(reply, "C 501 a room's password has 1 to 128 bytes");
    }
}

#[test]
fn a_wrong_room_password_is_answered_late() {
    const DELAY: Duration = Duration::from_millis(400);
    let (server, _host) = with_tea(Server::builder().rooms(&[""]).set("login.failure_delay_ms", "400"));
    let mut alice = server.bare("alice");
    let began = Instant::now();
    alice.send_raw(b"NOOP\nJOIN tea wrong\nNOOP\nJOIN tea open sesame\nJOIN tea\n");
    alice.expect_exact("C 200 done");
    alice.expect_exact(WRONG);
    assert!(began.elapsed() >= DELAY, "{:?}", began.elapsed());
    alice.expect_exact("C 200 done");
    alice.expect("C 227 tea ");
    alice.expect("C 227 tea "); // a member stays a member
    let began = Instant::now();
    assert_eq!(answer(&server, JOIN, "tea", "zoe", "wrong"), 3);
    assert!(began.elapsed() >= DELAY, "{:?}", began.elapsed());
    // No password is refused at once, in both doors: it is not a guess.
    let mut bob = server.bare("bob");
    for _ in 0..20 {
        assert_eq!(bob.ask("JOIN tea"), "C 554 the room needs a password: JOIN room password");
    }
    assert_eq!(answer(&server, JOIN, "tea", "zoe", ""), 3);
    assert!(bob.ask("JOIN tea open sesame").starts_with("C 227 "));
}

#[test]
fn nobody_else_waits_for_a_guesser() {
    let (server, mut host) = with_tea(Server::builder().set("login.failure_delay_ms", "60000"));
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    alice.send_raw(b"JOIN tea wrong\nPM unread\n");
    bob.send("JOIN tea open sesame");
    bob.expect("C 227 ");
    host.expect_exact("C 103 tea bob entered");
    alice.silence(Duration::from_millis(300));
    // Messages of others still reach her.
    assert_eq!(bob.ask("PM hello"), "C 250 sent to 2");
    alice.expect_exact("D PM bob hello");
    alice.reset();
    bob.barrier();
}

#[test]
fn after_ten_wrong_ones_an_account_has_to_wait() {
    let (server, mut host) = with_tea(Server::builder().set("limits.include_loopback", "true"));
    let (mut alice, mut again, mut bob) = (server.bare("alice"), server.typed("alice"), server.bare("bob"));
    for n in 0..10 {
        let client = if n % 2 == 0 { &mut alice } else { &mut again };
        assert_eq!(client.ask(&format!("JOIN tea guess {n}")), WRONG);
    }
    // The right one too, in any room and session, and after a new login; but nothing else is refused.
    let mut third = server.returning("alice");
    for client in [&mut alice, &mut again, &mut third] {
        for line in ["JOIN tea open sesame", "JOIN tea guess", "JOIN nowhere guess"] {
            let reply = client.ask(line);
            let seconds = reply.strip_prefix("C 450 too many wrong room passwords, try again in ");
            let seconds: u32 =
                seconds.and_then(|rest| rest.strip_suffix(" s")).expect(&reply).parse().expect("a number");
            assert!((1..=600).contains(&seconds), "{reply}");
        }
        client.barrier();
    }
    assert!(alice.ask("MAKE cake with a word").starts_with("C 227 "));
    assert!(again.ask("JOIN cake").starts_with("C 554 the room needs"));
    // Another user of the same address does not wait, and there is no penalty.
    assert!(bob.ask("JOIN tea open sesame").starts_with("C 227 "));
    host.expect_exact("C 103 tea bob entered");
    for _ in 0..3 {
        server.greeted();
    }
    let log = server.log_text();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("wrong password for room tea")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(lines[0].contains("alice from 127.0.0.1") && lines[1].contains("10 in 10 minutes"), "{log}");
    assert!(!log.contains("guess 1") && !log.contains("sesame"), "{log}");
}

#[test]
fn after_ten_wrong_ones_an_address_has_to_wait() {
    let builder = Server::builder().rooms(&[""]).set("limits.include_loopback", "true");
    let (server, mut host) = with_tea(builder.set("limits.per_address", "1000").set("limits.new_per_address", "1000"));
    for n in 0..10 {
        assert_eq!(answer(&server, JOIN, "tea", &format!("zoe{n}"), "wrong"), 3, "{n}");
    }
    assert_eq!(answer(&server, JOIN, "tea", "zoe", "open sesame"), 4);
    assert_eq!(answer(&server, JOIN, "tea", "zoe", "wrong"), 4);
    // Rooms without a password, the user's own rooms, and accounts of that address are not affected.
    assert!(host.ask("MAKE cake").starts_with("C 227 "));
    assert_eq!(answer(&server, JOIN, "cake", "zoe", ""), 0);
    assert_eq!(answer(&server, MAKE, "pie", "kim", "a word"), 0);
    let mut alice = server.bare("alice");
    assert!(alice.ask("JOIN tea open sesame").starts_with("C 227 "));
    server.wait_for_log("wrong password for room tea: a guest from 127.0.0.1, 10 in 10 minutes");
}

#[test]
fn a_guest_who_guesses_and_leaves_is_gone() {
    let (server, mut host) = with_tea(Server::builder().rooms(&[""]).set("login.failure_delay_ms", "200"));
    let payload = br#"{"username":"zoe","password":"wrong"}"#;
    for way in Way::ALL {
        let told = frames(&exchange(server.door("rooms"), &request(JOIN, "tea", payload), way));
        assert_eq!((told.len(), told[0].payload.as_slice()), (1, &[3][..]), "{way:?}");
    }
    for _ in 0..5 {
        let mut client = Client::connect(server.door("rooms"));
        client.send_raw(&request(JOIN, "tea", payload));
        client.reset();
    }
    server.expect_counters(&[("connections", 1), ("peers", 1), ("panics", 0)]);
    host.barrier();
}
