//! The IRC door: the same people and rooms, spelled for IRC clients. `docs/irc.md` says what differs from other servers.

mod caps;
mod isupport;
mod message;
mod names;
mod numerics;
mod server;
mod split;
mod text;

pub use caps::{Bits, Caps};
pub use server::{Guests, Options, Server};
