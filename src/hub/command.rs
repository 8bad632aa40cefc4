//! Commands: what a session asks of the hub. A door decodes them from bytes; texts are borrowed from the read buffer.

use std::borrow::Cow;

pub use crate::secret::Masked;

use super::names::{GuestName, RoomName, UserName, Who};
pub use super::room::HostGoes;

/// How a room is made or entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The room.
    pub room: RoomName,
    /// The room's password: set by `Make`, checked by `Join`. `None` and an empty text are no password.
    pub password: Option<Masked<&'a str>>,
}

/// One request of one session. See [`Event`](super::event::Event) for the answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// Start a session of an account. The caller has checked the password or token.
    LogIn {
        /// The account's name as it was registered.
        name: UserName,
    },
    /// End the session.
    Leave,
    /// Send a public message to every other session.
    Say {
        /// The text, checked and stripped of invisible characters by the door (see [`text`](crate::text)).
        text: Cow<'a, str>,
    },
    /// Send a direct message to every other session of one account.
    Tell {
        /// The account, in any case.
        to: UserName,
        /// The text, as in `Say`.
        text: Cow<'a, str>,
    },
    /// Ask whether a direct message to an account would reach a session.
    CanTell {
        /// The account, in any case.
        name: UserName,
    },
    /// List the accounts that are online.
    Who {
        /// Only names that begin with this, in any case; empty for all.
        prefix: &'a str,
    },
    /// Make a room and become its host. For accounts only.
    Make(Entry<'a>),
    /// Enter a room. For accounts only.
    Join(Entry<'a>),
    /// Start a session of a guest, who has no account, in one room. The session ends when the guest leaves that room.
    EnterAsGuest {
        /// The guest's name, unique among the guests of the room.
        guest: GuestName,
        /// To make the room: what happens to it when its host leaves. `None` to enter a room that exists.
        makes: Option<HostGoes>,
        /// The room and its password.
        entry: Entry<'a>,
    },
    /// A guest leaves its room and enters it again under another name. It keeps its place: what it hears, its seniority,
    /// and the room if it is the host. For guests only.
    Rename {
        /// The new name, unique among the guests of the room.
        guest: GuestName,
    },
    /// Leave a room.
    LeaveRoom {
        /// The room.
        room: RoomName,
    },
    /// Send a message to every other member of a room.
    SayIn {
        /// The room.
        room: RoomName,
        /// The text, as in `Say`.
        text: Cow<'a, str>,
    },
    /// Ask whether the session may send messages to a room.
    CanSayIn {
        /// The room.
        room: RoomName,
    },
    /// Deliver the room's messages to this member from now on. Sent once the address of a guest is known. No answer.
    Listen {
        /// The room.
        room: RoomName,
    },
    /// List the rooms.
    Rooms {
        /// Only names that begin with this, in any case; empty for all.
        prefix: &'a str,
    },
    /// List the members of a room. The session need not be a member.
    Names {
        /// The room.
        room: RoomName,
        /// Only names that begin with this, in any case; empty for all.
        prefix: &'a str,
    },
    /// Remove a member from a room. For the host only.
    Kick {
        /// The room.
        room: RoomName,
        /// The member. All its sessions are removed.
        name: Who,
    },
    /// Close a room. For the host only.
    CloseRoom {
        /// The room.
        room: RoomName,
    },
}
