//! The names that speakers put before what they say: `pseudo : text` or `pseudo > text`.

use std::borrow::Cow;

use crate::hub::names::GuestName;

/// The name before a text, as it was sent and as a guest's name, and the text; `None` if the text begins with no name that
/// a guest may have.
pub(super) fn introduced(message: &str) -> Option<(&str, GuestName, &str)> {
    let (name, said) = message.split_once(' ')?;
    Some((name, GuestName::parse(name).ok()?, without_mark(said)?))
}

/// The text after this name; `None` if the message does not begin with it.
pub(super) fn without_prefix<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    without_mark(message.strip_prefix(name)?.strip_prefix(' ')?)
}

/// The text after `: ` or `> `. The mark alone has an empty text.
fn without_mark(said: &str) -> Option<&str> {
    let said = said.strip_prefix([':', '>'])?;
    if said.is_empty() { Some(said) } else { said.strip_prefix(' ') }
}

/// `text` from `at` on.
pub(super) fn after<'a>(text: &Cow<'a, str>, at: usize) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(at..).unwrap_or_default()),
        Cow::Owned(text) => Cow::Owned(text.get(at..).unwrap_or_default().to_owned()),
    }
}
