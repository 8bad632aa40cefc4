//! Who is away, who watches whom, and connections that are cut.

use super::*;
use crate::limits::{PLACE_END_WORK, WATCHES_EACH};

/// Carol watches Alice, who has two sessions.
const WATCHED: &[&str] = &["1 enter Alice", "3 enter Alice", "4 enter carol", "4 watch aLICE"];
/// Alice has left.
const GONE: &[&str] = &["1 enter Alice", "4 enter carol", "4 watch aLICE", "1 leave"];
/// Alice was cut off.
const CUT: &[&str] = &["1 enter Alice", "4 enter carol", "4 watch aLICE", "1 cut"];

/// A hub after `setup`, with the cuts polled.
fn hub_with_cuts(setup: &[&str], expected: &[&str]) -> Hub {
    let mut hub = hub_after(setup);
    assert_eq!(cuts(&mut hub), expected, "{setup:?}");
    hub
}

#[test]
fn away_and_back() {
    check(THREE, "1 away lunch", &["to 1.0: away: lunch"]);
    check(THREE, "1 away", &["to 1.0: back"]);
    check(&[THREE, &["1 away lunch"]].concat(), "3 away", &["to 3.0: back"]);
}

#[test]
fn those_who_write_to_somebody_are_told_that_it_is_away() {
    let away = [THREE, &["1 away out for lunch"]].concat();
    let told = "Alice but 2.0: bob tells hi";
    check(&away, "2 tell alice hi", &[told, "to 2.0: sent to Alice, away: out for lunch"]);
    check(&[&away[..], &["3 away"]].concat(), "2 tell alice hi", &[told, "to 2.0: sent to Alice"]);
    check(
        &[&away[..], &["1 leave"]].concat(),
        "2 tell alice hi",
        &[told, "to 2.0: sent to Alice, away: out for lunch"],
    );
    let anew = [&away[..], &["1 leave", "3 leave", "5 enter Alice"]].concat();
    check(&anew, "2 tell alice hi", &[told, "to 2.0: sent to Alice"]);
}

#[test]
fn those_who_watch_are_told_and_nobody_else() {
    check(WATCHED, "1 away lunch", &["to 1.0: away: lunch", "watchers of Alice: Alice is away: lunch"]);
    let away = [WATCHED, &["1 away lunch"]].concat();
    check(&away, "3 away lunch", &["to 3.0: away: lunch"]);
    check(&away, "3 away tea", &["to 3.0: away: tea", "watchers of Alice: Alice is away: tea"]);
    check(&away, "3 away", &["to 3.0: back", "watchers of Alice: Alice is back"]);
    check(WATCHED, "3 away", &["to 3.0: back"]);
    check(WATCHED, "4 away", &["to 4.0: back"]);
    check(WATCHED, "4 away lunch", &["to 4.0: away: lunch"]);
}

#[test]
fn watching_says_how_it_is_now() {
    check(THREE, "2 watch ALICE", &["to 2.0: watches Alice, online"]);
    check(THREE, "2 watch ALICE off", &["to 2.0: done"]);
    check(&[THREE, &["1 away lunch"]].concat(), "2 watch alice", &["to 2.0: watches Alice, away: lunch"]);
    check(THREE, "2 watch Nobody", &["to 2.0: watches Nobody, offline"]);
    check(THREE, "2 watch bob", &["to 2.0: watches bob, online"]);
    check(&[THREE, &["2 watch alice"]].concat(), "2 watch ALICE", &["to 2.0: watches Alice, online"]);
}

#[test]
fn lists_of_watches_are_of_one_session() {
    let setup = [THREE, &["1 watch bob", "1 watch Anna", "1 watch carol", "1 watch BOB", "3 watch dave"]].concat();
    check(&setup, "1 watch", &["to 1.0: watches [Anna bob carol]"]);
    check(&setup, "3 watch", &["to 3.0: watches [dave]"]);
    check(&setup, "2 watch", &["to 2.0: watches []"]);
    check(&[&setup[..], &["1 watch Bob off"]].concat(), "1 watch", &["to 1.0: watches [Anna carol]"]);
}

