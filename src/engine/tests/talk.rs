//! Clients talk: operations and messages, at random.

use super::clients::{Role, What};
use super::ledger::Place;
use super::world::World;
use crate::engine::Millis;

impl World {
    /// Carries out the next operations of a client.
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

    pub(super) fn talk_on(&mut self, i: usize) {
        if self.clients[i].in_dialogue || !self.clients[i].is_in() {
            return; // the reply continues the dialogue
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

    pub(super) fn flood(&mut self, i: usize) {
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

    pub(super) fn operate(&mut self, i: usize) {
        if self.clients[i].irc.is_some() {
            return self.operate_irc(i);
        }
        // Rooms with odd numbers have a password.
        let room = self.dice.below(self.rooms) as u8;
        let password = if room % 2 == 1 { " word" } else { "" };
        if self.dice.below(6) == 0 {
            return self.be_among_people(i);
        }
        if self.store.is_some() && self.dice.below(6) == 0 {
            return self.recall(i, room);
        }
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

    /// An operation of the history.
    fn recall(&mut self, i: usize, room: u8) {
        let account = self.dice.below(self.names);
        let place = ["", "*", "missing"][self.dice.below(3) as usize];
        let place = match self.dice.below(4) {
            0 => format!("r{room}"),
            1 => format!("@u{account}"),
            _ => place.to_owned(),
        };
        let read: &[&str] = &["212", "450", "550"];
        let most = 1 + self.dice.below(200);
        match self.dice.below(16) {
            0..=2 => self.order(i, &format!("HISTORY {place} {most}"), read, What::Recall),
            3..=4 => self.order(i, &format!("HISTORY {place} after 1h {most}"), read, What::Recall),
            5 => self.order(i, "MISSED", read, What::Recall),
            6..=7 => self.order(i, "SEARCH xxx", read, What::Recall),
            8..=9 => self.order(i, "UNREAD", &["213", "450"], What::Recall),
            10..=11 => self.order(i, &format!("READ {place}"), &["200", "450", "550"], What::Recall),
            12 => self.order(i, &format!("KEEP r{room}"), &["200", "450", "501", "550", "554"], What::Recall),
            13 => self.order(i, &format!("KEEP r{room} off"), &["200", "450", "550", "554"], What::Recall),
            14 => {
                self.clients[i].wants_forgets = true;
                self.order(i, "WANT ids reads forgets", &["200", "554"], What::Recall);
            }
            _ => self.order(i, &format!("TOPIC r{room} about {most}"), &["200", "550", "554"], What::Recall),
        }
    }

    /// An operation about other people, or about oneself.
    fn be_among_people(&mut self, i: usize) {
        self.clients[i].tracks = true;
        let account = self.dice.below(self.names) as u16;
        let is_on = self.dice.below(4) > 0;
        let off = if is_on { "" } else { " off" };
        match self.dice.below(20) {
            0..=5 => {
                self.order(i, &format!("WATCH u{account}{off}"), &["200", "554"], What::Watch { account, is_on });
            }
            6 => self.order(i, "WATCH", &["211"], What::Other),
            7..=8 => {
                let text = self.dice.below(3);
                self.order(i, &format!("AWAY for {text}"), &["200"], What::Other);
            }
            9 => self.order(i, "AWAY", &["200"], What::Other),
            10..=11 => self.order(i, &format!("WHOIS u{account}"), &["215", "450", "550"], What::Recall),
            12 => self.order(i, &format!("SET status {account}"), &["200", "450", "554"], What::Recall),
            13 => self.order(i, "SET", &["215", "450", "554"], What::Recall),
            14..=16 => {
                // Few, so that some of them write to each other.
                let account = account % 4;
                self.shadow.on_ignoring(self.clients[i].account, account);
                let codes = &["200", "450", "550", "554"];
                self.order(i, &format!("IGNORE u{account}{off}"), codes, What::Ignore { account, is_on });
            }
            17 => self.order(i, "FORGET", &["200", "450", "550", "554"], What::Forget),
            18 => self.order(i, "FORGET all", &["200", "450", "554"], What::Forget),
            _ => self.order(i, "NOTIFY * none", &["200", "450", "554"], What::Recall),
        }
    }

    /// An operation.
    pub(super) fn order(&mut self, i: usize, line: &str, codes: &'static [&'static str], what: What) {
        let prefix = if self.clients[i].is_typed { "C " } else { "" };
        self.send_line(i, &format!("{prefix}{line}"), 0, codes, what);
    }

    /// A message, mostly a short one.
    pub(super) fn say(&mut self, i: usize, place: Place) {
        let bytes = if self.dice.below(4) == 0 { self.dice.below(self.clients[i].text_bytes) } else { 5 };
        self.say_at_length(i, place, bytes as usize);
    }

    /// Sends a message with a text of about `bytes` bytes, and returns its number in the ledger.
    pub(super) fn say_at_length(&mut self, i: usize, place: Place, bytes: usize) -> u32 {
        let number = self.ledger.say(i, place, self.now, false);
        let text = format!("m{number} {}", "x".repeat(bytes));
        match place {
            Place::All => self.order(i, &format!("PM {text}"), &["250"], What::Say(number)),
            Place::Room(room) => self.order(i, &format!("RM r{room} {text}"), &["250", "550"], What::Say(number)),
            Place::Account(to) => {
                self.shadow.on_direct(number, self.clients[i].account, to);
                self.order(i, &format!("DM u{to} {text}"), &["250", "550", "450", "554"], What::Say(number));
            }
        }
        number
    }
}
