//! The relay door in the engine: guests, silences, names, and what waits for a client.

use std::net::{IpAddr, Ipv4Addr};

use super::super::*;
use crate::close::CloseReason;
use crate::door::{Door, relay};
use crate::hub::names::{RoomName, UserName};
use crate::hub::record::Lock;
use crate::limits::{RELAY_REST_MS, Rooms};

/// The silence that ends a message.
const GAP_MS: Millis = 100;

/// One connection's socket and client.
#[derive(Debug, Default)]
struct Socket {
    id: Option<ConnId>,
    sent: Vec<u8>,
    is_ended: bool,
    told: Vec<u8>,
    /// The client that a PROXY header before all else names.
    named: Option<IpAddr>,
    /// How many bytes the kernel takes; no bound if `None`.
    takes: Option<usize>,
    is_over: bool,
}

impl Socket {
    fn read(&mut self, room: &mut [u8]) -> Read {
        if let Some(client) = self.named.take() {
            return Read::Named(Some(client));
        }
        let count = self.sent.len().min(room.len());
        if count == 0 {
            return if self.is_ended { Read::End } else { Read::Nothing };
        }
        room[..count].copy_from_slice(&self.sent[..count]);
        self.sent.drain(..count);
        Read::Bytes { count, is_short: count < room.len() }
    }

    fn write(&mut self, frames: &Frames<'_>) -> Wrote {
        let bytes = match frames {
            Frames::One(bytes) => bytes.to_vec(),
            Frames::Many(slices) => slices.iter().flat_map(|slice| slice.iter().copied()).collect(),
        };
        let count = bytes.len().min(self.takes.unwrap_or(usize::MAX));
        self.takes = self.takes.map(|takes| takes - count);
        self.told.extend(&bytes[..count]);
        Wrote::Bytes { count, is_short: count < bytes.len() }
    }
}

/// Accounts of all names, all with the token `t1.x`.
struct Everybody;

impl Roll for Everybody {
    fn lookup(&self, name: &UserName) -> Option<UserName> {
        Some(name.clone())
    }

    fn since(&self, name: &UserName) -> Option<u64> {
        self.lookup(name).map(|_| 1)
    }

    fn lock(&self, _: &RoomName, password: &str) -> Lock {
        Lock::unsealed(password)
    }

    fn may_register(&self) -> bool {
        false
    }

    fn epoch(&self, _: &UserName) -> Option<u32> {
        Some(1)
    }

    fn issue_token(&self, _: &UserName, _: u32, _: u64) -> Option<(String, u64)> {
        None
    }

    fn check_token(&self, _: &UserName, token: &[u8], _: u64) -> Option<u32> {
        (token == b"t1.x").then_some(1)
    }
}

struct Zeros;

impl Random for Zeros {
    fn fill(&mut self, _: &mut [u8]) -> bool {
        true
    }
}

/// A server with connections, each known by its number.
struct Chat {
    engine: Engine<usize>,
    sockets: Vec<Socket>,
    now: Millis,
}

impl Chat {
    fn new() -> Self {
        Self::with(Limits::default(), Rooms::default(), 100)
    }

    fn with(limits: Limits, rooms: Rooms, most: usize) -> Self {
        let settings = Settings { limits, rooms, ..Settings::default() };
        let mut engine = Engine::new(settings, most, DatagramPlaces::default(), Box::new(Everybody), Box::new(Zeros));
        engine.begin_turn(1, 1);
        Self { engine, sockets: Vec::new(), now: 1 }
    }

    /// A connection from `ip` at a door.
    fn connect_from(&mut self, ip: IpAddr, door: impl Fn() -> Door) -> usize {
        self.connect_by(ip, door, Entrance::default())
    }

