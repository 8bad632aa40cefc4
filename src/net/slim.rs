//! What a crowd has needed is given back some time after it has gone: tables that it made large, and what the allocator
//! keeps for the next one.

use super::clock::{Millis, NEVER};
use super::kernel;
use super::reactor::Reactor;
use crate::limits::{CROWD_GONE_MS, CROWD_LEAST};

/// How many there were, and when that is looked at.
#[derive(Debug)]
pub(super) struct Crest {
    peers: usize,
    /// When memory is given back; [`NEVER`] while nobody has gone.
    pub(super) due: Millis,
}

impl Crest {
    pub(super) fn new() -> Self {
        Self { peers: 0, due: NEVER }
    }

    /// So many connections and guests are there now.
    fn note(&mut self, peers: usize, now: Millis) {
        self.peers = self.peers.max(peers);
        let is_gone = self.peers >= CROWD_LEAST && peers <= self.peers / 2;
        if is_gone && self.due == NEVER {
            self.due = now + CROWD_GONE_MS;
        }
    }
}

impl Reactor {
    /// At the end of a turn in which somebody came or went.
    pub(super) fn note_crest(&mut self) {
        self.crest.note(self.conns.len() + self.relay.ears.guests(), self.clock.now);
    }

    /// Gives back what those have needed who are gone. Who has come in their place keeps it: it is needed.
    pub(super) fn slim(&mut self) {
        self.crest = Crest::new();
        self.note_crest();
        self.conns.shrink();
        self.hub.shrink();
        self.pages.shrink();
        self.relay.ears.shrink();
        self.allowances.shrink(self.clock.now);
        self.condemned.shrink_to_fit();
        for queue in [&mut self.run_queue, &mut self.crowd] {
            queue.shrink_to_fit();
        }
        for list in [&mut self.urgent, &mut self.touched, &mut self.doomed] {
            list.shrink_to_fit();
        }
        kernel::give_memory_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(counts: &[usize], expected: Millis) {
        let mut crest = Crest::new();
        for (now, count) in (0..).zip(counts) {
            crest.note(*count, now);
        }
        assert_eq!(crest.due, expected, "{counts:?}");
    }

    #[test]
    fn a_crowd_is_gone_when_half_of_it_is() {
        check(&[0, CROWD_LEAST - 1, 0], NEVER);
        check(&[CROWD_LEAST, CROWD_LEAST / 2 + 1], NEVER);
        check(&[CROWD_LEAST, CROWD_LEAST / 2], 1 + CROWD_GONE_MS);
        check(&[CROWD_LEAST, CROWD_LEAST / 2, 0, CROWD_LEAST], 1 + CROWD_GONE_MS);
    }
}
