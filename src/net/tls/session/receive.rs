//! Receiving: records in, plaintext out.

use std::io::{self, ErrorKind};

use rustls::HandshakeKind;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use zeroize::Zeroize as _;

use super::{Over, Session, State};
use crate::engine::{Handshake, Read, Shaken, Unusable};
use crate::limits::{
    READ_BYTES, TLS_BLANK_RECORDS, TLS_BLANK_WORK, TLS_HANDSHAKE_BYTES, TLS_RECORD_BYTES, TLS_RECORD_WORK,
    TLS_STEP_WORK,
};
use crate::net::tls::buffers::Buffers;
use crate::net::tls::records::{HANDSHAKE, HEADER_BYTES, count_records, record_bytes};

/// The header of a record that is longer than any.
const IMPOSSIBLE: [u8; HEADER_BYTES] = [HANDSHAKE, 3, 3, 0xff, 0xff];

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
    /// That answers the client, and is not just an alert.
    has_answered: bool,
    /// The client has sent close_notify.
    is_closed: bool,
    /// It gave up.
    has_failed: bool,
}

impl Session {
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
            State::Over(Over::Failed) => return Read::Unusable(Unusable::TlsFailed { work: 0 }),
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
            return Read::Unusable(Unusable::TlsFailed { work: 0 });
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
            let work = if done.has_answered && !is_open { self.sign_work } else { TLS_STEP_WORK };
            if self.state == State::Over(Over::Failed) && done.count == 0 {
                return Read::Unusable(Unusable::TlsFailed { work });
            }
            return Read::Shaken(Shaken {
                work,
                is_short,
                sealed: self.pending.len(),
                done: is_open.then(|| self.kind()),
                count: done.count,
            });
        }
        match self.state {
            State::Over(Over::Failed) if done.count == 0 => {
                Read::Unusable(Unusable::TlsFailed { work: blank * TLS_BLANK_WORK })
            }
            State::Over(Over::Ended) if done.count == 0 => Read::End,
            State::Over(_) | State::Open | State::Fresh | State::Handshake(_) | State::Finished | State::Foreign => {
                let work = done.records * TLS_RECORD_WORK + blank * TLS_BLANK_WORK;
                Read::Records { count: done.count, is_short, work }
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
                has_answered: done.has_answered,
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
                    (done.has_output, done.has_answered) = (true, true);
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

    /// Takes the alert that says why rustls gave up, and what it had to send before.
    fn take_alert(&mut self, done: &mut Processed, cipher: &mut [u8]) {
        while self.conn.wants_write() {
            let state = self.conn.process_tls_records(&mut []).state;
            let Ok(ConnectionState::EncodeTlsData(mut data)) = state else { return };
            let Ok(count) = data.encode(cipher) else { return };
            self.pending.extend_from_slice(cipher.get(..count).unwrap_or_default());
            done.has_answered |= done.has_output; // the alert is the last
            done.has_output = true;
        }
    }
}
