//! The cost of fan-out without the system calls: a line is decoded and carried out, its message encoded and queued to the
//! receivers' outboxes, and sockets that are not there take it.

#![expect(clippy::expect_used, reason = "a bench that cannot start measures nothing")]

mod settings;

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use chatd::door::Door;
use chatd::door::irc::Options;
use chatd::engine::{ConnId, DatagramPlaces, Engine, Entrance, Phase, Random, Read, Ready, Roll, Settings, Wrote};
use chatd::hub::names::{RoomName, UserName};
use chatd::hub::record::Lock;
use chatd::limits::Limits;
use criterion::{BenchmarkId, Criterion, Throughput};

/// Milliseconds of Unix time; any will do.
const NOW: u64 = 1_700_000_000_000;
/// The text of the messages.
const TEXT: &str = "hello everybody, how are you today?";
/// Lines per flush, as in a turn of the loop under load.
const LINES_A_TURN: usize = 32;

fn main() {
    let mut criterion = settings::short();
    everybody(&mut criterion, "to everybody", Way::Lines);
    everybody(&mut criterion, "to everybody by WebSocket", Way::Messages);
    everybody(&mut criterion, "to everybody by IRC", Way::Irc);
    room(&mut criterion, "in a room", Way::Lines);
    room(&mut criterion, "in a room by IRC", Way::Irc);
    rooms(&mut criterion);
    criterion.final_summary();
}

/// One line, or the lines of a turn, to all sessions.
fn everybody(criterion: &mut Criterion, name: &str, way: Way) {
    let mut group = criterion.benchmark_group(name);
    for receivers in [10, 1_000, 10_000] {
        for lines in [1, LINES_A_TURN] {
            let mut chat = Chat::by(way, receivers + 1);
            let said = way.say(None).repeat(lines);
            group.throughput(Throughput::Elements(receivers as u64 * lines as u64));
            group.bench_function(BenchmarkId::new(format!("{lines} lines"), receivers), |bencher| {
                bencher.iter(|| {
                    chat.send(0, black_box(&said));
                    chat.settle();
                });
            });
        }
    }
    group.finish();
}

/// The lines of a turn in a room that everybody is in.
fn room(criterion: &mut Criterion, name: &str, way: Way) {
    const MEMBERS: usize = 1_000;
    let mut group = criterion.benchmark_group(name);
    let mut chat = Chat::by(way, MEMBERS + 1);
    for user in 0..=MEMBERS {
        chat.send(user, &way.enter("tea", user == 0));
        chat.settle();
    }
    let said = way.say(Some("tea")).repeat(LINES_A_TURN);
    group.throughput(Throughput::Elements((MEMBERS * LINES_A_TURN) as u64));
    group.bench_function(BenchmarkId::from_parameter(MEMBERS), |bencher| {
        bencher.iter(|| {
            chat.send(0, black_box(&said));
            chat.settle();
        });
    });
    group.finish();
}

/// One line in each of several rooms of ten members.
fn rooms(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("in rooms of ten");
    for rooms in [1, 1_000] {
        let mut chat = Chat::of(rooms * 10);
        for user in 0..rooms * 10 {
            let verb = if user % 10 == 0 { "MAKE" } else { "JOIN" };
            chat.send(user, format!("C {verb} room{}\n", user / 10).as_bytes());
            chat.settle();
        }
        let said: Vec<String> = (0..rooms).map(|number| format!("C RM room{number} {TEXT}\n")).collect();
        group.throughput(Throughput::Elements(rooms as u64 * 9));
        group.bench_function(BenchmarkId::from_parameter(rooms), |bencher| {
            bencher.iter(|| {
                for (number, line) in said.iter().enumerate() {
                    chat.send(number * 10, black_box(line.as_bytes()));
                }
                chat.settle();
            });
        });
    }
    group.finish();
}

/// How users come.
#[derive(Clone, Copy)]
enum Way {
    /// By the line door.
    Lines,
    /// By the web door.
    Messages,
    /// By the IRC door, as guests, who have agreed on times and ids.
    Irc,
}

impl Way {
    fn door(self) -> Door {
        match self {
            Self::Lines => Door::line(),
            Self::Messages => Door::web(0),
            Self::Irc => Door::irc(Arc::default(), Options { guests: true, sts: None }),
        }
    }

    /// Comes in.
    fn log_in(self, user: usize) -> Vec<u8> {
        match self {
            Self::Lines | Self::Messages => [self.handshake(), &self.spell(&format!("C user{user} t1.x"))].concat(),
            Self::Irc => {
                let caps = "CAP REQ :server-time message-tags\r\nCAP END\r\n";
                format!("{caps}NICK user{user}\r\nUSER u 0 * :u\r\n").into_bytes()
            }
        }
    }

