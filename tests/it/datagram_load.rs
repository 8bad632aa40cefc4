//! Five thousand guests who talk in five hundred rooms: every datagram is accounted for.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use mio::net::UdpSocket as Polled;
use mio::{Events, Interest, Poll, Token};
use testkit::rooms::{JOIN, MAKE, Over, Way, datagram, exchange, request, token_of};
use testkit::{Client, Server};

use crate::crowds::may_open;

const ROOMS: usize = 500;
const MEMBERS: usize = 10;
const GUESTS: usize = ROOMS * MEMBERS;
/// For this time …
const TIME: Duration = Duration::from_secs(20);
/// … each sends a message at this interval, unless `CHATD_LOAD_EVERY_MS` sets another (at least 20: below that, the
/// server drops them as too fast).
const EVERY_MS: u64 = 500;

/// The guests, each with a socket and a token.
struct Crowd {
    poll: Poll,
    sockets: Vec<Polled>,
    tokens: Vec<String>,
}

impl Crowd {
    fn enter(server: &Server) -> Self {
        let poll = Poll::new().expect("a poll");
        let (mut sockets, mut tokens) = (Vec::new(), Vec::new());
        for n in 0..GUESTS {
            let (operation, room) = (if n < ROOMS { MAKE } else { JOIN }, format!("room{}", n % ROOMS));
            let name = format!("guest{}", n / ROOMS);
            let answer = exchange(server.door("rooms"), &request(operation, &room, name.as_bytes()), Way::Whole);
            tokens.push(token_of(&answer));
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
            socket.connect(server.door("udp")).expect("a socket's peer");
            socket.set_nonblocking(true).expect("O_NONBLOCK");
            let mut socket = Polled::from_std(socket);
            poll.registry().register(&mut socket, Token(n), Interest::READABLE).expect("a poll that takes it");
            sockets.push(socket);
        }
        Self { poll, sockets, tokens }
    }

    /// Sends a message from guest `n`. True if the kernel has taken it.
    fn say(&self, n: usize, text: &str) -> bool {
        let bytes = datagram("", &self.tokens[n], text.as_bytes());
        match self.sockets[n].send(&bytes) {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("a datagram cannot be sent: {error}"),
        }
    }

    /// What the kernel has dropped at the guests' sockets.
    fn lost(&self) -> u64 {
        let ports: HashSet<u16> =
            self.sockets.iter().map(|socket| socket.local_addr().expect("an address").port()).collect();
        let table = fs::read_to_string("/proc/self/net/udp").expect("/proc");
        let lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
        let port =
            |fields: &[&str]| u16::from_str_radix(fields[1].rsplit_once(':').expect("a port").1, 16).expect("a port");
        lines
            .filter(|fields| ports.contains(&port(fields)))
            .map(|fields| fields[12].parse::<u64>().expect("drops"))
            .sum()
    }
}

/// Reads the guests' datagrams until told to stop, and then until there are no more.
fn hear(poll: &mut Poll, sockets: &[Polled], heard: &AtomicU64, is_over: &AtomicBool) {
    let (mut events, mut bytes) = (Events::with_capacity(4096), [0; 4096]);
    loop {
        let was_over = is_over.load(Relaxed);
        poll.poll(&mut events, Some(Duration::from_millis(100))).expect("the poll");
        for event in &events {
            while sockets[event.token().0].recv(&mut bytes).is_ok() {
                heard.fetch_add(1, Relaxed);
            }
        }
        if was_over && events.is_empty() {
            return;
        }
    }
}

/// Plays ping-pong by direct messages and returns the times of the rounds, the shortest first.
fn play(alice: &mut Client, bob: &mut Client, is_over: &AtomicBool) -> Vec<Duration> {
    let mut times = Vec::new();
    while !is_over.load(Relaxed) {
        let began = Instant::now();
        alice.send("DM bob ping");
        bob.expect_exact("D DM alice ping");
        bob.send("DM alice pong");
        alice.expect_exact("C 250 sent to bob");
        alice.expect_exact("D DM bob pong");
        times.push(began.elapsed());
        bob.expect_exact("C 250 sent to alice");
        thread::sleep(Duration::from_millis(1));
    }
    times.sort_unstable();
    times
}

