//! Refusals: what the hub does not do becomes a numeric about what was asked.

use crate::door::decoded::Decoded;
use crate::door::irc::door::IrcDoor;
use crate::door::irc::names;
use crate::door::irc::numerics::Numeric;
use crate::door::irc::spell::push_said;
use crate::door::irc::step::{Asked, What};
use crate::door::irc::wire::Tags;
use crate::door::recall::Recall;
use crate::hub::event::{Event, Manner};
use crate::hub::names::Who;

impl IrcDoor {
    /// What was not done, and why. A NOTICE gets no such answer.
    pub(super) fn on_refused(&mut self, event: &Event) {
        if self.is_asked(|what| matches!(what, What::Message(Manner::Notice))) {
            return;
        }
        if let (Event::OnlyYou, What::ToSelf(..)) = (event, &self.talk.asked.what) {
            return self.say_to_self();
        }
        if let Event::NotMember { room }
        | Event::NotHost { room }
        | Event::InRoomAlready { room, .. }
        | Event::RoomFull { room }
        | Event::WrongRoomPassword { room } = event
        {
            self.talk.asked.channel = names::channel(room).to_string().into();
        }
        let is_message = self.is_asked(|what| matches!(what, What::Message(_)));
        match event {
            Event::NoSuchRoom if self.is_asked(|what| matches!(what, What::Join { makes: false, .. })) => {
                self.make_room();
            }
            Event::NoSuchRoom if self.is_asked(|what| matches!(what, What::Names)) => {
                self.about_channel(Numeric::EndOfNames)
            }
            Event::NoSuchRoom if self.is_asked(|what| matches!(what, What::Who(_))) => self.end_who(),
            Event::NoSuchRoom => self.about_channel(Numeric::NoSuchChannel),
            Event::NotMember { .. } if is_message => self.about_channel(Numeric::CannotSend),
            Event::NotMember { .. } => self.about_channel(Numeric::NotOnChannel),
            Event::NotHost { .. } => self.about_channel(Numeric::NotOperator),
            Event::NotInRoom { name } if self.is_asked(|what| matches!(what, What::SetMode)) => {
                self.look_for(name.clone());
            }
            Event::NotInRoom { .. } => self.about_both(Numeric::NotThere),
            Event::InRoomAlready { .. } => self.about_both(Numeric::AlreadyThere),
            Event::RoomNeedsPassword | Event::WrongRoomPassword { .. } => self.say_bad_key(),
            Event::RoomFull { .. } => self.about_channel(Numeric::ChannelFull),
            Event::TooManyRooms { .. } | Event::MemberOfTooMany { .. } => self.about_channel(Numeric::TooManyChannels),
            Event::RoomExists { .. } => self.enter_after_all(),
            Event::NotOnline { .. } | Event::NoSuchAccount { .. } | Event::HearsOneRoom { .. } | Event::OnlyYou => {
                self.about_nick(Numeric::NoSuchNick);
            }
            Event::GuestNameTaken => self.on_guest_name_taken(),
            Event::WatchesFull { most } => {
                let nick = self.talk.asked.nick.clone();
                let words = Numeric::MonitorFull.words();
                self.voice().number(Numeric::MonitorFull, format_args!("{most} {nick} :{words}"));
            }
            Event::OwnerIs { owner } => {
                let owner = owner.as_ref().map_or("nobody", |owner| owner.as_str());
                let about = format!("{} :The channel is kept, and its owner is {owner}", self.talk.asked.channel);
                self.voice().number(Numeric::NotOperator, format_args!("{about}"));
            }
            other => {
                if let Some(why) = why(other) {
                    self.refuse_command(&why);
                }
            }
        }
    }

    pub(super) fn say_bad_key(&mut self) {
        self.about_channel(Numeric::BadKey);
    }

    pub(super) fn say_needs_account(&mut self) {
        self.refuse_command("That needs an account, and you are a guest");
    }

    /// Who has no other session hears what it says to itself.
    fn say_to_self(&mut self) {
        let What::ToSelf(manner, text) = std::mem::take(&mut self.talk.asked.what) else { return };
        let Some(me) = self.me() else { return };
        let dress = self.dress();
        let (nick, tags) = (dress.nick(&me), Tags { time_ms: self.time_ms, ..Tags::default() });
        let mut line = Vec::new();
        push_said(dress, nick, (manner, nick), tags, &text, &mut line);
        self.talk.lines.append(&mut line);
    }

    fn about_channel(&mut self, numeric: Numeric) {
        let channel = self.talk.asked.channel.clone();
        self.voice().about(numeric, channel);
    }

    fn about_nick(&mut self, numeric: Numeric) {
        let nick = self.talk.asked.nick.clone();
        self.voice().about(numeric, nick);
    }

    fn about_both(&mut self, numeric: Numeric) {
        let what = format!("{} {}", self.talk.asked.nick, self.talk.asked.channel);
        self.voice().about(numeric, what);
    }

    /// A nick of `+o` is on another channel, or nowhere.
    fn look_for(&mut self, who: Who) {
        let asked = Asked { what: What::NotThere, ..std::mem::take(&mut self.talk.asked) };
        self.next(asked, Decoded::Recall(Recall::Whois { who: Some(who) }));
    }

    /// Says whether there is nobody of that name, or somebody who is elsewhere.
    pub(super) fn say_not_there(&mut self, is_online: bool) {
        if is_online { self.about_both(Numeric::NotThere) } else { self.about_nick(Numeric::NoSuchNick) }
    }

    /// Another guest has the name: at the login, or in NICK.
    fn on_guest_name_taken(&mut self) {
        let is_login = !self.is_logged_in();
        self.on_guest_refused(crate::door::reply::GuestRefusal::Taken, is_login);
    }

    /// A refusal for which IRC has no numeric.
    pub(super) fn refuse_command(&mut self, why: &str) {
        let command = match &self.talk.asked.what {
            What::Message(_) | What::ToSelf(..) => "PRIVMSG",
            What::Join { .. } => "JOIN",
            What::SetMode | What::LockMode { .. } => "MODE",
            What::Invite => "INVITE",
            What::SetName(_) => "SETNAME",
            What::Topic => "TOPIC",
            What::Kick => "KICK",
            What::Monitor => "MONITOR",
            _ => "*",
        };
        if command == "SETNAME" {
            self.voice().fail(command, "CANNOT_CHANGE_REALNAME", "", why);
        } else {
            self.voice().refuse(command, "CANNOT", why);
        }
    }
}

/// Why something is refused, for people.
fn why(event: &Event) -> Option<String> {
    Some(match event {
        Event::NeedsAccount => "That needs an account, and you are a guest".to_owned(),
        Event::NotAGuest => "An account keeps its name".to_owned(),
        Event::NotKept => "The server cannot keep it now, try again".to_owned(),
        Event::NothingKept => "Nothing is kept here".to_owned(),
        Event::TooManyWaiting { name } => format!("Too many messages wait for {name}"),
        Event::TakesNone { name } => format!("{name} takes no messages from you"),
        Event::TooManyDays { most } => format!("At most {most} days"),
        Event::OwnsTooMany { most, .. } => format!("An account owns at most {most} kept rooms"),
        Event::KeptFull => "The server keeps no more rooms".to_owned(),
        _ => return None,
    })
}
