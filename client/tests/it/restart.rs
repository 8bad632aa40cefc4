//! The connection breaks and comes back. The client returns by itself, and sends nothing twice.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread;

use rustix::process::Signal;
use testkit::{Client, Fake, PASSWORD, PATIENCE, Server, Terminal, eventually};

/// A server that keeps its port when it is restarted, with short waits.
fn server() -> Server {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    Server::builder().no_rates().listen(&[&format!("line://127.0.0.1:{port}")]).start()
}

/// A client that has logged in under a new name, and has the token to return without a password.
#[track_caller]
fn logged_in(rows: u16, columns: u16, home: &Path, server: SocketAddr, user: &str) -> Terminal {
    let terminal = Terminal::logged_in(rows, columns, home, server, user);
    let folder = home.join(".local/state/chatd");
    let is_token = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().contains("token-");
    eventually("a token", || fs::read_dir(&folder).is_ok_and(|files| files.flatten().any(|entry| is_token(&entry))));
    terminal
}

#[test]
fn killed_and_started_again() {
    let mut server = server();
    let home = tempfile::tempdir().unwrap();
    let mut alice = logged_in(24, 80, home.path(), server.addr(), "alice");
    alice.keys("before\r");
    alice.wait_for("before (sent to 0)");
    alice.keys("half a line");
    alice.wait_for_line("alice> half a line", 18);

    server.kill9();
    alice.wait_for("is lost");
    alice.wait("the line", |alice| alice.contents().trim_end().ends_with("half a line"));
    server.restart();
    let mut bob = server.typed("bob");
    let passwords = alice.contents().matches("password: ").count();
    alice.wait("a welcome", |alice| alice.contents().matches("welcome alice").count() == 2);
    assert_eq!(alice.contents().matches("password: ").count(), passwords, "{}", alice.contents());
    alice.wait("the line", |alice| alice.contents().trim_end().ends_with("half a line"));
    alice.keys(", whole\r");
    assert!(bob.line().ends_with(" alice half a line, whole"));
    alice.wait_for("half a line, whole (sent to 1)");
    assert!(!alice.contents().contains(PASSWORD));
    // Nothing else was sent.
    bob.typed("NOOP");
    bob.expect("C 200 ");
}

#[test]
fn a_password_change_ends_others_of_its_home() {
    let mut server = server();
    let home = tempfile::tempdir().unwrap();
    let mut first = logged_in(24, 80, home.path(), server.addr(), "alice");
    let folder = home.path().join(".local/state/chatd");
    let kept = || {
        let names = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        names.filter(|path| path.to_string_lossy().contains("token-")).find_map(|path| fs::read_to_string(path).ok())
    };
    eventually("a token", || kept().is_some());
    let mut second = Terminal::client(24, 80, home.path(), server.addr(), "alice");
    second.wait_for("alice> ");
    let old = kept();
    second.keys("/passwd\r");
    for (asked, answer) in
        [("old password: ", PASSWORD), ("choose a new password: ", "battery staple"), ("again: ", "battery staple")]
    {
        second.wait_for(asked);
        second.keys(&format!("{answer}\r"));
    }
    second.wait_for("older tokens are void");
    first.wait_for("password was changed");
    first.expect_exit(1);
    // It is confirmed after the token that was requested before it.
    second.keys("changed\r");
    second.wait_for("changed (sent to 0)");
    assert_ne!(kept(), old);
    server.kill9();
    second.wait_for("is lost");
    server.restart();
    second.wait("a welcome", |client| client.contents().matches("welcome alice").count() == 2);
    assert!(!second.contents().contains("not good any more"), "{}", second.contents());
    assert!(kept().is_some());
}

