//! A front that speaks TLS and passes what it decrypts to a plain server, so that any server can be met by TLS.

use std::io::{self, ErrorKind, Read as _, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustls::crypto::aws_lc_rs;
use rustls::{ServerConfig, ServerConnection};

use crate::certificate::Certificate;
use crate::pause;

/// How the front behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As it should.
    Good,
    /// It sends each byte by itself.
    Dribble,
    /// It ends without a word of TLS.
    Cut,
    /// It sends half of the record that holds this much plaintext or more, and ends.
    CutInRecord(usize),
    /// It speaks TLS 1.2 at most.
    Old,
    /// It speaks for web servers.
    Web,
}

/// The front. Dropping it ends its connections.
pub struct Front {
    addr: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    target: SocketAddr,
    setting: Mutex<(Arc<ServerConfig>, Style)>,
    /// For each connection: what it has decrypted; `None` before the end of the handshake.
    heard: Mutex<Vec<Option<Vec<u8>>>>,
    is_over: AtomicBool,
}

impl Front {
    /// Listens on a port that the kernel picks, with this certificate, for the plain server at `target`.
    pub fn start(target: SocketAddr, certificate: &Certificate) -> Self {
        Self::start_at("127.0.0.1:0".parse().expect("an address"), target, certificate)
    }

    /// The same at this address.
    pub fn start_at(addr: SocketAddr, target: SocketAddr, certificate: &Certificate) -> Self {
        let listener = TcpListener::bind(addr).expect("a listener");
        listener.set_nonblocking(true).expect("no waiting");
        let shared = Arc::new(Shared {
            target,
            setting: Mutex::new((config(certificate, Style::Good), Style::Good)),
            heard: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let addr = listener.local_addr().expect("its address");
        let serving = Arc::clone(&shared);
        Self { addr, shared, thread: Some(thread::spawn(move || serve(&listener, &serving))) }
    }

    /// Its address.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Uses another certificate, or behaves in another way, from the next connection on.
    pub fn set(&self, certificate: &Certificate, style: Style) {
        *self.shared.setting.lock().expect("no panic") = (config(certificate, style), style);
    }

    /// What each connection has sent so far, in the order in which they came; `None` before the end of the handshake.
    pub fn heard(&self) -> Vec<Option<String>> {
        let heard = self.shared.heard.lock().expect("no panic");
        heard.iter().map(|heard| Some(String::from_utf8_lossy(heard.as_ref()?).into_owned())).collect()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic has been printed.
            let _ = thread.join();
        }
    }
}

fn config(certificate: &Certificate, style: Style) -> Arc<ServerConfig> {
    let versions = if style == Style::Old { &[&rustls::version::TLS12][..] } else { rustls::ALL_VERSIONS };
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_protocol_versions(versions).expect("versions").with_no_client_auth();
    let mut config = builder.with_single_cert(certificate.chain(), certificate.key()).expect("a pair");
    config.alpn_protocols = vec![if style == Style::Web { b"http/1.1".to_vec() } else { b"chatd".to_vec() }];
    Arc::new(config)
}

fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    while !shared.is_over.load(Ordering::Relaxed) {
        let Ok((outer, _)) = listener.accept() else {
            pause(2);
            continue;
        };
        let number = {
            let mut heard = shared.heard.lock().expect("no panic");
            heard.push(None);
            heard.len() - 1
        };
        let shared = Arc::clone(shared);
        threads.push(thread::spawn(move || {
            // A connection that breaks is over. The test sees that.
            let _ = Bridge::new(outer, number, &shared).and_then(Bridge::run);
        }));
    }
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}

/// One connection.
struct Bridge<'a> {
    tls: ServerConnection,
    outer: TcpStream,
    style: Style,
    number: usize,
    shared: &'a Shared,
}

impl<'a> Bridge<'a> {
    fn new(outer: TcpStream, number: usize, shared: &'a Shared) -> io::Result<Self> {
        let (config, style) = shared.setting.lock().expect("no panic").clone();
        let mut tls = ServerConnection::new(config).expect("a connection");
        tls.set_buffer_limit(None);
        outer.set_nodelay(true)?;
        outer.set_nonblocking(true)?;
        Ok(Self { tls, outer, style, number, shared })
    }

