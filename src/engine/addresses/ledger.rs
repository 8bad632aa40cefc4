//! A bounded table of what is held for and against parties of one kind: addresses, or networks.
//!
//! All memories of an entry are leaky buckets, and each is kept as the one moment at which they will have run empty.
//! So an entry does not grow with what its party does, nothing has to be counted down, and the entries that hold
//! something are ordered for good by the moment at which they will hold nothing. That order decides who is forgotten:
//! those who are clear anyway, and in a full table those who would be clear first.

use std::collections::{BTreeSet, HashMap};
use std::net::Ipv6Addr;

use crate::limits;

/// Nanoseconds on the loop's clock. The table reckons in them so that its window divides without a remainder that
/// matters among any number of connections; 64 bits of them last for centuries.
pub(super) type Nanos = u64;

const SECOND: Nanos = 1_000_000_000;
const NEW_WINDOW: Nanos = limits::NEW_WINDOW_S * SECOND;
const PENALTY_STEP: Nanos = limits::PENALTY_STEP_S * SECOND;
const PENALTY_REFUSED: Nanos = limits::PENALTY_REFUSED_S * SECOND;
const PENALTY_MOST: Nanos = limits::PENALTY_MOST_S * SECOND;

/// Clear entries forgotten at each call that may add one. More than one, so that the sweep outruns the additions;
/// few, so that a crowd that becomes clear together does not hold up the loop.
const SWEEP: usize = 4;

/// The table: at most [`limits::ADDRESSES`] entries. Every call costs amortised O(log entries).
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// An IPv4 party has its IPv4-mapped IPv6 address as its key, which no IPv6 party has: that is the smaller key.
    pub(super) table: HashMap<Ipv6Addr, Entry>,
    /// The parties without open connections, those that are clear soonest first.
    pub(super) idle: BTreeSet<(Nanos, Ipv6Addr)>,
}

impl Ledger {
    /// How many parties are remembered, some of them perhaps without need.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// What is held for and against `who`; nothing for an unknown one.
    pub(super) fn entry(&self, who: Ipv6Addr) -> Entry {
        self.table.get(&who).copied().unwrap_or_default()
    }

    /// The one place that changes an entry, so that the idle ones are always in order.
    pub(super) fn put(&mut self, who: Ipv6Addr, entry: Entry) {
        if let Some(before) = self.table.insert(who, entry)
            && before.open == 0
        {
            self.idle.remove(&(before.clear_at(), who));
        }
        if entry.open == 0 {
            self.idle.insert((entry.clear_at(), who));
        }
    }

    /// A connection of `who` has ended. Harmless for a party that has nothing counted.
    pub(super) fn release(&mut self, who: Ipv6Addr) {
        let entry = self.entry(who);
        if let Some(open) = entry.open.checked_sub(1) {
            self.put(who, Entry { open, ..entry });
        }
    }

    /// Gives the price of one new connection back to `who`, who may make `allowance` of them in a window.
    pub(super) fn refund(&mut self, who: Ipv6Addr, allowance: u32) {
        if let Some(entry) = self.table.get(&who).copied() {
            let spent_until = entry.spent_until.saturating_sub(price(allowance).unwrap_or_default());
            self.put(who, Entry { spent_until, ..entry });
        }
    }

    /// Forgets a few of those who hold nothing any more.
    pub(super) fn sweep(&mut self, now: Nanos) {
        for _ in 0..SWEEP {
            if self.idle.first().is_none_or(|&(clear_at, _)| clear_at > now) {
                return;
            }
            self.forget_first();
        }
    }

    /// Whether `who` may have an entry, if need be in the place of the idle one that would be clear first.
    pub(super) fn has_room_for(&mut self, who: Ipv6Addr) -> bool {
        self.table.len() < limits::ADDRESSES || self.table.contains_key(&who) || self.forget_first()
    }

    /// Forgets the idle one that is clear soonest; false if none is idle.
    fn forget_first(&mut self) -> bool {
        let Some((_, who)) = self.idle.pop_first() else {
            return false;
        };
        self.table.remove(&who);
        true
    }
}

/// What is held for and against one party. The default holds nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// When the allowance of new connections will be whole again.
    pub(super) spent_until: Nanos,
    /// When the allowance of new accounts will be whole again.
    pub(super) registered_until: Nanos,
    /// When the penalty will have drained.
    pub(super) penalty_until: Nanos,
    /// Connections open.
    pub(super) open: u32,
}

impl Entry {
    /// From when on the entry says no more than no entry would, once nothing is open.
    pub(super) fn clear_at(self) -> Nanos {
        self.spent_until.max(self.registered_until).max(self.penalty_until)
    }

    /// Whether the penalty is such that the party is refused.
    pub(super) fn is_penalised(self, now: Nanos) -> bool {
        self.penalty_until.saturating_sub(now) >= PENALTY_REFUSED
    }

    /// The new `penalty_until` after one more failure.
    pub(super) fn punish(self, now: Nanos) -> Nanos {
        let until = self.penalty_until.max(now).saturating_add(PENALTY_STEP);
        until.min(now.saturating_add(PENALTY_MOST))
    }

    /// The entry with one more connection, or nothing if that is more than `most` at once or over `allowance` a window.
    pub(super) fn admit(self, now: Nanos, most: u32, allowance: u32) -> Option<Self> {
        if self.open >= most {
            return None;
        }
        let spent_until = spend(self.spent_until, now, allowance)?;
        Some(Self { open: self.open + 1, spent_until, ..self })
    }

    /// The entry with one more new account, or nothing if that is over `allowance` a window.
    pub(super) fn register(self, now: Nanos, allowance: u32) -> Option<Self> {
        let registered_until = spend(self.registered_until, now, allowance)?;
        Some(Self { registered_until, ..self })
    }
}

/// When a bucket of `allowance` a window will be empty that one more is put into, or nothing if it has no room.
fn spend(until: Nanos, now: Nanos, allowance: u32) -> Option<Nanos> {
    let until = until.max(now).saturating_add(price(allowance)?);
    (until <= now.saturating_add(NEW_WINDOW)).then_some(until)
}

/// What a new connection (or a new account) adds to a bucket of `allowance` a window; `None` if none is allowed.
///
/// Rounded down to a nanosecond: exact for allowances below 700,000, and never off by a hundredth above.
fn price(allowance: u32) -> Option<Nanos> {
    NEW_WINDOW.checked_div(u64::from(allowance))
}
