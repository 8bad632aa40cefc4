//! Keeps the memory behind all outboxes under its bound.
//!
//! A page of shared frames lives as long as one outbox refers to it. Pages of which little is owed are packed: the owed
//! pieces are copied into pages without gaps, so that each connection takes the memory that it owes. If that is not
//! enough, the connections that take most are closed.

use std::cmp::Reverse;

use super::Engine;
use super::id::ConnId;
use super::life::{End, Life};
use super::outbox::Outbox;
use super::pages::Pages;
use crate::close::CloseReason;
use crate::limits::DEBT_RELIEF_PART;

impl<S> Engine<S> {
    /// At the end of a flush: packs pages, and closes connections if all of them together owe too much.
    pub(super) fn bound_debts(&mut self) {
        let bound = self.settings.limits.owed_total_bytes;
        if self.pages.owed_bytes() > bound {
            self.pack_pages();
            if self.pages.owed_bytes() > bound {
                self.cut_debtors(bound - bound / DEBT_RELIEF_PART);
            }
        } else if self.pages.wants_packing(bound) {
            self.pack_pages();
        }
    }

    fn pack_pages(&mut self) {
        weigh(self.conns.iter().map(|conn| &conn.outbox), &mut self.pages);
        for conn in self.conns.iter_mut() {
            conn.outbox.pack(&mut self.pages);
        }
        self.pages.end_packing();
    }

    /// Closes connections, in descending order of memory, until the total is at most `aim` bytes. Shared pages count by
    /// share, so connections that keep much memory alive are closed first. Connections that are ending already get no
    /// other closing message.
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
            // Pages of the closed connections may be free now, or sparse.
            self.pack_pages();
            if self.pages.owed_bytes() <= aim || self.pages.owed_bytes() >= before {
                return;
            }
        }
    }

    /// All connections that owe something, each with its memory in bytes, in descending order. The sum is what the
    /// outboxes take.
    pub(super) fn debtors(&mut self) -> Vec<(Reverse<u64>, ConnId)> {
        weigh(self.conns.iter().map(|conn| &conn.outbox), &mut self.pages);
        let debtors = self.conns.iter().filter(|conn| !matches!(conn.life, Life::Gone(_)) && conn.owed() > 0);
        let mut debtors: Vec<_> = debtors
            .map(|conn| (Reverse(memory(&conn.outbox, &self.pages) + u64::from(conn.sealed)), conn.id))
            .collect();
        debtors.sort_unstable();
        debtors
    }

    fn cut(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find(id) else { return };
        match conn.life {
            Life::Open => {
                conn.outbox.drop_all_but_begun(&mut self.pages);
                self.schedule_close(id, End::Closed(CloseReason::TooSlow));
            }
            Life::Draining(_) | Life::Lingering(_) => self.cut_off(id),
            Life::Gone(_) => {}
        }
    }
}

/// Weighs each page by the bytes that are owed of it.
fn weigh<'a>(outboxes: impl Iterator<Item = &'a Outbox>, pages: &mut Pages) {
    pages.begin_weighing();
    for piece in outboxes.flat_map(Outbox::shared_pieces) {
        pages.weigh(*piece);
    }
}

/// The memory that an outbox accounts for, in bytes: its own heap, and its shares of weighed pages.
fn memory(outbox: &Outbox, pages: &Pages) -> u64 {
    outbox.heap_bytes() + outbox.shared_pieces().map(|piece| pages.share(*piece)).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::Kind;
    use crate::limits::PAGE_BYTES;

    /// Twelve receivers of a short frame in each of many pages, and thirty receivers of one page.
    struct Debts {
        pages: Pages,
        pinning: Vec<Outbox>,
        waiting: Vec<Outbox>,
    }

    fn say(text: &str, hearers: &mut [Outbox], pages: &mut Pages) {
        let piece = pages.write(Kind::Bare, |out| out.extend_from_slice(text.as_bytes()));
        for hearer in hearers {
            hearer.push_shared(piece, pages);
        }
    }

    impl Debts {
        fn new(page_count: usize) -> Self {
            let outboxes = |count| (0..count).map(|_| Outbox::default()).collect();
            let mut debts = Self { pages: Pages::default(), pinning: outboxes(12), waiting: outboxes(30) };
            for _ in 0..page_count {
                say("little\n", &mut debts.pinning, &mut debts.pages);
                say(&"x".repeat(PAGE_BYTES), &mut [], &mut debts.pages);
                debts.pages.turn_over();
            }
            say(&"w".repeat(48_000), &mut debts.waiting, &mut debts.pages);
            say(&"x".repeat(PAGE_BYTES), &mut [], &mut debts.pages);
            debts.pages.turn_over();
            debts
        }

        fn all(&self) -> impl Iterator<Item = &Outbox> {
            self.pinning.iter().chain(&self.waiting)
        }

        fn pack(&mut self) {
            weigh(self.pinning.iter().chain(&self.waiting), &mut self.pages);
            for outbox in self.pinning.iter_mut().chain(&mut self.waiting) {
                outbox.pack(&mut self.pages);
            }
            self.pages.end_packing();
        }
    }

    #[test]
    fn whoever_pins_most_pays_most_and_all_pay_for_all() {
        let mut debts = Debts::new(100);
        weigh(debts.pinning.iter().chain(&debts.waiting), &mut debts.pages);
        let least_of_the_pinning = debts.pinning.iter().map(|outbox| memory(outbox, &debts.pages)).min();
        let most_of_the_waiting = debts.waiting.iter().map(|outbox| memory(outbox, &debts.pages)).max();
        assert!(least_of_the_pinning > most_of_the_waiting, "{least_of_the_pinning:?} {most_of_the_waiting:?}");
        let all: u64 = debts.all().map(|outbox| memory(outbox, &debts.pages)).sum();
        let held = debts.pages.owed_bytes();
        assert!(all <= held && held - all < 12 * 101 + 30, "{all} of {held}"); // shares are rounded down
    }

    #[test]
    fn packed_pages_hold_what_is_owed_and_no_more() {
        let mut debts = Debts::new(100);
        let before: Vec<Vec<u8>> = debts.all().map(|outbox| bytes(outbox, &debts.pages)).collect();
        assert!(debts.pages.owed_bytes() > 100 * PAGE_BYTES as u64);
        debts.pack();
        assert_eq!(debts.all().map(|outbox| bytes(outbox, &debts.pages)).collect::<Vec<_>>(), before);
        let heap: u64 = debts.all().map(Outbox::heap_bytes).sum();
        let owed: u64 = debts.pinning.iter().map(|outbox| outbox.owed() as u64).sum();
        let one_page = 48_000 + PAGE_BYTES as u64; // thirty receivers owe more than half of it
        assert_eq!(debts.pages.owed_bytes(), heap + owed + one_page);
        for outbox in debts.pinning.iter_mut().chain(&mut debts.waiting) {
            outbox.clear(&mut debts.pages);
        }
        assert_eq!(debts.pages.owed_bytes(), 0);
    }

    fn bytes(outbox: &Outbox, pages: &Pages) -> Vec<u8> {
        outbox.slices(pages).iter().flat_map(|slice| slice.to_vec()).collect()
    }
}
