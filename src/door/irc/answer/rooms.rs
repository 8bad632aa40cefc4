//! Channels: entering and leaving, members, lists, topics.

use std::borrow::Cow;

use crate::door::decoded::Decoded;
use crate::door::irc::caps::Caps;
use crate::door::irc::decode::entry;
use crate::door::irc::door::IrcDoor;
use crate::door::irc::names::{self, EVERYBODY};
use crate::door::irc::numerics::Numeric;
use crate::door::irc::spell::{Dress, push_join, push_part};
use crate::door::irc::step::{Asked, Fields, What};
use crate::door::recall::Recall;
use crate::hub::event::{NameLine, Present, RoomLine, Seat};
use crate::hub::names::{RoomName, Who};
use crate::hub::record::Topic;

impl IrcDoor {
    /// The session is in a room. What follows are its topic and its members.
    pub(super) fn on_entered(&mut self, room: &RoomName, again: bool, is_kept: bool, topic: Option<&Topic>) {
        let channel = names::channel(room).to_string();
        if again {
            return; // a client that is there already knows all of this
        }
        self.rooms.push(room.clone());
        let called = self.called();
        if let Some(me) = &self.me() {
            let dress = Dress { server: &self.server, caps: self.caps, time_ms: self.time_ms };
            push_join(dress, &channel, me, called.as_deref(), &mut self.talk.lines);
        }
        if let Some(topic) = topic {
            self.say_topic(&channel, topic);
        }
        if !self.caps.has(Caps::NO_IMPLICIT_NAMES) {
            let asked = Asked::channel(What::Names, channel.as_str());
            self.next(asked, self.names_command(room.clone()));
        }
        self.show_mark(channel, is_kept);
    }

    /// The mark of a channel that was entered. Where nothing is kept there is none.
    fn show_mark(&mut self, channel: String, is_kept: bool) {
        if !self.caps.has(Caps::READ_MARKER) || !self.server.keeps {
            return;
        }
        if is_kept && self.is_account() {
            self.next(Asked::channel(What::Mark, channel), Decoded::Recall(Recall::Unread));
        } else {
            self.voice().server_line(format_args!("MARKREAD {channel} *"));
        }
    }

    /// There is a room of that name meanwhile: it is entered.
    pub(super) fn enter_after_all(&mut self) {
        let What::Join { room: Some(room), key, .. } = std::mem::take(&mut self.talk.asked.what) else { return };
        let (asked, request) = entry(room, key, false);
        self.next(asked, Decoded::Irc(Box::new(request)));
    }

    /// There is no room of that name: it is made.
    pub(super) fn make_room(&mut self) {
        let What::Join { room: Some(room), key, .. } = std::mem::take(&mut self.talk.asked.what) else { return };
        let (asked, request) = entry(room, key, true);
        self.next(asked, Decoded::Irc(Box::new(request)));
    }

    pub(super) fn say_part(&mut self, reason: Option<&str>) {
        let channel = self.talk.asked.channel.clone();
        let was_in = self.rooms.len();
        self.rooms.retain(|room| !same(&channel, room));
        if was_in == self.rooms.len() && !channel.starts_with('&') {
            return; // only the membership of the account has ended
        }
        if let Some(me) = &self.me() {
            let dress = Dress { server: &self.server, caps: self.caps, time_ms: self.time_ms };
            push_part(dress, channel, me, reason, &mut self.talk.lines);
        }
    }

    pub(super) fn say_own_mode(&mut self, change: &str) {
        let channel = self.talk.asked.channel.clone();
        self.say_own(format_args!("MODE {channel} {change}"));
    }

    /// JOIN and PART of `&all`.
    pub(super) fn on_attends(&mut self, public: bool) {
        let was = std::mem::replace(&mut self.attends, public);
        match &self.talk.asked.what {
            _ if public && !was => self.say_everybody(),
            What::Part(reason) if was && !public => {
                let reason = reason.clone();
                self.say_part(reason.as_deref());
            }
            What::Part(_) if !public => self.voice().about(Numeric::NotOnChannel, EVERYBODY),
            _ => {} // a client that is there already knows all of this
        }
    }

    /// A name in a list of members.
    pub(super) fn shown_in_names(&self, who: &Who, is_host: bool) -> String {
        let nick = names::nick(who, self.server.guests);
        let mark = if is_host { "@" } else { "" };
        if self.caps.has(Caps::USERHOST_IN_NAMES) {
            format!("{mark}{}", nick.source(&self.server))
        } else {
            format!("{mark}{nick}")
        }
    }

