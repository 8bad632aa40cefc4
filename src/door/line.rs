//! The line door: lines of text into commands, events into lines of text.
//!
//! One dialogue, two dialects. The dialogue is where a conversation stands: a name is wanted, a password, an operation,
//! a text. The dialect is how its lines are dressed: bare for people, typed (`C …`, `D …`) for programs.

mod asked;
mod encode;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use asked::on_text;
pub use encode::encode;

use super::foreign::{self, ProxyWatch};
use super::operations::Operation;
use super::reply::Reply;
use super::{Addressee, Decoded, Kind, Masked};
use crate::close::CloseReason;
use crate::hub::command::Command;
use crate::hub::event::Event;
use crate::hub::names::{RoomName, UserName};
use crate::limits::PASSWORD_MAX_BYTES;
use crate::text::{self, Checked, without_mark};

/// One connection's conversation. It begins with a name being wanted, in no dialect yet.
#[derive(Clone, Debug, Default)]
pub struct Line {
    dialect: Option<Dialect>,
    /// The dialect of the last name that was given: it is the connection's once a name is not refused.
    offered: Dialect,
    dialogue: Dialogue,
    proxy: ProxyWatch,
}

/// How lines are dressed. The first name that is not refused decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Dialect {
    #[default]
    Bare,
    Typed,
}

/// Where the conversation stands: what the next line will be taken for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Dialogue {
    #[default]
    Name,
    Password {
        name: UserName,
        new: bool,
    },
    Ready,
    /// The text of a message.
    Message {
        to: To,
    },
    NameAndMessage,
    OldPassword,
    NewPassword,
}

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum To {
    Everybody,
    One(UserName),
    Room(Box<RoomName>),
}

