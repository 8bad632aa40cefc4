//! Lost connections.

use super::*;

#[test]
fn back_by_itself_in_its_rooms_and_nothing_twice() {
    let mut stage = Stage::ready();
    stage.play("user /join lobby pw\nserver C 227 lobby token=A\nuser /make den\nserver C 227 den token=B\nwait 40000");
    stage.check(
        "user hi
        > C RM den hi
        ask alice in den>
        lost reset by peer
        ! lost: the connection to a:1 is lost: reset by peer
        ! unconfirmed: not confirmed, in den: hi
        - retry: trying a:1 in 1 s
        user typed while away
        - kept: not connected: it will be offered to you when you are
        ask alice in den (offline)>
        user /who
        ! offline: not connected; /quit leaves
        ask alice in den (offline)>
        wait 1500
        - connecting: connecting to a:1
        connect 0
        connected
        server C 220 hi
        > C alice t2
        server C 230 welcome
        - connected: welcome
        - missed: you were away for 2 s; what was said meanwhile has not reached you
        > C TOKEN
        > C JOIN lobby pw
        > C JOIN den
        > C WHO
        ! unconfirmed: not confirmed, in den: hi
        ! unsent: not sent, in den: typed while away
        - resend-or-forget: what is not confirmed may or may not have arrived: /resend sends all of this (again), /forget drops it
        server C 231 t3 expires=86400
        keep t3
        server C 550 no such room
        > C MAKE lobby pw
        server C 227 den token=C
        - entered: you are in den again
        server C 211 0 online
        server C 553 lobby is taken
        > C JOIN lobby pw
        server C 227 lobby token=D
        - entered: you are in lobby again
        user /resend
        > C RM den hi
        > C RM den typed while away
        ask alice in den>
        server C 250 sent to 1
        = room den alice: hi (sent to 1)
        user /resend
        - resent: nothing to send again; one message still waits for its confirmation
        ask alice in den>
        server C 250 sent to 1
        = room den alice: typed while away (sent to 1)
        user /resend
        - resent: everything is confirmed
        ask alice in den>",
    );
}

#[test]
fn a_room_that_one_cannot_go_back_to() {
    let mut stage = Stage::ready();
    stage.play(
        "user /join lobby\nserver C 227 lobby token=A\nlost x\nwait 2000\nconnected\nserver C 220 hi\nserver C 230 hi",
    );
    stage.check(
        "user was half typed
        server C 231 t3 expires=86400
        keep t3
        server C 554 wrong password
        ! left-room: you are not in lobby any more: wrong password
        - place: you talk to everybody now
        ! not-sent: not sent, for you are somewhere else now; /join or /pm first, or say it again: was half typed
        ask alice>",
    );
}

#[test]
fn forgotten() {
    let mut stage = Stage::ready();
    stage.play("user hi\nlost x\nwait 2000\nconnected\nserver C 220 hi\nserver C 230 hi");
    stage.check(
        "user /forget
        - forgotten: 1 message forgotten
        ask alice>
        user /resend
        - resent: everything is confirmed
        ask alice>",
    );
}

#[test]
fn lines_in_flight_stay_unconfirmed() {
    let mut stage = Stage::ready();
    stage.play("user one\nuser two");
    stage.check("user /resend\n- resent: nothing to send again; 2 still wait for their confirmation\nask alice>");
    stage.play("server C 250 sent to 1\nserver C 250 sent to 1");
    stage.check("user /resend\n- resent: everything is confirmed\nask alice>");
}

#[test]
fn a_newer_stored_token_is_tried() {
    let mut stage = Stage::ready();
    stage.play("lost x\nwait 2000\nkept t9");
    stage.check("connected\nserver C 220 hi\n> C alice t9");
    // A given password must be used.
    let mut stage = Stage::new(settings(), None);
    stage.play("kept t9");
    stage.check("connected\nserver C 220 hi\n> C alice");
}

#[test]
fn an_expired_token_while_a_line_is_typed() {
    let mut stage = Stage::ready();
    stage.play("lost x\nwait 2000\nconnected\nserver C 220 hi");
    stage.check(
        "server C 531 token refused
        forget t2
        - token: the kept login is not good any more
        ! password-needed: your password is needed: press Enter first; what stands in the line is not sent
        prompt press Enter, then your password>
        server C 421 login took too long
        disconnect
        ! closed: the server has closed the connection: login took too long
        user half a line
        ! not-sent: not sent, for your password is needed first
        want password 1
        secret correct horse
        - connecting: connecting to a:1
        connect 0
        connected
        server C 220 hi
        > C alice
        server C 331 password?
        > C correct horse",
    );
}

