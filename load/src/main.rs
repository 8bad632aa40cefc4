//! `chatload`: the load generator. With `--spawn`, it starts itself again as the server.

use std::process::ExitCode;

use chatd::{app, config};
use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = || std::env::args_os().skip(1);
    if arguments().next().is_some_and(|first| first == chatload::SERVE) {
        chatload::end_with_parent();
        return app::chatd(config::Args::parse_from(arguments()));
    }
    chatload::run(&chatload::Args::parse())
}
