//! Guests: a request at the room door, then datagrams.

use std::net::SocketAddr;

use super::ledger::Place;
use super::world::World;

/// The number of the room that guests make and enter.
const GUESTS: u8 = 4;

impl World {
    /// A guest asks to enter the room.
    pub(super) fn send_request(&mut self, i: usize) {
        let (room, name) = (format!("r{GUESTS}"), format!("g{i}"));
        let mut request = vec![room.len() as u8, 1 + u8::from(self.dice.below(4) > 0), 0];
        request.resize(32, 0);
        request[31] = name.len() as u8;
        request.extend_from_slice(room.as_bytes());
        request.extend_from_slice(name.as_bytes());
        self.wires[i].send(&request);
        self.clients[i].is_going = true;
    }

    /// Bytes of the answer to a guest's request have come.
    pub(super) fn on_response(&mut self, i: usize) {
        let client = &mut self.clients[i];
        // One frame holds the status, one the token.
        if client.line.len() == 33 + 32 + 26 && client.token.is_none() {
            let token = String::from_utf8(client.line[33 + 32..].to_vec()).expect("base32");
            client.token = Some(token);
            (client.in_since, client.spoke_at) = (self.now, self.now);
            self.talk_later(i, 10);
        }
    }

    pub(super) fn say_by_datagram(&mut self, i: usize) {
        let client = &mut self.clients[i];
        let Some(token) = &client.token else { return };
        let mut datagram = vec![0, token.len() as u8];
        datagram.extend_from_slice(token.as_bytes());
        let kind = self.dice.below(6);
        match kind {
            0 => {}
            1 => datagram[3] ^= 1,
            _ => datagram.extend_from_slice(self.ledger.next_text().as_bytes()),
        }
        if kind > 1 {
            self.ledger.say(i, Place::Room(GUESTS), self.now, true);
        }
        if kind != 1 {
            client.spoke_at = self.now;
            self.pinned.insert(client.addr);
        }
        if self.dice.below(8) == 0 {
            // The same datagram from elsewhere, as if the token was stolen.
            let elsewhere = SocketAddr::from(([198, 51, 100, 7], client.addr.port()));
            self.datagrams.push_back((elsewhere, datagram.clone()));
        }
        self.datagrams.push_back((client.addr, datagram));
        client.operations = client.operations.saturating_sub(1);
        if client.operations > 0 {
            let after = 1 + self.dice.below(self.clients[i].every_ms);
            self.talk_later(i, after);
        }
    }
}
