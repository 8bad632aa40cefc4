//! JOIN, PART, TOPIC, NAMES, LIST, KICK, INVITE.

use std::borrow::Cow;

use crate::door::decoded::Decoded;
use crate::door::irc::door::IrcDoor;
use crate::door::irc::message::Parameters;
use crate::door::irc::names::{self, EVERYBODY, Target};
use crate::door::irc::numerics::Numeric;
use crate::door::irc::request::Request;
use crate::door::irc::split::fitting;
use crate::door::irc::step::{Asked, What};
use crate::door::irc::text::{Refusal, plain};
use crate::door::irc::voice::repeated;
use crate::hub::command::Command;
use crate::hub::names::{NameError, RoomName, Who};
use crate::limits::{IRC_CHANNELS, IRC_REASON_BYTES, IRC_TARGETS, PASSWORD_MAX_BYTES, TOPIC_BYTES};
use crate::secret::Secret;
use crate::text;

impl IrcDoor {
    pub(super) fn on_join(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        if parameters.at(0) == "0" {
            return self.part_all();
        }
        if self.are_too_many(parameters.at(0)) {
            return Decoded::Nothing;
        }
        let mut keys = parameters.at(1).split(',');
        for channel in parameters.at(0).split(',') {
            let key = keys.next().filter(|key| !key.is_empty());
            match self.channel(channel) {
                // Without it, a new room would be open to all.
                Some(Target::Room(_)) if key.is_some_and(|key| !is_password(key)) => {
                    self.voice().about(Numeric::BadKey, repeated(channel));
                }
                Some(Target::Room(room)) => {
                    let (asked, request) = entry(room, key.map(|key| Secret::new(key.to_owned())), false);
                    self.then(asked, Decoded::Irc(Box::new(request)), true);
                }
                Some(Target::Everybody) => {
                    let asked = Asked::channel(What::Join { room: None, key: None, makes: false }, EVERYBODY);
                    self.then(asked, Decoded::Command(Command::Attend { public: true }), true);
                }
                Some(Target::Who(_)) | None => {}
            }
        }
        self.begin()
    }

