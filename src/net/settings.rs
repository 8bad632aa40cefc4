//! Settings of the server: its addresses and doors, and what a reload may change.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::door::{Door, rooms};
use crate::engine;

/// Settings at the start.
#[derive(Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: Vec<Endpoint>,
    /// Where members from the line door send datagrams.
    pub datagrams: Option<SocketAddr>,
    /// The account file; its companion files are beside it.
    pub accounts_file: PathBuf,
    /// Returns the number of dropped log lines, for the statistics.
    pub stats_log_lines_dropped: fn() -> u64,
    /// Settings that may change later.
    pub tuning: Tuning,
}

/// Settings that SIGHUP may change.
pub type Tuning = engine::Settings;

/// Called on SIGHUP: returns the new settings, or `None` if nothing changes.
pub type Reload = Box<dyn FnMut() -> Option<Tuning>>;

/// One address to listen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Address and port; port 0 selects a free one.
    pub addr: SocketAddr,
    /// True if the server may start without it on a machine that lacks the address family.
    pub optional: bool,
    /// The protocol at this address.
    pub service: Service,
}

/// The protocol at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Lines of text.
    Line,
    /// Rooms over TCP and UDP.
    Rooms {
        /// The port for datagrams, at the same address; port 0 selects a free one.
        udp: u16,
        /// Requests contain a port, and replies are words.
        status_ok: bool,
        /// The size of a datagram gives the length of the name.
        down_named: bool,
    },
}

impl Endpoint {
    /// Where its members send datagrams: at the same address, in the same scope.
    pub(super) fn datagrams(&self) -> Option<SocketAddr> {
        let Service::Rooms { udp, .. } = self.service else { return None };
        let mut addr = self.addr;
        addr.set_port(udp);
        Some(addr)
    }
}

impl Service {
    /// The name of its door.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Rooms { .. } => "rooms",
        }
    }

    /// A door for a connection that arrives here.
    pub(super) fn door(self) -> Door {
        match self {
            Self::Line => Door::line(),
            Self::Rooms { status_ok, down_named, .. } => Door::rooms(rooms::Options { status_ok, down_named }),
        }
    }
}

/// Why the server did not start, or had to stop. Each variant holds a complete message: what, why, and the next step.
#[derive(Debug)]
pub enum StartError {
    /// Another server uses the port or the account file.
    InUse(String),
    /// The configuration cannot be used.
    Config(String),
    /// Any other cause.
    Failed(String),
}
