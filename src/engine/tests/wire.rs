//! A virtual socket: the bytes that kernel and network hold between the server and one client.

use super::socket::WebSocket;
use crate::engine::{
    ConnId, Finished, Frames, Handshake, InFlight, Millis, NEVER, Path, Read, Ready, Shaken, Why, Wrote,
};

/// One connection, with both of its ends.
#[derive(Debug)]
pub(super) struct Wire {
    /// The engine's id, from the accept until the close.
    pub(super) id: Option<ConnId>,
    /// Bytes that the server may read; those before `up_at` are read.
    up: Vec<u8>,
    up_at: usize,
    /// The client has ended its stream.
    up_end: bool,
    /// The connection is broken.
    pub(super) is_broken: bool,
    /// Bytes that the server has written; those before `down_at` are read by the client.
    down: Vec<u8>,
    down_at: usize,
    /// The server has ended its stream.
    down_end: bool,
    /// How many unread bytes fit between the server and the client.
    pub(super) capacity: usize,
    /// How many of them fit on the client's side, where they are acknowledged.
    window: usize,
    /// A write came back short: the poll reports when there is room again.
    wants_room: bool,
    /// Readiness that the poll has not reported yet.
    pub(super) news: Ready,
    /// True if the world's list of news contains this wire.
    pub(super) has_news: bool,
    /// Set when the server has closed its socket; true for a reset.
    pub(super) closed: Option<bool>,
    /// Bytes that were not acknowledged when the connection broke: the kernel still tells them.
    unacknowledged: u32,
    /// When the client's machine vanished: nothing is acknowledged any more.
    pub(super) vanished_at: Millis,
    /// When the server last wrote.
    wrote_at: Millis,
    /// Bytes that the server has written so far.
    pub(super) written: u64,
    /// The stream's TLS.
    pub(super) tls: Option<Tls>,
    /// Its client comes by the web door.
    pub(super) web: Option<WebSocket>,
}

/// The TLS of a virtual stream: its ciphertext is the plaintext.
#[derive(Debug, Default)]
pub(super) struct Tls {
    /// The handshake is done.
    is_open: bool,
    /// Ciphertext that the kernel has not taken.
    kept: Vec<u8>,
    /// Bytes of the ending that the kernel has not taken; `None` before the end.
    ending: Option<usize>,
}

/// The size of an ending, and of the longest record.
const ENDING_BYTES: usize = 24;
const RECORD_BYTES: usize = 16 * 1024;