#[test]
fn tokens_are_renewed_at_half_their_life() {
    let mut stage = Stage::ready();
    for _ in 0..719 {
        stage.check("wait 60000\n> C NOOP\nserver C 200 done");
    }
    stage.check("wait 60000\n> C TOKEN\nserver C 450 not now\n! token: no token to come back with: after a break you will need your password");
    stage.check("wait 60000\n> C NOOP\nserver C 200 done");
}

#[test]
fn silence() {
    let mut stage = Stage::ready();
    stage.check(
        "wait 59999
        wait 1
        > C NOOP
        wait 29999
        server C 2
        ! bad-line: the server sent a line that means nothing: C 2
        wait 1
        disconnect
        ! lost: the connection to a:1 is lost: the server does not answer
        - retry: trying a:1 in 1 s",
    );
    let mut stage = Stage::new(settings(), None);
    stage.play("connected");
    stage.check("wait 4499\nwait 1\n! unreachable: a:1: no answer yet; if it speaks TLS, use --tls\nwait 10000");
    stage.play("lost x");
    let mut stage = Stage::ready();
    stage.play("lost x\nwait 2000\nconnected");
    stage.check("wait 4500\n- connecting: a:1: no answer yet\nserver C 220 hi\n> C alice t2");
    for start in ["connected\nserver C 220 hi", "connected\nserver C 220 hi\nserver C 331 x\nsecret abcdefgh"] {
        let mut stage = Stage::new(settings(), None);
        stage.play(start);
        stage.check(
            "wait 29999
            wait 1
            disconnect
            ! lost: the connection to a:1 is lost: the server does not answer
            leave 1",
        );
    }
}

#[test]
fn half_a_line_and_silence() {
    let mut stage = Stage::ready();
    stage.session.handle(Input::Bytes(b"C 20"), stage.now);
    stage.check(
        "wait 60000
        > C NOOP
        wait 30000
        disconnect
        ! bad-line: the connection ended within a line: C 20
        ! lost: the connection to a:1 is lost: the server does not answer
        - retry: trying a:1 in 1 s",
    );
}

#[test]
fn a_change_of_the_password_is_interrupted() {
    let mut stage = Stage::ready();
    stage.play("user /passwd\nserver C 331 old?\nsecret old password\nserver C 332 new?");
    stage.check(
        "lost x
        ! password: changing your password was interrupted; it may be the old or the new one now
        ! lost: the connection to a:1 is lost: x
        - retry: trying a:1 in 1 s
        secret new password
        ask alice (offline)>",
    );
}

#[test]
fn no_line_is_asked_for_while_a_secret_is() {
    let mut stage = Stage::ready();
    stage.play("user /passwd\nserver C 331 old?\nlost x\nwait 2000\nconnected\nserver C 220 hi");
    stage.check(
        "server C 230 welcome
        - connected: welcome
        - missed: you were away for 2 s; what was said meanwhile has not reached you
        > C TOKEN
        > C WHO
        secret late
        ask alice>",
    );
}

#[test]
fn a_script_that_waits_for_its_last_answer() {
    let mut stage = Stage::script();
    stage.play("user /join lobby\nend");
    stage.check(
        "lost x
        ! not-done: line 1 was not done: /join lobby (no answer)
        ! lost: the connection to a:1 is lost: x
        leave 1",
    );
}

#[test]
fn a_shutdown_is_waited_for() {
    let mut stage = Stage::ready();
    stage.check(
        "server C 421 shutting down, retry in 2 s
        disconnect
        ! closed: the server has closed the connection: shutting down, retry in 2 s
        - retry: trying a:1 in 3 s
        wait 1999
        wait 1000
        - connecting: connecting to a:1
        connect 0
        lost refused
        - retry: trying again in 3 s (a:1: refused)",
    );
}

#[test]
fn broken_connections_are_not_another_login() {
    let mut stage = Stage::ready();
    stage.play("lost reset\nwait 1500");
    for (pause, after) in [(3, 3000), (4, 6000)] {
        stage.check(&format!(
            "connected
            server C 220 hi
            > C alice t2
            server C 421 logged in 4 times already
            disconnect
            - retry: trying again in {pause} s (the server has closed the connection: logged in 4 times already)
            wait {after}
            - connecting: connecting to a:1
            connect 0"
        ));
    }
}

#[test]
fn leaving_while_away() {
    for how in ["end", "terminated", "user /quit", "user EX"] {
        let mut stage = Stage::ready();
        stage.play("lost x");
        stage.check(&format!("{how}\nleave 0"));
    }
    let mut stage = Stage::script();
    stage.play("user hi\nlost x");
    stage.check("end\n! unconfirmed: not confirmed, to everybody: hi\nleave 1");
}

