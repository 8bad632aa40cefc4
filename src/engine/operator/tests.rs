//! Tests in virtual time: long lists, slow readers, traces, and who is an operator.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::door::Door;
use crate::engine::{
    DatagramPlaces, Entrance, Frames, Handshake, Millis, Origin, Phase, Random, Read, Ready, Roll, Settings, Shaken,
    Wrote,
};
use crate::hub::names::{RoomName, UserName};
use crate::hub::record::Lock;
use crate::limits::{Accounts, Limits, Login, Rooms, Web};

/// A socket that takes `takes` bytes a turn.
#[derive(Debug, Default)]
struct Socket {
    sent: Vec<u8>,
    told: Vec<u8>,
    takes: usize,
    left: usize,
    is_secured: bool,
}

impl Socket {
    fn read(&mut self, room: &mut [u8]) -> Read {
        if !std::mem::replace(&mut self.is_secured, true) {
            return Read::Shaken(Shaken { done: Some(Handshake::Full), ..Shaken::default() });
        }
        let count = self.sent.len().min(room.len());
        if count == 0 {
            return Read::Nothing;
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
        let count = bytes.len().min(self.left);
        self.left -= count;
        self.told.extend(&bytes[..count]);
        Wrote::Bytes { count, is_short: count < bytes.len() }
    }
}

/// Accounts of all names, all with the token `t1.x`, and all tokens that are asked for are the same long one.
struct Everybody;

/// The token that is issued.
const TOKEN: &str = "t1.SecretSecretSecretSecret";

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
        Some((TOKEN.to_owned(), 9))
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

struct Stage {
    engine: Engine<Socket>,
    ids: Vec<ConnId>,
    now: Millis,
}

impl Stage {
    fn new() -> Self {
        let limits = Limits { rate_lines_per_s: 0, rate_bytes_per_s: 0, ..Limits::default() };
        let (login, accounts, rooms) = (Login::default(), Accounts::default(), Rooms::default());
        let operators = Operators::new(&["rita".to_owned()]);
        let web = Web::default();
        let settings = Settings {
            limits,
            login,
            accounts,
            rooms,
            web,
            history: None,
            operators,
            stats_s: 0,
            ..Settings::default()
        };
        let engine = Engine::new(settings, 20_000, DatagramPlaces::default(), Box::new(Everybody), Box::new(Zeros));
        Self { engine, ids: Vec::new(), now: 1 }
    }

    fn connect(&mut self, door: Door, origin: Origin, is_tls: bool) -> ConnId {
        let socket = Socket { takes: usize::MAX, is_secured: !is_tls, ..Socket::default() };
        let entrance = Entrance { takes_proxy: false, is_tls };
        let admitted = self.engine.admit(origin, door, entrance).expect("a place");
        let id = admitted.id();
        self.engine.handle_accept(admitted, socket);
        self.ids.push(id);
        id
    }

    /// An operator at the socket, after the greeting.
    fn desk(&mut self) -> ConnId {
        let id = self.connect(Door::operator(), Origin::Unix, false);
        self.turn();
        assert!(self.told(id).ends_with(" operator\n"));
        id
    }

    /// A user, logged in.
    fn user(&mut self, name: &str) -> ConnId {
        self.user_from(name, Origin::Address(IpAddr::V4(Ipv4Addr::LOCALHOST)), false)
    }

    fn user_from(&mut self, name: &str, origin: Origin, is_tls: bool) -> ConnId {
        let id = self.connect(Door::line(), origin, is_tls);
        self.say(id, &format!("{name} t1.x"));
        self.turn();
        assert!(self.told(id).contains("C 230 "));
        id
    }

    fn socket(&mut self, id: ConnId) -> &mut Socket {
        &mut self.engine.conns.find(id).expect("it is connected").socket
    }

    fn say(&mut self, id: ConnId, line: &str) {
        self.socket(id).sent.extend(format!("{line}\n").bytes());
    }

    /// What a client was told since this was last asked for.
    fn told(&mut self, id: ConnId) -> String {
        String::from_utf8(std::mem::take(&mut self.socket(id).told)).unwrap()
    }

