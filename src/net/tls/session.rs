//! The TLS of one connection: records in, plaintext out, and back. It knows no socket, only something to read from and
//! to write to.
//!
//! rustls has no buffers here. What a socket gives is decrypted in a shared buffer, and every whole record of it is
//! taken at once, because a record that was decrypted cannot be given back (rustls#2031): after a call, a connection
//! holds at most the beginning of one record. A write encrypts one record in a shared buffer, and keeps what the socket
//! did not take.

use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use rustls::HandshakeKind;
use rustls::server::{ServerConfig, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use zeroize::Zeroize as _;

use super::buffers::Buffers;
use super::records::{HANDSHAKE, HEADER_BYTES, count_records, gather, record_bytes};
use crate::engine::{Finished, Frames, Handshake, Read, Shaken, Unusable, Wrote};
use crate::limits::{
    READ_BYTES, TLS_BLANK_RECORDS, TLS_BLANK_WORK, TLS_HANDSHAKE_BYTES, TLS_RECORD_BYTES, TLS_STEP_WORK,
};

/// The header of a record that is longer than any.
const IMPOSSIBLE: [u8; HEADER_BYTES] = [HANDSHAKE, 3, 3, 0xff, 0xff];

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

/// What rustls did with received bytes.
#[derive(Debug, Default)]
struct Processed {
    /// Bytes that it does not need again.
    used: usize,
    /// Bytes of plaintext.
    count: usize,
    /// Records with plaintext.
    records: usize,
    /// It has something to send.
    has_output: bool,
    /// The client has sent close_notify.
    is_closed: bool,
    /// It gave up.
    has_failed: bool,
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

    /// Reads once from the socket, and goes on while a record is not whole. Every whole record is decrypted into
    /// `room`, which takes [`TLS_RECORD_BYTES`] and [`READ_BYTES`] at least.
    pub(crate) fn read(
        &mut self,
        socket: &mut (impl io::Read + io::Write),
        room: &mut [u8],
        buffers: &mut Buffers,
    ) -> Read {
        match self.state {
            State::Over(Over::Ended) => return Read::End,
            State::Over(Over::Failed) => return Read::Unusable(Unusable::TlsFailed),
            State::Finished | State::Foreign => return Read::Nothing,
            State::Fresh | State::Handshake(_) | State::Open => {}
        }
        loop {
            let want = self.wanted();
            let fresh = buffers.input.get_mut(..want).unwrap_or_default();
            let count = match socket.read(fresh) {
                Ok(0) => return self.on_end(),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Read::Nothing,
                Err(_) => return Read::Broken,
            };
            let is_short = count < want;
            let fresh = fresh.get_mut(..count).unwrap_or_default();
            if let Some(foreign) = self.begin(fresh, room) {
                return foreign;
            }
            let heard = self.handle(fresh, room, &mut buffers.cipher, is_short, socket);
            fresh.zeroize(); // it was decrypted in place
            match heard {
                Some(heard) => return heard,
                None if is_short => return self.nothing_whole(),
                None => {} // a long record, of which more is there
            }
        }
    }

    /// The socket is drained, and no record is whole.
    fn nothing_whole(&self) -> Read {
        if self.state == State::Open {
            Read::Records { count: 0, is_short: true, work: 0 }
        } else {
            Read::Shaken(Shaken { is_short: true, sealed: self.pending.len(), ..Shaken::default() })
        }
    }

    /// The client's stream has ended without close_notify. What it had begun is dropped.
    fn on_end(&mut self) -> Read {
        if matches!(self.state, State::Handshake(_)) {
            self.state = State::Over(Over::Failed);
            return Read::Unusable(Unusable::TlsFailed);
        }
        Read::End
    }

    /// How much to read: the rest of a begun record, so that a connection never holds more than one of them.
    fn wanted(&self) -> usize {
        let begun = self.held.get(self.seen..).unwrap_or_default();
        let rest = record_bytes(begun).map_or(0, |whole| whole.saturating_sub(begun.len()));
        rest.clamp(READ_BYTES, TLS_RECORD_BYTES.max(READ_BYTES))
    }

    /// Looks at the first byte of a connection. Returns what was heard if that is not TLS.
    fn begin(&mut self, fresh: &[u8], room: &mut [u8]) -> Option<Read> {
        if self.state != State::Fresh {
            return None;
        }
        if fresh.first() == Some(&HANDSHAKE) {
            self.state = State::Handshake(0);
            return None;
        }
        self.state = State::Foreign;
        let count = fresh.len().min(room.len());
        if let (Some(to), Some(from)) = (room.get_mut(..count), fresh.get(..count)) {
            to.copy_from_slice(from);
        }
        Some(Read::Unusable(Unusable::NotTls { count }))
    }

    /// Takes received bytes. `None` if no record is whole yet.
    fn handle(
        &mut self,
        fresh: &mut [u8],
        room: &mut [u8],
        cipher: &mut [u8],
        is_short: bool,
        socket: &mut impl io::Write,
    ) -> Option<Read> {
        let before = self.state;
        if let State::Handshake(heard) = &mut self.state {
            *heard += fresh.len();
        }
        let mut held = std::mem::take(&mut self.held);
        let is_joined = !held.is_empty();
        if is_joined {
            held.reserve_exact(fresh.len());
            held.extend_from_slice(fresh);
        }
        let bytes = if is_joined { held.as_mut_slice() } else { fresh };
        let records = count_records(bytes, self.seen);
        let mut done = if records.whole > 0 { self.process(bytes, room, cipher) } else { Processed::default() };
        self.held = bytes.get(done.used..).unwrap_or_default().to_vec();
        self.seen = records.end.saturating_sub(done.used);
        held.zeroize();
        if records.is_next_oversized && !done.is_closed && !done.has_failed {
            self.refuse_oversized(&mut done, cipher);
        }
        // What the socket does not take is written later.
        if done.has_output && self.flush(socket).is_err() {
            return Some(Read::Broken);
        }
        if records.whole == 0 && !done.has_failed && !self.is_too_long() {
            return None;
        }
        Some(self.conclude(before, &done, records.whole, is_short))
    }

    /// What was heard, after `records` whole records.
    fn conclude(&mut self, before: State, done: &Processed, records: usize, is_short: bool) -> Read {
        let blank = records.saturating_sub(done.records);
        let is_open = before == State::Open || !self.conn.is_handshaking();
        if before == State::Open {
            self.blank = if done.records > 0 { 0 } else { self.blank + blank };
        } else if is_open {
            self.state = State::Open;
        }
        if done.has_failed || self.is_too_long() || self.blank > TLS_BLANK_RECORDS {
            self.state = State::Over(Over::Failed);
        } else if done.is_closed {
            self.state = State::Over(Over::Ended);
        }
        // An end is told by the next read, behind the plaintext that came before it.
        let is_over = matches!(self.state, State::Over(_));
        if is_over {
            self.held = Vec::new();
        }
        let is_short = is_short && !is_over;
        if before != State::Open {
            if self.state == State::Over(Over::Failed) && done.count == 0 {
                return Read::Unusable(Unusable::TlsFailed);
            }
            return Read::Shaken(Shaken {
                work: if done.has_output && !is_open { self.sign_work } else { TLS_STEP_WORK },
                is_short,
                sealed: self.pending.len(),
                done: is_open.then(|| self.kind()),
                count: done.count,
            });
        }
        match self.state {
            State::Over(Over::Failed) if done.count == 0 => Read::Unusable(Unusable::TlsFailed),
            State::Over(Over::Ended) if done.count == 0 => Read::End,
            State::Over(_) | State::Open | State::Fresh | State::Handshake(_) | State::Finished | State::Foreign => {
                Read::Records { count: done.count, is_short, work: blank * TLS_BLANK_WORK }
            }
        }
    }

    fn kind(&self) -> Handshake {
        match self.conn.handshake_kind() {
            Some(HandshakeKind::Resumed) => Handshake::Resumed,
            Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest) | None => Handshake::Full,
        }
    }

    /// True if the handshake, or a message within it, is longer than any client's.
    fn is_too_long(&self) -> bool {
        let is_long = matches!(self.state, State::Handshake(heard) if heard > TLS_HANDSHAKE_BYTES);
        is_long || self.held.len() > TLS_RECORD_BYTES
    }

    /// A record says that it is longer than records may be. rustls would wait for all of it, unless the length is
    /// impossible: then it refuses the record at once, and makes the alert.
    fn refuse_oversized(&mut self, done: &mut Processed, cipher: &mut [u8]) {
        if self.seen == 0 {
            *done = Processed {
                count: done.count,
                records: done.records,
                ..self.process(&mut { IMPOSSIBLE }, &mut [], cipher)
            };
        }
        done.has_failed = true;
    }

    /// Lets rustls take the records of `bytes`.
    fn process(&mut self, bytes: &mut [u8], room: &mut [u8], cipher: &mut [u8]) -> Processed {
        let mut done = Processed::default();
        loop {
            let UnbufferedStatus { discard, state } =
                self.conn.process_tls_records(bytes.get_mut(done.used..).unwrap_or_default());
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        done.records += 1;
                        let to = room.get_mut(done.count..done.count + record.payload.len());
                        let Some(to) = to else {
                            done.has_failed = true;
                            break;
                        };
                        to.copy_from_slice(record.payload);
                        done.count += record.payload.len();
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    done.has_output = true;
                    match data.encode(cipher) {
                        Ok(count) => self.pending.extend_from_slice(cipher.get(..count).unwrap_or_default()),
                        Err(_) => done.has_failed = true,
                    }
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => done.is_closed = true,
                Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_) | ConnectionState::Closed) => {
                    done.used += discard;
                    return done;
                }
                Ok(_) | Err(_) => done.has_failed = true, // early data is never offered
            }
            done.used += discard;
            if done.has_failed {
                self.take_alert(&mut done, cipher);
                return done;
            }
        }
    }

    /// Takes the alert that says why rustls gave up.
    fn take_alert(&mut self, done: &mut Processed, cipher: &mut [u8]) {
        while self.conn.wants_write() {
            let state = self.conn.process_tls_records(&mut []).state;
            let Ok(ConnectionState::EncodeTlsData(mut data)) = state else { return };
            let Ok(count) = data.encode(cipher) else { return };
            self.pending.extend_from_slice(cipher.get(..count).unwrap_or_default());
            done.has_output = true;
        }
    }

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
        encrypt: impl FnOnce(
            &mut rustls::unbuffered::WriteTraffic<'_, rustls::server::ServerConnectionData>,
            &mut [u8],
        ) -> Option<T>,
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
    fn flush(&mut self, socket: &mut impl io::Write) -> io::Result<()> {
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

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, held, pending, .. } = self;
        write!(f, "Session({state:?}, {} bytes held, {} pending)", held.len(), pending.len())
    }
}

/// Writes once. 0 if the socket takes nothing now.
fn write_once(socket: &mut impl io::Write, bytes: &[u8]) -> io::Result<usize> {
    match socket.write(bytes) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        result => result,
    }
}
