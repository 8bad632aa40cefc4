//! What was missed is shown once, whatever happens meanwhile.

use super::*;

/// A person whose client asks for the past, and has everything up to 100 from an earlier run.
fn returning(seen: Option<u64>) -> Stage {
    let mut stage = Stage::new(Settings { resumes: Resumes::Always, ..settings() }, Some("t1"));
    stage.session = stage.session.with_seen(vec![seen]);
    stage
}

/// The answers up to the first page.
const LOGIN: &str = "connected\nserver C 220 hi\nserver C 230 welcome alice
    server C 200 ids reads forgets own\nserver C 231 t2 expires=86400\nserver C 211-bob\nserver C 211 1 online";
const COUNTS: &str = "server C 213-* 0 0 read=100 last=100 notify=mentions\nserver C 213 kept for 30 days";

/// The same, logged in with nothing missed.
fn current(seen: u64) -> Stage {
    let mut stage = returning(Some(seen));
    stage.play(LOGIN);
    stage.play(COUNTS);
    stage.play("server C 212 0 end");
    stage
}

/// The connection is lost, and the user is logged in again up to the first page.
fn back(stage: &mut Stage) -> String {
    if !stage.play("lost x\nwait 1500").contains("connect 0") {
        stage.play("wait 9000");
    }
    stage.play(LOGIN) + &stage.play(COUNTS)
}

#[test]
fn missed_once_and_live_lines_after_it() {
    let mut stage = returning(Some(100));
    stage.check(
        "- connecting: connecting to a:1
        connect 0
        connected
        server C 220 hi
        > C alice t1
        server C 230 welcome alice
        - connected: welcome alice
        - help: PM to everybody, DM to one, EX to leave; /help lists more
        > C WANT ids reads forgets own
        > C TOKEN
        > C WHO
        ask alice>
        server D PM 140 bob live
        server C 200 ids reads forgets own
        > C UNREAD
        server C 231 t2 expires=86400
        keep t2
        server C 211 0 online
        server C 213-lobby 2 1 read=110 last=130 notify=mentions
        server C 213-* 0 0 read=100 last=90 notify=mentions
        server C 213 kept for 30 days
        > C JOIN lobby
        > C HISTORY after 100 200
        server C 227 lobby token=A kept=30
        - entered: you are in lobby
        server C 212-105 * bob - read elsewhere
        server C 212-110 lobby alice - mine from elsewhere
        server C 212-120 lobby erin m are you there, alice?
        server C 212 3 next=120
        > C HISTORY after 120 200
        server D PM 141 bob more
        server C 212-125 lobby server g 12 messages were not kept: disk full
        server C 212-130 @dave dave m psst
        server C 212-140 * bob - live
        server C 212 3 end
        - missed: since you left: 3 messages were said meanwhile
        --- new
        = past all 105 bob: read elsewhere
        = past room lobby 110 alice: mine from elsewhere
        = past room lobby 120 erin: are you there, alice? !
        ... room lobby 125 12 messages were not kept: disk full
        = past with dave 130 dave: psst !
        = all 140 bob: live
        = all 141 bob: more
        seen 141
        server D PM 142 bob and on
        = all 142 bob: and on
        wait 999
        wait 1
        seen 142",
    );
}

#[test]
fn what_another_client_has_read_is_not_new() {
    let mut stage = returning(Some(100));
    stage.play(LOGIN);
    stage.play("server C 213-* 0 0 read=120 last=120 notify=all\nserver C 213 x");
    stage.check(
        "server C 212-105 * bob m hi alice
        server C 212-120 * bob - old
        server C 212 2 end
        - missed: since you left: 2 messages were said meanwhile
        = past all 105 bob: hi alice !
        = past all 120 bob: old
        seen 120",
    );
}

