//! The server behind its doors: the engine, with buffers for sockets and accounts that answer at once. `bob` is logged
//! in, and the host of the room `hall`. `alice` and `bob` have accounts with the password `password1` and the token
//! `t1.T0KEN`. The password `busybusy` meets a full queue, and `fulldisk` cannot be saved.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;

use chatd::auth::{Refused, Request, Verdict};
use chatd::door::Door;
use chatd::door::relay;
use chatd::door::rooms::Options;
use chatd::engine::{
    ConnId, DatagramPlaces, Engine, Entrance, Finished, Frames, InFlight, Operators, Phase, Random, Read, Ready, Roll,
    Sent, Settings, ToAccounts, Wrote,
};
use chatd::hub::names::{RoomName, UserName};
use chatd::hub::record::Lock;
use chatd::limits::{Accounts, Limits, Login, READ_BYTES, Rooms, Web};
use chatd::text;

/// Milliseconds from one turn to the next: more than any pause lasts.
const TURN_MS: u64 = 2_000;
/// Milliseconds of Unix time, which does not advance: ids of messages must not depend on how a stream is cut.
const UNIX_MS: u64 = 1_000_000;
/// Where the connections come from.
const IP: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A server, the connection of a client, and that of `bob`.
pub(crate) struct Server {
    engine: Engine<Socket>,
    accounts: Known,
    now: u64,
    me: (ConnId, Socket),
    bob: (ConnId, Socket),
}

/// The output to the client of the connection and to `bob`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    me: Vec<u8>,
    bob: Vec<u8>,
}

/// A client's end of a connection.
#[derive(Debug, Default)]
struct Wire {
    sent: Vec<u8>,
    /// The client has ended its stream.
    is_ended: bool,
    told: Vec<u8>,
}

type Socket = Rc<RefCell<Wire>>;

impl Server {
    pub(crate) fn line() -> Self {
        Self::new(Door::line())
    }

    /// A line door that lets guests in.
    pub(crate) fn line_with_guests() -> Self {
        Self::new(Door::line_with_guests())
    }

    pub(crate) fn room(how: u8) -> Self {
        Self::new(Door::rooms(Options { status_ok: how & 1 == 1, down_named: how & 2 == 2 }))
    }

    /// The client comes by the relay door to the room `hall`, which it makes, and `bob` is in. Silences end no message.
    pub(crate) fn relay(echo: bool) -> Self {
        let room = RoomName::parse("hall").expect("a name");
        Self::new(Door::relay(relay::Options { room, gap_ms: u32::MAX, echo }))
    }

    /// A server to which the guest `zoe` has come, and is in the room `hall`. Gives her token too.
    pub(crate) fn guest() -> (Self, String) {
        let mut server = Self::room(0);
        let mut request = [0; 32];
        (request[0], request[1], request[31]) = (4, 2, 3);
        server.me.1.borrow_mut().sent = [&request, &b"hallzoe"[..]].concat();
        server.turn();
        let told = server.take_told().me;
        let token = told.last_chunk::<26>().expect("the last frame is that of the token");
        let token = String::from_utf8(token.to_vec()).expect("base32");
        (server, token)
    }

    fn new(door: Door) -> Self {
        let limits =
            Limits { line_s: u32::MAX, rate_lines_per_s: 0, rate_bytes_per_s: 0, list_lines: 5, ..Limits::default() };
        let settings = Settings {
            limits,
            login: Login { deadline_s: u32::MAX, failure_delay_ms: 0, ..Login::default() },
            accounts: Accounts { sessions_per_account: 2, ..Accounts::default() },
            rooms: Rooms { per_session: 2, members: 3, ..Rooms::default() },
            web: Web::default(),
            history: None,
            operators: Operators::default(),
            stats_s: 0,
        };
        let accounts = Known::default();
        for name in ["alice", "bob"] {
            accounts.0.borrow_mut().insert(UserName::parse(name).expect("a name"), 1);
        }
        let datagrams = DatagramPlaces { sockets: 1, line_port: Some(5015) };
        let mut engine = Engine::new(settings, 10, datagrams, Box::new(accounts.clone()), Box::new(Counting(0)));
        engine.begin_turn(1, UNIX_MS);
        let bob = connect(&mut engine, Door::line());
        let me = connect(&mut engine, door);
        let mut server = Self { engine, accounts, now: 1, me, bob };
        server.bob.1.borrow_mut().sent = b"C bob t1.T0KEN\nC MAKE hall\nC JOIN hall\n".to_vec();
        server.turn();
        server.bob.1.borrow_mut().told.clear();
        server
    }

