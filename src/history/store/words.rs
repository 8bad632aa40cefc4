//! The words of a text, for rows and for queries: one function, so that a query finds what a row has.
//!
//! A text is brought to one form: compatibility decomposition, full case folding, no diacritics on Latin letters,
//! composition (NFKC). A **word** is a run of letters, digits and marks in it. Scripts without spaces between words (Han,
//! Hiragana, Katakana, Thai, Lao, Khmer, Myanmar) have overlapping pairs of characters instead, and the last character
//! of a run alone too: `上海市` has `上海`, `海市` and `市`. So a part of a run is found by its pairs, and a character as the
//! beginning of a word. Emoji are no words.
//!
//! Words have no ASCII but lower-case letters and digits, so they cannot be confused with the syntax of a query.

use std::collections::BTreeSet;

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_script::{Script, UnicodeScript as _};

/// The version of the function from texts to words. Tables with words of another version are not searched.
pub(in crate::history) const VERSION: u32 = 1;

/// Characters of a word that count. Longer words are cut, in rows and in queries.
const WORD_CHARS: usize = 64;
/// Combining marks in a row that count. Without this bound, their order would take more than linear time.
const MARKS: usize = 30;

/// A word of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::history) struct Wanted {
    /// The word.
    pub(in crate::history) word: String,
    /// Whether words that begin with it are wanted too.
    pub(in crate::history) is_prefix: bool,
}

/// The words of a row, separated by spaces.
pub(in crate::history) fn of_row(text: &str) -> String {
    let text = form(text);
    let mut all = String::with_capacity(text.len() * 2);
    let mut add = |word: &str| {
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(word);
    };
    for piece in pieces(&text) {
        match piece {
            Piece::Word(word) => add(cut(word)),
            Piece::Run(run) => {
                pairs(run).for_each(&mut add);
                add(last_char(run));
            }
        }
    }
    all
}

/// The words that a row must have to be found by this text; none if the text has no words. `is_prefix`: the last one may
/// be the beginning of a word of the row.
pub(in crate::history) fn of_query(text: &str, is_prefix: bool) -> Vec<Wanted> {
    let text = form(text);
    let mut all: Vec<Wanted> = Vec::new();
    let mut is_run = false;
    for piece in pieces(&text) {
        match piece {
            Piece::Word(word) => all.push(Wanted { word: cut(word).to_owned(), is_prefix: false }),
            // Every character of a run in a row begins a word.
            Piece::Run(run) if pairs(run).next().is_none() => {
                all.push(Wanted { word: run.to_owned(), is_prefix: true });
            }
            Piece::Run(run) => all.extend(pairs(run).map(|pair| Wanted { word: pair.to_owned(), is_prefix: false })),
        }
        is_run = matches!(piece, Piece::Run(_));
    }
    if let (Some(last), true, false) = (all.last_mut(), is_prefix, is_run) {
        last.is_prefix = true;
    }
    all
}

/// Whether a row has all these words.
pub(in crate::history) fn has_all(row: &str, wanted: &[Wanted]) -> bool {
    let row = of_row(row);
    let words: BTreeSet<&str> = row.split(' ').collect();
    wanted.iter().all(|Wanted { word, is_prefix }| {
        let next = words.range(word.as_str()..).next();
        next.is_some_and(|next| if *is_prefix { next.starts_with(word.as_str()) } else { next == word })
    })
}

/// The words of a text one after the other, for [`has_exactly`]. Each character of a script without spaces is a word
/// here.
pub(in crate::history) fn spelled(text: &str) -> String {
    let text = form(text);
    let mut all = String::with_capacity(text.len() + 2);
    all.push(' ');
    for piece in pieces(&text) {
        match piece {
            Piece::Word(word) => {
                all.push_str(word);
                all.push(' ');
            }
            Piece::Run(run) => run.chars().for_each(|c| all.extend([c, ' '])),
        }
    }
    all
}

/// Whether the words of a row follow each other as they do in a phrase. Both are [`spelled`].
pub(in crate::history) fn has_exactly(row: &str, phrase: &str) -> bool {
    row.contains(phrase)
}

/// A part of a text between characters that are in no word.
enum Piece<'a> {
    /// A word.
    Word(&'a str),
    /// Characters of scripts without spaces between words.
    Run(&'a str),
}

/// The form of a text in which words are compared.
fn form(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut marks = 0;
    let few_marks = text.chars().filter(|c| !is_ignored(*c)).filter(move |c| {
        marks = if canonical_combining_class(*c) == 0 { 0 } else { marks + 1 };
        marks <= MARKS
    });
    let mut bears_diacritics = false;
    let folded = few_marks.nfkd().filter(|c| !is_ignored(*c)).default_case_fold();
    let plain = folded.filter(move |c| {
        if is_combining_mark(*c) {
            return !bears_diacritics;
        }
        bears_diacritics = matches!(c.script(), Script::Latin | Script::Common);
        true
    });
    plain.nfkc().collect()
}

/// Whether a character has no meaning in a word: it joins or does not join others, chooses a glyph or a colour, or
/// encloses.
fn is_ignored(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2060}'..='\u{2064}' | '\u{20dd}'..='\u{20e0}' | '\u{20e2}'..='\u{20e4}' | '\u{488}' | '\u{489}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character begins a word. Some emoji (🅰) are letters to Unicode.
fn begins_word(c: char) -> bool {
    c.is_alphanumeric() && !is_combining_mark(c) && !matches!(c, '\u{1f000}'..='\u{1faff}')
}

/// Whether the words of a character's script have no spaces between them.
fn is_unspaced(c: char) -> bool {
    // The marks of length of both kana belong to no single script.
    c == 'ー'
        || !c.is_ascii()
            && matches!(
                c.script(),
                Script::Han
                    | Script::Hiragana
                    | Script::Katakana
                    | Script::Thai
                    | Script::Lao
                    | Script::Khmer
                    | Script::Myanmar
            )
}

/// The pieces of a text that has the [`form`].
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c| !begins_word(c));
        let is_run = is_unspaced(rest.chars().next()?);
        // A mark belongs to the character before it.
        let is_inside = |c: char| is_combining_mark(c) || begins_word(c) && is_unspaced(c) == is_run;
        let end = rest.find(|c| !is_inside(c)).unwrap_or(rest.len());
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        Some(if is_run { Piece::Run(piece) } else { Piece::Word(piece) })
    })
}

/// The overlapping pairs of characters of a run.
fn pairs(run: &str) -> impl Iterator<Item = &str> {
    let starts = run.char_indices().map(|(at, _)| at);
    let ends = run.char_indices().map(|(at, c)| at + c.len_utf8()).skip(1);
    starts.zip(ends).map(|(start, end)| run.get(start..end).unwrap_or_default())
}

/// The last character of a run.
fn last_char(run: &str) -> &str {
    let start = run.char_indices().next_back().map_or(0, |(at, _)| at);
    run.get(start..).unwrap_or_default()
}

/// The characters of a word that count.
fn cut(word: &str) -> &str {
    match word.char_indices().nth(WORD_CHARS) {
        Some((end, _)) => word.get(..end).unwrap_or_default(),
        None => word,
    }
}

#[cfg(test)]
mod tests;
