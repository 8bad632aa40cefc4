//! The server ends in time, whatever is under way.

use rustix::process::Signal;
use testkit::{PASSWORD, Server, eventually};

#[test]
fn a_long_hash_does_not_delay_the_end() {
    let cost = "{ memory_kib = 4096, iterations = 16384, parallelism = 1 }";
    let mut server = Server::builder().set("accounts.argon2", cost).start();
    let mut alice = server.greeted();
    alice.send_raw(format!("alice\n{PASSWORD}\n").as_bytes());
    alice.expect("C 332 ");
    let hashes = |thread: &testkit::Thread| !thread.is_main && thread.ticks > 0;
    eventually("a thread hashes the password", || server.threads().iter().any(hashes));
    server.signal(Signal::TERM);
    alice.expect("C 421 shutting down");
    drop(alice);
    assert_eq!(server.wait_exit().code(), Some(0));
    server.restart();
    let mut again = server.greeted();
    again.send("alice");
    again.expect("C 332 ");
}
