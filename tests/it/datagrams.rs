//! Rooms over UDP: who hears what, and what is met with silence.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::util::rooms::{
    JOIN, MAKE, Over, Peer, Way, datagram, exchange, exchange_on, frames, request, token_in, token_of,
};
use crate::util::{Client, PATIENCE, Server, eventually, pause};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// A server with a line door, a room door, and a socket for each.
fn both() -> Server {
    Server::builder().rooms(&[""]).datagrams().start()
}

/// Enters a room by the line door, and gives the token.
#[track_caller]
fn enter(client: &mut Client, command: &str) -> String {
    client.op(command);
    token_in(&client.expect("C 227 "))
}

/// The same, and shows an address to the socket that the `227` names.
#[track_caller]
fn enter_by_udp(client: &mut Client, command: &str) -> Peer {
    client.op(command);
    let told = client.expect("C 227 ");
    let port = told.rsplit_once(" udp=").expect("a port").1.parse().expect("a number");
    let peer = Peer::new(HERE, SocketAddr::new(HERE, port), &token_in(&told));
    peer.hello();
    peer
}

#[test]
fn people_with_nc_and_members_by_udp_talk_in_one_room() {
    let server = both();
    let (mut alice, mut robot) = (server.bare("alice"), server.typed("robot"));
    let made = enter(&mut alice, "MAKE lobby");
    assert_eq!(enter(&mut alice, "JOIN Lobby"), made);
    enter(&mut robot, "JOIN lobby");
    alice.expect_exact("C 103 lobby robot entered");
    let bob = server.guest(JOIN, "lobby", "bob");
    for client in [&mut alice, &mut robot] {
        client.expect_exact("C 103 lobby ~bob entered");
    }
    bob.say("hello: all");
    alice.expect_exact("D RM lobby ~bob hello: all");
    let heard = robot.expect("D RM ");
    assert!(heard.ends_with(" lobby ~bob hello: all"), "{heard}");
    bob.expect_nothing();
    assert_eq!(alice.ask("RM lobby hello yourself"), "C 250 sent to 2");
    bob.expect("alice: hello yourself");
    robot.expect("D RM ");
    assert_eq!(alice.list("NAMES lobby"), ["alice host", "robot", "~bob", "3 in lobby"]);
    // What is public or for one person is no room's.
    assert_eq!(alice.ask("PM everybody"), "C 250 sent to 1");
    assert_eq!(alice.ask("DM bob psst"), "C 550 bob is not online");
    bob.say("/exit");
    alice.expect_exact("C 104 lobby ~bob left");
    bob.expect_nothing();
}

