//! Output to the terminal or to standard output, and its order.
//!
//! While a line is edited, the editor owns the screen. Text is held until the editor redraws its line, and is written
//! above it in the same write (`editor.rs`). Held text stays here until it has been taken, so nothing is lost or
//! reordered if the line ends meanwhile.

use std::io;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::output::Output;

/// The bytes that are held while the editor cannot draw (during a history search, or if the terminal has stopped). The
/// oldest lines are dropped first, and their number is reported.
const HELD_BYTES: usize = 4 * 1024 * 1024;

/// Goes to the start of the line and clears it.
const AT_START: &str = "\r\x1b[K";
/// Goes from the start of a line to the start of the line above, and clears that.
const ABOVE: &str = "\x1b[1A\x1b[K";

/// All output to the terminal, for all threads.
pub(super) struct Screen {
    state: Mutex<State>,
    changed: Condvar,
    output: Output,
}

struct State {
    mode: Mode,
    /// Whole lines that the editor has yet to write above its own.
    held: String,
    /// A line about the state of the connection, to be written after those. The next such line replaces it.
    held_passing: Option<String>,
    /// Such a line is right above the cursor's or the edited line.
    is_passing_above: bool,
    /// Escapes that set the window's title, for the editor to write. The next title replaces them.
    held_title: String,
    /// The number of dropped lines.
    dropped: usize,
    /// The editor should be woken to draw.
    is_wake_wanted: bool,
    is_over: bool,
    /// The prompt of the edited line, or of the next.
    prompt: String,
    /// The edited line began with another prompt.
    is_prompt_old: bool,
    /// Escapes that erase the last entered line.
    erasing: String,
}

/// The owner of the last line of the screen.
enum Mode {
    /// Nobody: text is written at once.
    Free,
    /// The editor.
    Line,
    /// Nobody yet: a line was entered, and may have to be erased. Text is held meanwhile.
    Entered,
    /// Another program, such as the user's editor. Text is held meanwhile.
    Lent,
    /// A secret is typed after this prompt, without echo.
    Secret(&'static str),
}

impl Screen {
    /// A screen without an owner, that writes to this output.
    pub(super) fn new(output: Output) -> Self {
        let state = State {
            mode: Mode::Free,
            held: String::new(),
            held_passing: None,
            is_passing_above: false,
            held_title: String::new(),
            dropped: 0,
            is_wake_wanted: false,
            is_over: false,
            prompt: String::new(),
            is_prompt_old: false,
            erasing: String::new(),
        };
        Self { state: Mutex::new(state), changed: Condvar::new(), output }
    }

    /// Shows whole lines, each with its LF, at once or as soon as the editor can.
    ///
    /// # Errors
    ///
    /// Nobody can read them any more.
    pub(super) fn show(&self, lines: &str) -> io::Result<()> {
        let mut state = self.lock();
        match state.mode {
            Mode::Free => {
                state.is_passing_above = false;
                self.output.write(lines)
            }
            Mode::Entered | Mode::Lent => {
                state.hold_passing();
                state.hold(lines);
                Ok(())
            }
            Mode::Secret(prompt) => {
                state.is_passing_above = false;
                self.output.write(&format!("{AT_START}{lines}{prompt}"))
            }
            Mode::Line => {
                state.hold_passing();
                state.hold(lines);
                state.is_wake_wanted = true;
                self.changed.notify_all();
                Ok(())
            }
        }
    }

    /// Shows a status line, with its LF. It replaces the previous status line, unless something else was shown since.
    /// It must fit into a row.
    ///
    /// # Errors
    ///
    /// Nobody can read it any more.
    pub(super) fn show_passing(&self, line: &str) -> io::Result<()> {
        let mut state = self.lock();
        let above = if state.is_passing_above { ABOVE } else { "" };
        match state.mode {
            Mode::Free => {
                state.is_passing_above = true;
                self.output.write(&format!("{above}{line}"))
            }
            Mode::Secret(prompt) => {
                state.is_passing_above = true;
                self.output.write(&format!("{AT_START}{above}{line}{prompt}"))
            }
            Mode::Entered | Mode::Lent => {
                state.held_passing = Some(line.to_owned());
                Ok(())
            }
            Mode::Line => {
                state.held_passing = Some(line.to_owned());
                state.is_wake_wanted = true;
                self.changed.notify_all();
                Ok(())
            }
        }
    }

