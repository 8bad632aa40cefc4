//! The operator's commands: their words, and their arguments.

use std::net::IpAddr;

use log::LevelFilter;

use super::arguments::{self, Accounts};
use crate::hub::names::{RoomName, Who};
use crate::limits::{REASON_BYTES, TRACE_MOST_S};
use crate::text::first_word;

/// A command of an operator, as decoded by [`Command::parse`]. Texts are borrowed from the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// The server at a glance.
    Status,
    /// The connections.
    Sessions {
        /// Only those of this account, guest or address; `None` for all.
        of: Option<Whom>,
        /// Their order.
        sort: Sort,
    },
    /// The rooms, or the members of one.
    Rooms {
        /// The room whose members are listed; `None` lists the rooms.
        room: Option<RoomName>,
    },
    /// Ends connections.
    Kick {
        /// Which ones.
        whom: Whom,
        /// What their clients are told; may be empty.
        reason: &'a str,
    },
    /// Keeps a name, an address or a network out.
    Ban {
        /// What is banned, not yet checked.
        what: &'a str,
        /// Seconds after which the ban is over; `None` for no end.
        for_s: Option<u32>,
        /// What the banned are told; may be empty.
        reason: &'a str,
    },
    /// Lifts a ban.
    Unban {
        /// What was banned, not yet checked.
        what: &'a str,
    },
    /// The bans.
    Bans,
    /// The accounts.
    Accounts(Accounts<'a>),
    /// Says something to everybody.
    Announce {
        /// The text; never empty.
        text: &'a str,
    },
    /// Closes a room.
    Close {
        /// The room.
        room: RoomName,
        /// What its members are told; may be empty.
        reason: &'a str,
    },
    /// Reads the configuration again.
    Reload,
    /// Changes the level of the log until the next reload.
    Log {
        /// The new level.
        level: LevelFilter,
    },
    /// Stops the server.
    Stop,
    /// Shows the frames of one connection as they pass.
    Trace {
        /// The connection, or an account or guest with one connection.
        whom: Whom,
        /// Seconds after which the trace ends by itself; `None` for no end.
        for_s: Option<u32>,
    },
}

/// Whom a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// All connections of an account or a guest.
    Name(Who),
    /// The connection with this id.
    Id(u32),
    /// All connections from this address.
    Address(IpAddr),
}

/// The order of a list of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// By id.
    #[default]
    Id,
    /// Those with most unread output first.
    Owed,
    /// The oldest first.
    Since,
    /// Those that have been silent for longest first.
    Idle,
}

/// Why a line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No command has this word.
    Unknown {
        /// True for a command in the chat, where there are fewer.
        in_chat: bool,
    },
    /// The arguments are wrong. Holds the usage.
    Usage(&'static str),
    /// The level is none of the log's.
    Level,
    /// A reason is longer than [`REASON_BYTES`].
    LongReason,
    /// The duration is not a number with `s`, `m`, `h` or `d`, or it is too long.
    Duration,
    /// The time of a ban is no number with `s`, `m`, `h` or `d`.
    Time,
}

/// The verb of a command, as in [`COMMANDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Status,
    Sessions,
    Rooms,
    Kick,
    Ban,
    Unban,
    Bans,
    Accounts,
    Announce,
    Close,
    Reload,
    Log,
    Stop,
    Trace,
}

/// A command's word, its arguments, and what it does.
#[derive(Debug)]
pub struct Help {
    verb: Verb,
    /// The word and its arguments.
    pub usage: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Whether operators may use it in the chat.
    pub is_for_chat: bool,
}

