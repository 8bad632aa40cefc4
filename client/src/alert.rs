//! Whether a message stands out, and whether it calls the user.
//!
//! ```text
//! levels of places ─┐
//! ignored names ────┼─▶ Rules::judge(Heard) ─▶ Verdict { stands out, calls }
//! the message ──────┘
//! ```

use std::collections::BTreeSet;

use chatd::mention;

use super::action::{Place, is_same_place};

/// The most places with a level of their own that are remembered.
const PLACES: usize = 1_024;
/// The most names that are remembered as ignored. A server takes 100.
const IGNORED: usize = 1_024;

/// How loud a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Every message calls.
    All,
    /// Messages that mention the user do, and direct messages.
    Mentions,
    /// Nothing does.
    None,
}

impl Level {
    /// The level of this name, in any case: `all`, `mentions` or `none`.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::All, Self::Mentions, Self::None].into_iter().find(|level| word.eq_ignore_ascii_case(level.word()))
    }

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::None => "none",
        }
    }

    /// The level of a place of which nothing else is known.
    pub fn usual(place: &Place) -> Self {
        match place {
            Place::Direct { .. } => Self::All,
            Place::Public | Place::Room(_) => Self::Mentions,
        }
    }
}

/// A message of which it is to be decided whether it calls.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// Where it was said.
    pub place: &'a Place,
    /// Who said it, as the server shows it.
    pub from: &'a str,
    /// Whether it mentions the user: [`mentions`], or the flag of a page.
    pub is_mention: bool,
    /// Whether the user said it, perhaps with another client.
    pub is_own: bool,
    /// Whether the user has read it, perhaps with another client.
    pub is_read: bool,
}

/// What is done about a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// It is highlighted: it is for the user.
    pub stands_out: bool,
    /// The user is called: by a bell, a notification, a program.
    pub calls: bool,
}

/// What the user has set on the server about places and people.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Those that are not the usual ones.
    levels: Vec<(Place, Level)>,
    /// In lower case.
    ignored: BTreeSet<String>,
}

impl Rules {
    /// Sets how loud a place is. Beyond 1,024 places with an unusual level, the oldest is forgotten.
    pub fn set_level(&mut self, place: Place, level: Level) {
        self.levels.retain(|(known, _)| !is_same_place(known, &place));
        if level == Level::usual(&place) {
            return;
        }
        if self.levels.len() == PLACES {
            self.levels.remove(0);
        }
        self.levels.push((place, level));
    }

    /// How loud a place is.
    pub fn level(&self, place: &Place) -> Level {
        let known = self.levels.iter().find(|(known, _)| is_same_place(known, place));
        known.map_or_else(|| Level::usual(place), |(_, level)| *level)
    }

    /// Sets whether an account is ignored. Beyond 1,024 names, no more are.
    pub fn set_ignored(&mut self, name: &str, is_ignored: bool) {
        let name = name.to_ascii_lowercase();
        if !is_ignored {
            self.ignored.remove(&name);
        } else if self.ignored.len() < IGNORED {
            self.ignored.insert(name);
        }
    }

    /// Whether an account is ignored.
    pub fn is_ignored(&self, name: &str) -> bool {
        !self.ignored.is_empty() && self.ignored.contains(&name.to_ascii_lowercase())
    }

    /// Forgets all levels: the server is about to tell them.
    pub fn forget_levels(&mut self) {
        self.levels.clear();
    }

    /// Forgets who is ignored: the server is about to tell it.
    pub fn forget_ignored(&mut self) {
        self.ignored.clear();
    }

    /// What is done about a message.
    pub fn judge(&self, heard: Heard<'_>) -> Verdict {
        let Heard { place, from, is_mention, is_own, is_read } = heard;
        if is_own || self.is_ignored(from) {
            return Verdict::default();
        }
        let stands_out = is_mention || matches!(place, Place::Direct { .. });
        let is_loud = match self.level(place) {
            Level::All => true,
            Level::Mentions => stands_out,
            Level::None => false,
        };
        Verdict { stands_out, calls: is_loud && !is_read }
    }
}

