//! A build without TLS. The command line refuses `--tls`, so nothing here is ever used.

use std::path::Path;

/// How a handshake was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(dead_code, reason = "there is none")]
pub(super) enum Handshake {
    /// With the server's certificate.
    Full,
    /// By a ticket of an earlier connection.
    Resumed,
}

/// What is spoken behind the encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alpn {
    /// The chat.
    Chat,
    /// HTTP.
    Http,
    /// IRC.
    Irc,
}

/// The settings of a run: there are none.
#[derive(Clone)]
pub(super) enum Settings {}

impl Settings {
    /// Fails.
    ///
    /// # Errors
    /// This build has no TLS.
    pub(super) fn new(_: &str, _: Option<&Path>, _: bool, _: Alpn) -> Result<Self, String> {
        Err("this chatload was built without TLS (the cargo feature tls)".to_owned())
    }
}

/// The encryption of one connection: there is none.
pub(super) enum Tls {}

impl Tls {
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        match *settings {}
    }

    pub(super) fn receive(&mut self, _: &mut [u8], _: &mut dyn FnMut(&[u8])) -> Result<(), String> {
        match *self {}
    }

    pub(super) fn encrypt(&mut self, _: &[u8]) -> Result<usize, String> {
        match *self {}
    }

    pub(super) fn waiting(&self) -> &[u8] {
        match *self {}
    }

    pub(super) fn sent(&mut self, _: usize) {
        match *self {}
    }

    pub(super) fn has_ended(&self) -> bool {
        match *self {}
    }

    pub(super) fn take_handshake(&mut self) -> Option<Handshake> {
        match *self {}
    }
}
