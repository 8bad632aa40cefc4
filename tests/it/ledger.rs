//! `chatd accounts …`: the operator's commands for accounts.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use testkit::{Outcome, PASSWORD, Server, Terminal, finish_with, run, run_with};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

/// Runs `chatd accounts …` in the server's folder, with this as standard input.
#[track_caller]
fn accounts(server: &Server, args: &[&str], input: &str) -> Outcome {
    accounts_in(server.path("").as_path(), args, input)
}

#[track_caller]
fn accounts_in(folder: &Path, args: &[&str], input: &str) -> Outcome {
    run_with(CHATD, folder, &[&["accounts"], args].concat(), input)
}

/// The listed names, each with a day.
#[track_caller]
fn listed(server: &Server) -> Vec<String> {
    let outcome = accounts(server, &["list"], "");
    outcome.check(0, &[]);
    let name = |line: &str| {
        let (name, day) = line.split_once(' ').unwrap_or_else(|| panic!("no day in {line:?}"));
        assert!(day.len() == 10 && day.starts_with("20"), "{line:?}");
        name.to_owned()
    };
    outcome.stdout.lines().map(name).collect()
}

/// A stopped server with its folder.
fn stopped() -> Server {
    let mut server = Server::start();
    server.term();
    server
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
fn added_accounts_log_in_and_deleted_ones_are_new() {
    let mut server = stopped();
    assert_eq!(listed(&server), [""; 0]);
    for name in ["Bob", "alice", "carol"] {
        accounts(&server, &["add", name], &format!("{PASSWORD}\nnot this line\n")).check(0, &[]);
    }
    let mine = fs::read(server.path("accounts.key")).unwrap();
    server.restart();
    assert!(!server.log_text().contains("[WARN]"), "{}", server.log_text());
    assert_eq!(fs::read(server.path("accounts.key")).unwrap(), mine);
    check_login(&server, "bob", PASSWORD, "C 230 welcome Bob;");
    let mut alice = server.returning("alice");
    let token = alice.ask("TOKEN").split(' ').nth(2).unwrap().to_owned();
    let mut carol = server.returning("carol");
    let hers = carol.ask("TOKEN").split(' ').nth(2).unwrap().to_owned();
    server.term();
    accounts(&server, &["passwd", "ALICE"], "battery staple\n").check(0, &[]);
    accounts(&server, &["delete", "carol"], "").check(0, &[]);
    assert_eq!(listed(&server), ["alice", "Bob"]);
    server.restart();
    check_login(&server, "alice", "battery staple", "C 230 ");
    check_login(&server, "alice", PASSWORD, "C 530 ");
    // The name is free, and the former owner's token is not valid for the new one.
    server.bare("carol").barrier();
    for (name, token) in [("alice", token), ("carol", hers)] {
        let mut client = server.greeted();
        client.send(&format!("{name} {token}"));
        client.expect("C 531 ");
    }
}

/// Runs `chatd accounts …` while the server's folder is read-only. Prints why and returns `None` if it cannot be made
/// so.
#[track_caller]
fn on_a_read_only_medium(server: &Server, args: &[&str]) -> Option<Outcome> {
    let probe = Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        println!("skipped: no mount namespace of one's own here (that takes root, and unshare)");
        return None;
    }
    let mount =
        "mount --bind . . && cd \"$PWD\" && mount -o remount,bind,ro . && ! touch x 2>/dev/null && exec \"$0\" \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", mount, CHATD, "accounts"]).args(args).current_dir(server.path(""));
    Some(finish_with(command, PASSWORD))
}

#[test]
fn what_only_reads_needs_no_lock() {
    let mut server = stopped();
    accounts(&server, &["add", "alice"], PASSWORD).check(0, &[]);
    let names = || fs::read_dir(server.path("")).unwrap().map(|file| file.unwrap().file_name()).collect::<Vec<_>>();
    fs::remove_file(server.path("accounts.lock")).unwrap();
    let before = names();
    let Some(outcome) = on_a_read_only_medium(&server, &["check"]) else { return };
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "sound: 1 account\n"), "{outcome:?}");
    let outcome = on_a_read_only_medium(&server, &["list"]).unwrap();
    assert!(outcome.code == Some(0) && outcome.stdout.starts_with("alice "), "{outcome:?}");
    for args in [&["repair"][..], &["add", "bob"]] {
        on_a_read_only_medium(&server, args).unwrap().check(78, &["accounts.lock: cannot be created", "Read-only"]);
    }
    assert_eq!(names(), before);
    // A lock that is held elsewhere does not prevent reading.
    server.restart();
    for args in ["list", "check"] {
        on_a_read_only_medium(&server, &[args]).unwrap().check(0, &[]);
    }
}

