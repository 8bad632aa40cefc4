//! The datagram phase: receives datagrams from members of rooms.

use crate::engine::Phase;
use crate::limits::DATAGRAMS_A_TURN;
use crate::net::reactor::Reactor;

impl Reactor {
    /// Receives datagrams: some per socket and turn, and no more than their share of a turn's work. The socket that is
    /// first changes every turn, so that a flood at one does not starve the others.
    pub(super) fn receive_datagrams(&mut self) {
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
