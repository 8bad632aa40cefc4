//! How the client ends: it restores the terminal, and its exit code says how it went.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;
use testkit::{Fake, PASSWORD, Server, Terminal, eventually, pause};

/// A logged-in user at a terminal.
fn alice_at(server: &Server, home: &tempfile::TempDir) -> Terminal {
    Terminal::logged_in(24, 80, home.path(), server.addr(), "alice")
}

#[track_caller]
fn check_leaves(keys: &str) {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = alice_at(&server, &home);
    alice.keys(keys);
    alice.expect_exit(0);
    let contents = alice.contents();
    assert!(!contents.contains('!'), "nothing has gone wrong:\n{contents}");
}

#[test]
fn what_leaves() {
    check_leaves("EX\r");
    check_leaves("/quit\r");
    check_leaves("\x04");
    check_leaves("\x03");
}

#[test]
fn ctrl_c_first_discards_the_line() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = alice_at(&server, &home);
    alice.keys("something");
    alice.wait_for_line("alice> something", 16);
    alice.keys("\x03");
    alice.wait_for_line("alice> ", 7);
    alice.keys("\x03");
    alice.expect_exit(0);
}

#[test]
fn nothing_is_left_running() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = alice_at(&server, &home);
    let tasks = fs::read_dir(format!("/proc/{}/task", alice.pid())).unwrap().count();
    assert!(tasks <= 4, "{tasks} threads: the main one, the socket's, the keyboard's, the one that wakes the editor");
    alice.keys("/quit\r");
    alice.expect_exit(0);
    let mut bob = server.typed("bob");
    eventually("alice is gone", || bob.list("WHO").last().is_some_and(|last| last == "1 online"));
}

#[test]
fn a_signal_ends_it_in_the_middle_of_a_line() {
    for signal in [Signal::TERM, Signal::HUP] {
        let server = Server::start();
        let home = tempfile::tempdir().unwrap();
        let mut alice = alice_at(&server, &home);
        alice.keys("half a line");
        alice.wait_for_line("alice> half a line", 18);
        alice.signal(signal);
        alice.expect_exit(0);
        assert!(alice.contents().contains("not sent: half a line"), "{}", alice.contents());
    }
}

#[test]
fn a_signal_ends_it_in_a_history_search() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = alice_at(&server, &home);
    alice.keys("one\r");
    alice.wait_for("(sent to 0)");
    alice.wait_for_line("alice> ", 7);
    alice.keys("\x12o");
    alice.wait_for("(reverse-i-search)`o'");
    alice.signal(Signal::TERM);
    alice.expect_exit(0);
}

#[test]
fn a_signal_ends_it_at_a_password_prompt() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::client(24, 80, home.path(), server.addr(), "alice");
    alice.wait_for("choose a password: ");
    alice.keys("half a pass");
    alice.signal(Signal::TERM);
    let code = alice.wait_exit().code();
    assert!(matches!(code, Some(0 | 1)), "{code:?}");
    assert!(alice.is_restored());
    assert!(!alice.raw().contains("half a pass"));
}

#[test]
fn a_signal_ends_it_with_a_blocked_terminal() {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::client(24, 80, home.path(), fake.addr(), "alice");
    let accepting = std::thread::spawn(move || fake.let_in());
    alice.wait_for("password: ");
    alice.keys("whatever\r");
    let mut server = accepting.join().unwrap();
    alice.wait_for("alice> ");
    for _ in 0..100 {
        server.send(&format!("D PM 1882415750197542913 bob {}", "y".repeat(1000)));
    }
    // When the client has received all of it, its terminal is full.
    server.send("C 299 last");
    pause(300);
    alice.signal(Signal::TERM);
    let stat = format!("/proc/{}/stat", alice.pid());
    eventually("it has ended", || fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") Z ")));
    assert!(alice.is_cooked());
}

