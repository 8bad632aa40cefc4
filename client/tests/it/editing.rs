//! The client's line editor in a real pseudo-terminal: typed text stays whole, whatever arrives meanwhile.

use std::time::{Duration, Instant};

use testkit::{Client, Fake, PASSWORD, PATIENCE, Server, Terminal, pause};

const LEFT: &str = "\x1b[D";

/// A server without rate limits, and a user who sends messages.
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

/// Types a line into a terminal of 40 columns, and lets a message arrive at each cursor position.
#[track_caller]
fn check_every_place(text: &str) {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(16, 40, home.path(), server.addr(), "alice");
    alice.keys(text);
    let line = format!("alice> {text}");
    // Like rustyline, by grapheme.
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
fn a_message_at_every_cursor_position() {
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
}

#[test]
fn messages_appear_above_a_dialogue_prompt() {
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
fn a_history_search_holds_messages_back() {
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
    // Messages keep arriving: no list blocks the terminal.
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

/// Widens a terminal of 40 columns that shows messages and a line that begins with this many letters, and checks that
/// all of them are still there.
#[track_caller]
fn check_widened(letters: usize, columns: &[u16]) {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(16, 40, home.path(), server.addr(), "alice");
    for n in 0..6 {
        say(&mut bob, &format!("keep {n}"));
    }
    let line = format!("alice> {}", "x".repeat(letters));
    alice.keys(&line[7..]);
    alice.wait_for("bob: keep 5");
    alice.wait_for_line(&line, line.len());
    let mut old = 40;
    for columns in columns {
        // So that earlier output is not taken for the reaction to the new size.
        while alice.pump(Duration::from_millis(100)) {}
        let before = alice.raw().len();
        let rows = line.len().div_ceil(usize::from(std::mem::replace(&mut old, *columns)));
        alice.widen(*columns);
        if rows > 1 {
            // A line of one row stays as it is.
            alice.wait("the line anew", |alice| alice.raw()[before..].contains("\x1b[?2026l"));
        }
        alice.keys("y\x7f");
        say(&mut bob, &format!("at {columns}"));
        alice.wait_for(&format!("bob: at {columns}"));
        alice.wait_for_line(&line, line.len());
        let contents = alice.contents();
        for n in 0..6 {
            assert_eq!(contents.matches(&format!("bob: keep {n}")).count(), 1, "{n}:\n{contents}");
        }
        assert_eq!(contents.matches("xxxxxxxxxx").count(), letters / 10, "the line stands there once:\n{contents}");
    }
}

#[test]
fn a_wider_window_keeps_the_messages() {
    check_widened(90, &[100]);
    check_widened(90, &[60, 100, 120]);
    check_widened(30, &[100]);
}

#[test]
fn a_key_that_is_no_text_is_lost_alone() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    alice.keys("caf");
    alice.wait_for_line("alice> caf", 10);
    // Latin-1; the next letter is the first that shows that it is not UTF-8.
    alice.bytes(b"\xe9x");
    alice.wait_for("no UTF-8");
    alice.wait_for_line("alice> caf", 10);
    assert_eq!(alice.contents().matches("alice> caf").count(), 1, "{}", alice.contents());
    alice.keys("\x1b[Dx");
    alice.wait_for_line("alice> caxf", 10);
    alice.bytes(b"\xff");
    alice.wait("told again", |alice| alice.contents().matches("no UTF-8").count() == 2);
    alice.wait_for_line("alice> caxf", 10);
    alice.keys("\r");
    assert!(bob.line().ends_with(" alice caxf"));
    // No part of a paste is taken for a line.
    alice.bytes(&[b"\x1b[200~one\rtwo\xff\xfe".as_slice(), &b"three\r".repeat(250), b"\x1b[201~"].concat());
    // As bytes: a little of the paste may be echoed before the editor turns off the echo.
    alice.wait("told again", |alice| alice.raw().matches("no UTF-8").count() >= 3);
    alice.wait_for_line("alice> ", 7);
    alice.keys("four\r");
    assert!(bob.line().ends_with(" alice four"));
    alice.keys("/quit\r");
    alice.expect_exit(0);
}

#[test]
fn the_open_prompt_shows_the_state() {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::client(24, 60, home.path(), fake.addr(), "alice");
    let (sender, told) = std::sync::mpsc::channel::<()>();
    let server = std::thread::spawn(move || {
        drop(fake.let_in());
        told.recv().unwrap();
        drop(fake.let_in());
        told.recv().unwrap();
        let mut client = fake.let_in();
        client.expect("C PM one two x three")
    });
    alice.wait_for("password: ");
    alice.keys("whatever\r");
    alice.wait_for_line("alice (offline)> ", 17);
    let text = "one two three";
    alice.keys(&format!("{text}\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D"));
    alice.wait_for_line(&format!("alice (offline)> {text}"), 17 + 8);
    sender.send(()).unwrap();
    alice.wait_for("away");
    alice.wait_for_line(&format!("alice (offline)> {text}"), 17 + 8);
    sender.send(()).unwrap();
    alice.wait("the third time", |alice| alice.contents().matches("away").count() >= 2);
    alice.wait_for_line(&format!("alice> {text}"), 7 + 8);
    // Every line that was begun again has been cleared.
    assert_eq!(alice.contents().matches(text).count(), 1, "{}", alice.contents());
    alice.keys("x \r");
    server.join().unwrap();
}

#[test]
fn the_prompt_stays_in_history_and_search() {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::client(24, 60, home.path(), fake.addr(), "alice");
    let (sender, told) = std::sync::mpsc::channel::<()>();
    let server = std::thread::spawn(move || {
        for _ in 0..2 {
            let mut client = fake.let_in();
            client.expect("C PM one");
            client.send("C 250 sent to 0");
            told.recv().unwrap();
        }
    });
    alice.wait_for("password: ");
    alice.keys("whatever\r");
    alice.wait_for_line("alice> ", 7);
    alice.keys("one\r");
    alice.wait_for("(sent to 0)");
    alice.keys("draft\x1b[A");
    alice.wait_for_line("alice> one", 10);
    sender.send(()).unwrap();
    alice.wait_for("is lost");
    alice.wait_for("away");
    alice.wait_for_line("alice> one", 10);
    alice.keys("\x1b[B");
    alice.wait_for_line("alice> draft", 12);
    // The line may just be begun again, when the terminal handles Ctrl-U itself for a moment. It does not know these
    // two keys.
    alice.keys("\x01\x0bone\r");
    alice.wait("it again", |alice| alice.contents().matches("(sent to 0)").count() == 2);
    alice.wait_for_line("alice> ", 7);
    alice.keys("\x12on");
    alice.wait_for("(reverse-i-search)`on': one");
    sender.send(()).unwrap();
    server.join().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while alice.contents().matches("is lost").count() < 2 {
        assert!(Instant::now() < deadline, "no key shows it:\n{}", alice.contents());
        alice.keys("e\x7f");
        pause(5);
    }
    alice.wait_for("(reverse-i-search)`on': one");
    alice.keys("\x05");
    alice.wait_for_line("alice (offline)> one", 20);
}

#[test]
fn history_persists_without_passwords() {
    let (server, _bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    for line in ["a first line", "/join nowhere secretword", "/join elsewhere secretword", "a last line"] {
        alice.keys(line);
        alice.wait_for_line(&format!("alice> {line}"), 7 + line.len());
        alice.keys("\r");
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

#[test]
fn an_unended_paste_blocks_nothing() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    alice.keys("\x1b[200~one\rtwo");
    say(&mut bob, "still here");
    alice.wait_for("bob: still here");
    alice.keys("\x03");
    alice.keys("three\r");
    alice.wait_for("three (sent to 1)");
    assert!(bob.line().ends_with(" alice three"));
    // With an end, a paste works as usual.
    alice.keys("\x1b[200~four\x1b[201~ five\r");
    assert!(bob.line().ends_with(" alice four five"));
    // A signal ends the client in the middle of a paste.
    alice.keys("\x1b[200~six");
    alice.signal(rustix::process::Signal::TERM);
    alice.expect_exit(0);
}

#[test]
fn names_after_a_sign_are_completed() {
    let (server, mut bob) = server_and_bob();
    let mut bert = server.typed("bert");
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    say(&mut bert, "first");
    say(&mut bob, "second");
    alice.wait_for("bob: second");
    alice.keys("ask @bo\t");
    alice.wait_for_line("alice> ask @bob ", 16);
    alice.keys("or @b\t");
    alice.wait_for("@bob  @bert");
    alice.wait_for_line("alice> ask @bob or @b", 21);
    alice.keys("e\tin #nosuch\t\r");
    loop {
        let line = bob.line();
        if line.ends_with(" alice ask @bob or @bert in #nosuch") {
            break;
        }
    }
}
