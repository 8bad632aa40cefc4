//! kill -9 at every step of a registration, of a rewrite of the account file, and of its compaction, at the start and
//! while the server runs: every client that got 230 has an account, and the file loads.

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crc::{CRC_32_ISCSI, Crc};
use testkit::{Client, Outcome, PASSWORD, PATIENCE, Server, Strace, eventually, finish_with, run, run_with, strace};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

/// Registers a user, or finds the server dead. Whether it answered 230.
#[track_caller]
fn registers(server: &Server, name: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&server.addr(), PATIENCE) else { return false };
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    if stream.write_all(format!("{name}\n{PASSWORD}\n").as_bytes()).is_err() {
        return false; // the account thread goes on by itself after a failure, and may have met the kill
    }
    let (mut said, mut bytes, deadline) = (String::new(), [0; 1024], Instant::now() + PATIENCE);
    while Instant::now() < deadline {
        match stream.read(&mut bytes) {
            Ok(0) => return false,
            Ok(len) => said.push_str(&String::from_utf8_lossy(&bytes[..len])),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) && !server.is_dead() => {}
            Err(_) => return false,
        }
        if said.contains("C 230 ") || said.contains("C 450 ") {
            return said.contains("C 230 ");
        }
    }
    panic!("neither an answer nor an end: {said:?}");
}

/// Kills the server at each of these steps while a user registers.
fn check_killed(before: &[&str], kills: &[(&str, usize)]) {
    let mut server = Server::start();
    server.bare("alice").barrier();
    let mut acknowledged = vec!["alice".to_owned()];
    for (at, (call, when)) in kills.iter().enumerate() {
        let kill = format!("{call}:signal=KILL:when={when}");
        let Some(strace) = Strace::attach(&server, &[before, &[&kill]].concat()) else { return };
        // An earlier injection may fail one registration; the kill then meets the next one.
        for n in 0..3 {
            let name = format!("n{at}x{n}");
            if registers(&server, &name) {
                acknowledged.push(name);
            }
            if server.is_dead() {
                break;
            }
        }
        eventually(&format!("{kill} kills it"), || server.is_dead());
        drop(strace);
        assert_eq!(server.wait_exit().signal(), Some(9), "{kill}");
        server.restart();
        acknowledged.iter().for_each(|name| server.returning(name).barrier());
    }
    println!("killed at {} steps, {} accounts acknowledged and there", kills.len(), acknowledged.len());
}

#[test]
fn at_every_step_of_a_registration() {
    // The check of the file, twice; the write; the sync; the wake-up of the loop; the greeting, the prompt and 230.
    let file = [("statx", 1), ("statx", 2), ("pwrite64", 1), ("fdatasync", 1)];
    let answer = [("write", 1), ("sendto", 1), ("sendto", 2), ("sendto", 3)];
    // And of the next one, when the first has its 230.
    let next = [("pwrite64", 2), ("fdatasync", 2), ("write", 2), ("sendto", 4)];
    check_killed(&[], &[&file[..], &answer, &next].concat());
}

#[test]
fn at_every_step_of_a_rewrite() {
    let steps =
        [("pread64", 1), ("/^unlink", 1), ("fchmod", 1), ("fsync", 1), ("/^rename", 1), ("fsync", 2), ("pwrite64", 2)];
    check_killed(&["fdatasync:error=EIO:when=1"], &steps);
    check_killed(&["pwrite64:error=ENOSPC:when=1", "ftruncate:error=EIO:when=1"], &[("/^rename", 1), ("fsync", 2)]);
}

/// An account file in which alice has changed her password so often that the next start compacts it, with bob and a
/// torn end.
fn dead_lines(folder: &Path) -> Vec<u8> {
    for name in ["alice", "bob"] {
        add(folder, name).check(0, &[]);
    }
    let mut text = changed(&fs::read_to_string(folder.join("accounts")).unwrap(), 1100);
    text.push_str("A:1103:17");
    text.into_bytes()
}

/// An account file of two, with this many further changes of the first one's password.
fn changed(file: &str, changes: usize) -> String {
    let mut text = file.to_owned();
    let first: Vec<&str> = file.lines().nth(1).unwrap().split(':').collect();
    for n in 0..changes {
        let body = format!("U:{}:1760000000:{}:{}:{}:", n + 3, first[3], n + 2, first[5]);
        let checksum = Crc::<u32>::new(&CRC_32_ISCSI).checksum(body.as_bytes());
        text.push_str(&format!("{body}{checksum:08x}\n"));
    }
    text
}

