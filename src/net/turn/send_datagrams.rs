//! Sends the datagrams that the turn has queued.

use crate::net::reactor::Reactor;

impl Reactor {
    /// Sends queued datagrams, as far as the kernel takes them.
    pub(super) fn send_datagrams(&mut self) {
        while let Some((place, queue)) = self.engine.poll_datagrams() {
            let sent = self.datagrams.send(place, queue);
            self.engine.handle_sent(place, sent);
        }
    }
}