#[test]
fn failed_commands_change_nothing() {
    let server = stopped();
    accounts(&server, &["add", "alice"], PASSWORD).check(0, &[]);
    let before = fs::read(server.path("accounts")).unwrap();
    for (args, input, code, told) in [
        (&["add", "ALICE"][..], PASSWORD, 1, "alice has an account already"),
        (&["add", "bob"], "short\n", 1, "a password has 8 to 128 bytes, and this one has 5"),
        (&["add", "bob"], "", 1, "a password has 8 to 128 bytes, and this one has 0"),
        (&["add", "bob"], "correct\u{1b}[2Jhorse\n", 1, "without control or invisible characters"),
        (&["add", "1\u{1b}[2J"], PASSWORD, 1, "is not a valid name"),
        (&["add", "server"], PASSWORD, 1, "is reserved"),
        (&["passwd", "bob"], PASSWORD, 1, "'bob' has no account"),
        (&["delete", "bob"], "", 1, "'bob' has no account"),
        (&["list", "--set", "accounts.file='nowhere'"], "", 1, "nowhere: there is no such file"),
        (&["list", "--set", "accounts.file=1"], "", 78, "accounts.file"),
        (&["list", "--config", "nowhere.toml"], "", 78, "nowhere.toml"),
        (&["add"], "", 2, "<NAME>"),
        (&["list", "alice"], "", 2, "alice"),
        (&[], "", 2, "Usage"),
        (&["remove", "alice"], "", 2, "remove"),
    ] {
        let outcome = accounts(&server, args, input);
        outcome.check(code, &[told]);
        assert!(!outcome.stderr.contains('\u{1b}') && outcome.stdout.is_empty(), "{outcome:?}");
        assert_eq!(fs::read(server.path("accounts")).unwrap(), before, "{args:?}");
    }
    run(CHATD, &server.path(""), &["--check", "accounts", "list"]).check(2, &["--check"]);
}

#[test]
fn the_configuration_says_which_accounts() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("etc")).unwrap();
    let cheap = "argon2 = { memory_kib = 8, iterations = 1, parallelism = 1 }";
    let text = format!("[accounts]\nfile = 'names'\npassword_min_bytes = 3\n{cheap}\n");
    fs::write(folder.path().join("etc/chatd.toml"), text).unwrap();
    let check = |args: &[&str], file: &str| {
        run_with(CHATD, folder.path(), args, "abc\n").check(0, &[]);
        assert!(folder.path().join(file).exists(), "{args:?}");
    };
    check(&["--config", "etc/chatd.toml", "accounts", "add", "alice"], "etc/names");
    check(&["accounts", "add", "bob", "--config", "etc/chatd.toml"], "etc/names");
    let other = ["--set", "accounts.file='other'"];
    check(&[&other[..], &["accounts", "add", "bob", "--config", "etc/chatd.toml"]].concat(), "etc/other");
    let outcome = accounts_in(folder.path(), &["list", "--config", "etc/chatd.toml"], "");
    assert_eq!(outcome.stdout.lines().count(), 2, "{outcome:?}");
}

