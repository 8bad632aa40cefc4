//! Listeners: where connections come from.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use log::{info, warn};
use mio::net::TcpListener;
use mio::{Interest, Registry};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use super::admit::Refusal;
use super::clock::NEVER;
use super::log_limit::Subject;
use super::reactor::Reactor;
use super::token::Source;
use super::{Endpoint, Service, StartError};
use crate::limits::{self, ACCEPT_WORK, Limits, TURN_WORK_ACCEPTS};

/// A place where connections come in.
#[derive(Debug)]
pub(super) struct Listener {
    socket: TcpListener,
    service: Service,
    /// There may be connections to take. Polling is edge-triggered: only taking them all ends this.
    pub(super) is_ready: bool,
}

impl Listener {
    /// Binds, listens, and registers with the poll. `None` for an optional endpoint whose address family this
    /// machine does not have.
    pub(super) fn open(
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

    /// New limits, for the connections that come.
    pub(super) fn set_limits(&self, limits: &Limits) {
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
        0 => Ok(()), // the kernel's own choice
        bytes => socket.set_send_buffer_size(bytes as usize),
    }
}

fn is_family_missing(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EAFNOSUPPORT) || error.kind() == ErrorKind::AddrNotAvailable
}

/// Whether there is too little of something to take another connection (accept(2)).
fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

/// Why there is no listening at a place that a key of the configuration names.
pub(super) fn explain(key: &str, place: &str, error: &io::Error) -> StartError {
    let what = format!("listen on {place}: {error}");
    match (error.kind(), error.raw_os_error()) {
        (ErrorKind::AddrInUse, _) => {
            let port = place.rsplit(':').next().unwrap_or_default();
            StartError::InUse(format!(
                "{what}; stop the other server ('ss -anp | grep :{port}' shows which), or choose another port with \
                 `{key}`"
            ))
        }
        (ErrorKind::PermissionDenied, _) => StartError::Failed(format!(
            "{what}; ports below 1024 need a right that chatd need not have: choose another"
        )),
        (_, Some(libc::EAFNOSUPPORT)) => {
            StartError::Failed(format!("{what}: this machine has no such addresses; take it out of `{key}`"))
        }
        (_, Some(libc::ENODEV)) => {
            StartError::Failed(format!("{what}: no network interface has that number; 'ip link' lists them"))
        }
        (ErrorKind::AddrNotAvailable, _) => StartError::Failed(format!(
            "{what}; `{key}` must name an address of this machine, and 'ip address' lists them"
        )),
        _ => StartError::Failed(format!("{what}; choose another place with `{key}`")),
    }
}

/// What a start would meet at the places that it listens at.
#[derive(Debug, Default)]
pub struct Trial {
    /// Places that are in use now: by a server that runs, most likely by this one.
    pub in_use: Vec<String>,
    /// What keeps this machine from listening at others, a whole message each.
    pub faults: Vec<String>,
}

/// Tries every place without listening there, so that a server that runs notices nothing.
pub fn try_places(listen: &[Endpoint], datagrams: Option<SocketAddr>) -> Trial {
    let mut trial = Trial::default();
    for endpoint in listen {
        let place = format!("{}://{}", endpoint.service.name(), endpoint.addr);
        trial.add("listen", place, endpoint.addr, Type::STREAM);
        if let Some(addr) = endpoint.datagrams() {
            trial.add("listen", format!("udp://{addr}"), addr, Type::DGRAM);
        }
    }
    if let Some(addr) = datagrams {
        trial.add("datagrams", format!("udp://{addr}"), addr, Type::DGRAM);
    }
    trial
}

impl Trial {
    fn add(&mut self, key: &str, place: String, addr: SocketAddr, kind: Type) {
        let Err(error) = can_bind(addr, kind) else { return };
        match explain(key, &place, &error) {
            // Several doors may share one socket for datagrams.
            StartError::InUse(_) if self.in_use.contains(&place) => {}
            StartError::InUse(_) => self.in_use.push(place),
            StartError::Config(what) | StartError::Failed(what) => self.faults.push(what),
        }
    }
}

/// Whether this process could have a socket of this type there. A TCP socket that does not listen is in nobody's way, nor
/// is a UDP socket that is closed at once.
fn can_bind(addr: SocketAddr, kind: Type) -> io::Result<()> {
    let socket = Socket::new(Domain::for_address(addr), kind, None)?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?; // a server's own; over UDP it would let two programs share a port
    }
    socket.bind(&addr.into())
}

