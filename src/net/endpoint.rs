//! Where the server listens, and what is spoken there.

use std::net::SocketAddr;

use crate::door::{Door, rooms};

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
