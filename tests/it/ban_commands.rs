//! `ban`, `unban` and `bans` at the operator's socket: what they do to clients and to the file, whatever the disk does.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::Command;

use testkit::{Canary, Outcome, PASSWORD, Server, Strace, eventually, run};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

#[track_caller]
fn ctl(server: &Server, args: &[&str]) -> Outcome {
    run(CHATD, &server.path(""), &[&["ctl"], args].concat())
}

#[track_caller]
fn check(server: &Server, args: &[&str], code: i32, told: &str) {
    let outcome = ctl(server, args);
    assert_eq!(outcome.code, Some(code), "{args:?}: {outcome:?}");
    let out = if code == 0 { &outcome.stdout } else { &outcome.stderr };
    assert!(out.contains(told), "{args:?}: {outcome:?}");
}

#[track_caller]
fn check_file(server: &Server, expected: &str) {
    assert_eq!(fs::read_to_string(server.path("bans")).unwrap_or_default(), expected);
}

#[track_caller]
fn check_login(server: &Server, name: &str, answer: &str) {
    let mut client = server.greeted();
    client.send(name);
    client.expect("C 331 ");
    client.send(PASSWORD);
    client.expect(answer);
}

#[test]
fn a_ban_puts_out_is_listed_and_is_lifted() {
    let server = Server::start();
    let mut mallory = server.bare("Mallory");
    let mut again = server.bare("mallory");
    let mut alice = server.bare("alice");
    check(&server, &["ban", "mallory", "spam,", "and more"], 0, "mallory is banned");
    for client in [&mut mallory, &mut again] {
        client.expect_421("banned: spam, and more");
        client.expect_closed();
    }
    alice.barrier();
    check_file(&server, "mallory - spam, and more\n");
    assert_eq!(fs::metadata(server.path("bans")).unwrap().permissions().mode() & 0o7777, 0o600);
    check_login(&server, "mallory", "C 421 banned: spam, and more");
    check(&server, &["ban", "192.0.2.0/24", "--for", "2h"], 0, "192.0.2.0/24 is banned");
    check(&server, &["ban", "2001:db8::7", "x", "--for=1d"], 0, "2001:db8::/64 is banned");
    let listed = ctl(&server, &["bans"]);
    listed.check(0, &[]);
    let lines: Vec<&str> = listed.stdout.lines().collect();
    assert_eq!(lines[0], "what=mallory until=- reason=\"spam, and more\"");
    assert!(lines[1].starts_with("what=192.0.2.0/24 until=") && lines[1].ends_with(" reason="), "{lines:?}");
    assert!(lines[2].starts_with("what=2001:db8::/64 until="), "{lines:?}");
    let json = ctl(&server, &["--json", "bans"]);
    assert_eq!(json.stdout.lines().next(), Some(r#"{"what":"mallory","until":null,"reason":"spam, and more"}"#));
    assert!(
        json.stdout.lines().nth(1).unwrap().contains("\"until\":17") || json.stdout.contains("\"until\":1"),
        "{json:?}"
    );
    check(&server, &["unban", "MALLORY"], 0, "the ban is lifted");
    check_login(&server, "mallory", "C 230 ");
    check(&server, &["unban", "2001:db8::8"], 0, "the ban is lifted");
    check(&server, &["unban", "mallory"], 1, "there is no such ban");
    assert!(server.log_text().contains("ban mallory spam, and more"), "{}", server.log_text());
}

#[test]
fn a_ban_for_a_time_ends_and_goes_with_the_next_change() {
    let server = Server::start();
    let mut bob = server.bare("bob");
    check(&server, &["ban", "bob", "--for", "2s", "for", "a moment"], 0, "bob is banned");
    bob.expect_421("banned: for a moment");
    eventually("it ends", || {
        let mut client = server.greeted();
        client.send_raw(format!("bob\n{PASSWORD}\n").as_bytes());
        client.expect("C 331 ");
        client.line().starts_with("C 230 ")
    });
    assert_eq!(ctl(&server, &["bans"]).stdout, "");
    assert!(fs::read_to_string(server.path("bans")).unwrap().starts_with("bob "));
    check(&server, &["ban", "carol"], 0, "carol is banned");
    check_file(&server, "carol -\n");
}

#[test]
fn loopback_is_put_out_and_the_operator_is_not() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    check(&server, &["ban", "127.0.0.1", "no", "locals"], 0, "127.0.0.1 is banned");
    alice.expect_421("banned: no locals");
    server.connect().expect_421("banned: no locals");
    check(&server, &["unban", "127.0.0.1"], 0, "lifted");
    server.returning("alice").barrier();
}

#[test]
fn what_cannot_be_banned() {
    let server = Server::builder().set("limits.proxies", "[\"192.0.2.0/24\", \"2001:db8::1\"]").start();
    for (args, told) in [
        (&["ban"][..], "usage: ban "),
        (&["ban", "--for", "2h"], "usage: ban "),
        (&["ban", "bob", "--for", "2y"], "a time is"),
        (&["ban", "bob", "--for", "0s"], "a time is"),
        (&["ban", "bob", "--for", "1h", "x", "--for", "2h"], "usage: ban "),
        (&["ban", "~guest"], "must be a name, an address or a network"),
        (&["ban", "10.0.0.1/8"], "write 10.0.0.0/8"),
        (&["ban", "10.0.0.0/33"], "must be an address or a network"),
        (&["ban", "192.0.2.7"], "is a proxy"),
        (&["ban", "192.0.0.0/16"], "is a proxy"),
        (&["ban", "2001:db8::77"], "is a proxy"),
        (&["unban"], "usage: unban "),
        (&["unban", "10.0.0.1/8"], "write 10.0.0.0/8"),
        (&["unban", "bob"], "there is no such ban"),
        (&["bans", "all"], "usage: bans"),
    ] {
        check(&server, args, 1, told);
    }
    let long = "x".repeat(201);
    check(&server, &["ban", "bob", &long], 1, "200 bytes");
    check(&server, &["ban", "bob", &long[1..]], 0, "bob is banned");
    check(&server, &["ban", "198.51.100.0/24"], 0, "is banned");
}

#[test]
fn a_failing_disk_is_told_and_changes_nothing() {
    let server = Server::builder().no_rates().start();
    server.bare("bob").barrier();
    server.bare("carol").barrier();
    check(&server, &["ban", "bob", "x"], 0, "bob is banned");
    for injection in [
        "fsync:error=EIO",
        "/^rename:error=ENOSPC",
        "fchmod:error=EROFS",
        "fsync:error=EIO:when=2+",
        "/^unlink:error=EIO",
    ] {
        let canary = Canary::start(&server);
        let Some(strace) = Strace::attach(&server, &[injection]) else { return };
        check(&server, &["ban", "carol", "y"], 1, "bans: cannot be written");
        check(&server, &["unban", "bob"], 1, "bans: cannot be written");
        drop(strace);
        check_file(&server, "bob - x\n");
        check_login(&server, "carol", "C 230 ");
        check_login(&server, "bob", "C 421 banned: x");
        assert_eq!(ctl(&server, &["bans"]).stdout, "what=bob until=- reason=x\n");
        canary.talks();
        canary.finish(injection);
    }
    check(&server, &["ban", "carol", "y"], 0, "carol is banned");
    check_file(&server, "bob - x\ncarol - y\n");
}

#[test]
fn kill_9_at_every_step_of_a_ban() {
    let mut server = Server::start();
    server.bare("bob").barrier();
    check(&server, &["ban", "bob", "old"], 0, "bob is banned");
    let mut kills = 0;
    for (call, when) in [("/^unlink", 1), ("fchmod", 1), ("fsync", 1), ("/^rename", 1), ("fsync", 2)] {
        let kill = format!("{call}:signal=KILL:when={when}");
        let Some(strace) = Strace::attach(&server, &[&kill]) else { return };
        let outcome = ctl(&server, &["ban", "carol", "new"]);
        eventually(&format!("{kill} kills it"), || server.is_dead());
        drop(strace);
        assert_eq!(server.wait_exit().signal(), Some(9), "{kill}");
        assert_eq!(outcome.code, Some(75), "nobody was told that it is done: {outcome:?}");
        let text = fs::read_to_string(server.path("bans")).unwrap();
        assert!(["bob - old\n", "bob - old\ncarol - new\n"].contains(&text.as_str()), "{kill}: {text:?}");
        server.restart();
        check_login(&server, "bob", "C 421 banned: old");
        check(&server, &["ban", "dave", "after"], 0, "dave is banned");
        for done in ["dave", "carol"] {
            let _ = ctl(&server, &["unban", done]);
        }
        check_file(&server, "bob - old\n");
        kills += 1;
    }
    println!("killed at {kills} steps");
    // Once it is said to be done, it is on disk.
    check(&server, &["ban", "carol", "new"], 0, "carol is banned");
    server.kill9();
    check_file(&server, "bob - old\ncarol - new\n");
    let left: Vec<PathBuf> = fs::read_dir(server.path("")).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!left.iter().any(|path| path.ends_with("bans.new")), "{left:?}");
}

