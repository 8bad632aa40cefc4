//! TLS, without sockets. Only this module and those below it name rustls.
//!
//! It is the unbuffered kind: between two events, a connection keeps no more than the start of a record, and ciphertext
//! that the kernel has not taken.

mod settings;
mod tickets;

use rustls::client::UnbufferedClientConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{Error, HandshakeKind};

pub(super) use self::settings::Settings;

/// The most plaintext that is encrypted at once. The rest waits until that is sent.
const BATCH_BYTES: usize = 64 * 1024;
/// Room for what TLS adds to a record, and the plaintext of a full one.
const OVERHEAD_BYTES: usize = 64;
const RECORD_BYTES: usize = 16 * 1024;
/// The first byte of a handshake record, and of an alert.
const RECORDS: [u8; 2] = [0x16, 0x15];

/// How a handshake was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// HTTP, as far as WebSocket begins with it.
    Http,
    /// IRC.
    Irc,
}

impl Alpn {
    /// Its name in a handshake.
    fn name(self) -> &'static [u8] {
        match self {
            Self::Chat => b"chatd",
            Self::Http => b"http/1.1",
            Self::Irc => b"irc",
        }
    }
}

/// The encryption of one connection.
pub(super) struct Tls {
    conn: UnbufferedClientConnection,
    /// The start of a record.
    held: Vec<u8>,
    /// Records to send.
    out: Vec<u8>,
    sent: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing has come from the server.
    Silent,
    /// The handshake goes on.
    Handshake,
    /// Plaintext can be sent. The handshake has not been counted yet.
    New,
    /// Plaintext can be sent.
    Open,
    /// The server has said that nothing follows.
    Ended,
}

impl Tls {
    /// A connection whose first record waits to be sent.
    ///
    /// # Errors
    /// The settings do not work.
    pub(super) fn new(settings: &Settings) -> Result<Self, String> {
        let conn = settings.connect().map_err(|error| told(&error))?;
        let mut tls = Self { conn, held: Vec::new(), out: Vec::new(), sent: 0, state: State::Silent };
        tls.advance(&mut [], &[], &mut |_| {}).map_err(|error| told(&error))?;
        Ok(tls)
    }

    /// Takes what the socket gave, and passes the plaintext to `take`. The input is used as a buffer.
    ///
    /// # Errors
    /// The connection cannot be used any more, and why.
    pub(super) fn receive(&mut self, input: &mut [u8], take: &mut dyn FnMut(&[u8])) -> Result<(), String> {
        if self.state == State::Silent && !input.is_empty() {
            if !input.first().is_some_and(|byte| RECORDS.contains(byte)) {
                return Err("the server speaks no TLS there".to_owned());
            }
            self.state = State::Handshake;
        }
        if self.held.is_empty() {
            let used = self.advance(input, &[], take).map_err(|error| told(&error))?;
            self.held.extend_from_slice(input.get(used..).unwrap_or_default());
        } else {
            self.held.extend_from_slice(input);
            let mut held = std::mem::take(&mut self.held);
            let used = self.advance(&mut held, &[], take).map_err(|error| told(&error))?;
            held.drain(..used);
            // An empty buffer is given back.
            self.held = if held.is_empty() { Vec::new() } else { held };
        }
        Ok(())
    }

    /// Encrypts the start of this plaintext, if it can be sent now, and returns its length.
    ///
    /// # Errors
    /// The connection cannot be used any more, and why.
    pub(super) fn encrypt(&mut self, plain: &[u8]) -> Result<usize, String> {
        if !matches!(self.state, State::New | State::Open) || !self.waiting().is_empty() {
            return Ok(0);
        }
        let batch = plain.get(..BATCH_BYTES).unwrap_or(plain);
        let mut held = std::mem::take(&mut self.held);
        // It has been looked at: there is no whole record in it.
        let done = self.advance(&mut held, batch, &mut |_| {});
        self.held = held;
        done.map_err(|error| told(&error))?;
        Ok(batch.len())
    }

    /// The records to send.
    pub(super) fn waiting(&self) -> &[u8] {
        self.out.get(self.sent..).unwrap_or_default()
    }

    /// This many bytes of [`Self::waiting`] have been sent.
    pub(super) fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.out.len() {
            (self.out, self.sent) = (Vec::new(), 0);
        }
    }

    /// Whether the server has said that nothing follows.
    pub(super) fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// How the handshake was done, once, when it is done.
    pub(super) fn take_handshake(&mut self) -> Option<Handshake> {
        if self.state != State::New {
            return None;
        }
        self.state = State::Open;
        let is_resumed = self.conn.handshake_kind() == Some(HandshakeKind::Resumed);
        Some(if is_resumed { Handshake::Resumed } else { Handshake::Full })
    }

    /// Goes on until more input is needed, encrypts `plain` then, and returns how much of the input is used up.
    fn advance(&mut self, input: &mut [u8], plain: &[u8], take: &mut dyn FnMut(&[u8])) -> Result<usize, Error> {
        let mut used = 0;
        loop {
            let rest = input.get_mut(used..).unwrap_or_default();
            let UnbufferedStatus { mut discard, state, .. } = self.conn.process_tls_records(rest);
            let mut is_blocked = false;
            match state? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        take(record.payload);
                    }
                }
                ConnectionState::EncodeTlsData(mut data) => {
                    let out = &mut self.out;
                    append(out, 512, |space| match data.encode(space) {
                        Ok(length) => Ok(length),
                        Err(EncodeError::InsufficientSize(needs)) => Err(Some(needs.required_size)),
                        Err(EncodeError::AlreadyEncoded) => Err(None),
                    })?;
                }
                // The records stay in order, whenever they are sent.
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::WriteTraffic(mut traffic) => {
                    if matches!(self.state, State::Silent | State::Handshake) {
                        self.state = State::New;
                    }
                    if !plain.is_empty() {
                        let size = plain.len() + (plain.len() / RECORD_BYTES + 2) * OVERHEAD_BYTES;
                        append(&mut self.out, size, |space| match traffic.encrypt(plain, space) {
                            Ok(length) => Ok(length),
                            Err(EncryptError::InsufficientSize(needs)) => Err(Some(needs.required_size)),
                            Err(EncryptError::EncryptExhausted) => Err(None),
                        })?;
                    }
                    is_blocked = true;
                }
                ConnectionState::PeerClosed | ConnectionState::Closed => {
                    self.state = State::Ended;
                    is_blocked = true;
                }
                // States of servers, and of later versions.
                ConnectionState::BlockedHandshake | _ => is_blocked = true,
            }
            used += discard;
            if is_blocked {
                return Ok(used);
            }
        }
    }
}

/// Appends what `write` writes into a space of this size, or of the size that it asks for.
fn append(
    out: &mut Vec<u8>,
    size: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<usize>>,
) -> Result<(), Error> {
    let from = out.len();
    let mut size = size;
    loop {
        out.resize(from + size, 0);
        match write(out.get_mut(from..).unwrap_or_default()) {
            Ok(length) => {
                out.truncate(from + length);
                return Ok(());
            }
            Err(Some(needed)) if needed > size => size = needed,
            Err(_) => {
                out.truncate(from);
                return Err(Error::EncryptError);
            }
        }
    }
}

fn told(error: &Error) -> String {
    format!("TLS failed: {error}")
}

#[cfg(test)]
mod tests;
