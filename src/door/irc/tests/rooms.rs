//! Channels: entering and leaving them, their modes and lists.

use super::*;
use crate::door::irc::spell::{self, Dress};
use crate::door::irc::{Bits, Server};
use crate::hub::event::{NameLine, Present, RoomLine, Seat};

fn line(name: &str, seat: Seat) -> NameLine {
    NameLine { who: who(name), seat, is_away: false, called: None }
}

#[test]
fn a_channel_that_is_made_meanwhile_is_entered() {
    let mut alice = Client::alice("");
    alice.first("JOIN #a key");
    alice.event(&Event::NoSuchRoom);
    assert!(format!("{:?}", alice.next()).contains("makes: true"));
    alice.event(&Event::RoomExists { room: room("a") });
    assert!(format!("{:?}", alice.next()).contains("password: Some(***), makes: false"));
    alice.event(&Event::WrongRoomPassword { room: room("a") });
    assert_eq!(alice.taken(), ":chatd.local 475 Alice #a :Cannot join channel (+k)\n");
}

#[test]
fn marks_come_with_channels() {
    let mut alice = Client::alice("draft/read-marker draft/no-implicit-names");
    assert_eq!(
        alice.answer("JOIN #a", &entered("a", None, false)),
        ":Alice!account@chatd.local JOIN #a\n:chatd.local MARKREAD #a *\n",
        "nothing is kept there"
    );
    alice.first("JOIN #b");
    alice.event(&entered("b", None, true));
    assert!(matches!(alice.next(), Some(Decoded::Recall(_))));
    alice.reply(&Reply::Recalled(Box::new(Recalled::Counts { counts: Vec::new(), keep_days: 30 })));
    assert!(alice.next().is_none());
    alice.end();
    assert!(alice.taken().ends_with(":chatd.local MARKREAD #b *\n"));
}

#[test]
fn everybody_is_entered_once() {
    let mut alice = Client::alice("");
    let (on, off) = (Event::Attends { public: true }, Event::Attends { public: false });
    assert_eq!(alice.answer("JOIN &all", &on), "", "again is silent");
    assert_eq!(alice.answer("PART &all :bye", &off), ":Alice!account@chatd.local PART &all :bye\n");
    assert_eq!(alice.answer("PART &all", &off), ":chatd.local 442 Alice &all :You're not on that channel\n");
    assert!(alice.answer("JOIN &all", &on).ends_with(" 366 Alice &all :End of NAMES list\n"));
    let mut alice = Client::alice("draft/read-marker");
    alice.answer("PART &all", &off);
    alice.first("JOIN &all");
    alice.event(&on);
    assert!(matches!(alice.next(), Some(Decoded::Recall(_))));
    alice.reply(&Reply::Recalled(Box::new(Recalled::NotYours)));
    let lines = alice.taken();
    let codes: Vec<&str> = lines.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(codes.join(" "), "JOIN MARKREAD 353 366");
}

#[test]
fn long_lists_of_names_say_how_many_more_there_are() {
    let mut alice = Client::alice("");
    let names = vec![line("Alice", Seat::Host), line("bob", Seat::Member)];
    let answer = alice.answer("NAMES #a", &Event::Names { room: room("a"), names, matching: 5 });
    let expected = ":chatd.local 353 Alice = #a :@Alice bob\n:chatd.local NOTICE Alice :3 more are not listed\n\
                    :chatd.local 366 Alice #a :End of NAMES list\n";
    assert_eq!(answer, expected);
    let names = vec![line("bob", Seat::Member), line("zoe", Seat::Absent)];
    let answer = alice.answer("WHO #a", &Event::Names { room: room("a"), names, matching: 5 });
    assert!(!answer.contains("NOTICE") && answer.matches(" 352 ").count() == 1, "the others are not there: {answer}");
    let names = vec![Present { who: who("bob"), is_away: false, called: None }];
    let answer = alice.answer("WHO *", &Event::Online { names, matching: 2 });
    assert!(answer.contains("NOTICE Alice :1 more") && answer.ends_with(" 315 Alice * :End of WHO list\n"), "{answer}");
    assert_eq!(alice.all("NAMES"), ":chatd.local 366 Alice * :End of NAMES list\n");
    assert_eq!(alice.answer("NAMES #none", &Event::NoSuchRoom), ":chatd.local 366 Alice #none :End of NAMES list\n");
}

