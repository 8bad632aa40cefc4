//! The probe phase: the engine asks what the kernel still holds for a peer.

use crate::net::reactor::Reactor;

impl Reactor {
    /// Answers the engine's questions about sockets.
    pub(super) fn probe(&mut self) {
        while let Some((probe, stream)) = self.engine.poll_probe() {
            let in_flight = stream.in_flight(probe.why);
            self.engine.handle_probe(probe, in_flight);
        }
    }
}
