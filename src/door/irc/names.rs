//! Names: nicks of accounts and guests, channels of rooms, and the sources of lines.

use std::fmt::{self, Display};

use super::server::{Guests, Server};
use crate::hub::names::{GuestName, NameError, RoomName, UserName, Who};
use crate::limits::NAME_CHARS;

/// The channel of what is said to everybody. No room's name can begin so.
pub(super) const EVERYBODY: &str = "&all";
/// What stands before a guest's name. IRC takes no `~` in a nick, and to RFC 2812 `^` is its lower case.
const GUEST: char = '^';

/// What a line is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `&all`.
    Everybody,
    /// `#room`.
    Room(RoomName),
    /// A nick, of somebody who may not exist.
    Who(Who),
}

impl Target {
    /// Parses a channel or a nick. `None` if no channel and no nick is spelled so.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.starts_with(['#', '&']) { Self::channel(text).ok() } else { who(text).map(Self::Who) }
    }

    /// Parses a channel.
    ///
    /// # Errors
    /// Why no channel is spelled so.
    pub(super) fn channel(text: &str) -> Result<Self, NameError> {
        if text.eq_ignore_ascii_case(EVERYBODY) {
            return Ok(Self::Everybody);
        }
        let name = text.strip_prefix('#').ok_or(NameError::Shape)?;
        RoomName::parse(name).map(Self::Room)
    }
}

/// Parses a nick. Guests are taken in both spellings, `^bob` and `~bob`. A name that no account can have is a guest's too:
/// where guests have no mark, the caller looks up whether a name that both can have is an account's.
pub(super) fn who(text: &str) -> Option<Who> {
    match text.strip_prefix([GUEST, '~']) {
        Some(guest) => GuestName::parse(guest).ok().map(Who::Guest),
        None => UserName::from_record(text).ok().map(Who::Account),
    }
}

/// Parses a receiver where guests may have no mark.
pub(super) fn receiver(text: &str, guests: Guests) -> Option<Who> {
    who(text).or_else(|| match guests {
        Guests::Marked => None,
        Guests::Bare => GuestName::parse(text).ok().map(Who::Guest),
    })
}

/// All who may have a nick. Where guests have no mark, that is an account and a guest; no two of them are online.
pub(super) fn candidates(text: &str, guests: Guests) -> Vec<Who> {
    let bare = || GuestName::parse(text).ok().map(Who::Guest).filter(|_| guests == Guests::Bare);
    who(text).into_iter().chain(bare()).collect()
}

/// The beginnings of names, in the spelling of the hub, for a beginning of nicks.
pub(super) fn beginnings(begin: &str, guests: Guests) -> Vec<String> {
    match (begin.strip_prefix([GUEST, '~']), guests) {
        (Some(guest), _) => vec![format!("~{guest}")],
        (None, Guests::Marked) => vec![begin.to_owned()],
        (None, Guests::Bare) => vec![begin.to_owned(), format!("~{begin}")],
    }
}

/// The guest's name for a nick that a client asks for, with the mark or without.
///
/// # Errors
/// Why no guest may have it.
pub(super) fn guest(nick: &str) -> Result<GuestName, NameError> {
    GuestName::parse(nick.strip_prefix(GUEST).unwrap_or(nick))
}

/// Whether a client may ask for a nick at all. It need be nobody's name: who logs in has the name of the account.
pub(super) fn is_nick(text: &str) -> bool {
    let is_char = |c: char| c.is_alphanumeric() || "_.-^[]{}\\|`".contains(c);
    let begins_well = !text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
    begins_well && (1..=NAME_CHARS).contains(&text.chars().count()) && text.chars().all(is_char)
}

/// A nick as it is shown.
pub(super) fn nick(who: &Who, guests: Guests) -> Nick<'_> {
    match who {
        Who::Account(name) => Nick { mark: "", name: name.as_str(), is_guest: false },
        Who::Guest(name) => Nick { mark: mark(guests), name: name.as_str(), is_guest: true },
    }
}

