//! Decodes searches: words, and filters between them.

use unicode_normalization::UnicodeNormalization as _;

use super::place::place;

use crate::door::decoded::Decoded;
use crate::door::recall::{PlaceName, Recall, When};
use crate::door::reply::Reply;
use crate::history::Term;
use crate::hub::names::Who;
use crate::limits::SEARCH_TERMS;
use crate::text;

/// The least characters of a beginning of a word. Fewer would find nearly everything.
const PREFIX_CHARS: usize = 2;

/// What is searched for, as far as it is decoded.
#[derive(Default)]
struct Search {
    terms: Vec<Term>,
    place: Option<Result<PlaceName, Reply>>,
    from: Option<Result<Who, Reply>>,
    before: Option<When>,
    after: Option<When>,
}

/// `SEARCH words [in:PLACE] [from:NAME] [before:WHEN] [after:WHEN]`, in any order. `None` if it is something else.
pub(super) fn on_search(argument: &str) -> Option<Decoded<'_>> {
    let mut search = Search::default();
    let mut rest = argument;
    while !rest.is_empty() {
        rest = text::without_lead(rest);
        rest = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (exact, after) = quoted.split_once('"')?;
                search.on_exact(exact);
                after
            }
            None => {
                let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
                search.on_word(word)?;
                after
            }
        };
    }
    search.decoded()
}

impl Search {
    fn on_exact(&mut self, exact: &str) {
        let exact = text::without_taken_out(exact);
        if !exact.trim_matches([' ', '\t']).is_empty() {
            self.terms.push(Term::Exact(exact.into()));
        }
    }

    fn on_word(&mut self, word: &str) -> Option<()> {
        if let Some((filter, value)) = word.split_once(':') {
            let is = |name: &str| filter.eq_ignore_ascii_case(name);
            if is("in") {
                return set(&mut self.place, in_value(value).map(place));
            } else if is("from") {
                return set(&mut self.from, in_value(value).map(|name| Who::parse(name).ok_or(Reply::NoSuchUser)));
            } else if is("before") {
                return set(&mut self.before, When::parse(value));
            } else if is("after") {
                return set(&mut self.after, When::parse(value));
            }
        }
        let word = text::without_taken_out(word);
        if let Some(start) = word.strip_suffix('*') {
            let start = start.trim_end_matches('*');
            let chars = start.nfc().filter(|c| c.is_alphanumeric()).take(PREFIX_CHARS).count();
            (chars == PREFIX_CHARS).then(|| self.terms.push(Term::Prefix(start.into())))
        } else {
            if !word.is_empty() {
                self.terms.push(Term::Word(word.into()));
            }
            Some(())
        }
    }

    fn decoded(self) -> Option<Decoded<'static>> {
        let Self { terms, place, from, before, after } = self;
        if terms.is_empty() || terms.len() > SEARCH_TERMS {
            return None;
        }
        Some(match (place.transpose(), from.transpose()) {
            (Ok(place), Ok(from)) => Decoded::Recall(Recall::Find { terms, place, from, before, after }),
            (Err(refusal), _) | (_, Err(refusal)) => Decoded::Reply(refusal),
        })
    }
}

/// The value of a filter, which is not empty.
fn in_value(value: &str) -> Option<&str> {
    (!value.is_empty()).then_some(value)
}

/// Sets a filter; `None` if it has no value, or is set already.
fn set<T>(filter: &mut Option<T>, value: Option<T>) -> Option<()> {
    if filter.is_some() {
        return None;
    }
    *filter = Some(value?);
    Some(())
}
