//! The operations of the line door: their verbs and their usage.

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
    Invite,
    Kick,
    Host,
    Close,
    History,
    Missed,
    Search,
    Unread,
    Read,
    Keep,
    Topic,
    Lock,
    Whois,
    Set,
    Away,
    Watch,
    Ignore,
    Public,
    Notify,
    Forget,
    Want,
    Nick,
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
pub(super) const VERBS: [(&str, Operation); 42] = [
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
    ("INVITE", Operation::Invite),
    ("KICK", Operation::Kick),
    ("HOST", Operation::Host),
    ("CLOSE", Operation::Close),
    ("HISTORY", Operation::History),
    ("MISSED", Operation::Missed),
    ("SEARCH", Operation::Search),
    ("UNREAD", Operation::Unread),
    ("READ", Operation::Read),
    ("KEEP", Operation::Keep),
    ("TOPIC", Operation::Topic),
    ("LOCK", Operation::Lock),
    ("WHOIS", Operation::Whois),
    ("SET", Operation::Set),
    ("AWAY", Operation::Away),
    ("WATCH", Operation::Watch),
    ("IGNORE", Operation::Ignore),
    ("PUBLIC", Operation::Public),
    ("NOTIFY", Operation::Notify),
    ("FORGET", Operation::Forget),
    ("WANT", Operation::Want),
    ("NICK", Operation::Nick),
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
            Self::Invite => "INVITE room name",
            Self::Kick => "KICK room name",
            Self::Host => "HOST room name",
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
            Self::Whois => "WHOIS [name]",
            Self::Set => "SET [key [value|-]]; key is name, status, pronouns, zone, url, about or seen",
            Self::Away => "AWAY [text]",
            Self::Watch => "WATCH [name [off]]; name is that of an account, or ~name of a guest",
            Self::Ignore => "IGNORE [name [off]] or IGNORE ~ [off]",
            Self::Public => "PUBLIC on|off",
            Self::Notify => "NOTIFY place all|mentions|none; place is *, a room or #room, or @name",
            Self::Forget => "FORGET [ID|all]",
            Self::Want => "WANT [word]…",
            Self::Nick => "NICK ~name; for guests, an account keeps its name",
            Self::Token => "TOKEN",
            Self::Passwd => "PASSWD",
            Self::Help => "HELP [operation]",
            Self::Noop => "NOOP",
            Self::Op => "OP command",
        }
    }
}

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
}
