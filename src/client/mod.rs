//! The terminal client.
//!
//! ```text
//! socket thread ─▶ Input ─┐                                  ┌─▶ socket
//!                         ├─▶ session (pure) ─▶ Action ─▶ shell ─▶ terminal
//! keyboard thread ▶ Input ┘                                  └─▶ files of the user
//! ```
//!
//! The session is a pure state machine: what happens goes in, what is to be done comes out, time is an argument. The
//! shell around it owns the socket, the terminal and the files, and does what it is told.

pub mod action;
