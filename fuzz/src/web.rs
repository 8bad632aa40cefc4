//! The web door: WebSocket frames.

use chatd::door::inbox::{Cut, Inbox};
use chatd::door::reply::Reply;
use chatd::door::web::{Fetched, Upgrade};
use chatd::door::{Decoded, Door};
use chatd::limits::DISCARD_BYTES;

use super::pieces::pieces;

/// The bound of a line, in bytes: short, so that many messages reach it.
const LINE_BYTES: u32 = 64;

/// However a stream is cut, the same messages are found. None is longer than the bound, all are text, and no client
/// makes the server keep more than the longest message.
///
/// Bytes 0 to 2 say how the stream is cut; the rest is what is sent after the handshake.
pub fn web(data: &[u8]) {
    let Some((steps, sent)) = data.split_first_chunk::<3>() else { return };
    let whole = messages(sent.chunks(sent.len().max(1)));
    assert_eq!(messages(pieces(sent, steps)), whole, "cut in pieces of {steps:?}");
}

/// The messages in a stream, up to its end.
fn messages<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let (mut door, mut inbox) = (talking(), Inbox::default());
    let limit = door.frame_limit(LINE_BYTES);
    let (mut held, mut found) = (Vec::new(), Vec::new());
    for piece in pieces {
        held.extend_from_slice(piece);
        loop {
            let (content, next) = match door.cut(&mut inbox, &mut held, limit) {
                Cut::Frame { start, end, next } => (held[start..end].to_vec(), next),
                Cut::Gathered { next } => (door.take_gathered(), next),
                Cut::TooLong { next } => {
                    found.push("too long".to_owned());
                    held.drain(..next);
                    continue;
                }
                Cut::Partial { keep } => {
                    held.drain(..keep);
                    assert!(held.len() <= limit.max(139), "{} bytes of a frame are kept", held.len());
                    break;
                }
                cut @ (Cut::Line { .. } | Cut::NeverEnds) => panic!("{cut:?} is no frame"),
            };
            assert!(content.len() < LINE_BYTES as usize || content.len() <= 125 && next <= DISCARD_BYTES);
            let decoded = door.decode(&content, 8);
            let is_over = matches!(decoded, Decoded::Over | Decoded::Refuse(_));
            if let Decoded::Reply(Reply::Pong(payload)) = &decoded {
                assert_eq!(**payload, content);
            }
            found.push(format!("{decoded:?}"));
            if is_over {
                check_close(&mut door);
                return found;
            }
            held.drain(..next);
        }
    }
    found
}

/// A door after the handshake.
fn talking() -> Door {
    let mut door = Door::web(0);
    let upgrade = Upgrade { accept: String::new(), names_protocol: false };
    let Door::Web(web) = &mut door else { panic!("another door") };
    web.encode_answer(&Fetched::Upgraded(&upgrade), &mut Vec::new());
    door
}

/// The last frame is a close with a code that may be sent.
fn check_close(door: &mut Door) {
    let mut out = Vec::new();
    door.end(&mut out);
    let [0x88, length, high, low, ..] = out.as_slice() else { panic!("{out:?} is no close") };
    let code = u16::from_be_bytes([*high, *low]);
    assert!(
        usize::from(*length) + 2 == out.len() && matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999),
        "{out:?}"
    );
}
