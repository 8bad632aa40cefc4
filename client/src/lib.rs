//! The terminal client.
//!
//! ```text
//! socket thread ─▶ Input ─┐                                  ┌─▶ socket
//!                         ├─▶ session (pure) ─▶ Action ─▶ shell ─▶ terminal
//! keyboard thread ▶ Input ┘                                  └─▶ files of the user
//! ```
//!
//! The session is a pure state machine: it takes inputs, returns actions, and gets the time as an argument. The shell
//! around it owns the socket, the terminal and the files, and carries out the actions.
//!
//! * [`action`]: inputs and actions.
//! * [`frame`]: decodes the server's bytes; [`past`]: the texts of replies about what was said. [`command`]: parses the user's lines.
//! * [`session`]: reacts to both. [`alert`]: decides what stands out and calls the user.
//! * [`complete`]: tab completion. [`show`]: formats output; [`visible`]: makes control characters visible; [`wrap`]:
//!   breaks long lines into rows. [`ring`]: calls the user at the terminal. [`title`]: the window's title.
//! * [`args`]: the command line; [`destination`]: its positional arguments. [`filter`]: removes what other programs add
//!   to the lines of a script.
//! * `shell`: the main thread. It carries out actions, and waits in its `inbox` for an `event`.
//! * `link`: the connection and its thread, which `connect` establishes; `stream`: its two directions; `tls`: encrypts
//!   them, and proves the server by its certificate or its [`fingerprint`]. `keyboard`: the thread that reads lines
//!   (`editor`, or `stdin` in scripts) and secrets (`secret`). `drawn`: the rows of the edited line. `paste`: bracketed
//!   pastes.
//! * `notifier`: the program of `--notify-command` and its thread. `program`: starts programs without a shell.
//! * `external`: the user's editor for texts of several lines. `log`: the log on disk.
//! * `screen`: all output to the terminal. `output`: writes it, `reader`: checks that it is read, and `alarm`:
//!   interrupts a blocked write. `terminal`: saves and restores the terminal. `store`: files kept between runs.

pub mod action;
pub mod alert;

pub mod command;
pub mod fingerprint;
pub mod frame;
pub mod past;

pub mod session;

pub mod complete;
pub mod filter;
pub mod ring;
pub mod show;
pub mod title;
pub mod visible;
pub mod wrap;

mod alarm;
pub mod args;
mod connect;
pub mod destination;
mod drawn;
mod editor;
mod event;
mod external;
mod inbox;
mod keyboard;
mod link;
mod log;
mod notifier;
mod output;
mod paste;
mod program;
mod reader;
mod screen;
mod secret;
mod shell;
mod stdin;
mod store;
mod stream;
mod terminal;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;

use std::ffi::OsString;
use std::process::ExitCode;

use self::args::{Args, Refused};

/// Exit code for invalid arguments.
const USAGE: u8 = 2;

/// `chatclient`, with its command line: runs until the user, the server or a signal ends it. Exit codes: 0 success, 1
/// failure, 2 usage.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Args::read(arguments) {
        Ok(options) => ExitCode::from(shell::run(options)),
        Err(Refused::Asked(help)) => {
            // If standard output is closed, nobody reads it.
            let _ = help.print();
            ExitCode::SUCCESS
        }
        Err(Refused::Forget(server)) => ExitCode::from(shell::forget(&server)),
        Err(Refused::Wrong(why)) => {
            shell::complain(&why);
            ExitCode::from(USAGE)
        }
    }
}
