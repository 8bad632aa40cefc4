//! Connecting to one of a server's addresses.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, Socket, Type};

use super::action::Doubt;
use super::destination::Server;

/// The time for all addresses of a server. A lost first packet is sent again after one second and after three, and the
/// user gets an answer within five.
const CONNECT: Duration = Duration::from_millis(4500);
/// How many addresses of a name are tried.
const ADDRESSES: usize = 8;
/// The head start of an address before the next one is tried in parallel (RFC 8305, 5) …
const HEAD_START: Duration = Duration::from_secs(1);
/// … or less, so that the last one has this much time.
const LAST: Duration = Duration::from_millis(1500);

/// Why there is no connection to a server.
#[derive(Debug)]
pub(super) enum Failure {
    /// It cannot be reached, or does not speak as expected, and why.
    Gone(String),
    /// It is not proven.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "without TLS nothing is proven"))]
    Unproven(Doubt),
}

/// Connects to the address of a server that answers first. They are tried in order: the next one starts when the
/// previous one has failed or used up its head start. `None` if a byte or an end in `cancelled` cancelled it.
///
/// # Errors
///
/// Why there is no connection, as text.
pub(super) fn connect(server: &Server, cancelled: &UnixStream) -> Result<Option<TcpStream>, String> {
    let found = (server.host.as_str(), server.port).to_socket_addrs().map_err(|error| describe(&error))?;
    let addresses = in_turn(found.take(ADDRESSES).collect());
    race(addresses, cancelled, Instant::now() + CONNECT)
}

/// Alternates the addresses of both families, starting with the one that the system prefers (RFC 8305, 4). If one
/// family does not work, the other follows soon.
fn in_turn(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let is_first = found.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = found.into_iter().partition(|address| address.is_ipv6() == is_first);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(first.next());
        all.extend(second.next());
        if all.len() == before {
            return all;
        }
    }
}

fn race(addresses: Vec<SocketAddr>, cancelled: &UnixStream, deadline: Instant) -> Result<Option<TcpStream>, String> {
    let others = u32::try_from(addresses.len().saturating_sub(1)).unwrap_or(u32::MAX).max(1);
    let head_start = HEAD_START.min((CONNECT - LAST) / others);
    let mut waiting = addresses.into_iter().peekable();
    let mut attempts: Vec<Socket> = Vec::new();
    let mut why = "no address of that name".to_owned();
    let mut next = Instant::now();
    loop {
        let now = Instant::now();
        if waiting.peek().is_some() && (attempts.is_empty() || now >= next) {
            if let Some(address) = waiting.next() {
                match begin(address) {
                    Ok(attempt) => attempts.push(attempt),
                    Err(error) => why = describe(&error),
                }
                next = now + head_start;
            }
            continue;
        }
        if attempts.is_empty() {
            return Err(why);
        }
        if now >= deadline {
            return Err(describe(&ErrorKind::TimedOut.into()));
        }
        let until = if waiting.peek().is_some() { next.min(deadline) } else { deadline };
        let Some(ready) = wait(&attempts, cancelled, until.saturating_duration_since(now)) else { return Ok(None) };
        // From the end, so that the indices before it stay valid.
        for at in ready.into_iter().rev() {
            match finish(attempts.remove(at)) {
                Ok(stream) => return Ok(Some(stream)),
                Err(error) => why = describe(&error),
            }
        }
    }
}

fn begin(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(error) => return Err(error),
    }
    Ok(socket)
}

/// The result of a finished attempt.
fn finish(socket: Socket) -> io::Result<TcpStream> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    socket.set_tcp_nodelay(true)?;
    Ok(socket.into())
}

/// Waits up to this long, and returns the indices of the finished attempts. `None` if cancelled.
fn wait(attempts: &[Socket], cancelled: &UnixStream, within: Duration) -> Option<Vec<usize>> {
    let mut fds: Vec<PollFd<'_>> =
        attempts.iter().map(|socket| PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::OUT)).collect();
    fds.push(PollFd::new(cancelled, PollFlags::IN));
    // Seconds always fit.
    let within = Timespec::try_from(within).ok();
    match poll(&mut fds, within.as_ref()) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return Some(Vec::new()),
        Err(_) => return None,
    }
    let is_ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
    let (cancelled, sockets) = fds.split_last()?;
    if is_ready(cancelled) {
        return None;
    }
    Some(sockets.iter().enumerate().filter(|(_, fd)| is_ready(fd)).map(|(at, _)| at).collect())
}

