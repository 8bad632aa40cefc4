//! Coming in: the greeting, and what becomes of passwords.

use crate::close::CloseReason;
use crate::door::decoded::Decoded;
use crate::door::irc::caps::Caps;
use crate::door::irc::door::IrcDoor;
use crate::door::irc::names::EVERYBODY;
use crate::door::irc::numerics::Numeric;
use crate::door::irc::spell::{Dress, push_join};
use crate::door::irc::stage::Stage;
use crate::door::irc::step::{Asked, What};
use crate::door::recall::Recall;
use crate::door::reply::GuestRefusal;
use crate::hub::command::Command;
use crate::hub::event::Census;
use crate::hub::names::{UserName, Who};

impl IrcDoor {
    /// The password was right, or the account was made.
    pub(super) fn on_proved(&mut self, name: &UserName) {
        self.papers.proved = Some(name.clone());
        if self.is_asked(|what| matches!(what, What::Pass)) {
            return; // 001 comes next, with the nick, and nothing before it
        }
        if self.is_asked(|what| matches!(what, What::Register)) {
            self.voice().server_line(format_args!("REGISTER SUCCESS {name} :Account created"));
        }
        if self.is_asked(|what| matches!(what, What::NickServ)) {
            self.say_nickserv(&format!("You are {name} now"));
        }
        let (me, host) = (self.nick().to_owned(), self.server.name.clone());
        let source = format!("{me}!account@{host}");
        self.voice().number(Numeric::LoggedIn, format_args!("{source} {name} :You are now logged in as {name}"));
        if self.is_asked(|what| matches!(what, What::Sasl)) || matches!(self.stage, Stage::Anteroom(_)) {
            self.voice().say(Numeric::SaslSuccess);
        }
    }

    pub(super) fn on_wrong_password(&mut self) {
        match &self.talk.asked.what {
            What::Sasl => self.voice().say(Numeric::SaslFail),
            What::Pass => {
                self.voice().say(Numeric::WrongPassword);
                self.close_next(CloseReason::TooManyFailures);
            }
            _ => self.say_nickserv("Wrong password"),
        }
    }

    /// The server is too busy: it is no failure.
    pub(super) fn on_busy(&mut self) {
        let code = "TEMPORARILY_UNAVAILABLE";
        match &self.talk.asked.what {
            What::Sasl => {
                self.voice().fail("AUTHENTICATE", code, "", "The server is busy, try again");
                self.voice().say(Numeric::SaslFail);
            }
            What::Pass => {
                self.voice().fail("PASS", code, "", "The server is busy, try again");
                self.close_next(CloseReason::TooManyFailures);
            }
            What::Register => self.fail_registration(code, "The server is busy, try again"),
            _ => self.say_nickserv("The server is busy, try again"),
        }
    }

    pub(super) fn fail_registration(&mut self, code: &str, why: &str) {
        let context = format!(" {}", self.nick());
        self.fail_register(code, &context, why);
    }

    /// No guest may have that name.
    pub(super) fn on_guest_refused(&mut self, why: GuestRefusal, is_login: bool) {
        let nick = if is_login { self.nick().into() } else { self.talk.asked.nick.clone() };
        let numeric = match why {
            GuestRefusal::Taken => Numeric::NickInUse,
            GuestRefusal::Shape | GuestRefusal::Reserved => Numeric::BadNick,
        };
        self.voice().about(numeric, nick);
        if is_login {
            self.wait_for_nick();
        }
    }

