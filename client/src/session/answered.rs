//! The server's answers to requests about people.

use super::Session;
use super::asks::Ask;
use super::intents::counted;
use crate::action::{Place, Shown};
use crate::alert::Level;
use crate::command::{KEYS, word};
use crate::past;

/// The most lines of a profile that are put in order.
const FACTS: usize = 64;

impl Session {
    /// A line of an unfinished answer to the oldest request.
    pub(super) fn on_people_line(&mut self, code: u16, text: String) {
        let Some(ask) = self.requests.front_ask() else { return };
        let line = Shown::Reply { code, more: true, text };
        let Shown::Reply { text, .. } = &line else { return };
        match ask {
            Ask::Whois | Ask::Own | Ask::Profile { .. } if code == 215 && self.settings.people => {
                let (key, value) = word(text);
                if self.people.facts.len() < FACTS {
                    self.people.facts.push((key.to_owned(), value.to_owned()));
                }
            }
            Ask::Ignores { is_shown } if code == 211 => {
                let (is_shown, name) = (*is_shown, word(text).0.to_owned());
                self.rules.set_ignored(&name, true);
                if is_shown {
                    self.known.see_name(&name);
                    self.show(line);
                }
            }
            Ask::Watches if code == 211 => {
                let name = word(text).0;
                self.known.see_name(name);
                let state = self.people.watched.told(name).filter(|_| self.settings.people);
                let text = state.map(|state| format!("{name} is {state}"));
                self.show(text.map_or(line, |text| Shown::Reply { code, more: true, text }));
            }
            Ask::Levels { only, is_found } if code == 213 => {
                let Some(unread) = past::unread(text) else { return self.show(line) };
                if only.as_ref().is_some_and(|only| !crate::action::is_same_place(only, &unread.place)) {
                    return;
                }
                *is_found = true;
                // Of one place, a person is told nothing else.
                let more = only.is_none();
                if let Some(level) = unread.level {
                    self.rules.set_level(unread.place.clone(), level);
                }
                let level = unread.level.filter(|_| self.settings.people);
                let told = level.map(|level| rings(&unread.place, level));
                self.show(told.map_or(line, |text| Shown::Reply { code, more, text }));
            }
            Ask::Whois
            | Ask::Own
            | Ask::Profile { .. }
            | Ask::Set { .. }
            | Ask::Away { .. }
            | Ask::Watch { .. }
            | Ask::Unwatch(_)
            | Ask::Watches
            | Ask::Ignore { .. }
            | Ask::Ignores { .. }
            | Ask::Public { .. }
            | Ask::Nick
            | Ask::Notify { .. }
            | Ask::Levels { .. }
            | Ask::Erase(_) => {
                if ask.is_typed() {
                    self.show(line);
                }
            }
        }
    }

    /// The end of an answer.
    pub(super) fn on_people_answer(&mut self, ask: Ask, code: u16, text: String) {
        let facts = std::mem::take(&mut self.people.facts);
        if code == 502 {
            return self.on_unknown_verb(&ask);
        }
        match ask {
            Ask::Whois if code == 215 => self.show_whois(text, facts),
            Ask::Profile { key } if code == 215 => self.show_profile(key.as_deref(), text, facts),
            Ask::Set { key, is_removed } => self.reply_well(code, text, || match (key.as_str(), is_removed) {
                ("seen", false) => "nobody sees any more for how long you are idle, and when you were here".to_owned(),
                ("seen", true) => "others see for how long you are idle, and when you were here".to_owned(),
                (key, true) => format!("your {key} is removed"),
                (key, false) => format!("your {key} is set; /whois shows it"),
            }),
            Ask::Away { text: why, is_renewed } => self.on_away_answer(why, is_renewed, code, text),
            Ask::Watch { name, is_typed: true } => self.on_watched(&name, code, text),
            Ask::Watch { name, is_typed: false } => self.on_watched_again(&name, code, &text),
            Ask::Unwatch(name) => self.on_unwatched(&name, code, text),
            Ask::Ignore { name, is_on } => {
                if code == 200 {
                    self.rules.set_ignored(&name, is_on);
                }
                self.reply_well(code, text, || ignored(&name, is_on));
            }
            Ask::Public { is_on, is_renewed } => {
                if code == 200 {
                    self.people.is_apart = !is_on;
                }
                if !is_renewed {
                    self.reply_well(code, text, || attends(is_on));
                } else if code == 200 {
                    self.note("public", attends(is_on));
                }
            }
            Ask::Nick => self.on_nick_answer(code, text),
            Ask::Own if code == 215 => self.on_own_state(facts),
            Ask::Own | Ask::Ignores { is_shown: false } => {}
            Ask::Notify { place, level } => {
                if code == 200 {
                    self.rules.set_level(place.clone(), level);
                }
                self.reply_well(code, text, || rings(&place, level));
            }
            Ask::Levels { only: Some(place), is_found: false } if code == 213 => {
                let level = self.rules.level(&place);
                self.reply(code, format!("{} (nothing else is known of it)", rings(&place, level)));
            }
            Ask::Levels { only: Some(_), is_found: true } if code == 213 && self.settings.people => {}
            Ask::Erase(target) => self.on_erased_answer(&target, code, text),
            Ask::Whois | Ask::Profile { .. } | Ask::Watches | Ask::Ignores { .. } | Ask::Levels { .. } => {
                self.reply(code, text);
            }
        }
    }

