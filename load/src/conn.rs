//! One connection: its socket, perhaps its encryption and its WebSocket, an incomplete line, and output that waits to
//! be sent.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr};

use mio::net::TcpStream;
use socket2::{Domain, Socket, Type};

use super::inbox::{ENDLESS, Inbox, NeverEnds};
use super::irc;
use super::speech::Speech;
use super::tls::{Handshake, Tls};
use super::web::{Heard, Masks, Web, wrap, wrap_pong};

/// The most output that may wait. A connection with this much sends no further line until some is gone.
const OUTBOX_BYTES: usize = 64 * 1024;
/// Why a connection is over that the server has ended.
const CLOSED: &str = "closed by the server";
/// How often a connection is read in a turn. The rest waits for the next turn.
const READS_A_TURN: usize = 4;

/// Output that waits to be sent.
#[derive(Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    sent: usize,
    /// The masks of its messages, if it has messages instead of lines.
    masks: Option<Masks>,
    /// What is spoken: it says how a line ends.
    speech: Speech,
}

impl Outbox {
    /// One of messages, which begins with the request for them.
    fn of_messages(request: &[u8], masks: Masks) -> Self {
        Self { bytes: request.to_vec(), masks: Some(masks), ..Self::default() }
    }

    /// One of lines, which begins with what a client says first.
    fn of_lines(speech: Speech) -> Self {
        let mut outbox = Self { speech, ..Self::default() };
        if let Some(opening) = speech.opening() {
            outbox.put(|bytes| bytes.extend_from_slice(opening.as_bytes()));
        }
        outbox
    }

    /// Whether there is room for another line.
    pub(super) fn has_room(&self) -> bool {
        self.waiting().len() < OUTBOX_BYTES
    }

    /// Appends a line, with its end or as a message.
    pub(super) fn put(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        match &mut self.masks {
            None => self.bytes.extend_from_slice(self.speech.end().as_bytes()),
            Some(masks) => wrap(&mut self.bytes, start, masks),
        }
    }

    /// Appends the answer to a ping.
    fn put_pong(&mut self, payload: &[u8]) {
        let start = self.bytes.len();
        if let Some(masks) = &mut self.masks {
            self.bytes.extend_from_slice(payload);
            wrap_pong(&mut self.bytes, start, masks);
        }
    }

    /// The output that has not been sent.
    pub(super) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// This many bytes of it have been sent.
    fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.sent >= self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
        }
    }

    /// Removes sent bytes, when there are enough of them.
    fn tidy(&mut self) {
        if self.sent > OUTBOX_BYTES / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
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
    tls: Option<Box<Tls>>,
    web: Option<Web>,
    inbox: Inbox,
    outbox: Outbox,
    /// The reason in the server's last line, if it gave one.
    last_reply: Option<String>,
    /// Why nothing can be encrypted any more.
    failed: Option<String>,
}

impl Conn {
    /// Starts to connect, from an address of this machine if one is given, encrypted if `tls` is, and by WebSocket if
    /// its request is. `speech` is what is spoken.
    ///
    /// # Errors
    /// System errors: no descriptors or local ports are left.
    pub(super) fn connect(
        addr: SocketAddr,
        from: Option<IpAddr>,
        tls: Option<Tls>,
        request: Option<(&[u8], Masks)>,
        speech: Speech,
    ) -> io::Result<Self> {
        let stream = match from {
            None => TcpStream::connect(addr)?,
            Some(from) => connect_from(addr, from)?,
        };
        // Without it, a line may wait for the acknowledgement of the one before. An error only makes it slower.
        let _ = stream.set_nodelay(true);
        let (tls, web) = (tls.map(Box::new), request.map(|_| Web::default()));
        let outbox = match request {
            Some((request, masks)) => Outbox::of_messages(request, masks),
            None => Outbox::of_lines(speech),
        };
        Ok(Self { stream, tls, web, inbox: Inbox::default(), outbox, last_reply: None, failed: None })
    }

    /// The socket, to register it with a poll.
    pub(super) fn stream_mut(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// The output that waits.
    pub(super) fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// How the handshake was done, once, when it is done.
    pub(super) fn take_handshake(&mut self) -> Option<Handshake> {
        self.tls.as_mut()?.take_handshake()
    }

    /// Sends output, as far as the kernel takes it. An error is left for the next read, which first gives the last
    /// lines of the server.
    ///
    /// # Errors
    /// The connection is broken.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let Self { stream, tls, outbox, failed, .. } = self;
        match tls {
            None => {
                while !outbox.bytes.is_empty() {
                    match write(stream, outbox.waiting())? {
                        Some(sent) => outbox.sent(sent),
                        None => break,
                    }
                }
            }
            Some(tls) => loop {
                if !outbox.bytes.is_empty() {
                    match tls.encrypt(outbox.waiting()) {
                        Ok(encrypted) => outbox.sent(encrypted),
                        Err(why) => {
                            *failed = Some(why.clone());
                            return Err(io::Error::other(why));
                        }
                    }
                }
                if tls.waiting().is_empty() {
                    break;
                }
                match write(stream, tls.waiting())? {
                    Some(sent) => tls.sent(sent),
                    None => break,
                }
            },
        }
        outbox.tidy();
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
                // The server has sent nothing more that could tell why.
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.failed.is_some() => {
                    return Progress::Ended(self.failed.take().unwrap_or_default());
                }
                Ok(0) => return Progress::Ended(self.last_reply(CLOSED)),
                Ok(n) => {
                    let Some(bytes) = scratch.get_mut(..n) else { return Progress::More };
                    if let Some(why) = self.take_in(bytes, clock(), &mut take) {
                        return Progress::Ended(self.last_reply(&why));
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

    /// Takes what the socket gave. Returns why the connection is over, if it is.
    fn take_in(
        &mut self,
        bytes: &mut [u8],
        now: u64,
        take: &mut impl FnMut(&[u8], u64, &mut Outbox),
    ) -> Option<String> {
        let Self { tls, web, inbox, outbox, last_reply, .. } = self;
        let mut failed = None;
        let mut hear = |line: &[u8], outbox: &mut Outbox| {
            note(line, last_reply);
            take(line, now, outbox);
        };
        let mut cut = |bytes: &[u8]| {
            let lines = match web {
                None => inbox.split(bytes, |line| hear(line, outbox)).map_err(|NeverEnds| ENDLESS.to_owned()),
                Some(web) => web.receive(bytes, &mut |heard| match heard {
                    Heard::Line(line) => hear(line, outbox),
                    Heard::Ping(payload) => outbox.put_pong(payload),
                }),
            };
            failed = failed.take().or(lines.err());
        };
        let received = match tls {
            None => {
                cut(bytes);
                Ok(())
            }
            Some(tls) => tls.receive(bytes, &mut cut),
        };
        match received {
            Err(why) => Some(why),
            Ok(()) if failed.is_some() => failed,
            Ok(()) => {
                let has_ended =
                    tls.as_ref().is_some_and(|tls| tls.has_ended()) || web.as_ref().is_some_and(Web::has_ended);
                has_ended.then(|| CLOSED.to_owned())
            }
        }
    }

    fn last_reply(&mut self, otherwise: &str) -> String {
        self.last_reply.take().unwrap_or_else(|| otherwise.to_owned())
    }
}

/// Writes once; `None` if the kernel takes nothing now.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<Option<usize>> {
    loop {
        match stream.write(bytes) {
            Ok(sent) => return Ok(Some(sent)),
            // Not connected yet counts as full: an event reports the connection.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
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
    if let Some(reason) = line.strip_prefix(b"C 421 ").or_else(|| irc::reason(line)) {
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
