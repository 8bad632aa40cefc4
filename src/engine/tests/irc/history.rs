//! What the store takes part in: messages that wait for the disk, pages, counts, marks.

use super::super::store::Mood;
use super::{Irc, commands};
use crate::engine::ToHistory;
use crate::history::Request;
use crate::limits::HISTORY_PAGE_BYTES;

#[test]
fn what_waits_for_the_disk_is_answered_in_order() {
    let mut irc = Irc::with_store();
    irc.account("bob");
    let alice = irc.person_with("alice", "labeled-response batch echo-message message-tags");
    irc.take(alice);
    irc.say(alice, "@label=a PRIVMSG bob :hi\n@label=b PING 1\n");
    assert_eq!(irc.take(alice), "", "it is not on disk yet");
    irc.pass(500);
    let heard = irc.take(alice);
    let lines: Vec<&str> = heard.lines().collect();
    assert_eq!(commands(&heard), ["BATCH", "PRIVMSG", "301", "BATCH", "PONG"], "{heard}");
    assert!(lines[0].starts_with("@label=a ") && lines[4].starts_with("@label=b "), "{heard}");
    assert!(lines[1].contains("batch=") && lines[1].contains("msgid=") && lines[1].ends_with("PRIVMSG bob :hi"));
    assert!(lines[2].ends_with(" 301 alice bob :not here; kept"), "{heard}");
    // What cannot be kept is refused, and the lines behind it follow.
    irc.store.as_mut().unwrap().mood = Mood::Broken;
    let heard = irc.ask(alice, "@label=c PRIVMSG bob :hi\nPING 2\n");
    assert_eq!(commands(&heard), ["NOTICE", "PONG"], "{heard}");
    assert!(heard.starts_with("@label=c :chatd.local NOTICE alice :The server cannot keep it now"), "{heard}");
    irc.store.as_mut().unwrap().mood = Mood::Stuck;
    irc.say(alice, "PRIVMSG bob :hi\nPING 3\n");
    irc.pass(2_500);
    assert_eq!(commands(&irc.take(alice)), ["NOTICE", "PONG"]);
}

#[test]
fn a_client_is_in_a_channel_before_it_hears_there() {
    let mut irc = Irc::with_store();
    let alice = irc.person_with("alice", "labeled-response batch draft/read-marker");
    let bob = irc.person("bob");
    irc.ask(bob, "JOIN #tea\nMODE #tea +P\n");
    irc.store.as_mut().unwrap().mood = Mood::Stuck;
    irc.say(alice, "@label=a JOIN #tea\n"); // its mark is asked for, and does not come
    irc.say(bob, "PRIVMSG #tea :hi\n");
    let heard = irc.take(alice);
    assert_eq!(commands(&heard), ["BATCH", "JOIN", "PRIVMSG"], "{heard}");
    irc.pass(2_500);
    let heard = irc.take(alice);
    assert_eq!(commands(&heard), ["MARKREAD", "353", "366", "BATCH"], "{heard}");
}

#[test]
fn a_display_name_that_was_set_before_comes_first() {
    let mut irc = Irc::with_store();
    let liner = irc.liner("alice");
    assert!(irc.ask_line(liner, "SET name Alice A").contains("C 200 "));
    irc.send(liner, "C EX\n");
    irc.pass(500);
    let alice = irc.person("alice");
    let bob = irc.person_with("bob", "extended-join");
    irc.ask(bob, "JOIN #tea\n");
    irc.ask(alice, "JOIN #tea\n");
    assert_eq!(irc.take(bob), ":alice!account@chatd.local JOIN #tea alice :Alice A\n");
    let heard = irc.ask(bob, "WHO alice\n");
    assert!(heard.contains(" alice H :0 Alice A\n"), "{heard}");
}

