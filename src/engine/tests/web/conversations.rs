//! Conversations by WebSocket: their times, bounds and ends.

use super::{Bench, PAGE, limits};
use crate::close::CloseReason;
use crate::engine::tests::socket::{HANDSHAKE, frame, message};
use crate::limits::{DISCARD_BYTES, Limits};

#[test]
fn a_conversation_has_its_login_deadline_from_the_upgrade_and_is_silent_until_its_first_line() {
    let mut bench = Bench::new(limits());
    let place = bench.connect("192.0.2.1");
    assert_eq!(bench.engine.gate.silent, 1);
    for _ in 0..8 {
        bench.pass(10_000);
        assert_eq!(bench.status(place, PAGE), 200);
    }
    assert_eq!(bench.engine.gate.silent, 0);
    bench.send(place, HANDSHAKE);
    assert_eq!(bench.engine.gate.silent, 1);
    bench.pass(59_000);
    assert!(bench.lines(place).starts_with("C 220 ") && !bench.is_over(place));
    bench.pass(2_000);
    assert_eq!(bench.lines(place), "C 421 login took too long\n");
    assert_eq!(bench.sockets[place].code, Some(1008));
    bench.pass(10_000);
    assert_eq!((bench.engine.gate.silent, bench.engine.gate.addresses.open()), (0, 0));
}

#[test]
fn a_ping_after_silence_and_none_before() {
    let mut bench = Bench::new(limits());
    let (alice, bob) = (bench.person("alice"), bench.person("bob"));
    bench.pass(39_000);
    bench.lines(bob);
    assert_eq!(bench.sockets[bob].pings, 0);
    bench.send(alice, message("C PM hello"));
    bench.pass(44_000);
    let heard = bench.lines(bob);
    assert!(heard.starts_with("D PM ") && heard.ends_with(" alice hello\n"), "{heard}");
    assert_eq!(bench.sockets[bob].pings, 0, "the message was a write");
    bench.pass(91_000);
    bench.lines(bob);
    assert_eq!(bench.sockets[bob].pings, 3);
    let mut settings = bench.engine.settings().clone();
    settings.web.ping_s = 0;
    bench.engine.handle_settings(settings, 100);
    bench.pass(200_000);
    bench.lines(bob);
    assert_eq!(bench.sockets[bob].pings, 3);
}

#[test]
fn long_messages_are_refused_by_their_length() {
    let mut bench = Bench::new(limits());
    let alice = bench.person("alice");
    bench.send(alice, message(&format!("C PM {}", "x".repeat(4_200))));
    assert!(bench.lines(alice).starts_with("C 500 line too long; at most 4096 bytes"));
    for part in 0..5 {
        bench.send(alice, frame(if part == 0 { 0x01 } else { 0x00 }, &[b'x'; 1_000]));
    }
    bench.send(alice, frame(0x80, b"x"));
    bench.pass(2_000);
    assert!(bench.lines(alice).starts_with("C 500 "));
    bench.send(alice, message("C NOOP"));
    assert!(bench.lines(alice).starts_with("C 200"));
    bench.send(alice, frame(0x01, &vec![b'x'; DISCARD_BYTES - 1]));
    bench.pass(10_000);
    bench.send(alice, frame(0x00, b"xx"));
    bench.pass(10_000);
    assert_eq!((bench.lines(alice).as_str(), bench.sockets[alice].code), ("C 421 line never ended\n", Some(1009)));
}

#[test]
fn fragments_without_end_and_pings_without_end() {
    let mut bench = Bench::new(limits());
    let (alice, bob) = (bench.person("alice"), bench.person("bob"));
    bench.lines(alice);
    bench.send(alice, frame(0x01, b""));
    for _ in 0..29 {
        bench.send(alice, frame(0x00, b""));
        bench.send(alice, frame(0x89, b"hm"));
        bench.pass(1_000);
    }
    assert!(!bench.is_over(alice));
    bench.pass(2_000);
    assert_eq!(bench.lines(alice), "C 421 line never ended\n");
    assert_eq!(bench.sockets[alice].code, Some(1009));
    // A ping counts as a line.
    let lines = bench.engine.counters().lines;
    bench.send(bob, frame(0x89, b"?").repeat(1_000));
    bench.pass(10_000);
    let pings = bench.engine.counters().lines - lines;
    assert!((100..=150).contains(&pings), "{pings}");
    let stranger = bench.talk("192.0.2.50");
    bench.send(stranger, frame(0x89, b"?").repeat(40));
    assert_eq!(bench.lines(stranger), "C 421 too many failures\n");
}

