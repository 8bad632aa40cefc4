//! WATCH, its notices, and AWAY.

use std::time::{Duration, Instant};

use testkit::{Client, Server, eventually};

use super::{begins, says};

/// Waits for the next notice about people.
#[track_caller]
fn told(client: &mut Client) -> String {
    loop {
        let line = client.line();
        if line.starts_with("C 101 ") {
            return line;
        }
    }
}

#[test]
fn the_session_that_watches_is_told_and_nobody_else() {
    let server = Server::builder().no_rates().start();
    let (mut alice, mut twin, mut eve) = (server.typed("alice"), server.bare("alice"), server.bare("eve"));
    says(&mut alice, "WATCH Bob", "C 200 Bob is offline");
    let mut bob = server.typed("bob");
    assert_eq!(told(&mut alice), "C 101 bob online");
    says(&mut alice, "WATCH bob", "C 200 bob is online");
    says(&mut bob, "AWAY lunch, 上海", "C 200 you are away: lunch, 上海");
    assert_eq!(told(&mut alice), "C 101 bob away lunch, 上海");
    says(&mut bob, "AWAY lunch, 上海", "C 200 you are away: lunch, 上海");
    assert_eq!(alice.heard(), [""; 0], "the same text is not told again");
    says(&mut alice, "WATCH bob", "C 200 bob is away: lunch, 上海");
    says(&mut alice, "DM bob hello", "C 250 sent to bob (away: lunch, 上海)");
    says(&mut bob, "AWAY", "C 200 you are back");
    assert_eq!(told(&mut alice), "C 101 bob back");
    says(&mut bob, "AWAY", "C 200 you are back");
    // A second session comes and goes.
    let mut second = server.typed("bob");
    begins(&mut second, "EX", "C 221 ");
    second.expect_closed();
    assert_eq!(alice.heard(), [""; 0]);
    begins(&mut bob, "EX", "C 221 ");
    assert_eq!(told(&mut alice), "C 101 bob offline");
    assert_eq!(twin.heard(), ["D TO bob hello"]);
    assert_eq!(eve.heard(), [""; 0]);
    assert_eq!(alice.list("WATCH"), ["Bob", "1 watched"]);
    says(&mut alice, "WATCH BOB off", "C 200 done");
    says(&mut alice, "WATCH BOB off", "C 200 done");
    server.typed("bob").barrier();
    assert_eq!(alice.heard(), [""; 0]);
    assert_eq!(alice.list("WATCH"), ["0 watched"]);
}

#[test]
fn a_hundred_names_also_those_that_nobody_has() {
    let server = Server::builder().no_rates().start();
    let mut alice = server.bare("alice");
    for number in 0..100 {
        says(&mut alice, &format!("WATCH nobody{number}"), &format!("C 200 nobody{number} is offline"));
    }
    begins(&mut alice, "WATCH nobody100", "C 554 ");
    says(&mut alice, "WATCH NOBODY7", "C 200 NOBODY7 is offline");
    for name in ["~a/b", "9lives", "-alice", "é", "a_b!", &"x".repeat(33), "bob on", "*"] {
        begins(&mut alice, &format!("WATCH {name}"), "C 501 ");
    }
    says(&mut alice, "WATCH nobody0 off", "C 200 done");
    says(&mut alice, "WATCH nobody100", "C 200 nobody100 is offline");
    assert_eq!(alice.list("WATCH").len(), 101);
    // Another session of the account has a hundred of its own, and a new connection none.
    let mut twin = server.bare("alice");
    says(&mut twin, "WATCH nobody200", "C 200 nobody200 is offline");
    server.typed("nobody99").barrier();
    assert_eq!(told(&mut alice), "C 101 nobody99 online");
    assert_eq!(twin.heard(), [""; 0]);
}

