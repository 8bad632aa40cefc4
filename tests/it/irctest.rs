//! irctest, the test suite of IRC servers, against the IRC door: `tests/irctest/run`, which fetches it at a pinned commit.

use std::path::Path;
use std::process::Command;

use testkit::program;

#[test]
#[ignore = "takes minutes; .ci/run runs it by itself"]
fn what_irctest_asks_is_answered() {
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/irctest/run");
    let told = Command::new(run).env("CHATD_BIN", program("chatd")).output().expect("bash");
    let (told, errors, status) =
        (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr), told.status);
    println!("{told}");
    assert!(status.success(), "{status}: {errors}");
}
