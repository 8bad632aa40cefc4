//! The exchange of the room door's TCP side: a room is made or joined, and answered with a token.
//!
//! [`Exchange::cut`] says when there is enough to be answered, [`Exchange::decode`] what is asked for,
//! [`Exchange::answer`] spells what came of it, in the form in which it was asked.

#[cfg(test)]
mod tests;

use super::form::{self, Asked, Form};
use super::frame::{self, Frame, Header, State};
use crate::door::Masked;
use crate::door::datagram::Spelling;
use crate::hub::names::{GuestName, RoomName, RoomToken};
use crate::limits::{PASSWORD_MAX_BYTES, ROOM_REQUEST_BYTES};
use crate::text::{self, without_mark};

/// How a listener differs from the others, for clients that cannot be told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `status=ok`: a request's payload is a name and a port, its status is answered by a word.
    pub status_ok: bool,
    /// `down=named`: whoever comes through here hears datagrams as [`Spelling::Named`].
    pub down_named: bool,
}

/// One connection's exchange.
#[derive(Debug)]
pub(super) struct Exchange {
    options: Options,
    /// As it came; answers repeat it.
    operation: u8,
    form: Form,
    /// The room's name as answers repeat it; empty in a form that does not.
    room: Box<str>,
}

/// What stands at the start of the bytes that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Not enough yet.
    Partial,
    /// `..end` is to be decoded: a request, or as much of one as is needed to refuse it.
    Whole {
        /// Where it ends. What lies behind it is dropped.
        end: usize,
    },
}

/// What a request comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    /// Nothing: there is no whole header, so nobody is answered.
    Nothing,
    /// An outcome that the door knows by itself.
    Answer(Outcome),
    /// Something for the hub.
    Request(Request),
}

/// A wish to be in a room.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// Whether the room is to be made.
    pub operation: Operation,
    /// Which room.
    pub room: RoomName,
    /// Who asks.
    pub guest: GuestName,
    /// The room's password.
    pub password: Option<Masked<String>>,
    /// How this guest hears datagrams.
    pub spelling: Spelling,
}

/// What can be done with a room here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Make it, and enter it as its host.
    Make,
    /// Enter it.
    Join,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The guest is in, and this is its token.
    Entered(RoomToken),
    /// A room of that name is there already.
    RoomExists,
    /// There is no room of that name.
    NoSuchRoom,
    /// The room has another password.
    WrongPassword,
    /// The name may not be or is in use, the request cannot be read or is too large, or there is no place left.
    Refused,
}

impl Exchange {
    /// Nothing has come yet.
    pub(super) fn new(options: Options) -> Self {
        let form = if options.status_ok { Form::NameAndPort } else { Form::Name };
        Self { options, operation: 0, form, room: Box::default() }
    }

    /// Looks for a request in all that has come in. It takes at most [`ROOM_REQUEST_BYTES`] to tell.
    pub(super) fn cut(&self, bytes: &[u8]) -> Cut {
        let request = without_mark(bytes);
        let Some((header, _)) = Header::read(request) else { return Cut::Partial };
        let mark = bytes.len() - request.len();
        let end = header.end().map(|end| mark + end).filter(|end| *end <= ROOM_REQUEST_BYTES);
        let end = end.unwrap_or(mark + frame::HEADER_BYTES);
        if bytes.len() < end { Cut::Partial } else { Cut::Whole { end } }
    }

    /// What is asked for by what [`cut`](Self::cut) has found; or, when no more will come, by whatever came: a header
    /// alone is enough to be answered.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Decoded {
        let Some((header, body)) = Header::read(without_mark(bytes)) else { return Decoded::Nothing };
        self.operation = header.operation;
        match header.frame(body) {
            Some(frame) => self.on_frame(&frame).map_or_else(Decoded::Answer, Decoded::Request),
            None => Decoded::Answer(Outcome::Refused),
        }
    }

    fn on_frame(&mut self, frame: &Frame<'_>) -> Result<Request, Outcome> {
        let (form, asked) = form::read(without_mark(frame.payload), self.options.status_ok);
        self.form = form;
        // No byte that a terminal obeys leaves the server, not even to whoever sent it.
        if let Some(checked) = text::check(frame.room).filter(|checked| checked.is_clean && form.repeats_the_room()) {
            self.room = checked.text.into();
        }
        if frame.room.is_empty() {
            return Err(Outcome::NoSuchRoom);
        }
        let room = std::str::from_utf8(frame.room).ok().and_then(|room| RoomName::parse(room).ok());
        let Some((room, Asked { guest, password })) = room.zip(asked) else { return Err(Outcome::Refused) };
        let is_fit = |Masked(password): &Masked<String>| may_be_password(password);
        if frame.operation == Operation::Make && !password.as_ref().is_none_or(is_fit) {
            return Err(Outcome::Refused);
        }
        let spelling = if self.options.down_named { Spelling::Named } else { form.spelling() };
        Ok(Request { operation: frame.operation, room, guest, password, spelling })
    }

    /// Tells what came of the request: appends one frame or two to `out`, which are all that this connection gets.
    pub(super) fn answer(&self, outcome: Outcome, out: &mut Vec<u8>) {
        if let Some((state, status)) = self.form.status(outcome) {
            frame::encode(self.operation, state, &self.room, &status, out);
        }
        if let Outcome::Entered(token) = outcome {
            frame::encode(self.operation, State::Complete, &self.room, self.form.token(token).as_bytes(), out);
        }
    }
}

/// Whether a text may be a room's password, as at the line door. To enter a room, any may be tried.
fn may_be_password(text: &str) -> bool {
    (1..=PASSWORD_MAX_BYTES).contains(&text.len())
        && text::check(text.as_bytes()).is_some_and(|checked| checked.is_clean)
}
