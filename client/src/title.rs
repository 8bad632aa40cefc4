//! The title of the window: `(3) alice@host: den`.

use super::action::Place;
use super::visible::harmless;

/// The time between two titles.
const EVERY_MS: u64 = 300;
/// The most characters of a title, and of a name in it.
const LENGTH: usize = 160;
const NAME: usize = 48;

/// Puts the title that was there aside, in terminals that can.
pub(super) const PUSH: &str = "\x1b[22;0t";
/// Brings it back.
pub(super) const POP: &str = "\x1b[23;0t";

/// What a title says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading<'a> {
    /// Messages that the user has not read.
    pub unread: usize,
    /// The user's name.
    pub name: &'a str,
    /// The index of the server.
    pub server: usize,
    /// Where plain text goes.
    pub place: &'a Place,
}

impl Heading<'_> {
    /// The title, with the server's name. A terminal obeys nothing in it.
    pub fn text(&self, host: &str) -> String {
        let Self { unread, name, place, .. } = self;
        let count = if *unread > 0 { format!("({unread}) ") } else { String::new() };
        let place = match place {
            Place::Public => String::new(),
            Place::Room(room) => format!(": {}", harmless(room, NAME)),
            Place::Direct { with } => format!(": @{}", harmless(with, NAME)),
        };
        harmless(&format!("{count}{}@{}{place}", harmless(name, NAME), harmless(host, NAME)), LENGTH)
    }
}

/// The title as the terminal has it.
#[derive(Debug, Default)]
pub struct Title {
    /// `None` before the first.
    shown: Option<String>,
    /// When the next may be written, in monotonic milliseconds.
    next_ms: u64,
}

impl Title {
    /// What is written so that the terminal has this title: nothing if it has it, or if it is too early.
    pub fn update(&mut self, text: String, now_ms: u64) -> Option<String> {
        if self.shown.as_ref() == Some(&text) || now_ms < self.next_ms {
            return None;
        }
        let escapes = format!("\x1b]2;{text}\x07");
        self.shown = Some(text);
        self.next_ms = now_ms.saturating_add(EVERY_MS);
        Some(escapes)
    }

    /// When another title than the present one can be written, in monotonic milliseconds; `None` if it is this one.
    pub fn due(&self, text: &str) -> Option<u64> {
        (self.shown.as_deref() != Some(text)).then_some(self.next_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(unread: usize, name: &str, host: &str, place: &Place, expected: &str) {
        assert_eq!(Heading { unread, name, server: 0, place }.text(host), expected);
    }

    #[test]
    fn titles() {
        let den = Place::Room("den".to_owned());
        check(0, "alice", "host", &Place::Public, "alice@host");
        check(3, "alice", "host", &den, "(3) alice@host: den");
        check(1000, "alice", "::1", &Place::Direct { with: "bob".to_owned() }, "(1000) alice@::1: @bob");
    }

    #[test]
    fn hostile_names_are_harmless() {
        let hostile = "\x07\x1b]0;pwned\x1b\\\u{9c}\u{202e}\r\n\x00";
        let place = Place::Room(format!("den{hostile}"));
        check(1, &format!("al{hostile}"), hostile, &place, "(1) al]0;pwned\\@]0;pwned\\: den]0;pwned\\");
        let long = Place::Room("x".repeat(100_000));
        let text = Heading { unread: 1, name: &"y".repeat(100_000), server: 0, place: &long }.text(&"z".repeat(9_999));
        assert!(text.chars().count() <= LENGTH, "{text}");
    }

    #[test]
    fn updates_have_a_pace() {
        let mut title = Title::default();
        let update = |title: &mut Title, text: &str, now| title.update(text.to_owned(), now);
        assert_eq!(update(&mut title, "one", 5).as_deref(), Some("\x1b]2;one\x07"));
        assert_eq!(update(&mut title, "one", 5_000), None);
        assert_eq!(title.due("one"), None);
        assert_eq!(update(&mut title, "two", 100), None);
        assert_eq!(title.due("two"), Some(5 + EVERY_MS));
        assert_eq!(update(&mut title, "two", 5 + EVERY_MS).as_deref(), Some("\x1b]2;two\x07"));
        let written = (0..10_000).filter(|n| update(&mut title, &n.to_string(), 1_000 + n).is_some()).count();
        assert!(written <= 34, "{written} in 10 s");
    }
}
