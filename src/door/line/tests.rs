//! The dialogue, without a socket.
