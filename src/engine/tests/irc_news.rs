//! News of others at the IRC door, event by event.

use super::irc_people::{room, who};
use super::monitor::Bench;
use crate::door::Door;
use crate::hub::command::{Command, Watch};
use crate::hub::event::Manner;
use crate::hub::names::GuestName;
use crate::hub::profile::ProfileKey;
use crate::limits::{IRC_WORK_BYTES, Limits, WORK_BYTES};

/// A bench whose neighbours are told.
fn bench() -> Bench {
    let mut bench = Bench::new(Limits::default());
    bench.engine.hub.tell_neighbours(true);
    bench
}

fn tell(to: &str, text: &str) -> Command<'static> {
    let text = text.to_owned().into();
    Command::Tell { to: who(to), account: None, text, manner: Manner::Text }
}

#[test]
fn direct_messages_and_copies_of_ones_own() {
    let mut bench = bench();
    let [first, second] = ["echo-message", ""].map(|caps| bench.irc("alice", caps));
    let (bob, gus) = (bench.irc("bob", "account-tag"), bench.irc("~gus", ""));
    bench.command(second, tell("bob", "hi"));
    assert_eq!(bench.heard_by(bob), "@account=alice :alice!account@chatd.local PRIVMSG bob :hi\n");
    assert_eq!(bench.heard_by(first), ":alice!account@chatd.local PRIVMSG bob :hi\n");
    assert_eq!(bench.heard_by(second), "");
    let deliveries = bench.engine.counters().deliveries;
    bench.command(first, tell("~gus", "hi"));
    assert_eq!(bench.engine.counters().deliveries, deliveries + 1);
    assert_eq!(bench.heard_by(second), "", "copies are for those who have agreed on echoes");
    assert_eq!(bench.heard_by(gus), ":alice!account@chatd.local PRIVMSG ^gus :hi\n");
    bench.command(gus, tell("alice", "/me nods"));
    let heard = ":^gus!guest@chatd.local PRIVMSG alice :\u{1}ACTION nods\u{1}\n";
    assert!(bench.heard_by(first).ends_with(heard) && bench.heard_by(second) == heard);
    let notice = Command::Tell { to: who("bob"), account: None, text: "beep".into(), manner: Manner::Notice };
    bench.command(gus, notice);
    assert_eq!(bench.heard_by(bob), ":^gus!guest@chatd.local NOTICE bob :beep\n");
}

#[test]
fn new_names() {
    let mut bench = bench();
    let (plain, notified) = (bench.irc("plain", ""), bench.irc("notified", "account-notify"));
    let (gus, line) = (bench.irc("~gus", ""), bench.person("liner"));
    for member in [plain, notified, gus, line] {
        bench.enter(member, "tea");
        bench.enter(member, "coffee");
    }
    for member in [plain, notified, line] {
        bench.take(member);
    }
    bench.command(gus, Command::Rename { guest: GuestName::parse("Gus2").unwrap() });
    for hearer in [plain, notified] {
        assert_eq!(bench.heard_by(hearer), ":^gus!guest@chatd.local NICK ^Gus2\n", "once, for two rooms");
    }
    assert_eq!(bench.take(line), "C 102 ~gus is ~Gus2 now\n");
    bench.command(gus, Command::LogIn { who: who("gustav"), since: 1, called: None });
    assert_eq!(bench.heard_by(plain), ":^Gus2!guest@chatd.local NICK gustav\n");
    let heard = ":^Gus2!guest@chatd.local NICK gustav\n:gustav!account@chatd.local ACCOUNT gustav\n";
    assert_eq!(bench.heard_by(notified), heard);
}