#[test]
fn comings_and_goings() {
    check(WATCHED, "1 leave", &[]);
    check(&[WATCHED, &["1 leave"]].concat(), "3 leave", &["watchers of Alice: Alice is offline"]);
    let back = ["to 1.1: welcome Alice, 2 online", "watchers of Alice: Alice is online"];
    check(GONE, "1.1 enter Alice", &back);
    check(&[GONE, &["1.1 enter Alice"]].concat(), "2 enter Alice", &["to 2.0: welcome Alice, 2 online"]);
    check(&[GONE, &["4 watch alice off"]].concat(), "1.1 enter Alice", &back[..1]);
    check(&[GONE, &["4 leave", "4.1 enter carol"]].concat(), "1.1 enter Alice", &back[..1]);
}

#[test]
fn who_leaves_away_is_offline_and_no_longer_away() {
    let setup = ["1 enter Alice", "4 enter carol", "4 watch alice", "1 away lunch"];
    check(&setup, "1 leave", &["watchers of Alice: Alice is offline"]);
    let back = ["to 1.1: welcome Alice, 2 online", "watchers of Alice: Alice is online"];
    check(&[&setup[..], &["1 leave"]].concat(), "1.1 enter Alice", &back);
}

#[test]
fn ones_own_name_can_be_watched() {
    let setup = [THREE, &["1 watch alice"]].concat();
    check(&setup, "3 away tea", &["to 3.0: away: tea", "watchers of Alice: Alice is away: tea"]);
    check(&[&setup[..], &["3 leave"]].concat(), "1 leave", &[]);
    let mut hub = hub_with_cuts(&[&setup[..], &["3 leave", "1 cut"]].concat(), &[]);
    assert_eq!(hub.poll_cut(), None);
}

#[test]
fn a_short_cut_is_told_to_nobody() {
    check(WATCHED, "1 cut", &[]);
    let mut hub = hub_with_cuts(CUT, &["Alice"]);
    for (step, expected) in [
        ("1.1 enter Alice", &["to 1.1: welcome Alice, 2 online"][..]),
        ("server cut alice", &[]),
        ("1.1 leave", &["watchers of Alice: Alice is offline"]),
        ("server cut alice", &[]),
    ] {
        carry_out(&mut hub, step, 1);
        assert_eq!(said(&mut hub), expected, "{step}");
    }
    assert_eq!(cuts(&mut hub), [""; 0]);
}

#[test]
fn a_long_cut_is_told() {
    let mut hub = hub_with_cuts(CUT, &["Alice"]);
    for (step, expected) in [
        ("server cut bob", &[][..]),
        ("server cut alice", &["watchers of Alice: Alice is offline"]),
        ("server cut alice", &[]),
        ("1.1 enter Alice", &["to 1.1: welcome Alice, 2 online", "watchers of Alice: Alice is online"]),
    ] {
        carry_out(&mut hub, step, 1);
        assert_eq!(said(&mut hub), expected, "{step}");
    }
}

#[test]
fn the_last_of_several_cuts_counts() {
    let setup = [CUT, &["1.1 enter Alice", "1.1 cut"]].concat();
    let mut hub = hub_with_cuts(&setup, &["Alice", "Alice"]);
    for (step, expected) in
        [("server cut Alice", &[][..]), ("server cut Alice", &["watchers of Alice: Alice is offline"])]
    {
        carry_out(&mut hub, step, 1);
        assert_eq!(said(&mut hub), expected, "{step}");
    }
}

#[test]
fn a_cut_ends_being_away() {
    let setup = ["1 enter Alice", "4 enter carol", "4 watch alice", "1 away lunch", "1 cut"];
    check(&setup, "4 watch alice", &["to 4.0: watches Alice, away: lunch"]);
    let back = ["to 1.1: welcome Alice, 2 online", "watchers of Alice: Alice is back"];
    check(&setup, "1.1 enter Alice", &back);
    check(&setup, "server cut alice", &["watchers of Alice: Alice is offline"]);
    check(&[&setup[..], &["1.1 enter Alice"]].concat(), "4 watch ALICE", &["to 4.0: watches Alice, online"]);
}