    /// `JOIN 0`: leaves each room.
    fn part_all(&mut self) -> Decoded<'static> {
        for room in self.rooms.clone() {
            let asked = Asked::channel(What::Part(None), self.channel_of(&room));
            self.then(asked, Decoded::Command(Command::LeaveRoom { room, text: None }), true);
        }
        self.begin()
    }

    /// Says so if a line names more channels than it may; nothing of it is carried out then.
    fn are_too_many(&mut self, channels: &str) -> bool {
        let are = channels.split(',').count() > IRC_CHANNELS;
        if are {
            self.voice().about(Numeric::TooManyTargets, "*");
        }
        are
    }

    /// Parses a channel; says so if there can be none of that name.
    pub(super) fn channel(&mut self, channel: &str) -> Option<Target> {
        let why = match Target::channel(channel) {
            Ok(target) => return Some(target),
            Err(NameError::Reserved) => "No channel can have that name: it is reserved",
            Err(NameError::Shape) => Numeric::NoSuchChannel.words(),
        };
        let channel = repeated(channel).to_owned();
        self.voice().number(Numeric::NoSuchChannel, format_args!("{channel} :{why}"));
        None
    }

    /// Parses a channel that is a room. `&all` has no operator.
    pub(super) fn room(&mut self, channel: &str) -> Option<RoomName> {
        match self.channel(channel)? {
            Target::Room(room) => Some(room),
            Target::Everybody | Target::Who(_) => {
                self.voice().about(Numeric::NotOperator, EVERYBODY);
                None
            }
        }
    }

    pub(super) fn on_part(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        if self.are_too_many(parameters.at(0)) {
            return Decoded::Nothing;
        }
        let reason = reason(parameters.at(1));
        for channel in parameters.at(0).split(',') {
            let what = What::Part(reason.clone());
            match self.channel(channel) {
                Some(Target::Room(room)) => {
                    let asked = Asked::channel(what, self.channel_of(&room));
                    let text = reason.as_deref().map(|text| Cow::Owned(text.to_owned()));
                    self.then(asked, Decoded::Command(Command::LeaveRoom { room, text }), true);
                }
                Some(Target::Everybody) => {
                    let asked = Asked::channel(what, EVERYBODY);
                    self.then(asked, Decoded::Command(Command::Attend { public: false }), true);
                }
                Some(Target::Who(_)) | None => {}
            }
        }
        self.begin()
    }

    pub(super) fn on_topic<'a>(&mut self, parameters: Parameters<'a>) -> Decoded<'a> {
        let is_set = parameters.count() > 1;
        let room = match self.channel(parameters.at(0)) {
            Some(Target::Room(room)) => room,
            Some(Target::Everybody) if !is_set => {
                self.voice().about(Numeric::NoTopic, EVERYBODY);
                return Decoded::Nothing;
            }
            Some(Target::Everybody) => {
                self.voice().about(Numeric::NotOperator, EVERYBODY);
                return Decoded::Nothing;
            }
            Some(Target::Who(_)) | None => return Decoded::Nothing,
        };
        let text = match plain(parameters.at(1)) {
            _ if !is_set => None,
            Ok(text) => Some(fitted(text, TOPIC_BYTES)),
            Err(Refusal::Empty) => Some(Cow::Borrowed("")),
            Err(Refusal::Forbidden | Refusal::Ctcp) => return self.bad_text("TOPIC"),
        };
        let asked = Asked::channel(What::Topic, self.channel_of(&room));
        self.ask(asked, Decoded::Command(Command::Topic { room, text }))
    }

    pub(super) fn bad_text(&mut self, command: &str) -> Decoded<'static> {
        self.talk.is_bad = true;
        self.voice().fail(command, "INVALID_TEXT", "", "A text holds no control characters");
        Decoded::Nothing
    }

    pub(super) fn on_names(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let channel = parameters.at(0).split(',').next().unwrap_or_default();
        match Target::channel(channel) {
            Ok(Target::Room(room)) => self.names_of(room),
            Ok(Target::Everybody) => self.ask(Asked::channel(What::Names, EVERYBODY), self.who_command("")),
            Ok(Target::Who(_)) | Err(_) => {
                let channel = repeated(channel).to_owned();
                self.voice().about(Numeric::EndOfNames, channel);
                Decoded::Nothing
            }
        }
    }

    fn names_of(&mut self, room: RoomName) -> Decoded<'static> {
        let asked = Asked::channel(What::Names, self.channel_of(&room));
        self.ask(asked, self.names_command(room))
    }

    /// Lists the members of a room, as many as an answer may have.
    pub(in crate::door::irc) fn names_command(&self, room: RoomName) -> Decoded<'static> {
        let (prefix, most) = (Cow::Borrowed(""), Some(self.server.names));
        Decoded::Command(Command::Names { room, prefix, most })
    }

    /// `LIST`, `LIST #a,#b` or `LIST #pre*`. Conditions such as `>3` are not offered: they list all.
    pub(super) fn on_list(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let wanted = parameters.at(0);
        if wanted.is_empty() || wanted.starts_with(['<', '>']) {
            return self.ask(Asked::plain(What::List(None)), rooms_command(""));
        }
        if let Some(begin) = wanted.strip_suffix('*') {
            let begin = begin.strip_prefix('#').unwrap_or(begin);
            return self.ask(Asked::plain(What::List(None)), rooms_command(begin));
        }
        let channels = wanted.split(',').filter_map(|channel| channel.strip_prefix('#')).take(IRC_CHANNELS);
        for channel in channels {
            let what = What::List(Some(format!("#{channel}").into()));
            // A room comes first among those that begin with its name.
            self.then(Asked { is_last: false, ..Asked::plain(what) }, rooms_command(channel), true);
        }
        match self.talk.steps.back_mut() {
            Some(step) => step.asked.is_last = true,
            None => self.voice().say(Numeric::EndOfList),
        }
        self.begin()
    }

    /// `KICK #a x,y :why`, or as many channels as nicks: `KICK #a,#b x,y`.
    pub(super) fn on_kick(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let nicks: Vec<&str> = parameters.at(1).split(',').collect();
        let channels: Vec<&str> = parameters.at(0).split(',').collect();
        if nicks.len() > IRC_TARGETS {
            let nicks = repeated(parameters.at(1)).to_owned();
            self.voice().about(Numeric::TooManyTargets, nicks);
            return Decoded::Nothing;
        }
        let text = reason(parameters.at(2));
        match channels.as_slice() {
            [channel] => {
                if let Some(room) = self.room(channel) {
                    nicks.into_iter().for_each(|nick| self.kick(room.clone(), nick, text.as_deref()));
                }
            }
            channels if channels.len() == nicks.len() => {
                for (channel, nick) in channels.iter().zip(nicks) {
                    if let Some(room) = self.room(channel) {
                        self.kick(room, nick, text.as_deref());
                    }
                }
            }
            _ => self.voice().about(Numeric::NeedMore, "KICK"),
        }
        self.begin()
    }

    fn kick(&mut self, room: RoomName, nick: &str, text: Option<&str>) {
        let Some(name) = self.named(nick) else { return };
        let mut asked = Asked::channel(What::Kick, self.channel_of(&room));
        asked.nick = repeated(nick).into();
        let text = text.map(|text| Cow::Owned(text.to_owned()));
        self.then(asked, Decoded::Command(Command::Kick { room, name, text }), true);
    }

    /// Parses a nick; says so if nobody can have it.
    pub(super) fn named(&mut self, nick: &str) -> Option<Who> {
        let who = names::receiver(nick, self.server.guests);
        if who.is_none() {
            let nick = repeated(nick).to_owned();
            self.voice().about(Numeric::NoSuchNick, nick);
        }
        who
    }

    pub(super) fn on_invite(&mut self, parameters: Parameters<'_>) -> Decoded<'static> {
        let Some(name) = self.named(parameters.at(0)) else { return Decoded::Nothing };
        let Some(room) = self.room(parameters.at(1)) else { return Decoded::Nothing };
        let mut asked = Asked::channel(What::Invite, self.channel_of(&room));
        asked.nick = repeated(parameters.at(0)).into();
        self.ask(asked, Decoded::Command(Command::Invite { room, name }))
    }
}

/// Whether a key can be the password of a room.
fn is_password(key: &str) -> bool {
    key.len() <= PASSWORD_MAX_BYTES && text::check(key.as_bytes()).is_some_and(|checked| checked.is_clean)
}

/// The step that enters a room or makes it.
pub(in crate::door::irc) fn entry(room: RoomName, key: Option<Secret<String>>, makes: bool) -> (Asked, Request) {
    let channel = names::channel(&room).to_string();
    let what = What::Join { room: Some(room.clone()), key: key.clone(), makes };
    (Asked::channel(what, channel), Request::EnterRoom { room, password: key, makes })
}

/// Lists the rooms whose names begin so.
pub(super) fn rooms_command(begin: &str) -> Decoded<'static> {
    Decoded::Command(Command::Rooms { prefix: Cow::Owned(begin.to_owned()) })
}

/// A reason as it is passed on; one that is bad is none.
pub(super) fn reason(given: &str) -> Option<Box<str>> {
    plain(given).ok().map(|text| fitting(text.trim_matches(' '), IRC_REASON_BYTES).into())
}

fn fitted(text: Cow<'_, str>, most: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(fitting(text, most)),
        Cow::Owned(text) => Cow::Owned(fitting(&text, most).to_owned()),
    }
}
