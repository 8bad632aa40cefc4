//! Virtual clients: what they send and when, how fast they read, and what they hold the server to.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;

use super::ledger::{Note, Place};
use super::world::World;
use crate::engine::{ConnId, Millis, NEVER};

/// How long after its time something may happen, in milliseconds: turns take time.
pub(super) const SLACK_MS: Millis = 100;
/// Bytes are read at a rate in pieces of so many milliseconds.
const READ_EVERY_MS: Millis = 10;

/// How a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Everything at once.
    All,
    /// So many bytes a millisecond.
    Rate(usize),
    /// Nothing.
    Stopped,
}

/// What a client is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Logs in, talks, and leaves.
    Talker,
    /// Connects and says nothing.
    Silent,
    /// Sends a byte a second and no end of a line.
    Dribbler,
    /// Tries wrong passwords.
    Guesser,
    /// Logs in, and asks for HELP without end.
    Flooder,
    /// Enters a room at the room door, and talks by datagrams.
    Guest,
}

/// How a client goes when it has done what it came for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Going {
    /// It says EX.
    Bye,
    /// It ends its stream.
    End,
    /// It breaks the connection.
    Reset,
    /// It stays until the end of the world.
    Stays,
}

/// How a connection ended, as its client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The server has said why, and ended the stream.
    Told(String),
    /// The client went, and the server has ended the stream.
    Left,
    /// The client broke it.
    Broke,
    /// The server broke it.
    CutOff,
}

/// What a line is answered by.
#[derive(Debug)]
pub(super) struct Expect {
    /// The codes of the reply.
    pub(super) codes: &'static [&'static str],
    pub(super) what: What,
    pub(super) sent_at: Millis,
}

/// What a line was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Greeting,
    Name,
    Token,
    Password { is_right: bool },
    Say(u32),
    Enter { room: u8, is_wrong: bool },
    Leave(u8),
    Passwd,
    OldPassword,
    NewPassword,
    Bye,
    Other,
}

/// One client of one connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) addr: SocketAddr,
    pub(super) role: Role,
    /// The number of its account.
    pub(super) account: u16,
    pub(super) is_typed: bool,
    pub(super) reading: Reading,
    /// Whether it reads fast enough that nobody may cut it.
    pub(super) is_fair: bool,
    pub(super) going: Going,
    /// How many operations it carries out, and how long it waits between them at most.
    pub(super) operations: u32,
    pub(super) every_ms: Millis,
    /// How many operations it sends at once.
    pub(super) batch: u32,
    /// The longest text.
    pub(super) text_bytes: u64,
    /// Whether it closes its side when the server has.
    pub(super) closes: bool,
    /// It logs in by token.
    pub(super) has_token: bool,
    /// It stops reading at this time, for so long.
    pub(super) stops: Option<(Millis, Millis)>,

    pub(super) is_stirred: bool,
    pub(super) expected: VecDeque<Expect>,
    /// Pieces of bytes to be sent, and when.
    pub(super) outbound: VecDeque<(Millis, Vec<u8>)>,
    pub(super) line: Vec<u8>,
    pub(super) read_at: Millis,
    pub(super) talk_at: Millis,
    pub(super) in_dialogue: bool,
    pub(super) is_connected: bool,
    pub(super) connected_at: Millis,
    pub(super) in_since: Millis,
    pub(super) over_at: Millis,
    /// When it saw the end of the server's stream.
    pub(super) ended_at: Millis,
    pub(super) is_going: bool,
    pub(super) end: Option<End>,
    pub(super) rooms: BTreeSet<u8>,
    pub(super) notes: Vec<Note>,
    /// When the allowance of lines is whole again, in microseconds.
    pub(super) rate_clear_us: u64,
    /// The token of its latest place in a room.
    pub(super) token: Option<String>,
    /// The id that its connection has or had.
    pub(super) session: Option<ConnId>,
    /// When it last showed its token.
    pub(super) spoke_at: Millis,
    /// When its machine vanishes.
    pub(super) vanishes_at: Millis,
    /// Whether it speaks to everybody.
    pub(super) is_public: bool,
}

