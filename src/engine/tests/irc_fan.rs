//! What clients of IRC hear of others.

use super::irc_people::{SPELLED, room};
use super::monitor::Bench;
use crate::door::irc::{Bits, IrcDoor};
use crate::door::{Door, Kind};
use crate::engine::conn::Conn;
use crate::hub::command::Command;
use crate::limits::Limits;

#[test]
fn what_is_said_reaches_every_door() {
    let mut bench = Bench::new(Limits::default());
    let alice = bench.person("alice");
    let (bob, carol) = (bench.irc("bob", ""), bench.irc("carol", "server-time message-tags account-tag"));
    for member in [alice, bob, carol] {
        bench.enter(member, "tea");
    }
    for member in [alice, bob, carol] {
        bench.take(member);
    }
    bench.say_in(alice, "tea", "hi");
    assert_eq!(bench.heard_by(bob), ":alice!account@chatd.local PRIVMSG #tea :hi\n");
    let tagged = bench.heard_by(carol);
    let (tags, line) = tagged.split_once(' ').unwrap();
    assert_eq!(line, ":alice!account@chatd.local PRIVMSG #tea :hi\n");
    let tags: Vec<&str> = tags.split(';').collect();
    assert!(tags[0].starts_with("@time=2023-11-14T22:") && tags[1].starts_with("msgid=17"), "{tags:?}");
    assert_eq!(tags[2..], ["account=alice"]);
    bench.say_in(bob, "tea", "/me waves");
    assert!(bench.take(alice).ends_with(" tea bob /me waves\n"));
    assert!(bench.heard_by(carol).ends_with(":bob!account@chatd.local PRIVMSG #tea :\u{1}ACTION waves\u{1}\n"));
    assert_eq!(bench.heard_by(bob), "", "no echo without the capability");
    bench.say(alice, "all of you");
    assert_eq!(bench.heard_by(bob), ":alice!account@chatd.local PRIVMSG &all :all of you\n");
    assert!(bench.heard_by(carol).ends_with(" :alice!account@chatd.local PRIVMSG &all :all of you\n"));
    bench.say(carol, "yes");
    assert_eq!(bench.heard_by(bob), ":carol!account@chatd.local PRIVMSG &all :yes\n");
    assert_eq!(bench.heard_by(carol), "");
    assert!(bench.take(alice).ends_with(" carol yes\n"));
}

#[test]
fn comings_and_goings_in_a_room() {
    let mut bench = Bench::new(Limits::default());
    bench.engine.hub.tell_neighbours(true);
    let (bob, carol) = (bench.irc("bob", ""), bench.irc("carol", "extended-join"));
    let (alice, rob) = (bench.person("alice"), bench.irc("~rob", ""));
    for member in [bob, carol, alice, rob] {
        bench.enter(member, "tea");
    }
    assert_eq!(
        bench.heard_by(bob),
        ":carol!account@chatd.local JOIN #tea\n:alice!account@chatd.local JOIN #tea\n:^rob!guest@chatd.local JOIN #tea\n"
    );
    let heard = ":alice!account@chatd.local JOIN #tea alice :alice\n:^rob!guest@chatd.local JOIN #tea * :^rob\n";
    assert_eq!(bench.heard_by(carol), heard);
    // A second session is no second nick.
    let second = bench.person("alice");
    bench.enter(second, "tea");
    bench.command(alice, Command::LeaveRoom { room: room("tea"), text: None });
    assert_eq!(bench.heard_by(bob), "");
    bench.command(second, Command::LeaveRoom { room: room("tea"), text: Some("tired".into()) });
    assert_eq!(bench.heard_by(bob), ":alice!account@chatd.local PART #tea :tired\n");
    assert_eq!(bench.heard_by(carol), ":alice!account@chatd.local PART #tea :tired\n");
    bench.enter(carol, "coffee");
    bench.enter(rob, "coffee");
    bench.take(carol);
    // Who goes offline quits once, however many rooms are shared.
    bench.command(rob, Command::Leave { text: Some("bye".into()) });
    assert_eq!(bench.heard_by(carol), ":^rob!guest@chatd.local QUIT :bye\n");
    assert_eq!(bench.heard_by(bob), ":^rob!guest@chatd.local QUIT :bye\n");
}

