use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::auth::store::journal::tests::PHC;
use crate::auth::store::reader;
use crate::auth::store::record::{Change, HEADER, Op, encode};
use crate::auth::store::repair::recover;
use crate::auth::token::Key;
use crate::hub::names::UserName;
use crate::limits::{self, Argon2Cost};

fn settings(folder: &Path) -> Settings {
    let argon2 = Argon2Cost { memory_kib: 8, iterations: 1, parallelism: 1 };
    Settings { file: folder.join("accounts"), rules: limits::Accounts { argon2, ..limits::Accounts::default() } }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

/// A complete file with these changes, `(op, name, epoch)`, dated 1001, 1002 and so on.
fn file(lines: &[(Op, &str, u32)]) -> String {
    let mut text = HEADER.to_owned();
    for (seq, (op, name, epoch)) in (1..).zip(lines) {
        let phc = if *op == Op::Delete { "" } else { PHC };
        let name = UserName::from_record(name).unwrap();
        encode(&Change { op: *op, unix: 1000 + seq, name, epoch: *epoch, phc: phc.into() }, seq, &mut text);
    }
    text
}

/// Writes these bytes to an account file.
fn put(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("accounts");
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

#[track_caller]
fn refused<T>(result: Result<T, Failure>, part: &str) {
    match result {
        Err(Failure::Refused(text)) => assert!(text.contains(part), "{text}"),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was not refused, but should be for: {part}"),
    }
}

#[test]
fn an_account_is_added_changed_listed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    refused(list(&settings.file), "no such file");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no litter");
    let mut ledger = Ledger::open(&settings).unwrap();
    ledger.add("Bob", &secret("correct horse")).unwrap();
    ledger.add("alice", &secret("correct horse")).unwrap();
    refused(ledger.add("BOB", &secret("correct horse")), "Bob has an account already");
    refused(ledger.add("carol", &secret("short")), "a password has 8 to 128 bytes, and this one has 5");
    refused(
        ledger.add("carol", &secret(&"x".repeat(129))),
        "a password has 8 to 128 bytes, and this one has more than 128",
    );
    refused(ledger.add("1x", &secret("correct horse")), "is not a valid name");
    refused(ledger.add("admin", &secret("correct horse")), "is reserved");
    refused(ledger.set_password("carol", &secret("correct horse")), "'carol' has no account");
    refused(ledger.delete("carol"), "'carol' has no account");
    refused(ledger.delete("a:b\n"), "has no account");
    assert_eq!(list(&settings.file).unwrap().len(), 2, "to read takes no lock");
    assert_eq!(check(&settings.file).unwrap().accounts, 2);
    for result in [Ledger::open(&settings).map(drop), repair(&settings.file).map(drop)] {
        let Err(Failure::InUse(text)) = result else { panic!("the lock is held") };
        let process = std::process::id();
        assert!(
            text.contains(&format!("stop the server first, with 'systemctl stop chatd' or 'kill {process}'")),
            "{text}"
        );
        assert!(!text.contains("accounts.file"), "{text}");
    }
    drop(ledger);
    let names =
        |settings: &Settings| list(&settings.file).unwrap().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(&settings), ["alice", "Bob"]);
    let mut ledger = Ledger::open(&settings).unwrap();
    ledger.set_password("bob", &secret("battery staple")).unwrap();
    ledger.delete("ALICE").unwrap();
    ledger.add("Alice", &secret("another one")).unwrap();
    drop(ledger);
    let loaded = reader::parse(&fs::read(&settings.file).unwrap()).unwrap();
    let epochs: Vec<_> = loaded.accounts.iter().map(|(name, a)| (name.to_string(), a.epoch)).collect();
    assert_eq!(epochs, [("Alice".to_owned(), 2), ("Bob".to_owned(), 2)], "every change ends the tokens before");
    assert_eq!(loaded.seq, 5);
}

