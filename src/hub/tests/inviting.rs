//! Invitations, hosts that hand their room on, sessions that hear nobody in public, notices, and figures.

use std::sync::Arc;

use super::*;

/// Alice has made the lobby, and bob is in it, with two sessions; carol is not.
const LOBBY: &[&str] =
    &["1 enter Alice", "2 enter bob", "3 enter carol", "4 enter bob", "1 make Lobby", "2 join lobby"];

#[track_caller]
fn check_in(setup: &[&str], step: &str, expected: &[&str]) {
    check(&[LOBBY, setup].concat(), step, expected);
}

#[test]
fn inviting() {
    check_in(
        &[],
        "1 invite LOBBY CAROL",
        &["carol but 1.0: Alice invites carol to Lobby", "to 1.0: carol invited to Lobby"],
    );
    check_in(
        &[],
        "2 invite lobby carol",
        &["carol but 2.0: bob invites carol to Lobby", "to 2.0: carol invited to Lobby"],
    );
    let told = ["carol but 1.0: Alice invites carol to Lobby", "to 1.0: carol invited to Lobby, away: tea"];
    check_in(&["3 away tea"], "1 invite lobby carol", &told);
    check_in(&[], "1 invite lobby BOB", &["to 1.0: bob is in Lobby"]);
    check_in(&[], "1 invite lobby alice", &["to 1.0: Alice is in Lobby"]);
    check_in(&[], "4 invite lobby carol", &["to 4.0: not in Lobby"]);
    check_in(&[], "1 invite tea carol", &["to 1.0: no such room"]);
    check_in(&[], "1 invite lobby dora", &["to 1.0: dora is not online"]);
    check_in(&[], "1 invite lobby ~zoe", &["to 1.0: ~zoe is not online"]);
    let ignores = ["server on", "3 ignore alice", "server kept 1"];
    check_in(&ignores, "1 invite lobby carol", &["to 1.0: carol takes none"]);
}

#[test]
fn guests_invite_and_are_invited() {
    let zoe = ["8 visit zoe lobby"];
    check_in(
        &zoe,
        "8 invite lobby carol",
        &["carol but 8.0: ~zoe invites carol to Lobby", "to 8.0: carol invited to Lobby"],
    );
    check_in(&["8 begin zoe tea"], "1 invite lobby ~zoe", &["to 1.0: ~zoe hears one room"]);
}

#[test]
fn members_are_told_of_invitations_while_neighbours_are() {
    let mut hub = hub_after(LOBBY);
    hub.tell_neighbours(true);
    carry_out(&mut hub, "1 invite lobby carol", 1);
    let asked = "to 2.0: Alice asks carol into Lobby";
    assert_eq!(
        said(&mut hub),
        ["carol but 1.0: Alice invites carol to Lobby", asked, "to 1.0: carol invited to Lobby"]
    );
}

#[test]
fn handing_on() {
    let handed = ["to 1.0 2.0: bob is host of Lobby after Alice", "to 1.0: done"];
    check_in(&[], "1 handon lobby BOB", &handed);
    check_in(&["1 handon lobby bob"], "1 close lobby", &["to 1.0: not host of Lobby"]);
    check_in(
        &["1 handon lobby bob"],
        "2 close lobby",
        &["to 1.0 2.0: Lobby closed by its host", "to 2.0: done", "ended 1.0#0 2.0#0"],
    );
    check_in(&[], "1 handon lobby alice", &["to 1.0: done"]);
    check_in(&[], "2 handon lobby bob", &["to 2.0: not host of Lobby"]);
    check_in(&[], "3 handon lobby carol", &["to 3.0: not in Lobby"]);
    check_in(&[], "1 handon lobby carol", &["to 1.0: carol is not there"]);
    check_in(&[], "1 handon tea bob", &["to 1.0: no such room"]);
    // The first of its sessions there is host; another one is no longer when that leaves.
    let twice = ["4 join lobby", "1 handon lobby bob"];
    check_in(&twice, "4 part lobby", &["to 1.0 2.0: bob leaves Lobby, still there", "to 4.0: done", "ended 4.0#0"]);
    // A guest can be host, and what happens to the room when its host leaves does not change.
    check_in(
        &["8 visit zoe lobby"],
        "1 handon lobby ~zoe",
        &["to 1.0 2.0: ~zoe is host of Lobby after Alice", "to 1.0: done"],
    );
    let found = ["8 found zoe den", "8 listen den", "3 join den", "8 handon den carol"];
    check_in(&found, "3 part den", &["to 8.0: den closed, its host has left", "to 3.0: done", "ended 3.0#1 8.0#1"]);
}

