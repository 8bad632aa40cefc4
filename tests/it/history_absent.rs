//! A program that was built without the feature `history`.

use testkit::run;

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

#[test]
fn a_command_names_the_missing_feature() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["history", "check"][..], &["history", "erase", "alice"], &["history", "backup", "copy"]] {
        run(CHATD, folder.path(), args).check(1, &["without the feature history"]);
    }
}
