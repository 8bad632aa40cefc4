//! People: profiles, who is away, whom the user watches and ignores, how loud places are, and what is erased.

use super::Session;
use super::asks::Ask;
use super::erasing::Recent;
use super::intents::bare;
use super::requests::Request;
use super::watching::Watched;
use crate::action::{Now, Place};
use crate::alert::Level;
use crate::command::{People as Wanted, Turn, is_guest_name};
use crate::past;
use crate::visible::is_hidden;

/// The answer to `/nick` of somebody who has an account.
const ACCOUNTS_STAY: &str =
    "your name is your account's and stays: log in under another one; /set name TEXT is shown by /whois";

/// What is known of people, and renewed after a break.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Why the user is away, if they are.
    pub(super) away: Option<String>,
    /// Whether the user hears nothing of what is said to everybody.
    pub(super) is_apart: bool,
    pub(super) watched: Watched,
    /// The lines of the profile that is arriving.
    pub(super) facts: Vec<(String, String)>,
    /// What can be erased.
    pub(super) recent: Recent,
    /// Whether the user has been told on this connection that the server knows nothing of watching.
    pub(super) is_told: bool,
}

impl People {
    /// The names that are watched from the first login on.
    pub(super) fn watching(names: &[String]) -> Self {
        Self { watched: Watched::of(names), ..Self::default() }
    }

    /// Whether the user is away.
    pub(super) fn is_away(&self) -> bool {
        self.away.is_some()
    }
}

impl Session {
    /// Executes a command about people, on a connection.
    pub(super) fn on_people(&mut self, wanted: &Wanted<'_>, now: Now) {
        match wanted {
            Wanted::Whois(name) => self.ask_people(Ask::Whois, &[name.unwrap_or_default()], now),
            Wanted::Profile(key) => {
                let ask = Ask::Profile { key: key.map(str::to_owned) };
                self.ask_people(ask, &[key.unwrap_or_default()], now);
            }
            Wanted::Set { key, value } => {
                let ask = Ask::Set { key: key.to_ascii_lowercase(), is_removed: *value == "-" };
                self.ask_people(ask, &[key, value], now);
            }
            Wanted::Away("") if !self.people.is_away() => {
                let why = "say why you go, for example: /away lunch (if another client of yours has said so, /back)";
                self.trouble("usage", why.to_owned());
            }
            Wanted::Away("") | Wanted::Back => self.say_away(None, false, now),
            Wanted::Away(text) => self.say_away(Some((*text).to_owned()), false, now),
            Wanted::Watch(Turn::Show) => self.ask_people(Ask::Watches, &[], now),
            Wanted::Watch(Turn::On(name)) => self.watch((*name).to_owned(), true, now),
            Wanted::Watch(Turn::Off(name)) => self.ask_people(Ask::Unwatch((*name).to_owned()), &[name, "off"], now),
            Wanted::Ignore(Turn::Show) => self.ask_people(Ask::Ignores { is_shown: true }, &[], now),
            Wanted::Ignore(Turn::On(name)) => {
                self.ask_people(Ask::Ignore { name: (*name).to_owned(), is_on: true }, &[name], now);
            }
            Wanted::Ignore(Turn::Off(name)) => {
                self.ask_people(Ask::Ignore { name: (*name).to_owned(), is_on: false }, &[name, "off"], now);
            }
            Wanted::Public { is_on } => self.attend(*is_on, false, now),
            Wanted::Nick(name) => self.take_nick(name, now),
            Wanted::Levels(place) => match place.map(|place| self.place_named(place)) {
                Some(None) => {}
                only => self.ask_people(Ask::Levels { only: only.flatten(), is_found: false }, &[], now),
            },
            Wanted::Notify { place, level } => self.notify(*place, *level, now),
            Wanted::Erase(erase) => self.erase(*erase, now),
        }
    }

    /// Who the user ignores: their mentions do not count.
    pub(super) fn learn_ignored(&mut self, now: Now) {
        self.rules.forget_ignored();
        self.ask_people(Ask::Ignores { is_shown: false }, &[], now);
    }

    /// Whether the user is away, if this client has not said so itself. The prompt of a person shows it.
    pub(super) fn learn_own_state(&mut self, now: Now) {
        if self.settings.people && !self.people.is_away() {
            self.ask_people(Ask::Own, &[], now);
        }
    }

    /// The user is logged in: says again that they are away, what they do not hear, and whom they watch.
    pub(super) fn renew_people(&mut self, now: Now) {
        self.people.is_told = false;
        // An answer that was cut off does not begin the next one.
        self.people.facts.clear();
        if let Some(text) = self.people.away.clone() {
            self.say_away(Some(text), true, now);
        }
        if self.people.is_apart {
            self.attend(false, true, now);
        }
        for name in self.people.watched.names() {
            self.watch(name, false, now);
        }
    }

    /// Sends a request. Empty words are left out.
    pub(super) fn ask_people(&mut self, ask: Ask, words: &[&str], now: Now) {
        let words: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
        let line = [&[ask.verb()], words.as_slice()].concat();
        self.request(Request::People(ask), &line, now);
    }

    fn attend(&mut self, is_on: bool, is_renewed: bool, now: Now) {
        self.ask_people(Ask::Public { is_on, is_renewed }, &[if is_on { "on" } else { "off" }], now);
    }

    /// Asks for another name, if the user is a guest.
    fn take_nick(&mut self, name: &str, now: Now) {
        if !self.is_guest() {
            return self.trouble("unknown", ACCOUNTS_STAY.to_owned());
        }
        let name = if name.starts_with('~') { name.to_owned() } else { format!("~{name}") };
        self.ask_people(Ask::Nick, &[&name], now);
    }

    /// Whether the user has no account.
    pub(super) fn is_guest(&self) -> bool {
        self.name.starts_with('~')
    }

    /// The answer to NICK: `you are NAME now`, or a refusal.
    pub(super) fn on_nick_answer(&mut self, code: u16, text: String) {
        let name = text.strip_prefix("you are ").and_then(|text| text.strip_suffix(" now"));
        if let Some(name) = name.filter(|name| code == 200 && is_guest_name(name)) {
            self.known.see_name(name);
            name.clone_into(&mut self.name);
            name.clone_into(&mut self.settings.user);
        }
        self.reply(code, text);
    }

    fn say_away(&mut self, text: Option<String>, is_renewed: bool, now: Now) {
        let words = text.clone().unwrap_or_default();
        self.ask_people(Ask::Away { text, is_renewed }, &[&words], now);
    }

    fn notify(&mut self, place: Option<&str>, level: Level, now: Now) {
        let place = match place {
            None => Some(self.talk.place.clone()),
            Some(word) => self.place_named(word),
        };
        if let Some(place) = place {
            let word = past::word(&place);
            self.ask_people(Ask::Notify { place, level }, &[&word, level.word()], now);
        }
    }

    /// The place that a word names, in the server's spelling if it is known. `None` if there is none, which has been
    /// reported.
    fn place_named(&mut self, word: &str) -> Option<Place> {
        match past::place(word).filter(|_| !word.chars().any(is_hidden)) {
            Some(Place::Room(room)) => Some(Place::Room(self.spelled(bare(&room)))),
            Some(place @ (Place::Public | Place::Direct { .. })) => Some(place),
            None => {
                self.trouble("usage", "a place is a room, @NAME, or * for what is said to everybody".to_owned());
                None
            }
        }
    }
}
