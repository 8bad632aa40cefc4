//! `fanout` and `mesh`: some connections send, and all of their room receive.

use std::collections::BTreeSet;

use super::conn::Outbox;
use super::entrance::Reasons;
use super::fleet::Ears;
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

impl Ears for Listening<'_> {
    fn handle_line(&mut self, who: usize, line: &[u8], now: u64, _: &mut Outbox) {
        self.tally.handle_line(who, Line::parse(line), now);
    }

    fn handle_end(&mut self, who: usize, why: String) {
        self.tally.handle_end(who);
        *self.ended.entry(why).or_default() += 1;
    }
}

/// A workload in progress.
pub(super) struct Talk {
    pace: Pace,
    /// The start of each sender's lines: `C PM `, or `C RM room `.
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
    pub(super) fn go_on(&mut self, run: &mut Run, ears: &mut Listening<'_>, end: u64) -> Result<(), String> {
        let begin = run.fleet.now();
        loop {
            let now = run.fleet.now();
            let is_over = now >= end || run.stop.is_asked() || ears.tally.live() == 0;
            let until = match self.pace {
                // Also at the end: a line that was due before it counts, even if this runs late.
                Pace::Open(_) => self.keep_time(run, ears.tally, now.min(end.saturating_sub(1))),
                Pace::Closed(_) if is_over => end,
                Pace::Closed(window) => self.fill(run, ears.tally, window, now),
            };
            if is_over {
                break;
            }
            run.fleet.turn(until.min(end), ears).map_err(|error| format!("the poll failed: {error}"))?;
            if run.progress.is_due() {
                let note = format!("s, {} lines heard", ears.tally.heard());
                run.progress.set(now.saturating_sub(begin) / SECOND, &note);
            }
        }
        drain(run, ears)
    }

    /// Due lines that the remaining senders could not send, because the server did not take them.
    pub(super) fn unsaid(&self, tally: &Tally) -> u64 {
        let due = self.due.iter().enumerate().filter(|(voice, _)| tally.is_live(*voice));
        due.map(|(voice, due)| due.saturating_sub(u64::from(tally.said(voice)))).sum()
    }

    /// Sends the lines that are due, and returns when the next one is.
    fn keep_time(&mut self, run: &mut Run, tally: &mut Tally, now: u64) -> u64 {
        let mut speaking = std::mem::take(&mut self.behind);
        while self.rhythm.due(self.next) <= now {
            let voice = self.rhythm.voice(self.next);
            if let Some(due) = self.due.get_mut(voice) {
                *due += 1;
                speaking.insert(voice);
            }
            self.next += 1;
        }
        for voice in speaking {
            let due = self.due.get(voice).copied().unwrap_or(0);
            while tally.is_live(voice) && u64::from(tally.said(voice)) < due {
                // Latency counts from the due time: a line waits here because of the server.
                let at = self.rhythm.due_of(voice, u64::from(tally.said(voice)));
                if !self.say(run, tally, voice, at) {
                    self.behind.insert(voice);
                    break;
                }
            }
            if let Some(who) = tally.ear_of(voice) {
                run.fleet.flush(who);
            }
        }
        self.rhythm.due(self.next)
    }

    /// Sends as much as the window allows. An event reports when there is room again.
    fn fill(&mut self, run: &mut Run, tally: &mut Tally, window: u32, now: u64) -> u64 {
        let mut spoken = BTreeSet::new();
        let mut passed = 0;
        while passed < tally.voices() {
            let voice = self.rhythm.voice(self.next);
            self.next += 1;
            let may = tally.is_live(voice) && tally.has_room(voice, window);
            if may && self.say(run, tally, voice, now) {
                spoken.insert(voice);
                passed = 0;
            } else {
                passed += 1;
            }
        }
        for who in spoken.into_iter().filter_map(|voice| tally.ear_of(voice)) {
            run.fleet.flush(who);
        }
        u64::MAX
    }

    /// Sends a line that was due at `at`. False if too much output waits.
    fn say(&self, run: &mut Run, tally: &mut Tally, voice: usize, at: u64) -> bool {
        let out = tally.ear_of(voice).and_then(|who| run.fleet.outbox(who));
        let Some(out) = out.filter(|out| out.has_room()) else { return false };
        let (Some(stamp), Some(head)) = (tally.say(voice, at), self.heads.get(voice)) else { return false };
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
pub(super) fn drain(run: &mut Run, ears: &mut Listening<'_>) -> Result<(), String> {
    let begin = run.fleet.now();
    let mut last = (ears.tally.heard(), begin);
    loop {
        let now = run.fleet.now();
        if last.0 != ears.tally.heard() {
            last = (ears.tally.heard(), now);
        }
        let until = (last.1 + QUIET).min(begin + DRAIN);
        if ears.tally.is_settled() || ears.tally.live() == 0 || now >= until {
            return Ok(());
        }
        run.fleet.turn(until, ears).map_err(|error| format!("the poll failed: {error}"))?;
    }
}
