//! Channels, messages and people.

use super::*;
use crate::door::irc::Bits;
use crate::door::irc::spell::{self, Dress};
use crate::door::recall::{Notice, Recalled, Whois};
use crate::door::{Kind, Spelling};
use crate::hub::event::{Leaving, NameLine, News, Present, RoomLine, Seat};

#[test]
fn join_enters_or_makes() {
    let mut alice = Client::alice("");
    let step = alice.first("JOIN #a,#b key");
    assert_eq!(step, "Irc(EnterRoom { room: RoomName(a), password: Some(***), makes: false })");
    alice.event(&Event::NoSuchRoom);
    let step = format!("{:?}", alice.next());
    assert_eq!(step, "Some(Irc(EnterRoom { room: RoomName(a), password: Some(***), makes: true }))");
    alice.event(&entered("a", Some("news"), false));
    assert_eq!(command(alice.next()), Command::Names { room: room("a"), prefix: "".into(), most: Some(2000) });
    let line = |name: &str, seat| NameLine { who: who(name), seat, is_away: false, called: None };
    let names = vec![line("Alice", Seat::Host), line("~bob", Seat::Member), line("zoe", Seat::Absent)];
    alice.event(&Event::Names { room: room("a"), names, matching: 3 });
    let step = format!("{:?}", alice.next());
    assert_eq!(step, "Some(Irc(EnterRoom { room: RoomName(b), password: None, makes: false }))");
    alice.event(&Event::RoomNeedsPassword);
    assert!(alice.next().is_none());
    alice.end();
    let expected = ":Alice!account@chatd.local JOIN #a\n:chatd.local 332 Alice #a :news\n:chatd.local 333 Alice #a bob 1795714284\n\
                    :chatd.local 353 Alice = #a :@Alice ^bob\n:chatd.local 366 Alice #a :End of NAMES list\n\
                    :chatd.local 475 Alice #b :Cannot join channel (+k)\n";
    assert_eq!(alice.taken(), expected);
    let reserved = "No channel can have that name: it is reserved";
    assert_eq!(alice.all("JOIN #help"), format!(":chatd.local 403 Alice #help :{reserved}\n"));
    assert_eq!(alice.all("JOIN help"), ":chatd.local 403 Alice help :No such channel\n");
}

#[test]
fn messages_and_their_answers() {
    let mut alice = Client::alice("echo-message labeled-response batch message-tags");
    assert!(alice.first("@label=x PRIVMSG #a :\x02hi\x02").contains("SayIn"));
    let sent = Event::Sent { room: Some(Box::new(room("a"))), hearers: 1, message: message("Alice", "hi") };
    alice.event(&sent);
    assert!(alice.next().is_none());
    alice.end();
    let id = message("Alice", "").id;
    assert_eq!(alice.taken(), format!("@label=x;msgid={id} :Alice!account@chatd.local PRIVMSG #a :hi\n"));
    alice.first("@label=y NOTICE bob :hi");
    alice.event(&Event::NotOnline { name: who("bob") });
    alice.end();
    assert_eq!(alice.taken(), "@label=y :chatd.local ACK\n", "a NOTICE gets no numeric");
    let long = format!("@label=z PRIVMSG #a :{}", "x".repeat(600));
    assert_eq!(alice.all(&long), "@label=z :chatd.local 417 Alice :Input line was too long\n");
    alice.door.decode(b"@label=z PRIVMSG #a :\xff");
    alice.end();
    assert_eq!(alice.taken(), "@label=z :chatd.local FAIL * INVALID_UTF8 :A line is UTF-8\n");
    alice.first("PRIVMSG bob :hi");
    alice.event(&Event::NotOnline { name: who("bob") });
    assert_eq!(alice.taken(), ":chatd.local 401 Alice bob :No such nick\n");
    alice.first("PRIVMSG bob,^eve :hi");
    alice.event(&Event::SentTo {
        name: who("bob"),
        message: Box::new(message("Alice", "hi")),
        away: Some("lunch".into()),
    });
    assert!(matches!(command(alice.next()), Command::Tell { to: Who::Guest(_), .. }));
    assert!(alice.taken().ends_with(":chatd.local 301 Alice bob :lunch\n"));
    assert_eq!(alice.all("PRIVMSG a,b,c,d,e :x").split(' ').nth(1), Some("407"));
    assert_eq!(alice.all("PRIVMSG #a :\u{1}VERSION\u{1}"), ":chatd.local 404 Alice #a :no CTCP here\n");
    assert_eq!(alice.all("NOTICE #a :\u{1}VERSION x\u{1}"), "");
    assert_eq!(alice.all("PRIVMSG #a :"), ":chatd.local 412 Alice :No text to send\n");
    assert_eq!(alice.all("PRIVMSG").split(' ').nth(1), Some("411"));
    assert!(alice.all("PRIVMSG #a :a\u{1b}b").contains("FAIL PRIVMSG INVALID_TEXT"));
    assert!(alice.first("PRIVMSG &all :\u{1}ACTION waves\u{1}").contains("/me waves"));
    let long = format!("PRIVMSG #a :{}", "x".repeat(480));
    assert_eq!(alice.all(&long).split(' ').nth(1), Some("417"), "it does not fit behind its source");
}

