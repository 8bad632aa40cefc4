//! Where passwords come from: a variable, a program, or a person at a terminal.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::action::{Secret, Wanted};

/// The variable that may hold the password.
const VARIABLE: &str = "CHATCLIENT_PASSWORD";
/// The longest first line of a program that is read; far more than any password.
const LINE: u64 = 4096;

/// Where passwords come from without anybody being asked.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// From nowhere: somebody must be asked.
    None,
    /// The value of the variable.
    Variable(Secret),
    /// The first line that this program prints: its name and its arguments.
    Program(Vec<String>),
}

/// How asking ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// With a secret.
    Given(Secret),
    /// The user did not want to say it.
    Refused,
    /// Asking was interrupted from elsewhere in the client.
    Interrupted,
    /// Nobody can be asked; why, and what would help.
    Impossible(String),
}

impl Source {
    /// What the command line and the environment give; the command line first.
    pub(super) fn new(command: Option<Vec<String>>) -> Self {
        match (command, env::var(VARIABLE)) {
            (Some(words), _) => Self::Program(words),
            (None, Ok(text)) if !text.is_empty() => Self::Variable(Secret(Zeroizing::new(text))),
            (None, Ok(_) | Err(_)) => Self::None,
        }
    }

    /// Whether this is asked for, rather than a person. Only once for each login: what was refused is not tried again.
    /// Who `has_talked` is logged in, and chooses a new password by hand.
    pub(super) fn answers(&self, wanted: Wanted, has_talked: bool) -> bool {
        match (self, wanted) {
            (Self::None, _) => false,
            (_, Wanted::Password(n)) => n <= 1,
            (_, Wanted::NewPassword(n)) => n <= 1 && !has_talked,
            (_, Wanted::NewPasswordAgain) => !has_talked,
        }
    }

    /// The password, from where it stands.
    pub(super) fn ask(&self) -> Answer {
        match self {
            Self::None => Answer::Impossible(format!("set {VARIABLE} or use --password-command")),
            Self::Variable(secret) => Answer::Given(secret.clone()),
            Self::Program(words) => run(words),
        }
    }
}

/// Runs a program without a shell and takes the first line of its output.
fn run(words: &[String]) -> Answer {
    let Some((program, arguments)) = words.split_first() else { return Answer::Refused };
    let failed = |why: String| Answer::Impossible(format!("--password-command {program}: {why}"));
    let child =
        Command::new(program).args(arguments).env_remove(VARIABLE).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return failed(error.to_string()),
    };
    let mut line = Zeroizing::new(Vec::new());
    let mut rest = Ok(0);
    if let Some(stdout) = child.stdout.take() {
        let mut output = BufReader::new(stdout);
        rest = output.by_ref().take(LINE).read_until(b'\n', &mut line);
        // It may have more to say, and must not be stopped by nobody listening.
        rest = rest.and_then(|_| io::copy(&mut output, &mut io::sink()).map(|_| 0));
    }
    match (rest, child.wait()) {
        (Err(error), _) | (_, Err(error)) => return failed(error.to_string()),
        (Ok(_), Ok(status)) if !status.success() => return failed(status.to_string()),
        (Ok(_), Ok(_)) => {}
    }
    while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        line.pop();
    }
    match std::str::from_utf8(&line) {
        Ok("") => failed("it printed no password".to_owned()),
        Ok(text) => Answer::Given(Secret(Zeroizing::new(text.to_owned()))),
        Err(_) => failed("what it printed is not UTF-8".to_owned()),
    }
}

/// What a person is asked.
pub(super) fn prompt(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Password(_) => "password: ",
        Wanted::NewPassword(_) => "choose a password: ",
        Wanted::NewPasswordAgain => "the same password again: ",
    }
}

