//! Releases memory left over from a peak: large tables, and what the allocator keeps for the next peak.

use super::Engine;
use super::time::{Millis, NEVER};
use crate::limits::{PEAK_LEAST, PEAK_OVER_MS};

/// The most connections and guests since memory was last released.
#[derive(Debug)]
pub(super) struct HighWater {
    peers: usize,
    /// When memory is released; [`NEVER`] while the peak lasts.
    pub(super) due: Millis,
    /// Tables were trimmed, and the owner of the allocator does not know yet.
    is_trimmed: bool,
}

impl HighWater {
    pub(super) fn new() -> Self {
        Self { peers: 0, due: NEVER, is_trimmed: false }
    }

    /// Notes the current number of connections and guests.
    fn note(&mut self, peers: usize, now: Millis) {
        self.peers = self.peers.max(peers);
        let is_gone = self.peers >= PEAK_LEAST && peers <= self.peers / 2;
        if is_gone && self.due == NEVER {
            self.due = now + PEAK_OVER_MS;
        }
    }
}

impl<S> Engine<S> {
    /// Connections arrived or ended.
    pub(super) fn note_peers(&mut self) {
        self.high_water.note(self.conns.len() + self.datagrams.peers.guests(), self.now);
    }

    /// Releases memory left over from a peak. Connections that came since keep what they need.
    pub(super) fn trim(&mut self) {
        self.high_water = HighWater { is_trimmed: true, ..HighWater::new() };
        self.note_peers();
        self.conns.shrink();
        self.hub.shrink();
        self.cuts.shrink();
        self.shrink_forgets();
        self.pages.shrink();
        self.datagrams.peers.shrink();
        self.logins.allowances.shrink(self.now);
        self.reader.shrink();
        self.writer.shrink();
        self.public.shrink();
        self.closes.shrink_to_fit();
        for list in [&mut self.touched, &mut self.gone] {
            list.shrink_to_fit();
        }
    }

    /// True if tables were trimmed since the last call: the allocator should release what it keeps.
    pub fn poll_trimmed(&mut self) -> bool {
        std::mem::take(&mut self.high_water.is_trimmed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(counts: &[usize], expected: Millis) {
        let mut high_water = HighWater::new();
        for (now, count) in (0..).zip(counts) {
            high_water.note(*count, now);
        }
        assert_eq!(high_water.due, expected, "{counts:?}");
    }

    #[test]
    fn a_crowd_is_gone_when_half_of_it_is() {
        check(&[0, PEAK_LEAST - 1, 0], NEVER);
        check(&[PEAK_LEAST, PEAK_LEAST / 2 + 1], NEVER);
        check(&[PEAK_LEAST, PEAK_LEAST / 2], 1 + PEAK_OVER_MS);
        check(&[PEAK_LEAST, PEAK_LEAST / 2, 0, PEAK_LEAST], 1 + PEAK_OVER_MS);
    }
}
