//! Operations on people, and on what one has said, as they are typed.

use super::recall::{check_one, check_recall, check_usage, in_room, user};
use super::*;
use crate::door::recall::{Forgetting, PlaceName, Recall};
use crate::history::Level;
use crate::hub::command::{Ignore, Watch};
use crate::hub::names::Who;
use crate::hub::profile::ProfileKey;
use crate::limits::AWAY_BYTES;

#[track_caller]
fn check_command(operation: &str, expected: Command<'_>) {
    check_one(operation, &Decoded::Command(expected));
}

#[track_caller]
fn check_refused(operation: &str, expected: Reply) {
    check_one(operation, &Decoded::Reply(expected));
}

#[test]
fn whois() {
    check_recall("WHOIS", Recall::Whois { who: None });
    check_recall("WHOIS  ", Recall::Whois { who: None });
    check_recall("WHOIS Bob ", Recall::Whois { who: Some(Who::Account(user("bob"))) });
    // A name that is a verb may be that of an old account.
    check_recall("WHOIS who", Recall::Whois { who: Some(Who::Account(user("who"))) });
    let guest = Who::Guest(GuestName::parse("zoë").unwrap());
    check_recall("WHOIS ~zoe\u{308}", Recall::Whois { who: Some(guest) });
    for bad in ["é", "~", "@bob", "-bob", "9", "~a/b", "\t", "bo\u{200b}b", &"x".repeat(33), &"x".repeat(3000)] {
        check_refused(&format!("WHOIS {bad}"), Reply::Recalled(Box::new(Recalled::NoSuchUser)));
    }
    check_usage(&["WHOIS a b", "WHOIS bob off"]);
}

fn set(key: ProfileKey, value: Option<&str>) -> Command<'_> {
    Command::Set { key, value: value.map(Into::into) }
}

#[test]
fn profiles() {
    check_recall("SET", Recall::Profile { key: None });
    check_recall("SET  ", Recall::Profile { key: None });
    for key in ProfileKey::ALL {
        for word in [key.word().to_owned(), key.word().to_uppercase()] {
            check_recall(&format!("SET {word}"), Recall::Profile { key: Some(key) });
            check_recall(&format!("SET  {word}  "), Recall::Profile { key: Some(key) });
            check_command(&format!("SET {word} -"), set(key, None));
            check_command(&format!("SET {word}  -  "), set(key, None));
            check_command(&format!("SET {word} \u{200b}-"), set(key, None));
            check_refused(&format!("SET {word} \u{200b}"), Reply::BadBytes);
            check_refused(&format!("SET {word} \t"), Reply::BadBytes);
        }
    }
    check_command("SET name Zoë  Miller ", set(ProfileKey::Name, Some("Zoë  Miller")));
    check_command("SET name a\tb", set(ProfileKey::Name, Some("a\tb")));
    check_command("SET about C 215 bob", set(ProfileKey::About, Some("C 215 bob")));
    check_command("SET about -- x", set(ProfileKey::About, Some("-- x")));
    check_command("SET status a\u{200b}b\u{feff}c", set(ProfileKey::Status, Some("abc")));
    check_usage(&["SET nick", "SET nick x", "SET name: x", "SET -", "SET na\u{200b}me x", "SET seen: none"]);
}

#[test]
fn sizes_of_a_profile() {
    for (key, most) in [
        (ProfileKey::Name, 64),
        (ProfileKey::Status, 128),
        (ProfileKey::Pronouns, 32),
        (ProfileKey::Zone, 48),
        (ProfileKey::Url, 256),
        (ProfileKey::About, 512),
    ] {
        let start = if key == ProfileKey::Url { "http://" } else { "" };
        let longest = format!("{start}{}", "x".repeat(most - start.len()));
        check_command(&format!("SET {} {longest}", key.word()), set(key, Some(&longest)));
        check_command(&format!("SET {} {longest}\u{200b}", key.word()), set(key, Some(&longest)));
        check_refused(&format!("SET {} {longest}x", key.word()), Reply::BadValue(key));
        let wide = format!("{start}{}", "ü".repeat((most - start.len()).div_ceil(2) + 1));
        check_refused(&format!("SET {} {wide}", key.word()), Reply::BadValue(key));
    }
}

