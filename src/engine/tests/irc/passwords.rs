//! Passwords: SASL, PASS, REGISTER and NickServ, right and wrong.

use super::{ELSEWHERE, Irc, USER, commands, plain};
use crate::auth::bans::{Ban, Bans, What};
use crate::door::irc::Options;
use crate::engine::Settings;
use crate::limits::{Accounts, BUSY_HOLD_MS, Registration};

const DELAY_MS: u64 = 2_000;

#[test]
fn a_wrong_one_is_answered_late_and_the_third_closes() {
    let mut irc = Irc::new();
    irc.account("alice");
    let place = irc.connect();
    irc.ask(place, "CAP REQ sasl\nNICK al\n");
    for left in [2, 1, 0] {
        irc.say(place, &plain("alice", "wrong"));
        irc.pass(DELAY_MS - 1);
        assert_eq!(irc.take(place), "AUTHENTICATE +\n");
        irc.pass(1);
        let heard = irc.take(place);
        let wrong = ":chatd.local 904 al :SASL authentication failed\n";
        let end = if left == 0 { "ERROR :Closing link: too many failures\n" } else { "" };
        assert_eq!(heard, format!("{wrong}{end}"));
    }
    assert!(irc.is_over(place));
}

#[test]
fn an_unknown_name_costs_the_same() {
    let mut irc = Irc::new();
    irc.account("alice");
    irc.accounts.borrow_mut().hash_ms = 300;
    for name in ["alice", "nobody"] {
        let place = irc.connect();
        let start = irc.now;
        irc.say(place, &format!("NICK al\n{}", plain(name, "wrong")));
        assert_eq!(irc.accounts.borrow().free_at, start + 300, "one hash for {name}");
        irc.pass(DELAY_MS);
        assert_eq!(commands(&irc.take(place)), ["AUTHENTICATE", "904"]);
    }
}

#[test]
fn pass_is_wrong_once() {
    let mut irc = Irc::new();
    irc.account("alice");
    let place = irc.connect();
    irc.say(place, &format!("PASS wrong\nNICK alice\n{USER}JOIN #tea\n"));
    irc.pass(DELAY_MS - 1);
    assert_eq!(irc.take(place), "");
    irc.pass(1);
    let expected = ":chatd.local 464 alice :Password incorrect\nERROR :Closing link: too many failures\n";
    assert_eq!(irc.take(place), expected);
    assert!(irc.is_over(place));
    // PASS never makes an account.
    let place = irc.connect();
    irc.say(place, &format!("PASS a-good-password\nNICK nobody\n{USER}"));
    irc.pass(DELAY_MS);
    assert_eq!(irc.take(place), expected.replace("alice", "nobody"));
    assert!(irc.accounts.borrow().find("nobody").is_none());
}

#[test]
fn nickserv_says_so() {
    let mut irc = Irc::new();
    irc.account("alice");
    let place = irc.connect();
    irc.ask(place, &format!("NICK al\n{USER}"));
    irc.say(place, "NS IDENTIFY alice wrong\nPING 1\n");
    irc.pass(DELAY_MS);
    let wrong = ":chatd.local NOTICE al :NickServ: Wrong password\n";
    assert_eq!(irc.take(place), format!("{wrong}:chatd.local PONG chatd.local :1\n"));
    irc.say(place, "NICKSERV IDENTIFY alice wrong\nPRIVMSG nickserv :identify alice wrong\nPING 2\n");
    irc.pass(2 * DELAY_MS);
    assert_eq!(irc.take(place), format!("{wrong}{wrong}ERROR :Closing link: too many failures\n"));
}

#[test]
fn the_failures_of_all_ways_count_together() {
    let mut irc = Irc::new();
    irc.account("alice");
    let place = irc.connect();
    irc.say(place, &format!("CAP LS\nNICK al\n{USER}{}CAP END\nNS IDENTIFY alice wrong\n", plain("alice", "wrong")));
    irc.pass(2 * DELAY_MS);
    assert!(!irc.is_over(place));
    irc.say(place, &plain("alice", "wrong"));
    irc.pass(DELAY_MS);
    assert!(irc.take(place).ends_with("ERROR :Closing link: too many failures\n"));
}

