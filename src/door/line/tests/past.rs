//! What was said before, as it is told; and what else is told of rooms and messages that are kept.

use super::*;
use crate::door::recall::{Notice, Recalled};
use crate::history::Level;
use crate::history::{Count, Flag, Line as Told, Missed, Paged};
use crate::hub::event::{NameLine, Seat};
use crate::hub::record::Topic;
use crate::limits::{COUNT_MOST, HISTORY_LINE_BYTES};

/// The first id of 2026-11-26T09:41.
const MORNING: u64 = 1_795_686_060_000 << 20;
/// The ids of a minute.
const MINUTE: u64 = 60_000 << 20;

/// What a session is told by something of the server's.
pub(super) fn told(dialect: Dialect, tell: impl FnOnce(&mut Line, &mut Vec<u8>)) -> Vec<String> {
    let mut session = Line { dialect: Some(dialect), dialogue: Dialogue::Ready, ..Line::default() };
    let mut out = Vec::new();
    tell(&mut session, &mut out);
    assert_eq!(session.dialogue, Dialogue::Ready);
    taken(&mut out)
}

#[track_caller]
pub(super) fn check_reply(dialect: Dialect, reply: &Reply, expected: &[&str]) {
    assert_eq!(told(dialect, |session, out| session.encode_reply(reply, out)), expected, "{reply:?}");
}

/// What a request is answered, in both dialects.
#[track_caller]
pub(super) fn check_answer(recalled: Recalled, typed: &[&str], bare: &[&str]) {
    let reply = Reply::Recalled(Box::new(recalled));
    check_reply(Dialect::Typed, &reply, typed);
    check_reply(Dialect::Bare, &reply, bare);
}

/// What is told of an event, in both dialects: as an answer, and as something that many hear.
#[track_caller]
pub(super) fn check_event(event: &Event, typed: &[&str], bare: &[&str]) {
    for (dialect, kind, expected) in [(Dialect::Typed, Kind::Typed, typed), (Dialect::Bare, Kind::Bare, bare)] {
        assert_eq!(told(dialect, |session, out| session.encode_event(event, out)), expected, "{event:?}");
        assert_eq!(told(dialect, |_, out| encode(kind, event, out)), expected, "{event:?}");
    }
}

/// The same in both dialects.
#[track_caller]
pub(super) fn check_alike(event: &Event, expected: &str) {
    check_event(event, &[expected], &[expected]);
}

fn page_line(id: u64, place: &str, from: &str, flag: Flag, text: &str) -> Told {
    Told { id, place: place.into(), from: from.into(), flag, text: text.into() }
}

fn some_lines() -> Vec<Told> {
    vec![
        page_line(MORNING, "lobby", "erin", Flag::Mention, "are you there, bob?"),
        page_line(MORNING + 1, "@dave", "bob", Flag::Plain, "on my way"),
        page_line(MORNING + MINUTE, "@dave", "dave", Flag::Mention, "a\tb: c"),
        page_line(MORNING + 15 * 60 * MINUTE, "*", "~guest1", Flag::Plain, "good morning"),
        page_line(
            MORNING + 15 * 60 * MINUTE + 1,
            "lobby",
            "server",
            Flag::Hole,
            "12 messages were not kept: disk full",
        ),
        page_line(MORNING + 63 * 60 * MINUTE, "@-eve", "-eve", Flag::Mention, "C 212-1 x"),
    ]
}

#[test]
fn pages() {
    let ids: Vec<u64> = some_lines().iter().map(|line| line.id).collect();
    let typed = [
        format!("C 212-{} lobby erin m are you there, bob?", ids[0]),
        format!("C 212-{} @dave bob - on my way", ids[1]),
        format!("C 212-{} @dave dave m a\tb: c", ids[2]),
        format!("C 212-{} * ~guest1 - good morning", ids[3]),
        format!("C 212-{} lobby server g 12 messages were not kept: disk full", ids[4]),
        format!("C 212-{} @-eve -eve m C 212-1 x", ids[5]),
        format!("C 212 6 next={}", ids[5]),
    ];
    let mut bare = vec![
        "C 212-2026-11-26",
        "C 212-09:41 lobby erin: are you there, bob?",
        "C 212-09:41 @dave bob: on my way",
        "C 212-09:42 @dave dave: a b: c",
        "C 212-2026-11-27",
        "C 212-00:41 * ~guest1: good morning",
        "C 212-00:41 lobby server: 12 messages were not kept: disk full",
        "C 212-2026-11-29",
        "C 212-00:41 @-eve -eve: C 212-1 x",
    ];
    let page = |is_unread, next, left| Recalled::Page { page: Paged { lines: some_lines(), next, left }, is_unread };
    let mut typed: Vec<&str> = typed.iter().map(String::as_str).collect();
    bare.push(typed[6]);
    check_answer(page(false, Some(ids[5]), 0), &typed, &bare);
    *bare.last_mut().unwrap() = "C 212 6 messages; MISSED shows 31 more";
    check_answer(page(true, Some(ids[5]), 31), &typed, &bare);
    *typed.last_mut().unwrap() = "C 212 6 end";
    *bare.last_mut().unwrap() = "C 212 6 end";
    check_answer(page(false, None, 0), &typed, &bare);
    *bare.last_mut().unwrap() = "C 212 6 messages";
    check_answer(page(true, None, 0), &typed, &bare);
}

