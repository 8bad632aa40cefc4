//! The line door: lines of text into commands, events into lines of text.
//!
//! One dialogue, two dialects. The dialogue is where a conversation stands: a name is wanted, a password, an operation,
//! a text. The dialect is how its lines are dressed: bare for people, typed (`C …`, `D …`) for programs.

mod asked;
mod encode;
#[cfg(test)]
mod tests;

use asked::on_text;
pub use encode::encode;

use super::reply::Reply;
use super::text;
use super::{Kind, Masked, Step};
use crate::close::CloseReason;
use crate::hub::event::Event;
use crate::hub::names::{NameError, RoomName, UserName};
use crate::limits::PASSWORD_MAX_BYTES;

/// One connection's conversation. It begins with a name being wanted, in no dialect yet.
#[derive(Debug, Default)]
pub struct Line {
    dialect: Option<Dialect>,
    dialogue: Dialogue,
}

/// How lines are dressed. The first line that is not refused decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
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
        let is_undecided = self.dialect.is_none() && self.dialogue == Dialogue::Name;
        let begins_tls = bytes.first() == Some(&text::TLS_HANDSHAKE);
        // Of a line that goes on, only as much counts as is there whenever this can be told: however it is cut.
        let begun = || bytes.get(..limit).filter(|start| !start.contains(&b'\n'));
        let is_foreign = is_undecided && (begins_tls || begun().is_some_and(|start| text::is_foreign(start, false)));
        is_foreign.then_some(CloseReason::NotAChatClient)
    }

    /// What a line (without its LF) asks for. `password_min` is the least number of bytes of a password that is
    /// chosen here.
    pub fn decode<'a>(&mut self, line: &'a [u8], password_min: u32) -> Step<'a> {
        if self.dialect.is_none() && text::is_foreign(line, true) {
            return Step::Refuse(CloseReason::NotAChatClient);
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(text) = text::checked(line) else { return Step::Reply(Reply::BadBytes) };
        if text.is_empty() {
            return self.on_empty();
        }
        let frame = match self.undress(text) {
            Ok(Frame::Command("")) => return self.on_empty(),
            Ok(Frame::Data("")) => return Step::Reply(Reply::Usage("D text")),
            Ok(frame) => frame,
            Err(refusal) => return Step::Reply(refusal),
        };
        let was = self.dialogue.clone();
        let step = self.on_frame(&was, &frame, password_min);
        let is_refused = matches!(&step, Step::Reply(reply) if reply.is_bad_line());
        let says_who = matches!(step, Step::Name(_) | Step::Token { .. });
        if is_refused {
            self.dialogue = was; // the prompt that was open stays open
        } else if says_who && self.dialect.is_none() {
            self.dialect = Some(if text.starts_with("C ") { Dialect::Typed } else { Dialect::Bare });
        }
        step
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

    fn on_empty(&mut self) -> Step<'static> {
        match self.dialogue {
            Dialogue::Name | Dialogue::Ready => Step::Nothing,
            Dialogue::Password { .. } => {
                self.dialogue = Dialogue::Name;
                Step::Reply(Reply::LoginCancelled)
            }
            Dialogue::Message { .. } | Dialogue::NameAndMessage | Dialogue::OldPassword | Dialogue::NewPassword => {
                self.dialogue = Dialogue::Ready;
                Step::Reply(Reply::Cancelled)
            }
        }
    }

    /// `was` is where the dialogue stands.
    fn on_frame<'a>(&mut self, was: &Dialogue, frame: &Frame<'a>, password_min: u32) -> Step<'a> {
        let body = frame.body();
        match was {
            // Before login there are no operations: whatever is sent is the answer.
            Dialogue::Name => self.on_name(body),
            Dialogue::Password { name, new } => on_password(name, *new, body, password_min),
            Dialogue::Ready if matches!(frame, Frame::Data(_)) => Step::Reply(Reply::NotNow),
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
            Dialogue::OldPassword => sized(body, 1, Step::OldPassword),
            Dialogue::NewPassword => sized(body, password_min, Step::NewPassword),
        }
    }

    /// `name`, or `name TOKEN`.
    fn on_name<'a>(&mut self, body: &'a str) -> Step<'a> {
        let (name, token) = word(body.trim_matches(' '));
        let name = match UserName::parse(name) {
            Ok(name) => name,
            Err(NameError::Shape) => return Step::Reply(Reply::BadName),
            Err(NameError::Reserved) => return reserved(name),
        };
        if token.is_empty() {
            return Step::Name(name);
        }
        if token.contains(' ') {
            return Step::Reply(Reply::BadName);
        }
        self.dialogue = Dialogue::Password { name: name.clone(), new: false };
        Step::Token { name, token: Masked(token.as_bytes()) }
    }

    /// Tells the client a reply of the server's own, and goes where it leads.
    pub fn tell(&mut self, reply: &Reply, out: &mut Vec<u8>) {
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
    pub fn hear(&mut self, event: &Event, out: &mut Vec<u8>) {
        let is_refused = matches!(event, Event::NotOnline { .. } | Event::NoSuchRoom | Event::NotMember { .. });
        if is_refused || matches!(event, Event::Welcome { .. }) {
            self.dialogue = Dialogue::Ready;
        }
        encode(self.kind(), event, out);
        if matches!(event, Event::Online { .. }) && self.dialogue == Dialogue::NameAndMessage {
            Reply::AskNameAndMessage.encode(out);
        }
    }
}

fn on_password<'a>(name: &UserName, new: bool, body: &'a str, password_min: u32) -> Step<'a> {
    let least = if new { password_min } else { 1 };
    sized(body, least, |password| Step::Password { name: name.clone(), new, password })
}

fn sized<'a>(password: &'a str, least: u32, step: impl FnOnce(Masked<&'a [u8]>) -> Step<'a>) -> Step<'a> {
    let fits = (least as usize..=PASSWORD_MAX_BYTES).contains(&password.len());
    if fits { step(Masked(password.as_bytes())) } else { Step::Reply(Reply::PasswordSize(least)) }
}

fn reserved(name: &str) -> Step<'static> {
    match UserName::from_record(name) {
        Ok(name) => Step::Reply(Reply::ReservedName(name)),
        Err(_) => Step::Reply(Reply::BadName),
    }
}

/// The first word, and what follows the spaces behind it.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word, rest.trim_start_matches(' '))
}
