//! `chatload` with the real server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and notes are how it says what it measured or skipped"
)]

#[cfg(feature = "history")]
mod history;
mod irc;
mod load;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod web;