#[test]
fn short_pages() {
    let page =
        |lines: Vec<Told>, is_unread, next, left| Recalled::Page { page: Paged { lines, next, left }, is_unread };
    check_answer(page(vec![], false, None, 0), &["C 212 0 end"], &["C 212 0 end"]);
    check_answer(page(vec![], true, None, 0), &["C 212 0 end"], &["C 212 0 messages"]);
    // So many messages were passed over that the rest is not counted.
    check_answer(page(vec![], true, Some(7), 0), &["C 212 0 next=7"], &["C 212 0 messages; MISSED shows more"]);
    // A search whose time was up.
    check_answer(page(vec![], false, Some(7), 0), &["C 212 0 next=7"], &["C 212 0 next=7"]);
    let one = vec![page_line(0, "lobby", "bob", Flag::Plain, "")];
    let typed = ["C 212-0 lobby bob - ", "C 212 1 next=0"];
    let bare = ["C 212-1970-01-01", "C 212-00:00 lobby bob: "];
    check_answer(page(one.clone(), false, Some(0), 0), &typed, &[bare[0], bare[1], typed[1]]);
    let last = "C 212 1 message; MISSED shows 1000 or more";
    check_answer(page(one.clone(), true, Some(0), COUNT_MOST), &typed, &[bare[0], bare[1], last]);
    let last = "C 212 1 message; MISSED shows 1 more";
    check_answer(page(one, true, Some(0), 1), &typed, &[bare[0], bare[1], last]);
}

#[test]
fn counts() {
    let count = |place: &str, unread, mentions, read, last| {
        let level = if place.starts_with('@') { Level::All } else { Level::Mentions };
        Count { place: place.into(), unread, mentions, read, last, level }
    };
    let counts = vec![
        count("lobby", 12, 1, 1_882_416_070_839_500_802, 1_882_416_070_839_600_000),
        count("@dave", 1000, 1000, 0, u64::MAX),
        count("*", 0, 0, 7, 7),
    ];
    let lines = [
        "C 213-lobby 12 1 read=1882416070839500802 last=1882416070839600000 notify=mentions",
        "C 213-@dave 1000 1000 read=0 last=18446744073709551615 notify=all",
        "C 213-* 0 0 read=7 last=7 notify=mentions",
        "C 213 3 places; what is said there is kept for 30 days",
    ];
    check_answer(Recalled::Counts { counts: counts.clone(), keep_days: 30 }, &lines, &lines);
    let last = "C 213 1 place; what is said there is kept for 1 day";
    let one = Recalled::Counts { counts: counts[..1].to_vec(), keep_days: 1 };
    check_answer(one, &[lines[0], last], &[lines[0], last]);
}

#[test]
fn refusals() {
    for (recalled, expected) in [
        (Recalled::Read, "C 200 read"),
        (Recalled::NothingKept, "C 554 nothing is kept here"),
        (Recalled::SearchOff, "C 554 search is off"),
        (Recalled::WantsAreTyped, "C 554 WANT is for programs, which begin with C before their name"),
        (Recalled::NotYours, "C 550 that place is not yours, or nothing is kept of it; UNREAD lists yours"),
        (Recalled::Unavailable, "C 450 the history does not answer now, try again in some seconds"),
        (Recalled::Busy, "C 450 too many searches, try again in some seconds"),
    ] {
        check_answer(recalled, &[expected], &[expected]);
    }
    check_reply(Dialect::Bare, &Reply::TopicSize, &["C 501 a topic has at most 300 bytes"]);
    assert!(Reply::TopicSize.is_bad_line());
}

