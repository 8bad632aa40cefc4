//! A connection's socket: TCP or Unix.

use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};
use std::net::Shutdown;
use std::time::Duration;

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use rustix::net::sockopt::socket_peercred;
use rustix::net::{RecvFlags, recv};
use rustix::process::geteuid;
use socket2::SockRef;

use crate::engine::InFlight;
use crate::net::sys::sockopt;

/// A connected socket.
#[derive(Debug)]
pub(crate) enum Socket {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix socket.
    Unix(UnixStream),
}

impl Socket {
    /// Reads once, again if a signal interrupts it.
    pub(crate) fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        again(|| match self {
            Self::Tcp(socket) => socket.read(room),
            Self::Unix(socket) => socket.read(room),
        })
    }

    /// True if the peer is a process of root or of the server's own user, as the kernel says.
    pub(crate) fn is_of_operator(&self) -> bool {
        match self {
            Self::Tcp(_) => false,
            Self::Unix(socket) => socket_peercred(socket).is_ok_and(|peer| peer.uid.is_root() || peer.uid == geteuid()),
        }
    }

    /// Looks at bytes that the next read will give.
    pub(crate) fn peek(&self, room: &mut [u8]) -> io::Result<usize> {
        again(|| {
            let got = match self {
                Self::Tcp(socket) => recv(socket, &mut *room, RecvFlags::PEEK),
                Self::Unix(socket) => recv(socket, &mut *room, RecvFlags::PEEK),
            };
            Ok(got?.0)
        })
    }

    /// Writes once, again if a signal interrupts it.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        again(|| match self {
            Self::Tcp(socket) => socket.write(bytes),
            Self::Unix(socket) => socket.write(bytes),
        })
    }

    /// Writes slices once, again if a signal interrupts it.
    pub(crate) fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        again(|| match self {
            Self::Tcp(socket) => socket.write_vectored(slices),
            Self::Unix(socket) => socket.write_vectored(slices),
        })
    }

    /// Ends our side of the stream.
    pub(crate) fn shutdown(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.shutdown(Shutdown::Write),
            Self::Unix(socket) => socket.shutdown(Shutdown::Write),
        }
    }

    /// The bytes that the kernel holds for the peer, with the state of the path if `with_path`.
    pub(crate) fn in_flight(&self, with_path: bool) -> InFlight {
        match self {
            Self::Tcp(socket) => sockopt::in_flight(socket, with_path),
            Self::Unix(socket) => InFlight { unacknowledged: sockopt::unacknowledged(socket), path: None },
        }
    }

    /// Makes the close a reset. A socket that refuses the option is gone already; a Unix socket keeps nothing.
    pub(crate) fn reset_at_close(&self) {
        if let Self::Tcp(socket) = self {
            let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
    }

    /// As the poll knows it.
    pub(crate) fn source(&mut self) -> &mut dyn Source {
        match self {
            Self::Tcp(socket) => socket,
            Self::Unix(socket) => socket,
        }
    }
}

impl io::Read for Socket {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        Self::read(self, room)
    }
}

impl io::Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::write(self, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn again(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
