//! The other operations, prompts and how they end, one reply per line.

use testkit::{Client, PASSWORD, Server};

#[test]
fn who_lists_each_account_once_in_order() {
    let server = Server::start();
    let names = ["carol", "Bob", "alice", "a_x", "a1", "ab", "a.x", "a-x"];
    let mut clients: Vec<Client> = names.map(|name| server.bare(name)).into_iter().collect();
    let _again = server.typed("bob");
    let expected = ["a-x", "a.x", "a1", "a_x", "ab", "alice", "Bob", "carol", "8 online"];
    assert_eq!(clients[0].list("WHO"), expected);
    clients[0].send("who");
    clients[0].expect_exact("C 211-a-x");
}

#[test]
fn who_with_a_prefix_in_any_case() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    let _others = ["Alan", "bob"].map(|name| server.bare(name));
    for prefix in ["al", "AL", "aL"] {
        let lines = alice.list(&format!("WHO {prefix}"));
        assert_eq!(lines[..lines.len() - 1], ["Alan", "alice"]);
    }
    assert_eq!(alice.list("WHO   bob").len(), 2);
    assert_eq!(alice.list("WHO zzz").len(), 1);
}

#[test]
fn who_shows_no_more_lines_than_configured() {
    let server = Server::builder().set("limits.list_lines", "3").start();
    let mut alice = server.bare("alice");
    let _some = ["bob", "carol"].map(|name| server.bare(name));
    assert_eq!(alice.list("WHO"), ["alice", "bob", "carol", "3 online"]);
    let _more = ["dave", "erin"].map(|name| server.bare(name));
    let lines = alice.list("WHO");
    assert_eq!(lines[..3], ["alice", "bob", "carol"]);
    assert!(lines[3].starts_with("3 of 5 ") && lines[3].ends_with("; WHO prefix narrows it"), "{lines:?}");
    assert_eq!(alice.list("WHO d")[0], "dave");
}

#[test]
fn who_sees_people_come_and_go() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    assert_eq!(alice.list("WHO"), ["alice", "1 online"]);
    let mut bob = server.bare("bob");
    assert_eq!(alice.list("WHO"), ["alice", "bob", "2 online"]);
    assert_eq!(bob.ask("EX"), "C 221 bye");
    bob.expect_closed();
    assert_eq!(alice.list("WHO"), ["alice", "1 online"]);
}

#[test]
fn verbs_are_known_in_any_case() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    for (verb, code) in [("noop", "C 200"), ("NoOp", "C 200"), ("wHO", "C 211-alice"), ("pm x", "C 250 sent to 0")] {
        alice.send(verb);
        alice.expect(code);
        if verb == "wHO" {
            alice.expect("C 211 ");
        }
    }
    alice.send("ex");
    alice.expect_exact("C 221 bye");
    alice.expect_closed();
}

#[test]
fn help_names_every_operation_and_explains_each() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    alice.send("HELP");
    let first = alice.expect("C 214");
    let all = alice.rest_of_list(&first).join("\n");
    let verbs = "PM DM EX WHO MAKE JOIN LEAVE RM ROOMS NAMES KICK CLOSE HISTORY MISSED SEARCH UNREAD READ KEEP TOPIC LOCK \
                 WHOIS SET AWAY WATCH IGNORE NOTIFY FORGET WANT TOKEN PASSWD HELP NOOP";
    for verb in verbs.split(' ') {
        assert!(all.contains(verb), "HELP does not name {verb}:\n{all}");
        alice.send(&format!("help {}", verb.to_lowercase()));
        let first = alice.expect("C 214");
        let one = alice.rest_of_list(&first).join("\n");
        assert!(one.contains(verb), "HELP {verb} says:\n{one}");
    }
    alice.barrier();
}

#[test]
fn wrong_arguments_are_told_the_usage() {
    let server = Server::start();
    for mut client in [server.bare("alice"), server.typed("bob")] {
        let general = ["WHO a b", "TOKEN x", "PASSWD x", "NOOP x", "EX x", "HELP a b"];
        let of_rooms =
            ["MAKE", "JOIN  ", "LEAVE", "RM", "ROOMS a b", "NAMES", "KICK a", "CLOSE a b", "KEEP a b", "TOPIC"];
        let of_the_past = ["HISTORY 0", "HISTORY all", "MISSED x", "SEARCH", "UNREAD x", "READ 2026-02-29", "LOCK"];
        let of_people =
            ["WHOIS a b", "SET nick x", "WATCH ~a/b", "IGNORE a b", "NOTIFY all none", "NOTIFY *", "FORGET it"];
        for line in general.iter().chain(&of_rooms).chain(&of_the_past).chain(&of_people) {
            client.op(line);
            client.expect("C 501 usage: ");
        }
        client.barrier();
    }
}

#[test]
fn unknown_operations_and_misplaced_text() {
    let server = Server::start();
    let mut bare = server.bare("alice");
    for line in ["hello", "hello world", "PMX hi", "é"] {
        bare.send(line);
        bare.expect("C 502");
    }
    let mut typed = server.typed("bob");
    typed.send("C hello world");
    typed.expect("C 502");
    typed.send("D hello world");
    typed.expect("C 503");
    typed.barrier();
}

#[test]
fn passwd_ends_the_other_sessions() {
    let server = Server::start();
    let (mut other, mut bob) = (server.bare("alice"), server.bare("bob"));
    let mut alice = server.bare("alice");
    alice.send("PASSWD");
    alice.expect("C 331 ");
    alice.send(PASSWORD);
    alice.expect("C 332 ");
    alice.send("short");
    alice.expect("C 501 ");
    alice.send(" battery staple ");
    alice.expect("C 200");
    other.expect_421("password was changed");
    alice.barrier();
    bob.barrier();
    let mut again = server.greeted();
    again.send_raw(b"alice\ncorrect horse\n battery staple \n");
    again.expect("C 331 ");
    again.expect_exact("C 530 wrong password; 2 tries left");
    again.expect("C 230 ");
}

