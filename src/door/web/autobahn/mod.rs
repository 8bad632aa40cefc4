//! The cases 1 to 7 and 9 of Autobahn's test suite for WebSocket (crossbario/autobahn-testsuite, 25.10.1), against an
//! echo behind the door's codec.
//!
//! A case has what the client sends and what the suite expects of an echo, in bytes. Two things differ everywhere: what
//! the suite calls a failed connection ends with a last line and a close, and the client's close follows its last
//! message at once. Where the server differs from the suite on purpose, the case says why.

mod closing;
mod framing;
mod limits;
mod text;

use super::*;
use crate::limits::DISCARD_BYTES;

/// The bound of a message here: the largest that the codec can have. As shipped it is less.
const LIMIT: usize = DISCARD_BYTES;
/// As much of a client's payload is made. Where it is longer, the server has closed by then.
const MADE_BYTES: usize = 2 * DISCARD_BYTES;
/// The first bytes of frames.
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
/// … of messages in several frames.
const FIRST: u8 = 0x01;
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;

const NO_BINARY: &str = "only text is spoken: the server closes with 1003";
const ONE_BYTE_LESS: &str = "a line has less than 64 KiB: it is refused, the conversation goes on";
const TOO_LONG: &str = "a message has at most 64 KiB: the server closes with 1009";

/// A case of the suite.
struct Case {
    id: String,
    sent: Vec<u8>,
    /// The client sends in pieces of so many bytes.
    chop: usize,
    /// What the suite expects.
    expected: Vec<u8>,
    /// What the server answers instead, and why.
    instead: Option<(Vec<u8>, &'static str)>,
}

/// A case in which the suite expects these frames for those.
fn case(id: impl Into<String>, sent: &[Vec<u8>], expected: &[Vec<u8>]) -> Case {
    Case { id: id.into(), sent: sent.concat(), chop: usize::MAX, expected: expected.concat(), instead: None }
}

impl Case {
    fn in_pieces_of(mut self, bytes: usize) -> Self {
        self.chop = bytes;
        self
    }

