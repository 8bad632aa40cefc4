//! What calls the user, and what the window's title says.

use super::*;
use crate::alert::Level;
use crate::title::Heading;

/// A person whose client knows of a server that keeps what is said, with everything up to 100 from an earlier run. These
/// are the lines of the counts.
fn asking(counts: &[&str]) -> Stage {
    let mut stage = Stage::new(Settings { resumes: Resumes::Always, ..settings() }, Some("t1"));
    stage.session = stage.session.with_seen(vec![Some(100)]);
    stage.play("connected\nserver C 220 hi\nserver C 230 welcome alice\nserver C 200 ids reads forgets own");
    stage.play("server C 231 t2 expires=86400\nserver C 211 0 online");
    for line in counts {
        stage.play(&format!("server C 213-{line}"));
    }
    stage.play("server C 213 x");
    if counts.iter().any(|line| line.starts_with("den ")) {
        stage.play("server C 227 den token=A kept=30");
    }
    stage
}

/// The same, with nothing missed.
fn current(counts: &[&str]) -> Stage {
    let mut stage = asking(counts);
    stage.play("server C 212 0 end");
    stage
}

/// The calls that these inputs bring.
#[track_caller]
fn check_calls(stage: &mut Stage, inputs: &str, expected: &[&str]) {
    let happened = stage.play(inputs);
    let calls: Vec<&str> = happened.lines().filter(|line| line.starts_with("call ")).collect();
    assert_eq!(calls, expected, "{happened}");
}

const COUNTS: [&str; 1] = ["* 0 0 read=100 last=100 notify=mentions"];

#[test]
fn live_messages_for_the_user_call_before_they_are_shown() {
    current(&COUNTS).check(
        "server D PM 150 bob hi Alice!
        call all 150 bob
        = all 150 bob: hi Alice! !
        seen 150
        server D DM 151 bob psst
        call with bob 151 bob
        = with bob 151 bob: psst !
        server D PM 152 bob malice, alice2 and al
        = all 152 bob: malice, alice2 and al
        wait 1000
        seen 152",
    );
    let mut stage = current(&COUNTS);
    let others =
        "server D PM 150 alice alice, note this\nserver D TO 151 bob alice: hi\nserver D DM 152 ALICE to myself";
    check_calls(&mut stage, others, &[]);
    let names = "server D PM 153 -alice aliсe\nserver D PM 154 bob 你好alice\nserver D PM 155 -bob -alice said so";
    check_calls(&mut stage, names, &["call all 154 bob", "call all 155 -bob"]);
}

#[test]
fn what_was_missed_calls_once() {
    let mut stage = asking(&["den 5 1 read=110 last=140 notify=mentions", COUNTS[0]]);
    stage.check(
        "server C 212-105 den bob m read elsewhere, alice
        server C 212-120 den erin m are you there, alice?
        server C 212-121 den bob - other things
        server C 212-122 * alice m alice said so herself
        server C 212-130 @dave dave m psst
        server C 212-131 @dave alice - my answer
        server C 212-132 den server g 12 messages were not kept
        server C 212-140 * bob - and that
        server C 212 7 end
        - missed: since you left: 5 messages were said meanwhile
        call missed 4 2: psst
        = past room den 105 bob: read elsewhere, alice !
        --- new
        = past room den 120 erin: are you there, alice? !
        = past room den 121 bob: other things
        = past all 122 alice: alice said so herself
        = past with dave 130 dave: psst !
        = past with dave 131 alice: my answer
        ... room den 132 12 messages were not kept
        = past all 140 bob: and that
        seen 140",
    );
    let mut quiet = asking(&COUNTS);
    check_calls(&mut quiet, "server C 212-120 * bob - nothing for you\nserver C 212 1 end", &[]);
}

#[test]
fn what_is_read_elsewhere_does_not_call() {
    let mut stage = asking(&["* 0 0 read=130 last=130 notify=mentions"]);
    check_calls(&mut stage, "server C 212-120 * bob m alice?\nserver C 212 1 end", &[]);
    // Held until the past is there, and read by another client meanwhile.
    let mut stage = asking(&COUNTS);
    let read = "server D PM 140 bob alice?\nserver D DM 141 bob psst\nserver C 108 * 140\nserver C 108 @bob 150";
    check_calls(&mut stage, &format!("{read}\nserver C 212 0 end\nserver D PM 142 bob alice!"), &["call all 142 bob"]);
    let mut stage = asking(&COUNTS);
    check_calls(&mut stage, "server C 212-120 * bob m alice?\nserver C 108 - 120\nserver C 212 1 end", &[]);
}