#[test]
#[ignore = "20 s of all that the machine has; run it alone: -- --ignored --nocapture datagram_load"]
fn every_datagram_is_accounted_for() {
    if !may_open(GUESTS) {
        return;
    }
    let server = Server::builder().rooms(&[""]).no_rates().start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    let mut crowd = Crowd::enter(&server);
    for n in 0..GUESTS {
        assert!(crowd.say(n, ""));
    }
    server.expect_counters(&[("datagrams_in", GUESTS as u64), ("datagrams_invalid", 0), ("peers", GUESTS as u64)]);
    let (heard, is_over, is_quiet) = (AtomicU64::new(0), AtomicBool::new(false), AtomicBool::new(false));
    let every_ms = std::env::var("CHATD_LOAD_EVERY_MS").map_or(EVERY_MS, |text| text.parse().expect("a number"));
    let every = Duration::from_millis(every_ms);
    let rounds = (TIME.as_millis() as u64 / every_ms) as usize;
    let ticks = server.ticks();
    let mut hearing = std::mem::replace(&mut crowd.poll, Poll::new().expect("a poll"));
    let (mut sent, mut late, mut times) = (0u64, Duration::ZERO, Vec::new());
    let (mut ticks_used, mut took) = (0, Duration::ZERO);
    thread::scope(|scope| {
        let (over, _quiet) = (Over(&is_over), Over(&is_quiet));
        scope.spawn(|| hear(&mut hearing, &crowd.sockets, &heard, &is_quiet));
        let pair = scope.spawn(|| play(&mut alice, &mut bob, &is_over));
        let began = Instant::now();
        for n in 0..rounds * GUESTS {
            // Spread evenly.
            let due = every.mul_f64(n as f64 / GUESTS as f64);
            if n % 10 == 0 {
                thread::sleep(due.saturating_sub(began.elapsed()));
                late = late.max(began.elapsed().saturating_sub(due));
            }
            sent += u64::from(crowd.say(n % GUESTS, "what people say in a room, more or less"));
        }
        (took, ticks_used) = (began.elapsed(), server.ticks() - ticks);
        drop(over);
        times = pair.join().expect("the pair");
        while server.counter("datagrams_in") != server.counter("datagrams_in") {}
    });
    let [taken, invalid, too_fast, lost, out, dropped, failed, too_long] =
        ["in", "invalid", "too_fast", "lost", "out", "dropped", "failed", "too_long"]
            .map(|name| server.counter(&format!("datagrams_{name}")));
    let (heard, lost_here) = (heard.into_inner(), crowd.lost());
    let said = taken - GUESTS as u64 - too_fast;
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!(
        "sent {sent} in {took:.1?} (at most {late:.1?} late); the server took {said}, lost {lost}, too fast {too_fast}"
    );
    println!("to be sent {}: out {out}, dropped {dropped}, failed {failed}", said * (MEMBERS as u64 - 1));
    println!("heard {heard}, lost at the guests' own sockets {lost_here}");
    println!("the server's processor time: {:.1} s of {took:.1?}", ticks_used as f64 / 100.0);
    println!("{} rounds of ping-pong: p50 {:.2?}, p99 {:.2?}, max {:.2?}", times.len(), at(0.5), at(0.99), at(1.0));
    assert_eq!((invalid, too_long), (0, 0));
    assert_eq!(sent, said + too_fast + lost, "what was sent was taken, or lost");
    assert_eq!(said * (MEMBERS as u64 - 1), out + dropped + failed, "what was to be sent was, or was dropped");
    assert_eq!(out, heard + lost_here, "what was sent was heard, or lost here");
}
