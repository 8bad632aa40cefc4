//! Hostile, broken and stopped clients, and what they cost the others.
//!
//! Each test has a canary, a pair of clients that talk meanwhile: it must survive, and its p99 is printed. Afterwards
//! the server's descriptors and memory are back where they were.

use std::io::Write;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use testkit::{Builder, Canary, Client, PASSWORD, Server, eventually, pause};

use crate::crowds::{may_open, turn};

mod injected;
mod network;
mod stopped;

/// The server may keep one part in this many of its memory: 5 of 100.
const KEPT_PART: u64 = 20;
/// … or this many KiB: the allocator's thread cache has room for some hundred pieces, each of which may keep a page.
/// That does not grow with the number of clients.
const CACHE_KIB: u64 = 512;
/// How long the server may take to get there.
const SETTLED: Duration = Duration::from_secs(5);

/// A server and its canary before an attack.
struct Watch {
    server: Server,
    canary: Canary,
    descriptors: usize,
    /// The memory that it has written to, and how much more of that may be left at the end.
    own_kib: u64,
    shall_keep_kib: u64,
    /// These crowds, too, take turns.
    _turn: MutexGuard<'static, ()>,
}

impl Watch {
    /// The warm-up does everything once, so that one-time costs are not counted.
    #[track_caller]
    fn start(builder: Builder, warm_up: impl FnOnce(&Server)) -> Self {
        let turn = turn();
        let server = builder.no_rates().set("log.stats_s", "1").start();
        let canary = Canary::start(&server);
        let descriptors = server.descriptors();
        warm_up(&server);
        eventually("the warm-up is over", || server.descriptors() <= descriptors);
        let (own_kib, shall_keep_kib) = (server.own_kib(), server.resident_kib() / KEPT_PART);
        Self { server, canary, descriptors, own_kib, shall_keep_kib, _turn: turn }
    }

    /// Repeats the attack until the canary has enough rounds.
    fn repeat(&self, mut attack: impl FnMut(&Server)) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            attack(&self.server);
            if self.canary.has_enough() || Instant::now() > deadline {
                return;
            }
        }
    }

    /// The server must be as before.
    #[track_caller]
    fn end(self, what: &str) {
        let Self { mut server, canary, descriptors, own_kib, shall_keep_kib, _turn } = self;
        eventually("all descriptors are free again", || server.descriptors() <= descriptors);
        canary.finish(what);
        let mut now = server.own_kib();
        let deadline = Instant::now() + SETTLED;
        while now > own_kib + shall_keep_kib && Instant::now() < deadline {
            pause(50);
            now = server.own_kib();
        }
        println!("{what}: {own_kib} KiB before, {now} KiB after, {shall_keep_kib} are 5 % of all");
        let most = own_kib + shall_keep_kib.max(CACHE_KIB);
        assert!(now <= most, "{own_kib} KiB before, {now} KiB after, more than {most}");
        assert_eq!(server.term().code(), Some(0));
        println!("{what}: the longest turn took {:?}", longest_turn(&server));
    }
}

/// The longest turn of the loop, as the server has measured it.
fn longest_turn(server: &Server) -> Duration {
    let text = server.log_text();
    let turns = text.split("longest_turn_us=").skip(1).filter_map(|rest| rest.split_whitespace().next()?.parse().ok());
    Duration::from_micros(turns.max().unwrap_or_default())
}

fn crowd(addr: SocketAddr, count: usize) -> Vec<TcpStream> {
    (0..count).map(|_| TcpStream::connect(addr).expect("a connection")).collect()
}

#[test]
fn two_thousand_silent_peers() {
    if !may_open(2_000) {
        return;
    }
    let watch = Watch::start(Server::builder(), |server| drop(crowd(server.addr(), 100)));
    watch.repeat(|server| {
        let silent = crowd(server.addr(), 2_000);
        server.greeted();
        drop(silent);
    });
    watch.end("2,000 silent peers");
}

#[test]
fn two_thousand_who_log_in_at_once() {
    if !may_open(2_000) {
        return;
    }
    let log_in = |server: &Server, count: usize| {
        let mut clients: Vec<Client> = (0..count).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.send_raw(format!("crowd\n{PASSWORD}\n").as_bytes());
        }
        let mut refused = 0;
        for client in &mut clients {
            client.expect("C 220 ");
            client.expect("C 331 ");
            while client.line().starts_with("C 450 ") {
                refused += 1;
                client.send(PASSWORD);
            }
        }
        refused
    };
    let builder = Server::builder().set("accounts.sessions_per_account", "3000");
    let watch = Watch::start(builder, |server| {
        drop(server.bare("crowd"));
        log_in(server, 100);
    });
    watch.repeat(|server| {
        let begun = Instant::now();
        let refused = log_in(server, 2_000);
        println!("2,000 logged in within {:?}; {refused} answers were 450", begun.elapsed());
    });
    watch.end("2,000 simultaneous logins");
}

