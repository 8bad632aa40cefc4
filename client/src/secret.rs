//! The sources of passwords: a variable, a program, or a person at a terminal.

use std::env;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdout, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use chatd::prompt::Hidden;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::Zeroizing;

use super::action::{Secret, Wanted};
use super::filter::without_mark;
use super::program::{self, Pauses, SECRET as VARIABLE};
use super::terminal;

/// The longest first line of a program's output; far longer than any password.
const LINE: usize = 4096;
/// How long a program may run on after it has printed the password: it may still fail.
const GRACE: Duration = Duration::from_secs(1);
/// The bytes that are read from a program before its end is checked for.
const ROUND: usize = 64 * 1024;

/// Where passwords come from without asking a person.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Nowhere: a person has to be asked.
    None,
    /// The value of the variable.
    Variable(Secret),
    /// The first line that this program prints, given as its name and arguments.
    Program(Vec<String>),
}

/// The result of asking.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A secret.
    Given(Secret),
    /// The user declined.
    Refused,
    /// Another part of the client interrupted it.
    Interrupted,
    /// Nobody can be asked. The text says why, and what would help.
    Impossible(String),
}

impl Source {
    /// The source according to the command line, or else the environment.
    pub(super) fn new(command: Option<Vec<String>>) -> Self {
        match (command, env::var(VARIABLE)) {
            (Some(words), _) => Self::Program(words),
            (None, Ok(text)) if !text.is_empty() => {
                let text = Zeroizing::new(text);
                Self::Variable(Secret(Zeroizing::new(without_mark(&text).to_owned())))
            }
            (None, Ok(_) | Err(_)) => Self::None,
        }
    }

    /// Whether this source answers, rather than a person. It does so once per login: a refused password is not tried
    /// again. A user who `has_talked` is logged in, and types a new password by hand.
    pub(super) fn answers(&self, wanted: Wanted, has_talked: bool) -> bool {
        match (self, wanted) {
            (Self::None, _) => false,
            (_, Wanted::Password(n) | Wanted::OldPassword(n)) => n <= 1,
            (_, Wanted::NextPassword(_)) => false,
            (_, Wanted::NewPassword(n)) => n <= 1 && !has_talked,
            (_, Wanted::NewPasswordAgain) => !has_talked,
        }
    }

    /// Whether a password is given, so that no other one counts.
    pub(super) fn is_given(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Why neither this source nor a person answers: a given password that is refused is not replaced by asking. Only a
    /// new password may be typed, by a person who edits lines (`is_edited`) and `has_talked`.
    pub(super) fn refuses(&self, wanted: Wanted, has_talked: bool, is_edited: bool) -> Option<String> {
        let (origin, suspect) = match self {
            Self::None => return None,
            Self::Variable(_) => (VARIABLE, VARIABLE),
            Self::Program(_) => ("--password-command", "the program of --password-command"),
        };
        if self.answers(wanted, has_talked) {
            return None;
        }
        match wanted {
            Wanted::Password(_) | Wanted::OldPassword(_) => {
                Some(format!("check {suspect}: the password that it gives is wrong"))
            }
            Wanted::NewPassword(_) | Wanted::NewPasswordAgain if !has_talked => {
                Some(format!("the password that {origin} gives cannot be used"))
            }
            Wanted::NewPassword(_) | Wanted::NextPassword(_) | Wanted::NewPasswordAgain if is_edited => None,
            Wanted::NewPassword(_) | Wanted::NextPassword(_) | Wanted::NewPasswordAgain => {
                Some(format!("a new password is not taken from {origin}: choose it at a terminal"))
            }
        }
    }

    /// The password from this source. A byte in `cancel` interrupts it.
    pub(super) fn ask(&self, cancel: &UnixStream) -> Answer {
        match self {
            Self::None => Answer::Impossible(format!("set {VARIABLE} or use --password-command")),
            Self::Variable(secret) => Answer::Given(secret.clone()),
            Self::Program(words) => {
                // The program may ask for something at the terminal itself.
                terminal::lend();
                let answer = run(words, cancel);
                terminal::hush();
                answer
            }
        }
    }
}

/// Runs a program without a shell and takes the first line of its output. A byte in `cancel` ends it.
fn run(words: &[String], cancel: &UnixStream) -> Answer {
    let (Some(program), Some(mut command)) = (words.first(), program::command(words)) else { return Answer::Refused };
    let failed = |why: String| Answer::Impossible(format!("--password-command {program}: {why}"));
    let mut child = match command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return failed(error.to_string()),
    };
    let mut line = Zeroizing::new(Vec::with_capacity(LINE));
    let status = match attend(&mut child, &mut line, cancel) {
        Ok(status) => status,
        Err(error) => {
            // It may have ended by itself in the meantime.
            let _ = child.kill();
            let _ = child.wait();
            return if error.kind() == ErrorKind::Interrupted {
                Answer::Interrupted
            } else {
                failed(error.to_string())
            };
        }
    };
    if let Some(status) = status.filter(|status| !status.success()) {
        return failed(status.to_string());
    }
    while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        line.pop();
    }
    match std::str::from_utf8(&line).map(without_mark) {
        Ok("") => failed("it printed no password".to_owned()),
        Ok(text) => Answer::Given(Secret(Zeroizing::new(text.to_owned()))),
        Err(_) => failed("what it printed is not UTF-8".to_owned()),
    }
}

