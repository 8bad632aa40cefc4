//! The characters that a line may contain, in one table for the doors, the log and the client; and the rule by which
//! two spellings are the same name.
//!
//! [`class`] classifies one character, [`classes`] a text, in which the tags of a flag emoji are plain. Letters of
//! every script are plain, and so are the joiners (U+200C, U+200D) and variation selectors that some scripts and emoji
//! need.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// U+FEFF in UTF-8, which some editors and programs write at the beginning of a text. It has no meaning there.
pub const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The way in which a door treats a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Passed on.
    Plain,
    /// TAB: passed on to programs, replaced by a space for people, because terminals move the cursor for it.
    Tab,
    /// Removed: it is invisible and changes how its neighbours look.
    TakenOut,
    /// Refused, with the whole line: it controls a terminal, ends a line, hides or reorders the text around it, or is a
    /// tag outside a flag emoji.
    Refused,
}

/// The class of a single character. Tags are [`Class::Refused`] here; [`classes`] accepts those of a flag emoji.
pub fn class(c: char) -> Class {
    match c {
        '\t' => Class::Tab,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' // C0, DEL, C1
        | '\u{2028}' | '\u{2029}' // line and paragraph separators
        | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // bidi controls (Trojan Source, CVE-2021-42574)
        | '\u{206a}'..='\u{206f}' // deprecated format controls
        | '\u{fff9}'..='\u{fffb}' // interlinear annotation
        | '\u{e0000}'..='\u{e007f}' => Class::Refused, // tags
        '\u{61c}' | '\u{200e}' | '\u{200f}' // direction marks
        | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => Class::TakenOut, // invisible
        _ => Class::Plain,
    }
}

/// The characters of `text` with their classes. The tags of a complete flag emoji are [`Class::Plain`].
pub fn classes(text: &str) -> impl Iterator<Item = (char, Class)> + '_ {
    let mut tags_left = 0;
    text.char_indices().map(move |(at, c)| {
        if tags_left > 0 {
            tags_left -= 1;
            return (c, Class::Plain);
        }
        if c == BLACK_FLAG {
            tags_left = flag_tags(text.get(at..).unwrap_or_default());
        }
        (c, class(c))
    })
}

/// Text that may go over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked<'a> {
    /// The text as it was received. It contains nothing that is [`Class::Refused`].
    pub text: &'a str,
    /// True if it contains nothing that is [`Class::TakenOut`] either.
    pub is_clean: bool,
}

/// Checks `line`. `None` if it is not UTF-8 or contains a character that is [`Class::Refused`].
pub fn check(line: &[u8]) -> Option<Checked<'_>> {
    let text = std::str::from_utf8(line).ok()?;
    // Few texts contain a suspicious byte. Without an early exit the compiler vectorizes the loop.
    if !line.iter().fold(false, |found, byte| found | is_suspicious(*byte)) {
        return Some(Checked { text, is_clean: true });
    }
    let mut is_clean = true;
    for (_, class) in classes(text) {
        match class {
            Class::Plain | Class::Tab => {}
            Class::TakenOut => is_clean = false,
            Class::Refused => return None,
        }
    }
    Some(Checked { text, is_clean })
}

/// The text of `bytes` without what a line may not contain: bytes that are no UTF-8, and characters that are
/// [`Class::Refused`] or [`Class::TakenOut`].
pub fn salvage(bytes: &[u8]) -> Cow<'_, str> {
    if let Some(Checked { text, is_clean: true }) = check(bytes) {
        return Cow::Borrowed(text);
    }
    let text: String = bytes.utf8_chunks().map(|chunk| chunk.valid()).collect();
    let stays = |class| class == Class::Plain || class == Class::Tab;
    Cow::Owned(classes(&text).filter(|(_, class)| stays(*class)).map(|(c, _)| c).collect())
}

/// `bytes` without a leading byte-order mark.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// `text` without characters that are [`Class::TakenOut`].
pub fn without_taken_out(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| class(c) != Class::TakenOut) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| class(*c) != Class::TakenOut).collect())
}

/// The first word, and the rest without leading spaces.
pub fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word, rest.trim_start_matches(' '))
}

/// `text` without leading characters that are [`Class::TakenOut`].
pub fn without_lead(text: &str) -> &str {
    text.trim_start_matches(|c| class(c) == Class::TakenOut)
}

/// The lower case in which names of rooms and guests are compared. `text` must be in NFC. Characters are folded one by
/// one, so a prefix of a name folds to a prefix of the folded name; final sigma folds to sigma.
pub fn fold(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c })
}

/// Whether two texts name the same room or guest: they are equal after normalization and case folding.
pub fn is_same_name(one: &str, other: &str) -> bool {
    let nfc = |text: &str| text.nfc().collect::<String>();
    one == other || fold(&nfc(one)).eq(fold(&nfc(other)))
}

/// Whether the UTF-8 of a character that is refused or taken out may begin with this byte.
fn is_suspicious(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t')
        | (byte == 0x7f) // DEL
        | (byte == 0xc2) // C1
        | (byte == 0xd8) // U+061C
        | (byte == 0xe2) // U+200B to U+206F
        | (byte == 0xef) // U+FEFF, U+FFF9 to U+FFFB
        | (byte == 0xf3) // tags
}

