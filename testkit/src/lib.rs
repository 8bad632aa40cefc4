//! A server in a folder of its own, and clients that wait for expected lines.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and notes are how it says what it measured or skipped"
)]

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

mod canary;
pub mod certificate;
mod client;
mod desk;
mod dice;
mod fake;
pub mod foreign;
mod front;
pub mod http;
pub mod netns;
mod process;
mod program;
pub mod rooms;
mod strace;
mod terminal;
pub mod tls;
pub mod twin;
pub use canary::Canary;
pub use client::Client;
pub use desk::{Answer, Desk};
pub use dice::Dice;
pub use fake::Fake;
pub use front::{Front, Style};
pub use process::{
    Outcome, Thread, eventually, finish, finish_child, finish_with, hear_signals, memory_kib, run, run_with,
};
pub use program::program;
pub use strace::{Strace, strace};
pub use terminal::Terminal;

/// How long a client waits for an expected line.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long a server may take to start or to stop.
pub const START_STOP: Duration = Duration::from_secs(10);
/// The password of `login_bare` and `login_typed`.
pub const PASSWORD: &str = "correct horse";

/// The cheapest Argon2, and a short delay after a wrong password. Everything else is as shipped.
const CONFIG: &str = r#"
listen = ["line://127.0.0.1:0"]

[accounts]
argon2 = { memory_kib = 8, iterations = 1, parallelism = 1 }

[login]
failure_delay_ms = 20
"#;

/// How to start a server. `Server::builder()` creates one, [`Builder::start`] uses it.
pub struct Builder {
    config: String,
    sets: Vec<String>,
    nofile: Option<u32>,
    env: Vec<(&'static str, String)>,
    listeners: usize,
    within: Vec<String>,
    has_pair: bool,
}

impl Builder {
    /// Overrides one key on the command line: `set("limits.owed_bytes", "65536")`. The value is TOML; a string needs
    /// its own quotes.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.sets.push(format!("{key}={value}"));
        self
    }

    /// Removes the rate limits on lines and bytes, for tests that send much at once.
    pub fn no_rates(self) -> Self {
        self.set("limits.rate_lines_per_s", "0").set("limits.rate_bytes_per_s", "0")
    }

    /// Replaces the whole text of the configuration file. Keep `listen` to loopback and port 0.
    pub fn config(mut self, text: &str) -> Self {
        text.clone_into(&mut self.config);
        self
    }

    /// Listens on these instead, given as in the configuration.
    pub fn listen(mut self, doors: &[&str]) -> Self {
        self.listeners = doors.len();
        self.set("listen", &format!("{doors:?}"))
    }

    /// Makes a certificate and its key for `+tls` listeners.
    pub fn with_pair(mut self) -> Self {
        self.has_pair = true;
        self.set("tls.cert", "\"cert.pem\"").set("tls.key", "\"key.pem\"")
    }

    /// Gives the process this many descriptors (`ulimit -n`).
    pub fn nofile(mut self, descriptors: u32) -> Self {
        self.nofile = Some(descriptors);
        self
    }

    /// Gives the process an environment variable.
    pub fn env(mut self, name: &'static str, value: &str) -> Self {
        self.env.push((name, value.to_owned()));
        self
    }

