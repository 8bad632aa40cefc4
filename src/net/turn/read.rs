//! The read phase: reads connections that have input; the engine carries out their lines.

use std::io;

use mio::Events;

use crate::engine::Phase;
use crate::net::reactor::Reactor;

impl Reactor {
    /// Reads until no connection has input, or the turn is full. While receivers wait for broadcasts, it polls again
    /// and reads new input, whose output then goes out in the same writes.
    ///
    /// # Errors
    /// The poll fails.
    pub(super) fn read(&mut self, events: &mut Events) -> io::Result<()> {
        self.engine.begin_phase(Phase::Reads);
        self.read_all();
        while self.engine.may_join() {
            self.look(events)?;
            if events.is_empty() {
                break;
            }
            self.engine.note_joined(events.iter().count());
            self.hand_out(events);
            self.read_all();
        }
        Ok(())
    }

    fn read_all(&mut self) {
        while let Some(to_read) = self.engine.poll_read() {
            let (id, read) = (to_read.id, to_read.socket.read(to_read.room, to_read.is_discarded, &mut self.buffers));
            self.engine.handle_read(id, read);
        }
    }
}