/// A line without its dress.
enum Frame<'a> {
    /// `C …`: an operation, whatever was asked for.
    Command(&'a str),
    /// `D …`: what was asked for.
    Data(&'a str),
    /// A bare line: either, as the dialogue has it.
    Plain(&'a str),
}

impl<'a> Frame<'a> {
    fn body(&self) -> &'a str {
        match self {
            Self::Command(body) | Self::Data(body) | Self::Plain(body) => body,
        }
    }
}

impl Line {
    /// Which of the shared spellings this connection hears.
    pub fn kind(&self) -> Kind {
        if self.dialect == Some(Dialect::Typed) { Kind::Typed } else { Kind::Bare }
    }

    /// The name that a password is wanted for.
    pub fn claimed_name(&self) -> Option<&UserName> {
        if let Dialogue::Password { name, .. } = &self.dialogue { Some(name) } else { None }
    }

    /// Whether the next line may hold a password or a token.
    pub fn expects_secret(&self) -> bool {
        match self.dialogue {
            Dialogue::Name | Dialogue::Password { .. } | Dialogue::OldPassword | Dialogue::NewPassword => true,
            Dialogue::Ready | Dialogue::Message { .. } | Dialogue::NameAndMessage => false,
        }
    }

    /// Whether somebody is logged in here.
    pub fn is_logged_in(&self) -> bool {
        !matches!(self.dialogue, Dialogue::Name | Dialogue::Password { .. })
    }

    /// Looks at a line that may have only begun: `bytes` is all there is of it (and of what follows), `limit` the
    /// line's bound. Another protocol is refused as soon as it can be told.
    pub fn sniff(&self, bytes: &[u8], limit: usize) -> Option<CloseReason> {
        if self.dialect.is_some() || self.dialogue != Dialogue::Name {
            return None;
        }
        if foreign::begins_tls(without_mark(bytes)) {
            return Some(CloseReason::NotAChatClient);
        }
        // Of a line that goes on, only as much counts as is there whenever this can be told: however it is cut.
        let begun = bytes.get(..limit).filter(|start| !start.contains(&b'\n'))?;
        foreign::protocol(without_mark(begun), false)
    }

    /// What a line (without its LF) asks for. `password_min` is the least number of bytes of a password that is
    /// chosen here.
    pub fn decode<'a>(&mut self, line: &'a [u8], password_min: u32) -> Decoded<'a> {
        let is_first = self.dialect.is_none();
        if is_first && self.proxy.handle_line(line) {
            return Decoded::Refuse(CloseReason::ProxyHeader);
        }
        let line = if is_first { without_mark(line) } else { line };
        if is_first && let Some(reason) = foreign::protocol(line, true) {
            return Decoded::Refuse(reason);
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(Checked { text, is_clean }) = text::check(line) else { return Decoded::Reply(Reply::BadBytes) };
        if text.is_empty() {
            return self.on_empty();
        }
        let frame = match self.undress(text) {
            Ok(Frame::Command("")) => return self.on_empty(),
            Ok(Frame::Data("")) => return Decoded::Reply(Reply::Usage("D text")),
            Ok(frame) => frame,
            Err(refusal) => return Decoded::Reply(refusal),
        };
        let was = self.dialogue.clone();
        self.offered = if matches!(frame, Frame::Command(_)) { Dialect::Typed } else { Dialect::Bare };
        let mut decoded = self.on_frame(&was, &frame, password_min);
        if !is_clean {
            decoded = clean(decoded);
        }
        if matches!(&decoded, Decoded::Reply(reply) if reply.is_bad_line()) {
            self.dialogue = was; // the prompt that was open stays open
        }
        decoded
    }

    /// Whom a line, if it is a message, is for. The conversation stays where it is.
    pub fn addressee(&self, line: &[u8]) -> Option<Addressee> {
        let mut ahead = self.clone();
        let Decoded::Command(command) = ahead.decode(line, 1) else { return None };
        if let Command::Tell { to, .. } = command {
            Some(Addressee::Account(to))
        } else if let Command::SayIn { room, .. } = command {
            Some(Addressee::Room(room))
        } else {
            matches!(command, Command::Say { .. }).then_some(Addressee::Everybody)
        }
    }

    fn undress<'a>(&self, text: &'a str) -> Result<Frame<'a>, Reply> {
        match self.dialect {
            Some(Dialect::Bare) => Ok(Frame::Plain(text)),
            None => Ok(text.strip_prefix("C ").map_or(Frame::Plain(text), Frame::Command)),
            Some(Dialect::Typed) => match (text.strip_prefix("C "), text.strip_prefix("D ")) {
                (Some(body), _) => Ok(Frame::Command(body)),
                (None, Some(body)) => Ok(Frame::Data(body)),
                (None, None) => Err(Reply::NeitherCommandNorData),
            },
        }
    }

    fn on_empty(&mut self) -> Decoded<'static> {
        match self.dialogue {
            Dialogue::Name | Dialogue::Ready => Decoded::Nothing,
            Dialogue::Password { .. } => {
                self.dialogue = Dialogue::Name;
                Decoded::Reply(Reply::LoginCancelled)
            }
            Dialogue::Message { .. } | Dialogue::NameAndMessage | Dialogue::OldPassword | Dialogue::NewPassword => {
                self.dialogue = Dialogue::Ready;
                Decoded::Reply(Reply::Cancelled)
            }
        }
    }

    /// `was` is where the dialogue stands.
    fn on_frame<'a>(&mut self, was: &Dialogue, frame: &Frame<'a>, password_min: u32) -> Decoded<'a> {
        let body = frame.body();
        match was {
            // Before login there are no operations: whatever is sent is the answer.
            Dialogue::Name => self.on_name(body),
            Dialogue::Password { name, new } => on_password(name, *new, body, password_min),
            Dialogue::Ready if matches!(frame, Frame::Data(_)) => Decoded::Reply(Reply::NotNow),
            Dialogue::Ready => self.on_operation(body),
            // A command abandons what was asked for.
            Dialogue::Message { .. } | Dialogue::NameAndMessage | Dialogue::OldPassword | Dialogue::NewPassword
                if matches!(frame, Frame::Command(_)) =>
            {
                self.dialogue = Dialogue::Ready;
                self.on_operation(body)
            }
            Dialogue::Message { to } => {
                self.dialogue = Dialogue::Ready;
                on_text(to, body)
            }
            Dialogue::NameAndMessage => {
                self.dialogue = Dialogue::Ready;
                self.on_name_and_message(body)
            }
            Dialogue::OldPassword => sized(body, 1, Decoded::OldPassword),
            Dialogue::NewPassword => sized(body, password_min, Decoded::NewPassword),
        }
    }

    /// `name`, or `name TOKEN`. Whether the name is there, or reserved, is not known here.
    fn on_name<'a>(&mut self, body: &'a str) -> Decoded<'a> {
        let (name, token) = word(body.trim_matches(' '));
        if !token.is_empty() && !has_token_shape(token) {
            return Decoded::Reply(Reply::NameOfWords);
        }
        let Ok(name) = UserName::from_record(name) else { return Decoded::Reply(Reply::BadName) };
        if !token.is_empty() {
            self.dialogue = Dialogue::Password { name: name.clone(), new: false };
            return Decoded::Token { name, token: Masked(token.as_bytes()) };
        }
        match Operation::parse(name.as_str()) {
            Some(Operation::Ex) if name.as_str().eq_ignore_ascii_case("EX") => Decoded::Bye,
            Some(Operation::Ex) => Decoded::NameOrBye(name),
            Some(_) | None => Decoded::Name(name),
        }
    }

    /// Tells the client a reply of the server's own, and goes where it leads.
    pub fn encode_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) {
        if matches!(reply, Reply::AskPassword(_) | Reply::AskNewPassword(_) | Reply::TokenRefused) {
            self.settle_dialect();
        }
        if let Reply::AskPassword(name) = reply {
            self.dialogue = Dialogue::Password { name: name.clone(), new: false };
        } else if let Reply::AskNewPassword(name) = reply {
            self.dialogue = Dialogue::Password { name: name.clone(), new: true };
        } else if matches!(reply, Reply::NameTaken(_) | Reply::NoNewAccounts) {
            self.dialogue = Dialogue::Name;
        } else if *reply == Reply::AskOldPassword {
            self.dialogue = Dialogue::OldPassword;
        } else if *reply == Reply::AskNextPassword {
            self.dialogue = Dialogue::NewPassword;
        } else if matches!(reply, Reply::WrongOldPassword | Reply::PasswordChanged) {
            self.dialogue = Dialogue::Ready;
        } else if reply.is_busy() && self.is_logged_in() {
            // Before login the password is asked for again; within PASSWD this refusal ends the operation.
            self.dialogue = Dialogue::Ready;
        }
        reply.encode(out);
    }

    /// Lets the client hear what the hub answers to its command, and goes where it leads.
    pub fn encode_event(&mut self, event: &Event, out: &mut Vec<u8>) {
        let is_refused =
            matches!(event, Event::NotOnline { .. } | Event::OnlyYou | Event::NoSuchRoom | Event::NotMember { .. });
        if matches!(event, Event::Welcome { .. }) {
            self.settle_dialect();
        }
        if is_refused || matches!(event, Event::Welcome { .. }) {
            self.dialogue = Dialogue::Ready;
        }
        encode(self.kind(), event, out);
        if matches!(event, Event::Online { .. }) && self.dialogue == Dialogue::NameAndMessage {
            Reply::AskNameAndMessage.encode(out);
        }
    }

    /// A name was not refused: the way in which it was given is the connection's for life.
    fn settle_dialect(&mut self) {
        self.dialect = self.dialect.or(Some(self.offered));
    }
}