#[test]
fn who_leaves_everybody_hears_no_more() {
    let mut bench = Bench::new(Limits::default());
    let (alice, bob) = (bench.person("alice"), bench.irc("bob", ""));
    bench.say(alice, "one");
    bench.command(bob, Command::Attend { public: false });
    bench.say(alice, "two");
    bench.command(bob, Command::Attend { public: true });
    bench.say(alice, "three");
    let heard = bench.heard_by(bob);
    let said: Vec<&str> =
        heard.lines().filter_map(|line| line.split_once("PRIVMSG &all :")).map(|(_, text)| text).collect();
    assert_eq!(said, ["one", "three"], "{heard}");
    let none = Bits::of_index(0);
    assert_eq!(bench.engine.public.receivers_of(Kind::Irc(none)), 1);
    bench.command(bob, Command::Attend { public: false });
    assert_eq!(bench.engine.public.receivers_of(Kind::Irc(none)), 0);
}

#[test]
fn a_long_text_is_several_lines() {
    let mut bench = Bench::new(Limits::default());
    let alice = bench.person("alice");
    let bob = bench.irc("bob", "message-tags");
    let text = "seven words of a text that is long, ".repeat(100);
    let text = text.trim_end();
    bench.say(alice, text);
    let heard = bench.heard_by(bob);
    assert!(heard.lines().count() > 7);
    let mut said = String::new();
    for (number, line) in heard.lines().enumerate() {
        let (tags, line) = if number == 0 { line.split_once(' ').unwrap() } else { ("", line) };
        assert_eq!(tags.starts_with("@msgid="), number == 0);
        assert!(line.len() <= 510);
        said.push_str(line.strip_prefix(":alice!account@chatd.local PRIVMSG &all :").unwrap());
    }
    assert_eq!(said, text);
}

#[test]
fn each_set_of_capabilities_hears_its_own_spelling() {
    let mut bench = Bench::new(Limits::default());
    let alice = bench.person("alice");
    bench.enter(alice, "tea");
    let members: Vec<usize> = (0..Bits::COUNT)
        .flat_map(|set| {
            let caps: Vec<&str> = (0..4).filter(|bit| set & 1 << bit != 0).map(|bit| SPELLED[bit]).collect();
            [0, 1].map(|twin| (format!("bob{set}x{twin}"), caps.join(" ")))
        })
        .map(|(name, caps)| bench.irc(&name, &caps))
        .collect();
    for member in &members {
        bench.enter(*member, "tea");
    }
    for member in &members {
        bench.take(*member);
    }
    let rob = bench.connect(Door::line_with_guests()).unwrap();
    bench.send(rob, "C ~rob\n");
    for text in ["one", "two", "three"] {
        bench.say_in(alice, "tea", text);
        bench.say(alice, text);
    }
    bench.enter(rob, "tea");
    let heard: Vec<String> = members.iter().map(|member| bench.heard_by(*member)).collect();
    for (set, twins) in heard.chunks(2).enumerate() {
        assert_eq!(twins[0], twins[1]);
        assert_eq!(twins[0].lines().count(), 7);
        let has = |bit: usize| set & 1 << bit != 0;
        for line in twins[0].lines().take(6) {
            assert_eq!(line.contains("time=2023-"), has(0), "{line}");
            assert_eq!(line.contains("msgid="), has(1), "{line}");
            assert_eq!(line.contains("account=alice"), has(2), "{line}");
        }
        let joined = if has(3) { "JOIN #tea * :^rob" } else { "JOIN #tea" };
        assert!(twins[0].lines().last().unwrap().ends_with(joined), "{}", twins[0]);
    }
}

#[test]
fn a_client_that_takes_nothing_is_closed_with_whole_lines() {
    let mut bench = Bench::new(Limits::default());
    let alice = bench.irc("alice", "");
    let (bob, carol, line) =
        (bench.irc("bob", "message-tags"), bench.irc("carol", "message-tags"), bench.person("dave"));
    for receiver in [bob, line] {
        bench.let_take(receiver, 100);
    }
    let text = "x".repeat(4_000);
    for _ in 0..80 {
        bench.say(alice, &text);
    }
    assert_eq!(bench.heard_by(carol).matches(" PRIVMSG ").count(), 80 * 9);
    bench.pass(2_000);
    for receiver in [bob, line] {
        bench.let_take(receiver, usize::MAX);
        assert!(bench.is_over(receiver));
    }
    // The message that had begun is whole, and nothing follows it but the reason.
    let heard = bench.heard_by(bob);
    assert!(heard.ends_with("\nERROR :Closing link: too slow\n"), "{heard}");
    let lines: Vec<&str> = heard.lines().collect();
    assert_eq!((lines.len(), heard.matches('x').count()), (10, 4_000));
    assert!(lines[0].starts_with("@msgid="));
}

#[test]
fn idle_clients_are_small() {
    let (conn, door) = (size_of::<Conn<usize>>(), size_of::<IrcDoor>());
    // Names and the list of rooms are on the heap; so is the socket of the net.
    assert!(conn <= 320 && door <= 104, "{conn} and {door} bytes");
    assert!(size_of::<Door>() <= 32);
}
