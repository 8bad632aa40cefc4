//! From the greeting to `230`: the dialogue, names, limits before login.

use testkit::{Client, PASSWORD, Server, pause};

const WELCOME: &str = "C 230 welcome alice; 1 online; HELP lists what you can do";

#[test]
fn a_newcomer_registers_without_types() {
    let server = Server::start();
    let mut alice = server.connect();
    let greeting = alice.line();
    assert!(greeting.starts_with("C 220 chatd ") && greeting.ends_with(" ready; your name?"), "{greeting:?}");
    alice.send("alice");
    alice.expect_exact("C 332 alice is new here; choose a password");
    alice.send("correct horse");
    alice.expect_exact(WELCOME);
    alice.send("EX");
    alice.expect_exact("C 221 bye");
    alice.expect_closed();
}

#[test]
fn a_newcomer_registers_with_typed_frames() {
    let server = Server::start();
    let mut alice = server.greeted();
    alice.send("C alice");
    alice.expect_exact("C 332 alice is new here; choose a password");
    alice.send("C correct horse");
    alice.expect_exact(WELCOME);
    alice.send("C EX");
    alice.expect_exact("C 221 bye");
    alice.expect_closed();
}

#[test]
fn somebody_known_is_asked_for_the_password() {
    let server = Server::start();
    let mut first = server.bare("alice");
    assert_eq!(first.ask("EX"), "C 221 bye");
    first.expect_closed();
    let mut again = server.greeted();
    again.send("alice");
    again.expect_exact("C 331 alice, your password?");
    again.send(PASSWORD);
    again.expect_exact(WELCOME);
}

#[test]
fn a_login_sent_byte_by_byte_is_the_same_login() {
    let server = Server::start();
    let mut alice = server.greeted();
    for byte in "alice\ncorrect horse\nPM hello\nEX\n".bytes() {
        alice.send_raw(&[byte]);
    }
    alice.expect_all(&["C 332 alice is new here; choose a password", WELCOME, "C 250 sent to 0", "C 221 bye"]);
    alice.expect_closed();
}

#[test]
fn a_login_sent_in_one_piece_is_the_same_login() {
    let server = Server::start();
    for (name, text) in [
        ("alice", "alice\ncorrect horse\nPM hello\nEX\n"),
        ("bob", "bob\r\ncorrect horse\r\nPM hello\r\nEX\r\n"),
        ("carol", "C carol\nC correct horse\nC PM hello\nC EX\n"),
        ("dave", "C dave\r\nC correct horse\r\nC PM hello\r\nC EX\r\n"),
    ] {
        // A client may send before it has read the greeting.
        let mut client = server.connect();
        client.send_raw(text.as_bytes());
        client.expect("C 220 ");
        client.expect_exact(&format!("C 332 {name} is new here; choose a password"));
        client.expect_exact(&format!("C 230 welcome {name}; 1 online; HELP lists what you can do"));
        client.expect_all(&["C 250 sent to 0", "C 221 bye"]);
        client.expect_closed();
    }
}

#[test]
fn names_that_are_none_are_asked_for_again() {
    let server = Server::start();
    let long = "a".repeat(33);
    let bad = ["1alice", "_alice", "al/ice", "al:ice", "älice", "alicé", "-", "@bob", long.as_str()];
    let reserved = ["server", "admin", "ROOT", "System", "chatd", "pm", "DM", "who", "NOOP", "help", "rooms", "passwd"];
    let mut client = server.greeted();
    for name in bad.iter().chain(&reserved) {
        client.send(name);
        client.expect("C 553 ");
    }
    client.login_bare("alice");
}

#[test]
fn names_that_are_some() {
    let server = Server::start();
    let long = "a".repeat(32);
    for name in ["a", "GET", "Alice_1.b-c", "z.", long.as_str()] {
        let mut client = server.bare(name);
        assert_eq!(client.ask("EX"), "C 221 bye");
    }
}

#[test]
fn spaces_around_a_name_do_not_count() {
    let server = Server::start();
    let mut alice = server.greeted();
    alice.send("   alice  ");
    alice.expect_exact("C 332 alice is new here; choose a password");
    let mut bob = server.greeted();
    bob.send("C   bob ");
    bob.expect_exact("C 332 bob is new here; choose a password");
}

#[test]
fn a_name_is_the_same_in_any_case() {
    let server = Server::start();
    let mut first = server.bare("Alice");
    let mut second = server.greeted();
    second.send("aLICE");
    second.expect("C 331 ");
    second.send(PASSWORD);
    second.expect_exact("C 230 welcome Alice; 1 online; HELP lists what you can do");
    assert_eq!(first.list("WHO"), ["Alice", "1 online"]);
}