#[test]
fn what_only_reads_needs_no_folder_that_can_be_written_to() {
    if rustix::process::geteuid().is_root() {
        return; // root may write into any folder
    }
    let folder = tempfile::tempdir().unwrap();
    let path = put(folder.path(), file(&[(Op::Add, "alice", 1)]).as_bytes());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    assert_eq!((list(&path).unwrap().len(), check(&path).unwrap().accounts), (1, 1));
    assert!(matches!(repair(&path), Err(Failure::Unusable(_))));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn nobody_takes_anothers_accounts_in_hand() {
    if !rustix::process::geteuid().is_root() {
        return; // only root can create a file of another user
    }
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let check = |expected_files: usize| {
        for result in
            [Ledger::open(&settings).map(drop), list(&settings.file).map(drop), repair(&settings.file).map(drop)]
        {
            let text = result.unwrap_err().to_string();
            assert!(text.contains("sudo -u '#12345'") || text.contains("no such file"), "{text}");
        }
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            expected_files,
            "no litter that the owner cannot open"
        );
    };
    std::os::unix::fs::chown(folder.path(), Some(12_345), None).unwrap();
    check(0);
    let path = put(folder.path(), file(&[(Op::Add, "ann", 1)]).as_bytes());
    std::os::unix::fs::chown(path, Some(12_345), None).unwrap();
    check(1);
}

#[test]
fn a_list_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let text = file(&[(Op::Add, "zoe", 1), (Op::Update, "zoe", 2), (Op::Add, "Bob", 1)]);
    let torn = format!("{text}A:4:tor");
    let path = put(folder.path(), torn.as_bytes());
    assert_eq!(list(&path).unwrap(), [("Bob".to_owned(), 1003), ("zoe".to_owned(), 1001)]);
    let report = check(&path).unwrap();
    assert!(!report.is_damaged && report.accounts == 2 && report.findings[0].contains("7 bytes"), "{report:?}");
    assert_eq!(fs::read(&path).unwrap(), torn.as_bytes());
    assert_eq!(repair(&path).unwrap(), report, "what a start mends needs no repair");
    assert_eq!(fs::read(&path).unwrap(), torn.as_bytes());
}

#[test]
fn what_an_editor_has_saved_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let text = file(&[(Op::Add, "zoe", 1), (Op::Add, "Bob", 1)]);
    for changed in [format!("\u{feff}{}", text.replace('\n', "\r\n")), text.trim_end().to_owned()] {
        let path = put(folder.path(), changed.as_bytes());
        assert_eq!(list(&path).unwrap().len(), 2);
        let report = check(&path).unwrap();
        assert!(!report.is_damaged && report.findings.len() == 1, "{report:?}");
        assert!(report.findings[0].ends_with("its line ends are not the server's; the next start rewrites it"));
        assert_eq!(fs::read(&path).unwrap(), changed.as_bytes());
        drop(Ledger::open(&settings(folder.path())).unwrap());
        assert_eq!(fs::read(&path).unwrap(), text.as_bytes(), "a start writes it as the server does");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    }
}

#[test]
fn a_start_can_be_tried() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let path = &settings.file;
    let unusable = |settings: &Settings, part: &str| match try_start(settings) {
        Err(Failure::Unusable(text)) => assert!(text.contains(part), "{text}"),
        other => panic!("{other:?}, but it should be unusable: {part}"),
    };
    assert_eq!(try_start(&settings), Ok(None));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is made");
    let held = Ledger::open(&settings).unwrap();
    assert_eq!(try_start(&settings), Ok(None), "nothing is locked");
    drop(held);
    put(folder.path(), b"chatd-accounts 1\nA:1\n");
    unusable(&settings, "line 2: its checksum does not fit");
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    unusable(&settings, "run: chmod 600");
    put(folder.path(), HEADER.as_bytes());
    fs::write(files::beside(path, "key"), "not a key").unwrap();
    unusable(&settings, "accounts.key: is damaged");
    fs::remove_file(files::beside(path, "key")).unwrap();
    fs::remove_file(files::beside(path, "lock")).unwrap();
    std::os::unix::fs::symlink("elsewhere", files::beside(path, "lock")).unwrap();
    unusable(&settings, "accounts.lock: is a symbolic link");
    for (file, part) in [("no/such/accounts", "create it, or name another file"), ("accounts/x", "is not a folder")] {
        unusable(&Settings { file: folder.path().join(file), ..settings.clone() }, part);
    }
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(path, Some(12_345), None).unwrap();
        assert!(try_start(&settings).unwrap().is_some_and(|note| note.contains("sudo -u '#12345'")));
    } else {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
        unusable(&settings, "chatd must be able to write in the folder of accounts.file");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    }
}

