//! What a session asks of the hub. Doors make commands out of bytes; the text is still where it was read.

use super::names::UserName;

/// One wish of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// Somebody has proved to be `name` and comes in.
    Enter {
        /// The account's name as registered.
        name: UserName,
    },
    /// The session is over.
    Leave,
    /// A public message, to every other session.
    Say {
        /// What is said: checked text without control characters.
        text: &'a str,
    },
    /// A direct message, to every other session of one account.
    Tell {
        /// Whom to tell.
        to: UserName,
        /// What is said, as in `Say`.
        text: &'a str,
    },
    /// Whether a direct message to this account would reach anybody.
    Find {
        /// Whom to look for.
        name: UserName,
    },
    /// Who is online.
    Who {
        /// What the names begin with, in any case; empty for all.
        prefix: &'a str,
    },
}
