//! Profiles on their way to the store, and what is known of somebody without it.

use super::people::Person;
use super::*;

const ON: &[&str] = &["server on", "1 enter Alice", "2 enter bob", "3 enter Alice"];

#[track_caller]
fn check_after(more: &[&str], step: &str, expected: &[&str]) {
    let mut hub = hub_after(&[ON, more].concat());
    carry_out(&mut hub, step, 1);
    assert_eq!(said_and_kept(&mut hub), expected, "{step} after {more:?}");
}

#[test]
fn a_change_is_answered_from_the_disk() {
    let set = ["to 1.0: waits for 1", "records", "Alice sets name to Some(\"Al\") #1"];
    check_after(&[], "1 set name Al", &set);
    check_after(&["1 set name Al"], "server kept 1", &["to 1.0: done"]);
    check_after(&["1 set name Al"], "server lost 1", &["to 1.0: not kept", "records", "unset"]);
    check_after(&["1 set name Al", "1 leave"], "server lost 1", &["records", "unset"]);
    let removed = ["to 1.0: waits for 1", "records", "Alice sets status to None #1"];
    check_after(&[], "1 set status", &removed);
}

#[test]
fn an_account_changes_one_thing_at_a_time() {
    for step in ["3 set name Al", "1 set about x"] {
        check_after(&["1 set name Al"], step, &[&format!("to {}.0: not kept", &step[..1])]);
    }
    let of_bob = ["to 2.0: waits for 2", "records", "bob sets name to Some(\"B\") #2"];
    check_after(&["1 set name Al"], "2 set name B", &of_bob);
    for verdict in ["server kept 1", "server lost 1"] {
        let next = ["to 3.0: waits for 2", "records", "Alice sets name to Some(\"B\") #2"];
        check_after(&["1 set name Al", verdict], "3 set name B", &next);
    }
}

#[test]
fn nothing_is_set_without_room() {
    check_after(&["server full"], "1 set name Al", &["to 1.0: not kept"]);
    check_after(&["server off"], "1 set name Al", &["to 1.0: nothing is kept"]);
    check(THREE, "1 set name", &["to 1.0: nothing is kept"]);
}

/// The ids of changes rise with those of messages, and a change that is undone is named by its id.
#[test]
fn a_change_has_an_id_of_its_own() {
    let mut hub = hub_after(ON);
    carry_out(&mut hub, "1 say a", 1);
    carry_out(&mut hub, "1 set name Al", 1);
    carry_out(&mut hub, "1 say b", 1);
    let said: Vec<u64> = drain(&mut hub).0.iter().filter_map(|(_, event)| id_of(event)).collect();
    let set = match &records(&mut hub)[..] {
        [HandedOut { record: Record::Profile(set), .. }] => set.id,
        other => panic!("{other:?}"),
    };
    assert!(said[0] < set && set < said[1], "{said:?} {set}");
    hub.settle_wait(1, false);
    assert!(matches!(&records(&mut hub)[..], [HandedOut { record: Record::Unset(id), ticket: None }] if *id == set));
}

#[track_caller]
fn check_idle(steps: &[(u64, &str)], unix_ms: u64, expected: u64) {
    let mut hub = hub_after(&["server on", "2 enter bob", "2 make tea"]);
    for (unix_ms, step) in steps {
        carry_out(&mut hub, step, *unix_ms);
    }
    assert_eq!(hub.person(&whom("ALICE"), unix_ms).unwrap().idle_s, expected, "{steps:?} at {unix_ms}");
}

#[test]
fn idle_since_something_was_said() {
    let login = (10_000, "1 enter Alice");
    check_idle(&[login], 10_999, 0);
    check_idle(&[login], 15_000, 5);
    check_idle(&[login], 9_000, 0); // the clock was set back
    for step in ["1 say hi", "1 tell bob hi", "1 rm tea hi", "1 mail carol hi"] {
        check_idle(&[login, (10_000, "1 join tea"), (14_000, step)], 15_000, 1);
    }
    for step in ["1 find bob", "1 who", "1 away tea", "1 tell nobody hi", "1 rm tea hi", "2 tell alice hi", "2 say hi"]
    {
        check_idle(&[login, (14_000, step)], 15_000, 5);
    }
    // The least of all sessions counts, and a login is one.
    check_idle(&[login, (12_000, "3 enter Alice")], 15_000, 3);
    check_idle(&[login, (12_000, "3 enter Alice"), (13_000, "1 say hi")], 15_000, 2);
    check_idle(&[login, (12_000, "3 enter Alice"), (13_000, "1 say hi"), (13_000, "1 cut")], 15_000, 3);
}

#[test]
fn what_is_known_of_somebody() {
    let hub = hub_after(&[THREE, &["3 away out for lunch"]].concat());
    let away = Some("out for lunch".into());
    let alice = Person { name: whom("Alice"), sessions: 2, idle_s: 2, away, called: None };
    assert_eq!(format!("{:?}", hub.person(&whom("aLICE"), 2_001)), format!("{:?}", Some(alice)));
    assert_eq!(
        hub.person(&whom("bob"), 1),
        Some(Person { name: whom("bob"), sessions: 1, idle_s: 0, away: None, called: None })
    );
    assert_eq!(hub.person(&whom("carol"), 1), None);
}

#[test]
fn a_profile_says_how_an_account_is_called() {
    let mut hub = hub_after(&["1 enter Alice said so"]);
    let called = |hub: &Hub| hub.called(&whom("alice")).map(str::to_owned);
    assert_eq!(called(&hub).as_deref(), Some("said so"));
    hub.learn_called(&Account { since: 2, ..account("alice") }, "Another".into());
    hub.learn_called(&account("bob"), "Bob B".into());
    assert_eq!((called(&hub).as_deref(), hub.called(&whom("bob"))), (Some("said so"), None));
    hub.learn_called(&account("alice"), "Alice A".into());
    assert_eq!(called(&hub).as_deref(), Some("Alice A"));
}