#[test]
fn ten_thousand_pipelined_lines() {
    let watch = Watch::start(Server::builder().no_rates(), |server| server.bare("eager").barrier());
    watch.repeat(|server| {
        let mut eager = server.bare("eager");
        let mut stream = eager.stream().try_clone().expect("a second handle");
        let writer = std::thread::spawn(move || stream.write_all("NOOP\n".repeat(10_000).as_bytes()));
        for _ in 0..10_000 {
            eager.expect("C 200");
        }
        writer.join().unwrap().expect("all is taken");
    });
    watch.end("10,000 pipelined lines");
}

#[test]
fn five_hundred_who_write_a_byte_a_second() {
    if !may_open(500) {
        return;
    }
    let builder = Server::builder().set("limits.line_s", "3");
    let watch = Watch::start(builder, |server| drop(crowd(server.addr(), 100)));
    let mut slow = crowd(watch.server.addr(), 500);
    let deadline = Instant::now() + Duration::from_secs(15);
    // The counter of this reason is printed every second.
    while !watch.server.log_text().contains("\"line never ended\"=500") {
        assert!(Instant::now() < deadline, "not all were cut: {}", watch.server.log_text());
        for stream in &mut slow {
            // A client that was closed cannot write any more.
            let _ = stream.write(b"x");
        }
        pause(1000);
    }
    drop(slow);
    watch.end("500 writers of a byte a second");
}

#[test]
fn a_mebibyte_without_a_newline() {
    let shout = |server: &Server| {
        let mut loud = server.connect();
        // The server stops reading after the limit.
        let _ = loud.stream().write_all(&vec![b'x'; 1 << 20]);
        assert!(loud.expect_reset_or_closed().contains("C 421 line never ended\n"));
    };
    let watch = Watch::start(Server::builder(), shout);
    watch.repeat(shout);
    watch.end("1 MiB without a newline");
}

/// All disconnect at once, reconnect at once, and are served.
#[track_caller]
fn check_storm(count: usize) {
    if !may_open(2 * count) {
        return;
    }
    let builder = Server::builder().set("limits.connections", "20000");
    let watch = Watch::start(builder, |server| drop(crowd(server.addr(), 100)));
    let mut all = crowd(watch.server.addr(), count);
    watch.repeat(|server| {
        let begun = Instant::now();
        for stream in all.drain(..) {
            Client::from_stream(stream).reset();
        }
        all = crowd(server.addr(), count);
        println!("{count} went and came again in {:?}", begun.elapsed());
    });
    for stream in all {
        Client::from_stream(stream).expect("C 220 ");
    }
    watch.end(&format!("a reconnect storm of {count}"));
}

#[test]
fn a_thousand_reconnect_at_once() {
    check_storm(1_000);
}

#[test]
#[ignore = "five thousand connections, three times over, take the descriptors of all other tests"]
fn five_thousand_reconnect_at_once() {
    check_storm(5_000);
}

#[test]
fn rubbish_by_datagrams() {
    const COUNT: usize = 100_000;
    let watch = Watch::start(Server::builder().set("datagrams", "\"127.0.0.1:0\""), |_| {});
    let relay = watch.server.wait_for_log("listening on udp://");
    let relay = relay.rsplit_once("udp://").expect("an address").1.to_owned();
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(relay).expect("an address");
    let rubbish: Vec<Vec<u8>> = (0..64).map(|n: u8| vec![n.wrapping_mul(37); 20 * usize::from(n)]).collect();
    let begun = Instant::now();
    let mut sent = 0;
    watch.repeat(|_| {
        for n in 0..COUNT {
            // A flood meets a full queue of the kernel.
            let _ = socket.send(&rubbish[n % rubbish.len()]);
        }
        sent += COUNT;
    });
    let a_second = sent as f64 / begun.elapsed().as_secs_f64();
    socket.set_nonblocking(true).expect("a socket");
    assert!(socket.recv(&mut [0; 100]).is_err(), "nobody is answered");
    watch.end(&format!("{sent} datagrams of rubbish, {a_second:.0} a second"));
}
