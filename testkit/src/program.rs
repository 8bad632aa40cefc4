//! The paths of our programs.

use std::env;

/// The path of one of our programs, such as `chatd`. `cargo test` at the root builds all of them, into the folder above
/// that of the tests; a test knows only the programs of its own crate by name (`CARGO_BIN_EXE_…`).
#[track_caller]
pub fn program(name: &str) -> String {
    let test = env::current_exe().expect("the path of this test");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("the folder above this test's own");
    let path = folder.join(name).with_extension(env::consts::EXE_EXTENSION);
    assert!(path.is_file(), "there is no {}: run cargo test at the root", path.display());
    path.into_os_string().into_string().expect("a path in UTF-8")
}
