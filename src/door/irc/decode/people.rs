//! WHO, WHOIS, ISON, USERHOST, AWAY, SETNAME, MONITOR.

use std::borrow::Cow;

use crate::door::decoded::Decoded;
use crate::door::irc::door::IrcDoor;
use crate::door::irc::message::Parameters;
use crate::door::irc::names::{self, EVERYBODY, Target};
use crate::door::irc::numerics::Numeric;
use crate::door::irc::split::fitting;
use crate::door::irc::step::{Asked, Fields, What};
use crate::door::irc::text::{Refusal, plain};
use crate::door::irc::voice::repeated;
use crate::door::recall::Recall;
use crate::hub::command::{Command, Watch};
use crate::hub::names::Who;
use crate::hub::profile::ProfileKey;
use crate::limits::AWAY_BYTES;

/// Nicks in one ISON: more of the shortest do not fit a line.
const ISON_NICKS: usize = 256;
/// Nicks in one USERHOST (RFC 2812, 4.8).
const USERHOST_NICKS: usize = 5;
/// The longest name of a WHOX, in digits.
const TOKEN_BYTES: usize = 3;
/// The letters of a WHOX.
const LETTERS: &str = "tcuihsnfdlaor";

impl IrcDoor {
    /// `WHO mask [%fields[,token]]`. A mask is a channel, a nick, `nick*`, or `*`.
    pub(super) fn on_who<'a>(&mut self, parameters: Parameters<'a>) -> Decoded<'a> {
        let mask = parameters.at(0);
        let fields = Box::new(fields(parameters.at(1)));
        let asked = |what| Asked::channel(what, repeated(mask));
        if mask.starts_with(['#', '&']) {
            return match Target::channel(mask) {
                Ok(Target::Room(room)) => {
                    let asked = Asked::channel(What::Who(fields), self.channel_of(&room));
                    self.ask(asked, self.names_command(room))
                }
                Ok(Target::Everybody) => self.ask(Asked::channel(What::Who(fields), EVERYBODY), self.who_command("")),
                Ok(Target::Who(_)) | Err(_) => self.end_who_of(mask),
            };
        }
        match (mask, mask.strip_suffix('*')) {
            ("*" | "0" | "", _) => self.ask(asked(What::Who(fields)), self.who_command("")),
            (_, Some(begin)) => {
                let beginnings = names::beginnings(begin, self.server.guests);
                let last = beginnings.len().saturating_sub(1);
                for (place, begin) in beginnings.iter().enumerate() {
                    let asked = Asked { is_last: place == last, ..asked(What::Who(fields.clone())) };
                    self.then(asked, self.who_command(begin), place > 0);
                }
                self.begin()
            }
            (nick, None) => match names::candidates(nick, self.server.guests) {
                names if names.is_empty() => self.end_who_of(mask),
                names => self.ask(asked(What::Who(fields)), Decoded::Command(Command::AreOn { names })),
            },
        }
    }

    /// Lists those who are online, as many as an answer may have.
    pub(super) fn who_command(&self, prefix: &str) -> Decoded<'static> {
        let (prefix, most) = (Cow::Owned(prefix.to_owned()), Some(self.server.names));
        Decoded::Command(Command::Who { prefix, most })
    }

    fn end_who_of(&mut self, mask: &str) -> Decoded<'static> {
        let mask = repeated(mask).to_owned();
        self.voice().about(Numeric::EndOfWho, mask);
        Decoded::Nothing
    }

    /// `WHOIS nick`, or `WHOIS server nick`.
    pub(super) fn on_whois(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let nick = if parameters.count() > 1 { parameters.at(1) } else { parameters.at(0) };
        let nick = nick.split(',').next().unwrap_or_default();
        if nick.is_empty() {
            self.voice().say(Numeric::NoNick);
            return Decoded::Nothing;
        }
        match names::receiver(nick, self.server.guests) {
            Some(who) => {
                let asked = Asked::nick(What::Whois, repeated(nick));
                self.ask(asked, Decoded::Recall(Recall::Whois { who: Some(who) }))
            }
            None => {
                let nick = repeated(nick).to_owned();
                self.voice().about(Numeric::NoSuchNick, &nick);
                self.voice().about(Numeric::EndOfWhois, nick);
                Decoded::Nothing
            }
        }
    }

    /// Nobody who left is remembered.
    pub(super) fn on_whowas(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let nick = repeated(parameters.at(0)).to_owned();
        if parameters.at(0).is_empty() {
            self.voice().say(Numeric::NoNick);
        } else {
            self.voice().about(Numeric::WasNoSuchNick, &nick);
            self.voice().about(Numeric::EndOfWhowas, nick);
        }
        Decoded::Nothing
    }

    pub(super) fn on_ison(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        self.ask_who_is_on(parameters, What::Ison, ISON_NICKS)
    }

    pub(super) fn on_userhost(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        self.ask_who_is_on(parameters, What::UserHost, USERHOST_NICKS)
    }

    fn ask_who_is_on(&mut self, parameters: Parameters<'_>, what: What, most: usize) -> Decoded<'static> {
        let guests = self.server.guests;
        let nicks = parameters.as_slice().iter().flat_map(|words| words.split(' ')).filter(|nick| !nick.is_empty());
        let names = nicks.take(most).flat_map(|nick| names::candidates(nick, guests)).collect();
        self.ask(Asked::plain(what), Decoded::Command(Command::AreOn { names }))
    }

    pub(super) fn on_away<'a>(&mut self, parameters: Parameters<'a>) -> Decoded<'a> {
        let text = match plain(parameters.at(0)) {
            Ok(text) => Some(Cow::Owned(fitting(&text, AWAY_BYTES).to_owned())),
            Err(Refusal::Empty) => None,
            Err(Refusal::Forbidden | Refusal::Ctcp) => return self.bad_text("AWAY"),
        };
        self.ask(Asked::plain(What::Away), Decoded::Command(Command::Away { text }))
    }

    pub(super) fn on_setname<'a>(&mut self, parameters: Parameters<'a>) -> Decoded<'a> {
        let Ok(text) = plain(parameters.at(0)) else {
            self.voice().fail("SETNAME", "INVALID_REALNAME", "", "A realname is a text without control characters");
            return Decoded::Nothing;
        };
        if text.len() > ProfileKey::Name.most_bytes() {
            self.voice().fail("SETNAME", "INVALID_REALNAME", "", "The realname is too long");
            return Decoded::Nothing;
        }
        let asked = Asked::plain(What::SetName((&*text).into()));
        self.ask(asked, Decoded::Command(Command::Set { key: ProfileKey::Name, value: Some(text) }))
    }

    /// `MONITOR + nicks`, `- nicks`, `C`, `L`, `S`.
    pub(super) fn on_monitor(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let list = || Decoded::Command(Command::Watch(Watch::List));
        match parameters.at(0) {
            "+" | "-" if parameters.at(1).is_empty() => {
                self.voice().about(Numeric::NeedMore, "MONITOR");
                Decoded::Nothing
            }
            "+" => self.watch_each(parameters.at(1), Watch::On),
            "-" => self.watch_each(parameters.at(1), Watch::Off),
            "C" | "c" => self.ask(Asked::plain(What::MonitorClear), list()),
            "L" | "l" => self.ask(Asked::plain(What::MonitorList), list()),
            "S" | "s" => self.ask(Asked::plain(What::MonitorStatus), list()),
            _ => {
                self.voice().about(Numeric::NeedMore, "MONITOR");
                Decoded::Nothing
            }
        }
    }

    fn watch_each(&mut self, nicks: &str, watch: impl Fn(Who) -> Watch) -> Decoded<'static> {
        for nick in nicks.split(',').filter(|nick| !nick.is_empty()) {
            match names::receiver(nick, self.server.guests) {
                Some(who) => {
                    let asked = Asked::nick(What::Monitor, repeated(nick));
                    self.then(asked, Decoded::Command(Command::Watch(watch(who))), false);
                }
                None => {
                    let nick = repeated(nick).to_owned();
                    self.voice().number(Numeric::MonitorOffline, format_args!(":{nick}"));
                }
            }
        }
        self.begin()
    }
}

/// `%fields[,token]`; anything else asks for a plain WHO.
fn fields(given: &str) -> Fields {
    let Some((_, given)) = given.split_once('%') else { return Fields::default() };
    let (letters, token) = given.split_once(',').unwrap_or((given, "0"));
    let letters: String = LETTERS.chars().filter(|letter| letters.contains(*letter)).collect();
    let is_token = (1..=TOKEN_BYTES).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_digit());
    let token = if is_token { token } else { "0" };
    Fields { letters: Some(letters.into()), token: token.into() }
}