    fn connect_by(&mut self, ip: IpAddr, door: impl Fn() -> Door, entrance: Entrance) -> usize {
        let place = self.sockets.len();
        let mut socket = Socket::default();
        match self.engine.admit(ip, door(), entrance) {
            Ok(admitted) => {
                socket.id = Some(admitted.id());
                self.engine.handle_accept(admitted, place);
            }
            Err(refusal) => {
                socket.told = self.engine.refuse(ip, door(), refusal, b"");
                socket.is_over = true;
            }
        }
        self.sockets.push(socket);
        self.turn();
        place
    }

    fn relay(&mut self) -> usize {
        self.relay_with(false)
    }

    fn relay_with(&mut self, echo: bool) -> usize {
        self.connect_from(IpAddr::V4(Ipv4Addr::LOCALHOST), || door(echo))
    }

    /// A member of the room who has an account, at the line door.
    fn member(&mut self, name: &str, enter: &str) -> usize {
        let place = self.connect_from(IpAddr::V4(Ipv4Addr::LOCALHOST), Door::line);
        self.say(place, format!("{name} t1.x\n{enter}\n"));
        let told = self.told(place);
        assert!(told.contains("C 227 "), "{told}");
        place
    }

    fn conn(&mut self, place: usize) -> &mut conn::Conn<usize> {
        let id = self.sockets[place].id.unwrap();
        self.engine.conns.find(id).unwrap()
    }

    /// A client sends bytes when the strings before them were read.
    fn say(&mut self, place: usize, bytes: impl AsRef<[u8]>) {
        self.pass(RELAY_REST_MS);
        self.say_now(place, bytes);
    }

    /// A client sends bytes, which the server takes at once.
    fn say_now(&mut self, place: usize, bytes: impl AsRef<[u8]>) {
        self.sockets[place].sent.extend(bytes.as_ref());
        self.turn();
    }

    /// What a client was told since this was last asked for. A NUL is shown as `$`.
    fn told(&mut self, place: usize) -> String {
        let told = String::from_utf8(std::mem::take(&mut self.sockets[place].told)).unwrap();
        assert!(!told.contains('$'));
        told.replace('\0', "$")
    }

    #[track_caller]
    fn check_told(&mut self, place: usize, expected: &str) {
        assert_eq!(self.told(place), expected);
    }

    /// Time passes: turns happen when something is due.
    fn pass(&mut self, time: Millis) {
        let until = self.now + time;
        loop {
            self.turn();
            let due = self.engine.next_due();
            if due > until && !self.engine.is_busy() {
                break;
            }
            self.now = if self.engine.is_busy() { self.now } else { due.max(self.now) };
        }
        self.now = until;
    }

    fn turn(&mut self) {
        loop {
            self.one_turn();
            if !self.engine.is_busy() {
                break;
            }
        }
    }

    fn one_turn(&mut self) {
        let Self { engine, sockets, now } = self;
        engine.begin_turn(*now, *now);
        for socket in sockets.iter_mut() {
            let Some(id) = socket.id else { continue };
            let is_readable = !socket.sent.is_empty() || socket.named.is_some();
            let is_ending = socket.is_ended;
            let is_writable = socket.takes != Some(0);
            engine.handle_ready(id, Ready { is_readable, is_ending, is_writable, is_broken: false });
        }
        engine.run_timers();
        engine.run_closes();
        while let Some((probe, _)) = engine.poll_probe() {
            engine.handle_probe(probe, InFlight::default());
        }
        engine.begin_phase(Phase::Reads);
        while let Some(to_read) = engine.poll_read() {
            let (id, read) = (to_read.id, sockets[*to_read.socket].read(to_read.room));
            engine.handle_read(id, read);
        }
        engine.begin_phase(Phase::Writes);
        while let Some(to_write) = engine.poll_write() {
            let (id, wrote) = (to_write.id, sockets[*to_write.socket].write(&to_write.frames));
            engine.handle_wrote(id, wrote);
        }
        while let Some((id, place)) = engine.poll_finish() {
            sockets[*place].is_over = true;
            engine.handle_finished(id, Finished::Done);
        }
        engine.end_flush();
        while let Some(gone) = engine.poll_gone() {
            sockets[gone.socket].is_over = true;
        }
        engine.rearm();
    }
}

