//! Passwords, failures, sessions of one account, closed registration, restarts.

use std::time::{Duration, Instant};

use testkit::{Client, PASSWORD, Server, pause};

/// Sends a name and then a password, and returns the answer to the password.
#[track_caller]
fn attempt(server: &Server, name: &str, password: &str) -> (Client, String) {
    let mut client = server.greeted();
    client.send(name);
    client.expect("C 33");
    client.send(password);
    let answer = client.line();
    (client, answer)
}

#[test]
fn a_new_password_has_8_to_128_bytes() {
    let server = Server::start();
    let mut client = server.greeted();
    client.send("alice");
    client.expect("C 332 ");
    for bad in ["1234567".to_owned(), "x".repeat(129), "ééé1".to_owned()] {
        client.send(&bad);
        client.expect("C 501 ");
    }
    client.send("éééé");
    client.expect("C 230 welcome alice;");
    for (name, password) in [("bob", "x".repeat(8)), ("carol", "x".repeat(128))] {
        assert!(attempt(&server, name, &password).1.starts_with("C 230 "));
        assert!(attempt(&server, name, &password).1.starts_with("C 230 "));
    }
}

#[test]
fn a_short_password_is_wrong_a_long_one_refused() {
    let server = Server::start();
    let _alice = server.bare("alice");
    let (mut client, answer) = attempt(&server, "alice", "short");
    assert!(answer.starts_with("C 530 wrong password; 2 "), "{answer:?}");
    client.send(&"x".repeat(129));
    client.expect("C 501 ");
    client.send(PASSWORD);
    client.expect("C 230 ");
}

#[test]
fn the_shortest_password_is_configurable() {
    let server = Server::builder().set("accounts.password_min_bytes", "1").start();
    assert!(attempt(&server, "alice", "x").1.starts_with("C 230 "));
}

#[test]
fn passwords_match_byte_for_byte() {
    let server = Server::start();
    let password = "  two  words \t ";
    assert!(attempt(&server, "alice", password).1.starts_with("C 230 "));
    for wrong in [password.trim(), password.trim_end(), &password.to_uppercase()] {
        assert!(attempt(&server, "alice", wrong).1.starts_with("C 530 "), "{wrong:?}");
    }
    assert!(attempt(&server, "alice", password).1.starts_with("C 230 "));
    for kind in ["C", "D"] {
        let mut typed = server.greeted();
        typed.send("C alice");
        typed.expect("C 331 ");
        typed.send(&format!("{kind} {password}"));
        typed.expect("C 230 ");
    }
}

#[test]
fn the_third_wrong_password_closes() {
    let server = Server::start();
    let _alice = server.bare("alice");
    let mut client = server.greeted();
    client.send("alice");
    client.expect("C 331 ");
    // Sent ahead: each is checked in turn.
    client.send_raw(b"wrong one\nwrong two\nwrong three\nPM never\n");
    client.expect_exact("C 530 wrong password; 2 tries left");
    client.expect("C 530 wrong password; 1 tr");
    client.expect_421("too many failures");
    assert!(server.wait_for_log("too many failures").contains("INFO"));
}

#[test]
fn a_right_password_after_a_wrong_one_logs_in() {
    let server = Server::start();
    let _alice = server.bare("alice");
    let (mut client, answer) = attempt(&server, "alice", "wrong one");
    assert_eq!(answer, "C 530 wrong password; 2 tries left");
    client.send(PASSWORD);
    client.expect("C 230 ");
}

#[test]
fn a_wrong_password_delays_only_its_sender() {
    let server = Server::builder().set("login.failure_delay_ms", "2000").start();
    let mut alice = server.bare("alice");
    let mut guesser = server.greeted();
    guesser.send("alice");
    guesser.expect("C 331 ");
    let sent = Instant::now();
    guesser.send("wrong one");
    alice.barrier();
    assert_eq!(alice.ask("PM anybody?"), "C 250 sent to 0");
    let _bob = server.bare("bob");
    guesser.silence(Duration::from_millis(1));
    guesser.expect("C 530 ");
    assert!(sent.elapsed() >= Duration::from_millis(1990), "{:?}", sent.elapsed());
}

