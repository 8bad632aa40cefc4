//! What a program has in place of TLS that was built without the feature `tls`: types without values, so that none of
//! their functions is ever called.

use std::convert::Infallible;

use super::expiry::Life;
use crate::engine::{Finished, Frames, Read, Wrote};

/// The buffers of no connection.
#[derive(Debug, Default)]
pub(crate) struct Buffers;

/// What a listener presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials(Infallible);

impl Credentials {
    /// When it is valid.
    pub fn life(&self) -> Life {
        match self.0 {}
    }

    /// The hosts that it names.
    pub fn names(&self) -> &[String] {
        match self.0 {}
    }
}

/// Answers the handshakes of a listener.
#[derive(Clone, Debug)]
pub(crate) struct Acceptor(Infallible);

impl Acceptor {
    /// Makes nothing.
    pub(crate) fn new(credentials: &Credentials, _: &'static str, _: &Tickets) -> Result<Self, String> {
        match credentials.0 {}
    }

    /// The session of a new connection.
    pub(crate) fn session(&self) -> Option<Session> {
        match self.0 {}
    }
}

/// The keys of no tickets.
#[derive(Clone, Debug)]
pub(crate) struct Tickets;

impl Tickets {
    /// No keys.
    pub(crate) fn new() -> Result<Self, String> {
        Ok(Self)
    }
}

/// The TLS of one connection.
#[derive(Debug)]
pub(crate) struct Session(Infallible);

impl Session {
    /// Reads.
    pub(crate) fn read<T>(&mut self, _: &mut T, _: &mut [u8], _: &mut Buffers) -> Read {
        match self.0 {}
    }

    /// Writes.
    pub(crate) fn write<T>(&mut self, _: &mut T, _: &Frames<'_>, _: &mut Buffers) -> Wrote {
        match self.0 {}
    }

    /// Ends our side.
    pub(crate) fn finish<T>(&mut self, _: &mut T, _: &mut Buffers) -> Finished {
        match self.0 {}
    }
}
