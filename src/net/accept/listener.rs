//! A listener: one address where connections arrive.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use log::{info, log, warn};
use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use super::explain::explain;
use crate::engine::{Listening as Shown, Origin};
use crate::limits::{self, Limits};
use crate::net::conn::Socket as Connected;
use crate::net::settings::{Endpoint, Service, Site, StartError};
use crate::net::sys::token::Source;
use crate::net::sys::unix::{self, SocketFile};
use crate::net::systemd::Passed;
use crate::net::tls::{Acceptor, Credentials, Expiry, Life, Stage, Tickets};
use crate::secret::Secret;

/// A listening socket and the door behind it.
#[derive(Debug)]
pub(crate) struct Listener {
    /// `None` once it is closed.
    socket: Option<Listening>,
    endpoint: Rc<Endpoint>,
    /// Its name in the log, with the port that it has.
    name: String,
    /// Its number among the endpoints; that of the operator's socket is none of theirs.
    number: usize,
    /// Answers TLS handshakes.
    security: Option<Security>,
    /// The token that its requests must have, if they need one.
    token: Option<Secret<Vec<u8>>>,
    /// There may be connections to accept. Polling is edge-triggered: only accepting them all ends this state.
    pub(crate) is_ready: bool,
}

/// The TLS of a listener.
#[derive(Debug)]
struct Security {
    acceptor: Acceptor,
    /// When its certificate is valid.
    life: Life,
    /// The hosts that its certificate names.
    names: Vec<String>,
}

/// A listening socket.
#[derive(Debug)]
enum Listening {
    Tcp(TcpListener),
    Unix {
        socket: UnixListener,
        /// SO_SNDBUF of its connections, which do not inherit it; 0 for the kernel's own.
        send_buffer_bytes: u32,
        /// Removed when the listener is closed, unless it is the service manager's.
        _file: Option<SocketFile>,
    },
}

impl Listener {
    /// Binds and listens, or takes the socket that was passed, and registers with the poll. `None` for an optional
    /// endpoint whose address family this machine lacks.
    pub(crate) fn open(
        endpoint: &Endpoint,
        (number, place): (usize, usize),
        limits: &Limits,
        registry: &Registry,
        tickets: &Tickets,
        passed: &mut Passed,
    ) -> Result<Option<Self>, StartError> {
        let mut socket = match Listening::open(&endpoint.site, limits, passed) {
            Ok(socket) => socket,
            Err(error) if endpoint.optional && is_family_missing(&error) => {
                warn!("not listening on {endpoint}: {error}");
                return Ok(None);
            }
            Err(error) => return Err(explain("listen", &endpoint.to_string(), &error)),
        };
        let failed = |error: io::Error| StartError::Failed(format!("listen on {endpoint}: {error}"));
        registry.register(socket.source(), Source::Listener(place).token(), Interest::READABLE).map_err(failed)?;
        let name = match &socket {
            Listening::Tcp(socket) => endpoint.name_at(socket.local_addr().map_err(failed)?),
            Listening::Unix { .. } => endpoint.to_string(),
        };
        info!("listening on {name}");
        if endpoint.is_open_and_plain() {
            let in_the_clear = "is not encrypted, and other machines can reach it";
            match endpoint.service {
                Service::Relay(_) => warn!("{name} asks for no login: everybody who can reach it may speak and listen"),
                Service::Line { .. } | Service::Web | Service::Irc(_) | Service::Rooms { .. } | Service::Operator => {
                    warn!("{name} {in_the_clear}: passwords and all else cross the network in the clear; use +tls");
                }
                Service::Metrics => {
                    warn!("{name} {in_the_clear}: its token and all else cross the network in the clear; use +tls")
                }
            }
        }
        if endpoint.entrance.takes_proxy && matches!(endpoint.site, Site::Tcp(_)) && limits.proxies.is_empty() {
            warn!("{name} serves proxies alone, and limits.proxies is empty: nobody gets in; list the proxies there");
        }
        let (token, endpoint) = (endpoint.token.clone(), Rc::new(endpoint.clone()));
        let mut listener = Self { socket: Some(socket), endpoint, name, number, security: None, token, is_ready: true };
        if let Some(credentials) = &listener.endpoint.credentials.clone() {
            listener.secure(credentials, tickets).map_err(StartError::Config)?;
        }
        Ok(Some(listener))
    }

    /// Presents these credentials from the next handshake on.
    ///
    /// # Errors
    /// They cannot be used; then nothing changes.
    pub(super) fn secure(&mut self, credentials: &Credentials, tickets: &Tickets) -> Result<(), String> {
        let acceptor = Acceptor::new(credentials, self.endpoint.service.protocol(), tickets)
            .map_err(|why| format!("{}: {why}", self.name))?;
        self.security = Some(Security { acceptor, life: credentials.life(), names: credentials.names().to_vec() });
        self.log_expiry(Expiry::seen_now(credentials.life()));
        Ok(())
    }

    /// Says when its certificate ends.
    fn log_expiry(&self, expiry: Expiry) {
        let next = if expiry.stage() == Stage::Good { "" } else { "; renew it, and send HUP" };
        log!(expiry.level(), "{}: the certificate {expiry}{next}", self.name);
    }

