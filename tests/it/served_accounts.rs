//! `chatd accounts …` and `chatd ctl accounts …` while a server runs: the server does it, and nobody else notices.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;

use crc::{CRC_32_ISCSI, Crc};
use testkit::{Canary, Outcome, PASSWORD, Server, Strace, Terminal, run_with};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

#[track_caller]
fn accounts(server: &Server, args: &[&str], input: &str) -> Outcome {
    run_with(CHATD, &server.path(""), &[&["accounts"], args].concat(), input)
}

#[track_caller]
fn ctl(server: &Server, args: &[&str]) -> Outcome {
    run_with(CHATD, &server.path(""), &[&["ctl"], args].concat(), "")
}

#[track_caller]
fn check_login(server: &Server, name: &str, password: &str, answer: &str) {
    let mut client = server.greeted();
    client.send(name);
    client.expect("C 331 ");
    client.send(password);
    client.expect(answer);
}

#[test]
fn accounts_are_added_changed_and_deleted_while_it_runs() {
    let mut server = Server::builder().set("accounts.registration", "\"closed\"").start();
    let outcome = accounts(&server, &["add", "Alice"], &format!("{PASSWORD}\nnot this line\n"));
    outcome.check(0, &[]);
    assert_eq!(outcome.stdout, "Alice has an account\n");
    accounts(&server, &["add", "bob"], PASSWORD).check(0, &[]);
    let mut bob = server.greeted();
    bob.login_bare("bob");
    let mut alice = server.greeted();
    alice.send("alice");
    alice.expect("C 331 ");
    alice.send(PASSWORD);
    alice.expect("C 230 welcome Alice");
    let token = alice.ask("TOKEN").split(' ').nth(2).unwrap().to_owned();
    let outcome = accounts(&server, &["passwd", "ALICE"], "battery staple\n");
    outcome.check(0, &[]);
    assert_eq!(outcome.stdout, "Alice has a new password; earlier tokens are void\n");
    alice.expect_421("password was changed");
    check_login(&server, "alice", PASSWORD, "C 530 ");
    let mut client = server.greeted();
    client.send(&format!("alice {token}"));
    client.expect("C 531 ");
    check_login(&server, "alice", "battery staple", "C 230 ");
    let listed = accounts(&server, &["list"], "").stdout;
    assert_eq!(listed.lines().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>(), ["Alice", "bob"]);
    bob.barrier();
    let outcome = accounts(&server, &["delete", "BOB"], "");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "the account bob is deleted; the name is free\n"));
    bob.expect_421("put out by the operator: account deleted");
    bob.expect_closed();
    check_login(&server, "bob", PASSWORD, "C 530 ");
    assert_eq!(accounts(&server, &["check"], "").stdout, "sound: 1 account\n");
    // What was reported is on disk.
    server.kill9();
    assert_eq!(accounts(&server, &["list"], "").stdout.lines().count(), 1);
    server.restart();
    check_login(&server, "alice", "battery staple", "C 230 ");
}

#[test]
fn what_fails_changes_nothing() {
    let server = Server::start();
    server.bare("alice").barrier();
    let before = fs::read(server.path("accounts")).unwrap();
    for (args, input, code, told) in [
        (&["add", "ALICE"][..], PASSWORD, 1, "alice has an account already"),
        (&["add", "bob"], "short\n", 1, "a password has 8 to 128 bytes, and this one has 5"),
        (&["add", "bob"], "", 1, "a password has 8 to 128 bytes, and this one has 0"),
        (&["add", "bob"], "correct\u{1b}[2Jhorse\n", 1, "without control or invisible characters"),
        (&["add", "1\u{1b}[2J"], PASSWORD, 1, "is not a valid name"),
        (&["add", "a b"], PASSWORD, 1, "is not a valid name"),
        (&["add", "server"], PASSWORD, 1, "is reserved"),
        (&["passwd", "bob"], PASSWORD, 1, "'bob' has no account"),
        (&["passwd", "alice"], "short\n", 1, "a password has 8 to 128 bytes"),
        (&["delete", "bob"], "", 1, "'bob' has no account"),
        (&["delete", "a b"], "", 1, "'a b' has no account"),
        (&["repair"], "", 75, "stop the server first"),
    ] {
        let outcome = accounts(&server, args, input);
        outcome.check(code, &[told]);
        assert!(!outcome.stderr.contains('\u{1b}') && outcome.stdout.is_empty(), "{outcome:?}");
        assert_eq!(fs::read(server.path("accounts")).unwrap(), before, "{args:?}");
    }
    let long = "x".repeat(300);
    accounts(&server, &["add", "bob"], &long).check(1, &["a password has 8 to 128 bytes"]);
    server.bare("bob").barrier();
}

