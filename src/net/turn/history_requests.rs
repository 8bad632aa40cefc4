//! The requests phase of the history: passes the engine's batches and requests to it. The answers come later
//! ([`super::history_answers`]).

use crate::engine::ToHistory;
use crate::net::reactor::Reactor;

impl Reactor {
    /// Passes the engine's batches and requests to the history.
    pub(in crate::net) fn pass_to_history(&mut self) {
        let Some(history) = &self.history else { return };
        while let Some(message) = self.engine.poll_history() {
            match message {
                ToHistory::Ask { number, request } => {
                    if history.submit(number, request).is_err() {
                        self.engine.handle_history_refused(number);
                    }
                }
                ToHistory::Cancel { number } => history.cancel(number),
            }
        }
    }
}