#[test]
fn an_edit_is_kept_and_a_bad_one_is_told() {
    let server = Server::start();
    check(&server, &["ban", "bob", "x"], 0, "bob is banned");
    let write = |text: &str| {
        fs::write(server.path("bans"), text).unwrap();
        fs::set_permissions(server.path("bans"), Permissions::from_mode(0o600)).unwrap();
    };
    write("bob - x\nmallory - by hand\n");
    check(&server, &["ban", "carol", "y"], 0, "carol is banned");
    check_file(&server, "bob - x\ncarol - y\nmallory - by hand\n");
    let mut mallory = server.greeted();
    mallory.send("mallory");
    mallory.expect("C 553 ");
    write("bob - x\nmallory by hand\n");
    check(&server, &["ban", "dave", "z"], 1, "bans: line 2: its second word");
    check_file(&server, "bob - x\nmallory by hand\n");
}

#[test]
fn ten_thousand_and_no_more() {
    let mut server = Server::start();
    server.term();
    let list: String = (0..10_000).map(|n| format!("n{n} - {}\n", "x".repeat(200))).collect();
    fs::write(server.path("bans"), list).unwrap();
    server.restart();
    let mut alice = server.bare("alice");
    check(&server, &["ban", "one.more"], 1, "10,000 bans");
    check(&server, &["ban", "N7", "changed"], 0, "N7 is banned");
    // More than a pipe holds.
    let output = Command::new(CHATD).args(["ctl", "bans"]).current_dir(server.path("")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 10_000);
    check(&server, &["unban", "n8"], 0, "lifted");
    check(&server, &["ban", "one.more"], 0, "one.more is banned");
    alice.barrier();
}

