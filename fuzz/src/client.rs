//! The decoder of the client.

use chatclient::frame::{Frames, LINE_BYTES};
use chatclient::past;
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

/// The client's decoders of pages, counts and confirmations: what decodes is within the text, and a place is written as it
/// was read.
///
/// The input is the text of a reply, after its code.
pub fn past(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(line) = past::line(&text) {
        assert!(text.ends_with(&line.text) && text.contains(&line.from));
        assert_eq!(past::place(&past::word(&line.place)), Some(line.place));
    }
    if let Some(unread) = past::unread(&text) {
        assert_eq!(past::place(&past::word(&unread.place)), Some(unread.place));
    }
    let (told, id) = past::confirmed(&text);
    assert!(text.starts_with(told) && (id.is_some() || told.len() == text.len()));
    assert!(text.contains(past::welcomed(&text)));
    let _ = past::last(&text);
}
