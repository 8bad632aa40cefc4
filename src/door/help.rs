//! The help of the line door: on all operations, and on each.

use super::operations::Operation;

/// Who sees a line of the general help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    /// Everybody.
    All,
    /// Everybody, if the server keeps what is said.
    History,
    /// Operators.
    Operators,
}

/// The general help: what people do first stands first.
const HELP: [(For, &str); 38] = [
    (For::All, "PM [text]             say something to everybody"),
    (For::All, "DM [name [text]]      say something to one person"),
    (For::All, "WHO [prefix]          who is online"),
    (For::All, "WHOIS [name]          who that is, and whether they are there"),
    (For::All, "ROOMS [prefix]        which rooms there are"),
    (For::All, "MAKE room [password]  make a room, with a password if you like"),
    (For::All, "JOIN room [password]  enter a room"),
    (For::All, "RM room [text]        say something in a room"),
    (For::All, "NAMES room [prefix]   who is in a room"),
    (For::All, "LEAVE room            leave a room"),
    (For::All, "INVITE room name      ask somebody into a room"),
    (For::All, "KICK room name        put somebody out of your room"),
    (For::All, "HOST room name        hand your room to another member"),
    (For::All, "CLOSE room            close your room"),
    (For::All, "TOPIC room [text]     what a room is about"),
    (For::All, "LOCK room [password]  set your room's password, or remove it"),
    (For::History, "KEEP room [DAYS]      keep your room, and what is said in it"),
    (For::History, "MISSED                what was said while you were away"),
    (For::History, "HISTORY [place] [N]   what was said before: *, a room, or @name"),
    (For::History, "SEARCH words          look for something that was said"),
    (For::History, "UNREAD                how much you have not read"),
    (For::History, "READ [place]          you have read it"),
    (For::History, "FORGET [ID|all]       erase what you have said"),
    (For::All, "AWAY [text]           you are away; without text you are back"),
    (For::All, "WATCH [name [off]]    be told when somebody comes and goes"),
    (For::History, "SET [key [value]]     what WHOIS says of you"),
    (For::History, "IGNORE [name [off]]   take no direct messages from somebody"),
    (For::History, "NOTIFY place LEVEL    how loud a place is: all, mentions, none"),
    (For::All, "PUBLIC on|off         hear what is said to everybody, or do not"),
    (For::All, "WANT [word]           for programs: what they are told besides"),
    (For::All, "NICK ~name            take another name, if you are a guest"),
    (For::All, "TOKEN                 a token to come back without your password"),
    (For::All, "PASSWD                change your password"),
    (For::All, "NOOP                  nothing"),
    (For::All, "HELP [operation]      this, or more about one"),
    (For::Operators, "OP command            what operators do; HELP OP lists it"),
    (For::All, "EX                    leave"),
    (For::All, "an empty line cancels what you are asked for"),
];

/// The lines of `HELP` without an argument. Without a history, operations that need one are left out.
pub(super) fn general(is_operator: bool, has_history: bool) -> impl Iterator<Item = &'static str> {
    let is_shown = move |who| match who {
        For::All => true,
        For::History => has_history,
        For::Operators => is_operator,
    };
    HELP.iter().filter(move |(who, _)| is_shown(*who)).map(|(_, line)| *line)
}

