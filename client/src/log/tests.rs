use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::thread;

use super::*;
use crate::action::{Hole, Message, Place};

const NOW: Now = Now { monotonic_ms: 0, unix_ms: 1_795_686_067_000 };
const STAMP: &str = "2026-11-26 10:41:07+01:00";

fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(1))
}

fn log(root: &std::path::Path) -> Log {
    let mut log = Log::new(root.to_owned(), zone());
    log.enter(&Server { host: "Chat.example.org".to_owned(), port: 5015, is_tls: true });
    log
}

/// A message of this number.
fn message(place: Place, from: &str, text: &str, number: u64) -> Shown {
    let id = (NOW.unix_ms << 20) + number;
    let (from, text) = (from.to_owned(), text.to_owned());
    Shown::Message(Message {
        place,
        from,
        text,
        id: Some(id),
        unix_ms: id >> 20,
        confirmed: None,
        stands_out: false,
        is_own: false,
        is_past: false,
    })
}

fn said(text: &str, number: u64) -> Shown {
    message(Place::Public, "alice", text, number)
}

fn room(name: &str) -> Place {
    Place::Room(name.to_owned())
}

fn read(root: &std::path::Path, file: &str) -> String {
    fs::read_to_string(root.join("chat.example.org_5015").join(file)).unwrap()
}

/// The lines of a file, without their time.
fn bodies(root: &std::path::Path, file: &str) -> Vec<String> {
    let body = |line: &str| line.strip_prefix(STAMP).unwrap().trim_start().to_owned();
    read(root, file).lines().map(body).collect()
}

#[test]
fn a_line_for_each_message_in_the_file_of_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("deep/down");
    let mut log = log(&root);
    assert_eq!(log.check(), None);
    let direct = Place::Direct { with: "Bob".to_owned() };
    let notice = |code, text: &str| Shown::Notice { code, text: text.to_owned() };
    for shown in [
        said("hello", 1),
        message(room("Größe"), "bob", "/me waves", 2),
        message(direct, "alice", "psst\u{1b}[2J", 3),
        notice(103, "größe carol entered"),
        notice(104, "größe carol left: quit"),
        notice(105, "GRÖßE by bob: tea"),
        notice(109, "* all bob"),
        notice(101, "bob away"),
        notice(108, "* 17"),
        Shown::Hole(Hole { place: Place::Public, id: NOW.unix_ms << 20, text: "12 messages were not kept".to_owned() }),
        Shown::Reply { code: 211, more: true, text: "bob".to_owned() },
    ] {
        assert_eq!(log.add(&shown, NOW), None);
    }
    assert_eq!(read(&root, "everybody.log").lines().next().unwrap(), format!("{STAMP} alice: hello"));
    let all = ["alice: hello", "-- erased: all messages of bob to everybody", "-- 12 messages were not kept"];
    assert_eq!(bodies(&root, "everybody.log"), all);
    let all = ["* bob waves", "-- carol entered", "-- carol left: quit", "-- the topic of GRÖßE, by bob: tea"];
    assert_eq!(bodies(&root, "#größe.log"), all);
    assert_eq!(bodies(&root, "@bob.log"), ["alice: psst\\x1b[2J"]);
    let folder = root.join("chat.example.org_5015");
    for (path, mode) in [(root, 0o700), (folder.clone(), 0o700), (folder.join("@bob.log"), 0o600)] {
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, mode, "{}", path.display());
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3, "and nothing else");
}

#[test]
fn no_line_is_written_twice_by_another_run_or_another_client() {
    let dir = tempfile::tempdir().unwrap();
    let (mut one, mut two) = (log(dir.path()), log(dir.path()));
    for number in 0..3 {
        // The same text three times within a second.
        one.add(&said("hi", number), NOW);
        two.add(&said("hi", number), NOW);
    }
    two.add(&said("only here", 4), NOW);
    let mut next = log(dir.path());
    for (text, number) in [("hi", 0), ("hi", 1), ("hi", 2), ("only here", 4), ("new", 5)] {
        next.add(&said(text, number), NOW);
    }
    one.add(&said("new", 5), NOW);
    assert_eq!(
        bodies(dir.path(), "everybody.log"),
        ["alice: hi", "alice: hi", "alice: hi", "alice: only here", "alice: new"]
    );
}

#[test]
fn messages_without_an_id_are_all_written() {
    let dir = tempfile::tempdir().unwrap();
    let Shown::Message(message) = said("done", 0) else { panic!("a message") };
    let shown = Shown::Message(Message { id: None, ..message });
    for _ in 0..2 {
        log(dir.path()).add(&shown, NOW);
    }
    assert_eq!(bodies(dir.path(), "everybody.log"), ["alice: done"; 2]);
}

#[test]
fn clients_do_not_tear_each_others_lines() {
    let dir = tempfile::tempdir().unwrap();
    let text = |who: usize, n: u64| format!("{who}-{n}-{}", "x".repeat(300));
    let writing: Vec<_> = (0..4)
        .map(|who| {
            let mut log = log(dir.path());
            thread::spawn(move || (0..100).for_each(|n| assert_eq!(log.add(&said(&text(who, n), n), NOW), None)))
        })
        .collect();
    writing.into_iter().for_each(|thread| thread.join().unwrap());
    let mut lines = bodies(dir.path(), "everybody.log");
    lines.sort();
    let mut all: Vec<String> =
        (0..4).flat_map(|who| (0..100).map(move |n| format!("alice: {}", text(who, n)))).collect();
    all.sort();
    assert_eq!(lines, all);
}

