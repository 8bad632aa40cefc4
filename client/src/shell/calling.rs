//! Calls the user: rings at the terminal, runs the program of `--notify-command`, and sets the window's title.

use std::env;
use std::io;
use std::mem;
use std::time::Duration;

use super::Shell;
use crate::action::{Call, Now, Weight};
use crate::args::Options;
use crate::inbox::Inbox;
use crate::notifier::Notifier;
use crate::ring::{Notify, Ring};
use crate::show::call::Gathered;
use crate::terminal;
use crate::title::Title;

/// What calls the user.
pub(super) struct Caller {
    ring: Ring,
    /// What is written after the next line to ring.
    pending: String,
    notifier: Option<Notifier>,
    /// `None` if the window's title is left alone.
    title: Option<Title>,
}

impl Caller {
    /// The ways that the options ask for; the terminal's only if lines are edited (`is_edited`).
    ///
    /// # Errors
    ///
    /// The process is out of threads.
    pub(super) fn start(options: &Options, is_edited: bool, inbox: &Inbox) -> io::Result<Self> {
        let how = if is_edited { options.notify } else { Notify::Off };
        let in_tmux = env::var_os("TMUX").is_some_and(|tmux| !tmux.is_empty());
        // With --once, the client leaves at once.
        let words = options.notify_command.clone().filter(|_| options.errand.once().is_none());
        let has_title = options.title && is_edited;
        if has_title {
            terminal::keep_title();
        }
        let start = |words| Notifier::start(words, options.user.clone(), inbox.doorbell());
        Ok(Self {
            ring: Ring::new(how, in_tmux),
            pending: String::new(),
            notifier: words.map(start).transpose()?,
            title: has_title.then(Title::default),
        })
    }

    fn call(&mut self, why: Call, now: Now) {
        self.pending.push_str(&self.ring.ring(&why, now.monotonic_ms));
        if let Some(notifier) = &self.notifier {
            notifier.notify(Gathered::new(why, now));
        }
    }

    /// What is written after a line to ring; empty if nothing calls.
    pub(super) fn take_ring(&mut self) -> String {
        mem::take(&mut self.pending)
    }

    /// Ends the thread of the program.
    pub(super) fn finish(self) {
        if let Some(notifier) = self.notifier {
            notifier.finish();
        }
    }
}

impl Shell {
    /// Calls the user. What is shown next is why.
    pub(super) fn call(&mut self, why: Call) {
        let now = self.now();
        self.caller.call(why, now);
    }

    /// The program of `--notify-command` has failed for the first time.
    pub(super) fn tell_not_notified(&mut self, why: &str) {
        let program = self.options.notify_command.iter().flatten().next().cloned().unwrap_or_default();
        let text = format!("--notify-command {program}: {why}; you are not told again");
        self.say(Weight::Trouble, "notify", text);
    }

    /// Gives the window the title that it should have, if it is time.
    pub(super) fn refresh_title(&mut self) {
        let (Some(text), now) = (self.wanted_title(), self.now()) else { return };
        let title = self.caller.title.as_mut();
        if let Some(escapes) = title.and_then(|title| title.update(text, now.monotonic_ms)) {
            self.screen.set_title(&escapes);
        }
    }

    /// How long until the window may be given the title that it should have; `None` if it has it.
    pub(super) fn title_due(&self) -> Option<Duration> {
        let due = self.caller.title.as_ref()?.due(&self.wanted_title()?)?;
        Some(Duration::from_millis(due.saturating_sub(self.now().monotonic_ms)))
    }

    fn wanted_title(&self) -> Option<String> {
        self.caller.title.as_ref()?;
        let heading = self.session.heading();
        let host = self.options.servers.get(heading.server).map_or("", |server| server.host.as_str());
        Some(heading.text(host))
    }
}