#[test]
fn nothing_is_shown_twice_after_a_break() {
    let mut stage = current(100);
    stage.play("server D PM 150 bob one");
    let happened = back(&mut stage);
    assert!(happened.ends_with("> C HISTORY after 150 200\n"), "{happened}");
    // The connection is lost within a page: the next one asks for the same.
    let happened = stage.play("server D PM 170 bob held\nserver C 212-160 * bob - two\nlost y");
    assert!(happened.contains("= all 170 bob: held") && !happened.contains("= past"), "{happened}");
    stage.play("wait 9000");
    let happened = stage.play(LOGIN) + &stage.play(COUNTS);
    assert!(happened.ends_with("> C HISTORY after 150 200\n"), "{happened}");
    stage.check(
        "server C 212-160 * bob - two
        server C 212-170 * bob - held
        server C 212-180 * bob - three
        server C 212 3 end
        - missed: you were away for 9 s; 2 messages were said meanwhile
        --- new
        = past all 160 bob: two
        = past all 180 bob: three
        seen 180",
    );
}

#[test]
fn live_lines_before_the_end_do_not_count() {
    let mut stage = returning(Some(100));
    stage.play(LOGIN);
    stage.play(COUNTS);
    let happened = stage.play("server D PM 170 bob held\nwait 5000\nserver D PM 171 bob shown at once\nterminated\nserver C 212 0 end\nserver C 221 bye");
    assert!(happened.contains("= all 170 bob: held\n") && happened.contains("= all 171 "), "{happened}");
    assert!(!happened.contains("seen "), "{happened}");
}

#[test]
fn an_unconfirmed_line_keeps_the_number_where_it_was() {
    let mut stage = current(100);
    stage.play("server D PM 150 bob one\nwait 1000");
    stage.check(
        "user mine
        > C READ 150
        > C PM mine
        ask alice>
        server D PM 160 bob two
        = all 160 bob: two
        wait 1000
        server C 200 done
        server C 250 sent to 1 id=155
        = all 155 alice: mine (sent to 1)
        seen 160",
    );
    // Of two, the older one counts.
    stage.play("user a\nserver D PM 170 bob x\nuser b\nserver D PM 180 bob y\nwait 1000\nserver C 200 done");
    stage.check("server C 250 sent to 1 id=165\n= all 165 alice: a (sent to 1)\nseen 170");
    stage.check("wait 1000\nserver C 250 sent to 1 id=175\n= all 175 alice: b (sent to 1)\nseen 180");
}

#[test]
fn an_unconfirmed_line_that_is_in_a_page_has_arrived() {
    let mut stage = current(100);
    stage.play(
        "server D PM 150 bob one\nuser same\nuser same\nuser /dm dave p\u{200b}sst\nuser never\nserver C 200 done",
    );
    stage.play("server D PM 160 bob two");
    let happened = back(&mut stage);
    assert!(happened.ends_with("> C HISTORY after 150 200\n"), "{happened}");
    stage.check(
        "server C 212-155 * alice - same
        server C 212-160 * bob - two
        server C 212-165 @Dave alice - psst
        server C 212-166 @carol alice - psst
        server C 212-170 * alice - from elsewhere
        server C 212 4 end
        - missed: you were away for 2 s; this is kept of the time
        = past all 155 alice: same (arrived)
        = past with Dave 165 alice: psst (arrived)
        = past with carol 166 alice: psst
        = past all 170 alice: from elsewhere
        ! unconfirmed: not confirmed, to everybody: same
        ! unconfirmed: not confirmed, to everybody: never
        - resend-or-forget: what is not confirmed may or may not have arrived: /resend sends all of this (again), /forget drops it",
    );
    // Two are unconfirmed, so the number stays; what was shown is not shown again.
    let happened = back(&mut stage);
    assert!(happened.ends_with("> C HISTORY after 150 200\n"), "{happened}");
    let happened = stage.play(
        "server C 212-155 * alice - same\nserver C 212-160 * bob - two\nserver C 212-170 * alice - from elsewhere
        server C 212-175 * alice - never\nserver C 212-180 * bob - three\nserver C 212 5 end",
    );
    let past: Vec<&str> = happened.lines().filter(|line| line.starts_with("= ")).collect();
    assert_eq!(past, ["= past all 175 alice: never (arrived)", "= past all 180 bob: three"], "{happened}");
    stage.check("wait 1000\nuser /forget\n> C READ 180\n- forgotten: 1 message forgotten\nask alice>\nseen 180");
}

