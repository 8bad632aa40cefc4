//! The line editor: rustyline, with what the screen holds written above the line.
//!
//! rustyline's external printer has a room for one message. It waits while that is full, also when nobody reads a line
//! any more, and what is still in there when a line ends appears with the next one, or never. So no message goes
//! through it: they wait in the [`Screen`], and whenever the editor draws its line anew it writes them in front of its
//! prompt, in the same write. The printer only makes it draw.
//!
//! Nor can rustyline be given another prompt for a line that it has begun. So the line is ended with SIGINT and begun
//! anew with what stood in it. That is done from where rustyline draws: whatever keys it has read by then it carries
//! out before it looks for signals, and while it searches the history it looks for none.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::signal::Signal;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::{History, MemHistory};
use rustyline::validate::Validator;
use rustyline::{ColorMode, CompletionType, Config, Context, Editor, Event, EventHandler, ExternalPrinter, Helper};

use super::complete;
use super::drawn::{Drawn, columns};
use super::paste::Pastes;
use super::screen::Screen;
use super::session::Known;
use super::store::HISTORY_LINES;
use super::terminal;
use super::visible::visible;
use super::wrap::wrapped;

/// What the printer prints, so that the editor draws its line anew: nothing, in a form to which no line end is added
/// (one line up, and down again).
const NOTHING: &str = "\x1b[A\n";
/// The columns before the second and later rows of a list of candidates.
const LIST_INDENT: usize = 2;
/// How long a terminal that has changed its size is left alone, so that rustyline hears of that first: woken, it clears
/// the old rows before anything else is asked.
const SETTLING: Duration = Duration::from_millis(20);

/// A line editor on standard input and output, which must be a terminal.
pub(super) struct LineEditor {
    editor: Editor<Companion, MemHistory>,
    pastes: Pastes,
    screen: Arc<Screen>,
    /// What the next line begins with, before its cursor and from there.
    left: (String, String),
}

/// How a line ended.
pub(super) enum Ended {
    /// With Enter.
    Line(String),
    /// Ctrl-D, or the terminal has gone.
    Eof,
    /// SIGINT, or Ctrl-C; this stood there.
    Interrupted(String),
    /// With a key that is no UTF-8. That key is lost, and so are those that came at once with it; what stood in the
    /// line is what the next one begins with.
    BadKey,
}

impl LineEditor {
    /// An editor with these lines in its history, the newest last, that completes what is `known`.
    ///
    /// # Errors
    ///
    /// rustyline's own.
    pub(super) fn new(
        screen: &Arc<Screen>,
        known: &Arc<Mutex<Known>>,
        history: &[String],
    ) -> Result<Self, ReadlineError> {
        let config = Config::builder()
            .max_history_size(HISTORY_LINES)?
            .history_ignore_dups(true)?
            // With one candidate at most, this kind waits for no further key, and so holds no message up.
            .completion_type(CompletionType::List)
            // Without colours the prompt would not pass through the companion; it adds none itself.
            .color_mode(ColorMode::Forced)
            .build();
        let mut lines = MemHistory::with_config(&config);
        for line in history {
            lines.add(line)?;
        }
        let mut editor = Editor::with_history(config, lines)?;
        editor.set_helper(Some(Companion {
            screen: Arc::clone(screen),
            known: Arc::clone(known),
            drawn: RefCell::new(Drawn::new()),
            is_in_history: Cell::new(false),
            is_leaving: Cell::new(false),
        }));
        let pastes = Pastes::default();
        editor.bind_sequence(Event::Any, EventHandler::Conditional(Box::new(pastes.clone())));
        Ok(Self { editor, pastes, screen: Arc::clone(screen), left: Default::default() })
    }

    /// What wakes the editor from another thread, so that it shows what the screen holds. It may wait, until the next
    /// line is edited or the editor is gone.
    ///
    /// # Errors
    ///
    /// rustyline's own.
    pub(super) fn waker(&mut self) -> Result<impl FnMut() + Send + use<>, ReadlineError> {
        let mut printer = self.editor.create_external_printer()?;
        let mut last = columns();
        Ok(move || {
            let now = columns();
            if now != last {
                last = now;
                thread::sleep(SETTLING);
            }
            // Without an editor there is nobody to wake.
            let _ = printer.print(NOTHING.to_owned());
        })
    }

    /// Lets a line be edited, behind the prompt that the screen has. SIGINT to this thread interrupts it.
    ///
    /// # Errors
    ///
    /// The terminal's.
    pub(super) fn edit(&mut self) -> Result<Ended, ReadlineError> {
        terminal::lend();
        let ended = loop {
            let prompt = self.screen.begin_line();
            if let Some(companion) = self.editor.helper() {
                companion.begin();
            }
            let (before, after) = mem::take(&mut self.left);
            let ended = self.editor.readline_with_initial(&prompt, (&before, &after));
            if !self.is_begun_anew(&ended) {
                break ended;
            }
        };
        // At once: until then the terminal echoes what comes.
        terminal::hush();
        let is_bad_key = matches!(&ended, Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData);
        if is_bad_key {
            self.keep_typed(false);
        }
        match (&ended, self.editor.helper()) {
            (Ok(_), Some(companion)) => self.screen.enter_line(&companion.drawn.borrow().clear(true)),
            (Ok(_) | Err(_), _) => self.screen.end_line(),
        }
        if is_bad_key {
            terminal::discard();
            self.pastes.forget();
            return Ok(Ended::BadKey);
        }
        match ended {
            Ok(line) => Ok(Ended::Line(line)),
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => Ok(Ended::Interrupted(self.typed().concat())),
            Err(ReadlineError::Eof) => Ok(Ended::Eof),
            Err(error) => Err(error),
        }
    }

