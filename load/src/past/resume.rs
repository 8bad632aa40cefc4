//! Somebody comes back: logs in, joins their rooms, and asks for what they have missed until there is no more.

use hdrhistogram::Histogram;

use crate::conn::Outbox;
use crate::dialogue::{Act, Dialogue, Visitor};
use crate::entrance::Reasons;
use crate::fleet::Handler;
use crate::line::Line;
use crate::report::{Question, Spread};
use crate::run::{Run, SECOND};
use crate::tally::latencies;

/// How long one may take, in nanoseconds.
const PATIENCE: u64 = 30 * SECOND;

/// Those who come back, one after the other, on one connection of the fleet.
pub(super) struct Resuming {
    who: usize,
    step: Step,
    lines_all: u64,
    refused: Reasons,
    times: Histogram<u64>,
}

/// Where one is.
enum Step {
    /// Nobody is on the way.
    Over,
    /// Logging in; then the rooms are joined, and what was said after the id is asked for.
    LoggingIn { dialogue: Dialogue, visitor: Box<Visitor>, rooms: Vec<String>, after: u64 },
    /// Waiting for the answers to this many JOINs.
    Joining { left: usize, after: u64 },
    /// Waiting for a page.
    Reading,
}

impl Resuming {
    /// On this connection.
    pub(super) fn new(who: usize) -> Self {
        Self { who, step: Step::Over, lines_all: 0, refused: Reasons::new(), times: latencies() }
    }

    /// One comes back to what was said after the id.
    ///
    /// # Errors
    /// Errors of the poll, no connection, or no answer comes.
    pub(super) fn go_on(
        &mut self,
        run: &mut Run,
        visitor: Visitor,
        rooms: &[String],
        after: u64,
    ) -> Result<(), String> {
        let (dialogue, visitor, rooms) = (Dialogue::default(), Box::new(visitor), rooms.to_vec());
        self.step = Step::LoggingIn { dialogue, visitor, rooms, after };
        let begin = run.fleet.now();
        run.fleet.connect(self.who).map_err(|error| format!("this machine makes no more connections: {error}"))?;
        while !matches!(self.step, Step::Over) && !run.stop.is_asked() {
            let now = run.fleet.now();
            if now > begin + PATIENCE {
                return Err(format!("resume: it takes longer than {} s", PATIENCE / SECOND));
            }
            run.fleet.turn(now + SECOND, self).map_err(|error| format!("the poll failed: {error}"))?;
        }
        self.times.saturating_record(run.fleet.now().saturating_sub(begin).max(1));
        run.fleet.close(self.who);
        Ok(())
    }

    /// The results.
    pub(super) fn question(self) -> Question {
        let answered = self.times.len();
        Question {
            what: "resume",
            answered,
            refused: self.refused,
            lines_each: self.lines_all as f64 / answered.max(1) as f64,
            latency_us: Spread::new(&self.times),
        }
    }

    fn refuse(&mut self, why: &str) {
        self.step = Step::Over;
        let why = why.chars().filter(|c| !c.is_control()).take(60).collect();
        *self.refused.entry(why).or_default() += 1;
    }

    fn log_in(&mut self, line: Line<'_>, out: &mut Outbox) {
        let Step::LoggingIn { dialogue, visitor, rooms, after } = &mut self.step else { return };
        match dialogue.handle_line(line, visitor).0 {
            Act::Wait => {}
            Act::Say(line) | Act::SayLater(line, _) => out.put(|bytes| bytes.extend_from_slice(line.as_bytes())),
            Act::Refused(why) => self.refuse(&why),
            Act::Enter => {
                let (left, after) = (rooms.len(), *after);
                for room in rooms.iter() {
                    out.put(|bytes| bytes.extend_from_slice(format!("C JOIN {room}").as_bytes()));
                }
                self.step = Step::Joining { left, after };
                if left == 0 {
                    self.read_on(after, out);
                }
            }
        }
    }

    fn read_on(&mut self, after: u64, out: &mut Outbox) {
        self.step = Step::Reading;
        out.put(|bytes| bytes.extend_from_slice(format!("C HISTORY after {after} 200").as_bytes()));
    }
}

/// The bound with which a page goes on; `None` at the end.
fn next(text: &str) -> Option<u64> {
    text.split(' ').find_map(|word| word.strip_prefix("next=")?.parse().ok())
}

impl Handler for Resuming {
    fn handle_line(&mut self, who: usize, line: Line<'_>, _: u64, out: &mut Outbox) {
        if who != self.who {
            return;
        }
        match (&mut self.step, line) {
            (Step::LoggingIn { .. }, _) => self.log_in(line, out),
            (Step::Joining { left, after }, Line::Reply(227, _)) => {
                *left -= 1;
                let after = *after;
                if *left == 0 {
                    self.read_on(after, out);
                }
            }
            (Step::Reading, Line::Part) => self.lines_all += 1,
            (Step::Reading, Line::Reply(212, text)) => match next(text) {
                Some(after) => self.read_on(after, out),
                None => self.step = Step::Over,
            },
            (Step::Joining { .. } | Step::Reading, Line::Reply(code, text)) => {
                let why = format!("{code} {text}");
                self.refuse(&why);
            }
            (Step::Over | Step::Joining { .. } | Step::Reading, _) => {}
        }
    }

    fn handle_end(&mut self, who: usize, why: String) {
        if who == self.who && !matches!(self.step, Step::Over) {
            self.refuse(&why);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_logs_in_joins_and_reads_to_the_end() {
        let mut resuming = Resuming::new(5);
        let visitor =
            Visitor { name: "ann".to_owned(), password: "pw".to_owned(), token: None, wants_token: false, room: None };
        resuming.step = Step::LoggingIn {
            dialogue: Dialogue::default(),
            visitor: Box::new(visitor),
            rooms: vec!["r1".to_owned(), "r2".to_owned()],
            after: 7,
        };
        let mut said = Vec::new();
        let mut hear = |resuming: &mut Resuming, line: &str| {
            let mut out = Outbox::default();
            resuming.handle_line(5, Line::parse(line.as_bytes()), 0, &mut out);
            said.push(String::from_utf8(out.waiting().to_vec()).unwrap());
        };
        for line in [
            "C 220 chatd; your name?",
            "C 331 ann, your password?",
            "C 230 welcome",
            "C 227 r1 token=T kept=30",
            "C 103 r2 bob entered",
            "C 227 r2 token=T kept=30",
            "C 212-8 r1 bob - hi",
            "C 212 1 next=8",
            "C 212-9 r1 bob - ho",
            "C 212 1 end",
        ] {
            hear(&mut resuming, line);
        }
        let expected = [
            "C ann\n",
            "C pw\n",
            "C JOIN r1\nC JOIN r2\n",
            "",
            "",
            "C HISTORY after 7 200\n",
            "",
            "C HISTORY after 8 200\n",
            "",
            "",
        ];
        assert_eq!(said, expected);
        assert!(matches!(resuming.step, Step::Over));
        assert_eq!(resuming.lines_all, 2);
    }

    #[test]
    fn a_refusal_ends_it() {
        let mut resuming = Resuming::new(5);
        resuming.step = Step::Reading;
        resuming.handle_line(4, Line::parse(b"C 450 not for it"), 0, &mut Outbox::default());
        resuming.handle_line(5, Line::parse(b"C 450 try again"), 0, &mut Outbox::default());
        assert_eq!(resuming.question().refused, Reasons::from([("450 try again".to_owned(), 1)]));
        assert_eq!((next("5 next=12"), next("5 end"), next("next=x")), (Some(12), None, None));
    }
}
