//! The client's output in a real pseudo-terminal: a message is shown once, long lines are broken beside the time, and
//! several lines are sent only when the user agrees.

use testkit::{Client, Fake, PASSWORD, Server, Terminal};

/// A server without rate limits, and a user who sends messages.
fn server_and_bob() -> (Server, Client) {
    let server = Server::builder().no_rates().start();
    let bob = server.typed("bob");
    (server, bob)
}

/// Sends a text in a terminal of this many columns, and checks that it is shown once, beside the time.
#[track_caller]
fn check_once(columns: u16, text: &str) {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, columns, home.path(), server.addr(), "alice");
    let above = "bob: above";
    bob.typed("PM above");
    bob.reply();
    alice.wait_for(above);
    alice.keys(text);
    let line = format!("alice> {text}");
    alice.wait_for_line(&line, line.len());
    alice.keys("\r");
    assert!(bob.line().ends_with(&format!(" alice {text}")));
    alice.wait("the confirmation", |alice| joined(alice).contains("(sent to 1)"));
    alice.wait_for_line("alice> ", 7);
    let joined = joined(&alice);
    assert_eq!(joined.matches(text).count(), 1, "{columns}: {joined}");
    assert_eq!(joined.matches(above).count(), 1, "{columns}: {joined}");
    check_margin(&alice);
}

/// The content of the screen, with the rows of a line joined.
fn joined(terminal: &Terminal) -> String {
    let rows: Vec<String> = terminal.contents().lines().map(|row| row.trim().to_owned()).collect();
    rows.join(" ")
}

/// Only times and prompts are at the left margin.
#[track_caller]
fn check_margin(terminal: &Terminal) {
    let contents = terminal.contents();
    let is_time = |row: &str| {
        let is_digit = |at: usize| row.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
        is_digit(0) && is_digit(1) && row.get(2..3) == Some(":") && is_digit(3) && is_digit(4)
    };
    let prompts = ["choose a password: ", "the same password again: ", "alice"];
    for row in contents.lines().filter(|row| !row.is_empty()) {
        let is_ours =
            is_time(row) || row.starts_with(' ') || prompts.iter().any(|prompt| row.starts_with(prompt.trim()));
        assert!(is_ours, "{row:?} at the margin:\n{contents}");
    }
}

#[test]
fn ones_own_line_stands_there_once() {
    check_once(80, "hello");
    let words = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen";
    for columns in [30, 39, 40, 41] {
        check_once(columns, words);
    }
    // A row that is exactly full.
    check_once(40, &"word ".repeat(20)[..40 - "alice> ".len()]);
    check_once(40, &"word ".repeat(20)[..80 - "alice> ".len()]);
}

#[test]
fn a_refused_line_is_shown_once() {
    let (server, _bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 60, home.path(), server.addr(), "alice");
    alice.keys("/dm nobody the plan\r");
    alice.wait_for("! nobody is not online");
    alice.wait_for("-- not sent, to nobody: the plan");
    alice.keys("/dm bob\r");
    alice.wait_for_line("your message to bob? ", 21);
    alice.keys("psst\r");
    alice.wait_for("-> bob: psst (sent to bob)");
    alice.wait_for_line("alice> ", 7);
    let contents = alice.contents();
    assert_eq!(contents.matches("the plan").count(), 1, "{contents}");
    assert_eq!(contents.matches("psst").count(), 1, "{contents}");
    // Lines that are not messages stay as typed.
    assert_eq!(contents.matches("alice> /dm bob").count(), 1, "{contents}");
}

#[test]
fn messages_survive_the_end_of_a_line() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(60, 40, home.path(), server.addr(), "alice");
    for n in 0..10 {
        bob.send_raw(format!("C PM first {n}\nC PM second {n}\n").as_bytes());
        alice.keys(&format!("own line {n}, which is longer than a row\r"));
    }
    for n in 0..10 {
        for text in [format!("first {n}"), format!("second {n}"), format!("own line {n},")] {
            alice.wait(&text, |alice| joined(alice).contains(&text));
        }
    }
    alice.wait("all confirmed", |alice| joined(alice).matches("(sent to 1)").count() == 10);
    alice.wait_for_line("alice> ", 7);
    for n in 0..10 {
        for text in [format!("bob: first {n}"), format!("bob: second {n}"), format!("own line {n},")] {
            assert_eq!(joined(&alice).matches(&text).count(), 1, "{text}:\n{}", alice.contents());
        }
    }
}

