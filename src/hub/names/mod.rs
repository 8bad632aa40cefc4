//! Names: their forms, and when two of them are equal.

mod room;
mod user;

pub use room::{GuestName, RoomName};
pub use user::UserName;

use std::fmt;

use crate::limits::NAME_BYTES;

/// Names that no room, no guest and no new account may have, in lower case: names of the server, verbs of the line door,
/// so that `DM who hello` has one meaning, and the service that people of IRC tell their passwords.
const RESERVED: [&str; 22] = [
    "server", "admin", "root", "system", "chatd", "pm", "dm", "ex", "who", "make", "join", "leave", "rm", "rooms",
    "names", "kick", "close", "token", "passwd", "help", "noop", "nickserv",
];

/// Further names that no new account may have, in lower case: aliases of verbs, and verbs reserved for later versions of
/// the line door.
const RESERVED_FOR_ACCOUNTS: [&str; 25] = [
    "op", "bm", "quit", "exit", "bye", "history", "missed", "search", "unread", "read", "notify", "forget", "keep",
    "topic", "lock", "whois", "set", "away", "watch", "ignore", "want", "nick", "invite", "host", "public",
];

/// Why a text is refused as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// The text is not a well-formed name.
    Shape,
    /// The name is reserved for the server or for an operation.
    Reserved,
}

impl NameError {
    /// What is told to an operator who wanted to add an account of this name.
    pub fn about(self, name: &str) -> String {
        match self {
            Self::Shape => format!(
                "'{name}' is not a valid name: a name is a letter, then letters, digits, '_', '.' and '-', {NAME_BYTES} \
                 in all"
            ),
            Self::Reserved => format!("'{name}' is reserved; choose another name"),
        }
    }
}

/// An account or a guest. A guest is shown with `~` before the name, which no account has. Accounts sort before guests,
/// as `~` sorts after all letters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// A registered account.
    Account(UserName),
    /// A user without an account.
    Guest(GuestName),
}

impl Who {
    /// Parses a name as a user types it, with `~` for a guest. `None` if no account and no guest can have it.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('~') {
            Some(guest) => GuestName::parse(guest).ok().map(Self::Guest),
            None => UserName::from_record(text).ok().map(Self::Account),
        }
    }

    /// The least value whose shown form begins with `prefix`: the start of a search by prefix, and the argument of
    /// [`begins_with`](Self::begins_with).
    pub(super) fn least_with(prefix: &str) -> Self {
        match prefix.strip_prefix('~') {
            Some(guest) => Self::Guest(GuestName::least_with(guest)),
            None => Self::Account(UserName::least_with(prefix)),
        }
    }

    /// Whether the shown form begins with the prefix from which `least` was made.
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
    fn accounts_and_guests_differ() {
        let alice = Who::from(UserName::parse("Alice").unwrap());
        let guest = Who::from(GuestName::parse("alice").unwrap());
        assert_eq!((alice.to_string(), guest.to_string()), ("Alice".to_owned(), "~alice".to_owned()));
        assert_ne!(alice, guest);
        assert_eq!(guest, Who::from(GuestName::parse("ALICE").unwrap()));
        assert!(Who::from(UserName::parse("zoe").unwrap()) < guest);
    }
}
