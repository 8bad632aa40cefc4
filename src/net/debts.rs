//! The memory behind all outboxes, kept under its bound.
//!
//! A page of shared frames lives as long as anybody owes one byte of it. So pages of which little is owed are packed:
//! what is owed of them is copied into pages without gaps. Connections then take the memory that they owe, and no page
//! of other people's words. If that is not enough, those that take most are closed.

use std::cmp::Reverse;

use super::conn::{End, Life};
use super::reactor::Reactor;
use crate::close::CloseReason;
use crate::hub::session::SessionId;
use crate::limits::DEBT_RELIEF_PART;

impl Reactor {
    /// At the end of a flush: packs pages, and closes debtors if all of them together owe too much.
    pub(super) fn bound_debts(&mut self) {
        let bound = self.tuning.limits.owed_total_bytes;
        if self.pages.owed_bytes() > bound {
            self.pack_pages();
            if self.pages.owed_bytes() > bound {
                self.cut_debtors(bound - bound / DEBT_RELIEF_PART);
            }
        } else if self.pages.wants_packing(bound) {
            self.pack_pages();
        }
    }

    /// Weighs each page by what is owed of it.
    fn weigh_pages(&mut self) {
        self.pages.begin_weighing();
        for conn in self.conns.iter() {
            for piece in conn.outbox.shared_pieces() {
                self.pages.weigh(*piece);
            }
        }
    }

    fn pack_pages(&mut self) {
        self.weigh_pages();
        for conn in self.conns.iter_mut() {
            conn.outbox.pack(&mut self.pages);
        }
        self.pages.end_packing();
    }

    /// Closes connections, those that take most memory first, until all together take no more than `aim` bytes. Shared
    /// pages count by their shares, so those that have pinned much go before those that merely wait. Connections that
    /// are ending already have been told all that there is to say.
    fn cut_debtors(&mut self, aim: u64) {
        loop {
            let before = self.pages.owed_bytes();
            let mut excess = before.saturating_sub(aim);
            for (Reverse(memory), id) in self.debtors() {
                if excess == 0 {
                    break;
                }
                self.cut(id);
                excess = excess.saturating_sub(memory);
            }
            // What is gone may leave pages of which little is owed, and others that nobody else has to pay for.
            self.pack_pages();
            if self.pages.owed_bytes() <= aim || self.pages.owed_bytes() >= before {
                return;
            }
        }
    }

    /// Everybody who owes something and how much memory that takes, in bytes, most first. All together it is what the
    /// outboxes take.
    fn debtors(&mut self) -> Vec<(Reverse<u64>, SessionId)> {
        self.weigh_pages();
        let memory = |outbox: &super::outbox::Outbox| {
            let shares: u64 = outbox.shared_pieces().map(|piece| self.pages.share(*piece)).sum();
            outbox.heap_bytes() + shares
        };
        let debtors = self.conns.iter().filter(|conn| conn.life != Life::Gone && !conn.outbox.is_empty());
        let mut debtors: Vec<_> = debtors.map(|conn| (Reverse(memory(&conn.outbox)), conn.id)).collect();
        debtors.sort_unstable();
        debtors
    }

    fn cut(&mut self, id: SessionId) {
        let Some(conn) = self.conns.find(id) else { return };
        match conn.life {
            Life::Open => {
                conn.outbox.drop_all_but_begun(&mut self.pages);
                self.condemn(id, End::Closed(CloseReason::TooSlow));
            }
            Life::Draining(_) | Life::Lingering(_) => self.cut_off(id),
            Life::Gone => {}
        }
    }
}