#[test]
fn pages_of_a_kept_room_and_of_one_that_is_not() {
    let mut irc = Irc::with_store();
    let alice = irc.person_with("alice", "batch draft/chathistory server-time message-tags");
    let bob = irc.guest("bob");
    irc.ask(alice, "JOIN #tea,#milk\nMODE #tea +P\n");
    irc.ask(bob, "JOIN #tea\n");
    irc.ask(bob, "PRIVMSG #tea :one\nPRIVMSG #tea :two\nPRIVMSG #tea :three\n");
    let heard = irc.ask(alice, "CHATHISTORY LATEST #tea * 2\nPING 1\n");
    assert_eq!(commands(&heard), ["BATCH", "PRIVMSG", "PRIVMSG", "BATCH", "PONG"], "{heard}");
    assert!(heard.contains(":^bob!guest@chatd.local PRIVMSG #tea :two\n"), "{heard}");
    let id = heard.split_once("msgid=").unwrap().1.split([' ', ';']).next().unwrap().to_owned();
    let heard = irc.ask(alice, &format!("CHATHISTORY AROUND #tea msgid={id} 3\n"));
    let said = heard.lines().filter(|line| line.contains(" PRIVMSG "));
    let texts: Vec<&str> = said.filter_map(|line| line.rsplit_once(" :")).map(|(_, text)| text).collect();
    assert_eq!(texts, ["one", "two", "three"], "{heard}");
    // It is in that room, of which nothing is kept.
    assert_eq!(commands(&irc.ask(alice, "CHATHISTORY LATEST #milk * 2\n")), ["BATCH", "BATCH"]);
    assert_eq!(commands(&irc.ask(bob, "CHATHISTORY LATEST #tea * 2\n")), Vec::<&str>::new(), "it knows no batches");
    for channel in ["#other", "#juice"] {
        let heard = irc.ask(alice, &format!("CHATHISTORY LATEST {channel} * 2\n"));
        let refusal = format!("FAIL CHATHISTORY INVALID_TARGET LATEST {channel} :Messages could not be retrieved\n");
        assert!(heard.ends_with(&refusal), "{heard}");
    }
    irc.store.as_mut().unwrap().mood = Mood::Broken;
    let heard = irc.ask(alice, "CHATHISTORY LATEST #tea * 2\n");
    assert!(heard.contains("FAIL CHATHISTORY MESSAGE_ERROR LATEST #tea :"), "{heard}");
}

#[test]
fn a_page_for_irc_is_short_only_at_the_end() {
    let mut irc = Irc::with_store();
    let (alice, bob) = (irc.person_with("alice", "batch"), irc.liner("bob"));
    irc.to_history.clear();
    irc.say(alice, "CHATHISTORY LATEST &all * 50\n");
    irc.send(bob, "C HISTORY * 50\n");
    let bounds: Vec<(u32, usize)> = irc.to_history.iter().filter_map(page_bounds).collect();
    assert_eq!(bounds, [(50, 0), (50, HISTORY_PAGE_BYTES)]);
}

fn page_bounds(message: &ToHistory) -> Option<(u32, usize)> {
    let ToHistory::Ask { request: Request::Page(page), .. } = message else { return None };
    Some((page.most, page.most_bytes))
}

#[test]
fn marks_are_shared_by_the_sessions_of_an_account() {
    let mut irc = Irc::with_store();
    let one = irc.person_with("alice", "draft/read-marker");
    let other = irc.person_with("alice", "draft/read-marker labeled-response");
    let plain = irc.person("alice");
    let heard = irc.ask(one, "JOIN #tea\n");
    assert_eq!(commands(&heard), ["JOIN", "MARKREAD", "353", "366"], "{heard}");
    irc.ask(one, "MODE #tea +P\nPRIVMSG #tea :hi\n");
    irc.ask(other, "JOIN #tea\n");
    irc.take(plain);
    let now = "2023-11-14T22:14:00.000Z";
    let heard = irc.ask(one, &format!("MARKREAD #tea timestamp={now}\n"));
    assert!(heard.starts_with(":chatd.local MARKREAD #tea timestamp=2023-11-14T"), "{heard}");
    assert_eq!(irc.take(other), heard);
    assert_eq!(irc.take(plain), "");
    assert_eq!(irc.ask(other, "MARKREAD #tea\n"), heard);
    assert_eq!(
        irc.ask(one, "JOIN #milk\nMARKREAD #milk timestamp=2023-11-14T22:14:00.000Z\n").lines().last(),
        Some(":chatd.local MARKREAD #milk *")
    );
}