    /// Processes pieces of input, each in a turn of its own, and the end of the input. Gives what was told.
    pub(crate) fn hear<'a>(mut self, pieces: impl Iterator<Item = &'a [u8]>) -> Told {
        for piece in pieces {
            self.me.1.borrow_mut().sent.extend(piece);
            self.turn();
        }
        self.me.1.borrow_mut().is_ended = true;
        // A pause may follow each line, and ends in the next turn.
        let most = self.me.1.borrow().sent.len() + READ_BYTES;
        let turns = (0..most).take_while(|_| {
            self.turn();
            self.is_there()
        });
        assert!(turns.count() < most, "the connection does not end");
        self.take_told()
    }

    /// Processes a datagram of the client. Gives what `bob` is told.
    pub(crate) fn hear_datagram(&mut self, datagram: &[u8]) -> Told {
        let from = SocketAddr::new(IP, 7);
        self.engine.handle_datagram(0, from, datagram);
        self.turn();
        self.take_told()
    }

    /// Has `bob` send a line. Gives what is told, and the datagrams that are sent.
    pub(crate) fn hear_bob(&mut self, line: &str) -> (Told, Vec<Vec<u8>>) {
        self.bob.1.borrow_mut().sent.extend(line.bytes());
        let datagrams = self.turn();
        (self.take_told(), datagrams)
    }

    /// Whether the engine still holds the client's connection.
    fn is_there(&self) -> bool {
        Rc::strong_count(&self.me.1) > 1
    }

    fn take_told(&mut self) -> Told {
        assert_eq!(self.engine.counters().panics, 0);
        let [me, bob] = [&self.me, &self.bob].map(|(_, socket)| std::mem::take(&mut socket.borrow_mut().told));
        Told { me, bob }
    }

    /// A turn of the server. Gives the datagrams that were sent.
    fn turn(&mut self) -> Vec<Vec<u8>> {
        self.now += TURN_MS;
        let engine = &mut self.engine;
        engine.begin_turn(self.now, UNIX_MS);
        for (id, socket) in [&self.me, &self.bob] {
            let wire = socket.borrow();
            let (is_readable, is_ending) = (!wire.sent.is_empty(), wire.is_ended);
            engine.handle_ready(*id, Ready { is_readable, is_ending, ..Ready::default() });
        }
        engine.run_timers();
        engine.run_closes();
        while let Some((probe, _)) = engine.poll_probe() {
            engine.handle_probe(probe, InFlight::default());
        }
        engine.begin_phase(Phase::Reads);
        while let Some(to_read) = engine.poll_read() {
            let (id, read) = (to_read.id, to_read.socket.borrow_mut().read(to_read.room));
            engine.handle_read(id, read);
        }
        while let Some(request) = engine.poll_request() {
            if let ToAccounts::Ask { id, request, .. } = request {
                match self.accounts.answer(request) {
                    Ok(verdict) => engine.handle_verdict(id, verdict),
                    Err(refused) => engine.handle_refused(id, refused),
                }
            }
        }
        let datagrams = flush(engine);
        while engine.poll_gone().is_some() {}
        engine.rearm();
        datagrams
    }
}

fn connect(engine: &mut Engine<Socket>, door: Door) -> (ConnId, Socket) {
    let admitted = engine.admit(IP, door, Entrance::default()).expect("there is room");
    let (id, socket) = (admitted.id(), Socket::default());
    engine.handle_accept(admitted, Rc::clone(&socket));
    (id, socket)
}

/// The flush phase. Gives the datagrams that were sent.
fn flush(engine: &mut Engine<Socket>) -> Vec<Vec<u8>> {
    engine.begin_phase(Phase::Writes);
    while let Some(to_write) = engine.poll_write() {
        let (id, wrote) = (to_write.id, to_write.socket.borrow_mut().write(&to_write.frames));
        engine.handle_wrote(id, wrote);
    }
    while let Some((id, _)) = engine.poll_finish() {
        engine.handle_finished(id, Finished::Done);
    }
    let mut datagrams = Vec::new();
    while let Some((socket, queue)) = engine.poll_datagrams() {
        datagrams.extend(queue.iter().map(|item| queue.contents(item).to_vec()));
        queue.sent(usize::MAX);
        engine.handle_sent(socket, Sent::default());
    }
    engine.end_flush();
    datagrams
}

impl Wire {
    fn read(&mut self, room: &mut [u8]) -> Read {
        assert!(!room.is_empty(), "more is held than the longest line");
        let count = self.sent.len().min(room.len());
        if count == 0 {
            return if self.is_ended { Read::End } else { Read::Nothing };
        }
        room[..count].copy_from_slice(&self.sent[..count]);
        self.sent.drain(..count);
        Read::Bytes { count, is_short: count < room.len() }
    }

    fn write(&mut self, frames: &Frames<'_>) -> Wrote {
        match frames {
            Frames::One(bytes) => self.told.extend(*bytes),
            Frames::Many(slices) => slices.iter().for_each(|slice| self.told.extend(&**slice)),
        }
        Wrote::Bytes { count: frames.len(), is_short: false }
    }
}

/// The accounts: names and epochs.
#[derive(Clone, Debug, Default)]
struct Known(Rc<RefCell<BTreeMap<UserName, u32>>>);