/// How an event is spelled for others who have these capabilities.
#[track_caller]
fn check(bits: usize, event: &Event, expected: &str) {
    let (server, mut out) = (Server::default(), Vec::new());
    spell::encode(Dress::new(&server, Bits::of_index(bits), 1_795_714_284_250), event, &mut out);
    assert_eq!(String::from_utf8(out).unwrap().replace("\r\n", "\n"), expected);
}

#[test]
fn what_others_are_told() {
    let gone = |last, why, text: Option<&str>| Event::Gone {
        room: room("a"),
        who: who("bob"),
        last,
        why,
        text: text.map(Into::into),
    };
    let arrived = |name, first| Event::Arrived {
        room: room("a"),
        who: who(name),
        first,
        away: None,
        called: None,
        is_owner: false,
    };
    check(
        0,
        &Event::SaidIn { room: room("a"), message: message("~bob", "hi") },
        ":^bob!guest@chatd.local PRIVMSG #a :hi\n",
    );
    check(
        0,
        &Event::Said(message("bob", "/me waves")),
        ":bob!account@chatd.local PRIVMSG &all :\u{1}ACTION waves\u{1}\n",
    );
    check(5, &arrived("bob", true), "@time=2026-11-26T17:31:24.250Z;account=bob :bob!account@chatd.local JOIN #a\n");
    check(8, &arrived("bob", true), ":bob!account@chatd.local JOIN #a bob :bob\n");
    check(12, &arrived("~bob", true), ":^bob!guest@chatd.local JOIN #a * :^bob\n");
    check(0, &arrived("bob", false), "");
    check(0, &gone(true, Leaving::Left, Some("bye")), ":bob!account@chatd.local PART #a :bye\n");
    check(0, &gone(false, Leaving::Left, None), "");
    check(0, &gone(true, Leaving::Offline, None), "");
    check(
        0,
        &gone(true, Leaving::Kicked { by: who("alice") }, None),
        ":alice!account@chatd.local KICK #a bob :alice\n",
    );
    let quit = Event::Neighbour { who: who("bob"), news: News::Offline { text: Some("bye".into()) } };
    check(0, &quit, ":bob!account@chatd.local QUIT :bye\n");
    check(0, &Event::Renamed { was: who("~bob"), now: who("bob") }, ":^bob!guest@chatd.local NICK bob\n");
    let host = |was: Option<&str>| Event::HostIs { room: room("a"), who: who("bob"), was: was.map(who) };
    check(0, &host(None), ":chatd.local MODE #a +o bob\n");
    check(0, &host(Some("alice")), ":alice!account@chatd.local MODE #a -o+o alice bob\n");
    let topic = Event::TopicIs { room: room("a"), by: "~bob".into(), text: "".into() };
    check(0, &topic, ":^bob!guest@chatd.local TOPIC #a :\n");
    check(0, &Event::Announced { text: "hi".into() }, ":chatd.local NOTICE * :hi\n");
}

