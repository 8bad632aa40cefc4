//! The web door: the page by HTTP, and the typed dialect of the line door by WebSocket, one text message a line.
//!
//! ```text
//! GET /, /a/HASH/NAME ─▶ Fetch ─▶ the engine checks Host, Origin and address ─▶ the page
//! GET /ws ─▶ Fetch ─▶ … ─▶ on_upgraded ─▶ frames ─▶ lines ─▶ Line ─▶ commands
//! ```

mod answer;
#[cfg(test)]
mod autobahn;
pub mod files;
pub mod frame;
pub mod request;
mod squeeze;
#[cfg(test)]
mod tests;

pub use answer::{Fetched, status_of};
pub use frame::wrap_lines;
pub use request::{Fetch, Forwarded, Upgrade, What};

use super::decoded::Decoded;
use super::http::{self, Answer, Head, Method, Parsed, Status};
use super::inbox::Cut;
use super::line::{self, Line};
use super::recall::Notice;
use super::reply::Reply;
use crate::close::CloseReason;
use crate::hub::event::Event;
use crate::limits::REQUESTS_A_CONNECTION;
use answer::code_of;
use frame::{CLIENT_HEAD_BYTES, Frames, Next, code};

/// The state of one connection.
#[derive(Debug)]
pub struct WebDoor {
    /// The listener, by its number.
    listener: usize,
    /// When it was accepted, got its last answer, or had taken all of its output; in milliseconds.
    since: u64,
    state: State,
}

/// What is spoken.
#[derive(Debug)]
enum State {
    /// HTTP.
    Http(Exchange),
    /// WebSocket.
    Socket(Socket),
}

/// The requests of one connection, one at a time.
#[derive(Debug)]
struct Exchange {
    /// Requests that the connection may still carry.
    left: u8,
    /// A request has begun that is not answered.
    has_begun: bool,
    /// The answer to the request has a body.
    has_body: bool,
    /// The connection closes after the answer.
    is_last: bool,
}

/// A conversation.
#[derive(Debug)]
struct Socket {
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

impl WebDoor {
    /// The state of a new connection at this listener.
    pub fn new(listener: usize) -> Self {
        let exchange = Exchange { left: REQUESTS_A_CONNECTION, has_begun: false, has_body: true, is_last: false };
        Self { listener, since: 0, state: State::Http(exchange) }
    }

    /// The listener, by its number.
    pub fn listener(&self) -> usize {
        self.listener
    }

    /// When it was accepted, got its last answer, or had taken all of its output; in milliseconds.
    pub fn since(&self) -> u64 {
        self.since
    }

    /// Something of these happens at `now`.
    pub fn note_time(&mut self, now: u64) {
        self.since = now;
    }

    /// The line door behind a conversation; `None` before the upgrade.
    pub fn line(&self) -> Option<&Line> {
        match &self.state {
            State::Http(_) => None,
            State::Socket(socket) => Some(&socket.line),
        }
    }

    /// True if no other request follows the answer to the last one.
    pub fn is_over(&self) -> bool {
        matches!(&self.state, State::Http(exchange) if exchange.is_last)
    }

    /// True if a message has begun in frames that were taken.
    pub fn has_begun(&self) -> bool {
        matches!(&self.state, State::Socket(socket) if socket.frames.has_begun())
    }

    /// The longest frame, in bytes. `line_bytes` is the bound of a line.
    pub fn frame_limit(&self, line_bytes: usize, login_bytes: usize) -> usize {
        match &self.state {
            State::Http(_) => crate::limits::HEAD_BYTES,
            State::Socket(socket) if socket.line.is_logged_in() => line_bytes + CLIENT_HEAD_BYTES,
            State::Socket(_) => line_bytes.min(login_bytes) + CLIENT_HEAD_BYTES,
        }
    }

    /// Looks for a request or a frame of at most `limit` bytes at the start of `bytes`. A frame is unmasked in place.
    /// Bytes that are neither are cut as they are, so that [`decode`](Self::decode) refuses them.
    pub fn cut(&mut self, bytes: &mut [u8], limit: usize) -> Cut {
        match &mut self.state {
            State::Http(exchange) => exchange.cut(bytes),
            State::Socket(socket) => socket.cut(bytes, limit.saturating_sub(CLIENT_HEAD_BYTES)),
        }
    }

    /// The message that [`Cut::Gathered`] has announced.
    pub fn take_gathered(&mut self) -> Vec<u8> {
        match &mut self.state {
            State::Http(_) => Vec::new(),
            State::Socket(socket) => socket.frames.take(),
        }
    }

