//! An entry of the list of those who are connected.

use crate::engine::id::ConnId;
use crate::hub::session::SessionId;

/// An entry of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum Entry {
    /// A connection.
    Conn(ConnId),
    /// A guest of the room door, which talks by UDP.
    Guest(SessionId),
}

impl Entry {
    /// Its connection; `None` for a guest of the room door.
    pub(super) fn conn(self) -> Option<ConnId> {
        match self {
            Self::Conn(id) => Some(id),
            Self::Guest(_) => None,
        }
    }

    /// The number that operators know it by.
    pub(super) fn number(self) -> u32 {
        match self {
            Self::Conn(id) => id.generation,
            Self::Guest(session) => session.generation,
        }
    }
}
