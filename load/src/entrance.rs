//! Logs connections in: a bounded number at a time, each by its dialogue, and again after a busy server.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::Range;

use super::conn::Outbox;
use super::dialogue::{Act, Gained, Visitor};
use super::fleet::Handler;
use super::line::Line;
use super::run::{Run, SECOND};
use super::speech::{Login, Speech};

/// Connections started in a turn, so that those under way are served meanwhile.
const CONNECTS_A_TURN: usize = 128;
/// The server is given up when no login has made progress for this long, in nanoseconds.
const STALL: u64 = 30 * SECOND;

/// Counts of events, by their reason.
pub(super) type Reasons = BTreeMap<String, u64>;

/// The logins of all connections, and their results.
pub(super) struct Entrance {
    visitors: Vec<Visitor>,
    logins: Vec<Login>,
    is_in: Vec<bool>,
    /// Lines to send later: the time, the connection, and the line.
    later: BinaryHeap<Reverse<(u64, usize, String)>>,
    /// Refused connections that are still open.
    refused: Vec<usize>,
    under_way: usize,
    last_news: u64,
    /// The results so far.
    pub(super) arrivals: Arrivals,
}

/// The results of the logins.
#[derive(Default)]
pub(super) struct Arrivals {
    /// Greetings, and the time of the last.
    pub(super) greeted: u64,
    pub(super) last_greeted: u64,
    /// Logins, those with a new account among them, and the time of the last.
    pub(super) logged_in: u64,
    pub(super) registered: u64,
    pub(super) last_logged_in: u64,
    /// The time of each login, in nanoseconds of the run.
    pub(super) entered: Vec<u64>,
    /// Requested tokens, by connection.
    pub(super) tokens: BTreeMap<usize, String>,
    /// Why others are not logged in.
    pub(super) failed: Reasons,
    /// Why some connections ended after their login.
    pub(super) ended: Reasons,
}

impl Entrance {
    /// The logins of these visitors, who speak that; the n-th is the fleet's n-th connection.
    pub(super) fn new(visitors: Vec<Visitor>, speech: Speech) -> Self {
        let count = visitors.len();
        Self {
            visitors,
            logins: vec![speech.login(); count],
            is_in: vec![false; count],
            later: BinaryHeap::new(),
            refused: Vec::new(),
            under_way: 0,
            last_news: 0,
            arrivals: Arrivals::default(),
        }
    }

    /// Connects these and waits until each is logged in or has failed; at most `at_once` are under way. Returns early,
    /// without an error, when the run is stopped.
    ///
    /// # Errors
    /// The server cannot be reached, or no login makes progress; or system errors.
    pub(super) fn bring_in(&mut self, run: &mut Run, who: Range<usize>, at_once: usize) -> Result<(), String> {
        let mut waiting = who;
        self.last_news = run.fleet.now();
        while !(run.stop.is_asked() || waiting.is_empty() && self.under_way == 0) {
            let room = at_once.saturating_sub(self.under_way).min(CONNECTS_A_TURN);
            for next in waiting.by_ref().take(room) {
                run.fleet.connect(next).map_err(|error| self.cannot_connect(&error))?;
                self.under_way += 1;
            }
            let now = run.fleet.now();
            let goes_on = !waiting.is_empty() && self.under_way < at_once;
            let due = self.later.peek().map_or(u64::MAX, |Reverse((due, ..))| *due);
            let until = if goes_on { now } else { due.min(self.last_news + STALL) };
            run.fleet.turn(until, self).map_err(|error| format!("the poll failed: {error}"))?;
            self.speak_again(run);
            for who in self.refused.drain(..) {
                run.fleet.close(who);
            }
            run.progress.set(self.arrivals.entered.len() as u64, "");
            if self.arrivals.greeted == 0
                && let Some(why) = self.arrivals.failed.keys().next()
            {
                return Err(why.clone());
            }
            if run.fleet.now() > self.last_news + STALL {
                return Err(format!(
                    "nobody has got any further for {} s, {} are in and {} are waiting; is it a chatd, and well?",
                    STALL / SECOND,
                    self.arrivals.entered.len(),
                    self.under_way
                ));
            }
        }
        Ok(())
    }

    /// The visitors that are logged in and have a token, to come back with it.
    pub(super) fn take_returning(&mut self) -> Vec<Visitor> {
        let tokens = std::mem::take(&mut self.arrivals.tokens);
        let visitor = |(who, token): (usize, String)| {
            let visitor = self.visitors.get(who)?.clone();
            Some(Visitor { token: Some(token), wants_token: false, ..visitor })
        };
        tokens.into_iter().filter_map(visitor).collect()
    }

    fn cannot_connect(&self, error: &std::io::Error) -> String {
        let count = self.arrivals.entered.len() + self.under_way;
        format!("after {count} connections, this machine makes no more: {error}; ask for fewer --connections")
    }

    /// Sends the lines that are due to a server that was busy.
    fn speak_again(&mut self, run: &mut Run) {
        let now = run.fleet.now();
        while self.later.peek().is_some_and(|Reverse((due, ..))| *due <= now) {
            let Some(Reverse((_, who, line))) = self.later.pop() else { break };
            if let Some(out) = run.fleet.outbox(who) {
                out.put(|bytes| bytes.extend_from_slice(line.as_bytes()));
            }
            run.fleet.flush(who);
        }
    }

