//! The operator's commands on histories made by hand.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::history::store::{schema, words};

/// The day of the messages.
const DAY_MS: i64 = 1_795_132_800_000;
const ALICE: i64 = 1;
const BOB: i64 = 2;
/// An earlier account `alice`.
const GONE: i64 = 3;
const LOBBY: i64 = 2;
const ALICE_BOB: i64 = 3;
const GONE_BOB: i64 = 4;

/// A history in a folder of its own.
struct Made {
    folder: TempDir,
    file: PathBuf,
    last: i64,
}

impl Made {
    /// Three accounts, a kept room, places of direct messages, and no messages.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        file::make(&file).unwrap();
        let made = Self { folder, file, last: schema::id_at(DAY_MS) };
        let mut db = made.open();
        db.pragma_update(None, "journal_mode", "WAL").unwrap();
        let transaction = db.transaction().unwrap();
        schema::create(&transaction).unwrap();
        transaction
            .execute_batch(
                "INSERT INTO who(n, name, since, gone, floor, seen) VALUES(1, 'alice', 1795100000, 0, 5, 6), (2, 'Bob', 1795000000, 0, 7, 8),
                   (3, 'alice', 1790000000, 1795000000000, 1, 2);
                 INSERT INTO room VALUES(9, 'Lobby', 1, 0, 30, 'alice', 'topical thing', NULL, 0);
                 INSERT INTO place(n, kind, a, b) VALUES(2, 1, 9, 0), (3, 2, 1, 2), (4, 2, 2, 3);
                 INSERT INTO member(room, who, since) VALUES(9, 1, 10), (9, 2, 11);
                 INSERT INTO mark VALUES(1, 2, 77), (2, 2, 78);
                 INSERT INTO profile VALUES(1, 'about', 'collects stamps');
                 INSERT INTO ignore VALUES(2, 3);
                 INSERT INTO hole VALUES(2, 12, 4, 'disk full');
                 INSERT INTO span VALUES(1, 0, NULL, 0);",
            )
            .unwrap();
        schema::create_words(&transaction, 1).unwrap();
        transaction.commit().unwrap();
        drop(db);
        made
    }

    /// The same with a message of each kind.
    fn talk() -> Self {
        let mut made = Self::new();
        made.say(schema::EVERYBODY, &ALICE, "everybody hears Zebrafish");
        made.say(schema::EVERYBODY, &BOB, "alice: plain reply");
        made.say(LOBBY, &ALICE, "lobby hears Quagmire");
        made.say(LOBBY, &"~guest", "a guest says Xylophone");
        made.say(ALICE_BOB, &ALICE, "privately Wombat");
        made.say(ALICE_BOB, &BOB, "answer Vortex");
        made.say(GONE_BOB, &GONE, "ancient Obelisk");
        made
    }

    fn open(&self) -> Connection {
        let db = Connection::open(&self.file).unwrap();
        db.pragma_update(None, "synchronous", "OFF").unwrap();
        db
    }

    /// Adds a message as the server does, a second after the one before.
    fn say(&mut self, place: i64, author: &dyn rusqlite::ToSql, text: &str) -> i64 {
        self.last += 1000 << 20;
        let db = self.open();
        db.execute_batch("BEGIN").unwrap();
        db.execute("INSERT INTO message VALUES(?1, ?2, ?3, ?4)", rusqlite::params![self.last, place, author, text])
            .unwrap();
        let (kind, a, b): (i64, i64, i64) = db
            .query_row("SELECT kind, a, b FROM place WHERE n = ?1", [place], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap();
        let mut place_words = schema::place_word(place);
        if kind == schema::kind::DIRECT {
            place_words = format!("{} {}", schema::account_word(a), schema::account_word(b));
            for who in [a, b] {
                db.execute(
                    "INSERT INTO inbox SELECT ?1, id, place * 4 + (author = ?1) FROM message WHERE id = ?2",
                    (who, self.last),
                )
                .unwrap();
            }
        }
        db.execute(
            "INSERT INTO word_1(rowid, text, place) VALUES(?1, ?2, ?3)",
            (self.last, words::of_row(text), place_words),
        )
        .unwrap();
        db.execute_batch("UPDATE span SET rows = rows + 1; COMMIT").unwrap();
        self.last
    }

    fn count(&self, query: &str) -> i64 {
        self.open().query_row(query, [], |row| row.get(0)).unwrap()
    }

    #[track_caller]
    fn check_sound(&self) {
        let report = check(&self.file).unwrap();
        assert_eq!(report.findings, [""; 0]);
    }

    /// The exported lines.
    fn export(
        &self,
        name: Option<&str>,
        existing: Option<&[(String, u64)]>,
    ) -> Result<Vec<serde_json::Value>, Failure> {
        let mut out = Vec::new();
        export(&self.file, name, existing, &mut out)?.unwrap();
        let text = String::from_utf8(out).unwrap();
        Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    #[track_caller]
    fn erase(&self, what: &What) -> Doomed {
        let eraser = Eraser::begin(&self.file, what, None).unwrap();
        let doomed = eraser.doomed().clone();
        let bytes = eraser.erase().unwrap();
        assert_eq!(bytes, fs::metadata(&self.file).unwrap().len());
        self.check_sound();
        doomed
    }

    /// Whether any file of the folder has these bytes, in any case.
    fn is_anywhere(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        fs::read_dir(self.folder.path()).unwrap().any(|entry| {
            let bytes = fs::read(entry.unwrap().path()).unwrap().to_ascii_lowercase();
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
    }

    #[track_caller]
    fn check_files(&self, expected: &[&str]) {
        let names = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, expected);
    }
}

#[test]
fn a_sound_history_is_counted() {
    let made = Made::talk();
    made.check_sound();
    let overview = check(&made.file).unwrap().overview;
    assert_eq!((overview.version, overview.rows, overview.places, overview.accounts), (3, 7, 4, 3));
    assert_eq!((overview.rooms, overview.holes, overview.words), (1, 1, 1));
    let day = u64::try_from(DAY_MS).unwrap();
    assert_eq!((overview.oldest_ms, overview.newest_ms), (Some(day + 1000), Some(day + 7000)));
    assert!(overview.bytes >= fs::metadata(&made.file).unwrap().len());
}

#[test]
fn what_does_not_fit_together_is_found() {
    #[track_caller]
    fn check_found(damage: &str, expected: &str) {
        let made = Made::talk();
        made.open().execute_batch(&format!("PRAGMA writable_schema = ON; {damage}")).unwrap();
        let findings = check(&made.file).unwrap().findings;
        assert!(findings.iter().any(|line| line.ends_with(expected)), "{damage}: {findings:?}");
    }
    check_found("DELETE FROM place WHERE n = 2", "messages of a place that is not known");
    check_found("DELETE FROM who WHERE n = 3", ": 1 messages of an account that is not known");
    check_found("UPDATE message SET author = 'x' WHERE author = '~guest'", "whose author is no name");
    check_found("DELETE FROM inbox WHERE who = 2", "that their readers do not find");
    check_found("INSERT INTO inbox VALUES(1, 5, 12)", "direct messages that are not there");
    check_found("INSERT INTO mention VALUES(1, 1, 5)", "mentions in messages that are not there");
    check_found("INSERT INTO mark VALUES(1, 99, 5)", "marks of an account or a place that is not known");
    check_found("INSERT INTO hole VALUES(99, 1, 1, 'x')", "holes of a place that is not known");
    check_found("UPDATE room SET owner = 99", "rooms whose owner is not known");
    check_found("DELETE FROM member WHERE who = 1", "rooms whose owner is no member");
    check_found(
        "INSERT INTO member(room, who, since) VALUES(8, 1, 1)",
        "members of a room or an account that is not known",
    );
    check_found("DELETE FROM room", "places of a room that is not known");
    check_found("UPDATE place SET a = 99, b = 98 WHERE n = 3", "places of an account that is not known");
    check_found("UPDATE place SET kind = 7 WHERE n = 4", "places of a kind that is not known");
    check_found("UPDATE who SET name = '1x' WHERE n = 3", "account 3 has a name that is none");
    check_found("UPDATE room SET name = ''", "room 9 has a name that is none");
    check_found("UPDATE room SET lock = x'00'", "room 9 has a password that cannot be checked");
    check_found("DROP TABLE word_1", "the words in word_1 are not there");
    check_found("INSERT INTO word_1(word_1) VALUES('delete-all')", "7 messages have no words in word_1");
}

#[test]
fn a_copy_is_made_while_the_history_is_in_use() {
    let mut made = Made::talk();
    let server = made.open();
    server.execute_batch("BEGIN IMMEDIATE; UPDATE who SET seen = 99").unwrap();
    let copy = made.folder.path().join("copy");
    let Backup { rows, bytes } = backup(&made.file, &copy).unwrap();
    let about = fs::metadata(&copy).unwrap();
    assert_eq!((rows, bytes, about.permissions().mode() & 0o7777), (7, about.len(), 0o600));
    server.execute_batch("COMMIT").unwrap();
    drop(server);
    made.say(LOBBY, &BOB, "later");
    let failure = backup(&made.file, &copy).unwrap_err();
    assert!(matches!(&failure, Failure::Refused(why) if why.contains("nothing is overwritten")), "{failure:?}");
    assert_eq!(fs::metadata(&copy).unwrap().len(), bytes);
    let copied = check(&copy).unwrap();
    assert_eq!((copied.findings.len(), copied.overview.rows), (0, 7));
    let failure = backup(&made.file, &made.folder.path().join("nowhere/copy")).unwrap_err();
    assert!(matches!(&failure, Failure::Refused(why) if why.contains("cannot be made")), "{failure:?}");
}

/// The kinds and texts of exported lines.
fn told(lines: &[serde_json::Value]) -> Vec<String> {
    let text = |line: &serde_json::Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let shown = |line: &serde_json::Value| match line["kind"].as_str().unwrap() {
        "message" => format!("{} {}: {}", text(line, "place"), text(line, "from"), text(line, "text")),
        kind => format!("{kind} {}{}", text(line, "name"), text(line, "account")),
    };
    lines.iter().map(shown).collect()
}

#[test]
fn everything_is_exported() {
    let made = Made::talk();
    let lines = made.export(None, None).unwrap();
    assert_eq!(
        told(&lines),
        [
            "account -alice",
            "account alice",
            "account Bob",
            "room Lobby",
            "member alice",
            "member Bob",
            "profile alice",
            "ignored Bob",
            "mark alice",
            "mark Bob",
            "* alice: everybody hears Zebrafish",
            "* Bob: alice: plain reply",
            "Lobby alice: lobby hears Quagmire",
            "Lobby ~guest: a guest says Xylophone",
            "@Bob alice: privately Wombat",
            "@alice Bob: answer Vortex",
            "@Bob -alice: ancient Obelisk",
            "hole ",
        ]
    );
    let id = schema::id_at(DAY_MS + 1000).to_string();
    let line = lines.iter().find(|line| line["kind"] == "message").unwrap();
    assert_eq!((&line["id"], &line["time"]), (&id.into(), &"2026-11-20T00:00:01.000Z".into()));
    assert!(line.get("to").is_none());
    let direct = lines.iter().find(|line| line["text"] == "answer Vortex").unwrap();
    assert_eq!((&direct["to"], &direct["place"]), (&"alice".into(), &"@alice".into()));
}

#[test]
fn an_export_of_a_name_is_that_accounts_alone() {
    let made = Made::talk();
    let own = [
        "account alice",
        "room Lobby",
        "member alice",
        "profile alice",
        "mark alice",
        "* alice: everybody hears Zebrafish",
        "Lobby alice: lobby hears Quagmire",
        "@Bob alice: privately Wombat",
        "@alice Bob: answer Vortex",
    ];
    assert_eq!(told(&made.export(Some("ALICE"), None).unwrap()), own);
    assert_eq!(told(&made.export(Some("-alice"), None).unwrap()), ["account -alice", "@Bob -alice: ancient Obelisk"]);
    assert_eq!(told(&made.export(Some("~Guest"), None).unwrap()), ["Lobby ~guest: a guest says Xylophone"]);
    let failure = made.export(Some("carol"), None).unwrap_err();
    assert!(matches!(&failure, Failure::Refused(why) if why.contains("'carol'")), "{failure:?}");
    // The account file says who exists.
    let old = ("alice".to_owned(), 1_790_000_000);
    let lines = made.export(Some("alice"), Some(&[old])).unwrap();
    assert_eq!(told(&lines).last().unwrap(), "@Bob -alice: ancient Obelisk");
    // If no account has the name any more, it means those that had it.
    let lines = made.export(Some("alice"), Some(&[])).unwrap();
    assert_eq!(lines.iter().filter(|line| line["kind"] == "account").count(), 2);
}

#[test]
fn an_export_of_many_messages_has_each_once() {
    let mut made = Made::new();
    for n in 0..2_500 {
        made.say(LOBBY, &ALICE, &n.to_string());
    }
    let lines = made.export(Some("alice"), None).unwrap();
    let texts: Vec<_> =
        lines.iter().filter(|line| line["kind"] == "message").map(|line| line["text"].clone()).collect();
    assert_eq!(texts, (0..2_500).map(|n| serde_json::Value::from(n.to_string())).collect::<Vec<_>>());
}

#[test]
fn of_an_erased_account_no_byte_stays() {
    let made = Made::talk();
    let doomed = made.erase(&What::Account("Alice".to_owned()));
    assert_eq!((doomed.rows, doomed.direct), (4, 2));
    assert_eq!(doomed.accounts, ["alice, registered 2026-11-19"]);
    for gone in ["zebrafish", "quagmire", "wombat", "vortex", "collects stamps", "topical"] {
        assert!(!made.is_anywhere(gone), "{gone}");
    }
    for there in ["plain reply", "xylophone", "obelisk"] {
        assert!(made.is_anywhere(there), "{there}");
    }
    // The account exists, so it remains a member and the owner.
    assert_eq!(made.count("SELECT count(*) FROM who WHERE name = 'alice'"), 2);
    assert_eq!(made.count("SELECT owner FROM room"), ALICE);
    assert_eq!(made.count("SELECT count(*) FROM mark WHERE who = 1"), 0);
    assert_eq!(made.count("SELECT count(*) FROM inbox"), 2);
    made.check_files(&["history.db", "history.db.lock"]);
}

#[test]
fn of_a_deleted_account_nothing_stays() {
    let made = Made::talk();
    made.open()
        .execute_batch("UPDATE room SET owner = 3; INSERT INTO member(room, who, since) VALUES(9, 3, 1)")
        .unwrap();
    let doomed = made.erase(&What::Account("-alice".to_owned()));
    assert_eq!((doomed.rows, doomed.direct), (1, 1));
    assert!(!made.is_anywhere("obelisk") && made.is_anywhere("wombat"));
    assert_eq!(made.count("SELECT count(*) FROM who WHERE n = 3"), 0);
    assert_eq!(made.count("SELECT count(*) FROM ignore"), 0);
    assert_eq!(made.count("SELECT owner IS NULL AND ownerless_ms > 0 FROM room"), 1);
    // Its number is never given to another account.
    made.open().execute("INSERT INTO who(name, since, floor, seen) VALUES('carol', 1, 1, 1)", []).unwrap();
    assert_eq!(made.count("SELECT n FROM who WHERE name = 'carol'"), 4);
}

#[test]
fn a_room_a_guest_and_a_time_are_erased() {
    let made = Made::talk();
    assert_eq!(made.erase(&What::Room("#lobby".to_owned())).rows, 2);
    assert!(!made.is_anywhere("quagmire") && !made.is_anywhere("xylophone") && made.is_anywhere("zebrafish"));
    assert_eq!(made.count("SELECT count(*) FROM room"), 1);
    assert_eq!(made.erase(&What::Room("*".to_owned())).rows, 2);
    assert!(!made.is_anywhere("zebrafish") && made.is_anywhere("wombat"));
    let made = Made::talk();
    assert_eq!(made.erase(&What::Account("~guest".to_owned())).rows, 1);
    assert!(!made.is_anywhere("xylophone") && made.is_anywhere("quagmire"));
    let made = Made::talk();
    let sixth = u64::try_from(DAY_MS).unwrap() + 6000;
    assert_eq!(made.erase(&What::Before(sixth)).rows, 5);
    assert!(!made.is_anywhere("wombat") && made.is_anywhere("vortex"));
    assert_eq!(made.erase(&What::Before(0)).rows, 0);
}

#[test]
fn words_of_messages_deleted_before_go_too() {
    let made = Made::talk();
    // As retention does it: the message goes, its words stay until their table goes.
    made.open().execute("DELETE FROM message WHERE text LIKE '%Quagmire%'", []).unwrap();
    made.erase(&What::Before(0));
    assert!(!made.is_anywhere("quagmire"));
    assert_eq!(made.count("SELECT rows FROM span"), 6);
}

#[test]
fn untouched_words_are_kept_as_they_are() {
    let mut made = Made::talk();
    made.open()
        .execute_batch(&format!("UPDATE span SET last = {0}; INSERT INTO span VALUES(2, {0} + 1, NULL, 0)", made.last))
        .unwrap();
    schema::create_words(&made.open(), 2).unwrap();
    let id = made.say(LOBBY, &BOB, "second table");
    let db = made.open();
    db.execute("UPDATE span SET rows = rows - 1 WHERE n = 1", []).unwrap();
    db.execute("INSERT INTO word_1(word_1, rowid, text, place) VALUES('delete', ?1, 'second table', 'p2')", [id])
        .unwrap();
    db.execute("INSERT INTO word_2(rowid, text, place) VALUES(?1, 'second table', 'p2')", [id]).unwrap();
    drop(db);
    made.check_sound();
    made.erase(&What::Account("-alice".to_owned()));
    assert_eq!(made.count("SELECT count(*) FROM word_2 WHERE word_2 MATCH 'text:\"second\"'"), 1);
    assert_eq!(made.count("SELECT count(*) FROM word_1 WHERE word_1 MATCH 'text:\"wombat\"'"), 1);
    assert_eq!(made.count("SELECT count(*) FROM word_1 WHERE word_1 MATCH 'text:\"obelisk\"'"), 0);
}

#[test]
fn nothing_is_erased_while_somebody_uses_the_history() {
    let made = Made::talk();
    let what = What::Account("alice".to_owned());
    let lock = lock(&made.file).unwrap();
    let failure = Eraser::begin(&made.file, &what, None).err().unwrap();
    assert!(matches!(&failure, Failure::InUse(why) if why.contains("stop the server")), "{failure:?}");
    drop(lock);
    let reader = made.open();
    reader.execute_batch("BEGIN; SELECT count(*) FROM message;").unwrap();
    let failure = Eraser::begin(&made.file, &what, None).err().unwrap();
    assert!(matches!(&failure, Failure::InUse(why) if why.contains("another process")), "{failure:?}");
    drop(reader);
    Eraser::begin(&made.file, &what, None).unwrap().give_up();
    assert_eq!(made.count("SELECT count(*) FROM message"), 7);
    made.check_files(&["history.db", "history.db.lock"]);
    fs::write(made.folder.path().join("history.db.damaged-5"), "x").unwrap();
    assert_eq!(made.erase(&what).copies, [made.folder.path().join("history.db.damaged-5")]);
}

#[test]
fn what_is_no_history_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.db");
    #[track_caller]
    fn check_refused(file: &Path, expected: &str) {
        let failures = [
            check(file).err(),
            backup(file, &file.with_file_name("copy")).err(),
            export(file, None, None, &mut Vec::new()).err(),
            Eraser::begin(file, &What::Before(1), None).err(),
        ];
        for failure in failures {
            let told = failure.unwrap().to_string();
            assert!(told.contains(expected), "{told}");
        }
        assert!(!file.with_file_name("copy").exists());
    }
    check_refused(&file, "does not exist");
    file::make(&file).unwrap();
    fs::write(&file, "not a database, and longer than the header of one would be: a hundred bytes or so, at least")
        .unwrap();
    check_refused(&file, "is no history");
    fs::remove_file(&file).unwrap();
    file::make(&file).unwrap();
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE t(x)").unwrap();
    check_refused(&file, "no history of chatd");
    let made = Made::talk();
    made.open().pragma_update(None, "user_version", schema::VERSION + 1).unwrap();
    check_refused(&made.file, "use the newer chatd");
    fs::set_permissions(&made.file, fs::Permissions::from_mode(0o644)).unwrap();
    check_refused(&made.file, "chmod 600");
}

/// Overwrites a page that has this text with noise, if it is not the first one.
#[track_caller]
fn spoil(file: &Path, text: &str) {
    let mut bytes = fs::read(file).unwrap();
    let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
    let page = at / 4096;
    assert!(page > 0);
    bytes[page * 4096..page * 4096 + 200].fill(0xa5);
    fs::write(file, bytes).unwrap();
}

/// A history with a thousand messages.
fn long() -> Made {
    let mut made = Made::talk();
    for n in 0..1_000 {
        made.say(if n % 2 == 0 { LOBBY } else { schema::EVERYBODY }, &BOB, &format!("number {n:04}"));
    }
    made.open().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    made
}

#[test]
fn a_damaged_page_costs_its_own_messages_alone() {
    let made = long();
    spoil(&made.file, "number 0500");
    let report = check(&made.file).unwrap();
    assert!(!report.findings.is_empty());
    let failure = Eraser::begin(&made.file, &What::Before(1), None).and_then(Eraser::erase).unwrap_err();
    assert!(matches!(&failure, Failure::Unusable(why) if why.contains("repair")), "{failure:?}");
    let repaired = repair(&made.file).unwrap();
    let kept = repaired.kept.clone().unwrap();
    assert!(kept.file_name().unwrap().to_str().unwrap().starts_with("history.db.damaged-"));
    assert!(repaired.rows > 800 && repaired.rows < 1_007, "{repaired:?}");
    made.check_sound();
    let count = |text: &str| made.count(&format!("SELECT count(*) FROM message WHERE text = '{text}'"));
    assert_eq!((count("number 0000"), count("number 0500"), count("number 0999")), (1, 0, 1));
    // What is lost is said where it was, and counted.
    let lost = 1_007 - i64::try_from(repaired.rows).unwrap();
    assert_eq!(made.count("SELECT sum(count) FROM hole WHERE why = 'the file was damaged'"), lost);
    assert_eq!(made.count("SELECT count(*) FROM hole WHERE why = 'the file was damaged'"), 2);
    assert!(repaired.findings.iter().any(|line| line.contains(&format!("lost: {lost} messages"))), "{repaired:?}");
    assert_eq!(made.count("SELECT count(*) FROM word_1 WHERE word_1 MATCH 'text:\"number\"'"), 1_000 - lost);
    assert!(fs::read(&kept).unwrap().windows(11).any(|window| window == b"number 0999"));
    assert_eq!(fs::metadata(&made.file).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn any_one_page_may_be_damaged() {
    let made = long();
    let first = made.count("SELECT rootpage - 1 FROM sqlite_schema WHERE name = 'message'");
    let first = usize::try_from(first).unwrap();
    let sound = fs::read(&made.file).unwrap();
    let pages = sound.len() / 4096;
    for page in 1..pages {
        let mut bytes = sound.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&made.file, &bytes).unwrap();
        if check(&made.file).unwrap().findings.is_empty() {
            continue;
        }
        let repaired = repair(&made.file).unwrap_or_else(|failure| panic!("page {page}: {failure}"));
        let findings = check(&made.file).unwrap().findings;
        assert!(findings.is_empty(), "page {page}: {repaired:?} {findings:?}");
        // What hangs on the first page of a table is lost with it.
        assert!(repaired.rows > 500 || page == first, "page {page}: {repaired:?}");
        for name in ["alice", "Bob"] {
            let is_there = format!("SELECT count(*) FROM who WHERE name = '{name}' AND gone = 0");
            assert!(made.count(&is_there) > 0, "page {page}: {repaired:?}");
        }
        fs::remove_file(repaired.kept.unwrap()).unwrap();
    }
}

#[test]
fn what_a_start_would_refuse_is_mended() {
    for damage in [
        "PRAGMA user_version = 0",
        "UPDATE who SET name = '9 lives' WHERE n = 2",
        "DELETE FROM place WHERE n = 1",
        "DELETE FROM place WHERE kind = 1",
        "UPDATE room SET name = ''",
        "UPDATE room SET lock = x'00'",
        "UPDATE room SET days = -1",
        "UPDATE room SET id = -5",
        "DROP TABLE member",
        "DROP TABLE meta",
        "INSERT INTO meta(key, value) VALUES('last_room', 'five')",
    ] {
        let made = Made::talk();
        made.open().execute_batch(damage).unwrap();
        let findings = check(&made.file).unwrap().findings;
        assert!(!findings.is_empty(), "{damage}");
        let repaired = repair(&made.file).unwrap();
        assert!(repaired.rows == 7 && repaired.kept.is_some(), "{damage}: {repaired:?}");
        let findings = check(&made.file).unwrap().findings;
        assert!(findings.is_empty(), "{damage}: {findings:?} {repaired:?}");
    }
}

#[test]
fn an_older_history_is_repaired_as_well() {
    let made = Made::talk();
    made.open()
        .execute_batch("ALTER TABLE room DROP COLUMN topic_ms; PRAGMA user_version = 2; DROP TABLE meta")
        .unwrap();
    let repaired = repair(&made.file).unwrap();
    assert!(repaired.rows == 7 && repaired.kept.is_some(), "{repaired:?}");
    assert_eq!(
        made.count("SELECT count(*) FROM room WHERE topic = 'topical thing' AND topic_ms = 0"),
        1,
        "{repaired:?}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_put_aside() {
    let made = Made::talk();
    made.open().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let mut spoilt = fs::read(&made.file).unwrap();
    spoilt[100..4_000].fill(0x55);
    for bytes in [spoilt, b"not a database, but a text of some length".repeat(100)] {
        fs::write(&made.file, &bytes).unwrap();
        let failure = check(&made.file).unwrap_err();
        assert!(matches!(failure, Failure::Damaged(_)), "{failure:?}");
        let repaired = repair(&made.file).unwrap();
        assert_eq!((repaired.rows, repaired.findings.len()), (0, 1), "{repaired:?}");
        assert_eq!(fs::read(repaired.kept.unwrap()).unwrap(), bytes);
        made.check_sound();
    }
}

#[test]
fn a_sound_history_is_not_repaired() {
    let made = Made::talk();
    let before = fs::read(&made.file).unwrap();
    let repaired = repair(&made.file).unwrap();
    assert_eq!((repaired.rows, repaired.kept), (7, None));
    assert_eq!(fs::read(&made.file).unwrap(), before);
    made.check_files(&["history.db", "history.db.lock"]);
}