#[test]
fn lists_of_channels() {
    let mut alice = Client::alice("");
    let row = |name: &str| RoomLine { name: room(name), members: 2, is_locked: false, is_kept: false, topic: None };
    let end = ":chatd.local 323 Alice :End of LIST\n";
    let all = Event::Rooms { rooms: vec![row("a")], matching: 9 };
    let expected = format!(
        ":chatd.local 322 Alice #a 2 :\n\
         :chatd.local NOTICE Alice :1 of 9 channels; LIST #beginning* narrows it\n{end}"
    );
    assert_eq!(alice.answer("LIST", &all), expected);
    assert!(alice.first("LIST #pre*").contains("prefix: \"pre\""));
    alice.first("LIST #a,#none");
    alice.event(&Event::Rooms { rooms: vec![row("a"), row("ab")], matching: 2 });
    assert_eq!(command(alice.next()), Command::Rooms { prefix: "none".into() });
    alice.event(&Event::Rooms { rooms: Vec::new(), matching: 0 });
    assert!(alice.next().is_none());
    assert_eq!(alice.taken(), format!(":chatd.local 322 Alice #a 2 :\n{end}"));
    assert_eq!(alice.all("LIST bob"), end, "no channel has that name");
}

#[test]
fn modes() {
    let mut alice = Client::alice("");
    let row = |is_kept, is_locked| {
        let topic = None;
        Event::Rooms { rooms: vec![RoomLine { name: room("A"), members: 2, is_locked, is_kept, topic }], matching: 1 }
    };
    for (is_kept, is_locked, modes) in
        [(false, false, "+nt"), (true, false, "+ntP"), (false, true, "+ntk"), (true, true, "+ntkP")]
    {
        assert_eq!(alice.answer("MODE #a", &row(is_kept, is_locked)), format!(":chatd.local 324 Alice #A {modes}\n"));
    }
    let none = Event::Rooms { rooms: Vec::new(), matching: 0 };
    assert_eq!(alice.answer("MODE #a", &none).split(' ').nth(1), Some("403"));
    assert_eq!(alice.all("MODE #a +nt"), "");
    assert!(alice.first("MODE #a +ntk word").contains("Lock"), "a room is +nt already");
    assert_eq!(alice.all("MODE #a +b"), ":chatd.local 368 Alice #a :End of channel ban list\n");
    assert_eq!(alice.all("MODE #a +b x!*@*").split(' ').nth(1), Some("472"), "nobody is banned");
    assert_eq!(alice.all("MODE alice +i"), "");
    let owner = Event::OwnerIs { owner: Some(name("bob")) };
    let answer = alice.answer("MODE #a +o zoe", &owner);
    assert_eq!(answer, ":chatd.local 482 Alice #a :The channel is kept, and its owner is bob\n");
}

#[track_caller]
fn check_told(event: &Event, expected: &str) {
    let (server, mut out) = (Server::default(), Vec::new());
    spell::encode(Dress::new(&server, Bits::of_index(8), 0), event, &mut out);
    assert_eq!(String::from_utf8(out).unwrap().replace("\r\n", "\n"), expected);
}

#[test]
fn what_others_see_of_keys_and_owners() {
    let lock = |is_locked| Event::LockIs { room: room("a"), by: who("bob"), is_locked };
    check_told(&lock(true), ":bob!account@chatd.local MODE #a +k *\n");
    check_told(&lock(false), ":bob!account@chatd.local MODE #a -k *\n");
    let called = Some("Bob B".into());
    let owner = Event::Arrived { room: room("a"), who: who("bob"), first: true, away: None, called, is_owner: true };
    let expected = ":bob!account@chatd.local JOIN #a bob :Bob B\n:chatd.local MODE #a +o bob\n";
    check_told(&owner, expected);
}

#[test]
fn what_is_refused_without_a_number() {
    let kept = Event::TooManyWaiting { name: name("bob") };
    let mut alice = Client::alice("");
    let notice = ":chatd.local NOTICE Alice :Too many messages wait for bob\n";
    assert_eq!(alice.answer("PRIVMSG bob :hi", &kept), notice);
    assert_eq!(alice.all("MODE #tea -o bob"), ":chatd.local NOTICE Alice :+o of another nick hands the room on\n");
    let mut alice = Client::alice("standard-replies");
    let fail = ":chatd.local FAIL PRIVMSG CANNOT :Too many messages wait for bob\n";
    assert_eq!(alice.answer("PRIVMSG bob :hi", &kept), fail);
    let fail = ":chatd.local FAIL MODE INVALID_MODE :+o of another nick hands the room on\n";
    assert_eq!(alice.all("MODE #tea -o bob"), fail);
}

#[test]
fn a_key_that_can_be_no_password_makes_no_room() {
    let mut alice = Client::alice("");
    let long = "k".repeat(129);
    for key in [long.as_str(), "a\u{7}b", "a\u{200b}b"] {
        let answer = alice.all(&format!("JOIN #a {key}"));
        assert_eq!(answer, ":chatd.local 475 Alice #a :Cannot join channel (+k)\n", "{key:?}");
    }
    let longest = "k".repeat(128);
    assert!(alice.first(&format!("JOIN #a {longest}")).contains("password: Some(***)"));
}
