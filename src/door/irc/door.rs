//! The dialogue with one client.

use std::sync::Arc;

use super::answer::same;
use super::caps::Caps;
use super::label::Label;
use super::message::{Bad, Message};
use super::names;
use super::numerics::Numeric;
use super::request::Request;
use super::sasl::Sasl;
use super::seldom::{Left, Seldom};
use super::server::{Options, Server};
use super::spell::{self, Dress};
use super::stage::Stage;
use super::step::{Asked, Step, What};
use super::talk::Talk;
use super::traced;
use super::voice::Voice;
use crate::close::CloseReason;
use crate::door::decoded::{Decoded, Kind, Spelling};
use crate::door::foreign::{self, ProxyWatch};
use crate::door::recall::Wants;
use crate::hub::event::{Event, Leaving, News};
use crate::hub::names::{RoomName, UserName, Who};
use crate::limits::{IRC_FRAME_BYTES, LOGIN_LINE_BYTES};
use crate::text::without_mark;

/// The dialogue of one connection at the IRC door.
#[derive(Debug)]
pub struct IrcDoor {
    pub(super) server: Arc<Server>,
    pub(super) options: Options,
    pub(super) caps: Caps,
    /// True for a client that has asked for version 302 of CAP.
    pub(super) is_302: bool,
    pub(super) stage: Stage,
    pub(super) papers: Seldom<Papers>,
    /// The rooms that the session is in, as their makers spelled them: clients see one spelling of each.
    pub(super) rooms: Vec<RoomName>,
    pub(super) talk: Seldom<Talk>,
    /// Batches of this connection.
    pub(super) batches: u32,
    /// The client has been told that it is in `&all`, where it may not be any more.
    pub(super) is_greeted: bool,
    /// The session hears what is said to everybody: it is in `&all`.
    pub(super) attends: bool,
    /// Now, in milliseconds since 1970.
    pub(super) time_ms: u64,
    proxy: ProxyWatch,
}

/// Who a client says it is. Of one that is in, this is left if it has a realname of its own.
#[derive(Debug, Default)]
pub(super) struct Papers {
    /// The realname of USER, unless it is the name of the account.
    pub(super) called: Option<Box<str>>,
    /// The account whose password was right, before its session begins.
    pub(super) proved: Option<UserName>,
    /// The exchange of SASL, while there is one.
    pub(super) sasl: Option<Box<Sasl>>,
}

impl Left for Papers {
    fn is_nothing(&self) -> bool {
        self.called.is_none() && self.proved.is_none() && self.sasl.is_none()
    }
}

impl IrcDoor {
    /// The state of a new connection.
    pub fn new(server: Arc<Server>, options: Options) -> Self {
        Self {
            server,
            options,
            caps: Caps::default(),
            is_302: false,
            stage: Stage::Arriving(Box::default()),
            papers: Seldom::default(),
            rooms: Vec::new(),
            talk: Seldom::default(),
            batches: 0,
            is_greeted: false,
            attends: true,
            time_ms: 0,
            proxy: ProxyWatch::default(),
        }
    }

    /// The longest line that is accepted now, in bytes with its end.
    pub fn frame_limit(&self) -> usize {
        if self.is_logged_in() { IRC_FRAME_BYTES } else { LOGIN_LINE_BYTES }
    }

    /// Whether it has a session.
    pub fn is_logged_in(&self) -> bool {
        self.stage.is_in()
    }

    /// The nick without a guest's mark: the name of the account that it asks for.
    pub(super) fn own_name(&self) -> &str {
        self.stage.own_name()
    }

    /// Whether its session is that of an account.
    pub(super) fn is_account(&self) -> bool {
        matches!(self.stage, Stage::Account(_))
    }

    /// Whether the next line may contain a password. NickServ takes passwords at any time, but after the login only in
    /// lines to it: [`has_secret`](Self::has_secret) tells those.
    pub fn expects_secret(&self) -> bool {
        !self.is_logged_in()
    }

    /// Whether a line, given without its end, may contain a password.
    pub fn has_secret(&self, line: &[u8]) -> bool {
        const WORDS: [&[u8]; 5] = [b"authenticate", b"nickserv", b"ns ", b"register", b"pass "];
        let lower = line.to_ascii_lowercase();
        !self.is_logged_in() || WORDS.iter().any(|word| memchr::memmem::find(&lower, word).is_some())
    }

    /// A line, given without its end, as a trace shows it.
    pub fn traced(&self, line: &[u8]) -> String {
        traced::traced(line, self.has_secret(line))
    }

    /// Notes the time, in milliseconds since 1970. Called before a line is decoded and before an answer is encoded.
    pub fn note_time(&mut self, time_ms: u64) {
        self.time_ms = time_ms;
    }

    /// The spelling of what is said to everybody; `None` before the client is told that it is in `&all`.
    pub fn kind(&self) -> Option<Kind> {
        self.is_greeted.then(|| Kind::Irc(self.caps.bits()))
    }

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

