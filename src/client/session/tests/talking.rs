//! What the user types.

use super::*;

#[test]
fn texts_and_their_confirmation() {
    Stage::ready().check(
        "user hello all
        > C PM hello all
        ask alice>
        server D PM 1048576 bob hi Alice
        = all 1048576 bob: hi Alice !
        server C 250 sent to 3
        = all alice: hello all (sent to 3)
        user //x
        > C PM /x
        ask alice>
        user /dm bob psst
        > C DM bob psst
        ask alice>
        server C 250 sent to 2
        = all alice: /x (sent to 2)
        server C 550 bob is not online
        # 550 bob is not online
        server D DM 2097152 bob are you there?
        = with bob 2097152 bob: are you there? !
        server D PM 3145728 alice alice from elsewhere
        = all 3145728 alice: alice from elsewhere",
    );
}

#[test]
fn the_plain_dialogue() {
    Stage::ready().check(
        "user PM
        ask your message?
        server D DM 1 bob psst
        = with bob 1 bob: psst !
        user WHO knows
        > C PM WHO knows
        ask alice>
        server C 250 sent to 1
        = all alice: WHO knows (sent to 1)
        user DM
        > C WHO
        server C 211-alice
        #- 211 alice
        server C 211-carol
        #- 211 carol
        server C 211 2 online
        # 211 2 online
        ask name and message?
        user bob
        > C DM bob
        server C 354 your message?
        ask your message to bob?
        user hi bob
        > C DM bob hi bob
        ask alice>
        server C 250 sent to bob
        = with bob alice: hi bob (sent to bob)
        user DM eve
        > C DM eve
        server C 550 eve is not online
        # 550 eve is not online
        ask alice>
        user DM bob hi
        > C DM bob hi
        ask alice>
        server C 250 sent to bob
        = with bob alice: hi (sent to bob)
        user EX
        > C EX
        server C 221 bye
        disconnect
        leave 0",
    );
}

#[test]
fn questions_are_cancelled_or_abandoned() {
    Stage::ready().check(
        "user PM
        ask your message?
        user
        - cancelled: cancelled
        ask alice>
        user PM
        ask your message?
        user /hlp
        ! unknown: there is no /hlp; did you mean /help?
        ask your message?
        user //slash
        > C PM /slash
        ask alice>
        user PM
        ask your message?
        user /pm hi
        > C PM hi
        ask alice>
        user
        ask alice>",
    );
}

#[test]
fn slips() {
    Stage::ready().check(
        "user /frobnicate
        ! unknown: there is no /frobnicate; did you mean /forget?
        ask alice>
        user / who
        ! unknown: there is no /; /help lists all
        ask alice>
        user /wo
        ! unknown: there is no /wo; did you mean /who?
        ask alice>
        user /rm lobby
        ! usage: usage: /rm ROOM TEXT
        ask alice>
        user /leave
        ! usage: you are in no room; say which one
        ask alice>
        user /join a\u{202e}b
        ! usage: a room's name is letters, digits or _ . -
        ask alice>
        user /help dm
        - help: /dm [NAME [TEXT]]: say TEXT to NAME; what is missing is asked for
        ask alice>",
    );
}

#[test]
fn lists() {
    let mut stage = Stage::ready();
    let version = stage.session.known().version();
    stage.check(
        "user /who ca
        > C WHO ca
        ask alice>
        server C 211-carol
        #- 211 carol
        server C 211 1 online
        # 211 1 online
        user /rooms
        > C ROOMS
        ask alice>
        server C 211-lobby 3 members
        #- 211 lobby 3 members
        server C 211 1 room
        # 211 1 room
        user /names lobby
        > C NAMES lobby
        ask alice>
        server C 211 0 in lobby
        # 211 0 in lobby",
    );
    assert!(stage.session.known().version() > version);
    assert!(stage.session.known().names().eq(["alice", "bob", "carol"]));
    assert!(stage.session.known().rooms().eq(["lobby"]));
}

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
        # 200 done
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
        # 200 done
        - place: you talk to everybody now
        ask alice>",
    );
}

#[test]
fn a_room_whose_name_was_typed_in_another_normal_form() {
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
        > C LEAVE cafe\u{301}
        server C 200 done
        # 200 done
        - place: you talk to everybody now
        ask alice>",
    );
}

