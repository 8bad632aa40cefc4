//! A disk of the history that fails, is full, read-only or slow: people talk on, are told what is not kept, and the
//! history heals by itself.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use testkit::{Canary, Client, Server, Strace, eventually, pause};

use super::pages::{Line, Place};
use super::reading::{all, back, texts};
use crate::failing::{fill, on_a_small_disk_of};

/// How soon everything is promised to work again.
const HEALED: Duration = Duration::from_secs(30);
/// How soon a request is answered in any case: 2 s, and what a busy machine adds.
const ANSWERED: Duration = Duration::from_secs(10);

/// The store's files.
fn files(server: &Server) -> Vec<PathBuf> {
    ["history.db", "history.db-wal"].map(|name| server.path(name)).into()
}

/// What alice has sent to bob, who is away.
#[derive(Default)]
struct Sent {
    kept: Vec<String>,
    refused: Vec<String>,
}

impl Sent {
    /// Sends a direct message. Whether it is kept.
    #[track_caller]
    fn send(&mut self, alice: &mut Client, text: &str) -> bool {
        let begun = Instant::now();
        let answer = alice.ask(&format!("DM bob {text}"));
        assert!(begun.elapsed() < ANSWERED, "{answer:?} after {:?}", begun.elapsed());
        if answer.starts_with("C 250 kept for bob") {
            self.kept.push(text.to_owned());
            return true;
        }
        assert!(answer.starts_with("C 450 "), "{answer:?}");
        self.refused.push(text.to_owned());
        false
    }

    /// Sends until one is kept again, which must be in time.
    #[track_caller]
    fn heals(&mut self, alice: &mut Client, what: &str) {
        let begun = Instant::now();
        for number in 0.. {
            if self.send(alice, &format!("healing {number}")) {
                return println!("{what}: kept again {:?} after the fault", begun.elapsed());
            }
            assert!(begun.elapsed() < HEALED, "{what}: {:?} and not healed", begun.elapsed());
            pause(200);
        }
    }

    /// What is acknowledged is there, and what was refused is not.
    #[track_caller]
    fn check(&self, server: &Server, what: &str) {
        let mut bob = back(server, "bob");
        assert_eq!(texts(&mut bob, "bob", "@alice"), self.kept, "{what}: kept, and nothing else");
        println!("{what}: {} kept, {} refused", self.kept.len(), self.refused.len());
    }
}

/// Each of these public texts is there, or a hole after it is told.
#[track_caller]
fn kept_or_told(lines: &[Line], said: &[String], what: &str) {
    let has = |text: &String| lines.iter().any(|line| line.text == *text);
    let missing: Vec<&String> = said.iter().filter(|text| !has(text)).collect();
    let holes = lines.iter().filter(|line| line.is_hole && line.place == Place::Everybody).count();
    assert!(missing.is_empty() || holes > 0, "{what}: {missing:?} are missing, and no hole is told");
    println!("{what}: {} of {} public lines are missing, {holes} holes told", missing.len(), said.len());
}

/// While these calls fail on the store's files, people talk, and direct messages to who is away are refused.
#[track_caller]
fn check_injected(what: &str, injections: &[&str]) {
    let mut server = Server::builder().no_rates().start();
    server.bare("bob").barrier();
    let mut alice = server.typed("alice");
    let (mut sent, mut said) = (Sent::default(), Vec::new());
    assert!(sent.send(&mut alice, "before"));
    let canary = Canary::start(&server);
    let Some(strace) = Strace::attach_to_files(&server, &files(&server), injections) else { return };
    let mut say = |alice: &mut Client, text: String| {
        assert!(alice.ask(&format!("PM {text}")).starts_with("C 250 sent to "), "{what}");
        said.push(text);
    };
    say(&mut alice, "broken 1".to_owned());
    assert!(!sent.send(&mut alice, "while broken"), "{what}");
    server.wait_for_log("degraded: history ");
    for number in 2..20 {
        say(&mut alice, format!("broken {number}"));
    }
    let begun = Instant::now();
    let mut newcomer = back(&server, "carol");
    let answer = newcomer.list("HISTORY");
    assert!(begun.elapsed() < ANSWERED, "{answer:?}");
    sent.send(&mut alice, "still broken");
    canary.talks();
    drop(strace);
    sent.heals(&mut alice, what);
    say(&mut alice, "healed".to_owned());
    canary.finish(what);
    kept_or_told(&all(&mut alice, "alice", "*"), &said, what);
    let begun = Instant::now();
    while !server.log_text().contains("degraded no more: history ") {
        assert!(begun.elapsed() < HEALED, "{what}: still degraded");
        pause(50);
    }
    assert!(sent.send(&mut alice, "last"));
    server.kill9();
    server.restart();
    sent.check(&server, what);
    kept_or_told(&all(&mut back(&server, "alice"), "alice", "*"), &said, what);
}

