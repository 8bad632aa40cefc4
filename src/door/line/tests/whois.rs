//! What is told of people: who they are, whether they are there; and what is forgotten.

use super::past::{check_alike, check_answer, check_event, check_reply};
use super::recall::user;
use super::*;
use crate::door::recall::{Known, Whois};
use crate::history::Level;
use crate::hub::event::{Change, Whereabouts};
use crate::hub::names::Who;
use crate::hub::profile::ProfileKey;

/// 2026-11-26T09:41 in seconds.
const MORNING_S: u64 = 1_795_686_060;

fn known() -> Known {
    Known {
        name: user("Bob"),
        sessions: 0,
        since: 1_795_651_200,
        idle_s: None,
        away: None,
        called: None,
        rooms: Vec::new(),
        seen_ms: None,
        profile: Vec::new(),
    }
}

#[track_caller]
fn check_known(known: Known, typed: &[&str], bare: &[&str]) {
    check_answer(Recalled::Whois(Whois::Account(Box::new(known))), typed, bare);
}

#[test]
fn somebody_who_is_there() {
    let profile = vec![
        (ProfileKey::Name, "Bob\tB.".into()),
        (ProfileKey::Status, "C 215 eve".into()),
        (ProfileKey::Pronouns, "he".into()),
        (ProfileKey::Zone, "Europe/Berlin".into()),
        (ProfileKey::Url, "https://bob.example".into()),
        (ProfileKey::About, "a  b".into()),
    ];
    let lines = |name: &'static str, away: &'static str| {
        [
            "C 215-sessions 2",
            "C 215-since 2026-11-26",
            "C 215-idle 90",
            away,
            name,
            "C 215-status C 215 eve",
            "C 215-pronouns he",
            "C 215-zone Europe/Berlin",
            "C 215-url https://bob.example",
            "C 215-about a  b",
            "C 215 Bob",
        ]
    };
    let bob = Known { sessions: 2, idle_s: Some(90), away: Some("at\tlunch".into()), profile, ..known() };
    let typed = lines("C 215-name Bob\tB.", "C 215-away at\tlunch");
    check_known(bob, &typed, &lines("C 215-name Bob B.", "C 215-away at lunch"));
}

#[test]
fn somebody_who_is_not_there() {
    let lines = ["C 215-sessions 0", "C 215-since 2026-11-26", "C 215 Bob"];
    check_known(known(), &lines, &lines);
    let lines = ["C 215-sessions 0", "C 215-since 2026-11-26", "C 215-seen 2026-11-26T09:41", "C 215 Bob"];
    check_known(Known { seen_ms: Some(MORNING_S * 1000 + 59_999), ..known() }, &lines, &lines);
    let lines = ["C 215-sessions 0", "C 215-since 1970-01-01", "C 215-seen 1970-01-01T00:00", "C 215 Bob"];
    check_known(Known { since: u64::MAX, seen_ms: Some(u64::MAX), ..known() }, &lines, &lines);
}

#[test]
fn guests_and_nobody() {
    let name = || Who::parse("~zoë").unwrap();
    let guest = Recalled::Whois(Whois::Guest { name: name(), away: None, called: None, rooms: Vec::new() });
    let lines = ["C 215-guest", "C 215 ~zoë"];
    check_answer(guest, &lines, &lines);
    let (away, called) = (Some("at\tlunch".into()), Some("Zoë Z.".into()));
    let guest = Recalled::Whois(Whois::Guest { name: name(), away, called, rooms: Vec::new() });
    let typed = ["C 215-guest", "C 215-away at\tlunch", "C 215-name Zoë Z.", "C 215 ~zoë"];
    let bare = ["C 215-guest", "C 215-away at lunch", "C 215-name Zoë Z.", "C 215 ~zoë"];
    check_answer(guest, &typed, &bare);
    let needs = ["C 554 that needs an account, and you are a guest"];
    check_answer(Recalled::NeedsAccount, &needs, &needs);
    let lines = ["C 550 no such user; WHO lists who is online"];
    check_answer(Recalled::NoSuchUser, &lines, &lines);
}

#[test]
fn ones_own_profile() {
    let profile = |values| Recalled::Profile { name: user("Bob"), values };
    check_answer(profile(vec![]), &["C 215 Bob"], &["C 215 Bob"]);
    let values = vec![(ProfileKey::Status, "a\tb".into()), (ProfileKey::Seen, "none".into())];
    let typed = ["C 215-status a\tb", "C 215-seen none", "C 215 Bob"];
    check_answer(profile(values), &typed, &["C 215-status a b", "C 215-seen none", "C 215 Bob"]);
}

#[test]
fn texts_of_a_damaged_file_are_one_line() {
    let profile = vec![(ProfileKey::About, "a\nC 215 eve\u{1b}[2J\u{202e}b\u{200b}".into())];
    let lines = ["C 215-sessions 0", "C 215-since 2026-11-26", "C 215-about aC 215 eve[2Jb", "C 215 Bob"];
    check_known(Known { profile, ..known() }, &lines, &lines);
}