#[test]
fn what_was_read_on_another_server_says_nothing() {
    let servers = vec!["a:1".to_owned(), "b:2".to_owned()];
    let mut stage = Stage::new(settings(), None);
    let settings = Settings { servers, resumes: Resumes::Always, ..settings() };
    stage.session = Session::new(settings, vec![Some(secret("t1")), Some(secret("u1"))]);
    let enter = "connected\nserver C 220 hi\nserver C 230 welcome alice\nserver C 200 ids
        server C 231 t2 expires=86400\nserver C 211 0 online\nserver C 213 x\nserver C 212 0 end";
    stage.play(enter);
    check_calls(&mut stage, "server D DM 900 bob psst", &["call with bob 900 bob"]);
    stage.play("user\nserver C 200 done");
    let happened = stage.play("lost x");
    assert!(happened.contains("connect 1"), "{happened}");
    stage.play(enter);
    check_calls(&mut stage, "server D DM 500 eve psst", &["call with eve 500 eve"]);
}

#[test]
fn places_are_as_loud_as_the_server_says() {
    let counts = [
        "* 0 0 read=100 last=100 notify=none",
        "den 0 0 read=100 last=90 notify=all",
        "@bob 0 0 read=100 last=90 notify=none",
    ];
    let mut stage = current(&counts);
    let said = "server D PM 150 bob alice!\nserver D RM 151 den bob x\nserver D DM 152 bob psst\nserver D DM 153 eve x";
    check_calls(&mut stage, said, &["call room den 151 bob", "call with eve 153 eve"]);
    stage.session.rules.set_level(Place::Public, Level::Mentions);
    stage.session.rules.set_ignored("Eve", true);
    check_calls(&mut stage, "server D PM 154 bob alice!\nserver D PM 155 eve alice!", &["call all 154 bob"]);
    // The levels are those of the counts, after each login.
    let mut stage = asking(&counts);
    check_calls(
        &mut stage,
        "server C 212-120 * bob m alice?\nserver C 212-121 den bob - x\nserver C 212 2 end",
        &["call missed 1 0: x"],
    );
}

#[test]
fn mentions_that_are_not_shown_call_too() {
    let mut stage = asking(&["* 1000 7 read=100 last=2200 notify=mentions"]);
    let page = |from: u64, end: &str| {
        let lines = (from..from + 200).map(|id| format!("server C 212-{id} * bob - line {id}\n"));
        lines.collect::<String>() + &format!("server C 212 200 {end}")
    };
    for from in (0..6).map(|page| 1_000 + 200 * page) {
        stage.play(&page(from, &format!("next={}", from + 199)));
    }
    check_calls(&mut stage, &page(2_000, "next=2000"), &["call missed 1000 7"]);
}

#[test]
fn scripts_are_called_too() {
    check_calls(&mut Stage::script(), "server D DM 5 bob psst\nserver D PM 6 bob x", &["call with bob 5 bob"]);
    let settings = Settings { people: false, listens: true, resumes: Resumes::Always, ..settings() };
    let mut stage = Stage::new(settings, Some("t1"));
    stage.session = stage.session.with_seen(vec![Some(100)]);
    stage.play(
        "connected\nserver C 220 hi\nserver C 230 welcome alice\nserver C 200 ids\nserver C 231 t2 expires=86400",
    );
    stage.play("server C 211 0 online");
    stage.play("server C 213-* 0 0 read=110 last=100\nserver C 213 x");
    let missed = "server C 212-105 * bob m alice?\nserver C 212-120 * bob m alice!\nserver C 212 2 end";
    check_calls(&mut stage, missed, &["call missed 1 1: alice!"]);
}

#[track_caller]
fn check_heading(stage: &Stage, unread: usize, place: &Place) {
    assert_eq!(stage.session.heading(), Heading { unread, name: "alice", server: 0, place });
}

#[test]
fn the_title_counts_what_is_unread() {
    let counts = ["* 2 0 read=100 last=90 notify=mentions", "den 4 0 read=100 last=90 notify=none"];
    let mut stage = current(&counts);
    check_heading(&stage, 2, &Place::Public);
    stage.play("server D PM 150 bob one\nserver D DM 151 bob two\nserver D RM 152 den bob three");
    check_heading(&stage, 4, &Place::Public);
    stage.play("server C 108 @bob 151");
    check_heading(&stage, 3, &Place::Public);
    stage.play("user /join lobby\nserver C 200 done\nserver C 227 lobby token=A");
    check_heading(&stage, 0, &Place::Room("lobby".to_owned()));
    // A server that keeps nothing.
    let mut stage = Stage::ready();
    stage.play("server D PM 150 bob one\nserver D PM 151 alice mine\nserver D PM 152 bob two");
    check_heading(&stage, 2, &Place::Public);
    stage.play("user");
    check_heading(&stage, 0, &Place::Public);
}