fn door(echo: bool) -> Door {
    let room = RoomName::parse("lobby").unwrap();
    Door::relay(relay::Options { room, gap_ms: GAP_MS as u32, echo })
}

#[test]
fn a_guest_enters_hears_and_is_heard() {
    let mut chat = Chat::new();
    let one = chat.relay();
    let alice = chat.member("alice", "JOIN lobby");
    let two = chat.relay();
    chat.check_told(alice, "C 103 lobby ~guest2 entered\n");
    chat.say(one, b"hello\0");
    chat.check_told(alice, "D RM lobby ~guest1 hello\n");
    chat.check_told(two, "~guest1 : hello$");
    chat.check_told(one, "");
    chat.say(alice, b"RM lobby hi there\n");
    chat.check_told(alice, "C 250 sent to 2\n");
    chat.check_told(one, "alice : hi there$");
    chat.check_told(two, "alice : hi there$");
    // It hears its room alone.
    chat.say(alice, b"PM all\nDM alice me\nMAKE tea\nRM tea hi\n");
    chat.pass(1_000);
    chat.check_told(one, "");
}

#[test]
fn the_first_makes_the_room_and_the_next_member_gets_it() {
    let mut chat = Chat::new();
    let one = chat.relay();
    let alice = chat.member("alice", "JOIN lobby");
    chat.sockets[one].is_ended = true;
    chat.turn();
    chat.check_told(alice, "C 104 lobby ~guest1 left\nC 107 lobby alice is host now\n");
    chat.relay();
    chat.say(alice, b"LEAVE lobby\nNAMES lobby\n");
    let told = chat.told(alice);
    assert!(told.ends_with("C 200 done\nC 211-~guest2 host\nC 211 1 in lobby\n"), "{told}");
}

#[test]
fn a_silence_ends_a_message() {
    let mut chat = Chat::new();
    let (one, alice) = (chat.relay(), chat.member("alice", "JOIN lobby"));
    chat.say_now(one, b"hel");
    chat.pass(GAP_MS - 1);
    chat.check_told(alice, "");
    chat.say_now(one, b"lo");
    chat.pass(GAP_MS - 1);
    chat.check_told(alice, "");
    chat.pass(1);
    chat.check_told(alice, "D RM lobby ~guest1 hello\n");
    chat.pass(10 * GAP_MS);
    chat.check_told(alice, "");
    // Bytes that come in time but wait to be read break the silence.
    chat.say_now(one, b"a");
    chat.now += GAP_MS + 1;
    chat.say_now(one, b"b\0");
    chat.check_told(alice, "D RM lobby ~guest1 ab\n");
    // `limits.line_s` does not apply.
    for _ in 0..500 {
        chat.say_now(one, b"x");
        chat.pass(GAP_MS - 1);
    }
    assert!(!chat.sockets[one].is_over);
}

#[test]
fn a_silence_waits_for_the_rate() {
    let mut chat = Chat::new();
    let (one, alice) = (chat.relay(), chat.member("alice", "JOIN lobby"));
    let burst = chat.engine.settings.limits.rate_burst as usize;
    chat.say(one, b"x\n".repeat(burst));
    assert_eq!(chat.told(alice).lines().count(), burst);
    chat.say(one, b"late");
    chat.pass(99);
    chat.check_told(alice, "");
    chat.pass(2 * GAP_MS);
    chat.check_told(alice, "D RM lobby ~guest1 late\n");
    chat.say(one, b"x\n".repeat(30));
    chat.pass(1_000);
    let heard = chat.told(alice).lines().count();
    assert!((10..=15).contains(&heard), "{heard} lines in a second");
}

