//! The core of the web page, under `node --test`: as it is written, and as it is served.

use std::path::Path;
use std::process::Command;

use chatd::door::web::files::Files;

/// The first version that knows a module by what is in it.
const NODE: (u32, u32) = (20, 19);
/// The folder of the page.
const WEB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/web");

#[test]
fn the_core_of_the_page() {
    if let Err(why) = node() {
        return println!("skipped: {why}");
    }
    run_tests(&Path::new(WEB).join("tests"));
}

#[test]
fn the_core_of_the_page_as_it_is_served() {
    if let Err(why) = node() {
        return println!("skipped: {why}");
    }
    let folder = tempfile::tempdir().unwrap();
    let tests = folder.path().join("tests");
    std::fs::create_dir(&tests).unwrap();
    std::fs::write(folder.path().join("package.json"), r#"{"type":"module"}"#).unwrap();
    for entry in std::fs::read_dir(Path::new(WEB).join("tests")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, tests.join(path.file_name().unwrap())).unwrap();
    }
    let files = Files::of_page();
    for entry in std::fs::read_dir(WEB).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".js") {
            continue;
        }
        let path = folder.path().join(&name);
        std::fs::write(&path, files.bytes(files.find(&files.hash, &name).unwrap())).unwrap();
        let checked = Command::new("node").arg("--check").arg(&path).output().unwrap();
        assert!(checked.status.success(), "{name}: {}", String::from_utf8_lossy(&checked.stderr));
    }
    run_tests(&tests);
}

/// Whether there is a node that can run the tests; else why not.
fn node() -> Result<(), String> {
    let version = Command::new("node").arg("--version").output().map_err(|_| "there is no node here".to_owned())?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let mut numbers = version.trim_start_matches('v').split('.').filter_map(|number| number.parse().ok());
    if numbers.next().zip(numbers.next()).is_none_or(|found| found < NODE) {
        return Err(format!("node {NODE:?} or later is needed, and here is {version}"));
    }
    Ok(())
}

#[track_caller]
fn run_tests(folder: &Path) {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ran = Command::new("node").arg("--test").args(files).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
}
