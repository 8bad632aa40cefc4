//! People: WHO, WHOIS, ISON, USERHOST, MONITOR, NICK.

use crate::door::decoded::Decoded;
use crate::door::irc::door::IrcDoor;
use crate::door::irc::names;
use crate::door::irc::numerics::Numeric;
use crate::door::irc::stage::Stage;
use crate::door::irc::step::{Asked, Fields, What};
use crate::door::recall::{Known, Whois};
use crate::hub::command::{Command, Watch};
use crate::hub::event::{Change, Present, Whereabouts};
use crate::hub::names::{RoomName, Who};
use crate::hub::profile::ProfileKey;

/// Somebody who is online.
struct Person<'a> {
    who: Who,
    away: Option<&'a str>,
    called: Option<&'a str>,
    rooms: &'a [(RoomName, bool)],
}

impl<'a> Person<'a> {
    /// `None` for an account that is offline.
    fn of(whois: &'a Whois) -> Option<Self> {
        match whois {
            Whois::Guest { name, away, called, rooms } => {
                Some(Self { who: name.clone(), away: away.as_deref(), called: called.as_deref(), rooms })
            }
            Whois::Account(known) => {
                let Known { name, sessions, away, called, rooms, profile, .. } = &**known;
                let by_session = called.as_deref();
                let by_profile = profile.iter().find(|(key, _)| *key == ProfileKey::Name).map(|(_, value)| &**value);
                (*sessions > 0).then(|| Self {
                    who: name.clone().into(),
                    away: away.as_deref(),
                    called: by_profile.or(by_session),
                    rooms,
                })
            }
        }
    }
}

impl IrcDoor {
    /// Who somebody is; `None` if nobody has that name.
    pub(super) fn on_whois_answer(&mut self, whois: Option<&Whois>) {
        let person = whois.and_then(Person::of);
        match &self.talk.asked.what {
            What::Whois => self.say_whois(person.as_ref()),
            What::NotThere => self.say_not_there(person.is_some()),
            _ => {}
        }
    }

    fn say_whois(&mut self, person: Option<&Person<'_>>) {
        let asked = self.talk.asked.nick.clone();
        let Some(Person { who, away, called, rooms }) = person else {
            self.voice().about(Numeric::NoSuchNick, &asked);
            return self.voice().about(Numeric::EndOfWhois, asked);
        };
        let server = self.server.clone();
        let nick = names::nick(who, server.guests);
        let called = called.map_or_else(|| nick.to_string(), str::to_owned);
        let mut voice = self.voice();
        voice.number(Numeric::WhoisUser, format_args!("{nick} {} {} * :{called}", nick.user(), server.name));
        let shown =
            |(room, is_host): &(RoomName, bool)| format!("{}{}", if *is_host { "@" } else { "" }, names::channel(room));
        let channels: Vec<String> = rooms.iter().map(shown).collect();
        voice.words(Numeric::WhoisChannels, &format!("{nick} "), ' ', &channels);
        voice.number(Numeric::WhoisServer, format_args!("{nick} {} :{}", server.name, server.network));
        if let Some(text) = away {
            voice.number(Numeric::IsAway, format_args!("{nick} :{text}"));
        }
        if let Some(account) = nick.account() {
            voice.about(Numeric::WhoisAccount, format_args!("{nick} {account}"));
        }
        voice.about(Numeric::EndOfWhois, nick);
    }

    /// ISON and USERHOST.
    pub(super) fn say_who_is_on(&mut self, people: &[Present]) {
        let server = self.server.clone();
        let is_ison = self.is_asked(|what| matches!(what, What::Ison));
        let shown = |Present { who, is_away, .. }: &Present| {
            let (nick, sign) = (names::nick(who, server.guests), if *is_away { '-' } else { '+' });
            if is_ison { nick.to_string() } else { format!("{nick}={sign}{}@{}", nick.user(), server.name) }
        };
        let words: Vec<String> = people.iter().map(shown).collect();
        let numeric = if is_ison { Numeric::AreOn } else { Numeric::UserHosts };
        if words.is_empty() {
            return self.voice().number(numeric, format_args!(":"));
        }
        self.voice().words(numeric, "", ' ', &words);
    }

