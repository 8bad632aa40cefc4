//! The hub alone: what each command brings about, and a seeded simulation against a model that is too simple to be wrong.

use super::*;

mod simulation;

const RULES: Rules = Rules { sessions_per_account: 2, list_lines: 3, rooms_per_session: 2, room_members: 3 };

fn id(slot: u32) -> SessionId {
    SessionId { slot, generation: 0 }
}

fn name(text: &str) -> UserName {
    UserName::from_record(text).unwrap()
}

/// Carries out `"slot[.generation] verb arguments"` at millisecond `unix_ms`.
fn carry_out(hub: &mut Hub, step: &str, unix_ms: u64) {
    let (who, command) = step.split_once(' ').unwrap();
    let (slot, generation) = who.split_once('.').unwrap_or((who, "0"));
    let who = SessionId { slot: slot.parse().unwrap(), generation: generation.parse().unwrap() };
    let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
    let command = match verb {
        "enter" => Command::Enter { name: name(rest) },
        "leave" => Command::Leave,
        "say" => Command::Say { text: rest },
        "tell" => {
            let (to, text) = rest.split_once(' ').unwrap();
            Command::Tell { to: name(to), text }
        }
        "find" => Command::Find { name: name(rest) },
        "who" => Command::Who { prefix: rest },
        other => panic!("no such command: {other}"),
    };
    hub.handle(who, command, unix_ms);
}

fn spelled(audience: &Audience, event: &Event) -> String {
    let audience = match audience {
        Audience::One(id) => format!("to {}.{}", id.slot, id.generation),
        Audience::Others(id) => format!("all but {}.{}", id.slot, id.generation),
        Audience::Account { name, except } => format!("{name} but {}.{}", except.slot, except.generation),
    };
    let event = match event {
        Event::Said(message) => format!("{} says {}", message.from, message.text),
        Event::Told(message) => format!("{} tells {}", message.from, message.text),
        Event::Welcome { name, online } => format!("welcome {name}, {online} online"),
        Event::SessionsFull { sessions } => format!("full at {sessions}"),
        Event::Sent { hearers } => format!("sent to {hearers}"),
        Event::SentTo { name } => format!("sent to {name}"),
        Event::Found { name } => format!("found {name}"),
        Event::NotOnline { name } => format!("{name} is not online"),
        Event::Online { names, matching } => {
            format!("online {} of {matching}", names.iter().map(UserName::as_str).collect::<Vec<_>>().join(" "))
        }
    };
    format!("{audience}: {event}")
}

fn drain(hub: &mut Hub) -> Vec<(Audience, Event)> {
    let events = std::iter::from_fn(|| hub.poll_event()).collect();
    hub.check_invariants();
    events
}

/// A hub after the commands of `setup`, with nothing left to say.
fn hub_after(setup: &[&str]) -> Hub {
    let mut hub = Hub::new(RULES);
    for step in setup {
        carry_out(&mut hub, step, 1);
        drain(&mut hub);
    }
    hub
}

#[track_caller]
fn check(setup: &[&str], step: &str, expected: &[&str]) {
    let mut hub = hub_after(setup);
    carry_out(&mut hub, step, 1);
    let said: Vec<_> = drain(&mut hub).iter().map(|(audience, event)| spelled(audience, event)).collect();
    assert_eq!(said, expected, "{step} after {setup:?}");
}

const THREE: &[&str] = &["1 enter Alice", "2 enter bob", "3 enter Alice"];

#[test]
fn entering_counts_accounts() {
    check(&[], "1 enter Alice", &["to 1.0: welcome Alice, 1 online"]);
    check(THREE, "4 enter carol", &["to 4.0: welcome carol, 3 online"]);
    check(THREE, "4 enter bob", &["to 4.0: welcome bob, 2 online"]);
}

#[test]
fn an_account_is_in_so_often_and_no_more() {
    check(THREE, "4 enter Alice", &["to 4.0: full at 2"]);
    check(&[THREE, &["4 enter Alice"]].concat(), "4 say hi", &[]);
    check(&[THREE, &["1 leave"]].concat(), "4 enter Alice", &["to 4.0: welcome Alice, 2 online"]);
}

#[test]
fn nobody_enters_twice() {
    check(THREE, "1 enter carol", &[]);
    check(&[THREE, &["1 enter carol"]].concat(), "2 who", &["to 2.0: online Alice bob of 2"]);
}

#[test]
fn leaving() {
    check(THREE, "1 leave", &[]);
    check(&[THREE, &["1 leave"]].concat(), "2 who", &["to 2.0: online Alice bob of 2"]);
    check(&[THREE, &["1 leave", "3 leave"]].concat(), "2 who", &["to 2.0: online bob of 1"]);
    check(&[THREE, &["1 leave", "1 leave"]].concat(), "2 say hi", &["all but 2.0: bob says hi", "to 2.0: sent to 1"]);
}

