//! From the greeting to the prompt.

use super::*;

#[test]
fn with_a_password() {
    check(
        "- connecting: connecting to a:1
        connect 0
        connected
        server C 220 chatd ready; your name?
        > C alice
        server C 331 alice, your password?
        want password 1
        secret  correct horse
        > C  correct horse
        server C 530 wrong password; 2 tries left
        ! wrong-password: wrong password; 2 tries left
        want password 2
        secret battery staple
        > C battery staple
        server C 230 welcome alice; 3 online
        - connected: welcome alice; 3 online
        - help: PM to everybody, DM to one, EX to leave; /help lists more
        > C TOKEN
        > C WHO
        ask alice>
        server C 231 t1 expires=86400
        keep t1
        server C 211-alice
        server C 211 1 online",
    );
}

#[test]
fn a_new_name_twice() {
    check(
        "- connecting: connecting to a:1
        connect 0
        connected
        server C 220 ready
        > C alice
        server C 332 alice is new here; choose a password
        - new-account: alice is new here: the password that you choose now makes an account of that name
        want new password 1
        secret one
        want new password again
        secret two
        ! password: these two differ
        want new password 2
        secret one
        want new password again
        secret one
        > C one
        server C 501 a password has 8 to 128 bytes; your password?
        ! password: a password has 8 to 128 bytes
        want new password 3
        secret long enough
        want new password again
        secret long enough
        > C long enough
        server C 553 alice was just taken; your name?
        ! closed: alice was just taken; give another name, for example: chatclient carol@localhost
        disconnect
        leave 1",
    );
}

/// `asked`: the requests between the new password and the moment it is sent.
#[track_caller]
fn check_asked(settings: Settings, asked: &str) {
    Stage::new(settings, None).check(&format!(
        "- connecting: connecting to a:1
        connect 0
        connected
        server C 220 ready
        > C alice
        server C 332 new
        - new-account: alice is new here: the password that you choose now makes an account of that name
        want new password 1
        secret long enough
        {asked}
        > C long enough"
    ));
}

#[test]
fn a_program_is_asked_once_and_a_person_twice() {
    let again = "want new password again\nsecret long enough";
    for people in [false, true] {
        check_asked(Settings { people, asks_person: false, ..settings() }, "");
        check_asked(Settings { people, asks_person: true, ..settings() }, again);
    }
}

#[test]
fn with_a_token() {
    Stage::new(settings(), Some("t0")).check(
        "- connecting: connecting to a:1
        connect 0
        connected
        server C 220 ready
        > C alice t0
        server C 230 welcome
        - connected: welcome
        - help: PM to everybody, DM to one, EX to leave; /help lists more
        > C TOKEN
        > C WHO
        ask alice>",
    );
    Stage::new(settings(), Some("t0")).check(
        "- connecting: connecting to a:1
        connect 0
        connected
        server C 220 ready
        > C alice t0
        server C 531 token refused; your password?
        forget t0
        - token: the kept login is not good any more
        want password 1
        secret
        ! closed: not logged in: there is no password
        disconnect
        leave 1",
    );
}

#[test]
fn a_busy_server_is_asked_again() {
    check(
        "- connecting: connecting to a:1
        connect 0
        connected
        server C 220 ready
        > C alice
        server C 331 password?
        want password 1
        secret correct horse
        > C correct horse
        server C 450 busy, try again in 3 s
        - busy: busy, try again in 3 s
        wait 2999
        wait 1
        > C correct horse
        server C 230 hi
        - connected: hi
        - help: PM to everybody, DM to one, EX to leave; /help lists more
        > C TOKEN
        > C WHO
        ask alice>",
    );
}

#[test]
fn secrets_that_cannot_be_sent() {
    let mut stage = Stage::new(settings(), None);
    stage.play("connected\nserver C 220 hi\nserver C 331 password?");
    stage.check(
        "secret a\u{1b}b
        ! password: a password holds no control characters
        want password 2",
    );
    stage.session.handle(Input::Secret(Some(secret("a\nC EX"))), stage.now);
    stage.check("! password: a password holds no control characters\nwant password 3");
    stage.session.handle(Input::Secret(Some(secret(""))), stage.now);
    stage.check("! password: a password is not empty\nwant password 4");
    let long = format!("secret {}", "x".repeat(129));
    stage.check(&format!("{long}\n! password: a password has at most 128 bytes\nwant password 5"));
    stage.check(&format!(
        "{long}\n! password: a password has at most 128 bytes\n! closed: no password that could be sent\ndisconnect\nleave 1"
    ));
}