#[test]
fn too_many_failures_bar_the_address() {
    let server = Server::builder().set("limits.include_loopback", "true").start();
    let _alice = server.bare("alice");
    for _ in 0..3 {
        let mut client = server.greeted();
        client.send("alice");
        let asked = client.line();
        if asked == "C 421 too many failures" {
            return client.expect_closed();
        }
        client.send_raw(b"wrong one\nwrong two\nwrong three\n");
        while client.line() != "C 421 too many failures" {}
        client.expect_closed();
    }
    panic!("nine failures in a row are not held against the address");
}

#[test]
fn a_fifth_login_replaces_the_first() {
    let server = Server::start();
    let mut sessions: Vec<Client> = (0..4).map(|_| server.bare("alice")).collect();
    assert_eq!(sessions[0].list("WHO"), ["alice", "1 online"]);
    let (mut fifth, answer) = attempt(&server, "alice", "wrong one");
    assert!(answer.starts_with("C 530 "), "the password comes first: {answer:?}");
    sessions.iter_mut().for_each(Client::barrier);
    fifth.send(PASSWORD);
    fifth.expect("C 230 welcome alice; 1 online;");
    sessions.remove(0).expect_421("another login took this place");
    // When one of them has left, there is a free place.
    let mut gone = sessions.pop().unwrap();
    assert_eq!(gone.ask("EX"), "C 221 bye");
    gone.expect_closed();
    server.bare("alice").barrier();
    sessions.iter_mut().chain([&mut fifth]).for_each(Client::barrier);
}

#[test]
fn of_fifty_registrations_of_a_name_one_succeeds() {
    let server = Server::start();
    let mut clients: Vec<Client> = (0..50).map(|_| server.greeted()).collect();
    for client in &mut clients {
        client.send("alice");
    }
    for client in &mut clients {
        client.expect("C 332 ");
    }
    for client in &mut clients {
        client.send(PASSWORD);
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut won = 0;
    for client in &mut clients {
        let mut answer = client.line();
        while answer.starts_with("C 450 ") && Instant::now() < deadline {
            pause(50);
            client.send(PASSWORD);
            answer = client.line();
        }
        if answer.starts_with("C 230 ") {
            won += 1;
        } else {
            assert_eq!(answer, "C 553 alice was just taken; your name?");
        }
    }
    assert_eq!(won, 1);
    assert!(attempt(&server, "alice", PASSWORD).1.starts_with("C 230 "));
}

#[test]
fn closed_registration_does_not_say_who_exists() {
    let mut server = Server::start();
    server.bare("alice").barrier();
    server.set("accounts.registration", "\"closed\"");
    server.restart();
    let (mut client, answer) = attempt(&server, "alice", PASSWORD);
    assert!(answer.starts_with("C 230 "), "{answer:?}");
    client.barrier();
    let mut stranger = server.greeted();
    stranger.send("ghost");
    stranger.expect_exact("C 331 ghost, your password?");
    stranger.send_raw(b"short\npassword1\npassword2\n");
    stranger.expect_exact("C 530 wrong password; 2 tries left");
    stranger.expect("C 530 wrong password; 1 tr");
    stranger.expect_421("too many failures");
}

#[test]
fn an_account_survives_kill_9_once_230_was_said() {
    let mut server = Server::start();
    let _alice = server.bare("alice");
    server.kill9();
    server.restart();
    server.returning("alice");
}

#[test]
fn three_wrong_old_passwords_close() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    for _ in 0..2 {
        alice.send("PASSWD");
        alice.expect("C 331 ");
        alice.send("not the password");
        alice.expect("C 530 ");
    }
    alice.send("PASSWD");
    alice.expect("C 331 ");
    alice.send("not the password");
    alice.expect_421("too many failures");
    alice.expect_closed();
}

#[test]
fn invalid_names_are_not_logged() {
    let server = Server::builder().set("login.deadline_s", "1").start();
    let mut hasty = server.greeted();
    hasty.send("Hunter2Hunter2");
    hasty.expect("C 332 ");
    hasty.expect_421("login took too long");
    let mut hastier = server.greeted();
    hastier.send("Correct horse");
    hastier.expect("C 553 a name is one word");
    hastier.send("Correct t1.horse");
    hastier.expect("C 531 ");
    server.wait_for_log("wrong password or token");
    let log = server.log_text();
    assert!(!log.contains("Hunter2") && !log.contains("Correct") && !log.contains("horse"), "{log}");
}
