//! Several clients and the hub: what the engine does for them, as far as they see it. Every password is `secret`.

use super::*;
use crate::door::irc::Server;
use crate::door::recall::{Known, Recall, Whois};
use crate::door::{self, Scene, Spelling};
use crate::hub::event::Audience;
use crate::hub::record::Lock;

const RULES: Rules =
    Rules { sessions_per_account: 4, list_lines: 200, rooms_per_session: 32, room_members: 100, keep_days: 30 };
/// Milliseconds since 1970.
const NOW: u64 = 1_795_714_284_250;

/// A hub and its clients.
pub(super) struct Chat {
    hub: Hub,
    pub(super) clients: Vec<Client>,
}

impl Chat {
    pub(super) fn new() -> Self {
        let mut hub = Hub::new(RULES);
        hub.tell_neighbours(true);
        Self { hub, clients: Vec::new() }
    }

    /// One more client, which has logged in: `~name` as a guest.
    pub(super) fn enter(&mut self, name: &str, caps: &str) -> usize {
        let (place, guest) = (self.clients.len(), name.strip_prefix('~'));
        self.clients.push(Client::new(Options { guests: guest.is_some(), sts: None }));
        self.send(place, &format!("CAP REQ :{caps}"));
        if guest.is_none() {
            self.send(place, &format!("PASS {name}:secret"));
        }
        self.send(place, &format!("NICK {}", guest.unwrap_or(name)));
        self.send(place, "USER x 0 * :Somebody");
        self.send(place, "CAP END");
        let greeting = self.taken(place);
        assert!(greeting.contains(" 366 "), "{greeting}");
        place
    }

    /// A line of a client, to its end.
    pub(super) fn send(&mut self, place: usize, line: &str) {
        self.send_bytes(place, line.as_bytes());
    }

    pub(super) fn send_bytes(&mut self, place: usize, line: &[u8]) {
        let line = line.to_vec();
        let decoded = self.clients[place].door.decode(&line);
        // Carrying it out needs the door, so what the line lends is given back first.
        self.carry_out(place, owned(decoded));
        while let Some(decoded) = self.clients[place].next() {
            self.carry_out(place, decoded);
        }
        self.clients[place].end();
    }

    /// What a client has got since the last time.
    pub(super) fn taken(&mut self, place: usize) -> String {
        self.clients[place].taken()
    }

    fn carry_out(&mut self, place: usize, decoded: Decoded<'static>) {
        match decoded {
            Decoded::Command(command) => self.command(place, command),
            Decoded::Irc(request) => self.on_request(place, *request),
            Decoded::Recall(Recall::Whois { who: Some(who) }) => {
                let (sessions, rooms) = (self.hub.sessions_named(&who).len(), self.hub.rooms_named(&who));
                let answer =
                    if sessions > 0 { Recalled::Whois(whois(who, sessions, rooms)) } else { Recalled::NoSuchUser };
                self.clients[place].reply(&Reply::Recalled(Box::new(answer)));
            }
            Decoded::Recall(Recall::Lock { room, password }) => {
                let lock = password.map(|password| Lock::unsealed(password.0));
                self.command(place, Command::LockRoom { room, lock });
            }
            Decoded::Recall(_) => self.clients[place].reply(&Reply::Recalled(Box::new(Recalled::NothingKept))),
            _ => {}
        }
    }

