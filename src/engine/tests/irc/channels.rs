//! Channels and nicks: keys, guests who rename or log in, what neighbours are told.

use super::{Irc, commands, plain};
use crate::limits::ROOM_GUESSES;

#[test]
fn a_wrong_key_is_answered_late_and_not_for_ever() {
    let mut irc = Irc::new();
    let (alice, bob) = (irc.person("alice"), irc.person("bob"));
    assert_eq!(commands(&irc.ask(alice, "JOIN #tea sesame\n"))[0], "JOIN");
    let wrong = ":chatd.local 475 bob #tea :Cannot join channel (+k)\n";
    irc.take(bob);
    assert_eq!(irc.ask(bob, "JOIN #tea\n"), wrong, "without a key it is told at once");
    irc.say(bob, "JOIN #tea wrong\nPING 1\n");
    irc.pass(1_999);
    assert_eq!(irc.take(bob), "");
    irc.pass(1);
    assert_eq!(irc.take(bob), format!("{wrong}:chatd.local PONG chatd.local :1\n"));
    for _ in 1..ROOM_GUESSES {
        irc.say(bob, "JOIN #tea wrong\n");
        irc.pass(2_000);
        assert_eq!(irc.take(bob), wrong);
    }
    let heard = irc.ask(bob, "JOIN #tea sesame\n");
    assert!(heard.starts_with(wrong) && heard.contains("NOTICE bob :too many wrong keys, try again in "), "{heard}");
    irc.pass(600_000);
    assert_eq!(commands(&irc.ask(bob, "JOIN #TEA sesame\n")), ["JOIN", "353", "366"]);
}

#[test]
fn guests_rename_themselves() {
    let mut irc = Irc::with_guests();
    let (alice, bob, carol) = (irc.person("alice"), irc.guest("bob"), irc.guest("carol"));
    for place in [alice, bob] {
        irc.ask(place, "JOIN #tea\n");
    }
    irc.take(alice);
    assert_eq!(irc.ask(bob, "NICK Carol\n"), ":chatd.local 433 ^bob Carol :Nickname is already in use\n");
    assert_eq!(irc.ask(bob, "NICK rob\n"), ":^bob!guest@chatd.local NICK ^rob\n");
    assert_eq!(irc.take(alice), ":^bob!guest@chatd.local NICK ^rob\n");
    assert_eq!(irc.ask(carol, "PRIVMSG ^rob,~ROB :hi\n"), "");
    let heard = irc.take(bob);
    assert_eq!(heard, ":^carol!guest@chatd.local PRIVMSG ^rob :hi\n".repeat(2));
    assert_eq!(irc.ask(alice, "NICK x\n"), ":chatd.local 447 alice x :The nick of an account is its name\n");
    let mut irc = Irc::bare();
    irc.account("alice");
    let bob = irc.guest("bob");
    assert_eq!(irc.ask(bob, "NICK ALICE\n"), ":chatd.local 433 bob ALICE :Nickname is already in use\n");
}

#[test]
fn a_guest_who_logs_in_keeps_its_places() {
    for proof in [plain("alice", "password"), "NS IDENTIFY alice password\n".to_owned()] {
        let mut irc = Irc::with_guests();
        irc.account("Alice");
        let (bob, carol) = (irc.guest("bob"), irc.person_with("carol", "account-notify"));
        for place in [bob, carol] {
            irc.ask(place, "JOIN #tea\n");
        }
        irc.take(bob);
        let heard = irc.ask(bob, &proof);
        assert!(heard.ends_with(":^bob!guest@chatd.local NICK Alice\n") && heard.contains(" 900 "), "{heard}");
        let told = ":^bob!guest@chatd.local NICK Alice\n:Alice!account@chatd.local ACCOUNT Alice\n";
        assert_eq!(irc.take(carol), told);
        assert_eq!(
            irc.ask(bob, "PRIVMSG #tea :still here\nNICK x\n"),
            ":chatd.local 447 Alice x :The nick of an account is its name\n"
        );
        assert_eq!(irc.take(carol), ":Alice!account@chatd.local PRIVMSG #tea :still here\n");
        assert_eq!(irc.engine.hub.online(), 2);
        assert!(!irc.ask(bob, &proof).contains(" 900 "), "it is logged in");
    }
    let mut irc = Irc::with_guests();
    let bob = irc.guest("bob");
    let heard = irc.ask(bob, "NS REGISTER a-good-password\n");
    assert!(heard.ends_with(":^bob!guest@chatd.local NICK bob\n"), "{heard}");
    assert!(irc.accounts.borrow().find("bob").is_some());
}

#[test]
fn neighbours_are_told_while_an_irc_client_may_be_there() {
    let mut irc = Irc::new();
    let (alice, bob) = (irc.person_with("alice", "away-notify setname"), irc.liner("bob"));
    irc.ask(alice, "JOIN #tea\n");
    irc.ask_line(bob, "JOIN tea");
    irc.take(alice);
    irc.ask_line(bob, "AWAY lunch");
    assert_eq!(irc.take(alice), ":bob!account@chatd.local AWAY :lunch\n");
    // No listener leads there any more, but somebody came by it.
    irc.engine.handle_listeners(Vec::new());
    irc.ask_line(bob, "AWAY");
    assert_eq!(irc.take(alice), ":bob!account@chatd.local AWAY\n");
    irc.ask_line(bob, "EX");
    assert_eq!(irc.take(alice), ":bob!account@chatd.local QUIT :gone\n");
    irc.ask(alice, "QUIT\n");
    irc.pass(60_000);
    assert!(!irc.engine.irc.any());
}

#[test]
fn a_kick_and_a_closed_room() {
    let mut irc = Irc::new();
    let (alice, bob) = (irc.person("alice"), irc.person("bob"));
    irc.ask(alice, "JOIN #tea,#milk\n");
    irc.ask(bob, "JOIN #tea,#milk\n");
    irc.take(alice);
    let kick = ":alice!account@chatd.local KICK #tea bob :out\n";
    assert_eq!(irc.ask(alice, "KICK #tea bob :out\n"), kick);
    assert_eq!(irc.take(bob), kick);
    assert_eq!(irc.ask(bob, "PRIVMSG #tea :?\n"), ":chatd.local 404 bob #tea :Cannot send to channel\n");
}
