//! Texts and names in lines.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use crate::door::decoded::Kind;
use crate::door::wire::Wire;
use crate::text;

/// A text in the spelling `kind`.
pub(super) fn encode_text(kind: Kind, text: &str, out: &mut Wire<'_>) -> fmt::Result {
    match kind {
        Kind::Bare => encode_spaced(text, out),
        Kind::Typed | Kind::Web | Kind::RelayLf | Kind::RelayCrLf | Kind::Irc(_) => out.write_str(text),
    }
}

/// A text for people. A TAB becomes one space: a terminal stops a TAB at its right margin, and the text after it could
/// begin a line that looks like the server's.
pub(super) fn encode_spaced(text: &str, out: &mut Wire<'_>) -> fmt::Result {
    let mut parts = text.split('\t');
    out.write_str(parts.next().unwrap_or_default())?;
    parts.try_for_each(|part| {
        out.write_str(" ")?;
        out.write_str(part)
    })
}

/// A text from a file, without what no line may contain.
pub(super) fn salvaged(text: &str) -> Cow<'_, str> {
    text::salvage(text.as_bytes())
}

/// A name or a place from a file, which is one word.
pub(super) fn salvaged_word(text: &str) -> Cow<'_, str> {
    let shown = salvaged(text);
    if shown.contains([' ', '\t']) { Cow::Owned(shown.replace([' ', '\t'], "")) } else { shown }
}
