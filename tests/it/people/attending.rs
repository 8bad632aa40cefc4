//! PUBLIC: sessions that hear nothing of what is said to everybody.

use testkit::{Client, Server, run};

use super::{CHATD, begins, says};

const OFF: &str = "C 200 you do not hear what is said to everybody; PUBLIC on ends that";
const ON: &str = "C 200 you hear what is said to everybody";

#[test]
fn a_session_hears_everybody_or_does_not() {
    let server = Server::builder().no_rates().start();
    let (mut alice, mut bob, mut twin) = (server.bare("alice"), server.typed("bob"), server.bare("bob"));
    says(&mut alice, "PM one", "C 250 sent to 2");
    bob.send("C public OFF");
    assert_eq!(without_id(&bob.line()), "D PM alice one"); // what was said before comes before the answer
    bob.expect_exact(OFF);
    says(&mut bob, "PUBLIC off", OFF);
    says(&mut alice, "PM two", "C 250 sent to 1");
    says(&mut bob, "PM I still speak", "C 250 sent to 2");
    says(&mut alice, "DM bob psst", "C 250 sent to bob");
    assert_eq!(heard(&mut bob), ["D DM alice psst"]);
    says(&mut bob, "PUBLIC on", ON);
    says(&mut bob, "PUBLIC on", ON);
    says(&mut alice, "PM three", "C 250 sent to 2");
    assert_eq!(heard(&mut bob), ["D PM alice three"]);
    let all = ["D PM alice one", "D PM alice two", "D PM bob I still speak", "D DM alice psst", "D PM alice three"];
    assert_eq!(twin.heard(), all);
    for line in ["PUBLIC", "PUBLIC maybe", "PUBLIC on off"] {
        says(&mut bob, line, "C 501 usage: PUBLIC on|off");
    }
}

/// What a typed session has heard, without the ids.
fn heard(client: &mut Client) -> Vec<String> {
    client.heard().iter().map(|line| without_id(line)).collect()
}

/// `D kind id from text` without the id.
fn without_id(line: &str) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    words.remove(2);
    words.join(" ")
}

#[test]
fn it_ends_with_the_session_and_is_of_that_session_alone() {
    // Nothing is kept, so nobody is told what they have missed.
    let server = Server::builder().set("history.file", "\"\"").start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    says(&mut bob, "PUBLIC off", OFF);
    says(&mut alice, "PM one", "C 250 sent to 0");
    let mut later = server.bare("bob");
    says(&mut alice, "PM two", "C 250 sent to 1");
    later.expect_exact("D PM alice two");
    assert_eq!(bob.heard(), [""; 0]);
    bob.send("EX");
    bob.expect_exact("C 221 bye");
    bob.expect_closed();
    says(&mut alice, "PM three", "C 250 sent to 1");
    later.expect_exact("D PM alice three");
}

#[test]
fn rooms_and_the_operator_are_heard_without_everybody() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    begins(&mut alice, "MAKE lobby", "C 227 ");
    begins(&mut bob, "JOIN lobby", "C 227 ");
    alice.expect_exact("C 103 lobby bob entered");
    says(&mut bob, "PUBLIC off", OFF);
    says(&mut alice, "RM lobby here", "C 250 sent to 1");
    bob.expect_exact("D RM lobby alice here");
    run(CHATD, &server.path(""), &["ctl", "announce", "the server moves at 9"]).check(0, &[]);
    for client in [&mut alice, &mut bob] {
        client.expect_exact("C 100 the server moves at 9");
    }
    says(&mut alice, "PM there", "C 250 sent to 0");
    assert_eq!(bob.heard(), [""; 0]);
    // What was said is in the history all the same.
    assert_eq!(bob.list("HISTORY *").len(), 3, "a day, the message and the end");
}

#[test]
fn going_to_and_fro_costs_nobody_anything() {
    let server = Server::builder().no_rates().start();
    let (mut alice, mut bob, mut carol) = (server.bare("alice"), server.bare("bob"), server.bare("carol"));
    for number in 0..200 {
        let is_on = number % 2 == 1;
        says(&mut bob, if is_on { "PUBLIC on" } else { "PUBLIC off" }, if is_on { ON } else { OFF });
        says(&mut alice, &format!("PM {number}"), if is_on { "C 250 sent to 2" } else { "C 250 sent to 1" });
        let expected = if is_on { vec![format!("D PM alice {number}")] } else { vec![] };
        assert_eq!(bob.heard(), expected);
    }
    let all: Vec<String> = (0..200).map(|number| format!("D PM alice {number}")).collect();
    assert_eq!(carol.heard(), all);
}