#[test]
fn notices() {
    let missed = |count, mentions| Notice::Missed(Missed { count, mentions, floor: 7 });
    for (notice, expected) in [
        (Notice::Read { place: Some("lobby".into()), id: 7 }, "C 108 lobby 7"),
        (Notice::Read { place: Some("@dave".into()), id: 7 }, "C 108 @dave 7"),
        (Notice::Read { place: Some("*".into()), id: 7 }, "C 108 * 7"),
        (Notice::Read { place: None, id: u64::MAX }, "C 108 - 18446744073709551615"),
        (missed(31, 2), "C 110 31 missed, 2 for you; MISSED shows them"),
        (missed(1, 0), "C 110 1 missed, 0 for you; MISSED shows them"),
        (Notice::Forgotten { place: "*".into(), id: 7 }, "C 109 * 7"),
        (Notice::Forgotten { place: "@-dave".into(), id: u64::MAX }, "C 109 @-dave 18446744073709551615"),
        (Notice::ForgottenAll { place: "*".into(), name: "alice".into() }, "C 109 * all alice"),
        (Notice::ForgottenAll { place: "lobby".into(), name: "alice".into() }, "C 109 lobby all alice"),
        (Notice::ForgottenAll { place: "@alice".into(), name: "alice".into() }, "C 109 @alice all alice"),
        (missed(1000, 1000), "C 110 1000 or more missed, 1000 or more for you; MISSED shows them"),
    ] {
        check_reply(Dialect::Typed, &Reply::Notice(notice.clone()), &[expected]);
        check_reply(Dialect::Bare, &Reply::Notice(notice), &[expected]);
    }
}

fn user(name: &str) -> UserName {
    UserName::from_record(name).unwrap()
}

fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

#[test]
fn what_becomes_of_a_message() {
    let bob = || user("bob");
    check_alike(&Event::Sent { room: None, hearers: 3, message: from_bob(7, false) }, "C 250 sent to 3");
    check_alike(&Event::Sent { room: None, hearers: 3, message: from_bob(7, true) }, "C 250 sent to 3, not kept");
    check_alike(
        &Event::SentTo { name: bob().into(), message: from_bob(7, false).into(), away: None },
        "C 250 sent to bob",
    );
    check_alike(
        &Event::SentTo { name: bob().into(), message: from_bob(7, true).into(), away: None },
        "C 250 sent to bob, not kept",
    );
    check_alike(&Event::KeptFor { name: bob(), message: from_bob(7, false) }, "C 250 kept for bob");
    check_alike(&Event::Withdrawn { to: bob(), id: 7 }, "C 109 @bob 7");
    check_alike(&Event::NotKept, "C 450 it cannot be kept now, try again in some seconds");
    let waiting = "C 450 too many messages wait for bob, try again when bob has been here";
    check_alike(&Event::TooManyWaiting { name: bob() }, waiting);
    check_event(&Event::Awaited { ticket: 7 }, &[], &[]);
    let own = Event::OwnTold { to: bob().into(), message: message(7, bob().into(), "a\tb  c", false).into() };
    check_event(&own, &["D TO 7 bob a\tb  c"], &["D TO bob a b  c"]);
}

#[test]
fn what_is_told_of_kept_rooms() {
    let tea = || room("Tea");
    check_alike(&Event::RoomKept { room: tea(), days: Some(0) }, "C 112 Tea kept 0");
    check_alike(&Event::RoomKept { room: tea(), days: Some(30) }, "C 112 Tea kept 30");
    check_alike(&Event::RoomKept { room: tea(), days: None }, "C 112 Tea not kept");
    check_alike(&Event::NothingKept, "C 554 nothing is kept here");
    check_alike(&Event::TooManyDays { most: 30 }, "C 501 nothing is kept for more than 30 days");
    check_alike(&Event::TooManyDays { most: 1 }, "C 501 nothing is kept for more than 1 day");
    let owns = Event::OwnsTooMany { name: None, most: 8 };
    check_alike(&owns, "C 554 you own 8 kept rooms already; KEEP room off ends one");
    let owns = Event::OwnsTooMany { name: Some(user("bob")), most: 8 };
    check_alike(&owns, "C 554 bob owns 8 kept rooms already");
    let member = Event::MemberOfTooMany { most: 32 };
    check_alike(&member, "C 554 you are a member of 32 kept rooms already; LEAVE one first");
    check_alike(&Event::KeptFull, "C 554 no more rooms and members can be kept here");
    let named = [("alice", Seat::Host), ("carol", Seat::Member), ("bob", Seat::Absent)];
    let names = named
        .map(|(name, seat)| NameLine { who: user(name).into(), seat, is_away: name == "carol", called: None })
        .to_vec();
    let mut lines = vec!["C 211-alice host", "C 211-carol", "C 211-bob absent", "C 211 2 in Tea"];
    check_event(&Event::Names { room: tea(), names: names.clone(), matching: 3 }, &lines, &lines);
    lines[3] = "C 211 3 of 4 in Tea; NAMES Tea prefix narrows it";
    check_event(&Event::Names { room: tea(), names, matching: 4 }, &lines, &lines);
}

