//! What the operator decides about the IRC doors of a server: its name, who is let in, what is offered.

use crate::limits::IRC_NAMES;

/// The settings that all IRC doors of a server share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The server's name: it holds a dot, at most [`IRC_SERVER_BYTES`](crate::limits::IRC_SERVER_BYTES). It is the
    /// source of the server's lines, and the host of everybody.
    pub name: Box<str>,
    /// The name of the network, one word.
    pub network: Box<str>,
    /// The lines of the operator's message of the day, checked; empty for the built-in one.
    pub motd: Vec<Box<str>>,
    /// How guests are spelled.
    pub guests: Guests,
    /// True if new accounts can be made.
    pub registers: bool,
    /// True if there is a store of what was said.
    pub keeps: bool,
    /// The most rooms of a session.
    pub rooms: u32,
    /// The most names in an answer to NAMES and WHO.
    pub names: u32,
    /// The least size of a new password, in bytes.
    pub password_min: u32,
}

/// How guests are spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guests {
    /// With `^` before the name, so that no guest looks like an account.
    #[default]
    Marked,
    /// By the name alone. For test programs, which know no mark: a listener that spells guests so is on the loopback
    /// interface.
    Bare,
}

/// What one listener offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// True if guests are let in.
    pub guests: bool,
    /// The port of a listener by TLS that clients are told to use for ever.
    pub sts: Option<u16>,
}

impl Default for Server {
    /// The defaults of the configuration.
    fn default() -> Self {
        Self {
            name: "chatd.local".into(),
            network: "chatd".into(),
            motd: Vec::new(),
            guests: Guests::Marked,
            registers: true,
            keeps: true,
            rooms: 32,
            names: IRC_NAMES,
            password_min: 8,
        }
    }
}