/// Whether a text mentions the account `name`, as the server counts it. An account that is gone is shown as `-name`,
/// which mentions whoever has the name now.
pub fn mentions(text: &str, name: &str) -> bool {
    mention::is_in(text, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> Place {
        Place::Room(name.to_owned())
    }

    fn with(name: &str) -> Place {
        Place::Direct { with: name.to_owned() }
    }

    fn heard<'a>(place: &'a Place, from: &'a str, is_mention: bool) -> Heard<'a> {
        Heard { place, from, is_mention, is_own: false, is_read: false }
    }

    #[track_caller]
    fn check(rules: &Rules, heard: Heard<'_>, stands_out: bool, calls: bool) {
        assert_eq!(rules.judge(heard), Verdict { stands_out, calls }, "{heard:?}");
    }

    #[test]
    fn levels_of_places() {
        let mut rules = Rules::default();
        check(&rules, heard(&room("den"), "bob", false), false, false);
        check(&rules, heard(&room("den"), "bob", true), true, true);
        check(&rules, heard(&Place::Public, "bob", true), true, true);
        check(&rules, heard(&with("bob"), "bob", false), true, true);
        rules.set_level(room("Den"), Level::All);
        rules.set_level(Place::Public, Level::None);
        rules.set_level(with("bob"), Level::None);
        rules.set_level(with("carol"), Level::Mentions);
        check(&rules, heard(&room("den"), "bob", false), false, true);
        check(&rules, heard(&Place::Public, "bob", true), true, false);
        check(&rules, heard(&with("Bob"), "Bob", false), true, false);
        check(&rules, heard(&with("carol"), "carol", false), true, true);
        check(&rules, heard(&room("lobby"), "bob", false), false, false);
        rules.forget_levels();
        check(&rules, heard(&with("bob"), "bob", false), true, true);
    }

    #[test]
    fn own_read_and_ignored_messages_do_not_call() {
        let mut rules = Rules::default();
        let place = with("bob");
        check(&rules, Heard { is_own: true, ..heard(&place, "alice", true) }, false, false);
        check(&rules, Heard { is_read: true, ..heard(&place, "bob", false) }, true, false);
        rules.set_level(room("den"), Level::All);
        rules.set_ignored("BOB", true);
        check(&rules, heard(&room("den"), "bob", true), false, false);
        check(&rules, heard(&room("den"), "-bob", true), true, true);
        rules.set_ignored("Bob", false);
        check(&rules, heard(&room("den"), "bob", true), true, true);
        rules.set_ignored("bob", true);
        rules.forget_ignored();
        check(&rules, heard(&room("den"), "bob", true), true, true);
    }

    #[test]
    fn bounded() {
        let mut rules = Rules::default();
        for n in 0..PLACES + 20 {
            rules.set_level(room(&format!("r{n}")), Level::All);
            rules.set_ignored(&format!("n{n}"), true);
        }
        rules.set_level(room("den"), Level::None);
        rules.set_level(room("lobby"), Level::Mentions);
        assert_eq!((rules.levels.len(), rules.ignored.len()), (PLACES, IGNORED));
        assert_eq!((rules.level(&room("r0")), rules.level(&room("DEN"))), (Level::Mentions, Level::None));
        rules.set_level(room("Den"), Level::Mentions);
        assert_eq!((rules.level(&room("den")), rules.levels.len()), (Level::Mentions, PLACES - 1));
    }

    #[test]
    fn level_names() {
        for level in [Level::All, Level::Mentions, Level::None] {
            assert_eq!(Level::parse(&level.word().to_uppercase()), Some(level));
        }
        assert_eq!(Level::parse("loud"), None);
    }

    /// Who is mentioned by a text: of these names.
    #[track_caller]
    fn check_mentions(text: &str, expected: &[&str]) {
        let names = ["al", "alice", "alice2", "alice_", "a.l", "bob"];
        let found: Vec<&str> = names.into_iter().filter(|name| mentions(text, name)).collect();
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn names_within_names() {
        check_mentions("alice", &["alice"]);
        check_mentions("Al, AL: al.", &["al"]);
        check_mentions("alice2 and alicea", &["alice2"]);
        check_mentions("alice-bob", &[]);
        check_mentions("alice/bob alice,al", &["al", "alice", "bob"]);
        check_mentions("a.l al", &["al", "a.l"]);
        check_mentions("ask alice_", &["alice", "alice_"]);
        check_mentions("http://bob@al/alice", &["al", "alice", "bob"]);
    }

    #[test]
    fn names_beside_other_scripts_and_signs() {
        check_mentions("éalice аlice aliсe", &[]); // also with Cyrillic letters in it
        check_mentions("你好alice上海 al！ «bob»", &["al", "alice", "bob"]);
        check_mentions("👋alice👋 @bob #al", &["al", "alice", "bob"]);
        check_mentions("ａｌｉｃｅ", &[]);
        check_mentions("al\u{200d}ice", &["al"]);
        check_mentions("…alice… (al) \"bob\"", &["al", "alice", "bob"]);
        check_mentions("", &[]);
        check_mentions("... --- ___", &[]);
    }

    #[test]
    fn deleted_accounts_and_guests() {
        check_mentions("-alice wrote that", &["alice"]);
        check_mentions("~bob is a guest", &["bob"]);
    }
}
