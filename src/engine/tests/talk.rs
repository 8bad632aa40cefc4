//! What virtual clients say, and what they make of the answers.

use std::net::SocketAddr;

use super::clients::{End, Expect, Reading, Role, SLACK_MS, What};
use super::ledger::{Note, Place};
use super::world::World;
use crate::engine::Millis;

/// The number of the room that guests make and enter.
pub(super) const GUESTS: u8 = 4;

impl World {
    /// A client carries out its next operations.
    pub(super) fn talk(&mut self, i: usize) {
        match self.clients[i].role {
            Role::Talker => self.talk_on(i),
            Role::Flooder => self.flood(i),
            Role::Dribbler => {
                self.wires[i].send(b"x");
                self.report(i);
                self.talk_later(i, 1000);
            }
            Role::Guest => self.say_by_datagram(i),
            Role::Silent | Role::Guesser => {}
        }
    }

    pub(super) fn talk_later(&mut self, i: usize, after: Millis) {
        let at = self.now + after;
        self.clients[i].talk_at = at;
        self.plan(i, at);
    }

    fn talk_on(&mut self, i: usize) {
        if self.clients[i].in_dialogue || !self.clients[i].is_in() {
            return; // the answer goes on
        }
        for _ in 0..self.clients[i].batch.min(self.clients[i].operations) {
            self.clients[i].operations -= 1;
            self.operate(i);
            if self.clients[i].in_dialogue {
                return;
            }
        }
        if self.clients[i].operations == 0 {
            return self.go(i);
        }
        let after = 1 + self.dice.below(self.clients[i].every_ms);
        self.talk_later(i, after);
    }

    fn flood(&mut self, i: usize) {
        if self.clients[i].operations == 0 {
            return self.go(i);
        }
        let prefix = if self.clients[i].is_typed { "C " } else { "" };
        for _ in 0..self.clients[i].batch {
            self.send_line(i, &format!("{prefix}HELP"), 0, &["214"], What::Other);
        }
        self.clients[i].operations -= 1;
        self.talk_later(i, self.clients[i].every_ms);
    }

    fn operate(&mut self, i: usize) {
        // Rooms with odd numbers have a password.
        let room = self.dice.below(self.rooms) as u8;
        let password = if room % 2 == 1 { " word" } else { "" };
        let least = if self.clients[i].is_public { 0 } else { 18 };
        match least + self.dice.below(if least == 0 { 100 } else { 78 }) {
            0..=17 => self.say(i, Place::All),
            18..=32 => {
                let account = self.dice.below(self.names) as u16;
                self.say(i, Place::Account(account));
            }
            33..=52 => self.say(i, Place::Room(room)),
            53..=58 => {
                let what = What::Enter { room, is_wrong: false };
                self.order(i, &format!("MAKE r{room}{password}"), &["227", "553", "554"], what);
            }
            59..=70 => {
                let is_wrong = room % 2 == 1 && self.dice.below(8) == 0;
                let password = if is_wrong { " sword" } else { password };
                let what = What::Enter { room, is_wrong };
                self.order(i, &format!("JOIN r{room}{password}"), &["227", "550", "554", "450"], what);
            }
            71..=74 => self.order(i, &format!("LEAVE r{room}"), &["200", "550"], What::Leave(room)),
            75 => self.order(i, &format!("CLOSE r{room}"), &["200", "550", "554"], What::Other),
            76 => {
                let account = self.dice.below(self.names);
                self.order(i, &format!("KICK r{room} u{account}"), &["200", "550", "554"], What::Other);
            }
            77..=78 => self.order(i, &format!("NAMES r{room}"), &["211", "550"], What::Other),
            79 => self.order(i, "WHO", &["211"], What::Other),
            80 => self.order(i, "ROOMS", &["211"], What::Other),
            81..=82 => self.order(i, "HELP", &["214"], What::Other),
            83..=87 => self.order(i, "NOOP", &["200"], What::Other),
            88..=89 => self.order(i, "TOKEN", &["231"], What::Other),
            90 if self.clients[i].batch == 1 => {
                self.clients[i].in_dialogue = true;
                self.order(i, "PASSWD", &["331", "450"], What::Passwd);
            }
            91..=92 => self.order(i, "NONSENSE", &["502"], What::Other),
            93 => self.order(i, "NOOP now", &["501"], What::Other),
            94 => self.order(i, "PM \u{1b}", &["501"], What::Other),
            95 => self.order(i, &format!("PM {}", "x".repeat(5_000)), &["500"], What::Other),
            _ => {
                self.order(i, "PM", &["354"], What::Other);
                let prefix = if self.clients[i].is_typed { "D " } else { "" };
                let number = self.ledger.say(i, Place::All, self.now, false);
                self.send_line(i, &format!("{prefix}m{number} later"), 0, &["250"], What::Say(number));
            }
        }
    }

