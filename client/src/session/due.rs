//! Deadlines: late answers of the server, reconnection, and checks that the server is alive.

use super::requests::Request;
use super::{ANSWER_MS, PATIENCE_MS, Phase, Session};
use crate::action::Now;

/// If a server has accepted the connection and sent nothing for this long, the user is told.
const SILENT_MS: u64 = 4_500;
/// After this much silence, the client checks that the server is alive.
pub(super) const QUIET_MS: u64 = 60_000;

impl Session {
    /// When [`Input::Tick`] is due, in monotonic milliseconds; `None` if nothing is waited for.
    ///
    /// [`Input::Tick`]: crate::action::Input::Tick
    pub fn deadline(&self) -> Option<u64> {
        let past = [self.keep_due(), self.resume_due(), self.read_due()];
        self.link_deadline().into_iter().chain(past.into_iter().flatten()).min()
    }

    /// When something about the connection is due.
    fn link_deadline(&self) -> Option<u64> {
        match &self.phase {
            Phase::Connecting | Phase::Doubt { .. } | Phase::Away | Phase::Over => None,
            Phase::Waiting { until } | Phase::Leaving { until, .. } => Some(*until),
            Phase::Greeting if !self.is_silence_told => Some(self.owed_ms.saturating_add(SILENT_MS)),
            Phase::Greeting | Phase::Named => Some(self.owed_ms.saturating_add(ANSWER_MS)),
            Phase::Login(login) => login.deadline(self.owed_ms),
            Phase::Ready { since } if !self.requests.is_empty() => {
                let owed = self.slow_due().unwrap_or_else(|| self.owed_ms.saturating_add(self.requests.patience_ms()));
                let is_once = self.settings.once.is_some();
                Some(if is_once { owed.min(since.saturating_add(PATIENCE_MS)) } else { owed })
            }
            // The server waits for a password, and nothing else may be sent before that.
            Phase::Ready { .. } if self.keys.is_changing() => None,
            Phase::Ready { .. } => {
                let quiet = self.heard_ms.saturating_add(QUIET_MS);
                Some(self.token_due_ms.map_or(quiet, |due| due.min(quiet)))
            }
        }
    }

    /// Runs what is due.
    pub(super) fn on_time(&mut self, now: Now) {
        self.on_resume_time(now);
        self.tell_read(now);
        if self.link_deadline().is_none_or(|due| now.monotonic_ms < due) {
            return;
        }
        if self.is_sent_again(now) || self.tells_of_slow(now) {
            return;
        }
        match self.phase {
            Phase::Connecting | Phase::Doubt { .. } | Phase::Away | Phase::Over => {}
            Phase::Waiting { .. } => self.connect(),
            Phase::Leaving { code, .. } => self.finish(code),
            Phase::Ready { .. } if self.requests.is_empty() => self.on_quiet(now),
            Phase::Greeting if !self.is_silence_told => self.tell_silence(),
            Phase::Greeting | Phase::Named | Phase::Login(_) | Phase::Ready { .. } => {
                self.give_up_link("the server does not answer", now);
            }
        }
    }

    /// Nothing is under way: requests a new token if it is time, or else checks that the server is alive.
    fn on_quiet(&mut self, now: Now) {
        if self.token_due_ms.is_some_and(|due| due <= now.monotonic_ms) {
            self.token_due_ms = None;
            self.request(Request::Token, &["TOKEN"], now);
        } else {
            self.request(Request::Noop, &["NOOP"], now);
        }
    }
}
