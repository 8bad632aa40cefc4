//! Limits per address and per network: open connections, new connections and accounts, wrong passwords.

mod ledger;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::origin::Origin;
use super::time::Millis;
use crate::limits::{self, Limits, NETWORK_BITS_V4, NETWORK_BITS_V6, NETWORK_TIMES};
use ledger::Ledger;

/// Percentage of new connections that are refused when silent ones begin to be too many.
const SHED_PERCENT: u128 = 30;

/// The limits of addresses (see [`party`]) and of networks (see [`network`]), each in a table of at most
/// [`limits::ADDRESSES`] entries.
///
/// One subscriber may have a whole network of addresses, so a network has limits too: [`NETWORK_TIMES`] those of an
/// address. Wrong passwords count against addresses only. An exempt origin (see [`Origin::limited`]) never enters a table.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    parties: Ledger,
    networks: Ledger,
}

/// How a connection counts for its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charge {
    /// As open: it only fetches.
    Open,
    /// As new: it was open before.
    New,
    /// As open and as new.
    OpenAndNew,
}

/// The answer to a new connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Accepted, and counted as open until [`Addresses::release`].
    Welcome,
    /// As [`Welcome`](Self::Welcome), but its address has failed so often that it may only log in by token.
    Penalised,
    /// Refused: the address has too many connections, at once or in a window; or the table is full of addresses with
    /// open connections.
    TooMany,
    /// Refused for the same reason, but of its network.
    TooManyOfNetwork,
}

impl Addresses {
    /// Empty tables.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Decides on a connection at `now`. `penalties` is true if failures count here.
    ///
    /// An accepted connection counts as `charge` says. A refusal changes nothing, so repeated attempts do not prolong
    /// it. `limits.new_per_address` is a token bucket: that many may arrive at once, and it refills evenly over
    /// [`limits::NEW_WINDOW_S`]. A client that uses all of it and then connects at every refill makes up to twice as
    /// many connections in the first window, and exactly that many in each later one.
    ///
    /// If a table is full of parties with open connections (which takes `limits.connections` beyond
    /// [`limits::ADDRESSES`]), a new party is refused. Accepting it without counting would lift every per-address limit
    /// just when most addresses are connected; refusing it costs no connected client anything.
    pub(super) fn admit(
        &mut self,
        from: impl Into<Origin>,
        now: Millis,
        limits: &Limits,
        charge: Charge,
        penalties: bool,
    ) -> Admission {
        let Some(ip) = from.into().limited(limits) else { return Admission::Welcome };
        let (who, net) = (key(party(ip)), key(network(ip)));
        self.parties.sweep(now);
        self.networks.sweep(now);
        let entry = self.parties.entry(who).admit(now, charge, limits.per_address, limits.new_per_address);
        let Some(entry) = entry.filter(|_| self.parties.has_room_for(who)) else {
            return Admission::TooMany;
        };
        let (most, allowance) = of_network(limits);
        let whole = self.networks.entry(net).admit(now, charge, most, allowance);
        let Some(whole) = whole.filter(|_| self.networks.has_room_for(net)) else {
            return Admission::TooManyOfNetwork;
        };
        self.parties.put(who, entry);
        self.networks.put(net, whole);
        if penalties && entry.is_penalised(now) { Admission::Penalised } else { Admission::Welcome }
    }

    /// Counts a request by HTTP at `now`. False if there were too many of its address or network: at most
    /// [`limits::WEB_REQUESTS`] of an address in [`limits::NEW_WINDOW_S`], and [`NETWORK_TIMES`] as many of a network.
    pub(super) fn request(&mut self, from: impl Into<Origin>, now: Millis, limits: &Limits) -> bool {
        let Some(ip) = from.into().limited(limits) else { return true };
        let (who, net) = (key(party(ip)), key(network(ip)));
        self.parties.sweep(now);
        self.networks.sweep(now);
        let entry = self.parties.entry(who).request(now, limits::WEB_REQUESTS);
        let whole = self.networks.entry(net).request(now, limits::WEB_REQUESTS * NETWORK_TIMES);
        let (Some(entry), Some(whole)) = (entry, whole) else { return false };
        let has_room = self.parties.has_room_for(who) && self.networks.has_room_for(net);
        if has_room {
            self.parties.put(who, entry);
            self.networks.put(net, whole);
        }
        has_room
    }