    pub(super) fn on_members(&mut self, members: &[NameLine], matching: usize) {
        let there = || members.iter().filter(|line| line.seat != Seat::Absent);
        // Those who are not there come last.
        let is_whole = members.last().is_some_and(|line| line.seat == Seat::Absent);
        let more = if is_whole { 0 } else { matching.saturating_sub(members.len()) };
        if let What::Who(fields) = &self.talk.asked.what {
            let fields = fields.clone();
            for NameLine { who, seat, is_away, called } in there() {
                self.say_who(&fields, who, (*is_away, *seat == Seat::Host), called.as_deref());
            }
            self.say_more(more);
            return self.end_who();
        }
        let words: Vec<String> = there().map(|line| self.shown_in_names(&line.who, line.seat == Seat::Host)).collect();
        self.say_names(&words, more);
    }

    pub(super) fn on_online(&mut self, people: &[Present], matching: usize) {
        let more = matching.saturating_sub(people.len());
        match &self.talk.asked.what {
            What::Who(fields) => {
                let fields: Fields = (**fields).clone();
                for Present { who, is_away, called } in people {
                    self.say_who(&fields, who, (*is_away, false), called.as_deref());
                }
                self.say_more(more);
                if self.talk.asked.is_last {
                    self.end_who();
                }
            }
            What::Ison | What::UserHost => self.say_who_is_on(people),
            _ => {
                let words: Vec<String> = people.iter().map(|person| self.shown_in_names(&person.who, false)).collect();
                self.say_names(&words, more);
            }
        }
    }

    fn say_names(&mut self, words: &[String], more: usize) {
        let channel = self.talk.asked.channel.clone();
        self.voice().words(Numeric::Names, &format!("= {channel} "), ' ', words);
        self.say_more(more);
        self.voice().about(Numeric::EndOfNames, channel);
    }

    /// A list is bounded: says how many are not in it.
    fn say_more(&mut self, more: usize) {
        if more > 0 {
            self.voice().notice(format_args!("{more} more are not listed"));
        }
    }

    /// The rooms, for LIST and for `MODE #a`.
    pub(super) fn on_rooms(&mut self, rooms: &[RoomLine], matching: usize) {
        match &self.talk.asked.what {
            What::ShowMode => {
                let asked = self.talk.asked.channel.clone();
                let Some(line) = rooms.iter().find(|line| same(&asked, &line.name)) else {
                    return self.voice().about(Numeric::NoSuchChannel, asked);
                };
                let channel = names::channel(&line.name).to_string();
                let (key, kept) = (if line.is_locked { "k" } else { "" }, if line.is_kept { "P" } else { "" });
                self.voice().number(Numeric::ChannelModes, format_args!("{channel} +nt{key}{kept}"));
            }
            What::List(wanted) => {
                let wanted = wanted.clone();
                let is_wanted = |line: &&RoomLine| wanted.as_ref().is_none_or(|one| same(one, &line.name));
                rooms.iter().filter(is_wanted).for_each(|line| self.say_listed(line));
                if wanted.is_none() && matching > rooms.len() {
                    let (shown, matching) = (rooms.len(), matching);
                    self.voice().notice(format_args!("{shown} of {matching} channels; LIST #beginning* narrows it"));
                }
                if self.talk.asked.is_last {
                    self.voice().say(Numeric::EndOfList);
                }
            }
            _ => {}
        }
    }

    fn say_listed(&mut self, line: &RoomLine) {
        let (channel, topic) = (names::channel(&line.name), line.topic.as_deref().unwrap_or_default());
        self.voice().number(Numeric::Listed, format_args!("{channel} {} :{topic}", line.members));
    }

    /// A topic, who has set it and when. A room that was kept by an earlier version does not know when.
    fn say_topic(&mut self, channel: &str, Topic { by, text, set_ms }: &Topic) {
        self.voice().number(Numeric::Topic, format_args!("{channel} :{text}"));
        if *set_ms > 0 {
            let (by, seconds) = (names::shown(by, self.server.guests).to_string(), set_ms / 1000);
            self.voice().number(Numeric::TopicBy, format_args!("{channel} {by} {seconds}"));
        }
    }

    pub(super) fn on_topic_shown(&mut self, topic: Option<&Topic>) {
        let channel = self.talk.asked.channel.clone();
        match topic {
            Some(topic) => self.say_topic(&channel, topic),
            None => self.voice().about(Numeric::NoTopic, channel),
        }
    }

    pub(super) fn on_invited(&mut self, room: &RoomName, name: &Who, away: Option<&str>) {
        let (nick, channel) = (names::nick(name, self.server.guests).to_string(), names::channel(room).to_string());
        self.voice().number(Numeric::Inviting, format_args!("{nick} {channel}"));
        if let Some(text) = away {
            let text = Cow::Borrowed(text);
            self.voice().number(Numeric::IsAway, format_args!("{nick} :{text}"));
        }
    }
}

/// Whether a channel is that of a room.
pub(in crate::door::irc) fn same(channel: &str, room: &RoomName) -> bool {
    channel.strip_prefix('#').is_some_and(|name| room.is(name))
}
