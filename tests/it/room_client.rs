//! The client of the room door in docs/protocol.md, run unchanged.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use testkit::{PATIENCE, Server};

/// The program under `heading` in a document.
#[track_caller]
pub(super) fn program(document: &str, heading: &str) -> String {
    let section = document.split_once(heading).unwrap_or_else(|| panic!("no {heading:?}")).1;
    let code = section.split_once("```python\n").expect("a program").1;
    code.split_once("```").expect("its end").0.to_owned()
}

/// Writes the client into the server's folder. Prints a note and returns `None` without Python.
fn client(server: &Server) -> Option<PathBuf> {
    let is_there = Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !is_there.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no python3 here");
        return None;
    }
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol.md");
    let document = fs::read_to_string(document).expect("docs/protocol.md");
    let path = server.path("room.py");
    fs::write(&path, program(&document, "### A client of the room door\n")).expect("a file");
    Some(path)
}

/// A running client, ended when it is dropped.
struct Python {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Python {
    fn start(server: &Server, client: &Path, words: &[&str; 3]) -> Self {
        let (tcp, udp) = (server.door("rooms"), server.door("udp"));
        let mut child = Command::new("python3")
            .arg(client)
            .args([tcp.ip().to_string(), tcp.port().to_string(), udp.port().to_string()])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let (told, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        // Ends with the client's output, or with the receiver.
        thread::spawn(move || stdout.lines().map_while(Result::ok).all(|line| told.send(line).is_ok()));
        let stdin = child.stdin.take();
        Self { child, stdin, lines }
    }

    fn say(&mut self, text: &str) {
        writeln!(self.stdin.as_mut().expect("its input"), "{text}").expect("the client reads");
    }

    #[track_caller]
    fn expect(&self, line: &str) {
        assert_eq!(self.lines.recv_timeout(PATIENCE).expect("a line from the client"), line);
    }

    /// Ends its input, at which it must end. Returns its exit code and its standard error.
    #[track_caller]
    fn end(mut self) -> (Option<i32>, String) {
        self.stdin = None;
        let end = self.lines.recv_timeout(PATIENCE);
        assert!(matches!(end, Err(mpsc::RecvTimeoutError::Disconnected)), "{end:?}");
        let mut told = String::new();
        self.child.stderr.take().expect("its errors").read_to_string(&mut told).expect("text");
        (self.child.wait().expect("wait").code(), told)
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_manual_s_client_talks_with_others() {
    let server = Server::builder().rooms(&[""]).start();
    let Some(client) = client(&server) else { return };
    let mut alice = server.bare("alice");
    alice.op("MAKE lobby");
    alice.expect("C 227 lobby token=");
    let mut bob = Python::start(&server, &client, &["join", "lobby", "bob"]);
    alice.expect_exact("C 103 lobby ~bob entered");
    bob.say("hello, is this on?");
    alice.expect_exact("D RM lobby ~bob hello, is this on?");
    assert_eq!(alice.ask("RM lobby it is"), "C 250 sent to 1");
    bob.expect("alice: it is");
    // A room of a guest, which closes with its host.
    let mut eve = Python::start(&server, &client, &["make", "küche", "eve"]);
    server.expect_counters(&[("rooms", 2), ("peers", 3)]);
    let mut tom = Python::start(&server, &client, &["join", "Küche", "tom"]);
    tom.say("anybody?");
    eve.expect("~tom: anybody?");
    eve.say("it's me");
    tom.expect("~eve: it's me");
    assert_eq!(eve.end(), (Some(0), String::new()));
    tom.expect("server: room closed");
    assert_eq!(tom.end().0, Some(0));
    assert_eq!(bob.end().0, Some(0));
    alice.expect_exact("C 104 lobby ~bob left");
    for (words, told) in [
        (["join", "nowhere", "tom"], "no such room\n"),
        (["make", "lobby", "tom"], "room exists\n"),
        (["join", "lobby", "t o m"], "refused\n"),
    ] {
        assert_eq!(Python::start(&server, &client, &words).end(), (Some(1), told.to_owned()), "{words:?}");
    }
}
