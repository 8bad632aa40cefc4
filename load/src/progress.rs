//! A progress bar during a run, if there is a terminal.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The shortest time between two updates.
const EVERY: Duration = Duration::from_millis(100);

/// A bar on standard error, or none.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    drawn: Instant,
}

impl Progress {
    /// A bar, if standard error is a terminal.
    pub(super) fn new() -> Self {
        let bar = io::stderr().is_terminal().then(|| ProgressBar::new(0));
        Self { bar, drawn: Instant::now() }
    }

    /// Starts a stage of `total` steps.
    pub(super) fn stage(&mut self, what: &'static str, total: u64) {
        let Some(bar) = &self.bar else { return };
        bar.set_length(total);
        bar.set_position(0);
        bar.set_message("");
        bar.set_prefix(what);
        if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:30}] {human_pos}/{human_len} {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.tick();
    }

    /// Whether it is time for an update. Ask before computing it.
    pub(super) fn is_due(&self) -> bool {
        self.bar.is_some() && self.drawn.elapsed() >= EVERY
    }

    /// Shows the progress of the stage.
    pub(super) fn set(&mut self, done: u64, note: &str) {
        if !self.is_due() {
            return;
        }
        self.drawn = Instant::now();
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(note.to_owned());
        }
    }

    /// Removes the bar.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
