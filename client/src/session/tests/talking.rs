//! Lines that the user types.

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
        - not-sent: not sent, to bob: psst
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
        user /dm eve
        > C DM eve
        server C 550 eve is not online
        # 550 eve is not online
        ask alice>
        user DM bob hi
        > C PM DM bob hi
        ask alice>
        server C 250 sent to 1
        = all alice: DM bob hi (sent to 1)
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
        ! unknown: there is no /frobnicate; /help lists all
        ask alice>
        user / who
        ! unknown: there is no /; /help lists all
        ask alice>
        user /wo
        ! unknown: there is no /wo; did you mean /who?
        ask alice>
        user /nick bob
        ! unknown: your name is your account's and stays: log in under another one; /set name TEXT is shown by /whois
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
        want old password 1
        wait 10000000
        secret old password
        > D old password
        server C 332 choose a new password
        want next password 1
        secret short
        want new password again
        secret short
        > D short
        server C 501 a password has 8 to 128 bytes; your password?
        ! password: a password has 8 to 128 bytes
        want next password 2
        secret long enough
        want new password again
        secret different
        ! password: these two differ
        want next password 3
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
        want old password 1
        secret wrong
        > D wrong
        server C 530 wrong password; yours is unchanged, PASSWD tries again
        ! password: wrong password; yours is unchanged, /passwd tries again
        ask alice>
        user /passwd
        > C PASSWD
        server C 331 your old password?
        want old password 1
        secret
        - cancelled: your password is unchanged
        > C 
        server C 200 cancelled
        ask alice>",
    );
    stage.play("user /passwd\nserver C 331 your old password?");
    stage.session.handle(Input::Secret(Some(secret(""))), stage.now);
    stage.check("- cancelled: your password is unchanged\n> C \nserver C 200 cancelled\nask alice>");
}

#[test]
fn the_spaces_that_a_text_begins_with_are_sent() {
    let mut stage = Stage::ready();
    stage.play("user /join lobby\nserver C 227 lobby token=A");
    // Each line is sent as soon as it was entered, so the answers come later.
    stage.happen("user     if x:");
    stage.check(
        "> C RM lobby
        > D     if x:
        ask alice in lobby>
        server C 354 your message?
        server C 250 sent to 1
        = room lobby alice:     if x: (sent to 1)
        user /rm lobby   trimmed
        > C RM lobby trimmed
        ask alice in lobby>
        server C 250 sent to 1
        = room lobby alice: trimmed (sent to 1)
        user /dm bob
        > C DM bob
        server C 354 your message?
        ask your message to bob?",
    );
    stage.happen("user   two spaces");
    stage.check(
        "> C DM bob
        > D   two spaces
        ask alice in lobby>
        server C 550 bob is not online
        server C 503 no message was asked for; PM, DM or RM first
        # 550 bob is not online
        - not-sent: not sent, to bob:   two spaces",
    );
    stage.play("user /dm\nserver C 211 0 online");
    stage.happen("user  bob    code");
    stage.check(
        "> C DM bob
        > D    code
        ask alice in lobby>
        server C 354 your message?
        server C 250 sent to bob
        = with bob alice:    code (sent to bob)",
    );
    stage.happen("user  lost");
    stage.play("");
    stage.check("server C 354 your message?\nlost reset\n! lost: the connection to a:1 is lost: reset\n! unconfirmed: not confirmed, in lobby:  lost\n- retry: trying a:1 in 1 s");
}

#[test]
fn a_line_that_is_said_is_taken_off_the_screen() {
    Stage::ready().check(
        "user hello
        > C PM hello
        erase
        ask alice>
        user /dm bob hi
        > C DM bob hi
        erase
        ask alice>
        user /who
        > C WHO
        ask alice>
        user /frobnicate
        ! unknown: there is no /frobnicate; /help lists all
        ask alice>",
    );
    let mut stage = Stage::ready();
    stage.play("lost reset");
    stage.check(
        "user hello
        - kept: not connected: it will be offered to you when you are
        ask alice (offline)>
        lost again",
    );
    assert!(!stage.play("user hello").contains("erase"));
    assert!(!Stage::script().play("user hello").contains("erase"));
}

