//! Where typed text goes: rooms that are entered and left, and texts for one of them.

use super::*;

#[test]
fn rooms() {
    Stage::ready().check(
        "user /join lobby pw
        > C JOIN lobby pw
        server C 554 wrong password
        # 554 wrong password
        ask alice>
        user /make Lobby
        > C MAKE Lobby
        server C 227 Lobby token=ABC udp=5
        - place: you talk in Lobby now
        ask alice in Lobby>
        user hi
        > C RM Lobby hi
        ask alice in Lobby>
        server C 250 sent to 0
        = room Lobby alice: hi (sent to 0)
        server C 103 Lobby bob entered
        * 103 Lobby bob entered
        server D RM 1048577 Lobby bob hello
        = room Lobby 1048577 bob: hello
        user /kick bob
        > C KICK Lobby bob
        server C 200 done
        # 200 bob is out of Lobby
        ask alice in Lobby>
        server C 104 Lobby bob left: kicked
        * 104 Lobby bob left: kicked
        user /pm
        - place: you talk to everybody now
        ask alice>
        user /join lobby
        - place: you talk in Lobby now
        ask alice in Lobby>
        user /leave
        > C LEAVE Lobby
        server C 200 done
        # 200 you have left Lobby
        - place: you talk to everybody now
        ask alice>",
    );
}

#[test]
fn a_room_in_another_normal_form() {
    Stage::ready().check(
        "user /join cafe\u{301}
        > C JOIN cafe\u{301}
        server C 227 caf\u{e9} token=A
        - place: you talk in caf\u{e9} now
        ask alice in caf\u{e9}>
        user /pm
        - place: you talk to everybody now
        ask alice>
        user /join cafe\u{301}
        - place: you talk in caf\u{e9} now
        ask alice in caf\u{e9}>
        user /leave cafe\u{301}
        > C LEAVE caf\u{e9}
        server C 200 done
        # 200 you have left caf\u{e9}
        - place: you talk to everybody now
        ask alice>",
    );
}

#[test]
fn room_messages_never_become_public() {
    for notice in ["104 lobby alice left: kicked", "106 lobby closed: by its host"] {
        let mut stage = Stage::ready();
        stage.play("user /join lobby\nserver C 227 lobby token=A");
        stage.check(&format!(
            "server C {notice}
            * {notice}
            - place: you talk to everybody now
            user the secret plan
            ! not-sent: not sent, for you are somewhere else now; /join or /pm first, or say it again: the secret plan
            ask alice>
            user hello
            > C PM hello
            ask alice>"
        ));
    }
}

#[test]
fn typed_ahead_lines_stay_in_their_room() {
    Stage::script().check(
        "user /dm bob
        > C DM bob
        user between you and me
        server C 550 bob is not online
        # 550 bob is not online
        ! not-done: line 1 was not done: /dm bob (bob is not online)
        ! not-sent: not sent, for nobody is there to hear it: between you and me
        ! not-done: line 2 was not done: between you and me
        ask alice>
        user to all
        > C PM to all
        ask alice>
        user /join den
        > C JOIN den
        user our plan
        user and more
        server C 250 sent to 2
        = all alice: to all (sent to 2)
        server C 554 wrong password
        # 554 wrong password
        ! not-done: line 4 was not done: /join den (wrong password)
        ! not-sent: not sent, for you are somewhere else now; /join or /pm first, or say it again: our plan
        ! not-done: line 5 was not done: our plan
        ! not-sent: not sent, for you are somewhere else now; /join or /pm first, or say it again: and more
        ! not-done: line 6 was not done: and more
        ask alice>
        user /pm
        - place: you talk to everybody now
        ask alice>
        user hello
        > C PM hello
        ask alice>",
    );
    let mut stage = Stage::script();
    stage.play("user /join den\nserver C 227 den token=A\nserver C 106 den closed: by its host");
    for line in [2, 3] {
        stage.check(&format!(
            "user our plan
            ! not-sent: not sent, for you are somewhere else now; /join or /pm first, or say it again: our plan
            ! not-done: line {line} was not done: our plan
            ask alice>",
        ));
    }
}

#[test]
fn the_host_s_closed_room_is_gone() {
    for answer in [
        "server C 106 Lobby closed: by its host\nserver C 200 closed",
        "server C 200 closed\nserver C 106 Lobby closed: by its host",
    ] {
        let mut stage = Stage::script();
        stage.play("user /make Lobby\nserver C 227 Lobby token=A\nuser /close lobby");
        stage.play(answer);
        stage.check("user hello\n> C PM hello\nask alice>");
    }
}

#[test]
fn a_room_is_left_by_any_spelling() {
    for (made, left) in [("ΟΔΟΣ", "οδος"), ("οδος", "ΟΔΟΣ"), ("GRÜN", "gru\u{308}n"), ("Lobby", "lOBBY")]
    {
        let mut stage = Stage::script();
        stage.play(&format!("user /make {made}\nserver C 227 {made} token=A"));
        stage.check(&format!(
            "user /leave {left}
            > C LEAVE {made}
            server C 200 done
            # 200 you have left {made}
            - place: you talk to everybody now
            ask alice>
            user hello
            > C PM hello
            ask alice>
            server C 250 sent to 0
            = all alice: hello (sent to 0)"
        ));
        assert_eq!(stage.session.rooms.iter().count(), 0);
        stage.play(&format!("user /make {made}\nserver C 227 {made} token=A"));
        stage.check(&format!(
            "user /close {left}
            > C CLOSE {made}
            server C 106 {made} closed: by its host
            * 106 {made} closed: by its host
            - place: you talk to everybody now
            server C 200 done
            # 200 {made} is closed
            ask alice>
            user hello
            > C PM hello
            ask alice>"
        ));
    }
}

#[test]
fn rooms_the_server_distinguishes_stay_apart() {
    let mut stage = Stage::ready();
    stage.play("user /make straße\nserver C 227 straße token=A");
    stage.check(
        "user /leave STRASSE
        > C LEAVE STRASSE
        server C 550 no such room
        # 550 no such room
        ask alice in straße>
        user /rm STRASSE\u{3000}hello world
        > C RM STRASSE\u{3000}hello world
        ask alice in straße>
        server C 550 no such room
        # 550 no such room
        - not-sent: not sent, in STRASSE\u{3000}hello: world",
    );
}

#[test]
fn no_room_was_named() {
    let mut stage = Stage::ready();
    stage.play("user /make den\nserver C 227 den token=A\nuser /make lobby\nserver C 227 lobby token=B\nuser /pm");
    for command in ["/leave", "/names", "/close", "/kick bob"] {
        stage.check(&format!(
            "user {command}
            ! usage: you talk to everybody; say which room (you are in den, lobby)
            ask alice>"
        ));
    }
    stage.check(
        "user /leave den
        > C LEAVE den
        server C 200 done
        # 200 you have left den
        ask alice>
        user /make lobby
        > C MAKE lobby
        server C 553 lobby is there already; JOIN lobby enters it
        # 553 lobby is there already; /join lobby enters it
        ask alice>
        user /join #lobby
        - place: you talk in lobby now
        ask alice in lobby>",
    );
}
