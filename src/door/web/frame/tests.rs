//! Frames cut at every byte, what breaks the protocol, and tungstenite's opinion.

use std::io::{Cursor, Read, Write};

use proptest::prelude::*;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message as Foreign, WebSocket};

use super::*;
use crate::limits::DISCARD_BYTES;

const LIMIT: usize = 40;

/// What a client's bytes mean, spelled.
fn read(input: &[u8], limit: usize, pieces: impl Iterator<Item = usize>) -> Vec<String> {
    let (mut frames, mut held, mut found) = (Frames::default(), Vec::new(), Vec::new());
    let mut rest = input;
    for step in pieces {
        let (piece, after) = rest.split_at(step.min(rest.len()));
        rest = after;
        held.extend_from_slice(piece);
        let mut at = 0;
        loop {
            let bytes = &mut held[at..];
            let show = |from: usize, to: usize, bytes: &[u8]| String::from_utf8_lossy(&bytes[from..to]).into_owned();
            let (next, spelled) = match frames.next(bytes, limit) {
                Next::Partial { keep } => {
                    at += keep;
                    break;
                }
                Next::Text { start, end, next } => (next, format!("text {}", show(start, end, bytes))),
                Next::Gathered { next } => (next, format!("text {}", String::from_utf8_lossy(&frames.take()))),
                Next::TooLong { next } => (next, "too long".to_owned()),
                Next::Ping { start, end, next } => (next, format!("ping {}", show(start, end, bytes))),
                Next::Close { code, .. } => {
                    found.push(format!("close {code}"));
                    return found;
                }
                Next::Nothing { next } => {
                    at += next;
                    continue;
                }
                Next::Bad(code) => {
                    found.push(format!("bad {code}"));
                    return found;
                }
            };
            found.push(spelled);
            at += next;
        }
        held.drain(..at);
        if rest.is_empty() {
            break;
        }
    }
    found
}

#[test]
fn frames_of_the_server_are_read_again_cut_at_every_byte() {
    let (mut out, long) = (Vec::new(), "x".repeat(300));
    for line in ["", "C 200 done", &long] {
        let start = out.len();
        out.extend_from_slice(format!("{line}\n").as_bytes());
        wrap_lines(&mut out, start);
    }
    encode_ping(&mut out);
    encode_pong(b"hm", &mut out);
    encode_close(code::POLICY, "banned", &mut out);
    let expected = [
        Sent::Text(b""),
        Sent::Text(b"C 200 done"),
        Sent::Text(long.as_bytes()),
        Sent::Ping,
        Sent::Pong,
        Sent::Close(1008, b"banned"),
    ];
    let mut at = 0;
    for frame in expected {
        let length = Sent::read(&out[at..]).expect("a frame").1;
        assert_eq!(Sent::read(&out[at..]), Some((frame, length)));
        assert!((0..length).all(|cut| Sent::read(&out[at..at + cut]).is_none()), "{frame:?}");
        at += length;
    }
    assert_eq!(at, out.len());
    for bytes in [&b""[..], b"HTTP/1.1 101 ", b"\x01\x00", b"\x82\x00", b"\x81\x7f\0\0\0\0\0\0\0\0", b"\x88\x01x"] {
        assert_eq!(Sent::read(bytes), None, "{bytes:?}");
    }
}

/// A client's frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match payload.len() {
        length @ ..=125 => bytes.push(0x80 | length as u8),
        length @ ..=0xffff => {
            bytes.push(0xfe);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0xff);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

#[track_caller]
fn check(frames: &[Vec<u8>], expected: &[&str]) {
    let input = frames.concat();
    for step in 1..=input.len().max(1) {
        assert_eq!(read(&input, LIMIT, std::iter::repeat(step)), expected, "in pieces of {step}");
    }
}

#[test]
fn messages_cut_at_every_byte() {
    check(&[frame(0x81, b"C NOOP")], &["text C NOOP"]);
    check(&[frame(0x81, b"")], &["text "]);
    check(
        &[frame(0x81, "naïve 上海".as_bytes()), frame(0x81, b"b\n"), frame(0x81, b"c\r\n\n")],
        &["text naïve 上海", "text b", "text c\r\n"],
    );
    check(&[frame(0x01, b"one "), frame(0x00, b""), frame(0x80, b"two")], &["text one two"]);
    check(&[frame(0x01, "上".as_bytes()[..1].as_ref()), frame(0x80, &"上".as_bytes()[1..])], &["text 上"]);
}

