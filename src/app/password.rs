//! The source of a password that an operator sets: the terminal or standard input.

use std::io::{self, BufRead as _, ErrorKind, IsTerminal as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::pipe;

use crate::auth::admin::Secret;
use crate::limits::PASSWORD_MAX_BYTES;
use crate::prompt::Hidden;
use crate::signals::heard;
use crate::text;

/// Bytes of standard input that are read for a password: enough to tell that one is too long, and input without end is
/// not read.
const LINE_MOST: usize = 2 * PASSWORD_MAX_BYTES;

/// Reads a new password: twice from the terminal, or, if standard input is not one, from its first line.
///
/// # Errors
/// A line for the operator: the password could not be read, a client could not send it, or a signal arrived.
pub(super) fn new_password(name: &str) -> Result<Secret, String> {
    if !io::stdin().is_terminal() {
        return first_line(io::stdin().lock());
    }
    let signals = Signals::catch().map_err(|e| format!("signals: {e}; try again"))?;
    let first = signals.ask(&format!("New password for {name}: "))?;
    let again = signals.ask("The same again: ")?;
    if first != again {
        return Err("these were two different passwords; nothing was changed".to_owned());
    }
    typable(first)
}

/// The signals that end a process by default. During a prompt they are only recorded, so that the terminal is not left
/// without echo.
struct Signals {
    /// Readable once a signal has arrived. It is never read from.
    caught: UnixStream,
    is_over: Arc<AtomicBool>,
}

impl Signals {
    fn catch() -> io::Result<Self> {
        let (caught, catching) = UnixStream::pair()?;
        catching.set_nonblocking(true)?;
        let is_over = Arc::new(AtomicBool::new(false));
        for signal in heard(&[SIGHUP, SIGINT, SIGQUIT, SIGTERM]) {
            flag::register_conditional_default(signal, Arc::clone(&is_over))?;
            pipe::register(signal, catching.try_clone()?)?;
        }
        Ok(Self { caught, is_over })
    }

    /// Prompts at the terminal, without echo.
    fn ask(&self, prompt: &str) -> Result<Secret, String> {
        let failed = |e: io::Error| format!("the terminal: {e}; try again");
        // The prompt's newline is not echoed either.
        let hidden = Hidden::new(prompt, "\n").map_err(failed)?;
        let typed = hidden.read(&self.caught).map(Secret::from);
        typed.map_err(|e| {
            if e.kind() == ErrorKind::Interrupted { "interrupted; nothing was changed".to_owned() } else { failed(e) }
        })
    }
}

impl Drop for Signals {
    /// From now on the signals end the process again.
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}

/// The first line, without its line end and without a leading byte-order mark.
fn first_line(input: impl io::BufRead) -> Result<Secret, String> {
    // Reserve the memory at once: a buffer that is reallocated leaves copies of the password behind.
    let mut line = Vec::with_capacity(LINE_MOST);
    input
        .take(LINE_MOST as u64)
        .read_until(b'\n', &mut line)
        .map_err(|e| format!("standard input: {e}; nothing was changed"))?;
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    if line.starts_with(text::BYTE_ORDER_MARK) {
        line.drain(..text::BYTE_ORDER_MARK.len());
    }
    // A password that was cut off may end within a character. It is refused later because it is too long.
    if line.len() > PASSWORD_MAX_BYTES { Ok(Secret::new(line)) } else { typable(Secret::new(line)) }
}

/// Accepts a password that its owner can send: the line door allows no control or invisible characters.
fn typable(password: Secret) -> Result<Secret, String> {
    if password.is_text(|text| text::check(text.as_bytes()).is_some_and(|checked| checked.is_clean)) {
        Ok(password)
    } else {
        Err("a password is text without control characters and invisible ones; nothing was changed".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_line(input: &[u8], expected: Option<&str>) {
        let line = first_line(input);
        let expected = expected.map(|text| Secret::new(text.as_bytes().to_vec()));
        assert!(line.as_ref().ok() == expected.as_ref(), "{input:?}");
    }

    #[test]
    fn a_password_is_the_first_line() {
        check_line(b"correct horse\nbattery staple\n", Some("correct horse"));
        check_line(b"correct horse", Some("correct horse"));
        check_line(b" correct\thorse \r\n", Some(" correct\thorse "));
        check_line(b"\n", Some(""));
        check_line(b"\xef\xbb\xbfcorrect horse\n", Some("correct horse"));
        check_line(b"", Some(""));
        check_line("Füße\n".as_bytes(), Some("Füße"));
        check_line("\u{feff}correct horse\r\n".as_bytes(), Some("correct horse"));
        check_line("\u{feff}".as_bytes(), Some(""));
        check_line(b"corr\x1bect\n", None);
        check_line(b"corr\xffect\n", None);
        check_line("corr\u{200b}ect\n".as_bytes(), None);
        check_line(&[b'x'; 10_000], Some(&"x".repeat(256)));
        assert!(first_line("€".repeat(1000).as_bytes()).is_ok(), "it is too long, and nothing else");
    }
}
