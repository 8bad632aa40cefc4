//! Traces: what they show, what they hide, and how they end.

use std::time::Duration;

use testkit::{Client, Desk, PASSWORD, Server};

use super::value;

/// Begins a trace, and gives its first item.
#[track_caller]
fn begin(desk: &mut Desk, command: &str) -> String {
    desk.send(&format!("C {command}"));
    desk.item()
}

/// The id of somebody's connection.
#[track_caller]
fn id_of(desk: &mut Desk, name: &str) -> String {
    value(&desk.ask(&format!("sessions {name}")).items[0], "id").to_owned()
}

/// Who sent a traced frame, and the frame.
#[track_caller]
fn frame(item: &str) -> (String, String) {
    assert!(item.starts_with("time=20"), "the time is in front: {item}");
    let (head, frame) = item.split_once(" frame=").unwrap_or_else(|| panic!("{item} has no frame"));
    (value(head, "from").to_owned(), frame.trim_matches('"').to_owned())
}

#[test]
fn frames_as_they_pass() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.typed("bob"));
    let mut desk = server.desk();
    let first = begin(&mut desk, "trace alice");
    assert_eq!((value(&first, "name"), value(&first, "address")), ("alice", "127.0.0.1"));
    bob.typed("PM hello");
    bob.expect("C 250 ");
    alice.expect("D PM bob hello");
    alice.send("DM bob a \"b\"\t=c");
    alice.expect("C 250 ");
    let frames: Vec<_> = (0..3).map(|_| frame(&desk.item())).collect();
    let expected =
        [("server", "D PM bob hello"), ("client", r#"DM bob a \"b\"\\t=c"#), ("server", "C 250 sent to bob")];
    assert_eq!(frames, expected.map(|(from, frame)| (from.to_owned(), frame.to_owned())));
    // Any other command ends it.
    desk.send("C rooms");
    assert_eq!(desk.answer().last, "211 4");
    assert_eq!(desk.answer().last, "211 0");
    alice.barrier();
    bob.typed("PM more");
    desk.silence(Duration::from_millis(100));
}

#[test]
fn secrets_are_masked() {
    let server = Server::start();
    let mut hugo = server.bare("hugo");
    hugo.send("MAKE den hunter2");
    hugo.expect("C 227 ");
    let mut alice = server.greeted();
    let mut desk = server.desk();
    let id = desk
        .ask("sessions")
        .items
        .iter()
        .find(|item| value(item, "name") == "-")
        .map(|item| value(item, "id").to_owned());
    begin(&mut desk, &format!("trace {}", id.unwrap()));
    let play = |alice: &mut Client, lines: &[&str]| {
        for line in lines {
            alice.send(line);
            alice.reply();
        }
    };
    play(&mut alice, &["C nonsense word", "C alice", &format!("C {PASSWORD}"), "C JOIN den hunter2", "C TOKEN"]);
    play(
        &mut alice,
        &[
            "C PASSWD",
            "D hunter2 old",
            "C PASSWD",
            &format!("D {PASSWORD}"),
            "D hunter2 new",
            "C MAKE attic hunter2",
            "C NOOP",
        ],
    );
    let items = desk.items_until("C 200 done").join("\n");
    for secret in ["hunter2", PASSWORD, "nonsense", "token=A", "t1."] {
        assert!(!items.contains(secret), "{secret} is in\n{items}");
    }
    for shown in [
        "frame=***",
        "C 332 alice is new here",
        "C JOIN den ***",
        "C 227 den token=***",
        "C 231 *** expires=",
        "C MAKE attic ***",
        "C 331 your old password?",
    ] {
        assert!(items.contains(shown), "no {shown} in\n{items}");
    }
}

#[test]
fn controls_are_escaped() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    let mut desk = server.desk();
    begin(&mut desk, "trace alice");
    alice.send_raw(b"PM \x1b[2J\x07\xff\n");
    alice.expect("C 501 ");
    let (from, shown) = frame(&desk.item());
    assert_eq!((from.as_str(), shown.as_str()), ("client", "PM \\\\u{1b}[2J\\\\u{7}\u{fffd}"));
}

#[test]
fn it_ends_with_its_connection_and_its_time() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    let mut desk = server.desk();
    begin(&mut desk, "trace alice");
    alice.send("EX");
    alice.expect("C 221 ");
    drop(alice);
    let answer = desk.answer();
    assert_eq!(answer.last, format!("211 {}", answer.items.len() + 1));
    assert!(answer.items.iter().any(|item| item.contains("C 221 bye")), "{answer:?}");
    let _bob = server.bare("bob");
    begin(&mut desk, "trace bob --for 1s");
    assert_eq!(desk.answer().last, "211 1");
    assert!(desk.ask("trace bob --for 9d").last.starts_with("501 "));
}

#[test]
fn whom_it_can_be_about() {
    let server = Server::builder().set("operator.accounts", "[\"Rita\"]").start();
    let mut desk = server.desk();
    for (command, last) in [
        ("trace alice", "550 alice is not online"),
        ("trace 99999", "550 there is no connection 99999"),
        ("trace 127.0.0.1", "501 usage: trace ID|NAME [--for 60s]"),
        ("trace", "501 usage: trace ID|NAME [--for 60s]"),
    ] {
        assert_eq!(desk.ask(command).last, last, "{command}");
    }
    let (_one, _two) = (server.bare("alice"), server.returning("alice"));
    let several = desk.ask("trace alice").last;
    assert!(several.starts_with("501 alice has several connections; trace one of "), "{several}");
    let id = several.rsplit(' ').next().unwrap().to_owned();
    assert_eq!(value(&begin(&mut desk, &format!("trace {id}")), "id"), id);
    // An operator's connection is nobody's business: this one's own id is the next after those.
    let mut other = server.desk();
    for number in 1..20 {
        let last = other.ask(&format!("trace {number} --for 1s"));
        if last.last == "554 operators are not traced" {
            return;
        }
    }
    panic!("an operator was traced");
}

#[test]
fn a_caller_that_does_not_read_slows_nobody_down() {
    let server = Server::builder().no_rates().start();
    let (mut alice, mut bob) = (server.bare("alice"), server.typed("bob"));
    let mut desk = server.desk();
    begin(&mut desk, "trace alice");
    let text = "x".repeat(3_000);
    for _ in 0..500 {
        bob.typed(&format!("PM {text}"));
        bob.expect("C 250 ");
        alice.expect("D PM bob ");
    }
    let mut other = server.desk();
    let owed = other.ask("status");
    assert!(owed.value(0, "owed").parse::<u64>().unwrap() < 256 * 1024, "{owed:?}");
    // The caller reads again, and learns what it has missed.
    let mut dropped = 0;
    while dropped == 0 {
        bob.typed("PM more");
        bob.expect("C 250 ");
        alice.expect("D PM bob more");
        let item = desk.item();
        if item.contains(" dropped=") {
            dropped = value(&item, "dropped").parse().unwrap();
        }
    }
    assert!(dropped > 10, "{dropped}");
    let id = id_of(&mut other, "alice");
    assert_eq!(other.ask(&format!("kick {id}")).last, "250 1 put out");
}
