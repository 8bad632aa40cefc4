//! WHOIS and SET.

use testkit::{Client, Server};

use super::{begins, delete, says, twice};

/// What WHOIS answers, without `since` and `idle`, which the clock decides.
#[track_caller]
fn whois(client: &mut Client, name: &str) -> Vec<String> {
    let mut lines = client.list(&format!("WHOIS {name}"));
    lines.retain(|line| !line.starts_with("since ") && !line.starts_with("idle "));
    lines
}

#[test]
fn a_profile_is_shown_in_its_order() {
    let mut server = Server::builder().no_rates().start();
    let mut alice = server.typed("alice");
    for (key, value) in [
        ("about", "likes tea"),
        ("URL", "https://alice.example/a?b"),
        ("zone", "Europe/Berlin"),
        ("pronouns", "she/her"),
        ("status", "on  a train"),
        ("Name", "Алиса 上海"),
    ] {
        says(&mut alice, &format!("SET {key} {value}"), "C 200 done");
    }
    drop(alice);
    testkit::eventually("alice is away", || !server.typed("bob").list("WHO").contains(&"alice".to_owned()));
    twice(&mut server, |server| {
        let mut bob = server.bare("bob");
        let lines = bob.list("WHOIS ALICE");
        let keys: Vec<&str> = lines.iter().map(|line| line.split(' ').next().unwrap_or_default()).collect();
        let expected = ["sessions", "since", "seen", "name", "status", "pronouns", "zone", "url", "about", "alice"];
        assert_eq!(keys, expected, "{lines:?}");
        assert_eq!(lines[0], "sessions 0");
        assert_eq!(lines[3..6], ["name Алиса 上海", "status on  a train", "pronouns she/her"]);
        let set = bob.list("SET");
        assert_eq!(set, ["bob"], "what is another's is not one's own");
    });
    let mut alice = server.typed("alice");
    assert_eq!(alice.list("SET zone"), ["zone Europe/Berlin", "alice"]);
    for key in ["name", "status", "pronouns", "zone", "url", "about", "about"] {
        says(&mut alice, &format!("SET {key} -"), "C 200 done");
    }
    assert_eq!(alice.list("SET"), ["alice"]);
    assert_eq!(whois(&mut alice, ""), ["sessions 1", "alice"]);
}

#[test]
fn what_a_terminal_obeys_is_refused_and_never_shown() {
    let server = Server::builder().no_rates().start();
    let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
    says(&mut alice, "SET name Alice", "C 200 done");
    let mut bad: Vec<char> = ('\u{1}'..'\u{20}').filter(|c| !matches!(c, '\t' | '\n')).collect();
    bad.extend('\u{7f}'..='\u{9f}');
    bad.extend(['\u{2028}', '\u{2029}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{206f}', '\u{fff9}', '\u{e0041}']);
    for (number, c) in bad.into_iter().enumerate() {
        // A CR at the end belongs to the end of the line.
        for text in [format!("a{c}b"), format!("{c}b"), format!("a{c} b")] {
            let told = alice.ask(&format!("SET name {text}"));
            assert!(told.starts_with("C 501 "), "{c:?}: {told:?}");
        }
        if number % 25 == 24 {
            // The hundredth bad line of a connection ends it.
            alice = server.typed("alice");
        }
    }
    alice = server.typed("alice");
    for text in ["\u{200b}", "\u{feff}\u{2060}"] {
        begins(&mut alice, &format!("SET name {text}"), "C 501 ");
    }
    assert!(bob.list("WHOIS alice").contains(&"name Alice".to_owned()));
    says(&mut alice, "SET name A\u{200b}l\u{feff}", "C 200 done");
    assert!(bob.list("WHOIS alice").contains(&"name Al".to_owned()));
}