#[test]
fn in_its_rooms_again() {
    let mut server = server();
    let home = tempfile::tempdir().unwrap();
    let mut alice = logged_in(24, 80, home.path(), server.addr(), "alice");
    alice.keys("/make lobby sesame\r");
    alice.wait_for("alice in lobby> ");
    server.kill9();
    alice.wait_for("is lost");
    server.restart();
    // Rooms are in the server's memory. Somebody is there first and creates it again.
    let mut bob = server.typed("bob");
    bob.typed("MAKE lobby sesame");
    let made = bob.reply();
    assert!(made.starts_with("C 227 ") || made.starts_with("C 553 "), "{made}");
    if made.starts_with("C 553 ") {
        bob.typed("JOIN lobby sesame");
        bob.expect("C 227 ");
    }
    alice.wait("a welcome", |alice| alice.contents().matches("welcome alice").count() == 2);
    let listed = |bob: &mut Client| bob.list("NAMES lobby").iter().any(|line| line.starts_with("alice"));
    eventually("alice is in the room", || listed(&mut bob));
    alice.keys("here again\r");
    let line = loop {
        let line = bob.line();
        if line.starts_with("D ") {
            break line;
        }
    };
    assert!(line.starts_with("D RM ") && line.ends_with(" lobby alice here again"), "{line}");
}

#[test]
fn unconfirmed_lines_are_offered_not_resent() {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::client(24, 80, home.path(), fake.addr(), "alice");
    alice.wait_for("127.0.0.1");
    let playing = thread::spawn(move || {
        let mut client = fake.let_in();
        client.expect_exact("C PM is anybody there?");
        drop(client);
        let mut client = fake.let_in();
        // The next message is what the user enters.
        client.expect_exact("C PM something else");
        client.send("C 250 sent to 3");
        client.expect_exact("C PM is anybody there?");
        client.send("C 250 sent to 4");
        client.expect_exact("C EX");
        client.send("C 221 bye");
        client.expect_reset_or_closed();
    });
    alice.wait_for("password: ");
    alice.keys("whatever\r");
    alice.wait_for("alice> ");
    alice.keys("is anybody there?\r");
    alice.wait_for("/resend");
    alice.wait("another welcome", |alice| alice.contents().matches("welcome").count() == 2);
    alice.keys("something else\r");
    alice.wait_for("something else (sent to 3)");
    alice.keys("/resend\r");
    alice.wait_for("is anybody there? (sent to 4)");
    alice.keys("/quit\r");
    alice.expect_exit(0);
    playing.join().unwrap();
}

#[test]
fn rooms_are_entered_again_with_their_passwords() {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::client(24, 80, home.path(), fake.addr(), "alice");
    let playing = thread::spawn(move || {
        let mut client = fake.let_in();
        client.expect_exact("C JOIN lobby sesame");
        client.send("C 227 lobby token=AAAAAAAAAAAAAAAAAAAAAAAAAA");
        client.expect_exact("C PM go");
        client.send("C 250 sent to 0");
        drop(client);
        let mut client = fake.accept();
        client.send("C 220 fake 0 ready; your name?");
        client.expect_exact("C alice faketoken");
        client.send("C 230 welcome; 1 online");
        let mut sent = Vec::new();
        while sent.len() < 4 {
            let line = client.line();
            match line.as_str() {
                "C TOKEN" => client.send("C 231 faketoken expires=86400"),
                "C WHO" => client.send("C 211 1 online"),
                "C WANT ids reads forgets own" => client.send("C 502 unknown operation"),
                _ => client.send("C 227 lobby token=AAAAAAAAAAAAAAAAAAAAAAAAAA"),
            }
            sent.push(line);
        }
        sent.sort();
        assert_eq!(sent, ["C JOIN lobby sesame", "C TOKEN", "C WANT ids reads forgets own", "C WHO"]);
        let line = client.line();
        assert_eq!(line, "C RM lobby hello again");
        client.send("C 250 sent to 1");
        client.expect_reset_or_closed();
    });
    alice.wait_for("password: ");
    alice.keys("whatever\r");
    alice.wait_for("alice> ");
    alice.keys("/join lobby sesame\r");
    alice.wait_for("alice in lobby> ");
    alice.keys("/pm go\r");
    alice.wait("another welcome", |alice| alice.contents().matches("welcome").count() == 2);
    alice.keys("\x15hello again\r");
    alice.wait_for("hello again (sent to 1)");
    assert!(!alice.contents().contains("AAAAAAAA"), "a token is nothing to look at:\n{}", alice.contents());
    alice.signal(Signal::TERM);
    alice.expect_exit(0);
    playing.join().unwrap();
}