#[test]
fn who_begins_to_watch_during_a_cut_is_told_the_same() {
    let setup = [CUT, &["5 enter dave", "5 watch ALICE"]].concat();
    check(&setup[..5], "5 watch ALICE", &["to 5.0: watches Alice, online"]);
    check(&setup, "1.1 enter Alice", &["to 1.1: welcome Alice, 3 online"]);
    // Nobody watched when it was cut off: it is offline, and heard of when it comes back.
    let setup = ["1 enter Alice", "4 enter carol", "1 cut"];
    hub_with_cuts(&setup, &[]);
    check(&setup, "4 watch alice", &["to 4.0: watches alice, offline"]);
    let back = ["to 1.1: welcome Alice, 2 online", "watchers of Alice: Alice is online"];
    check(&[&setup[..], &["4 watch alice"]].concat(), "1.1 enter Alice", &back);
}

#[test]
fn a_deleted_account_is_offline_at_once() {
    check(CUT, "server forget Alice", &["watchers of Alice: Alice is offline"]);
    let forgotten = [CUT, &["server forget Alice"]].concat();
    let back = ["to 1.1: welcome Alice, 2 online", "watchers of Alice: Alice is online"];
    check(&forgotten, "1.1 reenter Alice", &back);
    check(&forgotten, "server cut alice", &[]);
    // The hub was not told that it was deleted.
    let gone = "watchers of Alice: Alice is offline";
    check(CUT, "1.1 reenter Alice", &[gone, back[0], back[1]]);
    check(GONE, "server forget Alice", &[]);
}

#[test]
fn a_session_watches_so_many_names() {
    let mut hub = hub_after(THREE);
    for number in 0..WATCHES_EACH {
        carry_out(&mut hub, &format!("1 watch n{number}"), 1);
        assert_eq!(said(&mut hub), [format!("to 1.0: watches n{number}, offline")]);
    }
    for (step, expected) in [
        ("1 watch bob", "to 1.0: watches 100"),
        ("1 watch N7", "to 1.0: watches N7, offline"),
        ("3 watch bob", "to 3.0: watches bob, online"),
        ("1 watch n7 off", "to 1.0: done"),
        ("1 watch bob", "to 1.0: watches bob, online"),
    ] {
        carry_out(&mut hub, step, 1);
        assert_eq!(said(&mut hub), [expected]);
    }
    hub.take_work();
    carry_out(&mut hub, "1 watch", 1);
    drain(&mut hub);
    assert_eq!(hub.take_work(), WATCHES_EACH * (LIST_LINE_WORK + 1));
    carry_out(&mut hub, "1 cut", 1);
    drain(&mut hub);
    assert_eq!(hub.take_work(), WATCHES_EACH * PLACE_END_WORK, "the watches of an ended session are charged");
    carry_out(&mut hub, "3 cut", 1);
    assert_eq!(hub.watchers_of(&whom("n3")), []);
}

#[test]
fn all_sessions_watch_so_many_names() {
    let mut hub = Hub::new(Rules { sessions_per_account: 9_000, ..RULES });
    let sessions = (crate::limits::WATCHES / WATCHES_EACH) as u32;
    let all = |slot: u32| SessionId { slot, generation: 0 };
    let names: Vec<UserName> = (0..WATCHES_EACH).map(|number| name(&format!("n{number}"))).collect();
    for slot in 0..=sessions {
        hub.handle(all(slot), Command::LogIn { who: name("alice").into(), since: 1, called: None }, 1);
    }
    for slot in 0..sessions {
        for name in &names {
            hub.handle(all(slot), Command::Watch(Watch::On(name.clone().into())), 1);
        }
    }
    while hub.poll_event().is_some() {}
    for (step, expected) in [
        (format!("{sessions} watch n1"), format!("to {sessions}.0: watches 100")),
        ("5 watch n1 off".to_owned(), "to 5.0: done".to_owned()),
        (format!("{sessions} watch n1"), format!("to {sessions}.0: watches n1, offline")),
    ] {
        carry_out(&mut hub, &step, 1);
        let (audience, event) = hub.poll_event().unwrap();
        assert_eq!(format!("{}: {}", spelled_audience(&hub, &audience), spelled_event(&event)), expected);
    }
}

#[test]
fn guests_of_one_room_neither_watch_nor_are_away() {
    let setup = ["1 begin bob tea", "2 enter bob"];
    for step in ["1 away lunch", "1 watch bob", "1 watch"] {
        check(&setup, step, &[]);
    }
    for step in ["1 ignore bob", "1 ignore ~", "1 set name Bob"] {
        check(&setup, step, &["to 1.0: needs an account"]);
    }
}
