//! Hostile servers: the client reports errors, keeps the terminal usable, and uses bounded memory.

use std::fs;
use std::thread;
use std::time::Duration;

use testkit::{Client, Fake, Terminal, memory_kib, pause};

/// A client in a terminal, logged in to a server played by the test.
fn alice_and_server() -> (Terminal, Client, tempfile::TempDir) {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::client(24, 80, home.path(), fake.addr(), "alice");
    let accepting = thread::spawn(move || fake.let_in());
    alice.wait_for("password: ");
    alice.keys("whatever\r");
    let server = accepting.join().unwrap();
    alice.wait_for("alice> ");
    (alice, server, home)
}

/// The session must work: messages are shown, and typed lines are sent.
#[track_caller]
fn check_alive(alice: &mut Terminal, server: &mut Client) {
    server.send("D PM 1882415750197542913 bob still here");
    alice.wait_for("bob: still here");
    alice.keys("\x15me too\r");
    server.expect_exact("C PM me too");
    server.send("C 250 sent to 1");
    alice.wait_for("me too (sent to 1)");
    alice.wait_for_line("alice> ", 7);
}

#[test]
fn nothing_that_a_terminal_obeys_gets_through() {
    let (mut alice, mut server, _home) = alice_and_server();
    let evil = "\x1b[2J\x1b]0;title\x07\u{9b}31m\u{202e}\x08\x7f\r\u{2028}";
    let before = alice.raw().len();
    for line in [
        format!("D PM 1882415750197542913 bob {evil}one"),
        format!("D DM 1882415750197542914 bob {evil}two"),
        format!("D PM 1882415750197542915 b{evil}b three"),
        format!("C 103 lobby {evil}four"),
        format!("C 250 {evil}five"),
        format!("{evil}six"),
        format!("C 999 {evil}seven"),
    ] {
        server.send(&line);
    }
    check_alive(&mut alice, &mut server);
    let raw = alice.raw()[before..].to_owned();
    for bad in ["\x1b[2J", "\x1b]", "\u{9b}", "\u{202e}", "\u{2028}", "\x08", "\x7f"] {
        assert!(!raw.contains(bad), "{bad:?} in {raw:?}");
    }
    assert!(raw.contains("\\x1b[2J"), "{raw:?}");
}

#[test]
fn lines_that_mean_nothing_are_told() {
    let (mut alice, mut server, _home) = alice_and_server();
    for line in ["", "C", "D", "C abc", "C 99", "C 1000 x", "C 250x", "D XX 1 bob hi", "D PM bob", "D PM x bob hi"] {
        server.send(line);
    }
    server.send_raw(b"D PM 1882415750197542913 bob \xff\xfe\n\x00\n");
    check_alive(&mut alice, &mut server);
    assert!(alice.raw().contains("means nothing"), "{}", alice.raw());
    server.send_raw(b"D PM 1882415750197542913 bob half a li");
    drop(server);
    alice.wait_for("is lost");
    alice.keys("/quit\r");
    alice.wait_exit();
    assert!(alice.is_restored());
}

#[test]
fn an_endless_line_takes_no_memory() {
    let (mut alice, mut server, _home) = alice_and_server();
    let before = memory_kib(alice.pid(), "Rss:");
    server.send_raw(b"D PM 1882415750197542913 bob ");
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..64 {
        server.send_raw(&piece);
        while alice.pump(Duration::ZERO) {}
    }
    server.send_raw(b"\n");
    alice.wait("what was wrong", |alice| alice.raw().contains("too long"));
    let grown = memory_kib(alice.pid(), "Rss:").saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} KiB for one line");
    check_alive(&mut alice, &mut server);
}

#[test]
fn an_unread_flood_takes_bounded_memory() {
    let (mut alice, mut server, _home) = alice_and_server();
    let before = memory_kib(alice.pid(), "Rss:");
    // Nobody reads the terminal in the meantime, so the client cannot write.
    let line = format!("D PM 1882415750197542913 bob {}\n", "y".repeat(1000));
    let lines = line.repeat(1000);
    for _ in 0..32 {
        server.send_raw(lines.as_bytes());
    }
    let grown = memory_kib(alice.pid(), "Rss:").saturating_sub(before);
    assert!(grown < 20 * 1024, "{grown} KiB for what nobody reads");
    // Takes all that is left to draw, however long that takes.
    while alice.pump(Duration::from_millis(500)) {}
    check_alive(&mut alice, &mut server);
    assert!(alice.raw().contains("lines came too fast to be shown"));
}

#[test]
fn silence_in_the_middle_of_a_line_holds_nobody() {
    let (mut alice, mut server, _home) = alice_and_server();
    server.send_raw(b"C 250 half a li");
    alice.keys("hello?\r");
    server.expect_exact("C PM hello?");
    alice.keys("/quit\r");
    server.expect_exact("C EX");
    // It waits a while for a goodbye, and leaves without one. The unconfirmed message makes it a failure.
    alice.expect_exit(1);
    assert!(alice.contents().contains("not confirmed"), "{}", alice.contents());
}

#[test]
fn another_protocol_is_recognised() {
    for greeting in ["SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "\x16\x03\x01\x02\n"] {
        let fake = Fake::start();
        let home = tempfile::tempdir().unwrap();
        let mut alice = Terminal::client(24, 80, home.path(), fake.addr(), "alice");
        let mut server = fake.accept();
        server.send_raw(greeting.as_bytes());
        alice.wait_for("no chat server");
        alice.keys("\x03");
        alice.wait_exit();
        assert!(alice.is_restored());
    }
}

#[test]
fn a_silent_server_does_not_block_the_keyboard() {
    let (mut alice, server, _home) = alice_and_server();
    for n in 0..20 {
        alice.keys(&format!("{n}{}\r", "z".repeat(1000)));
    }
    alice.keys("at the end");
    alice.wait("what is typed", |alice| alice.contents().trim_end().ends_with("alice> at the end"));
    drop(server);
    alice.wait("the loss", |alice| alice.raw().contains("is lost"));
    alice.wait("what is typed", |alice| alice.contents().trim_end().ends_with("at the end"));
}

#[test]
fn an_unanswered_connection_can_be_left() {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::client(24, 80, home.path(), fake.addr(), "alice");
    let server = fake.accept();
    alice.wait_for("connecting to");
    alice.keys("\x03");
    alice.wait_exit();
    assert!(alice.is_restored());
    drop(server);
}

#[test]
fn a_client_that_waits_uses_no_processor() {
    let (mut alice, mut server, _home) = alice_and_server();
    let ticks = |pid: u32| -> u64 {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let times = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(11).take(2);
        times.map(|time| time.parse::<u64>().unwrap()).sum()
    };
    let before = ticks(alice.pid());
    pause(1000);
    assert!(ticks(alice.pid()) - before < 10);
    check_alive(&mut alice, &mut server);
}
