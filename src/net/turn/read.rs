//! The read phase: connections with input have their quanta; the engine carries out what they say.

use crate::engine::Phase;
use crate::net::reactor::Reactor;

impl Reactor {
    /// Reads until nobody has input, or the turn is full.
    pub(super) fn read(&mut self) {
        self.engine.begin_phase(Phase::Reads);
        while let Some(to_read) = self.engine.poll_read() {
            let (id, read) = (to_read.id, to_read.socket.read(to_read.room));
            self.engine.handle_read(id, read);
        }
    }
}
