//! Questions that nobody should ask: each gets one answer, and the next one works.

use testkit::Server;

/// Whether the answer is a page, or says what is wrong.
const PAGES: [&str; 8] = ["C 212", "C 213", "C 200", "C 501 ", "C 550 ", "C 554 ", "C 450 ", "C 502 "];

/// Bounds, few of which are one.
const BOUNDS: [&str; 24] = [
    "0",
    "1",
    "-1",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999",
    "1e9",
    "0x10",
    "2026-13-45",
    "2026-02-30",
    "0000-00-00",
    "9999-12-31",
    "2026-11-26T25:61",
    "2026-11-26T09:41",
    "90m",
    "0m",
    "99999999999d",
    "-5h",
    "1w",
    "tomorrow",
    "*",
    "\"",
    "after",
    "before",
];

/// Words, and what is syntax elsewhere.
const WORDS: [&str; 42] = [
    "AND",
    "OR",
    "NOT",
    "NEAR",
    "NEAR(the end)",
    "NEAR(the end, 2)",
    "\"",
    "\"\"",
    "\"the",
    "\"the end\"",
    "*",
    "**",
    "t*",
    "th*",
    "*the",
    "the AND end",
    "the OR one",
    "NOT the",
    "-the",
    "+the",
    "^the",
    "text:the",
    "place:u1",
    "{text place}:the",
    "the)",
    "(the",
    "'the'",
    "the;DROP TABLE message",
    "%",
    "_",
    "\u{1f600}",
    "\u{130}",
    "in:",
    "in:* the",
    "in:nowhere the",
    "from:",
    "from:alice",
    "from:nobody the",
    "from:~guest the",
    "before:",
    "u1",
    "\u{5165}\u{53e3}",
];

fn commands() -> Vec<String> {
    let mut commands = Vec::new();
    for bound in BOUNDS {
        for verb in
            ["HISTORY after", "HISTORY before", "HISTORY * after", "HISTORY #* before", "READ *", "READ", "READ @alice"]
        {
            commands.push(format!("{verb} {bound}"));
        }
        commands.push(format!("HISTORY {bound}"));
        commands.push(format!("SEARCH the after:{bound} before:{bound}"));
    }
    for words in WORDS {
        commands.push(format!("SEARCH {words}"));
        commands.push(format!("SEARCH in:* {words} from:alice"));
    }
    let many = format!("SEARCH {}", "word ".repeat(700));
    commands.extend(
        ["SEARCH", "SEARCH  ", "HISTORY 0", "HISTORY 201", "HISTORY * 99999", "HISTORY @", "HISTORY #"]
            .map(str::to_owned),
    );
    commands.extend(
        ["UNREAD *", "MISSED 5", "KEEP", "KEEP *", "KEEP @alice", "KEEP nowhere", "KEEP nowhere 99999"]
            .map(str::to_owned),
    );
    commands.push(many);
    commands
}

#[test]
fn every_question_has_one_answer() {
    let server = Server::builder().no_rates().start();
    let mut alice = server.typed("alice");
    for text in ["STRASSE and near", "one OR two", "the end"] {
        alice.ask(&format!("PM {text}"));
    }
    let commands = commands();
    for command in &commands {
        // A connection is closed at its hundredth bad line.
        alice.typed(command);
        let first = alice.reply();
        let is_known = PAGES.iter().any(|answer| first.starts_with(answer));
        assert!(is_known, "{command:?}: {first:?}");
        alice.rest_of_list(&first);
        alice.barrier();
        if first.starts_with("C 501 ") {
            alice = super::reading::back(&server, "alice");
        }
    }
    println!("{} questions", commands.len());
    // Syntax finds nothing of itself: these are words like others.
    for (words, count) in
        [("near", 1), ("or", 1), ("AND", 1), ("the OR end", 0), ("\"the end\"", 1), ("strasse", 1), ("\"end the\"", 0)]
    {
        let found = alice.list(&format!("SEARCH {words}"));
        assert_eq!(found.len() - 1, count, "{words:?}: {found:?}");
    }
}
