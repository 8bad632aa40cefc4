//! The accept phase: connections that wait at the listeners come in, or are told why not.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Shutdown};

use mio::net::TcpStream;

use crate::engine::{Phase, Refusal, Subject};
use crate::limits::{ACCEPT_RETRY_MS, ACCEPTS_A_TURN};
use crate::net::accept::Accepted;
use crate::net::conn::Stream;
use crate::net::reactor::Reactor;
use crate::net::settings::Service;
use crate::net::sys::token::Source;

/// As much of what a refused peer has said already as is looked at, in bytes.
const HEARD_BYTES: usize = 8192;

impl Reactor {
    /// Takes connections, some of each listener a turn, and no more than their share of what a turn may cost. The
    /// listeners take turns at being first.
    pub(super) fn accept(&mut self) {
        self.engine.begin_phase(Phase::Accepts);
        if self.engine.is_ending() {
            self.listeners.close();
        }
        for place in self.listeners.places() {
            for _ in 0..ACCEPTS_A_TURN {
                // A listener that is not drained stays ready, so the next turn goes on.
                if !self.engine.has_share_left() || !self.accept_one(place) {
                    break;
                }
            }
        }
    }

    /// Takes one connection. False when none waits, or accepting fails.
    fn accept_one(&mut self, place: usize) -> bool {
        match self.listeners.accept(place) {
            Accepted::Peer(stream, ip, service) => {
                self.on_accepting();
                self.admit(stream, ip, service);
                true
            }
            Accepted::Aborted => true,
            Accepted::Nobody => {
                self.on_accepting(); // the kernel finds a descriptor before it looks who waits
                false
            }
            Accepted::NotReady => false,
            Accepted::Failed { error, is_shortage } => {
                self.on_failing(&error);
                // Any other error may be that of one peer, and no reason to send away the others.
                if is_shortage {
                    self.refuse_all(place);
                }
                self.listeners.rest(place, self.clock.now);
                false
            }
        }
    }

    fn admit(&mut self, stream: TcpStream, ip: IpAddr, service: Service) {
        match self.engine.admit(ip, service.door()) {
            Ok(admitted) => {
                let mut stream = Stream::Plain(stream);
                match stream.register(self.poll.registry(), Source::Connection(admitted.id()).token()) {
                    Ok(()) => self.engine.handle_accept(admitted, stream),
                    Err(error) => self.engine.handle_unwatched(admitted, &error),
                }
            }
            Err(refusal) => self.refuse(stream, ip, service, refusal),
        }
    }

    /// Tells a peer that it is not let in, as far as it can be told at once, and closes.
    fn refuse(&mut self, mut stream: TcpStream, ip: IpAddr, service: Service, refusal: Refusal) {
        // Whatever it has said already is read away: unread input would turn the close into a reset, which can
        // overtake the answer. Nothing waits for the peer, and nobody can be told if these calls fail.
        let mut heard = [0; HEARD_BYTES];
        let count = stream.read(&mut heard).unwrap_or(0);
        let answer = self.engine.refuse(ip, service.door(), refusal, heard.get(..count).unwrap_or_default());
        let _ = stream.write(&answer);
        let _ = stream.shutdown(Shutdown::Write);
    }

    /// Refuses whoever waits at a listener, by means of the spare descriptor.
    fn refuse_all(&mut self, place: usize) {
        for _ in 0..ACCEPTS_A_TURN {
            let Some((stream, ip, service)) = self.listeners.accept_by_spare(place) else { break };
            self.refuse(stream, ip, service, Refusal::FULL);
            self.listeners.refill_spare();
        }
        self.listeners.refill_spare();
    }

    /// There are descriptors (again).
    fn on_accepting(&mut self) {
        if self.listeners.note_success() {
            let line = "connections are accepted again".to_owned();
            self.engine.log_peer(Subject::AcceptsAgain, None, |_| line);
        }
    }

    fn on_failing(&mut self, error: &io::Error) {
        if self.listeners.note_failure() {
            let line = format!("cannot accept connections: {error}; tried again every {ACCEPT_RETRY_MS} ms");
            self.engine.log_peer(Subject::CannotAccept, None, |_| line);
        }
    }
}