#[test]
fn a_server_that_asks_for_patience_is_given_it() {
    let mut server = server();
    let home = tempfile::tempdir().unwrap();
    let mut alice = logged_in(24, 80, home.path(), server.addr(), "alice");
    let kept = home.path().join(".local/state/chatd");
    eventually("a token is kept", || fs::read_dir(&kept).is_ok_and(|mut files| files.next().is_some()));
    server.term();
    alice.wait_for("shutting down, retry in 2 s");
    server.restart();
    let began = std::time::Instant::now();
    alice.wait("a welcome", |alice| alice.contents().matches("welcome alice").count() == 2);
    assert!(began.elapsed() < PATIENCE);
}

#[test]
fn an_outage_takes_one_line_of_a_terminal() {
    let mut server = server();
    let home = tempfile::tempdir().unwrap();
    let mut alice = logged_in(24, 60, home.path(), server.addr(), "alice");
    alice.keys("half a line");
    alice.wait_for_line("alice> half a line", 18);
    server.kill9();
    alice.wait_for("is lost");
    // Each attempt is shown in place of the one before.
    let tries = |alice: &Terminal| alice.raw().matches("-- trying again in ").count();
    alice.wait("two tries", |alice| tries(alice) >= 2);
    alice.wait("the line", |alice| alice.contents().trim_end().ends_with("half a line"));
    let contents = alice.contents();
    let rows: Vec<&str> = contents.lines().skip_while(|row| !row.contains("is lost")).collect();
    let trying = rows.iter().filter(|row| row.contains("trying ") || row.contains("connecting to")).count();
    assert_eq!(trying, 1, "{contents}");
    server.restart();
    alice.wait("a welcome", |alice| alice.contents().matches("welcome alice").count() == 2);
}

#[test]
fn an_outage_is_told_once_to_a_script() {
    let mut server = server();
    let home = tempfile::tempdir().unwrap();
    let address = server.addr().to_string();
    let mut client = std::process::Command::new(env!("CARGO_BIN_EXE_chatclient"))
        .args(["--register", "--listen", "--plain", &address, "alice"])
        .env("HOME", home.path())
        .env_remove("XDG_STATE_HOME")
        .env("CHATCLIENT_PASSWORD", PASSWORD)
        .stdin(std::process::Stdio::null())
        .stdout(fs::File::create(home.path().join("out")).unwrap())
        .stderr(fs::File::create(home.path().join("err")).unwrap())
        .spawn()
        .unwrap();
    let told = || fs::read_to_string(home.path().join("err")).unwrap();
    eventually("a welcome", || told().contains("welcome alice"));
    server.kill9();
    eventually("a failed try", || told().contains("nobody listens there"));
    // At least two more attempts happen in this time. They print nothing, so there is nothing to wait for.
    testkit::pause(6000);
    let before = told();
    for once in ["is lost", "trying 127", "nobody listens there", "connecting to"] {
        assert_eq!(before.matches(once).count(), 1, "{before}");
    }
    server.restart();
    let back = || told().matches("welcome alice").count() == 2;
    let deadline = std::time::Instant::now() + PATIENCE;
    while !back() {
        assert!(std::time::Instant::now() < deadline, "{}", told());
        testkit::pause(20);
    }
    rustix::process::kill_process(rustix::process::Pid::from_child(&client), Signal::TERM).unwrap();
    assert_eq!(client.wait().unwrap().code(), Some(0));
}