    /// Says a line, and gives the answer to it.
    fn ask(&mut self, id: ConnId, line: &str) -> String {
        self.say(id, line);
        self.turn();
        self.told(id)
    }

    fn owed(&self, id: ConnId) -> usize {
        self.engine.conns.peek(id).map_or(0, |conn| conn.outbox.owed())
    }

    fn turn(&mut self) {
        self.now += 1;
        let engine = &mut self.engine;
        engine.begin_turn(self.now, self.now);
        for id in &self.ids {
            let Some(conn) = engine.conns.find(*id) else { continue };
            conn.socket.left = conn.socket.takes;
            let is_readable = !conn.socket.sent.is_empty() || !conn.socket.is_secured;
            let is_writable = conn.socket.takes > 0;
            engine.handle_ready(*id, Ready { is_readable, is_ending: false, is_writable, is_broken: false });
        }
        engine.run_timers();
        engine.run_closes();
        engine.begin_phase(Phase::Reads);
        while let Some(to_read) = engine.poll_read() {
            let (id, read) = (to_read.id, to_read.socket.read(to_read.room));
            engine.handle_read(id, read);
        }
        engine.begin_phase(Phase::Writes);
        while let Some(to_write) = engine.poll_write() {
            let (id, wrote) = (to_write.id, to_write.socket.write(&to_write.frames));
            engine.handle_wrote(id, wrote);
        }
        engine.end_flush();
        while engine.poll_gone().is_some() {}
        engine.rearm();
    }
}

/// A server with this many users.
fn crowd(count: usize) -> Stage {
    let mut stage = Stage::new();
    for number in 0..count {
        let id = stage.connect(Door::line(), Origin::Address(IpAddr::V4(Ipv4Addr::LOCALHOST)), false);
        stage.say(id, &format!("u{number} t1.x"));
    }
    while stage.engine.hub.everyone().len() < count {
        stage.turn();
    }
    stage
}

#[test]
fn ten_thousand_are_listed_as_their_reader_reads() {
    const COUNT: usize = 10_000;
    let mut stage = crowd(COUNT);
    let (alice, desk) = (stage.ids[0], stage.desk());
    stage.ids = vec![alice, desk];
    stage.turn();
    stage.told(alice);
    stage.socket(desk).takes = 4_000;
    let most = stage.engine.settings.limits.owed_soft_bytes as usize;
    stage.say(desk, "C sessions --sort idle\nC rooms");
    let mut told = String::new();
    while !told.ends_with("C 211 0\n") {
        stage.say(alice, "NOOP");
        stage.turn();
        assert_eq!(stage.told(alice), "C 200 done\n", "others are answered at once");
        assert!(stage.owed(desk) <= most, "{} bytes are owed", stage.owed(desk));
        told += &stage.told(desk);
        assert!(stage.now < 100_000, "the list does not end");
    }
    assert_eq!(told.lines().filter(|line| line.starts_with("C 211-id=")).count(), COUNT);
    assert!(told.ends_with("C 211 10000\nC 211 0\n"), "in order");
}

#[test]
fn in_the_chat_a_list_is_short_and_not_interrupted() {
    let mut stage = crowd(1_000);
    let (talker, rita) = (stage.ids[0], stage.user("rita"));
    stage.ids = vec![talker, rita];
    stage.socket(rita).takes = 1_000;
    stage.say(rita, "OP sessions");
    for _ in 0..100 {
        stage.say(talker, "PM hello");
        stage.turn();
    }
    stage.socket(rita).takes = usize::MAX;
    (0..10).for_each(|_| stage.turn());
    let told = stage.told(rita);
    let lines: Vec<&str> = told.lines().skip_while(|line| !line.starts_with("C 211-")).collect();
    assert!(lines[..200].iter().all(|line| line.starts_with("C 211-")), "{told}");
    assert_eq!(lines[200], "C 211 200 of 1001; chatd ctl shows all");
    assert!(lines.len() > 201 && lines[201..].iter().all(|line| line.starts_with("D PM u0 ")), "{told}");
}

#[test]
fn a_reader_that_never_reads_is_owed_little_and_costs_nothing() {
    let mut stage = crowd(2_000);
    let desk = stage.desk();
    stage.socket(desk).takes = 0;
    stage.say(desk, "C sessions");
    (0..100).for_each(|_| stage.turn());
    assert!(stage.owed(desk) <= stage.engine.settings.limits.owed_soft_bytes as usize);
    assert!(!stage.engine.is_busy(), "the loop may sleep");
    // It has gone: so has the list.
    stage.engine.drop_now(desk);
    stage.turn();
    assert!(stage.engine.desk.listings.is_empty());
}

#[test]
fn who_leaves_meanwhile_is_left_out() {
    let mut stage = crowd(1_000);
    let desk = stage.desk();
    stage.socket(desk).takes = 1_000;
    stage.say(desk, "C sessions");
    stage.turn();
    for place in 800..900 {
        let id = stage.ids[place];
        stage.engine.drop_now(id);
    }
    stage.socket(desk).takes = usize::MAX;
    (0..50).for_each(|_| stage.turn());
    let told = stage.told(desk);
    assert!(told.ends_with("C 211 900\n"), "{}", told.lines().last().unwrap_or_default());
    assert_eq!(told.lines().count(), 901);
}

#[test]
fn who_is_an_operator_and_where() {
    let mut stage = Stage::new();
    let (here, there) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::from([192, 0, 2, 1]));
    for (origin, is_tls, expected) in [
        (Origin::Address(here), false, "C 211 0\n"),
        (Origin::Unix, false, "C 211 0\n"),
        (Origin::Address(there), true, "C 211 0\n"),
        (Origin::Learnt(there), true, "C 211 0\n"),
        (Origin::Address(there), false, "C 554 OP needs TLS\n"),
        (Origin::Learnt(here), false, "C 554 OP needs TLS\n"),
        (Origin::Learnt(there), false, "C 554 OP needs TLS\n"),
    ] {
        let rita = stage.user_from("Rita", origin, is_tls);
        assert_eq!(stage.ask(rita, "OP rooms"), expected, "{origin} {is_tls}");
        let alice = stage.user_from("alice", origin, is_tls);
        assert!(stage.ask(alice, "OP rooms").starts_with("C 502 unknown operation"));
        for id in [rita, alice] {
            stage.engine.drop_now(id);
        }
        stage.turn();
    }
}

