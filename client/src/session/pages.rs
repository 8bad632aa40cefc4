//! What the user asks for of the past, and of rooms that are kept.

use super::Session;
use super::intents::{bare, counted};
use super::requests::Request;
use crate::action::{Action, Now, Place, Shown};
use crate::command::{Keeping, Look, word};
use crate::past::{self, Unread};

/// Counts go up to this: that many or more.
const COUNT_MOST: u32 = 1_000;

impl Session {
    /// `/history`, `/missed`, `/search` and `/unread`.
    pub(super) fn look(&mut self, look: &Look<'_>, now: Now) {
        match look {
            Look::History { place, rest } => self.look_back(*place, rest, now),
            Look::Missed => {
                let more = self.settings.people.then(|| "/missed".to_owned());
                self.request(Request::Page { more }, &["MISSED"], now);
            }
            Look::Search(words) => {
                let is_bound = |word: &&str| word.to_ascii_lowercase().starts_with("before:");
                let kept: Vec<&str> = words.split(' ').filter(|word| !is_bound(word)).collect();
                let more = self.settings.people.then(|| format!("/search {} before:", kept.join(" ").trim()));
                self.request(Request::Page { more }, &["SEARCH", words], now);
            }
            Look::Unread => self.request(Request::Unread, &["UNREAD"], now),
        }
    }

    fn look_back(&mut self, place: Option<&str>, rest: &str, now: Now) {
        let here = matches!(self.talk.place, Place::Room(_)).then(|| past::word(&self.talk.place));
        let place = place.map(str::to_owned).or(here);
        let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
        let (bound, count) = match words.as_slice() {
            [bound, _] => (*bound, ""),
            [bound, _, count] => (*bound, *count),
            [count] => ("before", *count),
            _ => ("before", ""),
        };
        let start: Vec<&str> = ["/history"].into_iter().chain(place.as_deref()).chain([bound]).collect();
        // The number is asked for in front, for the bound comes last.
        let more = self.settings.people.then(|| format!("{} \u{0}{count}", start.join(" ")));
        let all: Vec<&str> = ["HISTORY"].into_iter().chain(place.as_deref()).chain(words).collect();
        self.request(Request::Page { more }, &all, now);
    }

    /// A line of a page that the user asked for.
    pub(super) fn on_page_line(&mut self, code: u16, text: String) {
        match past::line(&text).filter(|_| code == 212) {
            Some(line) => {
                let past = self.past(line, false);
                self.actions.push_back(Action::ShowPage(past));
            }
            None => self.show(Shown::Reply { code, more: true, text }),
        }
    }

    /// The end of such a page. `more` is the command for the next one, with a NUL where its bound goes.
    pub(super) fn on_page_end(&mut self, code: u16, text: String, more: Option<String>) {
        let (Some(more), Some(last), 212) = (more, past::last(&text), code) else { return self.reply(code, text) };
        let shown = counted(usize::try_from(last.count).unwrap_or(usize::MAX), "message");
        let text = match last.next {
            None if last.count == 0 => "there are no such messages".to_owned(),
            None => format!("{shown}; that is all"),
            Some(_) if more == "/missed" => format!("{shown}; /missed shows more"),
            Some(next) => format!("{shown}; for more: {}", with_bound(&more, next)),
        };
        self.show(Shown::Reply { code, more: false, text });
    }

    /// A line of the counts that the user asked for.
    pub(super) fn on_unread_line(&mut self, code: u16, text: String) {
        let told = past::unread(&text).filter(|_| self.settings.people && code == 213).map(|unread| told(&unread));
        self.show(Shown::Reply { code, more: true, text: told.unwrap_or(text) });
    }

    /// `/topic` and `/lock`.
    pub(super) fn set_of_room(&mut self, verb: &str, rest: &str, now: Now) {
        let Some((room, text)) = self.room_and_text(rest) else { return self.ask_which_room() };
        // Without a password, the server would remove it.
        if verb == "LOCK" && text.is_empty() {
            return self.trouble("usage", format!("say a password for {room}, or - for none"));
        }
        let (named, room) = (past::word(&Place::Room(room.clone())), room);
        let done = match (verb, text) {
            ("TOPIC", "-") => format!("{room} has no topic any more"),
            ("TOPIC", _) => format!("the topic of {room} is set"),
            (_, "-") => format!("{room} has no password any more"),
            _ => format!("the password of {room} is set"),
        };
        let words: Vec<&str> = [verb, &named].into_iter().chain(Some(text).filter(|text| !text.is_empty())).collect();
        self.request(Request::Change { done }, &words, now);
    }

    /// `/keep`.
    pub(super) fn keep_room(&mut self, room: &str, keeping: &Keeping<'_>, now: Now) {
        let named = past::word(&Place::Room(room.to_owned()));
        let (done, words) = match keeping {
            Keeping::To(name) => (format!("{room} is {name}'s now"), vec!["KEEP", &named, "TO", name]),
            Keeping::Days(None) => (format!("{room} is kept"), vec!["KEEP", &named]),
            Keeping::Days(Some(days)) if days.eq_ignore_ascii_case("off") => {
                (format!("{room} is not kept any more"), vec!["KEEP", &named, days])
            }
            Keeping::Days(Some(days)) => {
                let days_told = counted(days.parse().unwrap_or(usize::MAX), "day");
                (format!("{room} is kept, and what is said there for {days_told}"), vec!["KEEP", &named, days])
            }
        };
        self.request(Request::Change { done }, &words, now);
    }

    /// The room that a command is about, and the text after it. The first word is the room if it has a `#` in front, if
    /// the user is in a room of that name, or if they are in none; else the room is the current one. `None` if none is
    /// named.
    fn room_and_text<'a>(&self, rest: &'a str) -> Option<(String, &'a str)> {
        let (first, text) = word(rest);
        let here = if let Place::Room(room) = &self.talk.place { Some(room) } else { None };
        let is_room = first.starts_with('#') || self.rooms.find(first).is_some() || here.is_none();
        match here {
            _ if is_room && !bare(first).is_empty() => Some((self.spelled(bare(first)), text)),
            Some(room) => Some((room.clone(), rest)),
            None => None,
        }
    }
}

/// A command with its bound: instead of a NUL, or at its end.
fn with_bound(more: &str, next: u64) -> String {
    match more.split_once('\u{0}') {
        Some((start, count)) => format!("{start}{next} {count}").trim_end().to_owned(),
        None => format!("{more}{next}"),
    }
}

/// Unread messages, for people.
fn told(unread: &Unread) -> String {
    let Unread { place, count, mentions, .. } = unread;
    let place = if *place == Place::Public { "to everybody".to_owned() } else { past::word(place) };
    let number = |count: &u32| if *count >= COUNT_MOST { "1,000 or more".to_owned() } else { count.to_string() };
    match (count, mentions) {
        (0, _) => format!("{place}: nothing new"),
        (_, 0) => format!("{place}: {} new", number(count)),
        _ => format!("{place}: {} new, {} for you", number(count), number(mentions)),
    }
}
