//! `chatd`: the server, by its configuration file.

use std::process::ExitCode;

use chatd::{config, start};
use clap::Parser as _;

fn main() -> ExitCode {
    start::chatd(config::Args::parse())
}
