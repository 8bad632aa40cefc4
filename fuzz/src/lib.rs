//! Properties of the decoders that hold for any input: a function per decoder, which panics if a property is violated.
//!
//! Each is a fuzz target (`fuzz_targets/`), and runs on the corpus and on seeded mutations of it within the tests of
//! chatd and of chatclient, which take these files in (`tests/it/decoders.rs`, `client/tests/it/decoders.rs`).

mod behind;
mod client;
mod http;
mod irc;
mod operator;
mod pieces;
mod recall;
mod server;
mod web;

pub use client::{frame, past};
pub use http::http;
pub use irc::irc;
pub use operator::operator;
pub use recall::recall;
pub use server::{accounts, bans, config, datagram, line, relay, room, token};
pub use web::web;
