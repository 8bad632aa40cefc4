//! The arguments of the commands about what was said.

use super::word;

/// What a command about the past asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look<'a> {
    /// Messages of a place, or of all places.
    History {
        /// The place: `*`, a room, `@name`; `None`: the current room, or all places.
        place: Option<&'a str>,
        /// The words after it: `before WHEN` or `after WHEN`, and a number.
        rest: &'a str,
    },
    /// The oldest unread messages.
    Missed,
    /// Messages with these words.
    Search(&'a str),
    /// How much is unread.
    Unread,
}

/// What is changed of a room that outlives its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping<'a> {
    /// It is kept, for so many days; or no longer, with `off`.
    Days(Option<&'a str>),
    /// It belongs to this member.
    To(&'a str),
}

/// The arguments of `/history`: `[PLACE] [before WHEN|after WHEN] [N]`. `None` if they are invalid.
pub(super) fn history(rest: &str) -> Option<Look<'_>> {
    let rest = rest.trim_matches(' ');
    let first = word(rest).0;
    let is_bound = |word: &str| word.eq_ignore_ascii_case("before") || word.eq_ignore_ascii_case("after");
    let is_place = !first.is_empty() && !is_bound(first) && !first.starts_with(|c: char| c.is_ascii_digit());
    let (place, rest) = if is_place { (Some(first), word(rest).1) } else { (None, rest) };
    let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
    let is_number = |word: &str| word.bytes().all(|b| b.is_ascii_digit());
    let is_valid = match words.as_slice() {
        [] => true,
        [count] => is_number(count),
        [bound, _] => is_bound(bound),
        [bound, _, count] => is_bound(bound) && is_number(count),
        _ => false,
    };
    is_valid.then_some(Look::History { place, rest })
}

/// The arguments of `/keep`: `[ROOM] [DAYS|off]` or `[ROOM] to NAME`; a room that could be something else has a `#` in
/// front. `None` if they are invalid.
pub(super) fn keep<'a>(arguments: &[&'a str]) -> Option<(Option<&'a str>, Keeping<'a>)> {
    let is_days = |word: &str| word.eq_ignore_ascii_case("off") || word.bytes().all(|b| b.is_ascii_digit());
    let is_to = |word: &str| word.eq_ignore_ascii_case("to");
    match arguments {
        [] => Some((None, Keeping::Days(None))),
        [days] if is_days(days) => Some((None, Keeping::Days(Some(days)))),
        [to] if is_to(to) => None,
        [room] => Some((Some(room), Keeping::Days(None))),
        [to, name] if is_to(to) => Some((None, Keeping::To(name))),
        [room, days] if is_days(days) => Some((Some(room), Keeping::Days(Some(days)))),
        [room, to, name] if is_to(to) => Some((Some(room), Keeping::To(name))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_bounds() {
        for (text, expected) in [
            ("", Some((None, ""))),
            ("20", Some((None, "20"))),
            ("lobby", Some((Some("lobby"), ""))),
            ("#5 20", Some((Some("#5"), "20"))),
            ("@bob before 3d", Some((Some("@bob"), "before 3d"))),
            ("after 2026-11-26 200", Some((None, "after 2026-11-26 200"))),
            (" *  AFTER  17  5 ", Some((Some("*"), "AFTER  17  5"))),
            ("lobby den", None),
            ("before", None),
            ("before 3d x", None),
            ("lobby 20 5", None),
            ("lobby before 3d 5 5", None),
        ] {
            let expected = expected.map(|(place, rest)| Look::History { place, rest });
            assert_eq!(history(text), expected, "{text}");
        }
    }

    #[test]
    fn keeping() {
        for (words, expected) in [
            ("", Some((None, Keeping::Days(None)))),
            ("7", Some((None, Keeping::Days(Some("7"))))),
            ("OFF", Some((None, Keeping::Days(Some("OFF"))))),
            ("lobby", Some((Some("lobby"), Keeping::Days(None)))),
            ("lobby 7", Some((Some("lobby"), Keeping::Days(Some("7"))))),
            ("#7 off", Some((Some("#7"), Keeping::Days(Some("off"))))),
            ("to bob", Some((None, Keeping::To("bob")))),
            ("lobby TO bob", Some((Some("lobby"), Keeping::To("bob")))),
            ("to", None),
            ("lobby x", None),
            ("lobby to", None),
            ("lobby to bob x", None),
        ] {
            let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
            assert_eq!(keep(&words), expected, "{words:?}");
        }
    }
}
