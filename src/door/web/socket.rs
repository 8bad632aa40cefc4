//! A conversation by WebSocket: the line door behind frames.

use super::answer::code_of;
use super::frame::{self, Frames, Next, code, wrap_lines};
use crate::close::CloseReason;
use crate::door::decoded::Decoded;
use crate::door::inbox::Cut;
use crate::door::line::Line;
use crate::door::operator;
use crate::door::reply::Reply;
use crate::hub::event::Event;

/// A conversation. Thousands rest at a time, so it holds what most have, and keeps the rest elsewhere.
#[derive(Debug)]
pub(super) struct Socket {
    line: Line,
    /// `None` while nothing but whole messages comes.
    rare: Option<Box<Rare>>,
}

/// What a conversation seldom has.
#[derive(Debug)]
struct Rare {
    frames: Frames,
    /// The frame that was cut last.
    cut: Frame,
    /// The code of the close, once it is known.
    code: u16,
    /// The close was sent.
    has_closed: bool,
}

impl Default for Rare {
    fn default() -> Self {
        Self { frames: Frames::default(), cut: Frame::Text, code: code::NORMAL, has_closed: false }
    }
}

/// The meaning of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    /// A line.
    Text,
    /// A ping.
    Ping,
    /// It asks for nothing.
    Nothing,
    /// The client closes, and is answered with this code.
    Close(u16),
    /// It breaks the protocol: the connection closes with this code.
    Bad(u16),
}

impl Socket {
    /// A new one.
    pub(super) fn new() -> Self {
        Self { line: Line::typed(), rare: None }
    }

    /// The line door behind it.
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// True if a message has begun in frames that were taken.
    pub(super) fn has_begun(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.frames.has_begun())
    }

    /// The message that [`Cut::Gathered`] has announced.
    pub(super) fn take_gathered(&mut self) -> Vec<u8> {
        self.rare.as_mut().map(|rare| rare.frames.take()).unwrap_or_default()
    }

    /// Looks for a frame of a line of at most `limit` bytes at the start of `bytes`, and unmasks it in place.
    pub(super) fn cut(&mut self, bytes: &mut [u8], limit: usize) -> Cut {
        let mut fresh = Frames::default();
        let frames = self.rare.as_mut().map_or(&mut fresh, |rare| &mut rare.frames);
        let (cut, kind) = match frames.next(bytes, limit) {
            Next::Partial { keep } => (Cut::Partial { keep }, Frame::Text),
            Next::TooLong { next } => (Cut::TooLong { next }, Frame::Text),
            Next::Text { start, end, next } => (Cut::Frame { start, end, next }, Frame::Text),
            Next::Gathered { next } => (Cut::Gathered { next }, Frame::Text),
            Next::Ping { start, end, next } => (Cut::Frame { start, end, next }, Frame::Ping),
            Next::Nothing { next } => (Cut::Frame { start: 0, end: 0, next }, Frame::Nothing),
            Next::Close { code, next } => (Cut::Frame { start: 0, end: 0, next }, Frame::Close(code)),
            Next::Bad(code) => (Cut::Frame { start: 0, end: 0, next: bytes.len() }, Frame::Bad(code)),
        };
        if self.rare.is_some() || kind != Frame::Text || fresh.has_begun() {
            let rare = self.rare.get_or_insert_with(|| Box::new(Rare { frames: fresh, ..Rare::default() }));
            rare.cut = kind;
            if let Frame::Close(code) | Frame::Bad(code) = kind {
                rare.code = code;
            }
        }
        cut
    }

    /// The frame that was cut last, which is decoded now.
    fn take_cut(&mut self) -> Frame {
        let Some(rare) = &mut self.rare else { return Frame::Text };
        let cut = std::mem::replace(&mut rare.cut, Frame::Text);
        if !rare.frames.has_begun() && !rare.has_closed && rare.code == code::NORMAL {
            self.rare = None;
        }
        cut
    }

    /// Decodes what [`cut`](Self::cut) has found.
    pub(super) fn decode<'a>(&mut self, bytes: &'a [u8], password_min: u32) -> Decoded<'a> {
        match self.take_cut() {
            Frame::Text if std::str::from_utf8(bytes).is_err() => {
                self.rare.get_or_insert_default().code = code::NOT_TEXT;
                Decoded::Refuse(CloseReason::BadWebSocketFrame)
            }
            Frame::Text => self.line.decode(bytes, password_min),
            Frame::Ping => Decoded::Reply(Reply::Pong(bytes.into())),
            Frame::Nothing => Decoded::Nothing,
            Frame::Close(_) => Decoded::Over,
            Frame::Bad(code::TOO_BIG) => Decoded::Refuse(CloseReason::LineNeverEnded),
            Frame::Bad(_) => Decoded::Refuse(CloseReason::BadWebSocketFrame),
        }
    }

    /// The frame that was cut last, as a trace shows it; `None` for one that asks for nothing.
    pub(super) fn traced(&self, payload: &[u8]) -> Option<String> {
        match self.rare.as_ref().map_or(Frame::Text, |rare| rare.cut) {
            Frame::Text => Some(operator::from_client(payload, self.line.expects_secret())),
            Frame::Ping => Some("ping".to_owned()),
            Frame::Nothing => None,
            Frame::Close(_) => Some("close".to_owned()),
            Frame::Bad(_) => Some(operator::MASK.to_owned()),
        }
    }

    /// Appends the hub's answer to a command to `out`.
    pub(super) fn encode_event(&mut self, event: &Event, out: &mut Vec<u8>) {
        let start = out.len();
        self.line.encode_event(event, out);
        wrap_lines(out, start);
    }

    /// Appends a reply of the server to `out`, and the close behind the last one.
    pub(super) fn encode_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) {
        if let Reply::Pong(payload) = reply {
            return frame::encode_pong(payload, out);
        }
        let start = out.len();
        self.line.encode_reply(reply, out);
        wrap_lines(out, start);
        if let Reply::Closing(reason) = reply {
            if *reason != CloseReason::BadWebSocketFrame {
                self.rare.get_or_insert_default().code = code_of(reason);
            }
            self.encode_close(&reason.to_string(), out);
        } else if *reply == Reply::Bye {
            self.encode_close("bye", out);
        }
    }

    /// Appends the close to `out`, if it was not sent.
    pub(super) fn encode_close(&mut self, why: &str, out: &mut Vec<u8>) {
        let rare = self.rare.get_or_insert_default();
        if !std::mem::replace(&mut rare.has_closed, true) {
            frame::encode_close(rare.code, why, out);
        }
    }
}