fn on_password<'a>(name: &UserName, new: bool, body: &'a str, password_min: u32) -> Decoded<'a> {
    let least = if new { password_min } else { 1 };
    sized(body, least, |password| Decoded::Password { name: name.clone(), new, password })
}

fn sized<'a>(password: &'a str, least: u32, decoded: impl FnOnce(Masked<&'a [u8]>) -> Decoded<'a>) -> Decoded<'a> {
    let fits = (least as usize..=PASSWORD_MAX_BYTES).contains(&password.len());
    if fits { decoded(Masked(password.as_bytes())) } else { Decoded::Reply(Reply::PasswordSize(least)) }
}

/// What is decoded from a line that holds what a door takes out of texts: the text without it. A text of nothing else is
/// refused, and so is a secret: its owner would not know what the secret is.
fn clean(mut decoded: Decoded<'_>) -> Decoded<'_> {
    let is_refused =
        if let Decoded::Command(Command::Say { text } | Command::Tell { text, .. } | Command::SayIn { text, .. }) =
            &mut decoded
        {
            *text = Cow::Owned(text::without_taken_out(text).into_owned());
            text.is_empty()
        } else {
            let is_entry = matches!(decoded, Decoded::EnterRoom { password: Some(_), .. });
            let is_password =
                matches!(decoded, Decoded::Password { .. } | Decoded::OldPassword(_) | Decoded::NewPassword(_));
            is_entry || is_password || matches!(decoded, Decoded::Token { .. })
        };
    if is_refused { Decoded::Reply(Reply::BadBytes) } else { decoded }
}

/// Whether a word may be a resume token: `t`, digits, a dot, and more. What else stands behind a name is a second name,
/// or another protocol.
fn has_token_shape(word: &str) -> bool {
    let version = word.strip_prefix('t').and_then(|rest| rest.split_once('.'));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    version.is_some_and(|(digits, more)| is_number(digits) && !more.is_empty() && !more.contains(' '))
}

/// The first word, and what follows the spaces behind it.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word, rest.trim_start_matches(' '))
}