#[test]
fn a_script_is_not_asked_while_away() {
    let mut stage = Stage::script();
    stage.check(
        "lost x
        ! lost: the connection to a:1 is lost: x
        - retry: trying a:1 in 1 s, and then until a server answers
        user hi
        wait 1500
        connect 0
        connected
        server C 220 hi
        > C alice t2
        server C 230 hi
        - connected: hi
        - missed: you were away for 2 s; what was said meanwhile has not reached you
        > C TOKEN
        > C WHO
        > C PM hi
        ask alice>",
    );
}

#[test]
fn what_is_kept_is_bounded() {
    let mut stage = Stage::ready();
    stage.play("lost x");
    for _ in 0..100 {
        stage.check("user hi\n- kept: not connected: it will be offered to you when you are\nask alice (offline)>");
    }
    stage.check("user hi\n- kept: not connected: it will be offered to you when you are\n! unsent: too many such are kept, so this one is not: not sent, to everybody: hi\nask alice (offline)>");
}

#[test]
fn each_server_sees_its_own_token_alone() {
    let servers = vec!["a:1".to_owned(), "b:2".to_owned()];
    let mut stage = Stage::new(Settings { servers, ..settings() }, Some("t0"));
    stage.play("connected\nserver C 220 hi\nserver C 230 hi\nserver C 231 ta expires=86400\nlost x");
    stage.check("connected\nserver C 220 hi\n> C alice");
    stage.play("lost x\nwait 9000");
    stage.check("connected\nserver C 220 hi\n> C alice ta");
}

#[test]
fn the_line_prompt_never_asks_for_a_password() {
    let mut stage = Stage::ready();
    stage.play("lost x\nwait 2000\nconnected\nserver C 220 hi\nserver C 531 token refused");
    // A user who answers the question in the open line has shown the password, but it is neither sent nor stored.
    stage.check("user correct horse\n! not-sent: not sent, for your password is needed first\nwant password 1");
    stage.check("secret wrong horse\n> C wrong horse");
    stage.check("server C 530 wrong password\n! wrong-password: wrong password\nwant password 2");
    stage.check("secret correct horse\n> C correct horse");
    stage.check("server C 450 busy, try again in 3 s\n- busy: busy, try again in 3 s\nwait 3000\n> C correct horse");
    let happened = stage.play("server C 230 welcome");
    assert!(happened.ends_with("> C WHO\nask alice>\n"), "{happened}");
    assert!(stage.session.unconfirmed.is_empty());
}

#[test]
fn without_a_token_no_line_is_read_on_reconnect() {
    let mut stage = Stage::new(settings(), None);
    stage.play("connected\nserver C 220 hi\nserver C 331 x\nsecret correct horse\nserver C 230 hi\nserver C 450 no");
    stage.play("user hi\nserver C 250 sent to 1\nlost x");
    // The user ends the open line, and no other begins.
    stage.play("wait 2000");
    let happened = stage.play("user\nconnected\nserver C 220 hi\nserver C 331 x");
    assert!(!happened.contains("ask ") && happened.ends_with("want password 1\n"), "{happened}");
}

#[test]
fn the_open_prompt_shows_the_state() {
    let mut stage = Stage::ready();
    stage.play("user /join lobby\nserver C 227 lobby token=A");
    stage.check(
        "server C 104 lobby alice left: kicked
        * 104 lobby alice left: kicked
        - place: you talk to everybody now
        prompt alice>
        lost x
        ! lost: the connection to a:1 is lost: x
        - retry: trying a:1 in 1 s
        prompt alice (offline)>
        wait 2000
        - connecting: connecting to a:1
        connect 0
        connected
        server C 220 hi
        > C alice t2
        server C 230 hi
        - connected: hi
        - missed: you were away for 2 s; what was said meanwhile has not reached you
        > C TOKEN
        > C WHO
        prompt alice>
        user begun in the room
        ! not-sent: not sent, for you are somewhere else now; /join or /pm first, or say it again: begun in the room
        ask alice>",
    );
}

