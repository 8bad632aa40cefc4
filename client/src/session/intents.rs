//! Execution of commands.

use chatd::text::is_same_name;

use super::Session;
use super::requests::{Listed, Request, Unconfirmed, Way, Words};
use crate::action::{Action, Now, Place, Secret};
use crate::command::{COMMANDS, Deed, Intent};
use crate::visible::is_hidden;

impl Session {
    /// Executes a command, here or by a request to the server.
    pub(super) fn on_intent(&mut self, intent: &Intent<'_>, now: Now) {
        match intent {
            Intent::Empty | Intent::Text(_) | Intent::Act(_) | Intent::Paste | Intent::Edit(_) => {}
            Intent::Everybody(text) => self.say(Place::Public, text, now),
            Intent::Direct { to, text } => self.say(Place::Direct { with: (*to).to_owned() }, text, now),
            Intent::InRoom { room, text } => self.say(Place::Room((*room).to_owned()), text, now),
            Intent::GoPublic => self.go(Place::Public),
            Intent::AskEverybody => self.ask_text_for(Place::Public),
            Intent::Room { room: Some(room), deed: Deed::Join(_) } if self.rooms.find(bare(room)).is_some() => {
                self.go(Place::Room(self.spelled(bare(room))));
            }
            Intent::Forget => {
                let count = self.unconfirmed.len();
                self.unconfirmed.clear();
                self.note("forgotten", format!("{} forgotten", counted(count, "message")));
            }
            Intent::Absent(sentence) => self.trouble("unknown", (*sentence).to_owned()),
            Intent::Help => self.help(),
            Intent::HelpOn(command) => self.note("help", format!("{}: {}", command.usage(), command.help)),
            Intent::Usage(command) if command.arguments.is_empty() => {
                self.trouble("usage", format!("/{} takes no words", command.name));
            }
            Intent::Usage(command) => self.trouble("usage", format!("usage: {}", command.usage())),
            Intent::Unknown { typed, nearest } => {
                let hint = nearest.map_or("/help lists all".to_owned(), |name| format!("did you mean /{name}?"));
                self.trouble("unknown", format!("there is no /{typed}; {hint}"));
            }
            Intent::Indented => {
                let why = "a command must begin at the first character; begin with // to say it as text";
                self.refuse("not-sent", format!("not sent: {why}"));
            }
            Intent::Quit => self.quit(now),
            Intent::Next => self.go_next(now),
            Intent::AskDirect
            | Intent::AskDirectTo(_)
            | Intent::Who(_)
            | Intent::Rooms(_)
            | Intent::Room { .. }
            | Intent::Look(_)
            | Intent::Topic(_)
            | Intent::Lock(_)
            | Intent::People(_)
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
            Intent::Look(look) => self.look(look, now),
            Intent::Topic(rest) => self.set_of_room("TOPIC", rest, now),
            Intent::Lock(rest) => self.set_of_room("LOCK", rest, now),
            Intent::People(people) => self.on_people(people, now),
            Intent::Room { room, deed } => self.on_deed(*room, deed, now),
        }
    }

    /// Executes an operation on a room, on a connection.
    fn on_deed(&mut self, room: Option<&str>, deed: &Deed<'_>, now: Now) {
        let here = if let Place::Room(room) = &self.talk.place { Some(room.clone()) } else { None };
        let Some(room) = room.or(here.as_deref()) else { return self.ask_which_room() };
        // The server decides which names are valid, but nothing invisible may get into the prompt.
        if room.chars().any(is_hidden) {
            return self.trouble("usage", "a room's name is letters, digits or _ . -".to_owned());
        }
        let room = &self.spelled(bare(room));
        let secret = |password: &Option<&str>| password.map(|text| Secret(text.to_owned().into()));
        match deed {
            Deed::Join(password) => self.enter(room, secret(password), Way::Wanted, now),
            Deed::Make(password) => self.enter(room, secret(password), Way::Made, now),
            Deed::Names(prefix) => self.list(Listed::Names, &["NAMES", room], *prefix, now),
            Deed::Invite(name) => self.request(Request::Change { done: String::new() }, &["INVITE", room, name], now),
            Deed::HandOn(name) => {
                let done = format!("you have handed {room} to {name}");
                self.request(Request::Change { done }, &["HOST", room, name], now);
            }
            Deed::Kick(name) => {
                let request = Request::Kick { room: room.to_owned(), name: (*name).to_owned() };
                self.request(request, &["KICK", room, name], now);
            }
            Deed::Close => self.request(Request::Close(room.to_owned()), &["CLOSE", room], now),
            Deed::Leave => self.request(Request::Leave(room.to_owned()), &["LEAVE", room], now),
            Deed::Keep(keeping) => self.keep_room(room, keeping, now),
        }
    }

