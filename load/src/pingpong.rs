//! `pingpong`: pairs that answer each other by direct messages, one line at a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::conn::Outbox;
use super::entrance::Reasons;
use super::fleet::Handler;
use super::line::Line;
use super::run::{Run, SECOND};
use super::schedule::Rhythm;
use super::talk::{Listening, drain};
use super::tally::{Event, Tally};

/// The pairs: connections 0 and 1, 2 and 3, and so on. The n-th connection is the n-th sender.
pub(super) struct PingPong<'a> {
    tally: &'a mut Tally,
    ended: &'a mut Reasons,
    /// The start of each player's lines, to its partner.
    heads: &'a [String],
    size: usize,
    /// When each pair's lines are due; `None` if each answers at once.
    rhythm: Option<Rhythm>,
    /// The number of lines of each pair.
    said: Vec<u64>,
    /// Lines that are due later: when, and whose.
    waiting: BinaryHeap<Reverse<(u64, usize)>>,
    end: u64,
}

impl<'a> PingPong<'a> {
    /// A game from `begin` to `end`, in nanoseconds of the run. `heads` holds the start of each player's lines, and `rate`
    /// is lines a second of each pair.
    pub(super) fn new(
        listening: Listening<'a>,
        heads: &'a [String],
        size: usize,
        rate: Option<f64>,
        (begin, end): (u64, u64),
    ) -> Self {
        let pairs = heads.len() / 2;
        let rhythm = rate.map(|rate| Rhythm::new(begin, rate, pairs));
        let first = |pair| Reverse((rhythm.map_or(begin, |rhythm| rhythm.due_of(pair, 0)), 2 * pair));
        Self {
            tally: listening.tally,
            ended: listening.ended,
            heads,
            size,
            rhythm,
            said: vec![0; pairs],
            waiting: (0..pairs).map(first).collect(),
            end,
        }
    }

    /// Plays to the end, or until the run is stopped or all connections are gone, and then waits for lines under way.
    ///
    /// # Errors
    /// Errors of the poll.
    pub(super) fn go_on(mut self, run: &mut Run) -> Result<(), String> {
        let begin = run.fleet.now();
        while !self.is_over(run) {
            let until = self.speak(run);
            run.fleet.turn(until, &mut self).map_err(|error| format!("the poll failed: {error}"))?;
            if run.progress.is_due() {
                let note = format!("s, {} lines heard", self.tally.heard());
                run.progress.set(run.fleet.now().saturating_sub(begin) / SECOND, &note);
            }
        }
        self.finish(run)
    }

    /// Whether the game is at its end, or stopped, or has lost its players.
    pub(super) fn is_over(&self, run: &Run) -> bool {
        run.fleet.now() >= self.end || run.stop.is_asked() || self.tally.live() == 0
    }

    /// Sends the lines that are due, and returns when the next one is.
    pub(super) fn speak(&mut self, run: &mut Run) -> u64 {
        let now = run.fleet.now();
        while self.waiting.peek().is_some_and(|Reverse((due, _))| *due <= now) {
            let Some(Reverse((due, player))) = self.waiting.pop() else { break };
            // At once means now; with a rate, latency counts from the due time.
            let at = if self.rhythm.is_some() { due } else { now };
            if let Some(out) = run.fleet.outbox(player) {
                self.say(player, at, out);
            }
            run.fleet.flush(player);
        }
        self.waiting.peek().map_or(self.end, |Reverse((due, _))| self.end.min(*due))
    }

    /// Waits for lines under way.
    ///
    /// # Errors
    /// Errors of the poll.
    pub(super) fn finish(self, run: &mut Run) -> Result<(), String> {
        let mut listening = Listening { tally: self.tally, ended: self.ended };
        drain(run, &mut listening)
    }

    fn say(&mut self, player: usize, at: u64, out: &mut Outbox) {
        let Some(head) = self.heads.get(player) else { return };
        let Some(stamp) = self.tally.say(player, at) else { return };
        if let Some(said) = self.said.get_mut(player / 2) {
            *said += 1;
        }
        out.put(|bytes| {
            bytes.extend_from_slice(head.as_bytes());
            stamp.encode(self.size, bytes);
        });
    }
}

impl Handler for PingPong<'_> {
    fn handle_line(&mut self, who: usize, line: Line<'_>, now: u64, out: &mut Outbox) {
        if self.tally.handle_line(who, line, now) != Event::Heard || now >= self.end {
            return;
        }
        let said = self.said.get(who / 2).copied().unwrap_or(0);
        match self.rhythm.map(|rhythm| rhythm.due_of(who / 2, said)) {
            Some(due) if due > now => self.waiting.push(Reverse((due, who))),
            Some(due) => self.say(who, due, out),
            None => self.say(who, now, out),
        }
    }

    fn handle_end(&mut self, who: usize, why: String) {
        self.tally.handle_end(who);
        *self.ended.entry(why).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::Speech;
    use crate::stamp::Stamp;

    /// What a pair that plays to 1,000 ns at this rate does when player 1 has received the first line at `now`.
    #[track_caller]
    fn check(rate: Option<f64>, end: u64, now: u64, expected_at: Option<u64>, expected_waiting: Option<u64>) {
        let (mut tally, mut ended) = (Tally::new(3, &[(0, true), (0, true)], &[0, 1], Speech::Typed), Reasons::new());
        let heads = ["C DM bob ".to_owned(), "C DM ann ".to_owned()];
        let listening = Listening { tally: &mut tally, ended: &mut ended };
        let mut game = PingPong::new(listening, &heads, 64, rate, (0, end));
        game.waiting.clear();
        game.say(0, 0, &mut Outbox::default());
        let mut line = b"D DM 1 ann ".to_vec();
        Stamp { run: 3, sender: 0, number: 0, at: 0 }.encode(64, &mut line);
        let mut out = Outbox::default();
        game.handle_line(1, Line::parse(&line), now, &mut out);
        let said = out.waiting().strip_prefix(b"C DM ann ").and_then(Stamp::decode);
        assert_eq!(said.map(|stamp| (stamp.sender, stamp.at)), expected_at.map(|at| (1, at)));
        assert_eq!(game.waiting.pop(), expected_waiting.map(|due| Reverse((due, 1))));
    }

    #[test]
    fn who_has_heard_answers() {
        check(None, SECOND, 50, Some(50), None);
        // With a rate: when it is due. If that is over, latency counts from then.
        check(Some(10.0), SECOND, 50, None, Some(SECOND / 10));
        check(Some(10.0), SECOND, SECOND / 2, Some(SECOND / 10), None);
        check(None, 40, 50, None, None);
    }
}
