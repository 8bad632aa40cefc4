//! Encodes events as lines of text.

mod lists;
mod messages;
mod people;
mod rooms;

use std::fmt::Write as _;

use crate::close::CloseReason;
use crate::door::decoded::Kind;
use crate::door::reply::{Days, GuestRefusal, Reply};
use crate::door::wire::Wire;
use crate::hub::event::Event;
use crate::hub::names::RoomName;
use crate::hub::record::Topic;

/// Another guest has the name that NICK asks for.
const TAKEN: Reply = Reply::GuestRefused { why: GuestRefusal::Taken, is_login: false };

/// Appends an event to `out` as whole lines, in the spelling `kind`.
#[expect(clippy::too_many_lines, reason = "an arm for each event, and nothing else")]
pub fn encode(kind: Kind, event: &Event, out: &mut Vec<u8>) {
    let mut wire = Wire(out);
    let w = &mut wire;
    let result = match event {
        Event::Said(message) => messages::encode(kind, "PM", None, message, w),
        Event::Told { message, .. } => messages::encode(kind, "DM", None, message, w),
        Event::SaidIn { room, message } => messages::encode(kind, "RM", Some(room), message, w),
        Event::Sent { hearers, message, .. } => messages::encode_sent(*hearers, message.is_dropped(), w),
        Event::SentTo { name, message, away } => {
            messages::encode_sent_to(kind, name, away.as_deref(), message.is_dropped(), w)
        }
        Event::KeptFor { name, .. } => writeln!(w, "C 250 kept for {name}"),
        Event::OwnTold { to, message } => messages::encode_own(kind, to, message.id, &message.text, w),
        Event::Withdrawn { to, id } => writeln!(w, "C 109 @{to} {id}"),
        Event::Announced { text } => messages::encode_announced(kind, text, w),
        Event::Welcome { name, online } => people::encode_welcome(name, *online, w),
        Event::SessionsFull { sessions } => return Reply::Closing(CloseReason::LoggedInAlready(*sessions)).encode(out),
        Event::Awaited { .. } => Ok(()), // the answer comes later
        Event::Entered { .. } => Ok(()), // the caller answers with `Reply::Entered`, because it holds the token
        Event::CanTell { .. } | Event::CanSayIn => return Reply::AskMessage.encode(out),
        Event::Done => return Reply::Done.encode(out),
        Event::NotKept => writeln!(w, "C 450 it cannot be kept now, try again in some seconds"),
        Event::TooManyWaiting { name } => messages::encode_too_many_waiting(name, w),
        Event::OnlyYou => writeln!(w, "C 550 that is you, and you have no other session"),
        Event::NotOnline { name } => writeln!(w, "C 550 {name} is not online"),
        Event::HearsOneRoom { name } => people::encode_hears_one_room(name, w),
        Event::NeedsAccount => return Reply::NeedsAccount.encode(out),
        Event::NotAGuest => writeln!(w, "C 554 an account keeps its name; NICK is for guests"),
        Event::TakesNone { name } => writeln!(w, "C 554 {name} takes no messages from you"),
        Event::NothingKept => writeln!(w, "C 554 nothing is kept here"),
        Event::Online { names, matching } => lists::encode_online(names, *matching, w),
        Event::Rooms { rooms, matching } => lists::encode_rooms(rooms, *matching, w),
        Event::Names { room, names, matching } => lists::encode_names(room, names, *matching, w),
        Event::Watches { names } => lists::encode_watches(names, w),
        Event::Ignores { names, guests } => lists::encode_ignores(names, *guests, w),
        Event::AwayIs { text } => people::encode_away(kind, text.as_deref(), w),
        Event::Presence { name, change } => people::encode_presence(kind, name, change, w),
        Event::Watched { name, presence } => people::encode_watched(kind, name, presence, w),
        Event::WatchesFull { most } => writeln!(w, "C 554 no more than {most} names; WATCH name off ends one"),
        Event::IgnoresFull { most } => writeln!(w, "C 554 no more than {most} names; IGNORE name off ends one"),
        Event::IgnoresYourself => writeln!(w, "C 554 you cannot ignore yourself"),
        Event::NoSuchAccount { name } => writeln!(w, "C 550 nobody has the name {name}; WHO lists who is online"),
        Event::Arrived { room, who, .. } => writeln!(w, "C 103 {room} {who} entered"),
        Event::Gone { room, who, why, .. } => rooms::encode_gone(room, who, why, w),
        Event::Renamed { was, now } => writeln!(w, "C 102 {was} is {now} now"),
        Event::YouAre { now, .. } => writeln!(w, "C 200 you are {now} now"),
        Event::Neighbour { .. } => Ok(()), // lines tell it to those who watch the name
        Event::TopicIs { room, by, text } => rooms::encode_topic(kind, "105", room, by, text, w),
        Event::TopicShown { room, topic } => rooms::encode_shown_topic(kind, room, topic.as_ref(), w),
        Event::RoomClosed { room, why } => rooms::encode_closed(room, why, w),
        Event::HostIs { room, who, .. } => writeln!(w, "C 107 {room} {who} is host now"),
        Event::RoomKept { room, days } => rooms::encode_kept(room, *days, w),
        Event::TooManyDays { most } => writeln!(w, "C 501 nothing is kept for more than {}", Days(*most)),
        Event::OwnerIs { owner } => rooms::encode_owner(owner.as_ref(), w),
        Event::Invited { room, name, away } => rooms::encode_invited(kind, room, name, away.as_deref(), w),
        Event::Invitation { room, from, to: _ } => writeln!(w, "C 111 {room} {from} invites you"),
        Event::InvitedHere { .. } | Event::LockIs { .. } => Ok(()),
        Event::InRoomAlready { room, name } => writeln!(w, "C 554 {name} is in {room} already"),
        Event::Attends { public: true } => writeln!(w, "C 200 you hear what is said to everybody"),
        Event::Attends { public: false } => {
            writeln!(w, "C 200 you do not hear what is said to everybody; PUBLIC on ends that")
        }
        Event::Counted(_) => Ok(()), // nobody asks for it here
        Event::NotMember { room } => writeln!(w, "C 550 you are not in {room}"),
        Event::NotInRoom { name } => writeln!(w, "C 550 {name} is not in that room"),
        Event::NoSuchRoom => return Reply::NoSuchRoom.encode(out),
        Event::RoomExists { room } => writeln!(w, "C 553 {room} is there already; JOIN {room} enters it"),
        Event::GuestNameTaken => return TAKEN.encode(out),
        Event::NotHost { room } => writeln!(w, "C 554 you are not the host of {room}"),
        Event::RoomNeedsPassword => writeln!(w, "C 554 the room needs a password: JOIN room password"),
        Event::WrongRoomPassword { .. } => return Reply::WrongRoomPassword.encode(out),
        Event::RoomFull { room } => writeln!(w, "C 554 {room} is full"),
        Event::TooManyRooms { most } => writeln!(w, "C 554 you are in {most} rooms already; LEAVE one first"),
        Event::OwnsTooMany { name, most } => rooms::encode_owns_too_many(name.as_ref(), *most, w),
        Event::MemberOfTooMany { most } => rooms::encode_member_of_too_many(*most, w),
        Event::KeptFull => writeln!(w, "C 554 no more rooms and members can be kept here"),
    };
    debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
}

/// Appends the id of a message of one's own to its 250, as the last word. Other lines are left as they are.
pub(super) fn add_id(event: &Event, out: &mut Vec<u8>) {
    let id = if let Event::Sent { message, .. } | Event::KeptFor { message, .. } = event {
        message.id
    } else if let Event::SentTo { message, .. } = event {
        message.id
    } else {
        return;
    };
    out.pop(); // the LF
    let result = writeln!(Wire(out), " id={id}");
    debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
}

/// Appends what a room is about, for somebody who has entered it.
pub(super) fn add_topic(kind: Kind, room: &RoomName, Topic { by, text, .. }: &Topic, out: &mut Vec<u8>) {
    let result = rooms::encode_topic(kind, "105", room, by, text, &mut Wire(out));
    debug_assert!(result.is_ok(), "formatting into bytes cannot fail");
}
