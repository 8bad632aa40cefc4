//! Handling of the server's replies.

use chatd::limits::TOKEN_MAX_BYTES;
use chatd::text::is_same_name;

use super::due::QUIET_MS;
use super::requests::{Listed, Request, Way, Words};
use super::rooms::Room;
use super::wording::in_our_words;
use super::{Phase, Session};
use crate::action::{Action, Call, Message, Now, Place, Secret, Shown};
use crate::alert::{Heard, Verdict, mentions};
use crate::command::{is_room_name, word};
use crate::frame::{Kind, Said};
use crate::past;

impl Session {
    pub(super) fn on_reply(&mut self, code: u16, more: bool, text: String, now: Now) {
        if code == 421 {
            return self.on_closing(&text, now);
        }
        match self.phase {
            // Before the login no reply has more than one line; these have no meaning.
            Phase::Greeting | Phase::Named | Phase::Login(_) if more => {}
            Phase::Greeting => self.on_greeting(code, &text, now),
            Phase::Named => self.on_named(code, &text, now),
            Phase::Login(_) => self.on_login_reply(code, &text, now),
            Phase::Ready { .. } | Phase::Leaving { .. } => self.on_answer(code, more, text, now),
            Phase::Connecting | Phase::Doubt { .. } | Phase::Waiting { .. } | Phase::Away | Phase::Over => {}
        }
    }

    pub(super) fn on_notice(&mut self, code: u16, text: String) {
        let (room, rest) = word(&text);
        let name = word(rest).0;
        match code {
            103 => self.known.see_name(name),
            101 => self.on_presence(&text),
            111 => {
                self.known.see_room(room);
                self.known.see_name(name);
            }
            102 => {
                if let Some(now) = rest.strip_prefix("is ").and_then(|rest| rest.strip_suffix(" now")) {
                    self.known.see_name(now);
                    self.talk_goes_on(room, now);
                }
            }
            108 => return self.on_read_elsewhere(&text),
            109 => {
                self.on_erased(&text);
                let text = self.on_erased_elsewhere(text);
                return self.show(Shown::Notice { code, text });
            }
            112 => {
                let is_kept = rest.starts_with("kept");
                self.rooms.keep(room, is_kept);
            }
            104 if rest.ends_with(": kicked") && name.eq_ignore_ascii_case(&self.name) => {
                let room = room.to_owned();
                self.show(Shown::Notice { code, text });
                return self.lose_room(&room);
            }
            106 => {
                let room = room.to_owned();
                self.show(Shown::Notice { code, text });
                // A host who closes a room expects to be out of it.
                let is_closing =
                    |request: &Request| matches!(request, Request::Close(closed) if is_same_name(closed, &room));
                let is_wanted = self.requests.iter().any(is_closing);
                return if is_wanted { self.leave_room(&room) } else { self.lose_room(&room) };
            }
            _ => {}
        }
        self.show(Shown::Notice { code, text });
    }

    pub(super) fn on_said(&mut self, said: Said) {
        if let Some(said) = self.hold(said) {
            let is_own = self.is_own(&said);
            self.note_shown(said.id, true, is_own);
            self.show_said(said);
        }
    }

    /// Whether the user has said this.
    pub(super) fn is_own(&self, said: &Said) -> bool {
        said.kind == Kind::Own || self.is_me(&said.from)
    }

    /// Shows a live message.
    pub(super) fn show_said(&mut self, said: Said) {
        let is_own = self.is_own(&said);
        let Said { kind, id, from, text } = said;
        if is_own {
            self.known.see_name(&from);
        } else {
            self.known.hear(&from);
        }
        let (place, from, confirmed) = match kind {
            Kind::Public => (Place::Public, from, None),
            Kind::Direct => (Place::Direct { with: from.clone() }, from, None),
            Kind::Own => {
                let told = format!("to {from}, from another client of yours");
                (Place::Direct { with: from }, self.name.clone(), Some(told))
            }
            Kind::Room(room) => (Place::Room(room), from, None),
        };
        self.people.recent.note(id, &place, &from, &text);
        let (is_mention, is_read) = (mentions(&text, self.name.trim_start_matches('~')), id <= self.news.mark(&place));
        let Verdict { stands_out, calls } =
            self.rules.judge(Heard { place: &place, from: &from, is_mention, is_own, is_read });
        if !is_own {
            self.note_new(&place, id, stands_out);
        }
        let (unix_ms, id, is_past) = (id >> 20, Some(id), false);
        let message = Message { place, from, text, id, unix_ms, confirmed, stands_out, is_own, is_past };
        if calls {
            self.actions.push_back(Action::Call(Call::Said(message.clone())));
        }
        self.show(Shown::Message(message));
    }