#[test]
fn values_have_their_bounds() {
    let server = Server::builder().no_rates().start();
    let mut alice = server.typed("alice");
    let wide = "上".repeat(21);
    for (key, most) in [("name", 64), ("status", 128), ("pronouns", 32), ("zone", 48), ("about", 512)] {
        says(&mut alice, &format!("SET {key} {}", "x".repeat(most)), "C 200 done");
        begins(&mut alice, &format!("SET {key} {}", "x".repeat(most + 1)), "C 501 ");
    }
    says(&mut alice, &format!("SET name {wide}x"), "C 200 done");
    begins(&mut alice, &format!("SET name {wide}é"), "C 501 ");
    assert!(alice.list("WHOIS").contains(&format!("name {wide}x")));
    let url = format!("https://{}", "x".repeat(256 - 8));
    says(&mut alice, &format!("SET url {url}"), "C 200 done");
    begins(&mut alice, &format!("SET url {url}x"), "C 501 ");
    for url in ["ftp://x", "javascript:alert(1)", "http://", "x", "https://a b", "file:///etc/passwd"] {
        begins(&mut alice, &format!("SET url {url}"), "C 501 ");
    }
    for command in ["SET password x", "SET since 2020-01-01", "SET seen all", "SET sessions 5", "SET nick x"] {
        begins(&mut alice, command, "C 501 ");
    }
}

#[test]
fn what_is_hidden_or_gone_is_not_shown() {
    let mut server = Server::builder().no_rates().start();
    let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
    for command in ["SET seen none", "SET about a secret", "SET name Alice"] {
        says(&mut alice, command, "C 200 done");
    }
    assert!(!bob.list("WHOIS alice").iter().any(|line| line.starts_with("idle ")));
    begins(&mut alice, "EX", "C 221 ");
    testkit::eventually("she is away", || bob.list("WHOIS alice")[0] == "sessions 0");
    assert!(!bob.list("WHOIS alice").iter().any(|line| line.starts_with("seen ") || line.starts_with("idle ")));
    begins(&mut bob, "WHOIS nobody", "C 550 ");
    begins(&mut bob, "WHOIS ~nobody", "C 550 ");
    begins(&mut bob, "WHOIS -alice", "C 550 ");
    begins(&mut bob, "WHOIS a b", "C 501 ");
    delete(&server, "alice");
    begins(&mut bob, "WHOIS alice", "C 550 ");
    // Registered anew, also over a restart: nothing is inherited.
    server.typed("alice").barrier();
    twice(&mut server, |server| {
        let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
        assert_eq!(alice.list("SET"), ["alice"]);
        assert_eq!(whois(&mut bob, "alice"), ["sessions 1", "alice"]);
        assert!(bob.list("WHOIS alice").iter().any(|line| line.starts_with("idle ")));
    });
}

#[test]
fn two_sessions_change_the_same_key_at_once() {
    let mut server = Server::builder().no_rates().start();
    let mut sessions = ["one", "two"].map(|word| (word, server.typed("alice")));
    let mut changed = 0;
    for round in 0..50 {
        for (word, session) in &mut sessions {
            session.typed(&format!("SET status {word} {round}"));
        }
        let told = sessions.each_mut().map(|(_, session)| session.reply());
        assert!(told.iter().all(|told| told == "C 200 done" || told.starts_with("C 450 ")), "{told:?}");
        let done = told.iter().filter(|told| told.starts_with("C 200")).count();
        assert!(done > 0, "{told:?}");
        changed += done;
        let status = sessions[0].1.list("SET status").remove(0);
        let expected =
            [0, 1].map(|n| told[n].starts_with("C 200").then(|| format!("status {} {round}", sessions[n].0)));
        assert!(expected.contains(&Some(status.clone())), "{told:?}: {status}");
        assert_eq!(sessions[1].1.list("SET status")[0], status);
    }
    println!("{changed} of 100 changes were not too soon");
    let status = sessions[0].1.list("SET status");
    drop(sessions);
    server.kill9();
    server.restart();
    assert_eq!(server.typed("alice").list("SET status"), status);
}