#[test]
fn whoever_hears_hears_one_order() {
    const EACH: usize = 40;
    let server = Server::builder().rooms(&["", "&down=named"]).datagrams().no_rates().start();
    let mut witness = server.typed("witness");
    enter(&mut witness, "MAKE lobby");
    let (mut alice, mut carol, mut dave) = (server.bare("alice"), server.bare("carol"), server.bare("dave"));
    enter(&mut alice, "JOIN lobby");
    enter(&mut carol, "JOIN lobby");
    let dave_udp = enter_by_udp(&mut dave, "JOIN lobby");
    let (bob, eve) = (server.guest(JOIN, "lobby", "bob"), server.guest(JOIN, "lobby", "eve"));
    let answer = exchange(server.doors("rooms")[1], &request(JOIN, "lobby", b"fay"), Way::Whole);
    let fay = Peer::new(HERE, server.doors("udp")[1], &token_of(&answer));
    fay.hello();
    // All three sockets have been heard when the witness has been told so by each.
    for peer in [&dave_udp, &bob, &eve, &fay] {
        peer.say("ready");
        while !witness.line().ends_with(" ready") {}
    }
    thread::scope(|scope| {
        for (who, client) in [("alice", &mut alice), ("carol", &mut carol)] {
            scope.spawn(move || (0..EACH).for_each(|n| client.send(&format!("RM lobby {who} {n}"))));
        }
        for (who, peer) in [("dave", &dave_udp), ("~bob", &bob), ("~eve", &eve), ("~fay", &fay)] {
            scope.spawn(move || {
                for n in 0..EACH {
                    peer.say(&format!("{who} {n}"));
                }
            });
        }
    });
    // What the witness hears is the order: `(who, text)`.
    let mut order: Vec<(String, String)> = Vec::new();
    while order.len() < 6 * EACH {
        let line = witness.line();
        let [_, _, _, _, who, text] = line.splitn(6, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        order.push((who.to_owned(), text.to_owned()));
    }
    let mut next: BTreeMap<&str, usize> = BTreeMap::new();
    for (who, text) in &order {
        let n = next.entry(who).or_default();
        assert_eq!(*text, format!("{who} {n}"));
        *n += 1;
    }
    let others = |me: &str| order.iter().filter(|(who, _)| who != me).cloned().collect::<Vec<_>>();
    for (me, client) in [("alice", &mut alice), ("carol", &mut carol)] {
        let mut heard = Vec::new();
        while heard.len() < 5 * EACH {
            let line = client.line();
            if let Some((who, text)) = line.strip_prefix("D RM lobby ").and_then(|rest| rest.split_once(' '))
                && text != "ready"
            {
                heard.push((who.to_owned(), text.to_owned()));
            }
        }
        assert_eq!(heard, others(me), "{me}");
    }
    for (me, peer) in [("dave", &dave_udp), ("~bob", &bob), ("~eve", &eve)] {
        assert_eq!(messages(peer, 5 * EACH, |text| text.split_once(": ").unwrap()), others(me), "{me}");
    }
    assert_eq!(messages(&fay, 5 * EACH, |text| text[1..].split_at(text.as_bytes()[0].into())), others("~fay"));
}

/// The next so many that a peer hears besides `ready`, each as who said it and what; and there must be no more.
#[track_caller]
fn messages(peer: &Peer, count: usize, split: fn(&str) -> (&str, &str)) -> Vec<(String, String)> {
    let mut heard = Vec::new();
    while heard.len() < count {
        let bytes = peer.hear();
        let (who, text) = split(str::from_utf8(&bytes).unwrap());
        if text != "ready" {
            heard.push((who.to_owned(), text.to_owned()));
        }
    }
    peer.expect_nothing();
    heard
}

/// Each single bit of a token's text off.
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
    // Tokens: none, all zeros, too short, too long, lower case, one bit off.
    for other in ["", &"A".repeat(26), &token[..25], &format!("{token}A"), &token.to_lowercase(), &"0".repeat(26)] {
        wrong.push(datagram("", other, b"hi"));
        wrong.push(datagram("lobby", other, b""));
    }
    let off = bits_off(token);
    let still_base32 = off.iter().filter(|text| text.iter().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'))).count();
    assert!(still_base32 > 50, "{still_base32}");
    wrong.extend(off.iter().map(|text| [&[0, 26][..], text, b"hi"].concat()));
    // Rooms: another, none, a bad name; and bytes that are no text.
    for room in ["other", "nowhere", "lobby ", "lobb\u{430}", "\u{1b}[2J"] {
        wrong.push(datagram(room, token, b"hi"));
    }
    wrong.push([&[1, 26, 0xff], token.as_bytes(), b"hi"].concat());
    // What a line may not have, a message may not.
    for text in [
        &b"\n"[..],
        b"hi\n",
        b"a\rb",
        b"\0",
        b"\x1b[2J",
        b"\x7f",
        b"\xff",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\xe2\x80\xae",
    ] {
        wrong.push(datagram("", token, text));
    }
    // Oversize, and truncated.
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
    // All of it came before this, and this is what is heard next.
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
        ("ears", 4),
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
        server.expect_counters(&[("datagrams_invalid", 2), ("ears", 2)]);
        drop(bob);
    }
}

#[test]
fn a_guest_s_token_ends_when_it_leaves_and_its_name_is_free() {
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
    server.expect_counters(&[("datagrams_invalid", 8), ("ears", 1)]);
}

