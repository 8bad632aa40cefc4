//! A connection's stream: reading, writing, and its end.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::time::Duration;

use mio::Registry;
use mio::net::TcpStream;
use mio::{Interest, Token};
use socket2::SockRef;

use crate::engine::{Frames, Gone, InFlight, Read, Why, Wrote};
use crate::net::sys::sockopt;

/// A stream, by the way its bytes cross the network.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Unencrypted TCP.
    Plain(TcpStream),
}

impl Stream {
    /// Registers the stream with the poll.
    ///
    /// # Errors
    /// The poll cannot register it.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> std::io::Result<()> {
        // Urgent data is not used, but a read that stops at it must not count as one that has drained the socket.
        let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        registry.register(self.socket_mut(), token, interest)
    }

    /// Reads once.
    pub(crate) fn read(&mut self, room: &mut [u8]) -> Read {
        let Self::Plain(socket) = self;
        loop {
            match socket.read(room) {
                Ok(0) => return Read::End,
                Ok(count) => return Read::Bytes { count, is_short: count < room.len() },
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Read::Nothing,
                Err(_) => return Read::Broken,
            }
        }
    }

    /// Writes once.
    pub(crate) fn write(&mut self, frames: &Frames<'_>) -> Wrote {
        let Self::Plain(socket) = self;
        loop {
            let (result, offered) = match frames {
                Frames::One(bytes) => (socket.write(bytes), bytes.len()),
                Frames::Many(slices) => (socket.write_vectored(slices), frames.len()),
            };
            match result {
                Ok(count) => return Wrote::Bytes { count, is_short: count < offered },
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Wrote::Bytes { count: 0, is_short: true };
                }
                Err(_) => return Wrote::Broken,
            }
        }
    }

    /// Ends our side of the stream. False if that fails.
    pub(crate) fn finish(&mut self) -> bool {
        self.socket_mut().shutdown(Shutdown::Write).is_ok()
    }

    /// The bytes that the kernel still holds for the peer, as far as the question `why` needs it.
    pub(crate) fn in_flight(&self, why: Why) -> InFlight {
        let Self::Plain(socket) = self;
        sockopt::in_flight(socket, why == Why::Liveness)
    }

    /// Closes a stream that has ended.
    pub(crate) fn close(gone: Gone<Self>) {
        let Gone { socket: Self::Plain(socket), is_reset } = gone;
        if is_reset {
            // Otherwise the kernel would keep trying to deliver for minutes. A socket that refuses the option is gone
            // already.
            let _ = SockRef::from(&socket).set_linger(Some(Duration::ZERO));
        }
    }

    fn socket_mut(&mut self) -> &mut TcpStream {
        let Self::Plain(socket) = self;
        socket
    }
}
