//! The stages of a connection before its greeting: a proxy names its client, and TLS is negotiated.

use super::Engine;
use super::addresses::Charge;
use super::id::ConnId;
use super::life::Parting;
use super::origin::Origin;
use super::time::Millis;
use crate::close::CloseReason;
use crate::door::Door;
use crate::limits::STAGE_MS;

use std::net::IpAddr;

/// What a listener asks of a connection before the door greets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entrance {
    /// A PROXY header comes first.
    pub takes_proxy: bool,
    /// All else is by TLS.
    pub is_tls: bool,
}

/// What a connection is judged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    /// How it counts for its address.
    pub(super) charge: Charge,
    /// Passwords can be tried there.
    pub(super) asks_for_passwords: bool,
}

impl Arrival {
    /// A new connection at a door.
    pub(super) fn at(door: &Door) -> Self {
        let charge = if door.is_fetching() { Charge::Open } else { Charge::OpenAndNew };
        Self { charge, asks_for_passwords: door.asks_for_passwords() }
    }
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// A PROXY header is awaited. Nobody knows the client yet, so it is counted nowhere.
    Header {
        /// TLS follows.
        is_tls: bool,
    },
    /// The TLS handshake is under way. The greeting waits in the outbox.
    Handshake,
    /// The door has greeted it.
    Open,
}

/// Why the bytes before a greeting cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// They are no PROXY header.
    NoProxyHeader,
    /// They are not TLS.
    NotTls {
        /// Number of the bytes, which are in the given space as they came.
        count: usize,
    },
    /// TLS has failed.
    TlsFailed {
        /// The work until then, in the unit of [`TURN_WORK`](crate::limits::TURN_WORK).
        work: usize,
    },
}

/// A step of a TLS handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shaken {
    /// Its work, in the unit of [`TURN_WORK`](crate::limits::TURN_WORK).
    pub work: usize,
    /// As in [`Read::Records`](super::io::Read::Records).
    pub is_short: bool,
    /// Bytes of ciphertext that the socket has not taken.
    pub sealed: usize,
    /// The handshake is complete.
    pub done: Option<Handshake>,
    /// Bytes of plaintext in the given space, which came right behind the handshake.
    pub count: usize,
}

/// The kind of a complete TLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// With a signature.
    Full,
    /// With a ticket of an earlier one.
    Resumed,
}

impl Stage {
    /// The first stage.
    pub(super) fn first(entrance: Entrance) -> Self {
        match entrance {
            Entrance { takes_proxy: true, is_tls } => Self::Header { is_tls },
            Entrance { takes_proxy: false, is_tls: true } => Self::Handshake,
            Entrance { takes_proxy: false, is_tls: false } => Self::Open,
        }
    }

    /// True if a connection that begins with it is by TLS.
    pub(super) fn is_tls(self) -> bool {
        match self {
            Self::Header { is_tls } => is_tls,
            Self::Handshake => true,
            Self::Open => false,
        }
    }

    /// True if the client can be told why it is closed.
    pub(super) fn can_tell(self) -> bool {
        match self {
            Self::Open | Self::Header { is_tls: false } => true,
            Self::Header { is_tls: true } | Self::Handshake => false,
        }
    }

    /// When it must be over, for a connection that began at `since`. `None` for the last one.
    pub(super) fn due(self, since: Millis) -> Option<Millis> {
        match self {
            Self::Header { .. } | Self::Handshake => Some(since.saturating_add(STAGE_MS)),
            Self::Open => None,
        }
    }

    /// The reason to close a connection that has not completed it in time.
    pub(super) fn overdue(self) -> CloseReason {
        match self {
            Self::Header { .. } => CloseReason::NoProxyHeader,
            Self::Handshake => CloseReason::TlsFailed,
            Self::Open => CloseReason::LoginTooLong,
        }
    }
}

impl<S> Engine<S> {
    /// A proxy has named the client of a connection, or has said that there is none: then the proxy itself is the
    /// client. The connection is now judged as one that has just arrived.
    pub(super) fn on_named(&mut self, id: ConnId, client: Option<IpAddr>) {
        let now = self.now;
        let Some(conn) = self.conns.find(id) else { return };
        let Stage::Header { is_tls } = conn.stage else { return };
        conn.origin = client.map_or(conn.origin, Origin::learnt);
        conn.since = now;
        conn.door.note_time(now);
        let (origin, arrival) = (conn.origin, Arrival::at(&conn.door));
        match self.judge_address(origin, arrival) {
            Ok(standing) => {
                self.gate.count_silent(standing);
                let Some(conn) = self.conns.find(id) else { return };
                conn.standing = standing;
                conn.stage = if is_tls { Stage::Handshake } else { Stage::Open };
                self.greet(id);
            }
            Err(refusal) => self.close(id, refusal.reason),
        }
    }

    /// The TLS handshake went on. When it is complete, the greeting can be sent.
    pub(super) fn on_shaken(&mut self, id: ConnId, step: Shaken) {
        self.note_sealed(id, step.sealed);
        let Some(conn) = self.conns.find(id) else { return };
        // The poll may have reported that the socket accepts bytes, in this turn and before the read: the flush tries.
        conn.is_blocked = false;
        if step.sealed > 0 {
            self.mark_direct(id);
        }
        let (Some(kind), Some(conn)) = (step.done, self.conns.find(id)) else { return };
        conn.stage = Stage::Open;
        match kind {
            Handshake::Full => self.counters.tls_full += 1,
            Handshake::Resumed => self.counters.tls_resumed += 1,
        }
        self.mark_direct(id);
        self.touched.push(id);
    }

    /// A connection has sent bytes that are no beginning for it, or are not TLS. `heard` holds them.
    pub(super) fn on_unusable(&mut self, id: ConnId, why: Unusable, heard: &[u8]) {
        match why {
            Unusable::NoProxyHeader => self.close(id, CloseReason::NoProxyHeader),
            Unusable::NotTls { .. } => {
                // The client is told in the clear: nothing was encrypted yet, and nothing was said.
                let Some(conn) = self.conns.find(id) else { return };
                conn.outbox.clear(&mut self.pages);
                conn.stage = Stage::Open;
                self.close_with(id, CloseReason::NotTls, |door, reason, out| door.refuse(heard, reason, out));
            }
            Unusable::TlsFailed { .. } => self.close(id, CloseReason::TlsFailed),
        }
    }

    /// Ends a connection whose TLS has failed: it cannot be told, but the alert that the socket took may still arrive.
    pub(super) fn drain_untold(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find(id) else { return };
        if conn.stage == Stage::Handshake {
            self.counters.tls_failed += 1;
        }
        conn.outbox.clear(&mut self.pages);
        self.drain(id, false);
    }

    /// Ends a connection that cannot be told why.
    pub(super) fn drop_untold(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find(id) else { return };
        conn.outbox.clear(&mut self.pages);
        self.mark_closed(id, Parting::Closed);
    }
}
