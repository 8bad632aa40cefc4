//! A datagram socket: datagrams are received one by one, and sent in batches at the end of the turn.

use std::io::{self, ErrorKind, IoSlice};
use std::net::SocketAddr;

use mio::Interest;
use mio::Registry;
use mio::net::UdpSocket;
use rustix::io::Errno;
use rustix::net::addr::SocketAddrArg as _;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg};
use socket2::{Domain, Protocol, Socket, Type};

use crate::engine::{SendQueue, Sent, ToSend};
use crate::limits::{DATAGRAM_BATCH, DATAGRAM_ERRORS, DATAGRAM_RECEIVE_BUFFER};
use crate::net::sys::sockopt;
use crate::net::sys::token::Source;
use crate::net::systemd::Passed;

/// A datagram socket.
#[derive(Debug)]
pub(super) struct Udp {
    socket: UdpSocket,
    /// The requested address, and the real one.
    asked: SocketAddr,
    pub(super) addr: SocketAddr,
    /// There may be datagrams to receive. Polling is edge-triggered: only receiving them all ends this state.
    pub(super) is_ready: bool,
    /// The kernel's counter of dropped datagrams at its last reading, 32 bits …
    lost_before: u32,
    /// … and the total.
    lost: u64,
}

impl Udp {
    /// Binds, or takes the socket that was passed, and registers with the poll.
    pub(super) fn open(addr: SocketAddr, place: usize, registry: &Registry, passed: &mut Passed) -> io::Result<Self> {
        let socket = match passed.take_datagrams(addr) {
            Some(socket) => socket,
            None => bind(addr)?,
        };
        socket.set_nonblocking(true)?;
        socket.set_recv_buffer_size(DATAGRAM_RECEIVE_BUFFER)?; // the kernel limits it to net.core.rmem_max
        let mut socket = UdpSocket::from_std(socket.into());
        registry.register(&mut socket, Source::Datagrams(place).token(), Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { asked: addr, addr: socket.local_addr()?, socket, is_ready: true, lost_before: 0, lost: 0 })
    }

    /// True if this socket serves the endpoint `addr`. Port 0 asks for a socket of its own.
    pub(super) fn serves(&self, addr: SocketAddr) -> bool {
        self.asked == addr && addr.port() != 0
    }

    /// Receives one datagram into `space`. `None` if there is none now.
    pub(super) fn receive(&mut self, space: &mut [u8]) -> Option<(usize, SocketAddr)> {
        // An error concerns a datagram that was sent, not one that arrives, and is reported once. If there are too many
        // of them, the poll reports the next.
        for _ in 0..DATAGRAM_ERRORS {
            match self.socket.recv_from(space) {
                Ok(received) => return Some(received),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {}
            }
        }
        self.is_ready = false;
        None
    }

    /// Number of datagrams that arrived and were dropped because the socket's queue was full. Exact if it is called
    /// before four billion more are dropped.
    pub(super) fn lost(&mut self) -> u64 {
        if let Some(drops) = sockopt::drops(&self.socket) {
            self.lost += u64::from(drops.wrapping_sub(self.lost_before));
            self.lost_before = drops;
        }
        self.lost
    }

    /// Sends what is queued, until nothing is left or the kernel accepts no more for now.
    pub(super) fn send(&self, queue: &mut SendQueue) -> Sent {
        let mut sent = Sent::default();
        while queue.may_flush() {
            match self.send_batch(queue) {
                Ok(count) => {
                    queue.sent(count);
                    sent.count += count as u64;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => queue.set_blocked(true),
                Err(_) => {
                    // The first of the batch is the one that cannot be sent; the following ones may be fine. The same
                    // applies when the kernel is out of memory (ENOBUFS), since it would not report when it has some
                    // again.
                    queue.sent(1);
                    sent.failed += 1;
                }
            }
        }
        sent
    }

    fn send_batch(&self, queue: &SendQueue) -> Result<usize, Errno> {
        let batch: Vec<&ToSend> = queue.iter().take(DATAGRAM_BATCH).collect();
        let addrs: Vec<_> = batch.iter().map(|item| item.to.as_any()).collect();
        let slice = |item: &&ToSend| [IoSlice::new(queue.contents(item))];
        let slices: Vec<[IoSlice<'_>; 1]> = batch.iter().map(slice).collect();
        let mut controls: Vec<SendAncillaryBuffer<'_, '_, '_>> =
            batch.iter().map(|_| SendAncillaryBuffer::default()).collect();
        let mut messages: Vec<MMsgHdr<'_>> = addrs
            .iter()
            .zip(&slices)
            .zip(&mut controls)
            .map(|((addr, slice), control)| MMsgHdr::new_with_addr(addr, slice, control))
            .collect();
        sendmmsg(&self.socket, &mut messages, SendFlags::empty())
    }
}

fn bind(addr: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?; // so that 0.0.0.0 and [::] can both be listed
    }
    socket.bind(&addr.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket as Plain};
    use std::time::Duration;

    use mio::Poll;

    use super::*;
    use crate::engine::Written;

    fn here(port: u16) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }

