//! Clients check replies and answer prompts.

use super::clients::{End, Expect, Reading, Role, SLACK_MS, What};
use super::ledger::{Note, Place};
use super::world::World;
use crate::engine::Millis;

impl World {
    /// The reply to a line.
    pub(super) fn on_reply(&mut self, i: usize, code: &str, line: &str, expect: &Expect) {
        let now = self.now;
        let late = Millis::from(self.engine.settings().login.failure_delay_ms);
        match expect.what {
            What::Greeting => self.on_greeting(i),
            What::Name if code == "331" || code == "332" => self.give_password(i, code == "332"),
            What::Token if code == "531" => self.give_password(i, false),
            What::Token => self.on_welcome(i),
            What::Password if code == "230" => self.on_welcome(i),
            What::Password if code == "530" => {
                assert!(now >= expect.sent_at + late, "client {i} is answered early: {expect:?}");
                let hashed = self.accounts.borrow().free_at;
                let latest = (expect.sent_at + late).max(hashed) + SLACK_MS;
                let is_prompt = self.clients[i].is_fair && self.clients[i].reading == Reading::All;
                assert!(!is_prompt || now <= latest, "client {i} is answered at {now}, late: {expect:?}");
                self.give_password(i, false);
            }
            What::Password if code == "450" => {
                self.clients[i].role = Role::Silent; // too much trouble
            }
            What::Name | What::Password => self.give_name(i, 1_000),
            What::Say(number) => self.on_said(i, number, code, line),
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
            What::Watch { is_on: true, .. } if code == "200" => self.clients[i].on_watched(line),
            What::Watch { account, .. } if code == "200" => drop(self.clients[i].watching.remove(&account)),
            What::Ignore { account, is_on } => {
                self.shadow.on_ignored(self.clients[i].account, account, is_on, code == "200");
            }
            What::Watch { .. } => {}
            What::Recall | What::Forget => self.clients[i].past.push(line[2..].to_owned()),
            What::Leave(_) | What::Other => {}
        }
        // The store may have answered late.
        if code != "450" && !line.starts_with("C 250 kept") {
            self.check_rate(i, expect);
        }
    }

    fn on_said(&mut self, i: usize, number: u32, code: &str, line: &str) {
        self.shadow.check_direct(number, code);
        assert!(code != "554" || self.ledger.heard(number) == 0, "{number} was heard and refused");
        self.clients[i].notes.push(Note::Said(number));
        let count = line.strip_prefix("C 250 sent to ").and_then(|rest| rest.split([',', ' ']).next());
        let hearers = count.and_then(|count| count.parse().ok());
        if code == "250" {
            self.ledger.on_answer(number, hearers, self.now);
        }
    }

    pub(super) fn on_greeting(&mut self, i: usize) {
        match self.clients[i].role {
            Role::Talker | Role::Flooder | Role::Guesser => {
                let after = self.dice.below(200);
                self.give_name(i, after);
            }
            Role::Silent | Role::Dribbler | Role::Guest => {}
        }
    }

    pub(super) fn give_name(&mut self, i: usize, after: Millis) {
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

    pub(super) fn give_password(&mut self, i: usize, is_new: bool) {
        let is_right = self.clients[i].role != Role::Guesser;
        let password = if is_new || !is_right { format!("guess-{i}-of-many") } else { self.password_of(i) };
        let what = What::Password;
        // A right one may be changed by somebody else before it is looked at.
        self.dialogue_line(i, &password, &["230", "530", "553", "450"], what);
    }

    pub(super) fn dialogue_line(&mut self, i: usize, text: &str, codes: &'static [&'static str], what: What) {
        let prefix = if self.clients[i].is_typed { "D " } else { "" };
        self.send_line(i, &format!("{prefix}{text}"), 0, codes, what);
    }

    pub(super) fn password_of(&self, i: usize) -> String {
        let accounts = self.accounts.borrow();
        let account = accounts.find(&format!("u{}", self.clients[i].account)).expect("an account");
        String::from_utf8(account.password.clone()).expect("UTF-8")
    }

    pub(super) fn on_welcome(&mut self, i: usize) {
        let client = &mut self.clients[i];
        client.in_since = self.now;
        client.notes.push(Note::In(Place::All));
        if !client.is_irc_guest() {
            client.notes.push(Note::In(Place::Account(client.account)));
        }
        let after = 1 + self.dice.below(self.clients[i].every_ms);
        self.talk_later(i, after);
    }

    /// Nobody gets more lines and bytes through than the burst and the rates.
    pub(super) fn check_rate(&mut self, i: usize, expect: &Expect) {
        let limits = &self.engine.settings().limits;
        let client = &mut self.clients[i];
        let counts = match expect.what {
            // These replies may be late, so they say nothing about the time of their lines.
            What::Greeting | What::Name | What::Token | What::Password | What::OldPassword => false,
            What::NewPassword | What::Enter { is_wrong: true, .. } => false,
            What::Recall | What::Forget | What::Ignore { .. } => false, // the store may be slow
            What::Say(_) | What::Enter { .. } | What::Leave(_) | What::Other | What::Passwd | What::Bye => true,
            What::Watch { .. } => true,
        };
        if !counts || limits.rate_lines_per_s == 0 || client.reading != Reading::All || !client.is_fair {
            return;
        }
        // Answers at the IRC door keep the order of their lines, so each may wait for the store.
        if client.irc.is_some() && self.store.is_some() {
            return;
        }
        // A reply behind a page is late if the page leaves in short writes.
        let slack = if self.store.is_some() { SLACK_MS * 1000 } else { 5_000 };
        let cost = 1_000_000 / u64::from(limits.rate_lines_per_s);
        client.rate_clear_us = client.rate_clear_us.max(self.now * 1000) + cost;
        let most = self.now * 1000 + cost * u64::from(limits.rate_burst) + slack;
        assert!(client.rate_clear_us <= most, "client {i} talks too fast: {client:?}");
        // Only the last part of a line that is too long counts.
        let bytes = if expect.codes == ["500"] { 0 } else { expect.bytes as u64 };
        let cost = bytes * 1_000_000 / u64::from(limits.rate_bytes_per_s);
        client.bytes_clear_us = client.bytes_clear_us.max(self.now * 1000) + cost;
        let most = self.now * 1000 + 1_000_000 + cost + slack;
        assert!(client.bytes_clear_us <= most, "client {i} says too much: {client:?}");
    }
}