#[test]
fn topics() {
    let topic_is = |text: &str| Event::TopicIs { room: room("Tea"), by: "~zoe".into(), text: text.into() };
    check_event(&topic_is("a\tb"), &["C 105 Tea by ~zoe: a\tb"], &["C 105 Tea by ~zoe: a b"]);
    check_alike(&topic_is(""), "C 105 Tea by ~zoe:");
    let shown = |topic: Option<&str>| {
        let topic = topic.map(|text| Topic { by: "bob".into(), text: text.into(), set_ms: 0 });
        Event::TopicShown { room: room("Tea"), topic }
    };
    check_event(&shown(Some("a\tb")), &["C 200 Tea by bob: a\tb"], &["C 200 Tea by bob: a b"]);
    check_alike(&shown(None), "C 200 Tea has no topic");
}

#[test]
fn help_ends_with_what_is_kept() {
    for is_operator in [false, true] {
        for (keep_days, last) in [
            (None, &["C 214 nothing of what is said is kept"][..]),
            (
                Some(30),
                &[
                    "C 214-kept for 30 days: what you say to everybody, to one person, in kept rooms",
                    "C 214 nothing is kept of what is said in other rooms",
                ],
            ),
        ] {
            let lines = told(Dialect::Bare, |session, out| {
                session.encode_reply(&Reply::help(is_operator, keep_days), out);
            });
            assert!(lines.ends_with(&last.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>()), "{lines:?}");
            assert!(lines.iter().all(|line| line.len() <= 80), "{lines:?}");
            assert!(lines[..lines.len() - 1].iter().all(|line| line.starts_with("C 214-")));
            assert_eq!(lines.iter().any(|line| line.starts_with("C 214-OP ")), is_operator);
        }
    }
}

#[test]
fn wants() {
    check(
        &[
            LOGIN,
            &[
                "> C WANT",
                "< C 200 none",
                "> C WANT ids",
                "< C 200 ids",
                "> C want OWN Ids",
                "< C 200 ids own",
                "> C WANT forgets reads forgets",
                "< C 200 reads forgets",
                "> C WANT own tomorrow ids",
                "< C 200 ids own",
                "> C WANT frobs",
                "< C 200 none",
            ],
        ]
        .concat(),
    );
    let refused = "< C 554 WANT is for programs, which begin with C before their name";
    check(&["> alice", "< C 331…", "> password1", "< C 230…", "> WANT", refused, "> WANT ids", refused]);
}

#[test]
fn what_is_wanted() {
    let mut server = Server::new();
    server.send(b"C alice t1.T0KEN");
    for (line, expected) in [
        ("C WANT", [false; 4]),
        ("C WANT own", [false, false, false, true]),
        ("C WANT reads ids", [true, true, false, false]),
    ] {
        server.send(line.as_bytes());
        assert_eq!(Wants::ALL.map(|(_, one)| server.line.wants(one)), expected, "{line}");
    }
    assert!(server.line.wants(Wants::IDS.and(Wants::READS)));
    assert!(!server.line.wants(Wants::IDS.and(Wants::OWN)));
    assert_eq!(Wants::ALL.map(|(_, one)| server.bob.wants(one)), [false, false, false, true]);
}

