//! Answers: what the hub and the engine say to a line becomes lines of IRC.

mod history;
mod login;
mod people;
mod refusals;
mod rooms;
mod waiting;

pub(super) use rooms::same;

use super::caps::Caps;
use super::door::IrcDoor;
use super::names::{self, EVERYBODY};
use super::numerics::Numeric;
use super::spell::{Dress, push_message};
use super::step::What;
use crate::door::recall::{Notice, Recalled};
use crate::door::reply::Reply;
use crate::hub::event::{Event, Message};

impl IrcDoor {
    /// Appends the hub's answer to a step to `out`, and updates the dialogue.
    pub fn encode_event(&mut self, event: &Event, out: &mut Vec<u8>) {
        if Self::is_news(event) {
            return self.encode_told(event, out);
        }
        self.on_event(event);
        self.hand_out(out);
    }

    /// Appends an answer of the engine to `out`, and updates the dialogue.
    pub fn encode_reply(&mut self, reply: &Reply, out: &mut Vec<u8>) {
        if let Reply::Notice(notice) = reply {
            // It is no part of an answer.
            let held = std::mem::take(&mut self.talk.lines);
            self.on_notice(notice);
            out.append(&mut self.talk.lines);
            self.talk.lines = held;
            self.talk.rest();
            return;
        }
        if let Reply::Closing(_) | Reply::Bye = reply
            && self.talk.label.is_some()
        {
            let asked = std::mem::take(&mut self.talk.asked);
            self.end_line(out); // its answer comes before the goodbye
            self.talk.asked = asked;
        }
        self.on_reply(reply);
        self.hand_out(out);
    }

    fn on_event(&mut self, event: &Event) {
        match event {
            Event::Welcome { name, .. } => self.on_welcome(name),
            Event::Sent { room, hearers: _, message } => {
                let channel = room.as_ref().map(|room| names::channel(room).to_string());
                self.echo_to(channel.unwrap_or_else(|| EVERYBODY.to_owned()), message);
            }
            Event::SentTo { name, message, away } => {
                self.echo_to(self.dress().nick(name).to_string(), message);
                if let Some(away) = away {
                    self.say_away(&self.dress().nick(name).to_string(), away);
                }
            }
            Event::KeptFor { name, message } => {
                self.echo_to(name.to_string(), message);
                self.say_away(name.as_str(), "not here; kept");
            }
            Event::Entered { room, again, kept, topic, .. } => {
                self.on_entered(room, *again, kept.is_some(), topic.as_ref());
            }
            Event::Names { room: _, names, matching } => self.on_members(names, *matching),
            Event::Online { names, matching } => self.on_online(names, *matching),
            Event::Rooms { rooms, matching } => self.on_rooms(rooms, *matching),
            Event::TopicShown { topic, .. } => self.on_topic_shown(topic.as_ref()),
            Event::Attends { public } => self.on_attends(*public),
            Event::Invited { room, name, away } => self.on_invited(room, name, away.as_deref()),
            Event::AwayIs { text } => {
                self.voice().say(if text.is_some() { Numeric::NowAway } else { Numeric::NotAway });
            }
            Event::YouAre { was, now } => self.on_you_are(was, now),
            Event::Watched { name, presence } => self.on_watched(name, presence),
            Event::Watches { names } => self.on_watches(names),
            Event::Counted(census) => self.on_counted(*census),
            Event::Done => self.on_done(),
            _ => self.on_refused(event),
        }
    }

