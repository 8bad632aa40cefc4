//! Parsing of typed lines.
//!
//! Only U+0020 separates words, as on the server. Any other space is part of a word.

mod habits;
mod past;
mod people;

use chatd::text::without_lead;

use self::habits::{ABSENT, ALIASES, nearest};
pub use self::past::{Keeping, Look};
pub use self::people::{Erase, People, Turn};

/// A slash command.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    /// Its name, without the slash.
    pub name: &'static str,
    /// Its arguments, as shown by help.
    pub arguments: &'static str,
    /// Its effect, briefly.
    pub help: &'static str,
    /// The kinds of its first and second argument, for completion.
    pub takes: [Takes; 2],
    verb: Verb,
}

/// The kind of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Not completable.
    Nothing,
    /// The name of a user.
    Name,
    /// The name of a room.
    Room,
    /// A room or a name.
    RoomOrName,
    /// A command.
    Command,
    /// Text to the end of the line.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A room, a name, or one of these words.
    PlaceOr(&'static [&'static str]),
}

/// The keys of a profile that the user can set, in the order in which the server shows them.
pub const KEYS: [&str; 7] = ["name", "status", "pronouns", "zone", "url", "about", "seen"];
/// How loud a place can be.
const LEVELS: [&str; 3] = ["all", "mentions", "none"];
/// Ends something that was begun with the same command.
const OFF: [&str; 1] = ["off"];
/// Begins something, or ends it.
const SWITCH: [&str; 2] = ["on", "off"];

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
    Invite,
    Kick,
    Host,
    Close,
    History,
    Missed,
    Unread,
    Search,
    Next,
    Paste,
    Edit,
    Topic,
    Keep,
    Lock,
    Me,
    Whois,
    Set,
    Away,
    Back,
    Watch,
    Ignore,
    Unignore,
    Public,
    Nick,
    Notify,
    Erase,
    Passwd,
    Resend,
    Forget,
    Help,
    Quit,
}

/// All commands, in the order of the help.
pub const COMMANDS: &[Command] = {
    use Takes::{Name, Nothing, OneOf, PlaceOr, Room, RoomOrName, Text};
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
        of(Verb::Invite, "invite", "[ROOM] NAME", [RoomOrName, Name], "ask NAME into a room that you are in"),
        of(Verb::Kick, "kick", "[ROOM] NAME", [RoomOrName, Name], "throw NAME out of a room that you host"),
        of(Verb::Host, "host", "[ROOM] NAME", [RoomOrName, Name], "hand a room that you host to NAME"),
        of(Verb::Close, "close", "[ROOM]", [Room, Nothing], "close a room that you host"),
        of(
            Verb::History,
            "history",
            "[PLACE] [before WHEN|after WHEN] [N]",
            [RoomOrName, Nothing],
            "what was said: the last 50 messages, or the last N",
        ),
        of(Verb::Missed, "missed", "", [Nothing; 2], "the oldest 50 messages that you have not read, then the next"),
        of(Verb::Unread, "unread", "", [Nothing; 2], "how much you have not read, and where"),
        of(
            Verb::Search,
            "search",
            "WORDS",
            [Text; 2],
            "the last 50 messages with all WORDS; in:PLACE from:NAME narrow it",
        ),
        of(Verb::Next, "next", "", [Nothing; 2], "go where something is new"),
        of(Verb::Paste, "paste", "", [Nothing; 2], "say several lines where you are; a . alone on a line ends them"),
        of(Verb::Edit, "edit", "[TEXT]", [Text; 2], "say what you write in your editor ($VISUAL or $EDITOR)"),
        of(
            Verb::Topic,
            "topic",
            "[ROOM] [TEXT|-]",
            [Room, Text],
            "what a room is about; its host sets TEXT, or none: -",
        ),
        of(
            Verb::Keep,
            "keep",
            "[ROOM] [DAYS|off]",
            [Room, Nothing],
            "keep a room that you host, and what is said there",
        ),
        of(
            Verb::Lock,
            "lock",
            "[ROOM] PASSWORD|-",
            [Room, Nothing],
            "set or remove the password of a room that you host",
        ),
        of(Verb::Me, "me", "TEXT", [Text; 2], "say what you do, where you are: * you wave"),
        of(Verb::Whois, "whois", "[NAME]", [Name, Nothing], "who NAME is, and whether they are there; or you"),
        of(
            Verb::Set,
            "set",
            "[KEY [VALUE|-]]",
            [OneOf(&KEYS), Text],
            "your profile: show it, set a KEY of it, remove it: -",
        ),
        of(Verb::Away, "away", "[TEXT]", [Text; 2], "tell others that you are away, and why"),
        of(Verb::Back, "back", "", [Nothing; 2], "you are there again"),
        of(
            Verb::Watch,
            "watch",
            "[NAME [off]]",
            [Name, OneOf(&OFF)],
            "be told when NAME comes and goes; whom you watch",
        ),
        of(
            Verb::Ignore,
            "ignore",
            "[NAME|~ [off]]",
            [Name, OneOf(&OFF)],
            "no direct messages from NAME, or from guests: ~; whom you ignore",
        ),
        of(Verb::Unignore, "unignore", "NAME", [Name, Nothing], "do not ignore NAME any more"),
        of(Verb::Public, "public", "on|off", [OneOf(&SWITCH), Nothing], "hear what is said to everybody, or do not"),
        of(Verb::Nick, "nick", "~NAME", [Nothing; 2], "take another name, if you are a guest"),
        of(
            Verb::Notify,
            "notify",
            "[PLACE] [all|mentions|none]",
            [PlaceOr(&LEVELS), OneOf(&LEVELS)],
            "what rings in PLACE, or where you are, on all your devices",
        ),
        of(
            Verb::Erase,
            "erase",
            "[NAME] [N]|ID|all",
            [Name, Nothing],
            "erase what you said: the last message, the one N from below, all; or of NAME in your room",
        ),
        of(Verb::Passwd, "passwd", "", [Nothing; 2], "change your password"),
        of(Verb::Resend, "resend", "", [Nothing; 2], "send again what was not confirmed"),
        of(Verb::Forget, "forget", "", [Nothing; 2], "forget what was not confirmed; /erase is for what was said"),
        of(Verb::Help, "help", "[COMMAND]", [Takes::Command, Nothing], "this, or one command"),
        of(Verb::Quit, "quit", "", [Nothing; 2], "leave"),
    ]
};

