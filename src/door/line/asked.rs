//! Operations as they are asked for: a verb and its arguments into a step.

use super::{Dialogue, Line, To, word};
use crate::door::operations::{HELP, Operation};
use crate::door::reply::Reply;
use crate::door::{Masked, Step};
use crate::hub::command::Command;
use crate::hub::names::{NameError, RoomName, UserName, Who};

impl Line {
    pub(super) fn on_operation<'a>(&mut self, body: &'a str) -> Step<'a> {
        let (verb, rest) = word(body.trim_start_matches(' '));
        let Some(operation) = Operation::parse(verb) else { return Step::Reply(Reply::UnknownOperation) };
        let argument = rest.trim_end_matches(' ');
        let usage = Step::Reply(Reply::Usage(operation.usage()));
        match operation {
            Operation::Pm if rest.is_empty() => self.ask(Dialogue::Message { to: To::Everybody }, Reply::AskMessage),
            Operation::Pm => Step::Command(Command::Say { text: rest }),
            Operation::Dm if rest.is_empty() => {
                self.dialogue = Dialogue::NameAndMessage;
                Step::Command(Command::Who { prefix: "" })
            }
            Operation::Dm => self.on_name_and_message(rest),
            Operation::Rm => self.on_room_and_message(rest).unwrap_or(usage),
            Operation::Who if !argument.contains(' ') => Step::Command(Command::Who { prefix: argument }),
            Operation::Rooms if !argument.contains(' ') => Step::Command(Command::Rooms { prefix: argument }),
            Operation::Make
            | Operation::Join
            | Operation::Leave
            | Operation::Names
            | Operation::Kick
            | Operation::Close => on_room(operation, argument).unwrap_or(usage),
            Operation::Help if argument.is_empty() => Step::Reply(Reply::Help(HELP)),
            Operation::Help if !argument.contains(' ') => match Operation::parse(argument) {
                Some(operation) => Step::Reply(Reply::Help(operation.help())),
                None => Step::Reply(Reply::UnknownOperation),
            },
            Operation::Ex if argument.is_empty() => Step::Bye,
            Operation::Noop if argument.is_empty() => Step::Reply(Reply::Done),
            Operation::Token if argument.is_empty() => Step::IssueToken,
            Operation::Passwd if argument.is_empty() => self.ask(Dialogue::OldPassword, Reply::AskOldPassword),
            Operation::Who
            | Operation::Rooms
            | Operation::Help
            | Operation::Ex
            | Operation::Noop
            | Operation::Token
            | Operation::Passwd => usage,
        }
    }

    pub(super) fn on_name_and_message<'a>(&mut self, body: &'a str) -> Step<'a> {
        let (name, text) = word(body.trim_start_matches(' '));
        if name.is_empty() {
            return Step::Reply(Reply::Usage(Operation::Dm.usage()));
        }
        let Ok(name) = UserName::from_record(name) else { return Step::Reply(Reply::NoSuchUser) };
        if text.is_empty() {
            self.dialogue = Dialogue::Message { to: To::One(name.clone()) };
            return Step::Command(Command::Find { name });
        }
        Step::Command(Command::Tell { to: name, text })
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
        Some(Step::Command(Command::SayIn { room, text }))
    }

    fn ask(&mut self, dialogue: Dialogue, question: Reply) -> Step<'static> {
        self.dialogue = dialogue;
        Step::Reply(question)
    }
}

/// What was asked for: the text of a message.
pub(super) fn on_text<'a>(to: &To, body: &'a str) -> Step<'a> {
    let text = body.trim_start_matches(' ');
    match to {
        _ if text.is_empty() => Step::Reply(Reply::Usage("a text, or an empty line to cancel")),
        To::Everybody => Step::Command(Command::Say { text }),
        To::One(name) => Step::Command(Command::Tell { to: name.clone(), text }),
        To::Room(room) => Step::Command(Command::SayIn { room: RoomName::clone(room), text }),
    }
}

/// An operation that begins with a room and may have one more word; `None` when the words are too few or too many.
fn on_room(operation: Operation, argument: &str) -> Option<Step<'_>> {
    let (room, more) = word(argument);
    if room.is_empty() || more.contains(' ') {
        return None;
    }
    let makes = operation == Operation::Make;
    let room = match RoomName::parse(room) {
        Ok(room) => room,
        Err(NameError::Shape) if makes => return Some(Step::Reply(Reply::BadRoomName)),
        Err(NameError::Reserved) if makes => return Some(Step::Reply(Reply::ReservedRoomName)),
        Err(NameError::Shape | NameError::Reserved) => return Some(Step::Reply(Reply::NoSuchRoom)),
    };
    match (operation, more) {
        (Operation::Make | Operation::Join, _) => {
            let password = (!more.is_empty()).then_some(Masked(more));
            Some(Step::EnterRoom { room, password, makes })
        }
        (Operation::Leave, "") => Some(Step::Command(Command::Part { room })),
        (Operation::Close, "") => Some(Step::Command(Command::Close { room })),
        (Operation::Names, prefix) => Some(Step::Command(Command::Names { room, prefix })),
        (Operation::Kick, name) if !name.is_empty() => Some(match Who::parse(name) {
            Some(name) => Step::Command(Command::Kick { room, name }),
            None => Step::Reply(Reply::NoSuchUser),
        }),
        (Operation::Leave | Operation::Close | Operation::Kick, _) => None,
        (
            Operation::Pm
            | Operation::Dm
            | Operation::Ex
            | Operation::Who
            | Operation::Rm
            | Operation::Rooms
            | Operation::Token
            | Operation::Passwd
            | Operation::Help
            | Operation::Noop,
            _,
        ) => None, // these do not begin with a room, or not only
    }
}