    fn on_reply(&mut self, reply: &Reply) {
        match reply {
            Reply::Proved { name } => self.on_proved(name),
            Reply::WrongPassword(_) | Reply::WrongOldPassword => self.on_wrong_password(),
            Reply::PasswordChanged => self.say_nickserv("Your password is changed"),
            Reply::GuestRefused { why, is_login } => self.on_guest_refused(*why, *is_login),
            Reply::ReservedName(_) | Reply::BannedName(_) | Reply::BadName => {
                self.fail_registration("BAD_ACCOUNT_NAME", "No account can have this name");
            }
            Reply::NameTaken(_) => self.fail_registration("ACCOUNT_EXISTS", "Another account has this name"),
            Reply::NoNewAccounts => self.fail_registration("TEMPORARILY_UNAVAILABLE", "No new accounts"),
            Reply::Busy(_) | Reply::CannotSave | Reply::TooManyChanges(_) => self.on_busy(),
            Reply::Recalled(recalled) => self.on_recalled(recalled),
            Reply::WrongRoomPassword => self.say_bad_key(),
            Reply::TooManyGuesses(seconds) => {
                self.say_bad_key();
                self.voice().notice(format_args!("too many wrong keys, try again in {seconds} s"));
            }
            Reply::LineTooLong(_) => self.voice().say(Numeric::TooLong),
            Reply::NeedsAccount => self.say_needs_account(),
            Reply::Bye => {
                let text = match &self.talk.asked.what {
                    What::Quit(Some(text)) => text.to_string(),
                    _ => "bye".to_owned(),
                };
                self.say_goodbye(&text);
            }
            Reply::Closing(reason) => self.say_goodbye(&reason.to_string()),
            _ => {} // questions and answers of the line door
        }
    }

    /// News about what is kept. Of all places, a client is told those that it has open for sure.
    fn on_notice(&mut self, notice: &Notice) {
        let Notice::Read { place, id } = notice else { return };
        let mark = super::point::timestamp(*id);
        let targets = match place {
            Some(place) => vec![history::target_of(place)],
            None => {
                let rooms = self.rooms.iter().map(|room| names::channel(room).to_string());
                std::iter::once(EVERYBODY.to_owned()).chain(rooms).collect()
            }
        };
        for target in targets {
            self.voice().server_line(format_args!("MARKREAD {target} {mark}"));
        }
    }

    pub(super) fn dress(&self) -> Dress<'_> {
        Dress { server: &self.server, caps: self.caps, time_ms: self.time_ms }
    }

    /// One's own message, as others get it.
    fn echo_to(&mut self, target: String, message: &Message) {
        if self.caps.has(Caps::ECHO_MESSAGE) {
            let dress = Dress { server: &self.server, caps: self.caps, time_ms: self.time_ms };
            push_message(dress, target, message, None, &mut self.talk.lines);
        }
    }

    fn say_away(&mut self, nick: &str, text: &str) {
        if self.is_asked(|what| matches!(what, What::Message(crate::hub::event::Manner::Text))) {
            self.voice().number(Numeric::IsAway, format_args!("{nick} :{text}"));
        }
    }

    /// The command was carried out. Others and this client are told of most that changes; the rest is said here.
    fn on_done(&mut self) {
        let what = std::mem::take(&mut self.talk.asked.what);
        match &what {
            What::Part(reason) => self.say_part(reason.as_deref()),
            What::LockMode { is_set } => {
                let sign = if *is_set { '+' } else { '-' };
                self.say_own_mode(&format!("{sign}k *"));
            }
            What::SetName(text) => {
                self.papers.called = Some(text.clone());
                if self.caps.has(Caps::SETNAME) {
                    self.say_own(format_args!("SETNAME :{text}"));
                }
            }
            _ => {}
        }
        self.talk.asked.what = what;
    }

    /// A line of this client's own, as others get it.
    fn say_own(&mut self, rest: std::fmt::Arguments<'_>) {
        if let Some(me) = &self.me() {
            let dress = Dress { server: &self.server, caps: self.caps, time_ms: self.time_ms };
            dress.push(dress.nick(me), rest, &mut self.talk.lines);
        }
    }

    fn on_recalled(&mut self, recalled: &Recalled) {
        match recalled {
            Recalled::Whois(whois) => self.on_whois_answer(Some(whois)),
            Recalled::NoSuchUser => self.on_whois_answer(None),
            Recalled::Page { page, .. } => self.on_page(page),
            Recalled::Counts { counts, .. } => self.on_counts(counts),
            Recalled::Read => {}
            refusal => self.on_not_recalled(refusal),
        }
    }
}
