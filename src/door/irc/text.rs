//! Texts: what IRC clients write, and what they are shown.

use std::borrow::Cow;

use crate::text::{self, Checked};

/// The byte around a message of CTCP.
const CTCP: char = '\u{1}';
/// The CTCP message that says what somebody does.
const ACTION: &str = "ACTION";
/// What begins a text that says what somebody does, in chatd.
const ME: &str = "/me";

/// Why a text is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nothing of it is left.
    Empty,
    /// It is a message of CTCP other than ACTION.
    Ctcp,
    /// It contains what no line may contain.
    Forbidden,
}

/// A text of a message as chatd passes it on: without formatting and invisible characters, and ACTION as `/me`.
///
/// # Errors
/// Why it is not passed on.
pub(super) fn said(text: &str) -> Result<Cow<'_, str>, Refusal> {
    let Some(message) = text.strip_prefix(CTCP) else { return plain(text) };
    let message = message.strip_suffix(CTCP).unwrap_or(message);
    let (word, deed) = message.split_once(' ').unwrap_or((message, ""));
    if !word.eq_ignore_ascii_case(ACTION) {
        return Err(Refusal::Ctcp);
    }
    match plain(deed) {
        Ok(deed) => Ok(Cow::Owned(format!("{ME} {deed}"))),
        Err(Refusal::Empty) => Ok(Cow::Borrowed(ME)),
        Err(refusal) => Err(refusal),
    }
}

/// A text that is no message, such as a topic or a reason, without formatting and invisible characters.
///
/// # Errors
/// [`Refusal::Empty`] also for spaces alone, [`Refusal::Forbidden`].
pub(super) fn plain(text: &str) -> Result<Cow<'_, str>, Refusal> {
    let text = unformatted(text);
    let Checked { is_clean, .. } = text::check(text.as_bytes()).ok_or(Refusal::Forbidden)?;
    let text = if is_clean { text } else { Cow::Owned(text::without_taken_out(&text).into_owned()) };
    if text.trim_matches([' ', '\t']).is_empty() { Err(Refusal::Empty) } else { Ok(text) }
}

/// What somebody does, if a text of chatd says that.
pub(super) fn deed(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(ME)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix(' ') }
}

/// What stands before the text of an ACTION.
pub(super) const DEED_BEGINS: &str = "\u{1}ACTION ";
/// What stands behind it.
pub(super) const DEED_ENDS: &str = "\u{1}";

/// A text without bold, italics, colours and the like, and without the numbers of the colours.
fn unformatted(text: &str) -> Cow<'_, str> {
    if !text.contains(is_formatting) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_formatting) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        rest = match from.as_bytes().first() {
            Some(&COLOUR) => after_colours(from, 1, 2, |byte| byte.is_ascii_digit()),
            Some(&HEX_COLOUR) => after_colours(from, 6, 6, |byte| byte.is_ascii_hexdigit()),
            _ => from.get(1..).unwrap_or_default(),
        };
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

const COLOUR: u8 = 0x03;
const HEX_COLOUR: u8 = 0x04;

/// Bold, colour, hexadecimal colour, reset, monospace, reverse, italics, strikethrough, underline.
fn is_formatting(c: char) -> bool {
    matches!(c, '\x02' | '\x03' | '\x04' | '\x0f' | '\x11' | '\x16' | '\x1d' | '\x1e' | '\x1f')
}

/// What follows a colour code with its number, or with two numbers and a comma between them.
fn after_colours(from: &str, least: usize, most: usize, is_digit: impl Fn(&u8) -> bool) -> &str {
    let number = |text: &str| {
        let count = text.bytes().take(most).take_while(|byte| is_digit(byte)).count();
        if count >= least { count } else { 0 }
    };
    let rest = from.get(1..).unwrap_or_default();
    let first = number(rest);
    let rest = rest.get(first..).unwrap_or_default();
    let second = rest.strip_prefix(',').map_or(0, number);
    if first == 0 || second == 0 { rest } else { rest.get(1 + second..).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, Refusal>) {
        let expected = expected.map(Cow::Borrowed);
        assert_eq!(said(text), expected, "{text:?}");
    }

    #[test]
    fn formatting_is_taken_out() {
        check("plain", Ok("plain"));
        check("\x02bold\x02 \x1ditalic\x0f \x1f\x1e\x11\x16x", Ok("bold italic x"));
        check("\x0304red\x03 \x034,12on\x03", Ok("red on"));
        check("\x03123", Ok("3"));
        check("\x03,5", Ok(",5"));
        check("\x031,x", Ok(",x"));
        check("\x04ff0000red\x04", Ok("red"));
        check("\x04ff0000,00ff00red", Ok("red"));
        check("\x04ff00red", Ok("ff00red"));
        check("\x02\x02", Err(Refusal::Empty));
        check("\u{200b}", Err(Refusal::Empty));
        check(" ", Err(Refusal::Empty));
        check("", Err(Refusal::Empty));
    }

    #[test]
    fn deeds() {
        check("\u{1}ACTION waves\u{1}", Ok("/me waves"));
        check("\u{1}action waves", Ok("/me waves"));
        check("\u{1}ACTION\u{1}", Ok("/me"));
        check("\u{1}ACTION \x02\u{1}", Ok("/me"));
        check("/me waves", Ok("/me waves"));
        for (text, expected) in [("/me waves", Some("waves")), ("/me", Some("")), ("/men", None), ("me", None)] {
            assert_eq!(deed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_refused() {
        check("\u{1}VERSION\u{1}", Err(Refusal::Ctcp));
        check("\u{1}\u{1}", Err(Refusal::Ctcp));
        check("\u{1}DCC SEND x 1 2", Err(Refusal::Ctcp));
        check("a\u{1}b", Err(Refusal::Forbidden));
        check("\u{1}ACTION a\u{1}b\u{1}", Err(Refusal::Forbidden));
        check("\x02\u{1}ACTION x\u{1}", Err(Refusal::Forbidden));
        check("\u{1b}[31m", Err(Refusal::Forbidden));
        check("\u{202e}x", Err(Refusal::Forbidden));
        check("\u{85}", Err(Refusal::Forbidden));
    }

    proptest! {
        #[test]
        fn what_is_said_is_clean(text in "[\u{1}-\u{1f}0-9a-f, ACTION\u{7f}-\u{9f}\u{200b}\u{202e}]{0,40}") {
            if let Ok(said) = said(&text) {
                prop_assert!(text::check(said.as_bytes()).is_some_and(|checked| checked.is_clean), "{said:?}");
            }
        }
    }
}
