use std::collections::BTreeSet;
use std::iter;

use proptest::collection::vec;
use proptest::prelude::*;

use super::ledger::Entry;
use super::*;

fn exempt(ip: IpAddr, limits: &Limits) -> bool {
    Origin::Address(ip).limited(limits).is_none()
}

use crate::engine::time::{Nanos, nanos};

impl Addresses {
    fn is_empty(&self) -> bool {
        self.parties.len() == 0 && self.networks.len() == 0
    }
}
use Admission::{Penalised, TooMany, TooManyOfNetwork, Welcome};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn allowing(per_address: u32, new_per_address: u32) -> Limits {
    Limits { per_address, new_per_address, ..Limits::default() }
}

impl Addresses {
    #[track_caller]
    fn check_invariants(&self) {
        self.parties.check_invariants();
        self.networks.check_invariants();
        let open = |ledger: &Ledger| ledger.table.values().map(|entry| entry.open).sum::<u32>();
        assert_eq!(open(&self.parties), open(&self.networks));
    }
}

impl Ledger {
    #[track_caller]
    fn check_invariants(&self) {
        assert!(self.table.len() <= limits::ADDRESSES);
        let idle = self.table.iter().filter(|(_, entry)| entry.open == 0);
        let idle: BTreeSet<_> = idle.map(|(who, entry)| (entry.clear_at(), *who)).collect();
        assert_eq!(self.idle, idle);
    }
}