/// All commands. The word of each is the first one of its usage.
pub const COMMANDS: &[Help] = &[
    help(Verb::Status, "status", "the server at a glance", true),
    help(Verb::Sessions, "sessions [NAME|ADDRESS|ID] [--sort owed|since|idle]", "who is connected", true),
    help(Verb::Rooms, "rooms [NAME]", "the rooms, or who is in one", true),
    help(Verb::Kick, "kick NAME|ID|ADDRESS [reason]", "end connections", true),
    help(Verb::Ban, "ban NAME|ADDRESS|NET [--for 2h] [reason]", "keep somebody out", true),
    help(Verb::Unban, "unban NAME|ADDRESS|NET", "lift a ban", true),
    help(Verb::Bans, "bans", "the bans", true),
    help(Verb::Announce, "announce TEXT", "say something to everybody", true),
    help(Verb::Close, "close ROOM [reason]", "close a room", true),
    help(Verb::Accounts, "accounts list|add NAME|passwd NAME|delete NAME|check", "as 'chatd accounts'", false),
    help(Verb::Reload, "reload", "read the configuration again", false),
    help(Verb::Log, "log off|error|warn|info|debug|trace", "change the level of the log until the next reload", false),
    help(Verb::Stop, "stop", "stop the server", false),
    help(Verb::Trace, "trace ID|NAME [--for 60s]", "show the frames of one connection as they pass", false),
];

const fn help(verb: Verb, usage: &'static str, about: &'static str, is_for_chat: bool) -> Help {
    Help { verb, usage, about, is_for_chat }
}

impl Help {
    /// The command of this word, in any case.
    pub fn find(word: &str) -> Option<&'static Self> {
        COMMANDS.iter().find(|help| help.word().eq_ignore_ascii_case(word))
    }

    /// The command's word.
    pub fn word(&self) -> &'static str {
        self.usage.split(' ').next().unwrap_or_default()
    }
}

impl<'a> Command<'a> {
    /// Decodes a command: checked text. In the chat there are fewer commands.
    ///
    /// # Errors
    /// It is no command; see [`Fault`].
    pub fn parse(text: &'a str, in_chat: bool) -> Result<Self, Fault> {
        let (first, rest) = first_word(text.trim_matches(' '));
        let is_there = |help: &&Help| help.is_for_chat || !in_chat;
        let help = Help::find(first).filter(is_there).ok_or(Fault::Unknown { in_chat })?;
        let usage = Fault::Usage(help.usage);
        let alone = |command: Self| if rest.is_empty() { Ok(command) } else { Err(usage) };
        match help.verb {
            Verb::Status => alone(Self::Status),
            Verb::Reload => alone(Self::Reload),
            Verb::Stop => alone(Self::Stop),
            Verb::Sessions => sessions(rest, usage),
            Verb::Rooms if rest.is_empty() => Ok(Self::Rooms { room: None }),
            Verb::Rooms => Ok(Self::Rooms { room: Some(RoomName::parse(rest).map_err(|_| usage)?) }),
            Verb::Kick => {
                let (whom, reason) = first_word(rest);
                Ok(Self::Kick { whom: Whom::parse(whom).ok_or(usage)?, reason: reason_of(reason)? })
            }
            Verb::Ban => {
                let (what, time, reason) = arguments::ban(rest).ok_or(usage)?;
                let for_s = time.map(|time| duration(time).ok_or(Fault::Time)).transpose()?;
                Ok(Self::Ban { what, for_s, reason: reason_of(reason)? })
            }
            Verb::Unban if rest.is_empty() || rest.contains(' ') => Err(usage),
            Verb::Unban => Ok(Self::Unban { what: rest }),
            Verb::Bans => alone(Self::Bans),
            Verb::Accounts => Accounts::parse(rest).map(Self::Accounts).ok_or(usage),
            Verb::Announce if rest.is_empty() => Err(usage),
            Verb::Announce => Ok(Self::Announce { text: rest }),
            Verb::Close => {
                let (room, reason) = first_word(rest);
                Ok(Self::Close { room: RoomName::parse(room).map_err(|_| usage)?, reason: reason_of(reason)? })
            }
            Verb::Log if rest.is_empty() => Err(usage),
            Verb::Log => Ok(Self::Log { level: rest.parse().map_err(|_| Fault::Level)? }),
            Verb::Trace => trace(rest, usage),
        }
    }

    /// Whether the command only shows something.
    pub fn is_look(&self) -> bool {
        match self {
            Self::Status
            | Self::Sessions { .. }
            | Self::Rooms { .. }
            | Self::Bans
            | Self::Accounts(Accounts::List | Accounts::Check) => true,
            Self::Kick { .. }
            | Self::Ban { .. }
            | Self::Unban { .. }
            | Self::Accounts(Accounts::Add(_) | Accounts::Passwd(_) | Accounts::Delete(_))
            | Self::Announce { .. }
            | Self::Close { .. }
            | Self::Reload
            | Self::Log { .. }
            | Self::Stop
            | Self::Trace { .. } => false,
        }
    }
}

