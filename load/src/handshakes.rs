//! `handshakes`: connections that shake hands by TLS, read the greeting and leave, beside a pair that talks.

use hdrhistogram::Histogram;

use super::conn::Outbox;
use super::entrance::Reasons;
use super::fleet::{Handler, Handshakes};
use super::line::Line;
use super::pingpong::PingPong;
use super::report::{Handshaken, Spread, per_second};
use super::run::{Run, SECOND};
use super::schedule::Rhythm;
use super::tally::latencies;

/// Connections started in a turn, so that the pair is served meanwhile.
const CONNECTS_A_TURN: usize = 32;

/// The visitors, who follow the pair in the fleet.
pub(super) struct Visits<'a> {
    game: PingPong<'a>,
    /// The number of players, and so the first visitor.
    first: usize,
    /// When each open visit was due.
    due: Vec<Option<u64>>,
    /// Visitors who are back.
    free: Vec<usize>,
    /// Visitors whose connection is still open, though they have read the greeting.
    leaving: Vec<usize>,
    /// When visits are due; `None` if each follows the one before.
    rhythm: Option<Rhythm>,
    begun: u64,
    end: u64,
    done: Done,
}

/// The results.
pub(super) struct Done {
    times: Histogram<u64>,
    last: u64,
    failed: Reasons,
    not_begun: u64,
}

impl<'a> Visits<'a> {
    /// This many visitors at a time beside the game of `players`, from `begin` to `end`, in nanoseconds of the run.
    /// `rate` is visits a second.
    pub(super) fn new(
        game: PingPong<'a>,
        players: usize,
        count: usize,
        rate: Option<f64>,
        (begin, end): (u64, u64),
    ) -> Self {
        Self {
            game,
            first: players,
            due: vec![None; count],
            free: (0..count).rev().collect(),
            leaving: Vec::new(),
            rhythm: rate.map(|rate| Rhythm::new(begin, rate, 1)),
            begun: 0,
            end,
            done: Done { times: latencies(), last: begin, failed: Reasons::new(), not_begun: 0 },
        }
    }

    /// Goes on to the end, or until the run is stopped or the pair is gone.
    ///
    /// # Errors
    /// Errors of the poll, or this machine makes no more connections.
    pub(super) fn go_on(mut self, run: &mut Run) -> Result<Done, String> {
        let begin = run.fleet.now();
        while !self.game.is_over(run) {
            let until = self.game.speak(run).min(self.begin(run)?);
            run.fleet.turn(until, &mut self).map_err(|error| format!("the poll failed: {error}"))?;
            for visitor in self.leaving.drain(..) {
                run.fleet.close(self.first + visitor);
                self.free.push(visitor);
            }
            if run.progress.is_due() {
                let note = format!("s, {} handshakes", self.done.times.len());
                run.progress.set(run.fleet.now().saturating_sub(begin) / SECOND, &note);
            }
        }
        let now = run.fleet.now();
        if let Some(rhythm) = self.rhythm {
            let due = (self.begun..).take_while(|n| rhythm.due(*n) < now.min(self.end)).count();
            self.done.not_begun = due as u64;
        }
        for visitor in 0..self.due.len() {
            run.fleet.close(self.first + visitor);
        }
        self.game.finish(run)?;
        Ok(self.done)
    }

    /// Begins the visits that are due, and returns when to look again.
    fn begin(&mut self, run: &mut Run) -> Result<u64, String> {
        for _ in 0..CONNECTS_A_TURN {
            let now = run.fleet.now();
            let due = self.rhythm.map_or(now, |rhythm| rhythm.due(self.begun));
            if due > now {
                return Ok(due.min(self.end));
            }
            // A visitor who comes back reports that by an event.
            let Some(visitor) = self.free.pop() else { return Ok(self.end) };
            let (who, nth) = (self.first + visitor, usize::try_from(self.begun).unwrap_or(usize::MAX));
            run.fleet
                .connect_as(who, nth)
                .map_err(|error| format!("this machine makes no more connections: {error}"))?;
            if let Some(slot) = self.due.get_mut(visitor) {
                *slot = Some(due);
            }
            self.begun += 1;
        }
        Ok(run.fleet.now())
    }
}

impl Handler for Visits<'_> {
    fn handle_line(&mut self, who: usize, line: Line<'_>, now: u64, out: &mut Outbox) {
        let Some(visitor) = who.checked_sub(self.first) else { return self.game.handle_line(who, line, now, out) };
        let Some(due) = self.due.get_mut(visitor).and_then(Option::take) else { return };
        match line {
            Line::Reply(220, _) => {
                self.done.times.saturating_record(now.saturating_sub(due).max(1));
                self.done.last = now;
            }
            Line::Reply(code, text) => {
                let why = format!("{code} {text}").chars().filter(|c| !c.is_control()).take(100).collect();
                *self.done.failed.entry(why).or_default() += 1;
            }
            Line::Part | Line::Notice | Line::Said { .. } | Line::Command { .. } | Line::Other => {
                *self.done.failed.entry("what answers there is no chatd".to_owned()).or_default() += 1;
            }
        }
        self.leaving.push(visitor);
    }

    fn handle_end(&mut self, who: usize, why: String) {
        let Some(visitor) = who.checked_sub(self.first) else { return self.game.handle_end(who, why) };
        if self.due.get_mut(visitor).and_then(Option::take).is_some() {
            *self.done.failed.entry(why).or_default() += 1;
            self.free.push(visitor);
        }
    }
}

impl Done {
    /// The figures since `begin`, when `before` handshakes were done.
    pub(super) fn report(self, before: Handshakes, after: Handshakes, begin: u64) -> Handshaken {
        Handshaken {
            full: after.full - before.full,
            resumed: after.resumed - before.resumed,
            per_s: per_second(self.times.len(), begin, self.last),
            not_begun: self.not_begun,
            failed: self.failed,
            until_greeting_us: Spread::new(&self.times),
        }
    }
}
