//! CAP, NICK, USER, PASS, AUTHENTICATE, REGISTER: until a client is registered, and how it logs in.

use crate::close::CloseReason;
use crate::door::decoded::Decoded;
use crate::door::irc::caps;
use crate::door::irc::door::IrcDoor;
use crate::door::irc::message::Parameters;
use crate::door::irc::names;
use crate::door::irc::numerics::Numeric;
use crate::door::irc::request::Request;
use crate::door::irc::sasl::{Progress, Sasl};
use crate::door::irc::split::fitting;
use crate::door::irc::stage::Stage;
use crate::door::irc::step::{Asked, What};
use crate::door::irc::text::plain;
use crate::door::irc::voice::repeated;
use crate::hub::command::Command;
use crate::hub::names::UserName;
use crate::limits::{IRC_REALNAME_BYTES, PASSWORD_MAX_BYTES};
use crate::secret::Secret;

impl IrcDoor {
    pub(super) fn on_cap(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let subcommand = parameters.at(0).to_ascii_uppercase();
        match subcommand.as_str() {
            "LS" => {
                self.negotiate();
                let has_values = parameters.at(1).parse().is_ok_and(|version: u32| version >= 302);
                if has_values {
                    self.is_302 = true;
                    self.caps = caps::of_version_302(self.caps);
                }
                let words = caps::listed(&self.server, self.options, has_values);
                self.say_caps("LS", &words);
            }
            "LIST" => {
                let words: Vec<_> = caps::names(self.caps).collect();
                self.say_caps("LIST", &words);
            }
            "REQ" => {
                self.negotiate();
                let request = parameters.at(1);
                let granted = caps::requested(self.caps, request, &self.server, self.is_302);
                let verb = if granted.is_some() { "ACK" } else { "NAK" };
                self.caps = granted.unwrap_or(self.caps);
                let request = crate::text::salvage(request.as_bytes()).into_owned();
                self.say_cap(verb, &request);
            }
            "END" => {
                if let Stage::Arriving(arriving) = &mut self.stage {
                    arriving.negotiates = false;
                }
            }
            _ => {
                let subcommand = repeated(parameters.at(0)).to_owned();
                self.voice().about(Numeric::BadCap, subcommand);
            }
        }
        Decoded::Nothing
    }

    fn negotiate(&mut self) {
        if let Stage::Arriving(arriving) = &mut self.stage {
            arriving.negotiates = true;
        }
    }

    /// The words of a list, in several lines only for clients that know how.
    fn say_caps<W: AsRef<str>>(&mut self, verb: &str, words: &[W]) {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        let mut lines: Vec<String> = vec![String::new()];
        for word in words {
            let is_full = lines.last().is_some_and(|line| line.len() + word.len() > CAPS_BYTES);
            if is_full && self.is_302 {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
        }
        let last = lines.pop().unwrap_or_default();
        for line in lines {
            self.say_cap(&format!("{verb} *"), &line);
        }
        self.say_cap(verb, &last);
    }

    fn say_cap(&mut self, verb: &str, words: &str) {
        let me = self.nick().to_owned();
        self.voice().server_line(format_args!("CAP {me} {verb} :{words}"));
    }

    pub(super) fn on_nick(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let asked = parameters.at(0);
        if asked.is_empty() {
            self.voice().say(Numeric::NoNick);
            return Decoded::Nothing;
        }
        if self.is_account() {
            if !self.is_me(asked) {
                self.voice().about(Numeric::NoNickChange, repeated(asked));
            }
            return Decoded::Nothing;
        }
        if !names::is_nick(asked) || asked.eq_ignore_ascii_case(&self.server.name) {
            self.voice().about(Numeric::BadNick, repeated(asked));
            return Decoded::Nothing;
        }
        match &mut self.stage {
            Stage::Arriving(arriving) => {
                arriving.nick = Some(asked.into());
                arriving.has_nick = true;
            }
            Stage::Anteroom(nick) => {
                let (me, name) = (std::mem::replace(nick, asked.into()), self.server.name.clone());
                self.voice().line_of(&format!("{me}!guest@{name}"), format_args!("NICK {asked}"));
            }
            Stage::Account(_) | Stage::Guest(_) => return self.on_rename(asked),
        }
        Decoded::Nothing
    }

    /// A guest takes another name.
    fn on_rename(&mut self, asked: &str) -> Decoded<'static> {
        match names::guest(asked) {
            Ok(guest) => {
                let asked = Asked::nick(What::Nick, repeated(asked));
                self.ask(asked, Decoded::Command(Command::Rename { guest }))
            }
            Err(_) => {
                self.voice().about(Numeric::BadNick, repeated(asked));
                Decoded::Nothing
            }
        }
    }

