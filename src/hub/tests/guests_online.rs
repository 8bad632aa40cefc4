//! Guests who have logged in, and those who share a room with somebody.

use super::*;

/// Alice (1), bob (2) and the guests ~rob (5) and ~kim (6) are online.
const IN: &[&str] = &["1 enter Alice", "2 enter bob", "5 enter ~Rob", "6 enter ~kim"];

/// Like `check`, after `IN`.
#[track_caller]
fn check_in(setup: &[&str], step: &str, expected: &[&str]) {
    check(&[IN, setup].concat(), step, expected);
}

#[test]
fn a_guest_is_online() {
    check(&["1 enter Alice"], "5 enter ~Rob", &["to 5.0: welcome ~Rob, 2 online"]);
    check_in(&[], "1 who", &["to 1.0: online Alice bob ~kim of 4"]);
    check_in(&[], "1 who ~", &["to 1.0: online ~kim ~Rob of 2"]);
    check_in(&[], "1 who ~R", &["to 1.0: online ~Rob of 1"]);
    check_in(&[], "5 who r", &["to 5.0: online  of 0"]);
    check_in(&[], "1 say hi", &["all but 1.0: Alice says hi", "to 1.0: sent to 3"]);
    check_in(&[], "5 say hi", &["all but 5.0: ~Rob says hi", "to 5.0: sent to 3"]);
    check_in(&["5 leave"], "1 who", &["to 1.0: online Alice bob ~kim of 3"]);
    check_in(&["5 leave"], "5 say hi", &[]);
}

#[test]
fn no_other_guest_has_that_name() {
    check_in(&[], "7 enter ~ROB", &["to 7.0: guest is there"]);
    check_in(&["7 enter ~ROB"], "7 say hi", &[]);
    check_in(&["1 make tea"], "7 visit rob tea", &["to 7.0: guest is there"]);
    check_in(&["1 make tea", "8 visit zoe tea"], "8 rename kim", &["to 8.0: guest is there"]);
    check_in(&["1 make tea", "8 visit zoe tea"], "7 enter ~zoe", &["to 7.0: guest is there"]);
    check_in(&["1 make tea", "8 visit zoe tea"], "5 rename zoe", &["to 5.0: guest is there"]);
    check_in(&[], "5 rename kim", &["to 5.0: guest is there"]);
    check_in(&["5 leave"], "7 enter ~rob", &["to 7.0: welcome ~rob, 4 online"]);
    // An account is somebody else.
    check_in(&[], "7 enter rob", &["to 7.0: welcome rob, 5 online"]);
}

#[test]
fn direct_messages_of_guests() {
    check_in(&[], "1 tell ~rob hi", &["~Rob but 1.0: Alice tells hi", "to 1.0: sent to ~Rob"]);
    check_in(&[], "5 tell ALICE hi", &["Alice but 5.0: ~Rob tells hi", "to 5.0: sent to Alice"]);
    check_in(&[], "5 tell ~kim hi", &["~kim but 5.0: ~Rob tells hi", "to 5.0: sent to ~kim"]);
    check_in(&[], "5 tell ~rob hi", &["to 5.0: that is you"]);
    check_in(&[], "1 find ~KIM", &["to 1.0: found ~kim"]);
    check_in(&[], "1 find ~zoe", &["to 1.0: ~zoe is not online"]);
    check_in(
        &["5 away lunch"],
        "1 tell ~rob hi",
        &["~Rob but 1.0: Alice tells hi", "to 1.0: sent to ~Rob, away: lunch"],
    );
    check_in(&["1 make tea", "8 visit zoe tea"], "1 tell ~zoe hi", &["to 1.0: ~zoe hears one room"]);
    // The other sessions of an account see what it tells a guest.
    let own = ["~Rob but 1.0: Alice tells hi", "Alice but 1.0: own to ~Rob: hi", "to 1.0: sent to ~Rob"];
    check_in(&["3 enter alice"], "1 tell ~rob hi", &own);
    // Nothing of that is kept.
    check_in(&["server on"], "1 tell ~rob hi", &["~Rob but 1.0: Alice tells hi", "to 1.0: sent to ~Rob"]);
    check_in(&["server on"], "5 mail dora hi", &["to 5.0: dora is not online"]);
    let hub = |step: &str| {
        let mut hub = hub_after(&[IN, &["server on"]].concat());
        carry_out(&mut hub, step, 1);
        let (events, _) = drain(&mut hub);
        events
            .into_iter()
            .find_map(|(_, event)| if let Event::Told { message, .. } = event { Some(message.fate) } else { None })
    };
    for step in ["1 tell ~rob hi", "5 tell alice hi", "5 tell ~kim hi"] {
        assert_eq!(hub(step), Some(Fate::Unkept), "{step}");
    }
    assert!(matches!(hub("1 tell bob hi"), Some(Fate::Kept(_))));
}