impl Known {
    fn answer(&self, request: Request) -> Result<Verdict, Refused> {
        let mut known = self.0.borrow_mut();
        let password = match &request {
            Request::Register { password, .. } | Request::Check { password, .. } | Request::Change { password, .. } => {
                password.as_bytes()
            }
            Request::Deed(_) => b"",
        };
        if password == b"busybusy" {
            return Err(Refused::Full);
        }
        let is_right = password == b"password1";
        let is_saved = password != b"fulldisk";
        Ok(match request {
            Request::Check { name, .. } => match known.get(&name) {
                Some(epoch) if is_right => Verdict::Right { epoch: *epoch },
                Some(_) | None => Verdict::Wrong,
            },
            Request::Register { .. } | Request::Change { .. } if !is_saved => Verdict::Unavailable,
            Request::Register { name, .. } if name.as_str() == "taken" => Verdict::Taken,
            Request::Register { name, .. } => {
                known.insert(name, 1);
                Verdict::Registered { epoch: 1 }
            }
            Request::Change { name, epoch, .. } => {
                known.insert(name.clone(), epoch + 1);
                Verdict::Changed { name, epoch: epoch + 1 }
            }
            Request::Deed(_) => Verdict::Unavailable,
        })
    }
}

impl Roll for Known {
    fn lookup(&self, name: &UserName) -> Option<UserName> {
        self.0.borrow().get_key_value(name).map(|(name, _)| name.clone())
    }

    fn since(&self, name: &UserName) -> Option<u64> {
        self.lookup(name).map(|_| 1)
    }

    fn lock(&self, _: &RoomName, password: &str) -> Lock {
        Lock::unsealed(password)
    }

    fn may_register(&self) -> bool {
        true
    }

    fn epoch(&self, name: &UserName) -> Option<u32> {
        self.0.borrow().get(name).copied()
    }

    fn issue_token(&self, _: &UserName, _: u32, _: u64) -> Option<(String, u64)> {
        Some(("t1.T0KEN".to_owned(), 86_400))
    }

    fn check_token(&self, name: &UserName, token: &[u8], _: u64) -> Option<u32> {
        if token == b"t1.T0KEN" { self.epoch(name) } else { None }
    }
}

/// Bytes that count.
struct Counting(u8);

impl Random for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        self.0 = self.0.wrapping_add(1);
        bytes.fill(self.0);
        true
    }
}

impl Told {
    /// Whether nobody was told anything.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Checks that the output consists of whole lines of a server, without control characters.
    pub(crate) fn check_lines(&self) {
        for told in [&self.me, &self.bob] {
            let told = std::str::from_utf8(told).expect("UTF-8");
            assert!(told.is_empty() || told.ends_with('\n'), "a line is not ended");
            for line in told.lines() {
                let is_code = |code: &str| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
                let is_reply = line.starts_with("C ") && line.get(2..5).is_some_and(is_code);
                assert!(is_reply || line.starts_with("D "), "{line:?}");
                assert!(text::check(line.as_bytes()).is_some_and(|checked| checked.is_clean), "{line:?}");
            }
        }
    }

    /// The output of the relay door with the same end after each message, and that to `bob`.
    pub(crate) fn relayed(&self) -> (Vec<String>, &[u8]) {
        let told = std::str::from_utf8(&self.me).expect("UTF-8");
        let lines = told.split_terminator(['\n', '\0']).map(|line| line.strip_suffix('\r').unwrap_or(line));
        (lines.map(str::to_owned).collect(), &self.bob)
    }

    /// Checks the output of the relay door: messages of the guest alone, and of the server at the end.
    pub(crate) fn check_relayed(&self, echo: bool) {
        Self { me: Vec::new(), bob: self.bob.clone() }.check_lines();
        let (lines, bob) = self.relayed();
        assert!(self.me.is_empty() || self.me.ends_with(b"\n") || self.me.ends_with(b"\0"), "a message is not ended");
        for line in &lines {
            assert!(line.starts_with("~") && line.contains(" : ") || line.starts_with("server : "), "{line:?}");
            assert!(text::check(line.as_bytes()).is_some_and(|checked| checked.is_clean), "{line:?}");
        }
        let heard = bob.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"D RM ")).count();
        let said = lines.iter().filter(|line| line.starts_with('~')).count();
        assert_eq!(said, if echo { heard } else { 0 });
    }

    /// Checks that the output consists of whole frames of the room door. Returns their number.
    pub(crate) fn check_frames(&self) -> usize {
        let (mut rest, mut count) = (self.me.as_slice(), 0);
        while !rest.is_empty() {
            let (header, behind) = rest.split_first_chunk::<32>().expect("a whole header");
            let (room, size) = (usize::from(header[0]), usize::from(header[30]) << 8 | usize::from(header[31]));
            assert!(header[3..30].iter().all(|byte| *byte == 0) && header[2] <= 2, "{header:?}");
            rest = behind.get(room + size..).expect("a whole frame");
            count += 1;
        }
        count
    }
}
