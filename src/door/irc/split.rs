//! Long texts as several lines.

/// The parts of a text, each of at most `most` bytes, which is at least 4. A part ends behind a space if it can, else at
/// the end of a character. Together they are the text. An empty text has one part.
pub(super) fn parts(text: &str, most: usize) -> Parts<'_> {
    Parts { rest: Some(text), most }
}

/// See [`parts`].
#[derive(Clone, Debug)]
pub(super) struct Parts<'a> {
    rest: Option<&'a str>,
    most: usize,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest.take()?;
        if rest.len() <= self.most {
            return Some(rest);
        }
        let most = fitting(rest, self.most);
        let end = most.rfind(' ').map_or(most.len(), |space| space + 1);
        let (part, rest) = rest.split_at_checked(end)?;
        self.rest = Some(rest);
        Some(part)
    }
}

/// The longest beginning of a text that has at most `most` bytes.
pub(super) fn fitting(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, most: usize, expected: &[&str]) {
        assert_eq!(parts(text, most).collect::<Vec<_>>(), expected, "{text:?}");
    }

    #[test]
    fn at_spaces_and_characters() {
        check("", 8, &[""]);
        check("12345678", 8, &["12345678"]);
        check("123456789", 8, &["12345678", "9"]);
        check("one two three", 8, &["one two ", "three"]);
        check("one twothreefour", 8, &["one ", "twothree", "four"]);
        check("12345678 9", 8, &["12345678", " 9"]);
        check("grüße grüße", 8, &["grüße ", "grüße"]);
        check("👋👋👋", 7, &["👋", "👋", "👋"]);
        check("123456789 12345678 ", 8, &["12345678", "9 ", "12345678", " "]);
        check("          ", 4, &["    ", "    ", "  "]);
    }

    #[test]
    fn beginnings() {
        assert_eq!(fitting("grüße", 3), "gr");
        assert_eq!(fitting("grüße", 4), "grü");
        assert_eq!(fitting("abc", 9), "abc");
    }

    proptest! {
        #[test]
        fn parts_are_the_text(text in "[ a-c\u{e9}\u{1f44b}]{0,300}", most in 4..40usize) {
            let found: Vec<&str> = parts(&text, most).collect();
            prop_assert_eq!(found.concat(), text.clone());
            prop_assert!(found.iter().all(|part| part.len() <= most));
            prop_assert!(text.is_empty() || found.iter().all(|part| !part.is_empty()));
        }
    }
}
