//! News of others: how they are spelled for a client, and those that are for it alone.

use super::answer::same;
use super::caps::Caps;
use super::door::IrcDoor;
use super::names;
use super::spell::{self, Dress};
use super::step::What;
use super::talk::Talk;
use crate::door::decoded::{Kind, Spelling};
use crate::hub::event::{Closing, Event, Leaving, News};
use crate::hub::names::{RoomName, Who};

impl IrcDoor {
    /// How an event for others is spelled for this client.
    pub fn spelling(&self, event: &Event) -> Spelling {
        let is_wanted = match event {
            Event::Neighbour { news: News::Away(_), .. } => self.caps.has(Caps::AWAY_NOTIFY),
            Event::Neighbour { news: News::Called(_), .. } => self.caps.has(Caps::SETNAME),
            Event::InvitedHere { .. } => self.caps.has(Caps::INVITE_NOTIFY),
            Event::OwnTold { .. } | Event::Withdrawn { .. } => self.caps.has(Caps::ECHO_MESSAGE),
            _ => true,
        };
        let is_own = match event {
            Event::RoomClosed { .. } | Event::Presence { .. } | Event::Withdrawn { .. } => true,
            Event::Arrived { away: Some(_), first: true, .. } => self.caps.has(Caps::AWAY_NOTIFY),
            Event::Renamed { was: Who::Guest(_), now: Who::Account(_) } => self.caps.has(Caps::ACCOUNT_NOTIFY),
            _ => self.is_answer(event),
        };
        match (is_wanted && self.is_logged_in(), is_own) {
            (false, _) => Spelling::Untold,
            (true, true) => Spelling::Own,
            (true, false) => Spelling::Shared(Kind::Irc(self.caps.bits())),
        }
    }

    /// Whether an event that others hear too is the answer to the line with a label that is being carried out.
    fn is_answer(&self, event: &Event) -> bool {
        let Some(Talk { label: Some(_), asked, .. }) = self.talk.get() else { return false };
        let is_asked = |room: &RoomName| same(&asked.channel, room);
        match (&asked.what, event) {
            (What::Topic, Event::TopicIs { room, .. })
            | (What::SetMode, Event::RoomKept { room, .. } | Event::HostIs { room, .. }) => is_asked(room),
            (What::Kick, Event::Gone { room, why: Leaving::Kicked { by }, .. }) => {
                is_asked(room) && self.me().as_ref() == Some(by)
            }
            _ => false,
        }
    }

    /// Appends news that are spelled for this client alone to `out`.
    pub fn encode_told(&mut self, event: &Event, out: &mut Vec<u8>) {
        self.forget_room(event);
        if self.is_answer(event) {
            self.tell(event);
            return self.hand_out(out);
        }
        let held = std::mem::take(&mut self.talk.lines);
        self.tell(event);
        out.append(&mut self.talk.lines);
        self.talk.lines = held;
        self.talk.rest();
    }

    /// The session is in a room no longer, without having asked.
    fn forget_room(&mut self, event: &Event) {
        if let Event::Gone { room, .. } | Event::RoomClosed { room, .. } = event {
            self.rooms.retain(|other| other != room);
        }
    }

    /// True for news that come as an answer, although the client has not asked: it was removed from a room.
    pub(super) fn is_news(event: &Event) -> bool {
        matches!(event, Event::Gone { why: Leaving::Kicked { .. }, .. })
    }

    fn tell(&mut self, event: &Event) {
        let time_ms = self.time_ms;
        let dress = Dress { server: &self.server, caps: self.caps, time_ms };
        match event {
            Event::Arrived { who, away: Some(text), .. } => {
                spell::encode(dress, event, &mut self.talk.lines);
                dress.push(dress.nick(who), format_args!("AWAY :{text}"), &mut self.talk.lines);
            }
            Event::Renamed { now, .. } => {
                spell::encode(dress, event, &mut self.talk.lines);
                dress.push(dress.nick(now), format_args!("ACCOUNT {}", dress.nick(now)), &mut self.talk.lines);
            }
            Event::RoomClosed { room, why } => {
                let (channel, why) = (names::channel(room), closing_words(why));
                let me = self.stage.nick();
                dress.push_server(format_args!("KICK {channel} {me} :{why}"), &mut self.talk.lines);
            }
            Event::Presence { name, change } => self.on_presence(name, change),
            Event::Withdrawn { to, .. } => {
                self.voice().notice(format_args!("Your last message to {to} could not be kept: {to} does not get it"));
            }
            _ => spell::encode(dress, event, &mut self.talk.lines),
        }
    }
}

fn closing_words(why: &Closing) -> String {
    match why {
        Closing::ByHost => "closed by its host".to_owned(),
        Closing::HostLeft => "its host has left".to_owned(),
        Closing::ByOperator(reason) if reason.is_empty() => "closed by the operator".to_owned(),
        Closing::ByOperator(reason) => format!("closed by the operator: {reason}"),
    }
}
