//! What was said before: CHATHISTORY, MARKREAD, and messages that were not kept after all.

use super::*;
use crate::door::Spelling;
use crate::door::recall::{Bound, PlaceName, Recall, When};
use crate::history::{Count, Flag, Level, Line, Paged};

const ID: u64 = (1_795_714_284_250 << 20) + 7;

fn page(lines: Vec<Line>) -> Recalled {
    Recalled::Page { page: Paged { lines, next: None, left: 0 }, is_unread: false }
}

fn said(place: &str, from: &str, flag: Flag, text: &str) -> Line {
    Line { id: ID, place: place.into(), from: from.into(), flag, text: text.into() }
}

/// The most messages and the bounds of the pages that a line asks for.
#[track_caller]
fn check_pages(line: &str, expected: &[(u32, Bound)]) {
    let mut alice = Client::alice("batch");
    let mut found = Vec::new();
    let line = line.to_owned();
    let mut decoded = Some(match alice.door.decode(line.as_bytes()) {
        Decoded::Recall(Recall::Page { bound, most, .. }) => Recall::Page { place: None, bound, most },
        other => panic!("{other:?}: {}", alice.taken()),
    });
    while let Some(Recall::Page { bound, most, .. }) = decoded {
        found.push((most, bound));
        decoded = match alice.next() {
            Some(Decoded::Recall(Recall::Page { bound, most, .. })) => Some(Recall::Page { place: None, bound, most }),
            _ => None,
        };
    }
    assert_eq!(found, expected, "{line}");
}

#[test]
fn pages() {
    let (before, after) = (|id| Bound::Before(When::Id(id)), |id| Bound::After(When::Id(id)));
    let between = |above, below, newest| Bound::Between { above, below, newest };
    check_pages("CHATHISTORY LATEST #a * 9", &[(9, Bound::None)]);
    check_pages("CHATHISTORY LATEST #a msgid=7 99", &[(50, between(7, u64::MAX, true))]);
    check_pages("CHATHISTORY BEFORE bob msgid=7 1", &[(1, before(7))]);
    check_pages("CHATHISTORY AFTER &all msgid=7 1", &[(1, after(7))]);
    check_pages("CHATHISTORY BETWEEN #a msgid=3 msgid=7 5", &[(5, between(3, 7, false))]);
    check_pages("CHATHISTORY BETWEEN #a msgid=7 msgid=3 5", &[(5, between(3, 7, true))]);
    // A millisecond ends with its last id where it is a lower bound, and begins with its first one.
    let (first, last) = (1_795_714_284_250 << 20, (1_795_714_284_250 << 20) + 0xf_ffff);
    let time = "timestamp=2026-11-26T17:31:24.250Z";
    check_pages(&format!("CHATHISTORY BEFORE #a {time} 5"), &[(5, before(first))]);
    check_pages(&format!("CHATHISTORY AFTER #a {time} 5"), &[(5, after(last))]);
    check_pages(&format!("CHATHISTORY LATEST #a {time} 5"), &[(5, between(last, u64::MAX, true))]);
    check_pages(&format!("CHATHISTORY BETWEEN #a {time} msgid={} 5", u64::MAX), &[(5, between(last, u64::MAX, false))]);
    // As many as were asked for, the message itself among them.
    check_pages("CHATHISTORY AROUND #a msgid=7 5", &[(2, before(7)), (3, after(6))]);
    check_pages("CHATHISTORY AROUND #a msgid=7 4", &[(2, before(7)), (2, after(6))]);
    check_pages("CHATHISTORY AROUND #a msgid=7 1", &[(1, after(6))]);
}

#[test]
fn a_page_is_a_batch() {
    let mut alice = Client::alice("batch message-tags");
    alice.join("Lobby");
    let lines = vec![said("Lobby", "bob", Flag::Plain, "hi"), said("Lobby", "server", Flag::Hole, "3 are missing")];
    let expected = format!(
        ":chatd.local BATCH +1 chathistory #Lobby\n\
         @batch=1;msgid={ID} :bob!account@chatd.local PRIVMSG #Lobby :hi\n\
         @batch=1 :chatd.local NOTICE #Lobby :3 are missing\n:chatd.local BATCH -1\n"
    );
    assert_eq!(alice.recall("CHATHISTORY LATEST #LOBBY * 5", page(lines)), expected);
    // Direct messages are to the one who did not say them.
    let lines = vec![said("@bob", "Alice", Flag::Plain, "hi"), said("@bob", "bob", Flag::Plain, "ho")];
    let answer = alice.recall("CHATHISTORY LATEST bob * 5", page(lines));
    assert!(answer.contains(":Alice!account@chatd.local PRIVMSG bob :hi\n"), "{answer}");
    assert!(answer.contains(":bob!account@chatd.local PRIVMSG Alice :ho\n"), "{answer}");
}

