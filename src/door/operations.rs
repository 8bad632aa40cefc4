//! The operations of the line door: their verbs, their usage and their help texts.

/// An operation that a client may request after login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Pm,
    Dm,
    Ex,
    Who,
    Make,
    Join,
    Leave,
    Rm,
    Rooms,
    Names,
    Kick,
    Close,
    History,
    Missed,
    Search,
    Unread,
    Read,
    Keep,
    Topic,
    Lock,
    Want,
    Token,
    Passwd,
    Help,
    Noop,
    Op,
}

/// The forms of a WHEN, for a 501.
macro_rules! when {
    () => {
        "WHEN is an id, 2026-11-26, 2026-11-26T09:41 (UTC), or 90m 12h 3d ago"
    };
}

/// The verbs of all operations. Some operations have several, for those that people try first.
const VERBS: [(&str, Operation); 31] = [
    ("PM", Operation::Pm),
    ("BM", Operation::Pm),
    ("DM", Operation::Dm),
    ("EX", Operation::Ex),
    ("QUIT", Operation::Ex),
    ("EXIT", Operation::Ex),
    ("BYE", Operation::Ex),
    ("WHO", Operation::Who),
    ("MAKE", Operation::Make),
    ("JOIN", Operation::Join),
    ("LEAVE", Operation::Leave),
    ("RM", Operation::Rm),
    ("ROOMS", Operation::Rooms),
    ("NAMES", Operation::Names),
    ("KICK", Operation::Kick),
    ("CLOSE", Operation::Close),
    ("HISTORY", Operation::History),
    ("MISSED", Operation::Missed),
    ("SEARCH", Operation::Search),
    ("UNREAD", Operation::Unread),
    ("READ", Operation::Read),
    ("KEEP", Operation::Keep),
    ("TOPIC", Operation::Topic),
    ("LOCK", Operation::Lock),
    ("WANT", Operation::Want),
    ("TOKEN", Operation::Token),
    ("PASSWD", Operation::Passwd),
    ("HELP", Operation::Help),
    ("?", Operation::Help),
    ("NOOP", Operation::Noop),
    ("OP", Operation::Op),
];

impl Operation {
    /// The operation of a verb, in any case.
    pub(super) fn parse(verb: &str) -> Option<Self> {
        VERBS.iter().find(|(name, _)| name.eq_ignore_ascii_case(verb)).map(|(_, operation)| *operation)
    }

    /// The verb and its arguments, for a 501.
    pub(super) fn usage(self) -> &'static str {
        match self {
            Self::Pm => "PM [text]",
            Self::Dm => "DM [name [text]]",
            Self::Ex => "EX",
            Self::Who => "WHO [prefix]",
            Self::Make => "MAKE room [password]",
            Self::Join => "JOIN room [password]",
            Self::Leave => "LEAVE room",
            Self::Rm => "RM room [text]",
            Self::Rooms => "ROOMS [prefix]",
            Self::Names => "NAMES room [prefix]",
            Self::Kick => "KICK room name",
            Self::Close => "CLOSE room",
            Self::History => concat!("HISTORY [place] [before WHEN|after WHEN] [N]; N is 1 to 200, ", when!()),
            Self::Missed => "MISSED",
            Self::Search => concat!(
                "SEARCH words [in:PLACE] [from:NAME] [before:WHEN] [after:WHEN]; at most 32 words, wor* has two characters \
                 or more, \"exact words\" end with a quotation mark, ",
                when!()
            ),
            Self::Unread => "UNREAD",
            Self::Read => concat!("READ [place] [WHEN]; ", when!()),
            Self::Keep => "KEEP room [DAYS|off] or KEEP room TO name",
            Self::Topic => "TOPIC room [text|-]",
            Self::Lock => "LOCK room [words|-]",
            Self::Want => "WANT [word]…",
            Self::Token => "TOKEN",
            Self::Passwd => "PASSWD",
            Self::Help => "HELP [operation]",
            Self::Noop => "NOOP",
            Self::Op => "OP command",
        }
    }

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
            Self::Kick => &["KICK room name: put somebody out of your room"],
            Self::Close => &["CLOSE room: close your room"],
            Self::History => HISTORY_HELP,
            Self::Missed => &["MISSED: the oldest 50 messages that you have not read; goes on from there each time"],
            Self::Search => SEARCH_HELP,
            Self::Unread => &["UNREAD: how much you have not read: place, messages, those for you"],
            Self::Read => READ_HELP,
            Self::Keep => KEEP_HELP,
            Self::Topic => &["TOPIC room [text|-]: what a room is about; its host sets it, - removes it"],
            Self::Lock => &["LOCK room [words|-]: set the password of your room, to the end of the line; - removes it"],
            Self::Want => WANT_HELP,
            Self::Token => &["TOKEN: a token that logs you in again: answer `name TOKEN` when asked for your name"],
            Self::Passwd => &["PASSWD: change your password; your other sessions end, and older tokens are void then"],
            Self::Help => &["HELP [operation]: what you can do"],
            Self::Noop => &["NOOP: nothing; shows that the server is there"],
            Self::Op => OPERATOR_HELP,
        }
    }
}

