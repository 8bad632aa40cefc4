//! IGNORE.

use testkit::Server;

use super::{begins, delete, keep, says, twice};

const REFUSED: &str = "C 554 bob takes no messages from you";

#[test]
fn somebody_who_is_ignored_reaches_nobody_and_nothing() {
    let mut server = Server::builder().no_rates().start();
    let (mut alice, mut bob, mut twin) = (server.typed("alice"), server.typed("bob"), server.typed("bob"));
    keep(&mut alice, "lobby");
    begins(&mut bob, "JOIN lobby", "C 227 ");
    says(&mut bob, "IGNORE Alice", "C 200 done");
    for command in ["DM bob", "DM BOB hello"] {
        assert!(begins(&mut alice, command, REFUSED).len() < 60);
    }
    assert_eq!(twin.list("IGNORE"), ["alice", "1 ignored"], "the account's other session knows it");
    begins(&mut alice, "PM bob, hello", "C 250 ");
    begins(&mut alice, "RM lobby bob, hello", "C 250 ");
    twin.expect("D PM ");
    drop(bob);
    twice(&mut server, |server| {
        let mut bob = server.typed("bob");
        let counts = bob.list("UNREAD");
        assert!(counts.iter().any(|line| line.starts_with("* 1 0 ")), "{counts:?}");
        assert!(counts.iter().any(|line| line.starts_with("lobby 1 0 ")), "{counts:?}");
        assert_eq!(bob.list("IGNORE"), ["alice", "1 ignored"]);
        begins(&mut server.typed("alice"), "DM bob still?", REFUSED);
        let lines = bob.list("HISTORY");
        assert!(lines.iter().all(|line| !line.contains(" m ")), "{lines:?}");
    });
    let (mut bob, mut alice) = (server.typed("bob"), server.typed("alice"));
    says(&mut bob, "IGNORE alice OFF", "C 200 done");
    says(&mut bob, "IGNORE alice off", "C 200 done");
    says(&mut alice, "DM bob again", "C 250 sent to bob");
    bob.expect("D DM ");
}

#[test]
fn who_cannot_be_ignored() {
    let server = Server::builder().no_rates().start();
    let mut bob = server.bare("bob");
    begins(&mut bob, "IGNORE bob", "C 554 ");
    begins(&mut bob, "IGNORE BOB", "C 554 ");
    for name in ["nobody", "~zoe", "nobody off", "~zoe off", "9", "-alice", "é"] {
        begins(&mut bob, &format!("IGNORE {name}"), "C 550 ");
    }
    for command in ["IGNORE alice on", "IGNORE alice off off"] {
        begins(&mut bob, command, "C 501 ");
    }
    assert_eq!(bob.list("IGNORE"), ["0 ignored"]);
    says(&mut bob, "IGNORE ~", "C 200 done");
    says(&mut bob, "IGNORE ~", "C 200 done");
    assert_eq!(bob.list("IGNORE"), ["~", "1 ignored"]);
    says(&mut bob, "IGNORE ~ off", "C 200 done");
    says(&mut bob, "IGNORE ~ off", "C 200 done");
    assert_eq!(bob.list("IGNORE"), ["0 ignored"]);
}

#[test]
fn a_hundred_and_no_more() {
    let mut server = Server::builder().no_rates().start();
    let mut bob = server.typed("bob");
    for number in 0..101 {
        server.typed(&format!("c{number}")).barrier();
        if number < 100 {
            says(&mut bob, &format!("IGNORE c{number}"), "C 200 done");
        }
    }
    begins(&mut bob, "IGNORE c100", "C 554 ");
    says(&mut bob, "IGNORE c7", "C 200 done");
    server.kill9();
    server.restart();
    let mut bob = server.typed("bob");
    begins(&mut bob, "IGNORE c100", "C 554 ");
    says(&mut server.typed("c100"), "DM bob hello", "C 250 sent to bob");
    begins(&mut server.typed("c99"), "DM bob hello", REFUSED);
    says(&mut bob, "IGNORE c7 off", "C 200 done");
    says(&mut bob, "IGNORE c100", "C 200 done");
    // A deleted account takes no place.
    delete(&server, "c5");
    server.typed("c101").barrier();
    says(&mut bob, "IGNORE c101", "C 200 done");
}

#[test]
fn nobody_inherits_an_ignore() {
    let mut server = Server::builder().no_rates().start();
    let (mut alice, mut bob, mut carol) = (server.typed("alice"), server.typed("bob"), server.typed("carol"));
    says(&mut bob, "IGNORE alice", "C 200 done");
    says(&mut carol, "IGNORE bob", "C 200 done");
    begins(&mut alice, "DM bob hello", REFUSED);
    drop((alice, bob));
    // The ignored one is deleted and registered anew; so is the one who ignores.
    delete(&server, "alice");
    server.typed("alice").barrier();
    twice(&mut server, |server| {
        let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
        says(&mut alice, "DM bob I am another", "C 250 sent to bob");
        bob.expect("D DM ");
        assert_eq!(bob.list("IGNORE"), ["0 ignored"]);
        begins(&mut bob, "PM alice", "C 250 ");
    });
    says(&mut server.typed("bob"), "IGNORE alice", "C 200 done");
    delete(&server, "bob");
    server.typed("bob").barrier();
    twice(&mut server, |server| {
        let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
        assert_eq!(bob.list("IGNORE"), ["0 ignored"]);
        says(&mut alice, "DM bob hello", "C 250 sent to bob");
        bob.expect("D DM ");
        // Carol has ignored the one before.
        let mut carol = server.typed("carol");
        says(&mut bob, "DM carol hello", "C 250 sent to carol");
        carol.expect("D DM ");
    });
}
