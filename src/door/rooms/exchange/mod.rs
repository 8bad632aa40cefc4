//! The exchange of the room door over TCP: a request to make or enter a room, and its answer.
//!
//! [`Exchange::cut`] finds a request, [`Exchange::decode`] decodes it, [`Exchange::answer`] encodes its outcome in the form
//! of the request.

#[cfg(test)]
mod tests;

use super::form::{self, Content, Form};
use super::frame::{self, Frame, Header, State};
use super::request::{Operation, Options, Outcome, Request};
use crate::door::datagram::Spelling;
use crate::hub::names::RoomName;
use crate::limits::{PASSWORD_MAX_BYTES, ROOM_REQUEST_BYTES};
use crate::secret::Masked;
use crate::text::{self, without_mark};

/// The exchange of one connection.
#[derive(Debug)]
pub(super) struct Exchange {
    options: Options,
    /// The operation as it came. Answers repeat it.
    operation: u8,
    form: Form,
    /// The room's name as answers repeat it; empty if the form of the answer has none.
    room: Box<str>,
}

/// The result of looking for a request at the start of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// The request is not complete.
    Partial,
    /// A request, or the part of one that is enough to refuse it.
    Whole {
        /// The request is `..end`. The bytes after it are dropped.
        end: usize,
    },
}

/// The result of decoding a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decoded {
    /// The header is not complete: there is no answer.
    Nothing,
    /// An outcome that the door knows without the server's help.
    Answer(Outcome),
    /// A request for the hub.
    Request(Request),
}

impl Exchange {
    /// The state before any input.
    pub(super) fn new(options: Options) -> Self {
        let form = if options.status_ok { Form::NameAndPort } else { Form::Name };
        Self { options, operation: 0, form, room: Box::default() }
    }

    /// Looks for a request in the whole input so far. At most [`ROOM_REQUEST_BYTES`] are needed for a result.
    pub(super) fn cut(&self, bytes: &[u8]) -> Cut {
        let request = without_mark(bytes);
        let Some((header, _)) = Header::read(request) else { return Cut::Partial };
        let mark = bytes.len() - request.len();
        let end = header.end().map(|end| mark + end).filter(|end| *end <= ROOM_REQUEST_BYTES);
        let end = end.unwrap_or(mark + frame::HEADER_BYTES);
        if bytes.len() < end { Cut::Partial } else { Cut::Whole { end } }
    }

    /// Decodes the request that [`cut`](Self::cut) has found. At the end of the input, decodes what has come: a complete
    /// header is enough for an answer.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Decoded {
        let Some((header, body)) = Header::read(without_mark(bytes)) else { return Decoded::Nothing };
        self.operation = header.operation;
        match header.frame(body) {
            Some(frame) => self.on_frame(&frame).map_or_else(Decoded::Answer, Decoded::Request),
            None => Decoded::Answer(Outcome::Refused),
        }
    }

    fn on_frame(&mut self, frame: &Frame<'_>) -> Result<Request, Outcome> {
        let (form, content) = form::read(without_mark(frame.payload), self.options.status_ok);
        self.form = form;
        // The server sends no control characters, not even back to the client that sent them.
        if let Some(checked) = text::check(frame.room).filter(|checked| checked.is_clean && form.repeats_the_room()) {
            self.room = checked.text.into();
        }
        if frame.room.is_empty() {
            return Err(Outcome::NoSuchRoom);
        }
        let room = std::str::from_utf8(frame.room).ok().and_then(|room| RoomName::parse(room).ok());
        let Some((room, Content { guest, password })) = room.zip(content) else { return Err(Outcome::Refused) };
        let is_fit = |Masked(password): &Masked<String>| may_be_password(password);
        if frame.operation == Operation::Make && !password.as_ref().is_none_or(is_fit) {
            return Err(Outcome::Refused);
        }
        let spelling = if self.options.down_named { Spelling::Named } else { form.spelling() };
        Ok(Request { operation: frame.operation, room, guest, password, spelling })
    }

    /// Appends the answer to `out`: one or two frames, the only ones of this connection.
    pub(super) fn answer(&self, outcome: Outcome, out: &mut Vec<u8>) {
        if let Some((state, status)) = self.form.status(outcome) {
            frame::encode(self.operation, state, &self.room, &status, out);
        }
        if let Outcome::Entered(token) = outcome {
            frame::encode(self.operation, State::Complete, &self.room, self.form.token(token).as_bytes(), out);
        }
    }
}

/// Whether a text may be the password of a new room, by the rules of the line door. To enter a room, any text may be
/// tried.
fn may_be_password(text: &str) -> bool {
    (1..=PASSWORD_MAX_BYTES).contains(&text.len())
        && text::check(text.as_bytes()).is_some_and(|checked| checked.is_clean)
}
