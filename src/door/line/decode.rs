//! Decodes operations: a verb and its arguments.

use super::place::{in_room, room_name};
use super::{Dialogue, Line, To, people, recall, search, word};
use crate::door::decoded::Decoded;
use crate::door::operations::Operation;
use crate::door::recall::Recall;
use crate::door::reply::Reply;
use crate::hub::command::Command;
use crate::hub::event::Manner;
use crate::hub::names::{NameError, RoomName, Who};
use crate::limits::PASSWORD_MAX_BYTES;
use crate::secret::Masked;

impl Line {
    pub(super) fn on_operation<'a>(&mut self, body: &'a str) -> Decoded<'a> {
        let (verb, rest) = word(body.trim_start_matches(' '));
        let Some(operation) = Operation::parse(verb) else { return Decoded::Reply(Reply::UnknownOperation) };
        let argument = rest.trim_end_matches(' ');
        let usage = Decoded::Reply(Reply::Usage(operation.usage()));
        match operation {
            Operation::Pm if rest.is_empty() => self.ask(Dialogue::Message { to: To::Everybody }, Reply::AskMessage),
            Operation::Pm => Decoded::Command(Command::Say { text: rest.into(), manner: Manner::Text }),
            Operation::Dm if rest.is_empty() => {
                self.dialogue = Dialogue::NameAndMessage;
                Decoded::Command(Command::Who { prefix: "".into(), most: None })
            }
            Operation::Dm => self.on_name_and_text(word(rest)),
            Operation::Rm => self.on_room_and_message(rest).unwrap_or(usage),
            Operation::Who if !argument.contains(' ') => {
                Decoded::Command(Command::Who { prefix: argument.into(), most: None })
            }
            Operation::Rooms if !argument.contains(' ') => Decoded::Command(Command::Rooms { prefix: argument.into() }),
            Operation::Make => on_enter(rest, true).unwrap_or(usage),
            Operation::Join => on_enter(rest, false).unwrap_or(usage),
            Operation::Leave => on_room(argument, |room| Command::LeaveRoom { room, text: None }).unwrap_or(usage),
            Operation::Close => on_room(argument, |room| Command::CloseRoom { room }).unwrap_or(usage),
            Operation::Names => on_names(argument).unwrap_or(usage),
            Operation::Invite => {
                on_room_and_who(argument, |room, name| Command::Invite { room, name }).unwrap_or(usage)
            }
            Operation::Kick => {
                on_room_and_who(argument, |room, name| Command::Kick { room, name, text: None }).unwrap_or(usage)
            }
            Operation::Host => on_room_and_who(argument, |room, name| Command::HandOn { room, name }).unwrap_or(usage),
            Operation::History => recall::on_history(argument).unwrap_or(usage),
            Operation::Search => search::on_search(argument).unwrap_or(usage),
            Operation::Read => recall::on_read(argument).unwrap_or(usage),
            Operation::Keep => recall::on_keep(argument).unwrap_or(usage),
            Operation::Topic => recall::on_topic(argument).unwrap_or(usage),
            Operation::Lock => recall::on_lock(rest).unwrap_or(usage),
            Operation::Whois => people::on_whois(argument).unwrap_or(usage),
            Operation::Set => people::on_set(argument).unwrap_or(usage),
            Operation::Away => people::on_away(argument),
            Operation::Watch => people::on_watch(argument).unwrap_or(usage),
            Operation::Ignore => people::on_ignore(argument).unwrap_or(usage),
            Operation::Public => people::on_public(argument).unwrap_or(usage),
            Operation::Notify => recall::on_notify(argument).unwrap_or(usage),
            Operation::Forget => recall::on_forget(argument).unwrap_or(usage),
            Operation::Want => self.on_want(argument),
            Operation::Nick => people::on_nick(argument).unwrap_or(usage),
            Operation::Missed if argument.is_empty() => Decoded::Recall(Recall::Missed),
            Operation::Unread if argument.is_empty() => Decoded::Recall(Recall::Unread),
            Operation::Op => Decoded::Operate(argument),
            Operation::Help if argument.is_empty() => Decoded::Help,
            Operation::Help if !argument.contains(' ') => match Operation::parse(argument) {
                Some(Operation::Op) => Decoded::HelpOperate,
                Some(operation) => Decoded::Reply(Reply::Help(operation.help())),
                None => Decoded::Reply(Reply::UnknownOperation),
            },
            Operation::Ex if argument.is_empty() => Decoded::Bye,
            Operation::Noop if argument.is_empty() => Decoded::Reply(Reply::Done),
            Operation::Token if argument.is_empty() => Decoded::IssueToken,
            Operation::Passwd if argument.is_empty() => Decoded::ChangePassword,
            Operation::Who
            | Operation::Rooms
            | Operation::Help
            | Operation::Ex
            | Operation::Noop
            | Operation::Missed
            | Operation::Unread
            | Operation::Token
            | Operation::Passwd => usage,
        }
    }

    /// The answer to `350`: a name, or a name, one space and the unchanged text. Spaces alone after a name are no text.
    pub(super) fn on_name_and_message<'a>(&mut self, body: &'a str) -> Decoded<'a> {
        let body = body.trim_start_matches(' ');
        let (name, text) = body.split_once(' ').unwrap_or((body, ""));
        let is_text = !text.trim_start_matches(' ').is_empty();
        self.on_name_and_text((name, if is_text { text } else { "" }))
    }

    fn on_name_and_text<'a>(&mut self, (name, text): (&str, &'a str)) -> Decoded<'a> {
        if name.is_empty() {
            return Decoded::Reply(Reply::Usage(Operation::Dm.usage()));
        }
        let Some(name) = Who::parse(name) else { return Decoded::Reply(Reply::NoSuchUser) };
        if text.is_empty() {
            self.dialogue = Dialogue::Message { to: To::One(Box::new(name.clone())) };
            return Decoded::Command(Command::CanTell { name, account: None });
        }
        Decoded::Command(Command::Tell { to: name, text: text.into(), manner: Manner::Text, account: None })
    }

    /// `room`, or `room text`; `None` if both are missing.
    fn on_room_and_message<'a>(&mut self, body: &'a str) -> Option<Decoded<'a>> {
        let (room, text) = word(body);
        if room.is_empty() {
            return None;
        }
        let Ok(room) = room_name(room) else { return Some(Decoded::Reply(Reply::NoSuchRoom)) };
        if text.is_empty() {
            self.dialogue = Dialogue::Message { to: To::Room(Box::new(room.clone())) };
            return Some(Decoded::Command(Command::CanSayIn { room }));
        }
        Some(Decoded::Command(Command::SayIn { room, text: text.into(), manner: Manner::Text }))
    }

    fn ask(&mut self, dialogue: Dialogue, question: Reply) -> Decoded<'static> {
        self.dialogue = dialogue;
        Decoded::Reply(question)
    }
}

