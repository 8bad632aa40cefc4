//! Effects of SIGHUP on clients in the middle of something.

use std::fs;

use testkit::{PASSWORD, Server};

/// Replaces a line of the configuration file, and waits until it takes effect.
#[track_caller]
pub(crate) fn reload(server: &Server, old: &str, new: &str) {
    let text = fs::read_to_string(server.path("config.toml")).unwrap();
    assert!(text.contains(old), "{old:?} is not in:\n{text}");
    fs::write(server.path("config.toml"), text.replace(old, new)).unwrap();
    server.hup();
    server.wait_for_log("configuration re-read");
}

#[test]
fn closing_registration_includes_begun_ones() {
    let server = Server::start();
    let mut alice = server.greeted();
    alice.send("alice");
    alice.expect("C 332 ");
    reload(&server, "[accounts]", "[accounts]\nregistration = \"closed\"");
    alice.send(PASSWORD);
    alice.expect_exact("C 530 wrong password; 2 tries left");
}

#[test]
fn a_rate_that_is_lifted_holds_nobody_back() {
    let config = "listen = ['line://127.0.0.1:0']\n\
                  accounts.argon2 = { memory_kib = 8, iterations = 1, parallelism = 1 }\n\
                  limits.rate_bytes_per_s = 1\n";
    let server = Server::builder().config(config).start();
    let mut alice = server.bare("alice");
    alice.send(&format!("PM {}\nNOOP", "x".repeat(1000)));
    alice.expect("C 250 ");
    reload(&server, "rate_bytes_per_s = 1\n", "rate_bytes_per_s = 16384\n");
    alice.expect("C 200");
    alice.barrier();
}
