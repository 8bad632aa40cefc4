//! Coming in, talking and going.

use super::{Irc, USER, commands, plain};

const BURST: [&str; 17] = [
    "001", "002", "003", "004", "005", "005", "005", "251", "255", "265", "266", "375", "372", "376", "221", "JOIN",
    "353",
];

#[test]
fn by_sasl() {
    let mut irc = Irc::new();
    irc.account("Alice");
    let place = irc.connect();
    let heard = irc.ask(place, &format!("CAP LS 302\nNICK al\n{USER}CAP REQ :sasl\n"));
    assert!(heard.contains(" sasl=PLAIN ") && heard.contains(":chatd.local CAP al ACK :sasl\n"), "{heard}");
    let heard = irc.ask(place, &plain("alice", "password"));
    assert_eq!(
        heard,
        "AUTHENTICATE +\n:chatd.local 900 al al!account@chatd.local Alice :You are now logged in as Alice\n\
         :chatd.local 903 al :SASL authentication successful\n"
    );
    let heard = irc.ask(place, "CAP END\n");
    let found = commands(&heard);
    let without_more = |all: &[&str]| {
        let mut all: Vec<String> = all.iter().map(|word| (*word).to_owned()).collect();
        all.dedup();
        all
    };
    assert_eq!(without_more(&found), [without_more(&BURST), vec!["366".to_owned()]].concat(), "{heard}");
    assert!(heard.starts_with(":chatd.local 001 Alice :Welcome to chatd, Alice\n"), "{heard}");
    assert!(heard.ends_with(
        ":Alice!account@chatd.local JOIN &all\n:chatd.local 353 Alice = &all :Alice\n\
         :chatd.local 366 Alice &all :End of NAMES list\n"
    ));
    assert_eq!(irc.engine.hub.online(), 1);
}

#[test]
fn by_pass() {
    let mut irc = Irc::new();
    irc.account("Alice");
    for pass in ["PASS password\nNICK alice\n", "PASS ALICE:password\nNICK whoever\n"] {
        let place = irc.connect();
        let heard = irc.ask(place, &format!("{pass}{USER}"));
        assert!(
            heard.contains(" 001 Alice :") && heard.contains("\n:Alice!account@chatd.local JOIN &all\n"),
            "{heard}"
        );
    }
}

#[test]
fn by_register() {
    let mut irc = Irc::new();
    let place = irc.connect();
    let heard = irc.ask(place, "CAP LS 302\nNICK carol\nREGISTER * * longer-password\n");
    assert!(
        heard.ends_with(
            ":chatd.local REGISTER SUCCESS carol :Account created\n\
         :chatd.local 900 carol carol!account@chatd.local carol :You are now logged in as carol\n"
        ),
        "{heard}"
    );
    let heard = irc.ask(place, &format!("{USER}CAP END\n"));
    assert!(heard.contains("\n:carol!account@chatd.local JOIN &all\n"), "{heard}");
    let again = irc.connect();
    let heard = irc.ask(again, "NICK carol\nREGISTER * * longer-password\n");
    assert_eq!(heard, ":chatd.local FAIL REGISTER ACCOUNT_EXISTS carol :Another account has this name\n");
}

#[test]
fn by_nickserv_from_the_anteroom() {
    let mut irc = Irc::new();
    irc.account("Alice");
    let place = irc.connect();
    let heard = irc.ask(place, &format!("NICK al\n{USER}"));
    assert!(heard.contains(" 376 al ") && !heard.contains(" JOIN &all"), "{heard}");
    assert_eq!(irc.engine.hub.online(), 0);
    let heard = irc.ask(place, "PRIVMSG NickServ :IDENTIFY alice password\nJOIN #tea\n");
    let expected = "\
:chatd.local NOTICE al :NickServ: You are Alice now
:chatd.local 900 al al!account@chatd.local Alice :You are now logged in as Alice
:chatd.local 903 al :SASL authentication successful
:al!guest@chatd.local NICK Alice
:Alice!account@chatd.local JOIN &all
:chatd.local 353 Alice = &all :Alice
:chatd.local 366 Alice &all :End of NAMES list
:Alice!account@chatd.local JOIN #tea
:chatd.local 353 Alice = #tea :@Alice
:chatd.local 366 Alice #tea :End of NAMES list
";
    assert_eq!(heard, expected);
}

#[test]
fn guests() {
    let mut irc = Irc::with_guests();
    let bob = irc.guest("bob");
    assert_eq!(irc.ask(bob, "JOIN #tea\n").lines().next(), Some(":^bob!guest@chatd.local JOIN #tea"));
    let mut irc = Irc::bare();
    irc.account("Alice");
    let bob = irc.guest("bob");
    assert_eq!(irc.ask(bob, "JOIN #tea\n").lines().next(), Some(":bob!guest@chatd.local JOIN #tea"));
    let other = irc.connect();
    for (nick, refusal) in [
        ("alice", "433 alice alice :Nickname is already in use"),
        ("BOB", "433 BOB BOB :Nickname is already in use"),
        ("NickServ", "432 NickServ NickServ :Erroneous nickname"),
        ("Chatd.local", "432 NickServ Chatd.local :Erroneous nickname"),
    ] {
        let heard = irc.ask(other, &format!("NICK {nick}\n{USER}"));
        assert!(heard.contains(&format!(" {refusal}\n")), "{heard}");
    }
    let heard = irc.ask(other, "NICK carol\n");
    assert!(heard.contains(" 001 carol "), "{heard}");
    irc.ask(other, "JOIN #tea\n");
    assert_eq!(irc.ask(other, "PRIVMSG bob :hi\n"), "");
    assert_eq!(irc.take(bob), ":carol!guest@chatd.local JOIN #tea\n:carol!guest@chatd.local PRIVMSG bob :hi\n");
}

#[test]
fn people_of_both_doors_talk() {
    let mut irc = Irc::new();
    let (alice, bob) = (irc.person("alice"), irc.person("bob"));
    let liner = irc.liner("carol");
    assert!(irc.ask(alice, "JOIN #tea\n").contains(" JOIN #tea\n"));
    assert!(irc.ask(bob, "JOIN #TEA\n").contains(" 353 bob = #tea :@alice bob\n"));
    assert!(irc.ask_line(liner, "JOIN tea").contains("C 227 tea "));
    assert_eq!(irc.take(alice), ":bob!account@chatd.local JOIN #tea\n:carol!account@chatd.local JOIN #tea\n");
    assert_eq!(irc.ask(alice, "PRIVMSG #tea :one\nPRIVMSG bob :two\nPRIVMSG &all :three\n"), "");
    let heard = irc.take(bob);
    assert!(
        heard.ends_with(
            ":alice!account@chatd.local PRIVMSG #tea :one\n:alice!account@chatd.local PRIVMSG bob :two\n\
             :alice!account@chatd.local PRIVMSG &all :three\n"
        ),
        "{heard}"
    );
    let heard = irc.ask_line(liner, "RM tea four");
    assert!(heard.contains(" 120 tea alice one\n") || heard.contains("one\n"), "{heard}");
    assert_eq!(irc.take(alice), ":carol!account@chatd.local PRIVMSG #tea :four\n");
    assert_eq!(irc.ask(bob, "PART #tea :tired\n"), ":bob!account@chatd.local PART #tea :tired\n");
    assert_eq!(irc.take(alice), ":bob!account@chatd.local PART #tea :tired\n");
    assert_eq!(irc.ask(alice, "QUIT :home\n"), "ERROR :Closing link: home\n");
    assert!(irc.is_over(alice));
}
