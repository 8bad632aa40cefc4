//! A terminal with our client in it: a test presses keys, and checks what a person would see.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pts, Pty};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::{PASSWORD, PATIENCE, pause, program};

/// A pseudo-terminal, its screen, and the program that runs in it. Dropping it kills the program.
pub struct Terminal {
    pty: Pty,
    /// Kept open, so that the state of the terminal can be read when the program has ended.
    pts: Pts,
    child: Child,
    screen: vt100::Parser,
    raw: Vec<u8>,
}

impl Terminal {
    /// Starts a program in a terminal of this size, with its state and home in this folder.
    #[track_caller]
    pub fn start(rows: u16, columns: u16, home: &Path, program: &str, arguments: &[&str]) -> Self {
        Self::start_with(rows, columns, home, program, arguments, &[])
    }

    /// The same with more variables.
    #[track_caller]
    pub fn start_with(
        rows: u16,
        columns: u16,
        home: &Path,
        program: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        crate::process::hear_signals();
        let (pty, pts) = pty_process::blocking::open().expect("a pseudo-terminal");
        pty.resize(Size::new(rows, columns)).expect("its size");
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TERM", "xterm-256color")
            .env("TZ", "UTC")
            .env("HOME", home)
            .envs(variables.iter().copied())
            .spawn_borrowed(&pts)
            .expect("the program starts");
        let screen = vt100::Parser::new(cells(rows), cells(columns), 0);
        Self { pty, pts, child, screen, raw: Vec::new() }
    }

    /// Starts the client for this user of this server.
    #[track_caller]
    pub fn client(rows: u16, columns: u16, home: &Path, server: SocketAddr, user: &str) -> Self {
        let (host, port) = (server.ip().to_string(), server.port().to_string());
        Self::start(rows, columns, home, &program("chatclient"), &[&host, &port, user])
    }

    /// A client, logged in under a new name.
    #[track_caller]
    pub fn logged_in(rows: u16, columns: u16, home: &Path, server: SocketAddr, user: &str) -> Self {
        let mut terminal = Self::client(rows, columns, home, server, user);
        terminal.wait_for("choose a password: ");
        terminal.keys(&format!("{PASSWORD}\r"));
        terminal.wait_for("the same password again: ");
        terminal.keys(&format!("{PASSWORD}\r"));
        terminal.wait_for(&format!("{user}> "));
        terminal
    }

    /// Presses keys, as fast as the terminal takes them.
    #[track_caller]
    pub fn keys(&mut self, keys: &str) {
        self.bytes(keys.as_bytes());
    }