    fn note(&mut self, who: usize, gained: Gained, now: u64) {
        if gained == Gained::default() {
            return;
        }
        self.last_news = now;
        let arrivals = &mut self.arrivals;
        if gained.is_greeted {
            arrivals.greeted += 1;
            arrivals.last_greeted = now;
        }
        if gained.is_logged_in {
            arrivals.logged_in += 1;
            arrivals.last_logged_in = now;
            arrivals.registered += u64::from(gained.is_registered);
        }
        if let Some(token) = gained.token {
            arrivals.tokens.insert(who, token);
        }
    }

    fn fail(&mut self, who: usize, why: String) {
        if let Some(login) = self.logins.get_mut(who) {
            *login = Login::Over;
        }
        self.under_way = self.under_way.saturating_sub(1);
        *self.arrivals.failed.entry(why).or_default() += 1;
    }
}

impl Handler for Entrance {
    fn handle_line(&mut self, who: usize, line: Line<'_>, now: u64, out: &mut Outbox) {
        let (Some(login), Some(visitor)) = (self.logins.get_mut(who), self.visitors.get(who)) else { return };
        // The reason for the end is not an answer; the end follows.
        if matches!(line, Line::Reply(421, _)) {
            return;
        }
        let (act, gained) = login.handle_line(line, visitor);
        self.note(who, gained, now);
        match act {
            Act::Wait => {}
            Act::Say(line) => out.put(|bytes| bytes.extend_from_slice(line.as_bytes())),
            Act::SayLater(line, seconds) => {
                // A busy server is alive.
                self.last_news = now;
                self.later.push(Reverse((now + seconds * SECOND, who, line)));
            }
            Act::Enter => {
                self.last_news = now;
                self.under_way = self.under_way.saturating_sub(1);
                self.arrivals.entered.push(now);
                if let Some(is_in) = self.is_in.get_mut(who) {
                    *is_in = true;
                }
            }
            Act::Refused(why) => {
                self.fail(who, why);
                self.refused.push(who);
            }
        }
    }

    fn handle_end(&mut self, who: usize, why: String) {
        if self.is_in.get(who).is_some_and(|is_in| *is_in) {
            *self.arrivals.ended.entry(why).or_default() += 1;
        } else if !self.refused.contains(&who) {
            self.fail(who, why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entrance(count: usize) -> Entrance {
        let visitor = |n| Visitor {
            name: format!("load{n}"),
            password: "secret".to_owned(),
            token: None,
            wants_token: true,
            room: None,
        };
        let mut entrance = Entrance::new((0..count).map(visitor).collect(), Speech::Typed);
        entrance.under_way = count;
        entrance
    }

    /// Passes lines of the server on one connection.
    fn hear(entrance: &mut Entrance, who: usize, lines: &[&str], now: u64) {
        for line in lines {
            entrance.handle_line(who, Line::parse(line.as_bytes()), now, &mut Outbox::default());
        }
    }

    const IN: [&str; 4] = ["C 220 chatd", "C 332 new", "C 230 welcome", "C 231 T expires=1"];

    #[test]
    fn who_comes_in_is_counted_and_can_come_back() {
        let mut entrance = entrance(2);
        hear(&mut entrance, 1, &IN, 7);
        let arrivals = &entrance.arrivals;
        assert_eq!((arrivals.greeted, arrivals.logged_in, arrivals.registered), (1, 1, 1));
        assert_eq!((arrivals.last_logged_in, &arrivals.entered, entrance.under_way), (7, &vec![7], 1));
        let back = entrance.take_returning();
        assert_eq!(back.len(), 1);
        assert_eq!((back[0].name.as_str(), back[0].token.as_deref(), back[0].wants_token), ("load1", Some("T"), false));
    }

    #[test]
    fn ends_before_and_after_are_told_apart() {
        let mut entrance = entrance(3);
        hear(&mut entrance, 0, &IN, 1);
        entrance.handle_end(0, "too slow".to_owned());
        hear(&mut entrance, 1, &["C 421 server full"], 1);
        entrance.handle_end(1, "server full".to_owned());
        hear(&mut entrance, 2, &["C 220 chatd", "C 553 taken"], 1);
        // It has been refused already when its connection ends.
        entrance.handle_end(2, "closed by the server".to_owned());
        assert_eq!(entrance.arrivals.ended, Reasons::from([("too slow".to_owned(), 1)]));
        let failed = Reasons::from([("server full".to_owned(), 1), ("553 taken".to_owned(), 1)]);
        assert_eq!((entrance.arrivals.failed, entrance.under_way), (failed, 0));
    }

    #[test]
    fn a_busy_server_is_asked_again_in_time() {
        let mut entrance = entrance(2);
        hear(&mut entrance, 0, &["C 220 chatd", "C 331 x", "C 450 busy, try again in 2 s"], 5);
        hear(&mut entrance, 1, &["C 220 chatd", "C 331 x", "C 450 busy, try again in 1 s"], 6);
        let Some(Reverse(first)) = entrance.later.peek() else { panic!("nothing is to be said") };
        assert_eq!(*first, (SECOND + 6, 1, "C secret".to_owned()));
    }
}
