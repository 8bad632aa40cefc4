//! The accept phase: accepts waiting connections, or refuses them with a reason.

use std::io;

use crate::door::operator::refuse_stranger;
use crate::engine::{Part, Phase, Refusal, State, Subject};
use crate::limits::{ACCEPT_RETRY_MS, ACCEPTS_A_TURN};
use crate::net::accept::{Accepted, Peer};
use crate::net::conn::Stream;
use crate::net::reactor::Reactor;
use crate::net::settings::Service;
use crate::net::sys::token::Source;

/// How much of what a refused peer has sent is examined, in bytes.
const HEARD_BYTES: usize = 64 * 1024;

impl Reactor {
    /// Accepts connections: some per listener and turn, and no more than their share of a turn's work. The listener
    /// that is first changes every turn.
    pub(super) fn accept(&mut self) {
        self.engine.begin_phase(Phase::Accepts);
        if self.engine.is_ending() {
            self.listeners.close_for_users();
        }
        for place in self.listeners.places() {
            for _ in 0..ACCEPTS_A_TURN {
                // A listener that is not drained stays ready, so the next turn continues.
                if !self.engine.has_share_left() || !self.accept_one(place) {
                    break;
                }
            }
        }
    }

    /// Accepts one connection. False if none waits, or accepting fails.
    fn accept_one(&mut self, place: usize) -> bool {
        match self.listeners.accept(place) {
            Accepted::Peer(peer) => {
                self.on_accepting();
                self.admit(peer);
                true
            }
            Accepted::Aborted => true,
            Accepted::Nobody => {
                self.on_accepting(); // the kernel allocates a descriptor before it looks for a connection
                false
            }
            Accepted::NotReady => false,
            Accepted::Failed { error, is_shortage } => {
                self.on_failing(&error, is_shortage);
                // Any other error may concern one peer only, and is no reason to refuse the others.
                if is_shortage {
                    self.refuse_all(place);
                }
                self.listeners.rest(place, self.clock.now);
                false
            }
        }
    }

    fn admit(&mut self, peer: Peer) {
        if peer.endpoint.service == Service::Operator && !peer.socket.is_of_operator() {
            return self.refuse_stranger(peer);
        }
        let entrance = peer.endpoint.entrance;
        let door = peer.endpoint.service.door(peer.place, &self.engine.settings().irc);
        match self.engine.admit(peer.origin, door, entrance) {
            Ok(admitted) => {
                let session = peer.acceptor.map(|acceptor| acceptor.session());
                if matches!(session, Some(None)) {
                    return self.engine.handle_unwatched(admitted, &"there is no randomness for TLS");
                }
                let mut stream = Stream::new(peer.socket, entrance.takes_proxy, session.flatten());
                match stream.register(self.poll.registry(), Source::Connection(admitted.id()).token()) {
                    Ok(()) => self.engine.handle_accept(admitted, stream),
                    Err(error) => self.engine.handle_unwatched(admitted, &error),
                }
            }
            Err(refusal) => self.refuse(peer, refusal),
        }
    }

    /// Tells a peer that it is refused, as far as the socket accepts it at once, and closes. By TLS it is not told: that
    /// would take a handshake.
    fn refuse(&mut self, peer: Peer, refusal: Refusal) {
        let Peer { mut socket, origin, endpoint, place, .. } = peer;
        // The bytes that the peer has sent are read and discarded: unread input would turn the close into a reset, which
        // can overtake the reply. The loop does not wait for the peer, and a failure of these calls has no effect.
        let mut heard = [0; HEARD_BYTES];
        let count = socket.read(&mut heard).unwrap_or(0);
        let door = endpoint.service.door(place, &self.engine.settings().irc);
        let answer = self.engine.refuse(origin, door, refusal, heard.get(..count).unwrap_or_default());
        if !endpoint.entrance.is_tls {
            let _ = socket.write(&answer);
        }
        let _ = socket.shutdown();
    }

    /// Another user has come to the operator's socket.
    fn refuse_stranger(&mut self, peer: Peer) {
        let line = "another user at the operator's socket was not let in".to_owned();
        self.engine.log_peer(Subject::Refused("operator"), None, |_| line);
        let mut socket = peer.socket;
        let mut answer = Vec::new();
        refuse_stranger(&mut answer);
        let _ = socket.write(&answer);
        let _ = socket.shutdown();
    }

    /// Refuses the peers that wait at a listener, with the spare descriptor.
    fn refuse_all(&mut self, place: usize) {
        for _ in 0..ACCEPTS_A_TURN {
            let Some(peer) = self.listeners.accept_by_spare(place) else { break };
            self.refuse(peer, Refusal::FULL);
            self.listeners.refill_spare();
        }
        self.listeners.refill_spare();
    }

    /// There are descriptors (again).
    fn on_accepting(&mut self) {
        self.engine.handle_part(Part::Descriptors, State::Well);
        if self.listeners.note_success() {
            let line = "connections are accepted again".to_owned();
            self.engine.log_peer(Subject::AcceptsAgain, None, |_| line);
        }
    }

    fn on_failing(&mut self, error: &io::Error, is_shortage: bool) {
        if is_shortage {
            self.engine.handle_part(Part::Descriptors, State::Ill(error.to_string().into()));
        }
        if self.listeners.note_failure() {
            let line = format!("cannot accept connections: {error}; tried again every {ACCEPT_RETRY_MS} ms");
            self.engine.log_peer(Subject::CannotAccept, None, |_| line);
        }
    }
}
