//! Guests who log in at a line door, through the wire.

use testkit::{Client, Server};

fn server() -> Server {
    Server::builder().listen(&["line://127.0.0.1:0?guests=yes"]).no_rates().start()
}

/// A guest with `nc`.
fn guest(server: &Server, name: &str) -> Client {
    let mut client = server.greeted();
    client.send(name);
    client.expect(&format!("C 230 welcome {name}; "));
    client
}

#[test]
fn a_guest_talks_with_accounts() {
    let server = server();
    let mut alice = server.typed("alice");
    let mut rob = guest(&server, "~rob");
    assert_eq!(alice.list("WHO"), ["alice", "~rob", "2 online"]);
    assert_eq!(rob.ask("PM hello all"), "C 250 sent to 1");
    assert!(alice.line().ends_with(" ~rob hello all"));
    assert_eq!(alice.ask("PM hello ~rob"), "C 250 sent to 1");
    rob.expect_exact("D PM alice hello ~rob");
    assert_eq!(alice.ask("DM ~ROB psst"), "C 250 sent to ~rob");
    rob.expect_exact("D DM alice psst");
    assert_eq!(rob.ask("DM alice yes?"), "C 250 sent to alice");
    assert!(alice.line().ends_with(" ~rob yes?"));
    assert_eq!(alice.list("WHOIS ~rob"), ["guest", "~rob"]);
    assert_eq!(rob.ask("AWAY lunch"), "C 200 you are away: lunch");
    assert_eq!(alice.ask("DM ~rob psst"), "C 250 sent to ~rob (away: lunch)");
    assert_eq!(alice.list("WHOIS ~rob"), ["guest", "away lunch", "~rob"]);
    rob.expect_exact("D DM alice psst");
    rob.send("EX");
    rob.expect("C 221 ");
    rob.expect_closed();
    assert_eq!(alice.ask("DM ~rob psst"), "C 550 ~rob is not online");
}

#[test]
fn a_name_is_that_of_one_guest() {
    let server = server();
    let mut rob = guest(&server, "~rob");
    let mut second = server.greeted();
    second.send("~ROB");
    second.expect_exact("C 553 another guest has that name; your name?");
    second.send("~rob!");
    second.expect("C 553 a guest's name is ~");
    second.send("rob");
    second.expect("C 332 rob is new here");
    assert_eq!(rob.ask("NICK ~bob"), "C 200 you are ~bob now");
    let mut third = guest(&server, "~Rob");
    assert_eq!(third.ask("NICK ~BOB"), "C 553 another guest has that name");
    assert_eq!(third.ask("NICK bob"), "C 501 usage: NICK ~name; for guests, an account keeps its name");
    // A connection that breaks gives the name back.
    rob.reset();
    testkit::eventually("the name is free", || third.ask("NICK ~bob") == "C 200 you are ~bob now");
}

#[test]
fn a_guest_is_nobody_where_they_are_not_let_in() {
    let server = Server::start();
    let mut client = server.greeted();
    client.send("~rob");
    client.expect("C 553 a name is a letter");
    client.login_bare("rob");
    assert_eq!(client.ask("NICK ~bob"), "C 554 an account keeps its name; NICK is for guests");
}

#[test]
fn rooms_see_another_name_once() {
    let server = server();
    let (mut alice, mut rob) = (server.typed("alice"), guest(&server, "~rob"));
    for room in ["tea", "cake"] {
        assert!(alice.ask(&format!("MAKE {room}")).starts_with("C 227 "));
        assert!(rob.ask(&format!("JOIN {room}")).starts_with("C 227 "));
        alice.expect_exact(&format!("C 103 {room} ~rob entered"));
    }
    assert_eq!(rob.ask("NICK ~robin"), "C 200 you are ~robin now");
    assert_eq!(alice.heard(), ["C 102 ~rob is ~robin now"]);
    assert_eq!(rob.heard(), [""; 0]);
    assert_eq!(rob.ask("RM cake hi"), "C 250 sent to 1");
    assert!(alice.line().ends_with(" cake ~robin hi"));
    assert_eq!(alice.list("NAMES tea"), ["alice host", "~robin", "2 in tea"]);
    assert_eq!(alice.ask("KICK tea ~robin"), "C 200 done");
    rob.expect_exact("C 104 tea ~robin left: kicked");
    assert_eq!(rob.ask("RM cake still here"), "C 250 sent to 1");
    rob.half_close();
    assert!(alice.line().ends_with(" cake ~robin still here"));
    alice.expect_exact("C 104 cake ~robin left");
}

#[test]
fn what_needs_an_account_is_refused_and_nothing_of_a_guest_is_kept() {
    let server = server();
    let (mut alice, mut rob) = (server.bare("alice"), guest(&server, "~rob"));
    assert!(rob.ask("MAKE tea").starts_with("C 227 "));
    for operation in [
        "KEEP tea",
        "IGNORE alice",
        "IGNORE",
        "SET status x",
        "TOKEN",
        "PASSWD",
        "HISTORY",
        "MISSED",
        "SEARCH x",
        "UNREAD",
        "READ",
        "NOTIFY * all",
        "FORGET",
        "FORGET all",
    ] {
        assert_eq!(rob.ask(operation), "C 554 that needs an account, and you are a guest", "{operation}");
    }
    assert_eq!(rob.ask("SET name Rob R."), "C 200 done");
    assert_eq!(alice.list("WHOIS ~rob"), ["guest", "name Rob R.", "~rob"]);
    assert_eq!(rob.list("SET"), ["guest", "name Rob R.", "~rob"]);
    assert_eq!(rob.ask("DM alice secret"), "C 250 sent to alice");
    assert_eq!(alice.ask("DM ~rob secret"), "C 250 sent to ~rob");
    assert_eq!(rob.ask("PM public"), "C 250 sent to 1");
    let past = alice.list("HISTORY");
    assert_eq!(past.len(), 3, "{past:?}");
    assert!(past[1].ends_with(" ~rob: public"), "{past:?}");
    assert_eq!(alice.ask("IGNORE ~"), "C 200 done");
    assert_eq!(rob.ask("DM alice hi"), "C 554 alice takes no messages from you");
}

#[test]
fn those_who_watch_a_guest_are_told() {
    let server = server();
    let mut alice = server.typed("alice");
    assert_eq!(alice.ask("WATCH ~rob"), "C 200 ~rob is offline");
    let mut rob = guest(&server, "~rob");
    alice.expect_exact("C 101 ~rob online");
    assert_eq!(rob.ask("NICK ~bob"), "C 200 you are ~bob now");
    alice.expect_exact("C 101 ~rob offline");
    assert_eq!(rob.ask("NICK ~Rob"), "C 200 you are ~Rob now");
    alice.expect_exact("C 101 ~Rob online");
    rob.reset();
    alice.expect_exact("C 101 ~Rob offline");
    assert_eq!(alice.list("WATCH"), ["~rob", "1 watched"]);
}