#[test]
fn a_guest_is_in_several_rooms_and_owns_none() {
    check_in(&[], "5 make tea", &["to 5.0: in tea#0"]);
    check_in(&["5 make tea", "1 make cake"], "5 join cake", &["to 1.0: ~Rob enters cake", "to 5.0: in cake#1"]);
    let both = ["5 make tea", "1 make cake", "5 join cake"];
    check_in(&both, "5 part tea", &["to 5.0: done", "ended 5.0#0"]);
    check_in(&[&both[..], &["5 part tea"]].concat(), "5 say hi", &["all but 5.0: ~Rob says hi", "to 5.0: sent to 3"]);
    check_in(&both, "5 leave", &["to 1.0: ~Rob leaves cake, offline", "ended 5.0#0 5.0#1"]);
    check_in(&["server on", "5 make tea"], "5 keep tea", &["to 5.0: needs an account"]);
    // A guest may be in a kept room, and is no member of it.
    let kept = ["server on", "1 make tea", "1 keep tea", "server kept 1"];
    check_in(&kept, "5 join tea", &["to 1.0: ~Rob enters tea", "to 5.0: in tea#0 kept 30 days"]);
    let inside = [&kept[..], &["5 join tea", "1 leave"]].concat();
    check_in(&inside, "5 names tea", &["to 5.0: in tea [~Rob, Alice absent] of 2"]);
    check_in(&inside, "2 names tea", &["to 2.0: in tea [~Rob, Alice absent] of 2"]);
    check_in(&inside, "5 settopic tea x", &["to 5.0: not host of tea"]);
    check_in(&[&inside[..], &["5 part tea"]].concat(), "5 topic tea", &["to 5.0: not in tea"]);
}

#[test]
fn what_guests_may_not_do() {
    for step in ["5 ignore bob", "5 ignore ~", "5 set status x"] {
        check_in(&["server on"], step, &["to 5.0: needs an account"]);
    }
    check_in(&[], "1 rename rob", &["to 1.0: no guest"]);
}

/// Alice (1), bob (2) and ~Rob (5) are in tea, Alice and ~Rob in cake, too.
const ROOMS: &[&str] = &["1 make tea", "2 join tea", "5 join tea", "1 make cake", "5 join cake"];

#[test]
fn a_guest_takes_another_name() {
    check_in(&[], "5 rename zoe", &["to 5.0: was ~Rob, is ~zoe"]);
    check_in(ROOMS, "5 rename zoe", &["to 1.0 2.0: ~Rob is ~zoe", "to 5.0: was ~Rob, is ~zoe"]);
    check_in(ROOMS, "5 rename ROB", &["to 1.0 2.0: ~Rob is ~ROB", "to 5.0: was ~Rob, is ~ROB"]);
    check_in(ROOMS, "5 rename Rob", &["to 5.0: was ~Rob, is ~Rob"]);
    let renamed = [ROOMS, &["5 rename zoe"]].concat();
    check_in(&renamed, "1 tell ~zoe hi", &["~zoe but 1.0: Alice tells hi", "to 1.0: sent to ~zoe"]);
    check_in(&renamed, "1 tell ~rob hi", &["to 1.0: ~rob is not online"]);
    check_in(
        &renamed,
        "1 kick cake ~zoe",
        &["to 5.0: ~zoe leaves cake, kicked", "to 1.0: ~zoe leaves cake, kicked", "to 1.0: done", "ended 5.0#1"],
    );
    // What it has said of itself goes with it, and those who watch a name hear of both.
    let watched = ["5 away lunch", "1 watch ~rob", "2 watch ~zoe"];
    let told = [
        "to 5.0: was ~Rob, is ~zoe",
        "watchers of ~Rob: ~Rob is offline",
        "watchers of ~zoe: ~zoe is online",
        "watchers of ~zoe: ~zoe is away: lunch",
    ];
    check_in(&watched, "5 rename zoe", &told);
    check_in(&[&watched[..], &["5 rename zoe"]].concat(), "1 watch ~zoe", &["to 1.0: watches ~zoe, away: lunch"]);
}