/// Reads the first line that a program prints, and waits for its exit status. After the line it has [`GRACE`] to exit;
/// `None` if it goes on. The pipe need not end: a process that the program has left behind may hold it open.
fn attend(child: &mut Child, line: &mut Vec<u8>, cancel: &UnixStream) -> io::Result<Option<ExitStatus>> {
    let mut output = child.stdout.take();
    let mut deadline = None;
    let mut pauses = Pauses::new();
    loop {
        // In this order, so that all output before the end is read.
        let status = child.try_wait()?;
        if let Some(pipe) = &mut output
            && !read_what_is_there(pipe, line)?
        {
            output = None;
        }
        if status.is_some() {
            return Ok(status);
        }
        let is_whole = line.ends_with(b"\n") || (output.is_none() && !line.is_empty());
        if is_whole && Instant::now() >= *deadline.get_or_insert_with(|| Instant::now() + GRACE) {
            return Ok(None);
        }
        let mut fds = vec![PollFd::new(cancel, PollFlags::IN)];
        fds.extend(output.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        match poll(&mut fds, Some(&pauses.next())) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if fds.first().is_some_and(|cancel| !cancel.revents().is_empty()) {
            return Err(ErrorKind::Interrupted.into());
        }
    }
}

/// Reads what a pipe holds, up to [`ROUND`], and keeps the first line. The rest is read too, so that the program does
/// not block. `false` when the pipe has ended.
fn read_what_is_there(pipe: &mut ChildStdout, line: &mut Vec<u8>) -> io::Result<bool> {
    let mut chunk = Zeroizing::new([0; 512]);
    for _ in 0..ROUND / chunk.len() {
        let mut fds = [PollFd::new(pipe, PollFlags::IN)];
        if poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready == 0) {
            return Ok(true);
        }
        let n = pipe.read(chunk.as_mut_slice())?;
        if n == 0 {
            return Ok(false);
        }
        for byte in chunk.iter().take(n) {
            if line.len() < LINE && line.last() != Some(&b'\n') {
                line.push(*byte);
            }
        }
    }
    Ok(true)
}

/// The question for a person.
pub(super) fn prompt(wanted: Wanted) -> &'static str {
    match wanted {
        Wanted::Password(_) => "password: ",
        Wanted::NewPassword(_) => "choose a password: ",
        Wanted::OldPassword(_) => "old password: ",
        Wanted::NextPassword(_) => "choose a new password: ",
        Wanted::NewPasswordAgain => "the same password again: ",
    }
}

