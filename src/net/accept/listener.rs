//! A listener: one address where connections arrive.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use log::{info, warn};
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use super::explain::explain;
use crate::limits::{self, Limits};
use crate::net::settings::{Endpoint, Service, StartError};
use crate::net::sys::token::Source;

/// A listening socket and the door behind it.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    pub(super) service: Service,
    /// There may be connections to accept. Polling is edge-triggered: only accepting them all ends this state.
    pub(crate) is_ready: bool,
}

impl Listener {
    /// Binds, listens, and registers with the poll. `None` for an optional endpoint whose address family this machine
    /// lacks.
    pub(crate) fn open(
        endpoint: &Endpoint,
        place: usize,
        limits: &Limits,
        registry: &Registry,
    ) -> Result<Option<Self>, StartError> {
        let (addr, door) = (endpoint.addr, endpoint.service.name());
        let mut socket = match bind(addr, limits) {
            Ok(socket) => socket,
            Err(error) if endpoint.optional && is_family_missing(&error) => {
                warn!("not listening on {door}://{addr}: {error}");
                return Ok(None);
            }
            Err(error) => return Err(explain("listen", &format!("{door}://{addr}"), &error)),
        };
        let failed = |error: io::Error| StartError::Failed(format!("listen on {door}://{addr}: {error}"));
        registry.register(&mut socket, Source::Listener(place).token(), Interest::READABLE).map_err(failed)?;
        let addr = socket.local_addr().map_err(failed)?;
        info!("listening on {door}://{addr}");
        Ok(Some(Self { socket, service: endpoint.service, is_ready: true }))
    }

    /// Accepts one connection.
    ///
    /// # Errors
    /// None is waiting, or accepting failed.
    pub(super) fn take(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.socket.accept()
    }

    /// Applies new limits to connections accepted from now on.
    pub(crate) fn set_limits(&self, limits: &Limits) {
        if let Err(error) = set_send_buffer(&SockRef::from(&self.socket), limits) {
            warn!("limits.send_buffer_bytes stays as it was: {error}");
        }
    }
}

/// A listening socket. Accepted connections inherit its options, which saves five system calls for each.
fn bind(addr: SocketAddr, limits: &Limits) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?; // so that 0.0.0.0 and [::] can both be listed
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(limits::KEEPALIVE_IDLE_S))
        .with_interval(Duration::from_secs(limits::KEEPALIVE_EVERY_S))
        .with_retries(limits::KEEPALIVE_PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    set_send_buffer(&SockRef::from(&socket), limits)?;
    socket.bind(&addr.into())?;
    socket.listen(limits::BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

fn set_send_buffer(socket: &SockRef<'_>, limits: &Limits) -> io::Result<()> {
    match limits.send_buffer_bytes {
        0 => Ok(()), // the kernel's default
        bytes => socket.set_send_buffer_size(bytes as usize),
    }
}

fn is_family_missing(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EAFNOSUPPORT) || error.kind() == ErrorKind::AddrNotAvailable
}

/// True if a lack of descriptors or memory caused this error (accept(2)).
pub(super) fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use super::*;

    #[test]
    fn who_vanishes_is_looked_for_and_given_up_in_two_minutes() {
        let listener = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), &Limits::default()).unwrap();
        let listener = TcpListener::from(listener);
        listener.set_nonblocking(false).unwrap();
        let _peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        let idle = socket.tcp_keepalive_time().unwrap();
        let probing = socket.tcp_keepalive_interval().unwrap() * socket.tcp_keepalive_retries().unwrap();
        assert_eq!((idle.as_secs(), probing.as_secs()), (60, 60));
        // This would close a connection whose client is alive and does not read; see the engine's `liveness.rs`.
        assert_eq!(socket.tcp_user_timeout().unwrap(), None);
    }
}
