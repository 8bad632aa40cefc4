//! Operations on the past and on kept rooms, as they are typed.

use super::*;
use crate::door::recall::{Bound, PlaceName, Recall, When};
use crate::history::Term;
use crate::hub::command::Keep;

/// A session that has logged in.
fn ready(dialect: Dialect) -> Line {
    Line { dialect: Some(dialect), dialogue: Dialogue::Ready, ..Line::default() }
}

/// Decodes an operation in both dialects, with its verb in three cases.
#[track_caller]
pub(super) fn check_one(operation: &str, expected: &Decoded<'_>) {
    let (verb, rest) = operation.split_once(' ').unwrap_or((operation, ""));
    for verb in [verb.to_owned(), verb.to_lowercase(), format!("  {}", verb)] {
        for (dialect, prefix) in [(Dialect::Bare, ""), (Dialect::Typed, "C ")] {
            let line = format!("{prefix}{verb} {rest}");
            let mut session = ready(dialect);
            assert_eq!(session.decode(line.as_bytes(), PASSWORD_MIN), *expected, "{line:?}");
            assert_eq!(session.dialogue, Dialogue::Ready, "{line:?}");
        }
    }
}

#[track_caller]
pub(super) fn check_recall(operation: &str, expected: Recall<'_>) {
    check_one(operation, &Decoded::Recall(expected));
}

/// Each of these operations is refused with its usage.
#[track_caller]
pub(super) fn check_usage(operations: &[&str]) {
    for operation in operations {
        let verb = operation.split(' ').next().and_then(Operation::parse).expect("an operation");
        check_one(operation, &Decoded::Reply(Reply::Usage(verb.usage())));
    }
}

pub(super) fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

pub(super) fn in_room(name: &str) -> Option<PlaceName> {
    Some(PlaceName::Room(room(name)))
}

pub(super) fn user(name: &str) -> UserName {
    UserName::from_record(name).unwrap()
}

fn page(place: Option<PlaceName>, bound: Bound, most: u32) -> Recall<'static> {
    Recall::Page { place, bound, most }
}

/// 2026-11-26 in milliseconds.
const DAY: u64 = 1_795_651_200_000;
const HOUR: u64 = 3_600_000;

#[test]
fn history() {
    let (before, after) = (Bound::Before, Bound::After);
    check_recall("HISTORY", page(None, Bound::None, 50));
    check_recall("HISTORY   ", page(None, Bound::None, 50));
    check_recall("HISTORY 7", page(None, Bound::None, 7));
    check_recall("HISTORY tea", page(in_room("tea"), Bound::None, 50));
    check_recall("HISTORY  tea   200 ", page(in_room("tea"), Bound::None, 200));
    check_recall("HISTORY *", page(Some(PlaceName::Everybody), Bound::None, 50));
    check_recall("HISTORY * 1", page(Some(PlaceName::Everybody), Bound::None, 1));
    check_recall("HISTORY @Bob", page(Some(PlaceName::Direct(user("bob"))), Bound::None, 50));
    check_recall("HISTORY after 0 200", page(None, after(When::Id(0)), 200));
    check_recall("HISTORY before 7", page(None, before(When::Id(7)), 50));
    check_recall("HISTORY BEFORE 7 8", page(None, before(When::Id(7)), 8));
    check_recall("HISTORY tea After 90m 8", page(in_room("tea"), after(When::Ago(90 * 60_000)), 8));
    check_recall(
        "HISTORY @who before 2026-11-26",
        page(Some(PlaceName::Direct(user("who"))), before(When::At(DAY)), 50),
    );
    check_usage(&[
        "HISTORY 0",
        "HISTORY 201",
        "HISTORY 4294967296",
        "HISTORY 99999999999999999999",
        "HISTORY 5x",
        "HISTORY 7 7",
        "HISTORY 7 tea",
        "HISTORY tea 0",
        "HISTORY tea 201",
        "HISTORY tea +5",
        "HISTORY tea -5",
        "HISTORY tea x",
        "HISTORY tea tea",
        "HISTORY before",
        "HISTORY after",
        "HISTORY tea before",
        "HISTORY tea before tea",
        "HISTORY tea before 7 after 8",
        "HISTORY tea before 7 8 9",
        "HISTORY before before",
        "HISTORY all",
        "HISTORY off",
        "HISTORY All 5",
        "HISTORY 2026-11-26",
        "HISTORY 12h",
    ]);
}

