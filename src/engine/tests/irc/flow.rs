//! Lines of several steps while receivers lag, servers are busy, or the connection changes in the middle of a turn.

use super::{Irc, USER, commands, plain};
use crate::door::irc::Options;
use crate::engine::pause::{Pause, Until};
use crate::engine::{Ready, Settings};
use crate::limits::{BUSY_HOLD_MS, Limits, QUANTUM_COMMANDS};

impl Irc {
    /// A client that has taken nothing for a while and lags.
    fn lagging(&mut self, name: &str, from: usize) -> usize {
        let place = self.person(name);
        self.take(place);
        self.let_take(place, 0);
        let id = self.wires[place].id;
        for _ in 0..1_000 {
            if self.engine.conns.find(id).unwrap().is_lagging() {
                return place;
            }
            self.say(from, &format!("PRIVMSG {name} :{}\n", "x".repeat(400)));
            self.pass(100);
        }
        panic!("{name} does not lag");
    }

    fn pause_of(&mut self, place: usize) -> Pause {
        let id = self.wires[place].id;
        self.engine.conns.find(id).unwrap().pause.clone()
    }
}

#[test]
fn a_step_waits_for_a_receiver_that_lags() {
    let mut irc = Irc::new();
    let carol = irc.person("carol");
    let bob = irc.lagging("bob", carol);
    let alice = irc.person_with("alice", "labeled-response batch echo-message");
    irc.pass(5_000);
    irc.let_take(bob, 1); // who has taken nothing for seconds is waited for no longer
    irc.take(alice);
    irc.take(carol);
    irc.say(alice, "@label=a PRIVMSG carol,bob,carol :hi\n@label=b PING 1\n");
    // The first step is carried out; the second is held, and what is behind it waits.
    assert!(matches!(irc.pause_of(alice), Pause::Until { why: Until::Backpressure, .. }), "{:?}", irc.pause_of(alice));
    assert_eq!(irc.take(carol), ":alice!account@chatd.local PRIVMSG carol :hi\n");
    let heard = irc.take(alice);
    assert_eq!(commands(&heard), ["BATCH", "PRIVMSG"], "{heard}");
    irc.pass(1_000);
    assert_eq!(irc.take(carol), ":alice!account@chatd.local PRIVMSG carol :hi\n");
    let heard = irc.take(alice);
    assert_eq!(commands(&heard), ["PRIVMSG", "PRIVMSG", "BATCH", "PONG"], "{heard}");
    assert!(heard.lines().last().unwrap().starts_with("@label=b "), "{heard}");
    irc.let_take(bob, usize::MAX);
    irc.pass(100);
    let heard = irc.take(bob);
    assert_eq!(heard.matches(":alice!account@chatd.local PRIVMSG bob :hi\n").count(), 1);
    // The same for a line of one step.
    let bob = irc.lagging("bobby", carol);
    irc.pass(5_000);
    irc.let_take(bob, 1);
    irc.say(alice, "@label=c PRIVMSG bobby :hi\n@label=d PING 1\n");
    assert_eq!(irc.take(alice), "");
    irc.pass(1_000);
    let heard = irc.take(alice);
    assert!(heard.starts_with("@label=c ") && commands(&heard) == ["PRIVMSG", "PONG"], "{heard}");
    assert!(!irc.is_over(bob));
}

#[test]
fn a_held_step_ends_with_its_client() {
    let mut irc = Irc::new();
    let carol = irc.person("carol");
    let bob = irc.lagging("bob", carol);
    let alice = irc.person("alice");
    irc.pass(5_000);
    irc.let_take(bob, 1);
    irc.take(carol);
    irc.say(alice, "PRIVMSG bob,carol :hi\n");
    assert!(matches!(irc.pause_of(alice), Pause::Until { .. }));
    irc.engine.handle_stop();
    irc.pass(1_000);
    assert_eq!(irc.take(alice), "ERROR :Closing link: shutting down, retry in 2 s\n");
    assert!(!irc.take(carol).contains("PRIVMSG"), "no step survives");
}

