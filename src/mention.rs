//! The rule by which a text mentions an account: its name is a word of the text, in any case.
//!
//! A word is a run of letters, digits, `.`, `-` and `_`. Some of `.`, `-` and `_` at its ends may not belong to the name
//! (`ask bob.`). Letters of scripts without upper and lower case are no part of a word, because people write no
//! space between them and a name.

use std::ops::Range;

/// The signs that may stand in a name, and beside it.
const SIGNS: [char; 3] = ['.', '-', '_'];

/// Whether `text` mentions the account `name`.
pub fn is_in(text: &str, name: &str) -> bool {
    let core = cut(name);
    !core.is_empty() && whole_words(text).any(|word| cut(word).eq_ignore_ascii_case(core) && has(word, name))
}

/// Where `text` mentions the account `name`, in bytes of the text, from the first to the last. Nowhere, if
/// [`is_in`] says that it does not.
pub fn find(text: &str, name: &str) -> impl Iterator<Item = Range<usize>> {
    let core = cut(name);
    let signs_before = name.len() - name.trim_start_matches(SIGNS).len();
    let mut at = 0;
    text.split_inclusive(|c| !is_of_word(c)).filter_map(move |piece| {
        let word = piece.trim_end_matches(|c| !is_of_word(c));
        let is_it = !core.is_empty() && cut(word).eq_ignore_ascii_case(core) && has(word, name);
        let start = at + (word.len() - word.trim_start_matches(SIGNS).len());
        at += piece.len();
        is_it.then(|| start.saturating_sub(signs_before)..start.saturating_sub(signs_before) + name.len())
    })
}

/// The words of a text without `.`, `-` and `_` at their ends. An account is mentioned only if its name, also
/// [`cut`], is one of them in some case; [`is_in`] says whether it is.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    whole_words(text).map(cut).filter(|word| !word.is_empty())
}

/// A name or a word without `.`, `-` and `_` at its ends.
pub fn cut(word: &str) -> &str {
    word.trim_matches(SIGNS)
}

fn whole_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_of_word(c)).filter(|word| !word.is_empty())
}

fn is_of_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    }
    c.is_lowercase() || c.is_uppercase()
}

/// Whether a word, which has the core of `name` in it, also has the signs around the core.
fn has(word: &str, name: &str) -> bool {
    let signs = |text: &str| -> (String, String) {
        let start = text.trim_start_matches(SIGNS);
        let before = text.len() - start.len();
        let after = start.len() - start.trim_end_matches(SIGNS).len();
        let part = |range: Range<usize>| text.get(range).unwrap_or_default().to_owned();
        (part(0..before), part(text.len() - after..text.len()))
    };
    let ((before, after), (name_before, name_after)) = (signs(word), signs(name));
    before.ends_with(&name_before) && after.starts_with(&name_after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, name: &str, expected: bool) {
        assert_eq!(is_in(text, name), expected, "{name} in {text}");
        let found: Vec<&str> = find(text, name).map(|range| &text[range]).collect();
        assert_eq!(!found.is_empty(), expected, "{name} in {text}");
        assert!(found.iter().all(|found| found.eq_ignore_ascii_case(name)), "{name} in {text}: {found:?}");
        if expected {
            assert!(words(text).any(|word| word.eq_ignore_ascii_case(cut(name))), "{name} in {text}");
        }
    }

    #[test]
    fn a_name_is_a_word() {
        for text in [
            "bob",
            "BOB: look",
            "ask Bob.",
            "@bob",
            "(bob)",
            "bob's",
            "-bob-",
            "..bob_",
            "hey,bob,hey",
            "bob@work",
            "\"bob\"",
        ] {
            check(text, "bob", true);
            check(text, "bOb", true);
        }
        for text in
            ["", "bobby", "abob", "bo b", "b.o.b", "bob2", "bob.smith", "bob-o", "ébob", "bobß", "бbob", "bøb", "ｂob"]
        {
            check(text, "bob", false);
        }
    }

    #[test]
    fn signs_in_and_around_names() {
        check("see j.r-r_t. there", "J.R-R_T", true);
        check("j.r", "j.r-r_t", false);
        check("ask bob_ now", "bob_", true);
        check("ask bob_. now", "bob_", true);
        check("ask bob now", "bob_", false);
        check("ask bob. now", "bob_", false);
        check("ask bob_ now", "bob", true);
        check("...", "a", false);
    }

    #[test]
    fn each_mention_is_found() {
        let found = |text, name| find(text, name).collect::<Vec<_>>();
        assert_eq!(found("Bob, 你bob-bob bob. abob _bob_", "bob"), [0..3, 16..19, 27..30]);
        assert_eq!(found("..bob_. bob_", "bob_"), [2..6, 8..12]);
        assert_eq!(found("x..bob ..bob .bob", ".bob"), [8..12, 13..17]);
        assert_eq!(found("", "bob"), []);
    }

    #[test]
    fn scripts_without_case_end_a_word() {
        check("你好bob上海", "bob", true);
        check("👋bob👋", "bob", true);
        check("bobさん", "bob", true);
        check("สวัสดีbob", "bob", true);
    }

    #[test]
    fn nothing_confuses_the_rule() {
        for text in ["\u{301}bob", "bob\u{301}\u{301}", "\u{200d}bob", "bob\t", "\u{feff}bob"] {
            check(text, "bob", true);
        }
        for text in ["_".repeat(4096), "-.".repeat(2048), "b".repeat(4096), "é".repeat(2048)] {
            check(&text, "b", false);
            for at in text.char_indices().map(|(at, _)| at).step_by(97) {
                assert!(!is_in(&text[at..], "bob"));
            }
        }
    }
}
