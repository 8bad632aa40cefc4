//! Guests who log in at a line door.

use super::monitor::Bench;
use crate::door::{Door, Kind, relay};
use crate::hub::command::Command;
use crate::hub::names::{RoomName, Who};
use crate::limits::{LOGIN_LINES, Limits};

impl Bench {
    /// A guest who has logged in.
    fn guest(&mut self, name: &str) -> usize {
        let place = self.connect(Door::line_with_guests()).unwrap();
        self.send(place, format!("C {name}\n"));
        assert!(self.take(place).contains(&format!("C 230 welcome {name}; ")));
        place
    }

    /// The answer to a line, and what has come besides.
    fn asked(&mut self, place: usize, line: &str) -> String {
        self.take(place);
        self.send(place, format!("C {line}\n"));
        self.pass(500);
        self.take(place)
    }
}

#[test]
fn a_guest_has_no_deadline_and_no_bounds_of_the_login() {
    let mut bench = Bench::new(Limits::default());
    let rob = bench.guest("~rob");
    bench.pass(120_000);
    for _ in 0..u32::from(LOGIN_LINES) + 8 {
        assert_eq!(bench.asked(rob, "NOOP"), "C 200 done\n");
    }
    let long = "x".repeat(3_000);
    assert_eq!(bench.asked(rob, &format!("PM {long}")), "C 250 sent to 0\n");
    // Names that are refused count as lines of the login.
    let stranger = bench.connect(Door::line_with_guests()).unwrap();
    for _ in 0..LOGIN_LINES {
        assert!(bench.asked(stranger, "~ROB").contains("C 553 another guest has that name; your name?\n"));
    }
    assert_eq!(bench.asked(stranger, "~ROB"), "C 421 too many failures\n");
}

#[test]
fn lines_pay_nothing_for_what_neighbours_are_told() {
    for is_on in [false, true] {
        let mut bench = Bench::new(Limits::default());
        bench.engine.hub.tell_neighbours(is_on);
        let (alice, rob) = (bench.person("alice"), bench.guest("~rob"));
        assert!(bench.asked(alice, "MAKE tea").starts_with("C 227 "));
        assert!(bench.asked(rob, "JOIN tea").starts_with("C 227 "));
        assert_eq!(bench.take(alice), "C 103 tea ~rob entered\n");
        let before = bench.engine.counters().deliveries;
        assert_eq!(bench.asked(rob, "AWAY lunch"), "C 200 you are away: lunch\n");
        assert_eq!(bench.asked(rob, "SET name Rob"), "C 200 done\n");
        assert_eq!((bench.take(alice).as_str(), bench.engine.counters().deliveries), ("", before), "{is_on}");
        assert_eq!(bench.asked(rob, "NICK ~bob"), "C 200 you are ~bob now\n");
        assert_eq!(bench.take(alice), "C 102 ~rob is ~bob now\n");
        assert!(bench.asked(rob, "EX").starts_with("C 221 "));
        assert_eq!(bench.take(alice), "C 104 tea ~bob left\n");
    }
}

#[test]
fn a_guest_who_logs_in_to_an_account_goes_on() {
    let mut bench = Bench::new(Limits::default());
    let (alice, rob) = (bench.person("alice"), bench.guest("~rob"));
    assert!(bench.asked(alice, "MAKE tea").starts_with("C 227 "));
    assert!(bench.asked(rob, "JOIN tea").starts_with("C 227 "));
    bench.take(alice);
    // No line does this yet, so the engine is told.
    let id = bench.wires[rob].id;
    let who = Who::parse("robert").unwrap();
    bench.engine.command(id, Command::LogIn { who, since: 1, called: None });
    bench.pass(100);
    assert_eq!(bench.take(alice), "C 102 ~rob is robert now\n");
    assert!(bench.take(rob).starts_with("C 230 welcome robert; 2 online"));
    assert_eq!(bench.asked(alice, "PM hi"), "C 250 sent to 1\n");
    let heard = bench.take(rob);
    assert_eq!(heard.matches(" alice hi\n").count(), 1, "{heard}");
    assert!(bench.asked(rob, "NICK ~rob").starts_with("C 554 "));
    // Its connection is one receiver still.
    assert!(bench.asked(rob, "EX").starts_with("C 221 "));
    assert_eq!(bench.asked(alice, "PM hi"), "C 250 sent to 0\n");
    assert_eq!(bench.engine.public.receivers_of(Kind::Typed), 1);
}

#[test]
fn an_operator_finds_and_ends_a_guest() {
    let mut bench = Bench::new(Limits::default());
    let (alice, rob) = (bench.person("alice"), bench.guest("~rob"));
    let desk = bench.connect(Door::operator()).unwrap();
    bench.send(desk, "C sessions ~ROB\n");
    bench.pass(100);
    assert!(bench.take(desk).contains("~rob"));
    bench.send(desk, "C announce tea\n");
    bench.pass(100);
    assert!(bench.take(desk).contains("sent to 2"));
    assert_eq!((bench.take(alice), bench.take(rob)), ("C 100 tea\n".to_owned(), "C 100 tea\n".to_owned()));
    bench.send(desk, "C kick ~rob enough\n");
    bench.pass(100);
    assert_eq!(bench.take(rob), "C 421 put out by the operator: enough\n");
}

#[test]
fn guests_of_the_relay_door_take_other_names() {
    let mut bench = Bench::new(Limits::default());
    let (_, alice) = (bench.guest("~guest1"), bench.person("alice"));
    let bob = bench.guest("~bob");
    assert!(bench.asked(alice, "MAKE tea").starts_with("C 227 "));
    let options = relay::Options { room: RoomName::parse("tea").unwrap(), gap_ms: 100, echo: false };
    let guest = bench.connect(Door::relay(options)).unwrap();
    bench.pass(100);
    assert_eq!(bench.take(alice), "C 103 tea ~guest2 entered\n");
    bench.send(guest, "bob : hi\n");
    bench.pass(100);
    let heard = bench.take(alice);
    assert!(heard.starts_with("C 104 tea ~guest2 left\nC 103 tea ~bob2 entered\nD RM "), "{heard}");
    assert!(heard.ends_with(" tea ~bob2 hi\n"), "{heard}");
    // And the other way round.
    assert_eq!(bench.asked(bob, "NICK ~BOB2"), "C 553 another guest has that name\n");
    assert!(bench.asked(alice, "DM ~bob2 hi").starts_with("C 550 ~bob2 is a guest of one room"));
}
