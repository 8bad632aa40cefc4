//! The connection: a thread that connects and reads, and a handle to write with.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, Socket, Type};

use super::args::Server;
use super::inbox::{Doorbell, Event};

/// How long one address may take to answer, and how many addresses of a name are tried.
const CONNECT: Duration = Duration::from_secs(10);
const ADDRESSES: usize = 8;
/// How long the server may take nothing of what is written to it.
const WRITE: Duration = Duration::from_secs(10);
/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;
/// How long the end waits for a thread that is looking up a name, which nothing can interrupt.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// What happens on a connection.
pub(super) enum Link {
    /// It stands; this is to be written to.
    Connected(TcpStream),
    /// The server has sent this; never empty.
    Bytes(Vec<u8>),
    /// It could not be made, or is over, and why. Nothing follows.
    Gone(String),
}

/// All connections of this run, of which at most one is in use.
pub(super) struct Links {
    doorbell: Doorbell,
    /// The number of the newest; what others still say is not heard.
    number: u64,
    stream: Option<TcpStream>,
    /// Why it could not be written to. The reading end then says that it is over, after all that had come before.
    write_failed: Option<String>,
    /// Dropping it ends the thread of the connection in use.
    cancel: Option<UnixStream>,
    threads: Vec<JoinHandle<()>>,
}

impl Links {
    /// No connection yet. What happens on those to come goes to `doorbell`.
    pub(super) fn new(doorbell: Doorbell) -> Self {
        Self { doorbell, number: 0, stream: None, write_failed: None, cancel: None, threads: Vec::new() }
    }

    /// Connects to a server, and first gives the old connection up. What happens comes as events.
    ///
    /// # Errors
    ///
    /// There can be no more threads or descriptors.
    pub(super) fn connect(&mut self, server: &Server) -> io::Result<()> {
        self.close();
        self.threads.retain(|thread| !thread.is_finished());
        let (cancel, cancelled) = UnixStream::pair()?;
        let (doorbell, number, server) = (self.doorbell.clone(), self.number, server.clone());
        let body = move || {
            let why = serve(&server, &cancelled, |link| doorbell.ring(Event::Link(number, link)));
            if let Some(why) = why {
                doorbell.ring(Event::Link(number, Link::Gone(why)));
            }
        };
        self.threads.push(thread::Builder::new().name("socket".to_owned()).spawn(body)?);
        self.cancel = Some(cancel);
        Ok(())
    }

    /// Takes an event of connection `number`; `None` if that one has been given up. A connection that stands is kept
    /// here.
    pub(super) fn take(&mut self, number: u64, link: Link) -> Option<Link> {
        if number != self.number || self.cancel.is_none() {
            return None;
        }
        match link {
            Link::Connected(stream) => {
                self.stream = stream.try_clone().ok();
                Some(Link::Connected(stream))
            }
            Link::Bytes(bytes) => Some(Link::Bytes(bytes)),
            Link::Gone(why) => {
                let why = self.write_failed.take().unwrap_or(why);
                self.close();
                Some(Link::Gone(why))
            }
        }
    }

