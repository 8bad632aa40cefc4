//! The forms of a request's payload, each with the answers that its clients expect.

use serde_json::{Map, Value};

use super::frame::State;
use super::request::Outcome;
use crate::door::datagram::Spelling;
use crate::door::token::RoomToken;
use crate::hub::names::GuestName;
use crate::secret::Masked;

/// The form of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The guest's name alone.
    Name,
    /// The name and a port of 2 bytes, on a listener with `status=ok`.
    NameAndPort,
    /// A JSON object with `username` or `user_name`.
    Object,
    /// A JSON string.
    Text,
    /// A JSON object with `user_name` and `user_address`.
    Addressed,
}

/// The content of a payload.
pub(super) struct Content {
    pub(super) guest: GuestName,
    pub(super) password: Option<Masked<String>>,
}

/// The form of a payload, and its content; `None` if the content is invalid in that form. With `with_port` the form is
/// always [`Form::NameAndPort`].
pub(super) fn read(payload: &[u8], with_port: bool) -> (Form, Option<Content>) {
    if with_port {
        let name = payload.split_last_chunk::<2>().map(|(name, _port)| name);
        return (Form::NameAndPort, name.and_then(plain));
    }
    // A text that is too deep for the parser counts as a name, which is then refused.
    match serde_json::from_slice(payload) {
        Ok(Value::String(name)) => (Form::Text, content(&name, None)),
        Ok(Value::Object(fields)) => from_object(&fields).unwrap_or((Form::Name, None)),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) | Err(_) => (Form::Name, plain(payload)),
    }
}

/// The presence of keys decides the form, whatever their values, so that a refusal has the form that the client expects.
fn from_object(fields: &Map<String, Value>) -> Option<(Form, Option<Content>)> {
    let (username, user_name) = (fields.get("username"), fields.get("user_name"));
    let (form, name) = if user_name.is_some() && fields.contains_key("user_address") {
        (Form::Addressed, user_name)
    } else {
        (Form::Object, Some(username.or(user_name)?))
    };
    let password = match fields.get("password") {
        None | Some(Value::Null) => None,
        Some(Value::String(password)) if password.is_empty() => None,
        Some(Value::String(password)) => Some(Masked(password.clone())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => return Some((form, None)),
    };
    Some((form, name.and_then(Value::as_str).and_then(|name| content(name, password))))
}

fn plain(name: &[u8]) -> Option<Content> {
    content(std::str::from_utf8(name).ok()?, None)
}

fn content(name: &str, password: Option<Masked<String>>) -> Option<Content> {
    Some(Content { guest: GuestName::parse(name).ok()?, password })
}

impl Form {
    /// The format of datagrams to clients of this form.
    pub(super) fn spelling(self) -> Spelling {
        match self {
            Self::Text => Spelling::Named,
            Self::Name | Self::NameAndPort | Self::Object | Self::Addressed => Spelling::Text,
        }
    }

    /// Whether answers repeat the room's name.
    pub(super) fn repeats_the_room(self) -> bool {
        self == Self::Object
    }

    /// The status frame of an outcome, which comes before the token; `None` if the token alone is the answer. The form
    /// without a status has its errors in a frame with the state of a request.
    pub(super) fn status(self, outcome: Outcome) -> Option<(State, Vec<u8>)> {
        let Spelled { code, word, message } = spell(outcome);
        let is_in = matches!(outcome, Outcome::Entered(_));
        match self {
            Self::Name | Self::Object => Some((State::Response, vec![code])),
            Self::NameAndPort => Some((State::Response, word.into())),
            Self::Text if is_in => Some((State::Response, br#"{"success":1}"#.into())),
            Self::Text => Some((State::Response, format!(r#"{{"success":0,"message":"{message}"}}"#).into_bytes())),
            Self::Addressed if is_in => None,
            Self::Addressed => Some((State::Request, format!(r#"{{"message":"{message}"}}"#).into_bytes())),
        }
    }

    /// The payload of the frame with the token.
    pub(super) fn token(self, token: RoomToken) -> String {
        let text = token.encode();
        let Spelled { message, .. } = spell(Outcome::Entered(token));
        match self {
            Self::Name | Self::NameAndPort | Self::Object => text,
            Self::Text => format!(r#"{{"token":"{text}"}}"#),
            Self::Addressed => format!(r#"{{"token":"{text}","message":"{message}"}}"#),
        }
    }
}

/// An outcome in all spellings. No spelling needs escapes in JSON.
struct Spelled {
    code: u8,
    word: &'static str,
    message: &'static str,
}

fn spell(outcome: Outcome) -> Spelled {
    let (code, word, message) = match outcome {
        Outcome::Entered(_) => (0, "OK", "entered"),
        Outcome::RoomExists => (1, "ROOM_EXISTS", "room exists"),
        Outcome::NoSuchRoom => (2, "ROOM_NOT_FOUND", "no such room"),
        Outcome::WrongPassword => (3, "WRONG_PASSWORD", "wrong password"),
        Outcome::Refused => (4, "REFUSED", "refused: a name is bad or in use, the request is bad, or no place is left"),
    };
    Spelled { code, word, message }
}
