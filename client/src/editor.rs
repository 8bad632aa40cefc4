//! The line editor: rustyline, with the screen's held lines written above the edited line.
//!
//! rustyline's external printer has room for one message. It blocks while that is full, even if no line is being read,
//! and a message left in it when a line ends appears with the next line or never. So messages wait in the [`Screen`]
//! instead, and whenever the editor redraws its line, it writes them before its prompt, in the same write. The printer
//! only triggers the redraw.
//!
//! rustyline cannot change the prompt of a line that has begun either. So the line is ended with SIGINT and begun again
//! with the same content. This is done from the callback that rustyline draws with: rustyline handles all keys that it
//! has read before it checks for signals, and during a history search it does not check at all.

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

/// The printer's output that makes the editor redraw its line. It changes nothing (one line up and down again), and has
/// a form to which no line end is added.
const NOTHING: &str = "\x1b[A\n";
/// The indentation of a list of candidates from its second row on.
const LIST_INDENT: usize = 2;
/// How long a resized terminal is left alone, so that rustyline handles the resize first: when woken, it clears the old
/// rows before anything else.
const SETTLING: Duration = Duration::from_millis(20);

/// A line editor on standard input and output, which must be a terminal.
pub(super) struct LineEditor {
    editor: Editor<Companion, MemHistory>,
    pastes: Pastes,
    screen: Arc<Screen>,
    /// The initial content of the next line, before and after its cursor.
    left: (String, String),
}

/// How a line ended.
pub(super) enum Ended {
    /// With Enter.
    Line(String),
    /// Ctrl-D, or the terminal is gone.
    Eof,
    /// SIGINT or Ctrl-C, with the content of the line.
    Interrupted(String),
    /// A key that is not UTF-8. It is lost, with those read together with it; the next line begins with the content of
    /// this one.
    BadKey,
}

impl LineEditor {
    /// An editor with these lines in its history, the newest last, that completes what is `known`.
    ///
    /// # Errors
    ///
    /// Errors of rustyline.
    pub(super) fn new(
        screen: &Arc<Screen>,
        known: &Arc<Mutex<Known>>,
        history: &[String],
    ) -> Result<Self, ReadlineError> {
        let config = Config::builder()
            .max_history_size(HISTORY_LINES)?
            .history_ignore_dups(true)?
            // With at most one candidate, this kind waits for no further key, and so delays no message.
            .completion_type(CompletionType::List)
            // Without colours the prompt would not pass through the companion, which adds none itself.
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

    /// A function that wakes the editor from another thread, so that it shows the held lines. It may block until the
    /// next line is edited or the editor is gone.
    ///
    /// # Errors
    ///
    /// Errors of rustyline.
    pub(super) fn waker(&mut self) -> Result<impl FnMut() + Send + use<>, ReadlineError> {
        let mut printer = self.editor.create_external_printer()?;
        let mut last = columns();
        Ok(move || {
            let now = columns();
            if now != last {
                last = now;
                thread::sleep(SETTLING);
            }
            // Without an editor there is nothing to wake.
            let _ = printer.print(NOTHING.to_owned());
        })
    }

    /// Edits a line with the screen's prompt. SIGINT to this thread interrupts it.
    ///
    /// # Errors
    ///
    /// Errors of the terminal.
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
        // At once, because the terminal echoes input until then.
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

    /// Whether a line has ended only to be begun again with another prompt; then it is cleared. A Ctrl-C at the same
    /// moment cannot be told apart, and has to be pressed again.
    fn is_begun_anew(&mut self, ended: &Result<String, ReadlineError>) -> bool {
        let is_leaving = self.editor.helper().is_some_and(|companion| companion.is_leaving.get());
        let is_interrupted = matches!(ended, Err(ReadlineError::Interrupted | ReadlineError::Signal(_)));
        if is_leaving && is_interrupted {
            self.keep_typed(true);
        }
        is_leaving && is_interrupted
    }

    /// Makes the next line begin with the content of the last one, which is cleared. It ended with the cursor at its
    /// end (`is_at_end`), or where it was.
    fn keep_typed(&mut self, is_at_end: bool) {
        let [before, after] = self.typed();
        self.left = (before, after);
        if let Some(companion) = self.editor.helper() {
            self.screen.adjust(&companion.drawn.borrow().clear(is_at_end));
        }
    }

    /// The content of the line, before and after the cursor.
    fn typed(&self) -> [String; 2] {
        let Some(companion) = self.editor.helper() else { return Default::default() };
        let drawn = companion.drawn.borrow();
        let (before, after) = drawn.halves();
        [before.to_owned(), after.to_owned()]
    }

    /// Adds a line to the history of this run.
    pub(super) fn remember(&mut self, line: &str) {
        // A history in memory accepts every line.
        let _ = self.editor.add_history_entry(line);
    }
}

/// The callbacks of rustyline while a line is edited.
struct Companion {
    screen: Arc<Screen>,
    known: Arc<Mutex<Known>>,
    drawn: RefCell<Drawn>,
    /// The line comes from the history, and a key gives its neighbours.
    is_in_history: Cell<bool>,
    /// The line is being ended, to be begun again.
    is_leaving: Cell<bool>,
}

impl Companion {
    fn begin(&self) {
        self.drawn.borrow_mut().begin(columns());
        self.is_in_history.set(false);
        self.is_leaving.set(false);
    }