impl Client {
    pub(super) fn new(addr: SocketAddr, role: Role, account: u16) -> Self {
        Self {
            addr,
            role,
            account,
            is_typed: true,
            reading: Reading::All,
            is_fair: true,
            going: Going::Stays,
            operations: 0,
            every_ms: 1_000,
            batch: 1,
            text_bytes: 60,
            closes: true,
            has_token: false,
            stops: None,
            is_stirred: false,
            expected: VecDeque::new(),
            outbound: VecDeque::new(),
            line: Vec::new(),
            read_at: NEVER,
            talk_at: NEVER,
            in_dialogue: false,
            is_connected: false,
            connected_at: NEVER,
            in_since: NEVER,
            over_at: NEVER,
            ended_at: NEVER,
            is_going: false,
            end: None,
            rooms: BTreeSet::new(),
            notes: Vec::new(),
            rate_clear_us: 0,
            token: None,
            session: None,
            spoke_at: NEVER,
            vanishes_at: NEVER,
            is_public: true,
        }
    }

    pub(super) fn is_guest(&self) -> bool {
        self.role == Role::Guest
    }

    pub(super) fn is_over(&self) -> bool {
        self.end.is_some()
    }

    pub(super) fn is_in(&self) -> bool {
        self.in_since != NEVER && !self.is_over()
    }

    /// When it was over, or `now`.
    pub(super) fn over_at_or(&self, now: Millis) -> Millis {
        self.over_at.min(now)
    }

    /// Whether it may have missed something that was said while it was in.
    pub(super) fn is_lossy(&self) -> bool {
        match &self.end {
            Some(End::Told(reason)) => reason == "too slow",
            Some(End::Left) => false,
            Some(End::Broke | End::CutOff) => true,
            None => self.reading == Reading::Stopped || self.is_guest(),
        }
    }
}

impl World {
    /// A client's time has come.
    pub(super) fn act(&mut self, i: usize) {
        let now = self.now;
        let client = &mut self.clients[i];
        if client.is_over() {
            return;
        }
        if !client.is_connected {
            client.is_connected = true;
            client.connected_at = now;
            if client.role == Role::Guest {
                self.send_request(i);
            } else {
                client.expected.push_back(Expect { codes: &["220"], what: What::Greeting, sent_at: now });
            }
            if let Some((at, length)) = self.clients[i].stops {
                self.plan(i, at.max(now));
                self.plan(i, (at + length).max(now));
            }
            if self.clients[i].vanishes_at != NEVER {
                self.plan(i, self.clients[i].vanishes_at.max(now));
            }
            if self.clients[i].role == Role::Dribbler {
                self.clients[i].talk_at = now;
                self.plan(i, now);
            }
            return self.knock(i);
        }
        if self.clients[i].vanishes_at <= now && self.wires[i].vanished_at == NEVER {
            self.clients[i].reading = Reading::Stopped;
            self.wires[i].vanished_at = now;
        }
        if self.wires[i].vanished_at != NEVER {
            return;
        }
        self.stop_or_go_on(i);
        while self.clients[i].outbound.front().is_some_and(|(at, _)| *at <= now) {
            let bytes = self.clients[i].outbound.pop_front().map(|(_, bytes)| bytes).unwrap_or_default();
            self.send(i, &bytes);
        }
        if self.clients[i].read_at <= now {
            self.clients[i].read_at = NEVER;
            self.read_some(i);
        }
        if self.clients[i].talk_at <= now && !self.clients[i].is_over() {
            self.clients[i].talk_at = NEVER;
            self.talk(i);
        }
    }

    fn stop_or_go_on(&mut self, i: usize) {
        let Some((at, length)) = self.clients[i].stops else { return };
        if self.now >= at + length {
            self.clients[i].stops = None;
            self.clients[i].reading = Reading::All;
            self.hear(i);
        } else if self.now >= at {
            self.clients[i].reading = Reading::Stopped;
        }
    }

    /// Sends bytes at once.
    fn send(&mut self, i: usize, bytes: &[u8]) {
        let wire = &mut self.wires[i];
        if wire.closed.is_none() && !wire.is_broken && !wire.has_ended() {
            wire.send(bytes);
            self.report(i);
        }
    }