#[test]
fn long_texts_are_several_lines() {
    let text = "word ".repeat(800);
    let event = Event::SaidIn { room: room("a"), message: message("bob", text.trim_end()) };
    let (server, mut out) = (Server::default(), Vec::new());
    spell::encode(Dress::new(&server, Bits::of_index(2), 0), &event, &mut out);
    let lines = String::from_utf8(out).unwrap();
    let said: Vec<&str> = lines.split_terminator("\r\n").collect();
    assert!(said.iter().skip(1).all(|line| !line.contains("msgid") && line.len() <= 510));
    assert!(said[0].starts_with("@msgid="));
    let joined: String = said.iter().map(|line| line.split_once(" PRIVMSG #a :").unwrap().1).collect();
    assert_eq!(joined, text.trim_end());
}

#[test]
fn who_is_told_what() {
    let alice = Client::alice("away-notify account-notify");
    let away = Event::Neighbour { who: who("bob"), news: News::Away(None) };
    assert_eq!(alice.door.spelling(&away), Spelling::Shared(Kind::Irc(Bits::of_index(0))));
    assert_eq!(Client::alice("").door.spelling(&away), Spelling::Untold);
    let mut alice = alice;
    let renamed = Event::Renamed { was: who("~bob"), now: who("bob") };
    assert_eq!(alice.door.spelling(&renamed), Spelling::Own);
    let mut out = Vec::new();
    alice.door.encode_told(&renamed, &mut out);
    assert!(String::from_utf8(out).unwrap().ends_with(":bob!account@chatd.local ACCOUNT bob\r\n"));
    let closed = Event::RoomClosed { room: room("a"), why: crate::hub::event::Closing::ByHost };
    alice.door.encode_told(&closed, &mut alice.out);
    assert_eq!(alice.taken(), ":chatd.local KICK #a Alice :closed by its host\n");
    assert_eq!(Client::new(Options::default()).door.spelling(&away), Spelling::Untold);
}

#[test]
fn channels_of_others() {
    let mut alice = Client::alice("");
    alice.first("MODE #a");
    let line = |name: &str, topic: Option<&str>| RoomLine {
        name: room(name),
        members: 2,
        is_locked: true,
        is_kept: topic.is_some(),
        topic: topic.map(Into::into),
    };
    alice.event(&Event::Rooms { rooms: vec![line("a", None), line("ab", None)], matching: 2 });
    assert_eq!(alice.taken(), ":chatd.local 324 Alice #a +ntk\n");
    alice.first("LIST");
    alice.event(&Event::Rooms { rooms: vec![line("a", Some("news"))], matching: 1 });
    assert_eq!(alice.taken(), ":chatd.local 322 Alice #a 2 :news\n:chatd.local 323 Alice :End of LIST\n");
    let many = vec!["#x"; 33].join(",");
    assert_eq!(alice.all(&format!("JOIN {many}")), ":chatd.local 407 Alice * :Too many recipients\n");
    assert_eq!(alice.all("MODE #a b"), ":chatd.local 368 Alice #a :End of channel ban list\n");
    assert_eq!(alice.all("MODE #a +x"), ":chatd.local 472 Alice x :is unknown mode char to me\n");
    assert_eq!(alice.all("MODE #a +k a,b").split(' ').nth(1), Some("696"));
    assert_eq!(alice.all("MODE alice"), ":chatd.local 221 Alice +i\n");
    assert_eq!(alice.all("MODE bob"), ":chatd.local 502 Alice :Cannot change mode for other users\n");
    assert_eq!(alice.all("TOPIC &all :x").split(' ').nth(1), Some("482"));
    alice.first("KICK #a bob :out");
    alice.event(&Event::NotInRoom { name: who("bob") });
    assert_eq!(alice.taken(), ":chatd.local 441 Alice bob #a :They aren't on that channel\n");
    alice.join("a");
    alice.first("PART #a :bye");
    alice.event(&Event::Done);
    assert_eq!(alice.taken(), ":Alice!account@chatd.local PART #a :bye\n");
}

