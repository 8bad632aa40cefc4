//! Both directions of a connection, encrypted or not: one end for each of two threads.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chatd::prompt::wait_readable;

use super::alarm::Alarm;
use super::connect::{Failure, connect, describe};
use super::destination::Server;
use super::tls::{Proof, Received, Tls, handshake};

/// The size of a read.
const CHUNK: usize = 16 * 1024;
/// Why a connection is over that the server has ended as it should.
const CLOSED: &str = "the server closed the connection";
/// … and as anybody on the way could have.
const CUT: &str = "the connection was cut off: TLS has not ended";

/// The end that writes.
pub(super) struct Sender {
    socket: TcpStream,
    tls: Option<Shared>,
}

/// The end that reads.
pub(super) struct Receiver {
    socket: TcpStream,
    tls: Option<Shared>,
    chunk: Vec<u8>,
    is_first: bool,
    has_ended: bool,
}

/// What the server has sent.
pub(super) enum Next {
    /// Bytes; never empty.
    Bytes(Vec<u8>),
    /// Nothing more, and why.
    End(String),
    /// The reading was cancelled.
    Cancelled,
}

/// Reading makes output too, such as new keys, so both ends use the same state. Nobody waits while it is locked.
type Shared = Arc<Mutex<Tls>>;

fn lock(tls: &Shared) -> MutexGuard<'_, Tls> {
    // A panic would have ended the process.
    tls.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Connects to a server, and proves it if it speaks TLS. `None` if a byte or an end in `cancelled` cancelled it.
///
/// # Errors
///
/// There is no connection, or the server is not proven.
pub(super) fn open(
    server: &Server,
    proof: &Arc<Proof>,
    cancelled: &UnixStream,
) -> Result<Option<(Sender, Receiver)>, Failure> {
    let Some(mut socket) = connect(server, cancelled).map_err(Failure::Gone)? else { return Ok(None) };
    let tls = if server.is_tls {
        let Some(tls) = handshake(&mut socket, server, proof, cancelled)? else { return Ok(None) };
        Some(Arc::new(Mutex::new(tls)))
    } else {
        None
    };
    let reader = socket.try_clone().map_err(|error| Failure::Gone(format!("no descriptor: {error}")))?;
    let sender = Sender { socket, tls: tls.clone() };
    Ok(Some((sender, Receiver { socket: reader, tls, chunk: vec![0; CHUNK], is_first: true, has_ended: false })))
}

impl Sender {
    /// Sends all bytes until the deadline, or until the alarm ends the wait for the server.
    ///
    /// # Errors
    ///
    /// Why not all is sent; `TimedOut` after the deadline.
    pub(super) fn write_all(&mut self, bytes: &[u8], deadline: Instant, alarm: &Alarm) -> io::Result<()> {
        let mut rest = bytes;
        if let Some(tls) = &self.tls {
            lock(tls).put(bytes)?;
        }
        while !self.write_some(&mut rest)? {
            // A server that reads slowly is always ready for a little more.
            if Instant::now() >= deadline || !alarm.wait_writable(&self.socket, Some(deadline))? {
                return Err(ErrorKind::TimedOut.into());
            }
        }
        Ok(())
    }

