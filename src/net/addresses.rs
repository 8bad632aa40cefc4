//! What the server holds for and against an address: connections open, connections made of late, wrong passwords.
//!
//! Both memories are leaky buckets, and both are kept as the one moment at which they will have run empty. So an
//! entry does not grow with what its address does, nothing has to be counted down, and the entries that hold
//! something are ordered for good by the moment at which they will hold nothing. That order decides who is
//! forgotten: those who are clear anyway, and in a full table those who would be clear first.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};

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

/// Whether per-address rules do not apply to `ip`: loopback (IPv4-mapped too), unless `limits.include_loopback`.
pub(super) fn exempt(ip: IpAddr, limits: &Limits) -> bool {
    !limits.include_loopback && ip.to_canonical().is_loopback()
}

/// Whether a new connection is refused when `silent` others have not sent a complete line yet. `dice` is uniform over
/// all of `u32`. The caller does not count loopback ones, unless `limits.include_loopback`.
///
/// From `limits.silent` on 30 of 100 are refused, rising linearly to all from `limits.silent_most` on. By chance,
/// because nobody can tell a person's new connection from a flood's: so most of those refused are the flood's, and a
/// person who tries again gets in.
pub(super) fn sheds_silent(silent: u32, dice: u32, limits: &Limits) -> bool {
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
    u128::from(dice) * of < (refused << u32::BITS)
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
mod tests {
    use std::iter;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use Admission::{Penalised, TooMany, Welcome};

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn allowing(per_address: u32, new_per_address: u32) -> Limits {
        Limits { per_address, new_per_address, ..Limits::default() }
    }

    impl Addresses {
        #[track_caller]
        fn check_invariants(&self) {
            assert!(self.table.len() <= limits::ADDRESSES);
            let idle = self.table.iter().filter(|(_, entry)| entry.open == 0);
            let idle: BTreeSet<_> = idle.map(|(who, entry)| (entry.clear_at(), *who)).collect();
            assert_eq!(self.idle, idle);
        }
    }

    /// One step of a story that is told to a table: a time, an address, what happens.
    enum Step {
        Comes(Admission),
        ComesWithoutPenalties(Admission),
        Ends,
        Fails,
        Refused(bool),
    }
    use Step::*;

    #[track_caller]
    fn check(limits: &Limits, story: &[(Millis, &str, Step)]) -> Addresses {
        let mut table = Addresses::new();
        for (number, (now, who, step)) in story.iter().enumerate() {
            let (now, who) = (*now, ip(who));
            match step {
                Comes(expected) => assert_eq!(table.admit(who, now, limits, true), *expected, "step {number}"),
                ComesWithoutPenalties(expected) => {
                    assert_eq!(table.admit(who, now, limits, false), *expected, "step {number}");
                }
                Ends => table.release(who),
                Fails => table.failure(who, now, limits),
                Refused(expected) => assert_eq!(table.is_penalised(who, now, limits), *expected, "step {number}"),
            }
            table.check_invariants();
        }
        table
    }

    #[track_caller]
    fn check_party(address: &str, expected: &str) {
        assert_eq!(party(ip(address)), ip(expected), "{address}");
    }

    #[test]
    fn parties() {
        check_party("192.0.2.7", "192.0.2.7");
        check_party("::ffff:192.0.2.7", "192.0.2.7");
        check_party("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::");
        check_party("2001:db8:1:2::", "2001:db8:1:2::");
        check_party("2001:db8:1:3::1", "2001:db8:1:3::");
        check_party("fe80::1", "fe80::");
        check_party("::1", "::1");
        check_party("::2", "::");
        check_party("::ffff:127.0.0.1", "127.0.0.1");
    }

    #[test]
    fn loopback_is_exempt_unless_included() {
        let (apart, included) = (Limits::default(), Limits { include_loopback: true, ..Limits::default() });
        for address in ["127.0.0.1", "127.200.3.4", "::1", "::ffff:127.0.0.1"].map(ip) {
            assert!(exempt(address, &apart) && exempt(party(address), &apart), "{address}");
            assert!(!exempt(address, &included), "{address}");
        }
        for address in ["192.0.2.7", "::", "::2", "10.0.0.1", "0.0.0.0", "::ffff:10.0.0.1"].map(ip) {
            assert!(!exempt(address, &apart) && !exempt(party(address), &apart), "{address}");
        }
        let none = allowing(0, 0);
        let mut story: Vec<_> = iter::repeat_with(|| (0, "127.0.0.1", Fails)).take(10).collect();
        story.extend([(0, "127.0.0.1", Refused(false)), (0, "127.0.0.1", Comes(Welcome)), (0, "::1", Comes(Welcome))]);
        assert!(check(&none, &story).is_empty());
        check(&Limits { include_loopback: true, ..none }, &[(0, "127.0.0.1", Comes(TooMany))]);
    }

    #[test]
    fn connections_at_once() {
        check(
            &allowing(2, 100),
            &[
                (0, "192.0.2.7", Comes(Welcome)),
                (0, "::ffff:192.0.2.7", Comes(Welcome)),
                (0, "192.0.2.7", Comes(TooMany)),
                (0, "192.0.2.8", Comes(Welcome)),
                (0, "2001:db8::1", Comes(Welcome)),
                (0, "2001:db8::2", Comes(Welcome)),
                (0, "2001:db8::3", Comes(TooMany)),
                (0, "2001:db8:0:1::", Comes(Welcome)),
                (0, "192.0.2.7", Ends),
                (0, "192.0.2.7", Comes(Welcome)),
                (0, "192.0.2.7", Comes(TooMany)),
            ],
        );
        check(&allowing(0, 100), &[(0, "192.0.2.7", Comes(TooMany))]);
    }

    #[test]
    fn new_connections() {
        let come_and_go = |now, answer| [(now, "192.0.2.7", Comes(answer)), (now, "192.0.2.7", Ends)];
        // Three in ten minutes: one comes back every 200 s.
        let story = [
            come_and_go(5, Welcome),
            come_and_go(5, Welcome),
            come_and_go(5, Welcome),
            come_and_go(5, TooMany),
            come_and_go(200_004, TooMany),
            come_and_go(200_005, Welcome),
            come_and_go(200_005, TooMany),
            come_and_go(800_004, Welcome),
            come_and_go(800_004, Welcome),
            come_and_go(800_004, TooMany),
            come_and_go(800_005, Welcome),
        ];
        check(&allowing(16, 3), story.as_flattened());
        check(&allowing(16, 0), &[(0, "192.0.2.7", Comes(TooMany))]);
    }

    #[test]
    fn the_burst_is_the_allowance() {
        for allowance in [1, 2, 3, 7, 32, 1000, 1009, 65_537] {
            let limits = allowing(u32::MAX, allowance);
            let mut table = Addresses::new();
            let welcome = iter::repeat_with(|| table.admit(ip("192.0.2.7"), 77, &limits, true));
            let count = welcome.take_while(|answer| *answer == Welcome).count();
            assert_eq!(count, allowance as usize);
        }
    }

    #[test]
    fn penalties() {
        let ten = "192.0.2.7";
        check(
            &Limits::default(),
            &[
                (1000, ten, Fails),
                (1000, ten, Fails),
                (1000, ten, Refused(false)),
                (1000, ten, Comes(Welcome)),
                (1000, ten, Fails),
                (1000, ten, Refused(true)),
                (1000, ten, Comes(Penalised)),
                (1000, "::ffff:192.0.2.7", Comes(Penalised)),
                (1000, ten, ComesWithoutPenalties(Welcome)),
                (1000, "192.0.2.8", Comes(Welcome)),
                (1001, ten, Refused(false)),
                (1001, ten, Fails),
                (1001, ten, Refused(true)),
                (6000, ten, Refused(true)),
                (6000, ten, Comes(Penalised)),
                (6001, ten, Refused(false)),
                (6001, ten, Comes(Welcome)),
            ],
        );
        // A thousand failures are ten minutes, of which the last 15 s do not refuse.
        let mut story: Vec<_> = iter::repeat_with(|| (0, ten, Fails)).take(1000).collect();
        story.extend([(585_000, ten, Refused(true)), (585_001, ten, Refused(false))]);
        check(&Limits::default(), &story);
    }

    #[test]
    fn a_penalty_goes_before_a_count() {
        let story = [Comes(Welcome), Fails, Fails, Fails, Comes(Penalised), ComesWithoutPenalties(TooMany)];
        check(&allowing(1, 1), &story.map(|step| (0, "192.0.2.7", step)));
    }

    #[test]
    fn a_release_too_many_is_harmless() {
        let one = "192.0.2.7";
        let table = check(
            &allowing(1, 9),
            &[
                (0, one, Ends),
                (0, one, Comes(Welcome)),
                (0, one, Ends),
                (0, one, Ends),
                (0, one, Comes(Welcome)),
                (0, one, Comes(TooMany)),
            ],
        );
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn the_end_of_time_is_a_time() {
        let end = Millis::MAX;
        check(
            &Limits::default(),
            &[(end, "192.0.2.7", Comes(Welcome)), (end, "192.0.2.7", Fails), (end, "192.0.2.7", Ends)],
        );
    }

    #[test]
    fn an_entry_is_small() {
        let entry = size_of::<(Ipv6Addr, Entry)>();
        let order = size_of::<(Nanos, Ipv6Addr)>();
        assert!(entry + order <= 64, "{entry} + {order}");
    }

    /// Address `n` of a large stock of both kinds; below 2^24 each is a party of its own.
    fn stranger(n: u32) -> IpAddr {
        let [a, b, c, d] = n.to_be_bytes();
        let v6 = Ipv6Addr::from([0x20, 1, 0xd, 0xb8, a, b, c, d, d, c, b, a, d, c, b, a]);
        if n.is_multiple_of(2) { IpAddr::from([10 | a, b, c, d]) } else { v6.into() }
    }

    #[test]
    fn the_clear_are_forgotten() {
        let limits = allowing(16, 32);
        let mut table = Addresses::new();
        for n in 0..1000 {
            assert_eq!(table.admit(stranger(n), 0, &limits, true), Welcome);
            table.release(stranger(n));
        }
        assert_eq!(table.len(), 1000);
        for _ in 0..400 {
            assert_eq!(table.admit(ip("192.0.2.7"), 600_000, &allowing(1000, 1000), true), Welcome);
        }
        assert_eq!(table.len(), 1);
        table.check_invariants();
    }

    #[test]
    fn a_full_table_forgets_who_holds_least() {
        let limits = allowing(16, 32);
        let mut table = Addresses::new();
        let (guilty, present, first) = (ip("192.0.2.7"), ip("192.0.2.8"), stranger(0));
        (0..100).for_each(|_| table.failure(guilty, 0, &limits));
        for who in [present, first].into_iter().chain((1..).map(stranger)).take(limits::ADDRESSES - 1) {
            assert_eq!(table.admit(who, 0, &limits, true), Welcome);
            if who != present {
                table.release(who);
            }
        }
        assert_eq!(table.len(), limits::ADDRESSES);
        let idle = table.idle.len();
        table.failure(ip("192.0.2.9"), 1, &limits);
        assert_eq!((table.len(), table.idle.len()), (limits::ADDRESSES, idle));
        for n in 100_000..200_000 {
            assert_eq!(table.admit(stranger(n), 1, &limits, true), Welcome);
            table.release(stranger(n));
        }
        assert!(table.is_penalised(guilty, 1, &limits));
        assert_eq!(table.entry(key(present)).open, 1);
        assert_eq!(table.entry(key(first)).clear_at(), 0);
        table.check_invariants();
    }

    #[test]
    fn a_table_full_of_open_ones_refuses_new_ones() {
        let limits = Limits::default();
        let mut table = Addresses::new();
        for n in 0..limits::ADDRESSES as u32 {
            assert_eq!(table.admit(stranger(n), 0, &limits, true), Welcome);
        }
        let new = ip("192.0.2.7");
        assert_eq!(table.admit(new, 0, &limits, true), TooMany);
        table.failure(new, 0, &limits);
        table.release(new);
        assert_eq!(table.len(), limits::ADDRESSES);
        assert_eq!(table.admit(stranger(5), 0, &limits, true), Welcome);
        assert_eq!(table.admit(ip("127.0.0.1"), 0, &limits, true), Welcome);
        table.release(stranger(6));
        assert_eq!(table.admit(new, 0, &limits, true), Welcome);
        assert_eq!(table.len(), limits::ADDRESSES);
        table.check_invariants();
    }

    #[test]
    fn the_bound_holds() {
        let limits = Limits::default();
        let mut table = Addresses::new();
        let mut seed = 1_u64;
        let mut open = Vec::new();
        for now in 0..200_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let random = (seed >> 32) as u32;
            let who = stranger(random);
            if random.is_multiple_of(3) {
                table.failure(who, now / 100, &limits);
            }
            if table.admit(who, now / 100, &limits, true) == Welcome {
                open.push(who);
            }
            if open.len() > 10_000 {
                table.release(open.swap_remove(random as usize % open.len()));
            }
            assert!(table.len() <= limits::ADDRESSES);
        }
        assert_eq!(table.len(), limits::ADDRESSES);
        table.check_invariants();
        open.into_iter().for_each(|who| table.release(who));
        assert_eq!(table.idle.len(), table.len());
    }

    #[track_caller]
    fn check_shedding(silent: u32, expected_percent: f64) {
        let limits = Limits { silent: 256, silent_most: 1024, ..Limits::default() };
        // The share is where the answer turns from yes to no.
        let (mut yes, mut no) = (0_u64, 1 << 32);
        while yes < no {
            let middle = yes.midpoint(no);
            if sheds_silent(silent, middle as u32, &limits) { yes = middle + 1 } else { no = middle }
        }
        let percent = yes as f64 * 100.0 / (1_u64 << 32) as f64;
        assert!((percent - expected_percent).abs() < 1e-6, "{silent}: {percent}");
    }

    #[test]
    fn silent_connections_are_shed() {
        check_shedding(0, 0.0);
        check_shedding(255, 0.0);
        check_shedding(256, 30.0);
        check_shedding(640, 65.0);
        check_shedding(1023, 100.0 - 70.0 / 768.0);
        check_shedding(1024, 100.0);
        check_shedding(u32::MAX, 100.0);
        let sharp = Limits { silent: 5, silent_most: 5, ..Limits::default() };
        assert!(!sheds_silent(4, 0, &sharp) && sheds_silent(5, u32::MAX, &sharp));
        let wide = Limits { silent: 0, silent_most: u32::MAX, ..Limits::default() };
        assert!(sheds_silent(0, 0, &wide) && !sheds_silent(0, u32::MAX, &wide));
        assert!(sheds_silent(u32::MAX, u32::MAX, &wide));
    }

    /// What the rules say, from everything that ever happened to one party.
    #[derive(Default)]
    struct History {
        welcomed: Vec<Millis>,
        failed: Vec<Millis>,
        open: u32,
    }

    impl History {
        /// The penalty left at `now`, in milliseconds.
        fn penalty(&self, now: Millis) -> Millis {
            let (mut left, mut since) = (0_u64, 0);
            for &at in &self.failed {
                left = (left.saturating_sub(at - since) + 5000).min(600_000);
                since = at;
            }
            left.saturating_sub(now - since)
        }

        /// Whether one more new connection is within the allowance: reckoned in parts of which a connection has
        /// 600,000 and each millisecond gives back as many as the allowance counts, so that nothing is rounded.
        fn may_come(&self, now: Millis, allowance: u64) -> bool {
            let (mut spent, mut since) = (0_u64, 0);
            for &at in &self.welcomed {
                spent = spent.saturating_sub((at - since) * allowance) + 600_000;
                since = at;
            }
            spent.saturating_sub((now - since) * allowance) + 600_000 <= allowance * 600_000
        }

        fn answer(&self, now: Millis, limits: &Limits, penalties: bool) -> Admission {
            if penalties && self.penalty(now) >= 15_000 {
                Penalised
            } else if self.open >= limits.per_address || !self.may_come(now, limits.new_per_address.into()) {
                TooMany
            } else {
                Welcome
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Act {
        Come { from: usize, penalties: bool },
        End { which: usize },
        Fail { from: usize },
        Wait(Millis),
    }

    /// Addresses, each with its party's number; the last party is loopback.
    const CAST: [(&str, usize); 7] = [
        ("192.0.2.7", 0),
        ("::ffff:192.0.2.7", 0),
        ("192.0.2.8", 1),
        ("2001:db8::1", 2),
        ("2001:db8::ffff:1:2:3", 2),
        ("2001:db8:0:1::1", 3),
        ("127.0.0.1", 4),
    ];

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            6 => (0..CAST.len(), prop::bool::weighted(0.8)).prop_map(|(from, penalties)| Act::Come { from, penalties }),
            4 => any::<usize>().prop_map(|which| Act::End { which }),
            4 => (0..CAST.len()).prop_map(|from| Act::Fail { from }),
            2 => prop_oneof![0..10_u64, 0..5000_u64, 0..700_000_u64].prop_map(Act::Wait),
        ]
    }

    proptest! {
        #[test]
        fn like_the_histories(
            acts in vec(act(), 0..400),
            per_address in 1..6_u32,
            new_per_address in 1..40_u32,
            include_loopback: bool,
        ) {
            let limits = Limits { per_address, new_per_address, include_loopback, ..Limits::default() };
            let mut table = Addresses::new();
            let mut histories: [History; 5] = Default::default();
            let mut open = Vec::new();
            let mut now = 3;
            for act in acts {
                match act {
                    Act::Come { from, penalties } => {
                        let (address, number) = CAST[from];
                        let history = &mut histories[number];
                        let free = number == 4 && !include_loopback;
                        let expected = if free { Welcome } else { history.answer(now, &limits, penalties) };
                        prop_assert_eq!(table.admit(ip(address), now, &limits, penalties), expected);
                        if expected == Welcome {
                            history.welcomed.push(now);
                            history.open += 1;
                            open.push((address, number));
                        }
                    }
                    Act::End { which } if !open.is_empty() => {
                        let (address, number) = open.swap_remove(which % open.len());
                        table.release(ip(address));
                        histories[number].open -= 1;
                    }
                    Act::End { .. } => table.release(ip("192.0.2.9")),
                    Act::Fail { from } => {
                        let (address, number) = CAST[from];
                        table.failure(ip(address), now, &limits);
                        histories[number].failed.push(now);
                    }
                    Act::Wait(time) => now += time,
                }
                for (address, number) in CAST {
                    let expected = histories[number].penalty(now) >= 15_000 && (number != 4 || include_loopback);
                    prop_assert_eq!(table.is_penalised(ip(address), now, &limits), expected);
                }
                prop_assert!(table.len() <= 5);
                table.check_invariants();
            }
        }

        #[test]
        fn a_party_is_its_own_party(bits: u128, mapped: bool, include_loopback: bool) {
            let limits = Limits { include_loopback, ..Limits::default() };
            let v6 = Ipv6Addr::from_bits(if mapped { bits >> 96 | 0xffff << 32 } else { bits });
            let stands_for = party(v6.into());
            prop_assert_eq!(party(stands_for), stands_for);
            prop_assert_eq!(exempt(stands_for, &limits), exempt(v6.into(), &limits));
            prop_assert_eq!(stands_for.is_ipv4(), v6.to_ipv4_mapped().is_some());
        }
    }
}
