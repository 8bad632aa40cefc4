//! A program with Python's `irc`, and the bot of the manual.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use testkit::{PASSWORD, PATIENCE, Server, foreign};

/// A running program that prints what it hears. It is killed when it is dropped.
pub(crate) struct Talker {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl Talker {
    /// Starts it; it enters this channel. `None` without Python or its package; a note is printed.
    #[track_caller]
    pub(crate) fn start(server: &Server, account: &str, channel: &str) -> Option<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/irc/clients/talker.py");
        Self::run(&program, server.door("irc+tls"), [account, channel], &server.path("cert.pem"))
    }

    /// Runs a program with `host port account channel cert`.
    #[track_caller]
    pub(crate) fn run(program: &Path, addr: SocketAddr, words: [&str; 2], cert: &Path) -> Option<Self> {
        let packages = foreign::python_path()?;
        let mut child = Command::new("python3")
            .arg(program)
            .args([&addr.ip().to_string(), &addr.port().to_string()])
            .args(words)
            .arg(cert)
            .env("PYTHONPATH", packages)
            .env("TALKER_PASSWORD", PASSWORD)
            .env("BOT_PASSWORD", PASSWORD)
            .env("BOT_CERT", cert)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts");
        let (told, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        // Ends with the program's output, or with the receiver.
        thread::spawn(move || stdout.lines().map_while(Result::ok).all(|line| told.send(line).is_ok()));
        let stdin = child.stdin.take().expect("its input");
        Some(Self { child, stdin, lines })
    }

    /// Says something in its channel.
    #[track_caller]
    pub(crate) fn say(&mut self, text: &str) {
        writeln!(self.stdin, "{text}").expect("it reads");
    }

    /// The next line that it prints.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line of the program")
    }

    /// The next line, which must begin like this.
    #[track_caller]
    pub(crate) fn expect(&self, start: &str) -> String {
        let line = self.line();
        assert!(line.starts_with(start), "expected {start:?}…, got {line:?}");
        line
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