#[test]
fn words_of_guests_are_words_and_accounts_say_them() {
    let server = both();
    let mut alice = server.bare("alice");
    let alice_udp = enter_by_udp(&mut alice, "MAKE lobby");
    let bob = server.guest(JOIN, "lobby", "bob");
    alice.expect_exact("C 103 lobby ~bob entered");
    for word in ["__REGISTER__", "@join", ""] {
        bob.say(word);
    }
    bob.say("Exit");
    alice_udp.expect("~bob: Exit");
    bob.say(" exit");
    alice_udp.expect("~bob:  exit");
    for word in ["__REGISTER__", "@join", "/exit", "exit", "__LEAVE__", "@quit"] {
        alice_udp.say(word);
        bob.expect(&format!("alice: {word}"));
    }
    alice_udp.hello();
    assert_eq!(alice.list("NAMES lobby"), ["alice host", "~bob", "2 in lobby"]);
    bob.say("@quit");
    alice.expect_exact("C 104 lobby ~bob left");
    alice_udp.expect_nothing();
}

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
        let answer = exchange(server.doors("rooms")[1], &request(JOIN, "lobby", b"fay"), Way::Whole);
        let fay = Peer::new(HERE, server.doors("udp")[1], &token_of(&answer));
        fay.hello();
        for guest in ["~eve", "~deaf", "~fay"] {
            alice.expect_exact(&format!("C 103 lobby {guest} entered"));
        }
        alice.barrier(); // what came by datagrams before this has been heard
        if ends_by_silence {
            let deadline = Instant::now() + PATIENCE;
            while server.counter("rooms") > 0 {
                assert!(Instant::now() < deadline, "the host has been silent for long");
                // Everybody else gives a sign of life.
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
        assert_eq!(alice.ask("RM lobby anybody?"), "C 550 no such room");
        server.expect_counters(&[("rooms", 0), ("ears", 0)]);
        for peer in [&eve, &deaf, &fay, &host] {
            peer.expect_nothing();
        }
    }
}

#[test]
fn an_account_s_room_passes_on_and_its_guests_stay() {
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
        server.expect_counters(&[("datagrams_invalid", 2), ("ears", 1)]);
    }
}

#[test]
fn a_member_of_the_line_door_hears_by_udp_while_it_shows_itself() {
    let server = Server::builder().rooms(&[""]).datagrams().set("rooms.datagram_idle_s", "1").start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    enter(&mut alice, "MAKE lobby");
    let bob_udp = enter_by_udp(&mut bob, "JOIN lobby");
    alice.expect_exact("C 103 lobby bob entered");
    bob_udp.say("here by UDP");
    alice.expect_exact("D RM lobby bob here by UDP");
    assert_eq!(alice.ask("RM lobby one"), "C 250 sent to 1");
    bob_udp.expect("alice: one");
    // It may still say things as lines, and hears everything else as such.
    assert_eq!(bob.ask("RM lobby by TCP"), "C 250 sent to 1");
    alice.expect_exact("D RM lobby bob by TCP");
    alice.op("PM to all");
    alice.expect("C 250 ");
    bob.expect_exact("D PM alice to all");
    bob_udp.expect_nothing();
    // No sign of life: back to TCP, and nothing was heard twice.
    let deadline = Instant::now() + PATIENCE;
    let mut said = 0;
    loop {
        said += 1;
        alice.op(&format!("RM lobby {said}"));
        alice.expect("C 250 sent to 1");
        bob.op("NOOP");
        let line = bob.line();
        if line == format!("D RM lobby alice {said}") {
            bob.expect("C 200");
            break;
        }
        assert!(line.starts_with("C 200"), "{line}");
        bob_udp.expect(&format!("alice: {said}"));
        assert!(Instant::now() < deadline, "bob still hears by UDP");
        pause(100);
    }
    bob_udp.expect_nothing();
    // And by UDP again, from another port too.
    let other = Peer::new(HERE, bob_udp.socket.peer_addr().unwrap(), &bob_udp.token);
    other.say("back");
    alice.expect_exact("D RM lobby bob back");
    assert_eq!(alice.ask("RM lobby two"), "C 250 sent to 1");
    other.expect("alice: two");
    bob_udp.expect_nothing();
    bob.barrier();
}

