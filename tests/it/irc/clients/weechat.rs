//! weechat without a screen. It takes commands from a pipe, and writes what it shows into files.

use std::fs;
use std::io::Write as _;
use std::time::Duration;

use tempfile::TempDir;
use testkit::{Server, Terminal, eventually};

use super::{Chat, is_there, lines_to_type, written};

/// How this account of the server is set up beyond the manual: it sends without a pause, and comes back soon.
const HASTE: [&str; 4] = ["anti_flood_prio_high 0", "anti_flood_prio_low 0", "autoreconnect_delay 1", "command \"\""];

/// A running weechat, killed when it is dropped.
pub(crate) struct Weechat {
    terminal: Terminal,
    home: TempDir,
}

impl Weechat {
    /// Starts it, and types what the manual says. `None` if it is missing; a note is printed.
    #[track_caller]
    pub(crate) fn connect(server: &Server, account: &str) -> Option<Self> {
        let mut weechat = Self::start(server)?;
        let mut lines = lines_to_type("weechat", account, server.door("irc+tls").port());
        if weechat.is_old() {
            lines[0] = lines[0].replace("-tls", "-ssl");
        }
        for option in HASTE {
            lines.insert(lines.len() - 1, format!("/set irc.server.chatd.{option}"));
        }
        for line in lines {
            weechat.core(&line);
        }
        Some(weechat)
    }

    /// Starts it. `None` if it is missing; a note is printed.
    #[track_caller]
    pub(crate) fn start(server: &Server) -> Option<Self> {
        if !is_there("weechat-headless") {
            return None;
        }
        let home = tempfile::tempdir().expect("a folder");
        let path = |name: &str| home.path().join(name).display().to_string();
        fs::copy(server.path("cert.pem"), path("cert.pem")).expect("the certificate");
        let set = [
            format!("/set fifo.file.path \"{}\"", path("fifo")),
            "/fifo enable".to_owned(),
            format!("/set logger.file.path \"{}\"", path("log")),
            "/set logger.mask.irc \"$channel.log\"".to_owned(),
            "/set logger.file.flush_delay 0".to_owned(),
        ];
        let settings: Vec<&str> = set.iter().flat_map(|line| ["-r", line]).collect();
        let folder = path("");
        let arguments = [&["--stdout", "-d", &folder][..], &settings].concat();
        let variables = [("LANG", "C.UTF-8")];
        let mut terminal = Terminal::start_with(60, 160, home.path(), "weechat-headless", &arguments, &variables);
        let fifo = home.path().join("fifo");
        eventually("weechat makes its pipe", || {
            terminal.pump(Duration::ZERO);
            fifo.exists()
        });
        Some(Self { terminal, home })
    }

    /// Before version 4, some settings have other names.
    fn is_old(&self) -> bool {
        let answer = std::process::Command::new("weechat-headless").arg("--version").output().expect("its version");
        String::from_utf8_lossy(&answer.stdout).starts_with(['1', '2', '3'])
    }

    /// Types something into the first window.
    #[track_caller]
    pub(crate) fn core(&mut self, line: &str) {
        self.write(&format!("*{line}"));
    }

    #[track_caller]
    fn write(&mut self, line: &str) {
        let pipe = fs::File::options().append(true).open(self.home.path().join("fifo"));
        pipe.and_then(|mut pipe| pipe.write_all(format!("{line}\n").as_bytes())).expect("weechat's pipe");
        self.terminal.pump(Duration::ZERO);
    }
}

impl Chat for Weechat {
    #[track_caller]
    fn run(&mut self, command: &str) {
        self.write(&format!("irc.server.chatd *{command}"));
    }

    #[track_caller]
    fn say(&mut self, channel: &str, text: &str) {
        self.write(&format!("irc.chatd.{channel} *{text}"));
    }

    fn shown(&self, place: &str) -> String {
        let place = if place.is_empty() { Self::NETWORK } else { place };
        written(self.home.path(), place)
    }

    fn terminal(&mut self) -> &mut Terminal {
        &mut self.terminal
    }

    #[track_caller]
    fn wait_entered(&mut self, channel: &str) {
        // The last of what it asks: members by WHO, then the time at which the channel was made.
        self.wait_shown(channel, "Channel ");
    }
}