    /// Starts the server by this program, which gets the server's command line after these arguments.
    pub fn within(mut self, program: &[&str]) -> Self {
        self.within = program.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Starts the server in a new folder and waits until it listens.
    #[track_caller]
    pub fn start(self) -> Server {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::write(dir.path().join("config.toml"), &self.config).expect("config.toml");
        if self.has_pair {
            let config = dir.path().join("config.toml");
            let outcome =
                run(&program("chatd"), dir.path(), &["cert", "make", "--config", &config.display().to_string()]);
            assert_eq!(outcome.code, Some(0), "{outcome:?}");
        }
        let mut server = Server { builder: self, child: None, addrs: Vec::new(), log_from: 0, dir };
        server.run();
        server
    }

    fn command(&self, dir: &Path) -> Command {
        let binary = program("chatd");
        let mut command = match (self.within.split_first(), self.nofile) {
            (Some((program, arguments)), _) => {
                let mut outer = Command::new(program);
                outer.args(arguments).arg(&binary);
                outer
            }
            (None, None) => Command::new(&binary),
            (None, Some(n)) => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(format!("ulimit -n {n} && exec \"$0\" \"$@\"")).arg(&binary);
                shell
            }
        };
        command.current_dir(dir).arg("--config").arg(dir.join("config.toml"));
        for set in &self.sets {
            command.arg("--set").arg(set);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

/// A running chatd and its folder. Dropping it kills the process and removes the folder.
pub struct Server {
    builder: Builder,
    child: Option<Child>,
    addrs: Vec<(String, SocketAddr)>,
    /// The size of `chatd.log` before this run.
    log_from: usize,
    dir: TempDir,
}

impl Server {
    /// A server with the settings for tests, to be changed before it starts.
    pub fn builder() -> Builder {
        hear_signals();
        Builder {
            config: CONFIG.to_owned(),
            sets: Vec::new(),
            nofile: None,
            env: Vec::new(),
            listeners: 1,
            within: Vec::new(),
            has_pair: false,
        }
    }

    /// A running server with the settings for tests.
    #[track_caller]
    pub fn start() -> Self {
        Self::builder().start()
    }

    #[track_caller]
    fn run(&mut self) {
        self.log_from = fs::read(self.path("chatd.log")).map_or(0, |text| text.len());
        let stderr = File::create(self.path("stderr")).expect("a file for standard error");
        let child = self.builder.command(self.dir.path()).stderr(stderr).spawn().expect("chatd starts");
        self.child = Some(child);
        let deadline = Instant::now() + START_STOP;
        loop {
            // One reading: between two, a listener could be added.
            let log = self.log_text();
            self.addrs = listeners(&log);
            // This line follows those of all listeners, some of which a test may have set by itself.
            let is_serving = log.contains(" serving up to ");
            if is_serving && count_listeners(&log) >= self.builder.listeners {
                return;
            }
            if let Some(status) = self.child().try_wait().expect("wait") {
                panic!("chatd ended at start-up, {status}:\n{}", self.log_text());
            }
            assert!(Instant::now() < deadline, "chatd does not say that it listens:\n{}", self.log_text());
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn child(&mut self) -> &mut Child {
        self.child.as_mut().expect("the server is running")
    }

    /// The process. Panics once it has been stopped.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the server is running").id()
    }

    /// The addresses of all listeners, in the order of the log.
    pub fn addrs(&self) -> Vec<SocketAddr> {
        self.addrs.iter().map(|(_, addr)| *addr).collect()
    }

    /// The address of the first `line` listener.
    pub fn addr(&self) -> SocketAddr {
        self.door("line")
    }

    /// The address of the first listener of this door.
    pub fn door(&self, door: &str) -> SocketAddr {
        self.addrs.iter().find(|(name, _)| name == door).expect("such a listener").1
    }

    /// A file in the server's folder: `config.toml`, `accounts`, `stderr`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().cast_signed()).expect("a pid");
        kill_process(pid, signal).expect("the server's process is there");
    }

    /// Tells it to read its configuration again.
    pub fn hup(&self) {
        self.signal(Signal::HUP);
    }

    /// Tells it to end and returns its exit status, which must come in time.
    #[track_caller]
    pub fn term(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait_exit()
    }

    /// Waits until the process has ended by itself.
    #[track_caller]
    pub fn wait_exit(&mut self) -> ExitStatus {
        let deadline = Instant::now() + START_STOP + Duration::from_secs(2);
        loop {
            if let Some(status) = self.child().try_wait().expect("wait") {
                self.child = None;
                return status;
            }
            assert!(Instant::now() < deadline, "chatd does not end:\n{}", self.log_text());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends it like a power failure.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended already; then there is nothing to kill.
            let _ = child.kill();
            child.wait().expect("wait");
        }
    }

    /// Overrides one more key from the next start on, as [`Builder::set`] does.
    pub fn set(&mut self, key: &str, value: &str) {
        self.builder.sets.push(format!("{key}={value}"));
    }

    /// Starts it by another program from the next start on, as [`Builder::within`] does.
    pub fn set_within(&mut self, program: &[&str]) {
        self.builder.within = program.iter().map(|&word| word.to_owned()).collect();
    }

    /// Whether the process has ended, even if a tracer keeps a thread of it.
    pub fn is_dead(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
    }

    /// Starts it again in the same folder, on a new port; stops it first if it is running.
    #[track_caller]
    pub fn restart(&mut self) {
        if self.child.is_some() {
            self.term();
        }
        self.run();
    }

    /// The log of this run: its standard error, and `chatd.log` if `log.file` names that.
    pub fn log_text(&self) -> String {
        let mut text = fs::read(self.path("stderr")).unwrap_or_default();
        let file = fs::read(self.path("chatd.log")).unwrap_or_default();
        text.extend_from_slice(file.get(self.log_from..).unwrap_or(&file));
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Waits until the log contains this, and returns the first such line.
    #[track_caller]
    pub fn wait_for_log(&self, part: &str) -> String {
        let deadline = Instant::now() + START_STOP;
        loop {
            let text = self.log_text();
            if let Some(line) = text.lines().find(|line| line.contains(part)) {
                return line.to_owned();
            }
            assert!(Instant::now() < deadline, "the log never says {part:?}:\n{text}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// A client that has connected and read nothing yet.
    #[track_caller]
    pub fn connect(&self) -> Client {
        Client::connect(self.addr())
    }

    /// A client that has read its greeting.
    #[track_caller]
    pub fn greeted(&self) -> Client {
        let mut client = self.connect();
        client.expect("C 220 chatd ");
        client
    }

    /// Tries to register `name` and returns the answer to its password.
    #[track_caller]
    pub fn register(&self, name: &str) -> (Client, String) {
        let mut client = self.greeted();
        client.send(name);
        client.expect("C 332 ");
        client.send(PASSWORD);
        let answer = client.line();
        (client, answer)
    }

    /// A client logged in without types, registered if needed.
    #[track_caller]
    pub fn bare(&self, name: &str) -> Client {
        let mut client = self.greeted();
        client.login_bare(name);
        client
    }

    /// A client logged in without types, whose account must exist.
    #[track_caller]
    pub fn returning(&self, name: &str) -> Client {
        let mut client = self.greeted();
        client.send(name);
        client.expect_exact(&format!("C 331 {name}, your password?"));
        client.send(PASSWORD);
        client.expect("C 230 ");
        client
    }

    /// A client logged in with typed frames, registered if needed.
    #[track_caller]
    pub fn typed(&self, name: &str) -> Client {
        let mut client = self.greeted();
        client.login_typed(name);
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- the server's log ---\n{}", self.log_text());
        }
        self.kill9();
    }
}

/// The listeners in a log, in its order: door and address.
fn listeners(log: &str) -> Vec<(String, SocketAddr)> {
    // A line that is still being written has no LF yet, and could end within a port number.
    log.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .filter_map(|line| line.split_once("listening on ")?.1.split_whitespace().next()?.split_once("://"))
        .filter_map(|(door, addr)| Some((door.to_owned(), addr.parse().ok()?)))
        .collect()
}

/// How many endpoints a log names, those at Unix sockets too.
fn count_listeners(log: &str) -> usize {
    log.split_inclusive('\n').filter(|line| line.ends_with('\n') && line.contains(" listening on ")).count()
}

/// Sleeps. For clients that are slow on purpose, and for polling; elsewhere wait for a condition, as [`eventually`]
/// does.
pub fn pause(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}

#[test]
fn a_listener_is_read_from_a_whole_line_only() {
    let log = "x [INFO] listening on line://127.0.0.1:4012\ny listening on rooms://127.0.0.1:7\nz listening on line://127.0.0.1:9";
    let found: Vec<_> = listeners(log).into_iter().map(|(door, addr)| format!("{door} {addr}")).collect();
    assert_eq!(found, ["line 127.0.0.1:4012", "rooms 127.0.0.1:7"]);
}
