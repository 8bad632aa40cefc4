//! How long a metrics connection may take: one exchange at a time, and a rest between two.
//!
//! There are few places, so none is held for long. A place whose connection rests between two requests is given to the
//! next newcomer when all are taken.

use super::Engine;
use super::conn::Conn;
use super::id::ConnId;
use super::life::{End, Life};
use super::pause::Pause;
use super::time::{Millis, NEVER};
use crate::close::CloseReason;
use crate::door::Class;
use crate::limits::{KEEP_ALIVE_MS, METRICS_EXCHANGE_MS};

/// The exchanges of all metrics connections: at most as many as there are places.
#[derive(Debug, Default)]
pub(super) struct Exchanges(Vec<Exchange>);

/// The state of one connection.
#[derive(Clone, Copy, Debug)]
struct Exchange {
    id: ConnId,
    /// When it was accepted, or got its last answer.
    since: Millis,
    has_answer: bool,
    /// When to look at it again.
    due: Millis,
}

/// What an exchange has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Look again then.
    Waits(Millis),
    /// It has rested for long enough, or never asked for anything.
    Idle,
    /// Its request, or the taking of its answer, has taken too long.
    Late(CloseKind),
}

/// Why an exchange is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CloseKind {
    Request,
    Answer,
}

impl Exchange {
    /// Judges the exchange of an open connection.
    fn judge<S>(&self, conn: &Conn<S>, now: Millis) -> Verdict {
        let (due, late) = if conn.owed() > 0 {
            (self.since + METRICS_EXCHANGE_MS, Verdict::Late(CloseKind::Answer))
        } else if !self.has_answer {
            let is_begun = conn.line_since != NEVER;
            let late = if is_begun { Verdict::Late(CloseKind::Request) } else { Verdict::Idle };
            (self.since + METRICS_EXCHANGE_MS, late)
        } else if conn.line_since != NEVER {
            (conn.line_since + METRICS_EXCHANGE_MS, Verdict::Late(CloseKind::Request))
        } else {
            (self.since + KEEP_ALIVE_MS, Verdict::Idle)
        };
        if due <= now { late } else { Verdict::Waits(due) }
    }
}

impl Exchanges {
    /// When the next one is to be looked at.
    fn next_due(&self) -> Millis {
        self.0.iter().fold(NEVER, |least, exchange| least.min(exchange.due))
    }

    /// A connection was accepted.
    fn add(&mut self, id: ConnId, now: Millis) {
        self.0.push(Exchange { id, since: now, has_answer: false, due: now + METRICS_EXCHANGE_MS });
    }

    /// A connection got an answer.
    pub(super) fn note_answer(&mut self, id: ConnId, now: Millis) {
        if let Some(exchange) = self.0.iter_mut().find(|exchange| exchange.id == id) {
            (exchange.since, exchange.has_answer) = (now, true);
        }
    }
}

impl<S> Engine<S> {
    /// A connection was accepted.
    pub(super) fn note_accepted(&mut self, id: ConnId) {
        let Some(conn) = self.conns.peek(id) else { return };
        self.counters.accepted_at.count(conn.door.name(), conn.is_tls);
        match conn.door.class() {
            Class::Metrics => self.metrics.exchanges.add(id, self.now),
            Class::Chat => self.check_places(),
            Class::Operator => {}
        }
    }

    /// A connection of this class has ended.
    pub(super) fn end_exchange(&mut self, id: ConnId, class: Class) {
        match class {
            Class::Metrics => self.metrics.exchanges.0.retain(|exchange| exchange.id != id),
            Class::Chat | Class::Operator => {}
        }
    }

    /// When [`run_exchanges`](Self::run_exchanges) has something to do.
    pub(super) fn exchange_due(&self) -> Millis {
        self.metrics.exchanges.next_due()
    }

    /// Ends what takes too long.
    pub(super) fn run_exchanges(&mut self) {
        if self.exchange_due() > self.now {
            return;
        }
        let mut exchanges = std::mem::take(&mut self.metrics.exchanges);
        exchanges.0.retain_mut(|exchange| self.look_at(exchange));
        self.metrics.exchanges = exchanges;
    }

    /// True if the exchange goes on.
    fn look_at(&mut self, exchange: &mut Exchange) -> bool {
        let (id, now) = (exchange.id, self.now);
        let Some(conn) = self.conns.peek(id) else { return false };
        if exchange.due > now {
            return true;
        }
        match conn.life {
            Life::Open => match exchange.judge(conn, now) {
                Verdict::Waits(due) => exchange.due = due,
                Verdict::Idle => self.leave(id),
                Verdict::Late(CloseKind::Request) => self.close(id, CloseReason::LineNeverEnded),
                Verdict::Late(CloseKind::Answer) => self.schedule_close(id, End::Closed(CloseReason::TooSlow)),
            },
            Life::Draining(_) | Life::Lingering(_) if exchange.since + METRICS_EXCHANGE_MS <= now => self.cut_off(id),
            Life::Draining(_) | Life::Lingering(_) | Life::Gone(_) => {}
        }
        exchange.due = exchange.due.max(now + 1_000);
        true
    }

    /// Resets the connection of this class that has rested longest between two requests; for users, one that
    /// [only fetches](Self::displace_fetching). False if none does.
    pub(super) fn make_room(&mut self, class: Class) -> bool {
        match class {
            Class::Metrics => {}
            Class::Chat => return self.displace_fetching(),
            Class::Operator => return false,
        }
        let is_resting = |exchange: &&Exchange| {
            exchange.has_answer
                && self.conns.peek(exchange.id).is_some_and(|conn| {
                    conn.life == Life::Open
                        && conn.pause == Pause::None
                        && conn.line_since == NEVER
                        && conn.owed() == 0
                        && !conn.input.may_have_more()
                })
        };
        let resting = self.metrics.exchanges.0.iter().filter(is_resting).min_by_key(|exchange| exchange.since);
        let Some(id) = resting.map(|exchange| exchange.id) else { return false };
        self.counters.left += 1;
        self.cut_off(id);
        true
    }
}
