//! Passwords at a terminal: from a program that asks there itself, and from a person.

use std::fs;

use rustix::process::Signal;
use testkit::{PASSWORD, Server, Terminal, eventually};

#[track_caller]
fn start(server: &Server, home: &tempfile::TempDir, options: &[&str]) -> Terminal {
    let (host, port) = (server.addr().ip().to_string(), server.addr().port().to_string());
    let arguments: Vec<&str> = options.iter().copied().chain([host.as_str(), port.as_str(), "alice"]).collect();
    Terminal::start(24, 80, home.path(), env!("CARGO_BIN_EXE_chatclient"), &arguments)
}

#[test]
fn a_password_program_may_ask_at_the_terminal() {
    let server = Server::start();
    // With an account, the password is asked for once.
    drop(server.register("alice"));
    let home = tempfile::tempdir().unwrap();
    let program = "sh -c 'printf \"passphrase: \" >/dev/tty; read -r line </dev/tty; echo \"$line\"'";
    let mut alice = start(&server, &home, &["--password-command", program]);
    alice.wait_for("passphrase: ");
    assert!(alice.is_cooked());
    alice.keys(&format!("{PASSWORD}\r"));
    alice.wait_for("alice> ");
    assert!(!alice.is_cooked());
    alice.keys("/quit\r");
    alice.expect_exit(0);
}

#[test]
fn a_password_is_not_echoed_after_a_stop() {
    for options in [&[][..], &["--plain"]] {
        let server = Server::start();
        let home = tempfile::tempdir().unwrap();
        let mut alice = start(&server, &home, options);
        alice.wait_for("choose a password: ");
        alice.keys("half a pass");
        alice.signal(Signal::STOP);
        let stat = format!("/proc/{}/stat", alice.pid());
        eventually("it has stopped", || fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") T ")));
        alice.cook();
        alice.signal(Signal::CONT);
        alice.wait("the prompt again", |alice| alice.raw().matches("choose a password: ").count() == 2);
        alice.keys(&format!("{PASSWORD}\r"));
        alice.wait_for("the same password again: ");
        alice.keys(&format!("{PASSWORD}\r"));
        alice.wait_for("welcome alice");
        // The keys before the stop do not matter: the echo of a slow terminal may be on again when it handles them.
        assert!(!alice.raw().contains(PASSWORD), "{}", alice.raw());
        alice.keys("/quit\r");
        alice.expect_exit(0);
    }
}

#[test]
fn the_prompt_of_a_script_has_a_line_of_its_own() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = start(&server, &home, &["--plain"]);
    alice.wait_for("choose a password: ");
    alice.keys(&format!("{PASSWORD}\r"));
    alice.wait_for("the same password again: ");
    alice.keys(&format!("{PASSWORD}\r"));
    alice.wait_for("welcome alice");
    let contents = alice.contents();
    let lines: Vec<&str> = contents.lines().map(str::trim_end).collect();
    for prompt in ["choose a password:", "the same password again:"] {
        assert!(lines.contains(&prompt), "{contents}");
    }
}
