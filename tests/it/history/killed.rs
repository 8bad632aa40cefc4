//! kill -9 at every system call of the store: at commits, at a start, and at the end.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;

use testkit::{Server, Strace, eventually};

use super::reading::{all, back, texts};
use super::wire::Wire;

/// The calls that change the files.
const CALLS: [&str; 6] = ["pwrite64", "fsync,fdatasync", "ftruncate", "/^unlink", "/^rename", "openat"];

fn files(server: &Server) -> Vec<PathBuf> {
    ["history.db", "history.db-wal", "history.db-shm"].map(|name| server.path(name)).into()
}

/// Tells bob, who is away, until the connection ends or `most` are told. Notes the texts that are acknowledged.
fn tell(wire: &mut Wire, prefix: &str, most: usize, kept: &mut Vec<String>) {
    for number in 0..most {
        let text = format!("{prefix}-{number}");
        wire.send(&format!("C PM public {text}\nC DM bob {text}"));
        for _ in 0..2 {
            let Some(answer) = wire.line() else { return };
            if answer.starts_with("C 250 kept for bob") {
                kept.push(text.clone());
            }
        }
    }
}

/// A prefix for the texts of a run.
fn prefix(call: &str, when: usize) -> String {
    format!("{}-{when}", call.replace(['/', '^', ','], ""))
}

/// Everything acknowledged is there, in order, and what is there has its order.
#[track_caller]
fn check(server: &Server, kept: &[String], what: &str) {
    let mut bob = back(server, "bob");
    let lines = all(&mut bob, "bob", "@alice");
    assert!(lines.is_sorted_by(|one, two| one.id < two.id), "{what}");
    let there: BTreeSet<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let lost: Vec<&String> = kept.iter().filter(|text| !there.contains(text.as_str())).collect();
    assert!(lost.is_empty(), "{what}: {lost:?} were acknowledged");
    // Public lines of before an acknowledged one are there, too.
    let public = texts(&mut bob, "bob", "*");
    let public: BTreeSet<&str> = public.iter().filter_map(|text| text.strip_prefix("public ")).collect();
    let lost: Vec<&String> = kept.iter().filter(|text| !public.contains(text.as_str())).collect();
    assert!(lost.is_empty(), "{what}: {lost:?} were said before something that was acknowledged");
}

/// Kills the server in `act` at calls of each kind: the first ones, and some of the later ones.
#[track_caller]
fn check_killed(least: usize, told: usize, is_at_the_end: bool) {
    let mut server = Server::builder().no_rates().start();
    server.bare("bob").barrier();
    let (mut kept, mut kills) = (Vec::new(), 0);
    for call in CALLS {
        for when in [1, 2, 3, 4, 6, 9, 14, 22, 35] {
            server.restart();
            // bob's login resets the number of messages that may wait for him.
            check(&server, &kept, &format!("before {call} {when}"));
            let mut wire = Wire::log_in(server.addr(), "alice").expect("a client");
            if is_at_the_end {
                tell(&mut wire, &prefix(call, when), told, &mut kept);
            }
            let kill = format!("{call}:signal=KILL:when={when}");
            let Some(strace) = Strace::attach_to_files(&server, &files(&server), &[&kill]) else { return };
            if is_at_the_end {
                server.signal(rustix::process::Signal::TERM);
                eventually("it ends", || server.is_dead());
            } else {
                tell(&mut wire, &prefix(call, when), told, &mut kept);
                wire.send("C NOOP");
                if wire.line().is_some() {
                    break; // there are no more such calls
                }
                eventually("it is killed", || server.is_dead());
            }
            drop(strace);
            if server.wait_exit().signal() != Some(9) {
                break;
            }
            kills += 1;
        }
    }
    server.restart();
    check(&server, &kept, "the end");
    println!("killed at {kills} calls, {} acknowledged and there", kept.len());
    assert!(kills >= least, "{kills}");
}

#[test]
fn at_every_call_of_commits() {
    check_killed(10, 6, false);
}

#[test]
fn at_every_call_of_the_end() {
    check_killed(8, 3, true);
}
