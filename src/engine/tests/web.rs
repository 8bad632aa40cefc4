//! The web door: an engine with virtual sockets that are written to by hand.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;

use super::accounts::{Accounts, Shared};
use super::socket::{HANDSHAKE, WebSocket, frame, message};
use crate::close::CloseReason;
use crate::door::Door;
use crate::door::web::files::Files;
use crate::engine::pages::Piece;
use crate::engine::{
    ConnId, DatagramPlaces, Engine, Entrance, InFlight, Listening, Millis, Operators, Origin, Phase, Random, Read,
    Ready, Settings, ToAccounts, Wrote,
};
use crate::limits::{self, DISCARD_BYTES, KEEP_ALIVE_MS, Limits, STAGE_MS, WEB_ANSWER_MS, WEB_REQUESTS};

const PAGE: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A virtual socket, seen from the client.
#[derive(Debug)]
struct Wire {
    id: ConnId,
    sent: Vec<u8>,
    heard: Vec<u8>,
    socket: WebSocket,
    /// Bytes that the client still takes.
    takes: usize,
    is_finished: bool,
    /// Closed by the server; true if by a reset.
    closed: Option<bool>,
}

struct Bench {
    engine: Engine<usize>,
    wires: Vec<Wire>,
    accounts: Rc<RefCell<Accounts>>,
    now: Millis,
}

/// Throws the same dice always: nobody is shed by chance.
struct Same;

impl Random for Same {
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        bytes.fill(0xff);
        true
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Rules that hold for loopback too.
fn limits() -> Limits {
    Limits { include_loopback: true, ..Limits::default() }
}

impl Bench {
    fn new(limits: Limits) -> Self {
        let accounts = Rc::new(RefCell::new(Accounts::default()));
        let roll = Box::new(Shared(Rc::clone(&accounts)));
        let most = limits.connections as usize;
        let settings = Settings {
            limits,
            login: limits::Login::default(),
            accounts: limits::Accounts::default(),
            rooms: limits::Rooms::default(),
            web: limits::Web { names: vec!["chat.example".to_owned()], ..limits::Web::default() },
            history: None,
            stats_s: 0,
            operators: Operators::default(),
        };
        let mut engine = Engine::new(settings, most, DatagramPlaces::default(), roll, Box::new(Same));
        let names = vec!["*.certified.example".to_owned()];
        let name = "web+tls://127.0.0.1:1".to_owned();
        engine.handle_listeners(vec![Listening {
            name,
            door: "web",
            is_tls: true,
            token: None,
            not_after: None,
            names,
        }]);
        Self { engine, wires: Vec::new(), accounts, now: 1_000 }
    }

    fn connect_from(&mut self, origin: impl Into<Origin>, entrance: Entrance) -> Result<usize, String> {
        let origin = origin.into();
        self.begin();
        let place = self.wires.len();
        let admitted = self.engine.admit(origin, Door::web(0), entrance).map_err(|refusal| {
            let answer = self.engine.refuse(origin, Door::web(0), refusal, b"");
            String::from_utf8(answer).expect("text")
        })?;
        let id = admitted.id();
        self.wires.push(Wire {
            id,
            sent: vec![],
            heard: vec![],
            socket: WebSocket::default(),
            takes: usize::MAX,
            is_finished: false,
            closed: None,
        });
        self.engine.handle_accept(admitted, place);
        self.engine.handle_ready(id, Ready { is_writable: true, ..Ready::default() });
        self.end();
        Ok(place)
    }

    fn connect(&mut self, from: &str) -> usize {
        self.connect_from(ip(from), Entrance::default()).expect("admission")
    }

    fn send(&mut self, place: usize, bytes: impl AsRef<[u8]>) {
        self.wires[place].sent.extend_from_slice(bytes.as_ref());
        let id = self.wires[place].id;
        self.begin();
        self.engine.handle_ready(id, Ready { is_readable: true, ..Ready::default() });
        self.end();
        self.settle();
    }

