//! Which session belongs to which connection.
//!
//! A session that begins on a connection takes the connection's numbers. The two are different things all the same: a
//! guest's session goes on over UDP when its connection is gone. Generations are never used twice, so its id then
//! finds no connection.

use super::Engine;
use super::id::ConnId;
use crate::hub::names::UserName;
use crate::hub::session::SessionId;

impl ConnId {
    /// The session that this connection has, or would have.
    pub(super) fn session(self) -> SessionId {
        SessionId { slot: self.slot, generation: self.generation }
    }

    /// The connection that a session began on. It may be gone.
    pub(super) fn of(session: SessionId) -> Self {
        Self { slot: session.slot, generation: session.generation }
    }
}

impl<S> Engine<S> {
    /// The account of a connection's session; `None` before login, and after its end.
    pub(super) fn account_of(&self, id: ConnId) -> Option<&UserName> {
        self.hub.name_of(id.session())
    }
}