#[test]
fn what_could_not_be_written_is_told_once_and_marked() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = log(dir.path());
    log.add(&said("one", 1), NOW);
    // Root may write into a folder of any mode, so the folder is replaced.
    let (folder, away) = (dir.path().join("chat.example.org_5015"), dir.path().join("away"));
    fs::rename(&folder, &away).unwrap();
    fs::write(&folder, "no folder").unwrap();
    let why = log.add(&said("two", 2), NOW).unwrap();
    assert!(why.contains("tries again") && why.lines().count() == 1, "{why}");
    assert_eq!(log.add(&said("three", 3), NOW), None, "told once");
    fs::remove_file(&folder).unwrap();
    fs::rename(&away, &folder).unwrap();
    assert_eq!(log.add(&said("four", 4), NOW), None);
    let lines = bodies(dir.path(), "everybody.log");
    assert_eq!((lines[0].as_str(), lines[2].as_str(), lines.len()), ("alice: one", "alice: four", 3));
    assert!(lines[1].starts_with("-- 2 lines are missing here: "), "{lines:?}");
    // It is told again the next time, and marked at the end.
    fs::rename(&folder, &away).unwrap();
    fs::write(&folder, "no folder").unwrap();
    assert!(log.add(&said("five", 5), NOW).is_some());
    fs::remove_file(&folder).unwrap();
    fs::rename(&away, &folder).unwrap();
    log.finish(NOW);
    log.finish(NOW);
    let lines = bodies(dir.path(), "everybody.log");
    assert!(lines.len() == 4 && lines[3].starts_with("-- 1 line is missing here: "), "{lines:?}");
}

#[test]
fn a_torn_line_stays_alone_and_a_file_that_is_gone_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = log(dir.path());
    log.add(&said("one", 1), NOW);
    let path = dir.path().join("chat.example.org_5015/everybody.log");
    let torn = fs::read_to_string(&path).unwrap() + STAMP;
    fs::write(&path, torn).unwrap();
    log.add(&said("two", 2), NOW);
    assert_eq!(bodies(dir.path(), "everybody.log"), ["alice: one", "", "alice: two"]);
    fs::rename(&path, dir.path().join("rotated")).unwrap();
    log.add(&said("three", 3), NOW);
    assert_eq!(bodies(dir.path(), "everybody.log"), ["alice: three"]);
    fs::write(&path, "").unwrap();
    log.add(&said("four", 4), NOW);
    assert_eq!(bodies(dir.path(), "everybody.log"), ["alice: four"]);
}

#[test]
fn links_and_other_things_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("chat.example.org_5015");
    let elsewhere = dir.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, &folder).unwrap();
    assert!(log(dir.path()).add(&said("one", 1), NOW).is_some());
    fs::remove_file(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    let target = elsewhere.join("target");
    fs::write(&target, "").unwrap();
    symlink(&target, folder.join("everybody.log")).unwrap();
    assert!(log(dir.path()).add(&said("one", 1), NOW).is_some());
    fs::remove_file(folder.join("everybody.log")).unwrap();
    // Not even a writer of a pipe without a reader waits.
    rustix::fs::mkfifoat(rustix::fs::CWD, folder.join("everybody.log"), rustix::fs::Mode::RWXU).unwrap();
    assert!(log(dir.path()).add(&said("one", 1), NOW).unwrap().contains("is no file"));
    assert_eq!((fs::read_dir(&elsewhere).unwrap().count(), fs::read_to_string(&target).unwrap()), (1, String::new()));
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o500)).unwrap();
    let mut log = Log::new(target.join("below"), zone());
    assert!(log.check().is_some(), "a file is no folder");
    assert_eq!(log.add(&said("one", 1), NOW), None, "told already");
}

#[test]
fn names_of_files_are_safe() {
    for (text, expected) in [
        ("lobby", "lobby"),
        ("..", ".."),
        ("a/b\0c\n", "a%2Fb%00c%0A"),
        ("世界.é", "世界.é"),
        ("a b*?\"\u{202e}", "a%20b%2A%3F%22%E2%80%AE"),
        ("::1", "::1"),
    ] {
        assert_eq!(safe(text), expected);
    }
    // The longest names of the server are whole; longer ones are cut, and stay different.
    let longest = "\u{20000}".repeat(32);
    assert_eq!(safe(&longest), longest);
    let (one, two) = (safe(&format!("{}a", "é".repeat(400))), safe(&format!("{}b", "é".repeat(400))));
    assert!(one.len() <= 200 && two.len() <= 200 && one != two, "{one} {two}");
    let dir = tempfile::tempdir().unwrap();
    for name in [longest.as_str(), "..", &"\0".repeat(500), "../../x"] {
        assert_eq!(log(dir.path()).add(&message(room(name), "a", "b", 1), NOW), None, "{name:?}");
    }
    assert_eq!(fs::read_dir(dir.path().join("chat.example.org_5015")).unwrap().count(), 4);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}