    /// The client takes so many more bytes.
    fn let_take(&mut self, place: usize, bytes: usize) {
        self.wires[place].takes = bytes;
        let id = self.wires[place].id;
        self.begin();
        self.engine.handle_ready(id, Ready { is_writable: true, ..Ready::default() });
        self.end();
        self.settle();
    }

    fn settle(&mut self) {
        for turn in 0.. {
            if !self.engine.is_busy() {
                break;
            }
            assert!(turn < 1_000, "the engine spins");
            self.begin();
            self.end();
        }
    }

    /// Lets time pass, with a turn whenever something is due.
    fn pass(&mut self, time: Millis) {
        let until = self.now + time;
        loop {
            self.begin();
            self.end();
            self.settle();
            let due = self.engine.next_due().min(self.accounts.borrow().next_due());
            if due > until {
                break;
            }
            self.now = due.max(self.now);
        }
        self.now = until;
        self.begin();
        self.end();
    }

    fn begin(&mut self) {
        self.engine.begin_turn(self.now, 1_700_000_000_000 + self.now);
        let mut dice = testkit::Dice::of(1);
        loop {
            let answer = self.accounts.borrow_mut().poll_answer(self.now, &mut dice);
            let Some((id, verdict)) = answer else { break };
            self.engine.handle_verdict(id, verdict);
        }
        self.engine.run_timers();
        self.engine.run_closes();
        while let Some((probe, _)) = self.engine.poll_probe() {
            self.engine.handle_probe(probe, InFlight { unacknowledged: Some(0), path: None });
        }
    }

    fn end(&mut self) {
        self.engine.begin_phase(Phase::Reads);
        while let Some(to_read) = self.engine.poll_read() {
            let (id, sent) = (to_read.id, &mut self.wires[*to_read.socket].sent);
            let count = sent.len().min(to_read.room.len());
            to_read.room[..count].copy_from_slice(&sent[..count]);
            sent.drain(..count);
            let is_short = count < to_read.room.len();
            self.engine.handle_read(id, if count == 0 { Read::Nothing } else { Read::Bytes { count, is_short } });
        }
        while let Some(request) = self.engine.poll_request() {
            if let ToAccounts::Ask { id, request, .. } = request {
                let mut dice = testkit::Dice::of(1);
                let _ = self.accounts.borrow_mut().submit(id, request, self.now, &mut dice);
            }
        }
        self.engine.begin_phase(Phase::Writes);
        while let Some(to_write) = self.engine.poll_write() {
            let (id, wire) = (to_write.id, &mut self.wires[*to_write.socket]);
            let bytes = match to_write.frames {
                crate::engine::Frames::One(bytes) => bytes.to_vec(),
                crate::engine::Frames::Many(slices) => slices.iter().flat_map(|slice| slice.to_vec()).collect(),
            };
            let count = bytes.len().min(wire.takes);
            wire.heard.extend_from_slice(&bytes[..count]);
            wire.takes -= if wire.takes == usize::MAX { 0 } else { count };
            self.engine.handle_wrote(id, Wrote::Bytes { count, is_short: count < bytes.len() });
        }
        while let Some((id, place)) = self.engine.poll_finish() {
            self.wires[*place].is_finished = true;
            self.engine.handle_finished(id, crate::engine::Finished::Done);
        }
        self.engine.end_flush();
        while let Some(gone) = self.engine.poll_gone() {
            self.wires[gone.socket].closed = Some(gone.is_reset);
        }
        self.engine.rearm();
    }

