//! Back-pressure of a crowd: while many listeners are behind and still listen, who speaks to all of them is read more
//! slowly. Without this, a speaker as fast as the server would have every listener cut who is only as fast as most.
//! One slow listener, and any number who have stopped listening, slow nobody.

use super::clock::NEVER;
use super::conn::{Life, Pause};
use super::reactor::Reactor;
use crate::hub::session::SessionId;
use crate::limits::{CROWD_ALIVE_MS, CROWD_PAUSE_MOST_MS, CROWD_PAUSE_MS, CROWD_SHARE};

impl Reactor {
    /// Notes whether a connection is behind.
    pub(super) fn note_behind(&mut self, id: SessionId, is_behind: bool) {
        let now = self.clock.now;
        let Some(conn) = self.conn(id) else { return };
        let was_behind = conn.took_at != NEVER;
        if is_behind && !was_behind {
            conn.took_at = now;
            self.behind += 1;
        } else if was_behind && !is_behind {
            conn.took_at = NEVER;
            self.behind -= 1;
        }
    }

    /// At the end of a flush: whether a crowd is behind, and listening.
    pub(super) fn look_at_crowd(&mut self) {
        self.is_crowd_behind = self.is_crowd(self.behind) && self.is_crowd(self.behind_and_listening());
    }

    fn is_crowd(&self, count: usize) -> bool {
        count > 1 && count * CROWD_SHARE > self.hub.everyone().len()
    }

    /// How many are behind and have taken bytes of late. Counted only when so many are behind that it matters.
    fn behind_and_listening(&self) -> usize {
        let since = self.clock.now.saturating_sub(CROWD_ALIVE_MS);
        self.conns.iter().filter(|conn| conn.took_at != NEVER && conn.took_at >= since).count()
    }

    /// Somebody has spoken to everybody.
    pub(super) fn hold_back(&mut self, id: SessionId) {
        let now = self.clock.now;
        if !self.is_crowd_behind {
            return;
        }
        let conn = self.conns.find(id).filter(|conn| conn.life == Life::Open);
        if let Some(conn) = conn.filter(|conn| conn.pause == Pause::None) {
            // Speakers are let on one after the other, a millisecond apart, as far as the bounds allow.
            let due = (self.crowd_next + 1).clamp(now + CROWD_PAUSE_MS, now + CROWD_PAUSE_MOST_MS);
            conn.pause = Pause::Pace { due, since: now };
            self.crowd_next = due;
            self.stats.held_back += 1;
        }
    }
}