    /// True if the session asks for all of these.
    pub fn wants(&self, wants: Wants) -> bool {
        wants == Wants::OWN && self.caps.has(Caps::ECHO_MESSAGE)
            || wants == Wants::READS && self.caps.has(Caps::READ_MARKER)
    }

    /// Recognises another protocol in the first bytes. Returns the reason to close the connection.
    pub fn sniff(&self, bytes: &[u8], limit: usize) -> Option<CloseReason> {
        let is_first = matches!(&self.stage, Stage::Arriving(arriving)
            if !arriving.has_nick && !arriving.has_user && !arriving.negotiates);
        if !is_first {
            return None;
        }
        if foreign::begins_tls(without_mark(bytes)) {
            return Some(CloseReason::NotAChatClient);
        }
        let begun = bytes.get(..limit).filter(|start| !start.contains(&b'\n'))?;
        foreign::protocol(without_mark(begun), false)
    }

    /// Decodes a line, given without its LF. It may be the first of several steps: [`next_step`](Self::next_step) gives the
    /// others, each to be asked for when the one before is answered, and [`end_line`](Self::end_line) comes behind the
    /// last one.
    pub fn decode<'a>(&mut self, line: &'a [u8]) -> Decoded<'a> {
        self.talk.asked = Asked::default();
        self.talk.steps.clear();
        (self.talk.is_bad, self.talk.is_open) = (false, true);
        let line = if self.is_untouched() {
            if self.proxy.handle_line(line) {
                return Decoded::Refuse(CloseReason::ProxyHeader);
            }
            let line = without_mark(line);
            if let Some(reason) = foreign::protocol(line, true) {
                return Decoded::Refuse(reason);
            }
            line
        } else {
            line
        };
        match Message::parse(line) {
            None => Decoded::Nothing,
            Some(Ok(message)) => {
                if let Some(label) = message.label.filter(|_| self.caps.has(Caps::LABELED_RESPONSE)) {
                    self.talk.label = Some(Box::new(Label::new(label)));
                }
                self.on_message(message)
            }
            Some(Err(bad)) => {
                if let Some(label) = Message::label_of(line).filter(|_| self.caps.has(Caps::LABELED_RESPONSE)) {
                    self.talk.label = Some(Box::new(Label::new(label)));
                }
                self.on_bad(bad)
            }
        }
    }

    /// A line was longer than [`frame_limit`](Self::frame_limit).
    pub fn on_too_long(&mut self) {
        self.on_bad(Bad::TooLong);
    }

    fn on_bad(&mut self, bad: Bad) -> Decoded<'static> {
        self.talk.is_bad = true;
        let mut voice = self.voice();
        match bad {
            Bad::TooLong => voice.say(Numeric::TooLong),
            Bad::NotUtf8 => voice.fail("*", "INVALID_UTF8", "", "A line is UTF-8"),
            Bad::Bytes => voice.fail("*", "INVALID_TEXT", "", "A line holds no control characters"),
            Bad::NoCommand => voice.about(Numeric::UnknownCommand, "*"),
        }
        Decoded::Nothing
    }

    /// True before the first line of a registration.
    fn is_untouched(&self) -> bool {
        matches!(&self.stage, Stage::Arriving(arriving)
            if !arriving.has_nick && !arriving.has_user && !arriving.negotiates)
    }

    /// The next step of the last line, and whether it counts as a line for the rates. `None` if there is none.
    pub fn next_step(&mut self) -> Option<(Decoded<'static>, bool)> {
        if let Some(reason) = self.talk.closes.take() {
            self.talk.steps.clear();
            return Some((Decoded::Refuse(reason), false));
        }
        if let Some(Step { decoded, asked, counts }) = self.talk.steps.pop_front() {
            self.talk.asked = asked;
            return Some((decoded, counts));
        }
        self.complete().map(|decoded| (decoded, false))
    }

    /// True from [`decode`](Self::decode) until [`end_line`](Self::end_line).
    pub fn is_answering(&self) -> bool {
        self.talk.get().is_some_and(|talk| talk.is_open)
    }

    /// Whether it holds memory of an answer.
    #[cfg(test)]
    pub fn keeps_an_answer(&self) -> bool {
        self.talk.get().is_some()
    }

    /// True if the last line of a client who is in has no step left.
    pub fn is_answered(&self) -> bool {
        let Some(talk) = self.talk.get() else { return false };
        let is_last = talk.is_open && talk.steps.is_empty() && talk.closes.is_none();
        is_last && self.proved().is_none() && self.is_logged_in()
    }

    /// True if the [next step](Self::next_step) counts as a line for the rates.
    pub fn counts_next(&self) -> bool {
        self.talk.get().and_then(|talk| talk.steps.front()).is_some_and(|step| step.counts)
    }

    /// The last line is answered: appends what is left of its answer to `out`. True if the line counts as a bad one.
    pub fn end_line(&mut self, out: &mut Vec<u8>) -> bool {
        if let Some(label) = self.talk.label.take() {
            let lines = std::mem::take(&mut self.talk.lines);
            let server = Arc::clone(&self.server);
            let dress = Dress { server: &server, caps: self.caps, time_ms: self.time_ms };
            label.end(dress, || self.next_batch(), &lines, out);
        } else {
            out.extend_from_slice(&self.talk.lines);
        }
        self.talk.lines = Vec::new();
        self.talk.asked = Asked::default();
        self.talk.is_open = false;
        let is_bad = std::mem::take(&mut self.talk.is_bad);
        self.talk.rest();
        is_bad
    }

    /// Hands out answers, unless they wait for the end of a line with a label.
    pub(super) fn hand_out(&mut self, out: &mut Vec<u8>) {
        match self.talk.label.take() {
            None => out.append(&mut self.talk.lines),
            Some(mut label) => {
                if !self.talk.steps.is_empty() && !self.talk.lines.is_empty() {
                    let lines = std::mem::take(&mut self.talk.lines);
                    let server = Arc::clone(&self.server);
                    let dress = Dress { server: &server, caps: self.caps, time_ms: self.time_ms };
                    label.begin(dress, || self.next_batch(), &lines, out);
                }
                self.talk.label = Some(label);
            }
        }
        self.talk.rest();
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

    /// Appends the last answers to a connection that is not admitted to `out`.
    pub fn refuse(&mut self, reason: &CloseReason, out: &mut Vec<u8>) {
        self.say_goodbye(&reason.to_string());
        self.talk.label = None;
        self.hand_out(out);
    }

    /// The session is in a room no longer, without having asked.
    pub(super) fn forget_room(&mut self, event: &Event) {
        if let Event::Gone { room, .. } | Event::RoomClosed { room, .. } = event {
            self.rooms.retain(|other| other != room);
        }
    }

    /// The channel of a room, in the spelling that this client has seen if it is there.
    pub(super) fn channel_of(&self, room: &RoomName) -> String {
        let shown = self.rooms.iter().find(|other| *other == room).unwrap_or(room);
        names::channel(shown).to_string()
    }

    pub(super) fn say_goodbye(&mut self, why: &str) {
        self.voice().bare_line(format_args!("ERROR :Closing link: {why}"));
    }

    pub(super) fn voice(&mut self) -> Voice<'_> {
        Voice {
            server: &self.server,
            caps: self.caps,
            time_ms: self.time_ms,
            me: self.stage.nick(),
            out: &mut self.talk.lines,
        }
    }

    /// The account whose password was right, before its session begins.
    pub(super) fn proved(&self) -> Option<&UserName> {
        self.papers.get()?.proved.as_ref()
    }

    /// How the client calls itself.
    pub(super) fn called(&self) -> Option<Box<str>> {
        self.papers.get()?.called.clone()
    }

    /// Who the session is.
    pub(super) fn me(&self) -> Option<Who> {
        self.stage.who()
    }

    /// The client's nick as it is shown, `*` before it has one.
    pub(super) fn nick(&self) -> &str {
        self.stage.nick()
    }

    /// A name for the next batch.
    pub(super) fn next_batch(&mut self) -> String {
        self.batches = self.batches.wrapping_add(1);
        format!("{}", self.batches)
    }

    /// Asks for something, of which `asked` is remembered until it is answered.
    pub(super) fn ask<'a>(&mut self, asked: Asked, decoded: Decoded<'a>) -> Decoded<'a> {
        self.talk.asked = asked;
        decoded
    }

    /// Asks the engine for something.
    pub(super) fn request(&mut self, asked: Asked, request: Request) -> Decoded<'static> {
        self.ask(asked, Decoded::Irc(Box::new(request)))
    }

    /// A step behind those that wait.
    pub(super) fn then(&mut self, asked: Asked, decoded: Decoded<'static>, counts: bool) {
        self.talk.steps.push_back(Step { decoded, asked, counts });
    }

    /// A step before those that wait.
    pub(super) fn next(&mut self, asked: Asked, decoded: Decoded<'static>) {
        self.talk.steps.push_front(Step { decoded, asked, counts: false });
    }

    /// Begins with the first step that waits.
    pub(super) fn begin(&mut self) -> Decoded<'static> {
        let Some(Step { decoded, asked, .. }) = self.talk.steps.pop_front() else { return Decoded::Nothing };
        self.ask(asked, decoded)
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

    /// Closes once the current step is answered.
    pub(super) fn close_next(&mut self, reason: CloseReason) {
        self.talk.closes = Some(reason);
    }

    /// True if the current question is about this.
    pub(super) fn is_asked(&self, is_it: impl Fn(&What) -> bool) -> bool {
        is_it(&self.talk.asked.what)
    }
}

fn closing_words(why: &crate::hub::event::Closing) -> String {
    use crate::hub::event::Closing;
    match why {
        Closing::ByHost => "closed by its host".to_owned(),
        Closing::HostLeft => "its host has left".to_owned(),
        Closing::ByOperator(reason) if reason.is_empty() => "closed by the operator".to_owned(),
        Closing::ByOperator(reason) => format!("closed by the operator: {reason}"),
    }
}