#[test]
fn a_page_is_short_only_at_the_end() {
    let mut irc = Irc::with_store();
    let alice = irc.person_with("alice", "batch draft/chathistory");
    irc.ask(alice, "JOIN #tea\nMODE #tea +P\n");
    let bob = irc.liner("bob");
    irc.ask_line(bob, "JOIN tea");
    let text = "x".repeat(4000);
    for _ in 0..20 {
        irc.ask_line(bob, &format!("RM tea {text}"));
        irc.pass(10_000);
    }
    irc.take(alice);
    let heard = irc.ask(alice, "CHATHISTORY LATEST #tea * 20\n");
    let bytes: usize = heard.lines().filter_map(|line| line.rsplit_once(" :")).map(|(_, text)| text.len()).sum();
    assert_eq!(bytes, 20 * 4000, "20 texts of 4000 bytes");
}

#[test]
fn what_a_plain_client_has_taken_does_not_wait() {
    let mut irc = Irc::with_store();
    irc.account("bob");
    let alice = irc.person("alice");
    let login = "PASS bob:password\nNICK x\nUSER u 0 * :bob\n";
    let bob = irc.connect();
    irc.ask(bob, login);
    irc.ask(alice, "PRIVMSG bob :one\nPRIVMSG bob :two\n");
    irc.pass(61_000);
    irc.ask(bob, "QUIT\n");
    let again = irc.connect();
    let heard = irc.ask(again, login);
    assert!(heard.contains(" 366 bob &all ") && !heard.contains(" NOTICE "), "{heard}");
}

#[test]
fn what_was_kept_for_the_absent_is_told_until_it_is_shown() {
    let mut irc = Irc::with_store();
    irc.account("bob");
    let alice = irc.person("alice");
    irc.ask(alice, "PRIVMSG bob :one\nPRIVMSG bob :two\n");
    let lines = "PASS bob:password\nNICK x\nUSER u 0 * :bob\nJOIN #tea\n";
    let enters = |irc: &mut Irc, caps: &str| {
        let bob = irc.connect();
        let heard = irc.ask(bob, &format!("{caps}{lines}"));
        (bob, heard)
    };
    let notice = "366 bob &all :End of NAMES list\n:chatd.local NOTICE bob :2 messages wait for you, from alice: \
        /quote CHATHISTORY LATEST alice * 20 shows them\n:bob!account@chatd.local JOIN #tea\n";
    let (bob, heard) = enters(&mut irc, "");
    assert!(heard.contains(notice), "{heard}");
    assert!(!enters(&mut irc, "CAP REQ :draft/chathistory\nCAP END\n").1.contains(" NOTICE "));
    assert_eq!(commands(&irc.ask(bob, "CHATHISTORY BEFORE alice timestamp=2030-01-01T00:00:00.000Z 9\n")).len(), 2);
    assert!(enters(&mut irc, "").1.contains(notice), "that was no newest page");
    let heard = irc.ask(bob, "CHATHISTORY LATEST alice * 20\nPING 1\n");
    assert_eq!(commands(&heard), ["PRIVMSG", "PRIVMSG", "PONG"], "{heard}");
    let heard = enters(&mut irc, "").1;
    assert!(!heard.contains(" NOTICE ") && heard.contains(" JOIN #tea\n"), "{heard}");
    // The store does not answer: the client waits for a while, and is told nothing.
    irc.ask(alice, "AWAY\n");
    irc.store.as_mut().unwrap().mood = Mood::Broken;
    let heard = enters(&mut irc, "").1;
    assert!(!heard.contains(" NOTICE ") && heard.contains(" JOIN #tea\n"), "{heard}");
}