    /// Makes a room, or enters it.
    fn enter(self, room: &str, makes: bool) -> Vec<u8> {
        match self {
            Self::Lines | Self::Messages => self.spell(&format!("C {} {room}", if makes { "MAKE" } else { "JOIN" })),
            Self::Irc => format!("JOIN #{room}\r\n").into_bytes(),
        }
    }

    /// Says the text in a room, or to everybody.
    fn say(self, room: Option<&str>) -> Vec<u8> {
        match (self, room) {
            (Self::Lines | Self::Messages, None) => self.spell(&format!("C PM {TEXT}")),
            (Self::Lines | Self::Messages, Some(room)) => self.spell(&format!("C RM {room} {TEXT}")),
            (Self::Irc, None) => format!("PRIVMSG &all :{TEXT}\r\n").into_bytes(),
            (Self::Irc, Some(room)) => format!("PRIVMSG #{room} :{TEXT}\r\n").into_bytes(),
        }
    }

    /// What comes before the first line.
    fn handshake(self) -> &'static [u8] {
        match self {
            Self::Lines | Self::Irc => b"",
            Self::Messages => {
                b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            }
        }
    }

    /// A line as a client sends it. A message has less than 126 bytes, and a mask of 0.
    fn spell(self, line: &str) -> Vec<u8> {
        match self {
            Self::Lines | Self::Irc => format!("{line}\n").into_bytes(),
            Self::Messages => [&[0x81, 0x80 | line.len() as u8, 0, 0, 0, 0], line.as_bytes()].concat(),
        }
    }
}

/// A server whose users are logged in. Their sockets take all that they are offered.
struct Chat {
    engine: Engine<()>,
    users: Vec<ConnId>,
    /// The bytes that each user has sent, by slot.
    sent: Vec<Vec<u8>>,
    now: u64,
}

impl Chat {
    fn of(users: usize) -> Self {
        Self::by(Way::Lines, users)
    }

    fn by(way: Way, users: usize) -> Self {
        let limits = Limits { rate_lines_per_s: 0, rate_bytes_per_s: 0, ..Limits::default() };
        let settings = Settings { limits, ..Settings::default() };
        let engine = Engine::new(settings, users, DatagramPlaces::default(), Box::new(Everybody), Box::new(Zeros));
        let mut chat = Self { engine, users: Vec::new(), sent: vec![Vec::new(); users], now: 0 };
        for user in 0..users {
            chat.engine.begin_turn(chat.now, NOW);
            let admitted = chat
                .engine
                .admit(IpAddr::V4(Ipv4Addr::LOCALHOST), way.door(), Entrance::default())
                .expect("there is room");
            chat.users.push(admitted.id());
            chat.engine.handle_accept(admitted, ());
            chat.send(user, &way.log_in(user));
            chat.settle();
        }
        assert_eq!(chat.engine.counters().logins, users as u64, "a login was refused");
        chat
    }

    /// A user sends these bytes.
    fn send(&mut self, user: usize, bytes: &[u8]) {
        let id = self.users.get(user).expect("a user");
        self.sent.get_mut(id.slot as usize).expect("a slot").extend(bytes);
        self.engine.handle_ready(*id, Ready { is_readable: true, ..Ready::default() });
    }

    /// Turns until all is carried out and taken.
    fn settle(&mut self) {
        while self.engine.is_busy() {
            self.now += 1;
            self.engine.begin_turn(self.now, NOW);
            self.engine.begin_phase(Phase::Reads);
            while let Some(to_read) = self.engine.poll_read() {
                let sent = self.sent.get_mut(to_read.id.slot as usize).expect("a slot");
                let (id, read) = (to_read.id, read(sent, to_read.room));
                self.engine.handle_read(id, read);
            }
            self.engine.begin_phase(Phase::Writes);
            while let Some(to_write) = self.engine.poll_write() {
                let (id, count) = (to_write.id, black_box(&to_write.frames).len());
                self.engine.handle_wrote(id, Wrote::Bytes { count, is_short: false });
            }
            self.engine.end_flush();
            self.engine.rearm();
        }
    }
}

fn read(sent: &mut Vec<u8>, room: &mut [u8]) -> Read {
    let count = sent.len().min(room.len());
    room.iter_mut().zip(sent.drain(..count)).for_each(|(to, byte)| *to = byte);
    if count == 0 { Read::Nothing } else { Read::Bytes { count, is_short: count < room.len() } }
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

/// Tokens of rooms need not be random here.
struct Zeros;

impl Random for Zeros {
    fn fill(&mut self, _: &mut [u8]) -> bool {
        true
    }
}
