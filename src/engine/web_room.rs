//! Room on a full server: browsers that fetch give way to newcomers.
//!
//! A connection that has sent a request costs its client nothing while it rests, so a few networks could hold all of
//! `limits.connections` that way, and nobody could log in. A browser that loses such a connection opens another.

use super::Engine;
use super::conn::Conn;
use super::id::ConnId;
use super::life::{Life, Standing};
use super::pause::Pause;
use super::time::{Millis, NEVER};
use crate::limits::{WEB_BUSY_MS, WEB_LOOK_MS, WEB_ROOM_A_TURN};

/// The connections that give way.
#[derive(Debug, Default)]
pub(super) struct GivingWay {
    /// Those that were found, the first to go last.
    found: Vec<ConnId>,
    /// When to look at all connections again.
    look_at: Millis,
}

/// How soon a connection gives way: first those that rest, each kind by the time of its last answer.
type Order = (Kind, Millis);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Between two requests.
    Rests,
    /// Long in the middle of a request or of an answer.
    Dawdles,
}

impl<S> Conn<S> {
    /// Whether it gives way at `now`. The bound of silent connections holds for those that have sent nothing yet.
    fn gives_way(&self, now: Millis) -> Option<Order> {
        let door = self.door.as_web().filter(|door| door.line().is_none())?;
        let is_known = matches!(self.standing, Standing::Heard | Standing::Uncounted);
        if !is_known || matches!(self.life, Life::Gone(_)) {
            return None;
        }
        let rests = self.life == Life::Open
            && self.pause == Pause::None
            && self.line_since == NEVER
            && self.owed() == 0
            && !self.input.may_have_more();
        let kind = if rests { Kind::Rests } else { Kind::Dawdles };
        let is_due = rests || door.since().saturating_add(WEB_BUSY_MS) <= now;
        is_due.then_some((kind, door.since()))
    }
}

impl<S> Engine<S> {
    /// Resets the connection that gives way first. False if none does.
    pub(super) fn displace_fetching(&mut self) -> bool {
        let now = self.now;
        if self.gone.len() >= WEB_ROOM_A_TURN {
            return false; // those have not freed their descriptors yet
        }
        if self.gate.giving_way.found.is_empty() && self.gate.giving_way.look_at <= now {
            self.find_giving_way();
        }
        while let Some(id) = self.gate.giving_way.found.pop() {
            if self.conns.peek(id).is_some_and(|conn| conn.gives_way(now).is_some()) {
                self.counters.left += 1;
                self.cut_off(id);
                return true;
            }
        }
        self.gate.giving_way.found = Vec::new();
        false
    }

    /// Looks at all connections. On a full server each newcomer asks, so that this is seldom.
    fn find_giving_way(&mut self) {
        let mut found: Vec<_> =
            self.conns.iter().filter_map(|conn| Some((conn.gives_way(self.now)?, conn.id))).collect();
        self.turn.work += self.conns.len() + found.len();
        found.sort_unstable_by_key(|(order, _)| std::cmp::Reverse(*order));
        self.gate.giving_way.found = found.into_iter().map(|(_, id)| id).collect();
        self.gate.giving_way.look_at = self.now + WEB_LOOK_MS;
    }
}
