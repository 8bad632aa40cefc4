//! hub
pub mod names;
