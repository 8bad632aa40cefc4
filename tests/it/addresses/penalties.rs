//! What failures cost an address, and that they cost its neighbours nothing.

use std::time::Instant;

use testkit::rooms::{MAKE, Way, exchange_on, request, token_of};
use testkit::{Canary, Client, PASSWORD, PATIENCE, eventually, pause};

use crate::addresses::{ELSEWHERE, HOME, barred, guesser, knock, refused, strict, token, welcome};

#[test]
fn a_guesser_s_neighbour_gets_in_by_token() {
    let limits = strict().no_rates().set("login.failures", "1000000").set("login.failure_delay_ms", "0");
    let server = limits.set("limits.per_address", "40").set("limits.new_per_address", "100").start();
    let canary = Canary::start(&server);
    let mut neighbour = welcome(&server, ELSEWHERE);
    neighbour.login_bare("neighbour");
    let token = token(&mut neighbour);
    let mut guesser = guesser(&server, HOME, "neighbour");
    let mut inside = Vec::new();
    let outside = server.descriptors();
    for attempt in 0..50 {
        // The penalty must not wear off in the meantime.
        if attempt % 3 == 0 {
            guesser.send("wrong one");
            guesser.expect("C 530 ");
        }
        if attempt % 5 == 0 {
            barred(&server, HOME, "neighbour");
        }
        let mut again = welcome(&server, HOME);
        again.send(&format!("{}neighbour {token}", if attempt % 2 == 0 { "C " } else { "" }));
        again.expect("C 230 ");
        inside.push(again);
        if inside.len() == 3 {
            inside.clear();
            eventually("these sessions are over", || server.descriptors() <= outside);
        }
    }
    canary.talks();
    canary.finish("a neighbour who guesses");
}

#[test]
fn only_a_good_token_lets_a_penalised_address_in() {
    let server = strict().set("login.failures", "1000000").set("limits.new_per_address", "100").start();
    let mut alice = welcome(&server, ELSEWHERE);
    alice.login_bare("alice");
    let token = token(&mut alice);
    let mut guesser = guesser(&server, HOME, "alice");
    let long = "x".repeat(2000);
    let other = format!("bob {token}");
    let bad = format!("alice {}", token.replace("t1.", "t1.9"));
    for line in ["alice", "", "1", "EX", "\u{1}", "C alice", "D x", "alice x", &long, &other, &bad] {
        barred(&server, HOME, line);
    }
    // A client of another protocol is told so.
    let mut foreign = welcome(&server, HOME);
    foreign.send("GET / HTTP/1.1");
    foreign.expect_421("not a chat client");
    // One line, one check of a token.
    let mut again = welcome(&server, HOME);
    again.send(&format!("{bad}\nalice {token}"));
    again.expect_421("too many failures");
    // A silent client is not closed for that.
    let mut silent = welcome(&server, HOME);
    barred(&server, HOME, "alice");
    silent.send(&format!("alice {token}"));
    silent.expect("C 230 ");
    // A client from before the failures may go on.
    guesser.send(PASSWORD);
    guesser.expect("C 230 ");
}

#[test]
fn a_refused_token_does_not_prolong_a_penalty() {
    let limits = strict().set("login.failures", "1000000").set("limits.new_per_address", "1000");
    let server = limits.set("login.failure_delay_ms", "0").start();
    welcome(&server, ELSEWHERE).login_bare("alice");
    let mut first = welcome(&server, HOME);
    first.send("alice");
    first.expect("C 331 ");
    // Five make 25 s, and the address is penalised for ten of them.
    for _ in 0..5 {
        first.send("wrong one");
        first.expect("C 530 ");
    }
    let mut patient = welcome(&server, HOME);
    // Ten more would make 50 s.
    for _ in 0..10 {
        barred(&server, HOME, "alice t1.1.00");
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut client = welcome(&server, HOME);
        client.send("alice");
        if client.line().starts_with("C 331 ") {
            break;
        }
        assert!(Instant::now() < deadline, "the penalty does not wear off");
        pause(100);
    }
    // A client that connected during the penalty and sends its first line later is treated as usual.
    patient.login_bare("alice");
}

#[test]
fn a_penalised_address_keeps_the_usual_bounds() {
    let limits = strict().set("login.failures", "1000000").set("limits.per_address", "4");
    let limits = limits.set("limits.new_per_address", "8").set("limits.silent", "3").set("limits.silent_most", "4");
    let server = limits.start();
    welcome(&server, ELSEWHERE).login_bare("alice");
    let _guesser = guesser(&server, HOME, "alice");
    // They count at once …
    let mut silent: Vec<Client> = (0..3).map(|_| welcome(&server, HOME)).collect();
    // … as silent ones, so that a fourth is accepted by chance and none after it …
    let knocks = std::iter::repeat_with(|| knock(&server, ELSEWHERE)).take(100);
    let fourth = knocks.into_iter().find(|(_, first)| first.starts_with("C 220 ")).expect("one of many is let in");
    refused(&server, ELSEWHERE, "server full");
    drop(fourth);
    // … and as new ones.
    for client in &mut silent {
        client.send("alice");
        client.expect_421("too many failures");
    }
    drop(silent);
    let told = || knock(&server, HOME).1;
    let mut last = told();
    for _ in 0..4 {
        if last.starts_with("C 220 ") {
            last = told();
        }
    }
    assert_eq!(last, "C 421 too many from your address");
}

#[test]
fn the_room_door_has_no_penalties() {
    let server = strict().rooms(&[""]).set("login.failures", "1000000").start();
    welcome(&server, ELSEWHERE).login_bare("alice");
    let _guesser = guesser(&server, HOME, "alice");
    barred(&server, HOME, "alice");
    let client = Client::connect_from(HOME, server.door("rooms"));
    token_of(&exchange_on(client.stream(), &request(MAKE, "lobby", b"bob"), Way::Whole));
}
