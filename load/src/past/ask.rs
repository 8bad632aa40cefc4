//! One kind of question, asked again and again by several readers.

use hdrhistogram::Histogram;

use chatd::history::fill::Filled;

use super::layout::Layout;
use super::text::{self, Numbers};
use crate::conn::Outbox;
use crate::entrance::Reasons;
use crate::fleet::Handler;
use crate::line::Line;
use crate::report::{Question, Spread};
use crate::run::{Run, SECOND};
use crate::tally::latencies;

/// Messages that somebody who comes back has missed.
const MISSED: u64 = 1_000;
/// An answer that takes longer than this is given up, in nanoseconds.
const PATIENCE: u64 = 30 * SECOND;

/// What is asked, in this order.
pub(super) const KINDS: [Kind; 10] = [
    Kind::Page,
    Kind::After,
    Kind::Unread,
    Kind::Find(Words::Common),
    Kind::Find(Words::Usual),
    Kind::Find(Words::Rare),
    Kind::Find(Words::Absent),
    Kind::Find(Words::Two),
    Kind::Find(Words::Prefix),
    Kind::Kept,
];

/// A kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// 50 messages of one place.
    Page,
    /// 200 messages of all places after an id.
    After,
    /// Counts of what is unread.
    Unread,
    /// A search.
    Find(Words),
    /// A direct message to somebody who is away.
    Kept,
}

/// What is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// The most frequent words.
    Common,
    /// A word of middling frequency.
    Usual,
    /// A word that is in one of half a million messages.
    Rare,
    /// A word that is nowhere.
    Absent,
    /// Two frequent words.
    Two,
    /// The beginning of many words.
    Prefix,
}

impl Kind {
    /// Its name in the report.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Page => "page of 50",
            Self::After => "200 after an id",
            Self::Unread => "unread",
            Self::Find(Words::Common) => "search: common",
            Self::Find(Words::Usual) => "search: usual",
            Self::Find(Words::Rare) => "search: rare",
            Self::Find(Words::Absent) => "search: absent",
            Self::Find(Words::Two) => "search: two words",
            Self::Find(Words::Prefix) => "search: prefix",
            Self::Kept => "250 kept",
        }
    }

    /// The code of its answer.
    fn code(self) -> u16 {
        match self {
            Self::Page | Self::After | Self::Find(_) => 212,
            Self::Unread => 213,
            Self::Kept => 250,
        }
    }

    /// How many of the last messages of all somebody has to come back to, to have missed [`MISSED`].
    pub(super) fn missed(layout: &Layout, filled: Filled) -> u64 {
        let all = MISSED * u64::from(layout.places_all()) / u64::from(layout.places_each()).max(1);
        all.min(filled.rows)
    }
}

/// The readers and their answers.
pub(super) struct Asking<'a> {
    kind: Kind,
    layout: &'a Layout,
    filled: Filled,
    prefix: &'a str,
    numbers: Numbers,
    /// When each reader has asked; `None` if it has its answer.
    waiting: Vec<Option<u64>>,
    /// Lines of the answer so far.
    lines: Vec<u64>,
    begun: u64,
    lines_all: u64,
    refused: Reasons,
    times: Histogram<u64>,
}

impl<'a> Asking<'a> {
    /// Questions of this kind.
    pub(super) fn new(kind: Kind, layout: &'a Layout, filled: Filled, prefix: &'a str) -> Self {
        let readers = layout.readers as usize;
        Self {
            kind,
            layout,
            filled,
            prefix,
            numbers: Numbers::new(1),
            waiting: vec![None; readers],
            lines: vec![0; readers],
            begun: 0,
            lines_all: 0,
            refused: Reasons::new(),
            times: latencies(),
        }
    }

    /// Asks `most` times, `at_once` of them at the same time, for `time` nanoseconds at most.
    ///
    /// # Errors
    /// Errors of the poll, or no answer comes.
    pub(super) fn go_on(&mut self, run: &mut Run, at_once: u32, most: u32, time: u64) -> Result<(), String> {
        let begin = run.fleet.now();
        loop {
            let now = run.fleet.now();
            let is_over =
                now >= begin + time || self.begun >= u64::from(most) || run.stop.is_asked() || run.fleet.open() == 0;
            let under_way = self.waiting.iter().flatten().count();
            if is_over && under_way == 0 {
                return Ok(());
            }
            if let Some(first) = self.waiting.iter().flatten().min().filter(|first| now > *first + PATIENCE) {
                return Err(format!("{}: no answer in {} s", self.kind.name(), (now - first) / SECOND));
            }
            if !is_over && under_way < at_once as usize {
                self.ask(run);
                continue;
            }
            let until = now + SECOND;
            run.fleet.turn(until, self).map_err(|error| format!("the poll failed: {error}"))?;
            run.progress.set(self.begun, "");
        }
    }

    /// The next reader asks. It is their turn, so that none searches too often.
    fn ask(&mut self, run: &mut Run) {
        let readers = u64::from(self.layout.readers);
        let reader = (self.begun % readers) as usize;
        let n = self.begun;
        self.begun += 1;
        let line = self.line(n, reader);
        if !self.waiting.get(reader).is_some_and(Option::is_none) {
            // A slow answer, while others are asked.
            return;
        }
        let now = run.fleet.now();
        let Some(out) = run.fleet.outbox(reader) else { return };
        out.put(|bytes| bytes.extend_from_slice(line.as_bytes()));
        if let Some(waiting) = self.waiting.get_mut(reader) {
            *waiting = Some(now);
        }
        run.fleet.flush(reader);
    }

