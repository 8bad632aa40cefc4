//! A foreign client in a process of its own, told what to do by JSON lines.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};
use testkit::{PASSWORD, PATIENCE, Server, foreign};

/// The libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Library {
    /// Python's `websockets`.
    Websockets,
    /// Node's `ws`.
    Ws,
}

/// Those that are here. A note says why one is not.
pub(super) fn libraries() -> Vec<Library> {
    let found = [(Library::Websockets, foreign::python_path()), (Library::Ws, foreign::node_modules())];
    found.into_iter().filter_map(|(library, path)| path.map(|_| library)).collect()
}

impl Library {
    fn command(self) -> Command {
        let (program, script, variable, path) = match self {
            Self::Websockets => ("python3", "client.py", "PYTHONPATH", foreign::python_path()),
            Self::Ws => ("node", "client.cjs", "NODE_PATH", foreign::node_modules()),
        };
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/web/foreign"));
        let mut command = Command::new(program);
        command.arg(folder.join(script)).env(variable, path.expect("the library was found"));
        command
    }
}

/// How it connects.
pub(super) struct How<'a> {
    /// The door: `web` or `web+tls`.
    pub(super) door: &'a str,
    /// The subprotocol that it offers.
    pub(super) protocol: &'a str,
    /// The origin that it names.
    pub(super) origin: Option<&'a str>,
}

/// As it should.
pub(super) const WELL: How<'_> = How { door: "web", protocol: "chatd.v1", origin: None };

/// A client. Dropping it ends it.
pub(super) struct Program {
    child: Child,
    events: Receiver<Value>,
}

impl Program {
    /// Starts it. It connects, and says first whether that worked.
    #[track_caller]
    pub(super) fn start(library: Library, server: &Server, how: &How<'_>) -> Self {
        let port = server.door(how.door).port();
        let (scheme, ca) = if how.door == "web+tls" { ("wss", Some(server.path("cert.pem"))) } else { ("ws", None) };
        let argument = json!([format!("{scheme}://localhost:{port}/ws"), ca, how.protocol, how.origin]);
        let mut command = library.command();
        command.arg(argument.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, events) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // Nobody hears it any more once the test is over.
                let _ = sender.send(serde_json::from_str(&line).expect("JSON"));
            }
        });
        Self { child, events }
    }

    /// Connects and reads the greeting.
    #[track_caller]
    pub(super) fn greeted(library: Library, server: &Server, how: &How<'_>) -> Self {
        let client = Self::start(library, server, how);
        client.expect(&json!(["open", "chatd.v1", 0]));
        client.expect_line("C 220 chatd ");
        client
    }

    /// The same, and logs in.
    #[track_caller]
    pub(super) fn logged_in(library: Library, server: &Server, how: &How<'_>, name: &str) -> Self {
        let mut client = Self::greeted(library, server, how);
        client.say(&format!("C {name}"));
        client.expect_line("C 33");
        client.say(&format!("C {PASSWORD}"));
        client.expect_line("C 230 ");
        client
    }

    /// Tells it to do something.
    pub(super) fn tell(&mut self, what: &str, argument: impl Into<Value>) {
        let line = json!([what, argument.into()]);
        writeln!(self.child.stdin.as_mut().expect("a pipe"), "{line}").expect("it listens");
    }

    /// Sends a message.
    pub(super) fn say(&mut self, line: &str) {
        self.tell("text", line);
    }

    /// Sends bytes past the library.
    pub(super) fn send_raw(&mut self, bytes: &[u8]) {
        self.tell("raw", hex(bytes));
    }

    /// What it says next.
    #[track_caller]
    pub(super) fn event(&self) -> Value {
        self.events.recv_timeout(PATIENCE).expect("it says something")
    }

    /// It says this next.
    #[track_caller]
    pub(super) fn expect(&self, event: &Value) {
        assert_eq!(self.event(), *event);
    }

    /// It has received a line that begins so.
    #[track_caller]
    pub(super) fn expect_line(&self, start: &str) -> String {
        let event = self.event();
        let line = event[1].as_str().filter(|line| event[0] == "text" && line.starts_with(start));
        line.unwrap_or_else(|| panic!("{event} is not {start:?} …")).to_owned()
    }

    /// Sends a command, and gets its answer.
    #[track_caller]
    pub(super) fn ask(&mut self, command: &str) -> String {
        self.say(&format!("C {command}"));
        self.expect_line("C ")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