/// The answer to a prompt for a message: its text, unchanged.
pub(super) fn on_text<'a>(to: &To, text: &'a str) -> Decoded<'a> {
    let (text, manner) = (text.into(), Manner::Text);
    Decoded::Command(match to {
        To::Everybody => Command::Say { text, manner },
        To::One(name) => Command::Tell { to: Who::clone(name), text, manner, account: None },
        To::Room(room) => Command::SayIn { room: RoomName::clone(room), text, manner },
    })
}

/// `MAKE` and `JOIN`: a room and an optional password, which extends to the end of the line. `None`, here and in the
/// functions below, if the number of words is wrong.
fn on_enter(argument: &str, makes: bool) -> Option<Decoded<'_>> {
    let (room, password) = word(argument);
    if room.is_empty() {
        return None;
    }
    if password.len() > PASSWORD_MAX_BYTES {
        return Some(Decoded::Reply(Reply::RoomPasswordSize));
    }
    let name = if makes { RoomName::parse(room) } else { room_name(room) };
    Some(match name {
        Ok(room) => Decoded::EnterRoom { room, password: (!password.is_empty()).then_some(Masked(password)), makes },
        Err(NameError::Shape) if makes => Decoded::Reply(Reply::BadRoomName),
        Err(NameError::Reserved) if makes => Decoded::Reply(Reply::ReservedRoomName),
        Err(NameError::Shape | NameError::Reserved) => Decoded::Reply(Reply::NoSuchRoom),
    })
}

/// An operation with a room as its only argument.
fn on_room(argument: &str, command: impl FnOnce(RoomName) -> Command<'static>) -> Option<Decoded<'_>> {
    let (room, "") = room_and_word(argument)? else { return None };
    Some(in_room(room, |room| Decoded::Command(command(room))))
}

fn on_names(argument: &str) -> Option<Decoded<'_>> {
    let (room, prefix) = room_and_word(argument)?;
    Some(in_room(room, |room| Decoded::Command(Command::Names { room, prefix: prefix.into(), most: None })))
}

/// An operation with a room and the name of an account or a guest.
fn on_room_and_who(argument: &str, command: impl FnOnce(RoomName, Who) -> Command<'static>) -> Option<Decoded<'_>> {
    let (room, name) = room_and_word(argument).filter(|(_, name)| !name.is_empty())?;
    Some(in_room(room, |room| match Who::parse(name) {
        Some(name) => Decoded::Command(command(room, name)),
        None => Decoded::Reply(Reply::NoSuchUser),
    }))
}

/// A room and an optional second word; `None` if the number of words is wrong.
fn room_and_word(argument: &str) -> Option<(&str, &str)> {
    let (room, more) = word(argument);
    (!room.is_empty() && !more.contains(' ')).then_some((room, more))
}