    /// Sends a line after a while, perhaps in pieces, and expects one reply.
    pub(super) fn send_line(
        &mut self,
        i: usize,
        line: &str,
        after: Millis,
        codes: &'static [&'static str],
        what: What,
    ) {
        self.send_bytes(i, line.as_bytes().to_vec(), after, codes, what);
    }

    pub(super) fn send_bytes(
        &mut self,
        i: usize,
        mut bytes: Vec<u8>,
        after: Millis,
        codes: &'static [&'static str],
        what: What,
    ) {
        bytes.push(b'\n');
        let sent_at = self.now + after;
        let client = &mut self.clients[i];
        client.expected.push_back(Expect { codes, what, sent_at });
        let at = client.outbound.back().map_or(sent_at, |(last, _)| sent_at.max(*last));
        if self.dice.below(8) == 0 && bytes.len() > 1 {
            let end = bytes.split_off(1 + self.dice.below(bytes.len() as u64 - 1) as usize);
            let gap = self.dice.below(20);
            client.outbound.extend([(at, bytes), (at + gap, end)]);
            self.plan(i, at + gap);
        } else {
            client.outbound.push_back((at, bytes));
        }
        self.plan(i, at);
    }

    /// Something has come for a client, or its connection has ended.
    pub(super) fn hear(&mut self, i: usize) {
        match self.clients[i].reading {
            Reading::All => self.read_lines(i, usize::MAX),
            Reading::Rate(_) if self.clients[i].read_at == NEVER => {
                self.clients[i].read_at = self.now + READ_EVERY_MS;
                self.plan(i, self.now + READ_EVERY_MS);
            }
            Reading::Rate(_) => {}
            Reading::Stopped => self.look_at_end(i),
        }
    }

    fn read_some(&mut self, i: usize) {
        let Reading::Rate(bytes) = self.clients[i].reading else { return self.hear(i) };
        self.read_lines(i, bytes * READ_EVERY_MS as usize);
        if self.wires[i].held() > 0 && !self.clients[i].is_over() {
            self.clients[i].read_at = self.now + READ_EVERY_MS;
            self.plan(i, self.now + READ_EVERY_MS);
        }
    }

    fn read_lines(&mut self, i: usize, most: usize) {
        let mut bytes = std::mem::take(&mut self.clients[i].line);
        let was = bytes.len();
        let count = self.wires[i].take(most, &mut bytes);
        self.report(i);
        if self.clients[i].is_guest() {
            self.clients[i].line = bytes;
            if count > 0 {
                self.on_response(i);
            }
            return self.look_at_end(i);
        }
        let mut at = 0;
        let mut from = was;
        while let Some(end) = bytes[from..].iter().position(|byte| *byte == b'\n') {
            let line = std::str::from_utf8(&bytes[at..from + end]).expect("lines are UTF-8");
            self.on_line(i, line);
            at = from + end + 1;
            from = at;
        }
        bytes.drain(..at);
        self.clients[i].line = bytes;
        self.look_at_end(i);
    }

    /// Sees whether the connection has ended, and closes the client's side.
    fn look_at_end(&mut self, i: usize) {
        let (wire, client) = (&mut self.wires[i], &mut self.clients[i]);
        if wire.is_broken && client.end.is_none() {
            client.end = Some(End::CutOff); // the server was not there any more
            client.over_at = self.now;
            return;
        }
        if !wire.is_at_end() || client.ended_at != NEVER {
            return;
        }
        client.ended_at = self.now;
        if client.end.is_none() {
            let is_whole = client.line.is_empty() || client.is_guest();
            let was_cut = wire.closed == Some(true) || !is_whole;
            client.end = Some(if was_cut || !client.is_going { End::CutOff } else { End::Left });
            client.over_at = self.now;
            self.check_end(i);
        }
        let client = &self.clients[i];
        let wire = &mut self.wires[i];
        if client.closes && !wire.has_ended() && wire.closed.is_none() {
            wire.end();
            self.report(i);
        }
    }

    /// What must hold of a connection that ended without a reason.
    fn check_end(&self, i: usize) {
        let (client, wire) = (&self.clients[i], &self.wires[i]);
        if client.end == Some(End::Left) && client.role == Role::Talker {
            let open = client.expected.iter().filter(|expect| expect.what != What::Bye).count();
            assert_eq!(open, 0, "client {i} has left and was not answered: {client:?}");
        }
        // Only who does not read, or has vanished, or was told to go, is cut off.
        let is_reading = client.reading == Reading::All && client.is_fair;
        let is_cut = client.end == Some(End::CutOff) && wire.closed == Some(true);
        assert!(!(is_reading && is_cut && !client.is_going), "client {i} was cut off without a word: {client:?}");
    }

    /// The client goes, in its way.
    pub(super) fn go(&mut self, i: usize) {
        let now = self.now;
        let client = &self.clients[i];
        let is_orderly = matches!(client.going, Going::Bye | Going::End);
        if is_orderly && (client.in_dialogue || !client.outbound.is_empty()) {
            return self.talk_later(i, 50); // what is on its way goes first
        }
        self.clients[i].is_going = true;
        match self.clients[i].going {
            Going::Bye => {
                let bye = if self.clients[i].is_typed { "C EX" } else { "ex" };
                self.send_line(i, bye, 0, &["221"], What::Bye);
            }
            Going::End => {
                self.wires[i].end();
                self.report(i);
            }
            Going::Reset => {
                let client = &mut self.clients[i];
                client.end = Some(End::Broke);
                client.over_at = now;
                self.wires[i].break_off();
                self.report(i);
            }
            Going::Stays => self.clients[i].is_going = false,
        }
    }

    /// One line of the server.
    fn on_line(&mut self, i: usize, line: &str) {
        let client = &mut self.clients[i];
        if let Some(end) = &client.end {
            panic!("client {i} gets {line:?} after {end:?}");
        }
        if line.starts_with("D ") {
            return self.on_message(i, line);
        }
        let code = line.strip_prefix("C ").and_then(|rest| rest.get(..3)).unwrap_or_else(|| panic!("{line:?}"));
        if line.as_bytes().get(5) == Some(&b'-') {
            return; // a list goes on
        }
        match code {
            "103" | "104" | "106" | "107" => self.on_news(i, code, line),
            "421" => self.on_closing(i, &line[6..]),
            _ => {
                let Some(expect) = client.expected.pop_front() else {
                    panic!("client {i} gets {line:?} for nothing: {client:?}")
                };
                assert!(expect.codes.contains(&code), "client {i} gets {line:?} for {expect:?}: {client:?}");
                self.on_reply(i, code, line, &expect);
            }
        }
    }

    fn on_message(&mut self, i: usize, line: &str) {
        let client = &mut self.clients[i];
        let mut words = line.split(' ').skip(1);
        let kind = words.next().unwrap_or_default();
        let id = if client.is_typed { words.next().and_then(|id| id.parse().ok()) } else { None };
        assert_eq!(id.is_some(), client.is_typed, "client {i} gets {line:?}");
        let place = match kind {
            "PM" => Place::All,
            "DM" => Place::Account(client.account),
            _ => Place::Room(words.next().and_then(|room| room.strip_prefix('r')?.parse().ok()).expect("a room")),
        };
        let number = words.nth(1).and_then(|text| text.strip_prefix('m')?.parse().ok());
        let number: u32 = number.unwrap_or_else(|| panic!("client {i} gets {line:?}"));
        if let Place::Room(room) = place {
            assert!(client.rooms.contains(&room), "client {i} is not in it: {line:?}");
        }
        assert!(client.in_since != NEVER, "client {i} is not logged in: {line:?}");
        client.notes.push(Note::Heard(number));
        self.ledger.on_heard(number, place, id, i);
    }

    fn on_news(&mut self, i: usize, code: &str, line: &str) {
        let client = &mut self.clients[i];
        let mut words = line.split(' ').skip(2);
        let room: u8 = words.next().and_then(|room| room.strip_prefix('r')?.parse().ok()).expect("a room");
        assert!(client.rooms.contains(&room), "client {i} is not in it: {line:?}");
        let is_me = words.next() == Some(format!("u{}", client.account).as_str());
        if code == "106" || code == "104" && is_me && line.ends_with("kicked") {
            client.rooms.remove(&room);
            client.notes.push(Note::Out(Place::Room(room)));
        }
    }

    fn on_closing(&mut self, i: usize, reason: &str) {
        let deadline = Millis::from(self.engine.settings().login.deadline_s) * 1000;
        let client = &mut self.clients[i];
        client.over_at = self.now;
        client.end = Some(End::Told(reason.to_owned()));
        match reason {
            "too slow" => assert!(!client.is_fair, "client {i} reads and was cut: {client:?}"),
            "login took too long" => {
                assert!(client.in_since == NEVER && self.now >= client.connected_at + deadline, "{client:?}");
            }
            "line never ended" => assert_eq!(client.role, Role::Dribbler, "{client:?}"),
            "internal error" => panic!("client {i}: {reason}"),
            _ => {}
        }
    }
}
