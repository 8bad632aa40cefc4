//! What was said stays: the client with a server that keeps it, played by a test or real.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use testkit::{Client, Fake, Outcome, PASSWORD, Server, Terminal, eventually, finish_with};

/// 2026-11-26 09:41 UTC, in the form of an id.
const MORNING: u64 = 1_795_686_060_000 << 20;
const DAY: u64 = (24 * 60 * 60 * 1000) << 20;

/// Answers a client that comes back: these are the lines of the pages, and `COUNT MENTIONS read` of what is said to
/// everybody. Returns the command that asked for the first page.
#[track_caller]
fn tell_past(client: &mut Client, counts: &str, lines: &[String]) -> String {
    client.expect_exact("C UNREAD");
    client.send(&format!("C 213-* {counts} last={} notify=mentions", MORNING + 9));
    client.send("C 213 1 place; what is said there is kept for 30 days");
    client.expect_exact("C IGNORE");
    client.send("C 211 0 ignored");
    let asked = client.expect("C HISTORY ");
    for line in lines {
        client.send(&format!("C 212-{line}"));
    }
    client.send(&format!("C 212 {} end", lines.len()));
    asked
}

/// The files with how much has been shown.
fn seen_files(home: &Path) -> Vec<PathBuf> {
    let folder = home.join(".local/state/chatd");
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("seen-")).collect()
}

/// A client of a home in which one has logged in before.
fn again(home: &Path, server: SocketAddr) -> Terminal {
    Terminal::client(24, 80, home, server, "alice")
}

#[test]
fn missed_lines_are_shown_once_after_a_restart() {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let address = fake.addr();
    let playing = thread::spawn(move || {
        let mut client = fake.let_in_with("C 200 ids reads forgets own");
        let said = [format!("{} * bob m old, alice", MORNING - DAY), format!("{} * bob - new", MORNING + 9)];
        let first = tell_past(&mut client, &format!("2 1 read={}", MORNING - 2 * DAY), &said);
        assert_eq!(first, format!("C HISTORY after {} 200", MORNING - 2 * DAY));
        client.send(&format!("D PM {} bob live", MORNING + 20));
        // The line that leaves was typed after all that was shown.
        client.expect_exact(&format!("C READ {}", MORNING + 20));
        client.send("C 200 read");
        client.expect_exact("C EX");
        client.send("C 221 bye");
        let mut client = fake.let_in_with("C 200 ids reads forgets own");
        let second = tell_past(&mut client, &format!("0 0 read={}", MORNING + 20), &[]);
        assert_eq!(second, format!("C HISTORY after {} 200", MORNING + 20));
        client.send("C 100 all told");
        client.expect_exact("C EX");
        client.send("C 221 bye");
        fake
    });
    let mut alice = again(home.path(), address);
    alice.wait_for("password: ");
    alice.keys("whatever\r");
    alice.wait_for("bob: live");
    let shown = alice.contents();
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("no {text:?}:\n{shown}"));
    let places = ["--- new ---", "bob: old, alice", "bob: new", "bob: live"].map(at);
    assert!(places.is_sorted(), "{shown}");
    assert_eq!(shown.matches(" November 2026 --").count(), 2, "{shown}");
    assert!(alice.raw().contains('\x07'), "it rings once for what was missed");
    alice.keys("/quit\r");
    alice.expect_exit(0);
    let [file] = seen_files(home.path()).try_into().unwrap();
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&file).unwrap().ends_with(&format!("\n{}\n", MORNING + 20)));

    let mut alice = again(home.path(), address);
    alice.wait_for("all told");
    alice.keys("/quit\r");
    alice.expect_exit(0);
    assert!(!alice.contents().contains("bob: "), "{}", alice.contents());
    let fake = playing.join().unwrap();

    // A damaged file is forgotten, with a warning.
    fs::write(&file, "nonsense").unwrap();
    let playing = thread::spawn(move || {
        let mut client = fake.let_in_with("C 200 ids reads forgets own");
        let asked = tell_past(&mut client, &format!("0 0 read={}", MORNING + 20), &[]);
        assert_eq!(asked, format!("C HISTORY after {} 200", MORNING + 20));
        client.send("C 100 all told");
        client.expect_exact("C EX");
        client.send("C 221 bye");
    });
    let mut alice = Terminal::client(24, 200, home.path(), address, "alice");
    alice.wait_for("is damaged and is forgotten");
    alice.wait_for("all told");
    alice.keys("/quit\r");
    alice.expect_exit(0);
    playing.join().unwrap();
    assert_eq!(seen_files(home.path()), [file], "it is kept anew");
}

