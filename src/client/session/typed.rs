//! What the user types, and what the user is asked for.

use std::collections::VecDeque;

use super::requests::{Listed, REQUESTS, Request, Way, Words};
use super::rooms::is_same;
use super::{Phase, Session};
use crate::client::action::{Action, Now, Place, Secret};
use crate::client::command::{COMMANDS, Command, Deed, Intent, direct, is_room_name, parse};

/// Lines that may wait to be carried out. A person does not get there, and a script is only asked for one at a time.
const PENDING: usize = 1000;
/// The longest text that is sent, in bytes: what any server could be configured to take, so that none closes the
/// connection for it. Within that, the server says what it takes.
const TEXT_BYTES: usize = 32 * 1024;

/// The user's side of the conversation.
#[derive(Debug)]
pub(super) struct Talk {
    /// Where plain text goes: to everybody, or to a room.
    pub(super) place: Place,
    dialogue: Dialogue,
    /// The place that the user saw in the prompt that is not answered yet.
    asked: Option<Place>,
    /// Lines that wait to be carried out, each with the place that its prompt named.
    pub(super) pending: VecDeque<(String, Option<Place>)>,
    /// Whether the input has ended.
    pub(super) has_ended: bool,
}

/// What the next line is taken for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Dialogue {
    /// A command, or a text for where one is.
    #[default]
    Open,
    /// A text for everybody or for one.
    Text(Place),
    /// A name and a text.
    NameAndText,
}

impl Default for Talk {
    fn default() -> Self {
        Self { place: Place::Public, dialogue: Dialogue::Open, asked: None, pending: VecDeque::new(), has_ended: false }
    }
}

impl Talk {
    /// Whether the user is being asked for a line.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }
}

impl Session {
    /// A line was entered. Where several were pasted as one, each counts as typed.
    pub(super) fn on_input(&mut self, input: &str) {
        let mut seen = self.talk.asked.take();
        let mut lost = 0_usize;
        for line in input.split(['\n', '\r']) {
            if self.talk.pending.len() < PENDING {
                self.talk.pending.push_back((line.to_owned(), seen.take()));
            } else {
                lost += 1;
            }
        }
        if lost > 0 {
            self.trouble("dropped", format!("too many lines at once: {lost} were not taken"));
        }
    }

    /// Carries out what was entered, as far as that can be done now, and asks for more.
    pub(super) fn pump(&mut self, now: Now) {
        if let Some(wanted) = self.keys.deferred
            && !self.talk.is_asked()
        {
            self.want(wanted);
        }
        while self.takes_lines() {
            if let Some((line, seen)) = self.talk.pending.pop_front() {
                self.on_line(&line, seen, now);
            } else if self.talk.has_ended {
                return self.quit(now);
            } else {
                return self.ask();
            }
        }
    }

    fn takes_lines(&self) -> bool {
        let can_wait = self.settings.people && self.was_in;
        match self.phase {
            Phase::Ready { .. } => {
                let is_held = self.requests.len() >= REQUESTS || self.requests.iter().any(Request::holds_prompt);
                self.settings.once.is_none() && !is_held && !self.keys.is_changing()
            }
            Phase::Connecting
            | Phase::Greeting
            | Phase::Named
            | Phase::Login(_)
            | Phase::Waiting { .. }
            | Phase::Away => can_wait && !self.keys.is_asking(),
            Phase::Leaving { .. } | Phase::Over => false,
        }
    }

    fn ask(&mut self) {
        if self.talk.is_asked() {
            return;
        }
        let user = &self.settings.user;
        let offline = if self.is_ready() { "" } else { " (offline)" };
        let prompt = match (&self.talk.dialogue, &self.talk.place) {
            (Dialogue::Text(Place::Direct { with }), _) => format!("your message to {with}? "),
            (Dialogue::Text(Place::Public | Place::Room(_)), _) => "your message? ".to_owned(),
            (Dialogue::NameAndText, _) => "name and message? ".to_owned(),
            (Dialogue::Open, Place::Room(room)) => format!("{user} in {room}{offline}> "),
            (Dialogue::Open, Place::Public | Place::Direct { .. }) => format!("{user}{offline}> "),
        };
        self.talk.asked = Some(self.talk.place.clone());
        self.actions.push_back(Action::AskLine(prompt));
    }