#[test]
fn a_confirmation_that_takes_long() {
    Stage::ready().check(
        "user hello
        > C PM hello
        ask alice>
        wait 1999
        wait 1
        - waiting: not confirmed yet, to everybody: hello
        wait 5000
        server C 250 sent to 1
        = all alice: hello (sent to 1)
        user /who
        > C WHO
        ask alice>
        wait 5000
        server C 211 1 online
        # 211 1 online",
    );
}

#[test]
fn the_name_is_shown_as_it_is_registered() {
    let mut stage = Stage::new(settings(), Some("t1"));
    stage.play("connected\nserver C 220 hi");
    let happened = stage.play("server C 230 welcome Alice; 1 online; HELP lists what you can do");
    assert!(happened.contains("- connected: welcome Alice; 1 online\n"), "{happened}");
    assert!(happened.contains("ask Alice>\n"), "{happened}");
    stage.play("server C 231 t2 expires=5\nserver C 211 1 online");
    stage.check(
        "user hi
        > C PM hi
        ask Alice>
        server C 250 sent to 0
        = all Alice: hi (sent to 0)",
    );
    // A server cannot put anything else into the prompt.
    for welcome in ["welcome bob; 1 online", "welcome \u{1b}[2J", "hi", "welcome "] {
        let mut stage = Stage::new(settings(), Some("t1"));
        stage.play("connected\nserver C 220 hi");
        assert!(stage.play(&format!("server C 230 {welcome}")).contains("ask alice>\n"), "{welcome}");
    }
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

#[test]
fn a_command_behind_space_is_not_sent() {
    let hint = "! not-sent: not sent: a command must begin at the first character; begin with // to say it as text";
    for lead in [" ", "   ", "\t", "\u{a0}", " \u{feff}"] {
        Stage::ready().check(&format!(
            "user {lead}/dm bob secret
            {hint}
            ask alice>
            user PM
            ask your message?
            user {lead}/dm bob secret
            {hint}
            ask your message?
            user
            - cancelled: cancelled
            ask alice>"
        ));
        let mut stage = Stage::ready();
        stage.play("user DM\nserver C 211 0 online");
        stage.check(&format!("user {lead}/dm bob secret\n{hint}\nask name and message?"));
        Stage::script().check(&format!(
            "user {lead}/dm bob secret
            {hint}
            ! not-done: line 1 was not done: {lead}/dm bob secret
            ask alice>
            user {lead}/join den sesame
            {hint}
            ! not-done: line 2 was not done: /join …
            ask alice>
            end
            > C EX
            server C 221 bye
            disconnect
            leave 1"
        ));
    }
    Stage::ready().check(
        "user   / is a slash
        > C PM
        > D   / is a slash
        ask alice>
        user  /unknownword
        > C PM
        > D  /unknownword
        ask alice>
        user a⏎  /dm bob secret
        ask: send 2 lines? [y/N/1 = as one line]
        user 1
        > C PM a /dm bob secret
        ask alice>
        user   /who⏎b
        ask: send 2 lines? [y/N/1 = as one line]
        user y
        > C PM
        > D   /who
        > C PM b
        ask alice>",
    );
}

#[test]
fn words_behind_a_command_that_takes_none() {
    for (line, name) in [("/exit now", "quit"), ("/quit now", "quit"), ("/passwd x", "passwd"), ("/resend 1", "resend")]
    {
        Stage::ready().check(&format!("user {line}\n! usage: /{name} takes no words\nask alice>"));
    }
}

#[test]
fn help_says_that_there_is_no_such_command() {
    for line in ["/help foo", "/help /foo", "/? foo"] {
        Stage::ready().check(&format!("user {line}\n! unknown: there is no /foo; /help lists all\nask alice>"));
    }
    Stage::ready().check("user /help hlp\n! unknown: there is no /hlp; did you mean /help?\nask alice>");
    Stage::ready().check("user /help say\n- help: /say TEXT: say TEXT where you are\nask alice>");
    Stage::ready().check("user /say\n! usage: usage: /say TEXT\nask alice>");
    Stage::script().check(
        "user /help foo
        ! unknown: there is no /foo; /help lists all
        ! not-done: line 1 was not done: /help foo
        ask alice>",
    );
}
