//! Accepting connections: the listeners, and a spare descriptor to refuse peers with.

mod explain;
mod listener;
mod operator;
mod trial;

use std::io::{self, ErrorKind};
use std::rc::Rc;

use log::error;
use mio::Registry;

pub(super) use explain::explain;
use listener::{Listener, is_shortage};
pub use trial::{Trial, try_places};

use super::conn::Socket;
use super::settings::{Endpoint, OperatorSocket, Service, StartError};
use super::sys::descriptors::Spare;
use super::systemd::Passed;
use super::tls::{Acceptor, Credentials, Tickets};
use crate::engine::{Listening, Millis, NEVER, Origin};
use crate::limits::{ACCEPT_RETRY_MS, Limits, TLS_EXPIRY_AGAIN_MS};
use crate::secret::Secret;

/// All listeners.
#[derive(Debug)]
pub(super) struct Listeners {
    all: Vec<Listener>,
    /// Index of the listener that is first in this turn, so that a connection storm at one does not starve the others.
    first: usize,
    /// When listeners that ran out of descriptors are tried again.
    retry_at: Millis,
    /// The last attempt to accept failed.
    is_failing: bool,
    spare: Spare,
    tickets: Tickets,
    /// When certificates that end soon are warned of again.
    expiry_at: Millis,
}

/// An accepted connection.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) socket: Socket,
    pub(super) origin: Origin,
    /// The settings of its listener.
    pub(super) endpoint: Rc<Endpoint>,
    /// Answers its TLS handshake.
    pub(super) acceptor: Option<Acceptor>,
    /// The number of its listener.
    pub(super) place: usize,
}

/// The result of accepting a connection.
#[derive(Debug)]
pub(super) enum Accepted {
    /// A connection.
    Peer(Peer),
    /// The peer went away while it waited; the listener is fine.
    Aborted,
    /// No connection waits.
    Nobody,
    /// True if the listener was drained before.
    NotReady,
    /// Accepting failed.
    Failed {
        /// The cause.
        error: io::Error,
        /// True if descriptors or memory have run out.
        is_shortage: bool,
    },
}

impl Listeners {
    /// Makes the operator's socket, if there is to be one; binds and listens, or takes the sockets that were passed; and
    /// registers with the poll.
    ///
    /// # Errors
    /// The server cannot listen at an address, or not without the operator's socket.
    pub(super) fn open(
        endpoints: &[Endpoint],
        operator: Option<&OperatorSocket>,
        limits: &Limits,
        registry: &Registry,
        passed: &mut Passed,
    ) -> Result<Self, StartError> {
        let tickets = Tickets::new().map_err(StartError::Failed)?;
        let (spare, expiry_at) = (Spare::new(), TLS_EXPIRY_AGAIN_MS);
        let mut listeners =
            Self { all: Vec::new(), first: 0, retry_at: NEVER, is_failing: false, spare, tickets, expiry_at };
        // It comes first: who reads in the log that the server listens can ask it.
        if let Some(socket) = operator {
            listeners.open_operator(socket, limits, registry)?;
        }
        for (number, endpoint) in endpoints.iter().enumerate() {
            let places = (number, listeners.all.len());
            listeners.all.extend(Listener::open(endpoint, places, limits, registry, &listeners.tickets, passed)?);
        }
        Ok(listeners)
    }

    /// Presents new credentials from the next handshakes on, in the order of the endpoints. Connections that are there
    /// keep theirs.
    pub(super) fn secure(&mut self, credentials: &[Option<Credentials>]) {
        for listener in &mut self.all {
            let Some(Some(credentials)) = credentials.get(listener.number()) else { continue };
            if let Err(why) = listener.secure(credentials, &self.tickets) {
                error!("{why}; the old certificate stays in use");
            }
        }
    }

    /// The listeners with TLS: the name of each, and the last second of its certificate's life as Unix time.
    pub(super) fn certificates(&self) -> impl Iterator<Item = (&str, u64)> {
        self.all.iter().filter_map(|listener| Some((listener.name(), listener.not_after()?)))
    }

    /// When certificates that end soon are warned of again; [`NEVER`] without TLS.
    pub(super) fn expiry_at(&self) -> Millis {
        if self.certificates().next().is_some() { self.expiry_at } else { NEVER }
    }

