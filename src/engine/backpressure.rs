//! Backpressure between users: a line waits while its receivers lag and still read. Otherwise speakers as fast as the
//! server would cause every listener of average speed to be closed.
//!
//! A line waits before it is carried out, so the bytes queued for a lagging receiver do not depend on the number of
//! speakers. A speaker that sends no more than these waits allow does not wait for a lagging audience. One listener
//! that is slower than all others delays nobody, until it owes so much that it would be closed; listeners that have
//! stopped reading delay nobody at all.

use super::Engine;
use super::conn::Conn;
use super::id::ConnId;
use super::pause::{Pause, Until};
use super::time::{Millis, NEVER};
use crate::door::Addressee;
use crate::hub::session::SessionId;
use crate::limits::{CROWD_SHARE, Limits, THROTTLE_BYTES_PER_S, THROTTLE_LEAST_MS, THROTTLE_MS};

/// The receivers that lag, and the time at which the next speaker continues.
#[derive(Debug, Default)]
pub(super) struct Backpressure {
    /// Number of connections that lag.
    lagging: usize,
    /// The lag of the public audience; computed at the first use in a turn.
    everybody: Option<Lag>,
    /// When the last of the waiting speakers continues.
    next: Millis,
}

impl Backpressure {
    /// Ends a turn's flush: receivers have taken bytes.
    pub(super) fn turn_over(&mut self) {
        self.everybody = None;
    }
}

/// The lag of a line's receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lag {
    /// Nobody lags.
    Nobody,
    /// Many of them lag. Only speakers that have just sent much wait for these; otherwise connections that lag on
    /// purpose would slow down everybody.
    Many,
    /// One lags so far that it would be closed if it took nothing, or the receiver of a direct message lags.
    One,
}

/// A count of receivers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Audience {
    receivers: usize,
    /// Those that lag and took bytes within the last [`TOOK_RECENTLY_MS`](crate::limits::TOOK_RECENTLY_MS) …
    lagging: usize,
    /// … and those of them that would be closed if they took nothing.
    endangered: usize,
}

impl Audience {
    fn add<S>(&mut self, conn: &Conn<S>, now: Millis, limits: &Limits) {
        self.receivers += 1;
        if conn.is_lagging() && conn.took_recently(now) {
            self.lagging += 1;
            self.endangered += usize::from(conn.outbox.owed() > limits.owed_bytes as usize);
        }
    }

    /// The lag of these receivers: at least one in [`CROWD_SHARE`] of them must lag, and more than one unless there is
    /// only one.
    fn lag(self) -> Lag {
        let is_share = self.lagging * CROWD_SHARE > self.receivers;
        if self.endangered > 0 {
            Lag::One
        } else if is_share && (self.lagging > 1 || self.receivers == 1) {
            Lag::Many
        } else {
            Lag::Nobody
        }
    }
}

impl<S> Engine<S> {
    /// Records whether a connection lags.
    pub(super) fn note_lag(&mut self, id: ConnId, lags: bool) {
        let now = self.now;
        let Some(conn) = self.conns.find(id) else { return };
        if lags == conn.is_lagging() {
            return;
        }
        if lags {
            conn.took_at = now;
            self.backpressure.lagging += 1;
        } else {
            conn.took_at = NEVER;
            self.backpressure.lagging -= 1;
        }
    }

    /// True if a line has to wait because its receivers lag. Its connection is paused then.
    pub(super) fn throttle(&mut self, id: ConnId, line: &[u8]) -> bool {
        if self.backpressure.lagging == 0 {
            return false;
        }
        let now = self.now;
        let Some(conn) = self.conns.peek(id).filter(|conn| conn.door.is_logged_in()) else { return false };
        let is_over = conn.throttled_until <= now;
        let is_quiet = conn.said_until <= now;
        let Some(addressee) = conn.door.addressee(line) else { return false };
        if is_over {
            return false;
        }
        match self.lag(id, &addressee) {
            Lag::Nobody => return false,
            Lag::Many if is_quiet => return false,
            Lag::Many | Lag::One => {}
        }
        let Some(conn) = self.conns.find(id) else { return false };
        if conn.throttled_until == NEVER {
            conn.throttled_until = now + longest_wait(line.len());
            self.counters.throttled += 1;
        }
        // Speakers continue one after the other, a millisecond apart, as far as the bounds allow.
        let due = (self.backpressure.next + 1).max(now + THROTTLE_LEAST_MS).min(conn.throttled_until);
        conn.pause = Pause::Until { why: Until::Backpressure, due, since: now };
        self.backpressure.next = due;
        true
    }

    /// The lag of the receivers of a message from `id`.
    fn lag(&mut self, id: ConnId, addressee: &Addressee) -> Lag {
        let speaker = id.session();
        let hearers: &mut dyn Iterator<Item = SessionId> = match addressee {
            Addressee::Everybody => {
                if let Some(lag) = self.backpressure.everybody {
                    return lag;
                }
                &mut self.hub.everyone().iter().copied()
            }
            Addressee::Room(room) => {
                let Some(room) = self.hub.find_room(room) else { return Lag::Nobody };
                &mut self.hub.members_of(room).iter().map(|member| member.session).filter(|hearer| *hearer != speaker)
            }
            Addressee::Account(name) => {
                &mut self.hub.sessions_of(name).iter().copied().filter(|hearer| *hearer != speaker)
            }
        };
        let (now, limits) = (self.now, &self.settings.limits);
        let mut audience = Audience::default();
        for conn in hearers.filter_map(|hearer| self.conns.peek(ConnId::of(hearer))) {
            audience.add(conn, now, limits);
        }
        self.turn.work += audience.receivers;
        match addressee {
            Addressee::Everybody => *self.backpressure.everybody.insert(audience.lag()),
            Addressee::Room(_) => audience.lag(),
            Addressee::Account(_) if audience.lagging > 0 => Lag::One, // each of its sessions must receive the message
            Addressee::Account(_) => Lag::Nobody,
        }
    }
}

/// The longest wait of a line of so many bytes, in milliseconds: its length at [`THROTTLE_BYTES_PER_S`], and at least
/// [`THROTTLE_MS`].
pub(super) fn longest_wait(bytes: usize) -> Millis {
    (bytes as u64 * 1000 / THROTTLE_BYTES_PER_S).max(THROTTLE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_line_waits_little_and_a_long_one_half_a_second() {
        for (bytes, expected) in [(0, 40), (64, 40), (328, 40), (400, 48), (4096, 500)] {
            assert_eq!(longest_wait(bytes), expected, "{bytes} bytes");
        }
    }

    #[track_caller]
    fn check(receivers: usize, lagging: usize, endangered: usize, expected: Lag) {
        let audience = Audience { receivers, lagging, endangered };
        assert_eq!(audience.lag(), expected, "{audience:?}");
    }

    #[test]
    fn who_slows_the_speakers() {
        check(1, 0, 0, Lag::Nobody);
        check(1, 1, 0, Lag::Many);
        check(2, 1, 0, Lag::Nobody);
        check(2, 2, 0, Lag::Many);
        check(31, 2, 0, Lag::Many);
        check(32, 2, 0, Lag::Nobody);
        check(10_000, 625, 0, Lag::Nobody);
        check(10_000, 626, 0, Lag::Many);
        check(10_000, 1, 1, Lag::One);
    }
}
