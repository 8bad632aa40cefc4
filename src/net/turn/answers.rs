//! The answers of the accounts: the wait phase takes them when the account thread wakes the loop.

use super::requests::from_ticket;
use crate::net::reactor::Reactor;

impl Reactor {
    /// Gives the engine the answers that have arrived.
    pub(super) fn take_answers(&mut self) {
        loop {
            let answer = self.auth.borrow_mut().poll_answer();
            let Some(answer) = answer else { break };
            self.engine.handle_verdict(from_ticket(answer.ticket.number), answer.verdict);
        }
        self.report_accounts();
        let is_lost = self.auth.borrow_mut().poll_loss();
        if is_lost {
            self.engine.handle_accounts_lost();
        }
    }
}
