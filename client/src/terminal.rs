//! Saving and restoring the terminal.

use std::io::{self, IsTerminal};
use std::panic;
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr, tcsetattr,
};

use super::output::write_at_once;
use super::title::{POP, PUSH};

/// Turns off bracketed paste and shows the cursor, in case the editor did not.
const RESET: &str = "\x1b[?2004l\x1b[?25h";
/// A key that follows the one before within this time was not typed by hand.
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// The exit code after an internal error, as for a panic.
const PANIC: i32 = 101;

/// The original state of the terminal, and whether the editor works with it.
static FOUND: Mutex<Option<(Termios, bool)>> = Mutex::new(None);

/// The window has a title of ours.
static HAS_TITLE: AtomicBool = AtomicBool::new(false);

/// Whether standard input and output are one terminal that the editor can work with.
pub(super) fn is_there() -> bool {
    let can_edit = std::env::var("TERM").is_ok_and(|term| !["", "dumb", "cons25", "emacs"].contains(&term.as_str()));
    can_edit && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Puts the window's title aside. The end brings it back. To be called before lines are edited.
pub(super) fn keep_title() {
    HAS_TITLE.store(true, Ordering::SeqCst);
    write_at_once(PUSH);
}

/// Restores the terminal when dropped.
pub(super) struct Guard;

impl Guard {
    /// Saves the state of the terminal. If lines are edited (`is_edited`), only the editor echoes from now on, and what
    /// is typed between two lines is kept for the next one, including Ctrl-D, and including a password typed before it
    /// is asked for. From now on, a panic in any thread restores the terminal, prints the panic and ends the process: a
    /// client with a dead thread would be worse than none.
    pub(super) fn new(is_edited: bool) -> Self {
        if let (Ok(mut found), Ok(termios)) = (FOUND.lock(), tcgetattr(io::stdin())) {
            *found = Some((termios, is_edited));
        }
        hush();
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            restore();
            tell(panic);
            process::exit(PANIC);
        }));
        Self
    }
}

/// Discards what has been typed and not read, if standard input is a terminal.
pub(super) fn drop_typed() {
    // Otherwise it is no terminal.
    let _ = tcflush(io::stdin(), QueueSelector::IFlush);
}

/// For the editor, when it begins: restores the original state, which rustyline also restores at Ctrl-Z.
pub(super) fn lend() {
    set(|found| found);
}

/// For the editor, when it has ended: turns off the echo.
pub(super) fn hush() {
    set(quiet);
}

/// For the editor, between two lines: discards input until there is a pause. It is the rest of a paste, or of the bytes
/// of one key.
pub(super) fn discard() {
    let mut chunk = [0; 4096];
    let input = io::stdin();
    // A terminal that is gone ends the loop, and so does a signal, which may be the end of the client.
    while let Ok(1..) = poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&AT_ONCE))
        && let Ok(1..) = rustix::io::read(&input, &mut chunk)
    {}
}

/// Changes the original state, if lines are edited.
fn set(change: impl FnOnce(Termios) -> Termios) {
    if let Ok(found) = FOUND.lock()
        && let Some((termios, true)) = &*found
    {
        // If this fails, there is no terminal any more, and the editor reports it.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &change(termios.clone()));
    }
}

/// No echo, no line mode, and no special keys except Ctrl-C and similar ones.
fn quiet(mut termios: Termios) -> Termios {
    termios.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::IEXTEN;
    termios.input_modes -= InputModes::ICRNL | InputModes::INLCR | InputModes::IXON;
    termios.special_codes[SpecialCodeIndex::VMIN] = 1;
    termios.special_codes[SpecialCodeIndex::VTIME] = 0;
    termios
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    // A thread that panics while it holds the lock is in here already.
    let Ok(found) = FOUND.try_lock() else { return };
    if let Some((termios, is_edited)) = &*found {
        // If the terminal is gone, there is nothing to restore.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, termios);
        if *is_edited {
            // Not through the screen: a thread that is blocked in a write may hold it, and a terminal that is not read
            // must not delay the end.
            write_at_once(RESET);
            if HAS_TITLE.load(Ordering::SeqCst) {
                write_at_once(POP);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    /// Set when the second test runs the first, in a terminal of its own.
    const IN_A_TERMINAL: &str = "CHATD_TEST_PANICS_IN_A_TERMINAL";

    #[test]
    fn panics_in_a_terminal() {
        if env::var_os(IN_A_TERMINAL).is_none() {
            return;
        }
        let _guard = Guard::new(true);
        let modes = tcgetattr(io::stdin()).unwrap().local_modes;
        assert!(!modes.intersects(LocalModes::ECHO | LocalModes::ICANON));
        let panicking = thread::spawn(|| panic!("on purpose"));
        // The process ends in there.
        let _ = panicking.join();
        process::exit(0);
    }

    #[test]
    fn a_panic_restores_the_terminal() {
        let (_pty, pts) = pty_process::blocking::open().unwrap();
        let before = tcgetattr(&pts).unwrap().local_modes;
        let mut child = pty_process::blocking::Command::new(env::current_exe().unwrap())
            .args(["--exact", "terminal::tests::panics_in_a_terminal", "--nocapture"])
            .env(IN_A_TERMINAL, "1")
            .spawn_borrowed(&pts)
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                child.kill().unwrap();
                panic!("it does not end");
            }
            thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(status.code(), Some(PANIC));
        assert_eq!(tcgetattr(&pts).unwrap().local_modes, before);
    }
}
