//! Guests who log in at a line door, through the wire.

use testkit::{Client, Server, run};

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
    assert_eq!(alice.list("WHOIS ~ROB"), ["guest", "~rob"], "spelled as the guest spells it");
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
    assert_eq!(rob.ask("INVITE tea alice"), "C 554 alice takes no messages from you");
}

#[test]
fn a_name_that_is_given_up_is_that_of_who_takes_it() {
    let server = server();
    let (mut alice, mut rob) = (server.bare("alice"), guest(&server, "~rob"));
    assert_eq!(alice.ask("DM ~rob"), "C 354 your message?");
    assert_eq!(rob.ask("NICK ~bob"), "C 200 you are ~bob now");
    assert_eq!(alice.ask("for the former name"), "C 550 ~rob is not online");
    assert_eq!(alice.ask("DM ~bob"), "C 354 your message?");
    assert_eq!(rob.ask("NICK ~bo"), "C 200 you are ~bo now");
    let mut bob = guest(&server, "~BOB");
    assert_eq!(alice.ask("for the one who has the name now"), "C 250 sent to ~BOB");
    bob.expect_exact("D DM alice for the one who has the name now");
    let mut other = guest(&server, "~Rob");
    assert_eq!(rob.ask("NICK ~rob"), "C 553 another guest has that name");
    assert_eq!(alice.ask("DM ~rob hi"), "C 250 sent to ~Rob");
    assert!(other.line().ends_with(" alice hi"));
    assert_eq!(rob.heard(), [""; 0]);
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
    assert_eq!(rob.ask("AWAY lunch"), "C 200 you are away: lunch");
    assert_eq!(rob.ask("NICK ~bob"), "C 200 you are ~bob now");
    assert_eq!(rob.ask("NICK ~rob"), "C 200 you are ~rob now");
    alice.expect_all(&["C 101 ~Rob away lunch", "C 101 ~Rob offline", "C 101 ~rob online", "C 101 ~rob away lunch"]);
    rob.reset();
    alice.expect_exact("C 101 ~rob offline");
    assert_eq!(alice.list("WATCH"), ["~rob", "1 watched"]);
}

#[test]
fn the_log_names_guests_who_are_in() {
    let server = Server::builder()
        .listen(&["line://127.0.0.1:0?guests=yes"])
        .set("limits.include_loopback", "true")
        .no_rates()
        .start();
    let (mut alice, mut rob) = (server.bare("alice"), guest(&server, "~rob"));
    assert!(alice.ask("MAKE tea pa55 word").starts_with("C 227 "));
    assert_eq!(rob.ask("JOIN tea wrong"), "C 554 wrong room password");
    server.wait_for_log("wrong password for room tea: ~rob from 127.0.0.1");
    run(env!("CARGO_BIN_EXE_chatd"), &server.path(""), &["ctl", "kick", "~rob", "enough"]).check(0, &[]);
    rob.expect_421("put out by the operator: enough");
    server.wait_for_log("421 put out by the operator: enough: ~rob from 127.0.0.1");
    // What is typed at the name prompt may be a password.
    let mut stranger = server.greeted();
    stranger.send("~pass word");
    stranger.expect("C 553 ");
    stranger.send_raw(&[b'x'; 600]);
    stranger.send_raw(b"\n\x16\n");
    drop(stranger);
    assert!(!server.log_text().contains("~pass"));
}

#[test]
fn a_ban_of_the_address_ends_guests_and_keeps_them_out() {
    let server = server();
    let mut rob = guest(&server, "~rob");
    let ctl = |args: &[&str]| run(env!("CARGO_BIN_EXE_chatd"), &server.path(""), &[&["ctl"], args].concat());
    ctl(&["ban", "~rob"]).check(1, &["must be a name, an address or a network"]);
    ctl(&["ban", "127.0.0.1", "noise"]).check(0, &[]);
    rob.expect_421("banned: noise");
    server.connect().expect_421("banned: noise");
    ctl(&["unban", "127.0.0.1"]).check(0, &[]);
    guest(&server, "~rob");
}

#[test]
fn guests_are_bounded_by_their_address() {
    let server = Server::builder()
        .listen(&["line://127.0.0.1:0?guests=yes"])
        .set("limits.include_loopback", "true")
        .no_rates()
        .start();
    let mut guests: Vec<Client> = (0..16).map(|number| guest(&server, &format!("~rob{number}"))).collect();
    server.connect().expect_421("too many from your address");
    for mut rob in guests.drain(..) {
        rob.send("EX");
        rob.expect_exact("C 221 bye");
        rob.expect_closed();
    }
    // A guest does not get the price of its connection back, unlike an account.
    let mut let_in = 0;
    loop {
        let mut client = server.connect();
        if client.line().starts_with("C 421 ") {
            break;
        }
        client.send(&format!("~bob{let_in}"));
        client.expect("C 230 ");
        client.send("EX");
        client.expect_exact("C 221 bye");
        client.expect_closed();
        let_in += 1;
    }
    assert!(let_in <= 16, "{let_in}");
}

#[test]
fn guests_guess_room_passwords_by_address() {
    let server = Server::builder()
        .listen(&["line://127.0.0.1:0?guests=yes"])
        .set("limits.include_loopback", "true")
        .set("login.failure_delay_ms", "1")
        .no_rates()
        .start();
    let mut alice = server.bare("alice");
    assert!(alice.ask("MAKE tea pa55 word").starts_with("C 227 "));
    for number in 0..10 {
        assert_eq!(guest(&server, &format!("~rob{number}")).ask("JOIN tea wrong"), "C 554 wrong room password");
    }
    let mut rob = guest(&server, "~rob");
    let answer = rob.ask("JOIN tea pa55 word");
    assert!(answer.starts_with("C 450 too many wrong room passwords"), "{answer}");
    let mut bob = server.bare("bob");
    assert!(bob.ask("JOIN tea pa55 word").starts_with("C 227 "), "an account is counted by itself");
}
