//! The end of a session: for a person, for a script, and with `--once`.

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
fn a_message_without_hearers_is_confirmed() {
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
        ! not-done: not sent: hi (no such room)
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
fn once_enters_its_room_first() {
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
fn slow_answers_extend_the_deadline() {
    let mut stage = Stage::script();
    (0..20).for_each(|n| stage.happen(&format!("user {n}")));
    stage.play("end");
    for n in 0..20 {
        stage.check(&format!("wait 29999\nserver C 250 sent to 1\n= all alice: {n} (sent to 1)"));
    }
    stage.check("wait 4999\nserver C 221 bye\ndisconnect\nleave 0");
    // It also ends with a server that is silent.
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
fn a_script_with_a_refused_line_fails() {
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

/// `lines` happen to a script, then its input ends and the server says goodbye. The client must report this about its
/// lines.
#[track_caller]
fn check_not_done(lines: &str, told: &[&str]) {
    let mut stage = Stage::script();
    let happened = stage.play(lines) + &stage.play("end\nserver C 221 bye");
    let named: Vec<&str> = happened.lines().filter_map(|line| line.strip_prefix("! not-done: ")).collect();
    assert_eq!(named, told, "{happened}");
    let code = if told.is_empty() { "leave 0\n" } else { "leave 1\n" };
    assert!(happened.ends_with(code), "{happened}");
}

#[test]
fn a_line_that_was_not_done_is_named() {
    check_not_done("user hi\nserver C 250 sent to 1\nuser\nuser /who\nserver C 211 1 online", &[]);
    check_not_done(
        "user hi\nuser /dm bob hi\nserver C 250 sent to 1\nserver C 550 bob is not online",
        &["line 2 was not done: /dm bob hi (bob is not online)"],
    );
    check_not_done("user /nosuch", &["line 1 was not done: /nosuch"]);
    check_not_done(
        "user one\nbad not UTF-8\nuser /join\nserver C 250 sent to 1",
        &["line 2 was not done", "line 3 was not done: /join"],
    );
    check_not_done(
        "user /join den sesame\nserver C 554 wrong password",
        &["line 1 was not done: /join … (wrong password)"],
    );
    check_not_done("user hi\nserver C 501 bad bytes", &["line 1 was not done: hi (bad bytes)"]);
}

#[test]
fn a_line_that_no_server_takes_is_not_sent() {
    let fits = "x".repeat(4090);
    let told = "too-long: not sent: it takes a line of 4097 bytes, and 4096 are the most";
    for (line, expected) in [
        (fits.clone(), format!("> C PM {fits}")),
        (format!("{fits}x"), format!("! {told}")),
        ("a\u{1b}[31mb".to_owned(), "! not-sent: not sent: it holds U+001B, ".to_owned()),
        ("/dm bob a\u{9b}b".to_owned(), "! not-sent: not sent: it holds U+009B, ".to_owned()),
        ("a\u{202e}b".to_owned(), "! not-sent: not sent: it holds U+202E, ".to_owned()),
        ("a\tb".to_owned(), "> C PM a\tb".to_owned()),
    ] {
        let mut stage = Stage::script();
        let happened = stage.play(&format!("user {line}"));
        assert!(happened.lines().any(|line| line.starts_with(&expected)), "{happened}");
        assert_eq!(happened.contains("! not-done: line 1 was not done: "), expected.starts_with('!'), "{happened}");
        assert!(happened.lines().skip(1).filter(|line| line.starts_with("! not-done")).all(|line| line.len() < 300));
    }
}

#[test]
fn a_script_registers_only_if_asked() {
    let ready = "connected\nserver C 220 hi";
    for (people, asks_person, registers, is_made) in [
        (false, false, false, false),
        (false, false, true, true),
        (false, true, false, true),
        (true, false, false, true),
        (true, true, false, true),
    ] {
        let mut stage = Stage::new(Settings { people, asks_person, registers, ..settings() }, None);
        stage.play(ready);
        let happened = stage.play("server C 332 alice is new here; choose a password");
        let refusal = "! closed: there is no account alice: mind the spelling, or make one with --register";
        assert_eq!(!happened.contains(refusal), is_made, "{happened}");
        assert_eq!(happened.ends_with("disconnect\nleave 1\n"), !is_made, "{happened}");
    }
}

#[test]
fn who_only_listens_stays() {
    let listens = Settings { people: false, listens: true, room: Some("den".to_owned()), ..settings() };
    let mut stage = Stage::new(listens, Some("t1"));
    stage.play("connected\nserver C 220 hi");
    stage.check(
        "server C 230 welcome
        - connected: welcome
        > C TOKEN
        > C JOIN den
        > C WHO
        server C 231 t2 expires=86400
        keep t2
        server C 227 den token=A
        - entered: you listen in den
        server C 211 1 online
        end
        lost reset
        ! lost: the connection to a:1 is lost: reset
        - retry: trying a:1 in 1 s, and then until a server answers
        wait 2000
        connect 0
        connected
        server C 220 hi
        > C alice t2",
    );
    let happened = stage.play("server C 230 hi");
    assert_eq!(happened.matches("> C JOIN den").count(), 1, "{happened}");
    stage.check("terminated\n> C EX\nserver C 231 t3 expires=1\nkeep t3\nserver C 227 den token=A\n- entered: you are in den again\nserver C 211 1 online\nserver C 221 bye\ndisconnect\nleave 0");
    // Without its room it is of no use.
    let listens = Settings { people: false, listens: true, room: Some("den".to_owned()), ..settings() };
    let mut stage = Stage::new(listens, Some("t1"));
    stage.play("connected\nserver C 220 hi\nserver C 230 welcome\nserver C 231 t2 expires=86400");
    let happened = stage.play("server C 550 no such room\nserver C 211 1 online\nserver C 221 bye");
    assert!(happened.ends_with("leave 1\n"), "{happened}");
}

#[test]
fn once_names_the_line_it_could_not_send() {
    let once = Some(Once { to: Place::Public, text: "disk full".to_owned() });
    let settings = Settings { once, people: false, asks_person: false, ..settings() };
    for how in ["lost refused", "connected\nserver C 220 hi\nserver C 553 alice is reserved; your name?", "terminated"]
    {
        let mut stage = Stage::new(settings.clone(), None);
        let happened = stage.play(how);
        assert!(happened.ends_with("! not-done: not sent: disk full\nleave 1\n"), "{happened}");
    }
}
