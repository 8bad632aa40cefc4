//! `fanout` and `mesh`: some connections send, and all of their room receive.

use std::collections::BTreeSet;

use super::conn::Outbox;
use super::entrance::Reasons;
use super::fleet::Handler;
use super::line::Line;
use super::run::{Run, SECOND};
use super::schedule::Rhythm;
use super::tally::Tally;

/// Lines under way are waited for until none has arrived for this long …
const QUIET: u64 = 2 * SECOND;
/// … and for no longer than this.
const DRAIN: u64 = 30 * SECOND;

/// The rate of lines.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// This many a second from each sender, whatever the server does.
    Open(f64),
    /// As many as keep this number under way.
    Closed(u32),
}

/// The handler of a run that is counted.
pub(super) struct Listening<'a> {
    /// The counts.
    pub(super) tally: &'a mut Tally,
    /// Why connections have ended.
    pub(super) ended: &'a mut Reasons,
}

impl Handler for Listening<'_> {
    fn handle_line(&mut self, who: usize, line: Line<'_>, now: u64, _: &mut Outbox) {
        self.tally.handle_line(who, line, now);
    }

    fn handle_end(&mut self, who: usize, why: String) {
        self.tally.handle_end(who);
        *self.ended.entry(why).or_default() += 1;
    }
}

/// A workload in progress.
pub(super) struct Talk {
    pace: Pace,
    /// The start of each sender's lines, as far as their text.
    heads: Vec<String>,
    size: usize,
    rhythm: Rhythm,
    /// The next line of all in the schedule, or the next sender's turn in a closed loop.
    next: u64,
    /// The number of lines due so far, by sender.
    due: Vec<u64>,
    /// Senders with due lines that they could not send yet, because too much output waits.
    behind: BTreeSet<usize>,
}

impl Talk {
    /// A workload that begins at `begin`, in nanoseconds of the run. `heads` holds the start of each sender's lines.
    pub(super) fn new(pace: Pace, heads: Vec<String>, size: usize, begin: u64) -> Self {
        let rate = match pace {
            Pace::Open(rate) => rate,
            Pace::Closed(_) => 1.0,
        };
        let rhythm = Rhythm::new(begin, rate, heads.len());
        Self { pace, due: vec![0; heads.len()], heads, size, rhythm, next: 0, behind: BTreeSet::new() }
    }

    /// Runs until `end`, or until the run is stopped or all connections are gone, and then waits for lines under way.
    ///
    /// # Errors
    /// Errors of the poll.
    pub(super) fn go_on(&mut self, run: &mut Run, handler: &mut Listening<'_>, end: u64) -> Result<(), String> {
        let begin = run.fleet.now();
        loop {
            let now = run.fleet.now();
            let is_over = now >= end || run.stop.is_asked() || handler.tally.live() == 0;
            let until = match self.pace {
                // Also at the end: a line that was due before it counts, even if this runs late.
                Pace::Open(_) => self.keep_time(run, handler.tally, now.min(end.saturating_sub(1))),
                Pace::Closed(_) if is_over => end,
                Pace::Closed(window) => self.fill(run, handler.tally, window, now),
            };
            if is_over {
                break;
            }
            run.fleet.turn(until.min(end), handler).map_err(|error| format!("the poll failed: {error}"))?;
            if run.progress.is_due() {
                let note = format!("s, {} lines heard", handler.tally.heard());
                run.progress.set(now.saturating_sub(begin) / SECOND, &note);
            }
        }
        drain(run, handler)
    }

    /// Due lines that the remaining senders could not send, because the server did not take them.
    pub(super) fn unsaid(&self, tally: &Tally) -> u64 {
        let due = self.due.iter().enumerate().filter(|(sender, _)| tally.is_live(*sender));
        due.map(|(sender, due)| due.saturating_sub(u64::from(tally.said(sender)))).sum()
    }

    /// Sends the lines that are due, and returns when the next one is.
    fn keep_time(&mut self, run: &mut Run, tally: &mut Tally, now: u64) -> u64 {
        let mut speaking = std::mem::take(&mut self.behind);
        while self.rhythm.due(self.next) <= now {
            let sender = self.rhythm.sender(self.next);
            if let Some(due) = self.due.get_mut(sender) {
                *due += 1;
                speaking.insert(sender);
            }
            self.next += 1;
        }
        for sender in speaking {
            let due = self.due.get(sender).copied().unwrap_or(0);
            while tally.is_live(sender) && u64::from(tally.said(sender)) < due {
                // Latency counts from the due time: a line waits here because of the server.
                let at = self.rhythm.due_of(sender, u64::from(tally.said(sender)));
                if !self.say(run, tally, sender, at) {
                    self.behind.insert(sender);
                    break;
                }
            }
            if let Some(who) = tally.receiver_of(sender) {
                run.fleet.flush(who);
            }
        }
        self.rhythm.due(self.next)
    }

    /// Sends as much as the window allows. An event reports when there is room again.
    fn fill(&mut self, run: &mut Run, tally: &mut Tally, window: u32, now: u64) -> u64 {
        let mut spoken = BTreeSet::new();
        let mut passed = 0;
        while passed < tally.senders() {
            let sender = self.rhythm.sender(self.next);
            self.next += 1;
            let may = tally.is_live(sender) && tally.has_room(sender, window);
            if may && self.say(run, tally, sender, now) {
                spoken.insert(sender);
                passed = 0;
            } else {
                passed += 1;
            }
        }
        for who in spoken.into_iter().filter_map(|sender| tally.receiver_of(sender)) {
            run.fleet.flush(who);
        }
        u64::MAX
    }

    /// Sends a line that was due at `at`. False if too much output waits.
    fn say(&self, run: &mut Run, tally: &mut Tally, sender: usize, at: u64) -> bool {
        let out = tally.receiver_of(sender).and_then(|who| run.fleet.outbox(who));
        let Some(out) = out.filter(|out| out.has_room()) else { return false };
        let (Some(stamp), Some(head)) = (tally.say(sender, at), self.heads.get(sender)) else { return false };
        out.put(|bytes| {
            bytes.extend_from_slice(head.as_bytes());
            stamp.encode(self.size, bytes);
        });
        true
    }
}

/// Waits for lines under way: until all have arrived, or none arrives any more.
///
/// # Errors
/// Errors of the poll.
pub(super) fn drain(run: &mut Run, handler: &mut Listening<'_>) -> Result<(), String> {
    let begin = run.fleet.now();
    let mut last = (handler.tally.heard(), begin);
    loop {
        let now = run.fleet.now();
        if last.0 != handler.tally.heard() {
            last = (handler.tally.heard(), now);
        }
        let until = (last.1 + QUIET).min(begin + DRAIN);
        if handler.tally.is_settled() || handler.tally.live() == 0 || now >= until {
            return Ok(());
        }
        run.fleet.turn(until, handler).map_err(|error| format!("the poll failed: {error}"))?;
    }
}
