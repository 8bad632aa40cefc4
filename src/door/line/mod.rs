//! The line door: decodes lines of text into commands and encodes events as lines of text.
//!
//! One dialogue, two dialects. The dialogue is the state: the server waits for a name, a password, an operation or a
//! message. The dialect is the format of lines: bare for people, typed (`C …`, `D …`) for programs.

mod decode;
mod encode;
mod past;
mod people;
mod place;
mod recall;
mod search;
mod spell;
#[cfg(test)]
mod tests;
mod when;
mod whois;

use std::borrow::Cow;

use decode::on_text;
pub use encode::encode;
pub use past::encode_notice;

use super::decoded::{Decoded, Kind};
use super::foreign::{self, ProxyWatch};
use super::operations::Operation;
use super::recall::{Recall, Recalled, Wants};
use super::reply::Reply;
use crate::close::CloseReason;
use crate::hub::command::Command;
use crate::hub::event::Event;
use crate::hub::names::{GuestName, NameError, RoomName, UserName, Who};
use crate::limits::PASSWORD_MAX_BYTES;
use crate::secret::Masked;
use crate::text::{self, Checked, without_mark};

/// The dialogue of one connection. It begins with the prompt for a name; the dialect is not known yet.
#[derive(Debug, Default)]
pub struct Line {
    dialect: Option<Dialect>,
    /// The dialect of the last name. It becomes the connection's dialect once a name is accepted.
    offered: Dialect,
    dialogue: Dialogue,
    proxy: ProxyWatch,
    wants: Wants,
    /// Whether guests are let in.
    guests: bool,
}

/// The format of lines. The first accepted name decides it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Dialect {
    #[default]
    Bare,
    Typed,
}

/// The state of the dialogue: what the next line means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Dialogue {
    #[default]
    Name,
    Password {
        name: UserName,
        new: bool,
    },
    Ready,
    /// The text of a message is awaited.
    Message {
        to: To,
    },
    NameAndMessage,
    OldPassword,
    NewPassword,
}

/// The receivers of the awaited message.
#[derive(Clone, Debug, PartialEq, Eq)]
enum To {
    Everybody,
    One(Box<Who>),
    Room(Box<RoomName>),
}

