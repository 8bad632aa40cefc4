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
//!
//! * [`action`]: what goes in and comes out.
//! * [`frame`]: bytes of the server into frames. [`command`]: lines of the user into intents.
//! * [`session`]: what follows from either.
//! * [`complete`]: what the tab key offers. [`show`]: how things look; [`visible`]: what must not be obeyed.

pub mod action;

pub mod command;
pub mod frame;

pub mod session;

pub mod complete;
pub mod show;
pub mod visible;