#[test]
fn passwd_with_a_wrong_old_password_ends_there() {
    let server = Server::start();
    let mut alice = server.typed("alice");
    alice.send("C PASSWD");
    alice.expect("C 331 ");
    alice.send("D wrong one");
    alice.expect("C 530 ");
    alice.barrier();
    assert!(server.typed("alice").ask("NOOP").starts_with("C 200"));
}

#[test]
fn passwd_loses_to_one_that_came_first() {
    let server = Server::start();
    let (mut slow, mut quick) = (server.bare("alice"), server.bare("alice"));
    for client in [&mut slow, &mut quick] {
        client.send("PASSWD");
        client.expect("C 331 ");
        client.send(PASSWORD);
        client.expect("C 332 ");
    }
    quick.send("battery staple");
    quick.expect("C 200");
    slow.expect_421("password was changed");
    let mut again = server.greeted();
    again.send_raw(b"alice\nstolen staple\nbattery staple\n");
    again.expect("C 331 ");
    again.expect("C 530 ");
    again.expect("C 230 ");
    // The current password is needed to change it again.
    for (line, code) in [("PASSWD", "C 331 "), ("battery staple", "C 332 "), ("a third one", "C 200 ")] {
        again.send(line);
        again.expect(code);
    }
    quick.expect_421("password was changed");
}

#[test]
fn passwd_can_be_left_at_both_questions() {
    let server = Server::start();
    let mut bare = server.bare("alice");
    for answers in [&[][..], &[PASSWORD]] {
        bare.send("PASSWD");
        bare.expect("C 331 ");
        for answer in answers {
            bare.send(answer);
            bare.expect("C 332 ");
        }
        bare.send("");
        bare.expect_exact("C 200 cancelled");
    }
    let mut typed = server.typed("alice");
    typed.send_raw(b"C PASSWD\nC NOOP\n");
    typed.expect("C 331 ");
    typed.expect("C 200");
    typed.barrier();
}

#[test]
fn an_empty_line_is_ignored_or_cancels() {
    let server = Server::start();
    let mut bare = server.bare("alice");
    bare.send_raw(b"\n\r\n\n");
    bare.barrier();
    let _bob = server.bare("bob");
    for ask in ["PM", "DM bob"] {
        bare.send(ask);
        bare.expect("C 354 ");
        bare.send_raw(b"\r\n");
        bare.expect_exact("C 200 cancelled");
        bare.barrier();
    }
    let mut typed = server.typed("carol");
    typed.send_raw(b"\nC \n");
    typed.barrier();
    for empty in ["", "C "] {
        typed.send("C PM");
        typed.expect("C 354 ");
        typed.send(empty);
        typed.expect_exact("C 200 cancelled");
    }
    typed.send("D late");
    typed.expect("C 503");
}

#[test]
fn a_typed_command_abandons_a_prompt() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.typed("alice"), server.bare("bob"));
    alice.send_raw(b"C PM\nC NOOP\nC PM\nC PM\nD said\nD not asked\n");
    alice.expect("C 354 ");
    alice.expect("C 200");
    alice.expect("C 354 ");
    alice.expect("C 354 ");
    alice.expect_exact("C 250 sent to 1");
    alice.expect("C 503");
    alice.send_raw(b"C DM\nC PM instead\n");
    alice.expect_all(&["C 211-alice", "C 211-bob", "C 211 2 online", "C 350 name and message?", "C 250 sent to 1"]);
    bob.expect_all(&["D PM alice said", "D PM alice instead"]);
    bob.barrier();
}

#[test]
fn a_refused_line_leaves_a_prompt_open() {
    let server = Server::start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    alice.send("PM");
    alice.expect("C 354 ");
    alice.send("bad \u{1} byte");
    alice.expect("C 501");
    alice.send(&"x".repeat(5000));
    alice.expect("C 500");
    alice.send("good at last");
    alice.expect_exact("C 250 sent to 1");
    bob.expect_exact("D PM alice good at last");
}

#[test]
fn every_line_gets_one_reply_in_order() {
    let server = Server::start();
    let mut bob = server.bare("bob");
    let lines: [(&[u8], &str); 6] = [
        (b"NOOP\n", "C 200"),
        (b"PM hello\n", "C 250 sent to 1"),
        (b"WHO zzz\n", "C 211 "),
        (b"BOGUS\n", "C 502"),
        (b"DM ghost hello\n", "C 550 ghost is not online"),
        (b"PM \x07\n", "C 501"),
    ];
    let mut alice = server.bare("alice");
    alice.send_raw(&lines.map(|(line, _)| line).concat().repeat(5));
    for _ in 0..5 {
        for (line, code) in lines {
            let reply = alice.line();
            assert!(reply.starts_with(code), "{:?} got {reply:?}", String::from_utf8_lossy(line));
        }
    }
    alice.barrier();
    for _ in 0..5 {
        bob.expect_exact("D PM alice hello");
    }
    bob.barrier();
}

#[test]
fn lines_beyond_the_burst_are_not_lost() {
    let server = Server::builder().set("limits.rate_lines_per_s", "50").set("limits.rate_burst", "5").start();
    let mut alice = server.bare("alice");
    alice.send_raw(&b"NOOP\n".repeat(60));
    for _ in 0..60 {
        alice.expect("C 200");
    }
    alice.barrier();
}
