//! Log lines that any client can cause are bounded: the first is written, and for the others their number.

use std::net::{IpAddr, Ipv4Addr};

use testkit::{Builder, Canary, Client, PASSWORD, Server, eventually};

/// An address whose limits are separate from the canary's.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// How often the cause is repeated.
const OFTEN: usize = 500;

/// Loopback has the limits of an address, with room for the canary.
fn builder() -> Builder {
    Server::builder().no_rates().set("limits.include_loopback", "true").set("limits.per_address", "2")
}

/// The lines of the log that contain this.
fn lines(server: &Server, part: &str) -> Vec<String> {
    server.log_text().lines().filter(|line| line.contains(part)).map(str::to_owned).collect()
}

/// Ends the server. Its lines that contain `part` must be one first line, and one sum of all others.
#[track_caller]
fn check(mut server: Server, part: &str, first: &str, sum: &str) {
    assert_eq!(server.term().code(), Some(0));
    let found = lines(&server, part);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].ends_with(first), "{:?}", found[0]);
    assert!(found[1].ends_with(sum), "{:?}", found[1]);
}

#[test]
fn repeated_refusals_do_not_fill_the_log() {
    let server = builder().start();
    let canary = Canary::start(&server);
    let inside: Vec<Client> = (0..2).map(|_| Client::connect_from(ELSEWHERE, server.addr())).collect();
    for _ in 0..OFTEN {
        Client::connect_from(ELSEWHERE, server.addr()).expect_421("too many from your address");
    }
    canary.talks();
    canary.finish("somebody who is refused");
    drop(inside);
    let first = "[INFO] 421 too many from your address: 127.0.0.2 was not let in";
    let sum = format!("{first}, {} times more in 60 s", OFTEN - 1);
    check(server, "too many from your address: ", first, &sum);
}

#[test]
fn repeated_guesses_do_not_fill_the_log() {
    let limits = builder().set("login.failures", "1000000").set("login.failure_delay_ms", "0");
    let server = limits.set("login.penalties", "false").start();
    let canary = Canary::start(&server);
    let mut guesser = Client::connect_from(ELSEWHERE, server.addr());
    guesser.expect("C 220 ");
    guesser.send("canary1");
    for _ in 0..20 {
        guesser.expect("C 331 ");
        for _ in 0..10 {
            guesser.send("wrong one");
            guesser.expect("C 530 ");
        }
        // Lines before login are few: another conversation.
        let open = server.descriptors();
        drop(guesser);
        eventually("the last conversation is over", || server.descriptors() < open);
        guesser = Client::connect_from(ELSEWHERE, server.addr());
        guesser.expect("C 220 ");
        guesser.send("canary1");
    }
    canary.talks();
    canary.finish("somebody who guesses");
    let first = "[INFO] wrong password or token for canary1 from 127.0.0.2";
    check(server, "wrong password", first, "[INFO] wrong password or token: 199 more from 127.0.0.2 in 60 s");
}

#[test]
fn repeated_closes_do_not_fill_the_log() {
    let server = Server::builder().no_rates().start();
    let canary = Canary::start(&server);
    for _ in 0..OFTEN {
        let mut stranger = server.greeted();
        stranger.send("GET / HTTP/1.1");
        stranger.expect_421("not a chat client");
    }
    // Logged-in users are named a few times.
    for _ in 0..20 {
        let mut alice = server.bare("alice");
        alice.send_raw(&b"\x01\n".repeat(100));
        while alice.line() != "C 421 too many bad lines" {}
    }
    canary.talks();
    canary.finish("those who are closed");
    let mut server = server;
    assert_eq!(server.term().code(), Some(0));
    let strangers = lines(&server, "not a chat client: ");
    assert_eq!(strangers.len(), 2, "{strangers:#?}");
    assert!(strangers[0].ends_with("421 not a chat client: nobody from 127.0.0.1"), "{strangers:?}");
    let sum = format!("421 not a chat client: {} more from 127.0.0.1 in 60 s", OFTEN - 1);
    assert!(strangers[1].ends_with(&sum), "{strangers:?}");
    let named = lines(&server, "too many bad lines: ");
    assert_eq!(named.len(), 9, "{named:#?}");
    assert!(named[..8].iter().all(|line| line.ends_with("too many bad lines: alice from 127.0.0.1")), "{named:?}");
    assert!(named[8].ends_with("421 too many bad lines: 12 more from 127.0.0.1 in 60 s"), "{named:?}");
}

#[test]
fn repeated_logins_do_not_fill_the_log() {
    let server = Server::builder().no_rates().set("log.level", "\"debug\"").start();
    let mut alice = server.bare("alice");
    let token = alice.ask("TOKEN");
    let token = token.strip_prefix("C 231 ").and_then(|rest| rest.split(' ').next()).expect("a token").to_owned();
    for _ in 0..199 {
        let mut again = server.greeted();
        again.send(&format!("alice {token}\nEX"));
        again.expect("C 230 ");
        again.expect("C 221 ");
        again.expect_closed();
    }
    let mut server = server;
    server.term();
    let logins = lines(&server, "logged in from");
    assert_eq!(logins.len(), 65, "{logins:#?}");
    assert!(logins[64].ends_with("[DEBUG] 136 more logged in from 127.0.0.1 in 60 s"), "{:?}", logins[64]);
    assert!(!server.log_text().contains(PASSWORD));
}
