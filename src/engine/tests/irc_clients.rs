//! Virtual clients of the IRC door, among those of the other doors. Each line of theirs has a label, and each answer must
//! bear the labels in their order.

use std::collections::VecDeque;

use testkit::Dice;

use super::clients::{End, Expect, Role, What};
use super::ledger::{Note, Place};
use super::world::World;

/// What a client of the IRC door knows of its connection.
#[derive(Debug, Default)]
pub(super) struct IrcTalk {
    /// The nick of a guest, without its mark.
    pub(super) guest: Option<String>,
    last_label: u64,
    /// The labels of the lines that are not answered yet.
    labels: VecDeque<u64>,
    /// The batch of the answer that is being read, and what it answers.
    batch: Option<(String, Expect)>,
}

impl IrcTalk {
    /// A client with an account, or a guest.
    pub(super) fn new(number: u64, dice: &mut Dice) -> Self {
        Self { guest: (dice.below(4) == 0).then(|| format!("g{number}")), ..Self::default() }
    }
}

/// A line of the server.
#[derive(Debug)]
struct Line<'a> {
    text: &'a str,
    tags: Vec<(&'a str, &'a str)>,
    source: &'a str,
    command: &'a str,
    parameters: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn parse(text: &'a str) -> Self {
        let text = text.strip_suffix('\r').unwrap_or_else(|| panic!("{text:?} does not end with CR LF"));
        let (tags, rest) = match text.strip_prefix('@') {
            Some(rest) => rest.split_once(' ').unwrap_or_else(|| panic!("{text:?}")),
            None => ("", text),
        };
        assert!(rest.len() + 2 <= 512 && !rest.is_empty(), "{text:?}");
        let (source, rest) = match rest.strip_prefix(':') {
            Some(rest) => rest.split_once(' ').unwrap_or_else(|| panic!("{text:?}")),
            None => ("", rest),
        };
        let (words, trailing) = rest.split_once(" :").map_or((rest, None), |(words, last)| (words, Some(last)));
        let mut parameters: Vec<&str> = words.split(' ').collect();
        let command = parameters.remove(0);
        parameters.extend(trailing);
        let tags = tags.split(';').filter_map(|tag| tag.split_once('=')).collect();
        Self { text, tags, source, command, parameters }
    }

    fn tag(&self, name: &str) -> Option<&'a str> {
        self.tags.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    fn at(&self, place: usize) -> &'a str {
        self.parameters.get(place).copied().unwrap_or_default()
    }

    fn nick(&self) -> &'a str {
        self.source.split_once('!').map_or("", |(nick, _)| nick)
    }

    fn room(&self) -> Option<u8> {
        self.at(0).strip_prefix("#r").and_then(|room| room.parse().ok())
    }
}

impl World {
    /// The nick that others see.
    fn nick_of(&self, i: usize) -> String {
        let client = &self.clients[i];
        match client.irc.as_ref().and_then(|talk| talk.guest.as_ref()) {
            Some(guest) => format!("^{guest}"),
            None => format!("u{}", client.account),
        }
    }

    /// The client registers, and logs in or makes its account, or comes as a guest.
    pub(super) fn begin_irc(&mut self, i: usize) {
        const CAPS: &str = "CAP REQ :labeled-response batch message-tags echo-message\r\n";
        const USER: &str = "USER u 0 * :Somebody\r\n";
        let come_in = match self.clients[i].irc.as_ref().and_then(|talk| talk.guest.clone()) {
            Some(guest) => format!("NICK {guest}\r\n{USER}CAP END\r\n"),
            None => self.login_irc(i, USER),
        };
        self.clients[i].outbound.push_back((self.now, format!("{CAPS}{come_in}").into_bytes()));
        self.plan(i, self.now);
    }

