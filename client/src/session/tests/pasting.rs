//! Several lines entered at once.

use super::*;

#[test]
fn several_lines_are_sent_when_the_user_says_so() {
    Stage::ready().check(
        "user one⏎⏎  two⏎/quit⏎
        erase
        ask: send 3 lines? [y/N/1 = as one line]
        user y
        > C PM one
        erase
        > C PM
        > D   two
        erase
        > C PM /quit
        erase
        ask alice>
        server C 250 sent to 1
        = all alice: one (sent to 1)
        server C 354 your message?
        server C 250 sent to 1
        = all alice:   two (sent to 1)
        server C 250 sent to 1
        = all alice: /quit (sent to 1)",
    );
}

#[test]
fn or_as_one_line_or_not_at_all() {
    Stage::ready().check(
        "user one⏎  two
        ask: send 2 lines? [y/N/1 = as one line]
        user 1
        > C PM one two
        ask alice>
        user one⏎two
        ask: send 2 lines? [y/N/1 = as one line]
        user
        - cancelled: not sent; the up arrow brings them back
        ask alice>
        user one⏎two
        ask: send 2 lines? [y/N/1 = as one line]
        user what?
        - cancelled: neither the lines nor your answer was sent; the up arrow brings both back
        ask alice>
        user one⏎two
        ask: send 2 lines? [y/N/1 = as one line]
        user three⏎y
        - cancelled: neither the lines nor your answer was sent; the up arrow brings both back
        ask alice>
        user one⏎two
        ask: send 2 lines? [y/N/1 = as one line]
        user /join den sesame⏎y
        - cancelled: not sent; the up arrow brings them back
        ask alice>
        user one⏎two
        ask: send 2 lines? [y/N/1 = as one line]
        end
        - cancelled: not sent; the up arrow brings them back
        ask alice>
        user one⏎two
        ask: send 2 lines? [y/N/1 = as one line]
        user /hlp
        ! unknown: there is no /hlp; did you mean /help?
        ask: send 2 lines? [y/N/1 = as one line]
        user  /who
        ! not-sent: not sent: a command must begin at the first character; begin with // to say it as text
        ask: send 2 lines? [y/N/1 = as one line]
        user /pm
        - cancelled: not sent; the up arrow brings them back
        - place: you talk to everybody now
        ask alice>",
    );
}

#[test]
fn one_line_with_a_line_end_is_one_line() {
    for typed in ["hi⏎", "⏎hi⏎⏎", "  ⏎hi"] {
        Stage::ready().check(&format!("user {typed}\n> C PM hi\nask alice>"));
    }
    Stage::ready().check("user ⏎ ⏎\nask alice>");
}

#[test]
fn all_lines_go_where_the_first_goes() {
    for (first, sent) in [
        ("/dm bob one", "DM bob one"),
        ("/rm lobby one", "RM lobby one"),
        ("/pm one", "PM one"),
        ("/say one", "PM one"),
    ] {
        let second = sent.replace("one", "two");
        Stage::ready().check(&format!(
            "user {first}⏎two
            ask: send 2 lines? [y/N/1 = as one line]
            user y
            > C {sent}
            > C {second}
            ask alice>"
        ));
    }
    Stage::ready().check(
        "user /dm bob⏎one⏎two
        ask: send 2 lines? [y/N/1 = as one line]
        user y
        > C DM bob one
        > C DM bob two
        ask alice>
        user PM
        ask your message?
        user one⏎two
        ask: send 2 lines? [y/N/1 = as one line]
        user Yes
        > C PM one
        > C PM two
        ask alice>",
    );
    let mut stage = Stage::ready();
    stage.play("user DM\nserver C 211 0 online");
    stage.check(
        "user bob one⏎DM two
        ask: send 2 lines? [y/N/1 = as one line]
        user y
        > C DM bob one
        > C DM bob DM two
        ask alice>",
    );
}

