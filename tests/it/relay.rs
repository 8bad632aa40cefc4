//! The relay door, on the wire.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use testkit::http::Http;
use testkit::{Client, PATIENCE, Server, eventually, pause};

fn builder() -> testkit::Builder {
    Server::builder().listen(&["line://127.0.0.1:0", "relay://127.0.0.1:0"])
}

/// A connection to the relay door, whose guest has entered.
fn relay(server: &Server) -> Relay {
    Relay::new(TcpStream::connect_timeout(&server.door("relay"), PATIENCE).expect("the server accepts"))
}

struct Relay {
    stream: TcpStream,
}

impl Relay {
    fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("TCP_NODELAY");
        stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        Self { stream }
    }

    #[track_caller]
    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the server takes it");
    }

    /// It is told exactly this next. A NUL is given as `$`.
    #[track_caller]
    fn expect(&mut self, expected: &str) {
        let mut told = Vec::new();
        while told.len() < expected.len() {
            let mut bytes = vec![0; expected.len() - told.len()];
            match std::io::Read::read(&mut self.stream, &mut bytes).expect("in time") {
                0 => break,
                count => told.extend(&bytes[..count]),
            }
        }
        assert_eq!(String::from_utf8_lossy(&told).replace('\0', "$"), expected);
    }

    /// It is told this, then the connection ends.
    #[track_caller]
    fn ends_with(mut self, expected: &str) {
        let mut told = Vec::new();
        std::io::Read::read_to_end(&mut self.stream, &mut told).expect("in time");
        assert_eq!(String::from_utf8_lossy(&told).replace('\0', "$"), expected);
    }
}

/// A member of the lobby at the line door.
#[track_caller]
fn member(server: &Server, name: &str, enter: &str) -> Client {
    let mut client = server.bare(name);
    client.send(enter);
    client.expect("C 227 ");
    client
}

#[test]
fn guests_talk_with_accounts() {
    let server = builder().start();
    let mut one = relay(&server);
    let mut alice = server.bare("alice");
    // The room is made before anything else is read at this door, but two doors are accepted in any order.
    eventually("the guest has made the room", || {
        alice.send("JOIN lobby");
        alice.line().starts_with("C 227 ")
    });
    let mut two = relay(&server);
    alice.expect_exact("C 103 lobby ~guest2 entered");
    one.send(b"bob : hello\0");
    alice.expect_exact("C 104 lobby ~guest1 left");
    alice.expect_exact("C 103 lobby ~bob entered");
    alice.expect_exact("C 107 lobby ~bob is host now");
    alice.expect_exact("D RM lobby ~bob hello");
    two.expect("~bob : hello$");
    alice.send("RM lobby hi\tboth");
    alice.expect_exact("C 250 sent to 2");
    one.expect("alice : hi both$");
    two.expect("alice : hi both$");
    two.send(b"zoe > with lines\r\n");
    one.expect("~zoe : with lines$");
    one.send(b"bob : good\0");
    two.expect("~bob : good\r\n");
    alice.expect_exact("C 104 lobby ~guest2 left");
    alice.expect_exact("C 103 lobby ~zoe entered");
    alice.expect_exact("D RM lobby ~zoe with lines");
    alice.expect_exact("D RM lobby ~bob good");
    drop(one);
    alice.expect_exact("C 104 lobby ~bob left");
    alice.expect("C 107 lobby alice is host now");
}

#[test]
fn chunks_end_after_a_silence() {
    let server = Server::builder().listen(&["line://127.0.0.1:0", "relay://127.0.0.1:0?gap_ms=300&room=raw"]).start();
    let mut alice = member(&server, "alice", "MAKE raw");
    let mut one = relay(&server);
    alice.expect("C 103 raw ~guest1");
    one.send("no end");
    alice.expect_exact("D RM raw ~guest1 no end");
    // The pieces of a message may come one by one.
    for piece in ["a", "b", "c", "d\n"] {
        one.send(piece);
        pause(20);
    }
    alice.expect_exact("D RM raw ~guest1 abcd");
    one.send("the last");
    one.stream.shutdown(std::net::Shutdown::Write).expect("shutdown");
    alice.expect_exact("D RM raw ~guest1 the last");
    alice.expect("C 104 raw ~guest1 left");
    one.ends_with("");
}

#[test]
fn rooms_that_take_nobody_close_the_connection() {
    let server = builder().set("rooms.members", "2").start();
    let mut alice = member(&server, "alice", "MAKE lobby secret");
    relay(&server).ends_with("server : the room has a password$");
    alice.send("CLOSE lobby");
    alice.expect("C 106 ");
    alice.expect("C 200 ");
    let (mut one, two) = (relay(&server), relay(&server));
    one.send("hi\n");
    relay(&server).ends_with("server : the room is full$");
    drop(two);
    eventually("a guest has left", || {
        alice.send("JOIN lobby");
        alice.line().starts_with("C 227 ")
    });
    drop(one);
    eventually("the room is alice's", || {
        alice.send("CLOSE lobby");
        let line = alice.line();
        line.starts_with("C 106 ")
    });
}

