//! Peers that vanish without a packet: the kernel probes every silent peer, and no other is dropped.
//! `faults/network.rs` tests real losses, if the machine allows network namespaces.

use std::fs;
use std::net::TcpStream;

use testkit::{Client, Server, eventually, pause};

/// Clock ticks per second in the kernel's tables.
const TICKS: u64 = 100;
/// The number of the keepalive timer in these tables.
const KEEPALIVE: &str = "02";

/// In how many seconds the server's kernel probes this peer; `None` while another timer runs, or none.
fn looked_for_in_s(server: &Server, peer: &TcpStream) -> Option<u64> {
    let port_of = |addr: &str| u16::from_str_radix(addr.split_once(':')?.1, 16).ok();
    let ours = peer.peer_addr().expect("the server's address").port();
    let theirs = peer.local_addr().expect("an address").port();
    let table = fs::read_to_string(format!("/proc/{}/net/tcp", server.pid())).expect("/proc");
    let timer = table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_it = port_of(fields[1]) == Some(ours) && port_of(fields[2]) == Some(theirs);
        is_it.then(|| fields[5].to_owned())
    })?;
    let ticks = timer.strip_prefix(KEEPALIVE)?.strip_prefix(':')?;
    Some(u64::from_str_radix(ticks, 16).expect("a number") / TICKS)
}

#[test]
fn the_kernel_looks_for_everybody_who_is_silent() {
    let server = Server::builder().rooms(&[""]).start();
    let idle = server.bare("alice");
    let stranger = server.greeted();
    let guest = Client::connect(server.door("rooms"));
    for (who, client) in [("logged in", &idle), ("a stranger", &stranger), ("at the room door", &guest)] {
        let mut seconds = None;
        eventually(who, || {
            seconds = looked_for_in_s(&server, client.stream());
            seconds.is_some()
        });
        println!("{who}: looked for in {seconds:?} s");
        // A minute after the start, which was not long ago.
        assert!(seconds.is_some_and(|seconds| (30..=60).contains(&seconds)), "{who}: in {seconds:?} s");
    }
}

#[test]
#[ignore = "it takes two minutes, longer than somebody who has vanished may stay"]
fn a_silent_present_peer_is_not_dropped() {
    let server = Server::builder().no_rates().set("limits.send_buffer_bytes", "4096").start();
    let (mut alice, mut pager) = (server.bare("alice"), server.narrow("pager"));
    let mut tell = |text: &str| {
        alice.send(&format!("DM pager {text}"));
        alice.expect_exact("C 250 sent to pager");
    };
    // More than its window takes, and less than the soft limit.
    for number in 1..=40 {
        tell(&format!("{number} {}", "x".repeat(1000)));
    }
    pause(130_000);
    tell("last");
    for number in 1..=40 {
        pager.expect(&format!("D DM alice {number} x"));
    }
    pager.expect_exact("D DM alice last");
}
