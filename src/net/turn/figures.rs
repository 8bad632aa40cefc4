//! The figures phase: gives the engine the figures that monitoring programs have asked for.

use crate::net::reactor::Reactor;
use crate::net::sys::process;

impl Reactor {
    /// Answers requests for figures, all with the same ones.
    pub(super) fn answer_figures(&mut self) {
        if self.engine.wants_figures() {
            let (outside, process) = (self.outside(), process::look(self.clock.started_s));
            self.engine.handle_figures(&outside, process.as_ref());
        }
    }
}
