//! Pauses: connections that are not read for a time although they are open.

use super::Engine;
use super::conn::{ConnId, Pause};

impl<S> Engine<S> {
    /// Ends a pause: what was held is carried out, and reading goes on.
    pub(super) fn resume(&mut self, id: ConnId) {
        let now = self.now;
        if let Some(conn) = self.conns.find(id) {
            conn.resume(now);
            self.enqueue(id);
            self.touched.push(id);
        }
    }

    /// Ends the pause of a connection if it is due.
    pub(super) fn end_pause(&mut self, id: ConnId) {
        let now = self.now;
        let Some(conn) = self.conns.find(id) else { return };
        match conn.pause {
            Pause::Until { due, .. } if due <= now => self.resume(id),
            Pause::Delay { due, answer, .. } if due <= now => {
                self.resume(id);
                self.on_late(id, answer);
            }
            Pause::None
            | Pause::Checking { .. }
            | Pause::Owing { .. }
            | Pause::Until { .. }
            | Pause::Delay { .. } => {}
        }
    }
}