    /// Says that its certificate has ended, or ends soon, or is not valid yet.
    pub(super) fn warn_of_expiry(&self) {
        let Some(expiry) = self.security.as_ref().map(|security| Expiry::seen_now(security.life)) else { return };
        if expiry.stage() != Stage::Good {
            self.log_expiry(expiry);
        }
    }

    /// Its name in the log.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Its number among the endpoints of the start.
    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// The last second of its certificate's life, as Unix time; `None` without TLS.
    pub(super) fn not_after(&self) -> Option<u64> {
        Some(self.security.as_ref()?.life.not_after)
    }

    /// Answers the handshakes of its connections; `None` without TLS.
    pub(super) fn acceptor(&self) -> Option<Acceptor> {
        Some(self.security.as_ref()?.acceptor.clone())
    }

    /// The token that requests must have from now on.
    pub(super) fn set_token(&mut self, token: Secret<Vec<u8>>) {
        self.token = Some(token);
    }

    /// The listener as operators see it.
    pub(super) fn shown(&self) -> Shown {
        Shown {
            name: self.name.clone(),
            door: self.endpoint.service.name(),
            is_tls: self.endpoint.entrance.is_tls,
            token: self.token.clone(),
            not_after: self.not_after(),
            names: self.security.as_ref().map(|security| security.names.clone()).unwrap_or_default(),
        }
    }

    /// Closes it. Nobody is waiting from then on.
    pub(super) fn close(&mut self) {
        self.socket = None;
    }

    /// Listens at the operator's socket.
    ///
    /// # Errors
    /// The socket cannot be made, or another server answers there.
    pub(super) fn operator(path: &Path, place: usize, limits: &Limits, registry: &Registry) -> io::Result<Self> {
        let endpoint = Endpoint::operator(path);
        let mut socket = Listening::open(&endpoint.site, limits, &mut Passed::default())?;
        registry.register(socket.source(), Source::Listener(place).token(), Interest::READABLE)?;
        let (name, endpoint) = (endpoint.to_string(), Rc::new(endpoint));
        let socket = Some(socket);
        Ok(Self { socket, endpoint, name, number: usize::MAX, security: None, token: None, is_ready: true })
    }

    /// Its settings.
    pub(super) fn endpoint(&self) -> Rc<Endpoint> {
        Rc::clone(&self.endpoint)
    }

    /// Accepts one connection.
    ///
    /// # Errors
    /// None is waiting, or accepting failed.
    pub(super) fn take(&self) -> io::Result<(Connected, Origin)> {
        match self.socket.as_ref().ok_or(ErrorKind::WouldBlock)? {
            Listening::Tcp(socket) => {
                let (stream, peer) = socket.accept()?;
                Ok((Connected::Tcp(stream), Origin::Address(peer.ip())))
            }
            Listening::Unix { socket, send_buffer_bytes, .. } => {
                let (stream, _) = socket.accept()?;
                set_send_buffer(&SockRef::from(&stream), *send_buffer_bytes)?;
                Ok((Connected::Unix(stream), Origin::Unix))
            }
        }
    }

    /// Applies new limits to connections accepted from now on.
    pub(crate) fn set_limits(&mut self, limits: &Limits) {
        match &mut self.socket {
            None => {}
            Some(Listening::Tcp(socket)) => {
                if let Err(error) = set_send_buffer(&SockRef::from(&*socket), limits.send_buffer_bytes) {
                    warn!("limits.send_buffer_bytes stays as it was: {error}");
                }
            }
            Some(Listening::Unix { send_buffer_bytes, .. }) => *send_buffer_bytes = limits.send_buffer_bytes,
        }
    }
}

impl Listening {
    fn open(site: &Site, limits: &Limits, passed: &mut Passed) -> io::Result<Self> {
        match site {
            Site::Tcp(addr) => match passed.take_listener(*addr) {
                Some(socket) => Ok(Self::Tcp(TcpListener::from_std(prepared(socket, limits)?.into()))),
                None => bind(*addr, limits).map(Self::Tcp),
            },
            Site::Unix { path, mode } => {
                let (socket, file) = match passed.take_unix_listener(path) {
                    Some(socket) => {
                        socket.set_nonblocking(true)?;
                        (UnixListener::from_std(socket.into()), None)
                    }
                    None => unix::listen(path, *mode).map(|(socket, file)| (socket, Some(file)))?,
                };
                Ok(Self::Unix { socket, send_buffer_bytes: limits.send_buffer_bytes, _file: file })
            }
        }
    }

    /// As the poll knows it.
    fn source(&mut self) -> &mut dyn mio::event::Source {
        match self {
            Self::Tcp(socket) => socket,
            Self::Unix { socket, .. } => socket,
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
    socket.bind(&addr.into())?;
    let socket = prepared(socket, limits)?;
    socket.listen(limits::BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

/// Sets the options that accepted connections inherit.
fn prepared(socket: Socket, limits: &Limits) -> io::Result<Socket> {
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(limits::KEEPALIVE_IDLE_S))
        .with_interval(Duration::from_secs(limits::KEEPALIVE_EVERY_S))
        .with_retries(limits::KEEPALIVE_PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    set_send_buffer(&SockRef::from(&socket), limits.send_buffer_bytes)?;
    Ok(socket)
}

fn set_send_buffer(socket: &SockRef<'_>, bytes: u32) -> io::Result<()> {
    match bytes {
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
