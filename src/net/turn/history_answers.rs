//! The answers of the history: the wait phase takes them when one of its threads wakes the loop. Also what it reports of
//! itself.

use crate::net::reactor::Reactor;

impl Reactor {
    /// Gives the engine the answers that have arrived.
    pub(super) fn take_history(&mut self) {
        let Some(history) = &self.history else { return };
        while let Some(answer) = history.poll_answer() {
            self.engine.handle_history(answer.ticket.number, answer.verdict);
        }
        if history.poll_loss() {
            self.engine.handle_history_lost();
        }
        self.report_history();
    }

    /// Tells the engine what does not work in the history.
    pub(super) fn report_history(&mut self) {
        if let Some(history) = &self.history {
            self.engine.handle_trouble(history.trouble());
        }
    }

    /// Tells the engine how much waits for the disk: before anything is read, so that what is said now is kept if there
    /// is room again.
    pub(super) fn report_backlog(&mut self) {
        if let Some(history) = &self.history {
            self.engine.handle_backlog(history.backlog());
        }
    }
}
