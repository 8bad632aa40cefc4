//! The client in shell scripts: `--plain`, `--json`, `--once`, and exit codes.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use testkit::{Fake, Outcome, PASSWORD, Server, eventually, finish, pause};

/// Runs a shell script in a folder of its own, without a terminal. `client` is the client, which may create accounts;
/// `$HOST` and `$PORT` are the server; the password is in the environment.
#[track_caller]
fn run_in(home: &Path, server: &Server, script: &str) -> Outcome {
    let functions = format!("client() {{ '{}' --register \"$@\"; }}\n", env!("CARGO_BIN_EXE_chatclient"));
    // In the session of the test it would ask for a password at the terminal.
    let mut command = Command::new("setsid");
    command
        .args(["-w", "sh", "-c", &(functions + script)])
        .env_remove("XDG_STATE_HOME")
        .env("HOME", home)
        .env("HOST", server.addr().ip().to_string())
        .env("PORT", server.addr().port().to_string())
        .env("CHATCLIENT_PASSWORD", PASSWORD)
        .current_dir(home);
    finish(command)
}

#[track_caller]
fn run(server: &Server, script: &str) -> Outcome {
    run_in(tempfile::tempdir().unwrap().path(), server, script)
}

/// The lines of standard output without their date and time.
fn texts(outcome: &Outcome) -> Vec<&str> {
    outcome.stdout.lines().map(|line| line.get(20..).expect("a date and a time")).collect()
}

#[test]
fn plain_reads_commands_and_writes_lines() {
    let server = Server::start();
    let mut bob = server.typed("bob");
    let outcome = run(&server, r"printf 'hello\n/dm bob psst\n/who\n//slash' | client --plain $HOST $PORT alice");
    outcome.check(0, &["welcome alice"]);
    let expected = ["alice: hello (sent to 1)", "-> bob: psst (sent to bob)", "  alice", "  bob", "  2 online"];
    assert_eq!(texts(&outcome)[..5], expected);
    assert_eq!(texts(&outcome)[5], "alice: /slash (sent to 1)");
    assert!(!outcome.stdout.contains('\x1b') && !outcome.stderr.contains('\x1b'));
    for text in ["hello", "psst", "/slash"] {
        assert!(bob.line().ends_with(&format!(" alice {text}")));
    }
}

#[test]
fn a_line_of_a_script_is_said_as_it_is() {
    let server = Server::start();
    let mut bob = server.typed("bob");
    let outcome = run(
        &server,
        r"printf '  code\nPM me the link\nDM\302\240bob x\n/pm  y\n/j' | client --plain $HOST $PORT alice",
    );
    outcome.check(1, &["line 5 was not done"]);
    // Errors in commands appear at once, messages when they are confirmed.
    let texts = texts(&outcome).into_iter().filter(|text| text.starts_with("alice: "));
    let said = ["  code", "PM me the link", "DM\u{a0}bob x", "y"];
    for (shown, text) in texts.zip(said) {
        assert_eq!(shown, format!("alice: {text} (sent to 1)"));
        assert!(bob.line().ends_with(&format!(" alice {text}")));
    }
}

#[test]
fn without_a_terminal_it_is_plain_by_itself() {
    let server = Server::start();
    let outcome = run(&server, "echo hello | client $HOST $PORT alice");
    outcome.check(0, &[]);
    assert_eq!(texts(&outcome), ["alice: hello (sent to 0)"]);
}

