//! Who takes no direct messages of whom.

use super::record::Restored;
use super::*;
use crate::limits::IGNORES_EACH;

/// Alice, with two sessions, and bob.
const ON: &[&str] = &["server on", "1 enter Alice", "2 enter bob", "3 enter Alice"];
/// Alice ignores bob.
const IGNORED: &[&str] =
    &["server on", "1 enter Alice", "2 enter bob", "3 enter Alice", "1 ignore BOB", "server kept 1"];

#[track_caller]
fn check_after(setup: &[&str], more: &[&str], step: &str, expected: &[&str]) {
    let mut hub = hub_after(&[setup, more].concat());
    carry_out(&mut hub, step, 1);
    assert_eq!(said_and_kept(&mut hub), expected, "{step} after {setup:?} {more:?}");
}

#[test]
fn without_a_store_nobody_is_ignored() {
    for step in ["1 ignore bob", "1 ignore", "1 ignore ~", "1 ignore bob off"] {
        check(THREE, step, &["to 1.0: nothing is kept"]);
    }
}

#[test]
fn it_counts_at_once_and_is_answered_from_the_disk() {
    check_after(ON, &[], "1 ignore BOB", &["to 1.0: waits for 1", "records", "Alice ignores BOB #1"]);
    check_after(ON, &["1 ignore BOB"], "2 tell alice hi", &["to 2.0: Alice takes none"]);
    check_after(ON, &["1 ignore BOB"], "server kept 1", &["to 1.0: done"]);
    check_after(IGNORED, &[], "1 ignore bob off", &["to 1.0: waits for 2", "records", "Alice takes from BOB #2"]);
    check_after(IGNORED, &[], "1 ignore Bob", &["to 1.0: done"]);
    check_after(ON, &[], "1 ignore Bob off", &["to 1.0: done"]);
}

#[test]
fn what_does_not_get_to_the_disk_is_undone() {
    let lost = ["to 1.0: not kept", "records", "Alice takes from BOB"];
    check_after(ON, &["1 ignore BOB"], "server lost 1", &lost);
    check_after(ON, &["1 ignore BOB", "server lost 1"], "3 ignore", &["to 3.0: ignores []"]);
    let lost = ["to 1.0: not kept", "records", "Alice ignores BOB"];
    check_after(IGNORED, &["1 ignore bob off"], "server lost 2", &lost);
    check_after(IGNORED, &["1 ignore bob off", "server lost 2"], "2 find alice", &["to 2.0: Alice takes none"]);
    check_after(IGNORED, &["1 ignore ~", "server lost 2"], "3 ignore", &["to 3.0: ignores [BOB]"]);
    // The session has ended meanwhile.
    let lost = ["records", "Alice takes from bob"];
    check_after(ON, &["1 ignore bob", "1 cut"], "server lost 1", &lost);
}

/// One session ignores bob while another does no longer. What the hub holds and what the store is told last agree in every
/// outcome.
#[test]
fn two_sessions_change_their_minds_at_once() {
    for begins_on in [false, true] {
        for verdicts in 0..4 {
            for is_reversed in [false, true] {
                let (first, second) =
                    if begins_on { ("1 ignore bob off", "3 ignore bob") } else { ("1 ignore bob", "3 ignore bob off") };
                let mut hub = hub_after(ON);
                let mut disk = false;
                let tickets: [u64; 2] = if begins_on {
                    carry_out(&mut hub, "1 ignore bob", 1);
                    carry_out(&mut hub, "server kept 1", 1);
                    disk = true;
                    [2, 3]
                } else {
                    [1, 2]
                };
                drain(&mut hub);
                records(&mut hub);
                carry_out(&mut hub, first, 1);
                carry_out(&mut hub, second, 1);
                let is_kept = |ticket: u64| verdicts >> (ticket - tickets[0]) & 1 == 1;
                drain(&mut hub);
                for HandedOut { record, ticket } in records(&mut hub) {
                    if ticket.is_some_and(is_kept) {
                        disk = matches!(record, Record::Ignore(..));
                    }
                }
                let mut order = tickets;
                if is_reversed {
                    order.reverse();
                }
                for ticket in order {
                    hub.settle_wait(ticket, is_kept(ticket));
                }
                let answers = said(&mut hub);
                assert_eq!(answers.len(), 2, "{answers:?}");
                for HandedOut { record, .. } in records(&mut hub) {
                    disk = matches!(record, Record::Ignore(..));
                }
                let holds = hub.ignores(&name("alice"), &name("bob").into());
                assert_eq!(holds, disk, "{begins_on} {verdicts} {is_reversed}");
                let last_kept = tickets.into_iter().rev().find(|ticket| is_kept(*ticket));
                let expected = last_kept.map_or(begins_on, |ticket| (ticket == tickets[0]) != begins_on);
                assert_eq!(holds, expected, "{begins_on} {verdicts} {is_reversed}");
            }
        }
    }
}