    /// An accepted connection has ended.
    ///
    /// Harmless for an address without counted connections, such as one that was exempt on arrival. (If loopback ceases
    /// to be exempt while it has open connections, their ends are subtracted from its newer ones.)
    pub(super) fn release(&mut self, from: impl Into<Origin>) {
        let Some(ip) = from.into().ip() else { return };
        self.parties.release(key(party(ip)));
        self.networks.release(key(network(ip)));
    }

    /// A connection has logged in and no longer counts as new. Call it once per connection.
    ///
    /// The part that has refilled in the meantime is returned too, which at most doubles the refill.
    pub(super) fn refund(&mut self, from: impl Into<Origin>, limits: &Limits) {
        let Some(ip) = from.into().ip() else { return };
        let (_, allowance) = of_network(limits);
        self.parties.refund(key(party(ip)), limits.new_per_address);
        self.networks.refund(key(network(ip)), allowance);
    }

    /// Counts an account that a connection has made at `now`. True if the connection may be
    /// [refunded](Self::refund): at most `limits.new_per_address` in [`limits::NEW_WINDOW_S`] may, which bounds the
    /// number of accounts.
    pub(super) fn register(&mut self, from: impl Into<Origin>, now: Millis, limits: &Limits) -> bool {
        let Some(ip) = from.into().limited(limits) else { return true };
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

    /// A wrong password (or refused token) at `now` adds [`limits::PENALTY_STEP_S`] to its penalty, which
    /// drains by a second per second and is at most [`limits::PENALTY_MOST_S`].
    ///
    /// It is remembered even if the connection has ended, unless the table is full of addresses with open connections.
    pub(super) fn failure(&mut self, from: impl Into<Origin>, now: Millis, limits: &Limits) {
        let Some(ip) = from.into().limited(limits) else { return };
        let who = key(party(ip));
        self.parties.sweep(now);
        let entry = self.parties.entry(who);
        if self.parties.has_room_for(who) {
            self.parties.put(who, entry.punish(now));
        }
    }

    /// True if `from` has failed so often that it may only log in by token.
    pub(super) fn is_penalised(&self, from: impl Into<Origin>, now: Millis, limits: &Limits) -> bool {
        let ip = from.into().limited(limits);
        ip.is_some_and(|ip| self.parties.entry(key(party(ip))).is_penalised(now))
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

/// The party of an address: the address itself for IPv4, also if mapped to IPv6, and the /64 for IPv6, which is what
/// one subscriber gets. `::1` stays as it is, so that a party is exempt exactly when its addresses are.
pub(super) fn party(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => masked(v6, limits::PARTY_BITS_V6).into(),
    }
}

/// The network of an address, by its first address: the /24 of IPv4, the /48 of IPv6, which is what one site gets.
/// `::1` is a network of its own.
pub(super) fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & !(u32::MAX >> NETWORK_BITS_V4)).into(),
        IpAddr::V6(v6) => masked(v6, NETWORK_BITS_V6).into(),
    }
}

/// The network of an address in text: `192.0.2.0/24`.
pub(super) fn network_name(ip: IpAddr) -> String {
    match network(ip) {
        IpAddr::V4(v4) => format!("{v4}/{NETWORK_BITS_V4}"),
        IpAddr::V6(v6) => format!("{v6}/{NETWORK_BITS_V6}"),
    }
}

fn masked(v6: Ipv6Addr, bits: u32) -> Ipv6Addr {
    if v6.is_loopback() { v6 } else { Ipv6Addr::from_bits(v6.to_bits() & !(u128::MAX >> bits)) }
}

/// The limits of a network: connections at once, and new ones per window.
fn of_network(limits: &Limits) -> (u32, u32) {
    let times = |of_address: u32| of_address.saturating_mul(NETWORK_TIMES);
    (times(limits.per_address), times(limits.new_per_address))
}

/// Whether a new connection is refused when `silent` others have not sent a complete line yet. `dice` is uniform over
/// all of `u32`, and called only when chance decides. The caller does not count loopback connections, unless
/// `limits.include_loopback`.
///
/// From `limits.silent` on 30 of 100 are refused, rising linearly to all from `limits.silent_most` on. Chance decides,
/// because a person's new connection looks like one of a flood: so most refused connections are the flood's, and a
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
