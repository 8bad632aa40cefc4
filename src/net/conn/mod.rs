//! A connection's stream of bytes.

mod stream;

pub(super) use stream::Stream;