#[test]
fn a_cut_is_told_after_ten_seconds_or_not_at_all() {
    let server = Server::builder().no_rates().start();
    let mut alice = server.typed("alice");
    for name in ["bob", "carol", "dave", "erin"] {
        begins(&mut alice, &format!("WATCH {name}"), "C 200 ");
    }
    let (bob, mut carol, dave) = (server.typed("bob"), server.typed("carol"), server.typed("dave"));
    begins(&mut carol, "AWAY lunch", "C 200 ");
    let erin = server.typed("erin");
    for expected in ["bob online", "carol online", "dave online", "carol away lunch", "erin online"] {
        assert_eq!(told(&mut alice), format!("C 101 {expected}"));
    }
    let cut = Instant::now();
    bob.reset();
    carol.reset();
    erin.reset();
    // The end of the input is no cut.
    drop(dave);
    assert_eq!(told(&mut alice), "C 101 dave offline");
    eventually("they are cut", || {
        let here = alice.list("WHO");
        !here.contains(&"carol".to_owned()) && !here.contains(&"erin".to_owned())
    });
    // She was not away, so nobody is told that she was cut and has come back.
    let mut erin = server.typed("erin");
    let mut carol = server.typed("carol");
    assert_eq!(told(&mut alice), "C 101 carol back", "an away is over with the last session");
    assert_eq!(told(&mut alice), "C 101 bob offline");
    assert!(cut.elapsed() >= Duration::from_secs(10), "{:?}", cut.elapsed());
    assert_eq!(alice.heard(), [""; 0]);
    carol.barrier();
    erin.barrier();
}

#[test]
fn an_away_text_has_its_bounds_and_its_end() {
    let mut server = Server::builder().no_rates().start();
    let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
    begins(&mut bob, &format!("AWAY {}", "é".repeat(100)), "C 200 ");
    begins(&mut bob, &format!("AWAY {}x", "é".repeat(100)), "C 501 ");
    for text in ["a\u{1b}[2Jb", "\u{202e}x", "a\u{7f}", "\u{200b}"] {
        begins(&mut bob, &format!("AWAY {text}"), "C 501 ");
    }
    assert!(alice.list("WHOIS bob").contains(&format!("away {}", "é".repeat(100))));
    let mut second = server.typed("bob");
    begins(&mut bob, "EX", "C 221 ");
    assert!(alice.list("WHOIS bob").iter().any(|line| line.starts_with("away ")), "a session is left");
    begins(&mut second, "EX", "C 221 ");
    eventually("bob is offline", || alice.list("WHOIS bob")[0] == "sessions 0");
    let mut bob = server.typed("bob");
    assert!(!alice.list("WHOIS bob").iter().any(|line| line.starts_with("away ")));
    begins(&mut bob, "AWAY over night", "C 200 ");
    server.restart();
    let (mut alice, _bob) = (server.typed("alice"), server.typed("bob"));
    assert!(!alice.list("WHOIS bob").iter().any(|line| line.starts_with("away ")));
}

#[test]
fn a_storm_of_aways_costs_nobody_else() {
    const MANY: usize = 200;
    let server = Server::builder().no_rates().start();
    let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
    let mut crowd: Vec<Client> = (0..MANY).map(|number| server.typed(&format!("c{number}"))).collect();
    for (number, client) in crowd.iter_mut().enumerate() {
        let lines: String = (1..=50).map(|step| format!("C WATCH c{}\n", (number + step) % MANY)).collect();
        client.send_raw(lines.as_bytes());
        (0..50).for_each(|_| _ = client.reply());
    }
    for round in 0..5 {
        for client in &mut crowd {
            client.send_raw(format!("C AWAY round {round}\nC AWAY\n").as_bytes());
        }
        for number in 0..20 {
            says(&mut alice, &format!("DM bob {round} {number}"), "C 250 sent to bob");
            assert!(bob.line().ends_with(&format!(" {round} {number}")));
        }
        for client in &mut crowd {
            assert_eq!(client.reply(), format!("C 200 you are away: round {round}"));
            assert_eq!(client.reply(), "C 200 you are back");
        }
    }
    // Each has heard all of those that it watches, in their order.
    for client in &mut crowd {
        client.barrier_past_notices();
    }
    for client in [&mut alice, &mut bob] {
        assert_eq!(client.heard(), [""; 0]);
    }
}

trait PastNotices {
    fn barrier_past_notices(&mut self);
}

impl PastNotices for Client {
    #[track_caller]
    fn barrier_past_notices(&mut self) {
        assert!(self.heard().iter().all(|line| line.starts_with("C 101 c")));
    }
}
