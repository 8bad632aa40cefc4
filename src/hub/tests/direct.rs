//! Direct messages: copies for the sender's other sessions, and what is kept for accounts that are away.

use super::*;
use crate::limits::{WAITING, WAITING_FROM_FEW, WAITING_FROM_ONE, WAITING_MOST};

/// Alice has two sessions, bob one; carol is away.
const SEND: &[&str] = &["1 enter Alice", "2 enter bob", "3 enter Alice"];

#[track_caller]
fn check_in(setup: &[&str], step: &str, expected: &[&str]) {
    check_kept(&[SEND, setup].concat(), step, expected);
}

#[test]
fn other_sessions_of_the_sender_see_a_copy() {
    let expected = ["bob but 1.0: Alice tells hi", "Alice but 1.0: own to bob: hi", "to 1.0: sent to bob"];
    check_in(&[], "1 tell BOB hi", &expected);
    // Without a store too.
    check(SEND, "1 tell BOB hi", &expected);
    // The only session has nobody to show it to. A message to oneself is heard anyway.
    check_in(&["3 leave"], "1 tell bob hi", &["bob but 1.0: Alice tells hi", "to 1.0: sent to bob"]);
    check_in(&[], "1 tell alice hi", &["Alice but 1.0: Alice tells hi", "to 1.0: sent to Alice"]);
    check_in(
        &["3 leave", "3.1 enter Alice"],
        "3.1 tell bob hi",
        &["bob but 3.1: Alice tells hi", "Alice but 3.1: own to bob: hi", "to 3.1: sent to bob"],
    );
}