    /// Decodes what [`cut`](Self::cut) has found.
    pub fn decode<'a>(&mut self, bytes: &'a [u8], password_min: u32) -> Decoded<'a> {
        match &mut self.state {
            State::Http(exchange) => Decoded::Fetch(Box::new(exchange.decode(bytes))),
            State::Socket(socket) => socket.decode(bytes, password_min),
        }
    }

    /// Appends the answer to a request to `out`. After [`Fetched::Upgraded`] the conversation has begun.
    pub fn encode_answer(&mut self, answer: &Fetched<'_>, out: &mut Vec<u8>) {
        let State::Http(exchange) = &mut self.state else { return };
        exchange.has_begun = false;
        answer.encode(exchange.has_body, exchange.is_last, out);
        if let Fetched::Upgraded(_) = answer {
            let (line, frames) = (Line::typed(), Frames::default());
            let socket = Socket { line, frames, cut: Frame::Nothing, code: code::NORMAL, has_closed: false };
            self.state = State::Socket(socket);
        }
    }

    /// True if the answer to the last request has a body.
    pub fn has_body(&self) -> bool {
        matches!(&self.state, State::Http(exchange) if exchange.has_body)
    }

    /// Appends a reply of the server to `out`, and updates the dialogue.
    pub fn encode_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) {
        match (&mut self.state, reply) {
            (State::Http(exchange), Reply::Closing(reason)) => exchange.encode_close(reason, out),
            (State::Http(_), _) => {}
            (State::Socket(socket), reply) => socket.encode_reply(reply, out),
        }
    }

    /// Appends the hub's answer to a command to `out`, and updates the dialogue.
    pub fn encode_event(&mut self, event: &Event, out: &mut Vec<u8>) {
        let State::Socket(socket) = &mut self.state else { return };
        let start = out.len();
        socket.line.encode_event(event, out);
        wrap_lines(out, start);
    }

    /// Appends the refusal of a connection that is not admitted to `out`. `bytes` is what the client has sent so far.
    pub fn refuse(&mut self, bytes: &[u8], reason: &CloseReason, out: &mut Vec<u8>) {
        let has_body = !bytes.starts_with(b"HEAD ");
        Answer::text(status_of(reason), &format!("{reason}\n")).encode(has_body, true, out);
    }

    /// Appends the close to `out`, if it was not sent. Called when no more input will be decoded.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if let State::Socket(socket) = &mut self.state {
            socket.encode_close("", out);
        }
    }
}

impl Exchange {
    fn cut(&mut self, bytes: &[u8]) -> Cut {
        self.has_begun = !bytes.is_empty();
        match http::parse(bytes) {
            Parsed::Whole(_, length) => Cut::Line { end: length, next: length },
            Parsed::Refused(..) => Cut::Line { end: bytes.len(), next: bytes.len() },
            Parsed::Partial => Cut::Partial { keep: 0 },
        }
    }

    fn decode<'a>(&mut self, bytes: &'a [u8]) -> Fetch<'a> {
        (self.has_begun, self.has_body) = (true, true);
        self.left = self.left.saturating_sub(1);
        match http::parse(bytes) {
            Parsed::Whole(head, _) => {
                let Head { method, keeps_open, .. } = *head;
                self.has_body = method != Method::Head;
                self.is_last = !keeps_open || self.left == 0;
                Fetch::of(&head)
            }
            Parsed::Refused(status, why) => self.refused(status, why),
            Parsed::Partial => self.refused(Status::BadRequest, "this is no HTTP/1.1 request"),
        }
    }

    fn refused(&mut self, status: Status, why: &'static str) -> Fetch<'static> {
        self.is_last = true;
        Fetch::refused(status, why)
    }

    /// Answers a request that has begun, or is the first, because the connection closes. Clients take an answer that
    /// nobody has asked for as one to their next request, so there is none between two.
    fn encode_close(&mut self, reason: &CloseReason, out: &mut Vec<u8>) {
        let is_new = self.left == REQUESTS_A_CONNECTION; // its first request comes, or it is no client of ours
        if (std::mem::take(&mut self.has_begun) || is_new) && *reason != CloseReason::TooSlow {
            self.is_last = true;
            Answer::text(status_of(reason), &format!("{reason}\n")).encode(self.has_body, true, out);
        }
    }
}

impl Socket {
    fn cut(&mut self, bytes: &mut [u8], limit: usize) -> Cut {
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

    fn decode<'a>(&mut self, bytes: &'a [u8], password_min: u32) -> Decoded<'a> {
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

    fn encode_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) {
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
            self.encode_close(reason.name(), out);
        } else if *reply == Reply::Bye {
            self.encode_close("bye", out);
        }
    }

    fn encode_close(&mut self, why: &str, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.has_closed, true) {
            frame::encode_close(self.code, why, out);
        }
    }
}

/// Appends a broadcast event to `out`: the typed lines, each a text message.
pub fn encode(event: &Event, out: &mut Vec<u8>) {
    let start = out.len();
    line::encode(super::Kind::Typed, event, out);
    wrap_lines(out, start);
}

/// Appends a notice to `out`, as [`encode`].
pub fn encode_notice(notice: &Notice, out: &mut Vec<u8>) {
    let start = out.len();
    line::encode_notice(notice, out);
    wrap_lines(out, start);
}
