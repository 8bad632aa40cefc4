//! The flush phase: writes to each connection with output once.

use crate::engine::Phase;
use crate::net::reactor::Reactor;

impl Reactor {
    /// Writes to connections that have output, and ends the streams of those that have been told everything.
    pub(super) fn flush(&mut self) {
        self.engine.begin_phase(Phase::Writes);
        while let Some(to_write) = self.engine.poll_write() {
            let (id, wrote) = (to_write.id, to_write.socket.write(&to_write.frames, &mut self.buffers));
            self.engine.handle_wrote(id, wrote);
        }
        while let Some((id, stream)) = self.engine.poll_finish() {
            let finished = stream.finish(&mut self.buffers);
            self.engine.handle_finished(id, finished);
        }
    }
}