    /// A line of a reply to the oldest request.
    fn on_answer(&mut self, code: u16, more: bool, text: String, now: Now) {
        if more {
            return self.on_more(code, text, now);
        }
        let Some((request, line)) = self.requests.pop_front() else {
            return self.on_nonsense(format!("the server answers what nobody asked: {code} {text}"), now);
        };
        self.continue_line(line);
        self.owed_ms = now.monotonic_ms;
        self.is_slow_told = false;
        self.give_time(now);
        match request {
            Request::Say(words) => self.on_said_it(words, code, text, now),
            Request::Open if code == 354 => {}
            Request::Open => {
                // The text after it is refused too, because the server did not ask for it. This reply says why.
                if let Some((Request::Say(words), line)) = self.requests.pop_front() {
                    self.requests.push_front(Request::Refused { words, code, text }, line);
                }
            }
            Request::Refused { words, code, text } => self.on_said_it(words, code, text, now),
            Request::List { is_shown, asks, .. } => {
                if is_shown {
                    self.reply(code, text);
                }
                if asks {
                    self.ask_name_and_text();
                }
            }
            Request::Token => self.on_token(code, &text, now),
            Request::Enter { room, password, way } => self.on_entered(room, password, way, code, text, now),
            Request::Leave(room) => {
                self.reply_done(code, text, || format!("you have left {room}"));
                if matches!(code, 200 | 550) {
                    self.leave_room(&room);
                }
            }
            Request::Close(room) => {
                self.reply_done(code, text, || format!("{room} is closed"));
                if code == 200 {
                    self.leave_room(&room);
                }
            }
            Request::Kick { room, name } => self.reply_done(code, text, || format!("{name} is out of {room}")),
            Request::Find(name) if code == 354 => self.ask_text_for(Place::Direct { with: name }),
            Request::Find(_) => {
                self.reply(code, text);
                self.ask_no_text();
            }
            Request::Passwd => self.on_change_reply(code, text, now),
            Request::Resume => self.on_past_answer(code, &text, now),
            Request::Page { more } => self.on_page_end(code, text, more),
            Request::Unread => self.reply(code, text),
            Request::Change { done } if text == "done" => self.reply_done(code, text, || done),
            Request::Change { .. } => self.reply(code, text),
            Request::People(ask) => self.on_people_answer(ask, code, text),
            Request::Read => self.on_read_answer(code, now),
            Request::Noop | Request::Cancel => {}
            Request::Exit => {
                let code = if let Phase::Leaving { code, .. } = self.phase { code } else { 0 };
                self.finish(code);
            }
        }
    }

    /// A line of an unfinished reply.
    fn on_more(&mut self, code: u16, text: String, now: Now) {
        let is_shown = match self.requests.front() {
            Some(Request::List { of, is_shown, .. }) if code == 211 => {
                match of {
                    Listed::Names => self.known.see_name(word(&text).0),
                    Listed::Rooms => self.known.see_room(word(&text).0),
                }
                *is_shown
            }
            Some(Request::Resume) => return self.on_past_line(code, text, now),
            Some(Request::Page { .. }) => return self.on_page_line(code, text),
            Some(Request::Unread) => return self.on_unread_line(code, text),
            Some(Request::People(_)) => return self.on_people_line(code, text),
            Some(Request::Noop | Request::Token | Request::Read) => false,
            Some(_) => true,
            None => {
                return self.on_nonsense(format!("the server answers what nobody asked: {code} {text}"), now);
            }
        };
        if is_shown {
            self.show(Shown::Reply { code, more: true, text });
        }
    }

