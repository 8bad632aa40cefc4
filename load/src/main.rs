//! `chatload`: the load generator. The server that `--spawn` starts is this program too.

use std::process::ExitCode;

use chatd::{config, start};
use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = || std::env::args_os().skip(1);
    if arguments().next().is_some_and(|first| first == chatload::SERVE) {
        chatload::end_with_parent();
        return start::chatd(config::Args::parse_from(arguments()));
    }
    chatload::run(&chatload::Args::parse())
}