#[test]
fn control_frames_come_between_fragments() {
    check(
        &[
            frame(0x01, b"a"),
            frame(0x89, b"now"),
            frame(0x8a, b"unasked"),
            frame(0x80, b"b"),
            frame(0x89, &[b'x'; 125]),
        ],
        &["ping now", "text ab", &format!("ping {}", "x".repeat(125))],
    );
}

#[test]
fn the_client_closes() {
    check(&[frame(0x88, b"")], &["close 1000"]);
    check(&[frame(0x88, b"\x03\xe8bye")], &["close 1000"]);
    check(&[frame(0x81, b"a"), frame(0x88, b"\x0f\xa0"), frame(0x81, b"b")], &["text a", "close 4000"]);
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
        check(&[frame(0x88, &code.to_be_bytes())], &["bad 1002"]);
    }
    check(&[frame(0x88, b"\x03")], &["bad 1002"]);
    check(&[frame(0x88, b"\x03\xe8\xce\xba\xed\xa0\x80")], &["bad 1007"]);
}

#[test]
fn what_breaks_the_protocol() {
    check(&[frame(0x82, b"binary")], &["bad 1003"]);
    for first in [0xc1, 0xa1, 0x91, 0x83, 0x87, 0x8b, 0x8f, 0x09, 0x08, 0x0a] {
        check(&[frame(first, b"a")], &["bad 1002"]);
    }
    check(&[frame(0x80, b"nothing begun")], &["bad 1002"]);
    check(&[frame(0x01, b"a"), frame(0x81, b"b")], &["bad 1002"]);
    check(&[frame(0x01, b"a"), frame(0x01, b"b")], &["bad 1002"]);
    check(&[frame(0x89, &[b'x'; 126])], &["bad 1002"]);
    check(&[b"\x81\x01a".to_vec()], &["bad 1002"]); // not masked
    check(&[b"\x81\xfe\x00\x7dmask".to_vec()], &["bad 1002"]); // 125 has a shorter form
    check(&[b"\x81\xff\0\0\0\0\0\0\xff\xffmask".to_vec()], &["bad 1002"]);
    check(&[b"\x81\xff\x80\0\0\0\0\x01\0\0mask".to_vec()], &["bad 1002"]);
}

