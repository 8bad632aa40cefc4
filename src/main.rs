//! `chatd`: the server, configured by a file.

use std::process::ExitCode;

use chatd::{app, config};

fn main() -> ExitCode {
    app::chatd(config::Args::from_command_line())
}