    /// A line of WHO. `G` is away, `@` the host of the channel. How somebody calls themselves is their nick if it is not
    /// known.
    pub(super) fn say_who(
        &mut self,
        fields: &Fields,
        who: &Who,
        (is_away, is_host): (bool, bool),
        called: Option<&str>,
    ) {
        // A list may have thousands of these: nothing is copied that need not be.
        let server = self.server.clone();
        let nick = names::nick(who, server.guests);
        let shown = nick.to_string();
        let called = called.unwrap_or(&shown);
        let asked = self.talk.asked.channel.clone();
        let channel = if asked.starts_with(['#', '&']) { &*asked } else { "*" };
        let flags = match (is_away, is_host) {
            (false, false) => "H",
            (false, true) => "H@",
            (true, false) => "G",
            (true, true) => "G@",
        };
        let (user, host) = (nick.user(), &*server.name);
        let Some(letters) = &fields.letters else {
            let rest = format_args!("{channel} {user} {host} {host} {shown} {flags} :0 {called}");
            return self.voice().number(Numeric::WhoLine, rest);
        };
        let mut words = String::with_capacity(WHOX_BYTES);
        for letter in letters.chars() {
            if !words.is_empty() {
                words.push(' ');
            }
            if letter == 'r' {
                words.push(':');
            }
            words.push_str(match letter {
                't' => &fields.token,
                'c' => channel,
                'u' => user,
                'i' => "255.255.255.255",
                'h' | 's' => host,
                'n' => &shown,
                'f' => flags,
                'd' | 'l' => "0",
                'a' => nick.account().unwrap_or("0"),
                'o' => "n/a",
                _ => called,
            });
        }
        self.voice().number(Numeric::WhoxLine, format_args!("{words}"));
    }

    pub(super) fn end_who(&mut self) {
        let mask = self.talk.asked.channel.clone();
        self.voice().about(Numeric::EndOfWho, mask);
    }

    /// A guest has another name.
    pub(super) fn on_you_are(&mut self, was: &Who, now: &Who) {
        let guests = self.server.guests;
        let (old, new) = (names::nick(was, guests).to_string(), names::nick(now, guests).to_string());
        if old != new {
            let source = names::nick(was, guests);
            self.voice().user_line(source, format_args!("NICK {new}"));
        }
        self.stage = Stage::of(now, guests);
    }

    pub(super) fn on_watched(&mut self, name: &Who, presence: &Whereabouts) {
        match presence {
            Whereabouts::Online | Whereabouts::Away(_) => self.say_online(name),
            Whereabouts::Offline => self.say_offline(name),
        }
    }

    /// The names that are watched: for MONITOR `L`, `C` and `S`.
    pub(super) fn on_watches(&mut self, people: &[Who]) {
        let guests = self.server.guests;
        match &self.talk.asked.what {
            What::MonitorList => {
                let nicks: Vec<String> = people.iter().map(|who| names::nick(who, guests).to_string()).collect();
                self.voice().words(Numeric::MonitorList, "", ',', &nicks);
                self.voice().say(Numeric::EndOfMonitor);
            }
            What::MonitorClear => self.watch_all(people, Watch::Off),
            What::MonitorStatus => self.watch_all(people, Watch::On),
            _ => {}
        }
    }

    fn watch_all(&mut self, people: &[Who], watch: impl Fn(Who) -> Watch) {
        for who in people {
            let nick = names::nick(who, self.server.guests).to_string();
            let command = Command::Watch(watch(who.clone()));
            self.then(Asked::nick(What::Monitor, nick), Decoded::Command(command), false);
        }
    }

    /// News of a watched name. MONITOR tells nothing of who is away.
    pub(in crate::door::irc) fn on_presence(&mut self, name: &Who, change: &Change) {
        match change {
            Change::Online => self.say_online(name),
            Change::Offline => self.say_offline(name),
            Change::Away(_) | Change::Back => {}
        }
    }

    fn say_online(&mut self, who: &Who) {
        let source = names::nick(who, self.server.guests).source(&self.server);
        self.voice().number(Numeric::MonitorOnline, format_args!(":{source}"));
    }

    fn say_offline(&mut self, who: &Who) {
        let nick = names::nick(who, self.server.guests).to_string();
        self.voice().number(Numeric::MonitorOffline, format_args!(":{nick}"));
    }
}

/// Bytes that most lines of a WHOX take.
const WHOX_BYTES: usize = 160;
