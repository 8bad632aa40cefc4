//! The log on disk: what is said is in it once and in order, over several runs.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::{Outcome, PASSWORD, Server, Terminal, eventually, program};

/// The folder of a server.
fn folder(home: &Path, server: &Server) -> PathBuf {
    home.join(format!("log/{}_{}", server.addr().ip(), server.addr().port()))
}

/// The lines of a file, without their times, which must have the right form.
#[track_caller]
fn bodies(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let body = |line: &str| {
        let (stamp, body) = line.split_at("2026-11-26 09:41:07+00:00 ".len());
        assert!(stamp.ends_with("+00:00 ") && stamp.as_bytes()[10] == b' ', "{line}");
        body.to_owned()
    };
    text.lines().map(body).collect()
}

#[track_caller]
fn eventually_has(path: &Path, lines: &[&str]) {
    eventually(&format!("{lines:?} in the log"), || bodies(path) == lines);
}

fn script(home: &Path, server: &Server, options: &[&str], input: &str) -> Outcome {
    let mut command = std::process::Command::new(program("chatclient"));
    let (host, port) = (server.addr().ip().to_string(), server.addr().port().to_string());
    command.args(options).args([&host, &port, "alice"]);
    command.env("TZ", "UTC").env("HOME", home).env_remove("XDG_STATE_HOME").env("CHATCLIENT_PASSWORD", PASSWORD);
    command.current_dir(home);
    testkit::finish_with(command, input)
}

/// A client that has an account, and writes a log.
fn again(home: &Path, server: &Server) -> Terminal {
    let (host, port) = (server.addr().ip().to_string(), server.addr().port().to_string());
    let log = home.join("log");
    let options = ["--log", log.to_str().unwrap(), &host, &port, "alice"];
    let mut alice = Terminal::start(24, 80, home, &program("chatclient"), &options);
    alice.wait("a prompt", |alice| alice.contents().contains("alice> ") || alice.contents().contains("alice in "));
    alice
}

#[test]
fn each_line_is_there_once_over_several_runs() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::builder().no_rates().start();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    alice.keys("/quit\r");
    alice.expect_exit(0);
    let mut bob = server.typed("bob");
    let public = folder(home.path(), &server).join("everybody.log");
    let mut alice = again(home.path(), &server);
    alice.keys("hello\r");
    eventually_has(&public, &["alice: hello"]);
    bob.typed("PM hi");
    bob.expect("D ");
    eventually_has(&public, &["alice: hello", "bob: hi"]);
    // A second client of hers writes nothing twice.
    let mut other = again(home.path(), &server);
    bob.typed("PM both");
    eventually_has(&public, &["alice: hello", "bob: hi", "bob: both"]);
    other.wait_for("bob: both");
    alice.wait_for("bob: both");
    drop(alice);
    other.keys("/quit\r");
    other.expect_exit(0);
    bob.typed("PM while away");
    let mut alice = again(home.path(), &server);
    alice.wait_for("bob: while away");
    let all = ["alice: hello", "bob: hi", "bob: both", "bob: while away"];
    eventually_has(&public, &all);
    // A page shows what the log has.
    alice.keys("/history\r");
    alice.wait_for("that is all");
    bob.typed("DM alice /me waves");
    alice.wait_for("waves");
    eventually_has(&folder(home.path(), &server).join("@bob.log"), &["* bob waves"]);
    assert_eq!(bodies(&public), all);
}

#[test]
fn rooms_and_scripts() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::builder().no_rates().start();
    let mut bob = server.typed("bob");
    bob.ask("MAKE Größe");
    for (form, text) in [("--plain", "one"), ("--json", "two")] {
        let outcome = script(
            home.path(),
            &server,
            &["--register", "--log", "log", form],
            &format!("/join größe\n/rm größe {text}\n/pm {text} to all\n/dm bob {text}\n"),
        );
        outcome.check(0, &[]);
    }
    let folder = folder(home.path(), &server);
    assert_eq!(bodies(&folder.join("#größe.log")), ["alice: one", "alice: two"]);
    assert_eq!(bodies(&folder.join("@bob.log")), ["alice: one", "alice: two"]);
    script(home.path(), &server, &["--log", "log", "--once", "three"], "").check(0, &[]);
    let mut alice = again(home.path(), &server);
    alice.keys("/join größe\r");
    alice.wait_for("in Größe>");
    let mut carol = server.typed("carol");
    carol.ask("JOIN GRÖßE");
    alice.wait_for("carol entered");
    assert_eq!(bodies(&folder.join("#größe.log"))[2..], ["-- carol entered"]);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
}

#[test]
fn a_log_that_cannot_be_written_costs_the_chat_nothing() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::builder().no_rates().start();
    fs::write(home.path().join("log"), "a file").unwrap();
    let outcome = script(home.path(), &server, &["--register", "--log", "log", "--plain"], "one\ntwo\n");
    outcome.check(0, &["the log in log: "]);
    assert_eq!(outcome.stderr.matches("the log in").count(), 1, "told once: {outcome:?}");
    assert_eq!(outcome.stdout.lines().count(), 2, "{outcome:?}");
    fs::remove_file(home.path().join("log")).unwrap();
    let outcome = script(home.path(), &server, &["--register", "--plain"], "one\n");
    outcome.check(0, &[]);
    assert!(!home.path().join("log").exists(), "only by choice");
}

#[test]
fn a_full_disk_leaves_a_mark() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::builder().no_rates().start();
    let (host, port) = (server.addr().ip().to_string(), server.addr().port().to_string());
    // A file of at most 1024 bytes behaves like a full disk: the last write is cut.
    let mut command = std::process::Command::new("bash");
    let run = "ulimit -f 1; exec \"$@\"";
    command.args([
        "-c",
        run,
        "sh",
        &program("chatclient"),
        "--register",
        "--plain",
        "--log",
        "log",
        &host,
        &port,
        "alice",
    ]);
    command.env("TZ", "UTC").env("HOME", home.path()).env("CHATCLIENT_PASSWORD", PASSWORD).current_dir(home.path());
    let input: String = (0..40).map(|n| format!("message {n} {}\n", "x".repeat(30))).collect();
    let outcome = testkit::finish_with(command, &input);
    outcome.check(0, &["the log in log: "]);
    assert_eq!(outcome.stderr.matches("the log in").count(), 1, "{outcome:?}");
    assert_eq!(outcome.stdout.lines().count(), 40, "all is said: {outcome:?}");
    let path = folder(home.path(), &server).join("everybody.log");
    assert_eq!(fs::metadata(&path).unwrap().len(), 1024);
    script(home.path(), &server, &["--log", "log", "--once", "again"], "").check(0, &[]);
    let text = fs::read_to_string(&path).unwrap();
    let whole = text.lines().filter(|line| line.ends_with(&"x".repeat(30))).count();
    assert_eq!(text.lines().count(), whole + 2, "one is torn, and the last is whole:\n{text}");
    assert!(text.ends_with(" alice: again\n"), "{text}");
}