#[test]
fn a_damaged_file_is_told_repaired_and_kept() {
    let mut server = stopped();
    for name in ["alice", "bob", "carol"] {
        accounts(&server, &["add", name], PASSWORD).check(0, &[]);
    }
    let sound = accounts(&server, &["check"], "");
    assert_eq!((sound.code, sound.stdout.as_str()), (Some(0), "sound: 3 accounts\n"));
    let damaged = fs::read_to_string(server.path("accounts")).unwrap().replace(":bob:", ":bo\u{7}:");
    fs::write(server.path("accounts"), &damaged).unwrap();
    server.fails_to_start().check(78, &["line 3: its checksum does not fit", "chatd accounts repair"]);
    for args in [&["list"][..], &["add", "dave"], &["passwd", "alice"]] {
        accounts(&server, args, PASSWORD).check(78, &["line 3: its checksum does not fit"]);
    }
    accounts(&server, &["check"], "").check(78, &["line 3: its checksum does not fit", "recovers 2 accounts"]);
    assert_eq!(fs::read_to_string(server.path("accounts")).unwrap(), damaged, "so far nothing was changed");
    let outcome = accounts(&server, &["repair"], "");
    outcome.check(0, &[]);
    for told in ["line 3: its checksum does not fit", "repaired: 2 accounts", "accounts.damaged-", "tokens are void"] {
        assert!(outcome.stdout.contains(told), "{outcome:?}");
    }
    let kept = fs::read_dir(server.path("")).unwrap().map(|file| file.unwrap().path());
    let kept: Vec<_> = kept.filter(|path| path.to_string_lossy().contains("accounts.damaged-")).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(fs::read_to_string(&kept[0]).unwrap(), damaged);
    server.restart();
    ["alice", "carol"].iter().for_each(|name| server.returning(name).barrier());
    server.bare("bob").barrier();
}

/// Types these lines at a terminal, and returns its output. `None` without `script`, which makes the terminal.
#[track_caller]
fn at_a_terminal(server: &Server, command: &str, lines: &[&str]) -> Option<Outcome> {
    if Command::new("script").arg("--version").output().is_err() {
        println!("skipped: there is no `script` (util-linux) to make a terminal with");
        return None;
    }
    let mut script = Command::new("script");
    script.current_dir(server.path("")).args(["-qec", &format!("{CHATD} {command}"), "/dev/null"]);
    let typed: String = lines.iter().map(|line| format!("{line}\n")).collect();
    Some(finish_with(script, &typed))
}

#[test]
fn at_a_terminal_a_password_is_asked_for_twice() {
    let mut server = stopped();
    let Some(outcome) = at_a_terminal(&server, "accounts add alice", &[PASSWORD, PASSWORD]) else { return };
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    for shown in ["New password for alice: ", "Repeat the password: ", "alice has an account"] {
        assert!(outcome.stdout.contains(shown), "{outcome:?}");
    }
    let outcome = at_a_terminal(&server, "accounts passwd alice", &["battery staple", "battery stable"]).unwrap();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stdout.contains("the passwords differ; nothing was changed"), "{outcome:?}");
    let outcome = at_a_terminal(&server, "accounts add ALICE", &[]).unwrap();
    assert!(outcome.stdout.contains("alice has an account already"), "before a password is asked for: {outcome:?}");
    server.restart();
    server.returning("alice").barrier();
}

/// A person is asked for a new password, has begun to type it, and interrupts.
#[track_caller]
fn check_interrupted(interrupt: impl Fn(&mut Terminal)) {
    let server = stopped();
    let before = fs::read(server.path("accounts")).unwrap();
    let home = tempfile::tempdir().unwrap();
    let config = server.path("config.toml").to_string_lossy().into_owned();
    let arguments = ["--config", config.as_str(), "accounts", "add", "alice"];
    for typed in ["", "half a pass", "correct horse\r"] {
        let mut terminal = Terminal::start(24, 80, home.path(), CHATD, &arguments);
        terminal.wait_for("New password for alice: ");
        assert!(!terminal.is_cooked(), "a password is seen");
        terminal.keys(typed);
        if typed.ends_with('\r') {
            terminal.wait_for("Repeat the password: ");
        }
        interrupt(&mut terminal);
        terminal.expect_exit(1);
        let shown = terminal.contents();
        assert!(shown.ends_with("\nchatd: interrupted; nothing was changed"), "{typed:?}: {shown}");
        assert_eq!(fs::read(server.path("accounts")).unwrap(), before);
    }
}

#[test]
fn an_interrupt_restores_the_terminal() {
    check_interrupted(|terminal| terminal.keys("\x03"));
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT] {
        check_interrupted(|terminal| terminal.signal(signal));
    }
}