    /// `seen` is the place that the prompt named, if there was one.
    fn on_line(&mut self, line: &str, seen: Option<Place>, now: Now) {
        let dialogue = std::mem::take(&mut self.talk.dialogue);
        let intent = match &dialogue {
            Dialogue::Open => parse(line),
            Dialogue::Text(_) | Dialogue::NameAndText if line.trim().is_empty() => {
                return self.note("cancelled", "cancelled".to_owned());
            }
            // As in the typed dialect of the protocol, a command abandons the question.
            Dialogue::Text(_) | Dialogue::NameAndText if line.starts_with('/') && !line.starts_with("//") => {
                parse(line)
            }
            Dialogue::Text(place) => {
                let text = if line.starts_with("//") { line.get(1..).unwrap_or_default() } else { line };
                return self.say(place.clone(), text, now);
            }
            Dialogue::NameAndText => direct(line),
        };
        if matches!(intent, Intent::Unknown { .. } | Intent::Usage(_)) {
            self.talk.dialogue = dialogue; // a slip does not abandon it
        }
        if let Intent::Text(text) = intent {
            self.on_text(text, seen, now);
        } else {
            self.on_intent(&intent, now);
        }
    }

    /// A text for where the user is, or believes to be.
    fn on_text(&mut self, text: &str, seen: Option<Place>, now: Now) {
        let place = self.talk.place.clone();
        match seen {
            // What was meant for a room must not go to everybody because the room is gone.
            Some(seen) if seen != place => {
                let text = format!("not sent, for you are somewhere else now: {text}");
                self.trouble("not-sent", text);
            }
            Some(_) | None => self.say(place, text, now),
        }
    }

    /// What is done here; the rest is for the server.
    fn on_intent(&mut self, intent: &Intent<'_>, now: Now) {
        match intent {
            Intent::Empty | Intent::Text(_) => {}
            Intent::Everybody(text) => self.say(Place::Public, text, now),
            Intent::Direct { to, text } => self.say(Place::Direct { with: (*to).to_owned() }, text, now),
            Intent::InRoom { room, text } => self.say(Place::Room((*room).to_owned()), text, now),
            Intent::GoPublic => self.go(Place::Public),
            Intent::AskEverybody => self.talk.dialogue = Dialogue::Text(Place::Public),
            Intent::Room { room: Some(room), deed: Deed::Join(_) } if self.rooms.find(room).is_some() => {
                let room = self.rooms.find(room).map_or_else(|| (*room).to_owned(), |room| room.name.clone());
                self.go(Place::Room(room));
            }
            Intent::Forget => {
                let count = self.unconfirmed.len();
                self.unconfirmed.clear();
                self.note("forgotten", format!("{count} messages forgotten"));
            }
            Intent::Help => self.help(),
            Intent::HelpOn(command) => self.note("help", format!("{}: {}", command.usage(), command.help)),
            Intent::Usage(command) => self.trouble("usage", format!("usage: {}", command.usage())),
            Intent::Unknown { typed, nearest } => {
                let hint = nearest
                    .map_or("/help lists all".to_owned(), |near: &Command| format!("did you mean /{}?", near.name));
                self.trouble("unknown", format!("there is no {typed}; {hint}"));
            }
            Intent::Quit => self.quit(now),
            Intent::AskDirect
            | Intent::AskDirectTo(_)
            | Intent::Who(_)
            | Intent::Rooms(_)
            | Intent::Room { .. }
            | Intent::Passwd
            | Intent::Resend
                if !self.is_ready() =>
            {
                self.trouble("offline", "not connected; /quit leaves".to_owned());
            }
            Intent::AskDirect => {
                self.request(Request::List { of: Listed::Names, is_shown: true, asks: true }, &["WHO"], now);
            }
            Intent::AskDirectTo(name) => self.request(Request::Find((*name).to_owned()), &["DM", name], now),
            Intent::Who(prefix) => self.list(Listed::Names, &["WHO"], *prefix, now),
            Intent::Rooms(prefix) => self.list(Listed::Rooms, &["ROOMS"], *prefix, now),
            Intent::Passwd => self.change_password(now),
            Intent::Resend => self.resend(now),
            Intent::Room { room, deed } => self.on_deed(*room, deed, now),
        }
    }