    /// Writes until the socket is full, which is `false`, or nothing is left.
    fn write_some(&mut self, rest: &mut &[u8]) -> io::Result<bool> {
        if let Some(tls) = &self.tls {
            return lock(tls).write_out(&mut self.socket);
        }
        while !rest.is_empty() {
            match self.socket.write(rest) {
                Ok(n) => *rest = rest.get(n..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Ends the connection in both directions. The server is told, as far as that does not block.
    pub(super) fn close(&mut self) {
        if let Some(tls) = &self.tls {
            lock(tls).say_end(&mut self.socket);
        }
        // It may be down already.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

impl Receiver {
    /// Waits for the next bytes. A byte or an end in `cancelled` cancels it.
    pub(super) fn next(&mut self, cancelled: &UnixStream) -> Next {
        loop {
            if self.has_ended {
                return Next::End(CLOSED.to_owned());
            }
            // What TLS holds already, or has found wrong.
            if let Some(next) = self.decrypt(0) {
                return next;
            }
            if !wait_readable(&self.socket, cancelled).unwrap_or(false) {
                return Next::Cancelled;
            }
            match self.socket.read(&mut self.chunk) {
                Ok(0) => return Next::End(self.tls.as_ref().map_or(CLOSED, |_| CUT).to_owned()),
                Ok(n) => {
                    let next = if self.tls.is_some() { self.decrypt(n) } else { Some(self.plain(n)) };
                    if let Some(next) = next {
                        return next;
                    }
                }
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                Err(error) => return Next::End(describe(&error)),
            }
        }
    }

    /// Decrypts the first bytes of the chunk.
    fn decrypt(&mut self, length: usize) -> Option<Next> {
        let mut tls = lock(self.tls.as_ref()?);
        let received = tls.receive(self.chunk.get(..length).unwrap_or_default());
        // New keys, or why TLS has failed. What the socket does not take goes with the next line.
        let _ = tls.write_out(&mut self.socket);
        match received {
            Ok(Received::Bytes(bytes)) => (!bytes.is_empty()).then_some(Next::Bytes(bytes)),
            Ok(Received::Last(bytes)) => {
                self.has_ended = true;
                Some(if bytes.is_empty() { Next::End(CLOSED.to_owned()) } else { Next::Bytes(bytes) })
            }
            Err(why) => Some(Next::End(why)),
        }
    }

    /// The first bytes of the chunk.
    fn plain(&mut self, length: usize) -> Next {
        let bytes = self.chunk.get(..length).unwrap_or_default();
        // A handshake record or an alert. No line of chat begins so.
        let is_tls = std::mem::take(&mut self.is_first) && matches!(bytes.first(), Some(0x15 | 0x16));
        if is_tls {
            Next::End("it is no chat server without TLS: use --tls".to_owned())
        } else {
            Next::Bytes(bytes.to_vec())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// A non-blocking connection, and its other end.
    fn pair() -> (Sender, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        socket.set_nonblocking(true).unwrap();
        (Sender { socket, tls: None }, listener.accept().unwrap().0)
    }

    #[test]
    fn a_server_that_reads_slowly_times_out() {
        let (mut sender, mut server) = pair();
        let dripping = thread::spawn(move || {
            let mut piece = vec![0; 64 * 1024];
            while server.read(&mut piece).is_ok_and(|n| n > 0) {
                thread::sleep(Duration::from_millis(5));
            }
        });
        let alarm = Alarm::new(&[]).unwrap();
        let began = Instant::now();
        let much = vec![b'x'; 64 << 20];
        let error = sender.write_all(&much, began + Duration::from_millis(300), &alarm).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(began.elapsed() < Duration::from_secs(5));
        drop(sender);
        dripping.join().unwrap();
    }

    #[test]
    fn the_alarm_interrupts_a_blocked_write() {
        let (mut sender, _server) = pair();
        let alarm = Alarm::new(&[]).unwrap();
        alarm.raise();
        let began = Instant::now();
        let much = vec![b'x'; 64 << 20];
        let error = sender.write_all(&much, began + Duration::from_secs(60), &alarm).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn all_is_written_to_a_server_that_takes_it() {
        let (mut sender, mut server) = pair();
        let reading = thread::spawn(move || {
            let mut all = Vec::new();
            server.read_to_end(&mut all).unwrap();
            all.len()
        });
        let alarm = Alarm::new(&[]).unwrap();
        sender.write_all(&vec![b'x'; 16 << 20], Instant::now() + Duration::from_secs(10), &alarm).unwrap();
        drop(sender);
        assert_eq!(reading.join().unwrap(), 16 << 20);
    }
}
