//! The read phase: reads connections that have input; the engine carries out their lines.

use crate::engine::Phase;
use crate::net::reactor::Reactor;

impl Reactor {
    /// Reads until there is no input, or the turn is full.
    pub(super) fn read(&mut self) {
        self.engine.begin_phase(Phase::Reads);
        while let Some(to_read) = self.engine.poll_read() {
            let (id, read) = (to_read.id, to_read.socket.read(to_read.room));
            self.engine.handle_read(id, read);
        }
    }
}
