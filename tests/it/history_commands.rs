//! `chatd history …`: the operator's commands for what was said.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use testkit::{Outcome, Server, Terminal, eventually, run};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

/// Runs `chatd history …` in the server's folder.
#[track_caller]
fn history(server: &Server, args: &[&str]) -> Outcome {
    run(CHATD, server.path("").as_path(), &[&["history"], args].concat())
}

/// Checks that a command has succeeded and printed these parts.
trait Told {
    fn told(&self, parts: &[&str]);
}

impl Told for Outcome {
    #[track_caller]
    fn told(&self, parts: &[&str]) {
        self.check(0, &[]);
        for part in parts {
            assert!(self.stdout.contains(part), "no {part:?} in {self:?}");
        }
    }
}

/// A server on which alice and bob have said something to everybody and to each other.
fn talked() -> Server {
    let server = Server::start();
    let (mut alice, mut bob) = (server.typed("alice"), server.typed("bob"));
    alice.ask("PM everybody hears zebrafish");
    bob.ask("PM nobody minds quagmire");
    alice.ask("DM bob privately wombat");
    bob.ask("DM alice answer vortex");
    server
}

/// What is exported, without the accounts.
#[track_caller]
fn texts(server: &Server, args: &[&str]) -> Vec<String> {
    let outcome = history(server, &[&["export"], args].concat());
    outcome.check(0, &[]);
    let lines = outcome.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let is_message = |line: &Value| line["kind"] == "message";
    lines.filter(is_message).map(|line| line["text"].as_str().unwrap().to_owned()).collect()
}

/// The files of the server's folder that have these bytes, in any case.
fn files_with(server: &Server, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(server.path("")).unwrap().map(Result::unwrap) {
        // A socket cannot be read.
        let bytes = fs::read(entry.path()).unwrap_or_default().to_ascii_lowercase();
        if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(entry.file_name().into_string().unwrap());
        }
    }
    found.sort();
    found
}

const ALL: [&str; 4] = ["everybody hears zebrafish", "nobody minds quagmire", "privately wombat", "answer vortex"];

#[test]
fn a_running_history_is_read_and_not_changed() {
    let mut server = talked();
    // What was said is on disk a moment later.
    eventually("all is on disk", || history(&server, &["check"]).stdout.contains("rows 4"));
    let outcome = history(&server, &["check"]);
    outcome.told(&["version 3", "rows 4", "places 2", "accounts 2", "bytes ", "oldest 20", "sound: 4 messages"]);
    assert_eq!(texts(&server, &[]), ALL);
    assert_eq!(texts(&server, &["ALICE"]), [ALL[0], ALL[2], ALL[3]]);
    history(&server, &["export", "carol"]).check(1, &["'carol'"]);
    let copy = server.path("copy");
    history(&server, &["backup", "copy"]).told(&["copy: 4 messages", "now copy"]);
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o7777, 0o600);
    history(&server, &["backup", "copy"]).check(1, &["nothing is overwritten"]);
    for args in [&["erase", "alice"][..], &["erase", "--room", "*", "--yes"], &["erase", "--before", "0m"], &["repair"]]
    {
        history(&server, args).check(75, &["stop the server first"]);
    }
    // Nobody has noticed.
    let mut carol = server.typed("carol");
    assert_eq!(carol.list("HISTORY").len(), 3);
    assert!(!server.log_text().contains("[WARN]"), "{}", server.log_text());
    // The copy takes the place of a lost history.
    server.term();
    fs::rename(copy, server.path("history.db")).unwrap();
    server.restart();
    let lines = server.typed("alice").list("HISTORY");
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert!(lines[4].contains(" server g "), "what was said after the copy is missing, and that is said: {lines:?}");
}

#[test]
fn of_what_is_erased_no_file_has_a_byte() {
    let mut server = talked();
    server.term();
    history(&server, &["erase", "Alice"]).told(&["alice, registered 20", "erased: 3 messages, 2 of them direct"]);
    for gone in ["zebrafish", "wombat", "vortex"] {
        assert_eq!(files_with(&server, gone), [""; 0], "{gone}");
    }
    assert_eq!(files_with(&server, "quagmire"), ["history.db"]);
    server.restart();
    let mut alice = server.typed("alice");
    let lines = alice.list("HISTORY");
    assert_eq!(lines.len(), 2, "{lines:?}");
    alice.ask("PM said afterwards");
    // A search sees what is on disk.
    eventually("it is found", || alice.list("SEARCH afterwards").len() == 2);
    assert_eq!(alice.list("SEARCH zebrafish").len(), 1);
    assert_eq!(alice.list("SEARCH quagmire").len(), 2);
}

#[test]
fn an_account_that_is_deleted_can_still_be_erased() {
    let mut server = talked();
    server.term();
    run(CHATD, server.path("").as_path(), &["accounts", "delete", "alice"]).check(0, &[]);
    server.restart();
    // Another alice, who has nothing of hers.
    server.typed("alice").ask("PM the second alice");
    server.term();
    history(&server, &["export", "alice"]).told(&["the second alice"]);
    assert_eq!(texts(&server, &["alice"]), ["the second alice"]);
    assert_eq!(texts(&server, &["-alice"]), [ALL[0], ALL[2], ALL[3]]);
    history(&server, &["erase", "-alice"]).told(&["deleted", "erased: 3 messages"]);
    assert_eq!(texts(&server, &[]), [ALL[1], "the second alice"]);
    history(&server, &["erase", "-alice"]).check(1, &["a deleted account 'alice'"]);
}