/// Asks at the terminal, without echo, with this prompt, and writes `end` afterwards. A byte in `cancel` interrupts it.
pub(super) fn ask_person(prompt: &str, end: &str, cancel: &UnixStream) -> Answer {
    let impossible = |error: io::Error| {
        Answer::Impossible(format!(
            "a password is wanted, and there is no terminal to ask at ({error}): \
             set {VARIABLE} or use --password-command"
        ))
    };
    let hidden = match Hidden::new(prompt, end) {
        Ok(hidden) => hidden,
        Err(error) => return impossible(error),
    };
    match hidden.read(cancel) {
        Ok(secret) => Answer::Given(secret),
        // Ctrl-C, or a byte in `cancel`.
        Err(error) if error.kind() == ErrorKind::Interrupted => Answer::Interrupted,
        // Ctrl-D, or the terminal is gone.
        Err(_) => Answer::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[track_caller]
    fn check(words: &[&str], expected: Result<&str, &str>) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let (cancelled, _cancel) = UnixStream::pair().unwrap();
        match (Source::Program(words).ask(&cancelled), expected) {
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
    fn a_byte_order_mark_is_no_part_of_it() {
        check(&["printf", "\\357\\273\\277correct horse\n"], Ok("correct horse"));
        check(&["printf", "\\357\\273\\277"], Err("no password"));
    }

    #[test]
    fn who_keeps_the_pipe_open_holds_nobody() {
        let began = Instant::now();
        for script in [
            "echo secret; sleep 60 &",
            "printf secret; sleep 60 &",
            "echo secret; exec sleep 60",
            "echo secret; exec >&-; exec sleep 60",
            "echo secret; exec yes",
        ] {
            check(&["sh", "-c", script], Ok("secret"));
        }
        check(&["sh", "-c", "echo secret; sleep 60 & exit 3"], Err("exit status: 3"));
        assert!(began.elapsed() < Duration::from_secs(30));
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
    fn a_program_that_takes_too_long_is_ended() {
        let words = ["sleep", "60"].map(str::to_owned).to_vec();
        let (cancelled, mut cancel) = UnixStream::pair().unwrap();
        cancel.write_all(b".").unwrap();
        let began = Instant::now();
        assert_eq!(Source::Program(words).ask(&cancelled), Answer::Interrupted);
        let words = ["sh", "-c", "exec >&-; exec sleep 60"].map(str::to_owned).to_vec();
        assert_eq!(Source::Program(words).ask(&cancelled), Answer::Interrupted);
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_given_password_that_is_refused_is_the_last() {
        let source = Source::Variable(Secret(Zeroizing::new("x".to_owned())));
        let refuses = |wanted, has_talked, is_edited| source.refuses(wanted, has_talked, is_edited).is_some();
        for is_edited in [false, true] {
            assert!(!refuses(Wanted::Password(1), false, is_edited) && refuses(Wanted::Password(2), false, is_edited));
            assert!(!refuses(Wanted::NewPassword(1), false, is_edited));
            assert!(refuses(Wanted::NewPassword(2), false, is_edited));
            assert!(!refuses(Wanted::OldPassword(1), true, is_edited));
            assert!(refuses(Wanted::OldPassword(2), true, is_edited));
            assert_eq!(refuses(Wanted::NextPassword(1), true, is_edited), !is_edited);
            assert!(Source::None.refuses(Wanted::Password(2), false, is_edited).is_none());
        }
    }

    #[test]
    fn a_source_is_asked_once() {
        let source = Source::Variable(Secret(Zeroizing::new("x".to_owned())));
        assert!(source.answers(Wanted::Password(1), false) && source.answers(Wanted::NewPassword(1), false));
        assert!(!source.answers(Wanted::Password(2), false) && !source.answers(Wanted::NewPassword(2), false));
        assert!(source.answers(Wanted::OldPassword(1), true) && !source.answers(Wanted::NextPassword(1), true));
        assert!(!source.answers(Wanted::NewPasswordAgain, true));
        assert!(!Source::None.answers(Wanted::Password(1), false));
    }
}