    /// The reply to a message.
    fn on_said_it(&mut self, words: Words, code: u16, text: String, now: Now) {
        let is_once = self.settings.once.is_some();
        if code == 250 {
            let Words { place, text: said, .. } = words;
            let (told, id) = past::confirmed(&text);
            if let Some(id) = id {
                self.note_shown(id, false, true);
                self.people.recent.note(id, &place, &self.name, &said);
            }
            let told = if self.settings.people { past::told_away(told) } else { told.to_owned() };
            self.show(Shown::Message(Message {
                place,
                from: self.name.clone(),
                text: said,
                id,
                unix_ms: id.map_or(now.unix_ms, |id| id >> 20),
                confirmed: Some(told),
                stands_out: false,
                is_own: true,
                is_past: false,
            }));
        } else {
            self.reply(code, text);
            if self.settings.people {
                // The line is erased when it is sent.
                self.note("not-sent", format!("not sent, {}", words.describe()));
            }
        }
        if is_once && self.is_ready() {
            self.say_goodbye(super::LEAVE_MS, u8::from(code != 250), now);
        }
    }

    fn on_token(&mut self, code: u16, text: &str, now: Now) {
        let (token, rest) = word(text);
        let fits = (1..=TOKEN_MAX_BYTES).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
        if code != 231 || !fits {
            return self
                .trouble("token", "no token to come back with: after a break you will need your password".to_owned());
        }
        let token = Secret(token.to_owned().into());
        let life_s: Option<u64> = rest.strip_prefix("expires=").and_then(|seconds| seconds.trim_end().parse().ok());
        // At half of its lifetime, so that a token stays valid for a while without frequent requests.
        self.token_due_ms = life_s.map(|s| now.monotonic_ms.saturating_add(s.saturating_mul(500).max(QUIET_MS)));
        self.set_token(Some(token.clone()));
        self.actions.push_back(Action::KeepToken(self.retry.server(), token));
    }

    fn on_entered(&mut self, room: String, password: Option<Secret>, way: Way, code: u16, text: String, now: Now) {
        match (code, way) {
            (227, _) => {
                // The server's spelling of the room; the rest is for the client.
                let spelled = word(&text).0;
                let name = if is_room_name(spelled) { spelled.to_owned() } else { room.clone() };
                let is_kept = text.split(' ').any(|word| word.starts_with("kept="));
                self.known.see_room(&name);
                self.rooms.enter(Room { name: name.clone(), password, is_kept });
                if way == Way::Remembered {
                    return self.on_remembered(&room, &name);
                }
                self.remembered.settle(&name);
                match way {
                    Way::Wanted if self.settings.listens => self.note("entered", format!("you listen in {name}")),
                    Way::Wanted | Way::Made => {
                        self.go(Place::Room(name));
                        self.say_once(now);
                    }
                    Way::Member | Way::Remembered => self.note("entered", format!("you are in {name}")),
                    Way::Again | Way::AgainAfterAll => self.note("entered", format!("you are in {name} again")),
                    Way::Remade => self.note("entered", format!("{name} was gone; you have made it again")),
                }
            }
            // A restarted server has no rooms. The first member to return creates them.
            (550, Way::Again) => self.enter(&room, password, Way::Remade, now),
            (553, Way::Remade) => self.enter(&room, password, Way::AgainAfterAll, now),
            (_, Way::Wanted | Way::Made) => {
                if self.settings.listens {
                    self.trouble("closed", format!("cannot listen in {room}: {text}"));
                }
                self.reply(code, text);
                self.go_astray();
                let is_needed = self.settings.once.is_some() || self.settings.listens;
                if is_needed && self.is_ready() {
                    self.say_goodbye(super::LEAVE_MS, 1, now);
                }
            }
            (_, Way::Remembered) => self.on_not_remembered(&room, code, &text),
            (_, Way::Member) => {
                self.trouble("left-room", format!("you are not in {room}: {}", in_our_words(&text)));
            }
            (_, Way::Again | Way::Remade | Way::AgainAfterAll) => {
                self.trouble("left-room", format!("you are not in {room} any more: {}", in_our_words(&text)));
                self.lose_room(&room);
            }
        }
    }

    pub(super) fn reply(&mut self, code: u16, text: String) {
        let text = in_our_words(&text);
        self.show(Shown::Reply { code, more: false, text });
    }

    /// A reply whose 200 does not say what was done.
    fn reply_done(&mut self, code: u16, text: String, done: impl FnOnce() -> String) {
        self.reply(code, if code == 200 { done() } else { text });
    }
}