#[test]
fn a_sent_line_stays_until_it_is_confirmed() {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::client(24, 60, home.path(), fake.addr(), "alice");
    let (sender, told) = std::sync::mpsc::channel::<()>();
    let server = std::thread::spawn(move || {
        let mut client = fake.let_in();
        client.expect("C PM hello");
        told.recv().unwrap();
        client.send("C 250 sent to 7");
        client.expect("C EX");
    });
    alice.wait_for("password: ");
    alice.keys("whatever\r");
    alice.wait_for_line("alice> ", 7);
    alice.keys("hello\r");
    alice.wait_for("-- not confirmed yet, to everybody: hello");
    alice.wait_for_line("alice> ", 7);
    sender.send(()).unwrap();
    alice.wait_for("alice: hello (sent to 7)");
    alice.keys("/quit\r");
    server.join().unwrap();
}

#[test]
fn padding_puts_nothing_at_the_left_margin() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    for columns in [30, 57, 80] {
        let mut alice = Terminal::client(40, columns, home.path(), server.addr(), "alice");
        if columns == 30 {
            alice = Terminal::logged_in(40, columns, home.path(), server.addr(), "alice");
        }
        alice.wait_for("alice> ");
        let forged = "!! session expired: your password?";
        for width in 0..30 {
            let padding = " ".repeat(usize::from(columns) + width - 20);
            bob.ask(&format!("PM hi{padding}{forged}"));
            bob.ask(&format!("PM {}{forged}", "x".repeat(usize::from(columns) + width - 20)));
            bob.ask(&format!("PM hi{}{forged}", "\t".repeat(width)));
        }
        bob.ask("PM the end");
        alice.wait_for("bob: the end");
        alice.wait_for_line("alice> ", 7);
        check_margin(&alice);
        alice.keys("/quit\r");
        alice.expect_exit(0);
    }
}

#[test]
fn a_tab_is_a_space() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 60, home.path(), server.addr(), "alice");
    bob.typed("PM a\tb\t\tc");
    alice.wait_for("bob: a b  c");
}

#[test]
fn several_lines_are_sent_when_somebody_says_so() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 60, home.path(), server.addr(), "alice");
    let paste = "\x1b[200~one\rEX\r/quit\r\x1b[201~\r";
    let question = "send 3 lines? [y/N/1 = as one line] ";
    alice.keys(paste);
    alice.wait_for_line(question, question.len());
    alice.keys("n\r");
    alice.wait_for("-- not sent; the up arrow brings them back");
    alice.wait_for_line("alice> ", 7);
    // Neither the answer nor the question is in the history.
    alice.keys("\x1b[A");
    alice.wait("the lines", |alice| alice.contents().trim_end().ends_with("alice> one\nEX\n/quit"));
    alice.keys("\r");
    alice.wait_for_line(question, question.len());
    alice.keys("y\r");
    for text in ["one", "EX", "/quit"] {
        assert!(bob.line().ends_with(&format!(" alice {text}")));
        alice.wait_for(&format!("alice: {text} (sent to 1)"));
    }
    alice.wait_for_line("alice> ", 7);
    alice.keys(paste);
    alice.wait_for_line(question, question.len());
    alice.keys("1\r");
    assert!(bob.line().ends_with(" alice one EX /quit"));
    // Ctrl-C is an answer here, and does not end the client.
    alice.wait_for_line("alice> ", 7);
    alice.keys(paste);
    alice.wait_for_line(question, question.len());
    alice.keys("\x03");
    alice.wait_for_line("alice> ", 7);
    // One line with its line end is one line.
    alice.keys("\x1b[200~last\r\x1b[201~\r");
    assert!(bob.line().ends_with(" alice last"));
    alice.keys("/quit\r");
    alice.expect_exit(0);
    let kept = std::fs::read_to_string(home.path().join(".local/state/chatd/history")).unwrap();
    assert_eq!(kept, "last\n/quit\n", "a line of the file is a line that was typed");
}