/// A line without the prefix of its dialect.
enum Frame<'a> {
    /// `C …`: an operation, whatever the prompt.
    Command(&'a str),
    /// `D …`: the answer to a prompt.
    Data(&'a str),
    /// A bare line: an operation or the answer to a prompt, depending on the dialogue.
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
    /// A conversation in which `~name` is the name of a guest, who needs no password.
    pub fn with_guests() -> Self {
        Self { guests: true, ..Self::default() }
    }

    /// A conversation in the typed dialect from its first line on.
    pub fn typed() -> Self {
        Self { dialect: Some(Dialect::Typed), offered: Dialect::Typed, ..Self::default() }
    }

    /// The spelling of broadcasts to this connection.
    pub fn kind(&self) -> Kind {
        if self.dialect == Some(Dialect::Typed) { Kind::Typed } else { Kind::Bare }
    }

    /// The name for which a password is awaited.
    pub fn claimed_name(&self) -> Option<&UserName> {
        if let Dialogue::Password { name, .. } = &self.dialogue { Some(name) } else { None }
    }

    /// Whether the next line may contain a password or a token.
    pub fn expects_secret(&self) -> bool {
        match self.dialogue {
            Dialogue::Name | Dialogue::Password { .. } | Dialogue::OldPassword | Dialogue::NewPassword => true,
            Dialogue::Ready | Dialogue::Message { .. } | Dialogue::NameAndMessage => false,
        }
    }

    /// True if the session asks for all of these; see [`Door::wants`](super::Door::wants).
    pub fn wants(&self, wants: Wants) -> bool {
        match self.kind() {
            Kind::Bare => wants == Wants::OWN,
            Kind::Typed | Kind::Web | Kind::RelayLf | Kind::RelayCrLf | Kind::Irc(_) => self.wants.has(wants),
        }
    }

    /// Whether the login is complete.
    pub fn is_logged_in(&self) -> bool {
        !matches!(self.dialogue, Dialogue::Name | Dialogue::Password { .. })
    }

    /// Recognises another protocol as early as possible. `bytes` is the input so far: a line that may not have ended, and
    /// what follows it. `limit` is the bound of a line in bytes. Returns the reason to close the connection.
    pub fn sniff(&self, bytes: &[u8], limit: usize) -> Option<CloseReason> {
        if self.dialect.is_some() || self.dialogue != Dialogue::Name {
            return None;
        }
        if foreign::begins_tls(without_mark(bytes)) {
            return Some(CloseReason::NotAChatClient);
        }
        // Only the first `limit` bytes of an unended line count, so that the result does not depend on how it was cut.
        let begun = bytes.get(..limit).filter(|start| !start.contains(&b'\n'))?;
        foreign::protocol(without_mark(begun), false)
    }

    /// Decodes a line, given without its LF. `password_min` is the least size of a new password in bytes.
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
            self.dialogue = was; // the prompt stays open
        }
        decoded
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

    /// Decodes a frame in the state `was`, which is that of the dialogue.
    fn on_frame<'a>(&mut self, was: &Dialogue, frame: &Frame<'a>, password_min: u32) -> Decoded<'a> {
        let body = frame.body();
        match was {
            // There are no operations before login: every line is the answer to the prompt.
            Dialogue::Name => self.on_name(body),
            Dialogue::Password { name, new } => on_password(name, *new, body, password_min),
            Dialogue::Ready if matches!(frame, Frame::Data(_)) => Decoded::Reply(Reply::NotNow),
            Dialogue::Ready => self.on_operation(body),
            // A typed operation cancels the prompt.
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

    /// `name`, `name TOKEN`, or `~name` of a guest. The caller looks up whether the account exists and whether the name is
    /// reserved.
    fn on_name<'a>(&mut self, body: &'a str) -> Decoded<'a> {
        let (name, token) = word(body.trim_matches(' '));
        if !token.is_empty() && !has_token_shape(token) {
            return Decoded::Reply(Reply::NameOfWords);
        }
        if let Some(guest) = name.strip_prefix('~').filter(|_| self.guests && token.is_empty()) {
            let refused = |why: NameError| Decoded::Reply(Reply::GuestRefused { why: why.into(), is_login: true });
            return GuestName::parse(guest).map_or_else(refused, Decoded::Guest);
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

    /// Appends a reply of the server to `out`, and updates the dialogue.
    pub fn encode_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) {
        if matches!(reply, Reply::AskPassword(_) | Reply::AskNewPassword(_) | Reply::TokenRefused) {
            self.settle_dialect();
        }
        if let Reply::AskPassword(name) = reply {
            self.dialogue = Dialogue::Password { name: name.clone(), new: false };
        } else if let Reply::AskNewPassword(name) = reply {
            self.dialogue = Dialogue::Password { name: name.clone(), new: true };
        } else if matches!(reply, Reply::NameTaken(_) | Reply::BannedName(_) | Reply::NoNewAccounts) {
            self.dialogue = Dialogue::Name;
        } else if *reply == Reply::AskOldPassword {
            self.dialogue = Dialogue::OldPassword;
        } else if *reply == Reply::AskNextPassword {
            self.dialogue = Dialogue::NewPassword;
        } else if matches!(reply, Reply::WrongOldPassword | Reply::PasswordChanged) {
            self.dialogue = Dialogue::Ready;
        } else if reply.is_busy() && self.is_logged_in() {
            // Before login the prompt for the password stays open; in PASSWD this refusal ends the operation.
            self.dialogue = Dialogue::Ready;
        }
        if let Reply::Recalled(recalled) = reply {
            if let Recalled::Wants(wants) = **recalled {
                self.wants = wants;
            }
            past::encode(self.kind(), recalled, out);
        } else if let Reply::Notice(notice) = reply {
            encode_notice(notice, out);
        } else {
            reply.encode(out);
        }
        if let Reply::Entered { room, topic: Some(topic), .. } = reply {
            encode::add_topic(self.kind(), room, topic, out);
        }
    }

    /// Appends the hub's answer to a command to `out`, and updates the dialogue.
    pub fn encode_event(&mut self, event: &Event, out: &mut Vec<u8>) {
        let is_refused = matches!(
            event,
            Event::NotOnline { .. }
                | Event::OnlyYou
                | Event::NoSuchRoom
                | Event::NotMember { .. }
                | Event::NotKept
                | Event::TooManyWaiting { .. }
                | Event::NoSuchAccount { .. }
                | Event::TakesNone { .. }
                | Event::HearsOneRoom { .. }
        );
        if matches!(event, Event::Welcome { .. }) {
            self.settle_dialect();
        }
        if is_refused || matches!(event, Event::Welcome { .. }) {
            self.dialogue = Dialogue::Ready;
        }
        encode(self.kind(), event, out);
        if self.wants.has(Wants::IDS) {
            encode::add_id(event, out);
        }
        if matches!(event, Event::Online { .. }) && self.dialogue == Dialogue::NameAndMessage {
            Reply::AskNameAndMessage.encode(out);
        }
    }

    /// A name was accepted: its dialect is the connection's from now on.
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

/// Handles a line with invisible characters. They are removed from messages; a message that is empty then is refused. A
/// password or token is refused, because its owner would not know its real text, and so is an operator's command.
fn clean(mut decoded: Decoded<'_>) -> Decoded<'_> {
    let is_refused =
        if let Decoded::Command(Command::Say { text, .. } | Command::Tell { text, .. } | Command::SayIn { text, .. }) =
            &mut decoded
        {
            *text = Cow::Owned(text::without_taken_out(text).into_owned());
            text.is_empty()
        } else {
            let is_entry = matches!(
                decoded,
                Decoded::EnterRoom { password: Some(_), .. } | Decoded::Recall(Recall::Lock { password: Some(_), .. })
            );
            let is_password =
                matches!(decoded, Decoded::Password { .. } | Decoded::OldPassword(_) | Decoded::NewPassword(_));
            is_entry || is_password || matches!(decoded, Decoded::Token { .. } | Decoded::Operate(_))
        };
    if is_refused { Decoded::Reply(Reply::BadBytes) } else { decoded }
}

/// Whether a word has the form of a resume token: `t`, digits, a dot, and more. Any other second word is part of a full
/// name or of another protocol.
fn has_token_shape(word: &str) -> bool {
    let version = word.strip_prefix('t').and_then(|rest| rest.split_once('.'));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    version.is_some_and(|(digits, more)| is_number(digits) && !more.is_empty() && !more.contains(' '))
}

/// The first word, and the rest without leading spaces.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word, rest.trim_start_matches(' '))
}
