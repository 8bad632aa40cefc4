//! Datagram sockets.

mod socket;

use std::net::SocketAddr;

use log::info;
use mio::Registry;

use super::accept::explain;
use super::settings::{Endpoint, StartError};
use super::systemd::Passed;
use crate::engine::{DatagramPlaces, SendQueue, Sent};
use crate::limits::DATAGRAM_BYTES;
use socket::Udp;

/// All datagram sockets. Endpoints with the same address share one.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    all: Vec<Udp>,
    /// Index of the socket that is first in this turn.
    first: usize,
    /// The port for members from the line door.
    line_port: Option<u16>,
    /// The buffer for a datagram: one byte more than the longest, so that a longer one can be detected.
    scratch: Vec<u8>,
}

impl Sockets {
    /// Binds the sockets of the endpoints, and `datagrams` for the line door.
    ///
    /// # Errors
    /// An address cannot be bound.
    pub(super) fn open(
        listen: &[Endpoint],
        datagrams: Option<SocketAddr>,
        registry: &Registry,
        passed: &mut Passed,
    ) -> Result<Self, StartError> {
        let mut sockets = Self { scratch: vec![0; 2 * DATAGRAM_BYTES], ..Self::default() };
        for endpoint in listen {
            if let Some(addr) = endpoint.datagrams() {
                sockets.share("listen", addr, registry, passed)?;
            }
        }
        if let Some(addr) = datagrams {
            sockets.line_port = Some(sockets.share("datagrams", addr, registry, passed)?);
        }
        Ok(sockets)
    }

    /// The port of the socket at `addr`, which is bound if there is none yet; `key` is the configuration key that asks
    /// for it.
    fn share(
        &mut self,
        key: &str,
        addr: SocketAddr,
        registry: &Registry,
        passed: &mut Passed,
    ) -> Result<u16, StartError> {
        if let Some(udp) = self.all.iter().find(|udp| udp.serves(addr)) {
            return Ok(udp.addr.port());
        }
        let udp = Udp::open(addr, self.all.len(), registry, passed)
            .map_err(|error| explain(key, &format!("udp://{addr}"), &error))?;
        info!("listening on udp://{}", udp.addr);
        let port = udp.addr.port();
        self.all.push(udp);
        Ok(port)
    }

    /// The number of sockets and the port for members from the line door, for the engine.
    pub(super) fn as_places(&self) -> DatagramPlaces {
        DatagramPlaces { sockets: self.all.len(), line_port: self.line_port }
    }

    /// The poll reports a socket.
    pub(super) fn mark_ready(&mut self, place: usize, is_ready: bool) {
        if let Some(udp) = self.all.get_mut(place) {
            udp.is_ready |= is_ready;
        }
    }

    /// True if a datagram may be waiting.
    pub(super) fn is_ready(&self) -> bool {
        self.all.iter().any(|udp| udp.is_ready)
    }

    /// The sockets, in the order of this turn.
    pub(super) fn places(&mut self) -> impl Iterator<Item = usize> + use<> {
        let (count, first) = (self.all.len(), self.first);
        self.first = (first + 1) % count.max(1);
        (first..count).chain(0..first)
    }

    /// Receives one datagram. `None` if there is none now.
    pub(super) fn receive(&mut self, place: usize) -> Option<(&[u8], SocketAddr)> {
        let udp = self.all.get_mut(place).filter(|udp| udp.is_ready)?;
        let (count, from) = udp.receive(&mut self.scratch)?;
        Some((self.scratch.get(..count).unwrap_or_default(), from))
    }

    /// Sends what is queued for a socket, as far as the kernel accepts it.
    pub(super) fn send(&self, place: usize, queue: &mut SendQueue) -> Sent {
        self.all.get(place).map(|udp| udp.send(queue)).unwrap_or_default()
    }

    /// Number of datagrams that the kernel dropped because its queue was full.
    pub(super) fn lost(&mut self) -> u64 {
        self.all.iter_mut().map(Udp::lost).sum()
    }
}
