//! Tokens: owner and lifetime, what is ignored silently, and that the log contains none of it.

use std::net::{IpAddr, Ipv4Addr};

use testkit::rooms::{JOIN, MAKE, Peer, Way, datagram, exchange, exchange_on, frames, request, token_of};
use testkit::{Client, Server, eventually};

use super::{HERE, both, enter, enter_by_udp};

const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// A token's text with each single bit flipped.
fn bits_off(token: &str) -> Vec<Vec<u8>> {
    let flip = |at: usize| {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        bytes
    };
    (0..token.len() * 8).map(flip).collect()
}

#[test]
fn what_is_wrong_is_met_with_silence_and_counted() {
    let server = Server::builder().rooms(&[""]).start();
    let (bob, eve) = (server.guest(MAKE, "lobby", "bob"), server.guest(JOIN, "lobby", "eve"));
    let tom = server.guest(MAKE, "other", "tom");
    let lea = server.silent_guest(JOIN, "lobby", "lea");
    let token = bob.token.as_str();
    let mut wrong: Vec<Vec<u8>> = Vec::new();
    // Tokens: none, all zeros, too short, too long, lower case, one bit flipped.
    for other in ["", &"A".repeat(26), &token[..25], &format!("{token}A"), &token.to_lowercase(), &"0".repeat(26)] {
        wrong.push(datagram("", other, b"hi"));
        wrong.push(datagram("lobby", other, b""));
    }
    let off = bits_off(token);
    let still_base32 = off.iter().filter(|text| text.iter().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'))).count();
    assert!(still_base32 > 50, "{still_base32}");
    wrong.extend(off.iter().map(|text| [&[0, 26][..], text, b"hi"].concat()));
    // Rooms: another, none, a bad name; and bytes that are not text.
    for room in ["other", "nowhere", "lobby ", "lobb\u{430}", "\u{1b}[2J"] {
        wrong.push(datagram(room, token, b"hi"));
    }
    wrong.push([&[1, 26, 0xff], token.as_bytes(), b"hi"].concat());
    // What a line may not contain, a message may not.
    for text in [
        &b"hi\n\n"[..],
        b"hi\nyou",
        b"hi\0\n",
        b"a\rb",
        b"\0hi",
        b"\x1b[2J",
        b"\x7f",
        b"\xff",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\xe2\x80\xae",
    ] {
        wrong.push(datagram("", token, text));
    }
    // Too large, and truncated.
    wrong.push(datagram("", token, &[b'x'; 4097 - 28]));
    wrong.push(datagram("lobby", token, &[b'x'; 4097 - 33]));
    wrong.push(datagram("", token, &[b'x'; 65_507 - 28]));
    wrong.push(vec![0xff; 4096]);
    wrong.extend((0..33).map(|cut| datagram("lobby", token, b"")[..cut].to_vec()));
    for bytes in &wrong {
        bob.send(bytes);
    }
    // Other addresses: another port after the first datagram, and another machine before it.
    let liars = [Peer::new(HERE, server.door("udp"), token), Peer::new(ELSEWHERE, server.door("udp"), token)];
    let stranger = Peer::new(ELSEWHERE, server.door("udp"), &lea.token);
    for liar in liars.iter().chain([&stranger]) {
        liar.hello();
        liar.say("hi");
        liar.say("/exit");
    }
    tom.send(&datagram("", token, b"hi"));
    let invalid = wrong.len() as u64 + 9 + 1;
    // All of it came before this, and this is what is received next.
    bob.say("still here");
    eve.expect("~bob: still here");
    lea.hello();
    eve.send(&datagram("LOBBY", &eve.token, b"and here"));
    bob.expect("~eve: and here");
    lea.expect("~eve: and here");
    server.expect_counters(&[
        ("datagrams_in", 3 + invalid + 3),
        ("datagrams_invalid", invalid),
        ("datagrams_too_fast", 0),
        ("datagrams_lost", 0),
        ("datagrams_out", 3),
        ("datagrams_dropped", 0),
        ("datagrams_failed", 0),
        ("datagrams_too_long", 0),
        ("peers", 4),
    ]);
    for silent in [&bob, &eve, &tom, &lea, &stranger, &liars[0], &liars[1]] {
        silent.expect_nothing();
    }
}

#[test]
fn a_token_is_the_address_s_that_it_was_given_to() {
    let server = both();
    let bob = server.guest(MAKE, "lobby", "bob");
    let from = |ip: IpAddr, bytes: &[u8]| {
        let client = Client::connect_from(ip, server.door("rooms"));
        token_of(&exchange_on(client.stream(), bytes, Way::Whole))
    };
    let token = from(ELSEWHERE, &request(JOIN, "lobby", b"far"));
    let (near, far) = (Peer::new(HERE, server.door("udp"), &token), Peer::new(ELSEWHERE, server.door("udp"), &token));
    near.say("it is me");
    far.hello();
    bob.say("who?");
    far.expect("~bob: who?");
    far.say("me");
    bob.expect("~far: me");
    near.expect_nothing();
    server.expect_counters(&[("datagrams_invalid", 1)]);
}

#[test]
fn a_token_ends_with_its_place() {
    type End = fn(&mut Client, Client) -> Option<Client>;
    let ends: [(&str, End, &[&str]); 6] = [
        ("left", |_, mut bob| (bob.ask("LEAVE lobby") == "C 200 done").then_some(bob), &["C 104 lobby bob left"]),
        ("went", |_, mut bob| (bob.ask("EX") == "C 221 bye").then_some(bob), &["C 104 lobby bob left"]),
        (
            "was reset",
            |_, bob| {
                bob.reset();
                None
            },
            &["C 104 lobby bob left"],
        ),
        (
            "ended its side",
            |_, mut bob| {
                bob.half_close();
                Some(bob)
            },
            &["C 104 lobby bob left"],
        ),
        (
            "was kicked",
            |alice, bob| {
                alice.op("KICK lobby bob");
                Some(bob)
            },
            &["C 104 lobby bob left: kicked", "C 200 done"],
        ),
        (
            "was there to the end",
            |alice, bob| {
                alice.op("CLOSE lobby");
                Some(bob)
            },
            &["C 106 lobby closed: by its host", "C 200 done"],
        ),
    ];
    for (what, end, told) in ends {
        let server = both();
        let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
        enter(&mut alice, "MAKE lobby");
        let ghost = enter_by_udp(&mut bob, "JOIN lobby");
        alice.expect_exact("C 103 lobby bob entered");
        ghost.say("boo");
        alice.expect_exact("D RM lobby bob boo");
        let bob = end(&mut alice, bob);
        for line in told {
            let line = if *line == "C 200 done" { alice.expect("C 200") } else { alice.line() };
            assert!(told.iter().any(|told| line.starts_with(told) || line.starts_with("C 200")), "{what}: {line}");
        }
        if told[0].starts_with("C 106") {
            ghost.expect("server: room closed");
            enter(&mut alice, "MAKE lobby");
        }
        ghost.say("boo again");
        ghost.send(&datagram("lobby", &ghost.token, b""));
        let mut again = server.returning("bob");
        let new = enter_by_udp(&mut again, "JOIN lobby");
        assert_ne!(new.token, ghost.token);
        alice.expect_exact("C 103 lobby bob entered");
        new.say("I am back");
        alice.expect_exact("D RM lobby bob I am back");
        assert_eq!(alice.ask("RM lobby welcome"), "C 250 sent to 1", "{what}");
        new.expect("alice: welcome");
        ghost.expect_nothing();
        server.expect_counters(&[("datagrams_invalid", 2), ("peers", 2)]);
        drop(bob);
    }
}

#[test]
fn leaving_ends_the_token_and_frees_the_name() {
    let server = both();
    let bob = server.guest(MAKE, "lobby", "bob");
    for word in ["/exit", "exit", "__LEAVE__", "@quit"] {
        let eve = server.guest(JOIN, "lobby", "eve");
        eve.say("hi");
        bob.expect("~eve: hi");
        eve.say(word);
        eve.say("boo");
        eve.hello();
        bob.say("gone?");
        eventually("its name is free", || {
            let answer = exchange(server.door("rooms"), &request(JOIN, "lobby", b"Eve"), Way::Whole);
            let is_in = answer[32] == 0;
            if is_in {
                Peer::new(HERE, server.door("udp"), &token_of(&answer)).say("/exit");
            }
            is_in
        });
        eve.expect_nothing();
    }
    bob.expect_nothing();
    server.expect_counters(&[("datagrams_invalid", 8), ("peers", 1)]);
}

#[test]
fn no_secret_or_message_enters_the_log() {
    let mut server = Server::builder().rooms(&[""]).datagrams().set("log.level", "\"trace\"").start();
    let mut alice = server.bare("alice");
    let alice_udp = enter_by_udp(&mut alice, "MAKE lobby sesame");
    let payload = br#"{"username":"bob","password":"sesame"}"#;
    let answer = exchange(server.door("rooms"), &request(JOIN, "lobby", payload), Way::Whole);
    let bob = Peer::new(HERE, server.door("udp"), str::from_utf8(&frames(&answer)[1].payload).unwrap());
    alice.expect_exact("C 103 lobby ~bob entered");
    bob.say("ein langer Abend");
    alice_udp.expect("~bob: ein langer Abend");
    bob.send(&datagram("nowhere", &bob.token, b"zum zweiten Mal"));
    let payload = br#"{"username":"eve","password":"guessed it"}"#;
    exchange(server.door("rooms"), &request(JOIN, "lobby", payload), Way::Whole);
    server.expect_counters(&[("datagrams_invalid", 1)]);
    server.term();
    let log = server.log_text();
    for secret in [&alice_udp.token, &bob.token, "sesame", "ein langer Abend", "zum zweiten Mal", "guessed it"] {
        assert!(!log.contains(secret), "{secret:?} is in the log:\n{log}");
    }
}