#[test]
fn no_step_survives_its_line() {
    let mut irc = Irc::new();
    let alice = irc.person_with("alice", "labeled-response batch");
    irc.ask(alice, "JOIN #tea,#milk\n");
    for bad in [&b"PRIVMSG #tea,#milk :a\x07\r\n"[..], b"PRIVMSG #tea,#milk \xff\r\n", b"\r\n", b"@label=1\r\n"] {
        irc.take(alice);
        irc.send(alice, bad);
        irc.pass(100);
        irc.take(alice);
        assert_eq!(irc.ask(alice, "PING 1\n"), ":chatd.local PONG chatd.local :1\n");
        let id = irc.wires[alice].id;
        assert!(!irc.engine.conns.find(id).unwrap().door.as_irc().unwrap().keeps_an_answer());
    }
}

#[test]
fn a_rate_holds_steps_and_not_the_end_of_a_line() {
    let limits = Limits { rate_lines_per_s: 1, rate_burst: 8, ..Limits::default() };
    let mut irc = Irc::with(Settings { limits, ..Settings::default() }, Options::default());
    let (alice, bob) = (irc.person_with("alice", "labeled-response batch echo-message"), irc.person("bob"));
    irc.pass(20_000);
    irc.take(bob);
    irc.take(alice);
    irc.say(alice, &"PING 1\n".repeat(6));
    irc.say(alice, "@label=a PRIVMSG bob,bob,bob :hi\n");
    // Two lines are left: the third receiver waits for a second, and then nothing else does.
    assert_eq!(irc.take(bob).lines().count(), 2);
    assert_eq!(commands(&irc.take(alice))[6..], ["BATCH", "PRIVMSG", "PRIVMSG"]);
    irc.pass(1_100);
    assert_eq!(irc.take(bob).lines().count(), 1);
    assert_eq!(commands(&irc.take(alice)), ["PRIVMSG", "BATCH"], "the end costs nothing");
}

#[test]
fn the_end_of_a_line_waits_for_no_rate() {
    let limits = Limits { rate_lines_per_s: 1, rate_burst: 8, ..Limits::default() };
    let mut irc = Irc::with_store_and(limits);
    let alice = irc.person_with("alice", "labeled-response batch draft/chathistory");
    irc.pass(20_000);
    irc.say(alice, &"PING 1\n".repeat(7));
    irc.take(alice);
    irc.say(alice, "@label=a CHATHISTORY LATEST &all * 5\n");
    assert_eq!(irc.take(alice), "", "the store is asked");
    irc.pass(100);
    assert_eq!(commands(&irc.take(alice)), ["BATCH", "BATCH", "BATCH", "BATCH"]);
}