#[test]
fn an_address_that_failed_too_often_is_barred() {
    let mut irc = Irc::new();
    irc.account("alice");
    for round in 0..10 {
        let place = irc.connect_from(ELSEWHERE).unwrap();
        irc.say(place, "NICK al\n");
        if irc.take(place) == "ERROR :Closing link: too many failures\n" {
            assert!(round > 0, "it has failed nowhere");
            return;
        }
        irc.say(place, &[plain("alice", "a"), plain("alice", "b"), plain("alice", "c")].concat());
        irc.pass(3 * DELAY_MS);
        assert!(irc.is_over(place));
    }
    panic!("it may try for ever");
}

#[test]
fn a_busy_server_is_no_failure() {
    let mut irc = Irc::new();
    irc.account("alice");
    let place = irc.connect();
    irc.ask(place, "NICK al\n");
    irc.accounts.borrow_mut().trouble = 1;
    for _ in 0..5 {
        irc.say(place, &plain("alice", "password"));
        irc.pass(BUSY_HOLD_MS);
        let heard = irc.take(place);
        let expected = "AUTHENTICATE +\n\
            :chatd.local FAIL AUTHENTICATE TEMPORARILY_UNAVAILABLE :The server is busy, try again\n\
            :chatd.local 904 al :SASL authentication failed\n";
        assert_eq!(heard, expected);
    }
    irc.accounts.borrow_mut().trouble = 0;
    assert_eq!(commands(&irc.ask(place, &plain("alice", "password"))), ["AUTHENTICATE", "900", "903"]);
}

#[test]
fn register_and_what_it_refuses() {
    let mut irc = Irc::new();
    irc.account("Alice");
    let mut bans = Bans::default();
    let what = What::parse("mallory").unwrap();
    bans.add(Ban { what, until: None, reason: "".into() }).unwrap();
    irc.engine.handle_bans(bans.into());
    let place = irc.connect();
    let mut check = |nick: &str, password: &str, expected: &str| {
        let heard = irc.ask(place, &format!("NICK {nick}\nREGISTER * * {password}\n"));
        assert!(heard.contains(&format!("FAIL REGISTER {expected} {nick} :")), "{nick}: {heard}");
    };
    check("alice", "longer-password", "ACCOUNT_EXISTS");
    check("mallory", "longer-password", "BAD_ACCOUNT_NAME");
    check("NickServ", "longer-password", "BAD_ACCOUNT_NAME");
    check("bob^", "longer-password", "BAD_ACCOUNT_NAME");
    check("bob", "short", "WEAK_PASSWORD");
    check("bob", &"x".repeat(129), "UNACCEPTABLE_PASSWORD");
    irc.accounts.borrow_mut().is_failing = true;
    let heard = irc.ask(place, "NICK bob\nREGISTER * * longer-password\n");
    assert!(heard.contains("FAIL REGISTER TEMPORARILY_UNAVAILABLE bob :"), "{heard}");
    irc.accounts.borrow_mut().is_failing = false;
    irc.pass(BUSY_HOLD_MS);
    assert_eq!(commands(&irc.ask(place, "REGISTER bob * longer-password\n")), ["REGISTER", "900"]);
    assert_eq!(commands(&irc.ask(place, "REGISTER bob * longer-password\n")), ["FAIL"]);
}

#[test]
fn nickserv_registers() {
    let mut irc = Irc::new();
    irc.account("Alice");
    let place = irc.connect();
    irc.ask(place, &format!("NICK alice\n{USER}"));
    for (nick, password, says) in [
        ("alice", "longer-password", "Another account has this name"),
        ("bob^", "longer-password", "No account can have this name"),
        ("bob", "short", "A password has 8 bytes or more"),
    ] {
        let heard = irc.ask(place, &format!("NICK {nick}\nNS REGISTER {password} me@example.org\n"));
        assert!(heard.ends_with(&format!(":chatd.local NOTICE {nick} :NickServ: {says}\n")), "{heard}");
    }
    let heard = irc.ask(place, "PRIVMSG nickserv :register longer-password\n");
    assert_eq!(commands(&heard), ["NOTICE", "900", "903", "JOIN", "353", "366"], "{heard}");
}

#[test]
fn a_closed_server_says_the_same_of_every_name() {
    let accounts = Accounts { registration: Registration::Closed, ..Accounts::default() };
    let mut irc = Irc::with(Settings { accounts, ..Settings::default() }, Options::default());
    irc.account("alice");
    for nick in ["alice", "bob"] {
        let place = irc.connect();
        let heard = irc.ask(place, &format!("NICK {nick}\nREGISTER * * longer-password\n"));
        assert_eq!(heard, format!(":chatd.local FAIL REGISTER TEMPORARILY_UNAVAILABLE {nick} :No new accounts\n"));
    }
}

