//! Tests: which receivers a message waits for, and messages that wait.

use std::net::{IpAddr, Ipv4Addr};

use super::super::{DatagramPlaces, Entrance, Frames, Phase, Random, Read, Ready, Roll, Settings, Wrote};
use super::*;
use crate::door::Door;
use crate::hub::names::UserName;

#[test]
fn a_short_line_waits_little_and_a_long_one_half_a_second() {
    for (bytes, expected) in [(0, 40), (64, 40), (328, 40), (400, 48), (4096, 500)] {
        assert_eq!(longest_wait(bytes), expected, "{bytes} bytes");
    }
}

#[track_caller]
fn check(receivers: usize, lagging: usize, endangered: usize, expected: Lag) {
    let audience = Audience { receivers, lagging, endangered };
    assert_eq!(audience.lag(), expected, "{audience:?}");
}

#[test]
fn who_slows_the_speakers() {
    check(1, 0, 0, Lag::Nobody);
    check(1, 1, 0, Lag::Many);
    check(2, 1, 0, Lag::Nobody);
    check(2, 2, 0, Lag::Many);
    check(31, 2, 0, Lag::Many);
    check(32, 2, 0, Lag::Nobody);
    check(10_000, 625, 0, Lag::Nobody);
    check(10_000, 626, 0, Lag::Many);
    check(10_000, 1, 1, Lag::One);
}

/// A socket that takes `takes` bytes a turn.
#[derive(Debug, Default)]
struct Socket {
    sent: Vec<u8>,
    is_ended: bool,
    told: Vec<u8>,
    takes: usize,
    left: usize,
}

