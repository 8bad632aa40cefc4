//! A message is not on the screen until the server confirms or refuses it. If that takes long, or the connection is
//! lost, the user is told.

use super::Session;
use super::requests::{Request, Words};
use crate::action::{Action, Now, Shown, Status, Weight};

/// After this time the user is told of an unconfirmed message.
const SLOW_MS: u64 = 2_000;

impl Session {
    /// When the user is told of the oldest message if it has no answer by then; monotonic milliseconds.
    pub(super) fn slow_due(&self) -> Option<u64> {
        let is_due = self.settings.people && !self.is_slow_told;
        let words = self.requests.front().and_then(Request::words);
        words.filter(|_| is_due).map(|_| self.owed_ms.saturating_add(SLOW_MS))
    }

    /// Tells the user of the oldest message, if it is time. True if it was.
    pub(super) fn tells_of_slow(&mut self, now: Now) -> bool {
        let is_due = self.is_ready() && self.slow_due().is_some_and(|due| due <= now.monotonic_ms);
        let words = self.requests.front().and_then(Request::words).filter(|_| is_due).map(Words::describe);
        let Some(words) = words else { return false };
        self.is_slow_told = true;
        self.note("waiting", format!("not confirmed yet, {words}"));
        true
    }

    /// Tells the user of the messages that were lost with the connection. After the next login they are named again,
    /// with the possible commands.
    pub(super) fn tell_of_lost(&mut self) {
        if !self.settings.people {
            return;
        }
        for unconfirmed in self.unconfirmed.iter_mut().filter(|unconfirmed| !unconfirmed.is_told) {
            unconfirmed.is_told = true;
            let (kind, text) = unconfirmed.describe();
            let status = Status { weight: Weight::Trouble, kind, text };
            self.actions.push_back(Action::Show(Shown::Status(status)));
        }
    }
}
