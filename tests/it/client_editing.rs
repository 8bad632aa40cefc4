//! The client's line editor in a real pseudo-terminal: what is typed stays whole, whatever arrives meanwhile.

use std::time::Instant;

use crate::util::{Client, PASSWORD, PATIENCE, Server, Terminal, pause};

const LEFT: &str = "\x1b[D";

/// A server that lets everybody talk as fast as they can, and somebody who talks.
fn server_and_bob() -> (Server, Client) {
    let server = Server::builder().no_rates().start();
    let bob = server.typed("bob");
    (server, bob)
}

#[track_caller]
fn say(bob: &mut Client, text: &str) {
    bob.typed(&format!("PM {text}"));
    bob.reply();
}

/// Types a line into a terminal of 40 columns, and lets a message arrive at each place of the cursor in it.
#[track_caller]
fn check_every_place(text: &str) {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(16, 40, home.path(), server.addr(), "alice");
    alice.keys(text);
    let line = format!("alice> {text}");
    // As rustyline moves: by what is seen as one character.
    let mut places: Vec<usize> = line.char_indices().filter(|(_, c)| *c != '\u{301}').map(|(at, _)| at).collect();
    places.retain(|at| *at >= "alice> ".len());
    alice.wait_for_line(&line, line.len());
    for (n, place) in places.into_iter().rev().enumerate() {
        alice.keys(LEFT);
        // Short, exactly a row long with the time before it, and longer than that.
        let length = [3, 40 - "00:00 bob: ".len(), 90][n % 3];
        let message = format!("{n:04}{}", "m".repeat(length - 3));
        say(&mut bob, &message[..length.max(4)]);
        let end = format!("{n:04}");
        alice.wait("the message", |alice| alice.contents().contains(&end));
        alice.wait_for_line(&line, place);
    }
    alice.keys("\x05!\r");
    assert_eq!(bob.line().split_once("alice ").unwrap().1, format!("{text}!"));
}

#[test]
fn a_message_at_every_place_of_a_short_line() {
    check_every_place("hello");
}

#[test]
fn a_message_at_every_place_of_a_wrapped_line() {
    check_every_place("one two three four five six seven eight nine ten eleven twelve thirteen fourteen");
}

#[test]
fn a_message_at_every_place_of_a_line_that_ends_with_its_row() {
    check_every_place(&"x".repeat(40 - "alice> ".len()));
    check_every_place(&"y".repeat(80 - "alice> ".len()));
}

#[test]
fn a_message_at_every_place_of_a_multi_byte_line() {
    check_every_place("grüße 世界 e\u{301}té — 日本語の長い文がここで折り返される 👋 und noch ein wenig mehr 終わり");
}

#[test]
fn a_thousand_messages_while_typing_lose_nothing() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    let text: String = (0..300).map(|n| format!("{n} wörter ")).collect::<String>().chars().take(400).collect();
    let mut keys = text.chars();
    for n in 0..1000 {
        say(&mut bob, &format!("message-{n:04}."));
        if n % 3 == 0
            && let Some(key) = keys.next()
        {
            alice.keys(key.encode_utf8(&mut [0; 4]));
        }
    }
    alice.keys(keys.as_str());
    alice.wait("the last message", |alice| alice.contents().contains("message-0999."));
    let line = format!("alice> {text}");
    alice.wait_for_line(&line, line.len());
    let raw = alice.raw();
    let seen: Vec<&str> = raw.split("message-").skip(1).filter_map(|rest| rest.split('.').next()).collect();
    let sent: Vec<String> = (0..1000).map(|n| format!("{n:04}")).collect();
    assert_eq!(seen, sent);
    alice.keys("\r");
    assert_eq!(bob.line().split_once("alice ").unwrap().1, text);
}

#[test]
fn keys_that_come_at_once_are_all_taken_at_once() {
    let (server, _bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    let burst = "as an input method or a paste sends them, ü and all";
    alice.keys(burst);
    let line = format!("alice> {burst}");
    alice.wait_for_line(&line, line.len());
}

#[test]
fn lines_typed_ahead_are_sent_in_order() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    alice.keys("one\rtwo\rthree\rfour");
    for text in ["one", "two", "three"] {
        assert!(bob.line().ends_with(&format!(" alice {text}")));
    }
    alice.wait_for_line("alice> four", 11);
    // A paste of several lines, as terminals mark it, is one.
    alice.keys("\x15\x1b[200~five\rsix\x1b[201~\r");
    assert!(bob.line().ends_with(" alice five six"));
}

#[test]
fn a_message_comes_before_the_prompt_of_the_dialogue() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 60, home.path(), server.addr(), "alice");
    alice.keys("PM\r");
    alice.wait_for("your message? ");
    alice.keys("lunch at");
    alice.wait_for_line("your message? lunch at", 22);
    bob.typed("DM alice are you there?");
    bob.expect("C 250 ");
    alice.wait_for("bob -> you: are you there?");
    alice.wait_for_line("your message? lunch at", 22);
    let contents = alice.contents();
    let place = |text: &str| contents.rfind(text).unwrap();
    assert!(place("are you there?") < place("your message? lunch at"), "{contents}");
    alice.keys(" one?\r");
    assert!(bob.line().ends_with(" alice lunch at one?"));
    alice.wait_for("lunch at one? (sent to 1)");
    alice.wait_for_line("alice> ", 7);
}