#[test]
fn a_confirmed_line_is_not_taken_for_an_unconfirmed_one() {
    let mut stage = current(100);
    stage.play("user /dm dave x\nuser same\nserver C 550 no\nserver C 250 sent to 1 id=110\nuser ok");
    stage.play("server D PM 120 alice same\nuser same\nserver C 250 sent to 1 id=130");
    let happened = back(&mut stage);
    assert!(happened.ends_with("> C HISTORY after 120 200\n"), "{happened}");
    let happened = stage.play("server C 212-130 * alice - ok\nserver C 212 1 end");
    assert!(!happened.contains("= ") && happened.contains("! unconfirmed: not confirmed, to everybody: same"));
}

#[test]
fn own_lines_of_this_connection_are_not_missed() {
    let mut stage = returning(Some(100));
    stage.play(LOGIN);
    stage.play(COUNTS);
    stage.play("user now\nserver C 212-105 * bob - x\nserver C 212 1 next=105\nserver C 250 sent to 1 id=107");
    stage.check(
        "server C 212-107 * alice - now
        server C 212 1 end
        - missed: since you left: 1 message was said meanwhile
        --- new
        = past all 105 bob: x
        seen 107",
    );
}

#[test]
fn too_much_is_cut_and_said_so() {
    let mut stage = current(100);
    stage.play("user mine");
    back(&mut stage);
    let page = |from: u64, count: u64, end: &str| {
        let lines = (from..from + count).map(|id| format!("server C 212-{id} * bob - line {id}\n"));
        lines.collect::<String>() + &format!("server C 212 {count} {end}")
    };
    for at in (0..5).map(|page| 1_000 + 200 * page) {
        let happened = stage.play(&page(at, 200, &format!("next={}", at + 199)));
        assert!(happened.ends_with(&format!("> C HISTORY after {} 200\n", at + 199)), "{happened}");
    }
    let happened = stage.play("server C 212-2010 * alice - mine\nserver C 212 1 next=2010");
    assert!(happened.ends_with("> C HISTORY 200\n"), "{happened}");
    // 64 KiB have cut this page.
    let happened = stage.play(&page(9_850, 150, "next=9850"));
    assert!(happened.ends_with("> C HISTORY before 9850 200\n"), "{happened}");
    let happened = stage.play(&page(9_650, 200, "next=9650"));
    assert!(happened.contains("more than 1000 messages were said meanwhile; these are the last 201, /history"));
    let past: Vec<&str> = happened.lines().filter(|line| line.starts_with("= ")).collect();
    assert_eq!((past.len(), past[0]), (201, "= past all 2010 alice: mine (arrived)"));
    assert_eq!((past[1], past[200]), ("= past all 9800 bob: line 9800", "= past all 9999 bob: line 9999"));
    assert!(stage.play("wait 1000").contains("seen 9999") || happened.contains("seen 9999"));
}

