//! A connection's stream: reading, writing, and its end.

use std::io::ErrorKind;

use mio::{Interest, Registry, Token};

use super::proxy;
use super::socket::Socket;
use crate::engine::{Frames, Gone, InFlight, Read, Why, Wrote};

/// A stream.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: Socket,
    /// What lies between the socket and the door; `None` if bytes cross the network as they are.
    layer: Option<Box<Layer>>,
}

/// What lies between a socket and a door.
#[derive(Debug)]
enum Layer {
    /// A PROXY header is awaited.
    Header,
}

impl Stream {
    /// A stream of a new connection. A PROXY header precedes all else if `takes_proxy`.
    pub(crate) fn new(socket: Socket, takes_proxy: bool) -> Self {
        Self { socket, layer: takes_proxy.then(|| Box::new(Layer::Header)) }
    }

    /// Registers the stream with the poll.
    ///
    /// # Errors
    /// The poll cannot register it.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> std::io::Result<()> {
        // Urgent data is not used, but a read that stops at it must not count as one that has drained the socket.
        let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        registry.register(self.socket.source(), token, interest)
    }

    /// Reads once.
    pub(crate) fn read(&mut self, room: &mut [u8]) -> Read {
        match self.layer.as_deref_mut() {
            None => match self.socket.read(room) {
                Ok(0) => Read::End,
                Ok(count) => Read::Bytes { count, is_short: count < room.len() },
                Err(error) if error.kind() == ErrorKind::WouldBlock => Read::Nothing,
                Err(_) => Read::Broken,
            },
            Some(Layer::Header) => {
                let read = proxy::read(&mut self.socket);
                if let Read::Named(_) | Read::Unusable(_) = read {
                    self.layer = None; // what follows a bad header is read to be discarded
                }
                read
            }
        }
    }

    /// Writes once.
    pub(crate) fn write(&mut self, frames: &Frames<'_>) -> Wrote {
        let (result, offered) = match frames {
            Frames::One(bytes) => (self.socket.write(bytes), bytes.len()),
            Frames::Many(slices) => (self.socket.write_vectored(slices), frames.len()),
        };
        match result {
            Ok(count) => Wrote::Bytes { count, is_short: count < offered },
            Err(error) if error.kind() == ErrorKind::WouldBlock => Wrote::Bytes { count: 0, is_short: true },
            Err(_) => Wrote::Broken,
        }
    }

    /// Ends our side of the stream. False if that fails.
    pub(crate) fn finish(&mut self) -> bool {
        self.socket.shutdown().is_ok()
    }

    /// The bytes that the kernel still holds for the peer, as far as the question `why` needs it.
    pub(crate) fn in_flight(&self, why: Why) -> InFlight {
        self.socket.in_flight(why == Why::Liveness)
    }

    /// Closes a stream that has ended.
    pub(crate) fn close(gone: Gone<Self>) {
        if gone.is_reset {
            // Otherwise the kernel would keep trying to deliver for minutes.
            gone.socket.socket.reset_at_close();
        }
    }
}
