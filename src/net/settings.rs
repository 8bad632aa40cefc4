//! Settings of the server: its addresses and doors, and what a reload may change.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::systemd::Passed;
pub use crate::door::irc::{Guests as IrcMark, Options as IrcOptions, Server as IrcServer};
pub use crate::door::relay::Options as RelayOptions;
use crate::door::{Door, irc, relay, rooms};
use crate::engine;
pub use crate::engine::{Changes, Entrance, Operators};
use crate::net::tls::Credentials;
use crate::secret::Secret;

/// Settings at the start.
#[derive(Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: Vec<Endpoint>,
    /// Where members from the line door send datagrams.
    pub datagrams: Option<SocketAddr>,
    /// The operator's socket; `None` for none.
    pub operator_socket: Option<OperatorSocket>,
    /// The account file; its companion files are beside it.
    pub accounts_file: PathBuf,
    /// The history's file; its companion files are beside it. `None` keeps nothing.
    pub history_file: Option<PathBuf>,
    /// Returns the number of dropped log lines, for the statistics.
    pub stats_log_lines_dropped: fn() -> u64,
    /// Settings that may change later.
    pub tuning: Tuning,
    /// Sockets that the service manager has opened.
    pub passed: Passed,
}

/// Settings that SIGHUP may change.
pub type Tuning = engine::Settings;

/// Called on SIGHUP: returns what it has read, or what is wrong with the configuration, a line each.
pub type Reload = Box<dyn FnMut() -> Result<Reloaded, Vec<String>>>;

/// What a reload has read.
#[derive(Debug)]
pub struct Reloaded {
    /// The new settings.
    pub tuning: Tuning,
    /// What each endpoint of the start presents from now on, in their order; `None` for those that stay as they are.
    pub credentials: Vec<Option<Credentials>>,
    /// The tokens of these endpoints; `None` for those that stay as they are.
    pub tokens: Vec<Option<Secret<Vec<u8>>>>,
    /// What has changed.
    pub changes: Changes,
}

/// The operator's socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorSocket {
    /// The path of its file, relative to the working directory.
    pub path: PathBuf,
    /// True if the configuration names it: then the server does not start without it.
    pub is_set: bool,
}

/// One place to listen at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where connections arrive.
    pub site: Site,
    /// True if the server may start without it on a machine that lacks the address family.
    pub optional: bool,
    /// The protocol there.
    pub service: Service,
    /// What precedes the protocol.
    pub entrance: Entrance,
    /// What it presents to clients by TLS.
    pub credentials: Option<Credentials>,
    /// The token that its requests must have, if they need one.
    pub token: Option<Secret<Vec<u8>>>,
}

/// Where connections arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// Address and port; port 0 selects a free one.
    Tcp(SocketAddr),
    /// A Unix socket, relative to the working directory.
    Unix {
        /// The path of its file.
        path: PathBuf,
        /// The mode of its file.
        mode: u32,
    },
}

/// The protocol at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// Lines of text.
    Line {
        /// Guests are let in.
        guests: bool,
    },
    /// The operator's commands.
    Operator,
    /// Rooms over TCP and UDP.
    Rooms {
        /// The port for datagrams, at the same address; port 0 selects a free one.
        udp: u16,
        /// Requests contain a port, and replies are words.
        status_ok: bool,
        /// The size of a datagram gives the length of the name.
        down_named: bool,
    },
    /// One room, for programs that know no login.
    Relay(relay::Options),
    /// HTTP for monitoring programs.
    Metrics,
    /// A page for browsers, which talk by WebSocket.
    Web,
    /// Lines of IRC.
    Irc(irc::Options),
}

impl Endpoint {
    /// The line door at an address, without encryption.
    pub fn line(addr: SocketAddr) -> Self {
        Self {
            site: Site::Tcp(addr),
            optional: false,
            service: Service::Line { guests: false },
            entrance: Entrance::default(),
            credentials: None,
            token: None,
        }
    }

    /// The operator's socket, for its user alone.
    pub(super) fn operator(path: &Path) -> Self {
        let site = Site::Unix { path: path.to_owned(), mode: 0o600 };
        let (service, entrance) = (Service::Operator, Entrance::default());
        Self { site, optional: false, service, entrance, credentials: None, token: None }
    }

    /// Where its members send datagrams: at the same address, in the same scope.
    pub(super) fn datagrams(&self) -> Option<SocketAddr> {
        let (Service::Rooms { udp, .. }, Site::Tcp(mut addr)) = (&self.service, self.site.clone()) else { return None };
        addr.set_port(*udp);
        Some(addr)
    }

    /// True if other machines can reach it, and what crosses the network can be read there. Figures for monitoring are
    /// no secret.
    pub(super) fn is_open_and_plain(&self) -> bool {
        match self.site {
            Site::Tcp(addr) => !self.entrance.is_tls && !addr.ip().is_loopback(),
            Site::Unix { .. } => false,
        }
    }

    /// The endpoint as the log names it, at the address that was bound in its place.
    pub(super) fn name_at(&self, addr: SocketAddr) -> String {
        format!("{}{}://{addr}", self.service.name(), if self.entrance.is_tls { "+tls" } else { "" })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.site {
            Site::Tcp(addr) => f.write_str(&self.name_at(*addr)),
            Site::Unix { path, .. } => write!(f, "{}+unix:{}", self.service.name(), path.display()),
        }
    }
}

impl Service {
    /// The name of its door.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Line { .. } => "line",
            Self::Operator => "operator",
            Self::Rooms { .. } => "rooms",
            Self::Relay(_) => "relay",
            Self::Metrics => "metrics",
            Self::Web => "web",
            Self::Irc(_) => "irc",
        }
    }

    /// The protocol that clients name by TLS (ALPN).
    pub(super) fn protocol(&self) -> &'static str {
        match self {
            Self::Line { .. } | Self::Operator | Self::Rooms { .. } | Self::Relay(_) => "chatd",
            Self::Metrics | Self::Web => "http/1.1",
            Self::Irc(_) => "irc",
        }
    }

    /// A door for a connection that arrives here, at the listener of this number. `irc` is what all IRC doors share.
    pub(super) fn door(&self, listener: usize, irc: &Arc<irc::Server>) -> Door {
        match self {
            Self::Line { guests: false } => Door::line(),
            Self::Line { guests: true } => Door::line_with_guests(),
            Self::Operator => Door::operator(),
            Self::Rooms { status_ok, down_named, .. } => {
                Door::rooms(rooms::Options { status_ok: *status_ok, down_named: *down_named })
            }
            Self::Relay(options) => Door::relay(options.clone()),
            Self::Metrics => Door::metrics(listener),
            Self::Web => Door::web(listener),
            Self::Irc(options) => Door::irc(Arc::clone(irc), *options),
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
