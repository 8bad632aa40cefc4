//! The account file while users change their passwords as often as allowed: it does not grow without end, and
//! compaction disturbs nobody.

use std::fs;
use std::net::SocketAddr;
use std::thread;

use testkit::{Canary, Client, PASSWORD, Server, Strace, eventually};

/// How often an account may change its password in ten minutes.
const CHANGES: usize = 3;
/// Obsolete lines that may stay.
const DEAD_LINES: usize = 1000;
/// Enough accounts for twice as many obsolete lines.
const ACCOUNTS: usize = 2 * DEAD_LINES / CHANGES + 20;

fn password(change: usize) -> String {
    if change == 0 { PASSWORD.to_owned() } else { format!("password {change}") }
}

/// Registers an account, and changes its password as often as allowed.
fn register_and_change(addr: SocketAddr, name: &str) {
    let mut client = Client::connect(addr);
    client.expect("C 220 ");
    client.send(&format!("C {name}"));
    client.expect("C 332 ");
    client.send(&format!("C {PASSWORD}"));
    client.expect("C 230 ");
    for n in 0..=CHANGES {
        client.send(&format!("C PASSWD\nD {}\nD {}", password(n), password(n + 1)));
        if n == CHANGES {
            client.expect("C 450 too many new passwords, try again in ");
            return;
        }
        client.expect("C 331 ");
        client.expect("C 332 ");
        client.expect("C 200 ");
    }
}

fn lines(server: &Server) -> usize {
    fs::read_to_string(server.path("accounts")).unwrap().lines().count()
}

fn compactions(server: &Server) -> usize {
    server.log_text().matches("accounts: the file was compacted").count()
}

/// All accounts do that, from several connections at once.
#[track_caller]
fn attack(server: &Server, accounts: std::ops::Range<usize>) {
    const THREADS: usize = 4;
    let addr = server.addr();
    let attackers = (0..THREADS).map(|thread| {
        let mine: Vec<String> = accounts.clone().skip(thread).step_by(THREADS).map(|n| format!("a{n}")).collect();
        thread::spawn(move || mine.iter().for_each(|name| register_and_change(addr, name)))
    });
    let attackers: Vec<_> = attackers.collect();
    attackers.into_iter().for_each(|attacker| attacker.join().unwrap());
}

/// Every confirmed change holds, and no account is lost.
#[track_caller]
fn check_all(server: &Server) {
    for n in (0..ACCOUNTS).step_by(29) {
        let mut client = server.greeted();
        client.send(&format!("a{n}\n{}\n{}", password(CHANGES - 1), password(CHANGES)));
        client.expect(&format!("C 331 a{n}, your password?"));
        client.expect("C 530 ");
        client.expect("C 230 ");
    }
    server.returning("canary1").barrier();
}

#[test]
fn a_running_server_compacts_its_account_file() {
    let mut server = Server::builder().no_rates().start();
    let canary = Canary::start(&server);
    attack(&server, 0..ACCOUNTS);
    // The header, and a line for each account; one obsolete line above the limit starts the compaction.
    let most = 1 + ACCOUNTS + 2 + DEAD_LINES + 1;
    eventually("it is compacted", || compactions(&server) > 0 && lines(&server) <= most);
    canary.talks();
    canary.finish("passwords that are changed all the time");
    check_all(&server);
    server.kill9();
    server.restart();
    check_all(&server);
}

#[test]
fn no_room_to_compact_stops_nobody() {
    let mut server = Server::builder().no_rates().start();
    let canary = Canary::start(&server);
    let injections = ["/^rename:error=ENOSPC"];
    let Some(strace) = Strace::attach(&server, &injections) else { return };
    attack(&server, 0..ACCOUNTS);
    let line = server.wait_for_log("accounts: the file cannot be compacted: ");
    assert!(line.contains("[WARN]") && line.contains("it stays as it is, and is tried again in 10 min"), "{line}");
    assert_eq!(server.log_text().matches("cannot be compacted").count(), 1, "it is not tried all the time");
    assert_eq!(lines(&server), 1 + 2 + (CHANGES + 1) * ACCOUNTS);
    assert!(!server.path("accounts.new").exists(), "nothing is left behind");
    canary.talks();
    canary.finish("a compaction that fails");
    check_all(&server);
    drop(strace);
    // The next start has room for it.
    server.kill9();
    server.restart();
    assert_eq!(lines(&server), 1 + 2 + ACCOUNTS);
    check_all(&server);
}