#[test]
fn places() {
    for (typed, name) in [
        ("#tea", "tea"),
        ("#2nd", "2nd"),
        ("#123", "123"),
        ("#before", "before"),
        ("#AFTER", "after"),
        ("#all", "all"),
        ("#off", "off"),
        ("allowed", "allowed"),
        ("offside", "offside"),
        ("history", "history"),
        ("-5", "-5"),
        ("...", "..."),
        ("٣", "٣"),
        ("gru\u{308}n", "grün"),
    ] {
        check_recall(&format!("HISTORY {typed}"), page(in_room(name), Bound::None, 50));
        check_recall(&format!("HISTORY {typed} 5"), page(in_room(name), Bound::None, 5));
        check_recall(&format!("READ {typed} 5"), Recall::Read { place: in_room(name), when: Some(When::Id(5)) });
    }
    for (bad, refusal) in [
        ("~zoe", Reply::NoSuchRoom),
        ("##tea", Reply::NoSuchRoom),
        ("#", Reply::NoSuchRoom),
        ("#*", Reply::NoSuchRoom),
        ("**", Reply::NoSuchRoom),
        ("#@bob", Reply::NoSuchRoom),
        ("a/b", Reply::NoSuchRoom),
        ("who", Reply::NoSuchRoom),
        ("\u{200b}tea", Reply::NoSuchRoom),
        ("\t", Reply::NoSuchRoom),
        ("\"tea\"", Reply::NoSuchRoom),
        ("@", Reply::NoSuchUser),
        ("@@bob", Reply::NoSuchUser),
        ("@~zoe", Reply::NoSuchUser),
        ("@-bob", Reply::NoSuchUser),
        ("@é", Reply::NoSuchUser),
        ("@9", Reply::NoSuchUser),
    ] {
        for operation in ["HISTORY", "READ"] {
            check_one(&format!("{operation} {bad}"), &Decoded::Reply(refusal.clone()));
        }
        check_one(&format!("SEARCH word in:{bad}"), &Decoded::Reply(refusal));
    }
    let long = "x".repeat(3000);
    check_one(&format!("HISTORY {long}"), &Decoded::Reply(Reply::NoSuchRoom));
    check_one(&format!("HISTORY @{long}"), &Decoded::Reply(Reply::NoSuchUser));
}

#[test]
fn points_in_time() {
    for (typed, expected) in [
        ("0", When::Id(0)),
        ("007", When::Id(7)),
        ("1882416070839500802", When::Id(1_882_416_070_839_500_802)),
        ("18446744073709551615", When::Id(u64::MAX)),
        ("2026-11-26", When::At(DAY)),
        ("2026-11-26T00:00", When::At(DAY)),
        ("2026-11-26T09:41", When::At(DAY + 9 * HOUR + 41 * 60_000)),
        ("2026-11-26T23:59", When::At(DAY + 24 * HOUR - 60_000)),
        ("1970-01-01", When::At(0)),
        ("1970-01-01T00:01", When::At(60_000)),
        ("2024-02-29", When::At(1_709_164_800_000)),
        ("2000-02-29", When::At(951_782_400_000)),
        ("2527-06-23T06:20", When::At(17_592_186_000_000)),
        ("0m", When::Ago(0)),
        ("90m", When::Ago(90 * 60_000)),
        ("12h", When::Ago(12 * HOUR)),
        ("3d", When::Ago(72 * HOUR)),
        ("213503982334d", When::Ago(213_503_982_334 * 24 * HOUR)),
    ] {
        check_recall(&format!("READ {typed}"), Recall::Read { place: None, when: Some(expected) });
        check_recall(
            &format!("READ * {typed}"),
            Recall::Read { place: Some(PlaceName::Everybody), when: Some(expected) },
        );
        check_recall(&format!("HISTORY tea before {typed} 9"), page(in_room("tea"), Bound::Before(expected), 9));
        check_recall(&format!("HISTORY after {typed}"), page(None, Bound::After(expected), 50));
    }
}

