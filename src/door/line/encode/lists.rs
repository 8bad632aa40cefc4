//! Lists: a line for each entry, and a last one with their number.

use std::fmt::{self, Display, Write as _};

use crate::door::wire::Wire;
use crate::hub::event::{NameLine, Present, RoomLine, Seat};
use crate::hub::names::{UserName, Who};

/// Who is online.
pub(super) fn encode_online(names: &[Present], matching: usize, out: &mut Wire<'_>) -> fmt::Result {
    names.iter().try_for_each(|line| writeln!(out, "C 211-{}", line.who))?;
    encode_end(names.len(), matching, "online", "WHO", out)
}

/// The rooms.
pub(super) fn encode_rooms(rooms: &[RoomLine], matching: usize, out: &mut Wire<'_>) -> fmt::Result {
    for RoomLine { name, members, is_locked, .. } in rooms {
        let (plural, lock) = (if *members == 1 { "" } else { "s" }, if *is_locked { ", password" } else { "" });
        writeln!(out, "C 211-{name} {members} member{plural}{lock}")?;
    }
    encode_end(rooms.len(), matching, if matching == 1 { "room" } else { "rooms" }, "ROOMS", out)
}

/// The members of a room.
pub(super) fn encode_names(room: &dyn Display, names: &[NameLine], matching: usize, out: &mut Wire<'_>) -> fmt::Result {
    for NameLine { who, seat, .. } in names {
        let seat = match seat {
            Seat::Host => " host",
            Seat::Member => "",
            Seat::Absent => " absent",
        };
        writeln!(out, "C 211-{who}{seat}")?;
    }
    // Member accounts that are not there count only towards a list that is not complete.
    let absent = names.iter().filter(|line| line.seat == Seat::Absent).count();
    let (shown, matching) = if names.len() < matching { (names.len(), matching) } else { (names.len() - absent, 0) };
    encode_end(shown, matching, format_args!("in {room}"), format_args!("NAMES {room}"), out)
}

/// The names that a session watches. They are few, so all are shown.
pub(super) fn encode_watches(names: &[Who], out: &mut Wire<'_>) -> fmt::Result {
    encode_users(names, out)?;
    writeln!(out, "C 211 {} watched", names.len())
}

/// Whom an account ignores; `~` are all guests, who count as one.
pub(super) fn encode_ignores(names: &[UserName], guests: bool, out: &mut Wire<'_>) -> fmt::Result {
    encode_users(names, out)?;
    if guests {
        writeln!(out, "C 211-~")?;
    }
    writeln!(out, "C 211 {} ignored", names.len() + usize::from(guests))
}

fn encode_users(names: &[impl Display], out: &mut Wire<'_>) -> fmt::Result {
    names.iter().try_for_each(|name| writeln!(out, "C 211-{name}"))
}

/// The last line of a list: the number of entries, and how to narrow a list that is not complete.
fn encode_end(
    shown: usize,
    matching: usize,
    what: impl Display,
    operation: impl Display,
    out: &mut Wire<'_>,
) -> fmt::Result {
    if shown < matching {
        writeln!(out, "C 211 {shown} of {matching} {what}; {operation} prefix narrows it")
    } else {
        writeln!(out, "C 211 {shown} {what}")
    }
}