#[test]
fn a_message_has_a_bound() {
    let long = |length| vec![b'x'; length];
    check(&[frame(0x81, &long(LIMIT - 1))], &[&format!("text {}", "x".repeat(LIMIT - 1))]);
    check(&[frame(0x81, &long(LIMIT)), frame(0x81, b"ok")], &["too long", "text ok"]);
    check(&[frame(0x81, &[long(LIMIT - 1), b"\n".to_vec()].concat())], &[&format!("text {}", "x".repeat(LIMIT - 1))]);
    check(&[frame(0x81, &long(LIMIT + 1)), frame(0x81, b"ok")], &["too long", "text ok"]);
    check(
        &[frame(0x01, &long(30)), frame(0x00, &long(30)), frame(0x80, b"x"), frame(0x81, b"ok")],
        &["too long", "text ok"],
    );
    check(&[frame(0x01, &long(LIMIT)), frame(0x89, b"p"), frame(0x80, b"")], &["ping p", "too long"]);
    let steps = || std::iter::repeat(4096);
    let half = frame(0x01, &long(DISCARD_BYTES / 2));
    let input = [half.clone(), frame(0x80, &long(DISCARD_BYTES / 2)), frame(0x81, b"ok")].concat();
    assert_eq!(read(&input, LIMIT, steps()), ["too long", "text ok"]);
    assert_eq!(read(&[half, frame(0x80, &long(DISCARD_BYTES / 2 + 1))].concat(), LIMIT, steps()), ["bad 1009"]);
    assert_eq!(read(&frame(0x81, &long(DISCARD_BYTES + 1)), LIMIT, steps()), ["bad 1009"]);
    assert_eq!(read(b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xffmask", LIMIT, steps()), ["bad 1009"]);
}

#[test]
fn lines_become_messages() {
    let wrapped = |lines: &str| {
        let mut out = b"before".to_vec();
        out.extend_from_slice(lines.as_bytes());
        wrap_lines(&mut out, 6);
        assert!(out.starts_with(b"before"));
        out.split_off(6)
    };
    assert_eq!(wrapped("C 200 done\n"), b"\x81\x0aC 200 done");
    assert_eq!(wrapped("C 211-a\nC 211 1\n"), b"\x81\x07C 211-a\x81\x07C 211 1");
    let long = "x".repeat(126);
    assert_eq!(wrapped(&format!("{long}\n")), [b"\x81\x7e\x00\x7e", long.as_bytes()].concat());
    assert_eq!(wrapped(""), b"");
    let mut out = Vec::new();
    encode_ping(&mut out);
    encode_pong(b"x", &mut out);
    encode_close(code::NORMAL, &"é".repeat(80), &mut out);
    assert_eq!(&out[..5], b"\x89\x00\x8a\x01x");
    assert_eq!((out[5], out[6], out.len()), (0x88, 124, 5 + 2 + 124), "a character stays whole");
}

/// What tungstenite hears of a server's bytes.
fn heard(bytes: Vec<u8>) -> Vec<Foreign> {
    struct Pipe(Cursor<Vec<u8>>);
    impl Read for Pipe {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(to)
        }
    }
    impl Write for Pipe {
        fn write(&mut self, from: &[u8]) -> std::io::Result<usize> {
            Ok(from.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut socket = WebSocket::from_raw_socket(Pipe(Cursor::new(bytes)), Role::Client, None);
    std::iter::from_fn(|| socket.read().ok()).collect()
}

/// A client's bytes for these messages, by tungstenite.
fn sent(messages: &[Foreign]) -> Vec<u8> {
    #[derive(Default)]
    struct Sink(Vec<u8>);
    impl Read for Sink {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Ok(0)
        }
    }
    impl Write for Sink {
        fn write(&mut self, from: &[u8]) -> std::io::Result<usize> {
            self.0.write(from)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let config = WebSocketConfig::default().write_buffer_size(0);
    let mut socket = WebSocket::from_raw_socket(Sink::default(), Role::Client, Some(config));
    for message in messages {
        socket.send(message.clone()).unwrap();
    }
    std::mem::take(&mut socket.get_mut().0)
}

proptest! {
    #[test]
    fn tungstenite_understands_us(lines in prop::collection::vec("[^\n]{0,200}", 0..8), payload in "[a-z]{0,125}") {
        let mut out = Vec::new();
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        out.extend_from_slice(text.as_bytes());
        wrap_lines(&mut out, 0);
        encode_pong(payload.as_bytes(), &mut out);
        let mut expected: Vec<Foreign> = lines.iter().map(Foreign::text).collect();
        expected.push(Foreign::Pong(payload.into_bytes().into()));
        prop_assert_eq!(heard(out), expected);
    }

    #[test]
    fn we_understand_tungstenite(
        lines in prop::collection::vec("[^\r\n]{0,60}", 0..8), steps in prop::collection::vec(1..90_usize, 1..5),
    ) {
        let messages: Vec<_> = lines.iter().map(Foreign::text).collect();
        let found = read(&sent(&messages), 1_000, steps.into_iter().cycle());
        prop_assert_eq!(found, lines.iter().map(|line| format!("text {line}")).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_depends_on_cuts(input in prop::collection::vec(any_piece(), 0..6), steps in prop::collection::vec(1..50_usize, 1..5)) {
        let input = input.concat();
        let whole = read(&input, LIMIT, std::iter::once(input.len()));
        prop_assert_eq!(read(&input, LIMIT, steps.into_iter().cycle()), whole);
    }
}

/// A frame, whole or not, right or wrong.
fn any_piece() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        6 => (prop::sample::select(vec![0x81_u8, 0x01, 0x00, 0x80, 0x89, 0x8a]), payload.clone()).prop_map(|(first, payload)| frame(first, &payload)),
        1 => (any::<u8>(), payload).prop_map(|(first, payload)| frame(first, &payload)),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}