/// The nick of a name as the hub and the store show it: `~bob` is a guest.
pub(super) fn shown(name: &str, guests: Guests) -> Nick<'_> {
    match name.strip_prefix('~') {
        Some(guest) => Nick { mark: mark(guests), name: guest, is_guest: true },
        None => Nick { mark: "", name, is_guest: false },
    }
}

fn mark(guests: Guests) -> &'static str {
    match guests {
        Guests::Marked => "^",
        Guests::Bare => "",
    }
}

/// See [`nick`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nick<'a> {
    mark: &'static str,
    name: &'a str,
    is_guest: bool,
}

impl<'a> Nick<'a> {
    /// The name of the user behind the nick: a constant, as what a client says of itself vouches for nothing.
    pub(super) fn user(self) -> &'static str {
        if self.is_guest { "guest" } else { "account" }
    }

    /// The account's name; `None` for a guest.
    pub(super) fn account(self) -> Option<&'a str> {
        (!self.is_guest).then_some(self.name)
    }

    /// The source of this user's lines.
    pub(super) fn source(self, server: &Server) -> String {
        format!("{self}!{}@{}", self.user(), server.name)
    }
}

impl Display for Nick<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.mark, self.name)
    }
}

/// The channel of a room.
pub(super) fn channel(room: &RoomName) -> Channel<'_> {
    Channel(room.as_str())
}

/// See [`channel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Channel<'a>(pub(super) &'a str);

impl Display for Channel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let shown = Target::parse(text).map(|target| match target {
            Target::Everybody => EVERYBODY.to_owned(),
            Target::Room(room) => channel(&room).to_string(),
            Target::Who(who) => nick(&who, Guests::Marked).source(&Server::default()),
        });
        assert_eq!(shown.as_deref(), expected, "{text:?}");
    }

    #[test]
    fn targets() {
        check("#lobby", Some("#lobby"));
        check("#grüße", Some("#grüße"));
        check("&ALL", Some("&all"));
        check("Alice", Some("Alice!account@chatd.local"));
        check("^bob", Some("^bob!guest@chatd.local"));
        check("~bob", Some("^bob!guest@chatd.local"));
        for none in ["", "#", "&other", "#a b", "##a", "#a,b", "1a", "a!b@c", "^", "~", "^^a", "+a", "#who", "é"] {
            check(none, None);
        }
    }

    #[test]
    fn bare_guests() {
        let bob = receiver("é1", Guests::Bare).unwrap();
        assert_eq!(nick(&bob, Guests::Bare).source(&Server::default()), "é1!guest@chatd.local");
        assert_eq!(receiver("é1", Guests::Marked), None);
        assert_eq!(receiver("bob", Guests::Bare), Some(Who::Account(UserName::parse("bob").unwrap())));
    }

    #[test]
    fn nicks() {
        for good in ["bob", "^bob", "[x]", "bob|away", "a`_", "é", &"x".repeat(32)] {
            assert!(is_nick(good), "{good:?}");
        }
        for bad in
            ["", "1a", "-a", "a b", "a,b", "a!b", "a@b", "a:b", "*", "~a", "#a", "&a", "a\u{202e}", &"x".repeat(33)]
        {
            assert!(!is_nick(bad), "{bad:?}");
        }
    }

    #[test]
    fn guests() {
        assert_eq!(guest("^Bob").unwrap().as_str(), "Bob");
        assert_eq!(guest("Bob").unwrap().as_str(), "Bob");
        assert_eq!(guest("[x]"), Err(NameError::Shape));
        assert_eq!(guest("who"), Err(NameError::Reserved));
        assert_eq!(shown("~bob", Guests::Marked).to_string(), "^bob");
        assert_eq!(shown("-bob", Guests::Marked).account(), Some("-bob"));
    }
}