#[test]
fn what_is_no_point_in_time() {
    for bad in [
        "18446744073709551616",
        "99999999999999999999999999",
        "213503982335d",
        "18446744073709551615m",
        "99999999999999999999h",
        "2026-02-29",
        "1900-02-29",
        "2100-02-29",
        "2026-00-10",
        "2026-13-10",
        "2026-11-00",
        "2026-11-31",
        "2026-11-26T24:00",
        "2026-11-26T09:60",
        "2026-11-26T9:41",
        "2026-11-26T09:41Z",
        "2026-11-26T09:41:30",
        "2026-11-26T",
        "2026-11-26t09:41",
        "2026-11",
        "2026-11-2",
        "26-11-26",
        "02026-11-26",
        "2026-11-+6",
        "2026--1-26",
        "0000-01-01",
        "1969-12-31",
        "2527-06-23T06:21",
        "2527-06-24",
        "9999-12-31",
        "2026/11/26",
        "5s",
        "5M",
        "5mm",
        "-5m",
        "1.5h",
        "m",
        "h",
        "now",
        "٣",
        "5\u{200b}",
    ] {
        check_usage(&[&format!("HISTORY tea before {bad}"), &format!("SEARCH word after:{bad}")]);
        check_usage(&[&format!("READ tea {bad}")]);
    }
    check_usage(&["READ 5 m", "READ 5 6", "READ tea 5 6", "READ all", "READ off", "READ before 5"]);
}

#[test]
fn bounds_of_points() {
    let now = DAY + 12 * HOUR;
    for (when, below, above) in [
        (When::Id(7), 7, 7),
        (When::At(DAY), DAY << 20, (DAY << 20) - 1),
        (When::Ago(12 * HOUR), DAY << 20, (DAY << 20) - 1),
        (When::Ago(0), now << 20, (now << 20) - 1),
        (When::Ago(u64::MAX), 0, 0),
        (When::At(0), 0, 0),
        (When::At(When::MOST_MS), When::MOST_MS << 20, (When::MOST_MS << 20) - 1),
        (When::At(u64::MAX), When::MOST_MS << 20, (When::MOST_MS << 20) - 1),
    ] {
        assert_eq!((when.below(now), when.above(now)), (below, above), "{when:?}");
    }
}

#[test]
fn reading() {
    check_recall("MISSED", Recall::Missed);
    check_recall("UNREAD", Recall::Unread);
    check_recall("READ", Recall::Read { place: None, when: None });
    check_recall("READ tea", Recall::Read { place: in_room("tea"), when: None });
    check_recall(
        "READ @bob 3d",
        Recall::Read { place: Some(PlaceName::Direct(user("bob"))), when: Some(When::Ago(72 * HOUR)) },
    );
    check_usage(&["MISSED x", "MISSED 5", "UNREAD x", "UNREAD tea"]);
}

fn word(text: &str) -> Term {
    Term::Word(text.into())
}

fn start(text: &str) -> Term {
    Term::Prefix(text.into())
}

fn exact(text: &str) -> Term {
    Term::Exact(text.into())
}

fn find(terms: Vec<Term>) -> Recall<'static> {
    Recall::Find { terms, place: None, from: None, before: None, after: None }
}

