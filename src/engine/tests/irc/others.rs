//! What others do, and what is known of them: realnames, operators, kept rooms, what is forgotten or taken back.

use super::super::store::Mood;
use super::{HERE, Irc, USER, commands};
use crate::door::Door;
use crate::engine::{Entrance, Ready};
use crate::limits::CUT_MS;

impl Irc {
    /// An operator.
    fn desk(&mut self) -> usize {
        self.arrive(HERE.into(), Door::operator(), Entrance::default(), Door::operator).unwrap()
    }
}

#[test]
fn a_realname_is_learnt_from_the_profile() {
    let mut irc = Irc::with_store();
    let bob = irc.person_with("bob", "extended-join setname");
    irc.ask(bob, "JOIN #tea\n");
    let liner = irc.liner("alice");
    assert!(irc.ask_line(liner, "SET name Alice A").contains("C 200 "));
    assert!(irc.ask_line(liner, "EX").contains("C 221 "));
    // It says something else of itself, and the profile counts. The store answers later.
    irc.account("carol");
    let alice = irc.connect();
    irc.ask(alice, &format!("PASS alice:password\nNICK alice\n{USER}"));
    assert!(irc.ask(bob, "WHOIS alice\n").contains(" 311 bob alice account chatd.local * :Alice A\n"));
    irc.ask(alice, "JOIN #tea\n");
    assert_eq!(irc.take(bob), ":alice!account@chatd.local JOIN #tea alice :Alice A\n");
    assert!(irc.ask(bob, "WHO #tea\n").contains(" alice H :0 Alice A\n"));
    assert!(irc.ask(bob, "WHO alice %nr\n").contains(" 354 bob alice :Alice A\n"));
    // Without a name in the profile, USER's counts.
    let carol = irc.connect();
    irc.ask(carol, &format!("PASS carol:password\nNICK carol\n{USER}"));
    assert!(irc.ask(bob, "WHO carol\n").contains(" carol H :0 Some Body\n"));
    // A login while somebody sees it: neighbours are told when the store has answered.
    irc.ask(alice, "QUIT\n");
    irc.take(bob);
    irc.store.as_mut().unwrap().mood = Mood::Stuck;
    let alice = irc.connect();
    let fetches = "CAP REQ :draft/chathistory\nCAP END\n"; // so that it does not wait for the store
    irc.ask(alice, &format!("{fetches}PASS alice:password\nNICK alice\n{USER}JOIN #tea\n"));
    assert_eq!(irc.take(bob), ":alice!account@chatd.local JOIN #tea alice :Some Body\n");
    irc.store.as_mut().unwrap().mood = Mood::Well;
    irc.pass(500);
    assert_eq!(irc.take(bob), ":alice!account@chatd.local SETNAME :Alice A\n");
}

#[test]
fn what_an_operator_does() {
    let mut irc = Irc::with_guests();
    let (alice, bob, gus) = (irc.person("alice"), irc.person("bob"), irc.guest("gus"));
    let desk = irc.desk();
    for place in [alice, bob, gus] {
        irc.ask(place, "JOIN #tea,#milk\n");
    }
    irc.take(alice);
    irc.take(bob);
    assert!(irc.ask_line(desk, "close tea too loud").contains("tea is closed"));
    for (place, nick) in [(alice, "alice"), (bob, "bob"), (gus, "^gus")] {
        let heard = irc.take(place);
        let kick = format!(":chatd.local KICK #tea {nick} :closed by the operator: too loud\n");
        assert!(heard.ends_with(&kick) && heard.matches(" KICK ").count() == 1, "{heard}");
        assert_eq!(commands(&irc.ask(place, "PRIVMSG #tea :?\n")), ["403"]);
    }
    // The door knows that they are out of it.
    assert_eq!(irc.ask(bob, "JOIN 0\n"), ":bob!account@chatd.local PART #milk\n");
    irc.ask(bob, "JOIN #milk\n");
    irc.take(alice);
    irc.take(gus);
    irc.ask_line(desk, "kick ~gus enough");
    assert_eq!(irc.take(gus), "ERROR :Closing link: put out by the operator: enough\n");
    let quit = ":^gus!guest@chatd.local QUIT :";
    assert!(irc.take(alice).starts_with(quit) && irc.take(bob).starts_with(quit));
    irc.ask_line(desk, "kick bob");
    assert_eq!(irc.take(bob), "ERROR :Closing link: put out by the operator\n");
    assert_eq!(irc.take(alice), ":bob!account@chatd.local QUIT :gone\n");
    assert_eq!(commands(&irc.ask(alice, "JOIN #tea\n")), ["JOIN", "353", "366"], "it is another room");
}

#[test]
fn a_room_that_its_host_closes_and_one_that_is_handed_on() {
    let mut irc = Irc::with_store();
    let (liner, bob) = (irc.liner("alice"), irc.person("bob"));
    for name in ["tea", "milk"] {
        assert!(irc.ask_line(liner, &format!("MAKE {name}")).contains("C 227 "));
    }
    irc.ask(bob, "JOIN #tea,#milk\n");
    assert!(irc.ask_line(liner, "CLOSE milk").contains("C 200 "));
    assert_eq!(irc.take(bob), ":chatd.local KICK #milk bob :closed by its host\n");
    assert!(irc.ask_line(liner, "KEEP tea").contains("C 200 "));
    assert_eq!(irc.take(bob), ":chatd.local MODE #tea +P\n");
    assert_eq!(irc.ask(bob, "MODE #tea\n"), ":chatd.local 324 bob #tea +ntP\n");
    let heard = irc.ask_line(liner, "KEEP tea TO bob");
    assert!(heard.contains("C 200 "), "{heard}");
    let heard = irc.take(bob);
    assert_eq!(heard, ":alice!account@chatd.local MODE #tea -o+o alice bob\n");
    assert!(irc.ask(bob, "NAMES #tea\n").contains("@bob"));
    let heard = irc.ask_line(liner, "HOST tea alice");
    assert!(heard.contains("C 554 "), "{heard}");
    assert_eq!(irc.ask(bob, "MODE #tea -P\n"), ":chatd.local MODE #tea -P\n");
}

