//! kill -9 at every system call that the store makes on its files, in a process of its own: this one, started again for
//! the test [`child`].

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use chatd::history::Flag;
use chatd::limits;
use testkit::{pause, strace};

use super::model::folder;
use super::script::{DEN, Load, Store};

/// The calls that change files.
const CALLS: [&str; 6] = ["pwrite64", "fsync,fdatasync", "ftruncate", "/^unlink", "/^rename", "openat"];
/// At most this many kills for each call, spread over all of them.
const KILLS: usize = 20;

/// What the child does.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// A load on a new or an old store, and its end.
    Load,
    /// The same with little room, so that old messages go in slices.
    Slices,
    /// A start after a kill, one message, and the end.
    Start,
}

impl Part {
    fn rules(self) -> limits::History {
        match self {
            Self::Load | Self::Start => limits::History::default(),
            Self::Slices => limits::History { keep_messages: 20, ..limits::History::default() },
        }
    }
}

#[test]
#[ignore = "the other tests of this file start it, in a process of its own"]
fn child() {
    let (Ok(folder), Ok(part)) = (std::env::var("CHATD_TEST_STORE"), std::env::var("CHATD_TEST_PART")) else { return };
    let part = match part.as_str() {
        "Slices" => Part::Slices,
        "Start" => Part::Start,
        _ => Part::Load,
    };
    let (store, _) = Store::open(Path::new(&folder), &part.rules()).expect("a store");
    let told = |id: u64| {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(format!("kept {id}\n").as_bytes()).and_then(|()| stdout.flush()).expect("a pipe");
    };
    let steps = || 0;
    let mut load = Load::new(store, 1, &steps, &told);
    match part {
        Part::Load => load.run(),
        Part::Slices => {
            load.run();
            for _ in 0..3 {
                load.talk(30);
                load.tell();
                pause(60);
            }
        }
        Part::Start => {
            load.begin();
            load.tell();
        }
    }
    load.store.close();
}

/// Runs the child on a store. Gives the ids that it was told are kept, and whether it was killed. `None` without strace.
fn run(store: &Path, part: Part, injection: &str, log: Option<&Path>) -> Option<(Vec<u64>, bool)> {
    let mut command = strace(&[injection])?;
    if let Some(log) = log {
        command = Command::new("strace");
        command.args(["-f", "-e", &format!("trace={injection}"), "-o"]).arg(log);
    }
    for name in ["history.db", "history.db-wal", "history.db-shm", "history.db-journal"] {
        command.arg("-P").arg(store.join(name));
    }
    command.arg(std::env::current_exe().expect("this program"));
    command.args(["--exact", "disk::killed::child", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env("CHATD_TEST_STORE", store).env("CHATD_TEST_PART", format!("{part:?}"));
    let output = command.output().expect("strace");
    // strace ends as its child does.
    let is_killed = output.status.signal() == Some(9) || output.status.code() == Some(137);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(is_killed || output.status.success(), "{part:?}, {injection}: {}\n{out}\n{err}", output.status);
    let ids = out.lines().filter_map(|line| line.split_once("kept ")?.1.parse().ok()).collect();
    Some((ids, is_killed))
}

/// Opens the store and looks for these.
#[track_caller]
fn check(store: &Path, part: Part, kept: &[u64], what: &str) {
    let rules = part.rules();
    let (mut open, restored) = Store::open(store, &rules).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    let lines = open.read(&[DEN]).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    assert!(lines.is_sorted_by(|one, two| one.id < two.id), "{what}: the lines rise");
    let last = lines.last().map_or(0, |line| line.id).max(kept.iter().copied().max().unwrap_or(0));
    assert!(restored.last_id >= last, "{what}: ids go back from {last} to {}", restored.last_id);
    let there: BTreeSet<u64> = lines.iter().filter(|line| line.flag != Flag::Hole).map(|line| line.id).collect();
    match part {
        // What goes in slices goes from the oldest on.
        Part::Slices => {
            let newest = kept.iter().max();
            assert!(newest.is_none_or(|id| there.contains(id)), "{what}: {newest:?} was acknowledged, and is lost");
        }
        Part::Load | Part::Start => {
            let lost: Vec<&u64> = kept.iter().filter(|id| !there.contains(id)).collect();
            assert!(lost.is_empty(), "{what}: {lost:?} were acknowledged, and are lost");
        }
    }
    open.close();
    let file = rusqlite::Connection::open(store.join("history.db")).expect("the file");
    let sound: String = file.query_row("pragma integrity_check", [], |row| row.get(0)).expect("a check");
    assert_eq!(sound, "ok", "{what}");
}

fn copy(from: &Path, to: &Path) {
    for file in fs::read_dir(from).expect("a folder") {
        let file = file.expect("a file");
        if file.file_name() != "history.lock" {
            fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
        }
    }
}

/// Kills the child at each call, each time on a copy of this store.
#[track_caller]
fn check_part(part: Part, base: &Path, before: &[u64]) {
    let (mut kills, mut acknowledged) = (0, 0);
    for call in CALLS {
        let whole = folder();
        copy(base, whole.path());
        let log = whole.path().join("strace.log");
        let Some((kept, _)) = run(whole.path(), part, call, Some(&log)) else { return };
        check(whole.path(), part, &[before, &kept].concat(), &format!("{part:?}, not killed"));
        let text = fs::read_to_string(log).expect("a log");
        let calls = text.lines().filter(|line| line.contains('(') && !line.contains("resumed>")).count();
        for when in (1..=calls).step_by(calls.div_ceil(KILLS).max(1)) {
            let folder = folder();
            copy(base, folder.path());
            let kill = format!("{call}:signal=KILL:when={when}");
            let Some((kept, is_killed)) = run(folder.path(), part, &kill, None) else { return };
            check(folder.path(), part, &[before, &kept].concat(), &format!("{part:?}, {kill} of {calls}"));
            kills += usize::from(is_killed);
            acknowledged += kept.len();
        }
    }
    println!("{part:?}: killed at {kills} calls; {acknowledged} messages acknowledged before");
    assert!(kills > 5, "{kills}");
}

#[test]
fn at_every_call_of_a_new_store() {
    let base = folder();
    check_part(Part::Load, base.path(), &[]);
}

#[test]
fn at_every_call_of_a_retention() {
    let base = folder();
    check_part(Part::Slices, base.path(), &[]);
}

#[test]
fn at_every_call_of_a_start_after_a_kill() {
    // How many writes the load takes depends on how many messages share a commit.
    for when in [250, 120, 60, 30] {
        let base = folder();
        let kill = format!("pwrite64:signal=KILL:when={when}");
        let Some((kept, is_killed)) = run(base.path(), Part::Load, &kill, None) else { return };
        if is_killed {
            assert!(!kept.is_empty(), "killed before the first commit, at write {when}");
            return check_part(Part::Start, base.path(), &kept);
        }
    }
    panic!("the load takes fewer than 30 writes");
}
