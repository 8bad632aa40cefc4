//! Clients of the room door and of the datagram sockets, written from docs/protocol.md alone.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use socket2::SockRef;

use crate::{Builder, PATIENCE, START_STOP, Server, eventually, pause};

/// The operation that creates a room.
pub const MAKE: u8 = 1;
/// The operation that joins a room.
pub const JOIN: u8 = 2;

/// A frame of the room door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The name of the room.
    pub room: String,
    /// [`MAKE`] or [`JOIN`].
    pub operation: u8,
    /// 0 request, 1 status, 2 done.
    pub state: u8,
    /// The payload.
    pub payload: Vec<u8>,
}

/// A header.
pub fn header(room_bytes: u8, operation: u8, state: u8, payload_bytes: u64) -> Vec<u8> {
    [&[room_bytes, operation, state][..], &[0; 21], &payload_bytes.to_be_bytes()].concat()
}

/// A whole request.
pub fn request(operation: u8, room: &str, payload: &[u8]) -> Vec<u8> {
    [&header(room.len() as u8, operation, 0, payload.len() as u64), room.as_bytes(), payload].concat()
}

/// The frames of an answer, which must be complete.
#[track_caller]
pub fn frames(mut bytes: &[u8]) -> Vec<Frame> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at(32);
        assert!(head[3..24].iter().all(|byte| *byte == 0), "a large size: {head:?}");
        let payload_bytes = u64::from_be_bytes(head[24..].try_into().unwrap()) as usize;
        let (room, rest) = rest.split_at(head[0].into());
        let (payload, rest) = rest.split_at(payload_bytes);
        let room = String::from_utf8(room.to_vec()).unwrap();
        all.push(Frame { room, operation: head[1], state: head[2], payload: payload.to_vec() });
        bytes = rest;
    }
    all
}

/// How a request goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// All at once.
    Whole,
    /// Each byte in a separate write.
    ByteByByte,
    /// Followed by two more bytes, a port.
    TwoMore,
    /// Followed by the end of the client's side.
    HalfClosed,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Whole, Self::ByteByByte, Self::TwoMore, Self::HalfClosed];
}

/// One exchange: the server's answer to `bytes`, up to the end of the stream, which must be in order.
#[track_caller]
pub fn exchange(addr: SocketAddr, bytes: &[u8], way: Way) -> Vec<u8> {
    let stream = TcpStream::connect_timeout(&addr, PATIENCE).expect("the server accepts");
    exchange_on(&stream, bytes, way)
}

