//! What a session asks of the hub. Doors make commands out of bytes; the text is still where it was read.

use std::borrow::Cow;
use std::fmt;

use super::names::{GuestName, RoomName, RoomToken, UserName, Who};

/// Something secret on its way: whoever prints it sees `***`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Masked<T>(pub T);

impl<T> fmt::Debug for Masked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How a room is made or entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Which room.
    pub room: RoomName,
    /// The text that it is, or is to be, entered by.
    pub password: Option<Masked<&'a str>>,
    /// A token that nobody has had yet: that of the place in the room, if there will be one.
    pub token: RoomToken,
}

/// One wish of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// Somebody has proved to be `name` and comes in.
    LogIn {
        /// The account's name as registered.
        name: UserName,
    },
    /// The session is over.
    Leave,
    /// A public message, to every other session.
    Say {
        /// What is said: checked text, without what a door takes out (see [`text`](crate::text)).
        text: Cow<'a, str>,
    },
    /// A direct message, to every other session of one account.
    Tell {
        /// Whom to tell.
        to: UserName,
        /// What is said, as in `Say`.
        text: Cow<'a, str>,
    },
    /// Whether a direct message to this account would reach anybody.
    CanTell {
        /// Whom to look for.
        name: UserName,
    },
    /// Who is online.
    Who {
        /// What the names begin with, in any case; empty for all.
        prefix: &'a str,
    },
    /// Make a room, and be its host.
    Make(Entry<'a>),
    /// Enter a room.
    Join(Entry<'a>),
    /// Somebody without an account makes a room or enters one, and is in for as long as it is in that room.
    EnterAsGuest {
        /// What it calls itself.
        guest: GuestName,
        /// Whether the room is made; it closes when its maker goes then.
        makes: bool,
        /// Which room, and how.
        entry: Entry<'a>,
    },
    /// Leave a room.
    LeaveRoom {
        /// Which.
        room: RoomName,
    },
    /// A message to everybody else in a room.
    SayIn {
        /// Which.
        room: RoomName,
        /// What is said, as in `Say`.
        text: Cow<'a, str>,
    },
    /// Whether one may speak in a room.
    CanSayIn {
        /// Which.
        room: RoomName,
    },
    /// A guest can be spoken to: it hears its room from now on.
    Listen {
        /// Which.
        room: RoomName,
    },
    /// Which rooms there are.
    Rooms {
        /// What their names begin with, in any case; empty for all.
        prefix: &'a str,
    },
    /// Who is in a room.
    Names {
        /// Which.
        room: RoomName,
        /// What the names begin with, in any case; empty for all.
        prefix: &'a str,
    },
    /// The host puts somebody out of its room.
    Kick {
        /// Which room.
        room: RoomName,
        /// Whom: all sessions of that name.
        name: Who,
    },
    /// The host closes its room.
    CloseRoom {
        /// Which.
        room: RoomName,
    },
}
