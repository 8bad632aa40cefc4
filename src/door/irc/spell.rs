//! News that several receivers share, spelled once for each set of capabilities.

use std::fmt::Display;

use super::caps::{Bits, Caps};
use super::names::{self, EVERYBODY, Nick};
use super::server::Server;
use super::split::parts;
use super::text::{DEED_BEGINS, DEED_ENDS, deed};
use super::wire::{BODY_BYTES, Tags, push_line};
use crate::door::recall::time_of;
use crate::hub::event::{Event, Leaving, Manner, Message, News};
use crate::hub::names::{RoomName, Who};

/// How lines are spelled: for whom, by which server, when.
#[derive(Clone, Copy, Debug)]
pub struct Dress<'a> {
    /// The server.
    pub server: &'a Server,
    /// The capabilities that matter.
    pub(super) caps: Caps,
    /// Now, in milliseconds since 1970.
    pub time_ms: u64,
}

impl<'a> Dress<'a> {
    /// The spelling for receivers with these capabilities, at `time_ms` in milliseconds since 1970.
    pub fn new(server: &'a Server, bits: Bits, time_ms: u64) -> Self {
        Self { server, caps: bits.caps(), time_ms }
    }

    pub(super) fn nick<'n>(&self, who: &'n Who) -> Nick<'n> {
        names::nick(who, self.server.guests)
    }

    /// Appends what a user does, now.
    pub(super) fn push(&self, who: Nick<'_>, what: std::fmt::Arguments<'_>, out: &mut Vec<u8>) {
        let tags = Tags { time_ms: self.time_ms, account: who.account(), ..Tags::default() };
        push_line(out, self.caps, tags, format_args!(":{} {what}", who.source(self.server)));
    }

    /// Appends what the server does, now.
    pub(super) fn push_server(&self, what: std::fmt::Arguments<'_>, out: &mut Vec<u8>) {
        let tags = Tags { time_ms: self.time_ms, ..Tags::default() };
        push_line(out, self.caps, tags, format_args!(":{} {what}", self.server.name));
    }
}

/// Appends what an event tells to `out`; nothing for events that tell nothing here.
pub fn encode(dress: Dress<'_>, event: &Event, out: &mut Vec<u8>) {
    match event {
        Event::Said(message) => push_message(dress, EVERYBODY, message, None, out),
        Event::SaidIn { room, message } => push_message(dress, names::channel(room), message, None, out),
        Event::Told { to, message } | Event::OwnTold { to, message } => {
            push_message(dress, dress.nick(to), message, None, out);
        }
        Event::TopicIs { room, by, text } => {
            let by = names::shown(by, dress.server.guests);
            dress.push(by, format_args!("TOPIC {} :{text}", names::channel(room)), out);
        }
        Event::Arrived { room, who, first: true, away: _, called, is_owner } => {
            push_join(dress, names::channel(room), who, called.as_deref(), out);
            if *is_owner {
                push_host(dress, room, who, None, out);
            }
        }
        Event::LockIs { room, by, is_locked } => {
            let sign = if *is_locked { '+' } else { '-' };
            dress.push(dress.nick(by), format_args!("MODE {} {sign}k *", names::channel(room)), out);
        }
        Event::Gone { room, who, last: true, why, text } => push_gone(dress, room, who, (why, text.as_deref()), out),
        Event::Renamed { was, now } => {
            dress.push(dress.nick(was), format_args!("NICK {}", dress.nick(now)), out);
        }
        Event::Neighbour { who, news } => push_news(dress, who, news, out),
        Event::RoomKept { room, days } => {
            let sign = if days.is_some() { '+' } else { '-' };
            dress.push_server(format_args!("MODE {} {sign}P", names::channel(room)), out);
        }
        Event::HostIs { room, who, was } => push_host(dress, room, who, was.as_ref(), out),
        Event::Invitation { room, from, to } | Event::InvitedHere { room, from, to } => {
            let (to, channel) = (dress.nick(to), names::channel(room));
            dress.push(dress.nick(from), format_args!("INVITE {to} {channel}"), out);
        }
        Event::Announced { text } => {
            let most = BODY_BYTES.saturating_sub(dress.server.name.len() + ": NOTICE * :".len()).max(4);
            for part in parts(text, most) {
                dress.push_server(format_args!("NOTICE * :{part}"), out);
            }
        }
        _ => {}
    }
}