#[test]
fn names_that_cannot_be() {
    for (name, refusal) in
        [("server", "553 server is reserved; your name?"), ("pm", "553 pm is reserved"), ("x", "501 bad")]
    {
        let mut stage = Stage::new(Settings { user: name.to_owned(), ..settings() }, None);
        stage.play("connected\nserver C 220 hi");
        let why = refusal[4..].trim_end_matches("; your name?");
        let next = "give another name, for example: chatclient carol@localhost";
        stage.check(&format!("server C {refusal}\n! closed: {why}; {next}\ndisconnect\nleave 1"));
    }
    // Another name would not help.
    let mut stage = Stage::new(settings(), None);
    stage.play("connected\nserver C 220 hi");
    stage.check("server C 450 no new accounts; your name?\n! closed: no new accounts\ndisconnect\nleave 1");
    Stage::new(Settings { user: "a b".to_owned(), ..settings() }, None)
        .check("! usage: a name is a letter, then letters, digits or _ . - and at most 32 in all\nleave 2");
}

/// The password is not sent again: the server would take it for a name.
#[test]
fn accounts_ran_out_after_the_password_prompt() {
    let mut stage = Stage::new(settings(), None);
    stage.play("connected\nserver C 220 hi\nserver C 332 new\nsecret correct horse\nsecret correct horse");
    stage.check("server C 450 no new accounts; your name?\n! closed: no new accounts\ndisconnect\nleave 1");
}

#[test]
fn endings_that_are_final() {
    for reason in ["too many failures", "logged in 4 times already", "not a chat client"] {
        let mut stage = Stage::new(settings(), None);
        stage.play("connected\nserver C 220 hi\nserver C 331 password?\nsecret correct horse");
        stage.check(&format!(
            "server C 421 {reason}
            ! closed: the server has closed the connection: {reason}
            disconnect
            leave 1"
        ));
    }
}

#[test]
fn a_login_past_its_deadline_waits_for_the_user() {
    check(
        "- connecting: connecting to a:1
        connect 0
        connected
        server C 220 ready
        > C alice
        server C 331 password?
        want password 1
        server C 421 login took too long
        disconnect
        ! closed: the server has closed the connection: login took too long
        wait 10000000
        secret correct horse
        - connecting: connecting to a:1
        connect 0
        connected
        server C 220 ready
        > C alice
        server C 331 password?
        > C correct horse",
    );
}

#[test]
fn a_late_password_answers_no_other_question() {
    check(
        "- connecting: connecting to a:1
        connect 0
        connected
        server C 220 ready
        > C alice
        server C 332 new
        - new-account: alice is new here: the password that you choose now makes an account of that name
        want new password 1
        server C 421 login took too long
        disconnect
        ! closed: the server has closed the connection: login took too long
        secret correct horse
        - connecting: connecting to a:1
        connect 0
        connected
        server C 220 ready
        > C alice
        server C 331 password?
        want password 1",
    );
}

#[test]
fn no_server_at_all() {
    let servers = vec!["a:1".to_owned(), "b:2".to_owned()];
    Stage::new(Settings { servers, ..settings() }, None).check(
        "- connecting: connecting to a:1
        connect 0
        lost refused
        ! unreachable: a:1: refused
        - connecting: connecting to b:2
        connect 1
        lost no such host
        ! unreachable: b:2: no such host
        leave 1",
    );
}

#[test]
fn a_full_server_is_tried_again() {
    let mut stage = Stage::new(settings(), None);
    stage.play("connected");
    stage.check(
        "server C 421 shutting down, retry in 20 s
        disconnect
        ! closed: the server has closed the connection: shutting down, retry in 20 s
        - retry: trying a:1 in 21 s
        wait 19999
        wait 1001
        - connecting: connecting to a:1
        connect 0",
    );
}

#[test]
fn leaving_before_it_has_begun() {
    for how in ["end", "terminated"] {
        check(&format!("- connecting: connecting to a:1\nconnect 0\n{how}\ndisconnect\nleave 0"));
    }
}

#[test]
fn a_given_password_is_tried_once() {
    for people in [false, true] {
        let settings = Settings { people, asks_person: false, ..settings() };
        Stage::new(settings, None).check(
            "- connecting: connecting to a:1
            connect 0
            connected
            server C 220 hi
            > C alice
            server C 331 alice, your password?
            want password 1
            secret one
            > C one
            server C 530 wrong password; 2 tries left
            ! wrong-password: wrong password
            want password 2",
        );
    }
}