#[test]
fn saying_reaches_all_sessions_but_ones_own() {
    check(&["1 enter Alice"], "1 say hi", &["all but 1.0: Alice says hi", "to 1.0: sent to 0"]);
    check(THREE, "1 say hi  there ", &["all but 1.0: Alice says hi  there ", "to 1.0: sent to 2"]);
}

#[test]
fn telling_is_for_one_account() {
    check(THREE, "2 tell aLICE psst", &["Alice but 2.0: bob tells psst", "to 2.0: sent to Alice"]);
    check(THREE, "1 tell alice me", &["Alice but 1.0: Alice tells me", "to 1.0: sent to Alice"]);
    check(THREE, "1 tell Carol psst", &["to 1.0: Carol is not online"]);
    check(THREE, "1 tell bo psst", &["to 1.0: bo is not online"]);
}

#[test]
fn telling_oneself_alone_reaches_nobody() {
    check(THREE, "2 tell BOB me", &["to 2.0: bob is not online"]);
    check(THREE, "2 find BOB", &["to 2.0: bob is not online"]);
}

#[test]
fn finding() {
    check(THREE, "2 find ALICE", &["to 2.0: found Alice"]);
    check(THREE, "1 find alice", &["to 1.0: found Alice"]);
    check(THREE, "1 find Dora", &["to 1.0: Dora is not online"]);
}

#[test]
fn who_is_online() {
    const FIVE: &[&str] = &["1 enter bob", "2 enter Bo_b", "3 enter Carl", "4 enter BOA", "5 enter a"];
    check(FIVE, "1 who", &["to 1.0: online a Bo_b BOA of 5"]);
    check(FIVE, "1 who bO", &["to 1.0: online Bo_b BOA bob of 3"]);
    check(FIVE, "1 who bob", &["to 1.0: online bob of 1"]);
    check(FIVE, "1 who carla", &["to 1.0: online  of 0"]);
    check(FIVE, "1 who z", &["to 1.0: online  of 0"]);
    check(FIVE, "1 who é", &["to 1.0: online  of 0"]);
    check(&[FIVE, &["6 enter boss"]].concat(), "1 who bo", &["to 1.0: online Bo_b BOA bob of 4"]);
}

#[test]
fn who_is_not_in_is_told_nothing() {
    for step in ["say hi", "tell bob hi", "tell dora hi", "find bob", "find dora", "who", "who b", "leave"] {
        for stranger in ["9", "1.7"] {
            check(THREE, &format!("{stranger} {step}"), &[]);
        }
    }
}

#[test]
fn a_slot_is_used_again() {
    let setup = [THREE, &["1 leave", "1.1 enter dora", "1 leave"]].concat();
    check(&setup, "1.1 say hi", &["all but 1.1: dora says hi", "to 1.1: sent to 2"]);
    check(&setup, "1 say hi", &[]);
}

#[test]
fn new_rules_put_nobody_out() {
    let mut hub = hub_after(THREE);
    hub.set_rules(Rules { sessions_per_account: 1, list_lines: 1, ..RULES });
    assert_eq!(hub.sessions_of(&name("alice")), [id(1), id(3)]);
    carry_out(&mut hub, "4 enter bob", 1);
    carry_out(&mut hub, "1 who", 1);
    let said: Vec<_> = drain(&mut hub).iter().map(|(audience, event)| spelled(audience, event)).collect();
    assert_eq!(said, ["to 4.0: full at 1", "to 1.0: online Alice of 2"]);
}

#[test]
fn what_the_hub_tells_of_itself() {
    let hub = hub_after(&[THREE, &["2 leave"]].concat());
    let mut everyone = hub.everyone().to_vec();
    everyone.sort();
    assert_eq!(everyone, [id(1), id(3)]);
    assert_eq!(hub.accounts_online(), 1);
    assert_eq!(hub.name_of(id(3)).map(UserName::as_str), Some("Alice"));
    assert_eq!(hub.name_of(id(2)), None);
    assert_eq!(hub.name_of(SessionId { slot: 3, generation: 1 }), None);
    assert_eq!(hub.sessions_of(&name("bob")), []);
}

#[test]
fn ids_carry_the_time_and_rise_though_it_falls() {
    let mut hub = hub_after(THREE);
    let mut ids = Vec::new();
    for (step, unix_ms) in [("1 say a", 5_000), ("1 tell bob b", 5_000), ("2 say c", 4_000), ("2 say d", 6_000)] {
        carry_out(&mut hub, step, unix_ms);
        ids.extend(drain(&mut hub).iter().filter_map(|(_, event)| id_of(event)));
    }
    assert_eq!(ids, [5_000 << 20, (5_000 << 20) + 1, (5_000 << 20) + 2, 6_000 << 20]);
}

fn id_of(event: &Event) -> Option<u64> {
    if let Event::Said(message) | Event::Told(message) = event { Some(message.id) } else { None }
}
