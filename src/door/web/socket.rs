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

/// A conversation.
#[derive(Debug)]
pub(super) struct Socket {
    line: Line,
    frames: Frames,
    /// The frame that was cut last.
    cut: Frame,
    /// The code of the close, once it is known.
    code: u16,
    /// The close was sent.
    has_closed: bool,
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
    /// The client closes.
    Close,
    /// It breaks the protocol.
    Bad,
}

impl Socket {
    /// A new one.
    pub(super) fn new() -> Self {
        let (line, frames) = (Line::typed(), Frames::default());
        Self { line, frames, cut: Frame::Nothing, code: code::NORMAL, has_closed: false }
    }

    /// The line door behind it.
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// True if a message has begun in frames that were taken.
    pub(super) fn has_begun(&self) -> bool {
        self.frames.has_begun()
    }

    /// The message that [`Cut::Gathered`] has announced.
    pub(super) fn take_gathered(&mut self) -> Vec<u8> {
        self.frames.take()
    }

    /// Looks for a frame of a line of at most `limit` bytes at the start of `bytes`, and unmasks it in place.
    pub(super) fn cut(&mut self, bytes: &mut [u8], limit: usize) -> Cut {
        let (cut, kind) = match self.frames.next(bytes, limit) {
            Next::Partial { keep } => return Cut::Partial { keep },
            Next::TooLong { next } => return Cut::TooLong { next },
            Next::Text { start, end, next } => (Cut::Frame { start, end, next }, Frame::Text),
            Next::Gathered { next } => (Cut::Gathered { next }, Frame::Text),
            Next::Ping { start, end, next } => (Cut::Frame { start, end, next }, Frame::Ping),
            Next::Nothing { next } => (Cut::Frame { start: 0, end: 0, next }, Frame::Nothing),
            Next::Close { code, next } => {
                self.code = code;
                (Cut::Frame { start: 0, end: 0, next }, Frame::Close)
            }
            Next::Bad(code) => {
                self.code = code;
                (Cut::Frame { start: 0, end: 0, next: bytes.len() }, Frame::Bad)
            }
        };
        self.cut = kind;
        cut
    }

    /// Decodes what [`cut`](Self::cut) has found.
    pub(super) fn decode<'a>(&mut self, bytes: &'a [u8], password_min: u32) -> Decoded<'a> {
        match self.cut {
            Frame::Text if std::str::from_utf8(bytes).is_err() => {
                self.code = code::NOT_TEXT;
                Decoded::Refuse(CloseReason::BadWebSocketFrame)
            }
            Frame::Text => self.line.decode(bytes, password_min),
            Frame::Ping => Decoded::Reply(Reply::Pong(bytes.into())),
            Frame::Nothing => Decoded::Nothing,
            Frame::Close => Decoded::Over,
            Frame::Bad if self.code == code::TOO_BIG => Decoded::Refuse(CloseReason::LineNeverEnded),
            Frame::Bad => Decoded::Refuse(CloseReason::BadWebSocketFrame),
        }
    }

    /// The frame that was cut last, as a trace shows it; `None` for one that asks for nothing.
    pub(super) fn traced(&self, payload: &[u8]) -> Option<String> {
        match self.cut {
            Frame::Text => Some(operator::from_client(payload, self.line.expects_secret())),
            Frame::Ping => Some("ping".to_owned()),
            Frame::Nothing => None,
            Frame::Close => Some("close".to_owned()),
            Frame::Bad => Some(operator::MASK.to_owned()),
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
                self.code = code_of(reason);
            }
            self.encode_close(&reason.to_string(), out);
        } else if *reply == Reply::Bye {
            self.encode_close("bye", out);
        }
    }

    /// Appends the close to `out`, if it was not sent.
    pub(super) fn encode_close(&mut self, why: &str, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.has_closed, true) {
            frame::encode_close(self.code, why, out);
        }
    }
}