#[test]
fn the_server_ends_it_in_the_middle_of_a_line() {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::client(24, 80, home.path(), fake.addr(), "alice");
    let fake_thread = std::thread::spawn(move || {
        let mut client = fake.let_in();
        client.expect("C PM go");
        client.send("C 250 sent to 0");
        client.expect("C PM stop");
        client.send("C 421 too many failures");
        client.line();
    });
    alice.wait_for("password: ");
    alice.keys("whatever\r");
    alice.wait_for("alice> ");
    alice.keys("go\r");
    alice.wait_for("(sent to 0)");
    alice.keys("stop\rhalf a line");
    alice.expect_exit(1);
    let contents = alice.contents();
    assert!(contents.contains("too many failures"), "{contents}");
    assert!(contents.contains("not confirmed"), "{contents}");
    drop(fake_thread);
}

#[test]
fn a_terminal_that_goes_away_ends_it() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let alice = alice_at(&server, &home);
    let mut bob = server.typed("bob");
    assert_eq!(bob.list("WHO").len(), 3);
    alice.hang_up();
    eventually("alice is gone", || bob.list("WHO").last().is_some_and(|last| last == "1 online"));
}

#[test]
fn the_password_is_never_shown() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = alice_at(&server, &home);
    assert!(alice.contents().contains("makes an account"), "{}", alice.contents());
    alice.keys("/quit\r");
    alice.expect_exit(0);
    assert!(!alice.raw().contains(PASSWORD));

    // In another home, without a token.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut alice = Terminal::client(24, 80, elsewhere.path(), server.addr(), "alice");
    alice.wait_for("password: ");
    alice.keys("not this one\r");
    alice.wait_for("2 tries left");
    alice.wait_for_line("password: ", 10);
    alice.keys("\x7fcorrect hoarse\x7f\x7f\x7f\x7frse\r");
    alice.wait_for("alice> ");
    alice.keys("/quit\r");
    alice.expect_exit(0);
    assert!(!alice.raw().contains("not this one") && !alice.raw().contains("correct h"));
}

#[test]
fn who_does_not_want_to_say_a_password_leaves() {
    let server = Server::start();
    for keys in ["\x03", "\x04"] {
        let home = tempfile::tempdir().unwrap();
        let mut alice = Terminal::client(24, 80, home.path(), server.addr(), "alice");
        alice.wait_for("choose a password: ");
        alice.keys(keys);
        alice.expect_exit(1);
    }
}

#[test]
fn a_token_is_kept_for_its_owner_alone_and_used() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = alice_at(&server, &home);
    let folder = home.path().join(".local/state/chatd");
    eventually("a token", || fs::read_dir(&folder).is_ok_and(|files| files.count() > 0));
    alice.keys("/quit\r");
    alice.expect_exit(0);
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
    let mut alice = Terminal::client(24, 80, home.path(), server.addr(), "alice");
    alice.wait_for("alice> ");
    assert!(!alice.contents().contains("password"), "{}", alice.contents());
    alice.keys("/quit\r");
    alice.expect_exit(0);

    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let mut alice = Terminal::client(24, 80, home.path(), server.addr(), "alice");
    alice.wait_for("chmod 700");
    alice.wait_for("password: ");
}

#[track_caller]
fn check_looks(options: &[&str], no_color: Option<&str>, has_colours: bool, has_bell: bool) {
    let server = Server::start();
    let mut bob = server.typed("bob");
    let home = tempfile::tempdir().unwrap();
    let (host, port) = (server.addr().ip().to_string(), server.addr().port().to_string());
    let arguments: Vec<&str> = options.iter().copied().chain([host.as_str(), port.as_str(), "alice"]).collect();
    let mut variables = vec![("CHATCLIENT_PASSWORD", PASSWORD)];
    variables.extend(no_color.map(|value| ("NO_COLOR", value)));
    let client = env!("CARGO_BIN_EXE_chatclient");
    let mut alice = Terminal::start_with(24, 80, home.path(), client, &arguments, &variables);
    alice.wait_for("alice> ");
    bob.typed("DM alice look");
    bob.expect("C 250 ");
    alice.wait_for("look");
    alice.keys("/quit\r");
    alice.expect_exit(0);
    let raw = alice.raw();
    let is_painted = raw
        .split("\x1b[")
        .skip(1)
        .any(|rest| rest.find(|c: char| !c.is_ascii_digit() && c != ';').is_some_and(|at| rest[at..].starts_with('m')));
    assert_eq!((is_painted, raw.contains('\x07')), (has_colours, has_bell), "{raw:?}");
}

