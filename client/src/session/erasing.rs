//! Erasing what was said. People do not see the ids of messages, so the client remembers those of the messages that are
//! on the screen, and counts them from below.

use std::collections::VecDeque;

use super::Session;
use super::asks::{Ask, Target};
use super::dialogue::Dialogue;
use crate::action::{Now, Place, Shown};
use crate::command::{self, Answer, Erase};
use crate::past;
use crate::visible::visible;

/// The most messages that are remembered.
const RECENT: usize = 2_000;
/// How many characters of a text are shown in the question.
const TEXT: usize = 40;

/// The messages on the screen, the lowest last.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<Line>);

#[derive(Debug)]
struct Line {
    id: u64,
    place: Place,
    from: String,
    /// The start of the text, visible.
    text: String,
}

impl Recent {
    /// A message is shown.
    pub(super) fn note(&mut self, id: u64, place: &Place, from: &str, text: &str) {
        self.erase(id);
        if self.0.len() == RECENT {
            self.0.pop_front();
        }
        let (place, from, text) = (place.clone(), from.to_owned(), beginning(text));
        self.0.push_back(Line { id, place, from, text });
    }

    /// A message is erased.
    pub(super) fn erase(&mut self, id: u64) {
        // It is among the last ones, if it is there.
        if let Some(at) = self.0.iter().rposition(|line| line.id == id) {
            self.0.remove(at);
        }
    }

    /// Messages of somebody in a place are erased; without one, in all places.
    fn erase_all(&mut self, place: Option<&Place>, from: &str) {
        let is_there = |line: &Line| place.is_none_or(|place| crate::action::is_same_place(place, &line.place));
        self.0.retain(|line| !line.from.eq_ignore_ascii_case(from) || !is_there(line));
    }

    fn find(&self, id: u64) -> Option<&Line> {
        self.0.iter().rfind(|line| line.id == id)
    }

    /// The id of somebody's message, counted from below, from 1.
    fn nth(&self, from: &str, number: usize) -> Option<u64> {
        let theirs = self.0.iter().rev().filter(|line| line.from.eq_ignore_ascii_case(from));
        theirs.map(|line| line.id).nth(number.checked_sub(1)?)
    }
}

impl Session {
    /// `/erase`. A person is asked first.
    pub(super) fn erase(&mut self, erase: Erase<'_>, now: Now) {
        let target = match erase {
            Erase::All => Target::All,
            Erase::Id(id) => Target::One(id),
            // A script does not know the ids of what it has said.
            Erase::Shown { from: None, number: 1 } if !self.settings.people => Target::Newest,
            Erase::Shown { from, number } => {
                let name = from.unwrap_or(&self.name);
                match self.people.recent.nth(name, number) {
                    Some(id) => Target::One(id),
                    None => return self.find_nothing(from, number),
                }
            }
        };
        if self.settings.people {
            self.talk.dialogue = Dialogue::Erase(target);
        } else {
            self.send_erase(target, now);
        }
    }

    /// The question before something is erased.
    pub(super) fn erase_question(&self, target: &Target) -> String {
        let what = match target {
            Target::Newest => "your last message".to_owned(),
            Target::All => "all that you have ever said on this server".to_owned(),
            Target::One(id) => match self.people.recent.find(*id) {
                None => format!("the message {id}"),
                Some(Line { place, from, text, .. }) => {
                    let of = if self.is_me(from) { String::new() } else { format!("{from}'s ") };
                    visible(&format!("{of}\"{text}\" ({})", told(place))).into_owned()
                }
            },
        };
        format!("erase {what}? [y/N] ")
    }

    /// The answer to that question.
    pub(super) fn on_erase_answer(&mut self, answer: &str, target: Target, now: Now) {
        match command::answer(answer) {
            Some(Answer::Each) if self.is_ready() => self.send_erase(target, now),
            Some(Answer::Each) => self.trouble("offline", "not connected, so nothing is erased".to_owned()),
            Some(Answer::AsOne | Answer::No) | None => self.cancel_erase(),
        }
    }

    /// Nothing is erased after all.
    pub(super) fn cancel_erase(&mut self) {
        self.note("cancelled", "nothing is erased".to_owned());
    }

    fn send_erase(&mut self, target: Target, now: Now) {
        let id = if let Target::One(id) = target { id.to_string() } else { String::new() };
        let word = if target == Target::All { "all" } else { id.as_str() };
        self.ask_people(Ask::Erase(target), &[word], now);
    }