impl Socket {
    fn read(&mut self, room: &mut [u8]) -> Read {
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
        let count = bytes.len().min(self.left);
        self.left -= count;
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

    fn lock(&self, _: &RoomName, password: &str) -> crate::hub::record::Lock {
        crate::hub::record::Lock::unsealed(password)
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

/// A server to which `alice` and `bob` are connected. Bob reads a byte a turn and lags, for many long messages are
/// queued for him.
struct Chat {
    engine: Engine<Socket>,
    alice: ConnId,
    bob: ConnId,
    /// The output of connections that have ended.
    gone: Vec<Vec<u8>>,
    now: Millis,
}

impl Chat {
    fn new() -> Self {
        let limits = Limits { rate_lines_per_s: 0, rate_bytes_per_s: 0, ..Limits::default() };
        let settings = Settings { limits, ..Settings::default() };
        let mut engine = Engine::new(settings, 10, DatagramPlaces::default(), Box::new(Everybody), Box::new(Zeros));
        engine.begin_turn(1, 1);
        let [alice, bob] = ["alice", "bob"].map(|name| {
            let sent = format!("{name} t1.x\n").into_bytes();
            let socket = Socket { sent, takes: usize::MAX, ..Socket::default() };
            let admitted = engine.admit(IpAddr::V4(Ipv4Addr::LOCALHOST), Door::line(), Entrance::default()).unwrap();
            let id = admitted.id();
            engine.handle_accept(admitted, socket);
            id
        });
        let mut chat = Self { engine, alice, bob, gone: Vec::new(), now: 1 };
        chat.turn(1);
        chat.socket(chat.bob).takes = 1;
        let long = format!("DM bob {}\n", "x".repeat(4000));
        chat.say(&long.repeat(5));
        chat.turn(1);
        assert!(chat.told().ends_with("C 250 sent to bob\n"));
        assert_eq!(chat.engine.backpressure.lagging, 1);
        chat
    }

    fn socket(&mut self, id: ConnId) -> &mut Socket {
        &mut self.engine.conns.find(id).unwrap().socket
    }

    /// Alice sends these bytes.
    fn say(&mut self, bytes: &str) {
        self.socket(self.alice).sent.extend(bytes.bytes());
    }

    /// What alice was told since this was last asked for.
    fn told(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.socket(self.alice).told)).unwrap()
    }

    /// Bob takes all that he is owed. Gives how often he is told this text.
    fn heard(&mut self, text: &str) -> usize {
        self.socket(self.bob).takes = usize::MAX;
        self.turn(1);
        let told = String::from_utf8(self.socket(self.bob).told.clone()).unwrap();
        told.matches(text).count()
    }

    fn counters(&self) -> (u64, u64) {
        (self.engine.counters.throttled, self.engine.counters.lines)
    }

    /// Runs a turn, this many milliseconds after the last one.
    fn turn(&mut self, later: Millis) {
        self.now += later;
        let engine = &mut self.engine;
        engine.begin_turn(self.now, self.now);
        for id in [self.alice, self.bob] {
            let Some(conn) = engine.conns.find(id) else { continue };
            conn.socket.left = conn.socket.takes;
            let (is_readable, is_ending) = (!conn.socket.sent.is_empty(), conn.socket.is_ended);
            engine.handle_ready(id, Ready { is_readable, is_ending, is_writable: true, is_broken: false });
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
        self.gone.extend(std::iter::from_fn(|| engine.poll_gone()).map(|gone| gone.socket.told));
        engine.rearm();
    }

    /// Turns of a millisecond each, until alice is told something. Gives how many there were.
    #[track_caller]
    fn wait(&mut self) -> Millis {
        let begun = self.now;
        while self.socket(self.alice).told.is_empty() {
            assert!(self.now < begun + 1_000, "alice is told nothing");
            self.turn(1);
        }
        self.now - begun
    }
}

#[test]
fn a_message_waits_and_nothing_overtakes_it() {
    let mut chat = Chat::new();
    let (throttled, lines) = chat.counters();
    chat.say("DM bob late\nNOOP\n");
    chat.turn(1);
    assert_eq!((chat.told().as_str(), chat.counters()), ("", (throttled + 1, lines)), "a line counts when it is over");
    assert_eq!(chat.wait(), 40);
    assert_eq!(chat.told(), "C 250 sent to bob\nC 200 done\n");
    assert_eq!(chat.counters(), (throttled + 1, lines + 2));
    assert_eq!(chat.heard("D DM alice late\n"), 1);
}

#[test]
fn a_message_goes_on_when_its_receivers_have_caught_up() {
    let mut chat = Chat::new();
    chat.say("DM bob soon\n");
    chat.turn(1);
    assert_eq!(chat.heard("soon"), 0);
    assert!(chat.wait() < 10);
    assert_eq!(chat.heard("D DM alice soon\n"), 1);
}

#[test]
fn an_answer_to_a_prompt_waits_too() {
    let mut chat = Chat::new();
    chat.say("DM bob\nNOOP\nDM bob \nPM\n");
    chat.turn(1);
    assert_eq!(chat.told(), "C 354 your message?\n", "the prompt does not wait, the answer to it does");
    chat.wait();
    assert_eq!(chat.told(), "C 250 sent to bob\nC 354 your message?\n");
    chat.wait();
    assert_eq!(chat.told(), "C 250 sent to bob\n");
    assert_eq!((chat.heard("D DM alice NOOP\n"), chat.heard("D DM alice PM\n")), (1, 1));
}

#[test]
fn a_client_that_ends_its_stream_has_its_last_message_carried_out() {
    let mut chat = Chat::new();
    chat.say("DM bob last\n");
    chat.socket(chat.alice).is_ended = true;
    chat.turn(1);
    assert_eq!(chat.told(), "");
    let begun = chat.now;
    while chat.gone.is_empty() {
        chat.turn(1);
    }
    assert_eq!((chat.now - begun, chat.gone.concat().as_slice()), (40, &b"C 250 sent to bob\n"[..]));
    assert_eq!(chat.heard("D DM alice last\n"), 1);
}

#[test]
fn the_end_of_a_connection_drops_the_message_that_waits() {
    for is_broken in [true, false] {
        let mut chat = Chat::new();
        chat.say("DM bob lost\n");
        chat.turn(1);
        if is_broken {
            chat.engine.handle_ready(chat.alice, Ready { is_broken, ..Ready::default() });
        } else {
            chat.engine.close(chat.alice, crate::close::CloseReason::Replaced);
        }
        for _ in 0..100 {
            chat.turn(1);
        }
        assert_eq!(chat.heard("lost"), 0);
    }
}

#[test]
fn the_clock_of_a_line_does_not_run_while_its_message_waits() {
    let mut chat = Chat::new();
    chat.say("DM bob la");
    chat.turn(1);
    chat.say("te\n");
    chat.turn(1);
    let conn = chat.engine.conns.peek(chat.alice).unwrap();
    assert!(conn.held.is_some() && !conn.inbox.has_begun());
    assert_eq!(conn.line_since, NEVER);
    // The next line has begun, and its clock begins when the one before is over.
    chat.say("NO");
    chat.wait();
    let conn = chat.engine.conns.peek(chat.alice).unwrap();
    assert_eq!((conn.held.is_none(), conn.line_since), (true, chat.now));
}

#[test]
fn new_settings_end_the_pause_and_lose_nothing() {
    let mut chat = Chat::new();
    chat.say("DM bob kept\n");
    chat.turn(1);
    let settings = chat.engine.settings().clone();
    for _ in 0..3 {
        chat.engine.handle_settings(settings.clone(), 10);
        chat.turn(1);
    }
    chat.wait();
    assert_eq!(chat.told(), "C 250 sent to bob\n");
    assert_eq!(chat.heard("D DM alice kept\n"), 1);
}

#[test]
fn only_messages_wait() {
    let mut chat = Chat::new();
    chat.say("NOOP\nWHO\nPM\n\nDM nobody x\n");
    chat.turn(1);
    let told = chat.told();
    let codes: Vec<&str> = told.lines().filter_map(|line| line.get(..6)).collect();
    assert_eq!(codes, ["C 200 ", "C 211-", "C 211-", "C 211 ", "C 354 ", "C 200 ", "C 550 "], "{told}");
}
