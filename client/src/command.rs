//! What the user has typed, as what is meant by it.
//!
//! Words are separated by U+0020 alone, as on the server: any other space is a character of the word.

mod habits;

use chatd::text::without_lead;

use self::habits::{ABSENT, ALIASES, nearest};

/// A command that begins with a slash.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    /// Its name, without the slash.
    pub name: &'static str,
    /// Its arguments, as help shows them.
    pub arguments: &'static str,
    /// What it does, in a few words.
    pub help: &'static str,
    /// What its first and second arguments are, for completion.
    pub takes: [Takes; 2],
    verb: Verb,
}

/// What may stand in an argument's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing that could be completed.
    Nothing,
    /// The name of somebody.
    Name,
    /// The name of a room.
    Room,
    /// A room or a name.
    RoomOrName,
    /// A command.
    Command,
    /// Words to the end of the line.
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Pm,
    Dm,
    Rm,
    Say,
    Who,
    Join,
    Leave,
    Rooms,
    Names,
    Make,
    Kick,
    Close,
    Passwd,
    Resend,
    Forget,
    Help,
    Quit,
}

/// All commands, in the order in which help lists them.
pub const COMMANDS: &[Command] = {
    use Takes::{Name, Nothing, Room, RoomOrName, Text};
    const fn of(
        verb: Verb,
        name: &'static str,
        arguments: &'static str,
        takes: [Takes; 2],
        help: &'static str,
    ) -> Command {
        Command { name, arguments, help, takes, verb }
    }
    &[
        of(Verb::Pm, "pm", "[TEXT]", [Text; 2], "say TEXT to everybody; without TEXT, go back to talking to everybody"),
        of(Verb::Dm, "dm", "[NAME [TEXT]]", [Name, Text], "say TEXT to NAME; what is missing is asked for"),
        of(Verb::Rm, "rm", "ROOM TEXT", [Room, Text], "say TEXT in ROOM, wherever you are"),
        of(Verb::Say, "say", "TEXT", [Text; 2], "say TEXT where you are"),
        of(Verb::Who, "who", "[PREFIX]", [Name, Nothing], "who is online"),
        of(Verb::Join, "join", "ROOM [PASSWORD]", [Room, Nothing], "enter ROOM, or go back to it, and talk there"),
        of(Verb::Leave, "leave", "[ROOM]", [Room, Nothing], "leave ROOM, or the one you talk in"),
        of(Verb::Rooms, "rooms", "[PREFIX]", [Room, Nothing], "which rooms there are"),
        of(Verb::Names, "names", "[ROOM [PREFIX]]", [Room, Name], "who is in ROOM, or in the one you talk in"),
        of(Verb::Make, "make", "ROOM [PASSWORD]", [Nothing; 2], "make ROOM, as its host, and talk there"),
        of(Verb::Kick, "kick", "[ROOM] NAME", [RoomOrName, Name], "throw NAME out of a room that you host"),
        of(Verb::Close, "close", "[ROOM]", [Room, Nothing], "close a room that you host"),
        of(Verb::Passwd, "passwd", "", [Nothing; 2], "change your password"),
        of(Verb::Resend, "resend", "", [Nothing; 2], "send again what was not confirmed"),
        of(Verb::Forget, "forget", "", [Nothing; 2], "forget what was not confirmed"),
        of(Verb::Help, "help", "[COMMAND]", [Takes::Command, Nothing], "this, or one command"),
        of(Verb::Quit, "quit", "", [Nothing; 2], "leave"),
    ]
};

impl Command {
    /// How it is used, such as `/dm [NAME [TEXT]]`.
    pub fn usage(&self) -> String {
        format!("/{} {}", self.name, self.arguments).trim_end().to_owned()
    }

    /// The command of this name or alias (without its slash), in any case.
    pub fn find(name: &str) -> Option<&'static Self> {
        let verb = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name)).map(|(_, verb)| *verb);
        COMMANDS.iter().find(|command| command.name.eq_ignore_ascii_case(name) || verb == Some(command.verb))
    }
}

