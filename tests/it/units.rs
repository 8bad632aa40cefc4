//! The units for systemd in `packaging/`, as systemd understands them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::{finish, program};

/// The unit with the program in its place; `None`, with a note, where there is no systemd-analyze.
fn units() -> Option<tempfile::TempDir> {
    let name = "systemd-analyze";
    if !Command::new(name)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
    {
        eprintln!("skipped: there is no {name} here");
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging");
    for unit in ["chatd.service", "chatd.socket"] {
        let text = fs::read_to_string(packaging.join(unit)).expect("a unit");
        let text = text.replace("/usr/local/bin/chatd", &program("chatd"));
        fs::write(folder.path().join(unit), text).expect("a file");
    }
    Some(folder)
}

#[test]
fn systemd_finds_nothing_wrong() {
    let Some(folder) = units() else { return };
    let mut command = Command::new("systemd-analyze");
    command.arg("verify").args(["chatd.service", "chatd.socket"].map(|unit| folder.path().join(unit)));
    let outcome = finish(command);
    let ours: Vec<_> = outcome.stderr.lines().filter(|line| line.contains("chatd")).collect();
    assert!(ours.is_empty(), "{outcome:?}");
}

#[test]
fn the_service_is_exposed_to_little() {
    let Some(folder) = units() else { return };
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--offline=true", "--threshold=20"]).arg(folder.path().join("chatd.service"));
    let outcome = finish(command);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}
