//! What happens in rooms.

use std::fmt::{self, Write as _};

use crate::door::decoded::Kind;
use crate::door::line::spell::{encode_text, salvaged, salvaged_word};
use crate::door::wire::Wire;
use crate::hub::event::{Closing, Leaving};
use crate::hub::names::{RoomName, UserName, Who};
use crate::hub::record::Topic;

/// `C 104`: a member has gone.
pub(super) fn encode_gone(room: &RoomName, who: &Who, why: &Leaving, out: &mut Wire<'_>) -> fmt::Result {
    let how = match why {
        Leaving::Left | Leaving::Offline => "",
        Leaving::Kicked { .. } => ": kicked",
    };
    writeln!(out, "C 104 {room} {who} left{how}")
}

/// `C 106`: the room is closed.
pub(super) fn encode_closed(room: &RoomName, why: &Closing, out: &mut Wire<'_>) -> fmt::Result {
    match why {
        Closing::ByHost => writeln!(out, "C 106 {room} closed: by its host"),
        Closing::HostLeft => writeln!(out, "C 106 {room} closed: its host has left"),
        Closing::ByOperator(reason) => {
            let colon = if reason.is_empty() { "" } else { ": " };
            writeln!(out, "C 106 {room} closed: by the operator{colon}{reason}")
        }
    }
}

/// `C 554`: the owner of a kept room is its host.
pub(super) fn encode_owner(owner: Option<&UserName>, out: &mut Wire<'_>) -> fmt::Result {
    match owner {
        Some(owner) => writeln!(out, "C 554 the owner is {owner}"),
        None => writeln!(out, "C 554 the room has no owner at the moment"),
    }
}

/// `C 200 name is invited to room`, and why that user is away.
pub(super) fn encode_invited(
    kind: Kind,
    room: &RoomName,
    name: &Who,
    away: Option<&str>,
    out: &mut Wire<'_>,
) -> fmt::Result {
    write!(out, "C 200 {name} is invited to {room}")?;
    if let Some(text) = away {
        out.write_str(" (away: ")?;
        encode_text(kind, text, out)?;
        out.write_str(")")?;
    }
    out.write_str("\n")
}

/// `C 112`: the room is kept, or no longer.
pub(super) fn encode_kept(room: &RoomName, days: Option<u32>, out: &mut Wire<'_>) -> fmt::Result {
    match days {
        Some(days) => writeln!(out, "C 112 {room} kept {days}"),
        None => writeln!(out, "C 112 {room} not kept"),
    }
}

/// `C 200`: the topic, as the answer to a question.
pub(super) fn encode_shown_topic(
    kind: Kind,
    room: &RoomName,
    topic: Option<&Topic>,
    out: &mut Wire<'_>,
) -> fmt::Result {
    match topic {
        Some(Topic { by, text, .. }) => encode_topic(kind, "200", room, by, text, out),
        None => writeln!(out, "C 200 {room} has no topic"),
    }
}

/// `C code room by NAME: TEXT`. The topic may come from a file, so what no line may contain is left out.
pub(super) fn encode_topic(
    kind: Kind,
    code: &str,
    room: &RoomName,
    by: &str,
    text: &str,
    out: &mut Wire<'_>,
) -> fmt::Result {
    write!(out, "C {code} {room} by {}:", salvaged_word(by))?;
    if !text.is_empty() {
        out.write_str(" ")?;
        encode_text(kind, &salvaged(text), out)?;
    }
    out.write_str("\n")
}

/// `C 554`: the account of the session, or the named one, owns as many kept rooms as it may.
pub(super) fn encode_owns_too_many(name: Option<&UserName>, most: usize, out: &mut Wire<'_>) -> fmt::Result {
    match name {
        None => writeln!(out, "C 554 you own {most} kept rooms already; KEEP room off ends one"),
        Some(name) => writeln!(out, "C 554 {name} owns {most} kept rooms already"),
    }
}

/// `C 554`: the account is a member of as many kept rooms as it may.
pub(super) fn encode_member_of_too_many(most: u32, out: &mut Wire<'_>) -> fmt::Result {
    writeln!(out, "C 554 you are a member of {most} kept rooms already; LEAVE one first")
}
