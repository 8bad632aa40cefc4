//! Scripts: lines that were not executed, and the environment of a script.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use testkit::{Fake, Outcome, PASSWORD, Server, eventually, finish, program, run_with};

/// Runs a shell script in a folder of its own, without a terminal. `client` is the client, `$SERVER` the server.
#[track_caller]
fn run_in(home: &Path, server: SocketAddr, script: &str) -> Outcome {
    let functions = format!("client() {{ '{}' \"$@\"; }}\n", env!("CARGO_BIN_EXE_chatclient"));
    let mut command = Command::new("setsid");
    command
        .args(["-w", "sh", "-c", &(functions + script)])
        .env_remove("XDG_STATE_HOME")
        .env("HOME", home)
        .env("CLIENT", env!("CARGO_BIN_EXE_chatclient"))
        .env("SERVER", server.to_string())
        .env("CHATCLIENT_PASSWORD", PASSWORD)
        .current_dir(home);
    finish(command)
}

#[track_caller]
fn run(server: SocketAddr, script: &str) -> Outcome {
    run_in(tempfile::tempdir().unwrap().path(), server, script)
}

/// A server with an account for alice, and a user who receives public messages.
fn server() -> Server {
    let server = Server::start();
    drop(server.register("alice"));
    server
}

/// In each mode: exit code 1, and these parts on standard error.
#[track_caller]
fn check_not_done(server: &Server, input: &str, told: &[&str]) {
    for mode in ["--plain", "--json"] {
        let outcome = run(server.addr(), &format!("printf '{input}' | client {mode} $SERVER alice"));
        outcome.check(1, told);
    }
}

#[test]
fn refused_lines_are_named_on_stderr() {
    let server = server();
    check_not_done(&server, r"hi\n/dm bob psst\n", &["line 2 was not done: /dm bob psst (bob is not online)"]);
    check_not_done(&server, r"/nosuch thing\nhi\n", &["line 1 was not done: /nosuch"]);
    check_not_done(&server, r"hi\n\377\n", &["line 2 was not done"]);
    check_not_done(&server, r"a\033[31mb\n", &["line 1 was not done"]);
    check_not_done(&server, r"/join nowhere sesame\n", &["line 1 was not done: /join … ("]);
    check_not_done(&server, r"/join nowhere\nour plan\n", &["line 1 was not done", "line 2 was not done: our plan"]);
    for question in ["PM", "DM", "/dm", "/dm carol"] {
        let _carol = server.typed("carol");
        let named = format!("line 2 was not done: {question} (no text followed)");
        check_not_done(&server, &format!("hi\\n{question}\\n"), &[&named]);
    }
    let long = "x".repeat(4100);
    check_not_done(&server, &format!("hi\\n{long}\\n"), &["line 2 was not done: xxx"]);
    for mode in ["--plain", "--json"] {
        let outcome = run(server.addr(), &format!("printf 'hi\\n//x\\n/who\\n' | client {mode} $SERVER alice"));
        outcome.check(0, &[]);
        assert!(!outcome.stderr.contains("not done"), "{outcome:?}");
    }
}

#[test]
fn what_follows_a_farewell_is_told() {
    let server = server();
    for farewell in ["EX", "/quit"] {
        for mode in ["--plain", "--json"] {
            let script = format!("printf 'hi\\n{farewell}\\n\\nand this\\n' | client {mode} $SERVER alice");
            run(server.addr(), &script).check(1, &["what follows line 2 was not said: and this"]);
            let script = format!("printf 'hi\\n{farewell}\\n' | client {mode} $SERVER alice");
            let outcome = run(server.addr(), &script);
            outcome.check(0, &[]);
            assert!(!outcome.stderr.contains("not said"), "{outcome:?}");
        }
    }
    let script = "echo 'not heard' | CHATCLIENT_PASSWORD=wrong-one client --plain $SERVER alice";
    run(server.addr(), script).check(1, &["nothing on standard input was said"]);
}

#[test]
fn a_byte_order_mark_makes_no_command_public() {
    let server = server();
    let mut bob = server.typed("bob");
    let mark = r"\357\273\277";
    let script = format!(
        "printf '{mark}/dm bob one\\r\\n' >a; printf '{mark}/dm bob two\\n{mark}three\\n' >b
         cat a b | client --plain $SERVER alice"
    );
    run(server.addr(), &script).check(0, &[]);
    for expected in ["D DM", "D DM", "D PM"] {
        let line = bob.line();
        assert!(line.starts_with(expected) && !line.contains('\u{feff}'), "{line}");
    }
    // Nor is it part of a password.
    let script = format!(
        "CHATCLIENT_PASSWORD=\"$(printf '{mark}'){PASSWORD}\" client --once hi $SERVER alice &&
         printf '{mark}{PASSWORD}\\r\\n' >secret && client --password-command 'cat secret' --once hi $SERVER alice"
    );
    run(server.addr(), &script).check(0, &[]);
}

