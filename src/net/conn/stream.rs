//! A connection's stream: reading, writing, and its end.

use std::io::{self, ErrorKind};

use mio::{Interest, Registry, Token};

use super::proxy;
use super::socket::Socket;
use crate::engine::{Finished, Frames, Gone, InFlight, Read, Why, Wrote};
use crate::net::tls::{Buffers, Session};

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
    /// A PROXY header is awaited; then TLS, if there is a session.
    Header(Option<Session>),
    /// TLS.
    Tls(Session),
}

impl Stream {
    /// A stream of a new connection. A PROXY header precedes all else if `takes_proxy`; the rest is by `tls`, if that is
    /// given.
    pub(crate) fn new(socket: Socket, takes_proxy: bool, tls: Option<Session>) -> Self {
        let layer = if takes_proxy { Some(Layer::Header(tls)) } else { tls.map(Layer::Tls) };
        Self { socket, layer: layer.map(Box::new) }
    }

    /// Registers the stream with the poll.
    ///
    /// # Errors
    /// The poll cannot register it.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        // Urgent data is not used, but a read that stops at it must not count as one that has drained the socket.
        let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        registry.register(self.socket.source(), token, interest)
    }

    /// Reads once. What `is_discarded` is read as it comes.
    pub(crate) fn read(&mut self, room: &mut [u8], is_discarded: bool, buffers: &mut Buffers) -> Read {
        match self.layer.as_deref_mut() {
            Some(Layer::Tls(session)) if !is_discarded => session.read(&mut self.socket, room, buffers),
            None | Some(Layer::Tls(_)) => match self.socket.read(room) {
                Ok(0) => Read::End,
                Ok(count) => Read::Bytes { count, is_short: count < room.len() },
                Err(error) if error.kind() == ErrorKind::WouldBlock => Read::Nothing,
                Err(_) => Read::Broken,
            },
            Some(Layer::Header(tls)) => {
                let read = proxy::read(&mut self.socket);
                match read {
                    Read::Named(_) => self.layer = tls.take().map(|session| Box::new(Layer::Tls(session))),
                    Read::Unusable(_) => self.layer = None, // what follows a bad header is read to be discarded
                    Read::Bytes { .. } | Read::Records { .. } | Read::Shaken(_) => {}
                    Read::Nothing | Read::End | Read::Broken => {}
                }
                read
            }
        }
    }

    /// Writes once.
    pub(crate) fn write(&mut self, frames: &Frames<'_>, buffers: &mut Buffers) -> Wrote {
        if let Some(Layer::Tls(session)) = self.layer.as_deref_mut() {
            return session.write(&mut self.socket, frames, buffers);
        }
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

    /// Ends our side of the stream.
    pub(crate) fn finish(&mut self, buffers: &mut Buffers) -> Finished {
        if let Some(Layer::Tls(session)) = self.layer.as_deref_mut() {
            let finished = session.finish(&mut self.socket, buffers);
            if finished != Finished::Done {
                return finished;
            }
        }
        if self.socket.shutdown().is_ok() { Finished::Done } else { Finished::Failed }
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