    /// The lines by which an account comes in. Some of the passwords are wrong.
    fn login_irc(&mut self, i: usize, user: &str) -> String {
        let nick = format!("u{}", self.clients[i].account);
        let is_known = self.accounts.borrow().find(&nick).is_some();
        let password = if is_known { self.password_of(i) } else { format!("guess-{i}-of-many") };
        let is_wrong = is_known && self.dice.below(8) == 0;
        let password = if is_wrong { "not-this-one".to_owned() } else { password };
        let message = data_encoding::BASE64.encode(format!("\0{nick}\0{password}").as_bytes());
        match self.dice.below(3) {
            _ if !is_known => format!("NICK {nick}\r\nREGISTER * * {password}\r\n{user}CAP END\r\n"),
            0 => format!("PASS {nick}:{password}\r\nNICK x{i}\r\n{user}CAP END\r\n"),
            1 => format!("NICK x\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE {message}\r\n{user}CAP END\r\n"),
            _ => {
                let second = if is_wrong { self.password_of(i) } else { password.clone() };
                let again = if is_wrong { format!("NS IDENTIFY {nick} {second}\r\n") } else { String::new() };
                format!("NICK x\r\n{user}CAP END\r\nNS IDENTIFY {nick} {password}\r\n{again}")
            }
        }
    }

    /// Sends a line with a label, of which one answer is expected.
    fn order_irc(&mut self, i: usize, line: &str, what: What) {
        let Some(talk) = &mut self.clients[i].irc else { return };
        talk.last_label += 1;
        let label = talk.last_label;
        talk.labels.push_back(label);
        self.send_bytes(i, format!("@label=l{label} {line}\r").into_bytes(), 0, &[], what);
    }

    /// The next operation of a client of the IRC door.
    pub(super) fn operate_irc(&mut self, i: usize) {
        let room = self.dice.below(self.rooms) as u8;
        let key = if room % 2 == 1 { " word" } else { "" };
        let account = self.dice.below(self.names) as u16;
        match self.dice.below(100) {
            0..=19 => self.say_irc(i, Place::All),
            20..=34 => self.say_irc(i, Place::Account(account)),
            35..=54 => self.say_irc(i, Place::Room(room)),
            55..=69 => {
                // No wrong key here: it would make a room that the others cannot enter.
                self.order_irc(i, &format!("JOIN #r{room}{key}"), What::Enter { room, is_wrong: false });
            }
            70..=73 => self.order_irc(i, &format!("PART #r{room} :enough"), What::Leave(room)),
            74..=75 => self.order_irc(i, &format!("KICK #r{room} u{account} :out"), What::Other),
            76..=78 => self.order_irc(i, &format!("NAMES #r{room}"), What::Other),
            79 => self.order_irc(i, "WHO *", What::Other),
            80 => self.order_irc(i, "LIST", What::Other),
            81 => self.order_irc(i, &format!("TOPIC #r{room} :about {account}"), What::Other),
            82 => self.order_irc(i, &format!("MODE #r{room}"), What::Other),
            83 => self.order_irc(i, &format!("MODE #r{room} +o u{account}"), What::Other),
            84 => self.order_irc(i, &format!("INVITE u{account} #r{room}"), What::Other),
            85 => self.order_irc(i, "AWAY :lunch", What::Other),
            86 => self.order_irc(i, "AWAY", What::Other),
            87..=88 => self.order_irc(i, &format!("WHOIS u{account}"), What::Recall),
            89 => self.order_irc(i, &format!("MONITOR + u{account}"), What::Other),
            90 => self.order_irc(i, "CHATHISTORY LATEST &all * 20", What::Recall),
            91 => self.order_irc(i, "NONSENSE", What::Other),
            92 => self.order_irc(i, "NAMES &all", What::Other),
            93 => {
                // A room of IRC clients alone, who do not agree on its key.
                let (room, key) = (self.dice.below(2), ["word", "sword"][self.dice.below(2) as usize]);
                let what = What::Enter { room: u8::MAX, is_wrong: true };
                self.order_irc(i, &format!("JOIN #q{room} {key}"), what);
            }
            94 => self.order_irc(i, &format!("PART #q{}", room % 2), What::Other),
            95 => self.order_irc(i, "PART &all", What::Other),
            96 => self.order_irc(i, "JOIN &all", What::Other),
            97 => self.order_irc(i, &format!("NICK h{i}"), What::Other),
            _ => self.order_irc(i, "PING now", What::Other),
        }
    }

