//! What chatd promises, tried over the wire against the real binary.
//!
//! Each test starts a server of its own, on a port that the kernel picks, with its files in a temporary folder. Waiting
//! is always for something that must come, up to a deadline; no test asserts a speed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a panic is how a test fails, and a note on standard error is how it says that it was skipped"
)]

mod util;

mod account_file;
mod accounts;
mod layers;
mod lines;
mod login;
mod memory;
mod nc;
mod ops;
mod reload;
mod resume;
mod shutdown;
mod strangers;
mod talk;
