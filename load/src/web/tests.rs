//! Answers and frames, cut at every byte; those of this client are read by the server's own codec, and its frames by this
//! one.

use chatd::door::web::frame as theirs;

use super::*;

const UPGRADED: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                        sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// What is heard of input that comes in these parts: `line` for a line, `?payload` for a ping, and why it fails.
fn hear(parts: &[&[u8]]) -> (Vec<String>, bool, Option<String>) {
    let (mut web, mut heard) = (Web::default(), Vec::new());
    for part in parts {
        let taken = web.receive(part, &mut |found| {
            heard.push(match found {
                Heard::Line(line) => String::from_utf8_lossy(line).into_owned(),
                Heard::Ping(payload) => format!("?{}", String::from_utf8_lossy(payload)),
            });
        });
        if let Err(why) = taken {
            return (heard, web.has_ended(), Some(why));
        }
    }
    assert_eq!(web.held.capacity() > 0, !web.held.is_empty(), "an empty buffer is given back");
    (heard, web.has_ended(), None)
}

/// A frame of a server with this first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let head = match payload.len() {
        size @ 0..126 => vec![first, size as u8],
        size @ 126..0x1_0000 => [&[first, 126], &(size as u16).to_be_bytes()[..]].concat(),
        size => [&[first, 127], &(size as u64).to_be_bytes()[..]].concat(),
    };
    [head, payload.to_vec()].concat()
}

#[track_caller]
fn refused(input: &[u8], expected: &str) {
    let told = hear(&[UPGRADED.as_bytes(), input]).2;
    assert!(told.as_ref().is_some_and(|told| told.contains(expected)), "{input:?}: {told:?}");
}

#[test]
fn cut_anywhere_it_is_the_same() {
    let mut input = UPGRADED.as_bytes().to_vec();
    theirs::wrap_lines(&mut input, UPGRADED.len());
    let at = input.len();
    input.extend_from_slice(b"C 220 hello\nD PM 1 ann hi\n");
    theirs::wrap_lines(&mut input, at);
    theirs::encode_ping(&mut input);
    // A message of three frames, with a ping and a pong between them.
    input.extend(frame(0x01, b"D PM 2 "));
    input.extend(frame(0x89, b"there?"));
    input.extend(frame(0x00, b"ann "));
    input.extend(frame(0x8a, b"yes"));
    input.extend(frame(0x80, b"ho"));
    let at = input.len();
    input.extend_from_slice(format!("D PM 3 ann {}\n", "x".repeat(300)).as_bytes());
    theirs::wrap_lines(&mut input, at);
    theirs::encode_close(1001, "shutting down", &mut input);
    let last = format!("D PM 3 ann {}", "x".repeat(300));
    let expected = ["C 220 hello", "D PM 1 ann hi", "?", "?there?", "D PM 2 ann ho", &last];
    for end in 0..=input.len() {
        let (first, second) = input.split_at(end);
        let (heard, has_ended, failed) = hear(&[first, second]);
        assert_eq!((heard, has_ended, failed), (expected.map(str::to_owned).to_vec(), true, None), "cut at {end}");
        // What is not whole is not heard, and does no harm.
        let (heard, has_ended, failed) = hear(&[first]);
        assert_eq!((&heard[..], failed), (&expected.map(str::to_owned)[..heard.len()], None), "the first {end}");
        assert_eq!(has_ended, end == input.len());
    }
    let bytes: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(hear(&bytes).0, expected);
}

#[test]
fn nothing_counts_behind_a_close() {
    let input = [UPGRADED.as_bytes(), &frame(0x88, b""), &frame(0x81, b"C 220 hello"), b"\xff"].concat();
    assert_eq!(hear(&[&input, b"\xff\xff"]), (Vec::new(), true, None));
}