impl Whom {
    /// Decodes a name, an id or an address. `None` if it can be none of them.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(id) = text.parse() {
            return Some(Self::Id(id));
        }
        match text.parse::<IpAddr>() {
            Ok(ip) => Some(Self::Address(ip.to_canonical())),
            Err(_) => Who::parse(text).map(Self::Name),
        }
    }
}

fn sessions<'a>(rest: &str, usage: Fault) -> Result<Command<'a>, Fault> {
    let (mut of, mut sort) = (None, Sort::Id);
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let order = if word == "--sort" { words.next() } else { word.strip_prefix("--sort=") };
        match order {
            Some("owed") => sort = Sort::Owed,
            Some("since") => sort = Sort::Since,
            Some("idle") => sort = Sort::Idle,
            None if of.is_none() && !word.starts_with('-') => of = Some(Whom::parse(word).ok_or(usage)?),
            Some(_) | None => return Err(usage),
        }
    }
    Ok(Command::Sessions { of, sort })
}

fn trace<'a>(rest: &str, usage: Fault) -> Result<Command<'a>, Fault> {
    let (mut whom, mut for_s) = (None, None);
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let time = if word == "--for" { Some(words.next().ok_or(usage)?) } else { word.strip_prefix("--for=") };
        match (time, Whom::parse(word)) {
            (Some(time), _) => for_s = Some(duration(time).filter(|s| *s <= TRACE_MOST_S).ok_or(Fault::Duration)?),
            (None, Some(one @ (Whom::Name(_) | Whom::Id(_)))) if whom.is_none() => whom = Some(one),
            (None, Some(_) | None) => return Err(usage),
        }
    }
    Ok(Command::Trace { whom: whom.ok_or(usage)?, for_s })
}

fn reason_of(reason: &str) -> Result<&str, Fault> {
    if reason.len() <= REASON_BYTES { Ok(reason) } else { Err(Fault::LongReason) }
}

