//! The layer that owns sockets, buffers and deadlines, and what it needs to know to guard them.

pub mod addresses;