#[test]
fn both_ends_say_why() {
    let mut bench = Bench::new(limits());
    for (bytes, code, last) in [
        (frame(0x88, &1001_u16.to_be_bytes()), 1001, ""),
        (frame(0x88, b""), 1000, ""),
        (message("C EX"), 1000, "C 221 bye\n"),
        (frame(0x82, b"C EX"), 1003, "C 421 bad WebSocket frame\n"),
        (message("C EX")[..6].to_vec(), 1000, ""),
        (vec![0x81, 0x04, b'C', b' ', b'E', b'X'], 1002, "C 421 bad WebSocket frame\n"),
        (frame(0x81, b"\xff"), 1007, "C 421 bad WebSocket frame\n"),
    ] {
        let place = bench.talk("192.0.2.1");
        bench.send(place, bytes);
        if code == 1000 && !bench.is_over(place) {
            let id = bench.wires[place].id;
            bench.begin();
            bench.engine.leave(id); // the end of its stream
            bench.end();
        }
        assert_eq!((bench.lines(place).as_str(), bench.sockets[place].code), (last, Some(code)));
        bench.pass(30_000);
        assert!(bench.wires[place].closed.is_some(), "who never answers is ended");
    }
    let place = bench.talk("192.0.2.1");
    bench.engine.handle_stop();
    bench.pass(1_000);
    assert!(bench.lines(place).starts_with("C 421 shutting down"));
    assert_eq!(bench.sockets[place].code, Some(1001));
}

#[test]
fn a_slow_reader_is_cut_between_two_frames() {
    let mut bench = Bench::new(Limits { rate_lines_per_s: 0, rate_bytes_per_s: 0, ..limits() });
    let (alice, bob) = (bench.person("alice"), bench.person("bob"));
    bench.lines(bob);
    bench.wires[bob].takes = 7;
    while bench.closed(&CloseReason::TooSlow) == 0 {
        bench.send(alice, message(&format!("C PM {}", "y".repeat(1_000))));
        bench.pass(50);
        bench.lines(alice);
    }
    bench.let_take(bob, usize::MAX);
    let heard = bench.lines(bob);
    assert!(heard.ends_with("C 421 too slow\n") && heard.lines().count() == 2, "{}", heard.len());
    assert!(bench.sockets[bob].is_whole() && bench.sockets[bob].code == Some(1013));
}

#[test]
fn five_hundred_who_dribble_disturb_nobody() {
    let mut bench = Bench::new(Limits { per_address: 1_000, ..limits() });
    let (alice, bob) = (bench.person("alice"), bench.person("bob"));
    let crowd: Vec<_> =
        (0..500).map(|number| bench.connect(&format!("203.0.{}.{}", number / 100, number % 100))).collect();
    for (number, place) in crowd.iter().enumerate().filter(|(number, _)| number % 2 == 0) {
        if number % 4 == 0 {
            bench.send(*place, HANDSHAKE);
        }
    }
    let line = message("C nobody in particular");
    for (round, byte_of_head) in HANDSHAKE.iter().enumerate().take(70) {
        for (number, place) in crowd.iter().enumerate() {
            if !bench.is_over(*place) {
                let byte = if number % 4 == 0 { line[round % 25] } else { *byte_of_head };
                bench.send(*place, [byte]);
            }
        }
        bench.send(alice, message("C PM hello"));
        assert!(bench.lines(bob).contains(" alice hello\n"), "{round}");
        bench.pass(1_000);
        bench.lines(alice);
    }
    bench.pass(20_000);
    assert!(crowd.iter().all(|place| bench.is_over(*place)));
    assert_eq!(bench.engine.counters().panics, 0);
}

#[test]
fn a_conversation_is_a_typed_one_and_a_long_reply_is_several_messages() {
    let mut bench = Bench::new(limits());
    let alice = bench.person("alice");
    bench.send(alice, message("C WANT own"));
    assert!(bench.lines(alice).starts_with("C 200 own"), "as a program of the line door");
    bench.send(alice, message("C HELP"));
    let help = bench.lines(alice);
    assert!(help.lines().count() > 10 && help.lines().last().is_some_and(|line| line.starts_with("C 214 ")), "{help}");
}