#[test]
fn ids_of_ones_own_messages() {
    let id = 1000_u64 << 20;
    let script = [
        "> C PM hi",
        "< C 250 sent to 1",
        "> C WANT ids",
        "< C 200 ids",
        "> C PM hi",
        &format!("< C 250 sent to 1 id={}", id + 1),
        "> C PM",
        "< C 354…",
        "> D hi",
        &format!("< C 250 sent to 1 id={}", id + 2),
        "> C DM bob hi",
        &format!("< C 250 sent to bob id={}", id + 3),
        "> C MAKE tea",
        "< C 227 tea token=…",
        "> C RM tea hi",
        &format!("< C 250 sent to 0 id={}", id + 4),
        "> C NOOP",
        "< C 200 done",
        "> C DM dora hi",
        "< C 550…",
        "> C WANT",
        "< C 200 none",
        "> C PM hi",
        "< C 250 sent to 1",
    ];
    check(&[LOGIN, &script].concat());
    let mut session = Line { dialect: Some(Dialect::Typed), wants: Wants::IDS, ..Line::default() };
    let mut out = Vec::new();
    session.encode_event(&Event::KeptFor { name: user("bob"), message: from_bob(7, false) }, &mut out);
    session.encode_event(&Event::Sent { room: None, hearers: 3, message: from_bob(8, true) }, &mut out);
    session.encode_event(&Event::Awaited { ticket: 9 }, &mut out);
    assert_eq!(taken(&mut out), ["C 250 kept for bob id=7", "C 250 sent to 3, not kept id=8"]);
}

#[test]
fn refusals_of_a_direct_message_end_its_prompt() {
    let bob = || user("bob");
    for refusal in [
        Event::NotKept,
        Event::TooManyWaiting { name: bob() },
        Event::NotOnline { name: bob().into() },
        Event::TakesNone { name: bob() },
        Event::NoSuchAccount { name: bob() },
    ] {
        let mut session = Line { dialect: Some(Dialect::Bare), dialogue: Dialogue::Ready, ..Line::default() };
        session.decode(b"DM bob", PASSWORD_MIN);
        session.encode_event(&refusal, &mut Vec::new());
        assert_eq!(session.dialogue, Dialogue::Ready, "{refusal:?}");
    }
}

/// The longest names: of rooms and guests, 32 characters of four bytes each; of accounts, 32 bytes.
#[test]
fn what_stands_before_a_text_is_bounded() {
    let long = "𝔸".repeat(32);
    let (wide, name, id) = (room(&long), user(&"x".repeat(32)), u64::MAX);
    let guest = Who::Guest(GuestName::parse(&long).unwrap());
    let text = "t".repeat(1000);
    let said = |from: Who| message(id, from, &text, false);
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for kind in Kind::PUBLIC {
        for event in [
            Event::Said(said(guest.clone())),
            Event::Told { to: guest.clone(), message: said(guest.clone()).into() },
            Event::SaidIn { room: wide.clone(), message: said(guest.clone()) },
            Event::SaidIn { room: wide.clone(), message: said(Who::Account(name.clone())) },
            Event::OwnTold { to: guest.clone(), message: said(guest.clone()).into() },
            Event::TopicIs { room: wide.clone(), by: guest.to_string().into(), text: text.as_str().into() },
        ] {
            let mut out = Vec::new();
            encode(kind, &event, &mut out);
            lines.push(out);
        }
        for (place, from) in [(long.clone(), guest.to_string()), (format!("@-{name}"), format!("-{name}"))] {
            let line = page_line(id, &place, &from, Flag::Mention, &text);
            let page = Paged { lines: vec![line], next: None, left: 0 };
            let mut out = Vec::new();
            crate::door::line::past::encode(kind, &Recalled::Page { page, is_unread: false }, &mut out);
            lines.push(out.split_inclusive(|byte| *byte == b'\n').find(|line| line.len() > 1000).unwrap().to_vec());
        }
    }
    let before: Vec<usize> = lines.iter().map(|line| line.len() - 1 - text.len()).collect();
    assert!(before.iter().all(|bytes| *bytes <= HISTORY_LINE_BYTES), "{before:?}");
    assert!(before.contains(&"C 212-18446744073709551615   m ".len().saturating_add(128 + 129)), "{before:?}");
}

#[test]
fn a_page_of_the_longest_lines() {
    // The store fills a page by this measure, so that it makes nobody too slow.
    let long = "𝔸".repeat(32);
    let text = "t".repeat(4000);
    let lines: Vec<Told> = (0..15).map(|at| page_line(at, &long, &format!("~{long}"), Flag::Plain, &text)).collect();
    let bound: usize = lines.iter().map(Told::bytes).sum();
    for dialect in [Dialect::Typed, Dialect::Bare] {
        let page = Paged { lines: lines.clone(), next: Some(7), left: 7 };
        let reply = Reply::Recalled(Box::new(Recalled::Page { page, is_unread: true }));
        let told = told(dialect, |session, out| session.encode_reply(&reply, out));
        assert!(told.iter().map(String::len).sum::<usize>() <= bound, "{dialect:?}");
    }
}
