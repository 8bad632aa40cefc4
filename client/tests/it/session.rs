//! The client's session with servers that are slow, or that withdraw an answer.

use std::process::Command;
use std::thread;

use testkit::{Fake, Outcome, PASSWORD, Server, Terminal, eventually, finish};

/// Runs a shell script in a folder of its own, without a terminal. `$CLIENT` is the client, `$SERVER` the server.
#[track_caller]
fn run(server: std::net::SocketAddr, script: &str) -> Outcome {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new("setsid");
    command
        .args(["-w", "sh", "-c", script])
        .env_remove("XDG_STATE_HOME")
        .env("HOME", home.path())
        .env("CLIENT", env!("CARGO_BIN_EXE_chatclient"))
        .env("SERVER", server.to_string())
        .env("CHATCLIENT_PASSWORD", PASSWORD)
        .current_dir(home.path());
    finish(command)
}

#[test]
fn a_server_that_answers_slowly_answers_all() {
    let server = Server::builder().set("limits.rate_lines_per_s", "2").set("limits.rate_burst", "1").start();
    let outcome = run(server.addr(), "seq 11 | $CLIENT --register --plain $SERVER alice | wc -l");
    outcome.check(0, &[]);
    assert_eq!(outcome.stdout.trim(), "11", "{outcome:?}");
}

#[test]
fn a_room_that_is_not_there_is_told_once() {
    let server = Server::start();
    let outcome = run(server.addr(), "$CLIENT --register --once hi --room nosuch $SERVER alice");
    outcome.check(1, &["no"]);
    assert_eq!(outcome.stderr.lines().filter(|line| line.contains(" ! ")).count(), 1, "{outcome:?}");
}

#[test]
fn a_reserved_name_is_refused_without_a_question() {
    let server = Server::start();
    let outcome = run(server.addr(), "$CLIENT --once hi $SERVER admin");
    outcome.check(1, &["admin"]);
    assert!(!outcome.stderr.contains("your name?"), "{outcome:?}");
}

#[test]
fn a_password_after_a_break_is_not_shown_or_kept() {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::client(24, 80, home.path(), fake.addr(), "alice");
    let (told, telling) = std::sync::mpsc::channel::<()>();
    let server = thread::spawn(move || {
        drop(fake.let_in());
        let mut client = fake.accept();
        client.send("C 220 fake 0 ready; your name?");
        client.expect("C alice faketoken");
        client.send("C 531 token refused; your password?");
        // The answer is delayed, like that to a wrong password.
        client.expect("C first guess");
        telling.recv().unwrap();
        client.send("C 530 wrong password; 1 tries left");
        client.expect("C second guess");
        client.send("C 230 welcome; 1 online");
        client
    });
    alice.wait_for("password: ");
    alice.keys("whatever\r");
    alice.wait_for("press Enter first");
    alice.wait_for_line("press Enter, then your password> ", 33);
    alice.keys("hasty\r"); // a password that was typed too soon
    let is_asked = |alice: &Terminal| alice.contents().trim_end().ends_with("password:");
    alice.wait("the question", is_asked);
    alice.keys("first guess\r");
    // No prompt appears in this time.
    let deadline = std::time::Instant::now() + std::time::Duration::from_millis(300);
    while std::time::Instant::now() < deadline {
        alice.pump(std::time::Duration::from_millis(20));
        assert!(!alice.contents().trim_end().ends_with('>'), "{}", alice.contents());
    }
    told.send(()).unwrap();
    alice.wait_for("1 tries left");
    alice.wait("the question", is_asked);
    alice.keys("second guess\r");
    alice.wait("the prompt", |alice| alice.contents().trim_end().ends_with("alice>"));
    drop(server.join().unwrap());
    assert!(!alice.raw().contains("guess"), "{}", alice.raw());
    let history = home.path().join(".local/state/chatd/history");
    let kept = std::fs::read_to_string(history).unwrap_or_default();
    assert!(!kept.contains("guess") && !kept.contains("hasty"), "{kept}");
}

#[test]
fn misused_commands_are_not_kept() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    for line in ["/passwd horse1 horse2", "/pass horse3", "/enter den horse4", "/login horse5", "/help passwd"] {
        alice.keys(&format!("{line}\r"));
        alice.wait_for_line("alice> ", 7);
    }
    let history = home.path().join(".local/state/chatd/history");
    let kept = || std::fs::read_to_string(&history).unwrap_or_default();
    eventually("a history", || kept().contains("/help passwd"));
    assert!(!kept().contains("horse"), "{}", kept());
}