#[test]
fn one_session_too_many_ends_the_oldest() {
    let accounts = Accounts { sessions_per_account: 2, ..Accounts::default() };
    let mut irc = Irc::with(Settings { accounts, ..Settings::default() }, Options::default());
    let (first, second) = (irc.person("alice"), irc.liner("alice"));
    let third = irc.person("alice");
    assert_eq!(irc.take(first), "ERROR :Closing link: another login took this place\n");
    irc.person("alice");
    assert!(String::from_utf8(irc.heard(second)).unwrap().contains("421 "));
    assert!(!irc.is_over(third));
}

#[test]
fn what_was_proved_does_not_outlive_the_password() {
    let mut irc = Irc::new();
    let alice = irc.person("alice");
    let place = irc.connect();
    assert_eq!(commands(&irc.ask(place, &format!("NICK al\n{}", plain("alice", "password")))).last(), Some(&"903"));
    let changed = irc.ask(alice, "NS PASSWD password another-password\n");
    assert_eq!(changed, ":chatd.local NOTICE alice :NickServ: Your password is changed\n");
    assert_eq!(irc.ask(place, USER), "ERROR :Closing link: password was changed\n");
}

#[test]
fn passwords_are_changed_by_nickserv() {
    let mut irc = Irc::new();
    let (alice, other, liner) = (irc.person("alice"), irc.person("alice"), irc.liner("alice"));
    irc.say(alice, "NS PASSWD wrong another-password\n");
    irc.pass(DELAY_MS);
    assert_eq!(irc.take(alice), ":chatd.local NOTICE alice :NickServ: Wrong password\n");
    let heard = irc.ask(alice, "NS PASSWD password short\n");
    assert_eq!(heard, ":chatd.local NOTICE alice :NickServ: A password has 8 to 128 bytes\n");
    assert!(!irc.is_over(other));
    irc.ask(alice, "PRIVMSG NickServ :PASSWD password another-password\n");
    assert_eq!(irc.take(other), "ERROR :Closing link: password was changed\n");
    assert!(irc.is_over(liner) && !irc.is_over(alice));
    assert_eq!(irc.accounts.borrow().find("alice").unwrap().password, b"another-password");
    for _ in 0..2 {
        irc.ask(alice, "NS PASSWD another-password another-password\n");
    }
    let heard = irc.ask(alice, "NS PASSWD another-password another-password\n");
    assert_eq!(heard, ":chatd.local NOTICE alice :NickServ: The server is busy, try again\n");
    let id = irc.wires[alice].id;
    let conn = irc.engine.conns.find(id).unwrap();
    assert!(conn.claim.is_none());
}

#[test]
fn lines_behind_a_password_wait_for_the_verdict() {
    for proof in [plain("alice", "password"), "NS IDENTIFY alice password\n".to_owned()] {
        let mut irc = Irc::new();
        irc.account("alice");
        irc.accounts.borrow_mut().hash_ms = 200;
        let place = irc.connect();
        irc.say(place, &format!("NICK al\n{USER}{proof}JOIN #tea\nPRIVMSG #tea :hi\nPING 1\n"));
        irc.pass(199);
        assert!(!irc.take(place).contains("JOIN #tea\n"));
        irc.pass(1);
        let heard = irc.take(place);
        let rest = heard.split_once("366 alice &all ").expect(&heard).1;
        assert_eq!(commands(rest)[1..], ["JOIN", "353", "366", "PONG"], "{heard}");
    }
}

#[test]
fn the_log_knows_no_name_that_is_no_account() {
    let mut irc = Irc::new();
    irc.account("alice");
    for (name, known) in [("ALICE", "alice"), ("hunter2", "nobody")] {
        let place = irc.connect();
        irc.say(place, &format!("NICK {name}\nNS IDENTIFY {name} wrong\n{}", plain(name, "wrong")));
        let id = irc.wires[place].id;
        assert_eq!(irc.engine.known_name(id), known);
        irc.pass(DELAY_MS);
        assert_eq!(irc.engine.known_name(id), "nobody", "what was wrong is forgotten");
    }
}