impl Reactor {
    /// Takes the connections that wait at the listeners, some of each a turn, and no more than their share of what a
    /// turn may cost. The listeners take turns at being first.
    pub(super) fn accept(&mut self) {
        let most = self.turn_work + TURN_WORK_ACCEPTS;
        let (count, first) = (self.listeners.len(), self.first_listener);
        for place in (first..count).chain(0..first) {
            for _ in 0..limits::ACCEPTS_A_TURN {
                if self.turn_work >= most {
                    break; // it stays ready, so the next turn goes on
                }
                match self.accept_one(place) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        self.on_accept_error(place, &error);
                        break;
                    }
                }
            }
        }
        self.first_listener = (first + 1) % count.max(1);
    }

    /// Takes one connection. False when none waits.
    fn accept_one(&mut self, place: usize) -> io::Result<bool> {
        let Some(listener) = self.listeners.get_mut(place).filter(|listener| listener.is_ready) else {
            return Ok(false);
        };
        match listener.socket.accept() {
            Ok((stream, peer)) => {
                self.turn_work += ACCEPT_WORK;
                let service = listener.service;
                self.on_accept_success();
                self.admit(stream, peer.ip(), service);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                listener.is_ready = false;
                self.on_accept_success(); // the kernel finds a descriptor before it looks who waits
                return Ok(false);
            }
            // The peer went away while it waited: no concern of the listener's.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// There are descriptors (again).
    fn on_accept_success(&mut self) {
        if std::mem::take(&mut self.is_accept_failing) {
            self.log_peer(Subject::AcceptsAgain, None, |_| "connections are accepted again".to_owned());
            self.spare.refill();
        }
    }

    /// Accepting fails. An edge-triggered listener may get no more events then: a timer looks again. When descriptors
    /// or memory have run out, whoever waits is refused; any other error may be that of one peer, and no reason to
    /// send away the others.
    fn on_accept_error(&mut self, place: usize, error: &io::Error) {
        if !std::mem::replace(&mut self.is_accept_failing, true) {
            let every = limits::ACCEPT_RETRY_MS;
            let line = |_: &Self| format!("cannot accept connections: {error}; tried again every {every} ms");
            self.log_peer(Subject::CannotAccept, None, line);
        }
        if is_shortage(error) {
            self.refuse_all(place);
        }
        if let Some(listener) = self.listeners.get_mut(place) {
            listener.is_ready = false;
        }
        self.accept_retry = self.clock.now + limits::ACCEPT_RETRY_MS;
    }

    /// Refuses whoever waits at a listener, by means of the spare descriptor.
    fn refuse_all(&mut self, place: usize) {
        for _ in 0..limits::ACCEPTS_A_TURN {
            self.spare.lend();
            let listener = self.listeners.get(place);
            let taken = listener.and_then(|listener| Some((listener.socket.accept().ok()?, listener.service)));
            let was_taken = taken.is_some();
            if let Some(((stream, peer), service)) = taken {
                self.refuse(stream, peer.ip(), service, Refusal::FULL);
            }
            self.spare.refill();
            if !was_taken {
                break;
            }
        }
    }

    /// Looks at all listeners again, some time after one failed.
    pub(super) fn retry_accept(&mut self) {
        self.accept_retry = NEVER;
        for listener in &mut self.listeners {
            listener.is_ready = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};

    use super::*;

    #[test]
    fn places_are_tried_without_listening() {
        let endpoint = |addr: SocketAddr| Endpoint { addr, optional: false, service: Service::Line };
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let elsewhere = SocketAddr::from(([192, 0, 2, 1], 7));
        let listen = [endpoint(taken.local_addr().unwrap()), endpoint(free), endpoint(elsewhere)];
        let trial = try_places(&listen, Some(elsewhere));
        assert_eq!(trial.in_use, [format!("line://{}", taken.local_addr().unwrap())]);
        let [first, second] = trial.faults.as_slice() else { panic!("{trial:?}") };
        assert!(first.contains("line://192.0.2.1:7") && first.contains("`listen`"), "{first}");
        assert!(second.contains("udp://192.0.2.1:7") && second.contains("`datagrams`"), "{second}");
        assert!(TcpStream::connect(free).is_err(), "nobody listens there");
    }

    #[test]
    fn places_for_datagrams_are_tried_with_datagrams() {
        let rooms = |udp: u16| {
            let service = Service::Rooms { udp, status_ok: false, down_named: false };
            Endpoint { addr: SocketAddr::from(([127, 0, 0, 1], 0)), optional: false, service }
        };
        let by_udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = by_udp.local_addr().unwrap();
        for (listen, datagrams) in [(vec![rooms(taken.port())], None), (vec![], Some(taken))] {
            let trial = try_places(&listen, datagrams);
            assert_eq!(trial.in_use, [format!("udp://{taken}")]);
            assert!(trial.faults.is_empty(), "{trial:?}");
        }
        let both = try_places(&[rooms(taken.port()), rooms(taken.port())], Some(taken));
        assert_eq!(both.in_use, [format!("udp://{taken}")], "once");
        // Its twin of the other protocol is another port.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let by_tcp = listener.local_addr().unwrap();
        let trial = try_places(&[rooms(by_tcp.port())], Some(by_tcp));
        assert!(trial.in_use.is_empty() && trial.faults.is_empty(), "{trial:?}");
        assert!(UdpSocket::bind(by_tcp).is_ok(), "the trial holds no socket");
    }

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
        // This would cut who is there and reads nothing; see `vanish.rs`.
        assert_eq!(socket.tcp_user_timeout().unwrap(), None);
    }
}
