//! The answers of the history: the wait phase takes them when one of its threads wakes the loop. Also what it reports of
//! itself.

use crate::history::Verdict;
use crate::limits::{ANSWER_BYTES_A_TURN, HISTORY_LINE_BYTES, HISTORY_LINE_FIXED_BYTES};
use crate::net::reactor::Reactor;

impl Reactor {
    /// Gives the engine answers that have arrived. The rest waits for the next turn if they are many: a page takes time.
    pub(super) fn take_history(&mut self) {
        // Also without a store: the answers of other threads wake the loop too.
        self.has_history = false;
        let Some(history) = &self.history else { return };
        let mut bytes = 0;
        while let Some(answer) = history.poll_answer() {
            bytes += size(&answer.verdict);
            self.engine.handle_history(answer.ticket.number, answer.verdict);
            if bytes >= ANSWER_BYTES_A_TURN {
                self.has_history = true;
                break;
            }
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

/// The size of an answer, in bytes of output.
fn size(verdict: &Verdict) -> usize {
    HISTORY_LINE_BYTES
        + match verdict {
            Verdict::Page(page) => page.lines.iter().map(|line| HISTORY_LINE_BYTES + line.text.len()).sum(),
            Verdict::Counts(counts) => counts.len() * HISTORY_LINE_BYTES,
            Verdict::Profile(profile) => profile.values.iter().map(|(_, value)| HISTORY_LINE_FIXED_BYTES + value.len()).sum(),
            Verdict::Kept
            | Verdict::NotKept
            | Verdict::Missed(_)
            | Verdict::Marked { .. }
            | Verdict::Forgotten(_) // notices are spread over turns
            | Verdict::Unavailable
            | Verdict::Busy => 0,
        }
}