#[test]
fn a_kept_room_is_not_handed_on() {
    let kept = ["server on", "1 keep lobby", "server kept 1"];
    for step in ["1 handon lobby bob", "1 handon lobby alice", "2 handon lobby nobody"] {
        let who = step.split_once(' ').unwrap().0;
        check_in(&kept, step, &[&format!("to {who}.0: owned by Alice")]);
    }
    check_in(&kept, "3 handon lobby bob", &["to 3.0: not in Lobby"]);
    check_in(
        &[&kept[..], &["1 leave", "server forget Alice"]].concat(),
        "2 handon lobby bob",
        &["to 2.0: owned by nobody"],
    );
}

#[test]
fn attending() {
    check_in(&[], "2 public off", &["to 2.0: attends: false"]);
    let off = ["2 public off", "2 public off"];
    check_in(&off, "1 say hi", &["all but 1.0: Alice says hi", "to 1.0: sent to 2"]);
    check_in(&off, "2 say hi", &["all but 2.0: bob says hi", "to 2.0: sent to 3"]);
    check_in(&off, "1 tell bob hi", &["bob but 1.0: Alice tells hi", "to 1.0: sent to bob"]);
    check_in(&off, "1 rm lobby hi", &["to 2.0: Alice says in Lobby hi", "to 1.0: sent to 1"]);
    check_in(
        &[&off[..], &["2 public on", "2 public on"]].concat(),
        "1 say hi",
        &["all but 1.0: Alice says hi", "to 1.0: sent to 3"],
    );
    check_in(&[&off[..], &["2 leave"]].concat(), "1 say hi", &["all but 1.0: Alice says hi", "to 1.0: sent to 2"]);
    check_in(&["8 visit zoe lobby"], "8 public off", &[]);
    check_in(&[], "9 public off", &[]);
    let hub = hub_after(&[LOBBY, &off].concat());
    assert_eq!(hub.hearers(&Audience::Others(id(1))), [id(3), id(4)]);
    assert_eq!((hub.attends(id(2)), hub.attends(id(1)), hub.attends(id(9)), hub.attending()), (false, true, false, 3));
}

#[test]
fn notices() {
    check_in(&[], "1 note hi", &["all but 1.0: Alice notes hi", "to 1.0: sent to 3"]);
    check_in(&[], "1 roomnote lobby hi", &["to 2.0: Alice notes in Lobby hi", "to 1.0: sent to 1"]);
    check_in(&[], "1 notice bob hi", &["bob but 1.0: Alice notes hi", "to 1.0: sent to bob"]);
    // It is kept where it was heard, and not for somebody who is away.
    let away = ["server on", "3 leave"];
    check_in(&away, "1 notice carol hi", &["to 1.0: carol is not online"]);
    check_in(&away, "1 mail carol hi", &["to 1.0: waits for 1"]);
    let mut hub = hub_after(&[&["server on"], LOBBY].concat());
    carry_out(&mut hub, "1 notice bob hi", 1);
    let events = drain(&mut hub).0;
    let Some((_, Event::Told { to, message })) = events.first() else { panic!("{events:?}") };
    assert_eq!((to, &message.fate), (&whom("bob"), &Fate::Kept(Spot::Direct(account("bob")))));
}

#[test]
fn answers_carry_what_was_said() {
    let mut hub = hub_after(&[&["server on"], LOBBY].concat());
    for (step, place) in [("1 say hi", None), ("1 rm LOBBY hi", Some("Lobby"))] {
        carry_out(&mut hub, step, 7);
        let events = drain(&mut hub).0;
        let [(_, Event::Said(said) | Event::SaidIn { message: said, .. }), (_, Event::Sent { room, message, .. })] =
            &events[..]
        else {
            panic!("{events:?}")
        };
        assert_eq!((message, room.as_ref().map(|room| room.as_str())), (said, place));
        assert!(Arc::ptr_eq(&said.text, &message.text), "the text is shared");
    }
    carry_out(&mut hub, "3 leave", 7);
    carry_out(&mut hub, "1 mail carol later", 7);
    drain(&mut hub);
    hub.settle_wait(1, true);
    let events = drain(&mut hub).0;
    let [(_, Event::KeptFor { name, message })] = &events[..] else { panic!("{events:?}") };
    assert_eq!(
        (name.as_str(), message.text.as_ref(), message.from.to_string()),
        ("carol", "later", "Alice".to_owned())
    );
}