#[test]
fn a_server_that_cannot_answer_now_is_asked_again() {
    let mut stage = returning(Some(100));
    stage.play(LOGIN);
    stage.check(
        "server C 450 try again
        - missed: what was said meanwhile cannot be read yet: try again; the client goes on asking
        wait 999
        wait 1
        > C UNREAD
        server C 213-* 0 0 read=100 last=100
        server C 213 x
        > C HISTORY after 100 200
        server C 212-110 * bob - cut off
        server C 450 try again
        server D PM 150 bob live
        wait 1000
        > C HISTORY after 100 200
        server C 450 try again
        wait 2000
        > C HISTORY after 100 200
        server C 450 try again
        wait 1000
        = all 150 bob: live
        wait 3000
        > C HISTORY after 100 200",
    );
    for pause in [8, 16, 30, 30] {
        let wait = format!("server C 450 no\nwait {}\nwait 1", pause * 1000 - 1);
        let happened = stage.play(&wait);
        assert!(happened.ends_with("wait 1\n> C HISTORY after 100 200\n"), "{happened}");
        assert_eq!(happened.matches("HISTORY").count(), 1);
    }
    stage.check(
        "server C 212-110 * bob - missed
        server C 212-150 * bob - live
        server C 212 2 end
        - missed: since you left: 1 message was said meanwhile
        --- new
        = past all 110 bob: missed
        seen 150",
    );
}

#[test]
fn without_a_history_it_is_as_before() {
    let older = LOGIN.replace("C 200 ids reads forgets own", "C 502 unknown operation");
    let without = format!("{LOGIN}\nserver C 554 nothing is kept here");
    for login in [&older, &without] {
        let mut stage = returning(Some(100));
        let happened = stage.play(&login.replace("server C 200", "server D PM 150 bob held\nserver C 200"));
        assert!(!happened.contains("! ") && !happened.contains("missed"), "{happened}");
        assert!(login == &older || happened.ends_with("nothing is kept here\n= all 150 bob: held\n"), "{happened}");
        stage.check("server D PM 160 bob hi\n= all 160 bob: hi\nuser x\n> C PM x\nask alice>");
        stage.play("server C 250 sent to 1\nuser y");
        stage.play("lost z\nwait 1500");
        let happened = stage.play(login);
        assert!(happened.contains("- missed: you were away for 2 s; what was said meanwhile has not reached you\n"));
        assert!(happened.contains("! unconfirmed: not confirmed, to everybody: y\n"), "{happened}");
        let happened = stage.play("wait 60000\nuser /quit\nserver C 221 bye");
        assert!(!happened.contains("seen "), "{happened}");
    }
}

#[test]
fn a_strange_answer_ends_the_question() {
    for (answers, told) in [
        ("server C 501 what?", "cannot be read: what?"),
        ("server C 213 x\nserver C 212 what?", "cannot be read: what?"),
        ("server C 213-what?\nserver C 213 x\nserver C 212 0 end", "means nothing: C 213-what?"),
        ("server C 213 x\nserver C 212-1 2\nserver C 212 0 end", "means nothing: C 212-1 2"),
    ] {
        let mut stage = returning(Some(100));
        stage.play(LOGIN);
        let happened = stage.play("server D PM 150 bob hi") + &stage.play(answers);
        assert!(happened.contains(told) && happened.contains("= all 150 bob: hi"), "{happened}");
    }
    // A bound that does not rise ends it, too.
    let mut stage = returning(Some(100));
    stage.play(LOGIN);
    stage.play(COUNTS);
    let happened = stage.play("server C 212-110 * bob - x\nserver C 212 1 next=100");
    assert!(happened.contains("= past all 110 bob: x") && !happened.contains("> "), "{happened}");
}

#[test]
fn a_new_client_begins_with_what_is_unread() {
    let mut stage = returning(None);
    stage.play(LOGIN);
    let happened =
        stage.play("server C 213-lobby 1 0 read=50 last=70\nserver C 213-* 0 0 read=90 last=80\nserver C 213 x");
    assert!(happened.ends_with("> C JOIN lobby\n> C HISTORY after 50 200\n"), "{happened}");
    stage.play("server C 227 lobby token=A kept=30");
    stage.check(
        "server C 212-60 * bob - read elsewhere
        server C 212-70 lobby bob - unread
        server C 212 2 end
        - missed: since you left: 1 message was said meanwhile
        --- new
        = past room lobby 70 bob: unread
        seen 70",
    );
    // Nothing is unread: it begins now.
    let mut stage = returning(None);
    stage.play(LOGIN);
    let happened = stage.play("server C 213-* 0 0 read=40 last=80\nserver C 213 x");
    assert!(happened.ends_with("> C HISTORY after 80 200\n"), "{happened}");
    stage.check("server C 212 0 end\nseen 80");
}

