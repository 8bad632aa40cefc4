//! What the server holds for and against an address and its network: connections open, new connections and accounts,
//! wrong passwords.

mod ledger;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::time::Millis;
use crate::limits::{self, Limits, NETWORK_BITS_V4, NETWORK_BITS_V6, NETWORK_TIMES};
use ledger::Ledger;

/// Of a hundred new connections, how many are dropped as soon as silent ones are too many.
const SHED_PERCENT: u128 = 30;

/// The rules for addresses (see [`party`]) and for networks (see [`network`]), each a table of at most
/// [`limits::ADDRESSES`].
///
/// One subscriber may have a whole network of addresses, so a network has bounds too: [`NETWORK_TIMES`] those of an
/// address. Wrong passwords are held against addresses alone. Exempt addresses (see [`exempt`]) never enter a table.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    parties: Ledger,
    networks: Ledger,
}

/// The answer to a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may stay, and is counted as open until [`Addresses::release`].
    Welcome,
    /// As [`Welcome`](Self::Welcome), but its address has failed so often that it may only log in by token.
    Penalised,
    /// Refused: the address has as many connections as it may have, at once or in a window; or the table is full of
    /// addresses that all have connections open.
    TooMany,
    /// Refused for the same of its network.
    TooManyOfNetwork,
}

impl Addresses {
    /// Empty tables.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A connection from `ip` has come at `now`. `penalties` says whether failures count here.
    ///
    /// Unless it is refused it counts as open and as new; a refusal changes nothing, so that knocking does not prolong
    /// it. `limits.new_per_address` is a token bucket: that many may come at once, and the allowance refills
    /// evenly over [`limits::NEW_WINDOW_S`]. Somebody who uses it up and then comes at every refill makes up to twice
    /// as many in the first window, and exactly that many in each later one.
    ///
    /// If a table is full of parties with open connections (which takes `limits.connections` beyond
    /// [`limits::ADDRESSES`]), a new party is refused. To let it in uncounted would lift every per-address rule just
    /// when the most addresses are at the door; to refuse it costs nobody who is inside anything.
    pub(super) fn admit(&mut self, ip: IpAddr, now: Millis, limits: &Limits, penalties: bool) -> Admission {
        if exempt(ip, limits) {
            return Admission::Welcome;
        }
        let (who, net) = (key(party(ip)), key(network(ip)));
        self.parties.sweep(now);
        self.networks.sweep(now);
        let entry = self.parties.entry(who).admit(now, limits.per_address, limits.new_per_address);
        let Some(entry) = entry.filter(|_| self.parties.has_room_for(who)) else {
            return Admission::TooMany;
        };
        let (most, allowance) = of_network(limits);
        let whole = self.networks.entry(net).admit(now, most, allowance);
        let Some(whole) = whole.filter(|_| self.networks.has_room_for(net)) else {
            return Admission::TooManyOfNetwork;
        };
        self.parties.put(who, entry);
        self.networks.put(net, whole);
        if penalties && entry.is_penalised(now) { Admission::Penalised } else { Admission::Welcome }
    }

    /// A connection from `ip` that was let in has ended.
    ///
    /// Harmless for an address that has nothing counted, as one that was exempt when it came. (If loopback ceases to
    /// be exempt while it has connections open, their ends are taken off its newer ones.)
    pub(super) fn release(&mut self, ip: IpAddr) {
        self.parties.release(key(party(ip)));
        self.networks.release(key(network(ip)));
    }

    /// A connection from `ip` has logged in: it counts as new no longer. To be called once a connection.
    ///
    /// What had drained by itself meanwhile is given back too, which at most doubles the refill.
    pub(super) fn refund(&mut self, ip: IpAddr, limits: &Limits) {
        let (_, allowance) = of_network(limits);
        self.parties.refund(key(party(ip)), limits.new_per_address);
        self.networks.refund(key(network(ip)), allowance);
    }

    /// A connection from `ip` has made an account at `now`. Gives whether it may be [refunded](Self::refund): no more
    /// than `limits.new_per_address` in [`limits::NEW_WINDOW_S`] are, so that nobody makes accounts without end.
    pub(super) fn register(&mut self, ip: IpAddr, now: Millis, limits: &Limits) -> bool {
        if exempt(ip, limits) {
            return true;
        }
        let (who, net) = (key(party(ip)), key(network(ip)));
        let (_, allowance) = of_network(limits);
        let entry = self.parties.entry(who).register(now, limits.new_per_address);
        let whole = self.networks.entry(net).register(now, allowance);
        let (Some(entry), Some(whole)) = (entry, whole) else { return false };
        // Its connection is open, so both have an entry.
        self.parties.put(who, entry);
        self.networks.put(net, whole);
        true
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
        let who = key(party(ip));
        self.parties.sweep(now);
        let entry = self.parties.entry(who);
        if self.parties.has_room_for(who) {
            self.parties.put(who, entry.punish(now));
        }
    }

    /// Whether `ip` has failed so often that it may only log in by token.
    pub(super) fn is_penalised(&self, ip: IpAddr, now: Millis, limits: &Limits) -> bool {
        !exempt(ip, limits) && self.parties.entry(key(party(ip))).is_penalised(now)
    }

    /// How many connections are counted as open.
    #[cfg(test)]
    pub(super) fn open(&self) -> u32 {
        self.parties.table.values().map(|entry| entry.open).sum()
    }

    /// How many addresses are remembered, some of them perhaps without need.
    pub(super) fn len(&self) -> usize {
        self.parties.len()
    }
}

/// The party that an address stands for: IPv4 as it is, IPv4-mapped IPv6 as IPv4, IPv6 by its /64, which is what one
/// subscriber gets. `::1` stays as it is, so that a party is exempt exactly when its addresses are.
pub(super) fn party(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => masked(v6, limits::PARTY_BITS_V6).into(),
    }
}

/// The network that an address belongs to, by its first address: the /24 of IPv4, the /48 of IPv6, which is what one
/// site gets. `::1` is one of its own.
pub(super) fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & !(u32::MAX >> NETWORK_BITS_V4)).into(),
        IpAddr::V6(v6) => masked(v6, NETWORK_BITS_V6).into(),
    }
}

/// The network of an address as it is written: `192.0.2.0/24`.
pub(super) fn network_name(ip: IpAddr) -> String {
    match network(ip) {
        IpAddr::V4(v4) => format!("{v4}/{NETWORK_BITS_V4}"),
        IpAddr::V6(v6) => format!("{v6}/{NETWORK_BITS_V6}"),
    }
}

fn masked(v6: Ipv6Addr, bits: u32) -> Ipv6Addr {
    if v6.is_loopback() { v6 } else { Ipv6Addr::from_bits(v6.to_bits() & !(u128::MAX >> bits)) }
}

/// What a network may have: connections at once, and new ones in a window.
fn of_network(limits: &Limits) -> (u32, u32) {
    let times = |of_address: u32| of_address.saturating_mul(NETWORK_TIMES);
    (times(limits.per_address), times(limits.new_per_address))
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

fn key(of: IpAddr) -> Ipv6Addr {
    match of {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

#[cfg(test)]
mod tests;