#[test]
fn those_without_a_room_are_told_and_closed() {
    let server = builder().start();
    let mut alice = member(&server, "alice", "MAKE lobby");
    let (one, mut two) = (relay(&server), relay(&server));
    alice.expect("C 103 ");
    alice.expect("C 103 ");
    alice.send("KICK lobby ~guest1");
    one.ends_with("server : kicked$");
    two.send("x\r\n");
    alice.expect("C 104 lobby ~guest1 left: kicked");
    alice.expect("C 200 ");
    alice.expect("D RM lobby ~guest2 x");
    alice.send("CLOSE lobby");
    two.ends_with("server : the room was closed\r\n");
}

#[test]
fn an_operator_sees_them_announces_and_puts_out() {
    let server = builder().listen(&["line://127.0.0.1:0", "relay://127.0.0.1:0", "metrics://127.0.0.1:0"]).start();
    let mut alice = member(&server, "alice", "MAKE lobby");
    let (mut one, mut two) = (relay(&server), relay(&server));
    alice.expect("C 103 ");
    alice.expect("C 103 ");
    two.send("zoe : hi\r\n");
    let mut http = Http::connect(server.door("metrics"));
    let has_zoe = |http: &mut Http| http.get("/connz").body.contains("\"name\":\"~zoe\"");
    one.expect("~zoe : hi$");
    let mut desk = server.desk();
    let all = desk.ask("sessions");
    let relays: Vec<_> = all.items.iter().filter(|item| item.contains("door=relay")).collect();
    assert_eq!(relays.len(), 2, "{all:?}");
    assert!(relays.iter().any(|item| item.contains("name=~zoe") && item.contains("rooms=lobby")), "{all:?}");
    assert!(has_zoe(&mut http));
    let mut tracer = server.desk();
    tracer.send("C trace ~zoe");
    assert!(tracer.item().contains(" name=~zoe address=127.0.0.1"));
    assert_eq!(desk.ask("announce down at\tnoon").last, "250 sent to 3");
    let told = tracer.item();
    assert!(told.ends_with(r#" from=server frame="server : down at noon""#), "{told}");
    one.expect("server : down at noon$");
    two.expect("server : down at noon\r\n");
    assert!(desk.ask("kick ~zoe spam").last.starts_with("250"));
    two.ends_with("server : put out by the operator: spam\r\n");
    // Monitoring programs have an address too, and are no users.
    assert!(!desk.ask("sessions 127.0.0.1").items.iter().any(|item| item.contains("door=metrics")));
    let _ = desk.ask("kick 127.0.0.1");
    assert!(!has_zoe(&mut http));
    one.ends_with("server : put out by the operator$");
}

#[test]
fn bursts_arrive_whole() {
    let server = builder().start();
    let mut alice = member(&server, "alice", "MAKE lobby");
    let mut one = relay(&server);
    alice.expect("C 103 ");
    let burst: String = (1..=30).map(|n| format!("RM lobby {n}\n")).collect();
    alice.send_raw(burst.as_bytes());
    let strings: String = (1..=30).map(|n| format!("alice : {n}\n")).collect();
    one.expect(&format!("{}$", strings.trim_end_matches('\n')));
    one.send((1..=30).map(|n| format!("bob : {n}\0")).collect::<String>());
    alice.expect("C 250 ");
    for _ in 1..30 {
        alice.expect("C 250 ");
    }
    alice.expect("C 104 ");
    alice.expect("C 103 ");
    for n in 1..=30 {
        alice.expect_exact(&format!("D RM lobby ~bob {n}"));
    }
}

#[test]
fn a_rate_holds_and_padding_costs_nothing() {
    let server = builder().start();
    let mut alice = member(&server, "alice", "MAKE lobby");
    let mut one = relay(&server);
    alice.expect("C 103 ");
    let mut padded = b"hi".to_vec();
    padded.resize(1024, 0);
    // Forty at once are within the rate of lines, but for the bytes, of which a second's worth is allowed.
    one.send(padded.repeat(14));
    for _ in 0..14 {
        alice.expect_exact("D RM lobby ~guest1 hi");
    }
    one.send("x\n".repeat(60));
    let began = std::time::Instant::now();
    for _ in 0..60 {
        alice.expect_exact("D RM lobby ~guest1 x");
    }
    assert!(began.elapsed().as_millis() > 1_500, "{:?}", began.elapsed());
}

#[test]
fn one_that_does_not_read_is_closed_and_costs_nobody() {
    let server = builder().no_rates().set("limits.owed_bytes", "32768").start();
    let mut alice = member(&server, "alice", "MAKE lobby");
    let mut lazy = relay(&server);
    alice.expect("C 103 ");
    let mut fair = relay(&server);
    alice.expect("C 103 ");
    lazy.send("lazy : I do not read\n");
    alice.expect("C 104 lobby ~guest1 left");
    alice.expect("C 103 lobby ~lazy entered");
    alice.expect("D RM lobby ~lazy I do not read");
    fair.expect("~lazy : I do not read$");
    let reading = thread::spawn(move || {
        let (mut told, mut bytes) = (0, [0; 65_536]);
        while let Ok(count @ 1..) = std::io::Read::read(&mut fair.stream, &mut bytes) {
            told += bytes[..count].iter().filter(|byte| **byte == b'e').count();
            if bytes[..count].contains(&b'!') {
                break;
            }
        }
        told
    });
    let text = "x".repeat(4_000);
    let deadline = std::time::Instant::now() + PATIENCE;
    let mut said = 0;
    loop {
        alice.send(&format!("RM lobby {text}"));
        said += 1;
        let line = alice.line();
        if line == "C 104 lobby ~lazy left" {
            alice.expect("C 250 ");
            break;
        }
        assert!(line.starts_with("C 250 "), "{line}");
        assert!(std::time::Instant::now() < deadline, "it is not closed");
    }
    alice.send("RM lobby !");
    // Each message has the one `e` of its speaker's name.
    assert_eq!(reading.join().expect("it reads"), said + 1);
    assert!(server.log_text().contains("421 too slow: ~lazy from 127.0.0.1"), "{}", server.log_text());
}

#[test]
fn other_protocols_are_told_and_closed() {
    let server = builder().start();
    for sent in [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01", b"SSH-2.0-x\r\n"] {
        let mut one = relay(&server);
        one.send(sent);
        let mut told = Vec::new();
        std::io::Read::read_to_end(&mut one.stream, &mut told).expect("in time");
        let told = String::from_utf8(told).expect("text");
        assert!(told.starts_with("server : not a chat client"), "{told:?}");
    }
    let mut one = relay(&server);
    one.send(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c");
    one.ends_with("server : not a chat client: a PROXY header$");
}

#[test]
fn a_warning_beyond_loopback() {
    let server = Server::builder().listen(&["line://127.0.0.1:0", "relay://0.0.0.0:0"]).start();
    let line = server.wait_for_log("asks for no login");
    assert!(line.contains("WARN") && line.contains("relay://0.0.0.0:"), "{line}");
    let server = builder().start();
    assert!(!server.log_text().contains("asks for no login"));
}

/// The client of `relay.py`, ended when it is dropped.
struct Course {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Course {
    /// `None`, with a note, where there is no Python.
    fn start(server: &Server, name: &str, how: &str) -> Option<Self> {
        let addr = server.door("relay");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/relay.py");
        let child = Command::new("python3")
            .arg(path)
            .args([&addr.ip().to_string(), &addr.port().to_string(), name, how])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            eprintln!("skipped: there is no python3 here");
            return None;
        };
        let (told, lines) = mpsc::channel();
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        thread::spawn(move || stdout.lines().map_while(Result::ok).all(|line| told.send(line).is_ok()));
        let stdin = child.stdin.take();
        Some(Self { child, stdin, lines })
    }

    fn say(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("its input");
        writeln!(stdin, "{text}").and_then(|()| stdin.flush()).expect("the client reads");
    }

    #[track_caller]
    fn expect(&self, line: &str) {
        assert_eq!(self.lines.recv_timeout(PATIENCE).expect("a line from the client"), line);
    }
}

impl Drop for Course {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn two_clients_of_the_course() {
    let server = builder().no_rates().start();
    let mut alice = member(&server, "alice", "MAKE lobby");
    let Some(mut bob) = Course::start(&server, "bob", "padded") else { return };
    alice.expect("C 103 ");
    let Some(mut zoe) = Course::start(&server, "zoe", "plain") else { return };
    alice.expect("C 103 ");
    bob.say("hello");
    zoe.expect("~bob : hello");
    zoe.say("hello bob");
    bob.expect("~zoe : hello bob");
    alice.send("RM lobby both of you");
    bob.expect("alice : both of you");
    zoe.expect("alice : both of you");
    // Bursts of many writes each.
    for round in 0..5 {
        for n in 1..=30 {
            bob.say(&format!("{round} {n}"));
        }
        for n in 1..=30 {
            zoe.expect(&format!("~bob : {round} {n}"));
        }
    }
    bob.stdin = None;
    bob.expect("-- the end");
    loop {
        let line = alice.line();
        assert!(!line.contains("~bob :"), "{line}");
        if line == "C 104 lobby ~bob left" {
            break;
        }
    }
}
