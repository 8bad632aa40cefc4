//! chatd
pub mod limits;
pub mod close;
pub mod hub;
pub mod auth;