#[test]
fn presence() {
    let bob = || user("bob");
    check_event(
        &Event::AwayIs { text: Some("a\tb".into()) },
        &["C 200 you are away: a\tb"],
        &["C 200 you are away: a b"],
    );
    check_alike(&Event::AwayIs { text: None }, "C 200 you are back");
    for (change, expected) in [
        (Change::Online, "C 101 bob online"),
        (Change::Offline, "C 101 bob offline"),
        (Change::Away("at lunch".into()), "C 101 bob away at lunch"),
        (Change::Back, "C 101 bob back"),
    ] {
        check_alike(&Event::Presence { name: bob().into(), change }, expected);
    }
    let away = Event::Presence { name: bob().into(), change: Change::Away("a\tb".into()) };
    check_event(&away, &["C 101 bob away a\tb"], &["C 101 bob away a b"]);
    for (presence, expected) in [
        (Whereabouts::Online, "C 200 bob is online"),
        (Whereabouts::Away("at lunch".into()), "C 200 bob is away: at lunch"),
        (Whereabouts::Offline, "C 200 bob is offline"),
    ] {
        check_alike(&Event::Watched { name: bob().into(), presence }, expected);
    }
}

#[test]
fn lists_of_people() {
    let names = || vec![user("alice"), user("Bob")];
    let all = || vec![user("alice").into(), user("Bob").into(), Who::parse("~zoë").unwrap()];
    let check = |event: Event, lines: &[&str]| check_event(&event, lines, lines);
    check(Event::Watches { names: all() }, &["C 211-alice", "C 211-Bob", "C 211-~zoë", "C 211 3 watched"]);
    check(Event::Watches { names: vec![] }, &["C 211 0 watched"]);
    check(Event::Ignores { names: names(), guests: false }, &["C 211-alice", "C 211-Bob", "C 211 2 ignored"]);
    check(Event::Ignores { names: names(), guests: true }, &["C 211-alice", "C 211-Bob", "C 211-~", "C 211 3 ignored"]);
    check(Event::Ignores { names: vec![], guests: true }, &["C 211-~", "C 211 1 ignored"]);
    check(Event::Ignores { names: vec![], guests: false }, &["C 211 0 ignored"]);
}

#[test]
fn refusals_about_people() {
    check_alike(&Event::TakesNone { name: user("bob") }, "C 554 bob takes no messages from you");
    check_alike(&Event::IgnoresYourself, "C 554 you cannot ignore yourself");
    check_alike(&Event::WatchesFull { most: 100 }, "C 554 no more than 100 names; WATCH name off ends one");
    check_alike(&Event::IgnoresFull { most: 100 }, "C 554 no more than 100 names; IGNORE name off ends one");
    check_alike(&Event::NoSuchAccount { name: user("eve") }, "C 550 nobody has the name eve; WHO lists who is online");
    for (reply, is_bad, expected) in [
        (Reply::AwaySize, true, "C 501 the text has at most 200 bytes"),
        (Reply::BadValue(ProfileKey::Name), true, "C 501 name has at most 64 bytes"),
        (
            Reply::BadValue(ProfileKey::Url),
            true,
            "C 501 url begins with http:// or https://, and has no spaces and at most 256 bytes",
        ),
        (
            Reply::BadValue(ProfileKey::Seen),
            true,
            "C 501 seen is none, which hides when you were there, or - to show it",
        ),
        (Reply::GuestsAreIgnoredTogether, false, "C 550 guests are ignored together: IGNORE ~"),
    ] {
        assert_eq!(reply.is_bad_line(), is_bad, "{expected}");
        for dialect in [Dialect::Typed, Dialect::Bare] {
            check_reply(dialect, &reply, &[expected]);
        }
    }
}

#[test]
fn what_becomes_of_a_message_to_somebody_who_is_away() {
    let sent = |is_dropped| Event::SentTo {
        name: user("bob").into(),
        message: from_bob(7, is_dropped).into(),
        away: Some("at\tlunch".into()),
    };
    check_event(&sent(false), &["C 250 sent to bob (away: at\tlunch)"], &["C 250 sent to bob (away: at lunch)"]);
    let (typed, bare) =
        ("C 250 sent to bob (away: at\tlunch), not kept", "C 250 sent to bob (away: at lunch), not kept");
    check_event(&sent(true), &[typed], &[bare]);
    let mut session = Line { dialect: Some(Dialect::Typed), wants: Wants::IDS, ..Line::default() };
    let mut out = Vec::new();
    session.encode_event(&sent(false), &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "C 250 sent to bob (away: at\tlunch) id=7\n");
}

#[test]
fn what_is_forgotten() {
    let forgot = |is_erased| Recalled::Forgot { id: 7, place: "@-dave".into(), is_erased };
    let all = |count, is_erased| Recalled::ForgotAll { count, is_erased };
    let on_disk = "C 200 forgotten; on disk until a reader has ended";
    for (recalled, expected) in [
        (forgot(true), "C 200 forgot 7 in @-dave"),
        (forgot(false), on_disk),
        (all(0, true), "C 200 forgot 0 lines"),
        (all(1, true), "C 200 forgot 1 line"),
        (all(1200, true), "C 200 forgot 1200 lines"),
        (all(1200, false), on_disk),
        (Recalled::NoSuchMessage, "C 550 no page of yours has that message; HISTORY shows what is kept"),
        (Recalled::NotYourMessage, "C 554 you can forget your own messages, and all messages in rooms that you own"),
        (Recalled::ForgotTooMuch { retry_s: 3540 }, "C 450 too much forgotten, try again in 3540 s"),
        (Recalled::NotForgotten, "C 450 it is not forgotten yet, or not all of it; try FORGET again in some seconds"),
        (Recalled::Loud { place: "@dave".into(), level: Level::None }, "C 200 @dave notify=none"),
        (Recalled::Loud { place: "*".into(), level: Level::Mentions }, "C 200 * notify=mentions"),
    ] {
        check_answer(recalled, &[expected], &[expected]);
    }
}