    /// Warns of certificates that end soon, if it is time.
    pub(super) fn warn_of_expiry(&mut self, now: Millis) {
        if self.expiry_at <= now {
            self.expiry_at = now + TLS_EXPIRY_AGAIN_MS;
            self.all.iter().for_each(Listener::warn_of_expiry);
        }
    }

    /// Closes all listeners but those for monitoring programs, which then learn that the server stops.
    pub(super) fn close_for_users(&mut self) {
        for listener in &mut self.all {
            if !matches!(listener.endpoint().service, Service::Metrics) {
                listener.close();
            }
        }
    }

    /// All listeners, as operators see them.
    pub(super) fn shown(&self) -> Vec<Listening> {
        self.all.iter().map(Listener::shown).collect()
    }

    /// The tokens that requests must have from now on, in the order of the endpoints; `None` for one that stays.
    pub(super) fn set_tokens(&mut self, tokens: &[Option<Secret<Vec<u8>>>]) {
        for listener in &mut self.all {
            if let Some(Some(token)) = tokens.get(listener.number()) {
                listener.set_token(token.clone());
            }
        }
    }

    /// Applies new limits to connections accepted from now on.
    pub(super) fn set_limits(&mut self, limits: &Limits) {
        for listener in &mut self.all {
            listener.set_limits(limits);
        }
    }

    /// The poll reports a listener.
    pub(super) fn mark_ready(&mut self, place: usize) {
        if let Some(listener) = self.all.get_mut(place) {
            listener.is_ready = true;
        }
    }

    /// True if a connection may be waiting.
    pub(super) fn is_ready(&self) -> bool {
        self.all.iter().any(|listener| listener.is_ready)
    }

    /// The listeners, in the order of this turn.
    pub(super) fn places(&mut self) -> impl Iterator<Item = usize> + use<> {
        let (count, first) = (self.all.len(), self.first);
        self.first = (first + 1) % count.max(1);
        (first..count).chain(0..first)
    }

    /// Accepts one connection from a listener.
    pub(super) fn accept(&mut self, place: usize) -> Accepted {
        let Some(listener) = self.all.get_mut(place).filter(|listener| listener.is_ready) else {
            return Accepted::NotReady;
        };
        match listener.take() {
            Ok((socket, origin)) => {
                let (endpoint, acceptor) = (listener.endpoint(), listener.acceptor());
                Accepted::Peer(Peer { socket, origin, endpoint, acceptor, place })
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                listener.is_ready = false;
                Accepted::Nobody
            }
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {
                Accepted::Aborted
            }
            Err(error) => Accepted::Failed { is_shortage: is_shortage(&error), error },
        }
    }

    /// Accepts one connection with the spare descriptor. `None` if none waits.
    pub(super) fn accept_by_spare(&mut self, place: usize) -> Option<Peer> {
        self.spare.lend();
        let listener = self.all.get(place)?;
        let (socket, origin) = listener.take().ok()?;
        Some(Peer { socket, origin, endpoint: listener.endpoint(), acceptor: None, place })
    }

    /// Opens the spare descriptor again, if possible.
    pub(super) fn refill_spare(&mut self) {
        self.spare.refill();
    }

    /// Records that accepting works. True if it did not before.
    pub(super) fn note_success(&mut self) -> bool {
        let was_failing = std::mem::take(&mut self.is_failing);
        if was_failing {
            self.spare.refill();
        }
        was_failing
    }

    /// Records that accepting fails. True if it worked before.
    pub(super) fn note_failure(&mut self) -> bool {
        !std::mem::replace(&mut self.is_failing, true)
    }

    /// A listener failed. An edge-triggered listener may get no more events then, so a timer tries it again.
    pub(super) fn rest(&mut self, place: usize, now: Millis) {
        if let Some(listener) = self.all.get_mut(place) {
            listener.is_ready = false;
        }
        self.retry_at = now + ACCEPT_RETRY_MS;
    }

    /// When failed listeners are tried again without an event; [`NEVER`] if none failed.
    pub(super) fn retry_at(&self) -> Millis {
        self.retry_at
    }

    /// Tries all listeners again if it is time.
    pub(super) fn retry(&mut self, now: Millis) {
        if self.retry_at <= now {
            self.retry_at = NEVER;
            for listener in &mut self.all {
                listener.is_ready = true;
            }
        }
    }
}
