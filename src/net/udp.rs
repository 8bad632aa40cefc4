//! Datagram sockets: what comes in is taken one by one, what goes out waits for the end of the turn and goes in batches.
//!
//! UDP promises nothing, so a queue that is full drops, and counts what it drops.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::ops::Range;

use mio::Interest;
use mio::Registry;
use mio::net::UdpSocket;
use rustix::io::Errno;
use rustix::net::addr::SocketAddrArg as _;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg};
use socket2::{Domain, Protocol, Socket, Type};

use super::token::Source;
use crate::limits::{DATAGRAM_BATCH, DATAGRAM_QUEUE, DATAGRAM_QUEUE_BYTES, DATAGRAM_RECEIVE_BUFFER};

/// A socket, and what is to be sent through it.
#[derive(Debug)]
pub(super) struct Udp {
    socket: UdpSocket,
    /// Where it was asked to be, and where it is.
    asked: SocketAddr,
    pub(super) addr: SocketAddr,
    /// There may be datagrams to take. Polling is edge-triggered: only taking them all ends this.
    pub(super) is_ready: bool,
    /// The kernel took less than was offered, so the socket will say when it takes more.
    pub(super) is_blocked: bool,
    queue: VecDeque<Parcel>,
    /// The queue's bytes; each text once, however many hear it.
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Parcel {
    to: SocketAddr,
    bytes: Range<usize>,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    /// Taken by the kernel.
    pub(super) count: u64,
    /// Not taken, for a reason of its own (no route, say).
    pub(super) failed: u64,
}

impl Udp {
    /// Binds, and registers with the poll.
    pub(super) fn open(addr: SocketAddr, place: usize, registry: &Registry) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
        if addr.is_ipv6() {
            socket.set_only_v6(true)?; // so that 0.0.0.0 and [::] can both be listed
        }
        socket.set_nonblocking(true)?;
        socket.set_recv_buffer_size(DATAGRAM_RECEIVE_BUFFER)?; // the kernel gives as much of it as it is set to allow
        socket.bind(&addr.into())?;
        let mut socket = UdpSocket::from_std(socket.into());
        registry.register(&mut socket, Source::Datagrams(place).token(), Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            asked: addr,
            addr: socket.local_addr()?,
            socket,
            is_ready: true,
            is_blocked: false,
            queue: VecDeque::new(),
            bytes: Vec::new(),
        })
    }

    /// Whether this socket is the one that `addr` asks for. Port 0 asks for one of its own.
    pub(super) fn serves(&self, addr: SocketAddr) -> bool {
        self.asked == addr && addr.port() != 0
    }

    /// Takes one datagram into `room`. `None` when there is none for now.
    pub(super) fn receive(&mut self, room: &mut [u8]) -> Option<(usize, SocketAddr)> {
        loop {
            match self.socket.recv_from(room) {
                Ok(received) => return Some(received),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.is_ready = false;
                    return None;
                }
                // What the network says of a datagram that was sent: no concern of those that come.
                Err(_) => return None,
            }
        }
    }

    /// Makes room for one text, of which `encode` appends as much as is to be sent: nothing if it gives `false`.
    pub(super) fn write(&mut self, encode: impl FnOnce(&mut Vec<u8>) -> bool) -> Option<Range<usize>> {
        let start = self.bytes.len();
        encode(&mut self.bytes).then_some(start..self.bytes.len())
    }

    /// Queues what was written for one more receiver. False if the queue is full.
    pub(super) fn push(&mut self, to: SocketAddr, bytes: Range<usize>) -> bool {
        let fits = self.queue.len() < DATAGRAM_QUEUE && bytes.end <= DATAGRAM_QUEUE_BYTES;
        if fits {
            self.queue.push_back(Parcel { to, bytes });
        }
        fits
    }

    /// Whether something is queued that the kernel may take.
    pub(super) fn may_flush(&self) -> bool {
        !self.is_blocked && !self.queue.is_empty()
    }

    /// Sends what is queued, until it is all gone or the kernel takes no more for now.
    pub(super) fn flush(&mut self) -> Sent {
        let mut sent = Sent::default();
        while !self.is_blocked && !self.queue.is_empty() {
            match self.send_batch() {
                Ok(count) => {
                    self.queue.drain(..count.min(self.queue.len()));
                    sent.count += count as u64;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::NOBUFS) => self.is_blocked = true,
                Err(_) => {
                    // The first of the batch is the one that cannot be sent; what follows may well be.
                    self.queue.pop_front();
                    sent.failed += 1;
                }
            }
        }
        if self.queue.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(DATAGRAM_QUEUE_BYTES / 16);
        }
        sent
    }

    fn send_batch(&mut self) -> Result<usize, Errno> {
        let parcels: Vec<&Parcel> = self.queue.iter().take(DATAGRAM_BATCH).collect();
        let addrs: Vec<_> = parcels.iter().map(|parcel| parcel.to.as_any()).collect();
        let bytes = |parcel: &Parcel| self.bytes.get(parcel.bytes.clone()).unwrap_or_default();
        let slices: Vec<[IoSlice<'_>; 1]> = parcels.iter().map(|parcel| [IoSlice::new(bytes(parcel))]).collect();
        let mut controls: Vec<SendAncillaryBuffer<'_, '_, '_>> =
            parcels.iter().map(|_| SendAncillaryBuffer::default()).collect();
        let mut messages: Vec<MMsgHdr<'_>> = addrs
            .iter()
            .zip(&slices)
            .zip(&mut controls)
            .map(|((addr, slice), control)| MMsgHdr::new_with_addr(addr, slice, control))
            .collect();
        sendmmsg(&self.socket, &mut messages, SendFlags::empty())
    }
}
