//! `chatserver PORT`: the same server on all interfaces, with the accounts in the working directory.

use std::process::ExitCode;

use clap::Parser;

/// A chat server on every interface of this machine; its accounts are the file `accounts` in the working
/// directory, everything else is at chatd's defaults.
///
/// Names, passwords and messages cross the network in the clear.
#[derive(Parser)]
#[command(name = "chatserver", version)]
struct Args {
    /// The TCP port to listen on; 0 lets the system choose
    port: u16,
}

fn main() -> ExitCode {
    chatd::start::chatserver(Args::parse().port)
}