#[test]
fn urls() {
    for url in ["http://a", "https://example.net/~zoë?x=1#y", "HTTPS://EXAMPLE.NET", "http://[::1]:8080/"] {
        check_command(&format!("SET url {url}"), set(ProfileKey::Url, Some(url)));
    }
    for bad in [
        "example.net",
        "ftp://example.net",
        "javascript:alert(1)",
        "http:/example.net",
        "http://",
        "https://",
        "xhttp://example.net",
        "http://a b",
        "http://a\tb",
        "http://a\u{a0}b",
        "http://a\u{3000}b",
        "httpé//x",
        "none",
    ] {
        check_refused(&format!("SET url {bad}"), Reply::BadValue(ProfileKey::Url));
    }
    // What is invisible is gone before anybody looks.
    check_command("SET url http\u{200b}://a", set(ProfileKey::Url, Some("http://a")));
}

#[test]
fn seen_is_none_or_nothing() {
    check_command("SET seen none", set(ProfileKey::Seen, Some("none")));
    check_command("SET seen NONE", set(ProfileKey::Seen, Some("none")));
    for bad in ["all", "off", "no", "none at all", "nonee", "non"] {
        check_refused(&format!("SET seen {bad}"), Reply::BadValue(ProfileKey::Seen));
    }
}

#[test]
fn away() {
    let away = |text: Option<&'static str>| Command::Away { text: text.map(Into::into) };
    check_command("AWAY", away(None));
    check_command("AWAY   ", away(None));
    check_command("AWAY lunch", away(Some("lunch")));
    check_command("AWAY  at  the dentist ", away(Some("at  the dentist")));
    check_command("AWAY l\u{200b}unch", away(Some("lunch")));
    check_command("AWAY -", away(Some("-")));
    check_command("AWAY a\tb", away(Some("a\tb")));
    check_refused("AWAY \u{200b}", Reply::BadBytes);
    check_refused("AWAY \u{200b} \u{feff}", Reply::BadBytes);
    check_refused("AWAY \u{1b}[2J", Reply::BadBytes);
    let longest = "ü".repeat(AWAY_BYTES / 2);
    check_command(&format!("AWAY {longest}"), Command::Away { text: Some(longest.as_str().into()) });
    check_refused(&format!("AWAY {longest}x"), Reply::AwaySize);
}

#[test]
fn watching() {
    let watch = Command::Watch;
    check_command("WATCH", watch(Watch::List));
    check_command("WATCH  ", watch(Watch::List));
    check_command("WATCH bob", watch(Watch::On(user("bob").into())));
    check_command("WATCH  BOB  off ", watch(Watch::Off(user("bob").into())));
    check_command("WATCH bob OFF", watch(Watch::Off(user("bob").into())));
    check_command("WATCH off", watch(Watch::On(user("off").into())));
    check_command("WATCH off off", watch(Watch::Off(user("off").into())));
    check_command("WATCH nobody.has-this_1", watch(Watch::On(user("nobody.has-this_1").into())));
    check_command("WATCH ~zoë", watch(Watch::On(Who::parse("~zoë").unwrap())));
    check_command("WATCH ~ZOE off", watch(Watch::Off(Who::parse("~zoe").unwrap())));
    check_usage(&[
        "WATCH ~",
        "WATCH ~a/b",
        "WATCH é",
        "WATCH *",
        "WATCH @bob",
        "WATCH -bob",
        "WATCH 9",
        "WATCH bob on",
        "WATCH bob off off",
        "WATCH bob carol",
        "WATCH bo\u{200b}b",
        "WATCH bob \u{200b}off",
        "WATCH \t",
    ]);
    check_usage(&[&format!("WATCH {}", "x".repeat(33)), &format!("WATCH {} off", "x".repeat(3000))]);
}

