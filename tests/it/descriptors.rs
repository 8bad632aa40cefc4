//! A server that runs out of descriptors.

use std::time::{Duration, Instant};

use testkit::{Canary, Client, Server, eventually};

use crate::connections::is_let_in;
use crate::crowds::{OTHERS, may_open};
use crate::reload::reload;

/// How soon a client is served when a descriptor is free again: ten times the promised time, because the machine may be
/// busy.
const SERVED: Duration = Duration::from_secs(2);

/// A client must have been served in time, counted from when a descriptor was released.
#[track_caller]
fn check_served(what: &str, released: Instant) {
    let took = released.elapsed();
    println!("{what}: served {took:?} after the release");
    assert!(took < SERVED, "{what}: {took:?}");
}

/// The number of log lines that contain this.
fn count_in_log(server: &Server, part: &str) -> usize {
    server.log_text().lines().filter(|line| line.contains(part)).count()
}

/// Leaves the server no free descriptor. Its open ones stay; free numbers between them are taken by the returned
/// clients.
#[track_caller]
fn use_up(server: &Server) -> Vec<Client> {
    server.limit_descriptors(server.descriptors() as u64);
    fill(server)
}

/// Uses up the descriptors under the current limit.
#[track_caller]
fn fill(server: &Server) -> Vec<Client> {
    let mut inside = Vec::new();
    eventually("all descriptors are in use", || {
        let client = is_let_in(server);
        let is_full = client.is_none();
        inside.extend(client);
        is_full
    });
    inside
}

#[test]
fn the_start_line_says_what_descriptors_allow() {
    let server = Server::builder().nofile(100).start();
    let told = server.wait_for_log("10000 connections are configured");
    assert!(told.contains("[WARN]") && told.contains("100 descriptors allow 36"), "{told}");
    assert!(server.wait_for_log("serving up to").ends_with("serving up to 36 connections"));
    let mut inside: Vec<Client> = (0..36).map(|_| server.greeted()).collect();
    for _ in 0..100 {
        assert!(is_let_in(&server).is_none());
    }
    server.is_idle_for_a_second();
    drop(inside.pop());
    eventually("a place is free", || is_let_in(&server).is_some());
    inside[0].login_bare("alice");
    inside[0].barrier();
}

#[test]
fn without_a_descriptor_newcomers_are_refused() {
    let server = Server::builder().no_rates().start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    let canary = Canary::start(&server);
    let mut others = use_up(&server);
    for _ in 0..20 {
        assert!(is_let_in(&server).is_none());
    }
    canary.talks();
    assert_eq!(count_in_log(&server, "cannot accept connections"), 1);
    // Others take the free places, so that no client sends anything while the server must be idle.
    let full = server.descriptors();
    canary.finish("out of descriptors");
    eventually("the canary's places are free", || server.descriptors() == full - 2);
    others.extend(fill(&server));
    alice.send("DM bob still here");
    alice.expect_exact("C 250 sent to bob");
    bob.expect_exact("D DM alice still here");
    server.is_idle_for_a_second();
    assert_eq!(count_in_log(&server, "cannot accept connections"), 2);
    assert_eq!(bob.ask("EX"), "C 221 bye");
    bob.expect_closed();
    let released = Instant::now();
    drop(bob);
    let mut carol = None;
    eventually("bob's descriptor serves somebody else", || {
        carol = is_let_in(&server);
        carol.is_some()
    });
    check_served("one who comes then", released);
    let mut carol = carol.unwrap();
    carol.login_bare("carol");
    assert_eq!(alice.list("WHO"), ["alice", "carol", "2 online"]);
}

#[test]
fn clients_beyond_the_backlog_are_served_later() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    server.limit_descriptors(5);
    let mut waiting: Vec<Client> = (0..20).map(|_| server.connect()).collect();
    alice.barrier();
    server.is_idle_for_a_second();
    assert_eq!(count_in_log(&server, "cannot accept connections"), 1);
    waiting[0].silence(Duration::from_millis(1));
    server.limit_descriptors(1024);
    let released = Instant::now();
    for client in &mut waiting {
        client.expect("C 220 ");
    }
    check_served("twenty who wait", released);
    // The descriptor reserved for refusals is back, too.
    let _others = use_up(&server);
    assert!(is_let_in(&server).is_none());
    alice.barrier();
}

#[test]
fn the_descriptor_table_does_not_grow() {
    if !may_open(15_064 - OTHERS) {
        return;
    }
    let config = "listen = ['line://127.0.0.1:0']\nlimits.connections = 5000\n";
    let server = Server::builder().config(config).start();
    assert!(server.descriptor_table() >= 5_064, "{} at the start", server.descriptor_table());
    reload(&server, "5000", "15000");
    assert!(server.descriptor_table() >= 15_064, "{} after the reload", server.descriptor_table());
}
