//! The core of the web page, under `node --test`.

use std::process::Command;

/// The first version that knows a module by what is in it.
const NODE: (u32, u32) = (20, 19);

#[test]
fn the_core_of_the_page() {
    let Ok(version) = Command::new("node").arg("--version").output() else {
        return println!("skipped: there is no node here");
    };
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let mut numbers = version.trim_start_matches('v').split('.').filter_map(|number| number.parse().ok());
    if numbers.next().zip(numbers.next()).is_none_or(|found| found < NODE) {
        return println!("skipped: node {NODE:?} or later is needed, and here is {version}");
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/web/tests");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ran = Command::new("node").arg("--test").args(files).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
}