    /// Sends all of it. If that fails, what the server had said before is still read, and then the connection is
    /// [`Link::Gone`].
    pub(super) fn send(&mut self, bytes: &[u8]) {
        let Some(stream) = &mut self.stream else { return };
        if self.write_failed.is_some() {
            return;
        }
        if let Err(error) = stream.write_all(bytes) {
            self.write_failed = Some(describe_write(&error));
            // Ends the reading too. It may be down already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Closes the connection, if there is one; nothing more is heard of it.
    pub(super) fn close(&mut self) {
        self.number += 1;
        self.cancel = None;
        self.write_failed = None;
        if let Some(stream) = self.stream.take() {
            // It may be down already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Closes everything and waits for the threads; only for one that is looking up a name no longer than a moment.
    /// The inbox must be closed, or be emptied meanwhile.
    pub(super) fn finish(mut self) {
        self.close();
        let deadline = Instant::now() + LAST_WAIT;
        for thread in self.threads {
            while !thread.is_finished() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(5));
            }
            if thread.is_finished() {
                // It gives nothing, and a panic has been told.
                let _ = thread.join();
            }
        }
    }
}

/// A connection's life. Gives why it is over, or nothing if nobody wants to know.
fn serve(server: &Server, cancelled: &UnixStream, tell: impl Fn(Link) -> bool) -> Option<String> {
    let stream = match connect(server, cancelled) {
        Ok(stream) => stream?,
        Err(why) => return Some(why),
    };
    let mut reader = match stream.try_clone() {
        Ok(reader) => reader,
        Err(error) => return Some(format!("no descriptor: {error}")),
    };
    if !tell(Link::Connected(stream)) {
        return None;
    }
    let mut chunk = vec![0; CHUNK];
    loop {
        if !wait(reader.as_fd(), PollFlags::IN, cancelled, None) {
            return None;
        }
        match reader.read(&mut chunk) {
            Ok(0) => return Some("the server closed the connection".to_owned()),
            Ok(n) => {
                let bytes = chunk.get(..n).unwrap_or_default().to_vec();
                if !tell(Link::Bytes(bytes)) {
                    return None;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Some(describe(&error)),
        }
    }
}

/// Tries the addresses of a server, one after the other. `None`: cancelled.
fn connect(server: &Server, cancelled: &UnixStream) -> Result<Option<TcpStream>, String> {
    let addresses = (server.host.as_str(), server.port).to_socket_addrs();
    let mut why = "no address of that name".to_owned();
    let addresses = addresses.map_err(|error| error.to_string())?;
    for address in addresses.take(ADDRESSES) {
        match connect_to(address, cancelled) {
            Ok(Some(stream)) => return Ok(Some(stream)),
            Ok(None) => return Ok(None),
            Err(error) => why = describe(&error),
        }
    }
    Err(why)
}

fn connect_to(address: SocketAddr, cancelled: &UnixStream) -> io::Result<Option<TcpStream>> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {
            let deadline = Instant::now() + CONNECT;
            if !wait(socket.as_fd(), PollFlags::OUT, cancelled, Some(deadline)) {
                return if Instant::now() < deadline { Ok(None) } else { Err(ErrorKind::TimedOut.into()) };
            }
            if let Some(error) = socket.take_error()? {
                return Err(error);
            }
        }
        Err(error) => return Err(error),
    }
    socket.set_nonblocking(false)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_write_timeout(Some(WRITE))?;
    Ok(Some(socket.into()))
}

/// Waits until the socket can be used. `false`: it was cancelled, or the deadline has passed.
fn wait(socket: BorrowedFd<'_>, what: PollFlags, cancelled: &UnixStream, deadline: Option<Instant>) -> bool {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // Ten seconds always fit.
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        let mut fds = [PollFd::from_borrowed_fd(socket, what), PollFd::new(cancelled, PollFlags::IN)];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return false,
        }
        let [socket, cancelled] = fds;
        if !cancelled.revents().is_empty() {
            return false;
        }
        if !socket.revents().is_empty() {
            return true;
        }
    }
}

/// Why a connection failed, in words.
fn describe(error: &io::Error) -> String {
    let words = [
        (ErrorKind::TimedOut, "no answer"),
        (ErrorKind::ConnectionRefused, "nobody listens there"),
        (ErrorKind::ConnectionReset, "the connection was reset"),
        (ErrorKind::BrokenPipe, "the server closed the connection"),
    ];
    let known = words.iter().find(|(kind, _)| *kind == error.kind());
    known.map_or_else(|| error.to_string(), |(_, words)| (*words).to_owned())
}

/// Why nothing could be written, in words.
fn describe_write(error: &io::Error) -> String {
    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) {
        return format!("the server took nothing for {} s", WRITE.as_secs());
    }
    describe(error)
}
