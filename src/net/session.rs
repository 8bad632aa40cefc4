//! Which session a connection carries.
//!
//! A session that begins on a connection takes the connection's numbers, so neither direction needs a table. A guest's
//! session outlives its connection. [`conn_of`] such a session is an id that [`Table`](super::table::Table) does not
//! find, because no generation is used twice.

use super::token::ConnId;
use crate::hub::session::SessionId;

/// The id of the session that begins on a connection.
pub(super) fn session_of(id: ConnId) -> SessionId {
    SessionId { slot: id.slot, generation: id.generation }
}

/// The id of the connection on which a session began. The connection may be gone.
pub(super) fn conn_of(id: SessionId) -> ConnId {
    ConnId { slot: id.slot, generation: id.generation }
}