impl Operation {
    /// The lines of `HELP` for this operation.
    pub(super) fn help(self) -> &'static [&'static str] {
        match self {
            Self::Pm => &["PM [text]: say something to everybody; without text it is asked for. BM is the same"],
            Self::Dm => &["DM [name [text]]: say something to one; without a name those online are listed first"],
            Self::Ex => &["EX: leave; QUIT, EXIT and BYE do the same"],
            Self::Who => &["WHO [prefix]: who is online, you too"],
            Self::Make => {
                &["MAKE room [password]: make a room and be its host; the password goes to the end of the line"]
            }
            Self::Join => &["JOIN room [password]: enter a room; its messages then come as D RM room name text"],
            Self::Leave => &["LEAVE room: leave a room; if you are its host, who has been in longest is host then"],
            Self::Rm => &["RM room [text]: say something to everybody in a room; without text it is asked for"],
            Self::Rooms => &["ROOMS [prefix]: which rooms there are"],
            Self::Names => &["NAMES room [prefix]: who is in a room; a name with ~ is a guest's, who has no account"],
            Self::Invite => &["INVITE room name: ask somebody who is online into a room that you are in"],
            Self::Kick => &["KICK room name: put somebody out of your room"],
            Self::Host => HOST_HELP,
            Self::Close => &["CLOSE room: close your room"],
            Self::History => HISTORY_HELP,
            Self::Missed => &["MISSED: the oldest 50 messages that you have not read; goes on from there each time"],
            Self::Search => SEARCH_HELP,
            Self::Unread => &["UNREAD: how much you have not read: place, messages, those for you"],
            Self::Read => READ_HELP,
            Self::Keep => KEEP_HELP,
            Self::Topic => &["TOPIC room [text|-]: what a room is about; its host sets it, - removes it"],
            Self::Lock => &["LOCK room [words|-]: set the password of your room, to the end of the line; - removes it"],
            Self::Whois => WHOIS_HELP,
            Self::Set => SET_HELP,
            Self::Away => AWAY_HELP,
            Self::Watch => WATCH_HELP,
            Self::Ignore => IGNORE_HELP,
            Self::Public => PUBLIC_HELP,
            Self::Notify => NOTIFY_HELP,
            Self::Forget => FORGET_HELP,
            Self::Want => WANT_HELP,
            Self::Nick => &["NICK ~name: take another name; for guests, because an account keeps its name"],
            Self::Token => &["TOKEN: a token that logs you in again: answer `name TOKEN` when asked for your name"],
            Self::Passwd => &["PASSWD: change your password; your other sessions end, and older tokens are void then"],
            Self::Help => &["HELP [operation]: what you can do"],
            Self::Noop => &["NOOP: nothing; shows that the server is there"],
            Self::Op => OPERATOR_HELP,
        }
    }
}

/// The lines of `HELP OP`.
const OPERATOR_HELP: &[&str] = &[
    "OP status: the server at a glance",
    "OP sessions [NAME|ADDRESS|ID] [--sort owed|since|idle]: who is connected",
    "OP rooms [NAME]: the rooms, or who is in one",
    "OP kick NAME|ID|ADDRESS [reason]: end connections",
    "OP ban NAME|ADDRESS|NET [--for 2h] [reason]: keep somebody out",
    "OP unban NAME|ADDRESS|NET: lift a ban",
    "OP bans: the bans",
    "OP announce TEXT: say something to everybody",
    "OP close ROOM [reason]: close a room",
];

/// The lines of `HELP HISTORY`.
const HISTORY_HELP: &[&str] = &[
    "HISTORY [place] [before WHEN|after WHEN] [N]: what was said before, the newest N messages, or the oldest N after WHEN",
    "place is * for what was said to everybody, a room or #room, @name for direct messages; without it, all of these",
    "WHEN is the id of a message, 2026-11-26, 2026-11-26T09:41 (UTC), or 90m 12h 3d ago; N is 1 to 200, else 50",
];

/// The lines of `HELP SEARCH`.
const SEARCH_HELP: &[&str] = &[
    "SEARCH words [in:PLACE] [from:NAME] [before:WHEN] [after:WHEN]: the newest 50 messages with all of these words",
    "wor* is any word that begins so, \"exact words\" follow each other; PLACE and WHEN are as in HISTORY",
];

/// The lines of `HELP READ`.
const READ_HELP: &[&str] = &[
    "READ [place] [WHEN]: you have read this place up to there, on all of your devices",
    "without a place, all places; without WHEN, up to now; both are as in HISTORY",
];

/// The lines of `HELP KEEP`.
const KEEP_HELP: &[&str] = &[
    "KEEP room [DAYS|off]: keep your room when nobody is in it, and what is said there for so many days; off ends it",
    "KEEP room TO name: give your room to another member",
];

/// The lines of `HELP HOST`.
const HOST_HELP: &[&str] = &[
    "HOST room name: hand your room to another member, who is its host from then on; you stay in it",
    "a kept room belongs to its owner, who hands it on by KEEP room TO name",
];

