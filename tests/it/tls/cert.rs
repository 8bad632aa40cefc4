//! `chatd cert make` and `chatd cert show`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use testkit::{Outcome, run};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

/// A folder with this configuration.
fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), config).unwrap();
    folder
}

#[track_caller]
fn cert(folder: &Path, args: &[&str], code: i32) -> Outcome {
    let outcome = run(CHATD, folder, &[&["cert"], args].concat());
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    outcome
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

fn fingerprint(told: &str) -> &str {
    told.lines().find(|line| line.starts_with("SHA256:")).expect("a fingerprint")
}

#[test]
fn a_pair_is_made_shown_and_never_overwritten() {
    let folder = folder("");
    let folder = folder.path();
    assert!(cert(folder, &["show"], 1).stderr.contains("'chatd cert make --config config.toml' makes one"));
    let made = cert(folder, &["make", "--name", "chat.example.org", "--name", "192.0.2.7", "--days", "30"], 0);
    assert!(made.stdout.contains("[tls] cert = \"cert.pem\", key = \"key.pem\""), "{made:?}");
    let (cert_file, key_file) = (folder.join("cert.pem"), folder.join("key.pem"));
    assert_eq!((mode(&cert_file), mode(&key_file)), (0o644, 0o600));
    let shown = cert(folder, &["show"], 0).stdout;
    assert!(shown.contains("names: chat.example.org, 192.0.2.7, "), "{shown}");
    assert!(shown.contains("localhost, 127.0.0.1, ::1\n"), "{shown}");
    assert!(shown.contains("expires on ") && shown.contains("(in 30 days)"), "{shown}");
    assert_eq!(fingerprint(&shown), fingerprint(&made.stdout));
    assert_eq!(fingerprint(&shown).len(), "SHA256:".len() + 43, "base64 without padding");
    let before = (fs::read(&cert_file).unwrap(), fs::read(&key_file).unwrap());
    assert!(cert(folder, &["make"], 1).stderr.contains("nothing is overwritten"));
    fs::remove_file(&cert_file).unwrap();
    assert!(cert(folder, &["make"], 1).stderr.contains("key.pem: exists"));
    assert_eq!(fs::read(&key_file).unwrap(), before.1);
    assert!(!cert_file.exists());
}

#[test]
fn a_renewal_keeps_the_key_and_the_names() {
    let folder = folder("tls.cert = 'made/server.pem'\ntls.key = 'made/server.key'\n");
    let folder = folder.path();
    assert!(cert(folder, &["make"], 1).stderr.contains("made/server.key: cannot be written"));
    fs::create_dir(folder.join("made")).unwrap();
    cert(folder, &["make", "--name", "old.example"], 0);
    let before = cert(folder, &["show"], 0).stdout;
    let key = fs::read(folder.join("made/server.key")).unwrap();
    cert(folder, &["make", "--renew", "--name", "new.example", "--days", "5"], 0);
    let after = cert(folder, &["show"], 0).stdout;
    assert_eq!(fingerprint(&before), fingerprint(&after));
    assert!(after.contains("names: old.example, ") && after.contains(", new.example\n"), "{after}");
    assert!(after.contains("(in 5 days)"), "{after}");
    assert_eq!(fs::read(folder.join("made/server.key")).unwrap(), key);
    let mut files: Vec<_> = fs::read_dir(folder.join("made")).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["server.key", "server.pem"]);
}

#[test]
fn what_a_message_says_to_do_works() {
    let folder = folder("listen = ['line+tls://127.0.0.1:0']\ntls = { cert = 'cert.pem', key = 'key.pem' }\n");
    let folder = folder.path();
    let check = |code| {
        let outcome = run(CHATD, folder, &["--check"]);
        assert_eq!(outcome.code, Some(code), "{outcome:?}");
        outcome.stderr
    };
    cert(folder, &["make"], 0);
    fs::write(folder.join("cert.pem"), "nothing").unwrap();
    let next = "remove it and run 'chatd cert make --config config.toml --renew'";
    for stderr in [check(78), cert(folder, &["show"], 78).stderr, cert(folder, &["make", "--renew"], 1).stderr] {
        assert!(stderr.contains("cert.pem: has no certificate in PEM; ") && stderr.contains(next), "{stderr}");
    }
    fs::remove_file(folder.join("cert.pem")).unwrap();
    cert(folder, &["make", "--renew"], 0);
    check(0);
    fs::write(folder.join("key.pem"), "nothing").unwrap();
    let stderr = cert(folder, &["make", "--renew"], 1).stderr;
    assert!(stderr.contains("key.pem and ") && stderr.contains("cert.pem and leave out --renew"), "{stderr}");
    fs::remove_file(folder.join("cert.pem")).unwrap();
    fs::remove_file(folder.join("key.pem")).unwrap();
    assert!(cert(folder, &["make", "--renew"], 1).stderr.contains("; without --renew a key is made"));
    cert(folder, &["make"], 0);
    check(0);
}

#[test]
fn a_pair_is_made_although_the_configuration_lists_it() {
    let folder = folder("listen = ['line+tls://127.0.0.1:0']\ntls.cert = 'a.pem'\ntls.key = 'a.key'\n");
    cert(folder.path(), &["make"], 0);
    let outcome = run(CHATD, folder.path(), &["--check"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stdout.contains("the certificate expires on "), "{outcome:?}");
}

#[test]
fn every_certificate_in_use_is_shown() {
    let folder = folder("listen = ['line+tls://127.0.0.1:0?cert=own.pem&key=own.key', 'line+tls://127.0.0.2:0']\n");
    let folder = folder.path();
    cert(folder, &["make", "--name", "own.example"], 0);
    fs::rename(folder.join("cert.pem"), folder.join("own.pem")).unwrap();
    fs::rename(folder.join("key.pem"), folder.join("own.key")).unwrap();
    cert(folder, &["make", "--name", "common.example"], 0);
    let shown = cert(folder, &["show"], 0).stdout;
    assert!(shown.contains("cert.pem\nnames: common.example, "), "{shown}");
    assert!(shown.contains("own.pem\nnames: own.example, "), "{shown}");
    assert_eq!(shown.matches("SHA256:").count(), 2);
    fs::write(folder.join("own.pem"), "nothing").unwrap();
    assert!(cert(folder, &["show"], 78).stderr.contains("own.pem: has no certificate in PEM"));
}

#[test]
fn bad_names_and_days_are_usage_errors() {
    let folder = folder("");
    for args in [&["--name", "a b"][..], &["--name", "https://a"], &["--days", "0"], &["--days", "x"], &["more"]] {
        cert(folder.path(), &[&["make"], args].concat(), 2);
        assert!(!folder.path().join("key.pem").exists());
    }
    cert(folder.path(), &["remake"], 2);
}
