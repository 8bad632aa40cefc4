//! `fanout` and `mesh`: some speak, all of their room hear it.

use std::collections::BTreeSet;

use super::conn::Outbox;
use super::entrance::Reasons;
use super::fleet::Ears;
use super::line::Line;
use super::run::{Run, SECOND};
use super::schedule::Rhythm;
use super::tally::Tally;

/// What was said is waited for until nothing has come for this long …
const QUIET: u64 = 2 * SECOND;
/// … and for no longer than this.
const DRAIN: u64 = 30 * SECOND;

/// How the lines are paced.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// So many a second of each voice, whatever the server does.
    Open(f64),
    /// As many as it takes to have so many on their way.
    Closed(u32),
}

/// The ears of a run that is being counted.
pub(super) struct Listening<'a> {
    /// Where it is counted.
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

/// A talk that is going on.
pub(super) struct Talk {
    pace: Pace,
    /// What stands before the text in a line of each voice: `C PM `, or `C RM room `.
    heads: Vec<String>,
    size: usize,
    rhythm: Rhythm,
    /// The next line of all in the rhythm, or the next voice's turn in a closed loop.
    next: u64,
    /// Lines that were due so far, by voice.
    due: Vec<u64>,
    /// Voices with lines due that they could not say yet, because they have too much to send.
    behind: BTreeSet<usize>,
}

impl Talk {
    /// A talk that begins at `begin`, in nanoseconds of the run. `heads` is what stands before each voice's text.
    pub(super) fn new(pace: Pace, heads: Vec<String>, size: usize, begin: u64) -> Self {
        let rate = match pace {
            Pace::Open(rate) => rate,
            Pace::Closed(_) => 1.0,
        };
        let rhythm = Rhythm::new(begin, rate, heads.len());
        Self { pace, due: vec![0; heads.len()], heads, size, rhythm, next: 0, behind: BTreeSet::new() }
    }

    /// Lets them talk until `end`, or until the run is stopped or everybody is gone; then waits for what is on its
    /// way.
    ///
    /// # Errors
    /// The poll's.
    pub(super) fn go_on(&mut self, run: &mut Run, ears: &mut Listening<'_>, end: u64) -> Result<(), String> {
        let begin = run.fleet.now();
        loop {
            let now = run.fleet.now();
            let is_over = now >= end || run.stop.is_asked() || ears.tally.live() == 0;
            let until = match self.pace {
                // Also at the end: what was due before it counts, however late this comes to it.
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

    /// Lines that were due and could not be said by those who are still there, because the server did not take them.
    pub(super) fn unsaid(&self, tally: &Tally) -> u64 {
        let due = self.due.iter().enumerate().filter(|(voice, _)| tally.is_live(*voice));
        due.map(|(voice, due)| due.saturating_sub(u64::from(tally.said(voice)))).sum()
    }

    /// Says what is due by now, and gives when the next line is.
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
                // It is counted from when it was due: what waits here waits because of the server.
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

    /// Says as much as the window has room for. What makes room again is an event.
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

    /// Says a line that was due at `at`. False if too much waits to be sent already.
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

/// Waits for what is on its way: until all has come, or nothing comes any more.
///
/// # Errors
/// The poll's.
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