#[test]
fn who_is_away_and_how_people_call_themselves() {
    let mut bench = bench();
    let (plain, told) = (bench.irc("plain", ""), bench.irc("told", "away-notify setname"));
    let alice = bench.person("alice");
    for member in [plain, told, alice] {
        bench.enter(member, "tea");
    }
    bench.take(plain);
    bench.take(told);
    let deliveries = bench.engine.counters().deliveries;
    bench.command(alice, Command::Away { text: Some("lunch".into()) });
    bench.command(alice, Command::Set { key: ProfileKey::Name, value: Some("Alice A".into()) });
    assert_eq!(bench.engine.counters().deliveries, deliveries + 1, "SET waits for the store, AWAY is heard by one");
    assert_eq!(bench.heard_by(told), ":alice!account@chatd.local AWAY :lunch\n");
    // Who enters while it is away is introduced with that.
    bench.command(alice, Command::LeaveRoom { room: room("tea"), text: None });
    bench.take(told);
    bench.enter(alice, "tea");
    let heard = ":alice!account@chatd.local JOIN #tea\n:alice!account@chatd.local AWAY :lunch\n";
    assert_eq!(bench.heard_by(told), heard);
    bench.command(alice, Command::Away { text: None });
    assert_eq!(bench.heard_by(told), ":alice!account@chatd.local AWAY\n");
    let heard = ":alice!account@chatd.local PART #tea\n:alice!account@chatd.local JOIN #tea\n";
    assert_eq!(bench.heard_by(plain), heard);
}

#[test]
fn guests_call_themselves() {
    let mut bench = bench();
    let (plain, told, gus) = (bench.irc("plain", ""), bench.irc("told", "setname"), bench.irc("~gus", ""));
    for member in [plain, told, gus] {
        bench.enter(member, "tea");
    }
    bench.take(plain);
    bench.take(told);
    bench.command(gus, Command::Set { key: ProfileKey::Name, value: Some("Gus G".into()) });
    assert_eq!(bench.heard_by(told), ":^gus!guest@chatd.local SETNAME :Gus G\n");
    bench.command(gus, Command::Set { key: ProfileKey::Name, value: None });
    assert_eq!(bench.heard_by(told), ":^gus!guest@chatd.local SETNAME :^gus\n");
    assert_eq!(bench.heard_by(plain), "");
}

#[test]
fn topics_hosts_and_invitations() {
    let mut bench = bench();
    let (alice, bob) = (bench.person("alice"), bench.irc("bob", "invite-notify"));
    let (carol, dave) = (bench.irc("carol", ""), bench.irc("dave", ""));
    for member in [alice, bob, carol] {
        bench.enter(member, "Tea");
    }
    bench.take(bob);
    bench.take(carol);
    bench.command(alice, Command::Topic { room: room("tea"), text: Some("green".into()) });
    bench.command(alice, Command::Topic { room: room("tea"), text: Some("".into()) });
    let heard = ":alice!account@chatd.local TOPIC #Tea :green\n:alice!account@chatd.local TOPIC #Tea :\n";
    assert_eq!(bench.heard_by(bob), heard);
    bench.command(alice, Command::Invite { room: room("tea"), name: who("dave") });
    assert_eq!(bench.heard_by(dave), ":alice!account@chatd.local INVITE dave #Tea\n");
    assert_eq!(bench.heard_by(bob), ":alice!account@chatd.local INVITE dave #Tea\n");
    assert_eq!(bench.heard_by(carol), heard, "and no word of the invitation");
    bench.command(alice, Command::HandOn { room: room("tea"), name: who("carol") });
    assert_eq!(bench.heard_by(bob), ":alice!account@chatd.local MODE #Tea -o+o alice carol\n");
    // The server says who succeeds a host that has left.
    bench.command(carol, Command::LeaveRoom { room: room("tea"), text: None });
    let heard = ":carol!account@chatd.local PART #Tea\n:chatd.local MODE #Tea +o alice\n";
    assert_eq!(bench.heard_by(bob), heard);
}

#[test]
fn kicks_and_closed_rooms_name_their_receivers() {
    let mut bench = bench();
    let alice = bench.person("alice");
    let [bob, other, carol] = ["bob", "bob", "carol"].map(|name| bench.irc(name, ""));
    for member in [alice, bob, other, carol] {
        bench.enter(member, "tea");
    }
    for member in [bob, other, carol] {
        bench.take(member);
    }
    bench.command(alice, Command::Kick { room: room("tea"), name: who("bob"), text: Some("enough".into()) });
    for hearer in [bob, other, carol] {
        assert_eq!(bench.heard_by(hearer), ":alice!account@chatd.local KICK #tea bob :enough\n", "once");
    }
    bench.enter(bob, "tea");
    bench.take(carol);
    bench.command(alice, Command::CloseRoom { room: room("tea") });
    assert_eq!(bench.heard_by(bob), ":chatd.local KICK #tea bob :closed by its host\n");
    assert_eq!(bench.heard_by(carol), ":chatd.local KICK #tea carol :closed by its host\n");
    assert_eq!(bench.heard_by(other), "");
}