#[test]
fn direct_messages_are_refused_at_once() {
    check_after(IGNORED, &[], "2 tell ALICE hi", &["to 2.0: Alice takes none"]);
    check_after(IGNORED, &[], "2 find ALICE", &["to 2.0: Alice takes none"]);
    check_after(IGNORED, &["1 leave", "3 leave"], "2 findmail Alice", &["to 2.0: Alice takes none"]);
    check_after(IGNORED, &["1 leave", "3 leave"], "2 mail Alice hi", &["to 2.0: Alice takes none"]);
    let sent = ["bob but 1.0: Alice tells hi", "Alice but 1.0: own to bob: hi", "to 1.0: sent to bob", "records"];
    let mut hub = hub_after(IGNORED);
    carry_out(&mut hub, "1 tell bob hi", 1);
    assert_eq!(said_and_kept(&mut hub)[..3], sent[..3], "who is ignored hears");
    check_after(IGNORED, &["1 ignore bob off"], "2 find alice", &["to 2.0: found Alice"]);
    check_after(IGNORED, &[], "2 find nobody", &["to 2.0: nobody is not online"]);
}

#[test]
fn what_is_said_in_public_is_heard() {
    check_after(IGNORED, &[], "2 say hi", &["all but 2.0: bob says hi", "to 2.0: sent to 2"]);
}

#[test]
fn guests_are_ignored_together() {
    let setup = [ON, &["4 begin bob tea", "1 ignore ~", "server kept 1"]].concat();
    check_after(&setup, &[], "4 tell alice hi", &["to 4.0: Alice takes none"]);
    check_after(&setup, &[], "4 find alice", &["to 4.0: Alice takes none"]);
    check_after(&setup, &[], "2 find alice", &["to 2.0: found Alice"]);
    check_after(&setup, &[], "4 find bob", &["to 4.0: found bob"]);
    check_after(&setup, &[], "3 ignore", &["to 3.0: ignores [] ~"]);
    check_after(&setup, &[], "3 ignore ~", &["to 3.0: done"]);
    let off = ["to 3.0: waits for 2", "records", "Alice takes from ~ #2"];
    check_after(&setup, &[], "3 ignore ~ off", &off);
    check_after(&setup, &["3 ignore ~ off"], "4 find alice", &["to 4.0: found Alice"]);
    let hub = hub_after(&setup);
    assert!(hub.ignores(&name("ALICE"), &Who::parse("~bob").unwrap()));
    assert!(!hub.ignores(&name("ALICE"), &Who::parse("bob").unwrap()));
    assert!(hub.is_guest_here(&Who::parse("~BOB").unwrap()) && !hub.is_guest_here(&Who::parse("bob").unwrap()));
    // A guest of an ignored account's name is somebody else.
    check_after(IGNORED, &["4 begin bob tea"], "4 find alice", &["to 4.0: found Alice"]);
}

#[test]
fn guests_go_by_their_newest_names() {
    let here = |hub: &Hub, name: &str| hub.is_guest_here(&Who::parse(name).unwrap());
    let mut hub = hub_after(&["1 begin bob tea", "2 begin bob cake", "1 rename eve"]);
    assert!(here(&hub, "~bob") && here(&hub, "~eve"));
    carry_out(&mut hub, "2 rename BOB", 1);
    assert!(here(&hub, "~bob"));
    carry_out(&mut hub, "2 leave", 1);
    assert!(!here(&hub, "~bob") && here(&hub, "~EVE"));
    carry_out(&mut hub, "1 part tea", 1);
    assert!(!here(&hub, "~eve"));
    drain(&mut hub);
}

#[test]
fn refusals() {
    check_after(ON, &[], "1 ignore ALICE", &["to 1.0: ignores nobody's self"]);
    check_after(ON, &[], "1 ignore ALICE off", &["to 1.0: done"]);
    check_after(ON, &[], "1 ignore nobody", &["to 1.0: no account nobody"]);
    check_after(ON, &[], "1 ignore nobody off", &["to 1.0: no account nobody"]);
    check_after(ON, &["server full"], "1 ignore bob", &["to 1.0: not kept"]);
    check_after(ON, &["server full"], "1 ignore bob off", &["to 1.0: done"]);
    check_after(IGNORED, &["server full"], "1 ignore", &["to 1.0: ignores [BOB]"]);
}

#[test]
fn lists_are_of_the_account() {
    let more = ["1 ignore Zoe", "1 ignore Anna", "2 ignore carol", "1 ignore zoe off"];
    check_after(IGNORED, &more, "3 ignore", &["to 3.0: ignores [Anna BOB]"]);
    check_after(IGNORED, &more, "2 ignore", &["to 2.0: ignores [carol]"]);
}

#[test]
fn an_account_ignores_so_many() {
    let mut hub = hub_after(ON);
    let mut ask = |step: &str, expected: &str| {
        carry_out(&mut hub, step, 1);
        assert_eq!(said(&mut hub), [expected], "{step}");
        records(&mut hub);
    };
    for number in 1..=IGNORES_EACH {
        ask(&format!("1 ignore a{number}"), &format!("to 1.0: waits for {number}"));
        ask(&format!("server kept {number}"), "to 1.0: done");
    }
    ask("1 ignore bob", "to 1.0: ignores 100");
    ask("1 ignore A7", "to 1.0: done");
    ask("1 ignore ~", "to 1.0: waits for 101");
    ask("1 ignore a7 off", "to 1.0: waits for 102");
    // It may come back.
    ask("3 ignore bob", "to 3.0: ignores 100");
    ask("server kept 102", "to 1.0: done");
    ask("3 ignore bob", "to 3.0: waits for 103");
    ask("2 ignore a7", "to 2.0: waits for 104");
}

