//! Makes characters visible that would control a terminal or deceive a reader.

use std::borrow::Cow;
use std::fmt::Write as _;

use chatd::text::{self, Class};

/// The text with every hidden character spelled out: `\x1b`, `\u{202e}`. A TAB becomes one space.
///
/// The server's texts are treated the same way, whatever it promises not to send.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text::classes(text).all(|(c, class)| class == Class::Plain && !is_deceptive(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (c, class) in text::classes(text) {
        match class {
            Class::Plain if !is_deceptive(c) => out.push(c),
            Class::Tab => out.push(' '),
            Class::Plain | Class::TakenOut | Class::Refused => spell_out(c, &mut out),
        }
    }
    Cow::Owned(out)
}

/// The text in at most this many characters, without what a terminal obeys and without hidden characters. A TAB becomes
/// one space. A text that is too long ends with `…`.
pub fn harmless(text: &str, most: usize) -> String {
    let kept = text::classes(text).filter_map(|(c, class)| match class {
        Class::Plain if !is_deceptive(c) => Some(c),
        Class::Tab => Some(' '),
        Class::Plain | Class::TakenOut | Class::Refused => None,
    });
    let mut kept: Vec<char> = kept.take(most.saturating_add(1)).collect();
    if kept.len() > most {
        kept.truncate(most.saturating_sub(1));
        kept.extend((most > 0).then_some('…'));
    }
    kept.into_iter().collect()
}

fn spell_out(c: char, out: &mut String) {
    let code = u32::from(c);
    let _infallible = if c.is_ascii() { write!(out, "\\x{code:02x}") } else { write!(out, "\\u{{{code:x}}}") };
}

/// Whether a character is not plainly visible: what no door passes on (see [`text`]), TAB, and what could make two
/// names look the same.
pub fn is_hidden(c: char) -> bool {
    text::class(c) != Class::Plain || is_deceptive(c)
}

/// Characters that a door passes on although they are invisible or look empty. Joiners and the first variation
/// selectors (up to U+FE0F) are not among them, because emoji and some scripts need them.
fn is_deceptive(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' // soft hyphen
        | '\u{34f}' | '\u{180e}' | '\u{2065}' // nothing at all
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' // looks empty
        | '\u{e0100}'..='\u{e01ef}'
    ) // further variation selectors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(visible(text), expected);
    }

    #[test]
    fn what_is_made_visible() {
        check("grüße 👋 مرحبا", "grüße 👋 مرحبا");
        check("👩\u{200d}💻", "👩\u{200d}💻");
        check("a\u{1b}[2Jb\u{7}", "a\\x1b[2Jb\\x07");
        check("a\tb\r\n", "a b\\x0d\\x0a");
        check("\u{9b}31m", "\\u{9b}31m");
        check("x\u{202e}y\u{2066}", "x\\u{202e}y\\u{2066}");
        check("al\u{200b}ice\u{feff}", "al\\u{200b}ice\\u{feff}");
        check("🏴\u{e0067}\u{e0062}\u{e007f}", "🏴\u{e0067}\u{e0062}\u{e007f}");
        check("x\u{e0067}", "x\\u{e0067}");
    }

    #[test]
    fn what_is_harmless() {
        for (text, most, expected) in [
            ("a\u{1b}]0;x\u{7}b\tc", 20, "a]0;xb c"),
            ("grüße 👩\u{200d}💻", 20, "grüße 👩\u{200d}💻"),
            ("al\u{200b}ice\u{9c}\u{202e}", 5, "alice"),
            ("alice2", 5, "alic…"),
            ("x", 0, ""),
            ("\r\n", 5, ""),
        ] {
            assert_eq!(harmless(text, most), expected);
        }
    }

    #[test]
    fn what_looks_empty_does_not_stay_so() {
        let empty = "\u{34f}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180e}\u{2800}\u{3164}\u{ffa0}\u{e0100}\u{e01ef}";
        for c in empty.chars() {
            check(&format!("al{c}ice"), &format!("al\\u{{{:x}}}ice", u32::from(c)));
        }
        check("❤\u{fe0f}", "❤\u{fe0f}");
    }

    #[test]
    fn no_control_character_gets_through() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let text = c.to_string();
            let seen = visible(&text);
            assert!(!seen.chars().any(|c| c.is_control() || is_hidden(c)), "{c:?}");
            assert!(!harmless(&text, 9).chars().any(|c| c.is_control() || is_hidden(c)), "{c:?}");
        }
    }
}
