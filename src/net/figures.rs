//! What the engine cannot know: figures of other threads and of the kernel.

use super::reactor::Reactor;
use crate::engine::{Outside, Part, State};

impl Reactor {
    /// The figures that the engine does not know.
    pub(super) fn outside(&mut self) -> Outside {
        let auth = self.auth.borrow();
        Outside {
            accounts: auth.accounts(),
            hashing: auth.waiting(),
            log_lines_dropped: (self.control.log_lines_dropped)(),
            datagrams_lost: self.datagrams.lost(),
        }
    }

    /// Tells the engine whether the account file can be written.
    pub(super) fn report_accounts(&mut self) {
        let trouble = self.auth.borrow().trouble();
        let state = trouble.map_or(State::Well, |why| State::Ill(why.into()));
        self.engine.handle_part(Part::AccountsReadOnly, state);
    }
}
