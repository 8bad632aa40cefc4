//! Hostile servers.

use proptest::prelude::*;

use super::*;

#[test]
fn something_else_than_a_chat_server() {
    for line in ["HTTP/1.1 400 Bad Request", "SSH-2.0-OpenSSH_9.6", "C 250 sent", "\u{16}\u{3}\u{1}", ""] {
        let mut stage = Stage::new(settings(), None);
        stage.play("connected");
        let happened = stage.play(&format!("server {line}"));
        assert!(happened.contains("this is no chat server"), "{happened}");
        assert!(happened.ends_with("leave 1\n"), "{happened}");
    }
}

#[test]
fn nonsense_at_the_login() {
    for start in ["connected\nserver C 220 hi", "connected\nserver C 220 hi\nserver C 331 x"] {
        let mut stage = Stage::new(settings(), None);
        stage.play(start);
        let happened = stage.play("server C 999 \u{1b}[2J");
        assert!(happened.contains("the server makes no sense") && happened.ends_with("leave 1\n"), "{happened}");
    }
}

#[test]
fn nonsense_is_borne_for_a_while() {
    let mut stage = Stage::ready();
    for _ in 0..100 {
        stage.check("server x\n! bad-line: the server sent a line that means nothing: x");
    }
    stage.check("server x\ndisconnect\n! lost: the connection to a:1 is lost: the server talks nonsense\n- retry: trying a:1 in 1 s");
}

#[test]
fn replies_that_nobody_asked_for() {
    Stage::ready().check(
        "server C 250 sent to 9
        ! bad-line: the server answers what nobody asked: 250 sent to 9
        server C 211-eve
        ! bad-line: the server answers what nobody asked: 211 eve
        user hi
        > C PM hi
        ask alice>
        server C 354 your message?
        # 354 your message?
        - not-sent: not sent, to everybody: hi",
    );
}

#[test]
fn tokens_that_could_do_harm_are_not_kept() {
    for token in ["", " expires=5", "a\u{1b}b expires=5", "é expires=5", &"x".repeat(471)] {
        let mut stage = Stage::new(settings(), Some("t"));
        stage.play("connected\nserver C 220 hi\nserver C 230 hi");
        let happened = stage.play(&format!("server C 231 {token}"));
        assert!(!happened.contains("keep"), "{happened}");
    }
}

#[test]
fn harmful_names_are_not_offered() {
    let mut stage = Stage::ready();
    stage.play("server D PM 1 \u{1b}[2J hi\nserver C 103 lobby \u{202e}x entered\nuser /rooms\nserver C 211-\u{7}x y\nserver C 211 1");
    assert!(stage.session.known().names().eq(["alice", "bob"]));
    assert_eq!(stage.session.known().rooms().count(), 0);
    // A server cannot put anything into the prompt.
    for spelled in ["\u{1b}[2J", "a\u{202e}b", ""] {
        let mut stage = Stage::ready();
        stage.check(&format!(
            "user /join den
            > C JOIN den
            server C 227 {spelled} token=A
            - place: you talk in den now
            ask alice in den>"
        ));
    }
}

#[test]
fn a_flood_leaves_nothing_behind() {
    let mut stage = Stage::ready();
    let flood: Vec<u8> =
        (0..1000).flat_map(|n| format!("D PM {n} n{n} flood\nC 103 r n{n} entered\n").into_bytes()).collect();
    for _ in 0..50 {
        stage.session.handle(Input::Bytes(&flood), stage.now);
        stage.play("");
    }
    assert!(stage.session.actions.is_empty() && stage.session.requests.is_empty());
    assert!(stage.session.known().names().count() < 5000);
}

/// Possible inputs, most of them in a plausible order.
fn any_input() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("connected".to_owned()),
        1 => Just("lost why".to_owned()),
        12 => "server C (100|103|104|106|200|211|220|221|227|230|231|250|331|332|354|421|450|500|501|530|531|550|553|554)[ -](alice|lobby|retry in 3 s|x expires=9| )?",
        4 => "server D (PM|DM|RM) [0-9]{1,20} (lobby|bob|alice) \\PC{0,10}",
        2 => "server \\PC{0,20}",
        8 => "user (/(pm|dm|rm|who|join|leave|rooms|names|make|kick|close|passwd|resend|forget|help|x) ?)?(lobby|bob)?( hi)?",
        2 => "user (PM|BM|DM|DM bob|EX|)",
        2 => "user (/dm bob |  |/who)?one⏎( two|EX|)(⏎three)?",
        2 => "user [yn1]",
        4 => "secret [a-z]{0,10}",
        3 => "wait [0-9]{1,6}",
        1 => Just("end".to_owned()),
    ]
}

proptest! {
    #[test]
    fn whatever_happens(inputs in prop::collection::vec(any_input(), 0..60), is_person: bool, has_token: bool) {
        let mut stage = Stage::new(Settings { people: is_person, ..settings() }, has_token.then_some("t"));
        let (mut is_asked, mut is_wanted, mut has_left) = (false, false, false);
        for input in inputs {
            // The shell answers only what it was asked.
            let (what, _) = input.split_once(' ').unwrap_or((&input, ""));
            if (what == "user" && !is_asked) || (what == "secret" && !is_wanted) {
                continue;
            }
            is_asked &= !["user", "end"].contains(&what);
            is_wanted &= what != "secret";
            for line in stage.play(&input).lines().filter(|line| *line != input) {
                prop_assert!(!has_left, "after the end: {line}");
                if line.starts_with("ask ") {
                    prop_assert!(!is_asked, "asked twice");
                    is_asked = true;
                    prop_assert!(!is_wanted, "both asked and wanted");
                } else if line.starts_with("want ") {
                    prop_assert!(!is_wanted, "wanted twice");
                    is_wanted = true;
                    prop_assert!(!is_asked || !is_person, "both asked and wanted");
                }
                has_left |= line.starts_with("leave ");
            }
            prop_assert!(stage.session.requests.len() <= requests::REQUESTS + 260);
        }
        if has_left {
            prop_assert_eq!(stage.session.deadline(), None);
        }
    }
}
