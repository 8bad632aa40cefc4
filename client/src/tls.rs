//! TLS. Only this module and those below it name rustls.
//!
//! ```text
//! proof: what is trusted ─▶ verify: the certificate of a server ─▶ handshake ─▶ Tls: both directions of a connection
//! ```
//!
//! Nothing is kept between connections: each one is proven by the same rules as the first.

mod handshake;
mod proof;
mod verify;
mod words;

use std::io::{self, ErrorKind, Read as _, Write};

use rustls::ClientConnection;

pub(super) use self::handshake::handshake;
pub(super) use self::proof::Proof;

/// A connection to a proven server.
pub(super) struct Tls(ClientConnection);

/// Input of the server.
pub(super) enum Received {
    /// Bytes, perhaps none, and more may follow.
    Bytes(Vec<u8>),
    /// The last bytes: the server has said that nothing follows.
    Last(Vec<u8>),
}

impl Tls {
    /// Takes what the socket gave, cut at any place.
    ///
    /// # Errors
    ///
    /// What is wrong with it. The connection cannot be used any more; [`Self::write_out`] sends the reason.
    pub(super) fn receive(&mut self, mut raw: &[u8]) -> Result<Received, String> {
        let mut bytes = Vec::new();
        loop {
            // Records that came with the end of the handshake may have been decrypted already.
            let state = match self.0.process_new_packets() {
                Ok(state) => state,
                Err(error) => {
                    // What came before counts. The next call fails again.
                    let _ = self.0.reader().read_to_end(&mut bytes);
                    return if bytes.is_empty() { Err(words::failed(&error)) } else { Ok(Received::Bytes(bytes)) };
                }
            };
            let held = state.plaintext_bytes_to_read();
            let from = bytes.len();
            bytes.resize(from + held, 0);
            if let Some(space) = bytes.get_mut(from..) {
                self.0.reader().read_exact(space).map_err(|error| error.to_string())?;
            }
            if state.peer_has_closed() {
                return Ok(Received::Last(bytes));
            }
            if raw.is_empty() {
                return Ok(Received::Bytes(bytes));
            }
            self.0.read_tls(&mut raw).map_err(|error| error.to_string())?;
        }
    }

    /// Encrypts these bytes, for [`Self::write_out`] to send.
    ///
    /// # Errors
    ///
    /// The connection is over.
    pub(super) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.writer().write_all(bytes)
    }

    /// Sends what is encrypted, as far as the socket takes it. `false` if some is left.
    ///
    /// # Errors
    ///
    /// The connection is broken.
    pub(super) fn write_out(&mut self, socket: &mut impl Write) -> io::Result<bool> {
        while self.0.wants_write() {
            match self.0.write_tls(socket) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Says that nothing follows, as far as the socket takes that.
    pub(super) fn say_end(&mut self, socket: &mut impl Write) {
        self.0.send_close_notify();
        // The connection may be down already.
        let _ = self.write_out(socket);
    }
}

#[cfg(test)]
mod tests;
