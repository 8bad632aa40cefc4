//! The web door: an engine with virtual sockets that are written to by hand.

mod conversations;
mod full;
mod requests;

use super::accounts::{Accounts, Shared};
use crate::close::CloseReason;
use crate::door::Door;
use crate::engine::tests::socket::{HANDSHAKE, WebSocket, message};
use crate::engine::{
    ConnId, DatagramPlaces, Engine, Entrance, InFlight, Listening, Millis, Operators, Origin, Phase, Random, Read,
    Ready, Settings, ToAccounts, Wrote,
};
use crate::limits::{self, Limits};
use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;

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