#[test]
fn where_nothing_is_kept() {
    let mut alice = Client::alice("batch");
    alice.join("here");
    let empty = |batch: u32, target: &str| {
        format!(":chatd.local BATCH +{batch} chathistory {target}\n:chatd.local BATCH -{batch}\n")
    };
    assert_eq!(alice.recall("CHATHISTORY LATEST #here * 5", Recalled::NotYours), empty(1, "#here"));
    assert_eq!(alice.all("CHATHISTORY LATEST ^bob * 5"), empty(2, "^bob"));
    let refused = ":chatd.local FAIL CHATHISTORY INVALID_TARGET LATEST #there :Messages could not be retrieved\n";
    assert_eq!(alice.recall("CHATHISTORY LATEST #there * 5", Recalled::NotYours), refused);
    assert!(
        alice.recall("CHATHISTORY LATEST nobody * 5", Recalled::NotYours).contains(" INVALID_TARGET LATEST nobody ")
    );
    assert!(
        alice.recall("CHATHISTORY LATEST #here * 5", Recalled::Unavailable).contains(" MESSAGE_ERROR LATEST #here ")
    );
}

#[test]
fn questions_that_are_none() {
    let mut alice = Client::alice("batch");
    let mut check = |line: &str, expected: &str| {
        assert_eq!(alice.all(&format!("CHATHISTORY {line}")), format!(":chatd.local FAIL CHATHISTORY {expected}\n"));
    };
    check("", "INVALID_PARAMS * :Insufficient parameters");
    check("NEWEST #a * 5", "INVALID_PARAMS NEWEST :Unknown command");
    check("LATEST #a *", "INVALID_PARAMS LATEST :Insufficient parameters");
    check("BETWEEN #a msgid=1 5", "INVALID_PARAMS BETWEEN :Insufficient parameters");
    check("LATEST #a * 5 6", "INVALID_PARAMS LATEST :Too many parameters");
    check("LATEST #a 7 5", "INVALID_PARAMS LATEST 7 :Invalid parameters");
    check("BEFORE #a * 5", "INVALID_PARAMS BEFORE * :Invalid parameters");
    check("LATEST #a * 0", "INVALID_PARAMS LATEST 0 :Invalid parameters");
    check("LATEST #a * x", "INVALID_PARAMS LATEST x :Invalid parameters");
    check("BETWEEN #a msgid=1 x 5", "INVALID_PARAMS BETWEEN x :Invalid parameters");
    check("AFTER #a timestamp=now 5", "INVALID_PARAMS AFTER timestamp=now :Invalid timestamp");
    check("AFTER #a hash=7 5", "INVALID_MSGREFTYPE AFTER #a :A point is a msgid or a timestamp");
    check("TARGETS msgid=1 msgid=2 5", "INVALID_PARAMS TARGETS :Two timestamps and a number");
}

#[test]
fn names_are_spelled_as_they_were_made() {
    let mut alice = Client::alice("batch message-tags draft/read-marker");
    let answer = alice.recall("CHATHISTORY LATEST BOB * 5", page(vec![said("@Bob", "Bob", Flag::Plain, "ho")]));
    assert!(answer.starts_with(":chatd.local BATCH +1 chathistory Bob\n"), "{answer}");
    // A kept room that this client is not in.
    let answer = alice.recall("CHATHISTORY LATEST #\u{e4} * 5", page(vec![said("\u{c4}", "Alice", Flag::Plain, "hi")]));
    assert!(answer.contains(" PRIVMSG #\u{c4} :hi\n"), "{answer}");
    let count =
        |place: &str| Count { place: place.into(), unread: 1, mentions: 0, read: ID, last: ID, level: Level::Mentions };
    let counts = || Recalled::Counts { counts: vec![count("\u{c4}"), count("@Bob")], keep_days: 30 };
    let mark = "timestamp=2026-11-26T17:31:24.250Z\n";
    assert_eq!(alice.recall("MARKREAD #\u{e4}", counts()), format!(":chatd.local MARKREAD #\u{c4} {mark}"));
    assert_eq!(alice.recall("MARKREAD BOB", counts()), format!(":chatd.local MARKREAD Bob {mark}"));
}