    fn open(poll: &Poll) -> Udp {
        Udp::open(here(0), 0, poll.registry(), &mut Passed::default()).unwrap()
    }

    fn push(queue: &mut SendQueue, to: &[SocketAddr], text: &[u8]) {
        let write = |out: &mut Vec<u8>| {
            out.extend_from_slice(text);
            true
        };
        let Written::At(bytes) = queue.write(write) else { panic!("no room") };
        for to in to {
            queue.push(*to, bytes.clone());
        }
    }

    #[test]
    fn many_batches_in_order() {
        let poll = Poll::new().unwrap();
        let udp = open(&poll);
        let mut queue = SendQueue::default();
        let peers: Vec<Plain> = (0..3).map(|_| Plain::bind(here(0)).unwrap()).collect();
        let to: Vec<SocketAddr> = peers.iter().map(|peer| peer.local_addr().unwrap()).collect();
        for n in 0..100u8 {
            push(&mut queue, &to, &[n; 3]);
        }
        assert!(queue.may_flush());
        assert_eq!(udp.send(&mut queue), Sent { count: 300, failed: 0 });
        assert!(!queue.may_flush());
        for peer in &peers {
            peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            for n in 0..100u8 {
                let mut bytes = [0; 10];
                let (count, from) = peer.recv_from(&mut bytes).unwrap();
                assert_eq!((&bytes[..count], from), (&[n; 3][..], udp.addr));
            }
        }
    }

    #[test]
    fn one_that_cannot_be_sent_keeps_no_other_back() {
        let poll = Poll::new().unwrap();
        let udp = open(&poll);
        let mut queue = SendQueue::default();
        let peer = Plain::bind(here(0)).unwrap();
        let good = peer.local_addr().unwrap();
        push(&mut queue, &[here(0), good, here(0), here(0), good], b"hi"); // port 0 is not a valid destination
        assert_eq!(udp.send(&mut queue), Sent { count: 2, failed: 3 });
        assert!(queue.is_empty());
    }

    #[test]
    fn what_comes_is_taken_until_there_is_no_more_and_what_is_lost_is_counted() {
        let poll = Poll::new().unwrap();
        let mut udp = open(&poll);
        socket2::SockRef::from(&udp.socket).set_recv_buffer_size(4096).unwrap();
        let mouth = Plain::bind(here(0)).unwrap();
        let (mut taken, mut room) = (0, [0; 100]);
        for sent in 1..=3u64 {
            for _ in 0..100 {
                mouth.send_to(b"hello", udp.addr).unwrap();
            }
            udp.is_ready = true;
            while udp.receive(&mut room) == Some((5, mouth.local_addr().unwrap())) {
                taken += 1;
            }
            assert!(!udp.is_ready);
            assert!(udp.lost() > 0);
            assert_eq!(taken + udp.lost(), sent * 100);
        }
    }

    #[test]
    fn those_who_ask_for_the_same_place_share_it() {
        let poll = Poll::new().unwrap();
        let udp = open(&poll);
        assert!(!udp.serves(here(0)) && !udp.serves(udp.addr));
        let named = Udp { asked: here(9), ..udp };
        assert!(named.serves(here(9)) && !named.serves(here(8)) && !named.serves("127.0.0.2:9".parse().unwrap()));
    }
}
