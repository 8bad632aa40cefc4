//! `chatclient SERVER PORT USER`: the terminal client.

use std::process::ExitCode;

fn main() -> ExitCode {
    chatd::client::run(std::env::args_os())
}
