//! Profiles, presence, peace and erasing, with the real server.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::{Fake, Outcome, PASSWORD, Server, Terminal, eventually, finish_with};

use crate::history::{Listener, keeps};

/// A real server on a port of its own.
fn server() -> Server {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    Server::builder().no_rates().listen(&[&format!("line://127.0.0.1:{port}")]).start()
}

fn enter(home: &Path, server: &Server, name: &str) -> Terminal {
    Terminal::logged_in(24, 90, home, server.addr(), name)
}

/// A script of this user, with these options.
fn script(server: &Server, home: &Path, name: &str, options: &[&str], input: &str) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatclient"));
    command.args(options).args([&server.addr().to_string(), name, "--register"]).env("HOME", home);
    command.env_remove("XDG_STATE_HOME").env("CHATCLIENT_PASSWORD", PASSWORD);
    finish_with(command, input)
}

fn objects(outcome: &Outcome) -> Vec<Value> {
    outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn profiles_presence_and_peace_in_a_terminal() {
    let server = server();
    if !keeps(&server) {
        return;
    }
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut alice = enter(home.path(), &server, "alice");
    alice.keys("/watch bob\r");
    alice.wait_for("bob is offline");
    let mut bob = enter(other.path(), &server, "bob");
    alice.wait_for("-- bob is online");
    bob.keys("/set name Bob Miller\r");
    bob.wait_for("your name is set");
    bob.keys("/set url ftp://x\r");
    bob.wait_for("! ");
    bob.keys("/away to lunch\r");
    bob.wait_for("you are away: to lunch");
    bob.wait_for_line("bob (away)> ", 12);
    alice.wait_for("-- bob is away: to lunch");
    alice.keys("/whois bob\r");
    alice.wait_for("bob is away, idle for ");
    alice.wait_for("  name        Bob Miller");
    alice.keys("/dm bob hi\r");
    alice.wait_for("-> bob: hi (sent to bob, who is away: to lunch)");
    bob.keys("/back\r");
    bob.wait_for("you are back");
    alice.wait_for("-- bob is back");
    bob.keys("/ignore alice\r");
    bob.wait_for("no direct messages of alice reach you");
    alice.keys("/dm bob psst\r");
    alice.wait_for("! bob takes no messages from you");
    bob.keys("/unignore ALICE\r");
    bob.wait_for("ALICE is not ignored any more");
    alice.keys("/dm bob again\r");
    bob.wait_for("alice -> you: again");
    alice.keys("/me waves\r");
    alice.wait_for("* alice waves (sent to 1)");
    bob.wait_for("* alice waves");
    bob.keys("/set\r");
    bob.wait_for("  pronouns  -");
    bob.keys("/quit\r");
    bob.expect_exit(0);
    alice.wait_for("-- bob is offline");
}

#[test]
fn a_message_is_erased_at_the_terminal_and_for_others() {
    let server = server();
    if !keeps(&server) {
        return;
    }
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut alice = enter(home.path(), &server, "alice");
    let mut bob = enter(other.path(), &server, "bob");
    alice.keys("hunter2\r");
    alice.wait_for("alice: hunter2 (sent to 1)");
    bob.wait_for("alice: hunter2");
    alice.keys("/erase\r");
    alice.wait_for("erase \"hunter2\" (to everybody)? [y/N]");
    alice.keys("\r");
    alice.wait_for("nothing is erased");
    alice.keys("/erase\r");
    alice.wait_for("erase \"hunter2\" (to everybody)? [y/N]");
    alice.keys("y\r");
    alice.wait_for("erased; ");
    bob.wait_for("-- erased: alice's message of ");
    bob.keys("/history\r");
    bob.wait_for("there are no such messages");
    alice.keys("/notify none\r");
    alice.wait_for("what is said to everybody: nothing calls you");
    alice.keys("/notify\r");
    alice.wait_for("1 place; ");
}

#[test]
fn scripts_watch_and_ask() {
    let server = server();
    if !keeps(&server) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut bob = server.typed("bob");
    bob.typed("AWAY to lunch");
    bob.expect("C 200 ");
    let input =
        "/whois bob\n/set status busy\n/set\n/away x\n/watch carol\n/watch\n/ignore bob\n/ignore\n/notify\n/erase\n";
    let outcome = script(&server, home.path(), "alice", &["--json", "--watch", "bob,dave"], input);
    let objects = objects(&outcome);
    let of = |kind: &str, code: u64| -> Vec<&Value> {
        objects.iter().filter(|object| object["kind"] == kind && object["code"] == code).collect()
    };
    let presence: Vec<_> = of("notice", 101)
        .iter()
        .map(|notice| (notice["name"].as_str().unwrap(), notice["presence"].as_str().unwrap()))
        .collect();
    assert_eq!(presence, [("bob", "away"), ("dave", "offline")], "{outcome:?}");
    assert_eq!(of("notice", 101)[0]["away"], "to lunch");
    let facts: Vec<_> = of("reply", 215).iter().filter_map(|reply| reply["key"].as_str()).collect();
    assert_eq!(facts, ["sessions", "since", "idle", "away", "status"], "{outcome:?}");
    let lists: Vec<_> = of("reply", 211).iter().map(|reply| reply["text"].as_str().unwrap()).collect();
    assert_eq!(lists, ["bob", "carol", "dave", "3 watched", "bob", "1 ignored"], "{outcome:?}");
    // Nothing was said yet, so there is nothing to erase, which is the one line that fails.
    outcome.check(1, &["line 10 was not done: /erase ("]);
    let outcome = script(&server, home.path(), "alice", &["--plain"], "oops\n/erase\n/set status -\n");
    outcome.check(0, &[]);
    assert!(outcome.stdout.contains("   forgot ") && outcome.stdout.contains(" in *\n"), "{outcome:?}");
}

#[test]
fn a_listener_is_told_who_comes_also_after_a_restart() {
    let mut server = server();
    let home = tempfile::tempdir().unwrap();
    let listener = Listener::start_with(home.path(), server.addr(), "events", &["--watch", "bob"]);
    let told = |presence: &str, count: usize| {
        let text = format!(r#""name":"bob","presence":"{presence}""#);
        eventually(presence, || listener.text().matches(&text).count() == count);
    };
    told("offline", 1);
    let mut bob = server.typed("bob");
    told("online", 1);
    bob.typed("EX");
    told("offline", 2);
    server.restart();
    eventually("the listener is back", || listener.text().matches(r#""status":"connected""#).count() == 2);
    let _bob = server.returning("bob");
    told("online", 2);
    listener.end();
}

#[test]
fn an_older_server_knows_none_of_it() {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatclient"));
    command.args(["--plain", "--watch", "bob,carol", &fake.addr().to_string(), "alice"]).env("HOME", home.path());
    command.env_remove("XDG_STATE_HOME").env("CHATCLIENT_PASSWORD", PASSWORD);
    let playing = std::thread::spawn(move || {
        let mut client = fake.let_in();
        loop {
            match client.line().as_str() {
                "C EX" => return client.send("C 221 bye"),
                "C PM hi" => client.send("C 250 sent to 0"),
                _ => client.send("C 502 unknown operation; PM hello says it to everybody, HELP lists all"),
            }
        }
    });
    let outcome = finish_with(command, "/whois bob\nhi\n");
    playing.join().unwrap();
    outcome.check(1, &["line 1 was not done: /whois bob (this server has no WHOIS: it is older than this client)"]);
    assert_eq!(outcome.stderr.matches("nobody is watched: this server has no WATCH").count(), 1, "{outcome:?}");
    assert!(outcome.stdout.contains("alice: hi (sent to 0)"), "{outcome:?}");
}
