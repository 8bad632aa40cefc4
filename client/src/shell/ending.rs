//! How a run ends: what had still to be said is told, and the threads are joined.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use super::{FAILED, Shell};
use crate::action::{Input, Weight};
use crate::args::{Errand, Options};
use crate::command::holds_secret;
use crate::event::{Event, Key};
use crate::stdin::has_more;

/// How long the end waits for a keyboard that does not stop reading (a password program that hangs), and how often it
/// is told to.
const LAST_WAIT: Duration = Duration::from_secs(2);
const NUDGE: Duration = Duration::from_millis(20);

impl Shell {
    /// Ends a script whose reader has gone, as soon as it has nothing to say: what it does say may be confirmed, and
    /// what it is shown finds nobody anyway.
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

    /// Ends the threads, and gives the exit code, of which the session's part is `code`. What was being typed, and what
    /// a script had still to say, is told, for it goes nowhere.
    pub(super) fn finish(mut self, code: u8) -> u8 {
        let typed = self.stop_keyboard();
        self.screen.settle(false);
        let rest = if self.keyboard.is_busy() { None } else { self.keyboard.finish() };
        let is_unsaid = if self.is_edited { self.tell_typed(typed) } else { self.tell_rest(typed.or(rest)) };
        self.inbox.close();
        self.links.finish();
        drop(self.watch);
        let is_once = self.options.errand.once().is_some();
        match &self.lost_output {
            Some(error) if !is_once => {
                // `chatclient --plain … | head -1` ends here: nobody is left to say anything to. But what a script still
                // had to say must not be lost without a word.
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

    /// Ends what is being read, and gives what stood in the line, or was read last.
    fn stop_keyboard(&mut self) -> Option<String> {
        let mut typed = None;
        let deadline = Instant::now() + LAST_WAIT;
        let mut nudge = Instant::now();
        while self.keyboard.is_busy() && Instant::now() < deadline {
            // By the clock: a nudge itself may wake the inbox.
            if nudge <= Instant::now() {
                self.keyboard.interrupt();
                nudge = Instant::now() + NUDGE;
            }
            let event = self.inbox.next(Some(nudge.saturating_duration_since(Instant::now())));
            // Where lines are edited, SIGINT is the nudge.
            if self.inbox.is_terminated() || (!self.is_edited && self.inbox.is_interrupted()) {
                break;
            }
            if let Some(Event::Key(key)) = event {
                self.keyboard.answered();
                typed = match key {
                    Key::Line(typed) => Some(typed),
                    Key::Interrupted(typed) if self.is_edited => Some(typed),
                    Key::BadLine(why) => Some(why.to_owned()),
                    Key::End | Key::Broken(_) => {
                        self.has_read_all = true;
                        None
                    }
                    // What a script has read is still there.
                    Key::Interrupted(_) | Key::Secret(_) | Key::NoSecret(_) | Key::Failed(_) => None,
                };
            }
        }
        typed
    }

    /// Tells what a person was typing; whether there was something.
    fn tell_typed(&mut self, typed: Option<String>) -> bool {
        let Some(typed) = typed.filter(|typed| !typed.trim().is_empty()) else { return false };
        self.say(Weight::Trouble, "unsent", format!("not sent: {typed}"));
        true
    }

    /// Tells what a script had still to say, beginning with `rest`; whether there was something.
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

/// Whether lines are read from somewhere.
fn reads_lines(options: &Options) -> bool {
    matches!(options.errand, Errand::Talk)
}
