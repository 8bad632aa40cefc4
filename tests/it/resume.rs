//! Resume tokens: what they open, what ends them, and that the log does not contain them.

use testkit::{Client, PASSWORD, Server};

/// A token for this client's account.
#[track_caller]
fn token_of(client: &mut Client) -> String {
    let reply = client.ask("TOKEN");
    let mut words = reply.strip_prefix("C 231 ").expect("231").split(' ');
    let (token, expires) = (words.next().unwrap(), words.next().unwrap());
    assert!(token.bytes().all(|b| b.is_ascii_graphic()) && token.len() <= 470, "{token:?}");
    let seconds: u64 = expires.strip_prefix("expires=").unwrap().parse().unwrap();
    assert!((1..=24 * 60 * 60).contains(&seconds), "{expires}");
    assert_eq!(words.next(), None);
    token.to_owned()
}

#[test]
fn a_token_resumes_after_a_restart_too() {
    let mut server = Server::start();
    let token = token_of(&mut server.bare("alice"));
    for name in ["alice", "ALICE ", " alice"] {
        let mut client = server.greeted();
        client.send(&format!("{name} {token}"));
        client.expect_exact("C 230 welcome alice; 1 online; HELP lists what you can do");
        client.barrier();
        assert_eq!(client.ask("EX"), "C 221 bye");
        client.expect_closed();
    }
    server.restart();
    let mut typed = server.greeted();
    typed.send(&format!("C alice {token}"));
    typed.expect("C 230 welcome alice;");
}

#[test]
fn a_refused_token_counts_as_a_failure() {
    let server = Server::start();
    let token = token_of(&mut server.bare("alice"));
    let _bob = server.bare("bob");
    let middle = token.len() / 2;
    let other = token.chars().find(|c| !token[middle..].starts_with(|m: char| m.eq_ignore_ascii_case(c))).unwrap();
    let tampered = format!("{}{other}{}", &token[..middle], &token[middle + 1..]);
    for line in ["alice t1.nonsense".to_owned(), format!("bob {token}"), format!("alice {tampered}")] {
        let mut client = server.greeted();
        client.send(&line);
        client.expect_exact("C 531 token refused; your password?");
        client.send("wrong one");
        client.expect("C 530 wrong password; 1 tr");
        client.send(PASSWORD);
        client.expect("C 230 ");
        assert_eq!(client.ask("EX"), "C 221 bye");
        client.expect_closed();
    }
}

#[test]
fn an_unknown_name_with_a_token_learns_nothing() {
    let server = Server::start();
    let mut client = server.greeted();
    client.send("ghost t1.nonsense");
    client.expect_exact("C 531 token refused; your password?");
    client.send("password1");
    client.expect("C 530 wrong password; 1 tr");
}

#[test]
fn changing_the_password_ends_all_older_tokens() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    let old = token_of(&mut alice);
    for (line, code) in [("PASSWD", "C 331 "), (PASSWORD, "C 332 "), ("battery staple", "C 200 ")] {
        alice.send(line);
        alice.expect(code);
    }
    let mut refused = server.greeted();
    refused.send(&format!("alice {old}"));
    refused.expect_exact("C 531 token refused; your password?");
    refused.send("battery staple");
    refused.expect("C 230 ");
    let mut resumed = server.greeted();
    resumed.send(&format!("alice {}", token_of(&mut alice)));
    resumed.expect("C 230 ");
}

#[test]
fn neither_passwords_nor_tokens_are_logged() {
    let mut server = Server::builder().set("log.level", "\"trace\"").start();
    let mut alice = server.bare("alice");
    let token = token_of(&mut alice);
    let mut guesser = server.greeted();
    guesser.send_raw(b"alice\nwrong but secret\n");
    guesser.expect("C 331 ");
    guesser.expect("C 530 ");
    let mut resumed = server.greeted();
    resumed.send(&format!("alice {token}"));
    resumed.expect("C 230 ");
    assert_eq!(resumed.ask("PM a private matter"), "C 250 sent to 1");
    server.term();
    let log = server.log_text();
    assert!(log.contains("listening on"), "{log}");
    for secret in [PASSWORD, "wrong but secret", token.as_str(), "a private matter"] {
        assert!(!log.contains(secret), "{secret:?} is in the log");
    }
}