    /// Notes the content of the line before rustyline draws it.
    fn note(&self, line: &str, cursor: usize) {
        let mut drawn = self.drawn.borrow_mut();
        let missing = drawn.make_up(columns());
        if !missing.is_empty() {
            self.screen.adjust(&missing);
        }
        drawn.note(line, cursor);
    }

    /// Ends the line if its prompt is outdated. Not while the user browses the history: the position there and the
    /// typed text would be lost.
    fn leave_if_old(&self) {
        if !self.is_leaving.get() && !self.is_in_history.get() && self.screen.is_prompt_old() {
            // A signal to this thread: rustyline has noticed it when this returns. If it fails, the prompt stays as it
            // is.
            self.is_leaving.set(pthread_kill(pthread_self(), Signal::SIGINT).is_ok());
        }
    }
}

impl Helper for Companion {}
impl Validator for Companion {}

impl Hinter for Companion {
    type Hint = String;

    /// Gives no hint, but learns here what has been typed.
    fn hint(&self, line: &str, cursor: usize, context: &Context<'_>) -> Option<String> {
        self.is_in_history.set(context.history_index() < context.history().len());
        self.note(line, cursor);
        None
    }
}

impl Highlighter for Companion {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, is_own: bool) -> Cow<'b, str> {
        self.drawn.borrow_mut().note_prompt(prompt);
        // A history search has a prompt of its own.
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

    /// Highlights nothing, but learns here what has been typed.
    fn highlight_char(&self, line: &str, cursor: usize, _: CmdKind) -> bool {
        self.note(line, cursor);
        false
    }
}

impl Completer for Companion {
    type Candidate = String;

    /// Gives one candidate at most: with several, rustyline waits for the next key and draws nothing meanwhile.
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
        // If the terminal is gone, the next read reports it.
        let _ = self.screen.show(&list(&candidates));
        Ok((start, vec![typed.to_owned()]))
    }
}

/// The common prefix of all candidates, in the letters of the first.
fn common_start(candidates: &[String]) -> &str {
    let Some((first, others)) = candidates.split_first() else { return "" };
    let end = |other: &String| {
        let same = first.char_indices().zip(other.chars()).find(|((_, a), b)| !a.eq_ignore_ascii_case(b));
        same.map_or(first.len().min(other.len()), |((at, _), _)| at)
    };
    first.get(..others.iter().map(end).min().unwrap_or(first.len())).unwrap_or_default()
}

/// The candidates as a line of text.
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
