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
fn a_text_that_no_server_takes() {
    let mut stage = Stage::ready();
    let long = "x".repeat(40_000);
    stage.check(&format!(
        "user {long}\n! too-long: not sent: it takes a line of 40006 bytes, and 4096 are the most\nask alice>"
    ));
}