#[test]
fn a_password_for_an_operator_loses_its_mark() {
    let home = tempfile::tempdir().unwrap();
    let input = format!("\u{feff}{PASSWORD}\n");
    run_with(&program("chatd"), home.path(), &["accounts", "add", "alice"], &input).check(0, &[]);
    let server = Server::start();
    fs::copy(home.path().join("accounts"), server.path("accounts.copy")).unwrap();
    let mut server = server;
    server.term();
    fs::copy(home.path().join("accounts"), server.path("accounts")).unwrap();
    server.restart();
    drop(server.returning("alice"));
}

#[test]
fn escapes_of_other_programs_are_taken_out() {
    let server = server();
    let mut bob = server.typed("bob");
    let script = r"printf '\033[1;31merror\033[0m: \033]0;title\007red\n' | client --plain --strip-ansi $SERVER alice";
    run(server.addr(), script).check(0, &[]);
    assert!(bob.line().ends_with(" alice error: red"));
    let script = r#"client --strip-ansi --once "$(printf '\033[31mred\033[0m')" $SERVER alice"#;
    run(server.addr(), script).check(0, &[]);
    assert!(bob.line().ends_with(" alice red"));
    let script = r#"client --once "$(printf '\033[31mred')" $SERVER alice"#;
    run(server.addr(), script).check(1, &["U+001B", "--strip-ansi"]);
}

#[test]
fn a_script_registers_only_if_asked() {
    let server = server();
    for (mode, input) in [("--plain", "echo hi"), ("--json", "echo hi"), ("--once hi", "true"), ("--listen", "true")] {
        let outcome = run(server.addr(), &format!("{input} | client {mode} $SERVER alcie"));
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        let told = outcome.stdout.clone() + &outcome.stderr;
        assert!(told.contains("no account alcie") && told.contains("--register"), "{outcome:?}");
    }
    let mut other = server.greeted();
    other.send("alcie");
    other.expect("C 332 ");
    run(server.addr(), "client --register --once hi $SERVER alcie").check(0, &[]);
    // The account exists now; once more.
    run(server.addr(), "client --register --once hi $SERVER alcie").check(0, &[]);
    run(server.addr(), "client --once hi $SERVER alcie").check(0, &[]);
}

#[test]
fn once_is_silent_on_stderr() {
    let server = server();
    for mode in ["", "--plain", "--json", "--register"] {
        let script = format!(
            "client {mode} --once '-5 degrees' $SERVER alice; echo $? >code; unset HOME; client {mode} --once hi $SERVER alice"
        );
        let home = tempfile::tempdir().unwrap();
        let outcome = run_in(home.path(), server.addr(), &script);
        outcome.check(0, &[]);
        assert_eq!(outcome.stderr, "", "{mode}");
        assert!(outcome.stdout.contains("-5 degrees"), "{outcome:?}");
    }
    let outcome = run(server.addr(), "client --json --once psst --to nobody $SERVER alice");
    outcome.check(1, &["not sent: psst (nobody is not online)"]);
}

#[test]
fn who_only_listens_needs_no_input() {
    let server = server();
    let mut bob = server.typed("bob");
    bob.typed("MAKE den");
    bob.expect("C 227 ");
    for input in ["</dev/null", "<&-", ""] {
        let home = tempfile::tempdir().unwrap();
        let script = format!(
            "\"$CLIENT\" --listen --room den --json $SERVER alice {input} >events &
             until grep -q 'you listen in den' events; do sleep 0.01; done
             touch ready
             until grep -q '\"kind\":\"rm\"' events; do sleep 0.01; done
             kill -TERM $!
             wait $!"
        );
        std::thread::scope(|scope| {
            scope.spawn(|| {
                eventually("it listens", || home.path().join("ready").exists());
                bob.typed("RM den hello");
                while !bob.line().starts_with("C 250 ") {}
            });
            run_in(home.path(), server.addr(), &script).check(0, &[]);
        });
    }
    run(server.addr(), "client --listen --room nosuch $SERVER alice </dev/null")
        .check(1, &["cannot listen in nosuch: no such room"]);
}