/// A duration in seconds: a number from 1 on, and `s` (or nothing), `m`, `h` or `d`. `None` if it is none, or does not
/// fit.
pub fn duration(text: &str) -> Option<u32> {
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let unit = units.iter().find_map(|(name, seconds)| Some((text.strip_suffix(*name)?, *seconds)));
    let (digits, seconds) = unit.unwrap_or((text, 1));
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count: u32 = if is_number { digits.parse().ok()? } else { return None };
    count.checked_mul(seconds).filter(|seconds| *seconds > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<Command<'_>, Fault>) {
        assert_eq!(Command::parse(text, false), expected, "{text:?}");
    }

    fn name(text: &str) -> Whom {
        Whom::Name(Who::parse(text).unwrap())
    }

    fn room(text: &str) -> RoomName {
        RoomName::parse(text).unwrap()
    }

    #[track_caller]
    fn check_usage(text: &str) {
        let word = text.split(' ').next().unwrap_or_default();
        check(text, Err(Fault::Usage(Help::find(word).unwrap().usage)));
    }

    #[test]
    fn commands() {
        check("status", Ok(Command::Status));
        check("  STATUS ", Ok(Command::Status));
        check("sessions", Ok(Command::Sessions { of: None, sort: Sort::Id }));
        check("sessions alice --sort owed", Ok(Command::Sessions { of: Some(name("alice")), sort: Sort::Owed }));
        check("sessions --sort=idle ~bob", Ok(Command::Sessions { of: Some(name("~bob")), sort: Sort::Idle }));
        let here = Whom::Address(IpAddr::from([127, 0, 0, 1]));
        check("sessions ::ffff:127.0.0.1", Ok(Command::Sessions { of: Some(here.clone()), sort: Sort::Id }));
        check("rooms", Ok(Command::Rooms { room: None }));
        check("rooms Küche", Ok(Command::Rooms { room: Some(room("küche")) }));
        check("kick 17", Ok(Command::Kick { whom: Whom::Id(17), reason: "" }));
        check("kick 127.0.0.1 be  nice", Ok(Command::Kick { whom: here, reason: "be  nice" }));
        check("announce a  b", Ok(Command::Announce { text: "a  b" }));
        check("ban Bob", Ok(Command::Ban { what: "Bob", for_s: None, reason: "" }));
        let for_2h = |reason| Ok(Command::Ban { what: "::/0", for_s: Some(7_200), reason });
        check("ban ::/0 --for 2h", for_2h(""));
        check("ban --for=2h ::/0 a  b", for_2h("a  b"));
        check("ban ::/0 --for 2h a  b", for_2h("a  b"));
        check("ban ::/0  a  b --for 2h ", for_2h("a  b"));
        check("ban bob for 2h", Ok(Command::Ban { what: "bob", for_s: None, reason: "for 2h" }));
        check("unban bob", Ok(Command::Unban { what: "bob" }));
        check("bans", Ok(Command::Bans));
        check("accounts LIST", Ok(Command::Accounts(Accounts::List)));
        check("accounts  add  Bob", Ok(Command::Accounts(Accounts::Add("Bob"))));
        check("accounts check", Ok(Command::Accounts(Accounts::Check)));
        check("close den over", Ok(Command::Close { room: room("den"), reason: "over" }));
        check("reload", Ok(Command::Reload));
        check("log DEBUG", Ok(Command::Log { level: LevelFilter::Debug }));
        check("stop", Ok(Command::Stop));
        check("trace 3", Ok(Command::Trace { whom: Whom::Id(3), for_s: None }));
        check("trace alice --for 2m", Ok(Command::Trace { whom: name("alice"), for_s: Some(120) }));
    }

    #[test]
    fn faults() {
        for text in ["", "nonsense", "statu", "help"] {
            check(text, Err(Fault::Unknown { in_chat: false }));
        }
        for text in [
            "status now",
            "sessions a b",
            "sessions --sort",
            "sessions --sort name",
            "sessions --all",
            "rooms a b",
            "kick",
            "kick 1.2.3",
            "kick 4294967296",
            "ban",
            "ban --for 2h",
            "ban --force bob",
            "ban a --for 1h b --for 2h",
            "ban a b --for 1h c",
            "ban a --for",
            "unban",
            "unban a b",
            "bans all",
            "accounts",
            "accounts add",
            "accounts list a",
            "accounts add a b",
            "accounts repair",
            "announce",
            "close",
            "close a/b",
            "reload it",
            "log",
            "stop now",
            "trace",
            "trace 127.0.0.1",
            "trace a b",
            "trace a --for",
        ] {
            check_usage(text);
        }
        check("log loud", Err(Fault::Level));
        let long = "x".repeat(REASON_BYTES + 1);
        check(&format!("kick alice {long}"), Err(Fault::LongReason));
        check(&format!("close den {long}"), Err(Fault::LongReason));
        for time in ["0", "x", "5y", "-1s", "999999999d"] {
            check(&format!("ban a --for {time}"), Err(Fault::Time));
        }
        for time in ["0", "x", "5y", "-1s", "999d", "s"] {
            check(&format!("trace a --for {time}"), Err(Fault::Duration));
        }
    }

    #[test]
    fn the_chat_has_fewer() {
        for text in ["reload", "log debug", "stop", "trace 1", "accounts list", "nonsense"] {
            assert_eq!(Command::parse(text, true), Err(Fault::Unknown { in_chat: true }), "{text}");
        }
        for text in ["status", "sessions", "rooms", "kick a", "ban a", "unban a", "bans", "announce a", "close a"] {
            assert!(Command::parse(text, true).is_ok(), "{text}");
        }
    }

    #[test]
    fn durations() {
        for (text, expected) in
            [("60s", Some(60)), ("5", Some(5)), ("2h", Some(7_200)), ("1d", Some(86_400)), ("99999999d", None)]
        {
            assert_eq!(duration(text), expected, "{text}");
        }
    }

    #[test]
    fn every_start_of_a_command_is_a_command_or_a_fault() {
        for text in [
            "sessions alice --sort owed",
            "kick ~zoé be nice",
            "trace 17 --for 60s",
            "close küche over",
            "ban zoe --for 2h be nice --for 2h",
        ] {
            for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
                let _ = Command::parse(&text[..end], false);
            }
        }
    }
}