    pub(super) fn on_user(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let Stage::Arriving(arriving) = &mut self.stage else {
            self.voice().say(Numeric::AlreadyRegistered);
            return Decoded::Nothing;
        };
        if arriving.has_user {
            self.voice().say(Numeric::AlreadyRegistered);
            return Decoded::Nothing;
        }
        if parameters.at(0).is_empty() || parameters.at(3).is_empty() {
            self.voice().about(Numeric::NeedMore, "USER");
            return Decoded::Nothing;
        }
        arriving.has_user = true;
        let called = plain(parameters.at(3)).ok();
        self.papers.called = called.map(|called| fitting(called.trim_matches(' '), IRC_REALNAME_BYTES).into());
        Decoded::Nothing
    }

    pub(super) fn on_pass(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        match &mut self.stage {
            Stage::Arriving(arriving) => {
                let password = parameters.at(0);
                arriving.password = (!password.is_empty()).then(|| Secret::new(password.as_bytes().to_vec()));
            }
            Stage::Anteroom(_) | Stage::Account(_) | Stage::Guest(_) => self.voice().say(Numeric::AlreadyRegistered),
        }
        Decoded::Nothing
    }

    pub(super) fn on_authenticate(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let word = parameters.at(0);
        if self.is_account() || self.proved().is_some() {
            self.voice().say(Numeric::SaslAlready);
            return Decoded::Nothing;
        }
        let Some(sasl) = &mut self.papers.sasl else { return self.on_mechanism(word) };
        let progress = if word == "*" { None } else { Some(sasl.handle_chunk(word)) };
        if progress != Some(Progress::Goes) {
            self.papers.sasl = None;
        }
        match progress {
            None => self.voice().say(Numeric::SaslAborted),
            Some(Progress::Goes) => {}
            Some(Progress::TooLong) => self.voice().say(Numeric::SaslTooLong),
            Some(Progress::Bad) => self.voice().say(Numeric::SaslFail),
            Some(Progress::Whole(name, password)) => {
                return self.request(Asked::plain(What::Sasl), Request::Prove { name, password });
            }
        }
        Decoded::Nothing
    }

