//! Clients read: at their rate, line by line, to the end of the connection.

use super::clients::{End, Reading, Role, What};
use super::ledger::{Note, Place};
use super::socket::WebSocket;
use super::world::World;
use crate::engine::{Millis, NEVER};

/// Milliseconds between two reads of a client with a rate.
const READ_EVERY_MS: Millis = 10;
/// The most lines of pages that a client remembers.
const PAST_LINES: usize = 1_000;

impl World {
    /// Bytes have come for a client, or its connection has ended.
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

    pub(super) fn read_some(&mut self, i: usize) {
        let Reading::Rate(bytes) = self.clients[i].reading else { return self.hear(i) };
        self.read_lines(i, bytes * READ_EVERY_MS as usize);
        if self.wires[i].held() > 0 && !self.clients[i].is_over() {
            self.clients[i].read_at = self.now + READ_EVERY_MS;
            self.plan(i, self.now + READ_EVERY_MS);
        }
    }

    pub(super) fn read_lines(&mut self, i: usize, most: usize) {
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

    /// Notes the end of the connection, and closes the client's side.
    pub(super) fn look_at_end(&mut self, i: usize) {
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
        let is_cut = wire.closed == Some(true);
        assert!(is_cut || wire.web.as_ref().is_none_or(WebSocket::is_whole), "client {i} gets half a frame at its end");
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

    /// Checks a connection that ended without a reason.
    pub(super) fn check_end(&self, i: usize) {
        let (client, wire) = (&self.clients[i], &self.wires[i]);
        if client.end == Some(End::Left) && client.role == Role::Talker {
            let open = client.expected.iter().filter(|expect| expect.what != What::Bye).count();
            assert_eq!(open, 0, "client {i} has left and was not answered: {client:?}");
        }
        // A client that reads is told a reason before it is reset.
        let is_reading = client.reading == Reading::All && client.is_fair;
        let is_cut = client.end == Some(End::CutOff) && wire.closed == Some(true);
        assert!(!(is_reading && is_cut && !client.is_going), "client {i} was cut off without a word: {client:?}");
    }

    /// One line of the server.
    pub(super) fn on_line(&mut self, i: usize, line: &str) {
        let client = &mut self.clients[i];
        if let Some(end) = &client.end {
            panic!("client {i} gets {line:?} after {end:?}");
        }
        if client.irc.is_some() {
            return self.on_irc_line(i, line);
        }
        if line.starts_with("D ") {
            return self.on_message(i, line);
        }
        let code = line.strip_prefix("C ").and_then(|rest| rest.get(..3)).unwrap_or_else(|| panic!("{line:?}"));
        let keeps_lines = client.past.len() < PAST_LINES;
        if line.as_bytes().get(5) == Some(&b'-') {
            if keeps_lines && code != "214" {
                client.past.push(line[2..].to_owned());
            }
            return; // a list goes on
        }
        match code {
            "101" if client.tracks => client.on_presence(line),
            "109" if client.tracks => self.on_forgotten(i, line),
            "101" | "102" | "105" | "108" | "109" | "110" | "111" | "112" => client.past.push(line[2..].to_owned()),
            "100" => {} // the operator's
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

    pub(super) fn on_message(&mut self, i: usize, line: &str) {
        let client = &mut self.clients[i];
        let mut words = line.split(' ').skip(1);
        let kind = words.next().unwrap_or_default();
        let id = if client.is_typed { words.next().and_then(|id| id.parse().ok()) } else { None };
        assert_eq!(id.is_some(), client.is_typed, "client {i} gets {line:?}");
        if kind == "TO" {
            return self.on_own(i, line);
        }
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

    /// Something that it may have heard was forgotten.
    fn on_forgotten(&mut self, i: usize, line: &str) {
        let client = &self.clients[i];
        let words: Vec<&str> = line.split(' ').skip(2).collect();
        let is_of_forget = words.len() == 4 || words[0] == "*";
        assert!(!is_of_forget || client.wants_forgets, "client {i} has not asked for {line:?}");
        if let ["*", id] = words[..] {
            let store = self.store.as_ref().expect("a store");
            assert!(store.forgotten.contains(&id.parse().expect("an id")), "{line:?} is not forgotten");
        }
    }

    /// A direct message that another session of the account has sent.
    fn on_own(&mut self, i: usize, line: &str) {
        let number = line.split(' ').find_map(|word| word.strip_prefix('m')?.parse().ok());
        let number: u32 = number.unwrap_or_else(|| panic!("client {i} gets {line:?}"));
        let from = self.ledger.speaker(number);
        assert!(from != i && self.clients[from].account == self.clients[i].account, "client {i} gets {line:?}");
    }

    pub(super) fn on_news(&mut self, i: usize, code: &str, line: &str) {
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

    pub(super) fn on_closing(&mut self, i: usize, reason: &str) {
        let deadline = Millis::from(self.engine.settings().login.deadline_s) * 1000;
        let client = &mut self.clients[i];
        client.over_at = self.now;
        client.end = Some(End::Told(reason.to_owned()));
        match reason {
            "too slow" => {
                // A client that reads is closed only when the memory of all connections is full.
                let is_tight = self.engine.settings().limits.owed_total_bytes < 1 << 20;
                assert!(is_tight || !client.is_fair, "client {i} reads and was cut: {client:?}");
            }
            "login took too long" => {
                assert!(client.in_since == NEVER && self.now >= client.connected_at + deadline, "{client:?}");
            }
            "line never ended" => assert_eq!(client.role, Role::Dribbler, "{client:?}"),
            "internal error" => assert!(client.may_panic, "client {i}: {reason}"),
            _ => {}
        }
    }
}
