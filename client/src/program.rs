//! Programs that the user names on the command line. They are started without a shell.

use std::process::Command;

use rustix::event::Timespec;

/// The variable that may hold the password. No program gets it.
pub(super) const SECRET: &str = "CHATCLIENT_PASSWORD";
/// The first pause between two looks at a program, and the longest; in nanoseconds.
const FIRST_NS: i64 = 1_000_000;
const LONGEST_NS: i64 = 100_000_000;

/// A program with its arguments, and without the password in its environment. `None` if there are no words.
pub(super) fn command(words: &[String]) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments).env_remove(SECRET);
    Some(command)
}

/// The pauses between looks at a program that may end without a sign: most programs end at once, others take long.
pub(super) struct Pauses {
    next_ns: i64,
}

impl Pauses {
    pub(super) fn new() -> Self {
        Self { next_ns: FIRST_NS }
    }

    /// The next pause.
    pub(super) fn next(&mut self) -> Timespec {
        let tv_nsec = self.next_ns;
        self.next_ns = (self.next_ns * 2).min(LONGEST_NS);
        Timespec { tv_sec: 0, tv_nsec }
    }
}
