//! A client of the line door that waits for expected lines, with a deadline.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

use crate::tls::{self, ClientConfig, Tls, Versions};
use crate::{PASSWORD, PATIENCE, START_STOP};

/// One TCP connection to a line door.
pub struct Client {
    stream: TcpStream,
    tls: Option<Box<Tls>>,
    /// Input that has not been asked for yet.
    inbox: Vec<u8>,
    is_typed: bool,
}

impl Client {
    /// Connects.
    #[track_caller]
    pub fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&addr, PATIENCE).expect("the server accepts");
        Self::from_stream(stream)
    }

    /// Connects with a small receive buffer, which fills up soon while the client does not read.
    #[track_caller]
    pub fn connect_narrow(addr: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4096).expect("SO_RCVBUF");
        socket.connect(&addr.into()).expect("the server accepts");
        Self::from_stream(socket.into())
    }

    /// Connects from another address of this machine, such as 127.0.0.2.
    #[track_caller]
    pub fn connect_from(source: IpAddr, addr: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::new(source, 0).into()).expect("an address of this machine");
        socket.connect(&addr.into()).expect("the server accepts");
        Self::from_stream(socket.into())
    }

    /// Uses a connection that the test has made itself.
    pub fn from_stream(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("TCP_NODELAY");
        stream.set_write_timeout(Some(PATIENCE)).expect("a write timeout");
        Self { stream, tls: None, inbox: Vec::new(), is_typed: false }
    }

    /// Connects by TLS, and shakes hands.
    #[track_caller]
    pub fn connect_tls(addr: SocketAddr) -> Self {
        Self::connect_tls_with(addr, &tls::settings(Versions::Both, &["chatd"]))
    }

    /// Connects by TLS with these settings, and shakes hands.
    #[track_caller]
    pub fn connect_tls_with(addr: SocketAddr, settings: &Arc<ClientConfig>) -> Self {
        Self::connect(addr).encrypted(settings)
    }

    /// Shakes hands on a connection that has sent nothing yet.
    #[track_caller]
    pub fn encrypted(self, settings: &Arc<ClientConfig>) -> Self {
        self.try_encrypted(settings).expect("the server shakes hands")
    }

    /// The same.
    ///
    /// # Errors
    /// The server does not shake hands.
    pub fn try_encrypted(mut self, settings: &Arc<ClientConfig>) -> std::io::Result<Self> {
        let mut tls = Tls::new(settings);
        self.stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        tls.shake(&self.stream)?;
        self.tls = Some(Box::new(tls));
        Ok(self)
    }

    /// The TLS of this connection.
    #[track_caller]
    pub fn tls(&mut self) -> &mut Tls {
        self.tls.as_mut().expect("a connection by TLS")
    }

    /// Sends bytes below TLS, if there is any.
    #[track_caller]
    pub fn send_wire(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server takes what is sent");
    }

    /// Whether it has logged in with typed frames.
    pub fn is_typed(&self) -> bool {
        self.is_typed
    }

    /// The connection itself, for what this type does not offer.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends a line; its LF is added.
    #[track_caller]
    pub fn send(&mut self, line: &str) {
        self.send_raw(format!("{line}\n").as_bytes());
    }

    /// Sends a typed command: `typed("PM hi")` sends `C PM hi`.
    #[track_caller]
    pub fn typed(&mut self, command: &str) {
        self.send(&format!("C {command}"));
    }

    /// Sends an operation in the dialect that this client logged in with.
    #[track_caller]
    pub fn op(&mut self, command: &str) {
        if self.is_typed { self.typed(command) } else { self.send(command) }
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub fn send_raw(&mut self, bytes: &[u8]) {
        match &mut self.tls {
            Some(tls) => {
                let records = tls.records([bytes]);
                self.send_wire(&records);
            }
            None => self.send_wire(bytes),
        }
    }

    /// Closes the sending side: by TLS with close_notify, and the stream stays open.
    pub fn half_close(&mut self) {
        if let Some(tls) = &mut self.tls {
            let end = tls.close_notify();
            return self.send_wire(&end);
        }
        self.stream.shutdown(Shutdown::Write).expect("shutdown of the sending side");
    }

    /// The next line, without its LF.
    #[track_caller]
    pub fn line(&mut self) -> String {
        self.line_within(PATIENCE)
    }

    /// The next line, without its LF, with this deadline.
    #[track_caller]
    pub fn line_within(&mut self, patience: Duration) -> String {
        let deadline = Instant::now() + patience;
        let mut seen = 0;
        loop {
            if let Some(at) = self.inbox[seen..].iter().position(|b| *b == b'\n') {
                let rest = self.inbox.split_off(seen + at + 1);
                let mut line = std::mem::replace(&mut self.inbox, rest);
                line.pop();
                return String::from_utf8(line).expect("a line of UTF-8");
            }
            seen = self.inbox.len();
            match self.fill(deadline) {
                Got::Bytes => {}
                end @ (Got::Nothing | Got::End | Got::Reset) => {
                    panic!("waited for a line, got {end:?} after {:?}", self.shown())
                }
            }
        }
    }

    /// The next line that is neither a message nor a notice.
    #[track_caller]
    pub fn reply(&mut self) -> String {
        loop {
            let line = self.line();
            if !line.starts_with("D ") && !line.starts_with("C 1") {
                return line;
            }
        }
    }

    /// Sends an operation in this client's dialect and returns the one line of its reply.
    #[track_caller]
    pub fn ask(&mut self, command: &str) -> String {
        self.op(command);
        self.reply()
    }

    /// Sends an operation and returns all lines of its reply, without `C CODE` and the character after it. A longer
    /// reply must keep one code and must not be interrupted.
    #[track_caller]
    pub fn list(&mut self, command: &str) -> Vec<String> {
        self.op(command);
        let first = self.reply();
        self.rest_of_list(&first)
    }

    /// The lines of a reply whose first line has been read.
    #[track_caller]
    pub fn rest_of_list(&mut self, first: &str) -> Vec<String> {
        let code = first[..5].to_owned();
        let mut lines = vec![first.to_owned()];
        while lines.last().is_some_and(|line| line.as_bytes()[5] == b'-') {
            let line = self.line();
            assert!(line.starts_with(&code), "{line:?} inside a reply {code:?}");
            lines.push(line);
        }
        lines.iter().map(|line| line[6..].to_owned()).collect()
    }

    /// The next line, which must start like this.
    #[track_caller]
    pub fn expect(&mut self, prefix: &str) -> String {
        let line = self.line();
        assert!(line.starts_with(prefix), "expected {prefix:?}…, got {line:?}, then {:?}", self.shown());
        line
    }

    /// The next line, which must be this.
    #[track_caller]
    pub fn expect_exact(&mut self, expected: &str) {
        let line = self.line();
        assert_eq!(line, expected, "then {:?}", self.shown());
    }

    /// The next lines, which must be these.
    #[track_caller]
    pub fn expect_all(&mut self, expected: &[&str]) {
        for line in expected {
            self.expect_exact(line);
        }
    }

    /// The end of the stream must come next, and in order (no reset).
    #[track_caller]
    pub fn expect_closed(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let got = self.fill(deadline);
        let in_order = matches!(got, Got::End) && self.inbox.is_empty();
        assert!(in_order, "expected the end of the stream, got {got:?} and {:?}", self.shown());
    }

    /// The server must say why it closes, and close.
    #[track_caller]
    pub fn expect_421(&mut self, reason: &str) {
        self.expect_exact(&format!("C 421 {reason}"));
        self.expect_closed();
    }

    /// The connection must end, in order or by a reset. Returns the input before the end.
    #[track_caller]
    pub fn expect_reset_or_closed(&mut self) -> String {
        let deadline = Instant::now() + START_STOP;
        loop {
            match self.fill(deadline) {
                Got::Bytes => {}
                Got::End | Got::Reset => {
                    return String::from_utf8_lossy(&std::mem::take(&mut self.inbox)).into_owned();
                }
                Got::Nothing => panic!("the connection does not end; so far {:?}", self.shown()),
            }
        }
    }

    /// Resets the connection.
    pub fn reset(self) {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
    }

    /// Nothing may arrive for this long. A round trip of NOOP is a better proof where it is possible.
    #[track_caller]
    pub fn silence(&mut self, time: Duration) {
        let got = if self.inbox.is_empty() { self.fill(Instant::now() + time) } else { Got::Bytes };
        assert!(matches!(got, Got::Nothing), "expected silence, got {got:?} {:?}", self.shown());
    }

    /// A round trip: earlier lines are executed, and no other input was waiting.
    #[track_caller]
    pub fn barrier(&mut self) {
        self.op("NOOP");
        self.expect("C 200");
    }

    /// The lines that come before the reply to NOOP: what the client has heard and not read yet.
    #[track_caller]
    pub fn heard(&mut self) -> Vec<String> {
        self.op("NOOP");
        let mut lines = Vec::new();
        loop {
            let line = self.line();
            if line.starts_with("C 200") {
                return lines;
            }
            lines.push(line);
        }
    }

    /// Logs in without types, as a person would, and registers if the name is new. The greeting must have been read.
    #[track_caller]
    pub fn login_bare(&mut self, name: &str) {
        self.login(name);
    }

    /// Logs in with typed frames, and registers if the name is new. The greeting must have been read.
    #[track_caller]
    pub fn login_typed(&mut self, name: &str) {
        self.is_typed = true;
        self.login(name);
    }

    #[track_caller]
    fn login(&mut self, name: &str) {
        self.op(name);
        let asked = self.line();
        assert!(asked.starts_with("C 331 ") || asked.starts_with("C 332 "), "asked for a password? {asked:?}");
        self.op(PASSWORD);
        self.expect("C 230 ");
    }

    /// Reads once from the connection; `None` at its end.
    fn read(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        if let Some(tls) = &mut self.tls {
            return tls.read(&self.stream);
        }
        let mut bytes = [0; 16 * 1024];
        let count = self.stream.read(&mut bytes)?;
        Ok((count > 0).then(|| bytes[..count].to_vec()))
    }

    /// Reads once into the inbox.
    fn fill(&mut self, deadline: Instant) -> Got {
        loop {
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.stream.set_read_timeout(Some(left)).expect("a read timeout");
            match self.read() {
                Ok(None) => return Got::End,
                Ok(Some(bytes)) if bytes.is_empty() => {} // records without text
                Ok(Some(bytes)) => {
                    self.inbox.extend_from_slice(&bytes);
                    return Got::Bytes;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if Instant::now() >= deadline {
                        return Got::Nothing;
                    }
                }
                Err(_) => return Got::Reset,
            }
        }
    }

    fn shown(&self) -> String {
        let start = &self.inbox[..self.inbox.len().min(500)];
        String::from_utf8_lossy(start).into_owned()
    }
}

/// The result of a read.
#[derive(Debug)]
enum Got {
    Bytes,
    Nothing,
    End,
    Reset,
}