#[test]
fn the_rest_at_the_end_of_the_input_is_said() {
    for sent in [&b"one\0two"[..], b"one\ntwo\r", b"one\0two\n"] {
        let mut chat = Chat::new();
        let (one, alice) = (chat.relay(), chat.member("alice", "JOIN lobby"));
        chat.sockets[one].is_ended = true;
        chat.say_now(one, sent);
        let said = "D RM lobby ~guest1 one\nD RM lobby ~guest1 two\n";
        chat.check_told(alice, &format!("{said}C 104 lobby ~guest1 left\nC 107 lobby alice is host now\n"));
        chat.pass(10_000);
        assert!(chat.sockets[one].is_over);
        assert_eq!(chat.engine.conns.len(), 1);
    }
}

#[test]
fn a_speaker_takes_its_name() {
    let mut chat = Chat::new();
    let alice = chat.member("alice", "MAKE lobby");
    let (one, two, three) = (chat.relay(), chat.relay(), chat.relay());
    chat.told(alice);
    chat.say(one, b"bob : hi\0bob : ho\0");
    let named = "C 104 lobby ~guest1 left\nC 103 lobby ~bob entered\n";
    chat.check_told(alice, &format!("{named}D RM lobby ~bob hi\nD RM lobby ~bob ho\n"));
    chat.check_told(two, "~bob : hi\n~bob : ho$");
    chat.say(two, b"Bob > me too\n");
    chat.check_told(one, "~Bob2 : me too$");
    chat.say(three, b"bob : and me\r\n");
    chat.check_told(one, "~bob3 : and me$");
    chat.check_told(two, "~bob3 : and me\n");
    chat.say(one, b"zoe : is no name\0");
    assert!(chat.told(three).ends_with("~bob : zoe : is no name\r\n"));
    let told = chat.told(alice);
    assert!(told.contains("C 103 lobby ~Bob2 entered\n") && told.contains("C 103 lobby ~bob3 entered\n"), "{told}");
}

#[test]
fn the_host_stays_host_when_it_takes_a_name() {
    let mut chat = Chat::new();
    let (one, alice) = (chat.relay(), chat.member("alice", "JOIN lobby"));
    chat.say(one, b"bob : hi\0");
    let named = "C 104 lobby ~guest1 left\nC 103 lobby ~bob entered\nC 107 lobby ~bob is host now\n";
    chat.check_told(alice, &format!("{named}D RM lobby ~bob hi\n"));
}

#[test]
fn names_are_unique_and_no_longer_than_names() {
    let mut chat = Chat::with(Limits::default(), Rooms::default(), 1_000);
    let alice = chat.member("alice", "MAKE lobby");
    let longest = "b".repeat(32);
    for count in 0..110 {
        let one = chat.relay();
        chat.told(alice);
        chat.say(one, format!("{longest} : hi\0"));
        let told = chat.told(alice);
        let name = told.lines().last().and_then(|line| line.split(' ').nth(3)).unwrap();
        let expected = match count {
            0 => format!("~{longest}"),
            1..9 => format!("~{}{}", "b".repeat(31), count + 1),
            9..99 => format!("~{}{}", "b".repeat(30), count + 1),
            _ => name.to_owned(),
        };
        assert_eq!((name, name.len()), (&*expected, 33));
    }
    // A guest that asks for the name that it has keeps it.
    let one = chat.relay();
    chat.told(alice);
    chat.say(one, b"guest121 : hi\0");
    assert!(chat.told(alice).ends_with("D RM lobby ~guest121 hi\n"));
}

#[test]
fn what_waits_together_is_one_string() {
    let mut chat = Chat::new();
    let (one, lines) = (chat.relay(), chat.relay());
    let alice = chat.member("alice", "JOIN lobby");
    chat.say(lines, b"\n");
    let burst: String = (1..=30).map(|n| format!("RM lobby {n}\n")).collect();
    chat.say(alice, &burst);
    let told = chat.told(one);
    assert_eq!((told.matches('$').count(), told.matches('\n').count()), (1, 29), "{told:?}");
    assert!(told.starts_with("alice : 1\nalice : 2\n") && told.ends_with("\nalice : 30$"), "{told:?}");
    assert_eq!(chat.told(lines), told.replace('$', "\n"));
    // A NUL that was not sent becomes LF when more follows.
    chat.pass(10_000);
    chat.sockets[one].takes = Some("alice : a\nalice : b".len());
    chat.say(alice, b"RM lobby a\nRM lobby b\n");
    chat.check_told(one, "alice : a\nalice : b");
    chat.say(alice, b"RM lobby c\n");
    chat.sockets[one].takes = None;
    chat.turn();
    chat.check_told(one, "\nalice : c$");
}

