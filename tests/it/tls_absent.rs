//! A program that was built without the feature `tls`.

use std::fs;

use testkit::run;

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

#[test]
fn a_listener_by_tls_names_the_missing_feature() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), "listen = ['line+tls://127.0.0.1:0']\n").unwrap();
    for args in [&["--check"][..], &[]] {
        run(CHATD, folder.path(), args).check(78, &["line+tls://127.0.0.1:0", "without the feature tls"]);
    }
    run(CHATD, folder.path(), &["cert", "make"]).check(1, &["without the feature tls"]);
}