/// What a line means. The parts are slices of what was typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Intent<'a> {
    /// Nothing was typed.
    Empty,
    /// A text for where one is.
    Text(&'a str),
    /// A text for everybody.
    Everybody(&'a str),
    /// From now on texts go to everybody.
    GoPublic,
    /// `PM`: ask for a text for everybody.
    AskEverybody,
    /// `DM`: list who is there, ask for a name and a text.
    AskDirect,
    /// Ask for a text for one.
    AskDirectTo(&'a str),
    /// A text for one.
    Direct {
        /// To whom.
        to: &'a str,
        /// The text.
        text: &'a str,
    },
    /// A text for a room.
    InRoom {
        /// The room.
        room: &'a str,
        /// The text.
        text: &'a str,
    },
    /// List who is online.
    Who(Option<&'a str>),
    /// List the rooms.
    Rooms(Option<&'a str>),
    /// Something with a room: this one, or the one that one is in.
    Room {
        /// Which.
        room: Option<&'a str>,
        /// What.
        deed: Deed<'a>,
    },
    /// Change the password.
    Passwd,
    /// Send again what was not confirmed.
    Resend,
    /// Forget what was not confirmed.
    Forget,
    /// All commands.
    Help,
    /// One command.
    HelpOn(&'static Command),
    /// Leave.
    Quit,
    /// Wrong arguments for this command.
    Usage(&'static Command),
    /// A command of other chat programs that chatd has not; what to do instead, as a sentence.
    Absent(&'static str),
    /// A command behind spaces: neither a command nor text, which everybody would read.
    Indented,
    /// There is no such command.
    Unknown {
        /// What was typed, without its slash.
        typed: &'a str,
        /// The name of the one that was meant, if that is plain.
        nearest: Option<&'static str>,
    },
}

/// What is to be done with a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed<'a> {
    /// Enter it, with this password.
    Join(Option<&'a str>),
    /// Make it, with this password.
    Make(Option<&'a str>),
    /// Leave it.
    Leave,
    /// List who is in it and is called so.
    Names(Option<&'a str>),
    /// Throw this one out.
    Kick(&'a str),
    /// Close it.
    Close,
}

/// What a typed line means.
///
/// A slash begins a command, two slashes a text that begins with one. A known command behind spaces is refused: most
/// likely it was meant as a command, and as text it could give away a direct message or a password. `PM` (or `BM`),
/// `DM` and `EX`, in capitals and alone on the line, mean what they mean in `nc`. With words behind them they are text
/// like any other: what a person says in a room must not go to everybody because of how it begins. A text is the line as
/// it is, spaces included.
pub fn parse(line: &str) -> Intent<'_> {
    if line.trim().is_empty() {
        return Intent::Empty;
    }
    if let Some(rest) = line.strip_prefix('/') {
        return if rest.starts_with('/') { Intent::Text(rest) } else { slashed(rest) };
    }
    if is_indented(line) {
        return Intent::Indented;
    }
    match line.trim_end_matches(' ') {
        "PM" | "BM" => Intent::AskEverybody,
        "DM" => Intent::AskDirect,
        "EX" => Intent::Quit,
        _ => Intent::Text(line),
    }
}

/// Whether this begins with space and then a known command.
pub fn is_indented(line: &str) -> bool {
    let Some(rest) = unindented(line).strip_prefix('/').filter(|_| !line.starts_with('/')) else { return false };
    // Any space ends the name here: a TAB does not make a text of it.
    let name = rest.split(char::is_whitespace).next().unwrap_or_default();
    Command::find(name).is_some() || absent(name).is_some()
}

/// A line without the spaces and invisible characters that it begins with.
pub(super) fn unindented(line: &str) -> &str {
    let rest = without_lead(line.trim_start());
    if rest.len() == line.len() { rest } else { unindented(rest) }
}

/// An answer to the question whether several lines are to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Each as a message of its own.
    Each,
    /// All as one message.
    AsOne,
    /// Not at all.
    No,
}

/// What a line means as such an answer; `None` if it is something else.
pub fn answer(line: &str) -> Option<Answer> {
    match unindented(line).trim_end().to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(Answer::Each),
        "1" => Some(Answer::AsOne),
        "" | "n" | "no" => Some(Answer::No),
        _ => None,
    }
}

/// What `name`, `name text` or nothing means where somebody is to be told something.
fn direct(rest: &str) -> Intent<'_> {
    match word(rest.trim_start_matches(' ')) {
        ("", _) => Intent::AskDirect,
        (to, "") => Intent::AskDirectTo(to),
        (to, text) => Intent::Direct { to, text },
    }
}

/// What an answer to `name and message?` means. As on the server, one space divides the name from the text, and the
/// text is what it is: the spaces that it begins with are sent. Spaces alone are no text.
pub fn direct_answer(line: &str) -> Intent<'_> {
    let line = line.trim_start_matches(' ');
    match line.split_once(' ') {
        Some((to, text)) if !text.trim_start_matches(' ').is_empty() => Intent::Direct { to, text },
        Some(_) | None => direct(line),
    }
}

/// Whether a line may hold a password, so that it must not be kept in a history: one with a room's, and any with
/// arguments that no command takes, for nobody knows what they were meant to be. It may say so of one that holds none.
pub fn holds_secret(line: &str) -> bool {
    let line = unindented(line).trim_end();
    let words = line.split_whitespace().count();
    if !line.starts_with('/') || words < 2 {
        return false;
    }
    match parse(line) {
        Intent::Usage(_) => true,
        // Not if it is help that was asked for.
        Intent::Unknown { .. } | Intent::Absent(_) => Command::find(word(line.trim_start_matches('/')).0).is_none(),
        // A password behind another space than U+0020 was taken for a part of the room's name.
        Intent::Room { deed: Deed::Join(_) | Deed::Make(_), .. } => words > 2,
        Intent::Room { .. }
        | Intent::Indented
        | Intent::Empty
        | Intent::Text(_)
        | Intent::Everybody(_)
        | Intent::GoPublic
        | Intent::AskEverybody
        | Intent::AskDirect
        | Intent::AskDirectTo(_)
        | Intent::Direct { .. }
        | Intent::InRoom { .. }
        | Intent::Who(_)
        | Intent::Rooms(_)
        | Intent::Passwd
        | Intent::Resend
        | Intent::Forget
        | Intent::Help
        | Intent::HelpOn(_)
        | Intent::Quit => false,
    }
}

/// Whether this can be the name of a user: `[A-Za-z][A-Za-z0-9_.-]{0,31}`.
pub fn is_user_name(text: &str) -> bool {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(goes_on) && text.len() <= 32
}

/// Whether this can be the name of a room: 1 to 32 letters or digits of any script, or `_.-`.
pub fn is_room_name(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    !text.is_empty() && text.chars().count() <= 32 && text.chars().all(fits)
}

/// What the words behind a slash mean.
fn slashed(words: &str) -> Intent<'_> {
    let (name, rest) = word(words);
    if let Some(sentence) = absent(name) {
        return Intent::Absent(sentence);
    }
    let Some(command) = Command::find(name) else {
        return Intent::Unknown { typed: name, nearest: nearest(name) };
    };
    let mut arguments = rest.split(' ').filter(|word| !word.is_empty());
    let arguments = [arguments.next(), arguments.next(), arguments.next()];
    meaning(command, rest, arguments).unwrap_or(Intent::Usage(command))
}

/// What a command with these arguments means; `None` where they do not fit.
fn meaning<'a>(command: &'static Command, rest: &'a str, arguments: [Option<&'a str>; 3]) -> Option<Intent<'a>> {
    // A room's password is all that follows the room.
    let password = || Some(word(rest).1).filter(|password| !password.is_empty());
    Some(match (command.verb, arguments) {
        (Verb::Pm, [None, ..]) => Intent::GoPublic,
        (Verb::Pm, _) => Intent::Everybody(rest),
        (Verb::Dm, _) => direct(rest),
        (Verb::Rm, [Some(room), Some(_), _]) => Intent::InRoom { room, text: word(rest).1 },
        (Verb::Say, [Some(_), ..]) => Intent::Text(rest),
        (Verb::Who, [prefix, None, _]) => Intent::Who(prefix),
        (Verb::Rooms, [prefix, None, _]) => Intent::Rooms(prefix),
        (Verb::Names, [room, prefix, None]) => Intent::Room { room, deed: Deed::Names(prefix) },
        (Verb::Join, [room @ Some(_), ..]) => Intent::Room { room, deed: Deed::Join(password()) },
        (Verb::Make, [room @ Some(_), ..]) => Intent::Room { room, deed: Deed::Make(password()) },
        (Verb::Leave, [room, None, _]) => Intent::Room { room, deed: Deed::Leave },
        (Verb::Kick, [Some(name), None, _]) => Intent::Room { room: None, deed: Deed::Kick(name) },
        (Verb::Kick, [room, Some(name), None]) => Intent::Room { room, deed: Deed::Kick(name) },
        (Verb::Close, [room, None, _]) => Intent::Room { room, deed: Deed::Close },
        (Verb::Passwd, [None, ..]) => Intent::Passwd,
        (Verb::Resend, [None, ..]) => Intent::Resend,
        (Verb::Forget, [None, ..]) => Intent::Forget,
        (Verb::Quit, [None, ..]) => Intent::Quit,
        (Verb::Help, [None, ..]) => Intent::Help,
        (Verb::Help, [Some(name), None, _]) => {
            let name = name.strip_prefix('/').unwrap_or(name);
            let command = Command::find(name).map(Intent::HelpOn);
            let absent = || absent(name).map(Intent::Absent);
            command.or_else(absent).unwrap_or_else(|| Intent::Unknown { typed: name, nearest: nearest(name) })
        }
        _ => return None,
    })
}

/// What to say of a command that only other chat programs have.
fn absent(name: &str) -> Option<&'static str> {
    ABSENT.iter().find(|(absent, _)| absent.eq_ignore_ascii_case(name)).map(|(_, sentence)| *sentence)
}

/// The first word, and what follows the spaces behind it.
pub(super) fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word, rest.trim_start_matches(' '))
}

#[cfg(test)]
mod tests;