#[test]
fn a_sync_that_fails_is_told_and_heals() {
    check_injected("EIO at each sync", &["fsync,fdatasync:error=EIO"]);
}

#[test]
fn a_write_that_fails_is_told_and_heals() {
    check_injected("EIO at each write", &["pwrite64:error=EIO"]);
}

#[test]
fn a_full_disk_is_told_and_heals() {
    check_injected("ENOSPC at each write", &["pwrite64:error=ENOSPC"]);
}

#[test]
fn a_disk_that_becomes_read_only_is_told_and_heals() {
    check_injected("EROFS at everything", &["pwrite64,ftruncate,fsync,fdatasync,/^unlink:error=EROFS"]);
}

#[test]
fn a_full_queue_drops_says_so_and_tells_how_much() {
    let server = Server::builder().no_rates().set("history.queue_bytes", "1048576").start();
    let mut alice = server.typed("alice");
    alice.ask("PM before");
    assert_eq!(texts(&mut alice, "alice", "*"), ["before"]);
    let failing = ["pwrite64,fsync,fdatasync:error=EIO"];
    let Some(strace) = Strace::attach_to_files(&server, &files(&server), &failing) else { return };
    let (mut kept, mut dropped) = (vec!["before".to_owned()], 0_u64);
    for number in 0..800 {
        let text = format!("{number} {}", "x".repeat(2_000));
        let answer = alice.ask(&format!("PM {text}"));
        match answer.strip_prefix("C 250 sent to 0") {
            Some("") => kept.push(text),
            Some(", not kept") => dropped += 1,
            _ => panic!("{answer:?}"),
        }
    }
    assert!(dropped > 100 && kept.len() > 100, "{dropped} dropped, {} kept", kept.len());
    server.wait_for_log("degraded: history broken");
    drop(strace);
    let begun = Instant::now();
    while alice.list("HISTORY * 1").len() < 2 {
        assert!(begun.elapsed() < HEALED, "it does not heal");
        pause(200);
    }
    let lines = all(&mut alice, "alice", "*");
    let there: Vec<&str> = lines.iter().filter(|line| !line.is_hole).map(|line| line.text.as_str()).collect();
    assert!(there == kept, "{} of {} lines that were to be kept are there", there.len(), kept.len());
    let holes: Vec<&Line> = lines.iter().filter(|line| line.is_hole).collect();
    let told = |line: &&Line| line.text.split(' ').next().and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
    let told: u64 = holes.iter().map(told).sum();
    println!("{dropped} dropped; {holes:?}");
    assert_eq!(told, dropped);
}

#[test]
fn a_reader_that_asks_and_does_not_read_costs_nobody_else() {
    let server = Server::builder().no_rates().start();
    let mut alice = server.typed("alice");
    for _ in 0..60 {
        alice.ask(&format!("PM {}", "x".repeat(4_000)));
    }
    let canary = Canary::start(&server);
    let mut greedy = server.narrow("greedy");
    let before = server.own_kib();
    greedy.send_raw("HISTORY after 1 200\n".repeat(500).as_bytes());
    canary.talks();
    canary.talks();
    let grown = server.own_kib().saturating_sub(before);
    println!("{grown} KiB for 500 pages that nobody reads");
    assert!(grown < 20_000, "{grown} KiB");
    assert_eq!(texts(&mut alice, "alice", "*").len(), 60);
    canary.finish("a reader that does not read");
}

#[test]
fn a_small_disk_that_fills_up_loses_nothing_acknowledged() {
    let Some((server, disk)) = on_a_small_disk_of("4m", "history.file", "disk/history.db") else { return };
    server.bare("bob").barrier();
    let mut alice = server.typed("alice");
    let (mut sent, mut number) = (Sent::default(), 0);
    assert!(sent.send(&mut alice, "before"));
    let canary = Canary::start(&server);
    fill(&disk.join("filler"));
    // What is allocated already takes some.
    let text = |number: usize| format!("{number} {}", "x".repeat(2_000));
    while sent.send(&mut alice, &text(number)) {
        number += 1;
        assert!(number < 90, "a full disk takes everything");
    }
    server.wait_for_log("degraded: history ");
    canary.talks();
    fs::remove_file(disk.join("filler")).expect("the filler");
    sent.heals(&mut alice, "a full disk");
    canary.finish("a full disk");
    sent.check(&server, "a full disk");
}