#[test]
fn a_trace_that_begins_within_a_line_does_not_show_its_end() {
    let mut stage = Stage::new();
    let (alice, desk) = (stage.user("alice"), stage.desk());
    stage.socket(alice).takes = 12;
    stage.say(alice, "TOKEN");
    stage.turn();
    assert!(stage.owed(alice) > 0);
    stage.ask(desk, "C trace alice");
    stage.socket(alice).takes = usize::MAX;
    stage.turn();
    stage.say(alice, "NOOP");
    stage.turn();
    stage.turn();
    assert!(stage.told(alice).contains(TOKEN));
    let told = stage.told(desk);
    assert!(!told.contains("Secret") && told.contains("C 200 done"), "{told}");
}

#[test]
fn masks_hold_however_a_line_is_written() {
    for takes in 1..=60 {
        let mut stage = Stage::new();
        let (alice, desk) = (stage.user("alice"), stage.desk());
        stage.ask(desk, "C trace alice");
        stage.socket(alice).takes = takes;
        stage.say(alice, "TOKEN");
        (0..80).for_each(|_| stage.turn());
        let told = stage.told(desk);
        assert!(!told.contains("Secret") && told.contains("C 231 *** expires=9"), "{takes}: {told}");
    }
}

/// A short frame of a client of the web door, with a mask of zeros.
fn frame(first: u8, payload: &str) -> Vec<u8> {
    [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload.as_bytes()].concat()
}

const HANDSHAKE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