#[test]
fn whatever_a_server_says_an_answer_has_its_time() {
    let chatter = "wait 10000\nserver C 103 lobby bob entered\nserver C 211-bob\n".repeat(3);
    let mut stage = Stage::ready();
    stage.play("user /who");
    assert!(stage.play(&chatter).contains("! lost: the connection to a:1 is lost: the server does not answer"));

    for start in
        ["connected", "connected\nserver C 220 hi", "connected\nserver C 220 hi\nserver C 331 x\nsecret abcdefgh"]
    {
        let mut stage = Stage::new(settings(), None);
        stage.play(start);
        assert!(stage.play(&chatter).contains("\nleave 1\n"), "{start}");
    }
    // A server must not stay busy forever.
    let mut stage = Stage::new(settings(), None);
    stage.play("connected\nserver C 220 hi\nserver C 331 x\nsecret abcdefgh");
    let happened = stage.play(&"server C 450 busy, try again in 20 s\nwait 20000\n".repeat(6));
    assert!(happened.ends_with("leave 1\n"), "{happened}");
}

#[test]
fn the_one_message_has_its_time() {
    let once = Some(Once { to: Place::Public, text: "hi".to_owned() });
    let mut stage = Stage::new(Settings { once, people: false, ..settings() }, Some("t"));
    stage.play("connected\nserver C 220 hi\nserver C 230 hi");
    let happened = stage.play(&"wait 10000\nserver D PM 1 bob and on\n".repeat(3));
    assert!(happened.contains("! unconfirmed: not confirmed, to everybody: hi\nleave 1\n"), "{happened}");
}

#[test]
fn unsent_lines_are_not_in_doubt() {
    let mut stage = Stage::ready();
    stage.play("lost x\nuser hi\nwait 2000\nconnected\nserver C 220 hi");
    let happened = stage.play("server C 230 hi");
    let told = "! unsent: not sent, to everybody: hi\n- resend-or-forget: /resend sends it, /forget drops it\n";
    assert!(happened.contains(told), "{happened}");
}

#[test]
fn a_script_with_unanswered_lines_fails() {
    let mut stage = Stage::script();
    stage.play("lost x\nuser /join den secret");
    stage.check("terminated\n! unsent: not carried out: 1 line\nleave 1");
    let mut stage = Stage::script();
    stage.check("lost x\n! lost: the connection to a:1 is lost: x\n- retry: trying a:1 in 1 s, and then until a server answers\nterminated\nleave 0");
}

#[test]
fn a_script_is_told_of_each_state_once() {
    let mut stage = Stage::script();
    stage.play("lost reset");
    stage.check("wait 1500\nconnect 0\nlost refused\n! unreachable: a:1: refused");
    for _ in 0..5 {
        assert_eq!(stage.play("wait 90000\nlost refused"), "wait 90000\nconnect 0\nlost refused\n");
    }
    stage.check("wait 90000\nconnect 0\nlost no answer\n! unreachable: a:1: no answer");
    stage.check("wait 90000\nconnect 0\nconnected\nserver C 421 server full\ndisconnect\n! closed: the server has closed the connection: server full");
    stage.play("wait 90000\nconnected\nserver C 220 hi\nserver C 230 hi\nuser x");
    // After another loss, failures are reported again.
    let happened = stage.play("lost reset\nwait 90000\nlost refused");
    assert!(
        happened.contains("! lost: ") && happened.contains("- retry: ") && happened.contains("! unreachable: "),
        "{happened}"
    );
}

#[test]
fn of_several_servers_each_is_told_once() {
    let servers = vec!["a:1".to_owned(), "b:2".to_owned()];
    let mut stage = Stage::new(Settings { servers, people: false, ..settings() }, Some("t1"));
    stage.enter();
    stage.play("");
    stage.check(
        "lost reset
        ! lost: the connection to a:1 is lost: reset
        - connecting: connecting to b:2
        connect 1
        lost refused
        ! unreachable: b:2: refused
        - retry: trying a:1 in 2 s, and then until a server answers
        wait 2000
        connect 0
        lost refused
        ! unreachable: a:1: refused
        connect 1
        lost refused",
    );
    let happened = stage.play("wait 90000\nlost refused\nlost refused");
    assert!(!happened.contains("! ") && !happened.contains("- "), "{happened}");
}

#[test]
fn a_replaced_session_does_not_reconnect() {
    for reason in [
        "password was changed",
        "another login took this place",
        "put out by the operator",
        "put out by the operator: be nice",
        "banned: for a week",
    ] {
        for mut stage in [Stage::ready(), Stage::script()] {
            stage.play("");
            stage.check(&format!(
                "server C 421 {reason}
                ! closed: the server has closed the connection: {reason}
                disconnect
                leave 1"
            ));
        }
    }
}

#[test]
fn a_script_without_its_room_says_nothing() {
    let mut stage = Stage::script();
    stage.play("user /join den\nlost reset\nwait 2000\nconnected\nserver C 220 hi\nserver C 230 hi");
    let happened = stage.play("user our plan");
    assert!(!happened.contains("> C PM") && happened.contains("! not-sent: "), "{happened}");
}
