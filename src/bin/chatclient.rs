//! `chatclient SERVER PORT USER`: the terminal client.

use std::process::ExitCode;

use chatd::client::{self, args::Args};
use clap::Parser as _;

fn main() -> ExitCode {
    client::run(Args::parse())
}