    fn say_irc(&mut self, i: usize, place: Place) {
        let number = self.ledger.say(i, place, self.now, false);
        let more = if self.dice.below(4) == 0 { self.dice.below(400) } else { 5 };
        let text = format!("m{number} {}", "x".repeat(more as usize));
        let target = match place {
            Place::All => "&all".to_owned(),
            Place::Room(room) => format!("#r{room}"),
            Place::Account(to) => {
                if !self.clients[i].is_irc_guest() {
                    self.shadow.on_direct(number, self.clients[i].account, to);
                }
                format!("u{to}")
            }
        };
        self.order_irc(i, &format!("PRIVMSG {target} :{text}"), What::Say(number));
    }

    /// One line of the server.
    pub(super) fn on_irc_line(&mut self, i: usize, text: &str) {
        let line = Line::parse(text);
        let batch = self.clients[i].irc.as_ref().and_then(|talk| talk.batch.as_ref()).map(|(name, _)| name.clone());
        if let Some(label) = line.tag("label") {
            let client = &mut self.clients[i];
            let talk = client.irc.as_mut().expect("a client of the IRC door");
            let expected = talk.labels.pop_front().map(|label| format!("l{label}"));
            assert_eq!(Some(label), expected.as_deref(), "client {i} gets {text:?}");
            assert!(talk.batch.is_none(), "client {i} gets {text:?} within {talk:?}");
            let expect = client.expected.pop_front().expect("what is expected");
            if line.command == "BATCH" {
                assert_eq!(line.at(1), "labeled-response", "{text:?}");
                talk.batch = Some((line.at(0).trim_start_matches('+').to_owned(), expect));
            } else {
                self.on_irc_event(i, &line, Some(&expect));
                self.check_irc_rate(i, &expect);
            }
        } else if let Some(batch) = batch
            && (line.tag("batch") == Some(&batch) || line.command == "BATCH" && line.at(0) == format!("-{batch}"))
        {
            let talk = self.clients[i].irc.as_mut().expect("a client of the IRC door");
            let (name, expect) = talk.batch.take().expect("a batch");
            if line.command == "BATCH" && line.at(0) == format!("-{batch}") {
                return self.check_irc_rate(i, &expect);
            }
            self.on_irc_event(i, &line, Some(&expect));
            self.clients[i].irc.as_mut().expect("a client of the IRC door").batch = Some((name, expect));
        } else if line.tag("batch").is_none() {
            self.on_irc_event(i, &line, None);
        }
    }

    /// What is kept for somebody is answered late, so that says nothing about the time of its line.
    fn check_irc_rate(&mut self, i: usize, expect: &Expect) {
        let is_direct = |number| matches!(self.ledger.place(number), Place::Account(_));
        if !matches!(expect.what, What::Say(number) if is_direct(number)) {
            self.check_rate(i, expect);
        }
    }

    fn on_irc_event(&mut self, i: usize, line: &Line<'_>, expect: Option<&Expect>) {
        let what = expect.map(|expect| expect.what);
        let is_mine = line.nick() == self.nick_of(i);
        match line.command {
            "JOIN" | "PART" if line.at(0) == "&all" => {
                assert!(is_mine, "client {i} gets {line:?}");
                let is_in = self.clients[i].is_in();
                let note = if line.command == "JOIN" { Note::In(Place::All) } else { Note::Out(Place::All) };
                self.clients[i].notes.extend(is_in.then_some(note));
            }
            "NICK" => {
                if let Some(IrcTalk { guest: Some(guest), .. }) = &mut self.clients[i].irc
                    && is_mine
                {
                    *guest = line.at(0).trim_start_matches('^').to_owned();
                }
            }
            "PRIVMSG" => self.on_irc_message(i, line, what),
            "JOIN" | "PART" | "KICK" | "TOPIC" | "MODE" => self.on_irc_channel(i, line, what, is_mine),
            "ERROR" => self.on_irc_end(i, line.at(0)),
            "366" if line.at(1) == "&all" && !self.clients[i].is_in() => self.on_welcome(i),
            "904" | "464" => self.clients[i].role = Role::Silent, // too much trouble
            "FAIL" if !self.clients[i].is_in() => self.clients[i].role = Role::Silent,
            "401" | "FAIL" | "NOTICE" => {
                if let Some(What::Say(number)) = what {
                    let is_ignored = line.text.contains("takes no messages from you");
                    let code = if line.command == "401" {
                        "550"
                    } else if is_ignored {
                        "554"
                    } else {
                        "450"
                    };
                    self.shadow.check_direct(number, code);
                }
            }
            _ => {}
        }
    }