    /// Sets the title of the window with these escapes, which do not move the cursor; at once, or when the editor draws.
    pub(super) fn set_title(&self, escapes: &str) {
        let mut state = self.lock();
        if matches!(state.mode, Mode::Line | Mode::Lent) {
            escapes.clone_into(&mut state.held_title);
            state.is_wake_wanted = true;
            self.changed.notify_all();
        } else {
            // If nobody can read it, the next line reports that.
            let _ = self.output.write(escapes);
        }
    }

    /// Sets the prompt. If a line is being edited, the editor is woken to begin it again.
    pub(super) fn set_prompt(&self, prompt: &str) {
        let mut state = self.lock();
        if state.prompt == prompt {
            return;
        }
        prompt.clone_into(&mut state.prompt);
        if matches!(state.mode, Mode::Line) {
            (state.is_prompt_old, state.is_wake_wanted) = (true, true);
            self.changed.notify_all();
        }
    }

    /// Whether the edited line has to begin again, because its prompt has changed.
    pub(super) fn is_prompt_old(&self) -> bool {
        self.lock().is_prompt_old
    }

    /// The editor begins a line, or begins it again, and owns the screen. Returns the prompt.
    pub(super) fn begin_line(&self) -> String {
        let mut state = self.lock();
        (state.mode, state.is_prompt_old) = (Mode::Line, false);
        state.prompt.clone()
    }

    /// For the editor, while it owns the screen: writes escapes that are not a line.
    pub(super) fn adjust(&self, escapes: &str) {
        // If nobody can read it, the next line reports that.
        let _ = self.output.write(escapes);
    }

    /// The editor has ended, with the cursor at the start of a line. Held text is written.
    pub(super) fn end_line(&self) {
        let mut state = self.lock();
        (state.mode, state.is_prompt_old) = (Mode::Free, false);
        // The edited line is in between.
        state.is_passing_above = false;
        let held = state.take_held();
        // If nobody can read it, the next line reports that.
        let _ = self.output.write(&held);
    }

    /// The editor has ended with an entered line, and the cursor is at the start of the next row. [`Self::settle`]
    /// decides whether the line stays; until then, text is held. `erasing` is the output that erases it.
    pub(super) fn enter_line(&self, erasing: &str) {
        let mut state = self.lock();
        (state.mode, state.is_prompt_old) = (Mode::Entered, false);
        // The entered line is in between.
        state.is_passing_above = false;
        erasing.clone_into(&mut state.erasing);
    }

    /// The last entered line stays on the screen, or is erased (`is_erased`). No effect if there is none.
    pub(super) fn settle(&self, is_erased: bool) {
        let mut state = self.lock();
        if !matches!(state.mode, Mode::Entered) {
            return;
        }
        state.mode = Mode::Free;
        let held = state.take_held();
        let erasing = if is_erased { state.erasing.as_str() } else { "" };
        // If nobody can read it, the next line reports that.
        let _ = self.output.write(&format!("{erasing}{held}"));
    }

    /// Another program has the terminal, until [`Self::end_line`].
    pub(super) fn lend(&self) {
        self.lock().mode = Mode::Lent;
    }

    /// A secret is asked for with this prompt, which is shown again below any output. Returns what to write first,
    /// wherever the cursor is; it may only be written when the terminal does not echo.
    pub(super) fn begin_secret(&self, prompt: &'static str) -> String {
        self.lock().mode = Mode::Secret(prompt);
        format!("{AT_START}{prompt}")
    }

    /// The secret has been typed or declined: its line is over.
    pub(super) fn end_secret(&self) {
        let mut state = self.lock();
        (state.mode, state.is_passing_above) = (Mode::Free, false);
        let _ = self.output.write("\n");
    }

    /// For the editor, when it draws: the text to write above its line.
    pub(super) fn take_held(&self) -> String {
        self.lock().take_held()
    }

