//! The end of a run: reports input that was not used, and joins the threads.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use super::{FAILED, Shell};
use crate::action::{Input, Weight};
use crate::args::{Errand, Options};
use crate::command::holds_secret;
use crate::event::{Event, Key};
use crate::stdin::has_more;

/// How long the end waits for a keyboard thread that does not stop (a password program that hangs), and how often it
/// interrupts it.
const LAST_WAIT: Duration = Duration::from_secs(2);
const NUDGE: Duration = Duration::from_millis(20);

impl Shell {
    /// Ends a script whose reader is gone as soon as it has nothing more to send. Its messages may still be confirmed,
    /// but nobody reads its output.
    pub(super) fn look_for_reader(&mut self) {
        if !self.is_reader_gone || self.lost_output.is_some() || !self.session.is_quiet() {
            return;
        }
        let is_talking = matches!(self.options.errand, Errand::Talk) && !self.has_read_all;
        if is_talking && (has_more(io::stdin(), false) || (self.keyboard.is_busy() && !self.keyboard.is_waiting())) {
            return;
        }
        self.lost_output = Some(ErrorKind::BrokenPipe.into());
        self.tell(Input::Unheard);
    }

    /// Ends the threads, and returns the exit code; `code` is the session's. Reports the line that was being typed, and
    /// the lines that a script had left.
    pub(super) fn finish(mut self, code: u8) -> u8 {
        let now = self.now();
        if let Some(log) = &mut self.log {
            log.finish(now);
        }
        let typed = self.stop_keyboard();
        self.screen.settle(false);
        let rest = if self.keyboard.is_busy() { None } else { self.keyboard.finish() };
        let is_unsaid = if self.is_edited { self.tell_typed(typed) } else { self.tell_rest(typed.or(rest)) };
        self.inbox.close();
        self.caller.finish();
        self.links.finish();
        drop(self.watch);
        let is_once = self.options.errand.once().is_some();
        match &self.lost_output {
            Some(error) if !is_once => {
                // `chatclient --plain … | head -1` ends here: nobody reads any message. But lines that a script had
                // left must not be lost silently.
                let may_come = !self.is_edited && !self.has_talked && reads_lines(&self.options);
                let is_unsaid = is_unsaid || (may_come && has_more(io::stdin(), true));
                let is_quiet = error.kind() == ErrorKind::BrokenPipe && !is_unsaid && code.max(self.worst) == 0;
                if is_quiet {
                    return 0;
                }
                let _ = self.stderr.write(&format!("chatclient: standard output: {error}\n"));
                FAILED.max(code)
            }
            Some(_) | None => code.max(self.worst).max(if is_unsaid && !self.is_edited { FAILED } else { 0 }),
        }
    }

    /// Ends the current read. Returns the content of the line, or what was read last.
    fn stop_keyboard(&mut self) -> Option<String> {
        let mut typed = None;
        let deadline = Instant::now() + LAST_WAIT;
        let mut nudge = Instant::now();
        while self.keyboard.is_busy() && Instant::now() < deadline {
            // By the clock: the interruption itself may wake the inbox.
            if nudge <= Instant::now() {
                self.keyboard.interrupt();
                nudge = Instant::now() + NUDGE;
            }
            let event = self.inbox.next(Some(nudge.saturating_duration_since(Instant::now())));
            // If lines are edited, SIGINT is the interruption.
            if self.inbox.is_terminated() || (!self.is_edited && self.inbox.is_interrupted()) {
                break;
            }
            if let Some(Event::Key(key)) = event {
                self.keyboard.answered();
                typed = match key {
                    Key::Line(typed) | Key::Edited(Ok(typed)) => Some(typed),
                    Key::Interrupted(typed) if self.is_edited => Some(typed),
                    Key::BadLine(why) => Some(why.to_owned()),
                    Key::End | Key::Broken(_) => {
                        self.has_read_all = true;
                        None
                    }
                    // What a script has read is still there.
                    Key::Interrupted(_)
                    | Key::Edited(Err(_))
                    | Key::Cancel
                    | Key::Secret(_)
                    | Key::NoSecret(_)
                    | Key::Failed(_) => None,
                };
            }
        }
        typed
    }

    /// Reports the line that was being typed. True if there was one.
    fn tell_typed(&mut self, typed: Option<String>) -> bool {
        let Some(typed) = typed.filter(|typed| !typed.trim().is_empty()) else { return false };
        self.say(Weight::Trouble, "unsent", format!("not sent: {typed}"));
        true
    }

    /// Reports the lines that a script had left, beginning with `rest`. True if there were any.
    fn tell_rest(&mut self, rest: Option<String>) -> bool {
        let is_more = rest.is_some() || (!self.has_read_all && has_more(io::stdin(), false));
        if !reads_lines(&self.options) || !is_more {
            return false;
        }
        let before = match self.session.lines_taken() {
            0 => "nothing on standard input was said".to_owned(),
            taken => format!("what follows line {taken} was not said"),
        };
        // It may hold the password of a room.
        let first = rest.as_deref().map(str::trim_start).filter(|first| !first.is_empty());
        let text = match first {
            Some(first) if holds_secret(first) => before,
            Some(first) => format!("{before}: {first}"),
            None => before,
        };
        self.say(Weight::Trouble, "unsent", text);
        true
    }
}

/// Whether lines are read at all.
fn reads_lines(options: &Options) -> bool {
    matches!(options.errand, Errand::Talk)
}
