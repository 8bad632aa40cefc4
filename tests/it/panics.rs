//! A panic of the server closes the connection whose command caused it, and all others go on.
//!
//! A debug build panics where a test asks for it (see `src/failpoint.rs`); these tests need a debug build.

use std::net::UdpSocket;
use std::time::Duration;

use testkit::{Canary, Client, PATIENCE, Server, eventually};

/// The value of `CHATD_TEST_PANIC`: a line that ends in this and a place panics there.
const WORD: &str = "kaboom";

/// A server that can be made to panic, with two clients that must not notice. `None` in a release build.
fn server() -> Option<(Server, Client, Client)> {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: a release has no place at which it can be made to panic");
        return None;
    }
    let server = Server::builder().no_rates().env("CHATD_TEST_PANIC", WORD).start();
    let (alice, bob) = (server.typed("alice"), server.typed("bob"));
    Some((server, alice, bob))
}

#[track_caller]
fn talk(alice: &mut Client, bob: &mut Client) {
    alice.typed("DM bob still here?");
    alice.expect_exact("C 250 sent to bob");
    assert!(bob.line().ends_with(" alice still here?"));
}

/// The number after `panics=` in the next line of counters.
#[track_caller]
fn panics(server: &mut Server) -> String {
    let stats = server.log_text().lines().filter(|line| line.contains("stats: ")).map(str::to_owned).next_back();
    let stats = stats.expect("a line of statistics at the end");
    stats.split_once(" panics=").expect("the counter").1.split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn a_panic_costs_one_connection() {
    let Some((mut server, mut alice, mut bob)) = server() else { return };
    let before = server.descriptors();
    let mut mallory = server.bare("mallory");
    mallory.send("MAKE den");
    mallory.expect("C 227 ");
    bob.typed("JOIN den");
    bob.expect("C 227 ");
    mallory.expect("C 103 den bob entered");
    // Earlier lines are executed, later ones are not, and the bystander sees an ordinary leaver.
    mallory.send_raw(format!("NOOP\nPM {WORD}-line\nPM never said\n").as_bytes());
    mallory.expect("C 200");
    mallory.expect_421("internal error");
    drop(mallory);
    bob.expect("C 104 den mallory left");
    bob.expect("C 107 den bob is host now");
    talk(&mut alice, &mut bob);
    assert_eq!(alice.list("WHO"), ["alice", "bob", "2 online"]);
    eventually("its descriptor is free", || server.descriptors() == before);
    assert!(server.wait_for_log("internal error: a panic at src/engine/dispatch.rs:").contains("please report it"));
    server.wait_for_log("421 internal error: mallory from 127.0.0.1");
    assert!(!server.log_text().contains(WORD), "what was said is in the log");
    assert_eq!(server.term().code(), Some(0));
    assert_eq!(panics(&mut server), "1");
}

#[test]
fn a_panic_in_a_message_leaves_it_unsent() {
    let Some((server, mut alice, mut bob)) = server() else { return };
    let mut mallory = server.bare("mallory");
    mallory.send(&format!("PM {WORD}-told"));
    mallory.expect_exact("C 250 sent to 2");
    mallory.expect_421("internal error");
    alice.barrier();
    talk(&mut alice, &mut bob);
    bob.barrier();
}

#[test]
fn a_panic_at_a_verdict_costs_that_login() {
    let Some((server, mut alice, mut bob)) = server() else { return };
    let mut late = server.greeted();
    late.send(&format!("{WORD}-enter\ncorrect horse"));
    late.expect("C 332 ");
    late.expect_421("internal error");
    assert_eq!(alice.list("WHO"), ["alice", "bob", "2 online"]);
    talk(&mut alice, &mut bob);
}

#[test]
fn a_panic_at_a_datagram_costs_that_datagram() {
    if !cfg!(debug_assertions) {
        return eprintln!("skipped: a release has no place at which it can be made to panic");
    }
    let builder = Server::builder().set("datagrams", "\"127.0.0.1:0\"").env("CHATD_TEST_PANIC", WORD);
    let mut server = builder.start();
    let relay = server.wait_for_log("listening on udp://");
    let relay = relay.rsplit_once("udp://").expect("an address").1.to_owned();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    alice.send("MAKE den");
    let entered = alice.expect("C 227 ");
    let token = entered.split_once("token=").expect("a token").1.split(' ').next().unwrap().to_owned();
    bob.send("JOIN den");
    bob.expect("C 227 ");
    alice.expect("C 103 ");
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let say = |text: &str| {
        let datagram = [&[3, token.len() as u8], "den".as_bytes(), token.as_bytes(), text.as_bytes()].concat();
        socket.send_to(&datagram, &relay).expect("sent");
    };
    // One before it is decoded, one when it is delivered: the member stays, and nobody is answered.
    for text in [&format!("{WORD}-datagram"), &format!("{WORD}-told"), "and on"] {
        say(text);
    }
    bob.expect_exact("D RM den alice and on");
    alice.barrier();
    bob.barrier();
    assert_eq!(server.term().code(), Some(0));
    assert_eq!(panics(&mut server), "2");
}

#[test]
fn ten_panics_in_a_minute_end_the_process() {
    let Some((mut server, mut alice, mut bob)) = server() else { return };
    let canary = Canary::start(&server);
    let provoke = |server: &Server, n: usize| {
        let mut mallory = server.bare(&format!("mallory{n}"));
        mallory.send(&format!("PM {WORD}-line"));
        mallory
    };
    for n in 0..9 {
        provoke(&server, n).expect_421("internal error");
        talk(&mut alice, &mut bob);
    }
    canary.talks();
    // The tenth ends the process.
    canary.finish("nine panics");
    provoke(&server, 9).expect("C 421 ");
    alice.expect_421("shutting down, retry in 2 s");
    drop((alice, bob));
    assert_eq!(server.wait_exit().code(), Some(1));
    let told = server.log_text();
    assert!(told.contains("internal error: 10 panics in 60 s") && told.contains("chatd: the event loop: "), "{told}");
    server.restart();
    server.returning("alice").silence(Duration::from_millis(1));
}

/// Without the hashing thread nobody could log in any more, and it does not come back by itself.
#[test]
fn a_panic_at_a_password_ends_the_process() {
    let Some((mut server, mut alice, mut bob)) = server() else { return };
    let (mut late, mut later) = (server.greeted(), server.greeted());
    late.send(&format!("{WORD}-hash\ncorrect horse"));
    late.expect("C 332 ");
    // A client that waited for it is answered before the end.
    late.expect("C 450 ");
    for client in [&mut late, &mut later, &mut alice, &mut bob] {
        client.expect_421("shutting down, retry in 2 s");
    }
    drop((late, later, alice, bob));
    assert_eq!(server.wait_exit().code(), Some(1));
    let told = server.log_text();
    assert!(told.contains("internal error: a panic at src/auth/worker/mod.rs:"), "{told}");
    assert!(
        told.contains("nobody can log in or register any more") && told.contains("chatd: the event loop: "),
        "{told}"
    );
    assert_eq!(panics(&mut server), "1");
    server.restart();
    server.returning("alice").silence(Duration::from_millis(1));
}