#[test]
fn a_guest_becomes_an_account_and_keeps_its_places() {
    let told = ["to 5.0: welcome rob, 4 online", "to 1.0 2.0: ~Rob is rob"];
    check_in(ROOMS, "5 enter rob", &told);
    check_in(
        &[ROOMS, &["5 enter rob"]].concat(),
        "5 rm cake hi",
        &["to 1.0: rob says in cake hi", "to 5.0: sent to 1"],
    );
    check_in(&[ROOMS, &["5 enter rob"]].concat(), "7 enter ~rob", &["to 7.0: welcome ~rob, 5 online"]);
    // It is still the host, and the room may be kept now.
    check_in(&["server on", "5 make tea", "5 enter rob"], "5 keep tea", &["to 5.0: waits for 1"]);
    // It becomes a member of the kept room that it is in.
    let kept = ["server on", "1 make tea", "1 keep tea", "server kept 1", "5 join tea", "5 enter rob", "5 leave"];
    check_in(&kept, "1 names tea", &["to 1.0: in tea [Alice host, rob absent] of 2"]);
    // Where the account is already, the guest leaves and enters.
    let there = [ROOMS, &["3 enter Rob", "3 join cake"]].concat();
    check_in(
        &there,
        "5 enter Rob",
        &[
            "to 5.0: welcome Rob, 4 online",
            "to 1.0 2.0: ~Rob leaves tea",
            "to 1.0 2.0: Rob enters tea",
            "to 1.0 3.0: ~Rob leaves cake",
            "to 1.0 3.0: Rob enters cake again",
        ],
    );
    // An account that has as many sessions as it may stays as it is, and so does the guest.
    check_in(&["3 enter rob", "4 enter rob"], "5 enter rob", &["to 5.0: full at 2"]);
    check_in(
        &["3 enter rob", "4 enter rob", "5 enter rob"],
        "5 say hi",
        &["all but 5.0: ~Rob says hi", "to 5.0: sent to 5"],
    );
    // Nobody else logs in twice.
    check_in(&[], "5 enter ~zoe", &[]);
    check_in(&[], "1 enter dora", &[]);
    check_in(&["1 make tea", "8 visit zoe tea"], "8 enter dora", &[]);
}

#[test]
fn the_first_and_the_last_session_of_a_name() {
    let twice = ["3 enter alice", "1 make tea", "2 join tea"];
    check_in(&twice, "3 join tea", &["to 1.0 2.0: alice enters tea again", "to 3.0: in tea#0"]);
    check_in(&twice, "3 part tea", &["to 3.0: not in tea"]);
    let both = [&twice[..], &["3 join tea"]].concat();
    check_in(
        &both,
        "3 part tea soon back",
        &["to 1.0 2.0: alice leaves tea, still there: soon back", "to 3.0: done", "ended 3.0#0"],
    );
    // The session ends, and the account is online still.
    check_in(
        &["3 enter alice", "2 make tea", "3 join tea"],
        "3 leave bye",
        &["to 2.0: alice leaves tea: bye", "ended 3.0#0"],
    );
}

#[test]
fn neighbours_are_told_once() {
    let on = |more: &[&'static str]| [&["server neighbours"], ROOMS, more].concat();
    check_in(
        &on(&[]),
        "5 leave bye",
        &[
            "to 1.0 2.0: ~Rob goes: bye",
            "to 1.0 2.0: ~Rob leaves tea, offline: bye",
            "to 1.0: ~Rob leaves cake, offline: bye",
            "ended 5.0#0 5.0#1",
        ],
    );
    check_in(&on(&[]), "5 away lunch", &["to 5.0: away: lunch", "to 1.0 2.0: ~Rob is away: lunch"]);
    check_in(&on(&["5 away lunch"]), "5 away", &["to 5.0: back", "to 1.0 2.0: ~Rob is back"]);
    check_in(&on(&["5 away lunch"]), "5 away lunch", &["to 5.0: away: lunch"]);
    check_in(&on(&[]), "5 set name Rob R.", &["to 1.0 2.0: ~Rob is called Rob R.", "to 5.0: done"]);
    check_in(&on(&["5 set name x"]), "5 set name", &["to 1.0 2.0: ~Rob is called nothing", "to 5.0: done"]);
    // Those who share no room are not told, nor is anybody while no door spells it.
    check_in(&on(&[]), "6 away lunch", &["to 6.0: away: lunch"]);
    check_in(ROOMS, "5 away lunch", &["to 5.0: away: lunch"]);
    check_in(
        &on(&["server on", "2 set name Bob B."]),
        "server kept 1",
        &["to 1.0 5.0: bob is called Bob B.", "to 2.0: done"],
    );
    check_in(&on(&["server on", "2 set name Bob B."]), "server lost 1", &["to 2.0: not kept"]);
    // Who comes into a room away is seen so.
    check_in(
        &["server neighbours", "1 make tea", "5 away lunch"],
        "5 join tea",
        &["to 1.0: ~Rob enters tea, away: lunch", "to 5.0: in tea#0"],
    );
}

#[test]
fn how_somebody_is_called() {
    let hub =
        hub_after(&[IN, &["7 enter ~zoe Zoe Z.", "3 enter alice Alice A.", "4 enter dora Dora", "4 leave"]].concat());
    let called = |name: &str| hub.called(&whom(name)).map(str::to_owned);
    assert_eq!(called("~ZOE").as_deref(), Some("Zoe Z."));
    assert_eq!(called("alice").as_deref(), Some("Alice A."));
    assert_eq!((called("bob"), called("dora")), (None, None));
    let person = hub.person(&whom("~zoe"), 1).unwrap();
    assert_eq!(
        (person.name.to_string(), person.sessions, person.called.as_deref()),
        ("~zoe".into(), 1, Some("Zoe Z."))
    );
}