#[test]
fn colours_and_the_bell_can_be_switched_off() {
    check_looks(&[], None, true, true);
    check_looks(&[], Some(""), true, true);
    check_looks(&[], Some("1"), false, true);
    check_looks(&["--no-color"], None, false, true);
    check_looks(&["--no-bell"], None, true, false);
}

#[test]
fn a_new_password_ignores_the_variable() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let (host, port) = (server.addr().ip().to_string(), server.addr().port().to_string());
    let variables = [("CHATCLIENT_PASSWORD", PASSWORD)];
    let client = env!("CARGO_BIN_EXE_chatclient");
    let mut alice = Terminal::start_with(24, 80, home.path(), client, &[&host, &port, "alice"], &variables);
    alice.wait_for("alice> ");
    alice.keys("/passwd\r");
    alice.wait_for("choose a new password: ");
    alice.keys("battery staple\r");
    alice.wait_for("the same password again: ");
    alice.keys("battery staple\r");
    alice.wait("the prompt", |alice| alice.contents().trim_end().ends_with("alice>"));
    alice.keys("/quit\r");
    alice.expect_exit(0);
    let mut again = server.greeted();
    again.send("alice");
    again.expect("C 331 ");
    again.send("battery staple");
    again.expect("C 230 ");
    assert!(!alice.raw().contains("battery"));
}

#[test]
fn a_password_chosen_for_a_script_is_repeated() {
    let server = Server::start();
    let (host, port) = (server.addr().ip().to_string(), server.addr().port().to_string());
    let client = env!("CARGO_BIN_EXE_chatclient");
    for (mode, user) in [(&["--plain"][..], "plain"), (&["--json"], "json"), (&["--once", "hi"], "once")] {
        let arguments: Vec<&str> = mode.iter().copied().chain([host.as_str(), port.as_str(), user]).collect();
        let home = tempfile::tempdir().unwrap();
        let mut alice = Terminal::start(24, 80, home.path(), client, &arguments);
        alice.wait_for("choose a password: ");
        alice.keys("correct hoarse\r");
        alice.wait_for("the same password again: ");
        alice.keys("correct horse\r");
        alice.wait_for("these two differ");
        for question in ["choose a password: ", "the same password again: "] {
            alice.wait("it once more", |alice| alice.raw().matches(question).count() == 2);
            alice.keys("correct horse\r");
        }
        if user != "once" {
            alice.wait_for("welcome");
            alice.keys("EX\r");
        }
        alice.expect_exit(0);
        assert!(!alice.raw().contains("correct h"), "{}", alice.raw());
    }
}

#[test]
fn a_wrong_given_password_ends_the_client() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = alice_at(&server, &home);
    alice.keys("/quit\r");
    alice.expect_exit(0);
    let (host, port) = (server.addr().ip().to_string(), server.addr().port().to_string());
    let client = env!("CARGO_BIN_EXE_chatclient");
    for mode in [&[][..], &["--plain"], &["--json"], &["--once", "hi"]] {
        let arguments: Vec<&str> = mode.iter().copied().chain([host.as_str(), port.as_str(), "alice"]).collect();
        let variables = [("CHATCLIENT_PASSWORD", "not this one")];
        let mut alice = Terminal::start_with(24, 80, home.path(), client, &arguments, &variables);
        alice.expect_exit(1);
        let raw = alice.raw();
        assert!(raw.contains("wrong password") && raw.contains("check CHATCLIENT_PASSWORD"), "{raw}");
        assert!(!raw.contains(" left") && !raw.contains("password: "), "{raw}");
    }
}
