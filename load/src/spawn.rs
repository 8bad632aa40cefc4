//! A server started for the run: this program, executed again as chatd, in a temporary folder.
//!
//! It does not outlive the run: it is killed by its process number when this is dropped (even by a panic), and the
//! kernel kills it if this process ends in any other way.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chatd::limits::SPARE_DESCRIPTORS;
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use tempfile::TempDir;

use super::args::{Common, Switch};
use super::run::Stop;

/// The first argument that makes this program run as chatd.
pub const SERVE: &str = "serve-for-chatload";

/// How long the server may take until it listens.
const START: Duration = Duration::from_secs(30);
/// How often that is checked, and so the precision of `storm`.
const LOOK: Duration = Duration::from_micros(500);
/// The names of its configuration file and its log …
const CONFIG: &str = "config.toml";
const LOG: &str = "server.log";
/// The name of its history, as the server's default has it.
const HISTORY: &str = "history.db";
/// How many lines of its log are shown if it does not start.
const LINES_SHOWN: usize = 5;

/// The rules of a server started for the run.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    /// Keys of its configuration that are overridden, as `--set` has them.
    pub(super) sets: Vec<String>,
    /// Whether it has a certificate of its own, and encrypts.
    pub(super) is_tls: bool,
    /// Whether its door is that of the web …
    pub(super) is_web: bool,
    /// … or that of IRC.
    pub(super) is_irc: bool,
    /// Whether it keeps a history; `None` for the server's default.
    pub(super) history: Option<bool>,
}

impl Rules {
    /// Those that the arguments ask for.
    pub(super) fn of(common: &Common) -> Self {
        let history = common.history.map(|switch| switch == Switch::On);
        Self { sets: common.set.clone(), is_tls: common.tls, is_web: common.web, is_irc: common.irc, history }
    }

    /// The door of the chat, as in `listen`.
    fn door(&self) -> &'static str {
        match (self.is_web, self.is_irc, self.is_tls) {
            (false, false, false) => "line",
            (false, false, true) => "line+tls",
            (true, _, false) => "web",
            (true, _, true) => "web+tls",
            (false, true, false) => "irc",
            (false, true, true) => "irc+tls",
        }
    }
}

/// A server started for the run.
pub(super) struct Spawned {
    program: PathBuf,
    rules: Rules,
    child: Child,
    addr: SocketAddr,
    folder: TempDir,
}

