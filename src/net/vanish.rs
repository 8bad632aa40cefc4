//! Peers that vanish while something is on its way to them.
//!
//! The kernel's keepalive looks for those who are silent and owed nothing. For the others Linux has TCP_USER_TIMEOUT
//! (RFC 5482), but that also cuts who is there and has stopped reading, such as a pager that waits for its user: a
//! window that stays shut for so long counts as a peer that is gone, though every probe is answered (`tcp_probe_timer`
//! in net/ipv4/tcp_timer.c). So the loop looks itself, every 15 s, at those to whom it has written and who have not
//! acknowledged all: whoever has left everything unanswered at six looks in a row has vanished.

use std::time::Duration;

use socket2::SockRef;

use super::clock::{Millis, NEVER, seconds};
use super::conn::End;
use super::kernel::{self, Flight};
use super::log_limit::Subject;
use super::reactor::Reactor;
use super::token::ConnId;
use crate::limits::{VANISH_LOOK_S, VANISH_LOOKS, VANISH_QUIET_MS};

/// The watch over what was written to one connection. Small, for each has one.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// When to look next, in whole seconds of the loop's clock; 0 while all that was written is acknowledged.
    due_s: u32,
    /// How many looks in a row have found something unanswered.
    unanswered: u8,
}

impl Watch {
    /// When to look next; [`NEVER`] while all that was written is acknowledged.
    pub(super) fn due(&self) -> Millis {
        if self.due_s == 0 { NEVER } else { seconds(self.due_s) }
    }

    /// Something was written. Gives whether the watch begins with it.
    pub(super) fn begin(&mut self, now: Millis) -> bool {
        let begins = self.due_s == 0;
        if begins {
            *self = Self { due_s: next_look(now), unanswered: 0 };
        }
        begins
    }

    /// A look at what the kernel says. Gives whether the peer has vanished.
    fn look(&mut self, now: Millis, flight: Option<Flight>) -> bool {
        let Some(flight) = flight else {
            *self = Self::default();
            return false;
        };
        self.due_s = next_look(now);
        self.unanswered = if is_unanswered(flight) { self.unanswered + 1 } else { 0 };
        self.unanswered >= VANISH_LOOKS
    }
}

/// The second in which to look again; the fraction that has begun does not count.
fn next_look(now: Millis) -> u32 {
    u32::try_from(now.div_ceil(1000)).unwrap_or(u32::MAX).saturating_add(VANISH_LOOK_S)
}

/// Whether what was sent last has met with nothing. Who reads slowly or not at all answers: an acknowledgement follows
/// each segment, and each probe of a shut window.
fn is_unanswered(flight: Flight) -> bool {
    let is_data_unanswered = flight.is_in_flight && flight.acknowledged_ms > flight.sent_ms;
    flight.acknowledged_ms >= VANISH_QUIET_MS && (flight.probes > 0 || is_data_unanswered)
}

impl Reactor {
    /// It is time to look whether a peer that is owed something by the kernel is still there.
    pub(super) fn look_for(&mut self, id: ConnId) {
        let now = self.clock.now;
        let Some(conn) = self.conn(id) else { return };
        let flight = kernel::flight(&conn.stream);
        if conn.watch.look(now, flight) {
            // The kernel has nothing left to try either.
            let _ = SockRef::from(&conn.stream).set_linger(Some(Duration::ZERO));
            let ip = conn.ip;
            let line = |reactor: &Self| format!("{} from {ip} has vanished", reactor.known_name(id));
            self.log_peer(Subject::Vanished, Some(ip), line);
            self.condemn(id, End::Broken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOPPED: Flight = Flight { is_in_flight: false, probes: 0, sent_ms: 119_000, acknowledged_ms: 118_000 };
    const GONE: Flight = Flight { is_in_flight: true, probes: 0, sent_ms: 11_000, acknowledged_ms: 24_000 };

    #[test]
    fn what_is_unanswered() {
        #[track_caller]
        fn check(flight: Flight, expected: bool) {
            assert_eq!(is_unanswered(flight), expected, "{flight:?}");
        }
        check(STOPPED, false);
        check(GONE, true);
        check(Flight { probes: 1, ..STOPPED }, true);
        // On its way, and the answer too.
        check(Flight { sent_ms: 0, acknowledged_ms: 9_999, ..GONE }, false);
        check(Flight { probes: 1, sent_ms: 0, acknowledged_ms: 300, ..STOPPED }, false);
        // Taken, not kept, and said so each time: a peer without memory.
        check(Flight { sent_ms: 60_000, acknowledged_ms: 60_000, ..GONE }, false);
    }

    #[test]
    fn six_looks_in_a_row() {
        let mut watch = Watch::default();
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
        let mut watch = Watch::default();
        watch.begin(0);
        for flight in [Some(GONE), None] {
            assert!(!watch.look(15_000, flight));
        }
        assert_eq!((watch.due(), watch.begin(40_000), watch.due()), (NEVER, true, 55_000));
    }
}
