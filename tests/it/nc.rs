//! The same with a real netcat, if Debian's is installed.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use testkit::{PATIENCE, Server};

/// Whether `nc` is the netcat of OpenBSD; prints a note if not.
pub(crate) fn have_nc() -> bool {
    let help = Command::new("nc").arg("-h").stdin(Stdio::null()).output();
    let is_there = help.is_ok_and(|out| {
        let text = [out.stdout, out.stderr].concat();
        String::from_utf8_lossy(&text).contains("OpenBSD netcat")
    });
    if !is_there {
        eprintln!("skipped: there is no `nc` here, or it is not netcat-openbsd");
    }
    is_there
}

/// A running `nc`, ended when it is dropped.
pub(crate) struct Nc {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Nc {
    /// Starts it at the line door.
    pub(crate) fn start(server: &Server, options: &[&str]) -> Self {
        let addr = server.addr();
        let mut child = Command::new("nc")
            .args(options)
            .arg(addr.ip().to_string())
            .arg(addr.port().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("nc starts");
        let (told, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            // Ends with nc's output, or with the receiver.
            stdout.lines().map_while(Result::ok).all(|line| told.send(line).is_ok())
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines }
    }

    /// Writes into its standard input.
    pub(crate) fn say(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// The end of its standard input, as after `printf … |`.
    fn end_input(&mut self) {
        self.stdin = None;
    }

    /// The next line of its output.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line from nc")
    }

    /// The next line of its output, which must begin like this.
    #[track_caller]
    pub(crate) fn expect(&self, start: &str) {
        let line = self.line();
        assert!(line.starts_with(start), "expected {start:?}…, got {line:?}");
    }

    /// Its output must end, and nc with it.
    #[track_caller]
    fn expect_end(mut self) {
        match self.lines.recv_timeout(PATIENCE) {
            Err(mpsc::RecvTimeoutError::Disconnected) => {}
            other => panic!("expected the end of nc's output, got {other:?}"),
        }
        self.stdin = None;
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Nc {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_whole_visit_from_printf() {
    if !have_nc() {
        return;
    }
    let server = Server::start();
    for options in [&[][..], &["-N"], &["-C"]] {
        let mut nc = Nc::start(&server, options);
        nc.say("alice\npassword1\nPM hi\nEX\n");
        nc.end_input();
        nc.expect("C 220 chatd ");
        nc.expect("C 33");
        nc.expect("C 230 welcome alice; 1 online");
        nc.expect("C 250 sent to 0");
        nc.expect("C 221 bye");
        nc.expect_end();
    }
}

#[test]
fn a_visit_that_ends_with_its_input() {
    if !have_nc() {
        return;
    }
    let server = Server::start();
    let mut bob = server.bare("bob");
    let mut nc = Nc::start(&server, &["-N"]);
    nc.say("alice\npassword1\nPM hi\nDM bob psst\n");
    nc.end_input();
    for line in ["C 220 ", "C 332 ", "C 230 welcome alice", "C 250 sent to 1", "C 250 sent to bob"] {
        nc.expect(line);
    }
    nc.expect_end();
    bob.expect_all(&["D PM alice hi", "D DM alice psst"]);
}

#[test]
fn two_people_with_nc_talk() {
    if !have_nc() {
        return;
    }
    let server = Server::start();
    let (mut alice, mut bob) = (Nc::start(&server, &[]), Nc::start(&server, &[]));
    for (nc, name) in [(&mut alice, "alice"), (&mut bob, "bob")] {
        nc.expect("C 220 ");
        nc.say(&format!("{name}\n"));
        nc.expect("C 332 ");
        nc.say("password1\n");
        nc.expect("C 230 ");
    }
    alice.say("PM\n");
    alice.expect("C 354 ");
    alice.say("hello there\n");
    alice.expect("C 250 sent to 1");
    bob.expect("D PM alice hello there");
    bob.say("DM alice hello yourself\n");
    bob.expect("C 250 sent to alice");
    alice.expect("D DM bob hello yourself");
    for mut nc in [alice, bob] {
        nc.say("EX\n");
        nc.expect("C 221 bye");
        nc.expect_end();
    }
}

#[test]
fn a_shell_pipe_as_the_manual_shows_it() {
    if !have_nc() {
        return;
    }
    let server = Server::start();
    let script = r#"printf 'alice\npassword1\nPM hi\nEX\n' | nc "$0" "$1""#;
    let addr = server.addr();
    let mut shell = Command::new("sh")
        .args(["-c", script, &addr.ip().to_string(), &addr.port().to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (told, output) = mpsc::channel();
    let mut stdout = shell.stdout.take().unwrap();
    thread::spawn(move || {
        let mut text = String::new();
        // The text shows whether the pipe ended well.
        let _ = stdout.read_to_string(&mut text);
        told.send(text)
    });
    let text = output.recv_timeout(PATIENCE);
    if text.is_err() {
        shell.kill().unwrap();
    }
    shell.wait().unwrap();
    let codes: Vec<_> = text.expect("nc ends by itself").lines().map(|line| line[..5].to_owned()).collect();
    assert_eq!(codes, ["C 220", "C 332", "C 230", "C 250", "C 221"]);
}