#[test]
fn what_is_forgotten_is_in_no_page() {
    let mut irc = Irc::with_store();
    let bob = irc.person_with("bob", "batch draft/chathistory");
    let liner = irc.liner("alice");
    assert!(irc.ask_line(liner, "MAKE tea").contains("C 227 "));
    assert!(irc.ask_line(liner, "KEEP tea").contains("C 200 "));
    irc.ask(bob, "JOIN #tea\n");
    for text in ["one", "two"] {
        assert!(irc.ask_line(liner, &format!("RM tea {text}")).contains("C 250 "));
    }
    irc.take(bob);
    let heard = irc.ask_line(liner, "FORGET");
    assert!(heard.contains("C 200 "), "{heard}");
    assert_eq!(irc.take(bob), "", "no client is told");
    let heard = irc.ask(bob, "CHATHISTORY LATEST #tea * 10\n");
    assert!(heard.contains(" PRIVMSG #tea :one\n") && !heard.contains("two"), "{heard}");
    irc.ask_line(liner, "FORGET all");
    let heard = irc.ask(bob, "CHATHISTORY LATEST #tea * 10\n");
    assert_eq!(commands(&heard), ["BATCH", "BATCH"], "{heard}");
}

#[test]
fn a_message_that_is_taken_back_is_told_to_the_other_sessions() {
    let mut irc = Irc::with_store();
    irc.account("bob");
    let (one, other) = (irc.person_with("alice", "echo-message"), irc.person_with("alice", "echo-message"));
    let plain = irc.person("alice");
    irc.store.as_mut().unwrap().mood = Mood::Broken;
    irc.take(other);
    irc.take(plain);
    let heard = irc.ask(one, "PRIVMSG bob :hi\n");
    assert!(heard.starts_with(":chatd.local NOTICE alice :The server cannot keep it now"), "{heard}");
    let heard = irc.take(other);
    assert_eq!(
        heard,
        ":alice!account@chatd.local PRIVMSG bob :hi\n\
         :chatd.local NOTICE alice :Your last message to bob could not be kept: bob does not get it\n"
    );
    assert_eq!(irc.take(plain), "", "it has not seen the message");
}

#[test]
fn who_is_cut_off_is_missed_after_a_while() {
    let mut irc = Irc::new();
    let (alice, bob, carol) = (irc.person("alice"), irc.person("bob"), irc.person("carol"));
    irc.ask(alice, "MONITOR + bob,carol\n");
    irc.take(alice);
    irc.ask(carol, "QUIT\n");
    assert_eq!(irc.take(alice), ":chatd.local 731 alice :carol\n", "who says goodbye is gone at once");
    let id = irc.wires[bob].id;
    irc.begin();
    irc.engine.handle_ready(id, Ready { is_broken: true, ..Ready::default() });
    irc.end();
    irc.pass(CUT_MS - 100);
    assert_eq!(irc.take(alice), "", "it may come back");
    let bob = irc.person("bob");
    irc.pass(CUT_MS);
    assert_eq!(irc.take(alice), "", "it has");
    let id = irc.wires[bob].id;
    irc.begin();
    irc.engine.handle_ready(id, Ready { is_broken: true, ..Ready::default() });
    irc.end();
    irc.pass(CUT_MS + 100);
    assert_eq!(irc.take(alice), ":chatd.local 731 alice :bob\n");
}

#[test]
fn topics_and_whois_tell_what_they_should() {
    let mut irc = Irc::new();
    let (alice, bob) = (irc.person("alice"), irc.person("bob"));
    irc.ask(alice, "JOIN #tea\nTOPIC #tea :green\n");
    let seconds = 1_700_000_000;
    let heard = irc.ask(bob, "JOIN #tea\n");
    let set = heard.split_once(" 333 bob #tea alice ").expect(&heard).1;
    let set: u64 = set.lines().next().unwrap().parse().unwrap();
    assert!((seconds..seconds + 60).contains(&set), "{set}");
    let heard = irc.ask(alice, "WHOIS bob\n");
    assert!(heard.contains(" 319 alice bob :#tea\n") && !heard.contains("&all"), "{heard}");
}

#[test]
fn neighbours_are_off_without_a_listener_and_a_client() {
    let mut irc = Irc::new();
    assert!(irc.engine.irc.is_seen() && irc.engine.hub.tells_neighbours());
    let alice = irc.person("alice");
    irc.engine.handle_listeners(Vec::new());
    assert!(irc.engine.irc.is_seen() && irc.engine.hub.tells_neighbours(), "somebody came by it");
    irc.ask(alice, "QUIT\n");
    irc.pass(60_000);
    assert!(!irc.engine.irc.is_seen() && !irc.engine.hub.tells_neighbours());
    // Lines pay nothing for it: the hub finds out no neighbours.
    let (bob, carol) = (irc.liner("bob"), irc.liner("carol"));
    assert!(irc.ask_line(bob, "MAKE tea").contains("C 227 "));
    assert!(irc.ask_line(carol, "JOIN tea").contains("C 227 "));
    irc.heard(bob);
    let before = irc.engine.counters().deliveries;
    irc.ask_line(carol, "AWAY lunch");
    assert_eq!(irc.engine.counters().deliveries, before);
}