#[test]
fn ignoring() {
    let name = |name: &str, is_on| Command::Ignore(Ignore::Name { name: user(name), account: None, is_on });
    check_command("IGNORE", Command::Ignore(Ignore::List));
    check_command("IGNORE bob", name("bob", true));
    check_command("IGNORE  BOB  off ", name("bob", false));
    check_command("IGNORE off", name("off", true));
    check_command("IGNORE ~", Command::Ignore(Ignore::Guests { is_on: true }));
    check_command("IGNORE ~ Off", Command::Ignore(Ignore::Guests { is_on: false }));
    for guest in ["~zoe", "~zoe off", "~上海"] {
        check_refused(&format!("IGNORE {guest}"), Reply::GuestsAreIgnoredTogether);
    }
    for bad in ["é", "*", "@bob", "-bob", "9", "~~", "~a/b", "bo\u{200b}b", "\t", "9 off"] {
        check_refused(&format!("IGNORE {bad}"), Reply::NoSuchUser);
    }
    check_usage(&["IGNORE bob on", "IGNORE ~ on", "IGNORE bob off off", "IGNORE bob carol", "IGNORE ~ ~"]);
}

#[test]
fn how_loud() {
    let notify = |place, level| Recall::Notify { place, level };
    check_recall("NOTIFY tea all", notify(in_room("tea").unwrap(), Level::All));
    check_recall("NOTIFY  #all  MENTIONS ", notify(in_room("all").unwrap(), Level::Mentions));
    check_recall("NOTIFY * none", notify(PlaceName::Everybody, Level::None));
    check_recall("NOTIFY @Bob All", notify(PlaceName::Direct(user("bob")), Level::All));
    check_recall("NOTIFY none none", notify(in_room("none").unwrap(), Level::None));
    check_refused("NOTIFY @é all", Reply::NoSuchUser);
    check_refused("NOTIFY a/b all", Reply::NoSuchRoom);
    check_refused("NOTIFY ~zoe all", Reply::NoSuchRoom);
    check_usage(&[
        "NOTIFY",
        "NOTIFY tea",
        "NOTIFY all",
        "NOTIFY all none",
        "NOTIFY off all",
        "NOTIFY 2nd all",
        "NOTIFY tea off",
        "NOTIFY tea all none",
        "NOTIFY tea -",
        "NOTIFY tea a\u{200b}ll",
    ]);
}

#[test]
fn forgetting() {
    let forget = |what| Recall::Forget(what);
    check_recall("FORGET", forget(Forgetting::Newest));
    check_recall("FORGET  ", forget(Forgetting::Newest));
    check_recall("FORGET 007", forget(Forgetting::One(7)));
    check_recall("FORGET 18446744073709551615 ", forget(Forgetting::One(u64::MAX)));
    check_recall("FORGET all", forget(Forgetting::All));
    check_recall("FORGET  ALL ", forget(Forgetting::All));
    // What is nearly right erases nothing.
    check_usage(&[
        "FORGET 18446744073709551616",
        "FORGET -7",
        "FORGET +7",
        "FORGET 7 8",
        "FORGET all 7",
        "FORGET all all",
        "FORGET alll",
        "FORGET a\u{200b}ll",
        "FORGET \u{200b}",
        "FORGET it",
        "FORGET tea",
        "FORGET 90m",
        "FORGET 2026-11-26",
        "FORGET ٣",
    ]);
}

/// At a prompt of a bare session an operation on people is the text; a typed one ends the prompt, unless it is refused
/// with 501.
#[test]
fn operations_on_people_at_a_prompt() {
    check_in(&["> C PM", "< C 354…", "> D AWAY", "< C 250 sent to 1", "bob< D PM alice AWAY"]);
    let typed = |script: &[&str]| check(&[LOGIN, &["> C PM", "< C 354…"], script].concat());
    typed(&["> C WHOIS é", "< C 550 no such user…", "> D hi", "< C 503…"]);
    typed(&["> C AWAY \u{200b}", "< C 501 bad bytes…", "> D hi", "< C 250 sent to 1", "bob< D PM alice hi"]);
    typed(&["> C SET url x", "< C 501 url…", "> D hi", "< C 250 sent to 1", "bob< D PM alice hi"]);
}
