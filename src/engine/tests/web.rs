//! The web door: an engine with virtual sockets that are written to by hand.

mod conversations;
mod full;
mod requests;

use std::net::IpAddr;
use std::ops::{Deref, DerefMut};

use super::by_hand::ByHand;
use super::socket::{HANDSHAKE, WebSocket, message};
use crate::close::CloseReason;
use crate::door::Door;
use crate::engine::{Entrance, Listening, Origin, Settings};
use crate::limits::{self, Limits};

const PAGE: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// The server, and what has come of each conversation.
struct Bench {
    server: ByHand,
    sockets: Vec<WebSocket>,
}

impl Deref for Bench {
    type Target = ByHand;

    fn deref(&self) -> &ByHand {
        &self.server
    }
}

impl DerefMut for Bench {
    fn deref_mut(&mut self) -> &mut ByHand {
        &mut self.server
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
        let settings = Settings {
            limits,
            web: limits::Web { names: vec!["chat.example".to_owned()], ..limits::Web::default() },
            ..Settings::default()
        };
        let listening = Listening {
            name: "web+tls://127.0.0.1:1".to_owned(),
            door: "web",
            is_tls: true,
            token: None,
            not_after: None,
            names: vec!["*.certified.example".to_owned()],
        };
        // The highest dice: nobody is shed by chance.
        Self { server: ByHand::new(settings, listening, 0xff), sockets: Vec::new() }
    }

    fn connect_from(&mut self, origin: impl Into<Origin>, entrance: Entrance) -> Result<usize, String> {
        let place = self.server.arrive(origin.into(), Door::web(0), entrance, || Door::web(0))?;
        self.sockets.push(WebSocket::default());
        Ok(place)
    }

    fn connect(&mut self, from: &str) -> usize {
        self.connect_from(ip(from), Entrance::default()).expect("admission")
    }

    /// What a client has heard since the last time, as it came.
    fn take(&mut self, place: usize) -> String {
        String::from_utf8_lossy(&self.heard(place)).into_owned()
    }

    /// The lines that a conversation has brought since the last time.
    fn lines(&mut self, place: usize) -> String {
        let heard = self.heard(place);
        let mut lines = Vec::new();
        self.sockets[place].read(&heard, &mut lines);
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
