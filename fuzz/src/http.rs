//! The metrics door: heads of HTTP requests.

use chatd::door::http::{Answer, Status};
use chatd::door::inbox::{Cut, Inbox};
use chatd::door::metrics::{Ask, Metrics, What};
use chatd::door::{Decoded, Door};
use chatd::limits::HEAD_BYTES;

use super::pieces::pieces;

/// However a stream is cut, the same requests are found. None has a body, and each answer says where it ends.
///
/// Bytes 0 to 2 say how the stream is cut; the rest is what is sent.
pub fn http(data: &[u8]) {
    let Some((steps, sent)) = data.split_first_chunk::<3>() else { return };
    let whole = requests(sent.chunks(sent.len().max(1)));
    assert_eq!(requests(pieces(sent, steps)), whole, "cut in pieces of {steps:?}");
}

/// The requests in a stream, up to the last that the connection carries.
fn requests<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let (mut door, mut inbox) = (Door::metrics(0), Inbox::default());
    let (mut held, mut found) = (Vec::new(), Vec::new());
    for piece in pieces {
        held.extend_from_slice(piece);
        loop {
            match door.cut(&mut inbox, &mut held, HEAD_BYTES) {
                Cut::Line { end, next } => {
                    let Decoded::Ask(ask) = door.decode(&held[..end], 8) else { panic!("no request") };
                    found.push(show(&ask, &held[..end]));
                    let Door::Metrics(metrics) = &mut door else { panic!("another door") };
                    check_answer(metrics);
                    if metrics.is_over() {
                        return found;
                    }
                    held.drain(..next);
                }
                Cut::Partial { keep } => {
                    assert_eq!(keep, 0);
                    assert!(held.len() < HEAD_BYTES, "{} bytes and no end", held.len());
                    break;
                }
                cut @ (Cut::TooLong { .. } | Cut::NeverEnds | Cut::Frame { .. } | Cut::Gathered { .. }) => {
                    panic!("{cut:?} is no request")
                }
            }
        }
    }
    found
}

/// A request as text. The reason of a refusal does not count.
fn show(ask: &Ask<'_>, frame: &[u8]) -> String {
    if let What::Refused(status, _) = ask.what {
        return format!("{status:?}");
    }
    assert!(frame.len() <= HEAD_BYTES && frame.ends_with(b"\n"), "{frame:?}");
    let text = frame.to_ascii_lowercase();
    let has = |what: &[u8]| text.windows(what.len()).any(|window| window == what);
    assert!(!has(b"\ntransfer-encoding:") && has(b"\nhost:"), "{frame:?}");
    format!("{ask:?} {}", ask.bearer.map_or(0, |token| token.0.len()))
}

/// The answer is whole, and closes the connection after the last request only.
fn check_answer(door: &mut Metrics) {
    let (mut out, body) = (Vec::new(), "body\n");
    door.encode_answer(&Answer::text(Status::Ok, body), &mut out);
    let text = String::from_utf8(out).expect("text");
    let (head, rest) = text.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("\r\nContent-Length: 5\r\n"), "{head}");
    assert_eq!(head.contains("\r\nConnection: close"), door.is_over(), "{head}");
    assert!(rest == body || rest.is_empty(), "{rest}");
}
