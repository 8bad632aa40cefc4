//! Invitations, rooms that are handed on, not hearing what is said to everybody, and guests.

use super::*;

#[test]
fn inviting_and_being_invited() {
    Stage::ready().check(
        "user /invite bob
        ! usage: you are in no room; say which one
        ask alice>
        user /invite lobby @bob
        > C INVITE lobby bob
        ask alice>
        server C 200 bob is invited to lobby (away: lunch)
        # 200 bob is invited to lobby (away: lunch)
        user /invite lobby carol
        > C INVITE lobby carol
        ask alice>
        server C 554 carol takes no messages from you
        # 554 carol takes no messages from you
        server C 111 den bob invites you
        * 111 den bob invites you",
    );
}

#[test]
fn handing_a_room_on() {
    Stage::ready().check(
        "user /host #lobby bob
        > C HOST lobby bob
        ask alice>
        server C 107 lobby bob is host now
        * 107 lobby bob is host now
        server C 200 done
        # 200 you have handed lobby to bob
        user /host lobby carol
        > C HOST lobby carol
        ask alice>
        server C 554 the owner is alice
        # 554 the owner is alice
        user /host
        ! usage: usage: /host [ROOM] NAME
        ask alice>",
    );
}

#[test]
fn not_hearing_everybody_also_after_a_break() {
    let mut stage = Stage::ready();
    stage.check(
        "user /public off
        > C PUBLIC off
        ask alice>
        server C 200 you do not hear what is said to everybody; PUBLIC on ends that
        # 200 you do not hear what is said to everybody; /public on ends that
        lost cut
        ! lost: the connection to a:1 is lost: cut
        - retry: trying a:1 in 1 s
        prompt alice (offline)>
        wait 60000
        - connecting: connecting to a:1
        connect 0",
    );
    let happened = stage.play("connected\nserver C 220 hi\nserver C 230 welcome");
    assert!(happened.contains("> C PUBLIC off\n"), "{happened}");
    stage.play("server C 231 t3 expires=86400\nserver C 211 0 online");
    stage.check(
        "server C 200 you do not hear what is said to everybody; PUBLIC on ends that
        - public: you do not hear what is said to everybody; /public on ends that
        user /public on
        > C PUBLIC on
        ask alice>
        server C 200 you hear what is said to everybody
        # 200 you hear what is said to everybody",
    );
    let mut older = Stage::ready();
    older.check(
        "user /public off
        > C PUBLIC off
        ask alice>
        server C 502 unknown operation; PM hello says it to everybody, HELP lists all
        # 502 this server has no PUBLIC: it is older than this client",
    );
}

/// A guest at the prompt.
fn guest() -> Stage {
    let mut stage = Stage::new(Settings { user: "~rob".to_owned(), ..settings() }, None);
    let happened = stage.play("connected\nserver C 220 hi\nserver C 230 welcome ~Rob; 2 online");
    assert!(happened.contains("> C ~rob\n") && happened.contains("ask ~Rob>\n"), "{happened}");
    assert!(!happened.contains("TOKEN"), "{happened}");
    stage.play("server C 211-bob\nserver C 211 1 online");
    stage
}

#[test]
fn a_guest_takes_another_name() {
    let mut stage = guest();
    let happened = stage.play("user /nick zoe\nserver C 553 another guest has that name");
    assert!(
        happened.contains("> C NICK ~zoe\n") && happened.contains("# 553 another guest has that name\n"),
        "{happened}"
    );
    assert!(!happened.contains("~zoe>"), "{happened}");
    let happened = stage.play("user /nick ~Kim\nserver C 200 you are ~Kim now");
    assert!(happened.contains("> C NICK ~Kim\n") && happened.contains("# 200 you are ~Kim now\n"), "{happened}");
    assert!(happened.contains("prompt ~Kim>\n"), "{happened}");
    // It comes back under the new name.
    let happened = stage.play("lost cut\nwait 60000\nconnected\nserver C 220 hi");
    assert!(happened.contains("> C ~Kim\n"), "{happened}");
}

#[test]
fn the_name_of_an_account_stays() {
    Stage::ready().check(
        "user /nick rob
        ! unknown: your name is your account's and stays: log in under another one; /set name TEXT is shown by /whois
        ask alice>",
    );
}

#[test]
fn a_server_that_lets_no_guests_in() {
    let mut stage = Stage::new(Settings { user: "~rob".to_owned(), ..settings() }, None);
    let happened = stage.play("connected\nserver C 220 hi\nserver C 553 a name is a letter; your name?");
    assert!(happened.contains("give another name"), "{happened}");
}

#[test]
fn a_talk_goes_on_with_a_guest_who_has_another_name() {
    let mut stage = Stage::ready();
    let happened = stage.play("user /dm ~rob\nserver C 354 your message?\nserver C 102 ~ROB is ~bob now\nuser psst");
    assert!(happened.contains("> C DM ~bob psst\n"), "{happened}");
}
