//! TLS: the bytes of a connection between its socket and the engine. Only this folder names rustls in the server.
//!
//! `session` is the TLS of one connection, over any socket; `buffers` the memory that all of them share; `identity` a
//! certificate with its key; `acceptor` how a listener answers; `certificate` what a certificate says; `expiry` what is
//! said before it ends.

mod acceptor;
mod buffers;
mod certificate;
mod expiry;
mod identity;
mod session;

pub(super) use acceptor::{Acceptor, Tickets, Wanted};
pub(super) use buffers::Buffers;
pub use certificate::Certificate;
pub use expiry::{Expiry, Stage};
pub use identity::{Identity, Paths};
pub(super) use session::{Finished, Heard, Kind, Session, Step};

#[cfg(test)]
mod tests;
