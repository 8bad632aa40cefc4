//! A bounded table of limits for parties of one kind: addresses, or networks.
//!
//! An entry is kept as times: when its token buckets are full again, and when its penalty ends. So it does not grow
//! with use, nothing has to be counted down, and the order of the entries by the time at which they hold nothing is
//! fixed. That order decides what is forgotten: entries that hold nothing, and in a full table those that will hold
//! nothing first.

use std::collections::{BTreeSet, HashMap};
use std::net::Ipv6Addr;

use super::Charge;
use crate::engine::bucket::{Bucket, Quota};
use crate::engine::time::{Millis, Nanos, nanos};
use crate::limits;

const SECOND: Nanos = nanos(1000);
const NEW_WINDOW: Nanos = limits::NEW_WINDOW_S * SECOND;
const PENALTY_STEP: Nanos = limits::PENALTY_STEP_S * SECOND;
const PENALTY_REFUSED: Nanos = limits::PENALTY_REFUSED_S * SECOND;
const PENALTY_MOST: Nanos = limits::PENALTY_MOST_S * SECOND;

/// Entries forgotten at each call that may add one. More than one, so that the sweep outruns the additions; few, so
/// that many entries that expire together do not hold up the loop.
const SWEEP: usize = 4;

/// The table: at most [`limits::ADDRESSES`] entries. Every call costs amortised O(log entries).
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By IPv6 address; an IPv4 party has its IPv4-mapped address as its key, which no IPv6 party has. That is the
    /// smallest key.
    pub(super) table: HashMap<Ipv6Addr, Entry>,
    /// The parties without open connections, in the order of expiry.
    pub(super) idle: BTreeSet<(Nanos, Ipv6Addr)>,
}

impl Ledger {
    /// Number of remembered parties, including some that could be forgotten.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// The entry of `who`; an empty one if it is unknown.
    pub(super) fn entry(&self, who: Ipv6Addr) -> Entry {
        self.table.get(&who).copied().unwrap_or_default()
    }

    /// Changes an entry. Only this method does, so that `idle` stays in order.
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

    /// A connection of `who` has ended. Harmless for a party without counted connections.
    pub(super) fn release(&mut self, who: Ipv6Addr) {
        let entry = self.entry(who);
        if let Some(open) = entry.open.checked_sub(1) {
            self.put(who, Entry { open, ..entry });
        }
    }

    /// Returns the price of one new connection to `who`, which may make `allowance` of them per window.
    pub(super) fn refund(&mut self, who: Ipv6Addr, allowance: u32) {
        if let Some(quota) = quota(allowance)
            && let Some(mut entry) = self.table.get(&who).copied()
        {
            entry.connections.refund(1, &quota);
            self.put(who, entry);
        }
    }

    /// Forgets a few entries that hold nothing.
    pub(super) fn sweep(&mut self, now: Millis) {
        for _ in 0..SWEEP {
            if self.idle.first().is_none_or(|&(clear_at, _)| clear_at > nanos(now)) {
                return;
            }
            self.forget_first();
        }
    }

    /// Whether `who` may have an entry. If the table is full, the idle one that expires first is forgotten.
    pub(super) fn has_room_for(&mut self, who: Ipv6Addr) -> bool {
        self.table.len() < limits::ADDRESSES || self.table.contains_key(&who) || self.forget_first()
    }

    /// Forgets the idle entry that expires first; false if none is idle.
    fn forget_first(&mut self) -> bool {
        let Some((_, who)) = self.idle.pop_first() else {
            return false;
        };
        self.table.remove(&who);
        true
    }
}

/// The state of one party. The default holds nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// New connections.
    pub(super) connections: Bucket,
    /// New accounts.
    pub(super) accounts: Bucket,
    /// Requests by HTTP.
    pub(super) requests: Bucket,
    /// When the penalty ends.
    penalty_until: Nanos,
    /// Open connections.
    pub(super) open: u32,
}

impl Entry {
    /// When the entry holds nothing, provided that no connection is open.
    pub(super) fn clear_at(self) -> Nanos {
        let buckets = [self.connections, self.accounts, self.requests];
        buckets.into_iter().fold(self.penalty_until, |latest, bucket| latest.max(bucket.full_at()))
    }

    /// True if the penalty is so high that the party is refused.
    pub(super) fn is_penalised(self, now: Millis) -> bool {
        self.penalty_until.saturating_sub(nanos(now)) >= PENALTY_REFUSED
    }

    /// The entry after one more failure.
    pub(super) fn punish(self, now: Millis) -> Self {
        let now = nanos(now);
        let until = self.penalty_until.max(now).saturating_add(PENALTY_STEP);
        Self { penalty_until: until.min(now.saturating_add(PENALTY_MOST)), ..self }
    }

    /// The entry with one more connection; `None` if that exceeds `most` at once or `allowance` per window.
    pub(super) fn admit(mut self, now: Millis, charge: Charge, most: u32, allowance: u32) -> Option<Self> {
        let (opens, is_new) = match charge {
            Charge::Open => (true, false),
            Charge::New => (false, true),
            Charge::OpenAndNew => (true, true),
        };
        let is_full = opens && self.open >= most;
        if is_full || is_new && !self.connections.take(1, now, &quota(allowance)?) {
            return None;
        }
        Some(Self { open: self.open + u32::from(opens), ..self })
    }

    /// The entry with one more request; `None` if that exceeds `allowance` per window.
    pub(super) fn request(mut self, now: Millis, allowance: u32) -> Option<Self> {
        self.requests.take(1, now, &quota(allowance)?).then_some(self)
    }

    /// The entry with one more new account; `None` if that exceeds `allowance` per window.
    pub(super) fn register(mut self, now: Millis, allowance: u32) -> Option<Self> {
        self.accounts.take(1, now, &quota(allowance)?).then_some(self)
    }
}

/// `allowance` new connections (or new accounts) per window, all at once if none were made. `None` if none is allowed.
///
/// The price of one is rounded down to a nanosecond: exact for allowances below 700,000, and never off by a hundredth
/// above.
fn quota(allowance: u32) -> Option<Quota> {
    Quota::by_one(allowance, NEW_WINDOW, allowance)
}