/// One step of a test's story: a time, an address, an event.
enum Step {
    Comes(Admission),
    ComesWithoutPenalties(Admission),
    Ends,
    LogsIn,
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
            Comes(expected) => {
                assert_eq!(table.admit(who, now, limits, Charge::OpenAndNew, true), *expected, "step {number}")
            }
            ComesWithoutPenalties(expected) => {
                assert_eq!(table.admit(who, now, limits, Charge::OpenAndNew, false), *expected, "step {number}");
            }
            Ends => table.release(who),
            LogsIn => table.refund(who, limits),
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

#[track_caller]
fn check_network(address: &str, expected: &str) {
    assert_eq!(network(ip(address)), ip(expected), "{address}");
}

#[test]
fn networks() {
    check_network("192.0.2.7", "192.0.2.0");
    check_network("::ffff:192.0.2.7", "192.0.2.0");
    check_network("2001:db8:1:2:3:4:5:6", "2001:db8:1::");
    check_network("2001:db8:2::", "2001:db8:2::");
    check_network("fe80::1", "fe80::");
    check_network("::1", "::1");
    check_network("::2", "::");
    check_network("127.0.0.1", "127.0.0.0");
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
        let welcome = iter::repeat_with(|| table.admit(ip("192.0.2.7"), 77, &limits, Charge::OpenAndNew, true));
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
fn who_is_penalised_is_counted_like_anybody() {
    let story = [Fails, Fails, Fails, Comes(Penalised), Comes(Penalised), Comes(TooMany), Ends, Comes(Penalised)];
    check(&allowing(2, 9), &story.map(|step| (0, "192.0.2.7", step)));
    let story = [Fails, Fails, Fails, Comes(Penalised), Ends, Comes(Penalised), Ends, Comes(TooMany)];
    check(&allowing(9, 2), &story.map(|step| (0, "192.0.2.7", step)));
}

#[test]
fn a_login_gives_its_price_back() {
    let one = "192.0.2.7";
    let story = [Comes(Welcome), LogsIn, Comes(Welcome), LogsIn, Comes(Welcome), Comes(Welcome), Comes(TooMany)];
    let table = check(&allowing(9, 2), &story.map(|step| (7, one, step)));
    // It gives back no more than it has taken: the two silent connections are still paid for.
    assert_eq!(table.parties.entry(key(ip(one))).connections.full_at(), nanos(600_007));
    // It does not lift the bound on open connections.
    let story = [Comes(Welcome), LogsIn, Comes(Welcome), LogsIn, Comes(TooMany)];
    check(&allowing(2, 9), &story.map(|step| (7, one, step)));
    // An unknown address gets nothing, such as one that was exempt on arrival.
    assert!(check(&allowing(2, 9), &[(7, one, LogsIn)]).is_empty());
}

/// The last number of an IPv4 address, or the fourth of an IPv6 one.
fn neighbour(network: &str, n: u32) -> IpAddr {
    if network.contains(':') { ip(&format!("{network}:{n:x}::1")) } else { ip(&format!("{network}.{n}")) }
}

#[test]
fn a_network_has_eight_times_as_much() {
    for (here, there) in [("192.0.2", "192.0.3"), ("2001:db8:1", "2001:db8:2")] {
        let mut table = Addresses::new();
        // Three at once of an address: twenty-four of its network.
        let at_once = allowing(3, 1000);
        for n in 0..24 {
            assert_eq!(table.admit(neighbour(here, n), 0, &at_once, Charge::OpenAndNew, true), Welcome, "{n}");
        }
        assert_eq!(table.admit(neighbour(here, 99), 0, &at_once, Charge::OpenAndNew, true), TooManyOfNetwork);
        assert_eq!(table.admit(neighbour(here, 0), 0, &at_once, Charge::OpenAndNew, true), TooManyOfNetwork);
        assert_eq!(table.admit(neighbour(there, 0), 0, &at_once, Charge::OpenAndNew, true), Welcome);
        table.release(neighbour(here, 5));
        assert_eq!(table.admit(neighbour(here, 99), 0, &at_once, Charge::OpenAndNew, true), Welcome);
        table.check_invariants();

        // Two new ones of an address: sixteen of its network; and a login gives its price back to both.
        let mut table = Addresses::new();
        let new = allowing(9, 2);
        for n in 0..16 {
            assert_eq!(table.admit(neighbour(here, n), 5, &new, Charge::OpenAndNew, true), Welcome, "{n}");
            table.release(neighbour(here, n));
        }
        assert_eq!(table.admit(neighbour(here, 99), 5, &new, Charge::OpenAndNew, true), TooManyOfNetwork);
        assert_eq!(table.admit(neighbour(there, 0), 5, &new, Charge::OpenAndNew, true), Welcome);
        table.refund(neighbour(here, 3), &new);
        assert_eq!(table.admit(neighbour(here, 99), 5, &new, Charge::OpenAndNew, true), Welcome);
        assert_eq!(table.admit(neighbour(here, 98), 5, &new, Charge::OpenAndNew, true), TooManyOfNetwork);
        assert_eq!(table.admit(neighbour(here, 98), 37_504, &new, Charge::OpenAndNew, true), TooManyOfNetwork);
        assert_eq!(table.admit(neighbour(here, 98), 37_505, &new, Charge::OpenAndNew, true), Welcome);
        table.check_invariants();
    }
}

#[test]
fn so_many_new_accounts_are_given_their_price_back() {
    let mut table = Addresses::new();
    let limits = allowing(9, 2);
    let here = "192.0.2.7";
    assert_eq!(table.admit(ip(here), 5, &limits, Charge::OpenAndNew, true), Welcome);
    assert_eq!([(); 3].map(|()| table.register(ip(here), 5, &limits)), [true, true, false]);
    // Two in ten minutes: the next one after five.
    assert!(!table.register(ip(here), 300_004, &limits));
    assert!(table.register(ip(here), 300_005, &limits));
    table.check_invariants();
    // Loopback is exempt.
    assert!((0..9).all(|_| table.register(ip("127.0.0.1"), 5, &limits)));
}

#[test]
fn the_bounds_of_a_network_do_not_overflow() {
    let mut table = Addresses::new();
    let limits = allowing(u32::MAX, u32::MAX);
    assert_eq!(table.admit(ip("192.0.2.7"), 0, &limits, Charge::OpenAndNew, true), Welcome);
    table.refund(ip("192.0.2.7"), &limits);
    assert_eq!(of_network(&limits), (u32::MAX, u32::MAX));
    assert_eq!(of_network(&Limits::default()), (128, 256));
    assert_eq!(Limits::default().silent, 2 * of_network(&Limits::default()).0);
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
    assert!(entry + order <= 80, "{entry} + {order}");
}

/// Address `n` of a large supply of both kinds; below 2^16 each is a network of its own.
fn stranger(n: u32) -> IpAddr {
    let [a, b, c, d] = n.to_be_bytes();
    let v6 = Ipv6Addr::from([0x20, 1, c, d, a, b, c, d, d, c, b, a, d, c, b, a]);
    if n.is_multiple_of(2) { IpAddr::from([10 | a, c, d, b]) } else { v6.into() }
}

#[test]
fn the_clear_are_forgotten() {
    let limits = allowing(16, 32);
    let mut table = Addresses::new();
    for n in 0..1000 {
        assert_eq!(table.admit(stranger(n), 0, &limits, Charge::OpenAndNew, true), Welcome);
        table.release(stranger(n));
    }
    assert_eq!(table.len(), 1000);
    for _ in 0..400 {
        assert_eq!(table.admit(ip("192.0.2.7"), 600_000, &allowing(1000, 1000), Charge::OpenAndNew, true), Welcome);
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
        assert_eq!(table.admit(who, 0, &limits, Charge::OpenAndNew, true), Welcome);
        if who != present {
            table.release(who);
        }
    }
    assert_eq!(table.len(), limits::ADDRESSES);
    let idle = table.parties.idle.len();
    table.failure(ip("192.0.2.9"), 1, &limits);
    assert_eq!((table.len(), table.parties.idle.len()), (limits::ADDRESSES, idle));
    for n in 100_000..200_000 {
        assert_eq!(table.admit(stranger(n), 1, &limits, Charge::OpenAndNew, true), Welcome);
        table.release(stranger(n));
    }
    assert!(table.is_penalised(guilty, 1, &limits));
    assert_eq!(table.parties.entry(key(present)).open, 1);
    assert_eq!(table.parties.entry(key(first)).clear_at(), 0);
    table.check_invariants();
}

#[test]
fn a_table_full_of_open_ones_refuses_new_ones() {
    let limits = Limits::default();
    let mut table = Addresses::new();
    for n in 0..limits::ADDRESSES as u32 {
        assert_eq!(table.admit(stranger(n), 0, &limits, Charge::OpenAndNew, true), Welcome);
    }
    let new = ip("192.0.2.7");
    assert_eq!(table.admit(new, 0, &limits, Charge::OpenAndNew, true), TooMany);
    table.failure(new, 0, &limits);
    table.release(new);
    assert_eq!(table.len(), limits::ADDRESSES);
    assert_eq!(table.admit(stranger(5), 0, &limits, Charge::OpenAndNew, true), Welcome);
    assert_eq!(table.admit(ip("127.0.0.1"), 0, &limits, Charge::OpenAndNew, true), Welcome);
    table.release(stranger(6));
    assert_eq!(table.admit(new, 0, &limits, Charge::OpenAndNew, true), Welcome);
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
        if table.admit(who, now / 100, &limits, Charge::OpenAndNew, true) == Welcome {
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
    assert_eq!(table.parties.idle.len(), table.len());
}

#[track_caller]
fn check_shedding(silent: u32, expected_percent: f64) {
    let limits = Limits { silent: 256, silent_most: 1024, ..Limits::default() };
    // The share is where the answer turns from yes to no.
    let (mut yes, mut no) = (0_u64, 1 << 32);
    while yes < no {
        let middle = yes.midpoint(no);
        if sheds_silent(silent, || middle as u32, &limits) { yes = middle + 1 } else { no = middle }
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
    assert!(!sheds_silent(4, || 0, &sharp) && sheds_silent(5, || u32::MAX, &sharp));
    let wide = Limits { silent: 0, silent_most: u32::MAX, ..Limits::default() };
    assert!(sheds_silent(0, || 0, &wide) && !sheds_silent(0, || u32::MAX, &wide));
    assert!(sheds_silent(u32::MAX, || u32::MAX, &wide));
}

/// The rules, applied to the complete history of one party, or network.
#[derive(Default)]
struct History {
    /// When a connection was paid for, and when its price was given back.
    paid: Vec<(Millis, bool)>,
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

    /// Whether one more new connection is within the allowance. It counts in parts: a connection has 600,000 of them,
    /// and each millisecond gives back as many as the allowance counts, so that nothing is rounded.
    fn may_come(&self, now: Millis, allowance: u64) -> bool {
        let (mut spent, mut since) = (0_u64, 0);
        for &(at, is_price) in &self.paid {
            spent = spent.saturating_sub((at - since) * allowance);
            spent = if is_price { spent + 600_000 } else { spent.saturating_sub(600_000) };
            since = at;
        }
        spent.saturating_sub((now - since) * allowance) + 600_000 <= allowance * 600_000
    }

    fn is_full(&self, now: Millis, at_once: u32, allowance: u32) -> bool {
        self.open >= at_once || !self.may_come(now, allowance.into())
    }
}

#[derive(Clone, Debug)]
enum Act {
    Come { from: usize, penalties: bool },
    End { which: usize },
    LogIn { which: usize },
    Fail { from: usize },
    Wait(Millis),
}

/// Addresses, each with the number of its party and of its network. The last is loopback.
const CAST: [(&str, usize, usize); 21] = [
    ("192.0.2.7", 0, 0),
    ("::ffff:192.0.2.7", 0, 0),
    ("192.0.2.8", 1, 0),
    ("192.0.3.8", 2, 1),
    ("2001:db8::1", 3, 2),
    ("2001:db8::ffff:1:2:3", 3, 2),
    ("2001:db8:0:1::1", 4, 2),
    ("2001:db8:0:2::1", 5, 2),
    ("2001:db8:0:3::1", 6, 2),
    ("2001:db8:0:4::1", 7, 2),
    ("2001:db8:0:5::1", 8, 2),
    ("2001:db8:0:6::1", 9, 2),
    ("2001:db8:0:7::1", 10, 2),
    ("2001:db8:0:8::1", 11, 2),
    ("2001:db8:0:9::1", 12, 2),
    ("2001:db8:0:a::1", 13, 2),
    ("2001:db8:0:b::1", 14, 2),
    ("2001:db8:0:c::1", 15, 2),
    ("2001:db8:0:d::1", 16, 2),
    ("2001:db8:1::1", 17, 3),
    ("127.0.0.1", 18, 4),
];
const LOOPBACK: usize = 18;

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..CAST.len(), prop::bool::weighted(0.8)).prop_map(|(from, penalties)| Act::Come { from, penalties }),
        3 => any::<usize>().prop_map(|which| Act::End { which }),
        2 => any::<usize>().prop_map(|which| Act::LogIn { which }),
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
        let (at_once, allowance) = of_network(&limits);
        let mut table = Addresses::new();
        let mut parties: [History; LOOPBACK + 1] = Default::default();
        let mut networks: [History; 5] = Default::default();
        let mut open = Vec::new();
        let mut now = 3;
        for act in acts {
            match act {
                Act::Come { from, penalties } => {
                    let (address, number, net) = CAST[from];
                    let (party, network) = (&mut parties[number], &mut networks[net]);
                    let expected = if number == LOOPBACK && !include_loopback {
                        Welcome
                    } else if party.is_full(now, per_address, new_per_address) {
                        TooMany
                    } else if network.is_full(now, at_once, allowance) {
                        TooManyOfNetwork
                    } else if penalties && party.penalty(now) >= 15_000 {
                        Penalised
                    } else {
                        Welcome
                    };
                    prop_assert_eq!(table.admit(ip(address), now, &limits, Charge::OpenAndNew, penalties), expected);
                    if matches!(expected, Welcome | Penalised) {
                        for history in [party, network] {
                            history.paid.push((now, true));
                            history.open += 1;
                        }
                        open.push((from, false));
                    }
                }
                Act::End { which } if !open.is_empty() => {
                    let (from, _) = open.swap_remove(which % open.len());
                    let (address, number, net) = CAST[from];
                    table.release(ip(address));
                    parties[number].open -= 1;
                    networks[net].open -= 1;
                }
                Act::LogIn { which } if !open.is_empty() => {
                    let place = which % open.len();
                    if let Some((from, is_in @ false)) = open.get_mut(place) {
                        *is_in = true;
                        let (address, number, net) = CAST[*from];
                        table.refund(ip(address), &limits);
                        parties[number].paid.push((now, false));
                        networks[net].paid.push((now, false));
                    }
                }
                Act::End { .. } | Act::LogIn { .. } => table.release(ip("192.0.4.9")),
                Act::Fail { from } => {
                    let (address, number, _) = CAST[from];
                    table.failure(ip(address), now, &limits);
                    parties[number].failed.push(now);
                }
                Act::Wait(time) => now += time,
            }
            for (address, number, _) in CAST {
                let is_subject = number != LOOPBACK || include_loopback;
                let expected = parties[number].penalty(now) >= 15_000 && is_subject;
                prop_assert_eq!(table.is_penalised(ip(address), now, &limits), expected);
            }
            prop_assert!(table.len() <= parties.len());
            table.check_invariants();
        }
    }

    #[test]
    fn a_party_is_its_own_party_and_of_its_own_network(bits: u128, mapped: bool, include_loopback: bool) {
        let limits = Limits { include_loopback, ..Limits::default() };
        let v6 = Ipv6Addr::from_bits(if mapped { bits >> 96 | 0xffff << 32 } else { bits });
        let stands_for = party(v6.into());
        prop_assert_eq!(party(stands_for), stands_for);
        prop_assert_eq!(exempt(stands_for, &limits), exempt(v6.into(), &limits));
        prop_assert_eq!(stands_for.is_ipv4(), v6.to_ipv4_mapped().is_some());
        let net = network(v6.into());
        prop_assert_eq!((network(net), network(stands_for)), (net, net));
        prop_assert_eq!(exempt(net, &limits), exempt(v6.into(), &limits));
    }
}
