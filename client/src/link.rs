//! The connection: a thread that connects and reads, and a handle for writing.

use std::io::{self, ErrorKind};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::action::Doubt;
use super::alarm::Alarm;
use super::connect::{Failure, describe};
use super::destination::Server;
use super::event::{Event, Link};
use super::inbox::Doorbell;
use super::stream::{self, Next, Sender};
use super::tls::Proof;

/// How long a write may take.
const WRITE: Duration = Duration::from_secs(10);
/// How long the end of the process waits for a thread that looks up a name, which cannot be interrupted.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// News of the current connection.
pub(super) enum News {
    /// It is established, and with TLS, the server is proven.
    Connected,
    /// The server is not proven. Nothing follows.
    Unproven(Doubt),
    /// Bytes from the server; never empty.
    Bytes(Vec<u8>),
    /// It failed or is over, and why. Nothing follows.
    Gone(String),
}

/// All connections of this run. At most one is in use.
pub(super) struct Links {
    doorbell: Doorbell,
    alarm: Arc<Alarm>,
    /// What servers that speak TLS are proven by.
    proof: Arc<Proof>,
    /// The number of the newest connection. Events of others are ignored.
    number: u64,
    stream: Option<Sender>,
    /// Why a write failed. The reading end then reports the end, after all input that came before.
    write_failed: Option<String>,
    /// Dropping it ends the thread of the current connection.
    cancel: Option<UnixStream>,
    threads: Vec<JoinHandle<()>>,
}

impl Links {
    /// Starts without a connection. Events go to `doorbell`; `alarm` interrupts a blocked write. `proof` proves servers
    /// that speak TLS.
    pub(super) fn new(doorbell: Doorbell, alarm: Arc<Alarm>, proof: Arc<Proof>) -> Self {
        Self { doorbell, alarm, proof, number: 0, stream: None, write_failed: None, cancel: None, threads: Vec::new() }
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
        let proof = Arc::clone(&self.proof);
        let body = move || {
            let last = serve(&server, &proof, &cancelled, |link| doorbell.ring(Event::Link(number, link)));
            if let Some(last) = last {
                doorbell.ring(Event::Link(number, last));
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
            Link::Unproven(doubt) => {
                self.close();
                Some(News::Unproven(doubt))
            }
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
        if let Err(error) = stream.write_all(bytes, Instant::now() + WRITE, &self.alarm) {
            self.write_failed = Some(describe_write(&error));
            // This ends reading too.
            stream.close();
        }
    }

    /// Closes the connection, if there is one, and ignores its further events.
    pub(super) fn close(&mut self) {
        self.number += 1;
        self.cancel = None;
        self.write_failed = None;
        if let Some(mut stream) = self.stream.take() {
            stream.close();
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

/// The body of a connection's thread, with its last news; nothing if the inbox is closed.
fn serve(server: &Server, proof: &Arc<Proof>, cancelled: &UnixStream, tell: impl Fn(Link) -> bool) -> Option<Link> {
    let (sender, mut receiver) = match stream::open(server, proof, cancelled) {
        Ok(opened) => opened?,
        Err(Failure::Gone(why)) => return Some(Link::Gone(why)),
        Err(Failure::Unproven(doubt)) => return Some(Link::Unproven(doubt)),
    };
    let mut is_open = tell(Link::Connected(sender));
    while is_open {
        match receiver.next(cancelled) {
            Next::Bytes(bytes) => is_open = tell(Link::Bytes(bytes)),
            Next::End(why) => return Some(Link::Gone(why)),
            Next::Cancelled => return None,
        }
    }
    None
}

/// A write error, as text.
fn describe_write(error: &io::Error) -> String {
    if error.kind() == ErrorKind::TimedOut {
        return format!("the server did not take within {} s what was sent", WRITE.as_secs());
    }
    describe(error)
}