/// The standard library's prefix of a lookup error.
const LOOKUP: &str = "failed to lookup address information: ";

/// A connection error, as text.
pub(super) fn describe(error: &io::Error) -> String {
    let words = [
        (ErrorKind::TimedOut, "no answer"),
        (ErrorKind::ConnectionRefused, "nobody listens there"),
        (ErrorKind::ConnectionReset, "the connection was reset"),
        (ErrorKind::BrokenPipe, "the server closed the connection"),
    ];
    let known = words.iter().find(|(kind, _)| *kind == error.kind());
    // After the standard library's prefix comes the system's text: `Name or service not known`.
    let system = |text: String| text.rsplit(LOOKUP).next().unwrap_or_default().to_owned();
    known.map_or_else(|| system(error.to_string()), |(_, words)| (*words).to_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A listener with a full queue, so that nobody who connects gets an answer, and the connections that fill it.
    fn full() -> (Socket, Vec<Socket>) {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let filling = (0..8).map(|_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            // It is in progress, or waits without end.
            let _ = socket.connect(&address);
            socket
        });
        let filling = filling.collect();
        (listener, filling)
    }

    fn address(socket: &Socket) -> SocketAddr {
        socket.local_addr().unwrap().as_socket().unwrap()
    }

    fn soon() -> Instant {
        Instant::now() + CONNECT
    }

    #[test]
    fn a_silent_address_does_not_delay_the_next() {
        let (cancelled, _cancel) = UnixStream::pair().unwrap();
        let (silent, _filling) = full();
        let good = TcpListener::bind("127.0.0.1:0").unwrap();
        let addresses = vec![address(&silent), good.local_addr().unwrap()];
        let stream = race(addresses, &cancelled, soon()).unwrap().unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good.local_addr().unwrap());
    }

    #[test]
    fn the_last_refusal_is_reported() {
        let (cancelled, _cancel) = UnixStream::pair().unwrap();
        let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let good = TcpListener::bind("127.0.0.1:0").unwrap();
        let addresses = vec![refusing, good.local_addr().unwrap()];
        assert!(race(addresses, &cancelled, soon()).unwrap().is_some());
        assert_eq!(race(vec![refusing], &cancelled, soon()).unwrap_err(), "nobody listens there");
        assert_eq!(race(Vec::new(), &cancelled, soon()).unwrap_err(), "no address of that name");
    }

    #[test]
    fn no_answer_times_out_and_can_be_cancelled() {
        let (cancelled, cancel) = UnixStream::pair().unwrap();
        let (silent, _filling) = full();
        let deadline = Instant::now() + Duration::from_millis(100);
        assert_eq!(race(vec![address(&silent)], &cancelled, deadline).unwrap_err(), "no answer");
        drop(cancel);
        assert!(race(vec![address(&silent)], &cancelled, soon()).unwrap().is_none());
        assert!(CONNECT < Duration::from_secs(5));
    }

    #[test]
    fn an_unknown_host_gets_the_system_s_message() {
        let (cancelled, _cancel) = UnixStream::pair().unwrap();
        // Too long for a name, so no name server is asked.
        let server = Server { host: "x".repeat(300), port: 1, is_tls: false };
        let why = connect(&server, &cancelled).unwrap_err();
        assert!(!why.contains("lookup") && !why.is_empty(), "{why}");
    }

    #[test]
    fn families_take_turns() {
        let parse = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let found = parse(&["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1"]);
        assert_eq!(in_turn(found), parse(&["[::1]:1", "10.0.0.1:1", "[::2]:1", "[::3]:1"]));
        let found = parse(&["10.0.0.1:1", "[::1]:1", "10.0.0.2:1"]);
        assert_eq!(in_turn(found), parse(&["10.0.0.1:1", "[::1]:1", "10.0.0.2:1"]));
    }
}
