//! The web door by TLS.

use testkit::tls::{ClientConnection, Tls, Versions, settings};

use super::*;

/// A stream by TLS.
pub(super) struct Secure {
    tls: Tls,
    tcp: TcpStream,
}

impl Secure {
    fn connection(&mut self) -> (&mut ClientConnection, &mut TcpStream) {
        (self.tls.connection(), &mut self.tcp)
    }
}

impl Read for Secure {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let (tls, tcp) = self.connection();
        loop {
            match tls.reader().read(into) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    tls.complete_io(tcp)?;
                }
                result => return result,
            }
        }
    }
}

impl Write for Secure {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let (tls, tcp) = self.connection();
        let count = tls.writer().write(bytes)?;
        while tls.wants_write() {
            tls.write_tls(tcp)?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A server with a web listener by TLS and a line listener.
pub(super) fn listening() -> Builder {
    Server::builder().no_rates().with_pair().listen(&["line://127.0.0.1:0", "web+tls://127.0.0.1:0"])
}

fn secure() -> Server {
    listening().start()
}

/// A conversation by TLS that has read the greeting.
#[track_caller]
pub(super) fn greeted(server: &Server) -> Browser<Secure> {
    let mut browser = Browser::over(connect(server, &["http/1.1"]), HANDSHAKE);
    browser.expect("C 220 ");
    browser
}

fn connect(server: &Server, protocols: &[&str]) -> Secure {
    let tcp = TcpStream::connect(server.door("web+tls")).expect("a connection");
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = Secure { tls: Tls::new(&settings(Versions::Both, protocols)), tcp };
    let (tls, tcp) = stream.connection();
    while tls.is_handshaking() {
        tls.complete_io(tcp).expect("a handshake");
    }
    stream
}

#[test]
fn a_conversation_by_tls() {
    let server = secure();
    let mut bob = server.bare("bob");
    for (name, protocols) in [("alice", &["http/1.1"][..]), ("carol", &["h2", "http/1.1"]), ("dave", &[])] {
        let mut browser = Browser::over(connect(&server, protocols), HANDSHAKE);
        browser.expect("C 220 ");
        browser.log_in(name);
        assert_eq!(browser.ask("PM hello"), "C 250 sent to 1");
        bob.expect_exact(&format!("D PM {name} hello"));
        browser.say("C EX");
        browser.expect("C 221 ");
        assert_eq!(browser.closed().0, 1000);
    }
}

#[test]
fn who_speaks_plainly_is_told_so_in_http() {
    let server = secure();
    let mut http = Http::connect(server.door("web+tls"));
    http.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(http.rest().starts_with("HTTP/1.1 400 "));
}
