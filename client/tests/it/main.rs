//! The client in a terminal and in scripts, with the real server and with servers played by a test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and notes are how it says what it measured or skipped"
)]

mod calling;
mod composing;
mod decoders;
mod editing;
mod ends;
mod history;
mod hostile;
mod lines;
mod log;
mod passwords;
mod people;
mod restart;
mod returning;
mod scripts;
mod session;
#[cfg(feature = "tls")]
mod tls;
mod words;