    fn on_request(&mut self, place: usize, request: Request) {
        match request {
            Request::Prove { name, password } if password.as_bytes() == b"secret" => {
                self.clients[place].reply(&Reply::Proved { name });
            }
            Request::Prove { .. } => self.clients[place].reply(&Reply::WrongPassword(2)),
            Request::Register { name, .. } => self.clients[place].reply(&Reply::Proved { name }),
            Request::ChangePassword { .. } => self.clients[place].reply(&Reply::PasswordChanged),
            Request::EnterProved { called } => {
                let who = self.clients[place].door.proved().cloned().expect("a password was right");
                self.command(
                    place,
                    Command::LogIn { who: who.into(), since: 1, called: called.map(String::from).map(Into::into) },
                );
            }
            Request::EnterAsGuest { guest, called } => {
                if self.hub.is_guest_here(&guest.clone().into()) {
                    return self.clients[place].event(&Event::GuestNameTaken);
                }
                let called = called.map(String::from).map(Into::into);
                self.command(place, Command::LogIn { who: guest.into(), since: 0, called });
            }
            Request::EnterRoom { room, password, makes } => {
                let lock = password.map(|password| Lock::unsealed(&password.0));
                let entry = Entry { room, lock };
                self.command(place, if makes { Command::Make(entry) } else { Command::Join(entry) });
            }
            Request::Quit { text } => {
                self.clients[place].reply(&Reply::Bye);
                self.command(place, Command::Leave { text: text.map(String::from).map(Into::into) });
            }
        }
    }

    fn command(&mut self, place: usize, command: Command<'_>) {
        self.hub.handle(session(place), command, NOW);
        while let Some((audience, event)) = self.hub.poll_event() {
            self.deliver(audience, &event);
        }
    }

    fn deliver(&mut self, audience: Audience, event: &Event) {
        let hearers: Vec<SessionId> = match audience {
            Audience::One(session) => {
                if let Some(client) = self.clients.get_mut(session.slot as usize) {
                    client.event(event);
                }
                return;
            }
            Audience::Others(except) => {
                let hears = |id: &&SessionId| **id != except && self.hub.attends(**id);
                self.hub.everyone().iter().filter(hears).copied().collect()
            }
            Audience::Person { who, except } => {
                self.hub.sessions_named(&who).iter().filter(|id| **id != except).copied().collect()
            }
            Audience::Room { room, except } => {
                let members = self.hub.members_of(room).iter().map(|member| member.session);
                members.filter(|id| Some(*id) != except).collect()
            }
            Audience::Watchers(who) => self.hub.watchers_of(&who).to_vec(),
            Audience::Neighbours(sessions) => sessions,
            Audience::Members { members, .. } => members.iter().map(|member| member.session).collect(),
        };
        for id in hearers {
            self.tell(id, event);
        }
    }

    fn tell(&mut self, id: SessionId, event: &Event) {
        let Some(Client { door, out }) = self.clients.get_mut(id.slot as usize) else { return };
        match door.spelling(event) {
            Spelling::Untold => {}
            Spelling::Own => door.encode_told(event, out),
            Spelling::Shared(kind) => {
                door::encode(kind, event, Scene { irc: &Server::default(), unix_ms: NOW }, out);
            }
        }
    }
}

fn session(place: usize) -> SessionId {
    SessionId { slot: place as u32, generation: 0 }
}

fn whois(who: Who, sessions: usize, rooms: Vec<(RoomName, bool)>) -> Whois {
    match who {
        Who::Guest(_) => Whois::Guest { name: who, away: None, called: None, rooms },
        Who::Account(name) => Whois::Account(Box::new(Known {
            name,
            sessions,
            since: 1,
            idle_s: None,
            away: None,
            called: None,
            rooms,
            seen_ms: None,
            profile: Vec::new(),
        })),
    }
}