#[test]
fn targets() {
    let mut alice = Client::alice("batch");
    alice.join("here");
    let count = |place: &str, ms: u64| Count {
        place: place.into(),
        unread: 1,
        mentions: 0,
        read: 0,
        last: (ms << 20) + 1,
        level: Level::Mentions,
    };
    let ms = 1_795_714_284_250;
    let counts = vec![count("@bob", ms + 2), count("here", ms + 1), count("elsewhere", ms + 1), count("*", ms - 1)];
    let line = "CHATHISTORY TARGETS timestamp=2026-11-26T17:31:24.250Z timestamp=2026-11-26T18:00:00Z 10";
    let expected = ":chatd.local BATCH +1 draft/chathistory-targets\n\
        @batch=1 :chatd.local CHATHISTORY TARGETS #here 2026-11-26T17:31:24.251Z\n\
        @batch=1 :chatd.local CHATHISTORY TARGETS bob 2026-11-26T17:31:24.252Z\n:chatd.local BATCH -1\n";
    assert_eq!(alice.recall(line, Recalled::Counts { counts: counts.clone(), keep_days: 30 }), expected);
    let expected = ":chatd.local BATCH +2 draft/chathistory-targets\n:chatd.local BATCH -2\n";
    assert_eq!(alice.recall(line, Recalled::NeedsAccount), expected, "a guest has none");
    // As many as were asked for, from the first time on.
    let newest = "CHATHISTORY TARGETS timestamp=2026-11-26T18:00:00Z timestamp=2026-11-26T17:31:24.250Z 1";
    let answer = alice.recall(newest, Recalled::Counts { counts: counts.clone(), keep_days: 30 });
    assert!(answer.contains(" TARGETS bob ") && !answer.contains(" TARGETS #here "), "{answer}");
    let oldest = "CHATHISTORY TARGETS timestamp=2026-11-26T17:31:24.250Z timestamp=2026-11-26T18:00:00Z 1";
    let answer = alice.recall(oldest, Recalled::Counts { counts, keep_days: 30 });
    assert!(answer.contains(" TARGETS #here ") && !answer.contains(" TARGETS bob "), "{answer}");
}

#[test]
fn marks() {
    let mut alice = Client::alice("draft/read-marker");
    let line = "MARKREAD #a timestamp=2026-11-26T17:31:24.250Z".to_owned();
    match alice.door.decode(line.as_bytes()) {
        Decoded::Recall(Recall::Read { when, .. }) => {
            assert_eq!(when, Some(When::Id((1_795_714_284_250 << 20) + 0xf_ffff)));
        }
        other => panic!("{other:?}"),
    }
    alice.reply(&Reply::Recalled(Box::new(Recalled::NotYours)));
    assert!(matches!(alice.next(), Some(Decoded::Recall(Recall::Unread))));
    alice.reply(&Reply::Recalled(Box::new(Recalled::Counts { counts: Vec::new(), keep_days: 30 })));
    alice.end();
    assert_eq!(alice.taken(), ":chatd.local MARKREAD #a *\n");
    assert_eq!(alice.all("MARKREAD ~bob"), ":chatd.local MARKREAD ^bob *\n");
    assert!(alice.all("MARKREAD #a timestamp=*").contains("FAIL MARKREAD INVALID_PARAMS #a "));
    assert!(alice.all("MARKREAD").contains("FAIL MARKREAD NEED_MORE_PARAMS"));
}

#[test]
fn a_message_that_was_not_kept_after_all() {
    let withdrawn = Event::Withdrawn { to: name("bob"), id: ID };
    let alice = Client::alice("");
    assert_eq!(alice.door.spelling(&withdrawn), Spelling::Untold, "it has not seen the message");
    let mut alice = Client::alice("echo-message");
    assert_eq!(alice.door.spelling(&withdrawn), Spelling::Own);
    alice.door.encode_told(&withdrawn, &mut alice.out);
    let expected = ":chatd.local NOTICE Alice :Your last message to bob could not be kept: bob does not get it\n";
    assert_eq!(alice.taken(), expected);
}

/// A count of unread messages.
fn unread(place: &str, unread: u32) -> Count {
    Count { place: place.into(), unread, mentions: 0, read: 0, last: ID, level: Level::Mentions }
}

/// The lines of a client whose session begins while direct messages are unread, from `JOIN &all` on.
fn begins(caps: &str, counts: Vec<Count>) -> String {
    let mut alice = Client::new(Options::default());
    alice.all(&format!("CAP REQ :{caps}"));
    alice.all("NICK Alice");
    alice.all("USER a 0 * :Alice A");
    alice.first("CAP END");
    alice.first("NS IDENTIFY secret");
    alice.reply(&Reply::Proved { name: name("Alice") });
    alice.next();
    alice.event(&Event::Welcome { name: name("Alice").into(), online: 1 });
    assert_eq!(command(alice.next()), Command::Census);
    alice.event(&Event::Counted(CENSUS));
    while let Some(step) = alice.next() {
        assert!(matches!(step, Decoded::Recall(Recall::Unread)), "{step:?}");
        alice.reply(&Reply::Recalled(Box::new(Recalled::Counts { counts: counts.clone(), keep_days: 30 })));
    }
    alice.end();
    let heard = alice.taken();
    heard[heard.find(" JOIN &all").expect("it is in &all")..].to_owned()
}