#[test]
fn lines_that_begin_with_a_command_go_nowhere() {
    for first in ["/who", "/join lobby pw", "/usr/bin/env", "EX", "DM", "/nick x"] {
        Stage::ready().check(&format!(
            "user {first}⏎two
            ! not-sent: not sent: several lines at once are text, and the first of these is a command
            ask alice>"
        ));
    }
}

#[test]
fn lines_for_a_room_that_is_gone_go_nowhere() {
    let mut stage = Stage::ready();
    stage.play("user /join den\nserver C 227 den token=A\nserver C 106 den closed: by its host");
    stage.check(
        "user one⏎two
        ! not-sent: not sent, for you are somewhere else now; /join or /pm first, or say it again: one
        ask alice>",
    );
    // The question was about the room.
    let mut stage = Stage::ready();
    stage.play("user /join den\nserver C 227 den token=A\nuser one⏎two\nserver C 106 den closed: by its host");
    stage.check(
        "user y
        > C RM den one
        > C RM den two
        ask alice>",
    );
}

#[test]
fn a_paste_follows_the_answers_and_is_bounded() {
    let mut stage = Stage::ready();
    let lines: Vec<String> = (0..100).map(|n| format!("line {n}")).collect();
    stage.check(&format!("user {}\nask: send 100 lines? [y/N/1 = as one line]", lines.join("⏎")));
    assert_eq!(stage.play("user y").matches("> C PM line").count(), requests::REQUESTS);
    let happened: String = (0..100).map(|_| stage.play("server C 250 sent to 1")).collect();
    assert_eq!(happened.matches("> C PM line").count(), 100 - requests::REQUESTS);
    assert!(happened.contains("ask alice>") && happened.ends_with("= all alice: line 99 (sent to 1)\n"), "{happened}");
    let typed = ["x"; 1001].join("⏎");
    assert!(
        stage.play(&format!("user {typed}")).contains("! dropped: not sent: more than 1000 lines or 512 KiB at once")
    );
    // Lines that have not been sent at the end are counted.
    stage.play(&format!("user {}\nuser y", lines.join("⏎")));
    let end = stage.play("terminated\nwait 1000");
    assert!(end.contains("! unsent: not carried out: 68 lines\nleave 1"), "{end}");
    let mut stage = Stage::ready();
    let end = stage.play("user one⏎two\nterminated\nwait 1000");
    assert!(end.contains("! unsent: not carried out: 2 lines\nleave 1"), "{end}");
}

#[test]
fn comments_keep_their_slashes() {
    for answer in ["y\n> C PM // one\n> C PM // two", "1\n> C PM // one // two"] {
        Stage::ready().check(&format!(
            "user // one⏎// two
            ask: send 2 lines? [y/N/1 = as one line]
            user {answer}
            ask alice>"
        ));
    }
    Stage::ready().check(
        "user PM
        ask your message?
        user //one⏎two
        ask: send 2 lines? [y/N/1 = as one line]
        user y
        > C PM //one
        > C PM two
        ask alice>",
    );
}

#[test]
fn invisible_characters_do_not_hide_a_command() {
    for lead in ["\u{feff}", "\u{200b}", "\u{2060}\u{200e}"] {
        Stage::ready().check(&format!(
            "user {lead}/dm bob secret
            > C DM bob secret
            ask alice>
            user {lead}/dm bob one⏎{lead}two
            ask: send 2 lines? [y/N/1 = as one line]
            user y
            > C DM bob one
            > C DM bob two
            ask alice>
            user {lead}
            ask alice>"
        ));
        Stage::script().check(&format!("user {lead}/dm bob secret\n> C DM bob secret\nask alice>"));
    }
}

#[test]
fn what_the_editor_may_have_cut_is_not_sent() {
    let mut stage = Stage::ready();
    let line = "x".repeat(1999);
    let most = INPUT_BYTES / 2000;
    let typed = |count: usize| format!("user {}", vec![line.as_str(); count].join("⏎"));
    assert!(stage.play(&typed(most)).contains(&format!("ask: send {most} lines?")));
    stage.play("user n");
    assert!(stage.play(&typed(most + 1)).contains("! dropped: not sent: more than 1000 lines or 512 KiB at once"));
}
