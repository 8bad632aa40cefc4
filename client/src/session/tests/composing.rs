//! Texts of several lines that are written in the client or in an editor.

use super::*;

const ASKED: &str = "- paste: type or paste lines; a . alone on a line or Ctrl-D ends them, Ctrl-C cancels";

#[test]
fn collected_lines_are_text_and_are_asked_about() {
    Stage::ready().check(&format!(
        "user /paste
        {ASKED}
        ask line 1>
        user one
        ask line 2>
        user
        ask line 2>
        user /quit
        ask line 3>
        user   three⏎.⏎//four
        ask line 6>
        user .
        ask: send 5 lines? [y/N/1 = as one line]
        user n
        - cancelled: not sent; the up arrow brings them back
        ask alice>
        user /paste
        {ASKED}
        ask line 1>
        user one
        ask line 2>
        end
        ask: send 1 line? [y/N]
        user y
        > C PM one
        ask alice>
        user /paste
        {ASKED}
        ask line 1>
        user one
        ask line 2>
        cancel
        - cancelled: not sent; the up arrow brings them back
        ask alice>
        user /paste
        {ASKED}
        ask line 1>
        user .
        - cancelled: nothing is sent: the text is empty
        ask alice>
        user /paste now
        ! usage: /paste takes no words
        ask alice>
        cancel
        > C EX"
    ));
}

#[test]
fn an_edited_text_is_asked_about_and_kept_until_it_is_sent() {
    Stage::ready().check(
        "user /edit  hello you
        edit hello you
        wait 100
        edited one⏎⏎ two⏎
        ask: send 2 lines? [y/N/1 = as one line]
        user n
        - cancelled: not sent; /edit goes on with the text
        ask alice>
        user /edit
        edit one⏎⏎ two
        unedited the editor vi has failed (exit status: 1)
        ! not-sent: not sent: the editor vi has failed (exit status: 1)
        ask alice>
        user /edit
        edit one⏎⏎ two
        edited one⏎two⏎
        ask: send 2 lines? [y/N/1 = as one line]
        user 1
        > C PM one two
        ask alice>
        user /edit
        edit 
        edited 
        - cancelled: nothing is sent: the text is empty
        ask alice>
        user /edit x
        edit x
        unedited the editor vi has failed (exit status: 1)
        ! not-sent: not sent: the editor vi has failed (exit status: 1)
        ask alice>",
    );
}

#[test]
fn a_text_goes_where_it_was_begun() {
    Stage::ready().check(&format!(
        "user /dm bob
        > C DM bob
        server C 354 your message?
        ask your message to bob?
        user /edit
        edit 
        edited hi⏎there
        ask: send 2 lines? [y/N/1 = as one line]
        user 1
        > C DM bob hi there
        ask alice>
        server C 250 sent to bob
        = with bob alice: hi there (sent to bob)
        user /join den
        > C JOIN den
        server C 227 den host=bob
        - place: you talk in den now
        ask alice in den>
        user /paste
        {ASKED}
        ask line 1>
        user /pm
        ask line 2>
        server C 104 den alice left: kicked
        * 104 den alice left: kicked
        - place: you talk to everybody now
        user .
        ask: send 1 line? [y/N]
        user y
        > C RM den /pm
        ask alice>"
    ));
}

#[test]
fn the_connection_lives_on_beside_an_editor() {
    let mut stage = Stage::ready();
    stage.play("user /edit");
    let happened =
        stage.play("server C 101 x\nserver D PM 1048576 bob hi\nlost gone\nwait 3000\nconnected\nserver C 220 hi");
    assert!(happened.contains("bob: hi") && happened.contains("> C alice t2"), "{happened}");
    assert!(!happened.contains("\nask"), "{happened}");
    let happened = stage.play("server C 531 no\nwait 100");
    assert!(happened.contains("! password-needed") && !happened.contains("want"), "{happened}");
    let happened = stage.play("edited one⏎two");
    assert!(happened.contains("want password 1"), "{happened}");
    let happened = stage.play("secret s3cret\nserver C 230 hi\nserver C 231 t3 expires=10\nserver C 211 0 online");
    assert!(happened.contains("\nask: send 2 lines? [y/N/1 = as one line]\n"), "{happened}");
}

#[test]
fn too_much_is_refused() {
    let mut stage = Stage::ready();
    stage.play("user /paste");
    let happened = stage.play(&format!("user {}", "x⏎".repeat(1001)));
    assert!(
        happened.ends_with("! dropped: not sent: more than 1000 lines or 512 KiB at once\nask alice>\n"),
        "{happened}"
    );
    stage.play("user /edit");
    let happened = stage.play(&format!("edited {}", "x".repeat(INPUT_BYTES)));
    assert!(
        happened.ends_with("! dropped: not sent: more than 1000 lines or 512 KiB at once\nask alice>\n"),
        "{happened}"
    );
}

#[test]
fn scripts_say_their_lines_one_by_one() {
    let happened = Stage::script().play("user /paste\nuser /edit x");
    assert_eq!(happened.matches("! usage: /paste and /edit are for people").count(), 2, "{happened}");
    assert_eq!(happened.matches("! not-done: ").count(), 2, "{happened}");
}

#[test]
fn nothing_else_is_carried_out_beside_an_editor() {
    Stage::ready().check(
        "user /edit
        edit 
        user hello
        wait 100
        unedited it failed
        ! not-sent: not sent: it failed
        > C PM hello
        ask alice>",
    );
}