/// The emoji at the beginning of regional flags (England, Texas).
const BLACK_FLAG: char = '\u{1f3f4}';
/// The tag at the end of a flag.
const CANCEL_TAG: char = '\u{e007f}';
/// The longest region code: three characters for the country, four for the subdivision. More tags than that are a
/// hidden message.
const REGION_CHARS: usize = 7;

/// The number of tags, with the last one, that follow the black flag at the beginning of `text`; 0 if they do not form
/// a complete flag.
fn flag_tags(text: &str) -> usize {
    let is_of_region = |c: &char| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let behind = || text.chars().skip(1);
    let region = behind().take(REGION_CHARS + 1).take_while(is_of_region).count();
    let is_whole = (1..=REGION_CHARS).contains(&region) && behind().nth(region) == Some(CANCEL_TAG);
    if is_whole { region + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a line: `None` if it is refused, otherwise its text without what is taken out.
    #[track_caller]
    fn check_line(line: &[u8], expected: Option<&str>) {
        let found = check(line).map(|checked| {
            let text = without_taken_out(checked.text);
            assert_eq!(checked.is_clean, *text == *checked.text, "{line:?}");
            text
        });
        assert_eq!(found.as_deref(), expected, "{line:?}");
    }

    fn is_in(c: char, ranges: &[(u32, u32)]) -> bool {
        ranges.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(c)))
    }

    #[test]
    fn every_character_once() {
        let refused = [
            (0, 8),
            (0xa, 0x1f),
            (0x7f, 0x9f),
            (0x2028, 0x2029),
            (0x202a, 0x202e),
            (0x2066, 0x206f),
            (0xfff9, 0xfffb),
            (0xe0000, 0xe007f),
        ];
        let taken_out = [(0x61c, 0x61c), (0x200b, 0x200b), (0x200e, 0x200f), (0x2060, 0x2064), (0xfeff, 0xfeff)];
        for c in (0..=0x10ffff).filter_map(char::from_u32) {
            let line = format!("a{c}b");
            let expected = if is_in(c, &refused) {
                None
            } else if is_in(c, &taken_out) {
                Some("ab")
            } else {
                Some(line.as_str())
            };
            check_line(line.as_bytes(), expected);
        }
    }

    #[test]
    fn no_utf8() {
        for bad in [&b"\xff"[..], b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\x80"] {
            check_line(bad, None);
        }
    }

    #[test]
    fn what_people_write_goes_through() {
        for text in [
            "grüße 👋 \u{301}\t",
            "សួស្តី ពិភពលោក",
            "שָׁלוֹם",
            "مرحبا بالعالم",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "👩\u{200d}💻 ❤\u{fe0f} 1\u{fe0f}\u{20e3} 葛\u{e0100}",
            "！全角",
        ] {
            check_line(text.as_bytes(), Some(text));
        }
    }

    #[test]
    fn what_is_taken_out() {
        check_line("\u{feff}a\u{200b}b\u{2060}".as_bytes(), Some("ab"));
        check_line("\u{200f}\u{61c}".as_bytes(), Some(""));
        check_line("\u{200e}\u{202e}".as_bytes(), None);
    }

    #[track_caller]
    fn check_same(one: &str, other: &str, expected: bool) {
        assert_eq!((is_same_name(one, other), is_same_name(other, one)), (expected, expected), "{one} {other}");
    }

    #[test]
    fn spellings_of_one_name() {
        check_same("Lobby", "lOBBY", true);
        check_same("caf\u{e9}", "CAFE\u{301}", true);
        check_same("ΟΔΟΣ", "οδος", true);
        check_same("οδοσ", "οδος", true);
        check_same("straße", "STRASSE", false);
        check_same("İ", "i", false);
        check_same("lobby", "lobby\u{3000}", false);
        check_same("a", "а", false); // Latin and Cyrillic
    }

    fn tagged(base: &str, region: &str, end: &str) -> String {
        let tags = region.bytes().filter_map(|b| char::from_u32(0xe0000 + u32::from(b)));
        base.chars().chain(tags).chain(end.chars()).collect()
    }

    #[test]
    fn flags_are_plain_and_other_tags_are_not() {
        for region in ["gbeng", "ustx", "0011234"] {
            let flag = tagged("🏴", region, "\u{e007f}");
            check_line(flag.as_bytes(), Some(&flag));
            let more = format!("x{flag}{flag}\u{200b}y");
            check_line(more.as_bytes(), Some(&format!("x{flag}{flag}y")));
            assert!(classes(&flag).all(|(_, class)| class == Class::Plain));
        }
        for bad in [
            tagged("🏴", "", "\u{e007f}"),
            tagged("🏴", "gbeng", ""),
            tagged("🏴", "gbeng", "!"),
            tagged("🏴", "gb eng", "\u{e007f}"),
            tagged("🏴", "GBENG", "\u{e007f}"),
            tagged("🏴", "attackat", "\u{e007f}"),
            tagged("🏳", "gbeng", "\u{e007f}"),
            tagged("🏴x", "gbeng", "\u{e007f}"),
            tagged("🏴", "gbeng", "\u{e007f}\u{e007f}"),
            tagged("hello", "hidden", ""),
        ] {
            check_line(bad.as_bytes(), None);
        }
    }
}
