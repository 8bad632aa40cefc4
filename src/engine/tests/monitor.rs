//! Monitoring programs, and degraded parts: an engine with virtual sockets that are written to by hand.

use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use super::accounts::{Accounts, Shared};
use crate::close::CloseReason;
use crate::door::Door;
use crate::engine::{
    ConnId, DatagramPlaces, Engine, Entrance, InFlight, Listening, Millis, Operators, Outside, Part, Phase, Process,
    Random, Read, Ready, Settings, State, ToAccounts, Wrote,
};
use crate::limits::{
    self, DEGRADED_ENDS_MS, KEEP_ALIVE_MS, LINGER_MS, Limits, METRICS_CONNECTIONS, METRICS_EXCHANGE_MS,
};
use crate::secret::Secret;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
const READY: &str = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";
const METRICS: &str = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A virtual socket, seen from the client.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) id: ConnId,
    sent: Vec<u8>,
    heard: Vec<u8>,
    /// Bytes that the client still takes.
    takes: usize,
    is_finished: bool,
    /// Closed by the server; true if by a reset.
    closed: Option<bool>,
}

pub(super) struct Bench {
    pub(super) engine: Engine<usize>,
    pub(super) wires: Vec<Wire>,
    accounts: Rc<RefCell<Accounts>>,
    now: Millis,
}

struct Same;

impl Random for Same {
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        bytes.fill(7);
        true
    }
}

fn settings(limits: Limits) -> Settings {
    Settings {
        limits,
        login: limits::Login::default(),
        accounts: limits::Accounts::default(),
        rooms: limits::Rooms::default(),
        history: None,
        stats_s: 0,
        web: limits::Web::default(),
        operators: Operators::default(),
    }
}

impl Bench {
    pub(super) fn new(limits: Limits) -> Self {
        let accounts = Rc::new(RefCell::new(Accounts::default()));
        let roll = Box::new(Shared(Rc::clone(&accounts)));
        let most = limits.connections as usize;
        let mut engine = Engine::new(settings(limits), most, DatagramPlaces::default(), roll, Box::new(Same));
        engine.handle_listeners(vec![listening(None)]);
        Self { engine, wires: Vec::new(), accounts, now: 1_000 }
    }

    pub(super) fn connect(&mut self, door: Door) -> Result<usize, String> {
        self.begin();
        let place = self.wires.len();
        let admitted = self.engine.admit(HERE, door, Entrance::default()).map_err(|refusal| {
            let answer = self.engine.refuse(HERE, Door::metrics(0), refusal, b"");
            String::from_utf8(answer).unwrap()
        })?;
        let id = admitted.id();
        self.wires.push(Wire { id, sent: vec![], heard: vec![], takes: usize::MAX, is_finished: false, closed: None });
        self.engine.handle_accept(admitted, place);
        self.engine.handle_ready(id, Ready { is_writable: true, ..Ready::default() });
        self.end();
        Ok(place)
    }

    fn monitor(&mut self) -> usize {
        self.connect(Door::metrics(0)).unwrap()
    }

    /// Somebody who is logged in by the line door.
    pub(super) fn person(&mut self, name: &str) -> usize {
        self.accounts.borrow_mut().add(name, "password");
        let place = self.connect(Door::line()).unwrap();
        self.send(place, &format!("C {name}\nD password\n"));
        for _ in 0..50 {
            self.pass(100);
        }
        assert!(self.take(place).contains("C 230 "), "{:?}", self.wires[place]);
        place
    }

    pub(super) fn send(&mut self, place: usize, text: &str) {
        self.wires[place].sent.extend_from_slice(text.as_bytes());
        let id = self.wires[place].id;
        self.begin();
        self.engine.handle_ready(id, Ready { is_readable: true, ..Ready::default() });
        self.end();
        while self.engine.is_busy() {
            self.begin();
            self.end();
        }
    }

