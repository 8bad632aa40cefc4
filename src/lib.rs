//! chatd
pub mod close;
pub mod config;
pub mod hub;
pub mod limits;
pub mod logging;
pub mod net;
pub mod start;