/// A damaged file has these findings, and these names can be recovered.
#[track_caller]
fn check_repair(bytes: &[u8], findings: &[&str], names: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = put(folder.path(), bytes);
    Key::renew(&path).unwrap();
    let key = fs::read(files::beside(&path, "key")).unwrap();
    let report = check(&path).unwrap();
    let prefix = format!("{}: ", path.display());
    let found: Vec<_> = report.findings.iter().map(|line| line.strip_prefix(&prefix).unwrap()).collect();
    assert_eq!(found, findings);
    assert!(report.is_damaged && report.kept.is_none());
    assert_eq!(fs::read(&path).unwrap(), bytes, "a check changes nothing");
    let repaired = repair(&path).unwrap();
    let kept = repaired.kept.unwrap();
    assert!(kept.to_str().unwrap().contains("accounts.damaged-"));
    assert_eq!(fs::read(&kept).unwrap(), bytes);
    for private in [&path, &kept] {
        assert_eq!(fs::metadata(private).unwrap().permissions().mode() & 0o7777, 0o600);
    }
    assert_ne!(fs::read(files::beside(&path, "key")).unwrap(), key, "old tokens are void");
    let listed: Vec<_> = list(&path).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(listed, names);
    assert_eq!((report.accounts, check(&path).unwrap().findings.len()), (names.len(), 0));
    assert_eq!(repair(&path).unwrap().kept, None, "a sound file is left alone");
}

#[test]
fn what_is_good_is_had_and_what_is_lost_is_said() {
    let text = file(&[
        (Op::Add, "alice", 1),
        (Op::Add, "bob", 1),
        (Op::Update, "alice", 2),
        (Op::Add, "carol", 1),
        (Op::Delete, "bob", 1),
    ]);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let all = ["alice", "carol"];
    check_repair(
        text.replacen(":2:1002:bob:", ":2:1002:bod:", 1).as_bytes(),
        &["line 3: its checksum does not fit; a change of an account that seems to be bod is lost"],
        &all,
    );
    check_repair(
        text.replacen(":carol:", ":carol\u{7}:", 1).as_bytes(),
        &["line 5: its checksum does not fit; a change of an unknown account is lost"],
        &["alice"],
    );
    let without = |n: usize| lines.iter().enumerate().filter(|(at, _)| *at != n).map(|(_, l)| *l).collect::<String>();
    check_repair(
        without(5).replace("chatd", "Chatd").as_bytes(),
        &["line 1: it is not 'chatd-accounts 1'"],
        &["alice", "bob", "carol"],
    );
    check_repair(without(0).as_bytes(), &["line 1: it is not 'chatd-accounts 1'"], &all);
    check_repair(
        without(1).as_bytes(),
        &["the line with number 1 is lost", "line 3: it changes an account that does not exist; it holds all the same"],
        &all,
    );
    check_repair(without(2).as_bytes(), &["the line with number 2 is lost"], &all);
    let doubled = [lines[0], lines[1], lines[2], lines[2], lines[3], lines[4], lines[5], "A:6:"].concat();
    check_repair(
        doubled.as_bytes(),
        &[
            "line 4: number 2 for the second time",
            "the last line is not finished: 4 bytes that were never acknowledged",
        ],
        &all,
    );
    let shuffled = [lines[0], lines[4], lines[5], lines[3], lines[2], lines[1]].concat();
    check_repair(
        shuffled.as_bytes(),
        &["line 2: it is number 4 where 1 is due: a line is missing or duplicated"],
        &all,
    );
    // CR LF and a missing last LF do not matter in a damaged file either.
    let of_windows = format!("\u{feff}{}", without(2).replace('\n', "\r\n"));
    check_repair(of_windows.as_bytes(), &["the line with number 2 is lost"], &all);
    check_repair(without(2).trim_end().as_bytes(), &["the line with number 2 is lost"], &all);
    let cut_in_the_middle = [lines[0], &lines[1][..40], lines[4], lines[5]].concat();
    check_repair(
        cut_in_the_middle.as_bytes(),
        &[
            "line 2: its checksum does not fit; a change of an account that seems to be alice is lost",
            "3 of the lines with numbers 1 to 4 are lost",
        ],
        &[],
    );
}