    /// No room was named, and the user is in none.
    pub(super) fn ask_which_room(&mut self) {
        let names: Vec<&str> = self.rooms.iter().map(|room| room.name.as_str()).collect();
        let text = match names.as_slice() {
            [] => "you are in no room; say which one".to_owned(),
            names => format!("you talk to everybody; say which room (you are in {})", names.join(", ")),
        };
        self.trouble("usage", text);
    }

    /// The server's spelling of a room that the user is in; otherwise the name as typed.
    pub(super) fn spelled(&self, room: &str) -> String {
        self.rooms.find(room).map_or(room, |room| &room.name).to_owned()
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

    /// Sends what the user entered. Without a connection it is kept, and offered after the next login.
    pub(super) fn say(&mut self, place: Place, text: &str, now: Now) {
        if self.deliver(place, text, now) && self.settings.people {
            self.actions.push_back(Action::EraseLine);
        }
    }

    /// Sends a text. True if it was sent.
    fn deliver(&mut self, place: Place, text: &str, now: Now) -> bool {
        let place = if let Place::Room(room) = &place { Place::Room(self.spelled(room)) } else { place };
        let verb: &[&str] = match &place {
            Place::Public => &["PM"],
            Place::Room(room) => &["RM", room],
            Place::Direct { with } => &["DM", with],
        };
        let line = [verb, &[text]].concat();
        // Checked before it is kept, too.
        if !self.can_send("C", &line) {
            return false;
        }
        let words = Words::new(place.clone(), text.to_owned());
        if !self.is_ready() {
            self.note("kept", "not connected: it will be offered to you when you are".to_owned());
            self.keep(Unconfirmed { words, was_sent: false, is_told: true });
            return false;
        }
        let request = Request::Say(Words { sent: Some(self.sent_now()), ..words });
        if text.starts_with(' ') {
            self.request(Request::Open, verb, now);
            self.request_as("D", request, &[text], now);
        } else {
            self.request(request, &line, now);
        }
        true
    }

    /// Sets where the next plain text goes.
    pub(super) fn go(&mut self, place: Place) {
        let text = match &place {
            Place::Room(room) => format!("you talk in {room} now"),
            Place::Public | Place::Direct { .. } => "you talk to everybody now".to_owned(),
        };
        self.go_to(place);
        self.note("place", text);
    }

    /// The user has left a room.
    pub(super) fn leave_room(&mut self, room: &str) {
        if self.drop_room(room) {
            self.go(Place::Public);
        }
    }

    /// The user is no longer in a room, without having left it.
    pub(super) fn lose_room(&mut self, room: &str) {
        if self.drop_room(room) {
            self.go(Place::Public);
            self.go_astray();
        }
    }

    /// Forgets a room. True if plain text went there.
    fn drop_room(&mut self, room: &str) -> bool {
        self.remembered.settle(room);
        let name = self.rooms.leave(room).map_or_else(|| room.to_owned(), |room| room.name);
        self.news.leave(&Place::Room(name.clone()));
        matches!(&self.talk.place, Place::Room(here) if is_same_name(here, &name))
    }

    fn list(&mut self, of: Listed, words: &[&str], prefix: Option<&str>, now: Now) {
        let words: Vec<&str> = words.iter().copied().chain(prefix).collect();
        self.request(Request::List { of, is_shown: true, asks: false }, &words, now);
    }

    fn resend(&mut self, now: Now) {
        if self.unconfirmed.is_empty() {
            let text = match self.requests.iter().filter(|request| matches!(request, Request::Say(_))).count() {
                0 => "everything is confirmed".to_owned(),
                1 => "nothing to send again; one message still waits for its confirmation".to_owned(),
                count => format!("nothing to send again; {count} still wait for their confirmation"),
            };
            self.note("resent", text);
        }
        for Unconfirmed { words, .. } in std::mem::take(&mut self.unconfirmed) {
            self.deliver(words.place, &words.text, now);
        }
    }

    fn help(&mut self) {
        for command in COMMANDS {
            self.note("help", format!("{:<24} {}", command.usage(), command.help));
        }
        for line in [
            "Anything else is said where you are: to everybody, or in the room of the prompt.",
            "//TEXT says /TEXT. PM, DM and EX in capitals, alone on a line, do what they do in nc: ask for a message to",
            "everybody, or for a name and a message, and leave. An empty line cancels a question.",
        ] {
            self.note("help", line.to_owned());
        }
    }
}

/// A room's name without the `#` in front, which no name has.
pub(super) fn bare(room: &str) -> &str {
    room.strip_prefix('#').unwrap_or(room)
}

/// A number and its noun: `1 message`, `2 messages`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
