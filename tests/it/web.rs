//! The web door: a page by HTTP, and conversations by WebSocket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use testkit::http::Http;
use testkit::{Builder, Canary, PASSWORD, PATIENCE, Server, eventually};
use tungstenite::protocol::{Message, Role, WebSocket};

mod foreign;
mod hostile;
mod limits;
mod memory;
mod pages;
mod proxies;
#[cfg(feature = "tls")]
mod tls;

/// The handshake of RFC 6455, section 1.3.
const HANDSHAKE: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chatd.v1\r\n\r\n";

/// A server with a web listener and a line listener.
fn served() -> Builder {
    Server::builder().no_rates().listen(&["line://127.0.0.1:0", "web://127.0.0.1:0"])
}

fn http(server: &Server) -> Http {
    Http::connect(server.door("web"))
}

/// The handshake with more fields.
fn handshake(fields: &str) -> String {
    HANDSHAKE.replace("Upgrade: websocket", &format!("{fields}Upgrade: websocket"))
}

/// A conversation by WebSocket, whose frames are another hand's.
struct Browser<S: Read + Write> {
    socket: WebSocket<S>,
}

impl Browser<TcpStream> {
    /// Connects, and reads the greeting.
    #[track_caller]
    fn greeted(addr: SocketAddr) -> Self {
        let mut browser = Self::upgraded(addr, HANDSHAKE);
        browser.expect("C 220 chatd ");
        browser
    }

    #[track_caller]
    fn upgraded(addr: SocketAddr, request: &str) -> Self {
        let stream = TcpStream::connect(addr).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self::over(stream, request)
    }

    #[track_caller]
    fn typed(server: &Server, name: &str) -> Self {
        let mut browser = Self::greeted(server.door("web"));
        browser.log_in(name);
        browser
    }
}

impl<S: Read + Write> Browser<S> {
    #[track_caller]
    fn over(mut stream: S, request: &str) -> Self {
        stream.write_all(request.as_bytes()).expect("a request");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte).expect("an answer"), 1, "{:?}", String::from_utf8_lossy(&head));
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).expect("text");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let fields = head.to_ascii_lowercase(); // a proxy may have spelled them
        assert!(fields.contains("\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{head}");
        let names_protocol = fields.contains("\r\nsec-websocket-protocol: chatd.v1\r\n");
        assert_eq!(names_protocol, request.contains("Protocol"), "{head}");
        Self { socket: WebSocket::from_raw_socket(stream, Role::Client, None) }
    }

    #[track_caller]
    fn log_in(&mut self, name: &str) {
        self.say(&format!("C {name}"));
        self.expect("C 33");
        self.say(&format!("C {PASSWORD}"));
        self.expect("C 230 ");
    }

    fn say(&mut self, line: &str) {
        self.socket.send(Message::text(line)).expect("the server reads");
    }

    #[track_caller]
    fn line(&mut self) -> String {
        loop {
            match self.socket.read().expect("a message") {
                Message::Text(text) => return text.as_str().to_owned(),
                Message::Ping(_) | Message::Pong(_) => {}
                other @ (Message::Binary(_) | Message::Close(_) | Message::Frame(_)) => panic!("{other:?} is no line"),
            }
        }
    }

    #[track_caller]
    fn expect(&mut self, start: &str) -> String {
        let line = self.line();
        assert!(line.starts_with(start), "{line:?} is not {start:?} …");
        line
    }

    #[track_caller]
    fn ask(&mut self, command: &str) -> String {
        self.say(&format!("C {command}"));
        self.line()
    }

    /// The code and the reason of the server's close.
    #[track_caller]
    fn closed(&mut self) -> (u16, String) {
        let message = self.socket.read().expect("a close");
        let Message::Close(Some(frame)) = message else { panic!("{message:?} is no close") };
        (frame.code.into(), frame.reason.as_str().to_owned())
    }
}

