//! A connection's stream of bytes.

mod stream;
mod proxy;
mod socket;

pub(super) use socket::Socket;
pub(super) use stream::Stream;
