use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

const REFUSED: Subject = Subject::Refused("server full");

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

impl LogLimit {
    /// Reports `count` lines at once, and returns how many of them are written.
    fn tell(&mut self, count: usize, subject: Subject, from: &str, now: Millis) -> usize {
        (0..count).filter(|_| self.admits(subject, Some(ip(from)), now)).count()
    }

    fn sums(&mut self, now: Millis) -> Vec<String> {
        std::iter::from_fn(|| self.poll_sum(now)).map(|sum| sum.to_string()).collect()
    }

    fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.poll_rest()).map(|sum| sum.to_string()).collect()
    }

    fn check_invariants(&self) {
        assert!(self.windows.len() <= LOG_WINDOWS + 13, "{} windows", self.windows.len());
        assert_eq!(self.ends.len(), self.windows.len());
        assert!(self.ends.iter().is_sorted_by_key(|(end, _)| *end));
        assert!(self.ends.iter().all(|(_, key)| self.windows.contains_key(key)));
        assert!(self.of_network.values().all(|count| (1..=LOG_OF_NETWORK).contains(count)));
        let single = self.windows.keys().filter(|(_, whose)| matches!(whose, Whose::Party(_)));
        assert_eq!(self.of_network.values().sum::<usize>(), single.count());
    }
}

#[test]
fn the_first_and_then_one_a_minute() {
    let mut limit = LogLimit::default();
    assert_eq!(limit.next_due(), None);
    assert_eq!(limit.tell(1000, REFUSED, "192.0.2.7", 5), 1);
    assert_eq!(limit.next_due(), Some(60_005));
    assert!(limit.sums(60_004).is_empty());
    assert_eq!(limit.sums(60_005), ["421 server full: 192.0.2.7 was not let in, 999 times more in 60 s"]);
    // The lines go on: only sums are written.
    assert_eq!(limit.tell(7, REFUSED, "192.0.2.7", 70_000), 0);
    assert!(limit.sums(120_004).is_empty());
    assert_eq!(limit.sums(120_005), ["421 server full: 192.0.2.7 was not let in, 7 times more in 60 s"]);
    // After a quiet minute the limit starts anew.
    assert!(limit.sums(180_005).is_empty());
    assert_eq!((limit.next_due(), limit.windows.len()), (None, 0));
    assert_eq!(limit.tell(2, REFUSED, "192.0.2.7", 200_000), 1);
}

#[test]
fn addresses_and_subjects_are_counted_apart() {
    let mut limit = LogLimit::default();
    for (from, subject) in [
        ("192.0.2.7", REFUSED),
        ("192.0.2.8", REFUSED),
        ("192.0.2.7", Subject::Refused("too many failures")),
        ("192.0.2.7", Subject::WrongPassword),
        ("192.0.2.7", Subject::ClosedStranger("too many failures")),
    ] {
        assert_eq!(limit.tell(3, subject, from, 0), 1);
    }
    assert_eq!(limit.tell(1, REFUSED, "::ffff:192.0.2.8", 0), 0);
    assert_eq!(limit.tell(3, REFUSED, "2001:db8::1", 0), 1);
    assert_eq!(limit.tell(1, REFUSED, "2001:db8::2", 0), 0);
    limit.check_invariants();
    assert_eq!(
        limit.rest(),
        [
            "421 server full: 192.0.2.7 was not let in, 2 times more in 60 s",
            "421 server full: ::ffff:192.0.2.8 was not let in, 3 times more in 60 s",
            "421 too many failures: 192.0.2.7 was not let in, 2 times more in 60 s",
            "wrong password or token: 2 more from 192.0.2.7 in 60 s",
            "421 too many failures: 2 more from 192.0.2.7 in 60 s",
            "421 server full: 2001:db8::2 was not let in, 3 times more in 60 s",
        ]
    );
    assert_eq!((limit.next_due(), limit.windows.len(), limit.of_network.len()), (None, 0, 0));
}

#[test]
fn who_is_named_is_named_a_few_times() {
    let mut limit = LogLimit::default();
    let slow = Subject::Closed("too slow");
    assert_eq!(limit.tell(5, slow, "192.0.2.7", 0), 5);
    // Fewer than the limit: nothing is suppressed, and the next minute begins anew.
    assert!(limit.sums(60_000).is_empty());
    assert_eq!(limit.tell(100, slow, "192.0.2.7", 60_000), LOG_LINES_EACH as usize);
    assert_eq!(limit.sums(120_000), ["421 too slow: 92 more from 192.0.2.7 in 60 s"]);
    assert_eq!(limit.tell(1, slow, "192.0.2.7", 120_000), 0);
    assert_eq!(limit.tell(100, Subject::LoggedIn, "192.0.2.7", 120_000), LOG_LINES_EACH_DEBUG as usize);
}

