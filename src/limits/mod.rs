//! Every bound of the server, each with its reason.
//!
//! What an operator may want to change is a field of one of the structs below, which are also the tables of
//! `config.toml`; what nobody should have to think about is a constant. Times are monotonic, sizes are bytes.

mod accounts;
mod addresses;
mod closing;
mod connections;
mod datagrams;
mod lines;
mod log;
mod login;
mod outbox;
mod rooms;
mod settings;
mod turn;

pub use self::accounts::*;
pub use self::addresses::*;
pub use self::closing::*;
pub use self::connections::*;
pub use self::datagrams::*;
pub use self::lines::*;
pub use self::log::*;
pub use self::login::*;
pub use self::outbox::*;
pub use self::rooms::*;
pub use self::settings::*;
pub use self::turn::*;
