//! The TCP side of the room door: one exchange per connection. A guest makes or enters a room, and gets a token.

mod exchange;
mod form;
mod frame;
pub(in crate::door) mod request;

use exchange::Exchange;
pub use request::{Operation, Options, Outcome, Request};

use super::datagram::Spelling;
use super::decoded::Decoded;
use super::foreign;
use super::inbox::Cut;
use super::reply::Reply;
use crate::close::CloseReason;
use crate::hub::event::Event;

/// The exchange of one connection, and the answer that is still due.
#[derive(Debug)]
pub struct RoomsDoor {
    exchange: Exchange,
    /// The answer if there is no other one. `None` before the header is complete, and after the answer.
    owed: Option<Outcome>,
    spelling: Spelling,
}

impl RoomsDoor {
    /// The state of a new connection.
    pub fn new(options: Options) -> Self {
        Self { exchange: Exchange::new(options), owed: None, spelling: Spelling::Text }
    }

    /// The format of datagrams to this guest. Valid once the request is decoded.
    pub fn spelling(&self) -> Spelling {
        self.spelling
    }

    /// Looks for a request in the whole input so far. A request that is refused for its header ends with the header.
    pub fn cut(&mut self, bytes: &[u8]) -> Cut {
        match self.exchange.cut(bytes) {
            exchange::Cut::Whole { end } => Cut::Line { end, next: end },
            exchange::Cut::Partial => {
                // A complete header gets an answer, even if the rest never arrives.
                if let exchange::Decoded::Answer(outcome) = self.exchange.decode(bytes) {
                    self.owed = Some(outcome);
                }
                Cut::Partial { keep: 0 }
            }
        }
    }

    /// Decodes the request that [`cut`](Self::cut) has found.
    pub fn decode(&mut self, bytes: &[u8]) -> Decoded<'static> {
        self.owed = Some(Outcome::Refused);
        if foreign::begins_proxy(bytes) {
            return Decoded::Refuse(CloseReason::ProxyHeader);
        }
        match self.exchange.decode(bytes) {
            exchange::Decoded::Nothing => Decoded::Over,
            exchange::Decoded::Answer(outcome) => {
                self.owed = Some(outcome);
                Decoded::Over
            }
            exchange::Decoded::Request(request) => {
                self.spelling = request.spelling;
                Decoded::EnterAsGuest(request)
            }
        }
    }

    /// Appends the answer to the request to `out`, if `reply` is one. Other replies are ignored.
    pub fn encode_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) {
        if let Reply::Entered { token, .. } = reply {
            self.answer(Outcome::Entered(*token), out);
        } else if *reply == Reply::WrongRoomPassword {
            self.answer(Outcome::WrongPassword, out);
        } else if matches!(reply, Reply::Closing(_)) {
            self.end(out);
        }
    }

    /// Appends the answer to the request to `out`, if `event` refuses it. [`Event::Entered`] is answered by
    /// [`Reply::Entered`].
    pub fn encode_event(&mut self, event: &Event, out: &mut Vec<u8>) {
        if matches!(event, Event::RoomExists { .. }) {
            self.answer(Outcome::RoomExists, out);
        } else if matches!(event, Event::NoSuchRoom) {
            self.answer(Outcome::NoSuchRoom, out);
        } else if matches!(event, Event::WrongRoomPassword { .. } | Event::RoomNeedsPassword) {
            self.answer(Outcome::WrongPassword, out);
        } else if matches!(event, Event::RoomFull { .. } | Event::TooManyRooms { .. } | Event::GuestNameTaken) {
            self.answer(Outcome::Refused, out);
        }
    }

    /// Appends the refusal of a connection that is not admitted to `out`, if `bytes` contains a complete header.
    pub fn refuse(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if let Cut::Line { end, .. } = self.cut(bytes) {
            // The request decides the form of the answer. It is not carried out.
            self.decode(bytes.get(..end).unwrap_or_default());
        }
        self.end(out);
    }

    /// Appends the answer that is due to `out`, if the client has sent a complete header. No more input is decoded.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(outcome) = self.owed {
            self.answer(outcome, out);
        }
    }

    fn answer(&mut self, outcome: Outcome, out: &mut Vec<u8>) {
        if self.owed.take().is_some() {
            self.exchange.answer(outcome, out);
        }
    }
}
