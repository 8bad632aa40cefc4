//! `chatserver PORT`: the server on all interfaces, with the account file in the working directory.

use std::process::ExitCode;

use clap::Parser;

/// A chat server that listens on all interfaces of this machine. It keeps its accounts in the file `accounts` in the
/// working directory and uses chatd's defaults for everything else.
///
/// Names, passwords and messages cross the network unencrypted.
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
