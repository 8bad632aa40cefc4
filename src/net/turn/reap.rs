//! The reap phase: closes the sockets of connections that have ended.

use crate::net::conn::Stream;
use crate::net::reactor::Reactor;
use crate::net::sys::sockopt;

impl Reactor {
    /// Closes sockets, and releases memory left over from a peak.
    pub(super) fn reap(&mut self) {
        while let Some(gone) = self.engine.poll_gone() {
            Stream::close(gone);
        }
        if self.engine.poll_trimmed() {
            sockopt::give_memory_back();
        }
    }
}