/// The same step, without what it borrows from the line.
fn owned(decoded: Decoded<'_>) -> Decoded<'static> {
    let leaked = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let text = |text: std::borrow::Cow<'_, str>| -> std::borrow::Cow<'static, str> { text.into_owned().into() };
    match decoded {
        Decoded::Command(command) => Decoded::Command(match command {
            Command::Say { text: said, manner } => Command::Say { text: text(said), manner },
            Command::SayIn { room, text: said, manner } => Command::SayIn { room, text: text(said), manner },
            Command::Tell { to, account, text: said, manner } => {
                Command::Tell { to, account, text: text(said), manner }
            }
            Command::Who { prefix, most } => Command::Who { prefix: text(prefix), most },
            Command::AreOn { names } => Command::AreOn { names },
            Command::Rooms { prefix } => Command::Rooms { prefix: text(prefix) },
            Command::Names { room, prefix, most } => Command::Names { room, prefix: text(prefix), most },
            Command::Topic { room, text: said } => Command::Topic { room, text: said.map(text) },
            Command::Away { text: said } => Command::Away { text: said.map(text) },
            Command::Set { key, value } => Command::Set { key, value: value.map(text) },
            Command::Kick { room, name, text: said } => Command::Kick { room, name, text: said.map(text) },
            Command::LeaveRoom { room, text: said } => Command::LeaveRoom { room, text: said.map(text) },
            Command::Rename { guest } => Command::Rename { guest },
            Command::Invite { room, name } => Command::Invite { room, name },
            Command::HandOn { room, name } => Command::HandOn { room, name },
            Command::Attend { public } => Command::Attend { public },
            Command::Keep { room, how } => Command::Keep { room, how },
            Command::Watch(watch) => Command::Watch(watch),
            Command::Census => Command::Census,
            other => panic!("{other:?} is no first step"),
        }),
        Decoded::Recall(Recall::Lock { room, password }) => {
            let password = password.map(|password| crate::secret::Masked(leaked(password.0)));
            Decoded::Recall(Recall::Lock { room, password })
        }
        Decoded::Recall(Recall::Whois { who }) => Decoded::Recall(Recall::Whois { who }),
        Decoded::Recall(_) => Decoded::Recall(Recall::Unread),
        Decoded::Irc(request) => Decoded::Irc(request),
        Decoded::Refuse(reason) => Decoded::Refuse(reason),
        _ => Decoded::Nothing,
    }
}

#[test]
fn a_room_and_its_people() {
    let mut chat = Chat::new();
    let (alice, bob) = (chat.enter("Alice", ""), chat.enter("~bob", "extended-join away-notify"));
    chat.send(alice, "JOIN #Lobby");
    assert_eq!(
        chat.taken(alice),
        ":Alice!account@chatd.local JOIN #Lobby\n:chatd.local 353 Alice = #Lobby :@Alice\n\
         :chatd.local 366 Alice #Lobby :End of NAMES list\n"
    );
    chat.send(bob, "join #lobby");
    assert!(chat.taken(bob).contains(":^bob!guest@chatd.local JOIN #Lobby * :Somebody\n"));
    assert_eq!(chat.taken(alice), ":^bob!guest@chatd.local JOIN #Lobby\n");
    chat.send(bob, "JOIN #LOBBY");
    assert_eq!(chat.taken(bob), "", "again is silent");
    chat.send(bob, "PRIVMSG #lobby :\u{1}ACTION waves\u{1}");
    assert_eq!(chat.taken(alice), ":^bob!guest@chatd.local PRIVMSG #Lobby :\u{1}ACTION waves\u{1}\n");
    chat.send(alice, "PRIVMSG ~bob :psst");
    assert_eq!(chat.taken(bob), ":Alice!account@chatd.local PRIVMSG ^bob :psst\n");
    chat.send(alice, "NOTICE &all :hi");
    assert_eq!(chat.taken(bob), ":Alice!account@chatd.local NOTICE &all :hi\n");
    chat.send(alice, "AWAY :lunch");
    assert_eq!(chat.taken(bob), ":Alice!account@chatd.local AWAY :lunch\n");
    assert_eq!(chat.taken(alice), ":chatd.local 306 Alice :You have been marked as being away\n");
    chat.send(bob, "TOPIC #lobby :x");
    assert_eq!(chat.taken(bob), ":chatd.local 482 ^bob #Lobby :You're not channel operator\n");
    chat.send(alice, "TOPIC #lobby :news");
    assert_eq!(chat.taken(bob), ":Alice!account@chatd.local TOPIC #Lobby :news\n");
    assert_eq!(chat.taken(alice), ":Alice!account@chatd.local TOPIC #Lobby :news\n");
    chat.send(alice, "MODE #lobby +o ^bob");
    assert_eq!(chat.taken(bob), ":Alice!account@chatd.local MODE #Lobby -o+o Alice ^bob\n");
    chat.taken(alice);
    chat.send(bob, "KICK #lobby alice :out");
    assert_eq!(chat.taken(alice), ":^bob!guest@chatd.local KICK #Lobby Alice :out\n");
    assert_eq!(chat.taken(bob), ":^bob!guest@chatd.local KICK #Lobby Alice :out\n");
}

#[test]
fn keys_names_and_quits() {
    let mut chat = Chat::new();
    let (alice, bob) = (chat.enter("Alice", ""), chat.enter("~bob", ""));
    chat.send(alice, "JOIN #a");
    chat.send(alice, "MODE #a +k word");
    assert!(chat.taken(alice).ends_with(":Alice!account@chatd.local MODE #a +k *\n"));
    for (line, code) in [("JOIN #a", "475"), ("JOIN #a wrong", "475"), ("JOIN #a word", "JOIN")] {
        chat.send(bob, line);
        assert_eq!(chat.taken(bob).split(' ').nth(1), Some(code), "{line}");
    }
    chat.taken(alice);
    chat.send(bob, "NICK rob");
    assert_eq!(chat.taken(alice), ":^bob!guest@chatd.local NICK ^rob\n");
    assert_eq!(chat.taken(bob), ":^bob!guest@chatd.local NICK ^rob\n");
    chat.send(alice, "WHO #a");
    let who = chat.taken(alice);
    assert!(who.contains(":chatd.local 352 Alice #a account chatd.local chatd.local Alice H@ :0 Somebody\n"), "{who}");
    assert!(who.contains(":chatd.local 352 Alice #a guest chatd.local chatd.local ^rob H :0 Somebody\n"), "{who}");
    assert!(who.ends_with(":chatd.local 315 Alice #a :End of WHO list\n"));
    chat.send(alice, "WHO ^r*");
    assert_eq!(chat.taken(alice).matches(" 352 ").count(), 1);
    chat.send(bob, "JOIN 0");
    assert_eq!(chat.taken(bob), ":^rob!guest@chatd.local PART #a\n");
    chat.send(bob, "JOIN #a word");
    chat.taken(alice);
    chat.send(alice, "MONITOR + ^rob,nobody");
    assert_eq!(chat.taken(alice), ":chatd.local 730 Alice :^rob!guest@chatd.local\n:chatd.local 731 Alice :nobody\n");
    chat.send(bob, "QUIT :good night");
    assert!(chat.taken(bob).ends_with("ERROR :Closing link: good night\n"));
    let told = chat.taken(alice);
    assert!(told.contains(":^rob!guest@chatd.local QUIT :good night\n") && !told.contains("PART"), "{told}");
    assert!(told.contains(" 731 Alice :^rob\n"), "{told}");
}

#[test]
fn everybody_is_a_channel() {
    let mut chat = Chat::new();
    let (alice, bob) = (chat.enter("Alice", "echo-message"), chat.enter("~bob", ""));
    chat.send(bob, "PART &all");
    assert_eq!(chat.taken(bob), ":^bob!guest@chatd.local PART &all\n");
    chat.send(alice, "PRIVMSG &ALL :hi");
    assert_eq!(chat.taken(alice), ":Alice!account@chatd.local PRIVMSG &all :hi\n");
    assert_eq!(chat.taken(bob), "");
    chat.send(bob, "JOIN &all");
    assert!(chat.taken(bob).starts_with(":^bob!guest@chatd.local JOIN &all\n"));
    chat.send(alice, "NAMES &all");
    assert!(chat.taken(alice).contains("353 Alice = &all :Alice ^bob\n"));
    chat.send(alice, "PRIVMSG #none :hi");
    assert_eq!(chat.taken(alice), ":chatd.local 403 Alice #none :No such channel\n");
}