    /// Shakes hands, and connects to the server only then.
    fn handshake(&mut self) -> io::Result<()> {
        while self.tls.is_handshaking() {
            if self.shared.is_over.load(Ordering::Relaxed) {
                return Err(ErrorKind::Interrupted.into());
            }
            self.write()?;
            match some(self.tls.read_tls(&mut self.outer))? {
                Some(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Some(_) if self.tls.process_new_packets().is_err() => {
                    self.write()?;
                    return Err(ErrorKind::InvalidData.into());
                }
                Some(_) => {}
                None => pause(1),
            }
        }
        self.shared.heard.lock().expect("no panic")[self.number] = Some(Vec::new());
        Ok(())
    }

    fn run(mut self) -> io::Result<()> {
        self.handshake()?;
        let mut inner = TcpStream::connect(self.shared.target)?;
        inner.set_nonblocking(true)?;
        // With the end of the handshake may have come more.
        self.pass(&mut inner)?;
        let (mut is_outer_over, mut is_inner_over) = (false, false);
        while !self.shared.is_over.load(Ordering::Relaxed) {
            let mut is_busy = self.write()?;
            if !is_outer_over && let Some(n) = some(self.tls.read_tls(&mut self.outer))? {
                if self.tls.process_new_packets().is_err() {
                    self.write()?;
                    return Ok(());
                }
                is_busy = true;
                is_outer_over = n == 0 || self.pass(&mut inner)?;
                if is_outer_over {
                    inner.shutdown(Shutdown::Write)?;
                }
            }
            let mut chunk = [0; 16 * 1024];
            if !is_inner_over && let Some(n) = some(inner.read(&mut chunk))? {
                is_busy = true;
                self.tls.writer().write_all(&chunk[..n])?;
                is_inner_over = n == 0;
                if matches!(self.style, Style::CutInRecord(least) if n >= least) {
                    return self.cut();
                }
                if is_inner_over {
                    return self.end();
                }
            }
            if !is_busy {
                let mut fds = [PollFd::new(&self.outer, PollFlags::IN), PollFd::new(&inner, PollFlags::IN)];
                let within = Timespec::try_from(Duration::from_millis(5)).expect("a short time");
                let _ = poll(&mut fds, Some(&within));
            }
        }
        Ok(())
    }

    /// Passes what is decrypted to the server. Whether the client has said that nothing follows.
    fn pass(&mut self, inner: &mut TcpStream) -> io::Result<bool> {
        let mut plain = Vec::new();
        let is_over = match self.tls.reader().read_to_end(&mut plain) {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => return Err(error),
        };
        let mut heard = self.shared.heard.lock().expect("no panic");
        heard[self.number].get_or_insert_default().extend_from_slice(&plain);
        drop(heard);
        inner.set_nonblocking(false)?;
        inner.write_all(&plain)?;
        inner.set_nonblocking(true)?;
        Ok(is_over)
    }

    /// Sends what is encrypted, as far as the socket takes it. Whether something was sent.
    fn write(&mut self) -> io::Result<bool> {
        let mut is_sent = false;
        while self.tls.wants_write() {
            let sent = if self.style == Style::Dribble {
                some(self.tls.write_tls(&mut One(&self.outer)))?
            } else {
                some(self.tls.write_tls(&mut self.outer))?
            };
            if sent.is_none() {
                break;
            }
            is_sent = true;
        }
        Ok(is_sent)
    }

    /// The server has ended.
    fn end(mut self) -> io::Result<()> {
        if self.style != Style::Cut {
            self.tls.send_close_notify();
        }
        self.outer.set_nonblocking(false)?;
        self.write()?;
        self.outer.shutdown(Shutdown::Write)
    }

    /// Sends half of what is encrypted.
    fn cut(mut self) -> io::Result<()> {
        let mut all = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut all)?;
        }
        self.outer.set_nonblocking(false)?;
        self.outer.write_all(&all[..all.len() / 2])?;
        self.outer.shutdown(Shutdown::Write)
    }
}

/// Writes a byte at a time.
struct One<'a>(&'a TcpStream);

impl Write for One<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(&bytes[..bytes.len().min(1)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `None` if the socket has nothing, or takes nothing.
fn some(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(n) => Ok(Some(n)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
        Err(error) => Err(error),
    }
}
