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
    Token,
    Passwd,
    Help,
    Noop,
    Op,
}

impl Operation {
    /// The operation of a verb, in any case. Some operations have several verbs, for those that people try first.
    pub(super) fn parse(verb: &str) -> Option<Self> {
        const VERBS: [(&str, Operation); 22] = [
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
            ("TOKEN", Operation::Token),
            ("PASSWD", Operation::Passwd),
            ("HELP", Operation::Help),
            ("?", Operation::Help),
            ("NOOP", Operation::Noop),
            ("OP", Operation::Op),
        ];
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