#[test]
fn frames_of_a_web_conversation_however_they_are_written() {
    for takes in 1..=60 {
        let mut stage = Stage::new();
        let (desk, alice) = (stage.desk(), stage.connect(Door::web(0), Origin::Unix, false));
        stage.turn();
        stage.ask(desk, &format!("C trace {}", alice.generation));
        stage.socket(alice).takes = takes;
        let frames = [
            HANDSHAKE.to_vec(),
            frame(0x81, "C alice t1.x"),
            frame(0x01, "C TO"),
            frame(0x89, "there?"),
            frame(0x80, "KEN"),
            frame(0x81, "C EX"),
        ];
        stage.socket(alice).sent.extend(frames.concat());
        (0..400).for_each(|_| stage.turn());
        let told = stage.told(desk);
        assert!(!told.contains("Secret"), "{told}");
        let shown = |from: &str| -> Vec<String> {
            let of = told.lines().filter(|line| line.contains(&format!(" from={from} ")));
            of.filter_map(|line| Some(line.split_once(" frame=")?.1.trim_matches('"').to_owned())).collect()
        };
        assert_eq!(shown("client"), ["***", "***", "ping", "C TOKEN", "C EX"], "{takes}");
        let server = shown("server");
        assert!(server[0].starts_with("C 220 ") && server[1].starts_with("C 230 "), "{takes}: {server:?}");
        assert_eq!(server[2..], ["pong", "C 231 *** expires=9", "C 221 bye", "close 1000 bye"], "{takes}");
    }
}

#[test]
fn a_trace_that_begins_within_a_message_does_not_show_its_end() {
    for takes in 1..=34 {
        let mut stage = Stage::new();
        let (desk, alice) = (stage.desk(), stage.connect(Door::web(0), Origin::Unix, false));
        stage.socket(alice).sent.extend([HANDSHAKE, &frame(0x81, "C alice t1.x")].concat());
        (0..3).for_each(|_| stage.turn());
        stage.socket(alice).takes = takes;
        stage.socket(alice).sent.extend(frame(0x81, "C TOKEN"));
        stage.turn();
        assert!(stage.owed(alice) > 0, "{takes}");
        stage.ask(desk, "C trace alice");
        stage.socket(alice).takes = usize::MAX;
        stage.turn();
        stage.socket(alice).sent.extend(frame(0x81, "C NOOP"));
        (0..2).for_each(|_| stage.turn());
        let told = stage.told(desk);
        assert!(!told.contains("Secret") && told.contains("frame=\"C 200 done\""), "{takes}: {told}");
    }
}

#[test]
fn a_trace_ends_in_time_with_its_caller_and_when_its_target_becomes_an_operator() {
    let mut stage = Stage::new();
    let (alice, desk) = (stage.user("alice"), stage.desk());
    assert!(stage.ask(desk, "C trace alice --for 2s").contains(" name=alice "));
    assert!(stage.engine.next_due() <= stage.now + 2_000);
    stage.now += 2_000;
    stage.turn();
    assert_eq!(stage.told(desk), "C 211 1\n");
    stage.ask(desk, "C trace alice");
    stage.engine.drop_now(desk);
    stage.turn();
    assert!(stage.engine.desk.traces.is_off());
    let desk = stage.desk();
    let stranger = stage.connect(Door::line(), Origin::Unix, false);
    stage.turn();
    stage.ask(desk, &format!("C trace {}", stranger.generation));
    stage.say(stranger, "rita t1.x");
    stage.turn();
    stage.turn();
    let told = stage.told(desk);
    assert!(told.ends_with("C 554 operators are not traced\n") && !told.contains("rita"), "{told}");
    assert!(stage.ask(alice, "NOOP").starts_with("C 200"));
}

#[test]
fn frames_that_the_caller_does_not_take_are_counted() {
    let mut stage = Stage::new();
    let (alice, desk) = (stage.user("alice"), stage.desk());
    stage.ask(desk, "C trace alice");
    stage.socket(desk).takes = 0;
    for _ in 0..3_000 {
        stage.ask(alice, "NOOP");
    }
    assert!(stage.owed(desk) <= stage.engine.settings.limits.owed_soft_bytes as usize);
    stage.socket(desk).takes = usize::MAX;
    stage.turn();
    let before = stage.told(desk).lines().count();
    let told = stage.ask(alice, "NOOP") + &stage.ask(desk, "C rooms");
    let dropped = told.split(" dropped=").nth(1).and_then(|rest| rest.split('\n').next()).unwrap_or_default();
    let dropped: usize = dropped.parse().unwrap_or_default();
    assert_eq!(before + dropped, 6_000, "{told}");
}
