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
//! # What the engine does for it
//!
//! * It calls [`note_time`](IrcDoor::note_time) before a line is decoded, and before an answer is encoded that comes later.
//! * It asks for no next step while the connection is paused for a verdict, a page or a delay: the end of the pause goes
//!   on where the line was. No other line is read meanwhile. Steps that count are charged to the rates as lines.
//! * [`Event::Entered`](crate::hub::event::Event::Entered) goes to [`encode_event`](IrcDoor::encode_event), without a token
//!   for datagrams.
//! * It asks the door for the [`Spelling`](crate::door::Spelling) of an event for others: nothing, a frame that all
//!   connections with the same [`Bits`] share, or lines of its own by [`encode_told`](IrcDoor::encode_told).
//! * While a listener leads here, the hub tells neighbours.
//! * Where guests have [no mark](Guests::Bare), a receiver whose name no account has is the guest of that name.
//!
//! # Passwords
//!
//! Right passwords do not log in by themselves: SASL is over before the registration is. The connection notes the account
//! that was [proved](Request::Prove), and the door asks to [enter](Request::EnterProved) when all is there.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "each place knows a few of all events and questions; others mean nothing there"
)]

pub(super) mod caps;
mod label;
mod message;
mod names;
mod numerics;
mod point;
mod sasl;
mod seldom;
pub(super) mod server;
mod split;
mod stage;
mod step;
mod talk;
mod text;
mod traced;
mod wire;

mod answer;
mod decode;
mod door;
mod isupport;
pub mod request;
mod spell;
mod told;
#[cfg(test)]
mod tests;
mod voice;

pub use caps::{Bits, Caps};
pub use door::IrcDoor;
pub use request::Request;
pub use server::{Guests, Options, Server};
pub use spell::{Dress, encode};
