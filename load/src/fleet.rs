//! Thousands of connections on one thread, and their poll.
//!
//! Polling is edge-triggered: a socket is read until it is empty, or it stays in `unread`, and then the poll does not
//! sleep. Nothing here knows what the lines mean; the caller provides a [`Handler`].

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use super::conn::{Conn, Outbox, Progress};
use super::line::Line;
use super::pacer::Pacer;
use super::speech::Speech;
use super::tls::{Handshake, Settings, Tls};
use super::web::Masks;

/// The most events of a poll.
const EVENTS: usize = 4096;
/// The size of a read.
const SCRATCH_BYTES: usize = 64 * 1024;
/// The connections from one address of this machine. The kernel gives each a port, and searches longer the more are
/// taken: from 14,000 on, connecting would take longer than the login.
const CONNECTIONS_AN_ADDRESS: usize = 8_000;
/// The longest sleep, so that a Ctrl-C just before it is noticed.
const SLEEP: Duration = Duration::from_millis(50);
/// The timer's token; no connection has it.
const PACER: Token = Token(usize::MAX);

/// The handler of the fleet's events. Times are nanoseconds since the fleet was created.
pub(super) trait Handler {
    /// Takes a line of a connection. The content of `out` is sent.
    fn handle_line(&mut self, who: usize, line: Line<'_>, now: u64, out: &mut Outbox);
    /// A connection is over, and why.
    fn handle_end(&mut self, who: usize, why: String);
}

/// The handshakes of TLS so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Handshakes {
    /// With the server's certificate.
    pub(super) full: u64,
    /// By a ticket.
    pub(super) resumed: u64,
    /// When the last one was done.
    pub(super) last: u64,
}

/// How connections reach the server.
pub(super) struct Way {
    /// The server's address.
    pub(super) addr: SocketAddr,
    /// The encryption, if there is any.
    pub(super) tls: Option<Settings>,
    /// The request for a WebSocket, if the connections are such.
    pub(super) request: Option<Vec<u8>>,
    /// What is spoken.
    pub(super) speech: Speech,
}

/// All connections of a run.
pub(super) struct Fleet {
    poll: Poll,
    events: Events,
    pacer: Pacer,
    way: Way,
    handshakes: Handshakes,
    conns: Vec<Option<Conn>>,
    scratch: Vec<u8>,
    /// Connections with input that no event will report again.
    unread: Vec<usize>,
    begun: Instant,
    slept: Duration,
}

