//! Direct messages between a line and an IRC client.

use super::*;

#[test]
fn a_line_and_an_irc_client_talk() {
    let server = server();
    let (mut ann, mut bob) = (logged_in(&server, "ann"), server.bare("bob"));
    assert_eq!(bob.ask("DM ANN psst"), "C 250 sent to ann");
    ann.expect_exact(":bob!account@chatd.local PRIVMSG ann :psst");
    ann.send("PRIVMSG Bob :yes?");
    bob.expect_exact("D DM ann yes?");
    ann.send("NOTICE bob :a note");
    bob.expect_exact("D DM ann a note");
    ann.barrier();
    // Away, at both doors.
    ann.ask("AWAY :lunch", "306 ann");
    assert_eq!(bob.ask("DM ann still there?"), "C 250 sent to ann (away: lunch)");
    ann.wait(":bob!account@chatd.local PRIVMSG ann :still there?");
    assert_eq!(bob.ask("AWAY tea"), "C 200 you are away: tea");
    ann.ask("PRIVMSG bob :no", "301 ann bob :tea");
    bob.expect_exact("D DM ann no");
    // Peace.
    assert_eq!(bob.ask("IGNORE ann"), "C 200 done");
    ann.send("PRIVMSG bob :please");
    ann.expect_exact(":chatd.local NOTICE ann :bob takes no messages from you");
    ann.send("NOTICE bob :please");
    ann.ask("MODE #tea", "403 ann #tea");
    assert_eq!(bob.heard(), [""; 0]);
}

#[test]
fn the_other_sessions_of_an_account_see_what_it_says() {
    let server = server();
    let mut ann = logged_in_with(&server, "ann", "echo-message message-tags");
    let (mut twin, mut bob) = (server.returning("ann"), server.bare("bob"));
    assert_eq!(twin.ask("DM bob from the line"), "C 250 sent to bob");
    bob.expect_exact("D DM ann from the line");
    ann.expect_exact(":ann!account@chatd.local PRIVMSG bob :from the line");
    ann.send("PRIVMSG bob :from irc");
    ann.expect_exact(":ann!account@chatd.local PRIVMSG bob :from irc");
    twin.expect_exact("D TO bob from irc");
    bob.expect_exact("D DM ann from irc");
    assert_eq!(bob.ask("DM ann hello to both"), "C 250 sent to ann");
    ann.expect_exact(":bob!account@chatd.local PRIVMSG ann :hello to both");
    twin.expect_exact("D DM bob hello to both");
}

#[test]
fn guests_of_both_doors() {
    let server = server();
    let mut kim = Irc::connect(server.door("irc"));
    kim.greet("kim");
    kim.wait("366 ^kim &all");
    let mut rob = server.greeted();
    rob.send("~rob");
    rob.expect("C 230 ");
    assert_eq!(rob.ask("DM ~kim psst"), "C 250 sent to ~kim");
    kim.expect_exact(":^rob!guest@chatd.local PRIVMSG ^kim :psst");
    kim.send("PRIVMSG ^rob :yes?");
    rob.expect_exact("D DM ~kim yes?");
    assert_eq!(rob.ask("NICK ~KIM"), "C 553 another guest has that name");
    kim.ask("NICK rob", "433 ^kim");
    rob.send("EX");
    rob.expect_exact("C 221 bye");
    rob.expect_closed();
    kim.ask("PRIVMSG ^rob :there?", "401 ^kim");
}

#[test]
fn what_is_kept_for_the_absent_survives_a_crash() {
    let mut server = server();
    let mut ann = logged_in(&server, "ann");
    let mut bob = server.bare("bob");
    bob.send("EX");
    bob.expect_exact("C 221 bye");
    bob.expect_closed();
    ann.ask("PRIVMSG bob :by irc", "301 ann bob");
    let mut cas = server.bare("cas");
    cas.ask("PM a person who leaves");
    ann.wait(":cas!account@chatd.local PRIVMSG");
    ann.ask("QUIT", "ERROR");
    assert_eq!(cas.ask("DM ann by line"), "C 250 kept for ann");
    server.kill9();
    server.restart();
    let mut bob = server.returning("bob");
    let missed = bob.list("MISSED");
    assert!(missed.iter().any(|line| line.ends_with("@ann ann: by irc")), "{missed:?}");
    // A client that fetches nothing is told what waits.
    let mut plain = Irc::connect(server.door("irc"));
    plain.send(&format!("PASS :ann:{PASSWORD}"));
    plain.greet("ann");
    plain.wait("366 ann &all");
    plain.wait(
        ":chatd.local NOTICE ann :1 message waits for you, from cas: /quote CHATHISTORY LATEST cas * 20 shows it",
    );
    plain.ask("CHATHISTORY LATEST cas * 20", ":cas!account@chatd.local PRIVMSG ann :by line");
    plain.ask("QUIT", "ERROR");
    let mut ann = Irc::connect(server.door("irc"));
    ann.send("CAP REQ :batch draft/chathistory message-tags server-time");
    ann.send(&format!("PASS :ann:{PASSWORD}"));
    ann.greet("ann");
    ann.send("CAP END");
    ann.wait("366 ann &all");
    let page = ann.ask("CHATHISTORY LATEST cas * 10", "BATCH -*");
    assert!(page.iter().any(|line| without_tags(line) == ":cas!account@chatd.local PRIVMSG ann :by line"), "{page:?}");
}