#[test]
fn a_new_account_inherits_neither_side() {
    // Bob is deleted, and somebody registers the name.
    let anew = ["2 leave", "server forget bob", "2.1 reenter bob"];
    check_after(IGNORED, &anew, "2.1 find alice", &["to 2.1: found Alice"]);
    check_after(IGNORED, &anew, "1 ignore", &["to 1.0: ignores []"]);
    check_after(IGNORED, &["2 leave", "2.1 reenter bob"], "2.1 find alice", &["to 2.1: found Alice"]);
    let ignored = ["to 1.0: waits for 2", "records", "Alice ignores bob/2 #2"];
    check_after(IGNORED, &["2 leave", "2.1 reenter bob"], "1 ignore bob/2", &ignored);
    // Alice is.
    let anew = ["1 leave", "3 leave", "server forget Alice", "1.1 reenter Alice"];
    check_after(IGNORED, &anew, "2 find alice", &["to 2.0: found Alice"]);
    check_after(IGNORED, &anew, "1.1 ignore", &["to 1.1: ignores []"]);
    check_after(IGNORED, &["1 leave", "3 leave", "1.1 reenter Alice"], "2 find alice", &["to 2.0: found Alice"]);
    // She is, while a change is on its way to the disk.
    let gone = ["1 ignore ~", "1 leave", "3 leave", "server forget Alice", "1.1 reenter Alice"];
    check_after(IGNORED, &gone, "server lost 2", &[]);
    check_after(IGNORED, &[&gone[..], &["server lost 2"]].concat(), "1.1 ignore", &["to 1.1: ignores []"]);
}

#[test]
fn what_was_on_its_way_to_the_disk_does_not_come_back_for_a_new_account() {
    // Alice is deleted, and the hub is not told.
    let anew = ["1 ignore bob off", "1 leave", "3 leave", "1.1 reenter Alice"];
    check_after(IGNORED, &anew, "server lost 2", &[]);
    check_after(IGNORED, &[&anew[..], &["server lost 2"]].concat(), "2 find alice", &["to 2.0: found Alice"]);
    // Bob is.
    let ignored = ["to 3.0: waits for 3", "records", "Alice takes from BOB", "Alice ignores bob/2 #3"];
    check_after(IGNORED, &["1 ignore bob off"], "3 ignore bob/2", &ignored);
    check_after(IGNORED, &["1 ignore bob off", "3 ignore bob/2"], "server lost 2", &["to 1.0: not kept"]);
}

#[test]
fn the_namesake_of_somebody_who_is_gone_takes_the_place() {
    let ignored = ["to 1.0: waits for 2", "records", "Alice takes from BOB", "Alice ignores bob/2 #2"];
    check_after(IGNORED, &[], "1 ignore bob/2", &ignored);
    check_after(IGNORED, &["1 ignore bob/2"], "1 ignore", &["to 1.0: ignores [bob]"]);
    check_after(IGNORED, &["1 ignore bob/2"], "2 find alice", &["to 2.0: found Alice"]);
    let off = ["to 1.0: waits for 3", "records", "Alice takes from bob/2 #3"];
    check_after(IGNORED, &["1 ignore bob/2"], "1 ignore nobody off", &["to 1.0: no account nobody"]);
    check_after(IGNORED, &["1 ignore bob/2"], "1 ignore bob off", &off);
}

#[test]
fn a_start_gives_them_back() {
    let whom = |text: &str| Whom::Account(account(text));
    let ignores = vec![
        (account("Alice"), whom("bob")),
        (account("Alice"), whom("carol")),
        (account("bob"), Whom::Guests),
        (Account { name: name("carol"), since: 7 }, whom("Alice")),
        (account("carol"), whom("bob")),
    ];
    let mut hub = Hub::new(RULES);
    hub.set_keeping(Keeping::On);
    hub.restore(Restored { ignores, ..Restored::default() });
    assert_eq!(said_and_kept(&mut hub), [""; 0]);
    for step in ["1 enter Alice", "2 enter bob", "3 begin eve tea"] {
        carry_out(&mut hub, step, 1);
        drain(&mut hub);
    }
    for (step, expected) in [
        ("1 ignore", "to 1.0: ignores [bob carol]"),
        ("2 ignore", "to 2.0: ignores [] ~"),
        ("2 tell alice hi", "to 2.0: Alice takes none"),
        ("3 tell bob hi", "to 3.0: bob takes none"),
        ("1 findmail carol", "to 1.0: found carol"), // that one was registered at the time 7
    ] {
        carry_out(&mut hub, step, 1);
        assert_eq!(said(&mut hub), [expected], "{step}");
    }
}