#[test]
fn json_is_an_object_a_line() {
    let server = Server::start();
    let mut bob = server.typed("bob");
    let home = tempfile::tempdir().unwrap();
    let script = r#"
        mkfifo commands
        client --json $HOST $PORT alice <commands >events &
        exec 3>commands
        echo 'ready' >&3
        until grep -q '"kind":"dm"' events; do sleep 0.01; done
        echo '/who' >&3
        exec 3>&-
        wait $!
    "#;
    let talking = std::thread::spawn(move || {
        assert!(bob.line().ends_with(" alice ready"));
        bob.typed("DM alice \u{e9} \"quoted\"");
        bob.expect("C 250 ");
        bob
    });
    let outcome = run_in(home.path(), &server, script);
    talking.join().unwrap();
    outcome.check(0, &[]);
    let text = fs::read_to_string(home.path().join("events")).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of_kind = |kind: &str| events.iter().filter(|event| event["kind"] == kind).collect::<Vec<_>>();
    let (dm, pm) = (of_kind("dm"), of_kind("pm"));
    assert_eq!((dm[0]["from"].as_str(), dm[0]["text"].as_str()), (Some("bob"), Some("\u{e9} \"quoted\"")));
    assert!(dm[0]["id"].as_str().unwrap().parse::<u64>().unwrap() > 1 << 60 && dm[0]["time"].is_string());
    assert_eq!((pm[0]["from"].as_str(), pm[0]["text"].as_str()), (Some("alice"), Some("ready")));
    let codes: Vec<_> = of_kind("reply").iter().map(|reply| reply["code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [211, 211, 211]);
    assert!(!of_kind("status").is_empty());
}

#[test]
fn once_sends_one_message() {
    let server = Server::start();
    let mut bob = server.typed("bob");
    let outcome = run(
        &server,
        "client --once 'hello from cron' $HOST $PORT alice && client --once psst --to bob $HOST $PORT alice",
    );
    outcome.check(0, &[]);
    assert!(bob.line().ends_with(" alice hello from cron"));
    assert!(bob.line().ends_with(" alice psst"));
}

#[test]
fn once_says_when_it_was_not_confirmed() {
    let server = Server::start();
    run(&server, "client --once psst --to nobody $HOST $PORT alice").check(1, &["nobody is not online"]);
    run(&server, "CHATCLIENT_PASSWORD=wrong-one client --once hi $HOST $PORT alice").check(1, &["wrong password"]);
    // Standard input is not read: it belongs to the script.
    let outcome = run(&server, "printf 'one\ntwo\n' | while read -r x; do client --once $x $HOST $PORT alice; done");
    outcome.check(0, &[]);
    assert_eq!(texts(&outcome), ["alice: one (sent to 0)", "alice: two (sent to 0)"]);
}

#[test]
fn a_failing_password_program_ends_the_client() {
    let server = Server::start();
    let outcome = run(
        &server,
        "unset CHATCLIENT_PASSWORD; printf 'correct horse\nnext line\n' >secret
         client --password-command 'cat secret' --once hi $HOST $PORT alice",
    );
    outcome.check(0, &[]);
    let outcome = run(&server, "unset CHATCLIENT_PASSWORD; client --once hi $HOST $PORT alice </dev/null");
    outcome.check(1, &["CHATCLIENT_PASSWORD", "--password-command", "no terminal"]);
    let outcome = run(&server, "client --password-command 'sh -c \"exit 7\"' --once hi $HOST $PORT alice");
    outcome.check(1, &["--password-command sh", "exit status: 7"]);
}

#[test]
fn usage_is_told_with_2() {
    let server = Server::start();
    for arguments in ["", "$HOST $PORT alice bob", "$HOST 0 alice", "$HOST $PORT 'al ice'", "--to bob $HOST alice"] {
        let outcome = run(&server, &format!("client {arguments} </dev/null"));
        assert_eq!(outcome.code, Some(2), "{arguments}: {outcome:?}");
        assert!(outcome.stdout.is_empty() && outcome.stderr.contains("for example: chatclient "), "{outcome:?}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    }
    let outcome = run(&server, "client --help");
    outcome.check(0, &[]);
    assert!(outcome.stdout.contains("CHATCLIENT_PASSWORD") && !outcome.stdout.contains("--password "));
}

#[test]
fn servers_are_tried_in_turn() {
    let server = Server::start();
    // Nobody listens on port 1.
    let outcome = run(&server, "echo hello | client --plain 127.0.0.1:1,$HOST:$PORT alice");
    outcome.check(0, &["127.0.0.1:1: nobody listens there"]);
    assert_eq!(texts(&outcome), ["alice: hello (sent to 0)"]);
}

#[test]
fn an_ipv6_address_is_written_as_people_write_it() {
    if TcpListener::bind("[::1]:0").is_err() {
        eprintln!("skipped: there is no IPv6 here");
        return;
    }
    let server = Server::builder().listen(&["line://[::1]:0"]).start();
    for address in ["::1 $PORT", "[::1]:$PORT"] {
        let outcome = run(&server, &format!("echo hello | client --plain {address} alice"));
        outcome.check(0, &[]);
        assert_eq!(texts(&outcome), ["alice: hello (sent to 0)"]);
    }
}

#[test]
fn nobody_who_reads_is_a_quiet_end() {
    let server = Server::start();
    let mut bob = server.typed("bob");
    let talking = std::thread::spawn(move || {
        assert!(bob.line().ends_with(" alice hello"));
        // The first line shown is alice's own; the next one has no reader.
        for n in 0..200 {
            bob.typed(&format!("PM {n}"));
            if bob.reply().ends_with("sent to 0") {
                return;
            }
            pause(20);
        }
        panic!("alice goes on");
    });
    let home = tempfile::tempdir().unwrap();
    let script = r"
        mkfifo commands
        { client --plain $HOST $PORT alice <commands; echo $? >code; } | head -n 1 &
        exec 3>commands
        echo hello >&3
        until [ -s code ]; do sleep 0.02; done
    ";
    let outcome = run_in(home.path(), &server, script);
    talking.join().unwrap();
    assert_eq!(fs::read_to_string(home.path().join("code")).unwrap().trim(), "0");
    assert!(!outcome.stderr.contains("anic") && !outcome.stderr.contains("roken pipe"), "{outcome:?}");
}

#[test]
fn invalid_lines_are_reported_and_skipped() {
    let server = Server::start();
    let script =
        r"{ head -c 100000 /dev/zero | tr '\0' x; printf '\nafter\n\377\nlast'; } | client --plain $HOST $PORT alice";
    let outcome = run(&server, script);
    outcome.check(1, &["64 KiB", "UTF-8"]);
    assert_eq!(texts(&outcome), ["alice: after (sent to 0)", "alice: last (sent to 0)"]);
}

#[test]
fn a_thousand_lines_are_all_sent_in_order() {
    let server = Server::builder().no_rates().start();
    let mut bob = server.typed("bob");
    let outcome = run(&server, "seq 1000 | client --plain $HOST $PORT alice | wc -l");
    outcome.check(0, &[]);
    assert_eq!(outcome.stdout.trim(), "1000");
    for n in 1..=1000 {
        assert!(bob.line().ends_with(&format!(" alice {n}")));
    }
}

#[test]
fn a_signal_ends_a_script_too() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let script = r"
        mkfifo commands
        '$CLIENT' --register --plain $HOST $PORT alice <commands >lines &
        exec 3>commands
        echo hello >&3
        until grep -q hello lines; do sleep 0.01; done
        kill -TERM $!
        wait $!
    "
    .replace("$CLIENT", env!("CARGO_BIN_EXE_chatclient"));
    run_in(home.path(), &server, &script).check(0, &[]);
}

#[test]
fn a_signal_ends_the_password_program_too() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    let script = r#"
        '$CLIENT' --register --plain --password-command "sh -c 'echo \$\$ >asked; exec sleep 60'" $HOST $PORT new &
        until [ -s asked ]; do sleep 0.01; done
        kill -TERM $!
        wait $!
        code=$?
        kill -0 $(cat asked) && echo 'the program is still there'
        exit $code
    "#
    .replace("$CLIENT", env!("CARGO_BIN_EXE_chatclient"));
    let outcome = run_in(home.path(), &server, &script);
    outcome.check(0, &[]);
    assert!(!outcome.stdout.contains("still there"), "{outcome:?}");
}

#[track_caller]
fn check_ends_with_a_full_pipe(signal: Signal) {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_chatclient"))
        .args(["--plain", &fake.addr().to_string(), "alice"])
        .env("HOME", home.path())
        .env_remove("XDG_STATE_HOME")
        .env("CHATCLIENT_PASSWORD", PASSWORD)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _stdin = child.stdin.take();
    let mut stdout = child.stdout.take().unwrap();
    let mut client = fake.let_in();
    for _ in 0..200 {
        client.send(&format!("D PM 1882415750197542913 bob {}", "y".repeat(1000)));
    }
    eventually("the pipe is full", || rustix::io::ioctl_fionread(&stdout).unwrap() >= 40_000);
    pause(50);
    kill_process(Pid::from_child(&child), signal).unwrap();
    eventually("it has ended", || child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    std::io::copy(&mut stdout, &mut std::io::sink()).unwrap();
}

#[test]
fn a_signal_ends_it_with_a_blocked_pipe() {
    check_ends_with_a_full_pipe(Signal::TERM);
    check_ends_with_a_full_pipe(Signal::INT);
}

#[test]
fn a_given_password_is_the_only_one() {
    let server = Server::start();
    let home = tempfile::tempdir().unwrap();
    run_in(home.path(), &server, "echo hello | client --plain $HOST $PORT alice").check(0, &[]);
    // Although there is a token now.
    for mode in ["--once hi", "--plain", "--json"] {
        let script = format!("echo hi | CHATCLIENT_PASSWORD=wrong-one client {mode} $HOST $PORT alice");
        let outcome = run_in(home.path(), &server, &script);
        let told = outcome.stdout.clone() + &outcome.stderr;
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        for part in ["wrong password", "check CHATCLIENT_PASSWORD: the password that it gives is wrong"] {
            assert!(told.contains(part), "{outcome:?}");
        }
        assert!(!told.contains("no terminal") && !told.contains("left"), "{outcome:?}");
    }
    let script = "unset CHATCLIENT_PASSWORD; echo hi | client --plain $HOST $PORT alice";
    run_in(home.path(), &server, script).check(0, &[]);
}

#[test]
fn once_needs_nobody_who_reads() {
    let server = Server::start();
    let mut bob = server.typed("bob");
    for to in [">/dev/full", "| true"] {
        for mode in ["", "--json"] {
            let script = format!("{{ client {mode} --once hi $HOST $PORT alice; echo $? >code; }} {to}");
            let home = tempfile::tempdir().unwrap();
            run_in(home.path(), &server, &script).check(0, &[]);
            assert_eq!(fs::read_to_string(home.path().join("code")).unwrap().trim(), "0", "{to} {mode}");
            assert!(bob.line().ends_with(" alice hi"));
        }
    }
    let home = tempfile::tempdir().unwrap();
    let script = "client --once hi --to nobody $HOST $PORT alice >/dev/full";
    run_in(home.path(), &server, script).check(1, &["nobody is not online"]);
}

/// Lets the client read the output of `input`, and ends its reader after one line. `play` is the server, and can wait
/// for the reader to be gone; `code` is the expected exit code.
#[track_caller]
fn check_reader_goes(input: &str, mode: &str, play: impl FnOnce(&Fake, &dyn Fn()) + Send, code: &str) {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let script = format!(
        "{{ {input} | '{}' {mode} $SERVER alice; echo $? >code; }} | {{ head -n 1; exec <&-; touch gone; }}\n\
         until [ -s code ]; do sleep 0.01; done",
        env!("CARGO_BIN_EXE_chatclient")
    );
    let mut command = Command::new("setsid");
    command
        .args(["-w", "sh", "-c", &script])
        .env_remove("XDG_STATE_HOME")
        .env("HOME", home.path())
        .env("SERVER", fake.addr().to_string())
        .env("CHATCLIENT_PASSWORD", PASSWORD)
        .current_dir(home.path());
    let outcome = std::thread::scope(|scope| {
        let gone = home.path().join("gone");
        scope.spawn(move || play(&fake, &|| eventually("the reader has gone", || gone.exists())));
        finish(command)
    });
    assert_eq!(fs::read_to_string(home.path().join("code")).unwrap().trim(), code, "{outcome:?}");
    assert_eq!(outcome.stderr.contains("standard output"), code != "0", "{outcome:?}");
}

#[test]
fn a_reader_gone_after_the_last_line_ends_well() {
    check_reader_goes(
        r"printf 'a\nb\nc\n'",
        "--plain",
        |fake, wait_for_reader| {
            let mut client = fake.let_in();
            ["C PM a", "C PM b", "C PM c", "C EX"].iter().for_each(|line| client.expect_exact(line));
            client.send("C 250 sent to 0");
            wait_for_reader();
            // Now the client notices that nobody reads. The last message is still confirmed.
            client.send("C 250 sent to 0");
            pause(50);
            client.send("C 250 sent to 0");
            client.send("C 221 bye");
        },
        "0",
    );
}

#[test]
fn a_reader_gone_with_lines_waiting_is_a_failure() {
    check_reader_goes(
        r"printf '/join den\nb\nc\n'",
        "--plain",
        |fake, wait_for_reader| {
            let mut client = fake.let_in();
            client.expect_exact("C JOIN den");
            client.send("D PM 1882415750197542913 bob one");
            wait_for_reader();
            client.send("D PM 1882415750197542913 bob two");
            client.expect_exact("C EX");
            client.send("C 227 den token=A");
            client.send("C 221 bye");
        },
        "1",
    );
}

#[test]
fn a_reader_gone_before_login_ends_well() {
    for (input, code) in [("true", "0"), ("echo hello", "1")] {
        check_reader_goes(
            input,
            "--json",
            |fake, wait_for_reader| {
                let mut client = fake.accept();
                wait_for_reader();
                client.send("C 220 fake 0 ready; your name?");
                client.expect("C alice");
                client.send("C 331 your password?");
                client.expect("C ");
                // Nobody reads this output.
                client.send("C 450 busy, try again in 2 s");
                client.expect_reset_or_closed();
            },
            code,
        );
    }
}

#[test]
fn lost_output_is_a_failure() {
    let server = Server::start();
    run(&server, "echo hello | client --plain $HOST $PORT alice >/dev/full").check(1, &["standard output"]);
    // The very first event has no reader.
    let outcome = run(&server, "echo hello | client --json $HOST $PORT alice >/dev/full");
    outcome.check(1, &["standard output"]);
    let script =
        r"{ { seq 5000; cat; } | { client --plain $HOST $PORT alice; echo $? >code; } | head -n 1; } </dev/null";
    let home = tempfile::tempdir().unwrap();
    let outcome = run_in(home.path(), &server, script);
    assert_eq!(fs::read_to_string(home.path().join("code")).unwrap().trim(), "1", "{outcome:?}");
    assert!(outcome.stderr.contains("standard output"), "{outcome:?}");
}

#[test]
fn answers_to_what_was_typed_are_output() {
    let server = Server::start();
    let outcome = run(&server, r"printf '/help\n/nosuch\n/dm 1 2\n/join\n' | client --plain $HOST $PORT alice");
    for part in ["/who", "there is no /nosuch", "usage: /join"] {
        assert!(outcome.stdout.contains(part) && !outcome.stderr.contains(part), "{part}: {outcome:?}");
    }
    assert!(!outcome.stdout.contains("connecting"), "{outcome:?}");
}

#[test]
fn input_that_cannot_be_read_is_told() {
    let server = Server::start();
    run(&server, "client --plain $HOST $PORT alice </").check(1, &["standard input", "directory"]);
}

#[test]
fn json_together_with_plain_is_json() {
    let server = Server::start();
    let outcome = run(&server, "echo hello | client --plain --json $HOST $PORT alice");
    outcome.check(0, &[]);
    assert!(outcome.stdout.lines().all(|line| line.starts_with('{')), "{outcome:?}");
}