    /// The n-th question.
    fn line(&mut self, n: u64, reader: usize) -> String {
        let reader = u32::try_from(reader).unwrap_or_default();
        match self.kind {
            Kind::Page => {
                let id = self.some_id();
                let rooms = self.layout.rooms_of(reader);
                let room = rooms.get((n / u64::from(self.layout.readers)) as usize % rooms.len().max(1));
                format!("C HISTORY {} before {id} 50", room.map_or("*", String::as_str))
            }
            Kind::After => format!("C HISTORY after {} 200", self.some_id()),
            Kind::Unread => "C UNREAD".to_owned(),
            Kind::Find(words) => format!("C SEARCH {}", self.words(words)),
            Kind::Kept => {
                let away = self.layout.readers as u64 + n % u64::from(self.layout.away);
                format!("C DM {}{away} are you there, or shall I come back later?", self.prefix)
            }
        }
    }

    fn words(&mut self, words: Words) -> String {
        let mut rank = |from: u64, to: u64| text::word((from + self.numbers.below(to - from)) as u32);
        match words {
            Words::Common => rank(0, 5),
            Words::Usual => rank(100, 400),
            Words::Rare => text::rare(self.numbers.next()),
            Words::Absent => format!("nowhere{}", self.numbers.below(1_000)),
            Words::Two => format!("{} {}", rank(0, 5), rank(5, 10)),
            Words::Prefix => format!("{}*", rank(0, 40)),
        }
    }

    /// The id of some message.
    fn some_id(&mut self) -> u64 {
        let n = self.numbers.below(self.filled.rows.max(1));
        self.filled.id(n)
    }

    /// The results.
    pub(super) fn question(self) -> Question {
        let answered = self.times.len();
        Question {
            what: self.kind.name(),
            answered,
            refused: self.refused,
            lines_each: self.lines_all as f64 / answered.max(1) as f64,
            latency_us: Spread::new(&self.times),
        }
    }
}

impl Handler for Asking<'_> {
    fn handle_line(&mut self, who: usize, line: Line<'_>, now: u64, _: &mut Outbox) {
        let Some(lines) = self.lines.get_mut(who) else { return };
        match line {
            Line::Part => *lines += 1,
            Line::Reply(code, text) => {
                let count = std::mem::take(lines);
                let Some(asked) = self.waiting.get_mut(who).and_then(Option::take) else { return };
                let is_kept = self.kind != Kind::Kept || text.starts_with("kept");
                if code == self.kind.code() && is_kept {
                    self.lines_all += count;
                    self.times.saturating_record(now.saturating_sub(asked).max(1));
                } else {
                    let why = format!("{code} {text}").chars().filter(|c| !c.is_control()).take(60).collect();
                    *self.refused.entry(why).or_default() += 1;
                }
            }
            Line::Notice | Line::Said { .. } | Line::Command { .. } | Line::Other => {}
        }
    }

    fn handle_end(&mut self, who: usize, why: String) {
        if self.waiting.get_mut(who).and_then(Option::take).is_some() {
            *self.refused.entry(why).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(layout: &Layout, kind: Kind) -> Asking<'_> {
        Asking::new(kind, layout, Filled { first: 1 << 40, step: 1 << 20, rows: 1_000 }, "load")
    }

    #[test]
    fn questions_are_lines_of_the_door() {
        let layout = Layout::new(1, 500);
        for kind in KINDS {
            let mut asking = asking(&layout, kind);
            for n in 0..100 {
                let line = asking.line(n, (n % 32) as usize);
                let words: Vec<&str> = line.split(' ').collect();
                let is_right = match kind {
                    Kind::Page => words.len() == 6 && words[2].starts_with("past-") && words[5] == "50",
                    Kind::After => words.len() == 5 && words[3].parse::<u64>().is_ok() && words[4] == "200",
                    Kind::Unread => words.len() == 2,
                    Kind::Find(Words::Two) => words.len() == 4,
                    Kind::Find(Words::Prefix) => words.len() == 3 && words[2].ends_with('*'),
                    Kind::Find(_) => words.len() == 3,
                    Kind::Kept => words[2].starts_with("load"),
                };
                assert!(is_right, "{kind:?}: {line}");
            }
        }
    }

    #[test]
    fn an_answer_is_timed_by_its_last_line() {
        let layout = Layout::new(1, 500);
        let mut asking = asking(&layout, Kind::Page);
        asking.waiting[3] = Some(1_000);
        let mut hear =
            |line: &str, now| asking.handle_line(3, Line::parse(line.as_bytes()), now, &mut Outbox::default());
        hear("C 212-1 past-1 load1 - ba", 2_000);
        hear("D PM 7 load1 hello", 2_500);
        hear("C 212-2 past-1 load1 - be", 3_000);
        hear("C 212 2 end", 4_000);
        hear("C 250 nobody waits for this", 9_000);
        let question = asking.question();
        assert_eq!((question.answered, question.lines_each, question.refused.len()), (1, 2.0, 0));
        let max = question.latency_us.unwrap().max;
        assert!((2.9..3.1).contains(&max), "{max}");
    }

    #[test]
    fn other_answers_are_told_apart() {
        let layout = Layout::new(1, 500);
        let mut asking = asking(&layout, Kind::Kept);
        for (who, line) in [(0, "C 250 kept for load40"), (1, "C 250 sent to load40"), (2, "C 450 try again")] {
            asking.waiting[who] = Some(1);
            asking.handle_line(who, Line::parse(line.as_bytes()), 9, &mut Outbox::default());
        }
        asking.waiting[3] = Some(1);
        asking.handle_end(3, "too slow".to_owned());
        let question = asking.question();
        let refused =
            [("250 sent to load40", 1), ("450 try again", 1), ("too slow", 1)].map(|(why, n)| (why.to_owned(), n));
        assert_eq!((question.answered, question.refused), (1, Reasons::from(refused)));
    }
}