#[test]
fn a_number_of_another_server_is_given_up() {
    let mut stage = current(1_000);
    stage.check("wait 1000\nserver D PM 17 bob hi\n= all 17 bob: hi\nseen 17");
}

#[test]
fn each_server_has_its_own_number() {
    let servers = vec!["a:1".to_owned(), "b:2".to_owned()];
    let mut stage = Stage::new(Settings { servers, resumes: Resumes::Always, ..settings() }, Some("t1"));
    stage.session = stage.session.with_seen(vec![Some(100), Some(7)]);
    stage.play(LOGIN);
    stage.play(COUNTS);
    stage.play("server C 212 0 end\nserver D PM 150 bob x\nuser mine\nlost y");
    stage.play("connected\nserver C 220 hi\nserver C 331 x\nuser\nsecret correct horse\nserver C 230 hi\nserver C 200 ids\nserver C 450 no");
    let happened = stage.play("server C 211 0 online\nserver C 213 x");
    assert!(happened.ends_with("> C HISTORY after 7 200\n"), "{happened}");
    let happened = stage.play("server C 212-9 * alice - mine\nserver C 212 1 end");
    assert!(happened.contains("= past all 9 alice: mine\n") && happened.contains("! unconfirmed: "), "{happened}");
    stage.check("wait 1000\nseen 9 of 1");
}

#[test]
fn the_number_is_kept_at_the_end() {
    let mut stage = current(100);
    stage.play("server D PM 150 bob x");
    let happened = stage.play("server D PM 160 bob y\nuser hi\nserver D PM 170 bob z\nterminated\nserver C 200 done");
    assert!(!happened.contains("seen 160"), "{happened}");
    let happened = stage.play("wait 1000");
    assert!(happened.contains("seen 160\n") && happened.ends_with("leave 1\n"), "{happened}");
}

#[test]
fn a_script_asks_after_a_break_alone() {
    let mut stage = Stage::new(Settings { resumes: Resumes::InRun, people: false, ..settings() }, Some("t1"));
    let login = LOGIN.replace("server C 200 ids reads forgets own\n", "");
    let happened = stage.play(&login);
    assert!(!happened.contains("WANT") && !happened.contains("HISTORY"), "{happened}");
    stage.play("server D PM 150 bob x\nuser mine\nuser other\nserver D PM 160 bob y\nserver C 250 sent to 1\nlost z\nwait 1500");
    let happened = stage.play(&login);
    assert!(
        happened.ends_with("server C 211 1 online\n") && happened.contains("> C HISTORY after 150 200"),
        "{happened}"
    );
    stage.check(
        "server C 212-155 * alice - mine
        server C 212-156 * alice - other
        server C 212-160 * bob - y
        server C 212-165 lobby bob - not in this room
        server C 212-170 @bob bob m psst
        server C 212 5 end
        - missed: you were away for 2 s; 1 message was said meanwhile
        = past all 156 alice: other (arrived)
        = past with bob 170 bob: psst !
        end
        > C EX
        server C 221 bye
        disconnect
        leave 0",
    );
    // A script that has heard nothing has nothing to ask for.
    let mut stage = Stage::new(Settings { resumes: Resumes::InRun, people: false, ..settings() }, Some("t1"));
    stage.play(&login);
    stage.play("lost z\nwait 1500");
    let happened = stage.play(&login);
    assert!(!happened.contains("HISTORY") && happened.contains("has not reached you"), "{happened}");
}

