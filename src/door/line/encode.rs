//! Encodes events as lines of text.

use std::fmt::{self, Display, Write as _};

use super::spell::{encode_spaced, encode_text, salvaged, salvaged_word};
use crate::close::CloseReason;
use crate::door::decoded::Kind;
use crate::door::reply::{Days, Reply};
use crate::door::wire::Wire;
use crate::hub::event::{Closing, Event, Message, RoomLine, Seat};
use crate::hub::names::{RoomName, UserName, Who};
use crate::hub::record::Topic;

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
        Event::Sent { hearers, is_dropped, .. } => writeln!(wire, "C 250 sent to {hearers}{}", kept(*is_dropped)),
        Event::SentTo { name, is_dropped, away, .. } => {
            encode_sent_to(kind, name, away.as_deref(), *is_dropped, &mut wire)
        }
        Event::KeptFor { name, .. } => writeln!(wire, "C 250 kept for {name}"),
        Event::OwnTold { to, id, text } => encode_own(kind, to, *id, text, &mut wire),
        Event::Withdrawn { to, id } => writeln!(wire, "C 109 @{to} {id}"),
        Event::Awaited { .. } => Ok(()), // the answer comes later
        Event::NotKept => writeln!(wire, "C 450 it cannot be kept now, try again in some seconds"),
        Event::TooManyWaiting { name } => {
            writeln!(wire, "C 450 too many messages wait for {name}, try again when {name} has been here")
        }
        Event::RoomKept { room, days: Some(days) } => writeln!(wire, "C 112 {room} kept {days}"),
        Event::RoomKept { room, days: None } => writeln!(wire, "C 112 {room} not kept"),
        Event::TopicIs { room, by, text } => encode_topic(kind, "105", room, by, text, &mut wire),
        Event::TopicShown { room, topic: Some(Topic { by, text }) } => {
            encode_topic(kind, "200", room, by, text, &mut wire)
        }
        Event::TopicShown { room, topic: None } => writeln!(wire, "C 200 {room} has no topic"),
        Event::TooManyDays { most } => writeln!(wire, "C 501 nothing is kept for more than {}", Days(*most)),
        Event::OwnsTooMany { name: None, most } => {
            writeln!(wire, "C 554 you own {most} kept rooms already; KEEP room off ends one")
        }
        Event::OwnsTooMany { name: Some(name), most } => writeln!(wire, "C 554 {name} owns {most} kept rooms already"),
        Event::MemberOfTooMany { most } => {
            writeln!(wire, "C 554 you are a member of {most} kept rooms already; LEAVE one first")
        }
        Event::KeptFull => writeln!(wire, "C 554 no more rooms and members can be kept here"),
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
        Event::AwayIs { .. }
        | Event::Presence { .. }
        | Event::Watched { .. }
        | Event::Watches { .. }
        | Event::WatchesFull { .. }
        | Event::Ignores { .. }
        | Event::IgnoresFull { .. }
        | Event::IgnoresYourself
        | Event::NoSuchAccount { .. } => Ok(()),
        Event::TakesNone { name } => writeln!(wire, "C 554 {name} takes no messages from you"),
        Event::Announced { text } => encode_announced(kind, text, &mut wire),
        Event::HostIs { room, who } => writeln!(wire, "C 107 {room} {who} is host now"),
    };
    debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
}

/// Appends the id of a message of one's own to its 250, as the last word. Other lines are left as they are.
pub(super) fn add_id(event: &Event, out: &mut Vec<u8>) {
    if let Event::Sent { id, .. } | Event::SentTo { id, .. } | Event::KeptFor { id, .. } = event {
        out.pop(); // the LF
        let result = writeln!(Wire(out), " id={id}");
        debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
    }
}

/// What a 250 says of a message that was not kept, because the store has no room for it.
fn kept(is_dropped: bool) -> &'static str {
    if is_dropped { ", not kept" } else { "" }
}

/// `C 250 sent to name`, and why that account is away.
fn encode_sent_to(
    kind: Kind,
    name: &UserName,
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

/// `D TO [id] name text`: a direct message of one's own.
fn encode_own(kind: Kind, to: &UserName, id: u64, text: &str, out: &mut Wire<'_>) -> fmt::Result {
    match kind {
        Kind::Bare => write!(out, "D TO {to} ")?,
        Kind::Typed | Kind::Web | Kind::RelayLf | Kind::RelayCrLf => write!(out, "D TO {id} {to} ")?,
    }
    encode_text(kind, text, out)?;
    out.write_str("\n")
}

/// `C code room by NAME: TEXT`. The topic may come from a file, so what no line may contain is left out.
fn encode_topic(kind: Kind, code: &str, room: &RoomName, by: &str, text: &str, out: &mut Wire<'_>) -> fmt::Result {
    write!(out, "C {code} {room} by {}:", salvaged_word(by))?;
    if !text.is_empty() {
        out.write_str(" ")?;
        encode_text(kind, &salvaged(text), out)?;
    }
    out.write_str("\n")
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

fn encode_announced(kind: Kind, text: &str, out: &mut Wire<'_>) -> fmt::Result {
    out.write_str("C 100 ")?;
    encode_text(kind, text, out)?;
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
    // Member accounts that are not there count only towards a list that is not complete.
    let absent = names.iter().filter(|(_, seat)| *seat == Seat::Absent).count();
    let (shown, matching) = if names.len() < matching { (names.len(), matching) } else { (names.len() - absent, 0) };
    encode_list_end(shown, matching, format_args!("in {room}"), format_args!("NAMES {room}"), out)
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