    /// The server does not know this operation. Of what the client does by itself, that is said once.
    fn on_unknown_verb(&mut self, ask: &Ask) {
        let text = format!("this server has no {}: it is older than this client", ask.verb());
        if ask.is_typed() {
            self.show(Shown::Reply { code: 502, more: false, text });
        } else if matches!(ask, Ask::Watch { .. }) && !std::mem::replace(&mut self.people.is_told, true) {
            self.trouble("watch", format!("nobody is watched: {text}"));
        } else if let Ask::Away { text: why, is_renewed } = ask {
            self.on_away_answer(why.clone(), *is_renewed, 502, text);
        }
    }

    fn on_away_answer(&mut self, why: Option<String>, is_renewed: bool, code: u16, text: String) {
        if code == 200 {
            self.people.away.clone_from(&why);
        }
        match (why, is_renewed) {
            (Some(why), true) if code == 200 => self.note("away", format!("you are still away: {why}")),
            (_, true) => {
                self.people.away = None;
                self.trouble("away", format!("others do not see any more that you are away: {text}"));
            }
            (Some(why), false) => self.reply_well(code, text, || format!("you are away: {why}")),
            (None, false) => self.reply_well(code, text, || "you are back".to_owned()),
        }
    }

    /// An answer whose 200 is told in other words: to people, and to scripts where the server says `done` alone. A text
    /// of the user in it must not be taken for advice of the server.
    pub(super) fn reply_well(&mut self, code: u16, text: String, done: impl FnOnce() -> String) {
        match code {
            200 if self.settings.people || text == "done" => {
                self.show(Shown::Reply { code, more: false, text: done() });
            }
            200 => self.show(Shown::Reply { code, more: false, text }),
            _ => self.reply(code, text),
        }
    }

    /// Who the user is, after a login: they may be away since an earlier run, or by another client.
    fn on_own_state(&mut self, facts: Vec<(String, String)>) {
        let why = facts.into_iter().find(|(key, _)| key == "away").map(|(_, why)| why);
        if let Some(why) = why.filter(|_| !self.people.is_away()) {
            self.note("away", format!("you are away: {why} (/back ends it)"));
            self.people.away = Some(why);
        }
    }

    /// Who somebody is: for people a small table, else the server's lines as they came.
    fn show_whois(&mut self, name: String, facts: Vec<(String, String)>) {
        if !self.settings.people {
            return self.show(Shown::Reply { code: 215, more: false, text: name });
        }
        let mut rows = vec![(String::new(), summary(&name, &facts))];
        for (key, value) in facts {
            match key.as_str() {
                "guest" | "sessions" | "idle" => {}
                "since" => rows.push(("registered".to_owned(), value)),
                "seen" => rows.push(("last here".to_owned(), format!("{} UTC", value.replacen('T', " ", 1)))),
                _ => rows.push((key, value)),
            }
        }
        self.show_table(rows);
    }