#[test]
fn a_listener_begins_now_and_enters_no_other_room() {
    let listener = Settings { resumes: Resumes::Always, people: false, listens: true, ..settings() };
    let mut stage = Stage::new(listener, Some("t1"));
    stage.play(LOGIN);
    let happened = stage.play("server C 213-lobby 5 1 read=50 last=70\nserver C 213 x");
    assert!(happened.ends_with("server C 213 x\n> C HISTORY after 70 200\nseen 70\n"), "{happened}");
    // A connection that ends before the page does not make it begin once more.
    stage.play("lost z\nwait 1500");
    stage.play(LOGIN);
    let happened = stage.play("server C 213-lobby 5 1 read=50 last=90\nserver C 213 x");
    assert!(happened.ends_with("> C HISTORY after 70 200\n"), "{happened}");
    stage.check("server C 212-75 lobby bob - x\nserver C 212-80 * bob - y\nserver C 212 2 end\n- missed: you were away for 2 s; 1 message was said meanwhile\n= past all 80 bob: y\nseen 80");
}

#[test]
fn direct_messages_from_elsewhere() {
    let mut stage = current(100);
    stage.check(
        "server D TO 150 bob hi from my phone
        = with bob 150 alice: hi from my phone (to bob, from another client of yours)
        seen 150
        server D NEW 160 whatever",
    );
}

#[test]
fn what_is_erased_meanwhile_is_not_shown() {
    let mut stage = returning(Some(100));
    stage.play(LOGIN);
    stage.play(COUNTS);
    stage.play("server D PM 150 bob a\nserver D PM 151 bob b\nserver C 212-110 * bob - c\nserver C 212-111 den eve - d\nserver C 212-112 * eve - e");
    stage.check(
        "server C 212 3 next=112
        > C HISTORY after 112 200
        server C 109 * 150
        * 109 * 150
        server C 109 * 110
        * 109 * 110
        server C 109 * all Eve
        * 109 * all Eve
        server C 212 0 end
        - missed: since you left: 1 message was said meanwhile
        --- new
        = past room den 111 eve: d
        = all 151 bob: b
        seen 151",
    );
}

#[test]
fn a_password_change_is_not_interrupted() {
    let mut stage = returning(Some(100));
    stage.play("connected\nserver C 220 hi\nserver C 230 welcome alice");
    stage.check(
        "user /passwd
        > C PASSWD
        server C 200 ids
        server C 231 t2 expires=86400
        keep t2
        server C 211 0 online
        server C 331 your old password?
        want old password 1
        wait 5000
        secret old password
        > D old password
        server C 332 choose
        want next password 1
        secret new password
        want new password again
        secret new password
        > D new password
        server C 200 password changed
        - password: password changed
        > C TOKEN
        > C UNREAD
        ask alice>",
    );
    stage.play("server C 231 t3 expires=86400\nserver C 213-den 0 0 read=100 last=90");
    stage.check(
        "user /passwd
        > C PASSWD
        server C 213 x
        server C 331 your old password?
        want old password 1
        secret
        - cancelled: your password is unchanged
        > C\u{20}
        > C JOIN den
        > C HISTORY after 100 200",
    );
}

/// What a server says, cut anywhere: the same is shown.
#[test]
fn cut_at_every_byte() {
    let said = "C 213-* 1 1 read=90 last=100 notify=all\nC 213 x\nC 211 0 ignored\nC 212-110 * bob m hi alice\nC 212 1 next=110\nD PM 130 bob x\nC 212-120 lobby server g gone\nC 212 1 end\n";
    let play = |cut: usize| {
        let mut stage = returning(Some(100));
        stage.play(LOGIN);
        for part in [&said.as_bytes()[..cut], &said.as_bytes()[cut..]] {
            stage.session.handle(Input::Bytes(part), stage.now);
        }
        let mut happened = String::new();
        stage.drain(&mut happened);
        happened
    };
    let whole = play(0);
    assert!(
        whole.contains("= past all 110")
            && whole.contains("... room lobby 120 gone\ncall all 130 bob\n= all 130 bob: x"),
        "{whole}"
    );
    (1..said.len()).for_each(|cut| assert_eq!(play(cut), whole, "cut at {cut}"));
}