    /// What a client has heard since the last time, as it came.
    fn take(&mut self, place: usize) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.wires[place].heard)).into_owned()
    }

    /// The lines that a conversation has brought since the last time.
    fn lines(&mut self, place: usize) -> String {
        let wire = &mut self.wires[place];
        let mut lines = Vec::new();
        wire.socket.read(&std::mem::take(&mut wire.heard), &mut lines);
        String::from_utf8(lines).expect("text")
    }

    /// The status of the answer to a request; 0 if there is none.
    fn status(&mut self, place: usize, request: impl AsRef<[u8]>) -> u16 {
        self.send(place, request);
        status(&self.take(place))
    }

    /// A conversation that has been greeted.
    fn talk(&mut self, from: &str) -> usize {
        let place = self.connect(from);
        self.send(place, HANDSHAKE);
        assert!(self.lines(place).starts_with("C 220 "));
        place
    }

    /// A conversation of somebody who is logged in.
    fn person(&mut self, name: &str) -> usize {
        self.accounts.borrow_mut().add(name, "password");
        let place = self.talk("198.51.100.1");
        self.send(place, message(&format!("C {name}")));
        self.send(place, message("password"));
        self.send(place, message("C password"));
        self.pass(5_000);
        assert!(self.lines(place).contains("C 230 "), "{:?}", self.wires[place]);
        place
    }

    fn is_over(&self, place: usize) -> bool {
        self.wires[place].is_finished || self.wires[place].closed.is_some()
    }

    fn closed(&self, reason: &CloseReason) -> u64 {
        self.engine.counters().closed[reason.index()]
    }
}

fn status(text: &str) -> u16 {
    text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or_default()
}

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\n{fields}\r\n")
}