#[test]
fn what_is_no_answer_to_the_question_is_not_lost() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    let question = "send 2 lines? [y/N/1 = as one line] ";
    for answer in ["see you at noon", "\x1b[200~three\rfour\x1b[201~", "\x1b[200~/join den sesame\rx\x1b[201~"] {
        alice.keys("\x1b[200~one\rtwo\x1b[201~\r");
        alice.wait_for_line(question, question.len());
        alice.keys(answer);
        alice.keys("\r");
        alice.wait_for_line("alice> ", 7);
    }
    assert_eq!(alice.contents().matches("neither the lines nor your answer was sent").count(), 2);
    // The last answer holds a password.
    for lines in ["one\ntwo", "three\nfour", "one\ntwo", "see you at noon", "one\ntwo"] {
        alice.keys("\x10");
        alice.wait("the lines", |alice| alice.contents().trim_end().ends_with(&format!("alice> {lines}")));
    }
    alice.keys("\x0e\r");
    assert!(bob.line().ends_with(" alice see you at noon"));
    // In the next run too.
    alice.keys("/quit\r");
    alice.expect_exit(0);
    let kept = std::fs::read_to_string(home.path().join(".local/state/chatd/history")).unwrap();
    assert_eq!(kept, "see you at noon\n/quit\n");
}

#[test]
fn text_that_looks_like_an_operation_is_said() {
    let (server, mut bob) = server_and_bob();
    let mut carol = server.typed("carol");
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 60, home.path(), server.addr(), "alice");
    bob.typed("MAKE ΟΔΟΣ");
    bob.expect("C 227 ");
    alice.keys("/join οδος\r");
    alice.wait_for_line("alice in ΟΔΟΣ> ", "alice in ΟΔΟΣ> ".len());
    bob.expect("C 103 ");
    for text in ["PM me the root password", "DM bob the link", "EX machina", "DM\u{a0}bob secret", "BM carol x"] {
        alice.keys(&format!("{text}\r"));
        assert!(bob.line().ends_with(&format!(" ΟΔΟΣ alice {text}")));
    }
    alice.keys("/leave οδοσ\r");
    alice.wait_for("you have left ΟΔΟΣ");
    alice.wait_for_line("alice> ", 7);
    bob.expect("C 104 ΟΔΟΣ alice left");
    alice.keys("/leave\r");
    alice.wait_for("you are in no room");
    // Nobody else has received any of it.
    carol.barrier();
}

#[test]
fn the_prompt_has_the_name_as_it_is_registered() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut again = Terminal::client(24, 60, home.path(), server.addr(), "BOB");
    again.wait_for("password: ");
    again.keys(&format!("{PASSWORD}\r"));
    again.wait_for_line("bob> ", 5);
    again.keys("hello\r");
    again.wait_for("bob: hello (sent to 1)");
    assert!(bob.line().ends_with(" bob hello"));
}

#[test]
fn a_text_arrives_as_it_was_typed() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    bob.typed("MAKE den two  words");
    bob.expect("C 227 ");
    alice.keys("/join den\r");
    alice.wait_for("! the room needs a password: /join room password");
    alice.keys("/join den two  words\r");
    alice.wait_for_line("alice in den> ", 14);
    bob.expect("C 103 ");
    for text in ["    if x:  ", " x", "\u{3000}x", "/slash"] {
        alice.keys(&format!("{}\r", text.replace('/', "//")));
        assert!(bob.line().ends_with(&format!(" den alice {text}")));
    }
    alice.keys("/dm bob\r");
    alice.wait_for_line("your message to bob? ", 21);
    alice.keys("  two\r");
    assert!(bob.line().ends_with(" alice   two"));
    alice.keys("/pm   none\r");
    assert!(bob.line().ends_with(" alice none"));
}

#[test]
fn a_paste_that_is_too_long_is_told_and_not_cut() {
    let (server, mut bob) = server_and_bob();
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    let line = format!("{}\r", "x".repeat(1999));
    alice.keys(&format!("\x1b[200~{}\x1b[201~\r", line.repeat(600)));
    alice.wait_for("not sent: more than 1000 lines or 512 KiB at once");
    alice.wait_for_line("alice> ", 7);
    alice.keys("hello\r");
    assert!(bob.line().ends_with(" alice hello"));
}