    /// An operation.
    pub(super) fn order(&mut self, i: usize, line: &str, codes: &'static [&'static str], what: What) {
        let prefix = if self.clients[i].is_typed { "C " } else { "" };
        self.send_line(i, &format!("{prefix}{line}"), 0, codes, what);
    }

    /// A message, mostly a short one.
    fn say(&mut self, i: usize, place: Place) {
        let bytes = if self.dice.below(4) == 0 { self.dice.below(self.clients[i].text_bytes) } else { 5 };
        self.say_at_length(i, place, bytes as usize);
    }

    /// A message with a text of so many bytes and a few more. Gives its number in the ledger.
    pub(super) fn say_at_length(&mut self, i: usize, place: Place, bytes: usize) -> u32 {
        let number = self.ledger.say(i, place, self.now, false);
        let text = format!("m{number} {}", "x".repeat(bytes));
        match place {
            Place::All => self.order(i, &format!("PM {text}"), &["250"], What::Say(number)),
            Place::Room(room) => self.order(i, &format!("RM r{room} {text}"), &["250", "550"], What::Say(number)),
            Place::Account(to) => self.order(i, &format!("DM u{to} {text}"), &["250", "550"], What::Say(number)),
        }
        number
    }

    /// The reply to a line.
    pub(super) fn on_reply(&mut self, i: usize, code: &str, line: &str, expect: &Expect) {
        let now = self.now;
        let late = Millis::from(self.engine.settings().login.failure_delay_ms);
        match expect.what {
            What::Greeting => self.on_greeting(i),
            What::Name if code == "331" || code == "332" => self.give_password(i, code == "332"),
            What::Token if code == "531" => self.give_password(i, false),
            What::Token => self.on_welcome(i),
            What::Password { is_right: _ } if code == "230" => self.on_welcome(i),
            What::Password { is_right } if code == "530" => {
                assert!(!is_right || now >= expect.sent_at + late, "client {i}: {line}");
                assert!(now >= expect.sent_at + late, "client {i} is answered early: {expect:?}");
                let hashed = self.accounts.borrow().free_at;
                let latest = (expect.sent_at + late).max(hashed) + SLACK_MS;
                let is_prompt = self.clients[i].reading == Reading::All;
                assert!(!is_prompt || now <= latest, "client {i} is answered at {now}, late: {expect:?}");
                self.give_password(i, false);
            }
            What::Password { .. } if code == "450" => {
                self.clients[i].role = Role::Silent; // too much trouble
            }
            What::Name | What::Password { .. } => self.give_name(i, 1_000),
            What::Say(number) => {
                self.clients[i].notes.push(Note::Said(number));
                let hearers = line.strip_prefix("C 250 sent to ").and_then(|count| count.parse().ok());
                if code == "250" {
                    self.ledger.on_answer(number, hearers, now);
                }
            }
            What::Enter { room, .. } if code == "227" => {
                let token = line.split_once("token=").and_then(|(_, rest)| rest.split(' ').next());
                self.clients[i].token = token.map(str::to_owned);
                self.clients[i].rooms.insert(room);
                self.clients[i].notes.push(Note::In(Place::Room(room)));
            }
            What::Enter { is_wrong, .. } => {
                let is_late = line.ends_with("wrong room password");
                assert!(!is_late || is_wrong && now >= expect.sent_at + late, "client {i}: {line} to {expect:?}");
            }
            What::Leave(room) if code == "200" => {
                self.clients[i].rooms.remove(&room);
                self.clients[i].notes.push(Note::Out(Place::Room(room)));
            }
            What::Passwd if code == "331" => {
                let old = self.password_of(i);
                self.dialogue_line(i, &old, &["332", "530", "450"], What::OldPassword);
            }
            What::OldPassword if code == "332" => {
                let new = format!("password-{}", self.dice.below(1_000_000));
                self.dialogue_line(i, &new, &["200", "530", "450"], What::NewPassword);
            }
            What::Passwd | What::OldPassword | What::NewPassword => {
                self.clients[i].in_dialogue = false;
                self.talk_later(i, 100);
            }
            What::Bye => {
                let client = &mut self.clients[i];
                client.end = Some(End::Left);
                client.over_at = now;
                assert!(client.expected.is_empty(), "client {i} has said EX and is owed answers: {client:?}");
            }
            What::Leave(_) | What::Other => {}
        }
        self.check_rate(i, expect.what);
    }

    fn on_greeting(&mut self, i: usize) {
        match self.clients[i].role {
            Role::Talker | Role::Flooder | Role::Guesser => {
                let after = self.dice.below(200);
                self.give_name(i, after);
            }
            Role::Silent | Role::Dribbler | Role::Guest => {}
        }
    }

    fn give_name(&mut self, i: usize, after: Millis) {
        let account = self.clients[i].account;
        let prefix = if self.clients[i].is_typed { "C " } else { "" };
        let epoch = self.accounts.borrow().find(&format!("u{account}")).map(|account| account.epoch);
        match epoch.filter(|_| self.clients[i].has_token) {
            Some(epoch) => {
                let line = format!("{prefix}u{account} t1.{epoch}.u{account}");
                self.send_line(i, &line, after, &["230", "531"], What::Token);
            }
            None => {
                self.send_line(i, &format!("{prefix}u{account}"), after, &["331", "332", "450"], What::Name);
            }
        }
    }

    fn give_password(&mut self, i: usize, is_new: bool) {
        let is_right = self.clients[i].role != Role::Guesser;
        let password = if is_new || !is_right { format!("guess-{i}-of-many") } else { self.password_of(i) };
        let what = What::Password { is_right };
        // A right one may be changed by somebody else before it is looked at.
        self.dialogue_line(i, &password, &["230", "530", "553", "450"], what);
    }

    fn dialogue_line(&mut self, i: usize, text: &str, codes: &'static [&'static str], what: What) {
        let prefix = if self.clients[i].is_typed { "D " } else { "" };
        self.send_line(i, &format!("{prefix}{text}"), 0, codes, what);
    }

    fn password_of(&self, i: usize) -> String {
        let accounts = self.accounts.borrow();
        let account = accounts.find(&format!("u{}", self.clients[i].account)).expect("an account");
        String::from_utf8(account.password.clone()).expect("UTF-8")
    }

    fn on_welcome(&mut self, i: usize) {
        let client = &mut self.clients[i];
        client.in_since = self.now;
        client.notes.extend([Note::In(Place::All), Note::In(Place::Account(client.account))]);
        let after = 1 + self.dice.below(self.clients[i].every_ms);
        self.talk_later(i, after);
    }

    /// Nobody gets more lines through than the burst and the rate.
    fn check_rate(&mut self, i: usize, what: What) {
        let limits = &self.engine.settings().limits;
        let client = &mut self.clients[i];
        let counts = match what {
            // What was taken long before its answer says nothing of the time between two lines.
            What::Greeting | What::Name | What::Token | What::Password { .. } | What::OldPassword => false,
            What::NewPassword | What::Enter { is_wrong: true, .. } => false,
            What::Say(_) | What::Enter { .. } | What::Leave(_) | What::Other | What::Passwd | What::Bye => true,
        };
        if !counts || limits.rate_lines_per_s == 0 || client.reading != Reading::All || !client.is_fair {
            return;
        }
        let cost = 1_000_000 / u64::from(limits.rate_lines_per_s);
        client.rate_clear_us = client.rate_clear_us.max(self.now * 1000) + cost;
        let most = self.now * 1000 + cost * u64::from(limits.rate_burst) + 5_000;
        assert!(client.rate_clear_us <= most, "client {i} talks too fast: {client:?}");
    }

    /// A guest asks for a place.
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

    /// Something of the answer to a guest's request has come.
    pub(super) fn on_response(&mut self, i: usize) {
        let client = &mut self.clients[i];
        // A frame with one byte, the status, and one with the token.
        if client.line.len() == 33 + 32 + 26 && client.token.is_none() {
            let token = String::from_utf8(client.line[33 + 32..].to_vec()).expect("base32");
            client.token = Some(token);
            (client.in_since, client.spoke_at) = (self.now, self.now);
            self.talk_later(i, 10);
        }
    }

    fn say_by_datagram(&mut self, i: usize) {
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
            // The same from elsewhere, by somebody who has seen the token on its way.
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