    fn on_irc_message(&mut self, i: usize, line: &Line<'_>, what: Option<What>) {
        let Some(id) = line.tag("msgid") else { return }; // the rest of a long one
        let id: u64 = id.parse().expect("an id");
        let me = self.nick_of(i);
        let client = &mut self.clients[i];
        let number = line.at(1).strip_prefix('m').and_then(|rest| rest.split(' ').next()?.parse().ok());
        let number: u32 = number.unwrap_or_else(|| panic!("client {i} gets {line:?}"));
        let place = match line.at(0) {
            "&all" => Place::All,
            nick if nick == me => Place::Account(client.account),
            _ if line.room().is_some() => Place::Room(line.room().expect("a room")),
            _ => Place::Account(u16::MAX),
        };
        if let Some(What::Say(own)) = what {
            assert_eq!((own, line.nick()), (number, me.as_str()), "client {i} gets {line:?}");
            self.shadow.check_direct(number, "250");
            // What is kept for somebody is answered late; nothing is kept for oneself.
            if matches!(place, Place::All | Place::Room(_)) || place == Place::Account(client.account) {
                client.notes.push(Note::Said(number));
                self.ledger.on_own(number, id);
            }
        } else if line.nick() == me && place == Place::Account(u16::MAX) {
            let from = self.ledger.speaker(number);
            assert!(from != i && self.clients[from].account == self.clients[i].account, "client {i} gets {line:?}");
        } else {
            if let Place::Room(room) = place {
                assert!(client.rooms.contains(&room), "client {i} is not in it: {line:?}");
            }
            client.notes.push(Note::Heard(number));
            self.ledger.on_heard(number, place, Some(id), i);
        }
    }

    fn on_irc_channel(&mut self, i: usize, line: &Line<'_>, what: Option<What>, is_mine: bool) {
        let Some(room) = line.room() else { return };
        let me = self.nick_of(i);
        let client = &mut self.clients[i];
        let is_there = client.rooms.contains(&room);
        if line.command == "JOIN" && is_mine {
            let is_asked = matches!(what, Some(What::Enter { room: asked, .. }) if asked == room);
            assert!(is_asked && !is_there, "client {i} gets {line:?} for {what:?}");
            client.rooms.insert(room);
            client.notes.push(Note::In(Place::Room(room)));
            return;
        }
        assert!(is_there, "client {i} is not in it: {line:?}");
        let is_out = match line.command {
            "PART" if is_mine => {
                assert_eq!(what, Some(What::Leave(room)), "client {i} gets {line:?}");
                true
            }
            "KICK" => line.at(1) == me,
            _ => false,
        };
        if is_out {
            client.rooms.remove(&room);
            client.notes.push(Note::Out(Place::Room(room)));
        }
    }

    fn on_irc_end(&mut self, i: usize, reason: &str) {
        let reason = reason.strip_prefix("Closing link: ").unwrap_or_else(|| panic!("{reason:?}"));
        let client = &mut self.clients[i];
        if client.is_going && reason == "bye" {
            client.expected.pop_front();
            assert!(client.expected.is_empty(), "client {i} has quit and is owed answers: {client:?}");
            (client.end, client.over_at) = (Some(End::Left), self.now);
            return;
        }
        self.on_closing(i, reason);
    }

    /// The client says goodbye.
    pub(super) fn quit_irc(&mut self, i: usize) {
        self.send_bytes(i, b"QUIT\r".to_vec(), 0, &[], What::Bye);
    }
}
