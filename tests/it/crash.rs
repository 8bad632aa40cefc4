//! kill -9 at any moment: every client that got 230 has an account, and the file loads.
//!
//! `CHATD_SEED=…` kills at the same moments again; how far the server has come by then depends on the machine.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use testkit::{Dice, PASSWORD, PATIENCE, Server};

/// Clients that register one name after another.
const CLIENTS: usize = 4;
/// A round ends at a random time within this many microseconds after its first 230.
const ROUND_US: u64 = 20_000;

/// Registers names until the server is gone. Each is reported when its 230 has arrived.
fn register_on(addr: SocketAddr, prefix: &str, registered: &Sender<String>) {
    for n in 0.. {
        let name = format!("{prefix}n{n}");
        if register(addr, &name).is_none() {
            return;
        }
        registered.send(name).expect("somebody counts");
    }
}

/// `None` when the server is gone.
fn register(addr: SocketAddr, name: &str) -> Option<()> {
    let mut stream = TcpStream::connect(addr).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(format!("{name}\n{PASSWORD}\n").as_bytes()).ok()?;
    for line in BufReader::new(stream).lines() {
        let line = line.ok()?;
        if line.starts_with("C 230 ") {
            return Some(());
        }
        assert!(line.starts_with("C 220 ") || line.starts_with("C 332 "), "{line:?}");
    }
    None
}

#[track_caller]
fn check_login(server: &Server, name: &str) {
    let mut client = server.greeted();
    client.send(name);
    client.expect_exact(&format!("C 331 {name}, your password?"));
    client.send(PASSWORD);
    client.expect("C 230 ");
}

#[track_caller]
fn check(rounds: usize) {
    let seed = Dice::today();
    println!("CHATD_SEED={seed}");
    let mut dice = Dice::of(seed);
    let mut server = Server::start();
    let mut all: Vec<String> = Vec::new();
    for round in 0..rounds {
        let (note, registered) = mpsc::channel();
        let addr = server.addr();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let note = note.clone();
                thread::spawn(move || register_on(addr, &format!("r{round}c{client}"), &note))
            })
            .collect();
        // The clients hold the only senders left: if all of them fail, the receiver notices at once.
        drop(note);
        let mut names = vec![registered.recv_timeout(PATIENCE).expect("an account in this round")];
        thread::sleep(Duration::from_micros(dice.below(ROUND_US)));
        server.kill9();
        clients.into_iter().for_each(|client| client.join().unwrap());
        names.extend(registered);
        server.restart();
        names.iter().for_each(|name| check_login(&server, name));
        all.extend(names);
    }
    println!("{} accounts in {rounds} rounds", all.len());
    all.iter().for_each(|name| check_login(&server, name));
    let text = fs::read_to_string(server.path("accounts")).unwrap();
    let missing: Vec<_> = all.iter().filter(|name| !text.contains(&format!(":{name}:"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn kill_9_loses_no_account_that_was_acknowledged() {
    check(25);
}

#[test]
#[ignore = "200 rounds take about a minute"]
fn two_hundred_kills_lose_no_account() {
    check(200);
}
