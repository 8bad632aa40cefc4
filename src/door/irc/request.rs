//! What the IRC door asks of the engine, besides commands.

use crate::hub::names::{GuestName, RoomName, UserName};
use crate::secret::Secret;

/// A request to the engine. Passwords are owned, and wiped when they are dropped: a line of several steps keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Checks the password of an account. Nobody is logged in by that: the connection notes the account, and
    /// [`EnterProved`](Self::EnterProved) logs in as it. Answered by [`Reply::Proved`](crate::door::reply::Reply::Proved),
    /// or by a refusal. An unknown name costs the same hash and the same time.
    Prove {
        /// The account, in any case.
        name: UserName,
        /// The password.
        password: Secret<Vec<u8>>,
    },
    /// Makes an account. Answered as [`Prove`](Self::Prove), once it is on disk.
    Register {
        /// The name.
        name: UserName,
        /// The password.
        password: Secret<Vec<u8>>,
    },
    /// Changes the password of the session's account.
    ChangePassword {
        /// The old password.
        old: Secret<Vec<u8>>,
        /// The new password.
        new: Secret<Vec<u8>>,
    },
    /// Starts the session of the account that the connection has proved.
    EnterProved {
        /// How the session calls itself.
        called: Option<Box<str>>,
    },
    /// Starts the session of a guest. Refused if another guest has the name, and where guests have no mark if an account
    /// has it.
    EnterAsGuest {
        /// The name.
        guest: GuestName,
        /// How the session calls itself.
        called: Option<Box<str>>,
    },
    /// Enters a room, or makes it.
    EnterRoom {
        /// The room.
        room: RoomName,
        /// Its password, if one was given.
        password: Option<Secret<String>>,
        /// True to make the room, false to enter it.
        makes: bool,
    },
    /// The client says goodbye. Answered by [`Reply::Bye`](crate::door::reply::Reply::Bye), then the session ends.
    Quit {
        /// Why, for others.
        text: Option<Box<str>>,
    },
}