/// The general help, with further lines before the last two.
macro_rules! help {
    ($($more:literal)?) => {
        &[
            "PM [text]             say something to everybody",
            "DM [name [text]]      say something to one person",
            "WHO [prefix]          who is online",
            "ROOMS [prefix]        which rooms there are",
            "MAKE room [password]  make a room, with a password if you like",
            "JOIN room [password]  enter a room",
            "RM room [text]        say something in a room",
            "NAMES room [prefix]   who is in a room",
            "LEAVE room            leave a room",
            "KICK room name        put somebody out of your room",
            "CLOSE room            close your room",
            "TOPIC room [text]     what a room is about",
            "LOCK room [password]  set your room's password, or remove it",
            "KEEP room [DAYS]      keep your room, and what is said in it",
            "MISSED                what was said while you were away",
            "HISTORY [place] [N]   what was said before: *, a room, or @name",
            "SEARCH words          look for something that was said",
            "UNREAD                how much you have not read",
            "READ [place]          you have read it",
            "WANT [word]           for programs: what they are told besides",
            "TOKEN                 a token to come back without your password",
            "PASSWD                change your password",
            "NOOP                  nothing",
            "HELP [operation]      this, or more about one",
            $($more,)?
            "EX                    leave",
            "an empty line cancels what you are asked for",
        ]
    };
}

/// The lines of `HELP` without an argument.
pub(super) const HELP: &[&str] = help!();

/// The same for an operator.
pub(super) const HELP_OF_OPERATORS: &[&str] = help!("OP command            what operators do; HELP OP lists it");

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

/// The lines of `HELP WANT`.
const WANT_HELP: &[&str] = &[
    "WANT [word]…: for programs: what they are told besides messages and replies; exactly these, without words nothing",
    "ids: the id of what you say, in its 250; own: what your other sessions say to one person",
    "reads: what your other sessions have read; forgets: what was erased",
];

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = include_str!("../../docs/protocol.md");

    #[test]
    fn every_verb_is_documented() {
        for (verb, operation) in VERBS {
            assert!(DOCUMENT.contains(&format!("`{verb}`")) || DOCUMENT.contains(&format!("`{verb} ")), "{verb}");
            // A usage may have several forms, and ends with notes on its arguments. A prompt is a row of its own.
            let (forms, _) = operation.usage().split_once("; ").unwrap_or((operation.usage(), ""));
            for form in forms.split(" or ") {
                let whole = format!("| `{}`", form.replace('|', "\\|"));
                let without_brackets = whole.replace(['[', ']'], "");
                let is_row = |line: &str| line.starts_with(&whole) || line.starts_with(&without_brackets);
                assert!(DOCUMENT.lines().any(is_row), "no row for {form}");
            }
        }
    }

    #[test]
    fn help_names_every_operation() {
        for (_, operation) in VERBS {
            let verb = operation.usage().split(' ').next().unwrap();
            assert!(HELP_OF_OPERATORS.iter().any(|line| line.split(' ').next() == Some(verb)), "{verb}");
            assert!(operation.help().iter().all(|line| line.len() <= 120), "{verb}: a line that is too wide");
            assert!(operation.help()[0].starts_with(verb), "{verb}");
        }
        assert!(
            HELP_OF_OPERATORS.iter().all(|line| "C 214-".len() + line.len() <= 80),
            "a line that is wider than a terminal"
        );
    }
}