#[test]
fn without_a_socket_a_running_server_s_accounts_are_read_only() {
    let config = "listen = ['line://127.0.0.1:0']\noperator.socket = ''\n\
                  accounts.argon2 = { memory_kib = 8, iterations = 1, parallelism = 1 }\n";
    let server = Server::builder().config(config).start();
    let mut alice = server.bare("alice");
    let before = fs::read(server.path("accounts")).unwrap();
    let process = server.pid();
    for args in [&["repair"][..], &["add", "bob"], &["passwd", "alice"], &["delete", "alice"]] {
        let outcome = accounts(&server, args, "correct horse\n");
        let next_step = format!("stop the server first, with 'systemctl stop chatd' or 'kill {process}'");
        outcome.check(75, &["in use by", &format!("process {process}"), &next_step]);
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.lines().count()), ("", 1));
    }
    assert_eq!(accounts(&server, &["list"], "").stdout.lines().count(), 1);
    assert_eq!(fs::read(server.path("accounts")).unwrap(), before);
    alice.barrier();
}

#[test]
fn the_file_that_is_named_is_the_one_that_is_changed() {
    let server = Server::start();
    server.bare("alice").barrier();
    // Another account file in the same folder is not the running server's.
    let other = ["--set", "accounts.file='other'"];
    accounts(&server, &[&["add", "bob"][..], &other].concat(), PASSWORD).check(0, &[]);
    assert!(server.path("other").exists());
    assert_eq!(accounts(&server, &["list"], "").stdout.lines().count(), 1);
}

#[test]
fn at_a_terminal_a_password_is_asked_for_twice() {
    let server = Server::start();
    let config = server.path("config.toml").to_string_lossy().into_owned();
    let home = tempfile::tempdir().unwrap();
    let arguments = ["--config", config.as_str(), "accounts", "add", "alice"];
    let start = || Terminal::start(24, 80, home.path(), CHATD, &arguments);
    let mut terminal = start();
    for prompt in ["New password for alice: ", "Repeat the password: "] {
        terminal.wait_for(prompt);
        terminal.keys(&format!("{PASSWORD}\r"));
    }
    terminal.wait_for("alice has an account");
    terminal.expect_exit(0);
    server.returning("alice").barrier();
    // The name is checked before a password is asked for.
    let mut terminal = start();
    terminal.wait_for("alice has an account already");
    terminal.expect_exit(1);
}

#[test]
fn the_dialogue_for_a_password() {
    let server = Server::start();
    server.bare("alice").barrier();
    let stream = UnixStream::connect(server.path("chatd.sock")).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().ends_with(" operator"));
    let mut check = |line: &str, expected: &str| {
        writeln!(&stream, "{line}").unwrap();
        let answer = lines.next().unwrap().unwrap();
        assert!(answer.starts_with(expected), "{line}: {answer}");
    };
    check("D a password without a question", "C 503 ");
    check("C accounts add bob", "C 332 ");
    check("D short", "C 501 a password has 8");
    check("C accounts add bob", "C 332 ");
    check("C bans", "C 211 0");
    check("D another command abandons the prompt", "C 503 ");
    check("C accounts passwd ALICE", "C 332 ");
    check("D battery staple", "C 250 alice has a new password");
    check("C accounts frob", "C 501 ");
    assert!(!server.log_text().contains("staple"), "{}", server.log_text());
    check_login(&server, "alice", "battery staple", "C 230 ");
}

#[test]
fn a_failing_disk_is_told() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    let Some(strace) = Strace::attach(&server, &["pwrite64:error=ENOSPC"]) else { return };
    for (args, input) in
        [(&["add", "bob"][..], PASSWORD), (&["passwd", "alice"], "battery staple"), (&["delete", "alice"], "")]
    {
        accounts(&server, args, input).check(1, &["accounts cannot be saved now"]);
    }
    drop(strace);
    alice.barrier();
    check_login(&server, "alice", PASSWORD, "C 230 ");
    accounts(&server, &["add", "bob"], PASSWORD).check(0, &[]);
}

#[test]
fn a_list_of_many_accounts_holds_nobody_up() {
    const MANY: usize = 20_000;
    let mut server = Server::builder().no_rates().start();
    server.bare("zoe").barrier();
    server.term();
    let mut text = fs::read_to_string(server.path("accounts")).unwrap();
    let first: Vec<String> = text.lines().nth(1).unwrap().split(':').map(str::to_owned).collect();
    for n in 0..MANY {
        let body = format!("A:{}:{}:n{n}:1:{}:", n + 2, first[2], first[5]);
        let checksum = Crc::<u32>::new(&CRC_32_ISCSI).checksum(body.as_bytes());
        writeln!(text, "{body}{checksum:08x}").unwrap();
    }
    fs::write(server.path("accounts"), text).unwrap();
    server.restart();
    let canary = Canary::start(&server);
    // More than a pipe holds.
    let output = Command::new(CHATD).args(["ctl", "accounts", "list"]).current_dir(server.path("")).output().unwrap();
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(listed.lines().filter(|line| line.starts_with("name=n")).count(), MANY);
    // Nobody takes the list: the others go on.
    let mut stream = UnixStream::connect(server.path("chatd.sock")).unwrap();
    stream.write_all(b"C accounts list\n").unwrap();
    let outcome = ctl(&server, &["accounts", "check"]);
    assert!(outcome.code == Some(0) && outcome.stdout.contains("sound: "), "{outcome:?}");
    canary.talks();
    canary.finish("lists of many accounts");
}