    /// The session has begun.
    pub(super) fn on_welcome(&mut self, name: &Who) {
        self.papers.proved = None;
        self.papers.rest();
        let was = std::mem::replace(&mut self.stage, Stage::of(name, self.server.guests));
        if let Some(was) = was.who() {
            // A guest who has become an account is where it was.
            let dress = Dress { server: &self.server, caps: self.caps, time_ms: self.time_ms };
            let (old, new) = (dress.nick(&was), self.stage.nick());
            if old.to_string() != new {
                dress.push(old, format_args!("NICK {new}"), &mut self.talk.lines);
            }
            return self.ask_what_waits();
        }
        if let Stage::Anteroom(old) = was {
            let (new, host) = (self.nick().to_owned(), self.server.name.clone());
            if *old != *new {
                self.voice().line_of(&format!("{old}!guest@{host}"), format_args!("NICK {new}"));
            }
            self.say_everybody();
            return self.ask_what_waits();
        }
        self.say_greeting();
        self.next(Asked::plain(What::Burst), Decoded::Command(Command::Census));
    }

    /// `001` to `005`.
    fn say_greeting(&mut self) {
        use crate::door::irc::decode::VERSION;
        let (name, network, me) = (self.server.name.clone(), self.server.network.clone(), self.nick().to_owned());
        let mut voice = self.voice();
        voice.number(Numeric::Welcome, format_args!(":Welcome to {network}, {me}"));
        voice.number(Numeric::YourHost, format_args!(":Your host is {name}, running {VERSION}"));
        voice.say(Numeric::Created);
        voice.number(Numeric::MyInfo, format_args!("{name} {VERSION} i Pknot ko"));
        self.say_supports();
    }

    /// A client without an account is registered, and nobody in the chat.
    pub(in crate::door::irc) fn say_anteroom(&mut self) {
        self.say_greeting();
        self.say_motd();
        self.voice().number(Numeric::UserModes, format_args!("+i"));
    }

    pub(super) fn on_counted(&mut self, census: Census) {
        let Census { accounts, guests, sessions, rooms, most_sessions } = census;
        let mut voice = self.voice();
        let words = format!("There are {accounts} users and {guests} guests on 1 server");
        voice.number(Numeric::UsersOnline, format_args!(":{words}"));
        if rooms > 0 {
            voice.about(Numeric::Channels, rooms);
        }
        voice.number(Numeric::Clients, format_args!(":I have {sessions} clients and 0 servers"));
        for numeric in [Numeric::LocalUsers, Numeric::GlobalUsers] {
            let kind = if numeric == Numeric::LocalUsers { "local" } else { "global" };
            let words = format!("Current {kind} users {sessions}, max {most_sessions}");
            voice.number(numeric, format_args!("{sessions} {most_sessions} :{words}"));
        }
        if self.is_asked(|what| matches!(what, What::Burst)) {
            self.say_motd();
            self.voice().number(Numeric::UserModes, format_args!("+i"));
            self.say_everybody();
            self.ask_what_waits();
        }
    }

    /// Every session hears public messages at first: it is in `&all`.
    pub(super) fn say_everybody(&mut self) {
        let Some(me) = self.me() else { return };
        let called = self.called();
        let dress = Dress { server: &self.server, caps: self.caps, time_ms: self.time_ms };
        push_join(dress, EVERYBODY, &me, called.as_deref(), &mut self.talk.lines);
        self.is_greeted = true;
        let shows_mark = self.caps.has(Caps::READ_MARKER) && self.server.keeps;
        if shows_mark && self.is_account() {
            return self.next(Asked::channel(What::EntersEverybody, EVERYBODY), Decoded::Recall(Recall::Unread));
        }
        if shows_mark {
            self.voice().server_line(format_args!("MARKREAD {EVERYBODY} *"));
        }
        self.say_alone();
    }

    /// The names of `&all` for a client that enters it: its own nick alone.
    pub(super) fn say_alone(&mut self) {
        let Some(me) = &self.me() else { return };
        if !self.caps.has(Caps::NO_IMPLICIT_NAMES) {
            let nick = self.shown_in_names(me, false);
            self.voice().number(Numeric::Names, format_args!("= {EVERYBODY} :{nick}"));
            self.voice().about(Numeric::EndOfNames, EVERYBODY);
        }
    }
}
