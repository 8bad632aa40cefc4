//! Names of rooms and guests: in any script, compared by their lower case.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::{NameError, is_reserved};
use crate::limits::NAME_CHARS;
use crate::text::fold;

/// The longest name in any normal form, in bytes: a character is composed of at most four, of at most four bytes each.
/// A longer text is refused before normalisation, which would sort thousands of marks on one letter.
const RAW_BYTES_MOST: usize = NAME_CHARS * 4 * 4;

/// A room's name: 1 to 32 characters, each a Unicode letter or digit or one of `_.-`, in NFC.
///
/// Comparison, order and hash use the lower case. A clone shares the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomName(Folded);

/// A guest's name. It has the form and comparison of a [`RoomName`], and is shown with `~` before it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuestName(Folded);

impl RoomName {
    /// Parses a room's name in any normal form.
    ///
    /// # Errors
    /// [`NameError::Shape`] if the text has another form, [`NameError::Reserved`] if no room may have the name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Folded::parse(text).map(Self)
    }

    /// The name in NFC, in the case in which it was given.
    pub fn as_str(&self) -> &str {
        &self.0.shown
    }

    /// The name as it is compared.
    pub fn folded(&self) -> &str {
        &self.0.folded
    }

    /// Whether `text` is this name, in any case and any normal form.
    pub fn is(&self, text: &str) -> bool {
        // The common case: clients repeat the server's spelling.
        self.as_str() == text || Self::parse(text).is_ok_and(|name| name == *self)
    }

    /// The least name that begins with `prefix`: the start of a search by prefix, and the argument of
    /// [`begins_with`](Self::begins_with). The result is not always a valid name, so it must not leave the hub.
    pub(in crate::hub) fn least_with(prefix: &str) -> Self {
        Self(Folded::prefix(prefix))
    }

    /// Whether this name begins with the prefix from which `least` was made, in any case and any normal form.
    pub(in crate::hub) fn begins_with(&self, least: &Self) -> bool {
        self.0.begins_with(&least.0)
    }
}

impl GuestName {
    /// Parses a guest's name, without the `~`, in any normal form.
    ///
    /// # Errors
    /// [`NameError::Shape`] if the text has another form, [`NameError::Reserved`] if no guest may have the name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Folded::parse(text).map(Self)
    }

    /// The name in NFC, in the case in which it was given, without the `~`.
    pub fn as_str(&self) -> &str {
        &self.0.shown
    }

    /// The least name that begins with `prefix`; see [`RoomName::least_with`].
    pub(in crate::hub) fn least_with(prefix: &str) -> Self {
        Self(Folded::prefix(prefix))
    }

    /// Whether this name begins with the prefix from which `least` was made; see [`RoomName::begins_with`].
    pub(in crate::hub) fn begins_with(&self, least: &Self) -> bool {
        self.0.begins_with(&least.0)
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoomName({})", self.as_str())
    }
}

impl fmt::Display for GuestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "~{}", self.as_str())
    }
}

impl fmt::Debug for GuestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GuestName({})", self.as_str())
    }
}

/// A text to show, and its lower case to compare. They share memory if they are equal, which is common.
#[derive(Clone)]
struct Folded {
    shown: Arc<str>,
    folded: Arc<str>,
}

impl Folded {
    fn parse(text: &str) -> Result<Self, NameError> {
        if text.len() > RAW_BYTES_MOST {
            return Err(NameError::Shape);
        }
        // One character more than the limit is enough to detect a name that is too long.
        let composed: String = text.nfc().take(NAME_CHARS + 1).collect();
        let is_sized = (1..=NAME_CHARS).contains(&composed.chars().count());
        if !is_sized || !composed.chars().all(is_name_char) {
            return Err(NameError::Shape);
        }
        if is_reserved(&composed) {
            return Err(NameError::Reserved);
        }
        Ok(Self::new(composed))
    }

    /// `composed` is in NFC.
    fn new(composed: String) -> Self {
        let folded: String = fold(&composed).collect();
        let shown: Arc<str> = Arc::from(composed);
        let folded = if *folded == *shown { Arc::clone(&shown) } else { Arc::from(folded) };
        Self { shown, folded }
    }

