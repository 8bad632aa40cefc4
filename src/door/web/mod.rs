//! The web door: the page by HTTP, and the typed dialect of the line door by WebSocket, one text message a line.
//!
//! ```text
//! GET /, /a/HASH/NAME ─▶ Fetch ─▶ the engine checks Host, Origin and address ─▶ the page
//! GET /ws ─▶ Fetch ─▶ … ─▶ 101 ─▶ frames ─▶ lines ─▶ Line ─▶ commands
//! ```

mod exchange;
pub mod request;
mod answer;
#[cfg(test)]
mod autobahn;
pub mod files;
mod policy;
mod squeeze;

mod socket;
pub mod frame;

#[cfg(test)]
mod tests;

pub use answer::{Fetched, status_of};
pub use frame::wrap_lines;
pub use request::{Fetch, Forwarded, Upgrade, What};

use super::decoded::Decoded;
use super::http::Answer;
use super::inbox::Cut;
use super::line::{self, Line};
use super::operator;
use super::recall::Notice;
use super::reply::Reply;
use crate::close::CloseReason;
use crate::hub::event::Event;
use exchange::Exchange;
use frame::CLIENT_HEAD_BYTES;
use socket::Socket;

/// The state of one connection.
#[derive(Debug)]
pub struct WebDoor {
    /// When it was accepted, got its last answer, or had taken all of its output; in milliseconds.
    since: u64,
    state: State,
}

/// What is spoken.
#[derive(Debug)]
enum State {
    /// HTTP, at the listener of this number.
    Http { exchange: Exchange, listener: usize },
    /// WebSocket.
    Socket(Socket),
}

impl WebDoor {
    /// The state of a new connection at this listener.
    pub fn new(listener: usize) -> Self {
        Self { since: 0, state: State::Http { exchange: Exchange::new(), listener } }
    }

    /// The listener, by its number; `None` in a conversation.
    pub fn listener(&self) -> Option<usize> {
        match self.state {
            State::Http { listener, .. } => Some(listener),
            State::Socket(_) => None,
        }
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
            State::Http { .. } => None,
            State::Socket(socket) => Some(socket.line()),
        }
    }

    /// True if no other request follows the answer to the last one.
    pub fn is_over(&self) -> bool {
        matches!(&self.state, State::Http { exchange, .. } if exchange.is_last())
    }

    /// True if a message has begun in frames that were taken.
    pub fn has_begun(&self) -> bool {
        matches!(&self.state, State::Socket(socket) if socket.has_begun())
    }

    /// A frame of the client as a trace shows it, before it is [decoded](Self::decode); `None` for one that is not shown.
    pub fn traced(&self, frame: &[u8]) -> Option<String> {
        match &self.state {
            State::Http { .. } => Some(operator::MASK.to_owned()),
            State::Socket(socket) => socket.traced(frame),
        }
    }

    /// The longest frame, in bytes. `line_bytes` is the bound of a line.
    pub fn frame_limit(&self, line_bytes: usize, login_bytes: usize) -> usize {
        match &self.state {
            State::Http { .. } => crate::limits::HEAD_BYTES,
            State::Socket(socket) if socket.line().is_logged_in() => line_bytes + CLIENT_HEAD_BYTES,
            State::Socket(_) => line_bytes.min(login_bytes) + CLIENT_HEAD_BYTES,
        }
    }

    /// Looks for a request or a frame of at most `limit` bytes at the start of `bytes`. A frame is unmasked in place.
    /// Bytes that are neither are cut as they are, so that [`decode`](Self::decode) refuses them.
    pub fn cut(&mut self, bytes: &mut [u8], limit: usize) -> Cut {
        match &mut self.state {
            State::Http { exchange, .. } => exchange.cut(bytes),
            State::Socket(socket) => socket.cut(bytes, limit.saturating_sub(CLIENT_HEAD_BYTES)),
        }
    }

    /// The message that [`Cut::Gathered`] has announced.
    pub fn take_gathered(&mut self) -> Vec<u8> {
        match &mut self.state {
            State::Http { .. } => Vec::new(),
            State::Socket(socket) => socket.take_gathered(),
        }
    }

    /// Decodes what [`cut`](Self::cut) has found.
    pub fn decode<'a>(&mut self, bytes: &'a [u8], password_min: u32) -> Decoded<'a> {
        match &mut self.state {
            State::Http { exchange, .. } => Decoded::Fetch(Box::new(exchange.decode(bytes))),
            State::Socket(socket) => socket.decode(bytes, password_min),
        }
    }

    /// Appends the answer to a request to `out`. After [`Fetched::Upgraded`] the conversation has begun.
    pub fn encode_answer(&mut self, answer: &Fetched<'_>, out: &mut Vec<u8>) {
        let State::Http { exchange, .. } = &mut self.state else { return };
        exchange.encode(answer, out);
        if let Fetched::Upgraded(_) = answer {
            self.state = State::Socket(Socket::new());
        }
    }

    /// True if the answer to the last request has a body.
    pub fn has_body(&self) -> bool {
        matches!(&self.state, State::Http { exchange, .. } if exchange.has_body())
    }

    /// Appends a reply of the server to `out`, and updates the dialogue.
    pub fn encode_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) {
        match (&mut self.state, reply) {
            (State::Http { exchange, .. }, Reply::Closing(reason)) => exchange.encode_close(reason, out),
            (State::Http { .. }, _) => {}
            (State::Socket(socket), reply) => socket.encode_reply(reply, out),
        }
    }

    /// Appends the hub's answer to a command to `out`, and updates the dialogue.
    pub fn encode_event(&mut self, event: &Event, out: &mut Vec<u8>) {
        if let State::Socket(socket) = &mut self.state {
            socket.encode_event(event, out);
        }
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
