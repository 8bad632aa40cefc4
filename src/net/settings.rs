//! What the server is started with: where it listens, what is spoken there, and what a reload may change.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::door::{Door, rooms};
use crate::engine;

/// What the server is started with.
#[derive(Debug)]
pub struct Settings {
    /// Where it listens.
    pub listen: Vec<Endpoint>,
    /// Where members of rooms who came through the line door send datagrams.
    pub datagrams: Option<SocketAddr>,
    /// The account file; its companions stand beside it.
    pub accounts_file: PathBuf,
    /// How many log lines have been dropped, for the statistics.
    pub stats_log_lines_dropped: fn() -> u64,
    /// What may change while it runs.
    pub tuning: Tuning,
}

/// What SIGHUP may change.
pub type Tuning = engine::Settings;

/// Called on SIGHUP: gives what is to change, or `None` if everything stays.
pub type Reload = Box<dyn FnMut() -> Option<Tuning>>;

/// One place to listen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Address and port; port 0 takes a free one.
    pub addr: SocketAddr,
    /// Whether a machine without this address family is no reason not to start.
    pub optional: bool,
    /// What is spoken there.
    pub service: Service,
}

/// What is spoken at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Lines of text.
    Line,
    /// Rooms over TCP and UDP.
    Rooms {
        /// The port for datagrams, at the same address; port 0 takes a free one.
        udp: u16,
        /// Requests carry a port, and are answered by words.
        status_ok: bool,
        /// Datagrams tell the name by its size.
        down_named: bool,
    },
}

impl Endpoint {
    /// Where its members send datagrams: at the same address, in the same zone.
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

    /// The door of a connection that comes in here.
    pub(super) fn door(self) -> Door {
        match self {
            Self::Line => Door::line(),
            Self::Rooms { status_ok, down_named, .. } => Door::rooms(rooms::Options { status_ok, down_named }),
        }
    }
}

/// Why the server did not start, or did not go on. Each holds a whole message: what, why, and the next step.
#[derive(Debug)]
pub enum StartError {
    /// The port or the account file is another server's.
    InUse(String),
    /// What is configured cannot be used.
    Config(String),
    /// Anything else.
    Failed(String),
}