#[test]
fn an_answer_comes_before_what_is_said_later() {
    for before in ["", "PRIVMSG carol,carol :x\r\n"] {
        let limits = Limits { rate_lines_per_s: 0, rate_bytes_per_s: 0, ..Limits::default() };
        let mut irc = Irc::with(Settings { limits, ..Settings::default() }, Options::default());
        let caps = "labeled-response batch echo-message message-tags";
        let (alice, bob, _carol) = (irc.person_with("alice", caps), irc.person("bob"), irc.person("carol"));
        for place in [bob, alice] {
            irc.ask(place, "JOIN #tea\n");
        }
        irc.take(alice);
        let said = |label: bool| -> String {
            let label = |n: usize| if label { format!("@label={n} ") } else { String::new() };
            (0..2 * QUANTUM_COMMANDS).map(|n| format!("{}PRIVMSG #tea :{n}\r\n", label(n))).collect()
        };
        irc.lay_out(alice, before.to_owned() + &said(true));
        irc.lay_out(bob, said(false));
        irc.begin();
        for place in [alice, bob] {
            let id = irc.wires[place].id;
            irc.engine.handle_ready(id, Ready { is_readable: true, ..Ready::default() });
        }
        irc.end();
        irc.settle();
        let heard = irc.take(alice);
        let lines = heard.lines().filter(|line| line.contains(" PRIVMSG #tea "));
        let ids: Vec<u64> = lines
            .map(|line| line.split_once("msgid=").unwrap().1.split([' ', ';']).next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(ids.len(), 4 * QUANTUM_COMMANDS);
        assert!(ids.is_sorted(), "{heard}");
    }
}

#[test]
fn capabilities_change_within_a_turn() {
    let mut irc = Irc::new();
    let (alice, bob) = (irc.person("alice"), irc.person("bob"));
    irc.ask(bob, "JOIN #tea\n");
    irc.ask(alice, "JOIN #tea\n");
    irc.take(bob);
    let heard = irc.ask(
        alice,
        "@label=1 CAP REQ :labeled-response batch echo-message\n@label=2 PRIVMSG #tea :one\n\
         CAP REQ :server-time\n@label=3 PRIVMSG #tea :two\nCAP REQ :-labeled-response -server-time\n\
         @label=4 PRIVMSG #tea :three\n",
    );
    let said = ":alice!account@chatd.local PRIVMSG #tea :";
    let lines: Vec<&str> = heard.lines().collect();
    assert_eq!(lines[0], ":chatd.local CAP alice ACK :labeled-response batch echo-message", "{heard}");
    assert_eq!(lines[1], format!("@label=2 {said}one"));
    assert!(lines[2].ends_with("ACK :server-time") && lines[3].starts_with("@label=3;time=2023-"), "{heard}");
    assert!(lines[3].ends_with("PRIVMSG #tea :two") && lines[4].ends_with("ACK :-labeled-response -server-time"));
    assert_eq!(lines[5], format!("{said}three"));
    assert_eq!(irc.take(bob), format!("{said}one\n{said}two\n{said}three\n"));
}

#[test]
fn a_pass_that_cannot_be_looked_at_is_no_failure() {
    let mut irc = Irc::new();
    irc.account("alice");
    irc.accounts.borrow_mut().trouble = 1;
    let place = irc.connect();
    irc.say(place, &format!("PASS alice:password\nNICK al\n{USER}JOIN #tea\n"));
    irc.pass(BUSY_HOLD_MS);
    let heard = irc.take(place);
    let busy = ":chatd.local FAIL PASS TEMPORARILY_UNAVAILABLE :The server is busy, try again\n";
    assert!(heard.starts_with(busy) && heard.contains("\nERROR :Closing link: "), "{heard}");
    assert!(irc.is_over(place) && irc.engine.hub.online() == 0);
    let id = irc.wires[place].id;
    assert!(irc.engine.conns.find(id).is_none_or(|conn| conn.failures == 0));
    irc.accounts.borrow_mut().trouble = 0;
    irc.person("alice");
}

#[test]
fn a_password_that_is_refused_leaves_nothing_behind() {
    let mut irc = Irc::new();
    irc.account("alice");
    let claim_of = |irc: &mut Irc, place: usize| {
        let id = irc.wires[place].id;
        irc.engine.conns.find(id).is_some_and(|conn| conn.claim.is_some())
    };
    let place = irc.connect();
    irc.ask(place, &format!("NICK al\n{USER}"));
    irc.say(place, &plain("alice", "wrong"));
    assert!(claim_of(&mut irc, place));
    irc.pass(2_000);
    assert!(!claim_of(&mut irc, place), "it was wrong");
    irc.accounts.borrow_mut().trouble = 1;
    irc.say(place, &plain("alice", "password"));
    irc.pass(BUSY_HOLD_MS);
    assert!(!claim_of(&mut irc, place), "nobody could look at it");
    irc.say(place, "NS REGISTER a-good-password\n");
    irc.pass(BUSY_HOLD_MS);
    assert!(!claim_of(&mut irc, place), "the account could not be made");
}