#[test]
fn what_waits_is_told_when_a_session_begins() {
    let waiting = vec![unread("@bob", 2), unread("tea", 7), unread("*", 7)];
    let rest = " JOIN &all\n:chatd.local 353 Alice = &all :Alice\n:chatd.local 366 Alice &all :End of NAMES list\n";
    let notice = ":chatd.local NOTICE Alice :2 messages wait for you, from bob: \
        /quote CHATHISTORY LATEST bob * 20 shows them\n";
    assert_eq!(begins("batch", waiting.clone()), format!("{rest}{notice}"));
    let heard = begins("draft/read-marker", waiting.clone());
    assert!(
        heard.contains("MARKREAD &all *\n") && heard.ends_with(&format!("&all :End of NAMES list\n{notice}")),
        "{heard}"
    );
    assert_eq!(begins("batch", vec![unread("*", 7)]), rest);
    assert_eq!(begins("draft/chathistory", waiting), rest, "it fetches them");
}

#[test]
fn a_guest_who_becomes_an_account_is_told_what_waits() {
    let mut bob = Client::new(Options { guests: true, sts: None });
    bob.all("NICK bob");
    bob.first("USER b 0 * :Bob");
    bob.event(&Event::Welcome { name: who("~bob"), online: 1 });
    while bob.next().is_some() {}
    bob.end();
    bob.first("NS IDENTIFY bob secret");
    bob.reply(&Reply::Proved { name: name("bob") });
    bob.next();
    bob.taken();
    bob.event(&Event::Welcome { name: who("bob"), online: 1 });
    assert!(matches!(bob.next(), Some(Decoded::Recall(Recall::Unread))));
    bob.reply(&Reply::Recalled(Box::new(Recalled::Counts { counts: vec![unread("@Al", 1)], keep_days: 30 })));
    bob.end();
    let heard = bob.taken();
    assert!(
        heard.ends_with(" NOTICE bob :1 message waits for you, from Al: /quote CHATHISTORY LATEST Al * 20 shows it\n"),
        "{heard}"
    );
}

/// Up to where a page marks a conversation as read.
#[track_caller]
fn check_read(caps: &str, line: &str, page: Paged, expected: Option<u64>) {
    let mut alice = Client::alice(caps);
    alice.join("Lobby");
    alice.first(line);
    alice.reply(&Reply::Recalled(Box::new(Recalled::Page { page, is_unread: false })));
    let marked = match alice.next() {
        Some(Decoded::Recall(Recall::Read { place: Some(PlaceName::Direct(bob)), when: Some(When::Id(id)) })) => {
            assert_eq!(bob, name("bob"));
            alice.reply(&Reply::Recalled(Box::new(Recalled::Unavailable)));
            assert!(alice.next().is_none());
            Some(id)
        }
        None => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(marked, expected, "{caps} {line}");
    alice.end();
    assert_eq!(alice.taken().matches(" PRIVMSG ").count(), 1, "{line}");
}

#[test]
fn direct_messages_are_read_where_they_are_shown() {
    let page = |place: &str, next| Paged { lines: vec![said(place, "bob", Flag::Plain, "hi")], next, left: 0 };
    check_read("batch", "CHATHISTORY LATEST bob * 20", page("@bob", None), Some(ID));
    check_read("", "CHATHISTORY LATEST bob msgid=5 1", page("@bob", Some(ID)), Some(ID));
    check_read("labeled-response batch", "@label=a CHATHISTORY AFTER bob msgid=5 2", page("@bob", None), Some(ID));
    check_read("", "CHATHISTORY AFTER bob msgid=5 1", page("@bob", Some(ID)), None);
    check_read("", "CHATHISTORY BEFORE bob msgid=9 1", page("@bob", None), None);
    check_read("", "CHATHISTORY LATEST #Lobby * 20", page("Lobby", None), None);
    // These mark what they have read, or fetch what is new.
    check_read("draft/read-marker", "CHATHISTORY LATEST bob * 20", page("@bob", None), None);
    check_read("draft/chathistory", "CHATHISTORY LATEST bob * 20", page("@bob", None), None);
}