impl Wire {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            id: None,
            up: Vec::new(),
            up_at: 0,
            up_end: false,
            is_broken: false,
            down: Vec::new(),
            down_at: 0,
            down_end: false,
            capacity,
            window: capacity / 2,
            wants_room: false,
            news: Ready::default(),
            has_news: false,
            closed: None,
            unacknowledged: 0,
            vanished_at: NEVER,
            wrote_at: 0,
            written: 0,
            tls: None,
            web: None,
        }
    }

    /// Bytes of ciphertext that wait.
    pub(super) fn sealed(&self) -> usize {
        self.tls.as_ref().map_or(0, |tls| tls.kept.len() + tls.ending.unwrap_or_default())
    }

    /// One read of the server.
    pub(super) fn read(&mut self, room: &mut [u8]) -> Read {
        let there = &self.up[self.up_at..];
        if self.is_broken {
            return Read::Broken;
        }
        let is_tls = self.tls.is_some();
        if let Some(tls) = &mut self.tls
            && !std::mem::replace(&mut tls.is_open, true)
        {
            let is_short = there.is_empty() && !self.up_end;
            return Read::Shaken(Shaken { work: 4000, is_short, done: Some(Handshake::Full), ..Shaken::default() });
        }
        if there.is_empty() {
            return if self.up_end { Read::End } else { Read::Nothing };
        }
        let count = there.len().min(room.len());
        room[..count].copy_from_slice(&there[..count]);
        self.up_at += count;
        if self.up_at == self.up.len() {
            self.up.clear();
            self.up_at = 0;
        }
        let is_short = count < room.len();
        if is_tls { Read::Records { count, is_short, work: 10 } } else { Read::Bytes { count, is_short } }
    }

    /// One write of the server. The kernel takes at most `most` bytes of it.
    pub(super) fn write(&mut self, frames: &Frames<'_>, most: usize, now: Millis) -> Wrote {
        assert!(self.closed.is_none() && !self.down_end, "a write to a stream that has ended");
        if self.is_broken {
            return Wrote::Broken;
        }
        if self.tls.is_some() {
            return self.seal(frames, most, now);
        }
        let offered = frames.len();
        assert!(offered > 0, "a write of nothing");
        let mut left = offered.min(most).min(self.capacity.saturating_sub(self.held()));
        let count = left;
        let mut add = |bytes: &[u8]| {
            let part = left.min(bytes.len());
            self.down.extend_from_slice(&bytes[..part]);
            left -= part;
        };
        match frames {
            Frames::One(bytes) => add(bytes),
            Frames::Many(slices) => slices.iter().for_each(|slice| add(slice)),
        }
        self.wrote_at = now;
        self.written += count as u64;
        self.wants_room |= count < offered;
        Wrote::Bytes { count, is_short: count < offered }
    }

    /// One write of a record, after what is kept.
    fn seal(&mut self, frames: &Frames<'_>, most: usize, now: Millis) -> Wrote {
        let bytes = match frames {
            Frames::One(bytes) => bytes.to_vec(),
            Frames::Many(slices) => slices.iter().flat_map(|slice| slice.to_vec()).collect(),
        };
        assert!(!bytes.is_empty() || self.sealed() > 0, "a write of nothing");
        let mut room = most.min(self.capacity.saturating_sub(self.held()));
        let Some(tls) = &mut self.tls else { unreachable!() };
        if room > 0 {
            tls.ending = tls.ending.map(|_| 0);
        }
        let rest = std::mem::take(&mut tls.kept);
        let taken = room.min(rest.len());
        room -= taken;
        tls.kept = rest[taken..].to_vec();
        self.down.extend_from_slice(&rest[..taken]);
        self.written += taken as u64;
        let mut count = 0;
        if tls.kept.is_empty() {
            count = bytes.len().min(RECORD_BYTES);
            let taken = room.min(count);
            tls.kept = bytes[taken..count].to_vec();
            self.down.extend_from_slice(&bytes[..taken]);
            self.written += taken as u64;
        }
        self.wrote_at = now;
        match self.sealed() {
            0 => Wrote::Bytes { count, is_short: false },
            sealed => {
                self.wants_room = true;
                Wrote::Sealed { count, sealed }
            }
        }
    }

    /// After a write that was short although there was room: the poll reports room at once.
    pub(super) fn take_up_slack(&mut self) {
        if self.wants_room && self.held() < self.capacity {
            self.wants_room = false;
            self.news.is_writable = true;
        }
    }

    /// The server ends its stream.
    pub(super) fn finish(&mut self) -> Finished {
        assert!(!self.down_end, "a stream ends once");
        let is_full = self.held() >= self.capacity;
        if let Some(tls) = &mut self.tls {
            assert!(tls.kept.is_empty(), "an end before the rest of a record");
            if is_full && tls.ending.is_none() {
                tls.ending = Some(ENDING_BYTES);
                self.wants_room = true;
                return Finished::Sealed { sealed: ENDING_BYTES };
            }
        }
        self.down_end = true;
        if self.is_broken { Finished::Failed } else { Finished::Done }
    }

    /// The kernel's figures.
    pub(super) fn in_flight(&self, why: Why, now: Millis) -> InFlight {
        let fin = u32::from(self.down_end);
        if self.is_broken {
            return InFlight { unacknowledged: Some(self.unacknowledged), path: None };
        }
        if self.vanished_at != NEVER {
            let path = (why == Why::Liveness && self.held() > 0).then(|| Path {
                is_in_flight: true,
                probes: 0,
                sent_ms: ((now - self.wrote_at) % 7_000) as u32,
                acknowledged_ms: (now - self.vanished_at).max(8_000) as u32,
            });
            return InFlight { unacknowledged: Some(self.held() as u32 + fin), path };
        }
        let unacknowledged = self.held().saturating_sub(self.window) as u32;
        // The end is acknowledged when the bytes before it are.
        let unacknowledged = unacknowledged + if unacknowledged > 0 { fin } else { 0 };
        let path = (why == Why::Liveness && unacknowledged > 0).then_some(Path {
            is_in_flight: false,
            probes: 0,
            sent_ms: 60_000,
            acknowledged_ms: 59_000,
        });
        InFlight { unacknowledged: Some(unacknowledged), path }
    }

    /// Bytes that the client has not read.
    pub(super) fn held(&self) -> usize {
        self.down.len() - self.down_at
    }

    /// True if the server waits for room.
    pub(super) fn is_blocked(&self) -> bool {
        self.wants_room
    }

    /// The client sends.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.up.extend_from_slice(bytes);
        self.news.is_readable = true;
    }

    /// The client ends its stream.
    pub(super) fn end(&mut self) {
        self.up_end = true;
        self.news.is_readable = true;
        self.news.is_ending = true;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.up_end
    }

    /// The client breaks the connection. What was on its way is lost.
    pub(super) fn break_off(&mut self) {
        self.unacknowledged = self.held().saturating_sub(self.window) as u32;
        self.is_broken = true;
        self.news = Ready { is_broken: true, is_ending: true, is_readable: true, is_writable: true };
        self.drop_down();
    }

    /// What was on its way to the client is lost.
    pub(super) fn drop_down(&mut self) {
        self.down.clear();
        self.down_at = 0;
    }

    /// The client reads at most `most` bytes.
    pub(super) fn take(&mut self, most: usize, into: &mut Vec<u8>) -> usize {
        let count = self.held().min(most);
        let bytes = &self.down[self.down_at..self.down_at + count];
        match &mut self.web {
            Some(web) => web.read(bytes, into),
            None => into.extend_from_slice(bytes),
        }
        self.down_at += count;
        if self.down_at == self.down.len() || self.down_at > self.capacity {
            self.down.drain(..self.down_at);
            self.down_at = 0;
        }
        if self.wants_room && self.held() * 3 <= self.capacity * 2 {
            self.wants_room = false;
            self.news.is_writable = true;
        }
        count
    }

    /// True if the client has read all that it will ever get.
    pub(super) fn is_at_end(&self) -> bool {
        self.held() == 0 && (self.down_end || self.closed.is_some())
    }

    /// The server refuses the connection with this answer.
    pub(super) fn refuse(&mut self, answer: &[u8]) {
        self.down.extend_from_slice(answer);
        self.closed = Some(false);
    }

    /// The bytes that the client has sent before the server refuses it.
    pub(super) fn heard(&self) -> &[u8] {
        &self.up[self.up_at..]
    }
}
