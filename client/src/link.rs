//! The connection: a thread that connects and reads, and a handle for writing.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chatd::prompt::wait_readable;

use super::alarm::Alarm;
use super::connect::{connect, describe};
use super::destination::Server;
use super::event::{Event, Link};
use super::inbox::Doorbell;

/// How long a write may take.
const WRITE: Duration = Duration::from_secs(10);
/// The size of a read.
const CHUNK: usize = 16 * 1024;
/// How long the end of the process waits for a thread that looks up a name, which cannot be interrupted.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// News of the current connection.
pub(super) enum News {
    /// It is established.
    Connected,
    /// Bytes from the server; never empty.
    Bytes(Vec<u8>),
    /// It failed or is over, and why. Nothing follows.
    Gone(String),
}

/// All connections of this run. At most one is in use.
pub(super) struct Links {
    doorbell: Doorbell,
    alarm: Arc<Alarm>,
    /// The number of the newest connection. Events of others are ignored.
    number: u64,
    stream: Option<TcpStream>,
    /// Why a write failed. The reading end then reports the end, after all input that came before.
    write_failed: Option<String>,
    /// Dropping it ends the thread of the current connection.
    cancel: Option<UnixStream>,
    threads: Vec<JoinHandle<()>>,
}

impl Links {
    /// Starts without a connection. Events go to `doorbell`; `alarm` interrupts a blocked write.
    pub(super) fn new(doorbell: Doorbell, alarm: Arc<Alarm>) -> Self {
        Self { doorbell, alarm, number: 0, stream: None, write_failed: None, cancel: None, threads: Vec::new() }
    }

    /// Connects to a server, after giving up the old connection. The result comes as events.
    ///
    /// # Errors
    ///
    /// The process is out of threads or descriptors.
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

    /// Takes an event of connection `number`; `None` if that one has been given up. An established connection is kept
    /// here.
    pub(super) fn take(&mut self, number: u64, link: Link) -> Option<News> {
        if number != self.number || self.cancel.is_none() {
            return None;
        }
        match link {
            Link::Connected(stream) => {
                self.stream = Some(stream);
                Some(News::Connected)
            }
            Link::Bytes(bytes) => Some(News::Bytes(bytes)),
            Link::Gone(why) => {
                let why = self.write_failed.take().unwrap_or(why);
                self.close();
                Some(News::Gone(why))
            }
        }
    }

    /// Sends all bytes, within [`WRITE`], or within a moment if the client is to end. If that fails, input that came
    /// before is still read, and then the connection is [`News::Gone`].
    pub(super) fn send(&mut self, bytes: &[u8]) {
        let Some(stream) = &mut self.stream else { return };
        if self.write_failed.is_some() {
            return;
        }
        if let Err(error) = write_all(stream, bytes, Instant::now() + WRITE, &self.alarm) {
            self.write_failed = Some(describe_write(&error));
            // This ends reading too. The connection may be down already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Closes the connection, if there is one, and ignores its further events.
    pub(super) fn close(&mut self) {
        self.number += 1;
        self.cancel = None;
        self.write_failed = None;
        if let Some(stream) = self.stream.take() {
            // It may be down already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Closes everything and waits for the threads, but only a moment for one that looks up a name. The inbox must be
    /// closed, or be emptied meanwhile.
    pub(super) fn finish(mut self) {
        self.close();
        let deadline = Instant::now() + LAST_WAIT;
        for thread in self.threads {
            while !thread.is_finished() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(5));
            }
            if thread.is_finished() {
                // It has no result, and a panic has been reported.
                let _ = thread.join();
            }
        }
    }
}

/// Writes all bytes to a non-blocking socket, until the deadline.
fn write_all(socket: &mut TcpStream, mut bytes: &[u8], deadline: Instant, alarm: &Alarm) -> io::Result<()> {
    while !bytes.is_empty() {
        match socket.write(bytes) {
            Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                // A server that reads slowly is always ready for a little more.
                if Instant::now() >= deadline || !alarm.wait_writable(&*socket, Some(deadline))? {
                    return Err(ErrorKind::TimedOut.into());
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The body of a connection's thread. Returns why the connection is over, or nothing if the inbox is closed.
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
        if !wait_readable(&reader, cancelled).unwrap_or(false) {
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
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
            Err(error) => return Some(describe(&error)),
        }
    }
}

/// A write error, as text.
fn describe_write(error: &io::Error) -> String {
    if error.kind() == ErrorKind::TimedOut {
        return format!("the server did not take within {} s what was sent", WRITE.as_secs());
    }
    describe(error)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// A non-blocking socket, and its other end.
    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.set_nonblocking(true).unwrap();
        (stream, listener.accept().unwrap().0)
    }

    #[test]
    fn a_server_that_reads_slowly_times_out() {
        let (mut stream, mut server) = pair();
        let dripping = thread::spawn(move || {
            let mut piece = vec![0; 64 * 1024];
            while server.read(&mut piece).is_ok_and(|n| n > 0) {
                thread::sleep(Duration::from_millis(5));
            }
        });
        let alarm = Alarm::new(&[]).unwrap();
        let began = Instant::now();
        let much = vec![b'x'; 64 << 20];
        let error = write_all(&mut stream, &much, began + Duration::from_millis(300), &alarm).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(began.elapsed() < Duration::from_secs(5));
        drop(stream);
        dripping.join().unwrap();
    }

    #[test]
    fn the_alarm_interrupts_a_blocked_write() {
        let (mut stream, _server) = pair();
        let alarm = Alarm::new(&[]).unwrap();
        alarm.raise();
        let began = Instant::now();
        let much = vec![b'x'; 64 << 20];
        let error = write_all(&mut stream, &much, began + Duration::from_secs(60), &alarm).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn all_is_written_to_a_server_that_takes_it() {
        let (mut stream, mut server) = pair();
        let reading = thread::spawn(move || {
            let mut all = Vec::new();
            server.read_to_end(&mut all).unwrap();
            all.len()
        });
        let alarm = Alarm::new(&[]).unwrap();
        write_all(&mut stream, &vec![b'x'; 16 << 20], Instant::now() + WRITE, &alarm).unwrap();
        drop(stream);
        assert_eq!(reading.join().unwrap(), 16 << 20);
    }
}
