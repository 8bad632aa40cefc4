//! Command names of other chat programs: aliases, commands that chatd does not have, and suggestions for mistyped
//! names.

use super::{COMMANDS, Verb};

/// Other names of commands.
pub(super) const ALIASES: [(&str, Verb); 34] = [
    ("bm", Verb::Pm),
    ("msg", Verb::Dm),
    ("message", Verb::Dm),
    ("query", Verb::Dm),
    ("whisper", Verb::Dm),
    ("w", Verb::Dm),
    ("tell", Verb::Dm),
    ("users", Verb::Who),
    ("online", Verb::Who),
    ("j", Verb::Join),
    ("create", Verb::Make),
    ("part", Verb::Leave),
    ("list", Verb::Rooms),
    ("channels", Verb::Rooms),
    ("remove", Verb::Kick),
    ("backlog", Verb::History),
    ("lastlog", Verb::Search),
    ("find", Verb::Search),
    ("afk", Verb::Away),
    ("monitor", Verb::Watch),
    ("block", Verb::Ignore),
    ("unblock", Verb::Unignore),
    ("delete", Verb::Erase),
    ("redact", Verb::Erase),
    ("password", Verb::Passwd),
    ("ex", Verb::Quit),
    ("exit", Verb::Quit),
    ("bye", Verb::Quit),
    ("q", Verb::Quit),
    ("logout", Verb::Quit),
    ("disconnect", Verb::Quit),
    ("h", Verb::Help),
    ("?", Verb::Help),
    ("commands", Verb::Help),
];

const NO_HOSTS: &str =
    "chatd has no operators of rooms: a room has one host, who can /kick and /close, and hands it on by /host NAME";
const NO_BANS: &str =
    "only the operator of chatd can ban; the host of a room can /kick, and a password keeps others out of it";
const QUIET: &str = "/ignore NAME keeps their direct messages away, and /notify PLACE none silences a place";
const PRESENCE: &str = "/away TEXT tells others that you are away, /set status TEXT is shown by /whois, and /notify PLACE none silences a place";
const NO_CONNECT: &str = "one run talks to one server: /quit, then start chatclient with the other one";
const NO_ACCOUNTS: &str = "you are logged in already; /passwd changes your password";

/// Commands that chatd does not have, each with advice.
pub(super) const ABSENT: [(&str, &str); 22] = [
    ("mute", QUIET),
    ("unmute", QUIET),
    ("dnd", PRESENCE),
    ("status", PRESENCE),
    ("unwatch", "/watch NAME off ends it"),
    ("buffer", "/next goes where something is new, and /join ROOM to a room that you are in"),
    ("highlight", "your name in a message calls you; /notify PLACE all|mentions|none sets what else does"),
    ("ban", NO_BANS),
    ("unban", NO_BANS),
    ("op", NO_HOSTS),
    ("deop", NO_HOSTS),
    ("voice", NO_HOSTS),
    ("mode", NO_HOSTS),
    ("oper", "the operator of chatd uses `chatd ctl` on the server's machine, or OP in nc, not this client"),
    ("clear", "the keys Ctrl-L clear the screen"),
    ("server", NO_CONNECT),
    ("connect", NO_CONNECT),
    ("reconnect", "chatclient connects again by itself"),
    ("login", NO_ACCOUNTS),
    ("register", NO_ACCOUNTS),
    ("identify", NO_ACCOUNTS),
    ("notice", "chatd has no notices between users: /dm NAME TEXT"),
];

/// The name of the command or alias that a mistyped name was meant to be: one letter wrong, missing, doubled or swapped
/// with its neighbour (two such errors in a long name), or a prefix of it. `None` if there is not exactly one.
pub(super) fn nearest(typed: &str) -> Option<&'static str> {
    /// From this many letters on, a name may have two errors.
    const LONG: usize = 6;
    let typed = typed.to_lowercase();
    let letters = typed.chars().count();
    if letters < 2 {
        return None;
    }
    let bound = if letters < LONG { 1 } else { 2 };
    let all = || COMMANDS.iter().map(|command| (command.name, command.verb)).chain(ALIASES);
    // A one-letter name is close to every other one.
    let named = || all().filter(|(name, _)| name.len() > 1);
    let slips = |name: &str| match strsim::damerau_levenshtein(&typed, name) {
        2.. if name.starts_with(&typed) => 1,
        slips => slips,
    };
    let least = named().map(|(name, _)| slips(name)).min().filter(|least| *least <= bound)?;
    let mut found = named().filter(|(name, _)| slips(name) == least);
    let (name, verb) = found.next()?;
    found.all(|(_, other)| other == verb).then_some(name)
}