#[test]
fn people() {
    let mut alice = Client::alice("");
    let guest = || {
        Reply::Recalled(Box::new(Recalled::Whois(Whois::Guest {
            name: who("~bob"),
            away: None,
            called: None,
            rooms: vec![(room("a"), false), (room("b"), true)],
        })))
    };
    alice.first("WHOIS ^bob");
    alice.reply(&guest());
    let expected = ":chatd.local 311 Alice ^bob guest chatd.local * :^bob\n:chatd.local 319 Alice ^bob :#a @#b\n:chatd.local 312 Alice ^bob chatd.local :chatd\n\
                    :chatd.local 318 Alice ^bob :End of WHOIS list\n";
    assert_eq!(alice.taken(), expected);
    alice.first("ISON bob ^bob");
    let bob = || vec![Present { who: who("~bob"), is_away: true, called: Some("Bob B".into()) }];
    alice.event(&Event::Online { names: bob(), matching: 1 });
    assert_eq!(alice.taken(), ":chatd.local 303 Alice :^bob\n");
    alice.first("USERHOST ^bob");
    alice.event(&Event::Online { names: bob(), matching: 1 });
    assert_eq!(alice.taken(), ":chatd.local 302 Alice :^bob=-guest@chatd.local\n");
    alice.first("ISON nobody");
    alice.event(&Event::Online { names: Vec::new(), matching: 0 });
    assert_eq!(alice.taken(), ":chatd.local 303 Alice :\n");
    alice.first("WHO ^bob %na,7");
    alice.event(&Event::Online { names: bob(), matching: 1 });
    assert_eq!(alice.taken(), ":chatd.local 354 Alice ^bob 0\n:chatd.local 315 Alice ^bob :End of WHO list\n");
    assert_eq!(alice.all("WHOWAS bob").matches('\n').count(), 2);
    assert_eq!(alice.all("NICK other"), ":chatd.local 447 Alice other :The nick of an account is its name\n");
    assert_eq!(alice.all("NICK alice"), "");
    assert_eq!(alice.all("USER a 0 * :x").split(' ').nth(1), Some("462"));
    assert_eq!(alice.all("OPER a b").split(' ').nth(1), Some("491"));
    assert_eq!(alice.all("FOO"), ":chatd.local 421 Alice FOO :Unknown command\n");
    let answer = ":chatd.local 421 Alice NO_SUCH-COMMAND :Unknown command\n";
    assert_eq!(alice.all("NO_SUCH-COMMAND"), answer);
}

#[test]
fn help_on_a_subject() {
    let mut alice = Client::alice("");
    let whole = alice.all("HELP");
    assert_eq!(alice.all("HELPOP *"), whole);
    let expected = ":chatd.local 704 Alice join :JOIN #room enters a room, and makes it if there is none\n\
        :chatd.local 706 Alice join :End of help\n";
    assert_eq!(alice.all("HELP join"), expected);
    assert!(alice.all("HELP &all").starts_with(":chatd.local 704 Alice &all :&all is everybody"));
    for subject in ["e", "oi", "nosuch", ":a b", "#"] {
        assert_eq!(alice.all(&format!("HELP {subject}")).split(' ').nth(1), Some("524"), "{subject}");
    }
}

#[test]
fn marks_of_other_sessions_are_no_answers() {
    let mut alice = Client::alice("draft/read-marker labeled-response batch echo-message");
    alice.first("JOIN #a");
    alice.event(&entered("a", None, false));
    while alice.next().is_some() {}
    alice.end();
    alice.taken();
    let id = (1_795_714_284_250 << 20) + 7;
    let read = |place: Option<&str>| Reply::Notice(Notice::Read { place: place.map(Box::from), id });
    let mark = "timestamp=2026-11-26T17:31:24.250Z\n";
    alice.first("@label=x PRIVMSG #a :hi");
    alice.event(&Event::Sent { room: Some(Box::new(room("a"))), hearers: 0, message: message("Alice", "hi") });
    alice.reply(&read(Some("a")));
    assert_eq!(alice.taken(), format!(":chatd.local MARKREAD #a {mark}"));
    alice.reply(&read(Some("@bob")));
    assert_eq!(alice.taken(), format!(":chatd.local MARKREAD bob {mark}"));
    // Everything, as far as this client surely shows it.
    alice.reply(&read(None));
    assert_eq!(alice.taken(), format!(":chatd.local MARKREAD &all {mark}:chatd.local MARKREAD #a {mark}"));
    alice.end();
    assert_eq!(alice.taken(), "@label=x :Alice!account@chatd.local PRIVMSG #a :hi\n");
}
