//! People: WHO by its letters, WHOIS, SETNAME, MONITOR.

use super::*;
use crate::door::recall::{Known, Whois};
use crate::hub::event::{NameLine, Present, Seat, Whereabouts};
use crate::hub::profile::ProfileKey;

#[test]
fn who_by_letters() {
    let mut alice = Client::alice("");
    let names = || {
        let line = |name: &str, seat, is_away| NameLine { who: who(name), seat, is_away, called: Some("B b".into()) };
        vec![line("bob", Seat::Host, true), line("~kim", Seat::Member, false)]
    };
    let answer = |alice: &mut Client, line: &str| {
        alice.answer(line, &Event::Names { room: room("a"), names: names(), matching: 2 })
    };
    let expected = ":chatd.local 352 Alice #a account chatd.local chatd.local bob G@ :0 B b\n\
                    :chatd.local 352 Alice #a guest chatd.local chatd.local ^kim H :0 B b\n\
                    :chatd.local 315 Alice #a :End of WHO list\n";
    assert_eq!(answer(&mut alice, "WHO #a"), expected);
    let expected = ":chatd.local 354 Alice 152 #a account 255.255.255.255 chatd.local chatd.local bob G@ 0 0 bob n/a :B b\n\
                    :chatd.local 354 Alice 152 #a guest 255.255.255.255 chatd.local chatd.local ^kim H 0 0 0 n/a :B b\n\
                    :chatd.local 315 Alice #a :End of WHO list\n";
    assert_eq!(answer(&mut alice, "WHO #a %tcuihsnfdlaor,152"), expected);
    assert!(answer(&mut alice, "WHO #a %rant,7").starts_with(":chatd.local 354 Alice 7 bob bob :B b\n"));
    assert!(answer(&mut alice, "WHO #a %n").starts_with(":chatd.local 354 Alice bob\n"));
    assert!(alice.first("WHO b*").contains("Who { prefix: \"b\", most: Some(2000) }"));
    assert!(alice.first("WHO ^r*").contains("prefix: \"~r\""));
    let none = Event::Online { names: Vec::new(), matching: 0 };
    assert_eq!(alice.answer("WHO nobody", &none), ":chatd.local 315 Alice nobody :End of WHO list\n");
    let names = vec![Present { who: who("bob"), is_away: false, called: None }];
    let found = alice.answer("WHO bob", &Event::Online { names, matching: 1 });
    assert!(found.starts_with(":chatd.local 352 Alice * account chatd.local chatd.local bob H :0 bob\n"), "{found}");
}

#[test]
fn bare_guests_are_found_by_their_names() {
    let server = Server { guests: crate::door::irc::Guests::Bare, ..Server::default() };
    let mut bob = Client::of(server, Options { guests: true, sts: None });
    bob.all("NICK bob");
    bob.first("USER b 0 * b");
    bob.next();
    bob.event(&Event::Welcome { name: who("~bob"), online: 1 });
    assert_eq!(command(bob.next()), Command::Census);
    bob.event(&Event::Counted(CENSUS));
    bob.end();
    bob.taken();
    assert!(bob.first("WHO kim").contains("AreOn { names: [Account(UserName(kim)), Guest(GuestName(kim))] }"));
    assert!(bob.first("WHO k*").contains("prefix: \"k\""));
    let person = |name| vec![Present { who: who(name), is_away: false, called: None }];
    bob.event(&Event::Online { names: person("kay"), matching: 1 });
    assert_eq!(command(bob.next()), Command::Who { prefix: "~k".into(), most: Some(2000) });
    bob.event(&Event::Online { names: person("~kim"), matching: 1 });
    let lines = bob.taken();
    let codes: Vec<&str> = lines.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(codes.join(" "), "352 352 315", "{lines}");
}

fn known() -> Known {
    Known {
        name: name("Bob"),
        sessions: 1,
        since: 1,
        idle_s: Some(90),
        away: Some("lunch".into()),
        called: Some("said so".into()),
        rooms: vec![(room("a"), true)],
        seen_ms: None,
        profile: vec![(ProfileKey::Name, "Bob B".into())],
    }
}

#[test]
fn who_is_who() {
    let mut alice = Client::alice("");
    let whois = |known| Recalled::Whois(Whois::Account(Box::new(known)));
    let expected = ":chatd.local 311 Alice Bob account chatd.local * :Bob B\n:chatd.local 319 Alice Bob :@#a\n\
                    :chatd.local 312 Alice Bob chatd.local :chatd\n:chatd.local 301 Alice Bob :lunch\n\
                    :chatd.local 330 Alice Bob Bob :is logged in as\n:chatd.local 318 Alice Bob :End of WHOIS list\n";
    assert_eq!(alice.recall("WHOIS bob", whois(known())), expected);
    let answer = alice.recall("WHOIS x bob", whois(Known { profile: Vec::new(), rooms: Vec::new(), ..known() }));
    assert!(answer.contains("* :said so\n") && !answer.contains(" 319 "), "{answer}");
    let expected = ":chatd.local 401 Alice bob :No such nick\n:chatd.local 318 Alice bob :End of WHOIS list\n";
    assert_eq!(alice.recall("WHOIS bob", whois(Known { sessions: 0, ..known() })), expected);
    assert_eq!(alice.recall("WHOIS bob", Recalled::NoSuchUser), expected);
    let rooms = (0..100).map(|number| (room(&format!("a-long-name-of-a-room-{number}")), false)).collect();
    let answer = alice.recall("WHOIS bob", whois(Known { rooms, ..known() }));
    assert_eq!(answer.matches('#').count(), 100);
    assert!(answer.matches(" 319 ").count() > 1 && answer.lines().all(|line| line.len() <= 510), "{answer}");
}

#[test]
fn realnames() {
    let mut alice = Client::alice("setname extended-join");
    assert_eq!(alice.answer("SETNAME :New A", &Event::Done), ":Alice!account@chatd.local SETNAME :New A\n");
    let joined = alice.answer("JOIN #a", &entered("a", None, false));
    assert!(joined.starts_with(":Alice!account@chatd.local JOIN #a Alice :New A\n"), "{joined}");
    let refused = alice.answer("SETNAME :Newer", &Event::NothingKept);
    assert!(refused.contains("FAIL SETNAME CANNOT_CHANGE_REALNAME :"), "{refused}");
    assert!(alice.all(&format!("SETNAME :{}", "x".repeat(65))).contains("FAIL SETNAME INVALID_REALNAME"));
    assert_eq!(Client::alice("").answer("SETNAME :New A", &Event::Done), "");
}

#[test]
fn watching() {
    let mut alice = Client::alice("");
    assert_eq!(alice.all("MONITOR +"), ":chatd.local 461 Alice MONITOR :Not enough parameters\n");
    let there = Event::Watched { name: who("Bob"), presence: Whereabouts::Away("x".into()) };
    assert_eq!(alice.answer("MONITOR + bob", &there), ":chatd.local 730 Alice :Bob!account@chatd.local\n");
    let full = Event::WatchesFull { most: 100 };
    assert_eq!(alice.answer("MONITOR + kim", &full), ":chatd.local 734 Alice 100 kim :Monitor list is full\n");
    let list = Event::Watches { names: vec![who("bob"), who("~kim")] };
    let expected = ":chatd.local 732 Alice :bob,^kim\n:chatd.local 733 Alice :End of MONITOR list\n";
    assert_eq!(alice.answer("MONITOR L", &list), expected);
    assert_eq!(alice.answer("MONITOR - bob", &Event::Done), "");
}