/// Adds an account with the cheapest hash.
fn add(folder: &Path, name: &str) -> Outcome {
    run_with(CHATD, folder, &["accounts", "add", name], PASSWORD)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let outcome = run(CHATD, folder, &["accounts", "list"]);
    outcome.check(0, &[]);
    outcome.stdout.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn at_every_step_of_a_mending_start() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let config = "accounts.argon2 = { memory_kib = 8, iterations = 1, parallelism = 1 }";
    fs::write(folder.join("config.toml"), config).unwrap();
    let before = dead_lines(folder);
    let mut kills = 0;
    for call in ["openat", "ftruncate", "/^unlink", "fchmod", "write", "fsync", "/^rename", "pwrite64", "fdatasync"] {
        for when in 1.. {
            // Without a key, one is created too.
            let _ = fs::remove_file(folder.join("accounts.key"));
            fs::write(folder.join("accounts"), &before).unwrap();
            let Some(mut command) = strace(&[&format!("{call}:signal=KILL:when={when}")]) else { return };
            command.current_dir(folder).args([CHATD, "accounts", "add", "carol"]);
            let outcome = finish_with(command, PASSWORD);
            let after = names(folder);
            assert!(after.contains("alice") && after.contains("bob"), "{call} {when}: {after:?}");
            assert!(after.len() == 2 || after.contains("carol"), "{call} {when}: {after:?}");
            if outcome.stdout.contains("carol has an account") {
                assert!(after.contains("carol"), "{call} {when}: {after:?}");
            }
            if outcome.code == Some(0) {
                assert!(when > 1, "{call} is not among the steps");
                break;
            }
            kills += 1;
            add(folder, "dave").check(0, &[]);
            assert!(names(folder).contains("dave"), "{call} {when}");
            let text = fs::read_to_string(folder.join("accounts")).unwrap();
            assert!(text.lines().count() < 10, "compacted by now, after {call} {when}");
            for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
                if file.to_string_lossy().contains("torn-") {
                    fs::remove_file(file).unwrap();
                }
            }
        }
    }
    println!("killed at {kills} steps");
}

/// Changes the password of a logged-in user, or finds the server dead. Whether it answered 200.
#[track_caller]
fn changes(server: &Server, client: &Client, new: &str) -> bool {
    let mut stream = client.stream();
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    stream.write_all(format!("PASSWD\n{PASSWORD}\n{new}\n").as_bytes()).unwrap();
    let (mut said, mut bytes, deadline) = (String::new(), [0; 1024], Instant::now() + PATIENCE);
    while Instant::now() < deadline {
        match stream.read(&mut bytes) {
            Ok(0) => return false,
            Ok(len) => said.push_str(&String::from_utf8_lossy(&bytes[..len])),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) && !server.is_dead() => {}
            Err(_) => return false,
        }
        if said.contains("C 200 password changed") {
            return true;
        }
    }
    panic!("neither an answer nor an end: {said:?}");
}

/// Whether this password opens the account.
#[track_caller]
fn opens(server: &Server, name: &str, password: &str) -> bool {
    let mut client = server.greeted();
    client.send(&format!("{name}\n{password}"));
    client.expect("C 331 ");
    client.line().starts_with("C 230 ")
}

#[test]
fn at_every_step_of_a_running_compaction() {
    const NEW: &str = "battery staple";
    let mut server = Server::start();
    for name in ["alice", "bob"] {
        server.bare(name).barrier();
    }
    server.term();
    let file = server.path("accounts");
    // One more change, and more than 1,000 lines are obsolete.
    let before = changed(&fs::read_to_string(&file).unwrap(), 1000);
    let mut kills = 0;
    for call in ["pwrite64", "fdatasync", "/^unlink", "openat", "fchmod", "write", "fsync", "/^rename"] {
        for when in 1.. {
            fs::write(&file, &before).unwrap();
            server.restart();
            let alice = server.returning("alice");
            let Some(strace) = Strace::attach(&server, &[&format!("{call}:signal=KILL:when={when}")]) else { return };
            let is_told = changes(&server, &alice, NEW);
            eventually(&format!("{call} {when}: it is compacted, or dead"), || {
                server.is_dead() || server.log_text().contains("the file was compacted, from 1003 lines to 2")
            });
            let is_over = !server.is_dead();
            drop(strace);
            server.kill9();
            server.restart();
            let is_new = opens(&server, "alice", NEW);
            assert!(is_new || !is_told && opens(&server, "alice", PASSWORD), "{call} {when}: told {is_told}");
            assert!(opens(&server, "bob", PASSWORD), "{call} {when}");
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!([3, 1003, 1004].contains(&lines) && (lines == 3 || !is_over), "{call} {when}: {lines} lines");
            server.term();
            if is_over {
                assert!(when > 1, "{call} is not among the steps");
                break;
            }
            kills += 1;
        }
    }
    println!("killed at {kills} steps");
}