#[test]
fn a_network_of_many_addresses_has_one_sum() {
    for (network, expected) in [("192.0.2", "192.0.2.0/24"), ("2001:db8:1", "2001:db8:1::/48")] {
        let mut limit = LogLimit::default();
        let address = |n| if network.contains(':') { format!("{network}:{n:x}::1") } else { format!("{network}.{n}") };
        let written: usize = (0..200).map(|n| limit.tell(10, REFUSED, &address(n), 0)).sum();
        assert_eq!(written, LOG_OF_NETWORK + 1);
        limit.check_invariants();
        let sums = limit.sums(60_000);
        assert_eq!(sums.len(), LOG_OF_NETWORK + 1);
        let of_network = (200 - LOG_OF_NETWORK) * 10 - 1;
        let expected = format!("421 server full: {expected} was not let in, {of_network} times more in 60 s");
        assert_eq!(sums.last(), Some(&expected));
        // Another network is not affected.
        assert_eq!(limit.tell(1, REFUSED, "198.51.100.1", 60_000), 1);
    }
}

#[test]
fn of_more_than_can_be_remembered_there_is_one_sum() {
    let mut limit = LogLimit::default();
    let networks = 2 * LOG_WINDOWS;
    let address = |n: usize| format!("10.{}.{}.1", n / 256, n % 256);
    let written: usize = (0..networks).map(|n| limit.tell(2, REFUSED, &address(n), 0)).sum();
    assert_eq!(written, LOG_WINDOWS + 1);
    limit.check_invariants();
    // Another subject has its own window for the rest.
    assert_eq!(limit.tell(5, Subject::WrongPassword, "192.0.2.7", 0), 1);
    limit.check_invariants();
    let sums = limit.sums(60_000);
    assert_eq!(sums.len(), LOG_WINDOWS + 2);
    let others = 2 * LOG_WINDOWS - 1;
    assert!(sums.contains(&format!("421 server full: others were not let in, {others} times more in 60 s")));
    assert!(sums.contains(&"wrong password or token: 4 more from others in 60 s".to_owned()));
}

#[test]
fn what_is_of_no_address_is_counted_too() {
    let mut limit = LogLimit::default();
    let told = (0..100).filter(|_| limit.admits(Subject::CannotAccept, None, 3)).count();
    assert_eq!((told, limit.rest()), (8, vec!["cannot accept connections: 92 times more in 60 s".to_owned()]));
}

/// Addresses of a few networks, and subjects of each kind.
const FROM: [&str; 6] = ["192.0.2.7", "192.0.2.8", "198.51.100.1", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"];
const SUBJECTS: [Subject; 4] = [REFUSED, Subject::WrongPassword, Subject::Closed("too slow"), Subject::Guest];

proptest! {
    #[test]
    fn nothing_is_lost_and_nobody_is_loud(
        acts in prop::collection::vec((0..FROM.len(), 0..SUBJECTS.len(), 0..90_u32, 0..30_000_u64), 0..60),
        many: bool,
    ) {
        let mut limit = LogLimit::default();
        let (mut now, mut told, mut written, mut counted) = (0, 0_u64, 0_u64, 0_u64);
        let mut keys = HashSet::new();
        for (from, subject, count, wait) in acts {
            let subject = SUBJECTS[subject];
            for n in 0..count {
                let from = if many { ip(&format!("10.{from}.{n}.1")) } else { ip(FROM[from]) };
                told += 1;
                keys.insert((subject, party(from)));
                written += u64::from(limit.admits(subject, Some(from), now));
            }
            limit.check_invariants();
            now += wait;
            counted += std::iter::from_fn(|| limit.poll_sum(now)).map(|sum| sum.count).sum::<u64>();
            limit.check_invariants();
            prop_assert!(limit.next_due().is_none_or(|due| due > now));
        }
        let minutes = now / LOG_WINDOW_MS + 1;
        prop_assert!(written <= minutes * keys.len() as u64 * u64::from(LOG_LINES_EACH_DEBUG));
        counted += std::iter::from_fn(|| limit.poll_rest()).map(|sum| sum.count).sum::<u64>();
        prop_assert_eq!(written + counted, told);
    }
}