#[test]
fn what_a_shell_has_it_ignore_stays_ignored() {
    let server = server();
    for (trap, signal) in [("trap '' HUP;", "HUP"), ("trap '' INT;", "INT"), ("", "INT")] {
        let home = tempfile::tempdir().unwrap();
        // A shell makes programs in the background ignore INT.
        let script = format!(
            "{trap} \"$CLIENT\" --listen --json $SERVER alice >events &
             until grep -q '\"status\":\"connected\"' events; do sleep 0.01; done
             kill -{signal} $!
             kill -{signal} $!
             sleep 0.2
             kill -0 $! || exit 7
             kill -TERM $!
             wait $!"
        );
        run_in(home.path(), server.addr(), &script).check(0, &[]);
    }
    let script = "nohup \"$CLIENT\" --listen --plain $SERVER alice >events 2>&1 &
         until grep -q welcome events; do sleep 0.01; done
         kill -HUP $!
         sleep 0.2
         kill -TERM $! && wait $!";
    run(server.addr(), script).check(0, &[]);
}

#[test]
fn a_reader_that_goes_ends_a_quiet_client() {
    let server = server();
    let home = tempfile::tempdir().unwrap();
    for mode in ["--json", "--json --listen", "--plain"] {
        let script = format!(
            "mkfifo commands.$$; {{ client {mode} $SERVER alice <commands.$$; echo $? >code; }} | sleep 0.3 &
             exec 3>commands.$$
             until [ -s code ]; do sleep 0.02; done
             cat code; rm code"
        );
        let outcome = run_in(home.path(), server.addr(), &script);
        assert_eq!(outcome.stdout.trim(), "0", "{mode}: {outcome:?}");
        assert!(!outcome.stderr.contains("anic") && !outcome.stderr.contains("roken pipe"), "{outcome:?}");
    }
    // Its message is sent all the same.
    let mut bob = server.typed("bob");
    for _ in 0..10 {
        run(server.addr(), "printf 'one\\n' | client --plain $SERVER alice | true").check(0, &[]);
        assert!(bob.line().ends_with(" alice one"));
    }
}

#[test]
fn a_replaced_client_ends_and_says_why() {
    for reason in ["password was changed", "another login took this place"] {
        let fake = Fake::start();
        let address = fake.addr();
        let playing = std::thread::spawn(move || {
            let mut client = fake.let_in();
            client.send(&format!("C 421 {reason}"));
            client.expect_reset_or_closed();
        });
        run(address, "client --listen --plain $SERVER alice </dev/null").check(1, &[reason]);
        playing.join().unwrap();
    }
}

#[test]
fn a_port_that_never_answers_is_told_in_time() {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    // These connections fill its queue.
    let filling: Vec<Socket> = (0..8).map(|_| Socket::new(Domain::IPV4, Type::STREAM, None).unwrap()).collect();
    for socket in &filling {
        socket.set_nonblocking(true).unwrap();
        let _under_way = socket.connect(&address);
    }
    let began = Instant::now();
    let outcome = run(address.as_socket().unwrap(), "client --once hi $SERVER alice");
    outcome.check(1, &["no answer", "not sent: hi"]);
    println!("told after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(9), "what it may take on a busy machine");
}

#[test]
fn a_server_without_a_greeting_times_out() {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let script = "\"$CLIENT\" --listen --plain $SERVER alice </dev/null 2>told &
         until grep -q 'no answer yet' told; do sleep 0.02; done
         kill $!; wait $!";
    run_in(home.path(), fake.addr(), script);
    println!("told after {:?}", began.elapsed());
}

#[test]
fn what_is_left_out_of_the_command_line() {
    let server = server();
    let port = server.addr().port();
    for destination in [
        format!("alice@127.0.0.1:{port}"),
        format!("tcp://alice@127.0.0.1:{port}"),
        format!("tcp://127.0.0.1:{port} alice"),
    ] {
        run(server.addr(), &format!("client --once hi {destination}")).check(0, &[]);
    }
    // The local user, and port 5015 by default.
    let me = Command::new("id").arg("-un").output().unwrap().stdout;
    let me = String::from_utf8(me).unwrap();
    let outcome = run(server.addr(), &format!("client --json --listen 127.0.0.1:{port} </dev/null"));
    // There is no account of that name, and some names are invalid.
    assert!(outcome.code == Some(1) && outcome.stdout.contains(me.trim()), "{outcome:?}");
}
