//! `chatclient SERVER PORT USER`: the terminal client.

use std::process::ExitCode;

fn main() -> ExitCode {
    chatclient::run(std::env::args_os())
}