    /// What is done with a room, on a connection.
    fn on_deed(&mut self, room: Option<&str>, deed: &Deed<'_>, now: Now) {
        let here = if let Place::Room(room) = &self.talk.place { Some(room.clone()) } else { None };
        let Some(room) = room.or(here.as_deref()) else {
            return self.trouble("usage", "you are in no room; say which one".to_owned());
        };
        if !is_room_name(room) {
            let text = "a room's name is 1 to 32 letters, digits or _ . -";
            return self.trouble("usage", text.to_owned());
        }
        let secret = |password: &Option<&str>| password.map(|text| Secret(text.to_owned().into()));
        match deed {
            Deed::Join(password) => self.enter(room, secret(password), Way::Wanted, now),
            Deed::Make(password) => self.enter(room, secret(password), Way::Made, now),
            Deed::Names(prefix) => self.list(Listed::Names, &["NAMES", room], *prefix, now),
            Deed::Kick(name) => self.request(Request::Other, &["KICK", room, name], now),
            Deed::Close => self.request(Request::Other, &["CLOSE", room], now),
            Deed::Leave => self.request(Request::Leave(room.to_owned()), &["LEAVE", room], now),
        }
    }

    /// Enters a room.
    pub(super) fn enter(&mut self, room: &str, password: Option<Secret>, way: Way, now: Now) {
        let verb = if matches!(way, Way::Made | Way::Remade) { "MAKE" } else { "JOIN" };
        let request = Request::Enter { room: room.to_owned(), password: password.clone(), way };
        match &password {
            Some(password) => self.request(request, &[verb, room, &password.0], now),
            None => self.request(request, &[verb, room], now),
        }
    }

    /// Says something; without a connection it is kept, to be offered when there is one.
    pub(super) fn say(&mut self, place: Place, text: &str, now: Now) {
        let text = text.trim_start_matches(' ');
        if text.len() > TEXT_BYTES {
            return self.trouble("too-long", format!("not sent: a text has at most {TEXT_BYTES} bytes"));
        }
        let words = Words { place, text: text.to_owned() };
        if !self.is_ready() {
            self.note("kept", "not connected: it will be offered to you when you are".to_owned());
            return self.keep(words);
        }
        let request = Request::Say(words.clone());
        match &words.place {
            Place::Public => self.request(request, &["PM", text], now),
            Place::Room(room) => self.request(request, &["RM", room, text], now),
            Place::Direct { with } => self.request(request, &["DM", with, text], now),
        }
    }

    /// The next plain text goes there.
    pub(super) fn go(&mut self, place: Place) {
        let text = match &place {
            Place::Room(room) => format!("you talk in {room} now"),
            Place::Public | Place::Direct { .. } => "you talk to everybody now".to_owned(),
        };
        self.talk.place = place;
        self.note("place", text);
    }

    /// The user is not in a room any more.
    pub(super) fn gone_from(&mut self, room: &str) {
        self.rooms.leave(room);
        if matches!(&self.talk.place, Place::Room(here) if is_same(here, room)) {
            self.go(Place::Public);
        }
    }

    /// The next line is the text for somebody.
    pub(super) fn ask_text_to(&mut self, name: String) {
        self.talk.dialogue = Dialogue::Text(Place::Direct { with: name });
    }

    /// The next line is a name and a text.
    pub(super) fn ask_name_and_text(&mut self) {
        self.talk.dialogue = Dialogue::NameAndText;
    }

    fn list(&mut self, of: Listed, words: &[&str], prefix: Option<&str>, now: Now) {
        let words: Vec<&str> = words.iter().copied().chain(prefix).collect();
        self.request(Request::List { of, is_shown: true, asks: false }, &words, now);
    }

    fn resend(&mut self, now: Now) {
        if self.unconfirmed.is_empty() {
            self.note("resent", "everything is confirmed".to_owned());
        }
        for words in std::mem::take(&mut self.unconfirmed) {
            self.say(words.place, &words.text, now);
        }
    }

    fn help(&mut self) {
        for command in COMMANDS {
            self.note("help", format!("{:<24} {}", command.usage(), command.help));
        }
        for line in [
            "Anything else is said where you are: to everybody, or in the room of the prompt.",
            "//TEXT says /TEXT. A line that starts with PM or DM in capitals, and EX alone, do what they do in nc;",
            "with a space in front they are text like any other. An empty line cancels a question.",
        ] {
            self.note("help", line.to_owned());
        }
    }
}
