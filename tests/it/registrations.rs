//! Registrations without end: the number of accounts is bounded, and existing users notice nothing.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Canary, Client, PASSWORD, Server, run, run_with};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");
const FULL: &str = "C 450 no new accounts; your name?";
/// The limit.
const MOST: usize = 30;

/// Registers names, each on a connection of its own, until the limit is reached. Returns the registered ones.
fn register_until_full(addr: SocketAddr, attacker: u8) -> Vec<String> {
    let mut made = Vec::new();
    for n in 0.. {
        let mut client = Client::connect_from(IpAddr::from([127, 0, attacker, 1]), addr);
        client.expect("C 220 ");
        let name = format!("a{attacker}n{n}");
        client.send(&name);
        if client.line() == FULL {
            return made;
        }
        client.send(PASSWORD);
        let answer = client.line();
        if answer.starts_with("C 230 ") {
            made.push(name);
        } else {
            assert_eq!(answer, FULL, "others were faster");
        }
    }
    unreachable!("the loop ends by returning")
}

#[test]
fn no_more_accounts_than_there_may_be() {
    let mut server = Server::builder().no_rates().set("accounts.most", &MOST.to_string()).start();
    let canary = Canary::start(&server);
    let mut bob = server.bare("bob");
    let addr = server.addr();
    let attackers: Vec<_> = (1..9).map(|n| thread::spawn(move || register_until_full(addr, n))).collect();
    let made: Vec<String> = attackers.into_iter().flat_map(|attacker| attacker.join().unwrap()).collect();
    assert_eq!(made.len() + 3, MOST, "{made:?}");
    // Existing users go on, and come back.
    canary.talks();
    for (line, code) in [("PASSWD", "C 331 "), (PASSWORD, "C 332 "), ("battery staple", "C 200 ")] {
        bob.send(line);
        bob.expect(code);
    }
    // A refused client is asked for a name again, in either dialect, and may log in to an account.
    for typed in ["", "C "] {
        let mut client = server.greeted();
        for name in ["newcomer", "another"] {
            client.send(&format!("{typed}{name}"));
            client.expect_exact(FULL);
        }
        client.send(&format!("{typed}{}", made[0]));
        client.expect("C 331 ");
        client.send(&format!("{typed}{PASSWORD}"));
        client.expect("C 230 ");
    }
    canary.finish("registrations without end");
    check_the_operator(&mut server);
}

/// The operator may exceed the limit, and a server with too many accounts serves all of them.
#[track_caller]
fn check_the_operator(server: &mut Server) {
    server.term();
    let folder = server.path("");
    run_with(CHATD, &folder, &["accounts", "add", "carol"], PASSWORD).check(0, &[]);
    server.set("accounts.most", "1");
    server.restart();
    let listed: BTreeSet<String> = ["carol", "bob", "canary1"].map(str::to_owned).into();
    server.returning("carol").barrier();
    server.returning("canary1").barrier();
    let mut newcomer = server.greeted();
    newcomer.send("newcomer");
    newcomer.expect_exact(FULL);
    server.term();
    let outcome = run(CHATD, &folder, &["accounts", "list"]);
    let names: BTreeSet<String> =
        outcome.stdout.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert!(names.len() == MOST + 1 && names.is_superset(&listed), "{names:?}");
}

/// A client that was asked to choose a password below the limit is told when the limit is reached meanwhile.
#[test]
fn others_may_be_faster() {
    let server = Server::builder().set("accounts.most", "2").start();
    let mut all: Vec<Client> = (0..5).map(|_| server.greeted()).collect();
    for (n, client) in all.iter_mut().enumerate() {
        client.send(&format!("new{n}"));
        client.expect("C 332 ");
    }
    all.iter_mut().for_each(|client| client.send(PASSWORD));
    let answers: Vec<String> = all.iter_mut().map(Client::line).collect();
    assert_eq!(answers.iter().filter(|line| line.starts_with("C 230 ")).count(), 2, "{answers:?}");
    assert_eq!(answers.iter().filter(|line| *line == FULL).count(), 3, "{answers:?}");
    // It is not a failure, and the name stays free.
    let refused = answers.iter().position(|line| line == FULL).unwrap();
    for _ in 0..4 {
        all[refused].send(&format!("new{refused}"));
        all[refused].expect_exact(FULL);
    }
}

#[test]
fn a_closed_server_does_not_say_that_it_is_full() {
    let server = Server::builder().set("accounts.most", "1").set("accounts.registration", "\"closed\"").start();
    let mut stranger = server.greeted();
    stranger.send("ghost");
    stranger.expect_exact("C 331 ghost, your password?");
    stranger.send(PASSWORD);
    stranger.expect("C 530 ");
}

#[test]
fn retries_before_login_are_slowed() {
    let server = Server::builder().no_rates().set("accounts.most", "2").start();
    let canary = Canary::start(&server);
    let mut floods: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for flood in &mut floods {
        flood.expect("C 220 ");
        flood.send_raw("newcomer\n".repeat(4000).as_bytes());
    }
    for flood in &mut floods {
        flood.expect("C 450 no new accounts");
    }
    let begun = Instant::now();
    for _ in 0..2 {
        for flood in &mut floods {
            flood.expect("C 450 no new accounts");
        }
    }
    assert!(begun.elapsed() >= Duration::from_millis(1500), "{:?}", begun.elapsed());
    canary.finish("strangers who try again as fast as they can");
}
