//! What the server holds for and against an address: connections open, connections made of late, wrong passwords.
//!
//! Both memories are leaky buckets, and both are kept as the one moment at which they will have run empty. So an
//! entry does not grow with what its address does, nothing has to be counted down, and the entries that hold
//! something are ordered for good by the moment at which they will hold nothing. That order decides who is
//! forgotten: those who are clear anyway, and in a full table those who would be clear first.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::clock::Millis;
use crate::limits::{self, Limits};

/// Nanoseconds on the same clock. The table reckons in them so that its window divides without a remainder that
/// matters among any number of connections; 64 bits of them last for centuries.
type Nanos = u64;

const SECOND: Nanos = 1_000_000_000;
const MILLISECOND: Nanos = 1_000_000;
const NEW_WINDOW: Nanos = limits::NEW_WINDOW_S * SECOND;
const PENALTY_STEP: Nanos = limits::PENALTY_STEP_S * SECOND;
const PENALTY_REFUSED: Nanos = limits::PENALTY_REFUSED_S * SECOND;
const PENALTY_MOST: Nanos = limits::PENALTY_MOST_S * SECOND;

/// Clear entries forgotten at each call that may add one. More than one, so that the sweep outruns the additions;
/// few, so that a crowd that becomes clear together does not hold up the loop.
const SWEEP: usize = 4;

/// Of a hundred new connections, how many are dropped as soon as silent ones are too many.
const SHED_PERCENT: u128 = 30;

/// The per-address rules: a table of at most [`limits::ADDRESSES`] parties (see [`party`]).
///
/// Exempt addresses (see [`exempt`]) never enter it. Every call costs amortised O(log entries).
#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// An IPv4 party stands here as its IPv4-mapped IPv6 address, which no IPv6 party is: that is the smaller key.
    table: HashMap<Ipv6Addr, Entry>,
    /// The parties without open connections, those that are clear soonest first.
    idle: BTreeSet<(Nanos, Ipv6Addr)>,
}

/// The answer to a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may stay, and is counted as open until [`Addresses::release`].
    Welcome,
    /// Refused: `limits.per_address` or `limits.new_per_address` is reached, or the table is full of addresses that
    /// all have connections open.
    TooMany,
    /// Refused for its address's failures.
    Penalised,
}

impl Addresses {
    /// An empty table.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A connection from `ip` has come at `now`. `penalties` is `login.penalties`: whether failures count here.
    ///
    /// Welcome counts it as open and as new; a refusal changes nothing, so that knocking does not prolong it.
    /// `limits.new_per_address` is a leaky bucket (GCRA): that many may come at once, and the allowance refills
    /// evenly over [`limits::NEW_WINDOW_S`]. Somebody who uses it up and then comes at every refill makes up to twice
    /// as many in the first window, and exactly that many in each later one.
    ///
    /// If the table is full of addresses with open connections (which takes `limits.connections` beyond
    /// [`limits::ADDRESSES`]), a new address is refused. To let it in uncounted would lift every per-address rule just
    /// when the most addresses are at the door; to refuse it costs nobody who is inside anything.
    pub(super) fn admit(&mut self, ip: IpAddr, now: Millis, limits: &Limits, penalties: bool) -> Admission {
        if exempt(ip, limits) {
            return Admission::Welcome;
        }
        let (who, now) = (key(ip), nanos(now));
        self.sweep(now);
        let entry = self.entry(who);
        if penalties && entry.is_penalised(now) {
            return Admission::Penalised;
        }
        if entry.open >= limits.per_address {
            return Admission::TooMany;
        }
        let Some(spent_until) = entry.spend(now, limits.new_per_address) else {
            return Admission::TooMany;
        };
        if !self.has_room_for(who) {
            return Admission::TooMany;
        }
        self.put(who, Entry { open: entry.open + 1, spent_until, ..entry });
        Admission::Welcome
    }

    /// A connection from `ip` that was welcomed has ended.
    ///
    /// Harmless for an address that has nothing counted, as one that was exempt when it came. (If loopback ceases to
    /// be exempt while it has connections open, their ends are taken off its newer ones.)
    pub(super) fn release(&mut self, ip: IpAddr) {
        let who = key(ip);
        let entry = self.entry(who);
        if let Some(open) = entry.open.checked_sub(1) {
            self.put(who, Entry { open, ..entry });
        }
    }

    /// A wrong password (or refused token) from `ip` at `now`: [`limits::PENALTY_STEP_S`] more to its penalty, which
    /// drains by a second a second and is never more than [`limits::PENALTY_MOST_S`].
    ///
    /// It is remembered also when the connection is gone already, except when the table is full of addresses that
    /// have connections open.
    pub(super) fn failure(&mut self, ip: IpAddr, now: Millis, limits: &Limits) {
        if exempt(ip, limits) {
            return;
        }
        let (who, now) = (key(ip), nanos(now));
        self.sweep(now);
        let entry = self.entry(who);
        if self.has_room_for(who) {
            self.put(who, Entry { penalty_until: entry.punish(now), ..entry });
        }
    }