    /// Lets time pass, with a turn whenever something is due.
    pub(super) fn pass(&mut self, time: Millis) {
        let until = self.now + time;
        loop {
            self.begin();
            self.end();
            if self.engine.is_busy() {
                continue;
            }
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
        if self.engine.wants_figures() {
            self.engine.handle_figures(&Outside::default(), Some(&Process::default()));
        }
        self.engine.begin_phase(Phase::Writes);
        while let Some(to_write) = self.engine.poll_write() {
            let (id, wire) = (to_write.id, &mut self.wires[*to_write.socket]);
            let count = to_write.frames.len().min(wire.takes);
            let bytes = match to_write.frames {
                crate::engine::Frames::One(bytes) => bytes.to_vec(),
                crate::engine::Frames::Many(slices) => slices.iter().flat_map(|slice| slice.to_vec()).collect(),
            };
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

    /// What a client has heard since the last time.
    pub(super) fn take(&mut self, place: usize) -> String {
        String::from_utf8(std::mem::take(&mut self.wires[place].heard)).unwrap()
    }

    /// The status code and the body of the answer to a request.
    fn ask(&mut self, place: usize, request: &str) -> (u16, String) {
        self.send(place, request);
        let text = self.take(place);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        (head[9..12].parse().unwrap(), body.to_owned())
    }

    fn is_over(&self, place: usize) -> bool {
        self.wires[place].is_finished || self.wires[place].closed.is_some()
    }

    fn names(&self) -> Vec<&'static str> {
        self.engine.degraded().map(|shown| shown.part.name()).collect()
    }
}

fn listening(token: Option<&str>) -> Listening {
    let token = token.map(|token| Secret::new(token.as_bytes().to_vec()));
    let name = "metrics://127.0.0.1:9100".to_owned();
    Listening { name, door: "metrics", is_tls: false, token, not_after: None, names: Vec::new() }
}

#[test]
fn health_readiness_figures_connections() {
    let mut bench = Bench::new(Limits::default());
    bench.person("alice");
    let monitor = bench.monitor();
    assert_eq!(bench.ask(monitor, HEALTH), (200, "ok\n".to_owned()));
    assert_eq!(bench.ask(monitor, READY), (200, "ready\n".to_owned()));
    let (code, text) = bench.ask(monitor, METRICS);
    assert_eq!(code, 200);
    for line in [
        "chatd_online 1",
        "chatd_connections{door=\"line\",tls=\"false\"} 1",
        "chatd_connections{door=\"metrics\",tls=\"false\"} 1",
        "chatd_accepted_total{door=\"line\",tls=\"false\"} 1",
        "chatd_http_requests_total{code=\"200\"} 2",
        "chatd_degraded{part=\"memory\"} 0",
        "chatd_reload_ok 1",
        "process_cpu_seconds_total 0.000",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    let (_, json) = bench.ask(monitor, "GET /connz?sort=since HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let list: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    assert_eq!((list[0]["name"].as_str(), list[1]["name"].as_str()), (Some("alice"), None), "{json}");
    assert_eq!((list[0]["door"].as_str(), list[1]["door"].as_str()), (Some("line"), Some("metrics")), "{json}");
    let (_, json) = bench.ask(monitor, "GET /connz?limit=1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&json).unwrap().len(), 1);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let mut bench = Bench::new(Limits::default());
    let monitor = bench.monitor();
    bench.send(
        monitor,
        &[METRICS, HEALTH, READY, METRICS, "BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n", HEALTH].concat(),
    );
    let text = bench.take(monitor);
    let answers: Vec<&str> = text.split("HTTP/1.1 ").skip(1).collect();
    let ends: Vec<&str> = answers.iter().map(|answer| answer.rsplit("\n").nth(1).unwrap()).collect();
    assert_eq!(answers.len(), 6, "{text}");
    assert!(ends[0].starts_with("process_") && ends[3].starts_with("process_"), "{ends:?}");
    assert_eq!((ends[1], ends[2], ends[4], ends[5]), ("ok", "ready", "only GET and HEAD", "ok"));
}

#[test]
fn a_hundred_requests_and_no_more() {
    let mut bench = Bench::new(Limits::default());
    let monitor = bench.monitor();
    bench.send(monitor, &HEALTH.repeat(150));
    assert_eq!(bench.take(monitor).matches("HTTP/1.1 200 OK").count(), 100);
    assert!(bench.is_over(monitor));
}

#[test]
fn with_a_token_only_the_first_two_are_for_everybody() {
    let mut bench = Bench::new(Limits::default());
    bench.engine.handle_listeners(vec![listening(Some("0123456789abcdef"))]);
    let monitor = bench.monitor();
    let with = |path: &str, token: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: chat.example\r\nAuthorization: Bearer {token}\r\n\r\n")
    };
    for (request, code) in [
        (HEALTH.to_owned(), 200),
        (READY.to_owned(), 200),
        (METRICS.to_owned(), 401),
        ("GET /connz HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 401),
        (with("/metrics", "0123456789abcdef"), 200),
        (with("/connz", "0123456789abcdef"), 200),
        (with("/metrics", "0123456789abcdeg"), 401),
        (with("/metrics", "0123456789abcde"), 401),
        (with("/metrics", "0123456789abcdeff"), 401),
        (with("/metrics", ""), 401),
    ] {
        assert_eq!(bench.ask(monitor, &request).0, code, "{request}");
    }
    bench.engine.handle_listeners(vec![listening(Some("another token of 24 b"))]);
    assert_eq!(bench.ask(monitor, &with("/metrics", "0123456789abcdef")).0, 401, "read again");
    bench.engine.handle_listeners(vec![listening(None)]);
    assert_eq!(bench.ask(monitor, &with("/metrics", "0123456789abcdef")).0, 421, "no name without a token");
}

#[test]
fn who_asks_nothing_or_dribbles_is_closed_after_ten_seconds() {
    let mut bench = Bench::new(Limits::default());
    let (silent, dribbling) = (bench.monitor(), bench.monitor());
    for _ in 0..9 {
        bench.send(dribbling, "G");
        bench.pass(1_000);
    }
    assert!(!bench.is_over(silent) && !bench.is_over(dribbling));
    bench.pass(METRICS_EXCHANGE_MS - 9_000 + 1);
    assert!(bench.is_over(silent) && bench.is_over(dribbling));
    assert_eq!(bench.take(silent), "");
    assert!(bench.take(dribbling).starts_with("HTTP/1.1 400 "));
    bench.pass(LINGER_MS + 1_000);
    assert!(bench.wires.iter().all(|wire| wire.closed.is_some()), "{:?}", bench.wires);
}

#[test]
fn a_later_request_has_ten_seconds_too_and_a_rest_has_fifteen() {
    let mut bench = Bench::new(Limits::default());
    let (resting, dribbling) = (bench.monitor(), bench.monitor());
    assert_eq!((bench.ask(resting, HEALTH).0, bench.ask(dribbling, HEALTH).0), (200, 200));
    bench.pass(14_000);
    assert_eq!(bench.ask(resting, HEALTH).0, 200);
    bench.send(dribbling, "GET /");
    bench.pass(METRICS_EXCHANGE_MS - 1);
    assert!(!bench.is_over(dribbling));
    bench.pass(2);
    assert!(bench.is_over(dribbling) && bench.take(dribbling).starts_with("HTTP/1.1 400 "));
    bench.pass(KEEP_ALIVE_MS - METRICS_EXCHANGE_MS - 2);
    assert!(!bench.is_over(resting));
    bench.pass(2);
    assert!(bench.is_over(resting));
    assert_eq!((bench.take(resting), bench.engine.counters().closed[CloseReason::TooSlow.index()]), (String::new(), 0));
}

#[test]
fn a_scraper_that_never_reads_is_closed() {
    let mut bench = Bench::new(Limits::default());
    let (open, pipelining) = (bench.monitor(), bench.monitor());
    bench.wires[open].takes = 100;
    bench.wires[pipelining].takes = 100;
    bench.send(open, METRICS);
    bench.send(pipelining, &METRICS.repeat(90));
    let owed = bench.engine.pages.owed_bytes();
    assert!(owed < 256 * 1024, "{owed} bytes wait for two that do not read");
    bench.pass(METRICS_EXCHANGE_MS + 100);
    bench.pass(6_000);
    assert!(bench.wires.iter().all(|wire| wire.closed == Some(true)), "{:?}", bench.wires);
    assert_eq!(bench.engine.pages.owed_bytes(), 0);
    // One that has asked for its last answer has no longer either.
    let last = bench.monitor();
    bench.wires[last].takes = 100;
    bench.send(last, "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n");
    bench.pass(METRICS_EXCHANGE_MS + 1);
    assert_eq!(bench.wires[last].closed, Some(true));
}

#[test]
fn sixteen_places_and_a_resting_connection_gives_its_own_up() {
    let mut bench = Bench::new(Limits { connections: 1, ..Limits::default() });
    bench.person("alice");
    let monitors: Vec<usize> = (0..METRICS_CONNECTIONS).map(|_| bench.monitor()).collect();
    let refusal = bench.connect(Door::metrics(0)).unwrap_err();
    assert!(refusal.starts_with("HTTP/1.1 503 ") && refusal.ends_with("\r\n\r\nserver full\n"), "{refusal}");
    bench.ask(monitors[3], HEALTH);
    bench.pass(10);
    bench.ask(monitors[1], HEALTH);
    let newcomer = bench.monitor();
    assert_eq!((bench.wires[monitors[3]].closed, bench.wires[monitors[1]].closed), (Some(true), None));
    assert_eq!(bench.ask(newcomer, HEALTH).0, 200);
    bench.send(monitors[1], "GET /");
    bench.monitor(); // in the place of the last newcomer
    assert!(bench.wires[newcomer].closed.is_some());
    assert!(bench.connect(Door::metrics(0)).is_err(), "the others are about to ask");
    bench.pass(METRICS_EXCHANGE_MS + LINGER_MS + 1_000);
    assert!((0..METRICS_CONNECTIONS).all(|_| bench.connect(Door::metrics(0)).is_ok()));
}

#[test]
fn a_full_server_is_seen_and_is_not_ready() {
    let mut bench = Bench::new(Limits { connections: 2, ..Limits::default() });
    bench.person("alice");
    let monitor = bench.monitor();
    assert_eq!(bench.ask(monitor, READY).0, 200);
    let bob = bench.person("bob");
    let (code, text) = bench.ask(monitor, READY);
    let expected = "not ready\nfull: limits.connections are open; new connections are refused; since 20";
    assert!(code == 503 && text.starts_with(expected) && text.ends_with("Z\n"), "{text}");
    assert!(bench.connect(Door::line()).is_err());
    bench.send(bob, "C EX\n");
    bench.pass(LINGER_MS + 1_000);
    let monitor = bench.monitor();
    assert_eq!(bench.ask(monitor, READY).0, 503, "it has been well for a moment only");
    bench.pass(DEGRADED_ENDS_MS + 1_500);
    assert_eq!(bench.ask(monitor, READY), (200, "ready\n".to_owned()));
}

#[test]
fn what_fails_beside_the_door_is_a_line_and_the_server_is_ready() {
    let mut bench = Bench::new(Limits::default());
    let monitor = bench.monitor();
    bench.engine.handle_part(Part::AccountsReadOnly, State::Ill("no space".into()));
    let expected = "ready\naccounts read-only: no space; registering and PASSWD are answered 450; since 20";
    let (code, text) = bench.ask(monitor, READY);
    assert!(code == 200 && text.starts_with(expected), "{text}");
    bench.engine.handle_part(Part::Descriptors, State::Ill("too many open files".into()));
    assert_eq!(bench.ask(monitor, READY).0, 503);
    let (_, text) = bench.ask(monitor, METRICS);
    assert!(text.contains("chatd_degraded{part=\"accounts read-only\"} 1\n"), "{text}");
    assert!(text.contains("chatd_degraded{part=\"descriptors\"} 1\n"), "{text}");
}

#[test]
fn a_stopping_server_says_so_until_the_last_has_left() {
    let mut bench = Bench::new(Limits::default());
    let alice = bench.person("alice");
    let (monitor, other) = (bench.monitor(), bench.monitor());
    bench.wires[alice].takes = 0;
    bench.begin();
    bench.engine.handle_stop();
    bench.end();
    assert!(!bench.engine.is_over());
    assert_eq!(bench.ask(monitor, READY), (503, "not ready\nstopping: the server is shutting down\n".to_owned()));
    assert_eq!(bench.take(other), "", "an answer that nobody has asked for");
    assert!(bench.connect(Door::metrics(0)).is_ok());
    bench.pass(limits::CLOSE_MS + 10);
    assert!(bench.engine.is_over(), "it does not wait for monitoring programs");
}

#[test]
fn a_server_without_its_account_thread_is_not_healthy() {
    let mut bench = Bench::new(Limits::default());
    let alice = bench.person("alice");
    let monitor = bench.monitor();
    bench.wires[alice].takes = 0;
    bench.begin();
    bench.engine.handle_accounts_lost();
    bench.end();
    assert_eq!((bench.ask(monitor, HEALTH).0, bench.ask(monitor, READY).0), (503, 503));
}

#[test]
fn people_hear_of_what_they_would_notice_and_of_nothing_else() {
    let mut bench = Bench::new(Limits::default());
    let (alice, stranger) = (bench.person("alice"), bench.connect(Door::line()).unwrap());
    bench.take(stranger);
    for part in Part::ALL.into_iter().filter(|part| *part != Part::HistoryBroken) {
        bench.engine.handle_part(part, State::Ill("a reason".into()));
    }
    bench.pass(100);
    assert_eq!(bench.take(alice), "");
    for _ in 0..3 {
        bench.engine.handle_part(Part::HistoryBroken, State::Ill("a reason".into()));
        bench.pass(100);
    }
    assert_eq!(bench.take(alice), "C 100 messages are not being stored at the moment; they are delivered as always\n");
    bench.engine.handle_part(Part::HistoryBroken, State::Well);
    bench.pass(DEGRADED_ENDS_MS + 10);
    assert_eq!(bench.take(alice), "", "not within a minute");
    bench.pass(60_000);
    assert_eq!(bench.take(alice), "C 100 messages are being stored again\n");
    assert_eq!(bench.take(stranger), "C 421 login took too long\n");
}

#[test]
fn an_overloaded_server_has_short_lists_and_goes_on() {
    let mut bench = Bench::new(Limits::default());
    let alice = bench.person("alice");
    for n in 0..30 {
        bench.send(alice, &format!("C MAKE room{n}\n"));
        bench.pass(1_000);
    }
    let list = |bench: &mut Bench| {
        bench.take(alice);
        bench.send(alice, "C ROOMS\n");
        let count = bench.take(alice).lines().count();
        bench.pass(1_000);
        count
    };
    assert_eq!(list(&mut bench), 31);
    for second in 0..12 {
        assert_eq!(bench.names(), if second < 10 { vec![] } else { vec!["overloaded"] }, "{second}");
        bench.engine.note_turn(std::time::Duration::from_millis(51));
        bench.pass(1_000);
    }
    assert_eq!(list(&mut bench), 21);
    bench.person("bob"); // newcomers are not refused
    bench.take(alice);
    let carol = bench.person("carol");
    bench.send(carol, "C PM hello\n");
    let heard = bench.take(alice);
    assert!(heard.contains(" carol hello\n"), "{heard}");
    bench.pass(DEGRADED_ENDS_MS);
    assert!(bench.names().is_empty());
    assert_eq!(list(&mut bench), 31);
}

#[test]
fn when_memory_is_short_who_holds_most_of_it_has_a_second() {
    let limits = Limits { owed_total_bytes: 900_000, rate_lines_per_s: 0, rate_bytes_per_s: 0, ..Limits::default() };
    let mut bench = Bench::new(limits);
    let (alice, small) = (bench.person("alice"), bench.person("small"));
    let large: Vec<usize> = (0..6).map(|n| bench.person(&format!("large{n}"))).collect();
    large.iter().chain([&small]).for_each(|place| bench.wires[*place].takes = 0);
    let text = "x".repeat(4_000);
    let say = |bench: &mut Bench, to: &str, times: usize| {
        for _ in 0..times {
            bench.send(alice, &format!("C DM {to} {text}\n"));
            bench.pass(45);
        }
    };
    let too_slow = |bench: &Bench| bench.engine.counters().closed[CloseReason::TooSlow.index()];
    say(&mut bench, "small", 5);
    (0..5).for_each(|n| {
        say(&mut bench, &format!("large{n}"), 17);
    });
    bench.pass(1_000);
    assert_eq!((bench.names(), too_slow(&bench)), (vec![], 0), "they may owe as much for ten seconds");
    say(&mut bench, "large5", 17);
    let owed = bench.engine.pages.owed_bytes();
    assert_eq!((bench.names(), too_slow(&bench)), (vec!["memory"], 0), "{owed} bytes");
    bench.pass(2_500);
    assert_eq!(too_slow(&bench), 3, "those who hold one half of it");
    assert!(!bench.is_over(small), "it holds little");
    bench.wires[small].takes = usize::MAX;
    let id = bench.wires[small].id;
    bench.engine.handle_ready(id, Ready { is_writable: true, ..Ready::default() });
    bench.pass(20_000);
    let heard = bench.take(small);
    assert_eq!(heard.matches(" alice xxx").count(), 5, "messages are not what is cut");
    assert!(bench.names().is_empty());
}

#[test]
fn dropped_log_lines_and_expired_certificates() {
    let mut bench = Bench::new(Limits::default());
    bench.begin();
    bench.engine.note_log(0);
    assert!(bench.names().is_empty());
    bench.engine.note_log(3);
    bench.engine.note_log(3);
    bench.end();
    assert_eq!(bench.names(), ["log behind"]);
    let with = |not_after: u64| Listening { not_after: Some(not_after), ..listening(None) };
    bench.engine.handle_listeners(vec![with(1_700_000_100)]);
    bench.pass(12_000);
    assert!(bench.names().is_empty(), "{:?}", bench.names());
    bench.pass(100_000);
    bench.pass(2_000);
    assert_eq!(bench.names(), ["certificate expired"]);
    let monitor = bench.monitor();
    assert_eq!(bench.ask(monitor, READY).0, 200, "clients that do not check it get in");
    let (_, text) = bench.ask(monitor, METRICS);
    let line = "chatd_tls_not_after_seconds{listener=\"metrics://127.0.0.1:9100\"} 1700000100\n";
    assert!(text.contains(line), "{text}");
    bench.engine.handle_listeners(vec![with(1_800_000_000)]);
    bench.pass(12_000);
    assert!(bench.names().is_empty());
}