#[test]
fn an_empty_password_goes_back_to_the_name() {
    let server = Server::start();
    let mut bare = server.greeted();
    bare.send("alice");
    bare.expect("C 332 ");
    bare.send("");
    bare.expect_exact("C 200 cancelled; your name?");
    bare.login_bare("bob");
    let mut typed = server.greeted();
    for empty in ["", "C "] {
        typed.send("C bob");
        typed.expect("C 331 ");
        typed.send(empty);
        typed.expect_exact("C 200 cancelled; your name?");
    }
    typed.login_typed("bob");
}

#[test]
fn there_are_no_operations_before_login() {
    let server = Server::start();
    let mut bare = server.greeted();
    for verb in ["NOOP", "who", "bm"] {
        bare.send(verb);
        bare.expect("C 553 ");
    }
    bare.send("bob");
    bare.expect("C 332 ");
    bare.send("NOOP NOOP");
    bare.expect("C 230 welcome bob;");
    let mut again = server.greeted();
    again.send("bob");
    again.expect("C 331 ");
    again.send("NOOP NOOP");
    again.expect("C 230 welcome bob;");
}

#[test]
fn before_login_both_types_are_just_the_answer() {
    let server = Server::start();
    let mut client = server.greeted();
    client.send("C noop");
    client.expect("C 553 ");
    client.send("C alice");
    client.expect_exact("C 332 alice is new here; choose a password");
    client.send("D correct horse");
    client.expect_exact(WELCOME);
    let mut other = server.greeted();
    other.send("C alice");
    other.expect("C 331 ");
    other.send("C correct horse");
    other.expect_exact(WELCOME);
}

#[test]
fn an_untyped_line_in_a_typed_login_is_refused() {
    let server = Server::start();
    let mut client = server.greeted();
    client.send("C alice");
    client.expect("C 332 ");
    client.send("correct horse");
    client.expect("C 501");
    client.send("C correct horse");
    client.expect_exact(WELCOME);
}

#[test]
fn a_line_before_login_is_512_bytes_at_most() {
    let server = Server::start();
    let mut client = server.greeted();
    client.send(&"a".repeat(511));
    client.expect("C 553");
    client.send(&"a".repeat(512));
    client.expect("C 500");
    client.send_raw(format!("{}\r\n", "a".repeat(510)).as_bytes());
    client.expect("C 553");
    client.send_raw(format!("{}\r\n", "a".repeat(511)).as_bytes());
    client.expect("C 500");
    client.login_bare("alice");
}

#[test]
fn the_lines_before_login_are_counted() {
    let server = Server::start();
    let mut client = server.greeted();
    client.send_raw("1bad\n".repeat(40).as_bytes());
    let mut answered = 0;
    let last = loop {
        let line = client.line();
        if !line.starts_with("C 553 ") {
            break line;
        }
        answered += 1;
    };
    assert_eq!(last, "C 421 too many failures");
    assert!((31..=32).contains(&answered), "{answered} lines were answered");
    client.expect_closed();
}

#[test]
fn a_login_must_be_done_in_time_whatever_is_sent() {
    let server = Server::builder().set("login.deadline_s", "2").start();
    let mut talker = server.bare("alice");
    let mut silent = server.greeted();
    let mut halfway = server.greeted();
    halfway.send("bob");
    halfway.expect("C 332 ");
    let mut slow = server.greeted();
    slow.send_raw(b"car");
    for client in [&mut silent, &mut halfway, &mut slow] {
        client.expect_421("login took too long");
    }
    // A logged-in client stays, however long ago the deadline was.
    talker.barrier();
}

#[test]
fn more_names_do_not_move_the_login_deadline() {
    let server = Server::builder().set("login.deadline_s", "2").start();
    let mut client = server.greeted();
    for _ in 0..30 {
        client.send("1bad");
        let line = client.line();
        if line == "C 421 login took too long" {
            return client.expect_closed();
        }
        assert!(line.starts_with("C 553 "), "{line:?}");
        pause(100);
    }
    panic!("the deadline moves");
}

#[test]
fn n_online_counts_accounts_not_sessions() {
    let server = Server::start();
    let online = |name: &str| -> (Client, String) {
        let mut client = server.greeted();
        client.send(name);
        client.expect("C 33");
        client.send(PASSWORD);
        let welcome = client.expect("C 230 ");
        (client, welcome.split("; ").nth(1).unwrap().to_owned())
    };
    let (_alice, first) = online("alice");
    let (_again, second) = online("alice");
    let (_bob, third) = online("bob");
    assert_eq!([first, second, third], ["1 online", "1 online", "2 online"]);
}