#[test]
fn a_client_has_time_to_read_a_string() {
    let mut chat = Chat::new();
    let (one, lines) = (chat.relay(), chat.relay());
    let alice = chat.member("alice", "JOIN lobby");
    chat.say(lines, b"\n");
    chat.pass(1_000);
    for n in 0..5 {
        chat.say_now(alice, format!("RM lobby {n}\n"));
        chat.now += 3;
    }
    chat.check_told(one, "alice : 0$");
    assert!(chat.told(lines).ends_with("alice : 3\nalice : 4\n"), "lines need no rest");
    chat.pass(RELAY_REST_MS - 16);
    chat.check_told(one, "");
    chat.pass(1);
    chat.check_told(one, "alice : 1\nalice : 2\nalice : 3\nalice : 4$");
    // The server's last words do not wait.
    chat.engine.handle_stop();
    chat.turn();
    chat.check_told(one, "server : shutting down, retry in 2 s$");
}

#[test]
fn a_message_is_encoded_once_for_receivers_with_one_end() {
    let mut chat = Chat::new();
    let places = [chat.relay(), chat.relay(), chat.relay(), chat.relay()];
    let alice = chat.member("alice", "JOIN lobby");
    chat.say(places[2], b"\n");
    chat.say(places[3], b"x\r\n");
    places.iter().for_each(|place| drop(chat.told(*place)));
    for place in places {
        chat.sockets[place].takes = Some(0);
    }
    chat.say(alice, b"RM lobby hi\n");
    let pieces = places.map(|place| chat.conn(place).outbox.shared_pieces().copied().collect::<Vec<_>>());
    assert_eq!(pieces[0].len(), 1);
    assert_eq!((&pieces[1], &pieces[2]), (&pieces[0], &pieces[0]), "NUL and LF share a frame");
    assert_ne!(pieces[3], pieces[0]);
}

#[test]
fn one_that_asks_for_it_hears_itself() {
    let mut chat = Chat::new();
    let (one, two) = (chat.relay_with(true), chat.relay());
    chat.say(one, b"bob : hi\0");
    chat.check_told(one, "~bob : hi$");
    chat.check_told(two, "~bob : hi$");
    chat.say(two, b"hi\n");
    chat.check_told(two, "");
}

#[test]
fn a_room_that_is_locked_or_full_closes_the_connection() {
    let mut chat = Chat::with(Limits::default(), Rooms { members: 2, ..Rooms::default() }, 100);
    let alice = chat.member("alice", "MAKE lobby secret");
    let one = chat.relay();
    chat.check_told(one, "server : the room has a password$");
    assert!(chat.sockets[one].is_over);
    chat.say(alice, b"CLOSE lobby\n");
    let (two, _) = (chat.relay(), chat.relay());
    let four = chat.relay();
    chat.check_told(four, "server : the room is full$");
    assert!(chat.sockets[four].is_over && !chat.sockets[two].is_over);
    let closed = chat.engine.counters.closed;
    assert_eq!([CloseReason::RoomLocked, CloseReason::RoomFull].map(|reason| closed[reason.index()]), [1, 1]);
}

#[test]
fn a_guest_without_a_room_is_closed() {
    let mut chat = Chat::new();
    let alice = chat.member("alice", "MAKE lobby");
    let (one, two) = (chat.relay(), chat.relay());
    chat.say(alice, b"KICK lobby ~guest1\n");
    chat.check_told(one, "server : kicked$");
    chat.say(two, b"hi\r\n");
    chat.say(alice, b"CLOSE lobby\n");
    chat.check_told(two, "server : the room was closed\r\n");
    assert!(chat.sockets[one].is_over && chat.sockets[two].is_over);
    chat.pass(10_000);
    assert_eq!((chat.engine.conns.len(), chat.engine.hub.rooms()), (1, 0));
    // The next one makes the room anew.
    chat.relay();
    assert_eq!(chat.engine.hub.rooms(), 1);
}

