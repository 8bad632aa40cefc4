//! The queue of passwords under attack: a client that fills it keeps nobody else from logging in.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread::{self, Scope};

use testkit::rooms::Over;
use testkit::{Builder, Canary, Client, PASSWORD, Server, eventually};

/// Fewer places than the attackers have requests, and more than there are networks.
const QUEUE: usize = 16;
/// Clients that only want to log in, each from a network of its own.
const VICTIMS: u8 = 6;

/// A server with the default cost of passwords, to which each address of this machine is a separate client.
fn strict() -> Builder {
    let cost = "{ memory_kib = 19456, iterations = 2, parallelism = 1 }";
    let builder = Server::builder().no_rates().set("limits.include_loopback", "true").set("accounts.argon2", cost);
    builder.set("accounts.queue", &QUEUE.to_string())
}

#[track_caller]
fn greeted(server: &Server, from: IpAddr) -> Client {
    let mut client = Client::connect_from(from, server.addr());
    client.expect("C 220 ");
    client
}

#[track_caller]
fn logged_in(server: &Server, name: &str, from: IpAddr) -> Client {
    let mut client = greeted(server, from);
    client.login_bare(name);
    client
}

/// The state of the attack.
#[derive(Default)]
struct Attack {
    is_over: AtomicBool,
    /// How often the queue had no place for an attacker, or gave its place to another client.
    busy: AtomicUsize,
}

/// Has a session's password checked again and again.
fn spawn_attacker<'scope>(scope: &'scope Scope<'scope, '_>, attack: &'scope Attack, mut client: Client) {
    scope.spawn(move || {
        while !attack.is_over.load(Relaxed) {
            client.send_raw(format!("PASSWD\n{PASSWORD}\n\n").as_bytes());
            client.expect("C 331 ");
            let answer = client.line();
            if answer.starts_with("C 450 busy") {
                attack.busy.fetch_add(1, Relaxed); // and the empty line is then an empty name
            } else {
                assert!(answer.starts_with("C 332 "), "{answer:?}");
                client.expect_exact("C 200 cancelled");
            }
        }
    });
}

/// While sessions at these addresses only have passwords checked, clients from elsewhere log in at once, and are never
/// told that the server is busy.
#[track_caller]
fn check(what: &str, attackers: &[[u8; 4]]) {
    let server = strict().start();
    let canary = Canary::start(&server);
    let victim = |n: u8| (format!("victim{n}"), IpAddr::from([127, 0, 100 + n, 1]));
    let victims = || (0..VICTIMS).map(victim);
    victims().for_each(|(name, home)| logged_in(&server, &name, home).barrier());
    let mut sessions = Vec::new();
    for (n, address) in attackers.iter().enumerate() {
        sessions.push(logged_in(&server, &format!("attacker{}", n / 4), IpAddr::from(*address)));
    }
    let attack = Attack::default();
    thread::scope(|scope| {
        let _over = Over(&attack.is_over);
        sessions.into_iter().for_each(|session| spawn_attacker(scope, &attack, session));
        eventually("the queue is full", || attack.busy.load(Relaxed) > 2 * QUEUE);
        for _ in 0..5 {
            let mut all: Vec<Client> = victims().map(|(_, home)| greeted(&server, home)).collect();
            for (client, (name, _)) in all.iter_mut().zip(victims()) {
                client.send(&format!("{name}\n{PASSWORD}"));
            }
            for (client, (name, _)) in all.iter_mut().zip(victims()) {
                client.expect_exact(&format!("C 331 {name}, your password?"));
                client.expect(&format!("C 230 welcome {name};"));
            }
        }
        canary.talks();
    });
    canary.finish(what);
    println!("{what}: {} times an attacker was told that the server is busy", attack.busy.load(Relaxed));
}

#[test]
fn the_heaviest_user_of_the_queue_makes_room() {
    let attackers: Vec<[u8; 4]> = (0..24).map(|n| [127, 0, 1 + n / 4, 1]).collect();
    check("four passwords of each of six addresses", &attackers);
}

#[test]
fn a_network_of_many_addresses_makes_room_too() {
    let attackers: Vec<[u8; 4]> = (0..24).map(|n| [127, 0, 1, 1 + n]).collect();
    check("a password of each of 24 addresses of one network", &attackers);
}
