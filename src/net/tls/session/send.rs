//! Sending: plaintext in, records out, and the end of our side.

use std::io::{self, ErrorKind};

use rustls::server::ServerConnectionData;
use rustls::unbuffered::{ConnectionState, WriteTraffic};

use super::{Over, Session, State};
use crate::engine::{Finished, Frames, Wrote};
use crate::net::tls::buffers::Buffers;
use crate::net::tls::records::gather;

impl Session {
    /// Encrypts the next frames as one record and writes it, after what is pending.
    pub(crate) fn write(&mut self, socket: &mut impl io::Write, frames: &Frames<'_>, buffers: &mut Buffers) -> Wrote {
        match (self.write_record(socket, frames, buffers), self.pending.len()) {
            (Ok(count), 0) => Wrote::Bytes { count, is_short: false },
            (Ok(count), sealed) => Wrote::Sealed { count, sealed },
            (Err(_), _) => Wrote::Broken,
        }
    }

    /// The same. Returns the number of bytes of `frames` that are as good as sent; what the socket did not take of their
    /// ciphertext is pending.
    ///
    /// # Errors
    /// The connection is broken.
    fn write_record(
        &mut self,
        socket: &mut impl io::Write,
        frames: &Frames<'_>,
        buffers: &mut Buffers,
    ) -> io::Result<usize> {
        self.flush(socket)?;
        if !self.pending.is_empty() || frames.is_empty() {
            return Ok(0);
        }
        let Buffers { plain, cipher, .. } = buffers;
        if self.state == State::Foreign {
            let plain = gather(frames, plain);
            self.send(socket, plain)?;
            return Ok(plain.len());
        }
        let plain = gather(frames, plain);
        let size = self.encrypt(plain, cipher).ok_or(ErrorKind::BrokenPipe)?;
        let record = cipher.get(..size).unwrap_or_default();
        if self.pending.is_empty() {
            self.send(socket, record)?;
        } else {
            self.pending.extend_from_slice(record); // behind an alert that was due
            self.flush(socket)?;
        }
        Ok(plain.len())
    }

    /// Encrypts one record into `cipher` and returns its size. `None` if nothing can be sent any more.
    fn encrypt(&mut self, plain: &[u8], cipher: &mut [u8]) -> Option<usize> {
        self.when_writable(cipher, |traffic, cipher| traffic.encrypt(plain, cipher).ok())
    }

    /// Brings rustls to the state in which something can be encrypted.
    fn when_writable<T>(
        &mut self,
        cipher: &mut [u8],
        encrypt: impl FnOnce(&mut WriteTraffic<'_, ServerConnectionData>, &mut [u8]) -> Option<T>,
    ) -> Option<T> {
        if !matches!(self.state, State::Open | State::Over(Over::Ended)) {
            return None;
        }
        loop {
            // rustls must see what is held; it holds no whole record, so nothing comes of it.
            match self.conn.process_tls_records(&mut self.held).state {
                Ok(ConnectionState::WriteTraffic(mut traffic)) => return encrypt(&mut traffic, cipher),
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    let count = data.encode(cipher).ok()?;
                    self.pending.extend_from_slice(cipher.get(..count)?);
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(_) | Err(_) => return None,
            }
        }
    }

    /// Ends our side: close_notify, and nothing after it. Call it again when a blocked socket is writable.
    pub(crate) fn finish(&mut self, socket: &mut impl io::Write, buffers: &mut Buffers) -> Finished {
        if matches!(self.state, State::Open | State::Over(Over::Ended)) {
            let cipher = &mut buffers.cipher;
            let size = self.when_writable(cipher, |traffic, cipher| traffic.queue_close_notify(cipher).ok());
            self.pending.extend_from_slice(cipher.get(..size.unwrap_or_default()).unwrap_or_default());
            self.state = State::Finished;
            self.held = Vec::new();
        }
        match self.flush(socket) {
            Err(_) => Finished::Failed,
            Ok(()) if self.pending.is_empty() => Finished::Done,
            Ok(()) => Finished::Sealed { sealed: self.pending.len() },
        }
    }

    /// Writes what is pending, as far as the socket takes it.
    pub(super) fn flush(&mut self, socket: &mut impl io::Write) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let taken = write_once(socket, &self.pending)?;
        if taken == self.pending.len() {
            self.pending = Vec::new();
        } else {
            self.pending.drain(..taken);
        }
        Ok(())
    }

    /// Writes once, and keeps what the socket does not take.
    fn send(&mut self, socket: &mut impl io::Write, bytes: &[u8]) -> io::Result<()> {
        let taken = write_once(socket, bytes)?;
        let rest = bytes.get(taken..).unwrap_or_default();
        if !rest.is_empty() {
            self.pending = rest.to_vec();
        }
        Ok(())
    }
}

/// Writes once. 0 if the socket takes nothing now.
fn write_once(socket: &mut impl io::Write, bytes: &[u8]) -> io::Result<usize> {
    match socket.write(bytes) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        result => result,
    }
}
