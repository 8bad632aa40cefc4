//! The terminal as it was found, and how it gets back there.

use std::io::{self, IsTerminal};
use std::panic;
use std::process;
use std::sync::Mutex;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use super::output::write_at_once;

/// Ends pasting marks and shows the cursor, which the editor may have left otherwise.
const RESET: &str = "\x1b[?2004l\x1b[?25h";
/// What comes no later than this after the key before it was not typed by hand.
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// The exit code after a fault of the client's own, as a panic has it.
const PANIC: i32 = 101;

/// How the terminal was before anything was changed, and whether the editor works with it.
static FOUND: Mutex<Option<(Termios, bool)>> = Mutex::new(None);

/// Whether standard input and output are one terminal that the editor can work with.
pub(super) fn is_there() -> bool {
    let can_edit = std::env::var("TERM").is_ok_and(|term| !["", "dumb", "cons25", "emacs"].contains(&term.as_str()));
    can_edit && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Restores the terminal when it is dropped.
pub(super) struct Guard;

impl Guard {
    /// Remembers the terminal as it is. Where lines are edited (`is_edited`), nothing is echoed from now on but by the
    /// editor, and what is typed between two lines stays as it is until the next one: also Ctrl-D, and also a password
    /// that is typed before it is asked for. From now on a panic in any thread restores it, tells the panic, and ends
    /// the process: half a client would be worse than none.
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

/// For the editor, when it begins: the terminal as it was found. It is what rustyline gives back at Ctrl-Z.
pub(super) fn lend() {
    set(|found| found);
}

/// For the editor, when it has ended: nothing is echoed any more.
pub(super) fn hush() {
    set(quiet);
}

/// For the editor, between two lines: throws away what is typed, until nothing more comes at once. It is the rest of a
/// paste, or of what one key sends.
pub(super) fn discard() {
    let mut chunk = [0; 4096];
    let input = io::stdin();
    // Nor does it wait for a terminal that has gone. A signal ends it, for that may be the end of the client.
    while let Ok(1..) = poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&AT_ONCE))
        && let Ok(1..) = rustix::io::read(&input, &mut chunk)
    {}
}

/// Changes what was found, where lines are edited.
fn set(change: impl FnOnce(Termios) -> Termios) {
    if let Ok(found) = FOUND.lock()
        && let Some((termios, true)) = &*found
    {
        // If that fails there is no terminal any more, and the editor says so.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &change(termios.clone()));
    }
}

/// No echo, no lines, no keys but Ctrl-C and its like that mean anything to the terminal itself.
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
    // Whoever panics while it holds this is in here already.
    let Ok(found) = FOUND.try_lock() else { return };
    if let Some((termios, is_edited)) = &*found {
        // If the terminal has gone there is nothing to restore.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, termios);
        if *is_edited {
            // Not through the screen: a thread that cannot write may be holding it. And a terminal that is not read
            // must not hold up the end.
            write_at_once(RESET);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    /// Set where the second test runs the first, in a terminal of its own.
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