#[test]
fn searching() {
    check_recall("SEARCH tea", find(vec![word("tea")]));
    check_recall("SEARCH  Green   tea ", find(vec![word("Green"), word("tea")]));
    check_recall("SEARCH wor*", find(vec![start("wor")]));
    check_recall("SEARCH wo***", find(vec![start("wo")]));
    check_recall("SEARCH 上海*", find(vec![start("上海")]));
    check_recall("SEARCH a*b", find(vec![word("a*b")]));
    check_recall("SEARCH *ab", find(vec![word("*ab")]));
    check_recall("SEARCH \"green tea\"", find(vec![exact("green tea")]));
    check_recall("SEARCH x\"green tea\"", find(vec![word("x\"green"), word("tea\"")]));
    check_recall("SEARCH \"green tea\"x \"y*\"", find(vec![exact("green tea"), word("x"), exact("y*")]));
    check_recall("SEARCH \"a\"\"b\"", find(vec![exact("a"), exact("b")]));
    check_recall("SEARCH \"\" tea", find(vec![word("tea")]));
    check_recall("SEARCH \"in:tea from:bob\"", find(vec![exact("in:tea from:bob")]));
    // Nothing is syntax of anything else.
    for syntax in ["AND", "OR", "NOT", "NEAR(", "NEAR(a", ")", "(", "^a", "a:b", "-a", "+", "'", ";", "👋", "http://x"]
    {
        check_recall(&format!("SEARCH {syntax}"), find(vec![word(syntax)]));
    }
    let all = (0..32).map(|n| format!("w{n}")).collect::<Vec<_>>();
    check_recall(&format!("SEARCH {}", all.join(" ")), find(all.iter().map(|text| word(text)).collect()));
    check_recall("SEARCH a\u{200b}b \u{200b} \"c\u{feff}\"", find(vec![word("ab"), exact("c")]));
    check_usage(&[
        "SEARCH",
        "SEARCH  ",
        "SEARCH *",
        "SEARCH a*",
        "SEARCH é*",
        "SEARCH e\u{301}*",
        "SEARCH (a*",
        "SEARCH ((*",
        "SEARCH 👋👋*",
        "SEARCH \"",
        "SEARCH \"green tea",
        "SEARCH tea \"",
        "SEARCH \"\"",
        "SEARCH \"  \"",
        "SEARCH \u{200b}",
        "SEARCH in:tea",
        "SEARCH in:tea from:bob before:3d after:5d",
        &format!("SEARCH {} more", all.join(" ")),
    ]);
}

#[test]
fn filters_of_searches() {
    let expected = Recall::Find {
        terms: vec![word("tea")],
        place: in_room("lobby"),
        from: Some(Who::Account(user("bob"))),
        before: Some(When::At(DAY)),
        after: Some(When::Ago(72 * HOUR)),
    };
    for line in [
        "SEARCH tea in:lobby from:bob before:2026-11-26 after:3d",
        "SEARCH after:3d before:2026-11-26 from:bob in:lobby tea",
        "SEARCH in:#LOBBY after:3d tea FROM:Bob Before:2026-11-26",
    ] {
        check_recall(line, expected.clone());
    }
    for (typed, place) in [
        ("*", PlaceName::Everybody),
        ("@bob", PlaceName::Direct(user("bob"))),
        ("#all", PlaceName::Room(room("all"))),
        ("all", PlaceName::Room(room("all"))),
        ("2nd", PlaceName::Room(room("2nd"))),
    ] {
        let terms = vec![word("x")];
        let expected = Recall::Find { terms, place: Some(place), from: None, before: None, after: None };
        check_recall(&format!("SEARCH x in:{typed}"), expected);
    }
    let guest = Some(Who::Guest(GuestName::parse("zoe").unwrap()));
    let terms = vec![word("x")];
    check_recall("SEARCH from:~zoe x", Recall::Find { terms, place: None, from: guest, before: None, after: None });
    for bad in ["9", "é", "~", "-bob", "@bob", "\"bob\"", "a:b"] {
        check_one(&format!("SEARCH x from:{bad}"), &Decoded::Reply(Reply::NoSuchUser));
    }
    check_usage(&[
        "SEARCH x in:",
        "SEARCH x from:",
        "SEARCH x before:",
        "SEARCH x after:",
        "SEARCH x in:a in:b",
        "SEARCH x from:a from:a",
        "SEARCH x before:1 before:2",
        "SEARCH x after:1 after:2",
        "SEARCH x before:x",
        "SEARCH x after:2026-02-30",
        "SEARCH in:é before:x y",
    ]);
}