    /// The message that the user has named is not on the screen.
    fn find_nothing(&mut self, from: Option<&str>, number: usize) {
        let of = from.map_or_else(|| "yours".to_owned(), |name| visible(name).into_owned());
        let what =
            if number == 1 { format!("no message of {of} is") } else { format!("not {number} messages of {of} are") };
        self.trouble("usage", format!("{what} on the screen; /history and /search show older ones"));
    }

    /// The server's answer.
    pub(super) fn on_erased_answer(&mut self, target: &Target, code: u16, text: String) {
        if code != 200 {
            return self.reply(code, text);
        }
        match target {
            Target::One(id) => {
                self.news.erase(*id);
                self.people.recent.erase(*id);
            }
            Target::Newest => {}
            Target::All => {
                let name = self.name.clone();
                self.people.recent.erase_all(None, &name);
            }
        }
        let text = if self.settings.people { erased(target, &text) } else { text };
        self.show(Shown::Reply { code, more: false, text });
    }

    /// A notice says that messages are erased, `place ID` or `place all NAME`: they cannot be erased again. Returns the
    /// notice, after an id with the name of its sender, if that is known.
    pub(super) fn on_erased_elsewhere(&mut self, text: String) -> String {
        let Some((place, what)) = text.trim_end().split_once(' ') else { return text };
        if let (Some(name), Some(place)) = (what.strip_prefix("all "), past::place(place)) {
            self.people.recent.erase_all(Some(&place), name);
            return text;
        }
        let Ok(id) = what.parse() else { return text };
        let Some(line) = self.people.recent.find(id) else { return text };
        let told = format!("{place} {id} {}", line.from);
        self.people.recent.erase(id);
        told
    }
}

/// What has been erased, for a person.
fn erased(target: &Target, text: &str) -> String {
    const ELSEWHERE: &str = "it may still be on the screens of those who have read it";
    let later = text.split_once(';').map(|(_, later)| later.trim()).filter(|later| !later.is_empty());
    match (target, later) {
        (_, Some(later)) => format!("erased; {later}"),
        (Target::All, None) => match text.strip_prefix("forgot ") {
            Some(count) => format!("erased: {count}"),
            None => "erased: all that you have said".to_owned(),
        },
        (Target::One(_) | Target::Newest, None) => format!("erased; {ELSEWHERE}"),
    }
}

/// Where a message was said, for people.
fn told(place: &Place) -> String {
    match place {
        Place::Public => "to everybody".to_owned(),
        Place::Room(room) => format!("in {room}"),
        Place::Direct { with } => format!("with {with}"),
    }
}

/// Enough of a text to recognize it.
fn beginning(text: &str) -> String {
    let mut start: String = text.chars().take(TEXT).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> Place {
        Place::Room(name.to_owned())
    }

    #[test]
    fn counted_from_below() {
        let mut recent = Recent::default();
        for (id, from) in [(1, "alice"), (2, "bob"), (3, "Alice"), (4, "bob")] {
            recent.note(id, &room("den"), from, "hi");
        }
        assert_eq!([1, 2, 3, 0].map(|n| recent.nth("ALICE", n)), [Some(3), Some(1), None, None]);
        recent.note(1, &Place::Public, "alice", "shown again");
        assert_eq!([1, 2].map(|n| recent.nth("alice", n)), [Some(1), Some(3)]);
        recent.erase(1);
        assert_eq!(recent.nth("alice", 1), Some(3));
        recent.erase_all(Some(&room("hall")), "bob");
        assert_eq!(recent.nth("bob", 2), Some(2));
        recent.erase_all(Some(&room("DEN")), "Bob");
        assert_eq!((recent.nth("bob", 1), recent.nth("alice", 1)), (None, Some(3)));
        recent.erase_all(None, "alice");
        assert_eq!(recent.nth("alice", 1), None);
    }

    #[test]
    fn bounded() {
        let mut recent = Recent::default();
        let long = "x".repeat(4_096);
        (0..10_000).for_each(|id| recent.note(id, &Place::Public, "bob", &long));
        assert_eq!((recent.0.len(), recent.0[0].text.chars().count()), (RECENT, TEXT + 1));
    }

    #[test]
    fn what_is_erased() {
        for (target, text, expected) in [
            (Target::All, "forgot 12 lines", "erased: 12 lines"),
            (Target::All, "forgotten; on disk until a reader has ended", "erased; on disk until a reader has ended"),
            (Target::One(7), "forgotten; on disk until a reader has ended", "erased; on disk until a reader has ended"),
            (Target::All, "", "erased: all that you have said"),
        ] {
            assert_eq!(erased(&target, text), expected);
        }
        assert!(erased(&Target::One(7), "forgot 7 in den").starts_with("erased; it may still be on the screens"));
    }
}
