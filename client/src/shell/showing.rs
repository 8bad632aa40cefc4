//! Where output goes: to the screen, to standard output or to standard error.

use std::io::{self, IsTerminal as _};

use super::Shell;
use crate::action::{Input, Shown, Status, Weight};
use crate::args::{Errand, Options};
use crate::drawn::{columns, fitted};
use crate::session::{NOT_DONE, PASSWORD_NEEDED};
use crate::show::{Form, may_colour};
use crate::visible::visible;

/// The kinds of status that name a line that was not executed, or may not have been.
const NAMES: [&str; 3] = [NOT_DONE, "unconfirmed", "unsent"];
/// The kinds of status about the connection: on a terminal each overwrites the one before.
const PASSING: [&str; 2] = ["connecting", "retry"];
/// The columns of such a row that do not hold its text: the time, the mark and the last column.
const STAMP: usize = "00:00 -- ".len() + 1;
/// The kinds of status that answer a typed line.
const ANSWERS: [&str; 3] = ["help", "usage", "unknown"];

impl Shell {
    /// Shows this to the user, in the form and place that the options ask for.
    pub(super) fn show(&mut self, shown: &Shown) {
        if matches!(shown, Shown::Status(status) if status.kind == PASSWORD_NEEDED) {
            self.keyboard.forget_line();
        }
        if let Shown::Status(status) = shown
            && self.is_edited
            && PASSING.contains(&status.kind)
        {
            return self.show_passing(status);
        }
        let columns = if self.is_edited { columns() } else { 0 };
        let seen = self.view.show(shown, self.now(), columns);
        let lines = seen.text + &self.caller.take_ring();
        if let Shown::Status(status) = shown
            && !self.is_edited
            && (status.kind == NOT_DONE || (self.options.json && NAMES.contains(&status.kind)))
        {
            // A person who types at a terminal has just seen the answer.
            let is_typed = matches!(self.options.errand, Errand::Talk) && io::stdin().is_terminal();
            if self.options.json || !is_typed {
                self.complain(&visible(&status.text));
            }
            if !self.options.json {
                return;
            }
        }
        if self.is_silent(shown) {
            return;
        }
        if self.is_aside(shown) {
            // If that is closed, nobody reads it.
            let _ = self.stderr.write(&lines);
        } else if self.lost_output.is_none()
            && let Err(error) = self.screen.show(&lines)
        {
            self.lost_output = Some(error);
            // With --once the message counts, not its display.
            if self.options.errand.once().is_none() {
                self.tell(Input::Unheard);
            }
        }
    }

    /// Writes this into the log, if there is one and it belongs there.
    pub(super) fn log(&mut self, shown: &Shown) {
        let now = self.now();
        if let Some(why) = self.log.as_mut().and_then(|log| log.add(shown, now)) {
            self.say(Weight::Trouble, "log", why);
        }
    }

    /// Shows the state of the connection in one row.
    fn show_passing(&mut self, status: &Status) {
        let text = fitted(&visible(&status.text), columns().saturating_sub(STAMP));
        let seen = self.view.show(&Shown::Status(Status { text, ..status.clone() }), self.now(), 0);
        // The day may have changed.
        let last = seen.text.trim_end_matches('\n').rfind('\n').map_or(0, |at| at + 1);
        let (before, line) = seen.text.split_at(last);
        let shown = if before.is_empty() { Ok(()) } else { self.screen.show(before) };
        if let Err(error) = shown.and_then(|()| self.screen.show_passing(line)) {
            self.lost_output = Some(error);
            self.tell(Input::Unheard);
        }
    }

    /// Writes a message to standard error, in order with other output.
    pub(super) fn complain(&self, what: &str) {
        let _ = self.stderr.write(&format!("chatclient: {what}\n"));
    }

    /// Whether this is not shown: `--once` is silent unless something fails.
    fn is_silent(&self, shown: &Shown) -> bool {
        // A person who chooses a password must know what it is for.
        let is_news = |kind: &str| kind == "new-account" && !self.options.register;
        let is_note = matches!(shown, Shown::Status(Status { weight: Weight::Note, kind, .. }) if !is_news(kind));
        is_note && self.options.errand.once().is_some() && !self.options.json
    }

    /// Whether this goes to standard error: in a script, messages of the client that nobody asked for, and why `--once`
    /// failed.
    fn is_aside(&self, shown: &Shown) -> bool {
        let is_once = self.options.errand.once().is_some();
        let is_aside = match shown {
            Shown::Status(status) => is_once || !ANSWERS.contains(&status.kind),
            Shown::Reply { code, .. } => is_once && *code >= 400,
            Shown::Message(_) | Shown::Hole(_) | Shown::New | Shown::Notice { .. } => false,
        };
        is_aside && !self.is_edited && !self.options.json
    }

    /// Shows a status of the client itself.
    pub(super) fn say(&mut self, weight: Weight, kind: &'static str, text: String) {
        self.show(&Shown::Status(Status { weight, kind, text }));
    }
}

/// The form of the output. Colours need a terminal that supports them and a user who wants them.
pub(super) fn form(options: &Options, is_edited: bool) -> Form {
    if options.json {
        return Form::Json;
    }
    if !is_edited {
        return Form::Plain;
    }
    let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let (no_color, term) = (variable("NO_COLOR"), variable("TERM"));
    Form::People { colour: may_colour(true, options.no_color, no_color.as_deref(), term.as_deref()) }
}