#[test]
fn a_page_then_its_files_one_by_one() {
    let mut bench = Bench::new(limits());
    let browser = bench.connect("192.0.2.1");
    let files = Files::of_page();
    let script = get(&format!("/a/{}/main.js", files.hash), "Host: localhost\r\n");
    bench.send(
        browser,
        [PAGE, &script, &get("/", &format!("Host: a\r\nIf-None-Match: \"{}\"\r\n", files.hash))].concat(),
    );
    let text = bench.take(browser);
    let page = String::from_utf8_lossy(files.bytes(&files.index));
    let script = String::from_utf8_lossy(files.bytes(files.find(&files.hash, "main.js").expect("a file")));
    let parts: Vec<_> = text.split("HTTP/1.1 ").skip(1).collect();
    assert!(parts[0].starts_with("200 OK") && parts[0].ends_with(&*page), "{text}");
    assert!(parts[1].starts_with("200 OK") && parts[1].ends_with(&*script), "{text}");
    assert!(parts[2].starts_with("421 ") && parts[2].contains("web.names"), "{text}");
    let known = get("/", &format!("Host: localhost\r\nIf-None-Match: \"{}\"\r\n", files.hash));
    bench.send(browser, known);
    assert!(bench.take(browser).starts_with("HTTP/1.1 304 "));
    bench.send(browser, PAGE.replace("GET", "HEAD"));
    let text = bench.take(browser);
    assert!(text.starts_with("HTTP/1.1 200 OK") && text.ends_with("\r\n\r\n"), "{text}");
    assert_eq!(bench.engine.pages.owed_bytes(), 0);
    assert!(!bench.is_over(browser));
    bench.send(browser, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
    assert!(bench.take(browser).contains("Connection: close") && bench.is_over(browser));
}

#[test]
fn no_request_is_read_before_the_answer_was_taken() {
    let mut bench = Bench::new(limits());
    let browser = bench.connect("192.0.2.1");
    bench.wires[browser].takes = 10;
    bench.send(browser, PAGE.repeat(3));
    let conn = bench.engine.conns.iter().next().expect("the browser's");
    let page = conn.outbox.shared_pieces().next().expect("a piece").page();
    assert_eq!(page, Piece::FILES, "a file weighs nothing");
    bench.pass(10_000);
    assert_eq!((bench.take(browser).as_str(), bench.engine.counters().answers.iter().sum::<u64>()), ("HTTP/1.1 2", 1));
    bench.let_take(browser, usize::MAX);
    assert_eq!(bench.take(browser).matches("HTTP/1.1 200").count(), 2);
    assert_eq!(bench.status(browser, PAGE), 200);
}

#[test]
fn an_answer_is_taken_in_half_a_minute_however_little_is_taken_at_once() {
    let mut bench = Bench::new(limits());
    let browser = bench.connect("192.0.2.1");
    bench.wires[browser].takes = 10;
    bench.send(browser, PAGE);
    for _ in 0..WEB_ANSWER_MS / 1_000 - 1 {
        bench.let_take(browser, 1);
        bench.pass(1_000);
        assert_eq!(bench.closed(&CloseReason::TooSlow), 0);
    }
    bench.pass(2_000);
    assert_eq!(bench.closed(&CloseReason::TooSlow), 1);
    bench.pass(STAGE_MS);
    assert!(bench.wires[browser].closed.is_some());
    // Nor is there more time for the last answer.
    let browser = bench.connect("192.0.2.1");
    bench.wires[browser].takes = 10;
    bench.send(browser, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    for _ in 0..=WEB_ANSWER_MS / 1_000 {
        bench.let_take(browser, 1);
        bench.pass(1_000);
    }
    assert!(bench.wires[browser].closed.is_some());
}

#[test]
fn a_rest_is_short_and_a_hundred_requests_are_all() {
    let mut bench = Bench::new(limits());
    let (silent, browser) = (bench.connect("192.0.2.1"), bench.connect("192.0.2.1"));
    bench.pass(KEEP_ALIVE_MS - 1);
    assert!(!bench.is_over(silent));
    assert_eq!(bench.status(browser, PAGE), 200);
    bench.pass(1);
    assert!(bench.is_over(silent) && bench.take(silent).is_empty());
    bench.pass(KEEP_ALIVE_MS - 2);
    assert!(!bench.is_over(browser));
    bench.pass(1);
    assert!(bench.is_over(browser) && bench.take(browser).is_empty());
    let browser = bench.connect("192.0.2.1");
    for number in 1..=100 {
        assert!(!bench.is_over(browser), "{number}");
        assert_eq!(bench.status(browser, PAGE), 200);
    }
    assert!(bench.is_over(browser));
}

#[test]
fn a_dribbled_head_has_the_time_of_a_line() {
    let mut bench = Bench::new(limits());
    let browser = bench.connect("192.0.2.1");
    for byte in PAGE.bytes().take(29) {
        bench.send(browser, [byte]);
        bench.pass(1_000);
    }
    assert!(!bench.is_over(browser));
    bench.pass(2_000);
    assert_eq!(status(&bench.take(browser)), 400);
    assert_eq!(bench.closed(&CloseReason::LineNeverEnded), 1);
}

#[test]
fn names_and_origins() {
    let mut bench = Bench::new(limits());
    for (host, expected) in [
        ("localhost:8015", 200),
        ("127.0.0.1", 200),
        ("[::1]:8015", 200),
        ("203.0.113.5:80", 200),
        ("CHAT.example", 200),
        ("www.certified.example:443", 200),
        ("certified.example", 421),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("", 421),
    ] {
        let browser = bench.connect("192.0.2.1");
        assert_eq!(bench.status(browser, get("/", &format!("Host: {host}\r\n"))), expected, "{host}");
        bench.send(browser, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
        bench.pass(10_000);
    }
    let browser = bench.connect("192.0.2.1");
    for (origin, expected) in [("http://localhost", 200), ("http://evil.example", 403), ("null", 403)] {
        let fields = format!("Host: localhost\r\nOrigin: {origin}\r\n");
        assert_eq!(bench.status(browser, get("/", &fields)), expected, "{origin}");
    }
    let upgrade =
        String::from_utf8_lossy(HANDSHAKE).replace("Upgrade: web", "Origin: http://evil.example\r\nUpgrade: web");
    assert_eq!(bench.status(browser, upgrade), 403);
    assert_eq!(bench.status(browser, get("/ws", "Host: localhost\r\n")), 426);
}

#[test]
fn an_address_has_a_number_of_requests_and_of_conversations() {
    let mut bench = Bench::new(limits());
    let mut browser = bench.connect("192.0.2.1");
    for number in 1..=WEB_REQUESTS {
        assert_eq!(bench.status(browser, PAGE), 200, "{number}");
        if bench.is_over(browser) {
            browser = bench.connect("192.0.2.1");
        }
    }
    assert_eq!(bench.status(browser, PAGE), 429);
    let other = bench.connect("192.0.2.2");
    assert_eq!(bench.status(other, PAGE), 200);
    bench.pass(3_000);
    assert_eq!(bench.status(browser, PAGE), 200);
    // A conversation is charged as a new connection.
    let mut bench = Bench::new(Limits { per_address: 100, new_per_address: 3, ..limits() });
    let fetching: Vec<_> = (0..10).map(|_| bench.connect("192.0.2.1")).collect();
    let codes: Vec<_> = fetching.iter().map(|place| bench.status(*place, HANDSHAKE)).collect();
    assert_eq!(codes, [101, 101, 101, 429, 429, 429, 429, 429, 429, 429]);
    // Those that fetch count while they are open.
    let mut bench = Bench::new(Limits { per_address: 3, ..limits() });
    let places: Vec<_> = (0..3).map(|_| bench.connect("192.0.2.1")).collect();
    let refused = bench.connect_from(ip("192.0.2.1"), Entrance::default()).expect_err("one too many");
    assert_eq!(status(&refused), 429);
    assert_eq!(bench.status(places[0], HANDSHAKE), 101);
    bench.pass(KEEP_ALIVE_MS + 10_000);
    assert_eq!((bench.engine.gate.addresses.open(), bench.is_over(places[1])), (1, true));
}

#[test]
fn proxies_name_the_client_of_each_request() {
    let proxies = vec!["10.0.0.0/8".parse().expect("a network")];
    let mut bench = Bench::new(Limits { proxies, new_per_address: 2, ..limits() });
    let proxy = bench.connect("10.0.0.1");
    let asking = |fields: &str| get("/", &format!("Host: localhost\r\n{fields}"));
    assert_eq!(bench.status(proxy, asking("")), 400);
    assert_eq!(bench.status(proxy, asking("X-Forwarded-For: nobody\r\n")), 400);
    for _ in 0..2 {
        let places: Vec<_> = (0..3).map(|_| bench.connect("10.0.0.1")).collect();
        for place in &places {
            for _ in 0..43 {
                bench.status(*place, asking("X-Forwarded-For: 1.1.1.1, 192.0.2.1, 10.0.0.7\r\n"));
            }
        }
    }
    let spent = bench.status(proxy, asking("X-Forwarded-For: 1.1.1.1, 192.0.2.1, 10.0.0.7\r\n"));
    let other = bench.status(proxy, asking("X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\n"));
    assert_eq!((spent, other), (429, 200), "the rightmost that is no proxy is the client");
    assert_eq!(bench.engine.gate.addresses.open(), 0, "a proxy counts for nobody");
    // From others the field says nothing.
    let liar = bench.connect("192.0.2.9");
    assert_eq!(bench.status(liar, asking("X-Forwarded-For: nobody\r\n")), 200);
    // The upgrade names the client for good.
    let upgrade = |client: &str| {
        String::from_utf8_lossy(HANDSHAKE)
            .replace("Upgrade: web", &format!("X-Forwarded-For: {client}\r\nUpgrade: web"))
    };
    let codes = [(); 3].map(|()| {
        let place = bench.connect("10.0.0.1");
        bench.status(place, upgrade("192.0.2.77"))
    });
    assert_eq!((codes, bench.engine.gate.addresses.open()), ([101, 101, 429], 3), "the liar and two");
    let origins: Vec<_> = bench.engine.conns.iter().map(|conn| conn.origin).collect();
    assert!(origins.contains(&Origin::Learnt(ip("192.0.2.77"))), "{origins:?}");
    // A proxy that listens for both families names IPv4 clients so.
    let place = bench.connect("10.0.0.1");
    assert_eq!(bench.status(place, upgrade("::ffff:192.0.2.77")), 429);
    assert_eq!(bench.status(place, upgrade("::ffff:192.0.2.78")), 101);
    let origins: Vec<_> = bench.engine.conns.iter().map(|conn| conn.origin).collect();
    assert!(origins.contains(&Origin::Learnt(ip("192.0.2.78"))), "{origins:?}");
    // An address that was learnt is never exempt; one at a Unix socket is, if nobody names it.
    let mut bench = Bench::new(Limits { new_per_address: 1, ..Limits::default() });
    let unix = |bench: &mut Bench, request: &str| {
        let place = bench.connect_from(Origin::Unix, Entrance::default()).expect("admission");
        bench.status(place, request)
    };
    let plain = String::from_utf8_lossy(HANDSHAKE).into_owned();
    assert_eq!([(); 3].map(|()| unix(&mut bench, &plain)), [101; 3]);
    assert_eq!([(); 2].map(|()| unix(&mut bench, &upgrade("127.0.0.1"))), [101, 429]);
}

#[test]
fn who_a_proxy_header_names_is_the_client() {
    let proxies = vec!["10.0.0.0/8".parse().expect("a network")];
    let mut bench = Bench::new(Limits { proxies, ..limits() });
    let place = bench.connect_from(ip("10.0.0.1"), Entrance { takes_proxy: true, is_tls: false }).expect("admission");
    let id = bench.wires[place].id;
    bench.begin();
    bench.engine.on_named(id, Some(ip("10.0.0.99")));
    bench.end();
    assert_eq!(bench.engine.gate.addresses.open(), 1);
    assert_eq!(bench.status(place, get("/", "Host: localhost\r\n")), 200, "no field is needed");
    assert_eq!(bench.status(place, HANDSHAKE), 101);
    assert_eq!(bench.engine.gate.addresses.open(), 1);
}

#[test]
fn a_conversation_has_its_login_deadline_from_the_upgrade_and_is_silent_until_its_first_line() {
    let mut bench = Bench::new(limits());
    let place = bench.connect("192.0.2.1");
    assert_eq!(bench.engine.gate.silent, 1);
    for _ in 0..8 {
        bench.pass(10_000);
        assert_eq!(bench.status(place, PAGE), 200);
    }
    assert_eq!(bench.engine.gate.silent, 0);
    bench.send(place, HANDSHAKE);
    assert_eq!(bench.engine.gate.silent, 1);
    bench.pass(59_000);
    assert!(bench.lines(place).starts_with("C 220 ") && !bench.is_over(place));
    bench.pass(2_000);
    assert_eq!(bench.lines(place), "C 421 login took too long\n");
    assert_eq!(bench.wires[place].socket.code, Some(1008));
    bench.pass(10_000);
    assert_eq!((bench.engine.gate.silent, bench.engine.gate.addresses.open()), (0, 0));
}

#[test]
fn a_ping_after_silence_and_none_before() {
    let mut bench = Bench::new(limits());
    let (alice, bob) = (bench.person("alice"), bench.person("bob"));
    bench.pass(39_000);
    bench.lines(bob);
    assert_eq!(bench.wires[bob].socket.pings, 0);
    bench.send(alice, message("C PM hello"));
    bench.pass(44_000);
    let heard = bench.lines(bob);
    assert!(heard.starts_with("D PM ") && heard.ends_with(" alice hello\n"), "{heard}");
    assert_eq!(bench.wires[bob].socket.pings, 0, "the message was a write");
    bench.pass(91_000);
    bench.lines(bob);
    assert_eq!(bench.wires[bob].socket.pings, 3);
    let mut settings = bench.engine.settings().clone();
    settings.web.ping_s = 0;
    bench.engine.handle_settings(settings, 100);
    bench.pass(200_000);
    bench.lines(bob);
    assert_eq!(bench.wires[bob].socket.pings, 3);
}

#[test]
fn long_messages_are_refused_by_their_length() {
    let mut bench = Bench::new(limits());
    let alice = bench.person("alice");
    bench.send(alice, message(&format!("C PM {}", "x".repeat(4_200))));
    assert!(bench.lines(alice).starts_with("C 500 line too long; at most 4096 bytes"));
    for part in 0..5 {
        bench.send(alice, frame(if part == 0 { 0x01 } else { 0x00 }, &[b'x'; 1_000]));
    }
    bench.send(alice, frame(0x80, b"x"));
    bench.pass(2_000);
    assert!(bench.lines(alice).starts_with("C 500 "));
    bench.send(alice, message("C NOOP"));
    assert!(bench.lines(alice).starts_with("C 200"));
    bench.send(alice, frame(0x01, &vec![b'x'; DISCARD_BYTES - 1]));
    bench.pass(10_000);
    bench.send(alice, frame(0x00, b"xx"));
    bench.pass(10_000);
    assert_eq!((bench.lines(alice).as_str(), bench.wires[alice].socket.code), ("C 421 line never ended\n", Some(1009)));
}

#[test]
fn fragments_without_end_and_pings_without_end() {
    let mut bench = Bench::new(limits());
    let (alice, bob) = (bench.person("alice"), bench.person("bob"));
    bench.lines(alice);
    bench.send(alice, frame(0x01, b""));
    for _ in 0..29 {
        bench.send(alice, frame(0x00, b""));
        bench.send(alice, frame(0x89, b"hm"));
        bench.pass(1_000);
    }
    assert!(!bench.is_over(alice));
    bench.pass(2_000);
    assert_eq!(bench.lines(alice), "C 421 line never ended\n");
    assert_eq!(bench.wires[alice].socket.code, Some(1009));
    // A ping counts as a line.
    let lines = bench.engine.counters().lines;
    bench.send(bob, frame(0x89, b"?").repeat(1_000));
    bench.pass(10_000);
    let pings = bench.engine.counters().lines - lines;
    assert!((100..=150).contains(&pings), "{pings}");
    let stranger = bench.talk("192.0.2.50");
    bench.send(stranger, frame(0x89, b"?").repeat(40));
    assert_eq!(bench.lines(stranger), "C 421 too many failures\n");
}

#[test]
fn both_ends_say_why() {
    let mut bench = Bench::new(limits());
    for (bytes, code, last) in [
        (frame(0x88, &1001_u16.to_be_bytes()), 1001, ""),
        (frame(0x88, b""), 1000, ""),
        (message("C EX"), 1000, "C 221 bye\n"),
        (frame(0x82, b"C EX"), 1003, "C 421 bad WebSocket frame\n"),
        (message("C EX")[..6].to_vec(), 1000, ""),
        (vec![0x81, 0x04, b'C', b' ', b'E', b'X'], 1002, "C 421 bad WebSocket frame\n"),
        (frame(0x81, b"\xff"), 1007, "C 421 bad WebSocket frame\n"),
    ] {
        let place = bench.talk("192.0.2.1");
        bench.send(place, bytes);
        if code == 1000 && !bench.is_over(place) {
            let id = bench.wires[place].id;
            bench.begin();
            bench.engine.leave(id); // the end of its stream
            bench.end();
        }
        assert_eq!((bench.lines(place).as_str(), bench.wires[place].socket.code), (last, Some(code)));
        bench.pass(30_000);
        assert!(bench.wires[place].closed.is_some(), "who never answers is ended");
    }
    let place = bench.talk("192.0.2.1");
    bench.engine.handle_stop();
    bench.pass(1_000);
    assert!(bench.lines(place).starts_with("C 421 shutting down"));
    assert_eq!(bench.wires[place].socket.code, Some(1001));
}

#[test]
fn a_slow_reader_is_cut_between_two_frames() {
    let mut bench = Bench::new(Limits { rate_lines_per_s: 0, rate_bytes_per_s: 0, ..limits() });
    let (alice, bob) = (bench.person("alice"), bench.person("bob"));
    bench.lines(bob);
    bench.wires[bob].takes = 7;
    while bench.closed(&CloseReason::TooSlow) == 0 {
        bench.send(alice, message(&format!("C PM {}", "y".repeat(1_000))));
        bench.pass(50);
        bench.lines(alice);
    }
    bench.let_take(bob, usize::MAX);
    let heard = bench.lines(bob);
    assert!(heard.ends_with("C 421 too slow\n") && heard.lines().count() == 2, "{}", heard.len());
    assert!(bench.wires[bob].socket.is_whole() && bench.wires[bob].socket.code == Some(1013));
}

#[test]
fn five_hundred_who_dribble_disturb_nobody() {
    let mut bench = Bench::new(Limits { per_address: 1_000, ..limits() });
    let (alice, bob) = (bench.person("alice"), bench.person("bob"));
    let crowd: Vec<_> =
        (0..500).map(|number| bench.connect(&format!("203.0.{}.{}", number / 100, number % 100))).collect();
    for (number, place) in crowd.iter().enumerate().filter(|(number, _)| number % 2 == 0) {
        if number % 4 == 0 {
            bench.send(*place, HANDSHAKE);
        }
    }
    let line = message("C nobody in particular");
    for (round, byte_of_head) in HANDSHAKE.iter().enumerate().take(70) {
        for (number, place) in crowd.iter().enumerate() {
            if !bench.is_over(*place) {
                let byte = if number % 4 == 0 { line[round % 25] } else { *byte_of_head };
                bench.send(*place, [byte]);
            }
        }
        bench.send(alice, message("C PM hello"));
        assert!(bench.lines(bob).contains(" alice hello\n"), "{round}");
        bench.pass(1_000);
        bench.lines(alice);
    }
    bench.pass(20_000);
    assert!(crowd.iter().all(|place| bench.is_over(*place)));
    assert_eq!(bench.engine.counters().panics, 0);
}

#[test]
fn a_conversation_is_a_typed_one_and_a_long_reply_is_several_messages() {
    let mut bench = Bench::new(limits());
    let alice = bench.person("alice");
    bench.send(alice, message("C WANT own"));
    assert!(bench.lines(alice).starts_with("C 200 own"), "as a program of the line door");
    bench.send(alice, message("C HELP"));
    let help = bench.lines(alice);
    assert!(help.lines().count() > 10 && help.lines().last().is_some_and(|line| line.starts_with("C 214 ")), "{help}");
}

#[test]
fn who_only_fetches_gives_way_on_a_full_server() {
    let limits = Limits { connections: 8, include_loopback: false, ..Limits::default() };
    let mut bench = Bench::new(limits);
    let person = bench.person("alice");
    let talking = bench.talk("192.0.2.200");
    let silent = bench.connect("192.0.2.201");
    let hoarded: Vec<_> = (0..5).map(|number| bench.connect(&format!("192.0.2.{number}"))).collect();
    for place in &hoarded {
        bench.now += 10;
        assert_eq!(bench.status(*place, PAGE), 200);
    }
    bench.send(hoarded[3], "GET / HT");
    bench.wires[hoarded[4]].takes = 0;
    bench.send(hoarded[4], PAGE);
    // The longest rest first; nobody who talks, or is only beginning.
    let mut newcomers = Vec::new();
    for gone in &hoarded[..3] {
        newcomers.push(bench.connect_from(ip("198.51.100.7"), Entrance::default()).expect("room"));
        assert_eq!(bench.wires[*gone].closed, Some(true));
    }
    assert!(bench.connect_from(ip("198.51.100.7"), Entrance::default()).is_err(), "the others are busy");
    // Nobody keeps a place by a half request, or by an answer that he does not take.
    bench.pass(6_000);
    newcomers.push(bench.connect_from(ip("198.51.100.7"), Entrance::default()).expect("room"));
    newcomers.push(bench.connect_from(ip("198.51.100.7"), Entrance::default()).expect("room"));
    assert!(bench.wires[hoarded[3]].closed == Some(true) && bench.wires[hoarded[4]].closed == Some(true));
    assert!(bench.connect_from(ip("198.51.100.7"), Entrance::default()).is_err(), "all others talk, or are silent");
    for place in [person, talking, silent].into_iter().chain(newcomers) {
        assert!(!bench.is_over(place), "{place}");
    }
}
