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
    #[arg(value_parser = port)]
    port: u16,
}

fn port(text: &str) -> Result<u16, &'static str> {
    text.parse().map_err(|_| "it is a port, a number from 0 to 65535; chatd takes an address, or a configuration file")
}

fn main() -> ExitCode {
    chatd::app::chatserver(Args::parse().port)
}
