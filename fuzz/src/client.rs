//! The decoder of the client.

use chatclient::frame::{Frames, LINE_BYTES};
use chatclient::visible::visible;

use super::pieces::pieces;

/// The client's reader: however a server's stream is cut, it is the same frames, in bounded memory; and nothing of it
/// is shown that a terminal obeys.
///
/// Bytes 0 to 2 say how it is cut; the rest is what the server sends.
pub fn frame(data: &[u8]) {
    let Some((steps, sent)) = data.split_first_chunk::<3>() else { return };
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut frames, mut found) = (Frames::default(), Vec::new());
        for piece in pieces {
            frames.push(piece, |frame| found.push(frame));
            assert!(frames.held() <= LINE_BYTES);
        }
        (found, frames.end())
    };
    let whole = read(&mut sent.chunks(sent.len().max(1)));
    assert_eq!(read(&mut pieces(sent, steps)), whole, "cut in pieces of {steps:?}");
    let text = String::from_utf8_lossy(sent);
    assert!(!visible(&text).chars().any(char::is_control));
}
