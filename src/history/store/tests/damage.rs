//! Files that are not as they should be.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[track_caller]
fn check(rig: &Rig, expected: &str) {
    match rig.try_open(NOW) {
        Err(OpenError::Unusable(text)) => assert!(text.contains(expected), "{text}"),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[test]
fn the_files_are_private_and_no_links() {
    let rig = Rig::new();
    let open = rig.open();
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let path = rig.folder().join(format!("history.db{suffix}"));
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o600, "{suffix}");
    }
    open.close();
    fs::set_permissions(rig.file(), Permissions::from_mode(0o644)).unwrap();
    check(&rig, &format!("run: chmod 600 {}", rig.file().display()));
    let other = rig.folder().join("other");
    fs::rename(rig.file(), &other).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let path = rig.folder().join(format!("history.db{suffix}"));
        let _ = fs::remove_file(&path);
        std::os::unix::fs::symlink(&other, &path).unwrap();
        check(&rig, "is a symbolic link; set history.file to the file itself");
        fs::remove_file(path).unwrap();
    }
    fs::remove_file(rig.file()).unwrap();
    fs::create_dir(rig.file()).unwrap();
    check(&rig, "is a folder; set history.file to a file, such as one in it");
}

#[test]
fn one_process_has_the_file() {
    let rig = Rig::new();
    let open = rig.open();
    match rig.try_open(NOW) {
        Err(OpenError::InUse(text)) => {
            assert!(text.contains(&format!("in use by process {}", std::process::id())), "{text}")
        }
        other => panic!("{:?}", other.err()),
    }
    open.close();
    rig.open();
}

#[test]
fn a_folder_that_is_missing_is_named() {
    let mut rig = Rig::new();
    rig.accounts.clear();
    let settings = Settings { file: rig.folder().join("nowhere/history.db"), rules: rig.rules.clone() };
    let Err(OpenError::Unusable(text)) = History::open(&settings, Vec::new(), NOW, Waker::new(|| ())) else { panic!() };
    assert!(text.contains("its folder cannot be used"), "{text}");
}

#[test]
fn files_of_other_versions_and_programs_are_left_alone() {
    let rig = Rig::new();
    rig.open().close();
    rig.sqlite().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(rig.file()).unwrap();
    check(&rig, "was written by a newer chatd (version 99, this one knows 3)");
    assert_eq!(fs::read(rig.file()).unwrap(), before);
    rig.sqlite().pragma_update(None, "user_version", 0).unwrap();
    check(&rig, "run 'chatd history repair'");
    rig.sqlite().pragma_update(None, "application_id", 5).unwrap();
    check(&rig, "is a database of another program");
}

#[test]
fn damage_is_refused_with_the_command_that_mends() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![room(1, 30), public(at(1), "x")]);
    open.close();
    let sound = fs::read(rig.file()).unwrap();
    let restore = || fs::write(rig.file(), &sound).unwrap();
    let run = |sql: &str| rig.sqlite().execute_batch(sql).unwrap();

    fs::write(rig.file(), "not a database, but a text of some length".repeat(100)).unwrap();
    check(&rig, "run 'chatd history repair'");
    restore();
    let mut bytes = sound.clone();
    // The page of the schema.
    bytes[100..4_000].fill(0x55);
    fs::write(rig.file(), bytes).unwrap();
    check(&rig, "run 'chatd history repair'");
    for damage in [
        "UPDATE who SET name = '9 lives'",
        "DELETE FROM place WHERE n = 1",
        "DELETE FROM place WHERE kind = 1",
        "UPDATE room SET name = ''",
        "UPDATE room SET lock = x'00'",
        "UPDATE room SET days = -1",
        "UPDATE room SET id = -5",
        "DROP TABLE member",
        "DROP TABLE meta",
        "INSERT INTO meta(key, value) VALUES('last_room', 'five') ON CONFLICT DO UPDATE SET value = 'five'",
    ] {
        restore();
        run(damage);
        check(&rig, "run 'chatd history repair'");
    }
    restore();
    assert_eq!(rig.open().page(&bob(), &[], Of::All), ["* alice: x"]);
}

#[test]
fn a_file_that_is_cut_anywhere_is_opened_or_refused() {
    let rig = Rig::new();
    let open = rig.open();
    open.keep((0..50).map(|n| public(at(n), "some text")).collect());
    open.close();
    let sound = fs::read(rig.file()).unwrap();
    for length in (0..sound.len()).step_by(1_024) {
        fs::write(rig.file(), &sound[..length]).unwrap();
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(rig.folder().join(format!("history.db{suffix}")));
        }
        if let Ok(open) = rig.try_open(NOW) {
            open.tell(vec![public(at(999), "later")]);
            open.close();
        }
    }
}

#[test]
fn a_step_to_a_newer_version_is_whole_and_leaves_a_copy() {
    use super::super::files::{Role, Site};
    use super::super::migrate::{Refused, Step, migrate};
    let rig = Rig::new();
    let open = rig.open();
    open.keep(vec![public(at(1), "x")]);
    open.close();
    // As if it were of the first version.
    rig.sqlite().pragma_update(None, "user_version", 1).unwrap();
    let good: Step = |transaction| transaction.execute_batch("CREATE TABLE further(x)");
    let bad: Step = |transaction| transaction.execute_batch("CREATE TABLE halfway(x); CREATE TABLE further(x)");
    let site = Site::take(&rig.file(), None).unwrap();
    let mut db = site.connect(Role::Writer).unwrap();
    let version =
        |db: &rusqlite::Connection| -> i64 { db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap() };
    for _ in 0..2 {
        assert!(matches!(migrate(&mut db, site.path(), &[good, bad]), Err(Refused::Sqlite(_))));
        let halfway: i64 =
            db.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'halfway'", [], |row| row.get(0)).unwrap();
        assert_eq!((version(&db), halfway), (2, 0));
    }
    let copy = rig.folder().join("history.db.v1");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(version(&rusqlite::Connection::open(copy).unwrap()), 1);
    assert!(!migrate(&mut db, site.path(), &[good]).unwrap());
}
