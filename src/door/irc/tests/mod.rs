//! The dialogue: lines in, steps and lines out. The answers of the hub are the tests' own.

mod channels;
mod chat;
mod coming_in;
mod past;
mod people;
mod properties;
mod rooms;
mod talking;

use std::sync::Arc;

use super::{IrcDoor, Options, Request, Server};
use crate::door::decoded::Decoded;
use crate::door::recall::Recalled;
use crate::door::reply::Reply;
use crate::hub::command::Command;
use crate::hub::command::Entry;
use crate::hub::event::{Census, Event, Manner, Message};
use crate::hub::names::{RoomName, UserName, Who};
use crate::hub::record::{Fate, Topic};
use crate::hub::room::RoomId;
use crate::hub::session::SessionId;
use crate::hub::{Hub, Rules};

/// A client, and what it has got.
struct Client {
    door: IrcDoor,
    out: Vec<u8>,
}

impl Client {
    fn new(options: Options) -> Self {
        Self::of(Server::default(), options)
    }

    fn of(server: Server, options: Options) -> Self {
        let mut door = IrcDoor::new(Arc::new(server), options);
        door.note_time(1_795_714_284_250);
        Self { door, out: Vec::new() }
    }

    /// Alice, who has logged in, with these capabilities.
    fn alice(caps: &str) -> Self {
        let mut alice = Self::new(Options::default());
        alice.all(&format!("CAP REQ :{caps}"));
        alice.all("NICK Alice");
        alice.all("USER a 0 * :Alice A");
        alice.first("CAP END");
        alice.all("NS IDENTIFY secret");
        alice.reply(&Reply::Proved { name: name("Alice") });
        assert!(matches!(alice.next(), Some(Decoded::Irc(request)) if matches!(*request, Request::EnterProved { .. })));
        alice.event(&Event::Welcome { name: name("Alice").into(), online: 1 });
        while alice.next().is_some() {}
        alice.end();
        alice.taken();
        alice
    }

    /// The first step of a line.
    fn first(&mut self, line: &str) -> String {
        let line = line.to_owned();
        let decoded = format!("{:?}", self.door.decode(line.as_bytes()));
        decoded
    }

    /// A line without steps, to its end.
    #[track_caller]
    fn all(&mut self, line: &str) -> String {
        self.first(line);
        while self.door.next_step().is_some() {}
        self.end();
        self.taken()
    }

    fn next(&mut self) -> Option<Decoded<'static>> {
        self.door.next_step().map(|(decoded, _)| decoded)
    }

    fn event(&mut self, event: &Event) {
        self.door.encode_event(event, &mut self.out);
    }

    fn reply(&mut self, reply: &Reply) {
        self.door.encode_reply(reply, &mut self.out);
    }

    fn end(&mut self) -> bool {
        self.door.end_line(&mut self.out)
    }

    /// The answer of the hub to a line.
    fn answer(&mut self, line: &str, event: &Event) -> String {
        self.first(line);
        self.event(event);
        while self.door.next_step().is_some() {}
        self.end();
        self.taken()
    }

    /// The answer of the store to a line.
    fn recall(&mut self, line: &str, recalled: Recalled) -> String {
        self.first(line);
        self.reply(&Reply::Recalled(Box::new(recalled)));
        self.end();
        self.taken()
    }

    /// The client is in a room that it made.
    fn join(&mut self, room: &str) {
        self.first(&format!("JOIN #{room}"));
        self.event(&entered(room, None, false));
        while self.door.next_step().is_some() {}
        self.end();
        self.taken();
    }

    /// What it has got since the last time.
    fn taken(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.out)).unwrap().replace("\r\n", "\n")
    }
}

fn name(text: &str) -> UserName {
    UserName::from_record(text).unwrap()
}

fn who(text: &str) -> Who {
    Who::parse(text).unwrap()
}

fn room(text: &str) -> RoomName {
    RoomName::parse(text).unwrap()
}

fn message(from: &str, text: &str) -> Message {
    let id = (1_795_714_284_250 << 20) + 7;
    Message { id, from: who(from), text: text.into(), manner: Manner::Text, fate: Fate::Unkept }
}

const CENSUS: Census = Census { accounts: 1, guests: 0, sessions: 1, rooms: 0, most_sessions: 3 };

const RULES: Rules =
    Rules { sessions_per_account: 2, list_lines: 200, rooms_per_session: 2, room_members: 3, keep_days: 30 };

/// The id of some room. Only a hub gives any.
fn any_room() -> RoomId {
    let me = SessionId { slot: 1, generation: 0 };
    let mut hub = Hub::new(RULES);
    hub.handle(me, Command::LogIn { who: who("bob"), since: 1, called: None }, 1);
    hub.handle(me, Command::Make(Entry { room: room("a"), lock: None }), 1);
    let is_in = |(_, event)| if let Event::Entered { id, .. } = event { Some(id) } else { None };
    std::iter::from_fn(|| hub.poll_event()).find_map(is_in).expect("the room is made")
}

fn entered(name: &str, topic: Option<&str>, is_kept: bool) -> Event {
    let topic = topic.map(|text| Topic { by: "bob".into(), text: text.into(), set_ms: 1_795_714_284_250 });
    let kept = is_kept.then_some(30);
    Event::Entered { room: room(name), id: any_room(), kept, again: false, topic, host: None }
}

/// The command of a step.
#[track_caller]
fn command(decoded: Option<Decoded<'static>>) -> Command<'static> {
    match decoded {
        Some(Decoded::Command(command)) => command,
        other => panic!("{other:?} is no command"),
    }
}