#[test]
fn what_breaks_the_protocol_ends_it() {
    refused(&[0xc1, 0x00], frame::BROKEN); // a bit of an extension
    refused(&[0x81, 0x80, 1, 2, 3, 4], frame::BROKEN); // masked
    refused(&[0x82, 0x00], frame::BROKEN); // no text
    refused(&[0x09, 0x00], frame::BROKEN); // a ping in parts
    refused(&[0x89, 126, 0, 126], frame::BROKEN); // a long ping
    refused(&[0x80, 0x00], frame::BROKEN); // the rest of nothing
    refused(&[0x01, 0x00, 0x81, 0x00], frame::BROKEN); // a message within a message
    refused(&[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 1], ENDLESS);
    refused(&[0x81, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], ENDLESS);
    let half = frame(0x00, &vec![b'x'; LINE_MOST / 2]);
    refused(&[&frame(0x01, b"x"), &half[..], &half].concat(), ENDLESS);
}

#[test]
fn longest_lines_are_heard() {
    for size in [125, 126, 65_535, LINE_MOST] {
        let input = [UPGRADED.as_bytes(), &frame(0x81, &vec![b'x'; size])].concat();
        let (heard, _, failed) = hear(&[&input]);
        assert_eq!((heard.len(), heard.first().map(String::len), failed), (1, Some(size), None));
    }
}

#[test]
fn other_answers_are_told() {
    for (answer, told) in [
        ("C 220 chatd ready; your name?\n", "speaks no HTTP"),
        ("HTTP/1.0 200 OK\r\n\r\n", "speaks no HTTP"),
        (
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 12\r\n\r\nserver full\n",
            "503 Service Unavailable: server full",
        ),
        ("HTTP/1.1 404 Not \u{1b}Found\r\n\r\n", "404 Not Found"),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "has not understood"),
        ("HTTP/1.1 101 x\r\nSec-WebSocket-Accept: AAAA\r\n\r\n", "has not understood"),
    ] {
        let (heard, _, failed) = hear(&[answer.as_bytes()]);
        assert_eq!(heard.len(), 0, "{answer}");
        assert!(failed.as_ref().is_some_and(|failed| failed.contains(told)), "{answer}: {failed:?}");
    }
    let endless = format!("HTTP/1.1 101 x\r\nA: {}", "x".repeat(8 * 1024));
    assert!(hear(&[endless.as_bytes()]).2.is_some_and(|why| why.contains("never ended")));
}

#[test]
fn the_servers_own_codec_reads_the_messages() {
    let mut masks = Masks::new(3);
    for size in [0, 1, 3, 125, 126, 32_000] {
        let (mut out, text) = (b"before".to_vec(), vec![b'x'; size]);
        out.extend_from_slice(&text);
        wrap(&mut out, 6, &mut masks);
        let mut sent = out.split_off(6);
        assert!(size == 0 || !sent.ends_with(&text), "it is masked");
        let (length, found) = (sent.len(), theirs::Frames::default().next(&mut sent, 32_768));
        let theirs::Next::Text { start, end, next } = found else { panic!("{size}: {found:?}") };
        assert_eq!((&sent[start..end], next), (&text[..], length));
    }
    let mut out = b"there?".to_vec();
    wrap_pong(&mut out, 0, &mut masks);
    assert_eq!((out[0], theirs::Frames::default().next(&mut out, 100)), (0x8a, theirs::Next::Nothing { next: 12 }));
    // A message that the server's line would not take still has a head that fits it.
    let mut out = vec![0; 70_000];
    wrap(&mut out, 0, &mut masks);
    assert_eq!((out.len(), &out[..10]), (70_014, &[0x81, 0xff, 0, 0, 0, 0, 0, 1, 0x11, 0x70][..]));
}

#[test]
fn the_request_names_the_server() {
    let text = String::from_utf8(request("chat.example:8015")).unwrap();
    assert!(text.starts_with("GET /ws HTTP/1.1\r\nHost: chat.example:8015\r\n") && text.ends_with("\r\n\r\n"));
    assert!(text.contains("Sec-WebSocket-Protocol: chatd.v1\r\n"));
}
