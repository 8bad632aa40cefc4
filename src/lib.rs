//! chatd: a self-hosted chat server, one small process with one event loop.
//!
//! The flow goes one way, and nothing points back up:
//!
//! ```text
//! bytes ─▶ net: read ─▶ door: decode ─▶ Command ─▶ hub ─▶ Event + Audience ─▶ door: encode once ─▶ outbox ─▶ net: flush
//!                                                  │ ▲
//!                                 slow work out ───┘ └─── verdict in      (auth: Argon2 and accounts, own thread)
//! ```
//!
//! * `start` turns arguments into a [`config`], starts the log, and runs [`net`].
//! * [`net`] owns every socket and the turn of the loop.
//! * [`door`] spells: bytes to commands, events to bytes.
//! * [`hub`] is the chat itself: who is in, who hears what.
//! * [`auth`] owns the accounts and hashes, on a thread of its own.
//! * [`prompt`] asks a person for a password, [`place`] tells which paths are one file, [`signals`] which signals a
//!   process was started without.
//! * [`limits`] and [`close`] hold every bound and every way in which a connection ends, [`text`] the characters that a
//!   line may hold.

pub mod start;

pub mod config;
pub mod logging;

pub mod net;

pub mod auth;
pub mod door;
pub mod hub;

pub mod place;
pub mod prompt;
pub mod signals;

pub mod close;
pub mod limits;
pub mod text;

#[doc(hidden)]
pub mod trip;