#[test]
fn a_slow_disk_makes_only_those_wait_who_wait_for_it() {
    let mut server = Server::builder().no_rates().start();
    server.bare("bob").barrier();
    let mut alice = server.typed("alice");
    let mut sent = Sent::default();
    assert!(sent.send(&mut alice, "before"));
    let canary = Canary::start(&server);
    let slow = ["fsync,fdatasync:delay_enter=1000000"];
    let Some(strace) = Strace::attach_to_files(&server, &files(&server), &slow) else { return };
    sent.send(&mut alice, "a second");
    canary.talks();
    drop(strace);
    let slow = ["fsync,fdatasync:delay_enter=6000000"];
    let Some(strace) = Strace::attach_to_files(&server, &files(&server), &slow) else { return };
    assert!(!sent.send(&mut alice, "six seconds"), "it is answered after two");
    // It may be said again, and a late row does not show.
    canary.talks();
    drop(strace);
    sent.heals(&mut alice, "a slow disk");
    canary.finish("a slow disk");
    sent.check(&server, "a slow disk");
    drop(alice);
    // Killed in the middle of a slow commit.
    let mut alice = back(&server, "alice");
    let Some(strace) = Strace::attach_to_files(&server, &files(&server), &slow) else { return };
    alice.typed("DM bob killed");
    pause(100);
    server.kill9();
    drop(strace);
    server.restart();
    let mut bob = back(&server, "bob");
    let found = texts(&mut bob, "bob", "@alice");
    assert_eq!(found[..sent.kept.len()], sent.kept[..]);
}

#[test]
fn a_slow_disk_does_not_hold_the_end() {
    let mut server = Server::builder().no_rates().start();
    let mut alice = server.typed("alice");
    let slow = ["fsync,fdatasync:delay_enter=20000000"];
    let Some(strace) = Strace::attach_to_files(&server, &files(&server), &slow) else { return };
    alice.ask("PM hello");
    let begun = Instant::now();
    server.signal(rustix::process::Signal::TERM);
    eventually("it ends", || server.is_dead());
    println!("it ended after {:?}", begun.elapsed());
    // Only now can its last thread be waited for.
    drop(strace);
    assert_eq!(server.wait_exit().code(), Some(0));
}

/// The server does not start, with this code and these words.
#[track_caller]
fn fails(server: &mut Server, code: i32, told: &[&str]) {
    server.fails_to_start().check(code, told);
}

#[test]
fn files_that_are_no_store_stop_the_start_and_stay_as_they_are() {
    let mut server = Server::start();
    let mut alice = server.typed("alice");
    alice.ask("PM hello");
    server.term();
    let file = server.path("history.db");
    let good = fs::read(&file).expect("the store");
    let set = |sql: &str| Connection::open(&file).and_then(|file| file.execute_batch(sql)).expect(sql);
    // A file of a newer version.
    set("pragma user_version = 4711");
    let newer = fs::read(&file).expect("the store");
    fails(&mut server, 78, &["history.db"]);
    assert_eq!(fs::read(&file).expect("the store"), newer, "it is left alone");
    // Something else.
    fs::write(&file, "this is no database\n".repeat(500)).expect("a text");
    fails(&mut server, 78, &["history.db"]);
    // Half of it.
    fs::write(&file, &good[..good.len() / 2]).expect("a half");
    fails(&mut server, 78, &["history.db"]);
    // A link, and somebody else's.
    fs::remove_file(&file).expect("the file");
    std::os::unix::fs::symlink(server.path("elsewhere"), &file).expect("a link");
    fails(&mut server, 78, &["history.db", "symbolic link"]);
    fs::remove_file(&file).expect("the link");
    fs::create_dir(&file).expect("a folder");
    fails(&mut server, 78, &["history.db"]);
    fs::remove_dir(&file).expect("the folder");
    fs::write(&file, &good).expect("the store");
    std::os::unix::fs::chown(&file, Some(12_345), None).expect("chown");
    fails(&mut server, 78, &["history.db"]);
    std::os::unix::fs::chown(&file, Some(0), None).expect("chown");
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("rights");
    server.restart();
    assert_eq!(texts(&mut back(&server, "alice"), "alice", "*"), ["hello"]);
    // Two servers.
    let mut other = Server::start();
    other.term();
    other.set("history.file", &format!("{:?}", file.display().to_string()));
    fails(&mut other, 75, &["history.db"]);
}