/// Asks at the terminal, without echo, with this prompt. A byte in `cancel` interrupts it.
pub(super) fn ask_person(prompt: &str, cancel: &UnixStream) -> Answer {
    let impossible = |error: io::Error| {
        Answer::Impossible(format!(
            "a password is wanted, and there is no terminal to ask at ({error}): \
             set {VARIABLE} or use --password-command"
        ))
    };
    let quiet = match Quiet::new(prompt) {
        Ok(quiet) => quiet,
        Err(error) => return impossible(error),
    };
    let reader = match (quiet.terminal.try_clone(), cancel.try_clone()) {
        (Ok(terminal), Ok(cancel)) => Cancellable { terminal, cancel },
        (Err(error), _) | (_, Err(error)) => return impossible(error),
    };
    // Told to read from something else than a terminal, rpassword leaves the terminal's settings alone.
    let config = rpassword::ConfigBuilder::new().input_reader(reader).output_discard().build();
    match rpassword::read_password_with_config(config) {
        Ok(text) => Answer::Given(Secret(Zeroizing::new(text))),
        // Ctrl-C, or a byte in `cancel`.
        Err(error) if error.kind() == ErrorKind::Interrupted => Answer::Interrupted,
        // Ctrl-D, or the terminal has gone.
        Err(_) => Answer::Refused,
    }
}

/// The terminal while nothing that is typed may be seen. As it was when it is dropped.
struct Quiet {
    terminal: File,
    found: Termios,
}

impl Quiet {
    fn new(prompt: &str) -> io::Result<Self> {
        let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let found = tcgetattr(&terminal)?;
        let mut quiet = found.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&terminal, OptionalActions::Now, &quiet)?;
        let quiet = Self { terminal: terminal.try_clone()?, found };
        terminal.write_all(prompt.as_bytes())?;
        Ok(quiet)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // If the terminal has gone there is nothing to restore.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.found);
    }
}

/// A terminal, to be read until there is something in `cancel`.
struct Cancellable {
    terminal: File,
    cancel: UnixStream,
}

impl Read for Cancellable {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !wait_readable(&self.terminal, &self.cancel)? {
            return Err(ErrorKind::Interrupted.into());
        }
        self.terminal.read(buffer)
    }
}

/// Waits until there is something to read. `false`: there is something in `cancel` instead.
pub(super) fn wait_readable(input: impl AsFd, cancel: &UnixStream) -> io::Result<bool> {
    loop {
        let mut fds = [PollFd::new(&input, PollFlags::IN), PollFd::new(cancel, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let [input, cancel] = fds;
        if !cancel.revents().is_empty() {
            return Ok(false);
        }
        if !input.revents().is_empty() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &[&str], expected: Result<&str, &str>) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        match (Source::Program(words).ask(), expected) {
            (Answer::Given(secret), Ok(text)) => assert_eq!(secret.0.as_str(), text),
            (Answer::Impossible(why), Err(part)) => assert!(why.contains(part), "{why}"),
            (answer, _) => panic!("expected {expected:?}, got {answer:?}"),
        }
    }

    #[test]
    fn the_first_line_of_a_program_is_the_password() {
        check(&["printf", "one two \\r\\nthree\\n"], Ok("one two "));
        check(&["printf", "no end"], Ok("no end"));
        check(&["echo", "$HOME; ls"], Ok("$HOME; ls"));
    }

    #[test]
    fn a_program_that_fails_is_named() {
        check(&["/nowhere/at/all"], Err("/nowhere/at/all"));
        check(&["sh", "-c", "echo secret; exit 3"], Err("exit status: 3"));
        check(&["true"], Err("no password"));
        check(&["printf", "\\377\\n"], Err("UTF-8"));
        check(&["sh", "-c", "echo a; head -c 1000000 /dev/zero"], Ok("a"));
    }

    #[test]
    fn a_source_is_asked_once() {
        let source = Source::Variable(Secret(Zeroizing::new("x".to_owned())));
        assert!(source.answers(Wanted::Password(1), false) && source.answers(Wanted::NewPassword(1), false));
        assert!(!source.answers(Wanted::Password(2), false) && !source.answers(Wanted::NewPassword(2), false));
        assert!(source.answers(Wanted::Password(1), true) && !source.answers(Wanted::NewPassword(1), true));
        assert!(!source.answers(Wanted::NewPasswordAgain, true));
        assert!(!Source::None.answers(Wanted::Password(1), false));
    }
}
