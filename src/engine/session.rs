//! Connections and their sessions.
//!
//! A session that begins on a connection takes the connection's numbers. They are different things nevertheless: a
//! guest's session goes on over UDP when its connection has ended. Generations are never used twice, so its id then
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

    /// The connection on which a session began. It may have ended.
    pub(super) fn of(session: SessionId) -> Self {
        Self { slot: session.slot, generation: session.generation }
    }
}

impl<S> Engine<S> {
    /// The account of a connection's session; `None` before login and after the session's end.
    pub(super) fn account_of(&self, id: ConnId) -> Option<&UserName> {
        self.hub.name_of(id.session())
    }
}
