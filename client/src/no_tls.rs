//! A build without TLS. The command line refuses servers that speak it, so nothing here is ever used.

use std::io::{self, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use super::args::Trust;
use super::connect::Failure;
use super::destination::Server;
use super::fingerprint::Fingerprint;

/// What a server can be proven by: nothing.
pub(super) struct Proof;

/// As with TLS.
type Kept = fn(&str) -> Result<Option<Fingerprint>, String>;

impl Proof {
    /// As with TLS.
    ///
    /// # Errors
    ///
    /// None.
    pub(super) fn new(_: &Trust, _: Kept) -> Result<Self, String> {
        Ok(Self)
    }

    /// Does nothing.
    pub(super) fn accept(&self, _: &str, _: Fingerprint) {}
}

/// A connection to a proven server: there is none.
pub(super) enum Tls {}

/// Input of the server.
#[expect(dead_code, reason = "there is none")]
pub(super) enum Received {
    /// Bytes, and more may follow.
    Bytes(Vec<u8>),
    /// The last bytes.
    Last(Vec<u8>),
}

impl Tls {
    pub(super) fn receive(&mut self, _: &[u8]) -> Result<Received, String> {
        match *self {}
    }

    pub(super) fn put(&mut self, _: &[u8]) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn write_out(&mut self, _: &mut impl Write) -> io::Result<bool> {
        match *self {}
    }

    pub(super) fn say_end(&mut self, _: &mut impl Write) {
        match *self {}
    }
}

/// Fails.
///
/// # Errors
///
/// This build has no TLS.
pub(super) fn handshake(_: &mut TcpStream, _: &Server, _: &Arc<Proof>, _: &UnixStream) -> Result<Option<Tls>, Failure> {
    Err(Failure::Gone("this chatclient was built without TLS".to_owned()))
}
