//! irssi in a terminal.

use std::fs;

use tempfile::TempDir;
use testkit::{Server, Terminal};

use super::{Chat, is_there, lines_to_type, written};

/// It writes what it shows of each channel into a file at once, takes many lines at once from the keyboard, and comes
/// back soon.
const CONFIG: &str = r#"
servers = ();
settings = {
  core = {
    real_name = "Somebody";
    user_name = "somebody";
    nick = "somebody";
    server_reconnect_time = "1s";
    recode = "no";
  };
  "fe-common/core" = {
    term_charset = "UTF-8";
    autolog = "yes";
    autolog_path = "~/log/$0.log";
    autolog_level = "ALL";
    theme = "default";
  };
  "fe-text" = { paste_verify_line_count = "0"; };
};
"#;

/// A running irssi, killed when it is dropped.
pub(crate) struct Irssi {
    pub(crate) terminal: Terminal,
    home: TempDir,
}

impl Irssi {
    /// Starts it, and types what the manual says. `None` if it is missing; a note is printed.
    #[track_caller]
    pub(crate) fn connect(server: &Server, account: &str) -> Option<Self> {
        let mut irssi = Self::start(server)?;
        for line in lines_to_type("irssi", account, server.door("irc+tls").port()) {
            irssi.run(&line.replace("/server add", "/server add -cmdspeed 1 -cmdmax 100"));
        }
        Some(irssi)
    }

    /// Starts it. `None` if it is missing; a note is printed.
    #[track_caller]
    pub(crate) fn start(server: &Server) -> Option<Self> {
        if !is_there("irssi") {
            return None;
        }
        let home = tempfile::tempdir().expect("a folder");
        fs::write(home.path().join("config"), CONFIG).expect("a file");
        fs::copy(server.path("cert.pem"), home.path().join("cert.pem")).expect("the certificate");
        let folder = format!("--home={}", home.path().display());
        let variables = [("LANG", "C.UTF-8")];
        let mut terminal = Terminal::start_with(60, 160, home.path(), "irssi", &[&folder], &variables);
        terminal.wait_for("[(status)]");
        Some(Self { terminal, home })
    }
}

impl Chat for Irssi {
    fn run(&mut self, command: &str) {
        self.terminal.keys(&format!("{command}\r"));
    }

    fn say(&mut self, channel: &str, text: &str) {
        self.run(&format!("/msg {channel} {text}"));
    }

    fn shown(&self, place: &str) -> String {
        if place.is_empty() {
            return self.terminal.contents();
        }
        written(self.home.path(), place)
    }

    fn terminal(&mut self) -> &mut Terminal {
        &mut self.terminal
    }

    #[track_caller]
    fn wait_entered(&mut self, channel: &str) {
        self.wait_shown(channel, &format!("Join to {channel} was synced in "));
    }
}