    /// The user's profile. A person sees what else could be set.
    fn show_profile(&mut self, key: Option<&str>, name: String, facts: Vec<(String, String)>) {
        if !self.settings.people {
            return self.show(Shown::Reply { code: 215, more: false, text: name });
        }
        let is_asked = |known: &str| key.is_none_or(|key| key.eq_ignore_ascii_case(known));
        let is_set = |known: &&str| facts.iter().any(|(key, _)| key == *known);
        let unset = KEYS.into_iter().filter(|known| is_asked(known) && !is_set(known));
        let unset: Vec<(String, String)> = unset.map(|key| (key.to_owned(), "-".to_owned())).collect();
        let head = (String::new(), format!("the profile of {name}; /set KEY VALUE changes it"));
        self.show_table(std::iter::once(head).chain(facts).chain(unset).collect());
    }

    /// Rows of a key and a value, as lines of one reply.
    fn show_table(&mut self, rows: Vec<(String, String)>) {
        let width = rows.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
        let count = rows.len();
        for (at, (key, value)) in rows.into_iter().enumerate() {
            let text = if key.is_empty() { value } else { format!("  {key:width$}  {value}") };
            self.show(Shown::Reply { code: 215, more: at + 1 < count, text });
        }
    }
}

/// Whether somebody is there, in a sentence.
fn summary(name: &str, facts: &[(String, String)]) -> String {
    let fact = |wanted: &str| facts.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str());
    if fact("guest").is_some() {
        return format!("{name} is a guest");
    }
    let sessions: usize = fact("sessions").and_then(|sessions| sessions.parse().ok()).unwrap_or(0);
    let mut told = match (sessions, fact("away")) {
        (0, _) => return format!("{name} is offline"),
        (_, Some(_)) => format!("{name} is away"),
        (_, None) => format!("{name} is online"),
    };
    if sessions > 1 {
        told.push_str(&format!(" ({})", counted(sessions, "session")));
    }
    if let Some(idle_s) = fact("idle").and_then(|idle| idle.parse().ok()) {
        told.push_str(&format!(", idle for {}", span(idle_s)));
    }
    told
}

/// A span of time, in its largest unit: `5 minutes`.
fn span(seconds: u64) -> String {
    let (unit, name) = match seconds {
        0..60 => (1, "second"),
        60..3_600 => (60, "minute"),
        3_600..86_400 => (3_600, "hour"),
        _ => (86_400, "day"),
    };
    counted(usize::try_from(seconds / unit).unwrap_or(usize::MAX), name)
}

/// What it means to hear public messages, or not.
fn attends(is_on: bool) -> String {
    if is_on {
        "you hear what is said to everybody"
    } else {
        "you do not hear what is said to everybody; /public on ends that"
    }
    .to_owned()
}

/// What it means that somebody is ignored, or not any more.
fn ignored(name: &str, is_on: bool) -> String {
    match (name, is_on) {
        ("~", true) => "no direct messages of guests reach you".to_owned(),
        ("~", false) => "direct messages of guests reach you again".to_owned(),
        (name, true) => format!("no direct messages of {name} reach you, and {name} calls you nowhere"),
        (name, false) => format!("{name} is not ignored any more"),
    }
}

/// How loud a place is, in a sentence.
fn rings(place: &Place, level: Level) -> String {
    let place = match place {
        Place::Public => "what is said to everybody".to_owned(),
        Place::Room(room) => room.clone(),
        Place::Direct { with } => format!("@{with}"),
    };
    match level {
        Level::All => format!("{place}: everything calls you"),
        Level::Mentions => format!("{place}: what is for you calls you"),
        Level::None => format!("{place}: nothing calls you"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_there() {
        let told = |facts: &[(&str, &str)]| {
            let facts: Vec<_> = facts.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            summary("bob", &facts)
        };
        for (facts, expected) in [
            (&[("sessions", "1"), ("idle", "59")][..], "bob is online, idle for 59 seconds"),
            (&[("sessions", "2"), ("idle", "7200"), ("away", "x")], "bob is away (2 sessions), idle for 2 hours"),
            (&[("sessions", "0"), ("seen", "2026-11-26T09:41")], "bob is offline"),
            (&[("guest", "")], "bob is a guest"),
            (&[("sessions", "x"), ("idle", "-1")], "bob is offline"),
            (&[("sessions", "1"), ("idle", "18446744073709551615")], "bob is online, idle for 213503982334601 days"),
            (&[], "bob is offline"),
        ] {
            assert_eq!(told(facts), expected);
        }
        assert_eq!((span(1), span(60), span(86_400)), ("1 second".into(), "1 minute".into(), "1 day".into()));
    }
}