#[test]
fn they_are_a_quarter_of_all_connections_at_most() {
    let mut chat = Chat::with(Limits::default(), Rooms::default(), 8);
    let (one, two, three) = (chat.relay(), chat.relay(), chat.relay());
    assert!(!chat.sockets[one].is_over && !chat.sockets[two].is_over);
    chat.check_told(three, "server : server full$");
    chat.member("alice", "JOIN lobby");
    chat.sockets[one].is_ended = true;
    chat.pass(10_000);
    let four = chat.relay();
    assert!(!chat.sockets[four].is_over);
}

#[test]
fn they_are_silent_until_their_first_message() {
    let mut chat = Chat::new();
    let from = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let one = chat.connect_from(from, || door(false));
    assert_eq!(chat.engine.gate.silent, 1);
    // They have no deadline: a client that only listens may stay.
    chat.pass(1_000_000);
    assert!(!chat.sockets[one].is_over);
    chat.say(one, b"hi\0");
    assert_eq!(chat.engine.gate.silent, 0);
}

#[test]
fn a_guest_enters_when_a_proxy_has_named_its_client() {
    let proxy = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let limits = Limits { proxies: vec!["127.0.0.1".parse().unwrap()], ..Limits::default() };
    let mut chat = Chat::with(limits, Rooms::default(), 100);
    let alice = chat.member("alice", "MAKE lobby");
    let entrance = Entrance { takes_proxy: true, is_tls: false };
    let (one, silent) =
        (chat.connect_by(proxy, || door(false), entrance), chat.connect_by(proxy, || door(false), entrance));
    chat.check_told(alice, "");
    chat.sockets[one].named = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    chat.say(one, b"bob : hi\0");
    let entered = "C 103 lobby ~guest1 entered\nC 104 lobby ~guest1 left\nC 103 lobby ~bob entered\n";
    chat.check_told(alice, &format!("{entered}D RM lobby ~bob hi\n"));
    chat.pass(60_000);
    chat.check_told(silent, "server : a PROXY header is missing$");
    assert!(chat.sockets[silent].is_over && !chat.sockets[one].is_over);
}

#[test]
fn one_that_does_not_read_is_closed() {
    let mut chat = Chat::new();
    let (one, two) = (chat.relay(), chat.relay());
    let alice = chat.member("alice", "JOIN lobby");
    chat.sockets[one].takes = Some(0);
    let line = format!("RM lobby {}\n", "x".repeat(4_000));
    for _ in 0..300 {
        chat.say(alice, &line);
        chat.pass(500);
    }
    chat.told(two);
    chat.sockets[one].takes = None;
    chat.turn();
    let told = chat.told(one);
    assert!(chat.sockets[one].is_over && (told.is_empty() || told.ends_with("server : too slow$")), "{told}");
    assert_eq!(chat.engine.counters.closed[CloseReason::TooSlow.index()], 1);
    assert!(!chat.sockets[two].is_over && !chat.sockets[alice].is_over);
}

#[test]
fn hostile_bytes_reach_nobody() {
    let mut chat = Chat::new();
    let (one, two) = (chat.relay(), chat.relay());
    chat.say(two, b"\n");
    let all: Vec<u8> = (0..=255).filter(|byte| *byte != b'$').collect();
    chat.say(one, &all);
    chat.say(one, b"\x1b]0;title\x07\x9b\xc2\x9b\xe2\x80\xae");
    chat.pass(GAP_MS);
    chat.turn();
    let told = chat.told(two);
    assert!(told.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{told:?}");
    assert!(told.contains("ABC") && told.contains("]0;title"), "{told:?}");
}