#[test]
fn while_the_history_is_searched_messages_wait_and_none_is_lost() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 60, home.path(), server.addr(), "alice");
    alice.keys("the needle\r");
    alice.wait_for("(sent to 1)");
    bob.line();
    alice.wait_for_line("alice> ", 7);
    alice.keys("\x12nee");
    alice.wait_for("(reverse-i-search)`nee': the needle");
    for n in 0..100 {
        say(&mut bob, &format!("while searching {n}."));
    }
    let deadline = Instant::now() + PATIENCE;
    while !alice.contents().contains("while searching 99.") {
        assert!(Instant::now() < deadline, "no key shows them:\n{}", alice.contents());
        alice.keys("d\x7f");
        pause(5);
    }
    alice.keys("d");
    alice.wait_for("`need': the needle");
    alice.keys("\x05");
    alice.wait_for_line("alice> the needle", 17);
    let raw = alice.raw();
    for n in 0..100 {
        assert_eq!(raw.matches(&format!("while searching {n}.")).count(), 1, "{n}");
    }
    alice.keys("\x03");
    alice.wait_for_line("alice> ", 7);
}

#[test]
fn tab_completes_and_shows_what_there_is() {
    let (server, mut bob) = server_and_bob();
    let _others = [server.typed("albert"), server.typed("alfred")];
    let home = tempfile::tempdir().unwrap();
    let mut carol = Terminal::logged_in(24, 60, home.path(), server.addr(), "carol");
    carol.keys("/who\r");
    carol.wait_for("   4 online");
    carol.keys("/dm b\t");
    carol.wait("the name", |carol| carol.contents().contains("/dm bob"));
    carol.keys("\x15/dm a\t");
    carol.wait("the common start", |carol| carol.ends_with("carol> /dm al", 13));
    carol.keys("\t");
    carol.wait_for("albert  alfred");
    carol.wait_for_line("carol> /dm al", 13);
    // Messages go on coming: no list holds the terminal.
    say(&mut bob, "still here");
    carol.wait_for("bob: still here");
    carol.wait_for_line("carol> /dm al", 13);
}

#[test]
fn a_window_that_changes_its_size_keeps_the_line() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    alice.keys("a line");
    alice.wait_for_line("alice> a line", 13);
    alice.resize(24, 50);
    alice.keys(&" and some more of it".repeat(3));
    let line = format!("alice> a line{}", " and some more of it".repeat(3));
    alice.wait_for_line(&line, line.len());
    say(&mut bob, "hello");
    alice.wait_for("bob: hello");
    alice.wait_for_line(&line, line.len());
}

#[test]
fn history_stays_between_runs_and_holds_no_passwords() {
    let (server, _bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    for line in ["a first line", "/join nowhere secretword", "/join elsewhere secretword", "a last line"] {
        alice.keys(&format!("{line}\r"));
        alice.wait_for_line("alice> ", 7);
    }
    alice.keys("\x04");
    alice.expect_exit(0);
    let kept = std::fs::read_to_string(home.path().join(".local/state/chatd/history")).unwrap();
    assert_eq!(kept, "a first line\na last line\n");
    assert!(!kept.contains(PASSWORD));

    let mut alice = Terminal::client(24, 80, home.path(), server.addr(), "alice");
    alice.wait_for("alice> ");
    alice.keys("\x1b[A\x1b[A");
    alice.wait_for_line("alice> a first line", 19);
}

#[test]
fn stopped_by_ctrl_z_and_brought_back_by_a_shell() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let variables = [("CHATCLIENT_PASSWORD", PASSWORD), ("PS1", "shell: ")];
    let mut alice = Terminal::start_with(24, 100, home.path(), "sh", &["-i"], &variables);
    alice.wait_for("shell: ");
    let (client, addr) = (env!("CARGO_BIN_EXE_chatclient"), server.addr());
    alice.keys(&format!("{client} {} {} alice\r", addr.ip(), addr.port()));
    alice.wait_for("alice> ");
    for n in 0..5 {
        alice.keys("half");
        alice.wait_for_line("alice> half", 11);
        alice.keys("\x1a");
        alice.wait("the shell", |alice| alice.contents().trim_end().ends_with("shell:"));
        say(&mut bob, &format!("while stopped {n}"));
        alice.keys("fg\r");
        alice.wait_for(&format!("bob: while stopped {n}"));
        alice.wait_for_line("alice> half", 11);
        alice.keys(" line\r");
        assert!(bob.line().ends_with(" alice half line"));
        alice.wait_for_line("alice> ", 7);
    }
}
