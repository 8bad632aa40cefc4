//! The TLS of one connection: records in, plaintext out, and back. It knows no socket, only something to read from and
//! to write to.
//!
//! rustls has no buffers here. What a socket gives is decrypted in a shared buffer, and every whole record of it is
//! taken at once, because a record that was decrypted cannot be given back (rustls#2031): after a call, a connection
//! holds at most the beginning of one record. A write encrypts one record in a shared buffer, and keeps what the socket
//! did not take.

mod receive;
mod send;

use std::fmt;
use std::sync::Arc;

use rustls::server::{ServerConfig, UnbufferedServerConnection};

/// The TLS of one connection.
pub(crate) struct Session {
    conn: UnbufferedServerConnection,
    state: State,
    /// Received bytes that rustls needs again: a begun record, or a begun message of a handshake.
    held: Vec<u8>,
    /// How many bytes of `held` belong to whole records, which rustls has seen.
    seen: usize,
    /// Ciphertext that the socket has not taken.
    pending: Vec<u8>,
    /// Records without plaintext since the last one with some.
    blank: usize,
    /// The work of a step that signs.
    sign_work: usize,
}

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing was received.
    Fresh,
    /// The handshake has begun; so many bytes of it were received.
    Handshake(usize),
    /// Both sides may talk.
    Open,
    /// The client has ended its stream, or has failed; we may talk on.
    Over(Over),
    /// Our side has ended its stream: nothing is encrypted after that.
    Finished,
    /// The first byte was not TLS: bytes pass as they are.
    Foreign,
}

/// How a client's stream has ended. What came before it is told first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Ended,
    Failed,
}

impl Session {
    /// A session that waits for its handshake. `sign_work` is the work of its step that signs. `None` if there is no
    /// randomness for it.
    pub(crate) fn new(config: Arc<ServerConfig>, sign_work: usize) -> Option<Self> {
        let conn = UnbufferedServerConnection::new(config).ok()?;
        Some(Self { conn, state: State::Fresh, held: Vec::new(), seen: 0, pending: Vec::new(), blank: 0, sign_work })
    }

    /// The memory that it keeps in bytes: received bytes, and bytes to be sent.
    #[cfg(test)]
    pub(super) fn kept(&self) -> (usize, usize) {
        (self.held.capacity(), self.pending.capacity())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, held, pending, .. } = self;
        write!(f, "Session({state:?}, {} bytes held, {} pending)", held.len(), pending.len())
    }
}
