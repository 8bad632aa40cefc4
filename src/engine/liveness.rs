//! Detection of peers that vanish while data is in flight to them.
//!
//! The kernel's keepalive covers idle connections. For the others Linux has TCP_USER_TIMEOUT (RFC 5482), but that also
//! closes a connection whose client is alive and has stopped reading, such as a pager that waits for its user: a window
//! that stays closed for that long counts as a dead peer, although every probe is answered (`tcp_probe_timer` in
//! net/ipv4/tcp_timer.c). So every 15 s the loop checks the connections that have not acknowledged everything. A peer
//! has vanished if six checks in a row find that it answered nothing.

use super::Engine;
use super::id::ConnId;
use super::io::{InFlight, Path, Probe, Why};
use super::life::End;
use super::log_limit::Subject;
use super::time::{Millis, NEVER, seconds};
use crate::limits::{LIVENESS_EVERY_S, LIVENESS_PROBES, LIVENESS_QUIET_MS};

/// The checks of one connection, in 32 bits, since every connection has them: the lowest [`COUNT_BITS`] are the number of
/// checks in a row that found no answer, the others the second of the loop's clock at which to check next. That second
/// is 0 while everything is acknowledged; it lasts for 17 years.
#[derive(Debug, Default)]
pub(super) struct Liveness(u32);

/// Bits of the number of unanswered checks.
const COUNT_BITS: u32 = 3;
const _: () = assert!((LIVENESS_PROBES as u32) < 1 << COUNT_BITS);

impl Liveness {
    fn new(due_s: u32, unanswered: u8) -> Self {
        Self(due_s << COUNT_BITS | u32::from(unanswered))
    }

    fn due_s(&self) -> u32 {
        self.0 >> COUNT_BITS
    }

    fn unanswered(&self) -> u8 {
        (self.0 % (1 << COUNT_BITS)) as u8
    }

    /// When to check next; [`NEVER`] while everything is acknowledged.
    pub(super) fn due(&self) -> Millis {
        if self.due_s() == 0 { NEVER } else { seconds(self.due_s()) }
    }

    /// Something was written. True if the checks begin with it.
    pub(super) fn begin(&mut self, now: Millis) -> bool {
        let begins = self.due_s() == 0;
        if begins {
            *self = Self::new(next_look(now), 0);
        }
        begins
    }

    /// Evaluates what the kernel says. True if the peer has vanished.
    fn look(&mut self, now: Millis, path: Option<Path>) -> bool {
        let Some(path) = path else {
            *self = Self::default();
            return false;
        };
        let unanswered = if is_unanswered(path) { (self.unanswered() + 1).min(LIVENESS_PROBES) } else { 0 };
        *self = Self::new(next_look(now), unanswered);
        unanswered >= LIVENESS_PROBES
    }
}

/// The second of the next check, rounded down.
fn next_look(now: Millis) -> u32 {
    u32::try_from(now.div_ceil(1000)).unwrap_or(u32::MAX).saturating_add(LIVENESS_EVERY_S)
}

/// True if the peer answered nothing since data was last sent. A peer that reads slowly or not at all answers: it
/// acknowledges each segment, and each probe of a closed window.
fn is_unanswered(path: Path) -> bool {
    let is_data_unanswered = path.is_in_flight && path.acknowledged_ms > path.sent_ms;
    path.acknowledged_ms >= LIVENESS_QUIET_MS && (path.probes > 0 || is_data_unanswered)
}

impl<S> Engine<S> {
    /// It is time to check a peer that has not acknowledged everything.
    pub(super) fn on_liveness_due(&mut self, id: ConnId) {
        self.probes.push_back(Probe { id, why: Why::Liveness });
    }

    /// Takes the state of a peer that has not acknowledged everything.
    pub(super) fn on_probed(&mut self, id: ConnId, path: Option<Path>) {
        let now = self.now;
        let Some(conn) = self.conns.find(id) else { return };
        self.touched.push(id);
        if conn.liveness.look(now, path) {
            let from = conn.origin;
            let line = |engine: &Self| format!("{} from {from} has vanished", engine.known_name(id));
            self.log_peer(Subject::Vanished, from.ip(), line);
            self.schedule_close(id, End::Vanished);
        }
    }

    /// The next question about a socket; [`handle_probe`](Self::handle_probe) follows.
    pub fn poll_probe(&mut self) -> Option<(Probe, &mut S)> {
        let probe = loop {
            let probe = self.probes.pop_front()?;
            if self.conns.find(probe.id).is_some() {
                break probe;
            }
        };
        let conn = self.conns.find(probe.id)?;
        Some((probe, &mut conn.socket))
    }

    /// Takes the answer to a question that [`poll_probe`](Self::poll_probe) asked.
    pub fn handle_probe(&mut self, probe: Probe, in_flight: InFlight) {
        let Probe { id, why } = probe;
        match why {
            Why::Owing => {
                if let Some(conn) = self.conns.find(id) {
                    conn.in_kernel = in_flight.unacknowledged.unwrap_or_default();
                }
            }
            Why::Stopped => self.guard(id, |engine| engine.on_stopped(id, in_flight)).unwrap_or_default(),
            Why::Lingering => self.guard(id, |engine| engine.on_lingering(id, in_flight)).unwrap_or_default(),
            Why::Floor => self.guard(id, |engine| engine.on_floor(id, in_flight)).unwrap_or_default(),
            Why::Liveness => self.on_probed(id, in_flight.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOPPED: Path = Path { is_in_flight: false, probes: 0, sent_ms: 119_000, acknowledged_ms: 118_000 };
    const GONE: Path = Path { is_in_flight: true, probes: 0, sent_ms: 11_000, acknowledged_ms: 24_000 };

    #[test]
    fn what_is_unanswered() {
        #[track_caller]
        fn check(path: Path, expected: bool) {
            assert_eq!(is_unanswered(path), expected, "{path:?}");
        }
        check(STOPPED, false);
        check(GONE, true);
        check(Path { probes: 1, ..STOPPED }, true);
        // In flight, and so is the answer.
        check(Path { sent_ms: 0, acknowledged_ms: 9_999, ..GONE }, false);
        check(Path { probes: 1, sent_ms: 0, acknowledged_ms: 300, ..STOPPED }, false);
        // Received, discarded, and acknowledged each time: a peer without memory.
        check(Path { sent_ms: 60_000, acknowledged_ms: 60_000, ..GONE }, false);
    }

    #[test]
    fn six_looks_in_a_row() {
        let mut watch = Liveness::default();
        assert_eq!((watch.due(), watch.begin(999), watch.begin(5_000), watch.due()), (NEVER, true, false, 16_000));
        let looks = [Some(GONE); 5].into_iter().chain([Some(STOPPED)]).chain([Some(GONE); 5]);
        for (count, flight) in looks.enumerate() {
            let now = 16_000 + 15_000 * count as u64;
            assert!(!watch.look(now, flight), "look {count}");
            assert_eq!(watch.due(), now + 15_000);
        }
        assert!(watch.look(181_000, Some(GONE)));
    }

    #[test]
    fn who_has_acknowledged_all_is_watched_no_longer() {
        let mut watch = Liveness::default();
        watch.begin(0);
        for flight in [Some(GONE), None] {
            assert!(!watch.look(15_000, flight));
        }
        assert_eq!((watch.due(), watch.begin(40_000), watch.due()), (NEVER, true, 55_000));
    }
}