impl Fleet {
    /// A fleet of `size` connections by this way, none of them open yet.
    ///
    /// # Errors
    /// System errors.
    pub(super) fn new(way: Way, size: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let pacer = Pacer::new(poll.registry(), PACER)?;
        let conns = std::iter::repeat_with(|| None).take(size).collect();
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS),
            pacer,
            way,
            handshakes: Handshakes::default(),
            conns,
            scratch: vec![0; SCRATCH_BYTES],
            unread: Vec::new(),
            begun: Instant::now(),
            slept: Duration::ZERO,
        })
    }

    /// Nanoseconds since the fleet was created.
    pub(super) fn now(&self) -> u64 {
        nanos(self.begun.elapsed())
    }

    /// How many of them the fleet has slept.
    pub(super) fn slept(&self) -> u64 {
        nanos(self.slept)
    }

    /// Starts to connect. The handler gets the result.
    ///
    /// # Errors
    /// System errors: no descriptors or local ports are left.
    pub(super) fn connect(&mut self, who: usize) -> io::Result<()> {
        self.connect_as(who, who)
    }

    /// Starts to connect in the place of a connection that is closed. This is the n-th connection in all.
    ///
    /// # Errors
    /// System errors: no descriptors or local ports are left.
    pub(super) fn connect_as(&mut self, who: usize, n: usize) -> io::Result<()> {
        let Way { addr, tls, request, speech } = &self.way;
        let tls = tls.as_ref().map(Tls::new).transpose().map_err(io::Error::other)?;
        let request = request.as_ref().map(|request| (request.as_slice(), Masks::new(n)));
        let mut conn = Conn::connect(*addr, source(*addr, n), tls, request, *speech)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(conn.stream_mut(), Token(who), interest)?;
        if let Some(slot) = self.conns.get_mut(who) {
            *slot = Some(conn);
        }
        Ok(())
    }

    /// What its connections speak.
    pub(super) fn speech(&self) -> Speech {
        self.way.speech
    }

    /// The handshakes of TLS so far.
    pub(super) fn handshakes(&self) -> Handshakes {
        self.handshakes
    }

    /// Closes a connection. The handler is not told.
    pub(super) fn close(&mut self, who: usize) {
        if let Some(slot) = self.conns.get_mut(who) {
            *slot = None;
        }
    }

    /// Whether a connection is open, or being opened.
    pub(super) fn is_open(&self, who: usize) -> bool {
        self.conns.get(who).is_some_and(Option::is_some)
    }

    /// How many are open, or being opened.
    pub(super) fn open(&self) -> usize {
        self.conns.iter().flatten().count()
    }

    /// The outbox of a connection, if it is open. [Flush](Fleet::flush) it afterwards.
    pub(super) fn outbox(&mut self, who: usize) -> Option<&mut Outbox> {
        self.conns.get_mut(who)?.as_mut().map(Conn::outbox)
    }

    /// Sends a connection's output. If that fails, the next turn reports why.
    pub(super) fn flush(&mut self, who: usize) {
        if let Some(Some(conn)) = self.conns.get_mut(who)
            && conn.flush().is_err()
        {
            self.unread.push(who);
        }
    }

    /// Waits for events until `until`, and passes them to the handler. May return earlier, without any.
    ///
    /// # Errors
    /// System errors.
    pub(super) fn turn(&mut self, until: u64, handler: &mut impl Handler) -> io::Result<()> {
        let now = self.now();
        let wait = if self.unread.is_empty() { until.saturating_sub(now) } else { 0 };
        let sleep = if wait == 0 {
            Duration::ZERO
        } else {
            if u128::from(wait) < SLEEP.as_nanos() {
                self.pacer.arm(wait)?;
            }
            SLEEP
        };
        let before = Instant::now();
        match self.poll.poll(&mut self.events, Some(sleep)) {
            // A signal; the caller checks for it.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        if !sleep.is_zero() {
            self.slept += before.elapsed();
        }
        for who in std::mem::take(&mut self.unread) {
            self.read(who, true, handler);
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in events.iter().filter(|event| event.token() != PACER) {
            let Token(who) = event.token();
            if event.is_writable() {
                self.flush(who);
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                self.read(who, event.is_read_closed() || event.is_error(), handler);
            }
        }
        self.events = events;
        Ok(())
    }

    fn read(&mut self, who: usize, is_closing: bool, handler: &mut impl Handler) {
        let Some(slot) = self.conns.get_mut(who) else { return };
        let Some(conn) = slot else { return };
        let clock = || nanos(self.begun.elapsed());
        let speech = self.way.speech;
        let progress = conn.read(&mut self.scratch, is_closing, clock, |line, now, out| {
            handler.handle_line(who, speech.parse(line), now, out);
        });
        if let Some(handshake) = conn.take_handshake() {
            match handshake {
                Handshake::Full => self.handshakes.full += 1,
                Handshake::Resumed => self.handshakes.resumed += 1,
            }
            self.handshakes.last = clock();
        }
        match progress {
            Progress::Drained => self.flush(who),
            Progress::More => {
                self.flush(who);
                self.unread.push(who);
            }
            Progress::Ended(why) => {
                *slot = None;
                handler.handle_end(who, why);
            }
        }
    }
}

/// The source address of the n-th connection; `None` leaves it to the kernel. Only loopback has addresses to spare: all
/// that begin with 127.
fn source(addr: SocketAddr, who: usize) -> Option<IpAddr> {
    let IpAddr::V4(v4) = addr.ip() else { return None };
    let further =
        u8::try_from(who / CONNECTIONS_AN_ADDRESS).ok().filter(|n| (1..=200).contains(n) && v4.is_loopback())?;
    Some(IpAddr::V4(Ipv4Addr::new(127, 0, 1, further)))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(addr: &str, who: usize, expected: Option<&str>) {
        let found = source(addr.parse().unwrap(), who).map(|ip| ip.to_string());
        assert_eq!(found.as_deref(), expected, "{addr} {who}");
    }

    #[test]
    fn connections_use_several_local_addresses() {
        check("127.0.0.1:5015", 7_999, None);
        check("127.0.0.1:5015", 8_000, Some("127.0.1.1"));
        check("127.0.0.1:5015", 19_000, Some("127.0.1.2"));
        check("127.0.0.1:5015", usize::MAX, None);
        check("[::1]:5015", 8_000, None);
        check("192.0.2.1:5015", 8_000, None);
    }
}