impl Spawned {
    /// Starts a server for this many connections, with these rules, and waits until it listens.
    ///
    /// # Errors
    /// It does not start; the text includes its log.
    pub(super) fn start(connections: u32, rules: &Rules, stop: &Stop) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| format!("cannot start a server: {error}"))?;
        let folder = tempfile::Builder::new()
            .prefix("chatload-")
            .tempdir()
            .map_err(|error| format!("cannot make a temporary folder: {error}; TMPDIR says where"))?;
        fs::write(folder.path().join(CONFIG), config(connections, rules))
            .map_err(|error| format!("{}: {error}; TMPDIR says where else", folder.path().display()))?;
        if rules.is_tls {
            make_certificate(&program, folder.path())?;
        }
        let child = launch(&program, folder.path(), &rules.sets, None)?;
        let (rules, addr) = (rules.clone(), SocketAddr::from(([127, 0, 0, 1], 0)));
        let mut server = Self { program, rules, child, addr, folder };
        server.wait(stop)?;
        Ok(server)
    }

    /// Its address.
    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it keeps a history.
    pub(super) fn keeps_history(&self) -> bool {
        self.history().exists()
    }

    /// The file of its history, unless a `--set` names another one.
    pub(super) fn history(&self) -> PathBuf {
        self.folder.path().join(HISTORY)
    }

    /// Ends it in good order, and waits until it has ended.
    ///
    /// # Errors
    /// It does not end.
    #[cfg_attr(not(feature = "history"), allow(dead_code, reason = "only the workload `history` does it"))]
    pub(super) fn stop(&mut self) -> Result<(), String> {
        // Only a process that has ended already cannot be told.
        if let Some(pid) = Pid::from_raw(i32::try_from(self.child.id()).unwrap_or_default()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + START;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                return Err("the server does not end".to_owned());
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Ends it like a power failure.
    pub(super) fn kill(&mut self) {
        // Only a process that has ended already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again in the same place, and waits until it listens.
    ///
    /// # Errors
    /// It does not start; the text includes its log.
    pub(super) fn restart(&mut self, stop: &Stop) -> Result<(), String> {
        self.kill();
        let listen = format!("listen=[\"{}://{}\"]", self.rules.door(), self.addr);
        self.child = launch(&self.program, self.folder.path(), &self.rules.sets, Some(&listen))?;
        self.wait(stop)
    }

    fn wait(&mut self, stop: &Stop) -> Result<(), String> {
        let deadline = Instant::now() + START;
        loop {
            let log = fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default();
            if let Some(addr) = listening_on(&log, self.rules.door()) {
                self.addr = addr;
                return Ok(());
            }
            let has_ended = !matches!(self.child.try_wait(), Ok(None));
            if has_ended || Instant::now() > deadline {
                return Err(format!("the server does not start; it says:\n{}", last_lines(&log)));
            }
            if stop.is_asked() {
                return Err("stopped before the server had started".to_owned());
            }
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.kill();
    }
}

/// To be called by the server's process: it then ends with its parent.
pub fn end_with_parent() {
    // If the kernel does not support this, only a `kill -9` of its parent leaves the server running.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
}

/// Makes a key and a certificate for the server, as its configuration names them.
fn make_certificate(program: &Path, folder: &Path) -> Result<(), String> {
    let cannot = |why: &str| format!("the server cannot make a certificate: {why}");
    let mut command = Command::new(program);
    command.arg(SERVE).arg("--config").arg(folder.join(CONFIG)).args(["cert", "make"]);
    let made = command.current_dir(folder).stdin(Stdio::null()).output().map_err(|error| cannot(&error.to_string()))?;
    if made.status.success() {
        return Ok(());
    }
    Err(cannot(&last_lines(&String::from_utf8_lossy(&made.stderr))))
}

fn launch(program: &Path, folder: &Path, sets: &[String], listen: Option<&str>) -> Result<Child, String> {
    let cannot = |error: io::Error| format!("cannot start a server: {}: {error}", program.display());
    let log = File::create(folder.join(LOG)).map_err(cannot)?;
    let mut command = Command::new(program);
    command.arg(SERVE).arg("--config").arg(folder.join(CONFIG));
    for set in sets {
        command.arg("--set").arg(set);
    }
    if let Some(listen) = listen {
        command.arg("--set").arg(listen);
    }
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    // A group of its own: Ctrl-C at the terminal is for the run, which then ends the server itself.
    command.process_group(0);
    command.spawn().map_err(cannot)
}

/// Passwords are cheap, and no client is slowed down or closed for being slow or silent: the run measures the server,
/// not its rules.
fn config(connections: u32, rules: &Rules) -> String {
    let connections = u64::from(connections) + SPARE_DESCRIPTORS;
    let history = match rules.history {
        None => String::new(),
        Some(false) => "\n[history]\nfile = \"\"\n".to_owned(),
        Some(true) => format!("\n[history]\nfile = \"{HISTORY}\"\n"),
    };
    let pair = if rules.is_tls { "\n[tls]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n" } else { "" };
    let door = rules.door();
    format!(
        r#"listen = ["{door}://127.0.0.1:0"]
{pair}
[accounts]
argon2 = {{ memory_kib = 8, iterations = 1, parallelism = 1 }}
queue = 10000
most = 10000000

[login]
deadline_s = 86400
penalties = false

[limits]
connections = {connections}
line_bytes = 32768
owed_bytes = 67108864
owed_soft_bytes = 67108864
owed_total_bytes = 4294967296
send_buffer_bytes = 0
rate_lines_per_s = 0
rate_bytes_per_s = 0

[rooms]
members = {connections}

[log]
stats_s = 0
{history}"#
    )
}

/// The first address in a log on which the server listens with this door.
fn listening_on(log: &str, door: &str) -> Option<SocketAddr> {
    // A line that is still being written has no LF yet, and could end within a port number.
    let whole = log.get(..log.rfind('\n')?)?;
    let begin = format!("listening on {door}://");
    let addr = |line: &str| line.split_once(&begin)?.1.trim().parse().ok();
    whole.lines().find_map(addr)
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(LINES_SHOWN)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_read_from_a_whole_line_only() {
        let log = "a [INFO] chatd starts\nb [INFO] listening on line://127.0.0.1:4012";
        assert_eq!(listening_on(log, "line"), None);
        assert_eq!(listening_on(&format!("{log}\n"), "line").unwrap().port(), 4012);
        let log = format!("{log}\nb [INFO] listening on web+tls://127.0.0.1:4013\n");
        assert_eq!(listening_on(&log, "web+tls").unwrap().port(), 4013);
        assert_eq!(listening_on(&log, "web"), None);
    }

    #[test]
    fn the_end_of_a_log_is_shown() {
        assert_eq!(last_lines(""), "");
        assert_eq!(last_lines("1\n2\n3\n4\n5\n6\n"), "2\n3\n4\n5\n6");
    }
}
