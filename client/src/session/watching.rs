//! Whom the user watches: the server tells when they come and go.

use chatd::limits::WATCHES_EACH;

use super::Session;
use super::asks::Ask;
use crate::action::{Now, Shown};
use crate::command::word;

/// The names that are watched, and what is known of them.
#[derive(Debug, Default)]
pub(super) struct Watched(Vec<(String, Option<State>)>);

/// Whether somebody is there.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Online,
    Offline,
    /// They are, but do not wait for them: why.
    Away(String),
}

impl State {
    /// The state in the words of a reply, `bob is away: lunch`.
    fn of_reply(text: &str) -> Option<(&str, Self)> {
        let (name, state) = text.split_once(" is ")?;
        let state = match state {
            "online" => Self::Online,
            "offline" => Self::Offline,
            _ => Self::Away(state.strip_prefix("away: ")?.to_owned()),
        };
        Some((name, state))
    }

    /// The state in the words of a notice, `bob away lunch`.
    fn of_notice(text: &str) -> Option<(&str, Self)> {
        let (name, rest) = word(text);
        let state = match word(rest) {
            ("online" | "back", "") => Self::Online,
            ("offline", "") => Self::Offline,
            ("away", why) => Self::Away(why.to_owned()),
            _ => return None,
        };
        Some((name, state))
    }

    /// The text of a notice, after this state.
    fn notice(&self, name: &str, before: Option<&Self>) -> String {
        match (self, before) {
            (Self::Online, Some(Self::Away(_))) => format!("{name} back"),
            (Self::Online, _) => format!("{name} online"),
            (Self::Offline, _) => format!("{name} offline"),
            (Self::Away(why), _) => format!("{name} away {why}").trim_end().to_owned(),
        }
    }
}

impl Watched {
    /// These names, of which nothing is known.
    pub(super) fn of(names: &[String]) -> Self {
        let mut watched = Self::default();
        names.iter().for_each(|name| watched.add(name));
        watched
    }

    /// The names.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    /// What is known of somebody, for people.
    pub(super) fn told(&mut self, name: &str) -> Option<String> {
        Some(match self.find(name)?.as_ref()? {
            State::Online => "online".to_owned(),
            State::Offline => "offline".to_owned(),
            State::Away(why) => format!("away: {why}"),
        })
    }

    /// Adds a name, in any case, if there is room.
    fn add(&mut self, name: &str) {
        if self.find(name).is_none() && self.0.len() < WATCHES_EACH {
            self.0.push((name.to_owned(), None));
        }
    }

    fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    fn find(&mut self, name: &str) -> Option<&mut Option<State>> {
        self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, state)| state)
    }
}

impl Session {
    /// Watches a name.
    pub(super) fn watch(&mut self, name: String, is_typed: bool, now: Now) {
        let words = name.clone();
        self.ask_people(Ask::Watch { name, is_typed }, &[&words], now);
    }

    /// The server's answer about a name that the user has typed.
    pub(super) fn on_watched(&mut self, name: &str, code: u16, text: String) {
        if code != 200 {
            return self.reply(code, text);
        }
        self.people.watched.add(name);
        if let (Some(known), Some((_, state))) = (self.people.watched.find(name), State::of_reply(&text)) {
            *known = Some(state);
        }
        // Why somebody is away is their text, not the server's.
        self.show(Shown::Reply { code, more: false, text });
    }

    /// The same for a name that the client watches after a login: shows what the user does not know yet. A person
    /// assumes that everybody is offline.
    pub(super) fn on_watched_again(&mut self, name: &str, code: u16, text: &str) {
        if code != 200 {
            if !std::mem::replace(&mut self.people.is_told, true) {
                self.trouble("watch", format!("{name} is not watched: {text}"));
            }
            return;
        }
        let Some((spelled, state)) = State::of_reply(text) else { return };
        let Some(known) = self.people.watched.find(name) else { return };
        let before = known.replace(state.clone());
        let is_known = match &before {
            None => self.settings.people && state == State::Offline,
            Some(before) => *before == state,
        };
        if !is_known {
            let text = state.notice(spelled, before.as_ref());
            self.show(Shown::Notice { code: 101, text });
        }
    }

    /// Somebody is not watched any more.
    pub(super) fn on_unwatched(&mut self, name: &str, code: u16, text: String) {
        if code == 200 {
            self.people.watched.remove(name);
        }
        self.reply_well(code, text, || format!("{name} is not watched any more"));
    }

    /// A notice about somebody who is watched.
    pub(super) fn on_presence(&mut self, text: &str) {
        if let Some((name, state)) = State::of_notice(text) {
            self.known.see_name(name);
            if let Some(known) = self.people.watched.find(name) {
                *known = Some(state);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states() {
        let away = || State::Away("is off: lunch".to_owned());
        for (text, expected) in [
            ("bob is online", Some(("bob", State::Online))),
            ("bob is offline", Some(("bob", State::Offline))),
            ("bob is away: is off: lunch", Some(("bob", away()))),
            ("bob is tired", None),
            ("bob online", None),
            ("", None),
        ] {
            assert_eq!(State::of_reply(text), expected, "{text}");
        }
        for (text, expected) in [
            ("bob online", Some(("bob", State::Online))),
            ("bob back", Some(("bob", State::Online))),
            ("bob offline", Some(("bob", State::Offline))),
            ("bob away is off: lunch", Some(("bob", away()))),
            ("bob away", Some(("bob", State::Away(String::new())))),
            ("bob online now", None),
            ("bob", None),
            ("", None),
        ] {
            assert_eq!(State::of_notice(text), expected, "{text}");
        }
        assert_eq!(State::Online.notice("bob", Some(&away())), "bob back");
        assert_eq!(State::Online.notice("bob", Some(&State::Offline)), "bob online");
        assert_eq!(away().notice("bob", None), "bob away is off: lunch");
    }

    #[test]
    fn names_in_any_case_and_bounded() {
        let mut watched = Watched::of(&["Bob".to_owned(), "bob".to_owned()]);
        assert_eq!(watched.names(), ["Bob"]);
        watched.remove("BOB");
        (0..1_000).for_each(|n| watched.add(&format!("n{n}")));
        assert_eq!(watched.names().len(), WATCHES_EACH);
    }
}
