//! The line editor: rustyline, with what the screen holds written above the line.
//!
//! rustyline's external printer has a room for one message. It waits while that is full, also when nobody reads a line
//! any more, and what is still in there when a line ends appears with the next one, or never. So no message goes
//! through it: they wait in the [`Screen`], and whenever the editor draws its line anew it writes them in front of its
//! prompt, in the same write. The printer only makes it draw.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::{History, MemHistory};
use rustyline::validate::Validator;
use rustyline::{ColorMode, CompletionType, Config, Context, Editor, ExternalPrinter, Helper};

use super::complete;
use super::screen::Screen;
use super::session::Known;
use super::store::HISTORY_LINES;
use super::terminal;
use super::visible::visible;

/// What the printer prints, so that the editor draws its line anew: nothing, in a form to which no line end is added
/// (one line up, and down again).
const NOTHING: &str = "\x1b[A\n";

/// A line editor on standard input and output, which must be a terminal.
pub(super) struct LineEditor {
    editor: Editor<Companion, MemHistory>,
    screen: Arc<Screen>,
}

/// How a line ended.
pub(super) enum Ended {
    /// With Enter.
    Line(String),
    /// Ctrl-D, or the terminal has gone.
    Eof,
    /// SIGINT, or Ctrl-C; this stood there.
    Interrupted(String),
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
        editor.set_helper(Some(Companion { screen: Arc::clone(screen), known: Arc::clone(known) }));
        Ok(Self { editor, screen: Arc::clone(screen) })
    }

    /// What wakes the editor from another thread, so that it shows what the screen holds. It may wait, until the next
    /// line is edited or the editor is gone.
    ///
    /// # Errors
    ///
    /// rustyline's own.
    pub(super) fn waker(&mut self) -> Result<impl FnMut() + Send + use<>, ReadlineError> {
        let mut printer = self.editor.create_external_printer()?;
        Ok(move || {
            // Without an editor there is nobody to wake.
            let _ = printer.print(NOTHING.to_owned());
        })
    }

    /// Lets a line be edited. SIGINT to this thread interrupts it.
    ///
    /// # Errors
    ///
    /// The terminal's.
    pub(super) fn edit(&mut self, prompt: &str) -> Result<Ended, ReadlineError> {
        self.screen.begin_line();
        terminal::lend();
        let ended = self.editor.readline(prompt);
        terminal::hush();
        let typed = self.screen.end_line();
        match ended {
            Ok(line) => Ok(Ended::Line(line)),
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => Ok(Ended::Interrupted(typed)),
            Err(ReadlineError::Eof) => Ok(Ended::Eof),
            Err(error) => Err(error),
        }
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
}

impl Helper for Companion {}
impl Validator for Companion {}

impl Hinter for Companion {
    type Hint = String;

    /// Gives no hint: this is where rustyline says what has been typed.
    fn hint(&self, line: &str, _: usize, _: &Context<'_>) -> Option<String> {
        self.screen.note_typed(line);
        None
    }
}

impl Highlighter for Companion {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        let mut held = self.screen.take_held();
        if held.is_empty() {
            return Cow::Borrowed(prompt);
        }
        // The rows of the old line have been cleared, and all that follows is placed relative to the prompt.
        held.push_str(prompt);
        Cow::Owned(held)
    }

    /// Highlights nothing: here too rustyline says what has been typed.
    fn highlight_char(&self, line: &str, _: usize, _: CmdKind) -> bool {
        self.screen.note_typed(line);
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
    format!("{}\n", visible(&candidates.join("  ")))
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