/// The same, on an open connection.
#[track_caller]
pub fn exchange_on(mut stream: &TcpStream, bytes: &[u8], way: Way) -> Vec<u8> {
    stream.set_nodelay(true).expect("TCP_NODELAY");
    stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
    match way {
        Way::ByteByByte => bytes.iter().for_each(|byte| stream.write_all(&[*byte]).expect("a byte is taken")),
        Way::TwoMore => stream.write_all(&[bytes, &[0xd4, 0x31]].concat()).expect("the request is taken"),
        Way::Whole | Way::HalfClosed => stream.write_all(bytes).expect("the request is taken"),
    }
    if way == Way::HalfClosed {
        stream.shutdown(Shutdown::Write).expect("shutdown of the sending side");
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer, and the end of the stream");
    answer
}

/// A datagram of a member.
pub fn datagram(room: &str, token: &str, message: &[u8]) -> Vec<u8> {
    [&[room.len() as u8, token.len() as u8], room.as_bytes(), token.as_bytes(), message].concat()
}

/// A member of a room that sends and receives by datagrams.
pub struct Peer {
    /// Its socket.
    pub socket: UdpSocket,
    /// The token of its membership.
    pub token: String,
}

impl Peer {
    /// A member with this token, on a socket of its own at this address, that sends to `udp`.
    #[track_caller]
    pub fn new(from: IpAddr, udp: SocketAddr, token: &str) -> Self {
        let socket = UdpSocket::bind(SocketAddr::new(from, 0)).expect("a socket");
        SockRef::from(&socket).set_recv_buffer_size(1 << 20).expect("SO_RCVBUF");
        socket.connect(udp).expect("a socket's peer");
        socket.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        Self { socket, token: token.to_owned() }
    }

    /// Sends these bytes.
    #[track_caller]
    pub fn send(&self, bytes: &[u8]) {
        self.socket.send(bytes).expect("a datagram is taken");
    }

    /// Sends a message to its room, which it does not name.
    #[track_caller]
    pub fn say(&self, text: &str) {
        self.send(&datagram("", &self.token, text.as_bytes()));
    }

    /// Registers its address.
    #[track_caller]
    pub fn hello(&self) {
        self.say("");
    }

    /// The next datagram.
    #[track_caller]
    pub fn hear(&self) -> Vec<u8> {
        let mut bytes = [0; 8192];
        match self.socket.recv(&mut bytes) {
            Ok(count) => bytes[..count].to_vec(),
            Err(error) => panic!("waited for a datagram: {error}"),
        }
    }

    /// The next datagram, which must be this.
    #[track_caller]
    pub fn expect(&self, text: &str) {
        let heard = self.hear();
        assert_eq!(String::from_utf8_lossy(&heard), text);
    }

    /// Nothing may have arrived. Only meaningful after the cause is known to be handled.
    #[track_caller]
    pub fn expect_nothing(&self) {
        self.socket.set_nonblocking(true).expect("O_NONBLOCK");
        let mut bytes = [0; 8192];
        match self.socket.recv(&mut bytes) {
            Ok(count) => panic!("heard {:?}", String::from_utf8_lossy(&bytes[..count])),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        self.socket.set_nonblocking(false).expect("O_NONBLOCK");
    }
}

/// Sets a flag that ends threads, even if a test ends by a panic.
pub struct Over<'a>(pub &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// The token in an answer of the room door.
#[track_caller]
pub fn token_of(answer: &[u8]) -> String {
    let frames = frames(answer);
    assert_eq!((frames.len(), frames[0].payload.as_slice()), (2, &[0][..]), "{frames:?}");
    String::from_utf8(frames[1].payload.clone()).expect("a token")
}

/// The token in a `227`.
#[track_caller]
pub fn token_in(line: &str) -> String {
    let (_, rest) = line.split_once(" token=").unwrap_or_else(|| panic!("no token in {line:?}"));
    rest.split(' ').next().unwrap_or(rest).to_owned()
}

impl Builder {
    /// Listens for lines, and at a room door with each of these options; prints counters every second.
    pub fn rooms(mut self, options: &[&str]) -> Self {
        let rooms = options.iter().map(|options| format!("rooms://127.0.0.1:0?udp=0{options}"));
        let doors: Vec<String> = std::iter::once("line://127.0.0.1:0".to_owned()).chain(rooms).collect();
        self = self.set("listen", &format!("{doors:?}")).set("log.stats_s", "1");
        self.listeners = 1 + 2 * options.len();
        self
    }

    /// Adds a datagram socket for clients of the line door.
    pub fn datagrams(mut self) -> Self {
        self.listeners += 1;
        self.set("datagrams", "\"127.0.0.1:0\"")
    }

    /// Waits for this many sockets in the log.
    pub fn sockets(mut self, count: usize) -> Self {
        self.listeners = count;
        self
    }
}

impl Server {
    /// The addresses of all listeners of this door, in the order of the log; `udp` for datagrams.
    pub fn doors(&self, door: &str) -> Vec<SocketAddr> {
        self.addrs.iter().filter(|(name, _)| name == door).map(|(_, addr)| *addr).collect()
    }

    /// A guest at the first room door that has created or joined a room, and has sent no datagram yet.
    #[track_caller]
    pub fn silent_guest(&self, operation: u8, room: &str, name: &str) -> Peer {
        self.silent_guest_at(0, operation, room, name)
    }

    /// The same at the room door with this index.
    #[track_caller]
    pub fn silent_guest_at(&self, place: usize, operation: u8, room: &str, name: &str) -> Peer {
        let answer = exchange(self.doors("rooms")[place], &request(operation, room, name.as_bytes()), Way::Whole);
        // Each door has its own socket, or all share one.
        let sockets = self.doors("udp");
        Peer::new(Ipv4Addr::LOCALHOST.into(), *sockets.get(place).unwrap_or(&sockets[0]), &token_of(&answer))
    }

    /// A guest that has registered its address.
    #[track_caller]
    pub fn guest(&self, operation: u8, room: &str, name: &str) -> Peer {
        let guest = self.silent_guest(operation, room, name);
        guest.hello();
        guest
    }

    /// The value of a counter in the last line of counters.
    fn counter_now(&self, name: &str) -> Option<u64> {
        let log = self.log_text();
        let line = log.lines().rev().find(|line| line.contains("stats: ") && line.contains(" left="))?;
        let part = line.split(' ').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))?;
        part.parse().ok()
    }

    /// Waits until the last line of counters shows these values.
    #[track_caller]
    pub fn expect_counters(&self, expected: &[(&str, u64)]) {
        let deadline = Instant::now() + START_STOP;
        loop {
            let found: Vec<_> = expected.iter().map(|(name, _)| (*name, self.counter_now(name))).collect();
            if found.iter().zip(expected).all(|((_, found), (_, expected))| *found == Some(*expected)) {
                return;
            }
            assert!(Instant::now() < deadline, "expected {expected:?}, found {found:?}:\n{}", self.log_text());
            pause(20);
        }
    }

    /// A counter in the next line of counters.
    #[track_caller]
    pub fn counter(&self, name: &str) -> u64 {
        let lines = || self.log_text().lines().filter(|line| line.contains("stats: ")).count();
        let (before, deadline) = (lines(), Instant::now() + START_STOP);
        while lines() == before {
            assert!(Instant::now() < deadline, "no line of counters");
            pause(20);
        }
        self.counter_now(name).unwrap_or_else(|| panic!("no counter {name}"))
    }

    /// The server must have this many UDP sockets. The kernel's table may miss one while others come and go, so it is
    /// read again.
    #[track_caller]
    pub fn expect_udp_sockets(&self, count: usize) {
        eventually("its UDP sockets", || self.udp_sockets() == count);
    }

    /// The number of UDP sockets of the process: those among its descriptors that the kernel lists as such.
    pub fn udp_sockets(&self) -> usize {
        let proc = format!("/proc/{}", self.pid());
        let tables =
            ["net/udp", "net/udp6"].map(|table| fs::read_to_string(format!("{proc}/{table}")).unwrap_or_default());
        let inodes: Vec<String> = tables
            .iter()
            .flat_map(|table| table.lines().skip(1))
            .filter_map(|line| line.split_whitespace().nth(9).map(str::to_owned))
            .collect();
        let descriptors = fs::read_dir(format!("{proc}/fd")).expect("/proc");
        let links = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
        links.filter(|link| inodes.iter().any(|inode| link.as_os_str() == format!("socket:[{inode}]").as_str())).count()
    }
}
