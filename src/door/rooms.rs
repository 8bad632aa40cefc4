//! The room door's TCP side: one exchange a connection, in which a room is made or joined and answered with a token.

mod exchange;
mod form;
mod frame;

use exchange::Exchange;
pub use exchange::{Operation, Options, Outcome, Request};

use super::datagram::Spelling;
use super::inbox::Cut;
use super::reply::Reply;
use super::{Decoded, foreign};
use crate::close::CloseReason;
use crate::hub::event::Event;

/// One connection's exchange, and what is still owed to whoever began it.
#[derive(Debug)]
pub struct RoomsDoor {
    exchange: Exchange,
    /// What is answered if nothing else is: `None` before there is a whole header, and after the answer.
    owed: Option<Outcome>,
    spelling: Spelling,
}

impl RoomsDoor {
    /// A connection that has just come in.
    pub fn new(options: Options) -> Self {
        Self { exchange: Exchange::new(options), owed: None, spelling: Spelling::Text }
    }

    /// How whoever comes through here hears datagrams. Known once the request is decoded.
    pub fn spelling(&self) -> Spelling {
        self.spelling
    }

    /// Looks for a request in all that has come in; one that is refused for its header alone ends with it.
    pub fn cut(&mut self, bytes: &[u8]) -> Cut {
        match self.exchange.cut(bytes) {
            exchange::Cut::Whole { end } => Cut::Line { end, next: end },
            exchange::Cut::Partial => {
                // A whole header gets an answer, whatever becomes of the rest.
                if let exchange::Decoded::Answer(outcome) = self.exchange.decode(bytes) {
                    self.owed = Some(outcome);
                }
                Cut::Partial { keep: 0 }
            }
        }
    }

    /// What is asked for by what [`cut`](Self::cut) has found.
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

    /// Tells the client what came of its request, if `reply` is about that.
    pub fn encode_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) {
        if let Reply::Entered { token, .. } = reply {
            self.answer(Outcome::Entered(*token), out);
        } else if *reply == Reply::WrongRoomPassword {
            self.answer(Outcome::WrongPassword, out);
        } else if matches!(reply, Reply::Closing(_)) {
            self.end(out);
        }
    }

    /// Tells the client what the hub answers to its request.
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

    /// Turns away whoever has sent `bytes`: a whole header gets an answer here too.
    pub fn refuse(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if let Cut::Line { end, .. } = self.cut(bytes) {
            // What is asked for decides the form of the answer, and is not done.
            self.decode(bytes.get(..end).unwrap_or_default());
        }
        self.end(out);
    }

    /// No more will come: whoever has sent a whole header gets an answer.
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
