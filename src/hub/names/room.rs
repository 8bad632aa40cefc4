//! The names of rooms and of guests: in any script, and equal when their lower case is.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::{NameError, is_reserved};
use crate::limits::NAME_CHARS;
use crate::text::fold;

/// No name is longer in any normal form: a character is composed of at most four, of at most four bytes each. What is
/// longer is not composed at all, for thousands of marks on one letter would have to be sorted first.
const RAW_BYTES_MOST: usize = NAME_CHARS * 4 * 4;

/// A room's name: 1 to 32 characters, each a Unicode letter or digit or one of `_.-`, in NFC.
///
/// Two names are equal (also as keys) when their lower case is; order is that of their lower case. Cheap to clone:
/// the text is shared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomName(Folded);

/// A guest's name: formed and compared as a room's is, shown with `~` before it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuestName(Folded);

impl RoomName {
    /// A name that may be used at the door, in whatever normal form it comes.
    ///
    /// # Errors
    /// [`NameError::Shape`] or [`NameError::Reserved`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Folded::parse(text).map(Self)
    }

    /// The name as it was given first.
    pub fn as_str(&self) -> &str {
        &self.0.shown
    }

    /// Whether `text` is this name, in any case and normal form.
    pub fn is(&self, text: &str) -> bool {
        // A client mostly spells it as the server does, message for message.
        self.as_str() == text || Self::parse(text).is_ok_and(|name| name == *self)
    }

    /// The least name that begins with `prefix` in any case and normal form: where a search by prefix starts, and what
    /// [`begins_with`](Self::begins_with) takes. It need not be a name itself, so it never leaves the hub.
    pub(in crate::hub) fn least_with(prefix: &str) -> Self {
        Self(Folded::prefix(prefix))
    }

    /// Whether this name begins with what `least` is the least name with.
    pub(in crate::hub) fn begins_with(&self, least: &Self) -> bool {
        self.0.begins_with(&least.0)
    }
}

impl GuestName {
    /// A name that may be used at the door, in whatever normal form it comes, without the `~`.
    ///
    /// # Errors
    /// [`NameError::Shape`] or [`NameError::Reserved`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        Folded::parse(text).map(Self)
    }

    /// The name as it was given, without the `~`.
    pub fn as_str(&self) -> &str {
        &self.0.shown
    }

    /// The least name that begins with `prefix`, as for rooms.
    pub(in crate::hub) fn least_with(prefix: &str) -> Self {
        Self(Folded::prefix(prefix))
    }

    /// Whether this name begins with what `least` is the least name with, as for rooms.
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

/// A text to be shown, and its lower case to be compared. They are one where they are equal, as they mostly are.
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
        // One more than may be, so that what is too long is seen, and no more of it is looked at.
        let composed: String = text.nfc().take(NAME_CHARS + 1).collect();
        let is_sized = (1..=NAME_CHARS).contains(&composed.chars().count());
        if !is_sized || !composed.chars().all(may_stand_in_a_name) {
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

    /// What a name begins with. Folded once, for it is compared with many names.
    fn prefix(text: &str) -> Self {
        let is_possible = text.len() <= RAW_BYTES_MOST;
        Self::new(if is_possible { text.nfc().collect() } else { char::MAX.into() }) // in which no name begins
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

/// Letters are the categories L*, digits are N*, so that no script is left without its own. `is_alphanumeric` has more
/// than these: marks that count as alphabetic (a vowel sign of Devanagari), which are refused lest a name end in one
/// and change what is printed behind it; and circled letters, which do no harm. The letters that show nothing (the
/// fillers of Hangul) are refused, for a name must not look like another by having one more.
fn may_stand_in_a_name(c: char) -> bool {
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
    fn composed_first_and_counted_then() {
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
    fn marks_that_remain_are_refused() {
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
        // What is reserved for accounts alone may be a room or a guest.
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
    fn equal_when_their_lower_case_is() {
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
    fn one_text_where_nothing_is_folded() {
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
        // In lower case this is twice as long.
        let dotted = RoomName::parse(&"İ".repeat(32)).unwrap();
        assert!(dotted.begins_with(&RoomName::least_with(&"i\u{307}".repeat(32))));
        assert!(!dotted.begins_with(&RoomName::least_with(&"i\u{307}".repeat(33))));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_a_name_again(text in "\\PC{0,40}") {
            if let Ok(name) = RoomName::parse(&text) {
                prop_assert!((1..=32).contains(&name.as_str().chars().count()));
                prop_assert!(name.as_str().chars().all(may_stand_in_a_name));
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
            // Upper case may be another word (ß, SS); a lower case is always the same.
            if let (Ok(name), Ok(lower)) = (RoomName::parse(&text), RoomName::parse(&text.to_lowercase())) {
                prop_assert_eq!(name, lower);
            }
        }
    }
}
