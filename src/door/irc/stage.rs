//! How far a client has come, and who it is by then.

use std::sync::Arc;

use super::names;
use super::server::Guests;
use crate::hub::names::{GuestName, UserName, Who};
use crate::secret::Secret;

/// How far a client has come. An account needs no memory of its own: its nick is its name.
#[derive(Debug)]
pub(super) enum Stage {
    /// Registration is not complete.
    Arriving(Box<Arriving>),
    /// It is registered under this nick, and nobody in the chat.
    Anteroom(Arc<str>),
    /// It has the session of an account.
    Account(UserName),
    /// It has the session of a guest.
    Guest(Box<Guest>),
}

/// What a client has given of its registration.
#[derive(Debug, Default)]
pub(super) struct Arriving {
    /// The nick that it has asked for last.
    pub(super) nick: Option<Arc<str>>,
    /// False if it has to ask for another one.
    pub(super) has_nick: bool,
    pub(super) has_user: bool,
    /// CAP LS or REQ has come, and CAP END has not.
    pub(super) negotiates: bool,
    pub(super) password: Option<Secret<Vec<u8>>>,
}

/// A guest that has a session.
#[derive(Debug)]
pub(super) struct Guest {
    name: GuestName,
    nick: Box<str>,
}

impl Stage {
    /// The stage of somebody who has a session.
    pub(super) fn of(who: &Who, guests: Guests) -> Self {
        match who {
            Who::Account(name) => Self::Account(name.clone()),
            Who::Guest(name) => {
                let nick = names::nick(who, guests).to_string().into();
                Self::Guest(Box::new(Guest { name: name.clone(), nick }))
            }
        }
    }

    /// The client's nick as it is shown, `*` before it has one.
    pub(super) fn nick(&self) -> &str {
        match self {
            Self::Arriving(arriving) => arriving.nick.as_deref().unwrap_or("*"),
            Self::Anteroom(nick) => nick,
            Self::Account(name) => name.as_str(),
            Self::Guest(guest) => &guest.nick,
        }
    }

    /// The nick without a guest's mark.
    pub(super) fn own_name(&self) -> &str {
        match self {
            Self::Guest(guest) => guest.name.as_str(),
            Self::Arriving(_) | Self::Anteroom(_) | Self::Account(_) => self.nick(),
        }
    }

    /// Who has the session, if there is one.
    pub(super) fn who(&self) -> Option<Who> {
        match self {
            Self::Arriving(_) | Self::Anteroom(_) => None,
            Self::Account(name) => Some(Who::Account(name.clone())),
            Self::Guest(guest) => Some(Who::Guest(guest.name.clone())),
        }
    }

    /// Whether there is a session.
    pub(super) fn is_in(&self) -> bool {
        matches!(self, Self::Account(_) | Self::Guest(_))
    }
}
