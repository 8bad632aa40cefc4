//! How it ends: for a person, for a script, and for who says one thing.

use super::*;

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
fn whose_words_nobody_hears_still_waits_for_what_confirms_them() {
    for last in ["", "end\n"] {
        let mut stage = Stage::script();
        stage.play(&format!("user one\nuser two\n{last}server C 250 sent to 1\nunheard\nwait 2000"));
        stage.check(
            "server C 250 sent to 1
            = all alice: two (sent to 1)
            server C 221 bye
            disconnect
            leave 0",
        );
        let mut stage = Stage::script();
        stage.play(&format!("user one\n{last}unheard\nwait 2000"));
        stage.check("lost reset\n! unconfirmed: not confirmed, to everybody: one\nleave 1");
    }
    let mut stage = Stage::script();
    stage.play("user /join den\nuser hi\nunheard\nserver C 227 den token=A");
    stage.check("server C 221 bye\ndisconnect\n! unsent: not carried out: 1 line\nleave 1");
    let mut stage = Stage::script();
    stage.play("lost reset");
    stage.check("unheard\nleave 0");
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