impl Command {
    /// Its usage, such as `/dm [NAME [TEXT]]`.
    pub fn usage(&self) -> String {
        format!("/{} {}", self.name, self.arguments).trim_end().to_owned()
    }

    /// The command with this name or alias (without the slash), in any case.
    pub fn find(name: &str) -> Option<&'static Self> {
        let verb = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name)).map(|(_, verb)| *verb);
        COMMANDS.iter().find(|command| command.name.eq_ignore_ascii_case(name) || verb == Some(command.verb))
    }
}

/// The meaning of a line. The parts are slices of the typed text.
#[derive(Debug, PartialEq, Eq)]
pub enum Intent<'a> {
    /// An empty line.
    Empty,
    /// A text for the current place.
    Text(&'a str),
    /// An act of the user, such as `waves`, for the current place.
    Act(&'a str),
    /// A text for everybody.
    Everybody(&'a str),
    /// From now on, texts go to everybody.
    GoPublic,
    /// `PM`: ask for a text for everybody.
    AskEverybody,
    /// `DM`: list who is online, then ask for a name and a text.
    AskDirect,
    /// Ask for a text for this user.
    AskDirectTo(&'a str),
    /// A text for one user.
    Direct {
        /// The user.
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
    /// An operation on a room: this one, or the current one.
    Room {
        /// The room.
        room: Option<&'a str>,
        /// The operation.
        deed: Deed<'a>,
    },
    /// Show something of what was said.
    Look(Look<'a>),
    /// Go where something is new.
    Next,
    /// Collect lines for the current place.
    Paste,
    /// Edit a text for the current place, which begins with this, in an editor.
    Edit(&'a str),
    /// Show or set what a room is about: the room, if it is named, and a text.
    Topic(&'a str),
    /// Set or remove the password of a room: the room, if it is named, and the password.
    Lock(&'a str),
    /// Something about people.
    People(People<'a>),
    /// Change the password.
    Passwd,
    /// Send the unconfirmed messages again.
    Resend,
    /// Forget the unconfirmed messages.
    Forget,
    /// Help on all commands.
    Help,
    /// Help on one command.
    HelpOn(&'static Command),
    /// Leave.
    Quit,
    /// Invalid arguments for this command.
    Usage(&'static Command),
    /// A command of other chat programs that chatd does not have. The sentence says what to do instead.
    Absent(&'static str),
    /// A command after spaces. It is neither a command nor a text, because everybody would read the text.
    Indented,
    /// An unknown command.
    Unknown {
        /// The typed name, without the slash.
        typed: &'a str,
        /// The name that was probably meant, if there is only one.
        nearest: Option<&'static str>,
    },
}

/// An operation on a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed<'a> {
    /// Enter it, with this password.
    Join(Option<&'a str>),
    /// Create it, with this password.
    Make(Option<&'a str>),
    /// Leave it.
    Leave,
    /// List its members whose names start like this.
    Names(Option<&'a str>),
    /// Ask this user into it.
    Invite(&'a str),
    /// Remove this member.
    Kick(&'a str),
    /// Hand it to this member.
    HandOn(&'a str),
    /// Close it.
    Close,
    /// Keep it, or hand it over.
    Keep(Keeping<'a>),
}

/// The meaning of a typed line.
///
/// A slash begins a command, two slashes a text that begins with one. A known command after spaces is refused: it was
/// probably meant as a command, and as a text it could reveal a direct message or a password. `PM` (or `BM`), `DM` and
/// `EX`, in capitals and alone on the line, mean the same as in `nc`. Followed by words they are ordinary text: a
/// message in a room must not go to everybody because of its first word. A text is the line as typed, including spaces.
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

/// Whether a line has spaces and then a known command.
pub fn is_indented(line: &str) -> bool {
    let Some(rest) = unindented(line).strip_prefix('/').filter(|_| !line.starts_with('/')) else { return false };
    // Any space ends the name: a TAB does not turn a command into text.
    let name = rest.split(char::is_whitespace).next().unwrap_or_default();
    Command::find(name).is_some() || absent(name).is_some()
}

/// A line without its leading spaces and invisible characters.
pub(super) fn unindented(line: &str) -> &str {
    let rest = without_lead(line.trim_start());
    if rest.len() == line.len() { rest } else { unindented(rest) }
}

/// An answer to the question whether to send several lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Each line as a message.
    Each,
    /// All lines as one message.
    AsOne,
    /// Not at all.
    No,
}

/// The answer that a line gives; `None` if it is not one.
pub fn answer(line: &str) -> Option<Answer> {
    match unindented(line).trim_end().to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(Answer::Each),
        "1" => Some(Answer::AsOne),
        "" | "n" | "no" => Some(Answer::No),
        _ => None,
    }
}

/// The meaning of `name`, `name text` or nothing where a direct message is expected.
fn direct(rest: &str) -> Intent<'_> {
    match word(rest.trim_start_matches(' ')) {
        ("", _) => Intent::AskDirect,
        (to, "") => Intent::AskDirectTo(to),
        (to, text) => Intent::Direct { to, text },
    }
}

/// The meaning of an answer to `name and message?`. As on the server, one space separates the name from the text, and
/// further spaces belong to the text. Spaces alone are not a text.
pub fn direct_answer(line: &str) -> Intent<'_> {
    let line = line.trim_start_matches(' ');
    match line.split_once(' ') {
        Some((to, text)) if !text.trim_start_matches(' ').is_empty() => Intent::Direct { to, text },
        Some(_) | None => direct(line),
    }
}

/// Whether a line may contain a password, so that it must stay out of the history: a line with a room password, and any
/// line with arguments that no command takes. It may be wrong in this direction only.
pub fn holds_secret(line: &str) -> bool {
    let line = unindented(line).trim_end();
    let words = line.split_whitespace().count();
    if !line.starts_with('/') || words < 2 {
        return false;
    }
    match parse(line) {
        Intent::Usage(_) => true,
        // Not if help was asked for.
        Intent::Unknown { .. } | Intent::Absent(_) => Command::find(word(line.trim_start_matches('/')).0).is_none(),
        // A password after a space other than U+0020 was parsed as part of the room's name.
        Intent::Room { deed: Deed::Join(_) | Deed::Make(_), .. } => words > 2,
        // Its only word may be a room.
        Intent::Lock(rest) => !rest.is_empty(),
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
        | Intent::Look(_)
        | Intent::Next
        | Intent::Paste
        | Intent::Edit(_)
        | Intent::Topic(_)
        | Intent::Act(_)
        | Intent::People(_)
        | Intent::Passwd
        | Intent::Resend
        | Intent::Forget
        | Intent::Help
        | Intent::HelpOn(_)
        | Intent::Quit => false,
    }
}

/// Whether this has the form of a user name: `[A-Za-z][A-Za-z0-9_.-]{0,31}`.
pub fn is_user_name(text: &str) -> bool {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(goes_on) && text.len() <= 32
}

/// Whether this has the form of a guest's name: `~`, and a name of the form of a room's.
pub fn is_guest_name(text: &str) -> bool {
    text.strip_prefix('~').is_some_and(is_room_name)
}

/// Whether this has the form of a room name: 1 to 32 letters or digits of any script, or `_.-`.
pub fn is_room_name(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    !text.is_empty() && text.chars().count() <= 32 && text.chars().all(fits)
}

/// The meaning of the words after a slash.
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

/// The meaning of a command with these arguments; `None` if they are invalid.
fn meaning<'a>(command: &'static Command, rest: &'a str, arguments: [Option<&'a str>; 3]) -> Option<Intent<'a>> {
    // A room's password is everything after the room's name.
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
        (Verb::Invite, [Some(name), None, _]) => Intent::Room { room: None, deed: Deed::Invite(people::bare(name)) },
        (Verb::Invite, [room, Some(name), None]) => Intent::Room { room, deed: Deed::Invite(people::bare(name)) },
        (Verb::Host, [Some(name), None, _]) => Intent::Room { room: None, deed: Deed::HandOn(people::bare(name)) },
        (Verb::Host, [room, Some(name), None]) => Intent::Room { room, deed: Deed::HandOn(people::bare(name)) },
        (Verb::Kick, [Some(name), None, _]) => Intent::Room { room: None, deed: Deed::Kick(name) },
        (Verb::Kick, [room, Some(name), None]) => Intent::Room { room, deed: Deed::Kick(name) },
        (Verb::Close, [room, None, _]) => Intent::Room { room, deed: Deed::Close },
        (Verb::History, _) => Intent::Look(past::history(rest)?),
        (Verb::Missed, [None, ..]) => Intent::Look(Look::Missed),
        (Verb::Unread, [None, ..]) => Intent::Look(Look::Unread),
        (Verb::Search, [Some(_), ..]) => Intent::Look(Look::Search(rest)),
        (Verb::Next, [None, ..]) => Intent::Next,
        (Verb::Paste, [None, ..]) => Intent::Paste,
        (Verb::Edit, _) => Intent::Edit(rest),
        (Verb::Topic, _) => Intent::Topic(rest),
        (Verb::Lock, [Some(_), ..]) => Intent::Lock(rest),
        (Verb::Keep, _) => {
            let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
            let (room, keeping) = past::keep(&words)?;
            Intent::Room { room, deed: Deed::Keep(keeping) }
        }
        (Verb::Me, [Some(_), ..]) => Intent::Act(rest),
        (Verb::Whois, [name, None, _]) => Intent::People(People::Whois(name.map(people::bare))),
        (Verb::Set, _) => Intent::People(people::set(rest)),
        (Verb::Away, _) => Intent::People(People::Away(rest.trim_matches(' '))),
        (Verb::Back, [None, ..]) => Intent::People(People::Back),
        (Verb::Watch, _) => Intent::People(People::Watch(people::turn(arguments)?)),
        (Verb::Ignore, _) => Intent::People(People::Ignore(people::turn(arguments)?)),
        (Verb::Unignore, [Some(name), None, _]) => Intent::People(People::Ignore(Turn::Off(people::bare(name)))),
        (Verb::Public, [Some(word), None, _]) => Intent::People(people::public(word)?),
        (Verb::Nick, [Some(name), None, _]) => Intent::People(People::Nick(people::bare(name))),
        (Verb::Notify, _) => Intent::People(people::notify(arguments)?),
        (Verb::Erase, _) => Intent::People(People::Erase(people::erase(arguments)?)),
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

/// The advice for a command that only other chat programs have.
fn absent(name: &str) -> Option<&'static str> {
    ABSENT.iter().find(|(absent, _)| absent.eq_ignore_ascii_case(name)).map(|(_, sentence)| *sentence)
}

/// The first word, and the rest after the spaces that follow it.
pub(super) fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word, rest.trim_start_matches(' '))
}

#[cfg(test)]
mod tests;