/// Appends a message, as several lines if it is too long for one. The first one has the id.
pub(super) fn push_message(
    dress: Dress<'_>,
    target: impl Display,
    message: &Message,
    batch: Option<&str>,
    out: &mut Vec<u8>,
) {
    let Message { id, from, text, manner, fate: _ } = message;
    let tags = Tags { batch, time_ms: time_of(*id), id: Some(*id), account: None };
    push_said(dress, dress.nick(from), (*manner, target), tags, text, out);
}

/// Appends what somebody has said. The account of the tags is that of `from`.
pub(super) fn push_said(
    dress: Dress<'_>,
    from: Nick<'_>,
    (manner, target): (Manner, impl Display),
    tags: Tags<'_>,
    text: &str,
    out: &mut Vec<u8>,
) {
    let command = match manner {
        Manner::Text => "PRIVMSG",
        Manner::Notice => "NOTICE",
    };
    let head = format!(":{} {command} {target} :", from.source(dress.server));
    let deed = deed(text).filter(|_| manner == Manner::Text);
    let (begin, text, end) = deed.map_or(("", text, ""), |deed| (DEED_BEGINS, deed, DEED_ENDS));
    let most = BODY_BYTES.saturating_sub(head.len() + begin.len() + end.len()).max(4);
    let mut tags = Tags { account: from.account(), ..tags };
    for part in parts(text, most) {
        push_line(out, dress.caps, tags, format_args!("{head}{begin}{part}{end}"));
        tags.id = None;
    }
}

/// Appends that somebody has entered a channel. `called` is how it calls itself; its nick if `None`.
pub(super) fn push_join(dress: Dress<'_>, channel: impl Display, who: &Who, called: Option<&str>, out: &mut Vec<u8>) {
    let nick = dress.nick(who);
    if dress.caps.has(Caps::EXTENDED_JOIN) {
        let account = nick.account().unwrap_or("*");
        match called {
            Some(called) => dress.push(nick, format_args!("JOIN {channel} {account} :{called}"), out),
            None => dress.push(nick, format_args!("JOIN {channel} {account} :{nick}"), out),
        }
    } else {
        dress.push(nick, format_args!("JOIN {channel}"), out);
    }
}

/// Appends that a member has left. Nothing for a member that has gone offline: one QUIT has told that for all rooms.
fn push_gone(dress: Dress<'_>, room: &RoomName, who: &Who, (why, text): (&Leaving, Option<&str>), out: &mut Vec<u8>) {
    let channel = names::channel(room);
    match why {
        Leaving::Left => push_part(dress, channel, who, text, out),
        Leaving::Kicked { by } => {
            let nick = dress.nick(who);
            match text {
                Some(text) => dress.push(dress.nick(by), format_args!("KICK {channel} {nick} :{text}"), out),
                None => dress.push(dress.nick(by), format_args!("KICK {channel} {nick} :{}", dress.nick(by)), out),
            }
        }
        Leaving::Offline => {}
    }
}

pub(super) fn push_part(dress: Dress<'_>, channel: impl Display, who: &Who, text: Option<&str>, out: &mut Vec<u8>) {
    match text {
        Some(text) => dress.push(dress.nick(who), format_args!("PART {channel} :{text}"), out),
        None => dress.push(dress.nick(who), format_args!("PART {channel}"), out),
    }
}

fn push_news(dress: Dress<'_>, who: &Who, news: &News, out: &mut Vec<u8>) {
    let nick = dress.nick(who);
    match news {
        News::Offline { text } => {
            dress.push(nick, format_args!("QUIT :{}", text.as_deref().unwrap_or("gone")), out);
        }
        News::Away(Some(text)) => dress.push(nick, format_args!("AWAY :{text}"), out),
        News::Away(None) => dress.push(nick, format_args!("AWAY"), out),
        News::Called(Some(called)) => dress.push(nick, format_args!("SETNAME :{called}"), out),
        News::Called(None) => dress.push(nick, format_args!("SETNAME :{nick}"), out),
    }
}

/// The former host hands the room on, if it is there; else the server does.
fn push_host(dress: Dress<'_>, room: &RoomName, who: &Who, was: Option<&Who>, out: &mut Vec<u8>) {
    let (channel, now) = (names::channel(room), dress.nick(who));
    match was {
        Some(was) => {
            let was = dress.nick(was);
            dress.push(was, format_args!("MODE {channel} -o+o {was} {now}"), out);
        }
        None => dress.push_server(format_args!("MODE {channel} +o {now}"), out),
    }
}