    /// The same for keys that need not be text.
    #[track_caller]
    pub fn bytes(&mut self, mut bytes: &[u8]) {
        let deadline = Instant::now() + PATIENCE;
        while !bytes.is_empty() {
            assert!(Instant::now() < deadline, "the terminal takes no keys:\n{}", self.contents());
            let mut fds = [PollFd::new(&self.pty, PollFlags::OUT)];
            if poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 20_000_000 })).is_ok_and(|n| n > 0) {
                // In small pieces, so that none waits for the program to read.
                let (now, later) = bytes.split_at(bytes.len().min(64));
                (&self.pty).write_all(now).expect("keys");
                bytes = later;
            }
            self.pump(Duration::ZERO);
        }
    }

    /// Reads the program's output for this time; `false` if there was none.
    pub fn pump(&mut self, within: Duration) -> bool {
        let within = Timespec::try_from(within).expect("a short time");
        let mut fds = [PollFd::new(&self.pty, PollFlags::IN)];
        if !poll(&mut fds, Some(&within)).is_ok_and(|n| n > 0) {
            return false;
        }
        let mut chunk = [0; 65536];
        let n = (&self.pty).read(&mut chunk).unwrap_or(0);
        self.screen.process(&chunk[..n]);
        self.raw.extend_from_slice(&chunk[..n]);
        n > 0
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn wait(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it never shows {what}:\n{}", self.contents());
            self.pump(left.min(Duration::from_millis(50)));
        }
    }

    /// Waits until this is on the screen.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        self.wait(text, |terminal| terminal.contents().contains(text));
    }

    /// The content of the screen.
    pub fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// Whether the screen ends with this line as a terminal breaks it, with the cursor this many bytes into it.
    pub fn ends_with(&self, line: &str, cursor: usize) -> bool {
        let screen = self.screen.screen();
        let columns = usize::from(screen.size().1.get());
        let (rows, at) = laid_out(line, cursor, columns);
        let (row, column) = screen.cursor_position();
        let Some(first) = usize::from(row).checked_sub(at.0) else { return false };
        let shown: Vec<String> = screen.rows(0, screen.size().1.get()).collect();
        let below = shown.iter().skip(first + rows.len()).all(|row| row.trim_end().is_empty());
        let is_shown = rows.iter().zip(shown.iter().skip(first)).all(|(a, b)| a.trim_end() == b.trim_end());
        usize::from(column) == at.1 && is_shown && below && first + rows.len() <= shown.len()
    }

    /// Waits until the screen ends with this line, with the cursor this many bytes into it.
    #[track_caller]
    pub fn wait_for_line(&mut self, line: &str, cursor: usize) {
        let what = format!("at its end {line:?}, the cursor at {cursor}");
        self.wait(&what, |terminal| terminal.ends_with(line, cursor));
    }

    /// All bytes that the program has written so far.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    /// Changes the size of the terminal.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        self.pty.resize(Size::new(rows, columns)).expect("the new size");
        self.screen.screen_mut().set_size(cells(rows), cells(columns));
    }

    /// Changes the width as terminals do that rejoin the rows they wrapped themselves.
    pub fn widen(&mut self, columns: u16) {
        let screen = self.screen.screen();
        let (rows, old) = screen.size();
        let (row, _) = screen.cursor_position();
        let mut text = String::new();
        for (n, shown) in (0..=row).zip(screen.rows(0, old.get())) {
            text.push_str(&shown);
            text.push_str(if screen.row_wrapped(n) { "" } else { "\r\n" });
        }
        // The cursor is after the text, or after the space that follows a prompt.
        let (_, column) = screen.cursor_position();
        let mut wider = vt100::Parser::new(rows, cells(columns), 0);
        wider.process(text.trim_end_matches("\r\n").as_bytes());
        let last = screen.rows(0, old.get()).nth(usize::from(row)).unwrap_or_default();
        let behind = usize::from(column).saturating_sub(last.chars().count());
        wider.process(" ".repeat(behind).as_bytes());
        self.screen = wider;
        self.pty.resize(Size::new(rows.get(), columns)).expect("the new size");
    }

    /// Closes the terminal, as closing its window does.
    pub fn hang_up(mut self) {
        let (pty, pts) = pty_process::blocking::open().expect("another terminal");
        (self.pty, self.pts) = (pty, pts);
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait().expect("wait").is_none() {
            assert!(Instant::now() < deadline, "it does not end");
            pause(5);
        }
    }

    /// Whether keys are echoed and input is line by line.
    pub fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&self.pts).expect("its settings").local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// Turns on echo and line mode, like a shell that takes the terminal from a stopped program.
    #[track_caller]
    pub fn cook(&self) {
        let mut modes = tcgetattr(&self.pts).expect("its settings");
        modes.local_modes |= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(&self.pts, OptionalActions::Now, &modes).expect("other settings");
    }

    /// Whether the terminal is in the state that a shell expects.
    pub fn is_restored(&self) -> bool {
        self.is_cooked() && !self.screen.screen().bracketed_paste() && !self.screen.screen().hide_cursor()
    }

    /// The program's process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().cast_signed()).expect("a pid");
        kill_process(pid, signal).expect("the program is there");
    }

    /// Waits for the end of the program, reads its last output, and returns how it ended.
    #[track_caller]
    pub fn wait_exit(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.pump(Duration::from_millis(5));
            if let Some(status) = self.child.try_wait().expect("wait") {
                while self.pump(Duration::ZERO) {}
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.contents());
        }
    }

    /// It must end with this code, and leave the terminal as it found it.
    #[track_caller]
    pub fn expect_exit(&mut self, code: i32) {
        let status = self.wait_exit();
        assert_eq!(status.code(), Some(code), "{status}:\n{}", self.contents());
        assert!(self.is_restored(), "the terminal is not restored");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a size")
}

/// A line broken into the rows of a terminal, and the row and column of a place in it, given in bytes. A full row is
/// followed by another.
fn laid_out(line: &str, cursor: usize, columns: usize) -> (Vec<String>, (usize, usize)) {
    let mut rows = vec![String::new()];
    let (mut column, mut place) = (0, (0, 0));
    for (at, c) in line.char_indices() {
        let width = match c {
            '\u{300}'..='\u{36f}' => 0,
            '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{1f300}'..='\u{1faff}' => {
                2
            }
            _ => 1,
        };
        if column + width > columns {
            rows.push(String::new());
            column = 0;
        }
        if at == cursor {
            // A character that does not fit into a row moves to the next, but the cursor before it need not.
            place = (rows.len() - 1, column);
        }
        rows.last_mut().expect("a row").push(c);
        column += width;
        if column == columns && width > 0 {
            rows.push(String::new());
            column = 0;
        }
    }
    if cursor == line.len() {
        place = (rows.len() - 1, column);
    }
    (rows, place)
}