#[test]
fn a_deletion_that_is_lost_is_no_reason_for_old_tokens() {
    let text = file(&[(Op::Add, "bob", 3), (Op::Delete, "bob", 3), (Op::Add, "bob", 4), (Op::Add, "ann", 1)]);
    let lost = recover(text.replacen("D:2", "X:2", 1).as_bytes());
    let name = UserName::parse("bob").unwrap();
    assert_eq!(lost.accounts.get(&name).map(|account| account.epoch), Some(4));
    assert_eq!(lost.findings.len(), 2, "{:?}", lost.findings);
}

#[test]
fn a_file_of_which_nothing_can_be_had_is_left_alone() {
    for bytes in [&b"root:x:0:0::/:\n"[..], b"chatd-accounts 1\nA:1:1:alice\n", &[0; 100]] {
        let folder = tempfile::tempdir().unwrap();
        let path = put(folder.path(), bytes);
        let text = repair(&path).unwrap_err().to_string();
        assert!(text.contains("nothing was changed"), "{text}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "the file and the lock: {names:?}");
    }
}

#[test]
fn every_flipped_bit_costs_one_line_at_most() {
    let text = file(&[(Op::Add, "ann", 1), (Op::Add, "bob", 1), (Op::Add, "carol", 1)]);
    for at in 0..text.len() * 8 {
        let mut bytes = text.clone().into_bytes();
        bytes[at / 8] ^= 1 << (at % 8);
        let had = recover(&bytes);
        // A flipped bit can join two lines or split one.
        let is_lf = text.as_bytes()[at / 8] == b'\n' || bytes[at / 8] == b'\n';
        let least = if at / 8 < HEADER.len() - 1 {
            3
        } else if is_lf {
            1
        } else {
            2
        };
        assert!(had.accounts.len() >= least, "bit {at}: {:?}", had.findings);
        assert!(had.accounts.len() == 3 || !had.findings.is_empty(), "bit {at}");
    }
}

/// Deletion and registration within one second give two accounts, also over a compaction and a clock that was set back.
#[test]
fn an_account_is_never_registered_before_the_last_one_of_its_name_was_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let ahead = 4_000_000_000;
    let text = file(&[(Op::Add, "zoe", 1)]).replace("1001", &ahead.to_string());
    let body = text.lines().nth(1).unwrap().rsplit_once(':').unwrap().0;
    let sealed = format!("{HEADER}{body}:{}\n", crate::auth::store::record::checksum(&format!("{body}:")));
    put(folder.path(), sealed.as_bytes());
    let mut dates = vec![ahead];
    for _ in 0..3 {
        let mut ledger = Ledger::open(&settings).unwrap();
        ledger.delete("zoe").unwrap();
        ledger.add("Zoe", &secret("correct horse")).unwrap();
        drop(ledger);
        dates.push(list(&settings.file).unwrap()[0].1);
        assert!(repair(&settings.file).is_ok(), "it is written anew");
    }
    assert!(dates.is_sorted_by(|one, next| one < next), "{dates:?}");
}
