//! chatd
pub mod auth;
pub mod close;
pub mod hub;
pub mod limits;
