//! Rooms over UDP: who receives what, by lines or by datagrams.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::thread;
use std::time::Instant;

use testkit::rooms::{JOIN, MAKE, Peer, token_in};
use testkit::{Client, PATIENCE, Server, pause};

mod endings;
mod limits;
mod sockets;
mod tokens;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A server with a line door, a room door, and a socket for each.
fn both() -> Server {
    Server::builder().rooms(&[""]).datagrams().start()
}

/// Enters a room by the line door, and returns the token.
#[track_caller]
fn enter(client: &mut Client, command: &str) -> String {
    client.op(command);
    token_in(&client.expect("C 227 "))
}

/// The same, and registers an address at the socket that the `227` names.
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
fn a_trailing_lf_or_nul_is_not_text() {
    let server = Server::builder().rooms(&[""]).start();
    let (bob, eve) = (server.guest(MAKE, "lobby", "bob"), server.silent_guest(JOIN, "lobby", "eve"));
    // An empty line registers the address, as an empty message does.
    eve.say("\n");
    for text in ["one\n", "two\r\n", "three\0", "four"] {
        bob.say(text);
    }
    for text in ["~bob: one", "~bob: two", "~bob: three", "~bob: four"] {
        eve.expect(text);
    }
    bob.say("exit\n");
    eve.expect("server: room closed");
    bob.expect_nothing();
}

#[test]
fn line_and_udp_members_share_a_room() {
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
    // Public and direct messages do not belong to a room.
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
    let fay = server.silent_guest_at(1, JOIN, "lobby", "fay");
    fay.hello();
    // When the witness has heard from all three sockets, the server has handled their datagrams.
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
    // The witness's order is the reference: `(who, text)`.
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

/// The next `count` messages to a peer besides `ready`, each as its sender and its text. There must be no more.
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

#[test]
fn guest_words_are_words_for_accounts() {
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
fn a_line_member_hears_by_udp_while_it_says_hello() {
    let server = Server::builder().rooms(&[""]).datagrams().set("rooms.datagram_idle_s", "1").start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    enter(&mut alice, "MAKE lobby");
    let bob_udp = enter_by_udp(&mut bob, "JOIN lobby");
    alice.expect_exact("C 103 lobby bob entered");
    bob_udp.say("here by UDP");
    alice.expect_exact("D RM lobby bob here by UDP");
    assert_eq!(alice.ask("RM lobby one"), "C 250 sent to 1");
    bob_udp.expect("alice: one");
    // It may still send lines, and receives everything else as lines.
    assert_eq!(bob.ask("RM lobby by TCP"), "C 250 sent to 1");
    alice.expect_exact("D RM lobby bob by TCP");
    alice.op("PM to all");
    alice.expect("C 250 ");
    bob.expect_exact("D PM alice to all");
    bob_udp.expect_nothing();
    // Without datagrams it is back to TCP, and receives nothing twice.
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
    // And back to UDP, from another port too.
    let other = Peer::new(HERE, bob_udp.socket.peer_addr().unwrap(), &bob_udp.token);
    other.say("back");
    alice.expect_exact("D RM lobby bob back");
    assert_eq!(alice.ask("RM lobby two"), "C 250 sent to 1");
    other.expect("alice: two");
    bob_udp.expect_nothing();
    bob.barrier();
}
