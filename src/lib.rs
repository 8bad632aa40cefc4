//! chatd
pub mod close;
pub mod door;
pub mod hub;
pub mod limits;
pub mod net;
