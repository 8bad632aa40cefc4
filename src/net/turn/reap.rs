//! The reap phase: connections that are over are closed.

use crate::net::conn::Stream;
use crate::net::reactor::Reactor;
use crate::net::sys::sockopt;

impl Reactor {
    /// Closes what is over, and gives memory back when a crowd has gone.
    pub(super) fn reap(&mut self) {
        while let Some(gone) = self.engine.poll_gone() {
            Stream::close(gone);
        }
        if self.engine.poll_trimmed() {
            sockopt::give_memory_back();
        }
    }
}
