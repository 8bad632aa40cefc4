//! Room on a full server.

use super::{Bench, PAGE, ip};
use crate::engine::Entrance;
use crate::limits::Limits;

#[test]
fn who_is_only_beginning_does_not_give_way() {
    let mut bench = Bench::new(Limits { connections: 2, include_loopback: false, ..Limits::default() });
    let places = [bench.connect("127.0.0.1"), bench.connect("127.0.0.1")];
    assert!(bench.connect_from(ip("127.0.0.1"), Entrance::default()).is_err());
    for place in places {
        assert_eq!(bench.status(place, PAGE), 200, "exempt addresses too");
    }
}

#[test]
fn nobody_gives_way_to_who_is_refused() {
    let limits = Limits { connections: 4, per_address: 2, include_loopback: false, ..Limits::default() };
    let mut bench = Bench::new(limits);
    for _ in 0..2 {
        bench.connect("198.51.100.7");
    }
    let hoarded = [bench.connect("192.0.2.1"), bench.connect("192.0.2.2")];
    for place in hoarded {
        assert_eq!(bench.status(place, PAGE), 200);
    }
    for _ in 0..5 {
        assert!(bench.connect_from(ip("198.51.100.7"), Entrance::default()).is_err());
    }
    assert!(hoarded.iter().all(|place| !bench.is_over(*place)), "they rest still");
    assert!(bench.connect_from(ip("198.51.100.8"), Entrance::default()).is_ok());
    assert_eq!(hoarded.iter().filter(|place| bench.is_over(**place)).count(), 1);
}

#[test]
fn who_only_fetches_gives_way_on_a_full_server() {
    let limits = Limits { connections: 8, include_loopback: false, ..Limits::default() };
    let mut bench = Bench::new(limits);
    let person = bench.person("alice");
    let talking = bench.talk("192.0.2.200");
    let silent = bench.connect("192.0.2.201");
    let hoarded: Vec<_> = (0..5).map(|number| bench.connect(&format!("192.0.2.{number}"))).collect();
    for place in &hoarded {
        bench.now += 10;
        assert_eq!(bench.status(*place, PAGE), 200);
    }
    bench.send(hoarded[3], "GET / HT");
    bench.wires[hoarded[4]].takes = 0;
    bench.send(hoarded[4], PAGE);
    // The longest rest first; nobody who talks, or is only beginning.
    let mut newcomers = Vec::new();
    for gone in &hoarded[..3] {
        newcomers.push(bench.connect_from(ip("198.51.100.7"), Entrance::default()).expect("room"));
        assert_eq!(bench.wires[*gone].closed, Some(true));
    }
    assert!(bench.connect_from(ip("198.51.100.7"), Entrance::default()).is_err(), "the others are busy");
    // Nobody keeps a place by a half request, or by an answer that he does not take.
    bench.pass(6_000);
    newcomers.push(bench.connect_from(ip("198.51.100.7"), Entrance::default()).expect("room"));
    newcomers.push(bench.connect_from(ip("198.51.100.7"), Entrance::default()).expect("room"));
    assert!(bench.wires[hoarded[3]].closed == Some(true) && bench.wires[hoarded[4]].closed == Some(true));
    assert!(bench.connect_from(ip("198.51.100.7"), Entrance::default()).is_err(), "all others talk, or are silent");
    for place in [person, talking, silent].into_iter().chain(newcomers) {
        assert!(!bench.is_over(place), "{place}");
    }
}
