//! Servers that are not proven: nothing is sent to them, and only a person can accept a key.

use super::*;

fn over_tls() -> Settings {
    Settings { servers: vec!["tls://a:1".to_owned()], ..settings() }
}

const ONE: &str = "SHA256:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
const TWO: &str = "SHA256:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

#[test]
fn a_person_says_yes() {
    for yes in ["y", "YES", " yes "] {
        Stage::new(over_tls(), Some("t1")).check(&format!(
            "- connecting: connecting to tls://a:1
            connect 0
            unknown 1 its certificate is self-signed
            drop typed
            ! unproven: tls://a:1 is not proven: its certificate is self-signed; `chatd cert show` on the server prints its key, and this one has {ONE}
            ask trust: trust this key from now on? [y/N]
            user {yes}
            trust {ONE} of 0
            - connecting: connecting to tls://a:1
            connect 0
            connected
            server C 220 ready
            > C alice t1
            server C 230 welcome
            - connected: welcome
            - help: PM to everybody, DM to one, EX to leave; /help lists more
            > C TOKEN
            > C WHO
            ask alice>",
        ));
    }
}

#[test]
fn anything_else_is_no() {
    for no in ["user", "user n", "user 1", "user yes please", "user hello⏎yes", "end"] {
        let mut stage = Stage::new(over_tls(), Some("t1"));
        stage.play("unknown 1 why");
        stage.check(&format!(
            "{no}
            ! closed: the server is not trusted, and nothing was sent to it
            leave 1"
        ));
    }
    // A signal is no answer.
    let mut stage = Stage::new(over_tls(), Some("t1"));
    stage.play("unknown 1 why");
    stage.check("terminated\nleave 0");
}

#[test]
fn a_script_never_accepts_a_key() {
    let script = Settings { people: false, asks_trust: false, ..over_tls() };
    Stage::new(script, Some("t1")).check(&format!(
        "- connecting: connecting to tls://a:1
        connect 0
        unknown 1 its certificate is self-signed
        ! unproven: tls://a:1 is not proven: its certificate is self-signed; it has the key {ONE}; `chatd cert show` on the server prints its key; if it is this one: --pin {ONE}
        leave 1"
    ));
}

#[test]
fn another_key_than_before_is_refused() {
    for people in [true, false] {
        Stage::new(Settings { people, ..over_tls() }, Some("t1")).check(&format!(
            "- connecting: connecting to tls://a:1
            connect 0
            changed 2 1
            ! unproven: tls://a:1 is not the server that you trusted: its key was {ONE} and is {TWO} now; somebody may be in between, or it has a new key: ask its operator, and only then: chatclient --forget a:1
            leave 1"
        ));
    }
}

#[test]
fn a_wrong_pin_is_refused() {
    Stage::new(over_tls(), Some("t1")).check(&format!(
        "- connecting: connecting to tls://a:1
        connect 0
        not-pinned 1
        ! unproven: tls://a:1 has none of the keys of --pin: it has {ONE}; `chatd cert show` on the server prints its key
        leave 1"
    ));
}

#[test]
fn an_impostor_after_a_break_gets_nothing() {
    let mut stage = Stage::new(over_tls(), Some("t1"));
    stage.enter();
    stage.play("lost it was killed");
    let happened = stage.play("wait 2000\nunknown 2 why\nwait 4000\nchanged 2 1\nwait 8000\nchanged 2 1");
    assert!(happened.contains("connect 0") && !happened.contains('>'), "{happened}");
    // In the middle of a line nobody is asked. Each reason is told once, in full.
    assert!(!happened.contains("\nask") && !happened.contains("\nleave"), "{happened}");
    assert_eq!(happened.matches("! unproven: ").count(), 2, "{happened}");
    assert!(happened.contains("start chatclient again") && happened.contains("--forget a:1"), "{happened}");
    // The server is back.
    let happened = stage.play("wait 16000\nconnected\nserver C 220 ready");
    assert!(happened.ends_with("> C alice t2\n"), "{happened}");
}

#[test]
fn the_next_server_may_be_proven() {
    let servers = vec!["tls://a:1".to_owned(), "b:2".to_owned()];
    let mut stage = Stage::new(Settings { servers, people: false, asks_trust: false, ..settings() }, None);
    let happened = stage.play("unknown 1 why");
    assert!(happened.contains("! unproven: ") && happened.ends_with("connect 1\n"), "{happened}");
}

#[test]
fn a_script_typed_at_a_terminal_is_asked_in_a_line() {
    let settings = Settings { people: false, ..over_tls() };
    let mut stage = Stage::new(settings, None);
    let happened = stage.play("unknown 1 why");
    assert!(happened.contains("- trust: trust this key from now on? type y or n\nask trust: "), "{happened}");
    stage.check(&format!("user y\ntrust {ONE} of 0\n- connecting: connecting to tls://a:1\nconnect 0"));
}

#[test]
fn a_server_that_waits_for_tls() {
    let hint = "if it speaks TLS, use --tls";
    let mut stage = Stage::new(settings(), None);
    let happened = stage.play("connected\nwait 4500");
    assert!(happened.contains(&format!("! unreachable: a:1: no answer yet; {hint}\n")), "{happened}");
    let happened = stage.play("lost the server closed the connection");
    assert!(happened.contains(hint), "{happened}");
    let mut stage = Stage::new(settings(), None);
    let happened = stage.play("connected\nserver C 421 not TLS");
    assert!(happened.contains(hint) && happened.ends_with("leave 1\n"), "{happened}");
    let happened = Stage::new(over_tls(), None).play("connected\nwait 4500\nlost why");
    assert!(!happened.contains(hint), "{happened}");
}