#[test]
fn what_was_meant_for_a_room_does_not_go_to_everybody() {
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
fn passwords_are_changed_step_by_step() {
    let mut stage = Stage::ready();
    stage.check(
        "user /passwd
        > C PASSWD
        server C 331 your old password?
        want password 1
        wait 10000000
        secret old password
        > D old password
        server C 332 choose a new password
        want new password 1
        secret short
        want new password again
        secret short
        > D short
        server C 501 a password has 8 to 128 bytes; your password?
        ! password: a password has 8 to 128 bytes; your password?
        want new password 2
        secret long enough
        want new password again
        secret different
        ! password: these two differ
        want new password 3
        secret long enough
        want new password again
        secret long enough
        > D long enough
        server C 200 password changed
        - password: password changed
        > C TOKEN
        ask alice>
        server C 231 t3 expires=86400
        keep t3",
    );
    stage.check(
        "user /passwd
        > C PASSWD
        server C 331 your old password?
        want password 1
        secret wrong
        > D wrong
        server C 530 wrong password; it stays as it is
        ! password: wrong password; it stays as it is
        ask alice>
        user /passwd
        > C PASSWD
        server C 331 your old password?
        want password 1
        secret
        - cancelled: your password stays as it is
        > C 
        server C 200 cancelled
        ask alice>",
    );
}

#[test]
fn several_lines_pasted_as_one() {
    let mut stage = Stage::ready();
    stage.session.handle(Input::Line("one\r\ntwo\n/quit\n"), stage.now);
    stage.check("> C PM one two /quit\nask alice>");
}

#[test]
fn lines_that_nobody_asked_for() {
    let mut stage = Stage::ready();
    (0..5000).for_each(|_| stage.happen("user x"));
    let happened = stage.play("");
    assert!(happened.contains("! dropped: too many lines at once"), "{happened}");
    assert_eq!(happened.matches("> C PM x").count(), requests::REQUESTS);
    stage.check("server C 250 sent to 1\n= all alice: x (sent to 1)\n> C PM x");
}

#[test]
fn what_a_script_has_typed_ahead_goes_nowhere_else() {
    Stage::script().check(
        "user /dm bob
        > C DM bob
        user between you and me
        server C 550 bob is not online
        # 550 bob is not online
        ! not-sent: not sent, for nobody is there to hear it: between you and me
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
        ! not-sent: not sent, for you are somewhere else now; /join or /pm first, or say it again: our plan
        ! not-sent: not sent, for you are somewhere else now; /join or /pm first, or say it again: and more
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
    for _ in 0..2 {
        stage.check(
            "user our plan
            ! not-sent: not sent, for you are somewhere else now; /join or /pm first, or say it again: our plan
            ask alice>",
        );
    }
}

#[test]
fn a_text_that_no_server_takes() {
    let mut stage = Stage::ready();
    let long = "x".repeat(40_000);
    stage.check(&format!("user {long}\n! too-long: not sent: a text has at most 32768 bytes\nask alice>"));
}

#[test]
fn a_script_leaves_when_all_is_answered() {
    let mut stage = Stage::script();
    stage.check(
        "user hi
        > C PM hi
        ask alice>
        end
        > C EX
        server C 250 sent to 1
        = all alice: hi (sent to 1)
        server C 221 bye
        disconnect
        leave 0",
    );
}

#[test]
fn a_script_that_is_read_ahead_waits() {
    let mut stage = Stage::new(Settings { people: false, ..settings() }, Some("t0"));
    stage.check(
        "- connecting: connecting to a:1
        connect 0
        user hi
        end
        connected
        server C 220 hi
        > C alice t0
        server C 230 welcome
        - connected: welcome
        > C TOKEN
        > C WHO
        > C PM hi
        > C EX",
    );
}

#[test]
fn said_once() {
    let once = |to| Settings { once: Some(Once { to, text: "hi".to_owned() }), people: false, ..settings() };
    let ready = "connected\nserver C 220 hi";
    let mut stage = Stage::new(once(Place::Direct { with: "bob".to_owned() }), Some("t"));
    stage.play(ready);
    stage.check(
        "server C 230 welcome
        - connected: welcome
        > C DM bob hi
        server C 250 sent to bob
        = with bob alice: hi (sent to bob)
        > C EX
        server C 221 bye
        disconnect
        leave 0",
    );
    let mut stage = Stage::new(once(Place::Room("lobby".to_owned())), Some("t"));
    stage.play(ready);
    stage.check(
        "server C 230 welcome
        - connected: welcome
        > C JOIN lobby
        server C 550 no such room
        # 550 no such room
        > C EX
        server C 221 bye
        disconnect
        leave 1",
    );
    let mut stage = Stage::new(once(Place::Public), Some("t"));
    stage.play(ready);
    stage.check(
        "server C 230 welcome
        - connected: welcome
        > C PM hi
        lost reset
        ! lost: the connection to a:1 is lost: reset
        ! unconfirmed: not confirmed, to everybody: hi
        leave 1",
    );
}

#[test]
fn leaving() {
    Stage::ready().check("end\n> C EX\nserver C 221 bye\ndisconnect\nleave 0");
    Stage::ready().check("user /quit\n> C EX\nlost end of stream\nleave 0");
    Stage::ready().check("user /quit\n> C EX\nwait 4999\nwait 1\ndisconnect\nleave 0");
    Stage::ready().check("terminated\n> C EX\nwait 1000\ndisconnect\nleave 0");
    Stage::ready().check("terminated\n> C EX\nterminated\ndisconnect\nleave 0");
    Stage::ready().check(
        "user hi
        > C PM hi
        ask alice>
        end
        > C EX
        lost reset
        ! unconfirmed: not confirmed, to everybody: hi
        leave 1",
    );
}

#[test]
fn a_slow_server_gets_the_time_that_the_answers_take() {
    let mut stage = Stage::script();
    (0..20).for_each(|n| stage.happen(&format!("user {n}")));
    stage.play("end");
    for n in 0..20 {
        stage.check(&format!("wait 29999\nserver C 250 sent to 1\n= all alice: {n} (sent to 1)"));
    }
    stage.check("wait 4999\nserver C 221 bye\ndisconnect\nleave 0");
    // With one that says nothing more it ends, too.
    let mut stage = Stage::script();
    stage.play("user hi\nend\nwait 29999");
    stage.check("wait 1\ndisconnect\n! unconfirmed: not confirmed, to everybody: hi\nleave 1");
}

#[test]
fn what_was_confirmed_stays_confirmed() {
    for how in ["terminated", "wait 5000", "lost reset", "server C 421 too many failures", "server C 421 too slow"] {
        let once = Some(Once { to: Place::Public, text: "hi".to_owned() });
        let mut stage = Stage::new(Settings { once, people: false, ..settings() }, Some("t"));
        stage.play("connected\nserver C 220 hi\nserver C 230 hi\nserver C 250 sent to 1");
        assert!(stage.play(how).ends_with("leave 0\n"), "{how}");
    }
}

#[test]
fn a_room_is_entered_before_the_one_message_is_said() {
    let once = Some(Once { to: Place::Room("lobby".to_owned()), text: "hi".to_owned() });
    let mut stage = Stage::new(Settings { once, people: false, ..settings() }, Some("t"));
    stage.play("connected\nserver C 220 hi");
    stage.check(
        "server C 230 welcome
        - connected: welcome
        > C JOIN lobby
        server C 227 lobby token=A
        - place: you talk in lobby now
        > C RM lobby hi
        server C 250 sent to 2
        = room lobby alice: hi (sent to 2)
        > C EX
        server C 221 bye
        disconnect
        leave 0",
    );
}

#[test]
fn a_script_that_could_not_say_something_has_failed() {
    for lines in
        ["user /join den\nserver C 554 wrong password\nuser our plan", "user /dm bob\nserver C 550 x\nuser psst"]
    {
        let mut stage = Stage::script();
        stage.play(lines);
        assert!(stage.play("end\nserver C 221 bye").ends_with("leave 1\n"), "{lines}");
    }
    let long = format!("user {}", "x".repeat(40_000));
    let mut stage = Stage::script();
    stage.play(&long);
    assert!(stage.play("end\nserver C 221 bye").ends_with("leave 1\n"));
    let once = Some(Once { to: Place::Public, text: "x".repeat(40_000) });
    let mut stage = Stage::new(Settings { once, people: false, ..settings() }, Some("t"));
    stage.play("connected\nserver C 220 hi\nserver C 230 hi");
    assert!(stage.play("server C 221 bye").ends_with("leave 1\n"));
    // A person has seen it.
    let mut stage = Stage::ready();
    stage.play(&long);
    assert!(stage.play("end\nserver C 221 bye").ends_with("leave 0\n"));
}

#[test]
fn a_host_who_closes_a_room_knows_that_it_is_gone() {
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