    /// Waits until the editor should be woken. `false` when it is over.
    pub(super) fn wait_to_wake(&self) -> bool {
        let mut state = self.lock();
        loop {
            if state.is_over {
                return false;
            }
            let is_editing = matches!(state.mode, Mode::Line);
            let has_work = !state.held.is_empty()
                || state.held_passing.is_some()
                || !state.held_title.is_empty()
                || state.is_prompt_old;
            if mem::take(&mut state.is_wake_wanted) && is_editing && has_work {
                return true;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends [`Self::wait_to_wake`].
    pub(super) fn finish(&self) {
        self.lock().is_over = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves nothing half done in here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A status line that others follow stays: it was true, and may not be any more.
    fn hold_passing(&mut self) {
        if let Some(passing) = self.held_passing.take() {
            self.hold(&passing);
        }
    }

    fn hold(&mut self, lines: &str) {
        self.held.push_str(lines);
        let over = self.held.len().saturating_sub(HELD_BYTES);
        if over == 0 {
            return;
        }
        // Down to half at once, so that this is not repeated for each line.
        let from = over + HELD_BYTES / 2;
        let rest = self.held.as_bytes().get(from..).unwrap_or_default();
        let cut = memchr::memchr(b'\n', rest).map_or(self.held.len(), |at| from + at + 1);
        self.dropped += self.held.drain(..cut).filter(|c| *c == '\n').count();
    }

    fn take_held(&mut self) -> String {
        let mut held = mem::take(&mut self.held);
        let passing = self.held_passing.take();
        if self.is_passing_above && held.is_empty() && passing.is_some() {
            ABOVE.clone_into(&mut held);
        }
        self.is_passing_above = passing.is_some() || (self.is_passing_above && held.is_empty());
        held.push_str(passing.as_deref().unwrap_or_default());
        held.push_str(&mem::take(&mut self.held_title));
        match mem::take(&mut self.dropped) {
            0 => held,
            1 => format!("-- 1 line came too fast to be shown\n{held}"),
            n => format!("-- {n} lines came too fast to be shown\n{held}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::alarm::Alarm;

    fn screen() -> Screen {
        let alarm = Arc::new(Alarm::new(&[]).unwrap());
        Screen::new(Output::new(io::stdout(), alarm).unwrap())
    }

    #[test]
    fn held_lines_are_bounded_and_losses_reported() {
        let screen = screen();
        screen.begin_line();
        let line = "é".repeat(500) + "\n";
        let count = 3 * HELD_BYTES / line.len();
        for _ in 0..count {
            screen.show(&line).unwrap();
        }
        assert!(screen.lock().held.capacity() <= 2 * HELD_BYTES + 2 * line.len());
        let held = screen.take_held();
        let (told, rest) = held.split_once('\n').unwrap();
        let dropped: usize = told.split(' ').nth(1).unwrap().parse().unwrap();
        assert!(dropped > 0 && rest.lines().all(|shown| shown.len() == line.len() - 1), "{told}");
        assert_eq!(dropped + rest.lines().count(), count);
        assert_eq!(screen.take_held(), "");
    }

    #[test]
    fn a_status_line_replaces_the_previous_one() {
        let screen = screen();
        screen.begin_line();
        let (passing, show) = (|line| screen.show_passing(line).unwrap(), |line| screen.show(line).unwrap());
        passing("1\n");
        passing("2\n");
        assert_eq!(screen.take_held(), "2\n");
        assert_eq!(screen.take_held(), "");
        passing("3\n");
        assert_eq!(screen.take_held(), format!("{ABOVE}3\n"));
        show("said\n");
        passing("4\n");
        assert_eq!(screen.take_held(), "said\n4\n");
        passing("5\n");
        show("said\n");
        assert_eq!(screen.take_held(), "5\nsaid\n");
        passing("6\n");
        assert_eq!(screen.take_held(), "6\n");
        // After a typed line it is a different one.
        screen.end_line();
        screen.begin_line();
        passing("7\n");
        assert_eq!(screen.take_held(), "7\n");
    }

    #[test]
    fn a_line_is_begun_anew_for_another_prompt() {
        let screen = screen();
        screen.set_prompt("one> ");
        assert!(!screen.is_prompt_old());
        assert_eq!(screen.begin_line(), "one> ");
        screen.set_prompt("one> ");
        assert!(!screen.is_prompt_old());
        screen.set_prompt("two> ");
        assert!(screen.is_prompt_old() && screen.wait_to_wake());
        assert_eq!(screen.begin_line(), "two> ");
        assert!(!screen.is_prompt_old());
    }
}