    fn on_mechanism(&mut self, word: &str) -> Decoded<'static> {
        if word.eq_ignore_ascii_case("PLAIN") {
            self.papers.sasl = Some(Box::new(Sasl::default()));
            self.voice().bare_line(format_args!("AUTHENTICATE +"));
        } else if word == "*" {
            self.voice().say(Numeric::SaslAborted);
        } else {
            self.voice().about(Numeric::SaslMechanisms, "PLAIN");
            self.voice().say(Numeric::SaslFail);
        }
        Decoded::Nothing
    }

    pub(super) fn on_register(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let account = parameters.at(0);
        let is_own = account == "*" || account.eq_ignore_ascii_case(self.own_name());
        let shown = repeated(account).to_owned();
        let context = format!(" {shown}");
        self.talk.asked = Asked::plain(What::Register);
        if self.is_account() || self.proved().is_some() {
            self.fail_register("ALREADY_AUTHENTICATED", &context, "You are logged in");
        } else if !self.server.registers {
            self.fail_register("TEMPORARILY_UNAVAILABLE", &context, "No new accounts");
        } else if self.nick() == "*" {
            self.fail_register("NEED_NICK", &context, "NICK comes first");
        } else if !is_own {
            self.fail_register("ACCOUNT_NAME_MUST_BE_NICK", &context, "The name of the account is your nick");
        } else {
            return self.register(parameters.at(2).as_bytes());
        }
        Decoded::Nothing
    }

    /// Makes an account of the client's nick, for REGISTER or for NickServ, as is asked.
    pub(super) fn register(&mut self, password: &[u8]) -> Decoded<'static> {
        let context = format!(" {}", self.nick());
        let least = self.server.password_min as usize;
        match UserName::parse(self.own_name()) {
            _ if !self.server.registers => {
                self.fail_register("TEMPORARILY_UNAVAILABLE", &context, "No new accounts");
            }
            Err(_) => self.fail_register("BAD_ACCOUNT_NAME", &context, "No account can have this name"),
            Ok(_) if password.len() < least => {
                self.fail_register("WEAK_PASSWORD", &context, &format!("A password has {least} bytes or more"));
            }
            Ok(_) if password.len() > PASSWORD_MAX_BYTES => {
                let why = format!("A password has at most {PASSWORD_MAX_BYTES} bytes");
                self.fail_register("UNACCEPTABLE_PASSWORD", &context, &why);
            }
            Ok(name) => {
                let request = Request::Register { name, password: Secret::new(password.to_vec()) };
                return Decoded::Irc(Box::new(request));
            }
        }
        Decoded::Nothing
    }

    pub(in crate::door::irc) fn fail_register(&mut self, code: &str, context: &str, why: &str) {
        if self.is_asked(|what| matches!(what, What::NickServ)) {
            return self.say_nickserv(why);
        }
        self.voice().fail("REGISTER", code, context, why);
    }

    /// Completes the registration, or the login of a client in the anteroom, once all is there. Called when a line is
    /// answered.
    pub(in crate::door::irc) fn complete(&mut self) -> Option<Decoded<'static>> {
        match &mut self.stage {
            Stage::Account(_) => None,
            Stage::Anteroom(_) | Stage::Guest(_) => self.proved().is_some().then(|| self.enter_proved()),
            Stage::Arriving(arriving) => {
                if !arriving.has_nick || !arriving.has_user || arriving.negotiates {
                    return None;
                }
                if self.papers.sasl.take().is_some() {
                    self.voice().say(Numeric::SaslAborted);
                }
                self.come_in()
            }
        }
    }

    fn come_in(&mut self) -> Option<Decoded<'static>> {
        if self.proved().is_some() {
            return Some(self.enter_proved());
        }
        let Stage::Arriving(arriving) = &mut self.stage else { return None };
        if let Some(password) = arriving.password.take() {
            return Some(self.prove_pass(&password));
        }
        if self.options.guests {
            return self.enter_as_guest();
        }
        self.stage = Stage::Anteroom(self.nick().into());
        self.say_anteroom();
        None
    }

    fn enter_proved(&mut self) -> Decoded<'static> {
        let papers = &mut *self.papers;
        if papers.called.as_deref() == papers.proved.as_ref().map(UserName::as_str) {
            papers.called = None; // that is shown anyway
        }
        let called = self.called();
        self.request(Asked::plain(What::Entering), Request::EnterProved { called })
    }

    fn enter_as_guest(&mut self) -> Option<Decoded<'static>> {
        let Ok(guest) = names::guest(self.nick()) else {
            let asked = self.nick().to_owned();
            self.voice().about(Numeric::BadNick, asked);
            self.wait_for_nick();
            return None;
        };
        let called = self.called();
        Some(self.request(Asked::plain(What::Entering), Request::EnterAsGuest { guest, called }))
    }

    /// The nick cannot be had: another NICK completes the registration.
    pub(in crate::door::irc) fn wait_for_nick(&mut self) {
        if let Stage::Arriving(arriving) = &mut self.stage {
            arriving.has_nick = false;
        }
    }

    /// `PASS password` or `PASS name:password`. It never makes an account: a mistyped nick would be one.
    fn prove_pass(&mut self, given: &Secret<Vec<u8>>) -> Decoded<'static> {
        let bytes = given.as_bytes();
        let named = bytes.iter().position(|byte| *byte == b':').and_then(|colon| {
            let (name, password) = bytes.split_at(colon);
            let name = UserName::from_record(std::str::from_utf8(name).ok()?).ok()?;
            Some((name, password.get(1..).unwrap_or_default()))
        });
        let named = named.or_else(|| Some((UserName::from_record(self.nick()).ok()?, bytes)));
        match named.filter(|(_, password)| (1..=PASSWORD_MAX_BYTES).contains(&password.len())) {
            Some((name, password)) => {
                let request = Request::Prove { name, password: Secret::new(password.to_vec()) };
                self.request(Asked::plain(What::Pass), request)
            }
            None => {
                self.voice().say(Numeric::WrongPassword);
                Decoded::Refuse(CloseReason::TooManyFailures)
            }
        }
    }
}

/// Bytes of capabilities in a line, so that it fits with the server's name and a nick.
const CAPS_BYTES: usize = 300;