#[test]
fn a_copy_has_the_id_of_its_message() {
    let mut hub = hub_after(SEND);
    carry_out(&mut hub, "1 tell bob hi", 7);
    let events = drain(&mut hub).0;
    let [
        (_, Event::Told { message, .. }),
        (_, Event::OwnTold { message: copy, .. }),
        (_, Event::SentTo { message: answer, .. }),
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(message.id, 7 << 20);
    assert_eq!([copy, answer], [message, message]);
}

/// What becomes of the messages of a step.
fn fates(setup: &[&str], step: &str) -> Vec<String> {
    let mut hub = hub_after(setup);
    carry_out(&mut hub, step, 1);
    let messages = drain(&mut hub).0.into_iter().filter_map(|(_, event)| message_of(&event).cloned());
    let spelled = |message: Message| match message.fate {
        Fate::Unkept => "unkept".to_owned(),
        Fate::Kept(spot) => format!("kept {}", spelled::spelled_spot(&spot)),
        Fate::Dropped(spot) => format!("dropped {}", spelled::spelled_spot(&spot)),
    };
    messages.map(spelled).collect()
}

#[test]
fn what_becomes_of_messages() {
    let setup = [SEND, &["8 found zoe tea", "4 enter carol", "4 make cake"]].concat();
    let with = |keeping: &'static str| [&[keeping], &setup[..]].concat();
    for (step, on) in
        [("1 say hi", "*"), ("1 tell bob hi", "@bob"), ("2 tell ALICE hi", "@Alice"), ("1 tell alice hi", "@Alice")]
    {
        assert_eq!(fates(&with("server on"), step), [format!("kept {on}")], "{step}");
        assert_eq!(fates(&with("server full"), step), [format!("dropped {on}")], "{step}");
        assert_eq!(fates(&with("server off"), step), ["unkept"], "{step}");
    }
    // Other rooms are off the record, and so are direct messages of guests.
    for step in ["4 rm cake hi", "8 rm tea hi", "8 tell bob hi"] {
        assert_eq!(fates(&with("server on"), step), ["unkept"], "{step}");
        assert_eq!(fates(&with("server full"), step), ["unkept"], "{step}");
    }
    check(&with("server full"), "1 say hi", &["all but 1.0: Alice says hi", "to 1.0: sent to 3, not kept"]);
    check(&with("server full"), "2 tell alice hi", &["Alice but 2.0: bob tells hi", "to 2.0: sent to Alice, not kept"]);
}

#[test]
fn a_message_is_kept_for_an_account_that_is_away() {
    check_in(&[], "2 mail carol hi", &["to 2.0: waits for 1", "records", "row @carol from bob: hi #1"]);
    check_in(&["2 mail carol hi"], "server kept 1", &["to 2.0: kept for carol"]);
    check_in(&["2 mail carol hi"], "server lost 1", &["to 2.0: not kept", "records", "withdrawn"]);
    // A ticket counts once, and only if it was given.
    check_in(&["2 mail carol hi", "server kept 1"], "server lost 1", &[]);
    check_in(&[], "server kept 1", &[]);
    // The sender's other sessions see a copy at once, and hear when it is not kept.
    check_in(
        &[],
        "1 mail carol hi",
        &["Alice but 1.0: own to carol: hi", "to 1.0: waits for 1", "records", "row @carol from Alice: hi #1"],
    );
    check_in(
        &["1 mail carol hi"],
        "server lost 1",
        &["Alice but 1.0: withdrawn to carol", "to 1.0: not kept", "records", "withdrawn"],
    );
    check_in(&["1 mail carol hi"], "server kept 1", &["to 1.0: kept for carol"]);
    check_in(&[], "2 findmail carol", &["to 2.0: found carol"]);
}

#[test]
fn who_is_told_that_a_message_cannot_be_kept() {
    // An account that does not exist, oneself, a guest as the sender, and a server without a store.
    check_in(&[], "2 tell carol hi", &["to 2.0: carol is not online"]);
    check_in(&[], "2 find carol", &["to 2.0: carol is not online"]);
    check_in(&[], "2 mail bob hi", &["to 2.0: that is you"]);
    check_in(&[], "2 findmail bob", &["to 2.0: that is you"]);
    check_in(&["8 found zoe tea"], "8 mail carol hi", &["to 8.0: carol is not online"]);
    check_in(&["8 found zoe tea"], "8 findmail carol", &["to 8.0: carol is not online"]);
    check_in(&["server off"], "2 mail carol hi", &["to 2.0: carol is not online"]);
    check_in(&["server off"], "2 findmail carol", &["to 2.0: carol is not online"]);
    // A store without room.
    check_in(&["server full"], "2 mail carol hi", &["to 2.0: not kept"]);
    check_in(&["server full"], "2 findmail carol", &["to 2.0: found carol"]);
    // An account that is online hears it.
    check_in(
        &["server full", "4 enter carol"],
        "2 mail carol hi",
        &["carol but 2.0: bob tells hi", "to 2.0: sent to carol, not kept"],
    );
}

#[test]
fn who_has_gone_gets_no_answer() {
    for end in ["2 leave", "2.0 leave"] {
        check_in(&["2 mail carol hi", end], "server kept 1", &[]);
        check_in(&["2 mail carol hi", end], "server lost 1", &["records", "withdrawn"]);
    }
    // Neither does another account in its slot, nor one that has got the name of the sender.
    check_in(&["2 mail carol hi", "2 leave", "2.1 enter dora"], "server kept 1", &[]);
    let again = ["1 mail carol hi", "1 leave", "3 leave", "server forget Alice", "1.1 reenter Alice"];
    check_in(&again, "server lost 1", &["records", "withdrawn"]);
}

#[test]
fn a_receiver_who_comes_meanwhile_changes_no_answer() {
    check_in(&["2 mail carol hi", "4 enter carol"], "server kept 1", &["to 2.0: kept for carol"]);
    check_in(&["2 mail carol hi", "4 enter carol"], "server lost 1", &["to 2.0: not kept", "records", "withdrawn"]);
}

/// A hub after `messages` of each sender for carol, all on disk.
fn hub_with(messages: &[(&str, u32)]) -> Hub {
    let mut hub = hub_after(&["server on"]);
    for (slot, (sender, count)) in messages.iter().enumerate() {
        carry_out(&mut hub, &format!("{slot} enter {sender}"), 1);
        for _ in 0..*count {
            send(&mut hub, slot);
        }
    }
    hub
}

/// Sends a message from this slot to carol. True if it is kept.
fn send(hub: &mut Hub, slot: usize) -> bool {
    carry_out(hub, &format!("{slot} mail carol hi"), 1);
    let tickets: Vec<_> = records(hub).into_iter().filter_map(|record| record.ticket).collect();
    tickets.iter().for_each(|ticket| hub.settle_wait(*ticket, true));
    let events = drain(hub).0;
    events.iter().any(|(_, event)| matches!(event, Event::KeptFor { .. }))
}

#[test]
fn one_sender_may_have_so_many_messages_kept() {
    let mut hub = hub_with(&[("alice", WAITING_FROM_ONE - 1), ("bob", 0)]);
    assert!(send(&mut hub, 0));
    carry_out(&mut hub, "0 mail carol hi", 1);
    assert_eq!(said_and_kept(&mut hub), ["to 0.0: too many wait for carol"]);
    assert!(send(&mut hub, 1));
    // A message that was not kept does not count.
    let mut hub = hub_with(&[("alice", WAITING_FROM_ONE - 1)]);
    let last = u64::from(WAITING_FROM_ONE);
    carry_out(&mut hub, "0 mail carol hi", 1);
    hub.settle_wait(last, false);
    drain(&mut hub);
    records(&mut hub);
    assert!(send(&mut hub, 0));
    assert!(!send(&mut hub, 0));
}

#[test]
fn all_senders_may_have_so_many_messages_kept() {
    let names: Vec<String> = (0..10).map(|n| format!("sender{n}")).collect();
    let full: Vec<(&str, u32)> = names.iter().map(|name| (name.as_str(), WAITING / 10)).collect();
    let mut hub = hub_with(&full);
    assert_eq!(hub.waiting.of(&name("carol")), WAITING);
    // Somebody else is still heard, a little.
    carry_out(&mut hub, "20 enter dora", 1);
    for n in 0..WAITING_FROM_FEW {
        assert!(send(&mut hub, 20), "message {n}");
    }
    assert!(!send(&mut hub, 20));
    // But not without an end.
    for slot in 21.. {
        carry_out(&mut hub, &format!("{slot} enter few{slot}"), 1);
        let kept = (0..WAITING_FROM_FEW).filter(|_| send(&mut hub, slot)).count();
        if kept < WAITING_FROM_FEW as usize {
            break;
        }
    }
    assert_eq!(hub.waiting.of(&name("carol")), WAITING_MOST);
}

#[test]
fn the_next_login_resets_the_count() {
    let mut hub = hub_with(&[("alice", WAITING_FROM_ONE)]);
    assert!(!send(&mut hub, 0));
    carry_out(&mut hub, "9 enter carol", 1);
    carry_out(&mut hub, "9 leave", 1);
    assert!(send(&mut hub, 0));
    // A message of before that is not kept does not count back.
    let mut hub = hub_with(&[("alice", 0)]);
    for step in ["0 mail carol early", "9 enter carol", "9 leave", "0 mail carol late", "server lost 1"] {
        carry_out(&mut hub, step, 1);
        drain(&mut hub);
    }
    assert_eq!(hub.waiting.of(&name("carol")), 1);
}

#[test]
fn a_new_account_of_the_name_has_a_count_of_its_own() {
    let mut hub = hub_with(&[("alice", WAITING_FROM_ONE)]);
    hub.forget_account(&account("carol"));
    assert_eq!(hub.waiting.of(&name("carol")), 0);
    let mut hub = hub_with(&[("alice", WAITING_FROM_ONE)]);
    let carol = Account { name: name("carol"), since: 2 };
    let command = Command::Tell { to: whom("carol"), account: Some(carol), text: "hi".into(), manner: Manner::Text };
    hub.handle(id(0), command, 1);
    drain(&mut hub);
    assert_eq!(records(&mut hub).len(), 1);
    assert_eq!(hub.waiting.of(&name("carol")), 1);
}

#[test]
fn accounts_are_on_record_while_they_are_online() {
    check_kept(&[], "1 enter Alice", &["to 1.0: welcome Alice, 1 online", "records", "account Alice"]);
    check_kept(&["1 enter Alice"], "2 enter Alice", &["to 2.0: welcome Alice, 1 online"]);
    check_kept(&["1 enter Alice", "2 enter Alice"], "1 leave", &[]);
    check_kept(&["1 enter Alice"], "1 leave", &["records", "seen Alice"]);
    check_kept(&[], "server forget Alice", &["records", "deleted Alice"]);
    check_kept(&["server off"], "1 enter Alice", &["to 1.0: welcome Alice, 1 online"]);
}