#[test]
fn monitored_people_come_and_go() {
    let mut bench = bench();
    let bob = bench.irc("bob", "");
    bench.command(bob, Command::Watch(Watch::On(who("alice"))));
    bench.take(bob);
    let alice = bench.irc("alice", "");
    assert_eq!(bench.heard_by(bob), ":chatd.local 730 bob :alice!account@chatd.local\n");
    bench.command(alice, Command::Away { text: Some("lunch".into()) });
    assert_eq!(bench.heard_by(bob), "", "extended-monitor is not offered");
    bench.command(alice, Command::Leave { text: None });
    assert_eq!(bench.heard_by(bob), ":chatd.local 731 bob :alice\n");
}

#[test]
fn announcements_reach_those_who_attend_and_those_who_do_not() {
    let mut bench = bench();
    let (bob, carol) = (bench.irc("bob", ""), bench.irc("carol", ""));
    bench.command(carol, Command::Attend { public: false });
    bench.take(carol);
    bench.begin();
    assert_eq!(bench.engine.announce("tea is ready"), 2);
    let long = "a long announcement, ".repeat(100);
    bench.engine.announce(long.trim_end());
    bench.end();
    bench.settle();
    let heard = bench.heard_by(bob);
    assert_eq!(bench.heard_by(carol), heard);
    let mut lines = heard.lines().map(|line| line.strip_prefix(":chatd.local NOTICE * :").unwrap());
    assert_eq!(lines.next(), Some("tea is ready"));
    let rest: Vec<&str> = lines.collect();
    assert!(rest.len() >= 5 && rest.concat() == long.trim_end());
}

#[test]
fn new_capabilities_count_from_the_next_message_on() {
    let mut bench = bench();
    let (alice, bob) = (bench.person("alice"), bench.irc("bob", ""));
    bench.say(alice, "one");
    bench.send(bob, "CAP REQ :account-tag\r\n");
    bench.say(alice, "two");
    bench.send(bob, "CAP REQ :-account-tag\r\n");
    bench.say(alice, "three");
    let said = ":alice!account@chatd.local PRIVMSG &all :";
    let heard = format!(
        "{said}one\n:chatd.local CAP bob ACK :account-tag\n@account=alice {said}two\n\
         :chatd.local CAP bob ACK :-account-tag\n{said}three\n"
    );
    assert_eq!(bench.heard_by(bob), heard);
}

#[test]
fn a_trace_shows_each_line_of_a_frame() {
    let mut bench = bench();
    let (alice, bob) = (bench.person("alice"), bench.irc("bob", ""));
    let desk = bench.connect(Door::operator()).unwrap();
    bench.send(desk, "C trace bob\n");
    bench.pass(100);
    bench.take(desk);
    bench.say(alice, "word ".repeat(200).trim_end());
    bench.pass(100);
    assert_eq!(bench.heard_by(bob).lines().count(), 3);
    let shown = bench.take(desk);
    assert_eq!(shown.lines().count(), 3, "{shown}");
    assert!(shown.lines().all(|line| line.contains("frame=\":alice!account@chatd.local PRIVMSG &all :word word ")));
    bench.say(alice, "hi");
    bench.pass(100);
    let shown = bench.take(desk);
    assert!(shown.ends_with(" frame=\":alice!account@chatd.local PRIVMSG &all :hi\"\n"), "{shown}");
}

/// A turn that takes more work than it is charged keeps everybody waiting.
#[test]
fn an_answer_is_charged_as_the_door_spells_it() {
    let mut bench = bench();
    let (irc, line) = (bench.irc("irc", ""), bench.person("line"));
    let mut cost = |place: usize| {
        let id = bench.wires[place].id;
        bench.begin();
        let before = bench.engine.turn.work;
        bench.engine.command(id, Command::Who { prefix: "".into(), most: Some(10) });
        let work = bench.engine.turn.work - before;
        bench.end();
        bench.settle();
        (work, bench.take(place).len())
    };
    let ((irc_work, irc_bytes), (line_work, line_bytes)) = (cost(irc), cost(line));
    assert_eq!(irc_work - irc_bytes / IRC_WORK_BYTES, line_work - line_bytes / WORK_BYTES);
}
