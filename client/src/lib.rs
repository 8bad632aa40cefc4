//! The terminal client.
//!
//! ```text
//! socket thread ─▶ Input ─┐                                  ┌─▶ socket
//!                         ├─▶ session (pure) ─▶ Action ─▶ shell ─▶ terminal
//! keyboard thread ▶ Input ┘                                  └─▶ files of the user
//! ```
//!
//! The session is a pure state machine: what happens goes in, what is to be done comes out, time is an argument. The
//! shell around it owns the socket, the terminal and the files, and does what it is told.
//!
//! * [`action`]: what goes in and comes out.
//! * [`frame`]: bytes of the server into frames. [`command`]: lines of the user into intents.
//! * [`session`]: what follows from either.
//! * [`complete`]: what the tab key offers. [`show`]: how things look; [`visible`]: what must not be obeyed; [`wrap`]:
//!   the rows of a long line.
//! * [`args`]: what stands on the command line; [`destination`]: the part of it that says where, and as whom.
//!   [`filter`]: what is taken out of the lines of a script.
//! * `shell`: the main thread, which does what the session wants, and sleeps in its `inbox` until an `event` comes.
//! * `link`: the connection and its thread, which `connect` makes. `keyboard`: the thread that reads lines (`editor`, or
//!   `stdin` in scripts) and secrets (`secret`). `drawn`: the rows that the line takes. `paste`: what is pasted into it.
//! * `screen`: the one way to the terminal. `output`: how it is written to, `reader`: whether anybody reads it, and
//!   `alarm`: what may end the waiting for it. `terminal`: how it was found. `store`: what is kept between two runs.

pub mod action;

pub mod command;
pub mod frame;

pub mod session;

pub mod complete;
pub mod filter;
pub mod show;
pub mod visible;
pub mod wrap;

mod alarm;
pub mod args;
mod connect;
pub mod destination;
mod drawn;
mod editor;
mod event;
mod inbox;
mod keyboard;
mod link;
mod output;
mod paste;
mod reader;
mod screen;
mod secret;
mod shell;
mod stdin;
mod store;
mod terminal;

use std::ffi::OsString;
use std::process::ExitCode;

use self::args::{Args, Refused};

/// Exit code: the arguments are not what is taken.
const USAGE: u8 = 2;

/// `chatclient`, with its command line: talks until the user, the server or a signal ends it. Exit codes: 0 left, 1 it
/// did not work, 2 usage.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Args::read(arguments) {
        Ok(options) => ExitCode::from(shell::run(options)),
        Err(Refused::Asked(help)) => {
            // If standard output is closed there is nobody to tell.
            let _ = help.print();
            ExitCode::SUCCESS
        }
        Err(Refused::Wrong(why)) => {
            shell::complain(&why);
            ExitCode::from(USAGE)
        }
    }
}
