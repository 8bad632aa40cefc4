//! The core of the web page, under `node --test`.

use std::process::Command;

#[test]
fn the_core_of_the_page() {
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/web/tests/");
    let Ok(version) = Command::new("node").arg("--version").output() else {
        return println!("skipped: there is no node here");
    };
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < 20) {
        return println!("skipped: node 20 or later is needed, and here is {version}");
    }
    let ran = Command::new("node").args(["--test", tests]).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
}
