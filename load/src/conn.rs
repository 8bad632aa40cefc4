//! One connection: its socket, an incomplete line, and output that waits to be sent.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr};

use mio::net::TcpStream;
use socket2::{Domain, Socket, Type};

use super::inbox::Inbox;

/// The most output that may wait. A connection with this much sends no further line until some is gone.
const OUTBOX_BYTES: usize = 64 * 1024;
/// How often a connection is read in a turn. The rest waits for the next turn.
const READS_A_TURN: usize = 4;

/// Output that waits to be sent.
#[derive(Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outbox {
    /// Whether there is room for another line.
    pub(super) fn has_room(&self) -> bool {
        self.waiting().len() < OUTBOX_BYTES
    }

    /// Appends a line and its LF.
    pub(super) fn put(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.bytes.push(b'\n');
    }

    /// The output that has not been sent.
    pub(super) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }
}

/// The result of a read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// All input has been read.
    Drained,
    /// There may be more.
    More,
    /// The connection is over, and why.
    Ended(String),
}

/// A connection to the server.
pub(super) struct Conn {
    stream: TcpStream,
    inbox: Inbox,
    outbox: Outbox,
    /// The reason in the server's `421`, if that came last.
    last_reply: Option<String>,
}

impl Conn {
    /// Starts to connect, from an address of this machine if one is given.
    ///
    /// # Errors
    /// System errors: no descriptors or local ports are left.
    pub(super) fn connect(addr: SocketAddr, from: Option<IpAddr>) -> io::Result<Self> {
        let stream = match from {
            None => TcpStream::connect(addr)?,
            Some(from) => connect_from(addr, from)?,
        };
        // Without it, a line may wait for the acknowledgement of the one before. An error only makes it slower.
        let _ = stream.set_nodelay(true);
        Ok(Self { stream, inbox: Inbox::default(), outbox: Outbox::default(), last_reply: None })
    }

    /// The socket, to register it with a poll.
    pub(super) fn stream_mut(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// The output that waits.
    pub(super) fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// Sends output, as far as the kernel takes it. An error is left for the next read, which first gives the last
    /// lines of the server.
    ///
    /// # Errors
    /// The connection is broken.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while !self.outbox.bytes.is_empty() {
            match self.stream.write(self.outbox.waiting()) {
                Ok(sent) => self.outbox.sent += sent,
                // Not connected yet counts as full: an event reports the connection.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.outbox.sent == self.outbox.bytes.len() {
                self.outbox.bytes.clear();
                self.outbox.sent = 0;
            }
        }
        // Sent bytes are removed when there are enough of them.
        if self.outbox.sent > OUTBOX_BYTES / 2 {
            self.outbox.bytes.drain(..self.outbox.sent);
            self.outbox.sent = 0;
        }
        Ok(())
    }

    /// Reads available input, a bounded amount, and passes each line without its LF to `take`, with the time of the
    /// read (by `clock`) and the outbox for an answer. A read that fills less than the buffer has emptied the socket,
    /// unless the peer `is_closing`: then the end is still to be read.
    pub(super) fn read(
        &mut self,
        scratch: &mut [u8],
        is_closing: bool,
        clock: impl Fn() -> u64,
        mut take: impl FnMut(&[u8], u64, &mut Outbox),
    ) -> Progress {
        for _ in 0..READS_A_TURN {
            match self.stream.read(scratch) {
                Ok(0) => return Progress::Ended(self.last_reply("closed by the server")),
                Ok(n) => {
                    let Some(bytes) = scratch.get(..n) else { return Progress::More };
                    let now = clock();
                    let Self { inbox, outbox, last_reply, .. } = self;
                    let lines = inbox.split(bytes, |line| {
                        note(line, last_reply);
                        take(line, now, outbox);
                    });
                    if lines.is_err() {
                        return Progress::Ended("the server's line never ended".to_owned());
                    }
                    if n < scratch.len() && !is_closing {
                        return Progress::Drained;
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    return Progress::Drained;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Progress::Ended(self.last_reply(&reason(&error))),
            }
        }
        Progress::More
    }

    fn last_reply(&mut self, otherwise: &str) -> String {
        self.last_reply.take().unwrap_or_else(|| otherwise.to_owned())
    }
}

fn connect_from(addr: SocketAddr, from: IpAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(from, 0).into())?;
    match socket.connect(&addr.into()) {
        // It goes on; the poll reports the result.
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
        Ok(()) | Err(_) => Ok(TcpStream::from_std(socket.into())),
    }
}

/// Keeps the reason for the end.
fn note(line: &[u8], last_reply: &mut Option<String>) {
    if let Some(reason) = line.strip_prefix(b"C 421 ") {
        let text = String::from_utf8_lossy(reason);
        *last_reply = Some(text.chars().filter(|c| !c.is_control()).take(100).collect());
    }
}

/// A system error in a word.
fn reason(error: &io::Error) -> String {
    let known = [
        (ErrorKind::ConnectionRefused, "connection refused"),
        (ErrorKind::ConnectionReset, "connection reset"),
        (ErrorKind::TimedOut, "no answer"),
    ];
    let word = known.iter().find(|(kind, _)| *kind == error.kind());
    word.map_or_else(|| error.to_string(), |(_, word)| (*word).to_owned())
}
