//! Every bound of the server, with its reason.
//!
//! The settings of the operator are fields of structs, which are also the tables of `config.toml`. All other bounds are
//! constants. Times are on the monotonic clock; the suffix of a name gives the unit: `_S` seconds, `_MS` milliseconds,
//! `_BYTES` bytes.

mod accounts;
mod addresses;
mod closing;
mod connections;
mod datagrams;
mod degraded;
mod history;
mod http;
mod irc;
mod lines;
mod log;
mod login;
mod operator;
mod outbox;
mod people;
mod relay;
mod rooms;
mod settings;
mod tls;
mod turn;

pub use self::accounts::*;
pub use self::addresses::*;
pub use self::closing::*;
pub use self::connections::*;
pub use self::datagrams::*;
pub use self::degraded::*;
pub use self::history::*;
pub use self::http::*;
pub use self::irc::*;
pub use self::lines::*;
pub use self::log::*;
pub use self::login::*;
pub use self::operator::*;
pub use self::outbox::*;
pub use self::people::*;
pub use self::relay::*;
pub use self::rooms::*;
pub use self::settings::*;
pub use self::tls::*;
pub use self::turn::*;