#[test]
fn a_browser_and_a_terminal_hold_one_conversation() {
    let server = served().start();
    let (mut alice, mut carol) = (Browser::typed(&server, "alice"), Browser::typed(&server, "carol"));
    let (mut bob, mut dave) = (server.bare("bob"), server.typed("dave"));
    for number in 0..50 {
        alice.say(&format!("C PM from alice {number}"));
        alice.expect("C 250 sent to 3");
        bob.send(&format!("PM from bob {number}"));
        bob.expect_exact(&format!("D PM alice from alice {number}"));
        bob.expect("C 250 sent to 3");
        assert!(alice.expect("D PM ").ends_with(&format!(" bob from bob {number}")));
    }
    let heard: Vec<_> = (0..100).map(|_| carol.expect("D PM ")).collect();
    let by_line: Vec<_> = (0..100).map(|_| dave.expect("D PM ")).collect();
    assert_eq!(heard, by_line, "one order, one spelling");
    assert_eq!(alice.ask("DM bob tête-à-tête 🦀"), "C 250 sent to bob");
    bob.expect_exact("D DM alice tête-à-tête 🦀");
    bob.send("DM alice and back");
    assert!(alice.expect("D DM ").ends_with(" bob and back"));
    assert!(alice.ask("MAKE attic").starts_with("C 227 attic token="));
    alice.say("C HELP");
    let mut lines = 0;
    while alice.line().starts_with("C 214-") {
        lines += 1;
    }
    assert!(lines > 10, "one message a line");
    // What a line is like at its end does not matter.
    assert_eq!(alice.ask("NOOP\r\n"), alice.ask("NOOP\n"));
    alice.say("C EX");
    alice.expect("C 221 ");
    assert_eq!(alice.closed().0, 1000);
}

#[test]
fn the_server_says_why_it_closes() {
    let mut server = served().start();
    let mut alice = Browser::typed(&server, "alice");
    let mut stranger = Browser::greeted(server.door("web"));
    stranger.say("C alice");
    stranger.expect("C 331 ");
    for _ in 0..2 {
        stranger.say("C a wrong password");
        stranger.expect("C 530 ");
    }
    stranger.say("C a wrong password");
    stranger.expect("C 421 too many failures");
    assert_eq!(stranger.closed(), (1008, "too many failures".to_owned()));
    server.term();
    let told = alice.expect("C 421 shutting down");
    assert_eq!(alice.closed(), (1001, told["C 421 ".len()..].to_owned()), "the same reason");
}

#[test]
fn a_token_resumes_by_the_web_door_too() {
    let server = served().start();
    let reply = server.bare("alice").ask("TOKEN");
    let token = reply.split(' ').nth(2).expect("a token");
    let mut alice = Browser::greeted(server.door("web"));
    assert!(alice.ask(&format!("alice {token}")).starts_with("C 230 welcome alice"));
}

#[test]
fn operators_see_the_door_and_the_answers_are_counted() {
    let server = Server::builder()
        .no_rates()
        .listen(&["line://127.0.0.1:0", "web://127.0.0.1:0", "metrics://127.0.0.1:0"])
        .start();
    let _alice = Browser::typed(&server, "alice");
    assert_eq!(http(&server).get("/nothing").code, 404);
    let figures = Http::connect(server.door("metrics")).get("/metrics").body;
    for line in [
        "chatd_connections{door=\"web\",tls=\"false\"} ",
        "chatd_accepted_total{door=\"web\",tls=\"false\"} 2\n",
        "chatd_http_requests_total{code=\"101\"} 1\n",
        "chatd_http_requests_total{code=\"404\"} 1\n",
    ] {
        assert!(figures.contains(line), "{line}: {figures}");
    }
    let shown = Http::connect(server.door("metrics")).get("/connz").body;
    assert!(shown.contains("\"door\":\"web\""), "{shown}");
}

#[test]
fn a_begun_password_is_forgotten_and_a_whole_one_too() {
    const BEGUN: &str = "beginning of a password that is long enough to be found";
    let server = served().start();
    let mut alice = Browser::greeted(server.door("web"));
    alice.say("C alice");
    alice.expect("C 332 ");
    let (one, other) = BEGUN.split_at(15);
    for (first, part) in [(0x01, one), (0x00, other)] {
        let mut frame = vec![first, 0x80 | part.len() as u8, 0, 0, 0, 0];
        frame.extend_from_slice(part.as_bytes());
        alice.socket.get_mut().write_all(&frame).unwrap();
    }
    let secret = &BEGUN.as_bytes()[20..];
    let Some(_) = crate::memory::count(server.pid(), secret) else {
        return eprintln!("skipped: the memory of another process cannot be read here");
    };
    eventually("it is held once", || crate::memory::count(server.pid(), secret) == Some(1));
    drop(alice);
    eventually("it is not held", || crate::memory::count(server.pid(), secret) == Some(0));
}

/// Whether a foreign program is here; prints a note if not.
fn have(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdin(Stdio::null()).output().is_ok();
    if !found {
        println!("skipped: there is no {program}");
    }
    found
}
