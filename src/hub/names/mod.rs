//! Names: what may be one, and when two are the same.

mod room;
mod user;

pub use room::{GuestName, RoomName};
pub use user::UserName;

use std::fmt;

/// Names that no room, no guest and no new account may have: what the server calls itself, and the verbs of the line
/// door, so that `DM who hello` can be read in one way only. In lower case.
const RESERVED: [&str; 21] = [
    "server", "admin", "root", "system", "chatd", "pm", "dm", "ex", "who", "make", "join", "leave", "rm", "rooms",
    "names", "kick", "close", "token", "passwd", "help", "noop",
];

/// Names that no new account may have beside [`RESERVED`]: the other spellings of verbs, the names by which people of
/// other chats look for a server, and the verbs that the line door is going to have. In lower case.
const RESERVED_FOR_ACCOUNTS: [&str; 26] = [
    "nickserv", "op", "bm", "quit", "exit", "bye", "history", "missed", "search", "unread", "read", "notify", "forget",
    "keep", "topic", "lock", "whois", "set", "away", "watch", "ignore", "want", "nick", "invite", "host", "public",
];

/// Why a text is no name that may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// It is not of the form that such names have.
    Shape,
    /// It is kept for the server or for an operation.
    Reserved,
}

/// Whose words: an account's, or a guest's, whom the mark `~` before the name tells from every account and from the
/// server. Accounts come before guests in order, as they do in the order of what is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// Somebody who is logged in.
    Account(UserName),
    /// Somebody who came through the room door and has no account.
    Guest(GuestName),
}

impl Who {
    /// A name as a user types it: with `~` it is a guest's. `None` if nobody can have it.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('~') {
            Some(guest) => GuestName::parse(guest).ok().map(Self::Guest),
            None => UserName::from_record(text).ok().map(Self::Account),
        }
    }

    /// The least that begins with `prefix` as it is shown: where a search by prefix starts, and what
    /// [`begins_with`](Self::begins_with) takes.
    pub(super) fn least_with(prefix: &str) -> Self {
        match prefix.strip_prefix('~') {
            Some(guest) => Self::Guest(GuestName::least_with(guest)),
            None => Self::Account(UserName::least_with(prefix)),
        }
    }

    /// Whether this begins, as it is shown, with what `least` is the least with.
    pub(super) fn begins_with(&self, least: &Self) -> bool {
        match (self, least) {
            (Self::Account(name), Self::Account(least)) => name.begins_with(least),
            (Self::Guest(name), Self::Guest(least)) => name.begins_with(least),
            (Self::Guest(_), Self::Account(least)) => least.as_str().is_empty(),
            (Self::Account(_), Self::Guest(_)) => false,
        }
    }
}

impl From<UserName> for Who {
    fn from(name: UserName) -> Self {
        Self::Account(name)
    }
}

impl From<GuestName> for Who {
    fn from(name: GuestName) -> Self {
        Self::Guest(name)
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) => name.fmt(f),
            Self::Guest(name) => name.fmt(f),
        }
    }
}

fn is_reserved(text: &str) -> bool {
    RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn is_reserved_for_accounts(text: &str) -> bool {
    is_reserved(text) || RESERVED_FOR_ACCOUNTS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_words() {
        let alice = Who::from(UserName::parse("Alice").unwrap());
        let guest = Who::from(GuestName::parse("alice").unwrap());
        assert_eq!((alice.to_string(), guest.to_string()), ("Alice".to_owned(), "~alice".to_owned()));
        assert_ne!(alice, guest);
        assert_eq!(guest, Who::from(GuestName::parse("ALICE").unwrap()));
        assert!(Who::from(UserName::parse("zoe").unwrap()) < guest);
    }
}