#[test]
fn keeping_rooms() {
    let check = |line: &str, how: Keep| check_one(line, &Decoded::Command(Command::Keep { room: room("tea"), how }));
    check("KEEP tea", Keep::Days(None));
    check("KEEP  #tea ", Keep::Days(None));
    check("KEEP tea 0", Keep::Days(Some(0)));
    check("KEEP tea 14", Keep::Days(Some(14)));
    check("KEEP tea 4294967296", Keep::Days(Some(u32::MAX)));
    check("KEEP tea 99999999999999999999999", Keep::Days(Some(u32::MAX)));
    check("KEEP tea off", Keep::Off);
    check("KEEP tea OFF", Keep::Off);
    check("KEEP tea TO bob", Keep::To(user("bob")));
    check("KEEP tea to Bob", Keep::To(user("bob")));
    check("KEEP tea to off", Keep::To(user("off")));
    check_one("KEEP 2nd 3", &Decoded::Command(Command::Keep { room: room("2nd"), how: Keep::Days(Some(3)) }));
    check_usage(&[
        "KEEP",
        "KEEP  ",
        "KEEP tea 5 6",
        "KEEP tea -1",
        "KEEP tea 5d",
        "KEEP tea forever",
        "KEEP tea off off",
        "KEEP tea TO",
        "KEEP tea TO bob carol",
        "KEEP tea TO é carol",
    ]);
    check_one("KEEP tea TO é", &Decoded::Reply(Reply::NoSuchUser));
    check_one("KEEP tea TO ~zoe", &Decoded::Reply(Reply::NoSuchUser));
    check_one("KEEP a/b", &Decoded::Reply(Reply::NoSuchRoom));
}

#[test]
fn topics() {
    let topic = |text: Option<&'static str>| {
        Decoded::Command(Command::Topic { room: room("tea"), text: text.map(Cow::Borrowed) })
    };
    check_one("TOPIC tea", &topic(None));
    check_one("TOPIC #tea  ", &topic(None));
    check_one("TOPIC tea -", &topic(Some("")));
    check_one("TOPIC tea  - ", &topic(Some("")));
    check_one("TOPIC tea  green,  black  ", &topic(Some("green,  black")));
    check_one("TOPIC tea - and more", &topic(Some("- and more")));
    check_one("TOPIC tea a\tb", &topic(Some("a\tb")));
    check_one("TOPIC tea \u{feff}a\u{200b}b", &topic(Some("ab")));
    check_one("TOPIC tea \u{200b}-", &topic(Some("")));
    check_one("TOPIC tea \u{200b}", &Decoded::Reply(Reply::BadBytes));
    check_one("TOPIC a/b x", &Decoded::Reply(Reply::NoSuchRoom));
    let longest = "ä".repeat(150);
    check_one(
        &format!("TOPIC tea {longest}"),
        &Decoded::Command(Command::Topic { room: room("tea"), text: Some(longest.as_str().into()) }),
    );
    check_one(
        &format!("TOPIC tea {longest}\u{200b}"),
        &Decoded::Command(Command::Topic { room: room("tea"), text: Some(longest.as_str().into()) }),
    );
    check_one(&format!("TOPIC tea {longest}x"), &Decoded::Reply(Reply::TopicSize));
    check_usage(&["TOPIC", "TOPIC  "]);
}

