//! The reap phase: closes the sockets of connections that have ended.

use crate::engine::Why;
use crate::net::conn::Stream;
use crate::net::reactor::Reactor;
use crate::net::sys::sockopt;

impl Reactor {
    /// Closes sockets, and releases memory left over from a peak.
    pub(super) fn reap(&mut self) {
        while let Some(mut gone) = self.engine.poll_gone() {
            if let Some(look) = gone.last_look.take() {
                self.engine.handle_last_look(look, gone.socket.in_flight(Why::Floor));
            }
            Stream::close(gone);
        }
        if self.engine.poll_trimmed() {
            sockopt::give_memory_back();
        }
    }
}
