//! The IRC door, through the wire.

#[allow(dead_code, reason = "helpers for more tests than use each of them")]
pub(crate) mod client;

#[cfg(feature = "tls")]
pub(super) mod clients;
mod config;
mod hostile;
mod limits;
mod mixed;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "history")]
mod transcripts;
