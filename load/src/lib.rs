//! `chatload`: measures a chatd over the wire, as its clients see it.
//!
//! ```text
//! args ─▶ target (a server, or spawn one) ─▶ entrance (all log in) ─▶ a workload ─▶ report ─▶ table or JSON
//!                                               │                         │
//!                             fleet: thousands of connections on one thread, a poll of its own
//! ```
//!
//! * [`args`]: the command line.
//! * `works` runs a workload: `target`, `spawn` and `process` are the server, `entrance` and `storm` log connections
//!   in, `talk` and `pingpong` send and receive, `handshakes` comes and goes, `past` reads a long history.
//! * Without sockets and clocks, and tested that way: `inbox` and `line` (the server's lines), `stamp` (the content of
//!   each line), `dialogue` (the login), `speech` and `irc` (another way to say the same), `schedule` (when each line is
//!   due), `tally` (what was sent and received), `turns` (with and without a history), `report`, `table`.
//! * `fleet`, `conn` and `pacer` are the loop; `tls` encrypts a connection, `web` makes it a WebSocket.
//!
//! With a fixed rate (open loop), lines carry the time when they were *due*, not when they were sent: if a server
//! stalls, the lines that could not be sent meanwhile count as late.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde::Serialize;

pub use self::args::Args;
use self::run::Stop;
pub use self::spawn::{SERVE, end_with_parent};

pub mod args;
mod conn;
mod dialogue;
mod entrance;
mod fleet;
mod handshakes;
mod inbox;
mod irc;
mod line;
mod pacer;
#[cfg(feature = "history")]
mod past;
#[cfg(not(feature = "history"))]
#[path = "no_past.rs"]
mod past;
mod pingpong;
mod process;
mod progress;
mod report;
mod run;
mod schedule;
mod spawn;
mod speech;
mod stamp;
mod storm;
mod table;
mod talk;
mod tally;
mod target;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
mod turns;
mod web;
mod works;

/// Exit code for invalid arguments.
const USAGE: u8 = 2;

/// Runs a workload, prints the result to standard output, and returns the exit code: 0 done, 1 the server failed, went
/// away or lost lines, 2 usage.
pub fn run(args: &Args) -> ExitCode {
    if let Err(why) = args.check() {
        return stop(USAGE, &why);
    }
    let asked = match Stop::on_signals() {
        Ok(asked) => asked,
        Err(error) => return stop(1, &format!("signals cannot be caught: {error}")),
    };
    let json = args.common().json;
    let (text, fault) = match measured(args, asked, json) {
        Ok(measured) => measured,
        Err(why) => return stop(1, &why),
    };
    if let Err(error) = print(&text) {
        return stop(1, &format!("standard output: {error}; give it somewhere to go"));
    }
    match fault {
        Some(why) => stop(1, &why),
        None => ExitCode::SUCCESS,
    }
}

/// The results as text, and what went wrong in the run.
fn measured(args: &Args, asked: Stop, json: bool) -> Result<(String, Option<String>), String> {
    if let Some(turns) = args.common().turns {
        let comparison = works::compare(args, turns, &asked)?;
        let text = if json { object(&comparison)? } else { table::render_comparison(&comparison) };
        return Ok((text, comparison.fault()));
    }
    let report = works::conduct(args, asked)?;
    let text = if json { object(&report)? } else { table::render(&report) };
    Ok((text, report.fault()))
}

/// One JSON object on a line.
fn object(report: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(report).map(|text| text + "\n").map_err(|error| format!("the report: {error}"))
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // The reader, such as `head`, has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Prints this to standard error and returns the code. If it is closed, nobody reads it.
fn stop(code: u8, why: &str) -> ExitCode {
    let _ = io::stderr().write_all(format!("chatload: {why}\n").as_bytes());
    ExitCode::from(code)
}
