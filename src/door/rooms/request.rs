//! Requests of the room door, their outcomes, and the options of a listener.

use crate::door::datagram::Spelling;
use crate::door::token::RoomToken;
use crate::hub::names::{GuestName, RoomName};
use crate::secret::Masked;

/// Options of a listener, for clients that cannot be told apart by their requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `status=ok`: the payload of a request is a name and a port, and the status in the answer is a word.
    pub status_ok: bool,
    /// `down=named`: guests of this listener get datagrams as [`Spelling::Named`].
    pub down_named: bool,
}

/// A guest's request to make or enter a room.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// Whether to make or to enter the room.
    pub operation: Operation,
    /// The room.
    pub room: RoomName,
    /// The guest's name.
    pub guest: GuestName,
    /// The room's password, if one was given.
    pub password: Option<Masked<String>>,
    /// The format of datagrams to this guest.
    pub spelling: Spelling,
}

/// The operations of the room door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Make the room and enter it as its host.
    Make,
    /// Enter the room.
    Join,
}

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The guest has entered the room. Holds its token.
    Entered(RoomToken),
    /// A room of that name exists.
    RoomExists,
    /// No room has that name.
    NoSuchRoom,
    /// The password is wrong or missing.
    WrongPassword,
    /// A name is invalid or in use, the request is malformed or too large, or the room or server is full.
    Refused,
}
