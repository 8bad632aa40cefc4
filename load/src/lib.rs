//! `chatload`: measures a chatd from outside, over the wire, as its clients see it.
//!
//! ```text
//! args ─▶ target (a server, or spawn one) ─▶ entrance (everybody logs in) ─▶ a work ─▶ report ─▶ table or JSON
//!                                               │                              │
//!                             fleet: thousands of connections on one thread, a poll of its own
//! ```
//!
//! * [`args`]: what is asked for.
//! * `works` goes through it: `target`, `spawn` and `process` are the server, `entrance` and `storm` bring people in,
//!   `talk` and `pingpong` are what they do there.
//! * Without sockets and clocks, and tested so: `inbox` and `line` (what the server says), `stamp` (what each line
//!   carries), `dialogue` (the way in), `schedule` (whose line is due when), `tally` (what was said and heard),
//!   `report`, `table`.
//! * `fleet`, `conn`, `pacer` are the loop.
//!
//! Lines carry when they were *due*, not when they were sent, wherever a rhythm is asked for (open loop): a server that
//! stalls makes the lines late that could not be sent meanwhile, and this shows.

use std::io::{self, Write as _};
use std::process::ExitCode;

pub use self::args::Args;
use self::report::Report;
use self::run::Stop;
pub use self::spawn::{SERVE, end_with_parent};

pub mod args;
mod conn;
mod dialogue;
mod entrance;
mod fleet;
mod inbox;
mod line;
mod pacer;
mod pingpong;
mod process;
mod progress;
mod report;
mod run;
mod schedule;
mod spawn;
mod stamp;
mod storm;
mod table;
mod talk;
mod tally;
mod target;
mod works;

/// Exit code: the command line asks for what cannot be.
const USAGE: u8 = 2;

/// Does what the arguments ask for, prints what came of it on standard output, and gives the exit code: 0 done, 1 the
/// server failed, went away or lost lines, 2 usage.
pub fn run(args: &Args) -> ExitCode {
    if let Err(why) = args.check() {
        return stop(USAGE, &why);
    }
    let asked = match Stop::on_signals() {
        Ok(asked) => asked,
        Err(error) => return stop(1, &format!("signals cannot be caught: {error}")),
    };
    let report = match works::conduct(args, asked) {
        Ok(report) => report,
        Err(why) => return stop(1, &why),
    };
    if let Err(error) = print(&report, args.common().json) {
        return stop(1, &format!("standard output: {error}; give it somewhere to go"));
    }
    match report.fault() {
        Some(why) => stop(1, &why),
        None => ExitCode::SUCCESS,
    }
}

fn print(report: &Report, json: bool) -> io::Result<()> {
    let text = if json { serde_json::to_string(report)? + "\n" } else { table::render(report) };
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // The reader, such as `head`, has enough of it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// Ends with these words on standard error. If it is closed there is nobody to tell.
fn stop(code: u8, why: &str) -> ExitCode {
    let _ = io::stderr().write_all(format!("chatload: {why}\n").as_bytes());
    ExitCode::from(code)
}
