//! The IRC door: the same people and rooms, spelled for IRC clients. `docs/irc.md` says what differs from other servers.
//!
//! ```text
//! line ─▶ message ─▶ decode ─▶ steps ─▶ engine, hub ─▶ answer ─▶ label ─▶ line
//!                                            └─▶ event ─▶ spell (for many) or told (for one)
//! ```
//!
//! A line may be several steps: JOIN enters a room, makes it if there is none, and then shows its names. The engine
//! carries out what [`IrcDoor::decode`] gives; after the answer of each step it asks [`IrcDoor::next_step`] for another
//! one, and behind the last one it calls [`IrcDoor::end_line`], where the answer gets its label.
//!
//! Right passwords do not log in by themselves: SASL is over before the registration is. The connection notes the account
//! that was [proved](Request::Prove), and the door asks to [enter](Request::EnterProved) when all is there.

mod caps;
mod label;
mod message;
mod names;
mod numerics;
mod point;
mod sasl;
mod server;
mod split;
mod step;
mod text;
mod wire;

mod answer;
mod decode;
mod door;
mod isupport;
mod request;
mod spell;
#[cfg(test)]
mod tests;
mod voice;

pub use caps::{Bits, Caps};
pub use door::{IrcDoor, Spelling};
pub use request::Request;
pub use server::{Guests, Options, Server};
pub use spell::{Dress, encode};
