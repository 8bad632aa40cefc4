//! Who is there, and who is away.

use std::fmt::{self, Write as _};

use crate::door::decoded::Kind;
use crate::door::line::spell::encode_text;
use crate::door::wire::Wire;
use crate::hub::event::{Change, Whereabouts};
use crate::hub::names::Who;

/// `C 230`: the session has logged in.
pub(super) fn encode_welcome(name: &Who, online: usize, out: &mut Wire<'_>) -> fmt::Result {
    writeln!(out, "C 230 welcome {name}; {online} online; HELP lists what you can do")
}

/// `C 200 you are away: TEXT`, or `you are back`
pub(super) fn encode_away(kind: Kind, text: Option<&str>, out: &mut Wire<'_>) -> fmt::Result {
    match text {
        Some(text) => encode_ended("C 200 you are away: ", kind, text, out),
        None => writeln!(out, "C 200 you are back"),
    }
}

/// `C 101 name online|offline|away TEXT|back`, for those who watch the name.
pub(super) fn encode_presence(kind: Kind, name: &Who, change: &Change, out: &mut Wire<'_>) -> fmt::Result {
    write!(out, "C 101 {name} ")?;
    match change {
        Change::Online => writeln!(out, "online"),
        Change::Offline => writeln!(out, "offline"),
        Change::Away(text) => encode_ended("away ", kind, text, out),
        Change::Back => writeln!(out, "back"),
    }
}

/// `C 200 name is online|is away: TEXT|is offline`: the name is watched from now on.
pub(super) fn encode_watched(kind: Kind, name: &Who, presence: &Whereabouts, out: &mut Wire<'_>) -> fmt::Result {
    write!(out, "C 200 {name} is ")?;
    match presence {
        Whereabouts::Online => writeln!(out, "online"),
        Whereabouts::Away(text) => encode_ended("away: ", kind, text, out),
        Whereabouts::Offline => writeln!(out, "offline"),
    }
}

/// `C 550`: this guest gets no direct messages.
pub(super) fn encode_hears_one_room(name: &Who, out: &mut Wire<'_>) -> fmt::Result {
    writeln!(out, "C 550 {name} is a guest of one room, and hears that room only: RM room text")
}

/// The end of a line with a text.
fn encode_ended(lead: &str, kind: Kind, text: &str, out: &mut Wire<'_>) -> fmt::Result {
    out.write_str(lead)?;
    encode_text(kind, text, out)?;
    out.write_str("\n")
}