/// A listener, with its output in a file.
pub(crate) struct Listener {
    child: Child,
    output: PathBuf,
}

impl Listener {
    fn start(home: &Path, server: SocketAddr, output: &str) -> Self {
        Self::start_with(home, server, output, &[])
    }

    pub(crate) fn start_with(home: &Path, server: SocketAddr, output: &str, options: &[&str]) -> Self {
        let output = home.join(output);
        let child = Command::new(env!("CARGO_BIN_EXE_chatclient"))
            .args(["--listen", "--json", "--register", &server.to_string(), "robot"])
            .args(options)
            .env("HOME", home)
            .env_remove("XDG_STATE_HOME")
            .env("CHATCLIENT_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(fs::File::create(&output).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, output }
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }

    /// The texts of its messages, with whether each is past.
    fn messages(&self) -> Vec<(String, bool)> {
        let text = self.text();
        let events = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let messages = events.filter(|event| event["kind"] == "pm" || event["kind"] == "dm");
        messages.map(|event| (event["text"].as_str().unwrap().to_owned(), event["past"].as_bool().unwrap())).collect()
    }

    pub(crate) fn end(mut self) -> Vec<(String, bool)> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        eventually("it has ended", || self.child.try_wait().unwrap().is_some());
        self.messages()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // A test that fails must not leave it behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_listener_gets_what_was_said_since_its_last_run() {
    let fake = Fake::start();
    let home = tempfile::tempdir().unwrap();
    let address = fake.addr();
    let playing = thread::spawn(move || {
        for run in 0..2u64 {
            let mut client = fake.let_in_with("C 200 ids reads forgets own");
            let said = [format!("{} * bob m missed", MORNING + 10 + run), format!("{} * server g a gap", MORNING + 12)];
            let lines = if run == 0 { &said[..0] } else { &said[..] };
            let asked = tell_past(&mut client, &format!("5 0 read={MORNING}"), lines);
            assert_eq!(asked, format!("C HISTORY after {} 200", MORNING + 9 + run));
            client.send(&format!("D PM {} bob live {run}", MORNING + 10 + 10 * run));
            client.expect_exact("C EX");
            client.send("C 221 bye");
        }
    });
    let first = Listener::start(home.path(), address, "first");
    eventually("a live message", || first.messages().len() == 1);
    assert_eq!(first.end(), [("live 0".to_owned(), false)]);
    let second = Listener::start(home.path(), address, "second");
    eventually("a live message", || second.messages().len() == 2);
    let text = second.text();
    assert!(text.contains(r#""kind":"hole""#) && text.contains(r#""place":"*""#), "{text}");
    assert_eq!(second.end(), [("missed".to_owned(), true), ("live 1".to_owned(), false)]);
    playing.join().unwrap();
}

/// A real server on a port of its own, with `alice` registered at a terminal that has left; `None` if it keeps nothing.
fn server() -> Option<(Server, tempfile::TempDir)> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Server::builder().no_rates().listen(&[&format!("line://127.0.0.1:{port}")]).start();
    if !keeps(&server) {
        return None;
    }
    let home = tempfile::tempdir().unwrap();
    let mut alice = Terminal::logged_in(24, 80, home.path(), server.addr(), "alice");
    eventually("it is kept how much alice has seen", || !seen_files(home.path()).is_empty());
    alice.keys("/quit\r");
    alice.expect_exit(0);
    Some((server, home))
}

/// Whether the server keeps what is said. If not, the test ends early, and says why.
pub(crate) fn keeps(server: &Server) -> bool {
    let mut probe = server.typed("probe");
    probe.typed("UNREAD");
    loop {
        match probe.reply() {
            line if line.starts_with("C 502") || line.starts_with("C 554") => {
                eprintln!("skipped: the server keeps nothing of what is said: {line}");
                return false;
            }
            line if line.starts_with("C 213 ") => return true,
            _ => {}
        }
    }
}

#[test]
fn whoever_was_away_reads_it_later() {
    let Some((server, home)) = server() else { return };
    let mut bob = server.typed("bob");
    bob.typed("PM is anybody there?");
    bob.expect("C 250 ");
    bob.typed("DM alice call me");
    bob.expect("C 250 kept for alice");
    let mut alice = again(home.path(), server.addr());
    alice.wait_for("bob -> you: call me");
    let shown = alice.contents();
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("no {text:?}:\n{shown}"));
    assert!(
        ["2 messages were said", "--- new ---", "bob: is anybody there?", "call me"].map(at).is_sorted(),
        "{shown}"
    );
    bob.typed("PM now");
    alice.wait_for("bob: now");
    alice.keys("/quit\r");
    alice.expect_exit(0);
    let mut alice = again(home.path(), server.addr());
    alice.wait_for_line("alice> ", 7);
    alice.keys("/history\r");
    alice.wait_for("3 messages; that is all");
    for text in ["bob: is anybody there?", "bob -> you: call me", "bob: now"] {
        assert_eq!(alice.contents().matches(text).count(), 1, "{}", alice.contents());
    }
    alice.keys("/search any* from:bob\r");
    alice.wait_for("1 message; that is all");
    alice.keys("/unread\r");
    alice.wait_for("to everybody: ");
}

#[test]
fn each_message_once_though_the_server_is_killed() {
    let Some((mut server, home)) = server() else { return };
    let mut alice = again(home.path(), server.addr());
    alice.wait_for("alice> ");
    let mut bob = server.typed("bob");
    bob.typed("PM one");
    alice.wait_for("bob: one");
    // A kept direct message is on disk when it is confirmed, and all before it.
    let mut carol = server.typed("carol");
    carol.typed("EX");
    carol.expect("C 221");
    bob.typed("DM carol sync");
    while !bob.line().starts_with("C 250 kept for carol") {}
    server.kill9();
    alice.wait_for("is lost");
    server.restart();
    let mut bob = server.returning("bob");
    bob.send("PM two");
    alice.wait_for("bob: two");
    assert_eq!(alice.contents().matches("bob: one").count(), 1, "{}", alice.contents());
    assert_eq!(alice.contents().matches("bob: two").count(), 1, "{}", alice.contents());
}

#[test]
fn a_listener_misses_nothing_that_was_on_disk() {
    let Some((mut server, home)) = server() else { return };
    let mut bob = server.bare("bob");
    // Somebody who is away: a direct message to them is on disk when it is confirmed, and all before it.
    let mut carol = server.bare("carol");
    carol.send("EX");
    carol.expect("C 221");
    carol.expect_closed();
    let listener = Listener::start(home.path(), server.addr(), "all");
    eventually("it is logged in", || listener.text().contains(r#""status":"connected""#));
    let mut said = Vec::new();
    // With each break, the client waits longer before it connects again.
    for round in 0..2 {
        for number in 0..20 {
            said.push(format!("{round} {number}"));
            bob.send(&format!("PM {round} {number}"));
        }
        bob.send("DM carol sync");
        while !bob.line().starts_with("C 250 kept for carol") {}
        bob.send(&format!("PM {round} is perhaps lost"));
        server.kill9();
        server.restart();
        bob = server.returning("bob");
    }
    bob.send("PM the last");
    said.push("the last".to_owned());
    eventually("the last message", || listener.messages().iter().any(|(text, _)| text == "the last"));
    let shown: Vec<String> = listener.end().into_iter().map(|(text, _)| text).collect();
    for text in &said {
        assert_eq!(shown.iter().filter(|shown| *shown == text).count(), 1, "{text}: {shown:?}");
    }
    let perhaps = shown.iter().filter(|text| text.ends_with("perhaps lost"));
    assert!(perhaps.clone().all(|text| perhaps.clone().filter(|other| *other == text).count() == 1), "{shown:?}");
}

#[test]
fn a_room_that_is_kept() {
    let Some((server, home)) = server() else { return };
    let mut alice = again(home.path(), server.addr());
    alice.wait_for("alice> ");
    alice.keys("/make den\r");
    alice.wait_for_line("alice in den> ", 14);
    alice.keys("/keep 7\r");
    alice.wait_for("what is said there for 7 days");
    alice.keys("/topic den is about tea\r");
    alice.wait_for("about tea");
    alice.keys("/lock sesame\r");
    alice.wait_for("the password of den is set");
    let mut bob = server.typed("bob");
    bob.typed("JOIN den sesame");
    while !bob.line().starts_with("C 227 den ") {}
    // She talks to everybody, so that her place in the next run is that.
    alice.keys("/pm\r");
    alice.wait_for_line("alice> ", 7);
    alice.keys("/quit\r");
    alice.expect_exit(0);
    bob.typed("RM den are you there?");
    while !bob.line().starts_with("C 250 ") {}
    // The client enters the room again by itself, without the password.
    let mut alice = again(home.path(), server.addr());
    alice.wait_for("[den] bob: are you there?");
    alice.wait_for("you are in den");
    bob.typed("RM den hello");
    alice.wait_for("[den] bob: hello");
    alice.wait_for_line("alice [den 2]> ", 15);
    alice.keys("/next\r");
    alice.wait_for_line("alice in den> ", 14);
    alice.keys("/history 2\r");
    alice.wait_for("2 messages");
    alice.keys("/topic\r");
    alice.wait_for("den by alice: ");
}

#[test]
fn two_clients_agree_on_what_is_read() {
    let Some((server, home)) = server() else { return };
    let other = tempfile::tempdir().unwrap();
    let mut first = again(home.path(), server.addr());
    first.wait_for("alice> ");
    let mut second = again(other.path(), server.addr());
    second.wait_for("password: ");
    second.keys(&format!("{PASSWORD}\r"));
    second.wait_for_line("alice> ", 7);
    let mut bob = server.typed("bob");
    bob.typed("DM alice psst");
    bob.expect("C 250 ");
    first.wait_for_line("alice [@bob 1]> ", 16);
    second.wait_for_line("alice [@bob 1]> ", 16);
    first.keys("\r");
    first.wait_for_line("alice> ", 7);
    second.wait_for_line("alice> ", 7);
    // What one says to somebody, the other shows.
    second.keys("/dm bob hi bob\r");
    first.wait_for("-> bob: hi bob (to bob, from another client of yours)");
    second.wait_for("hi bob (sent to bob)");
}

#[test]
fn a_real_listener_and_scripts() {
    let Some((server, home)) = server() else { return };
    let first = Listener::start(home.path(), server.addr(), "first");
    eventually("it is logged in", || first.text().contains(r#""status":"connected""#));
    let mut bob = server.typed("bob");
    bob.typed("PM one");
    eventually("a live message", || first.messages().len() == 1);
    first.end();
    bob.typed("PM two, robot");
    let second = Listener::start(home.path(), server.addr(), "second");
    eventually("what was missed", || second.messages().len() == 1);
    assert!(second.text().contains(r#""mention":true"#), "{}", second.text());
    assert_eq!(second.end(), [("two, robot".to_owned(), true)]);

    // A script gets nothing that was said before it started, but what it asks for.
    let run = |input: &str| -> Outcome {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chatclient"));
        command.args(["--json", &server.addr().to_string(), "alice"]).env("HOME", home.path());
        command.env_remove("XDG_STATE_HOME").env("CHATCLIENT_PASSWORD", PASSWORD);
        finish_with(command, input)
    };
    let outcome = run("hello\n");
    outcome.check(0, &[]);
    assert!(!outcome.stdout.contains("two, robot") && outcome.stdout.contains(r#""text":"hello""#), "{outcome:?}");
    let outcome = run("/history * 3\n");
    outcome.check(0, &[]);
    let past = outcome.stdout.lines().filter(|line| line.contains(r#""past":true"#)).count();
    assert_eq!(past, 3, "{outcome:?}");
    std::io::stdout().flush().unwrap();
}
