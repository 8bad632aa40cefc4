//! Characters that a terminal or a reader's eye would obey, made visible.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with everything that is hidden spelled out: `\x1b`, `\u{202e}`. A TAB becomes one space.
///
/// Also a text of the server is treated so: what it promises not to send, it may send.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c == '\t' {
            out.push(' ');
        } else if !is_hidden(c) {
            out.push(c);
        } else if c.is_ascii() {
            let _infallible = write!(out, "\\x{:02x}", u32::from(c));
        } else {
            let _infallible = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
    Cow::Owned(out)
}

/// Whether a character does something other than stand there: controls; line and paragraph separators; all that turns
/// the direction of writing; what is invisible and could make two names look the same. Joiners and the first variation
/// selectors (up to U+FE0F) stay, for emoji and some scripts are written with them.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' // C0, DEL, C1
        | '\u{ad}' // soft hyphen
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' // direction
        | '\u{34f}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{feff}' // nothing at all
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' // looks empty
        | '\u{2028}' | '\u{2029}'
        | '\u{fff9}'..='\u{fffb}' // interlinear annotation
        | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}') // tags, further variation selectors
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
        }
    }
}