    /// How many addresses are remembered, some of them perhaps without need.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// What is known of `who`. Somebody unknown is somebody who is clear.
    fn entry(&self, who: Ipv6Addr) -> Entry {
        self.table.get(&who).copied().unwrap_or_default()
    }

    /// The one place that changes an entry, so that the idle ones are always in order.
    fn put(&mut self, who: Ipv6Addr, entry: Entry) {
        if let Some(before) = self.table.insert(who, entry)
            && before.open == 0
        {
            self.idle.remove(&(before.clear_at(), who));
        }
        if entry.open == 0 {
            self.idle.insert((entry.clear_at(), who));
        }
    }

    /// Forgets a few of those who hold nothing any more.
    fn sweep(&mut self, now: Nanos) {
        for _ in 0..SWEEP {
            if self.idle.first().is_none_or(|&(clear_at, _)| clear_at > now) {
                return;
            }
            self.forget_first();
        }
    }

    /// Whether `who` may have an entry, if need be in the place of the idle one that would be clear first.
    fn has_room_for(&mut self, who: Ipv6Addr) -> bool {
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
struct Entry {
    /// When the allowance of new connections will be whole again.
    spent_until: Nanos,
    /// When the penalty will have drained.
    penalty_until: Nanos,
    /// Connections open.
    open: u32,
}

impl Entry {
    /// From when on the entry says no more than no entry would, once nothing is open.
    fn clear_at(self) -> Nanos {
        self.spent_until.max(self.penalty_until)
    }

    fn is_penalised(self, now: Nanos) -> bool {
        self.penalty_until.saturating_sub(now) >= PENALTY_REFUSED
    }

    /// The new `penalty_until` after one more failure.
    fn punish(self, now: Nanos) -> Nanos {
        let until = self.penalty_until.max(now).saturating_add(PENALTY_STEP);
        until.min(now.saturating_add(PENALTY_MOST))
    }

    /// The new `spent_until` after one more connection, or nothing if that is over `allowance` a window.
    ///
    /// The price of a connection is rounded down to a nanosecond: exact for allowances below 700,000, and never off
    /// by a hundredth above.
    fn spend(self, now: Nanos, allowance: u32) -> Option<Nanos> {
        let price = NEW_WINDOW.checked_div(u64::from(allowance))?;
        let until = self.spent_until.max(now).saturating_add(price);
        (until <= now.saturating_add(NEW_WINDOW)).then_some(until)
    }
}

/// The party that an address stands for: IPv4 as it is, IPv4-mapped IPv6 as IPv4, IPv6 by its /64, which is what one
/// subscriber gets. `::1` stays as it is, so that a party is exempt exactly when its addresses are.
pub(super) fn party(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

/// The network that an address belongs to, by its first address: the /24 of IPv4, the /48 of IPv6, which is what one
/// site gets. `::1` is one of its own.
pub(super) fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(Ipv6Addr::LOCALHOST) => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).into()
        }
    }
}

/// Whether per-address rules do not apply to `ip`: loopback (IPv4-mapped too), unless `limits.include_loopback`.
pub(super) fn exempt(ip: IpAddr, limits: &Limits) -> bool {
    !limits.include_loopback && ip.to_canonical().is_loopback()
}

/// Whether a new connection is refused when `silent` others have not sent a complete line yet. `dice` is uniform over
/// all of `u32`, and thrown only when chance decides. The caller does not count loopback ones, unless
/// `limits.include_loopback`.
///
/// From `limits.silent` on 30 of 100 are refused, rising linearly to all from `limits.silent_most` on. By chance,
/// because nobody can tell a person's new connection from a flood's: so most of those refused are the flood's, and a
/// person who tries again gets in.
pub(super) fn sheds_silent(silent: u32, dice: impl FnOnce() -> u32, limits: &Limits) -> bool {
    let Some(over) = silent.checked_sub(limits.silent) else {
        return false;
    };
    if silent >= limits.silent_most {
        return true;
    }
    // limits.silent <= silent < silent_most, so the span is at least 1.
    let (over, span) = (u128::from(over), u128::from(limits.silent_most - limits.silent));
    let refused = SHED_PERCENT * span + (100 - SHED_PERCENT) * over;
    let of = 100 * span;
    u128::from(dice()) * of < (refused << u32::BITS)
}

fn key(ip: IpAddr) -> Ipv6Addr {
    match party(ip) {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

fn nanos(now: Millis) -> Nanos {
    now.saturating_mul(MILLISECOND)
}

#[cfg(test)]
mod tests;
