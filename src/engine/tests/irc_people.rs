//! Clients of IRC who are in: each has agreed on capabilities, and is in `&all`.

use super::monitor::Bench;
use crate::door::irc::{IrcDoor, Options};
use crate::door::{Door, irc};
use crate::hub::command::Command;
use crate::hub::event::Manner;
use crate::hub::names::{RoomName, Who};

/// The capabilities that decide how a broadcast is spelled, in the order of their bits.
pub(super) const SPELLED: [&str; 4] = ["server-time", "message-tags", "account-tag", "extended-join"];

pub(super) fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

pub(super) fn who(name: &str) -> Who {
    Who::parse(name).unwrap()
}

impl Bench {
    /// A client of IRC that is in, as an account or as `~name`, with these capabilities.
    pub(super) fn irc(&mut self, name: &str, caps: &str) -> usize {
        let mut door = IrcDoor::new(std::sync::Arc::new(irc::Server::default()), Options::default());
        let nick = name.trim_start_matches('~');
        for line in ["CAP LS 302", &format!("CAP REQ :{caps}"), &format!("NICK {nick}"), "USER u 0 * :u", "CAP END"] {
            let _nothing = door.decode(line.as_bytes());
            while door.next_step().is_some() {}
            door.end_line(&mut Vec::new());
        }
        let place = self.connect(Door::Irc(Box::new(door))).unwrap();
        let who = who(name);
        self.command(place, Command::LogIn { who, since: 1, called: None });
        let greeting = self.heard_by(place);
        assert!(greeting.ends_with(" &all :End of NAMES list\n"), "{greeting}");
        place
    }

    /// Carries out a command of a client.
    pub(super) fn command(&mut self, place: usize, command: Command<'_>) {
        let id = self.wires[place].id;
        self.begin();
        self.engine.command(id, command);
        self.end();
        self.settle();
    }

    pub(super) fn enter(&mut self, place: usize, room: &str) {
        let (id, room) = (self.wires[place].id, self::room(room));
        let makes = self.engine.hub.find_room(&room).is_none();
        self.begin();
        self.engine.enter_room(id, room, None, makes);
        self.end();
        self.settle();
        self.take(place);
    }

    pub(super) fn say_in(&mut self, place: usize, room: &str, text: &str) {
        let room = self::room(room);
        self.command(place, Command::SayIn { room, text: text.into(), manner: Manner::Text });
    }

    pub(super) fn say(&mut self, place: usize, text: &str) {
        self.command(place, Command::Say { text: text.into(), manner: Manner::Text });
    }

    /// The lines that a client of IRC has heard since the last time, each with LF.
    pub(super) fn heard_by(&mut self, place: usize) -> String {
        let heard = self.take(place);
        assert_eq!(heard.matches('\n').count(), heard.matches("\r\n").count(), "{heard:?}");
        heard.replace("\r\n", "\n")
    }
}
