//! Clients act: they connect, send, stop reading, and leave.

use super::clients::{End, Expect, Going, Reading, Role, What};
use super::socket::{self, HANDSHAKE};
use super::world::World;
use crate::engine::{Millis, NEVER};

impl World {
    /// Does what is planned for this client at this time.
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
            } else if client.irc.is_some() {
                self.begin_irc(i);
            } else {
                client.expected.push_back(Expect { codes: &["220"], what: What::Greeting, sent_at: now, bytes: 0 });
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
            if self.wires[i].web.is_some() {
                self.wires[i].send(HANDSHAKE);
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

    pub(super) fn stop_or_go_on(&mut self, i: usize) {
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
    pub(super) fn send(&mut self, i: usize, bytes: &[u8]) {
        let wire = &mut self.wires[i];
        if wire.closed.is_none() && !wire.is_broken && !wire.has_ended() {
            wire.send(bytes);
            self.report(i);
        }
    }

    /// Sends a line after a delay, sometimes in two pieces. One reply is expected.
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
        match self.wires[i].web {
            Some(_) => bytes = socket::frame(0x81, &bytes),
            None => bytes.push(b'\n'),
        }
        let sent_at = self.now + after;
        let client = &mut self.clients[i];
        client.expected.push_back(Expect { codes, what, sent_at, bytes: bytes.len() });
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

    /// The client leaves in its way.
    pub(super) fn go(&mut self, i: usize) {
        let now = self.now;
        let client = &self.clients[i];
        let is_orderly = matches!(client.going, Going::Bye | Going::End);
        if is_orderly && (client.in_dialogue || !client.outbound.is_empty()) {
            return self.talk_later(i, 50); // after what is still to be sent
        }
        self.clients[i].is_going = true;
        match self.clients[i].going {
            Going::Bye if self.clients[i].irc.is_some() => self.quit_irc(i),
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
}
