//! A connection's stream: how bytes are read from it and written to it, and how it ends.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::time::Duration;

use mio::Registry;
use mio::net::TcpStream;
use mio::{Interest, Token};
use socket2::SockRef;

use crate::engine::{Frames, Gone, InFlight, Read, Why, Wrote};
use crate::net::sys::sockopt;

/// A stream, by how its bytes cross the network.
#[derive(Debug)]
pub(crate) enum Stream {
    /// As they are.
    Plain(TcpStream),
}

impl Stream {
    /// Has the poll watch the stream.
    ///
    /// # Errors
    /// The poll does not take it.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> std::io::Result<()> {
        // Nobody needs urgent data, but a read that stops at it must not be taken for one that has drained the socket.
        let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        registry.register(self.socket_mut(), token, interest)
    }

    /// One read.
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

    /// One write.
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

    /// What the kernel still holds for the peer, as far as it is asked.
    pub(crate) fn in_flight(&self, why: Why) -> InFlight {
        let Self::Plain(socket) = self;
        sockopt::in_flight(socket, why == Why::Liveness)
    }

    /// Closes a stream that is over.
    pub(crate) fn close(gone: Gone<Self>) {
        let Gone { socket: Self::Plain(socket), is_reset } = gone;
        if is_reset {
            // Without this the kernel would go on trying to deliver for minutes. A socket that refuses is gone.
            let _ = SockRef::from(&socket).set_linger(Some(Duration::ZERO));
        }
    }

    fn socket_mut(&mut self) -> &mut TcpStream {
        let Self::Plain(socket) = self;
        socket
    }
}