#[test]
fn operators_in_the_chat_ban() {
    let config = "listen = ['line://127.0.0.1:0']\n\
                  accounts.argon2 = { memory_kib = 8, iterations = 1, parallelism = 1 }\n\
                  operator.accounts = ['root.alice']\n";
    let server = Server::builder().config(config).start();
    testkit::run_with(CHATD, &server.path(""), &["accounts", "add", "root.alice"], PASSWORD).check(0, &[]);
    let mut alice = server.returning("root.alice");
    let mut bob = server.bare("bob");
    assert_eq!(bob.ask("OP ban root.alice"), "C 502 unknown operation; PM hello says it to everybody, HELP lists all");
    assert!(alice.ask("OP ban bob --for 2h be nice").starts_with("C 250 bob is banned"));
    bob.expect_421("banned: be nice");
    alice.send("OP bans");
    alice.expect("C 211-what=bob until=");
    alice.expect_exact("C 211 1");
    assert!(alice.ask("OP unban bob").starts_with("C 250 "));
    server.returning("bob").barrier();
    assert!(alice.ask("OP unban bob").starts_with("C 550 "));
    // An operator hears the answer before the end of its own connection.
    alice.send("OP ban root.alice bye");
    alice.expect("C 250 ");
    alice.expect_421("banned: bye");
}