    /// A prefix to compare with many names, folded once.
    fn prefix(text: &str) -> Self {
        let is_possible = text.len() <= RAW_BYTES_MOST;
        Self::new(if is_possible { text.nfc().collect() } else { char::MAX.into() }) // no name begins with it
    }

    fn begins_with(&self, prefix: &Self) -> bool {
        self.folded.starts_with(&*prefix.folded)
    }
}

impl PartialEq for Folded {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for Folded {}

impl PartialOrd for Folded {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Folded {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded.cmp(&other.folded)
    }
}

impl Hash for Folded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

/// Letters are the Unicode categories L*, digits are N*, so that every script has its own. `is_alphanumeric` is true for
/// more: for alphabetic marks such as the vowel signs of Devanagari, which are refused because a name that ends in one
/// changes the text printed after it, and for circled letters, which are harmless. The invisible letters (the fillers of
/// Hangul) are refused, because two names that differ in one would look the same.
fn is_name_char(c: char) -> bool {
    let is_blank = matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}');
    matches!(c, '_' | '.' | '-') || (c.is_alphanumeric() && !is_combining_mark(c) && !is_blank)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, NameError>) {
        assert_eq!(RoomName::parse(text).as_ref().map(RoomName::as_str).map_err(|e| *e), expected, "{text:?}");
        assert_eq!(GuestName::parse(text).as_ref().map(GuestName::as_str).map_err(|e| *e), expected, "{text:?}");
    }

    #[test]
    fn shape() {
        for good in ["a", "Lobby_1.b-c", "1", "_", "...", "Grüße", "東京", "комната", "٣", "ⅷ", "ß", "가", "Ⓐ"]
        {
            check(good, Ok(good));
        }
        for bad in ["", " ", "a b", "a:b", "~bob", "a/b", "a\0", "a\n", "\u{202e}a", "👋", "a\u{200b}", "a\u{200d}b"]
        {
            check(bad, Err(NameError::Shape));
        }
        for filler in ["\u{115f}", "a\u{1160}", "bob\u{3164}", "bob\u{ffa0}"] {
            check(filler, Err(NameError::Shape));
        }
    }

    #[test]
    fn names_are_composed_before_they_are_counted() {
        check("e\u{301}", Ok("é"));
        check("\u{1112}\u{1161}\u{11ab}", Ok("한"));
        check("\u{212b}", Ok("Å"));
        check(&"e\u{301}".repeat(32), Ok(&"é".repeat(32)));
        check(&"e\u{301}".repeat(33), Err(NameError::Shape));
        check(&"𝔸".repeat(32), Ok(&"𝔸".repeat(32)));
        check(&"𝔸".repeat(33), Err(NameError::Shape));
        check(&"\u{3b1}\u{313}\u{300}\u{345}".repeat(32), Ok(&"ᾂ".repeat(32)));
        check(&format!("e{}", "\u{301}".repeat(2000)), Err(NameError::Shape));
    }

    #[test]
    fn combining_marks_are_refused() {
        for bad in ["\u{301}", "x\u{301}", "é\u{301}", "i\u{307}", "का", "a\u{20dd}", "\u{958}"] {
            check(bad, Err(NameError::Shape));
        }
    }

    #[test]
    fn reserved_in_any_case() {
        for word in ["server", "Admin", "ROOT", "chatD", "rm", "Rooms", "CLOSE", "noop"] {
            check(word, Err(NameError::Reserved));
        }
        check("servers", Ok("servers"));
        // Names that are reserved for accounts alone are valid for rooms and guests.
        for word in ["history", "topic", "op", "bye"] {
            check(word, Ok(word));
        }
    }

    #[track_caller]
    fn check_same(one: &str, other: &str, expected: bool) {
        let (one, other) = (RoomName::parse(one).unwrap(), RoomName::parse(other).unwrap());
        assert_eq!(one == other, expected, "{one} {other}");
        assert_eq!(HashSet::from([one.clone(), other.clone()]).len() == 1, expected, "{one} {other}");
        assert_eq!(BTreeSet::from([one.clone(), other.clone()]).len() == 1, expected, "{one} {other}");
    }

    #[test]
    fn names_are_compared_by_lower_case() {
        check_same("Lobby", "lOBBY", true);
        check_same("GRÜN", "grün", true);
        check_same("E\u{301}", "é", true);
        check_same("КОМНАТА", "комната", true);
        check_same("ΟΔΟΣ", "οδος", true);
        check_same("ΟΔΟΣ", "οδοσ", true);
        check_same("İ", "i", false);
        check_same("STRASSE", "straße", false);
        check_same("a", "а", false); // Latin and Cyrillic
        assert!(RoomName::parse("Grün").unwrap().is("Grün"));
        assert!(RoomName::parse("Grün").unwrap().is("GRU\u{308}N"));
        assert!(!RoomName::parse("Grün").unwrap().is("Grün "));
        assert_eq!(RoomName::parse("LobbY").unwrap().as_str(), "LobbY");
        assert!(RoomName::parse("alice").unwrap() < RoomName::parse("BOB").unwrap());
    }

    #[test]
    fn a_lower_case_name_is_stored_once() {
        let name = Folded::parse("lobby").unwrap();
        assert!(Arc::ptr_eq(&name.shown, &name.folded));
        let name = Folded::parse("Lobby").unwrap();
        assert_eq!((&*name.shown, &*name.folded), ("Lobby", "lobby"));
    }

    #[test]
    fn prefixes() {
        let name = RoomName::parse("Grün").unwrap();
        for prefix in ["", "g", "GR", "gru\u{308}", "GRÜN"] {
            let least = RoomName::least_with(prefix);
            assert!(name.begins_with(&least), "{prefix}");
            assert!(least <= name, "{prefix}");
        }
        for prefix in ["r", "gru", "grüne", " "] {
            assert!(!name.begins_with(&RoomName::least_with(prefix)), "{prefix}");
        }
        assert!(RoomName::parse("οδοσα").unwrap().begins_with(&RoomName::least_with("ΟΔΟΣ")));
        assert!(GuestName::parse("Bob").unwrap().begins_with(&GuestName::least_with("bO")));
        let long = RoomName::parse(&"x".repeat(32)).unwrap();
        assert!(long.begins_with(&RoomName::least_with(&"X".repeat(32))));
        assert!(!long.begins_with(&RoomName::least_with(&"x".repeat(33))));
        assert!(!long.begins_with(&RoomName::least_with(&"x".repeat(4000))));
        // The lower case has twice as many characters.
        let dotted = RoomName::parse(&"İ".repeat(32)).unwrap();
        assert!(dotted.begins_with(&RoomName::least_with(&"i\u{307}".repeat(32))));
        assert!(!dotted.begins_with(&RoomName::least_with(&"i\u{307}".repeat(33))));
    }

    proptest! {
        #[test]
        fn the_shown_form_is_a_name(text in "\\PC{0,40}") {
            if let Ok(name) = RoomName::parse(&text) {
                prop_assert!((1..=32).contains(&name.as_str().chars().count()));
                prop_assert!(name.as_str().chars().all(is_name_char));
                let again = RoomName::parse(name.as_str()).unwrap();
                prop_assert_eq!(again.as_str(), name.as_str());
                for (at, _) in text.char_indices() {
                    let prefix = name.as_str().get(..at).unwrap_or_default();
                    let least = RoomName::least_with(prefix);
                    prop_assert!(name.begins_with(&least) && least <= name);
                }
            }
        }

        #[test]
        fn any_case_is_the_same_name(text in "[\\p{L}\\p{N}_.-]{1,20}") {
            // Upper case may differ (ß becomes SS); lower case is always equal.
            if let (Ok(name), Ok(lower)) = (RoomName::parse(&text), RoomName::parse(&text.to_lowercase())) {
                prop_assert_eq!(name, lower);
            }
        }
    }
}
