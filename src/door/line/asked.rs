//! Operations as they are asked for: a verb and its arguments into a step.

use super::{Dialogue, Line, To, word};
use crate::door::operations::{HELP, Operation};
use crate::door::reply::Reply;
use crate::door::{Masked, Step};
use crate::hub::command::Command;
use crate::hub::names::{NameError, RoomName, UserName, Who};
use crate::limits::PASSWORD_MAX_BYTES;

impl Line {
    pub(super) fn on_operation<'a>(&mut self, body: &'a str) -> Step<'a> {
        let (verb, rest) = word(body.trim_start_matches(' '));
        let Some(operation) = Operation::parse(verb) else { return Step::Reply(Reply::UnknownOperation) };
        let argument = rest.trim_end_matches(' ');
        let usage = Step::Reply(Reply::Usage(operation.usage()));
        match operation {
            Operation::Pm if rest.is_empty() => self.ask(Dialogue::Message { to: To::Everybody }, Reply::AskMessage),
            Operation::Pm => Step::Command(Command::Say { text: rest.into() }),
            Operation::Dm if rest.is_empty() => {
                self.dialogue = Dialogue::NameAndMessage;
                Step::Command(Command::Who { prefix: "" })
            }
            Operation::Dm => self.on_name_and_text(word(rest)),
            Operation::Rm => self.on_room_and_message(rest).unwrap_or(usage),
            Operation::Who if !argument.contains(' ') => Step::Command(Command::Who { prefix: argument }),
            Operation::Rooms if !argument.contains(' ') => Step::Command(Command::Rooms { prefix: argument }),
            Operation::Make => on_enter(rest, true).unwrap_or(usage),
            Operation::Join => on_enter(rest, false).unwrap_or(usage),
            Operation::Leave => on_room(argument, |room| Command::Part { room }).unwrap_or(usage),
            Operation::Close => on_room(argument, |room| Command::Close { room }).unwrap_or(usage),
            Operation::Names => on_names(argument).unwrap_or(usage),
            Operation::Kick => on_kick(argument).unwrap_or(usage),
            Operation::Help if argument.is_empty() => Step::Reply(Reply::Help(HELP)),
            Operation::Help if !argument.contains(' ') => match Operation::parse(argument) {
                Some(operation) => Step::Reply(Reply::Help(operation.help())),
                None => Step::Reply(Reply::UnknownOperation),
            },
            Operation::Ex if argument.is_empty() => Step::Bye,
            Operation::Noop if argument.is_empty() => Step::Reply(Reply::Done),
            Operation::Token if argument.is_empty() => Step::IssueToken,
            Operation::Passwd if argument.is_empty() => Step::ChangePassword,
            Operation::Who
            | Operation::Rooms
            | Operation::Help
            | Operation::Ex
            | Operation::Noop
            | Operation::Token
            | Operation::Passwd => usage,
        }
    }

    /// The answer to `350`: a name, or a name, one space and the text as it is. Spaces alone behind a name are no text.
    pub(super) fn on_name_and_message<'a>(&mut self, body: &'a str) -> Step<'a> {
        let body = body.trim_start_matches(' ');
        let (name, text) = body.split_once(' ').unwrap_or((body, ""));
        let is_text = !text.trim_start_matches(' ').is_empty();
        self.on_name_and_text((name, if is_text { text } else { "" }))
    }

    fn on_name_and_text<'a>(&mut self, (name, text): (&str, &'a str)) -> Step<'a> {
        if name.is_empty() {
            return Step::Reply(Reply::Usage(Operation::Dm.usage()));
        }
        if name.starts_with('~') {
            return Step::Reply(Reply::GuestsHearRooms);
        }
        let Ok(name) = UserName::from_record(name) else { return Step::Reply(Reply::NoSuchUser) };
        if text.is_empty() {
            self.dialogue = Dialogue::Message { to: To::One(name.clone()) };
            return Step::Command(Command::Find { name });
        }
        Step::Command(Command::Tell { to: name, text: text.into() })
    }

    /// `room`, or `room text`; `None` when there is neither.
    fn on_room_and_message<'a>(&mut self, body: &'a str) -> Option<Step<'a>> {
        let (room, text) = word(body);
        if room.is_empty() {
            return None;
        }
        let Ok(room) = RoomName::parse(room) else { return Some(Step::Reply(Reply::NoSuchRoom)) };
        if text.is_empty() {
            self.dialogue = Dialogue::Message { to: To::Room(Box::new(room.clone())) };
            return Some(Step::Command(Command::FindRoom { room }));
        }
        Some(Step::Command(Command::SayIn { room, text: text.into() }))
    }

    fn ask(&mut self, dialogue: Dialogue, question: Reply) -> Step<'static> {
        self.dialogue = dialogue;
        Step::Reply(question)
    }
}

/// What was asked for: the text of a message, as it is.
pub(super) fn on_text<'a>(to: &To, text: &'a str) -> Step<'a> {
    let text = text.into();
    Step::Command(match to {
        To::Everybody => Command::Say { text },
        To::One(name) => Command::Tell { to: name.clone(), text },
        To::Room(room) => Command::SayIn { room: RoomName::clone(room), text },
    })
}

/// MAKE and JOIN: a room, and perhaps a password, which goes to the end of the line. `None`, as for those below, when the
/// words are too few or too many.
fn on_enter(argument: &str, makes: bool) -> Option<Step<'_>> {
    let (room, password) = word(argument);
    if room.is_empty() {
        return None;
    }
    if password.len() > PASSWORD_MAX_BYTES {
        return Some(Step::Reply(Reply::RoomPasswordSize));
    }
    Some(match RoomName::parse(room) {
        Ok(room) => Step::EnterRoom { room, password: (!password.is_empty()).then_some(Masked(password)), makes },
        Err(NameError::Shape) if makes => Step::Reply(Reply::BadRoomName),
        Err(NameError::Reserved) if makes => Step::Reply(Reply::ReservedRoomName),
        Err(NameError::Shape | NameError::Reserved) => Step::Reply(Reply::NoSuchRoom),
    })
}

/// An operation on a room that takes no more words.
fn on_room(argument: &str, command: impl FnOnce(RoomName) -> Command<'static>) -> Option<Step<'_>> {
    let (room, "") = room_and_word(argument)? else { return None };
    Some(in_room(room, |room| Step::Command(command(room))))
}

fn on_names(argument: &str) -> Option<Step<'_>> {
    let (room, prefix) = room_and_word(argument)?;
    Some(in_room(room, |room| Step::Command(Command::Names { room, prefix })))
}

fn on_kick(argument: &str) -> Option<Step<'_>> {
    let (room, name) = room_and_word(argument).filter(|(_, name)| !name.is_empty())?;
    Some(in_room(room, |room| match Who::parse(name) {
        Some(name) => Step::Command(Command::Kick { room, name }),
        None => Step::Reply(Reply::NoSuchUser),
    }))
}

/// A step for a room, unless no room can have that name.
fn in_room<'a>(room: &str, step: impl FnOnce(RoomName) -> Step<'a>) -> Step<'a> {
    RoomName::parse(room).map_or(Step::Reply(Reply::NoSuchRoom), step)
}

/// A room, and perhaps one word more.
fn room_and_word(argument: &str) -> Option<(&str, &str)> {
    let (room, more) = word(argument);
    (!room.is_empty() && !more.contains(' ')).then_some((room, more))
}
