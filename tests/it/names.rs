//! Answers to invalid names: two words, words for leaving, reserved words.

use std::fs;

use testkit::{Client, PASSWORD, Server};

const ONE_WORD: &str = "C 553 a name is one word, for example zoe.miller; your name?";

#[test]
fn two_words_are_told_so_and_are_no_failure() {
    // A third failure would close the connection, and from this address refuse the next one.
    let server = Server::builder().set("limits.include_loopback", "true").start();
    for dress in ["", "C "] {
        let mut client = server.greeted();
        for line in ["Zoe Miller", "NICK alice", "EHLO x", "CONNECT {}", "alice nonsense", "GET /index.html"] {
            client.send(&format!("{dress}{line}"));
            client.expect_exact(ONE_WORD);
        }
        client.send(&format!("{dress}zoe.miller"));
        client.expect("C 33");
    }
    assert!(!server.log_text().contains("wrong password or token"), "{}", server.log_text());
    server.bare("alice").barrier();
}

#[test]
fn a_word_in_the_shape_of_a_token_is_one() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    let token = alice.ask("TOKEN");
    let token = token.split(' ').nth(2).expect("a token").to_owned();
    let mut resumed = server.greeted();
    resumed.send(&format!("\u{feff}alice {token}"));
    resumed.expect("C 230 ");
    let mut refused = server.greeted();
    refused.send("alice t1.0.nonsense");
    refused.expect_exact("C 531 token refused; your password?");
}

#[test]
fn words_by_which_people_leave() {
    let mut server = Server::start();
    for word in ["EX", "ex", "quit", "EXIT", "Bye", "C quit", "C EX"] {
        let mut client = server.greeted();
        client.send(word);
        client.expect_exact("C 221 bye");
        client.expect_closed();
    }
    for word in ["quit", "exit", "bye", "EX"] {
        let mut client = server.bare("alice");
        assert_eq!(client.ask(word), "C 221 bye");
        client.expect_closed();
    }
    // Also where it must stay secret who has an account.
    server.set("accounts.registration", "\"closed\"");
    server.restart();
    for word in ["EX", "quit", "exit", "bye"] {
        let mut client = server.greeted();
        client.send(word);
        client.expect_exact("C 221 bye");
    }
}

/// Renames the account of `alice` in the account file to a name that was reserved later. The server is stopped.
fn rename_alice(server: &Server, name: &str) {
    let path = server.path("accounts");
    let text = fs::read_to_string(&path).expect("the account file");
    let (head, line) = text.trim_end().rsplit_once('\n').expect("a header and a line");
    let line = line.replace(":alice:", &format!(":{name}:"));
    let (body, _) = line.rsplit_once(':').expect("a checksum");
    let body = format!("{body}:");
    let sealed = format!("{head}\n{body}{}\n", chatd::auth::fuzzing::seal(&body));
    fs::write(&path, sealed).expect("the account file");
}

#[test]
fn an_account_keeps_a_name_reserved_later() {
    for name in ["quit", "history", "op", "host"] {
        let mut server = Server::start();
        server.bare("alice").barrier();
        server.term();
        rename_alice(&server, name);
        server.restart();
        server.returning(name).barrier();
        for registration in ["open", "closed"] {
            server.set("accounts.registration", &format!("{registration:?}"));
            server.restart();
            server.returning(name).barrier();
        }
    }
}

#[test]
fn names_that_no_new_account_may_have() {
    let server = Server::start();
    let words = "server admin root system chatd nickserv op PM BM DM WHO MAKE JOIN LEAVE RM ROOMS NAMES KICK CLOSE \
                 TOKEN PASSWD HELP NOOP history missed search unread read notify forget keep topic lock whois set away \
                 watch ignore want nick invite host public";
    let words: Vec<&str> = words.split_whitespace().collect();
    for some in words.chunks(20) {
        let mut client = server.greeted();
        for word in some {
            client.send(word);
            client.expect_exact(&format!("C 553 {word} is reserved; your name?"));
        }
    }
    // A refused name does not set the dialect.
    let mut client = server.greeted();
    client.send("C history");
    client.expect("C 553 ");
    client.login_bare("alice");
    client.barrier();
}

/// The lines sent to a connection after these lines, up to its end.
fn told(server: &Server, lines: &[&str]) -> Vec<String> {
    let mut client: Client = server.greeted();
    let mut told = Vec::new();
    for line in lines {
        client.send(line);
        told.push(client.line());
    }
    told
}

#[test]
fn a_closed_server_answers_every_name_in_one_way() {
    let mut server = Server::start();
    server.bare("Alice").barrier();
    server.set("accounts.registration", "\"closed\"");
    server.restart();
    // Existing, missing and reserved names get the same answers, except for the name as typed.
    for (there, other) in [("aLICE", "gHOST"), ("Alice", "Ghost"), ("ALICE", "NOOPS"), ("alice", "admin")] {
        for script in [&["wrong one", "wrong two"][..], &["", "x y"], &["x"], &["\u{1}", "wrong one"]] {
            let of = |name: &str| {
                let lines = [&[name], script].concat();
                told(&server, &lines).join("\n").replace(name, "NAME")
            };
            assert_eq!(of(there), of(other), "{there} and {other}, then {script:?}");
            let by_token = |name: &str| {
                let first = format!("{name} t1.99999999999.00");
                told(&server, &[&[first.as_str()], script].concat())
            };
            assert_eq!(by_token(there), by_token(other), "{there} and {other} with a token, then {script:?}");
        }
    }
    assert_eq!(told(&server, &["aLICE"]), ["C 331 aLICE, your password?"]);
    // The registered spelling is shown after the login.
    assert_eq!(told(&server, &["aLICE", PASSWORD])[1], "C 230 welcome Alice; 1 online; HELP lists what you can do");
}

#[test]
fn nobody_has_a_name_of_the_server() {
    let names = "[\"chat.example\", \"localhost\"]";
    let server = Server::builder().listen(&["line://127.0.0.1:0?guests=yes"]).set("web.names", names).start();
    let mut client = server.greeted();
    for name in ["chatd.local", "Chatd.LOCAL", "CHAT.example"] {
        client.send(name);
        client.expect_exact(&format!("C 553 {name} is reserved; your name?"));
        client.send(&format!("~{name}"));
        client.expect_exact("C 553 that name is reserved; your name?");
    }
    client.send("~NickServ");
    client.expect_exact("C 553 that name is reserved; your name?");
    client.send("localhost");
    client.expect("C 332 localhost is new here");
    let mut rob = server.greeted();
    rob.send("~rob");
    rob.expect("C 230 ");
    assert_eq!(rob.ask("NICK ~chatd.local"), "C 553 that name is reserved");
}

#[test]
fn an_operator_adds_no_account_by_a_name_of_the_server() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), "irc.name = 'irc.example'\nweb.names = ['chat.example']").unwrap();
    for name in ["irc.example", "Chat.Example"] {
        let outcome = testkit::run(env!("CARGO_BIN_EXE_chatd"), folder.path(), &["accounts", "add", name]);
        assert_eq!(
            (outcome.code, outcome.stderr.as_str()),
            (Some(1), &*format!("chatd: '{name}' is reserved; choose another name\n"))
        );
    }
    let server = Server::start();
    let mut desk = server.desk();
    let answer = desk.ask("accounts add chatd.local");
    assert!(answer.last.contains("'chatd.local' is reserved"), "{answer:?}");
}
