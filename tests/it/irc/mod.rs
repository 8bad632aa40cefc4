//! The IRC door, through the wire.

#[allow(dead_code, reason = "helpers for more tests than use each of them")]
pub(crate) mod client;

pub(super) mod clients;
mod config;
mod hostile;
mod limits;
#[cfg(feature = "tls")]
mod tls;
mod mixed;
