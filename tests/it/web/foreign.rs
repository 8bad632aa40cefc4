//! Foreign WebSocket clients: Python's `websockets` and node's `ws`, in the versions that `testkit/foreign` pins.

mod program;

use serde_json::json;

use super::served;
use program::{How, Library, Program, WELL, hex, libraries};
use testkit::{Client, Server, eventually};

/// It talks with a terminal.
#[track_caller]
fn talk(library: Library, server: &Server, bob: &mut Client, how: &How<'_>) {
    let name = format!("{library:?}").to_lowercase();
    let mut client = Program::logged_in(library, server, how, &name);
    assert_eq!(client.ask("PM hello"), "C 250 sent to 1");
    bob.expect_exact(&format!("D PM {name} hello"));
    bob.send("PM tête-à-tête 🦀");
    assert!(client.expect_line("D PM ").ends_with(" bob tête-à-tête 🦀"));
    bob.expect("C 250 ");
    // A message in pieces, one of which ends within a character.
    let parts = ["C PM na".as_bytes(), b"\xc3", b"", b"\xafve"];
    client.tell("fragments", parts.map(hex).to_vec());
    client.expect_line("C 250 sent to 1");
    bob.expect_exact(&format!("D PM {name} naïve"));
    client.tell("ping", "still there?");
    client.expect(&json!(["pong", "still there?"]));
    client.say("C HELP");
    let mut lines = 0;
    while client.expect_line("C 214").starts_with("C 214-") {
        lines += 1;
    }
    assert!(lines > 10, "one message a line");
    let long = "x".repeat(3_000);
    assert_eq!(client.ask(&format!("PM {long}")), "C 250 sent to 1");
    bob.expect_exact(&format!("D PM {name} {long}"));
    bob.send(&format!("PM {long}"));
    assert!(client.expect_line("D PM ").ends_with(&format!(" bob {long}")));
    bob.expect("C 250 ");
    client.say(&format!("C PM {}", "x".repeat(60_000)));
    client.expect_line("C 500 ");
    client.say("C EX");
    client.expect_line("C 221 bye");
    client.expect(&json!(["close", 1000, "bye"]));
}

#[test]
fn they_talk() {
    let server = served().start();
    let mut bob = server.bare("bob");
    for library in libraries() {
        talk(library, &server, &mut bob, &WELL);
    }
}

#[cfg(feature = "tls")]
#[test]
fn they_talk_by_tls() {
    let doors = ["line://127.0.0.1:0", "web+tls://127.0.0.1:0"];
    let server = Server::builder().no_rates().with_pair().listen(&doors).start();
    let mut bob = server.bare("bob");
    for library in libraries() {
        talk(library, &server, &mut bob, &How { door: "web+tls", ..WELL });
    }
}

#[test]
fn a_browser_s_origin_and_subprotocol_are_checked_for_them_too() {
    let server = served().start();
    for library in libraries() {
        let own = format!("http://localhost:{}", server.door("web").port());
        let evil = "http://evil.example";
        Program::greeted(library, &server, &How { origin: Some(&own), ..WELL });
        let stranger = Program::start(library, &server, &How { origin: Some(evil), ..WELL });
        stranger.expect(&json!(["refused", 403]));
        let stranger = Program::start(library, &server, &How { protocol: "mqtt", ..WELL });
        stranger.expect(&json!(["refused", 400]));
    }
}

#[test]
fn they_are_told_why_they_are_closed() {
    let server = served().start();
    drop(server.bare("alice"));
    for library in libraries() {
        let mut client = Program::greeted(library, &server, &WELL);
        client.say("C alice");
        client.expect_line("C 331 ");
        for start in ["C 530 ", "C 530 ", "C 421 too many failures"] {
            client.say("C a wrong password");
            client.expect_line(start);
        }
        client.expect(&json!(["close", 1008, "too many failures"]));
        let frame = |first: u8, payload: &[u8]| [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat();
        for (bytes, code, why) in [
            (frame(0xc1, b"x"), 1002, "bad WebSocket frame"),
            (frame(0x80, b"x"), 1002, "bad WebSocket frame"),
            (frame(0x81, b"\xff"), 1007, "bad WebSocket frame"),
            (b"\x81\xff\0\0\0\0\0\x01\0\x01\0\0\0\0".to_vec(), 1009, "line never ended"),
        ] {
            let mut client = Program::greeted(library, &server, &WELL);
            client.send_raw(&bytes);
            client.expect_line(&format!("C 421 {why}"));
            client.expect(&json!(["close", code, why]));
        }
        let mut client = Program::greeted(library, &server, &WELL);
        client.tell("binary", hex(b"C NOOP"));
        client.expect_line("C 421 bad WebSocket frame");
        client.expect(&json!(["close", 1003, "bad WebSocket frame"]));
    }
}

#[test]
fn they_are_told_that_the_server_ends() {
    for library in libraries() {
        let mut server = served().start();
        let client = Program::logged_in(library, &server, &WELL, "alice");
        server.term();
        let why = client.expect_line("C 421 shutting down").split_off("C 421 ".len());
        client.expect(&json!(["close", 1001, why]));
    }
}

#[test]
fn their_close_is_answered_and_what_they_had_begun_is_dropped() {
    let server = served().start();
    let mut bob = server.bare("bob");
    for library in libraries() {
        for (code, why) in [(1000, ""), (4000, "another tab")] {
            let mut client = Program::logged_in(library, &server, &WELL, "alice");
            client.send_raw(b"\x01\x84\0\0\0\0C PM");
            client.send_raw(b"\x00\x87\0\0\0\0 half a");
            client.tell("close", json!([code, why]));
            let told = client.event();
            assert_eq!((&told[0], &told[1]), (&json!("close"), &json!(code)), "{library:?}: {told}");
            eventually("alice is gone", || !bob.list("WHO").contains(&"alice".to_owned()));
        }
        // One who vanishes in a message.
        let mut client = Program::logged_in(library, &server, &WELL, "alice");
        client.send_raw(b"\x81\x8c\0\0\0\0C PM half");
        drop(client);
        eventually("alice is gone", || !bob.list("WHO").contains(&"alice".to_owned()));
    }
    bob.send("NOOP");
    bob.expect("C 200");
}

#[test]
fn they_answer_the_server_s_pings() {
    let server = served().set("web.ping_s", "1").start();
    for library in libraries() {
        let mut client = Program::logged_in(library, &server, &WELL, "alice");
        for _ in 0..2 {
            client.expect(&json!(["ping"]));
        }
        client.say("C NOOP");
        client.expect_line("C 200");
    }
}