    /// Whether a line has ended only to be begun anew with another prompt; then it is cleared. A Ctrl-C that was
    /// pressed in the same moment cannot be told from that: it must be pressed again.
    fn is_begun_anew(&mut self, ended: &Result<String, ReadlineError>) -> bool {
        let is_leaving = self.editor.helper().is_some_and(|companion| companion.is_leaving.get());
        let is_interrupted = matches!(ended, Err(ReadlineError::Interrupted | ReadlineError::Signal(_)));
        if is_leaving && is_interrupted {
            self.keep_typed(true);
        }
        is_leaving && is_interrupted
    }

    /// Has the next line begin with what stood in the last, which is cleared. It ended with the cursor at its end
    /// (`is_at_end`), or where it was.
    fn keep_typed(&mut self, is_at_end: bool) {
        let [before, after] = self.typed();
        self.left = (before, after);
        if let Some(companion) = self.editor.helper() {
            self.screen.adjust(&companion.drawn.borrow().clear(is_at_end));
        }
    }

    /// What stood in the line, before the cursor and from there.
    fn typed(&self) -> [String; 2] {
        let Some(companion) = self.editor.helper() else { return Default::default() };
        let drawn = companion.drawn.borrow();
        let (before, after) = drawn.halves();
        [before.to_owned(), after.to_owned()]
    }

    /// Puts a line into the history of this run.
    pub(super) fn remember(&mut self, line: &str) {
        // A history in memory takes everything.
        let _ = self.editor.add_history_entry(line);
    }
}

/// What rustyline asks while a line is edited.
struct Companion {
    screen: Arc<Screen>,
    known: Arc<Mutex<Known>>,
    drawn: RefCell<Drawn>,
    /// The line is one of the history, and those before and after it can be had with a key.
    is_in_history: Cell<bool>,
    /// The line is being ended, to be begun anew.
    is_leaving: Cell<bool>,
}

impl Companion {
    fn begin(&self) {
        self.drawn.borrow_mut().begin(columns());
        self.is_in_history.set(false);
        self.is_leaving.set(false);
    }

    /// Takes note of what stands in the line, of which rustyline has drawn nothing yet.
    fn note(&self, line: &str, cursor: usize) {
        let mut drawn = self.drawn.borrow_mut();
        let missing = drawn.make_up(columns());
        if !missing.is_empty() {
            self.screen.adjust(&missing);
        }
        drawn.note(line, cursor);
    }

    /// Ends the line if it has an old prompt. Not while somebody goes through the history: the place there would be
    /// lost, and what was typed before.
    fn leave_if_old(&self) {
        if !self.is_leaving.get() && !self.is_in_history.get() && self.screen.is_prompt_old() {
            // To this thread: rustyline knows of it when this returns. If it fails the prompt stays as it is.
            self.is_leaving.set(pthread_kill(pthread_self(), Signal::SIGINT).is_ok());
        }
    }
}

impl Helper for Companion {}
impl Validator for Companion {}

impl Hinter for Companion {
    type Hint = String;

    /// Gives no hint: this is where rustyline says what has been typed.
    fn hint(&self, line: &str, cursor: usize, context: &Context<'_>) -> Option<String> {
        self.is_in_history.set(context.history_index() < context.history().len());
        self.note(line, cursor);
        None
    }
}

impl Highlighter for Companion {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, is_own: bool) -> Cow<'b, str> {
        self.drawn.borrow_mut().note_prompt(prompt);
        // A search of the history has another.
        if is_own {
            self.leave_if_old();
        }
        let mut held = self.screen.take_held();
        if held.is_empty() {
            return Cow::Borrowed(prompt);
        }
        // The rows of the old line have been cleared, and all that follows is placed relative to the prompt.
        held.push_str(prompt);
        Cow::Owned(held)
    }

    /// Highlights nothing: here too rustyline says what has been typed.
    fn highlight_char(&self, line: &str, cursor: usize, _: CmdKind) -> bool {
        self.note(line, cursor);
        false
    }
}

impl Completer for Companion {
    type Candidate = String;

    /// Gives one candidate at most: with several rustyline waits for the next key, and draws nothing while it does.
    fn complete(&self, line: &str, cursor: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, candidates) = complete::complete(line, cursor, &known);
        drop(known);
        let typed = line.get(start..cursor).unwrap_or_default();
        if candidates.len() < 2 {
            return Ok((start, candidates));
        }
        let common = common_start(&candidates);
        if common.len() > typed.len() {
            return Ok((start, vec![common.to_owned()]));
        }
        // If the terminal has gone, reading says so.
        let _ = self.screen.show(&list(&candidates));
        Ok((start, vec![typed.to_owned()]))
    }
}

/// What all candidates begin with, in the letters of the first.
fn common_start(candidates: &[String]) -> &str {
    let Some((first, others)) = candidates.split_first() else { return "" };
    let end = |other: &String| {
        let same = first.char_indices().zip(other.chars()).find(|((_, a), b)| !a.eq_ignore_ascii_case(b));
        same.map_or(first.len().min(other.len()), |((at, _), _)| at)
    };
    first.get(..others.iter().map(end).min().unwrap_or(first.len())).unwrap_or_default()
}

/// The candidates on a line, for people.
fn list(candidates: &[String]) -> String {
    wrapped(&visible(&candidates.join("  ")), columns(), LIST_INDENT) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_common(candidates: &[&str], expected: &str) {
        let candidates: Vec<String> = candidates.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(common_start(&candidates), expected);
    }

    #[test]
    fn the_common_start_ignores_case() {
        check_common(&["alice", "Albert", "ALFRED"], "al");
        check_common(&["éa", "éb"], "é");
        check_common(&["bob", "alice"], "");
        check_common(&["al", "alice"], "al");
    }
}
