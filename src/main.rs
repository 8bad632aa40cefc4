//! `chatd`: the server, by its configuration file.

use std::process::ExitCode;

use chatd::{config, start};

fn main() -> ExitCode {
    start::chatd(config::Args::from_command_line())
}
