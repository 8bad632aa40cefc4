//! The web door.

pub mod frame;