#[test]
fn a_hundred_at_once_and_then_fifty_a_second() {
    let server = Server::builder().rooms(&[""]).start();
    let (bob, eve) = (server.guest(MAKE, "lobby", "bob"), server.guest(JOIN, "lobby", "eve"));
    let began = Instant::now();
    for n in 0..300 {
        bob.say(&n.to_string());
    }
    eve.say("enough");
    // The first was the hello. However slow this machine is, what is refilled meanwhile is one in 20 ms.
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
fn what_would_be_too_long_is_not_sent_to_that_member() {
    let server = Server::builder().rooms(&["", "&down=named"]).datagrams().start();
    let mut alice = server.bare("alice");
    enter(&mut alice, "MAKE lobby");
    let bob = server.guest(JOIN, "lobby", "bob");
    let answer = exchange(server.doors("rooms")[1], &request(JOIN, "lobby", b"fay"), Way::Whole);
    let fay = Peer::new(HERE, server.doors("udp")[1], &token_of(&answer));
    fay.hello();
    fay.say("ready");
    bob.expect("~fay: ready");
    for line in ["C 103 lobby ~bob entered", "C 103 lobby ~fay entered", "D RM lobby ~fay ready"] {
        alice.expect_exact(line);
    }
    // A line of alice's has at most 4096 bytes, of which `RM a ` and LF take some: her words always fit but in the widest
    // name. A datagram's 4068 bytes of message fit behind a short name, and not behind a long one.
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
    // 131 bytes stand before it for one, 130 for the other.
    let between = "y".repeat(4096 - 130);
    wide_one.say(&between);
    alice.expect_exact(&format!("D RM lobby ~{wide} {between}"));
    assert_eq!(fay.hear(), [&[129], format!("~{wide}{between}").as_bytes()].concat());
    wide_one.say("short");
    bob.expect(&format!("~{wide}: short"));
    server.expect_counters(&[("datagrams_too_long", 3), ("datagrams_dropped", 0), ("datagrams_invalid", 0)]);
}

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
    let answer = exchange(server.doors("rooms")[1], &request(JOIN, "lobby", b"fay"), Way::Whole);
    let fay = Peer::new(HERE, server.door("udp"), &token_of(&answer));
    fay.say("hi");
    alice_udp.expect("~fay: hi");
    bob.expect("~fay: hi");
    bob.say("ho");
    fay.expect("\u{4}~bobho");
    alice_udp.expect("~bob: ho");
    // Another server cannot have the socket.
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
    alice.barrier(); // what came by datagrams before this has been heard
    one.say("to one");
    two.say("to two");
    bob.expect("alice: to one");
    eve.expect("alice: to two");
    bob.say("from one");
    eve.say("from two");
    one.expect("~bob: from one");
    two.expect("~eve: from two");
    // A token speaks for its room alone.
    one.send(&datagram("two", &one.token, b"to two"));
    one.say("after");
    bob.expect("alice: after");
    eve.expect_nothing();
    // Its address goes with its place, and nobody else's does.
    assert!(alice.ask("LEAVE one").starts_with("C 200"));
    eve.say("still?");
    two.expect("~eve: still?");
    bob.say("still?");
    eve.say("and now?");
    two.expect("~eve: and now?");
    one.expect_nothing();
}

#[test]
fn at_the_end_of_the_server_everybody_hears_one_last_datagram() {
    let mut server = Server::builder().rooms(&["", "&down=named"]).datagrams().start();
    let mut alice = server.bare("alice");
    let alice_udp = enter_by_udp(&mut alice, "MAKE lobby");
    let bob = server.guest(MAKE, "den", "bob");
    let eve = server.guest(JOIN, "den", "eve");
    let answer = exchange(server.doors("rooms")[1], &request(JOIN, "lobby", b"fay"), Way::Whole);
    let fay = Peer::new(HERE, server.doors("udp")[1], &token_of(&answer));
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
        // Now that nobody is at the other end, the socket may say so instead.
        assert!(peer.socket.set_nonblocking(true).is_ok() && peer.socket.recv(&mut [0; 100]).is_err());
    }
    let log = server.log_text();
    let last = log.lines().rev().find(|line| line.contains("stats: ")).unwrap();
    assert!(last.contains(" datagrams_out=6 ") && last.contains(" ears=0 "), "{last}");
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
    // alice has been silent for as long, and hears lines again.
    let eve = server.guest(JOIN, "lobby", "eve");
    alice.expect_exact("C 103 lobby ~eve entered");
    eve.say("hello");
    alice.expect_exact("D RM lobby ~eve hello");
    alice_udp.expect_nothing();
    bob.expect_nothing();
}

#[test]
fn three_thousand_guests_who_come_and_go_leave_nothing_behind() {
    let server = Server::builder().rooms(&[""]).start();
    let round = |guests: usize| {
        for n in 0..guests {
            let host = server.silent_guest(MAKE, &format!("room{n}"), "host");
            host.say("/exit");
        }
        server.expect_counters(&[("rooms", 0), ("ears", 0), ("connections", 0)]);
    };
    round(500);
    let before = server.resident_kib();
    round(3000);
    let after = server.resident_kib();
    assert!(after < before + 2048, "{before} KiB before, {after} KiB after");
}

#[test]
fn a_flood_of_long_words_keeps_nobody_else_waiting() {
    // On a machine that has much else to do the crowd may be slow. What matters here is that two others are not.
    let owed = |builder: crate::util::Builder, key| builder.set(key, "1000000000");
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
            // They read as fast as they can, so nobody may call them slow.
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

#[test]
fn neither_tokens_nor_passwords_nor_what_is_said_enter_the_log() {
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
