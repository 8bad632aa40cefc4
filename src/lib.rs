//! chatd: a self-hosted chat server, one small process with one event loop.
//!
//! Data flows one way, and no layer depends on one above it:
//!
//! ```text
//! bytes ─▶ net ─▶ engine ─▶ door: decode ─▶ Command ─▶ hub ─▶ Event + Audience ─▶ door: encode once ─▶ engine ─▶ net
//!                  │  ▲                                                                               (outbox)
//!   request out ───┘  └─── answer in      (auth: Argon2 and accounts; history: what was said; on threads of their own)
//! ```
//!
//! * [`app`] turns arguments into a [`config`], starts the log ([`logging`]) and runs [`net`].
//! * [`net`] owns every socket and runs the loop.
//! * [`engine`] is the server without sockets: logins, rates, deadlines, outboxes, the order of closing.
//! * [`door`] is the encoding: bytes to commands, events to bytes.
//! * [`hub`] is the chat itself: sessions, names, rooms, who receives what.
//! * [`auth`] owns the accounts and hashes passwords on its own thread, which it reaches through a [`mailbox`].
//! * [`history`] keeps what was said in a file, on threads of its own, and is reached in the same way.
//! * [`prompt`] asks for a password at the terminal, [`files`] holds the rules for files with secrets, [`place`] tells whether two paths lead to one file, [`signals`]
//!   which signals were ignored when the process was started.
//! * [`limits`] holds every bound, [`close`] every reason for which the server closes a connection, [`text`] the
//!   characters that a line may contain, [`mention`] when a text mentions an account, [`network`] networks of addresses,
//!   [`secret`] the type of passwords and tokens in memory.

pub mod app;

pub mod config;
pub mod logging;

pub mod engine;
pub mod net;

pub mod auth;
pub mod door;
pub mod history;
pub mod hub;
pub mod mailbox;

pub mod files;
pub mod place;
pub mod prompt;
pub mod signals;

pub mod close;
pub mod limits;
pub mod mention;
pub mod network;
pub mod own_names;
pub mod secret;
pub mod text;

#[doc(hidden)]
pub mod failpoint;
