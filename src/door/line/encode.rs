//! Encodes events as lines of text.

use std::fmt::{self, Display, Write as _};

use crate::close::CloseReason;
use crate::door::decoded::Kind;
use crate::door::reply::Reply;
use crate::door::wire::Wire;
use crate::hub::event::{Closing, Event, Message, RoomLine, Seat};
use crate::hub::names::{UserName, Who};

/// Appends an event to `out` as whole lines, in the spelling `kind`.
pub fn encode(kind: Kind, event: &Event, out: &mut Vec<u8>) {
    let mut wire = Wire(out);
    let result = match event {
        Event::Said(message) => encode_message(kind, "PM", None, message, &mut wire),
        Event::Told(message) => encode_message(kind, "DM", None, message, &mut wire),
        Event::SaidIn { room, message } => encode_message(kind, "RM", Some(room), message, &mut wire),
        Event::Welcome { name, online } => {
            writeln!(wire, "C 230 welcome {name}; {online} online; HELP lists what you can do")
        }
        Event::SessionsFull { sessions } => {
            return Reply::Closing(CloseReason::LoggedInAlready(*sessions)).encode(out);
        }
        Event::Sent { hearers, .. } => writeln!(wire, "C 250 sent to {hearers}"),
        Event::SentTo { name, .. } => writeln!(wire, "C 250 sent to {name}"),
        Event::OwnTold { .. }
        | Event::Awaited { .. }
        | Event::KeptFor { .. }
        | Event::NotKept
        | Event::TooManyWaiting { .. }
        | Event::Withdrawn { .. }
        | Event::RoomKept { .. }
        | Event::TopicIs { .. }
        | Event::TopicShown { .. }
        | Event::TooManyDays { .. }
        | Event::OwnsTooMany { .. }
        | Event::MemberOfTooMany { .. }
        | Event::KeptFull => Ok(()),
        Event::NothingKept => writeln!(wire, "C 554 nothing is kept here"),
        Event::CanTell { .. } | Event::CanSayIn => return Reply::AskMessage.encode(out),
        Event::OnlyYou => writeln!(wire, "C 550 that is you, and you have no other session"),
        Event::NotOnline { name } => writeln!(wire, "C 550 {name} is not online"),
        Event::Online { names, matching } => encode_online(names, *matching, &mut wire),
        // The caller answers with `Reply::Entered`, because it holds the token.
        Event::Entered { .. } => Ok(()),
        Event::Done => return Reply::Done.encode(out),
        Event::RoomExists { room } => writeln!(wire, "C 553 {room} is there already; JOIN {room} enters it"),
        Event::NoSuchRoom => return Reply::NoSuchRoom.encode(out),
        Event::RoomNeedsPassword => writeln!(wire, "C 554 the room needs a password: JOIN room password"),
        Event::WrongRoomPassword { .. } => return Reply::WrongRoomPassword.encode(out),
        Event::RoomFull { room } => writeln!(wire, "C 554 {room} is full"),
        Event::TooManyRooms { most } => writeln!(wire, "C 554 you are in {most} rooms already; LEAVE one first"),
        Event::GuestNameTaken => writeln!(wire, "C 553 a guest of that name is there already"),
        Event::NotMember { room } => writeln!(wire, "C 550 you are not in {room}"),
        Event::NotHost { room } => writeln!(wire, "C 554 you are not the host of {room}"),
        Event::NotInRoom { name } => writeln!(wire, "C 550 {name} is not in that room"),
        Event::Rooms { rooms, matching } => encode_rooms(rooms, *matching, &mut wire),
        Event::Names { room, names, matching } => encode_names(room, names, *matching, &mut wire),
        Event::Arrived { room, who } => writeln!(wire, "C 103 {room} {who} entered"),
        Event::Gone { room, who, kicked: false } => writeln!(wire, "C 104 {room} {who} left"),
        Event::Gone { room, who, kicked: true } => writeln!(wire, "C 104 {room} {who} left: kicked"),
        Event::RoomClosed { room, why: Closing::ByHost } => writeln!(wire, "C 106 {room} closed: by its host"),
        Event::RoomClosed { room, why: Closing::HostLeft } => writeln!(wire, "C 106 {room} closed: its host has left"),
        Event::RoomClosed { room, why: Closing::ByOperator(reason) } => {
            let colon = if reason.is_empty() { "" } else { ": " };
            writeln!(wire, "C 106 {room} closed: by the operator{colon}{reason}")
        }
        Event::Announced { text } => encode_announced(kind, text, &mut wire),
        Event::HostIs { room, who } => writeln!(wire, "C 107 {room} {who} is host now"),
    };
    debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
}

/// `D kind [id] [room] from text`, with the id in typed lines and the room in messages of rooms. This is the hot path of
/// a message, so it copies texts without the machinery of `write!`.
fn encode_message(
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

/// A text for people. A TAB becomes one space: a terminal stops a TAB at its right margin, and the text after it could
/// begin a line that looks like the server's.
fn encode_spaced(text: &str, out: &mut Wire<'_>) -> fmt::Result {
    let mut parts = text.split('\t');
    out.write_str(parts.next().unwrap_or_default())?;
    parts.try_for_each(|part| {
        out.write_str(" ")?;
        out.write_str(part)
    })
}

fn encode_announced(kind: Kind, text: &str, out: &mut Wire<'_>) -> fmt::Result {
    out.write_str("C 100 ")?;
    match kind {
        Kind::Bare => encode_spaced(text, out)?,
        Kind::Typed | Kind::RelayLf | Kind::RelayCrLf => out.write_str(text)?,
    }
    out.write_str("\n")
}

fn encode_online(names: &[UserName], matching: usize, out: &mut Wire<'_>) -> fmt::Result {
    for name in names {
        writeln!(out, "C 211-{name}")?;
    }
    encode_list_end(names.len(), matching, "online", "WHO", out)
}

fn encode_rooms(rooms: &[RoomLine], matching: usize, out: &mut Wire<'_>) -> fmt::Result {
    for RoomLine { name, members, is_locked } in rooms {
        let (plural, lock) = (if *members == 1 { "" } else { "s" }, if *is_locked { ", password" } else { "" });
        writeln!(out, "C 211-{name} {members} member{plural}{lock}")?;
    }
    encode_list_end(rooms.len(), matching, if matching == 1 { "room" } else { "rooms" }, "ROOMS", out)
}

fn encode_names(room: &dyn Display, names: &[(Who, Seat)], matching: usize, out: &mut Wire<'_>) -> fmt::Result {
    for (name, seat) in names {
        let seat = match seat {
            Seat::Host => " host",
            Seat::Member => "",
            Seat::Absent => " absent",
        };
        writeln!(out, "C 211-{name}{seat}")?;
    }
    encode_list_end(names.len(), matching, format_args!("in {room}"), format_args!("NAMES {room}"), out)
}

/// The last line of a list: the number of entries, and how to narrow a list that is not complete.
fn encode_list_end(
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
