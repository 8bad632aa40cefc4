//! Going back to where one was.

use std::fs;
use std::path::Path;

use testkit::{Server, Terminal, program};

fn client(home: &Path, arguments: &[&str]) -> Terminal {
    Terminal::start(24, 80, home, &program("chatclient"), arguments)
}

fn rooms_file(home: &Path) -> String {
    let files = fs::read_dir(home.join(".local/state/chatd")).unwrap().flatten();
    let found = files.filter(|file| file.file_name().to_string_lossy().starts_with("rooms-"));
    found.map(|file| fs::read_to_string(file.path()).unwrap()).collect()
}

/// Waits for this, wherever the rows break.
#[track_caller]
fn wait_for_words(alice: &mut Terminal, words: &str) {
    alice.wait(words, |alice| alice.contents().split_whitespace().collect::<Vec<_>>().join(" ").contains(words));
}

#[track_caller]
fn quit(mut alice: Terminal) {
    alice.keys("/quit\r");
    alice.expect_exit(0);
}

#[test]
fn without_arguments_it_goes_back() {
    let server = Server::builder().no_rates().start();
    let mut bob = server.typed("bob");
    for room in ["MAKE lobby", "MAKE den sesame", "MAKE attic"] {
        bob.ask(room);
    }
    let home = tempfile::tempdir().unwrap();
    client(home.path(), &[]).expect_exit(2);
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "Alice");
    alice.keys("/join attic\r/join den sesame\r/join lobby\r");
    alice.wait_for("Alice in lobby>");
    quit(alice);
    assert!(!rooms_file(home.path()).contains("sesame"), "{}", rooms_file(home.path()));

    let mut alice = client(home.path(), &["--no-color"]);
    alice.wait_for("Alice in lobby>");
    let shown = alice.contents();
    assert!(shown.contains("you are in attic") && shown.contains("den has a password: /join den"), "{shown}");
    // What is said goes there at once.
    alice.keys("hi\r/leave\r/leave attic\r");
    while !bob.line().ends_with(" lobby Alice hi") {}
    alice.wait_for("you have left attic");
    quit(alice);

    // A server given by name has its rooms too.
    bob.ask("CLOSE attic");
    let mut alice = Terminal::client(24, 80, home.path(), server.addr(), "alice");
    alice.wait_for("den has a password");
    alice.wait_for_line("Alice> ", 7);
    assert!(!alice.contents().contains("attic") && !alice.contents().contains("lobby"), "{}", alice.contents());
    alice.keys("/join den sesame\r");
    alice.wait_for("Alice in den>");
    bob.ask("CLOSE den");
    alice.wait_for_line("Alice> ", 7);
    quit(alice);
    let mut alice = client(home.path(), &[]);
    alice.wait_for_line("Alice> ", 7);
    assert!(!alice.contents().contains("den"), "{}", alice.contents());
}

#[test]
fn a_room_that_is_gone_is_not_made_anew() {
    let server = Server::builder().no_rates().start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    alice.keys("/make den\r");
    alice.wait_for("alice in den>");
    quit(alice);
    let mut alice = client(home.path(), &[]);
    alice.wait_for("den is gone");
    alice.wait_for_line("alice> ", 7);
    let mut bob = server.typed("bob");
    assert_eq!(bob.list("ROOMS").len(), 1, "no room: only the last line");
}

#[test]
fn several_clients_and_a_folder_that_is_closed() {
    let server = Server::builder().no_rates().start();
    let mut bob = server.typed("bob");
    bob.ask("MAKE lobby");
    let home = tempfile::tempdir().unwrap();
    let mut one = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    one.keys("/join lobby\r");
    one.wait_for("alice in lobby>");
    let mut two = client(home.path(), &[]);
    two.wait_for("alice in lobby>");
    quit(one);
    quit(two);
    // A damaged file is told of, and costs nothing.
    for name in fs::read_dir(home.path().join(".local/state/chatd")).unwrap().flatten() {
        if name.file_name().to_string_lossy().starts_with("rooms-") {
            fs::write(name.path(), "half").unwrap();
        }
    }
    let mut alice = client(home.path(), &[]);
    wait_for_words(&mut alice, "is damaged and is forgotten");
    alice.wait_for_line("alice> ", 7);
    quit(alice);
    fs::write(home.path().join(".local/state/chatd/last"), "half").unwrap();
    let mut alice = client(home.path(), &[]);
    wait_for_words(&mut alice, "is damaged and is forgotten");
    alice.expect_exit(2);
}
