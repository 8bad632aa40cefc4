//! Messages, and what becomes of them.

use std::fmt::{self, Display, Write as _};

use crate::door::decoded::Kind;
use crate::door::line::spell::{encode_spaced, encode_text};
use crate::door::wire::Wire;
use crate::hub::event::Message;
use crate::hub::names::{UserName, Who};

/// `D kind [id] [room] from text`, with the id in typed lines and the room in messages of rooms. This is the hot path of
/// a message, so it copies texts without the machinery of `write!`.
pub(super) fn encode(
    kind: Kind,
    what: &str,
    room: Option<&dyn Display>,
    message: &Message,
    out: &mut Wire<'_>,
) -> fmt::Result {
    let Message { id, from, text, .. } = message;
    out.write_str("D ")?;
    out.write_str(what)?;
    out.write_str(" ")?;
    if kind == Kind::Typed {
        write!(out, "{id} ")?;
    }
    if let Some(room) = room {
        write!(out, "{room} ")?;
    }
    match from {
        Who::Account(name) => out.write_str(name.as_str())?,
        Who::Guest(_) => write!(out, "{from}")?,
    }
    out.write_str(" ")?;
    if kind == Kind::Typed {
        out.write_str(text)?;
    } else {
        encode_spaced(text, out)?;
    }
    out.write_str("\n")
}

/// `D TO [id] name text`: a direct message of one's own.
pub(super) fn encode_own(kind: Kind, to: &Who, id: u64, text: &str, out: &mut Wire<'_>) -> fmt::Result {
    match kind {
        Kind::Bare => write!(out, "D TO {to} ")?,
        Kind::Typed | Kind::Web | Kind::RelayLf | Kind::RelayCrLf | Kind::Irc(_) => write!(out, "D TO {id} {to} ")?,
    }
    encode_text(kind, text, out)?;
    out.write_str("\n")
}

/// `C 250 sent to N`
pub(super) fn encode_sent(hearers: usize, is_dropped: bool, out: &mut Wire<'_>) -> fmt::Result {
    writeln!(out, "C 250 sent to {hearers}{}", kept(is_dropped))
}

/// `C 250 sent to name`, and why that account is away.
pub(super) fn encode_sent_to(
    kind: Kind,
    name: &Who,
    away: Option<&str>,
    is_dropped: bool,
    out: &mut Wire<'_>,
) -> fmt::Result {
    write!(out, "C 250 sent to {name}")?;
    if let Some(text) = away {
        out.write_str(" (away: ")?;
        encode_text(kind, text, out)?;
        out.write_str(")")?;
    }
    writeln!(out, "{}", kept(is_dropped))
}

/// What a 250 says of a message that was not kept, because the store has no room for it.
fn kept(is_dropped: bool) -> &'static str {
    if is_dropped { ", not kept" } else { "" }
}

/// `C 450`: so many direct messages wait for this account that no more are kept.
pub(super) fn encode_too_many_waiting(name: &UserName, out: &mut Wire<'_>) -> fmt::Result {
    writeln!(out, "C 450 too many messages wait for {name}, try again when {name} has been here")
}

/// `C 100 text`: what the operator says to everybody.
pub(super) fn encode_announced(kind: Kind, text: &str, out: &mut Wire<'_>) -> fmt::Result {
    out.write_str("C 100 ")?;
    encode_text(kind, text, out)?;
    out.write_str("\n")
}