    /// The server answers with these frames.
    fn but(mut self, why: &'static str, frames: &[Vec<u8>]) -> Self {
        self.instead = Some((frames.concat(), why));
        self
    }
}

/// A client's frame with this first byte.
fn frame(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    long_frame(first, payload, payload.len())
}

/// A client's frame whose payload repeats a pattern up to this length.
fn long_frame(first: u8, pattern: impl AsRef<[u8]>, length: usize) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match length {
        0..=125 => bytes.push(0x80 | length as u8),
        126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    let payload = pattern.as_ref().iter().cycle().take(length.min(MADE_BYTES));
    bytes.extend(payload.zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// The client closes, as the suite does once it has got what it expects.
fn bye() -> Vec<u8> {
    close(1000, "")
}

/// The client closes.
fn close(code: u16, why: impl AsRef<[u8]>) -> Vec<u8> {
    frame(CLOSE, [&code.to_be_bytes(), why.as_ref()].concat())
}

/// A frame of the server. The codec's own encoder is not used.
fn answer(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut bytes = match payload.len() {
        length @ 0..=125 => vec![first, length as u8],
        length @ 126..=0xffff => vec![first, 126, (length >> 8) as u8, length as u8],
        _ => [&[first, 127][..], &(payload.len() as u64).to_be_bytes()].concat(),
    };
    bytes.extend_from_slice(payload);
    bytes
}

fn echo(text: impl AsRef<[u8]>) -> Vec<u8> {
    answer(TEXT, text)
}

/// The server answers the client's close.
fn closed(code: u16) -> Vec<u8> {
    answer(CLOSE, code.to_be_bytes())
}

/// The server closes, and says why.
fn failed(code: u16) -> Vec<u8> {
    let why = if code == 1009 { "line never ended" } else { "bad WebSocket frame" };
    let close = [&code.to_be_bytes(), why.as_bytes()].concat();
    [answer(TEXT, format!("C 421 {why}")), answer(CLOSE, close)].concat()
}

/// The server refuses a message, and goes on.
fn refused() -> Vec<u8> {
    answer(TEXT, format!("C 500 line too long; at most {LIMIT} bytes"))
}

/// A conversation whose texts are echoed.
struct Echo {
    door: WebDoor,
    held: Vec<u8>,
    out: Vec<u8>,
    is_over: bool,
}

impl Echo {
    fn new() -> Self {
        let door = WebDoor { state: State::Socket(Socket::new()), ..WebDoor::new(0) };
        Self { door, held: Vec::new(), out: Vec::new(), is_over: false }
    }

    /// Takes what one read gives.
    fn hear(&mut self, piece: &[u8]) {
        self.held.extend_from_slice(piece);
        let mut held = std::mem::take(&mut self.held);
        let mut at = 0;
        while !self.is_over {
            at += match self.door.cut(&mut held[at..], LIMIT + CLIENT_HEAD_BYTES) {
                Cut::Partial { keep } => {
                    at += keep;
                    break;
                }
                Cut::TooLong { next } => {
                    self.door.encode_reply(&Reply::LineTooLong(LIMIT), &mut self.out);
                    next
                }
                Cut::Gathered { next } => {
                    let text = self.door.take_gathered();
                    self.take(&text);
                    next
                }
                Cut::Frame { start, end, next } => {
                    self.take(&held[at + start..at + end]);
                    next
                }
                other @ (Cut::Line { .. } | Cut::NeverEnds) => panic!("{other:?}"),
            };
        }
        held.drain(..at);
        self.held = held;
    }

    /// Takes what was cut.
    fn take(&mut self, bytes: &[u8]) {
        let asks_for_nothing = self.door.traced(bytes).is_none();
        let decoded = self.door.decode(bytes, 0);
        if asks_for_nothing {
            return;
        }
        if let Decoded::Refuse(reason @ (CloseReason::BadWebSocketFrame | CloseReason::LineNeverEnded)) = decoded {
            self.door.encode_reply(&Reply::Closing(reason), &mut self.out);
            self.is_over = true;
        } else if let Decoded::Reply(pong @ Reply::Pong(_)) = decoded {
            self.door.encode_reply(&pong, &mut self.out);
        } else if matches!(decoded, Decoded::Over) {
            self.door.end(&mut self.out);
            self.is_over = true;
        } else {
            // A text, whatever it means as a line.
            let start = self.out.len();
            self.out.extend_from_slice(bytes);
            self.out.push(b'\n');
            wrap_lines(&mut self.out, start);
        }
    }
}

#[test]
fn the_suite() {
    let cases: Vec<Case> =
        [framing::cases(), text::cases(), closing::cases(), limits::cases()].into_iter().flatten().collect();
    assert_eq!(cases.len(), 300, "all cases of these chapters");
    let mut wrong = Vec::new();
    for Case { id, sent, chop, expected, instead } in cases {
        let (answers, why) = instead.unwrap_or((expected.clone(), ""));
        assert_eq!(answers != expected, !why.is_empty(), "{id} differs, or does not: {why}");
        let short = if sent.len() < 4096 { 1 } else { 997 };
        for pieces in [chop, usize::MAX, short] {
            let mut server = Echo::new();
            sent.chunks(pieces).for_each(|piece| server.hear(piece));
            if server.out != answers {
                let [out, answers] = [&server.out, &answers].map(|bytes| bytes[..bytes.len().min(99)].escape_ascii());
                wrong.push(format!("{id} in pieces of {pieces}: {out} is not {answers}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Cases 5.19 and 5.20 wait at this point.
#[test]
fn a_ping_within_a_message_is_answered_before_its_end() {
    let mut server = Echo::new();
    for frame in [frame(FIRST, "fragment1"), frame(MORE, "fragment2"), frame(PING, "pongme 1!")] {
        server.hear(&frame);
    }
    assert_eq!(server.out, answer(PONG, "pongme 1!"));
}