#[test]
fn a_room_and_old_messages_are_erased() {
    let mut server = talked();
    let mut carol = server.typed("carol");
    carol.ask("MAKE lobby");
    carol.ask("KEEP lobby");
    carol.ask("RM lobby the room hears obelisk");
    carol.barrier();
    server.term();
    history(&server, &["erase", "--room", "#Lobby"]).told(&["erased: 1 message;"]);
    assert_eq!(files_with(&server, "obelisk"), [""; 0]);
    history(&server, &["erase", "--room", "nowhere"]).check(1, &["'nowhere'"]);
    history(&server, &["erase", "--before", "1d"]).told(&["erased: 0 messages"]);
    assert_eq!(texts(&server, &[]), ALL);
    history(&server, &["erase", "--before", "0m"]).told(&["erased: 4 messages, 2 of them direct"]);
    for gone in ["zebrafish", "quagmire", "wombat", "vortex"] {
        assert_eq!(files_with(&server, gone), [""; 0], "{gone}");
    }
    server.restart();
    // The room is still there, and still kept.
    let mut carol = server.typed("carol");
    assert!(carol.ask("JOIN lobby").starts_with("C 227 "));
}

#[test]
fn a_terminal_is_asked_first() {
    let mut server = talked();
    server.term();
    let folder = server.path("");
    let ask = |args: &[&str], answer: &str, code: i32| {
        let mut terminal = Terminal::start(24, 100, &folder, CHATD, args);
        terminal.wait_for("[y/N]");
        assert!(terminal.contents().contains("Erase 3 messages, 2 of them direct"), "{}", terminal.contents());
        terminal.keys(answer);
        terminal.expect_exit(code);
    };
    let config = folder.join("config.toml");
    let config = config.to_str().unwrap();
    ask(&["--config", config, "history", "erase", "alice"], "no\r", 1);
    ask(&["--config", config, "history", "erase", "alice"], "\r", 1);
    assert_eq!(texts(&server, &[]), ALL);
    ask(&["--config", config, "history", "erase", "alice"], "y\r", 0);
    assert_eq!(texts(&server, &[]), [ALL[1]]);
}

#[test]
fn a_damaged_history_is_repaired_into_a_new_file() {
    let mut server = Server::builder().no_rates().start();
    let mut alice = server.typed("alice");
    for n in 0..400 {
        alice.send(&format!("C PM line {n:04} of many, each of which takes some of a page of the file"));
        alice.expect("C 250 ");
    }
    server.term();
    let file = server.path("history.db");
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.windows(9).position(|window| window == b"line 0200").unwrap();
    bytes[at / 4096 * 4096..][..100].fill(0xa5);
    fs::write(&file, &bytes).unwrap();
    history(&server, &["check"]).check(78, &["history.db: ", "'chatd history repair'"]);
    history(&server, &["repair"]).told(&["lost: ", "repaired: ", "the damaged history is "]);
    history(&server, &["check"]).told(&["sound: "]);
    let kept = texts(&server, &[]);
    assert!(kept.len() > 300 && kept.len() < 400, "{}", kept.len());
    assert!(kept[0].starts_with("line 0000 ") && kept[kept.len() - 1].starts_with("line 0399 "));
    history(&server, &["repair"]).told(&["sound: ", "nothing was changed"]);
    server.restart();
    // The page has a line that says how many are missing.
    let mut alice = server.typed("alice");
    let lost = 400 - kept.len();
    let mut lines = Vec::new();
    let mut command = "HISTORY after 2020-01-01 200".to_owned();
    while let Some(next) = page(&mut alice, &command, &mut lines) {
        command = format!("HISTORY after {next} 200");
    }
    assert_eq!(lines.len(), kept.len() + 1);
    let hole = lines.iter().find(|line| line.contains(" server g ")).expect("a hole");
    assert!(hole.contains(&format!(" {lost} messages were not kept: the file was damaged")), "{hole}");
}

/// Reads a page; gives the bound with which it goes on.
#[track_caller]
fn page(client: &mut testkit::Client, command: &str, lines: &mut Vec<String>) -> Option<String> {
    let mut page = client.list(command);
    let last = page.pop().unwrap();
    lines.extend(page);
    last.split_once("next=").map(|(_, next)| next.to_owned())
}

#[test]
fn what_cannot_be_done_is_told() {
    let mut server = Server::builder().set("history.file", "\"\"").start();
    history(&server, &["check", "--set", "history.file=\"\""]).check(1, &["nothing is kept"]);
    server.term();
    history(&server, &["check", "--set", "history.file='nowhere.db'"]).check(1, &["nowhere.db: does not exist"]);
    history(&server, &["erase"]).check(2, &["--room"]);
    history(&server, &["erase", "alice", "--room", "lobby"]).check(2, &["cannot be used with"]);
    history(&server, &["erase", "--before", "yesterday"]).check(2, &["2026-11-26T09:41"]);
    history(&server, &["backup"]).check(2, &["<FILE>"]);
    run(CHATD, server.path("").as_path(), &["--check", "history", "check"]).check(2, &["chatd history check"]);
    fs::write(server.path("other.db"), "this is a file, and no database").unwrap();
    fs::set_permissions(server.path("other.db"), fs::Permissions::from_mode(0o644)).unwrap();
    history(&server, &["check", "--set", "history.file='other.db'"]).check(78, &["chmod 600"]);
    fs::set_permissions(server.path("other.db"), fs::Permissions::from_mode(0o600)).unwrap();
    history(&server, &["check", "--set", "history.file='other.db'"]).check(78, &["is no history"]);
}