/// The lines of `HELP PUBLIC`.
const PUBLIC_HELP: &[&str] = &[
    "PUBLIC on|off: hear what is said to everybody, or do not: in this session alone, until it ends",
    "you can still speak to everybody, and HISTORY * shows what was said",
];

/// The lines of `HELP WHOIS`.
const WHOIS_HELP: &[&str] =
    &["WHOIS [name]: who that is, and whether they are there; ~name for a guest, without a name yourself"];

/// The lines of `HELP SET`.
const SET_HELP: &[&str] = &[
    "SET [key [value|-]]: what WHOIS says of you; without a value it is shown, - removes it",
    "key is name (64 bytes), status (128), pronouns (32), zone (48), url (256, by http or https) or about (512)",
    "SET seen none: nobody sees how long you are idle and when you were last there; SET seen - ends that",
];

/// The lines of `HELP AWAY`.
const AWAY_HELP: &[&str] = &[
    "AWAY [text]: say that nobody should wait for you, and why, in at most 200 bytes; messages still reach you",
    "without text you are back; it is over, too, when you have left everywhere",
];

/// The lines of `HELP WATCH`.
const WATCH_HELP: &[&str] = &[
    "WATCH [name [off]]: be told when somebody comes, goes, is away or is back, as C 101 name online; at most 100 names",
    "~name is a guest who has logged in",
    "without a name, whom you watch; off ends it; all of it ends with your connection",
];

/// The lines of `HELP IGNORE`.
const IGNORE_HELP: &[&str] = &[
    "IGNORE [name [off]]: take no direct messages from somebody; what they say in public you hear; at most 100 names",
    "without a name, whom you ignore; off ends it",
    "IGNORE ~ [off]: take no direct messages from guests, who have no account",
];

/// The lines of `HELP NOTIFY`.
const NOTIFY_HELP: &[&str] = &[
    "NOTIFY place all|mentions|none: how loud a place is, on all of your devices: everything, what is for you, nothing",
    "place is * for what is said to everybody, a room or #room, @name for direct messages; UNREAD shows how loud",
];

/// The lines of `HELP FORGET`.
const FORGET_HELP: &[&str] = &[
    "FORGET [ID|all]: erase what you have said, for everybody: your newest message, the one with this id, or all of them",
    "the owner of a kept room may erase what others said there; those who have heard it may have a copy",
];

/// The lines of `HELP WANT`.
const WANT_HELP: &[&str] = &[
    "WANT [word]…: for programs: what they are told besides messages and replies; exactly these, without words nothing",
    "ids: the id of what you say, in its 250; own: what your other sessions say to one person",
    "reads: what your other sessions have read; forgets: what was erased",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::operations::VERBS;

    #[test]
    fn every_operation_is_explained() {
        let general: Vec<&str> = general(true, true).collect();
        for (_, operation) in VERBS {
            let verb = operation.usage().split(' ').next().unwrap();
            assert!(general.iter().any(|line| line.split(' ').next() == Some(verb)), "{verb}");
            assert!(operation.help().iter().all(|line| line.len() <= 120), "{verb}: a line that is too wide");
            assert!(operation.help()[0].starts_with(verb), "{verb}");
        }
        assert!(general.iter().all(|line| "C 214-".len() + line.len() <= 80), "a line that is wider than a terminal");
    }

    #[test]
    fn the_general_help_names_what_can_be_done() {
        let left_out = |is_operator, has_history| {
            let shown: Vec<&str> = general(is_operator, has_history).collect();
            let verb = |line: &'static str| line.split(' ').next().unwrap();
            HELP.iter().map(|(_, line)| *line).filter(|line| !shown.contains(line)).map(verb).collect::<Vec<_>>()
        };
        let past = ["KEEP", "MISSED", "HISTORY", "SEARCH", "UNREAD", "READ", "FORGET", "SET", "IGNORE", "NOTIFY"];
        assert_eq!(left_out(true, true), [""; 0]);
        assert_eq!(left_out(false, true), ["OP"]);
        assert_eq!(left_out(true, false), past);
    }
}