#[test]
fn entering_says_what_a_member_needs_to_know() {
    let entered = |setup: &[&str], step: &str| {
        let mut hub = hub_after(&[LOBBY, setup].concat());
        carry_out(&mut hub, step, 1);
        let entry = drain(&mut hub).0.into_iter().find_map(|(_, event)| {
            let Event::Entered { again, topic, host, .. } = event else { return None };
            Some((again, topic.map(|topic| topic.text.to_string()), host.map(|host| host.to_string())))
        });
        entry.unwrap_or_else(|| panic!("{step} enters nothing"))
    };
    let alice = || Some("Alice".to_owned());
    assert_eq!(entered(&[], "3 make tea"), (false, None, Some("carol".to_owned())));
    assert_eq!(entered(&[], "3 join lobby"), (false, None, alice()));
    assert_eq!(entered(&[], "2 join lobby"), (true, None, alice()));
    assert_eq!(entered(&["1 settopic lobby tea"], "3 join lobby"), (false, Some("tea".to_owned()), alice()));
    let kept = ["server on", "1 keep lobby", "server kept 1", "1 part lobby"];
    assert_eq!(entered(&kept, "3 join lobby"), (false, None, None));
    assert_eq!(entered(&kept, "1 join lobby"), (false, None, alice()));
}

#[test]
fn lists_say_who_is_away() {
    let away = ["2 away tea"];
    check_in(&away, "1 names lobby", &["to 1.0: in Lobby [Alice host, bob*] of 2"]);
    check_in(&away, "1 who b", &["to 1.0: online bob* of 1"]);
}

#[test]
fn lists_are_as_long_as_is_asked() {
    check_in(&["5 enter ~kim", "6 enter ~rob"], "1 who", &["to 1.0: online Alice bob carol of 5"]);
    let mut hub = hub_after(&[LOBBY, &["5 enter ~kim", "6 enter ~rob"]].concat());
    for (most, shown) in [(Some(9), 5), (Some(1), 1), (None, 3)] {
        hub.handle(id(1), Command::Who { prefix: "".into(), most }, 1);
        let event = hub.poll_event().unwrap().1;
        assert!(matches!(&event, Event::Online { names, matching: 5 } if names.len() == shown), "{most:?}: {event:?}");
        hub.handle(id(1), Command::Names { room: room("lobby"), prefix: "".into(), most }, 1);
        let event = hub.poll_event().unwrap().1;
        let shown = shown.min(2);
        assert!(
            matches!(&event, Event::Names { names, matching: 2, .. } if names.len() == shown),
            "{most:?}: {event:?}"
        );
    }
}

#[test]
fn who_of_these_is_online() {
    let zoe = ["8 visit zoe lobby", "2 away tea"];
    let found = ["to 1.0: online bob* ~zoe Alice of 3"];
    check_in(&zoe, "1 areon BOB ~ZOE dora ~bob alice", &found);
    check_in(&zoe, "8 areon dora", &["to 8.0: online  of 0"]);
}

#[test]
fn the_rooms_of_somebody() {
    let hub = hub_after(&[LOBBY, &["3 make tea", "4 join tea", "8 visit zoe tea"]].concat());
    let shown = |name: &str| {
        let line = |(room, is_host): (RoomName, bool)| format!("{}{room}", if is_host { "@" } else { "" });
        hub.rooms_named(&whom(name)).into_iter().map(line).collect::<Vec<_>>().join(" ")
    };
    let expected = [("ALICE", "@Lobby"), ("bob", "Lobby tea"), ("carol", "@tea"), ("~zoe", "tea"), ("dora", "")];
    for (name, rooms) in expected {
        assert_eq!(shown(name), rooms, "{name}");
    }
}

#[test]
fn topics_in_the_list_of_rooms() {
    let topic = ["1 settopic lobby news"];
    check_in(&topic, "3 rooms", &["to 3.0: rooms [Lobby 2: news] of 1"]);
    let locked = ["1 settopic lobby news", "1 lock lobby word"];
    check_in(&locked, "3 rooms", &["to 3.0: rooms [Lobby 2 locked] of 1"]);
    check_in(&locked, "2 rooms", &["to 2.0: rooms [Lobby 2 locked: news] of 1"]);
}

#[test]
fn members_are_told_of_a_password() {
    let mut hub = hub_after(LOBBY);
    hub.tell_neighbours(true);
    carry_out(&mut hub, "1 lock lobby word", 1);
    assert_eq!(drain(&mut hub).0.len(), 2);
    carry_out(&mut hub, "1 lock lobby", 1);
    let (audience, event) = hub.poll_event().unwrap();
    assert_eq!((hub.hearers(&audience), spelled_event(&event)), (vec![id(2)], "Alice unlocks Lobby".to_owned()));
    check_in(&[], "1 lock lobby word", &["to 1.0: done"]);
}

#[test]
fn counting() {
    check_in(&[], "1 census", &["to 1.0: 3 accounts, 0 guests, 4 sessions of 4, 1 rooms"]);
    let more = ["8 visit zoe lobby", "9 begin kim tea", "4 leave"];
    check_in(&more, "1 census", &["to 1.0: 3 accounts, 2 guests, 5 sessions of 6, 2 rooms"]);
    check_in(&[], "9 census", &[]);
}
