//! The datagram phase: what members of rooms send over UDP.

use crate::engine::Phase;
use crate::limits::DATAGRAMS_A_TURN;
use crate::net::reactor::Reactor;

impl Reactor {
    /// Takes datagrams, some from each socket a turn, and no more than their share of what a turn may cost. The sockets
    /// take turns at being first, so that a flood at one keeps no other waiting.
    pub(super) fn take_datagrams(&mut self) {
        self.engine.begin_phase(Phase::Datagrams);
        for place in self.datagrams.places() {
            for _ in 0..DATAGRAMS_A_TURN {
                if !self.engine.has_share_left() {
                    break;
                }
                let Some((bytes, from)) = self.datagrams.receive(place) else { break };
                self.engine.handle_datagram(place, from, bytes);
            }
        }
    }
}