#[test]
fn locks() {
    let lock =
        |words: Option<&'static str>| Decoded::Recall(Recall::Lock { room: room("tea"), password: words.map(Masked) });
    check_one("LOCK tea", &lock(None));
    check_one("LOCK tea   ", &lock(None));
    check_one("LOCK tea -", &lock(None));
    check_one("LOCK tea  - ", &lock(None));
    check_one("LOCK #tea word", &lock(Some("word")));
    check_one("LOCK tea  two  words ", &lock(Some("two  words ")));
    check_one("LOCK tea - -", &lock(Some("- -")));
    check_one("LOCK tea wo\u{200b}rd", &Decoded::Reply(Reply::BadBytes));
    check_one("LOCK tea \u{200b}", &Decoded::Reply(Reply::BadBytes));
    check_one("LOCK a/b x", &Decoded::Reply(Reply::NoSuchRoom));
    let longest = "p ü".repeat(32);
    check_one(
        &format!("LOCK tea {longest}"),
        &Decoded::Recall(Recall::Lock { room: room("tea"), password: Some(Masked(&longest)) }),
    );
    check_one(&format!("LOCK tea {longest}x"), &Decoded::Reply(Reply::RoomPasswordSize));
    check_usage(&["LOCK", "LOCK  "]);
    assert!(!format!("{:?}", lock(Some("hunter2"))).contains("hunter2"));
}

#[test]
fn rooms_may_be_written_with_a_hash() {
    for (line, expected) in [
        ("LEAVE #tea", Command::LeaveRoom { room: room("tea"), text: None }),
        ("CLOSE #tea", Command::CloseRoom { room: room("tea") }),
        ("NAMES #tea b", Command::Names { room: room("tea"), prefix: "b".into(), most: None }),
        ("KICK #tea bob", Command::Kick { room: room("tea"), name: Who::Account(user("bob")), text: None }),
        ("RM #tea hi", Command::SayIn { room: room("tea"), text: "hi".into(), manner: Manner::Text }),
        ("RM #2nd #hi", Command::SayIn { room: room("2nd"), text: "#hi".into(), manner: Manner::Text }),
        ("INVITE #tea bob", Command::Invite { room: room("tea"), name: Who::Account(user("bob")) }),
        ("HOST #tea bob", Command::HandOn { room: room("tea"), name: Who::Account(user("bob")) }),
        ("ROOMS #te", Command::Rooms { prefix: "#te".into() }),
    ] {
        check_one(line, &Decoded::Command(expected));
    }
    let entry = |makes| Decoded::EnterRoom { room: room("tea"), password: Some(Masked("#word")), makes };
    check_one("JOIN #tea #word", &entry(false));
    check_one("MAKE tea #word", &entry(true));
    check_one("MAKE #tea #word", &Decoded::Reply(Reply::BadRoomName));
    check_one("JOIN ##tea", &Decoded::Reply(Reply::NoSuchRoom));
    check_one("RM # hi", &Decoded::Reply(Reply::NoSuchRoom));
    check_in(&[
        "bob: MAKE 2nd",
        "> C JOIN #2nd",
        "< C 227 2nd token=…",
        "> C RM #2ND",
        "< C 354 your message?",
        "> D hi",
        "< C 250 sent to 1",
        "bob< D RM 2nd alice hi",
        "> C LEAVE #2nd",
        "< C 200 done",
    ]);
}

#[test]
fn no_new_account_is_called_like_an_operation() {
    let of_the_past = ["HISTORY", "MISSED", "SEARCH", "UNREAD", "READ", "KEEP", "TOPIC", "LOCK", "WANT"];
    let of_people = ["WHOIS", "SET", "AWAY", "WATCH", "IGNORE", "NOTIFY", "FORGET"];
    for verb in of_the_past.into_iter().chain(of_people) {
        assert!(user(verb).is_reserved(), "{verb}");
        assert!(Operation::parse(verb).is_some(), "{verb}");
    }
}
