//! The requests phase: passes the engine's requests to the accounts. The answers come later ([`super::answers`]).

use crate::engine::{ConnId, ToAccounts};
use crate::net::reactor::Reactor;

/// The generation is shifted by this many bits; the slot is below.
const GENERATION_SHIFT: u32 = 32;

impl Reactor {
    /// Passes the engine's requests to the accounts.
    pub(super) fn pass_requests(&mut self) {
        while let Some(request) = self.engine.poll_request() {
            match request {
                ToAccounts::Ask { id, origin, request } => {
                    let result = self.auth.borrow_mut().submit(ticket(id), origin, request);
                    if let Err(refused) = result {
                        self.engine.handle_refused(id, refused);
                    }
                }
                ToAccounts::Cancel(id) => self.auth.borrow_mut().cancel(ticket(id)),
            }
        }
    }
}

/// The ticket of a connection's request.
fn ticket(id: ConnId) -> u64 {
    u64::from(id.slot) | u64::from(id.generation) << GENERATION_SHIFT
}

/// The connection of a ticket.
pub(super) fn from_ticket(ticket: u64) -> ConnId {
    ConnId { slot: ticket as u32, generation: (ticket >> GENERATION_SHIFT) as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_come_back_as_what_they_were() {
        let id = ConnId { slot: 7, generation: u32::MAX };
        assert_eq!(from_ticket(ticket(id)), id);
    }
}
