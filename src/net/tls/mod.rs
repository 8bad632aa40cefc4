//! TLS: the bytes of a connection between its socket and the engine. Only this folder names rustls in the server.
//!
//! `session` is the TLS of one connection, over any socket, and `records` how its bytes lie there; `buffers` is the
//! memory that all connections share; `identity` a certificate with its key; `acceptor` how a listener answers;
//! `certificate` what a certificate says; `expiry` what is said before it ends. Without the feature `tls`, `absent` has
//! types of the same names that nobody can make.

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(feature = "tls")]
mod acceptor;
#[cfg(feature = "tls")]
mod buffers;
#[cfg(feature = "tls")]
mod certificate;
mod expiry;
#[cfg(feature = "tls")]
mod identity;
#[cfg(feature = "tls")]
mod records;
#[cfg(feature = "tls")]
mod session;

#[cfg(not(feature = "tls"))]
pub use absent::Credentials;
#[cfg(not(feature = "tls"))]
pub(super) use absent::{Acceptor, Buffers, Session, Tickets};
#[cfg(feature = "tls")]
pub(super) use acceptor::{Acceptor, Tickets};
#[cfg(feature = "tls")]
pub(super) use buffers::Buffers;
#[cfg(feature = "tls")]
pub use certificate::Certificate;
pub use expiry::{Expiry, Life, Stage, now_s};
#[cfg(feature = "tls")]
pub use identity::{Credentials, Identity, Paths};
#[cfg(feature = "tls")]
pub(super) use session::Session;

#[cfg(test)]
#[cfg(feature = "tls")]
mod tests;
