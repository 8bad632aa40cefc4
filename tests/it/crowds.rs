//! Many connections at once: the cost of ten thousand idle ones, and five thousand that connect at the same time.

use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use testkit::{Client, Server};

const IDLE: usize = 10_000;
const AT_ONCE: usize = 5_000;
/// How many log in at the same time; their passwords wait in the queue.
const BATCH: usize = 100;

/// The descriptors of other tests that run meanwhile.
pub(crate) const OTHERS: usize = 4_000;
/// One crowd at a time: this process holds the clients' descriptors of both.
static TURN: Mutex<()> = Mutex::new(());

/// The turn of a crowd, until it is dropped.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this process (and the server, which inherits the limit) may open this many descriptors.
pub(crate) fn may_open(descriptors: usize) -> bool {
    let descriptors = (descriptors + OTHERS) as u64;
    let most = getrlimit(Resource::Nofile).maximum;
    let is_enough = most.is_none_or(|most| most >= descriptors);
    if !is_enough {
        eprintln!("skipped: it takes {descriptors} descriptors, and there are {most:?}");
        return false;
    }
    setrlimit(Resource::Nofile, Rlimit { current: most, maximum: most }).expect("the limit can be raised so far");
    true
}

#[test]
fn ten_thousand_idle_clients_cost_little() {
    if !may_open(IDLE) {
        return;
    }
    let _turn = turn();
    let server = Server::builder().set("accounts.queue", "100").set("limits.connections", "12000").start();
    let before = server.resident_kib();
    let mut people: Vec<Client> = Vec::with_capacity(IDLE);
    while people.len() < IDLE {
        let first = people.len();
        let mut batch: Vec<Client> = (0..BATCH).map(|_| server.connect()).collect();
        for (n, client) in batch.iter_mut().enumerate() {
            client.send(&format!("person{}\ncorrect horse", first + n));
        }
        for client in &mut batch {
            client.expect("C 220 ");
            client.expect("C 332 ");
            client.expect("C 230 ");
        }
        people.append(&mut batch);
    }
    let each = (server.resident_kib() - before) * 1024 / IDLE as u64;
    println!("{IDLE} logged in: {each} bytes of the process's memory each, their accounts too");
    // A new account takes 300 bytes.
    assert!(each < 1024 + 300, "an idle connection and a new account cost {each} bytes");
    server.is_idle_for_a_second();
    people[0].send(&format!("DM person{} still there?", IDLE - 1));
    people[IDLE - 1].expect("D DM person0 still there?");
}

#[test]
fn five_thousand_at_once_are_all_greeted() {
    if !may_open(AT_ONCE) {
        return;
    }
    let _turn = turn();
    let server = Server::start();
    let addr = server.addr();
    let overflows = listen_overflows();
    let streams: Vec<TcpStream> = (0..AT_ONCE).map(|_| TcpStream::connect(addr).expect("a connection")).collect();
    for stream in streams {
        Client::from_stream(stream).expect("C 220 ");
    }
    println!("ListenOverflows: {} more", listen_overflows() - overflows);
}

/// How often a connection met a full backlog on this machine.
fn listen_overflows() -> u64 {
    let text = std::fs::read_to_string("/proc/net/netstat").expect("/proc/net/netstat");
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt:"));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let place = names.split(' ').position(|name| name == "ListenOverflows").expect("the counter");
    values.split(' ').nth(place).and_then(|value| value.parse().ok()).expect("a number")
}
