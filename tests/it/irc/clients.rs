//! irssi, weechat and Python's `irc`, as docs/irc.md tells to set them up. A test is skipped where its program is missing.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::{Builder, PATIENCE, Server, Terminal};

mod bot;
mod daily;
pub(crate) mod irssi;
mod restart;
pub(crate) mod talker;
pub(crate) mod weechat;

/// What a test does with either of the clients that people look at.
pub(crate) trait Chat {
    /// The name of its server in its settings.
    const NETWORK: &'static str = "chatd";

    /// Types a command, such as `/topic #lobby tea`, at the server.
    fn run(&mut self, command: &str);

    /// Types a text in a channel.
    fn say(&mut self, channel: &str, text: &str);

    /// All that it has shown of a channel or a nick, in its order. Of the server: `""`.
    fn shown(&self, place: &str) -> String;

    /// The terminal that it runs in.
    fn terminal(&mut self) -> &mut Terminal;

    /// Waits until it has shown this there.
    #[track_caller]
    fn wait_shown(&mut self, place: &str, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.shown(place).contains(text) {
            let (shown, server) = (self.shown(place), self.shown(""));
            let program = std::any::type_name::<Self>();
            assert!(Instant::now() < deadline, "{program} never shows {text:?} in {place:?}:\n{shown}\n{server}");
            self.terminal().pump(Duration::from_millis(20));
        }
    }

    /// Takes what it draws, for which it would wait in the end.
    fn attend(&mut self) {
        while self.terminal().pump(Duration::ZERO) {}
    }

    /// Waits until it has entered a channel and knows all that it asks about one: members, modes, and whatever else.
    fn wait_entered(&mut self, channel: &str);

    /// Waits until the program has ended by itself.
    #[track_caller]
    fn expect_end(mut self)
    where
        Self: Sized,
    {
        assert!(self.terminal().wait_exit().success());
    }
}

/// What a program whose home this is has written down of a channel, a nick or a server.
fn written(home: &Path, place: &str) -> String {
    let log = home.join(format!("log/{}.log", place.to_ascii_lowercase()));
    String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
}

/// A server with a line door and an IRC door by TLS, whose certificate signs itself.
fn served() -> Builder {
    Server::builder().listen(&["line://127.0.0.1:0", "irc+tls://127.0.0.1:0"]).with_pair()
}

/// Stops the server; the next start is at the same addresses.
#[track_caller]
fn stop(server: &mut Server) {
    let (line, irc) = (server.door("line"), server.door("irc+tls"));
    server.set("listen", &format!("['line://{line}', 'irc+tls://{irc}']"));
    assert!(server.term().success());
}

/// Whether a program of this name works; prints a note if not.
fn is_there(program: &str) -> bool {
    let answer = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let is_there = answer.is_ok_and(|answer| answer.status.success());
    if !is_there {
        println!("skipped: there is no {program} here");
    }
    is_there
}

/// docs/irc.md.
fn manual() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/irc.md");
    fs::read_to_string(path).expect("docs/irc.md")
}

/// The lines that the manual says to type into a client, for this account at this port of this machine.
#[track_caller]
fn lines_to_type(client: &str, account: &str, port: u16) -> Vec<String> {
    let manual = manual();
    let section = manual.split_once(&format!("### {client}\n")).expect("its section").1;
    let block = section.split_once("```\n").and_then(|(_, rest)| rest.split_once("```")).expect("its lines").0;
    let told = |line: &str| {
        let line = line.replace("chat.example.org", "localhost").replace("6697", &port.to_string());
        line.replace("alice", account)
    };
    block.lines().map(told).collect()
}
