//! The promises of chatd, tested over the wire with the real binary.
//!
//! Each test starts its own server, on a port that the kernel picks, with its files in a temporary folder. Tests wait
//! for conditions, up to a deadline; no test asserts a speed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and notes are how it says what it measured or skipped"
)]

mod account_file;
mod accounts;
mod addresses;
mod ban_commands;
mod bans;
#[cfg(feature = "history")]
mod browser;
mod characters;
mod config;
mod connections;
mod crash;
mod crowds;
mod datagram_load;
mod datagrams;
mod decoders;
mod descriptors;
#[cfg(feature = "history")]
mod disk;
mod fail2ban;
mod failing;
mod faults;
mod files;
mod growth;
mod guests;
mod hashing;
mod history;
#[cfg(not(feature = "history"))]
mod history_absent;
#[cfg(feature = "history")]
mod history_commands;
mod irc;
mod irctest;
mod keeping_up;
mod killed;
mod layers;
mod ledger;
mod lines;
mod lists;
mod log_lines;
mod login;
mod memory;
mod metrics;
mod names;
mod nc;
mod networks;
mod operator;
mod ops;
mod page;
mod panics;
mod password_queue;
#[cfg(feature = "history")]
mod people;
mod promises;
mod proxy;
mod rates;
mod registrations;
mod relay;
mod reload;
mod resets;
mod resume;
mod room_client;
mod room_door;
mod room_guesses;
mod rooms;
#[cfg(feature = "history")]
mod sample_bot;
mod secrets;
mod served_accounts;
mod shutdown;
mod signals;
mod slow;
mod stalled;
mod stolen;
mod strangers;
mod systemd;
mod talk;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
mod tls_absent;
mod units;
mod unix_sockets;
mod vanished;
mod web;
