//! Requests about people.

use crate::action::Place;
use crate::alert::Level;

/// A request about people, as far as its reply needs it.
#[derive(Debug)]
pub(super) enum Ask {
    /// Who somebody is.
    Whois,
    /// Whether the user is away already.
    Own,
    /// The user's profile, or one key of it.
    Profile {
        /// The key.
        key: Option<String>,
    },
    /// A change of the profile.
    Set {
        /// The key.
        key: String,
        /// Whether it is removed.
        is_removed: bool,
    },
    /// The user is away, or back.
    Away {
        /// Why, if they are.
        text: Option<String>,
        /// Whether the client says so again after a break.
        is_renewed: bool,
    },
    /// A name is watched.
    Watch {
        /// The name.
        name: String,
        /// Whether the user has typed it just now.
        is_typed: bool,
    },
    /// A name is not watched any more.
    Unwatch(String),
    /// Whom the user watches.
    Watches,
    /// Somebody is ignored, or not any more.
    Ignore {
        /// The name, or `~` for all guests.
        name: String,
        /// Whether they are.
        is_on: bool,
    },
    /// Whom the user ignores.
    Ignores {
        /// Whether the user asked for it.
        is_shown: bool,
    },
    /// Whether the user hears what is said to everybody.
    Public {
        /// True if they do.
        is_on: bool,
        /// Whether the client says so again after a break.
        is_renewed: bool,
    },
    /// A guest takes another name.
    Nick,
    /// How loud a place is.
    Notify {
        /// The place.
        place: Place,
        /// How loud.
        level: Level,
    },
    /// How loud this place is, or all are.
    Levels {
        /// The place.
        only: Option<Place>,
        /// Whether one has been shown.
        is_found: bool,
    },
    /// Something is erased.
    Erase(Target),
}

impl Ask {
    /// The verb of its line.
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Self::Whois | Self::Own => "WHOIS",
            Self::Profile { .. } | Self::Set { .. } => "SET",
            Self::Away { .. } => "AWAY",
            Self::Watch { .. } | Self::Unwatch(_) | Self::Watches => "WATCH",
            Self::Ignore { .. } | Self::Ignores { .. } => "IGNORE",
            Self::Public { .. } => "PUBLIC",
            Self::Nick => "NICK",
            Self::Notify { .. } => "NOTIFY",
            Self::Levels { .. } => "UNREAD",
            Self::Erase(_) => "FORGET",
        }
    }

    /// Whether the user has typed it, so that its answer is shown.
    pub(super) fn is_typed(&self) -> bool {
        match self {
            Self::Away { is_renewed, .. } | Self::Public { is_renewed, .. } => !is_renewed,
            Self::Watch { is_typed, .. } => *is_typed,
            Self::Ignores { is_shown } => *is_shown,
            Self::Own => false,
            Self::Whois
            | Self::Profile { .. }
            | Self::Set { .. }
            | Self::Unwatch(_)
            | Self::Watches
            | Self::Ignore { .. }
            | Self::Nick
            | Self::Notify { .. }
            | Self::Levels { .. }
            | Self::Erase(_) => true,
        }
    }
}

/// What is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The newest message of the user that the server keeps.
    Newest,
    /// The message with this id.
    One(u64),
    /// All messages of the user.
    All,
}
