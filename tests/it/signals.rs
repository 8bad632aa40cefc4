//! Signals: a shutdown that everybody is told about, and a reload of the configuration.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, mknodat};
use rustix::process::Signal;
use testkit::{Client, PASSWORD, Server, eventually};

const GOODBYE: &str = "shutting down, retry in 2 s";
/// How soon the server is promised to have ended, even if a client does not read.
const ENDED: Duration = Duration::from_secs(10);
/// How long "at once" may take on a busy machine: much less than the 5 s that the server waits for a client that does
/// not read.
const AT_ONCE: Duration = Duration::from_secs(2);

/// The number of rows that a list of three shows.
#[track_caller]
fn listed(client: &mut Client) -> usize {
    client.list("WHO").len() - 1
}

/// Replaces the configuration file, with `[limits]` at its end.
fn configure(server: &Server, limits: &str) {
    let text = fs::read_to_string(server.path("config.toml")).unwrap();
    let head = text.split("[limits]").next().unwrap();
    fs::write(server.path("config.toml"), format!("{head}[limits]\n{limits}\n")).unwrap();
}

#[track_caller]
fn check_end(signal: Signal) {
    let mut server = Server::start();
    let mut clients = vec![server.connect(), server.greeted(), server.bare("alice"), server.typed("bob")];
    clients[0].expect("C 220 ");
    let mut asked = server.greeted();
    asked.send("carol");
    asked.expect("C 332 ");
    clients.push(asked);
    server.signal(signal);
    for client in &mut clients {
        client.expect_421(GOODBYE);
    }
    drop(clients);
    assert_eq!(server.wait_exit().code(), Some(0));
}

#[test]
fn term_tells_everybody_and_ends() {
    check_end(Signal::TERM);
}

#[test]
fn int_does_the_same() {
    check_end(Signal::INT);
}

#[test]
fn what_was_owed_is_told_before_the_end() {
    let mut server = Server::builder().no_rates().set("limits.send_buffer_bytes", "4096").start();
    let (mut alice, mut bob) = (server.bare("alice"), server.narrow("bob"));
    for n in 0..60 {
        alice.send(&format!("PM {n:x<1000}"));
        alice.expect("C 250 ");
    }
    server.signal(Signal::TERM);
    alice.expect_421(GOODBYE);
    for n in 0..60 {
        bob.expect_exact(&format!("D PM alice {n:x<1000}"));
    }
    bob.expect_421(GOODBYE);
    drop((alice, bob));
    assert_eq!(server.wait_exit().code(), Some(0));
}

/// A server, and a client with much unread output: without a second signal, the shutdown waits for it as long as for
/// any client.
fn server_with_a_deaf() -> (Server, Client) {
    let server = Server::builder().no_rates().set("limits.send_buffer_bytes", "4096").start();
    let mut deaf = server.narrow("deaf");
    deaf.send_raw("HELP\n".repeat(100).as_bytes());
    // Earlier lines are executed, as far as possible.
    server.bare("other").barrier();
    (server, deaf)
}

#[test]
fn the_end_waits_for_no_stalled_client() {
    let (mut server, mut deaf) = server_with_a_deaf();
    let mut alice = server.bare("alice");
    let stays = server.bare("stays");
    let asked = Instant::now();
    server.signal(Signal::TERM);
    alice.expect_421(GOODBYE);
    assert_eq!(server.wait_exit().code(), Some(0));
    let ended = asked.elapsed();
    println!("ended {ended:?} after TERM");
    assert!(ended < ENDED, "{ended:?}");
    let mut stays = stays;
    assert!(stays.expect_reset_or_closed().ends_with(&format!("C 421 {GOODBYE}\n")));
    deaf.expect_reset_or_closed();
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (mut server, mut deaf) = server_with_a_deaf();
    let addr = server.addr();
    let mut stays = server.bare("stays");
    server.signal(Signal::TERM);
    stays.expect_421(GOODBYE);
    assert!(std::net::TcpStream::connect(addr).is_err(), "somebody new is let in");
    assert!(!server.is_dead(), "it has not waited for who is owed something");
    let asked = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.wait_exit().code(), Some(0));
    let ended = asked.elapsed();
    println!("ended {ended:?} after the second TERM");
    assert!(ended < AT_ONCE, "{ended:?}");
    stays.expect_reset_or_closed();
    deaf.expect_reset_or_closed();
}

#[test]
fn a_password_under_way_does_not_stop_the_end() {
    let cost = "{ memory_kib = 19456, iterations = 10, parallelism = 1 }";
    let mut server = Server::builder().set("accounts.argon2", cost).start();
    let mut clients: Vec<Client> = (0..10).map(|_| server.greeted()).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.send(&format!("new{n}\n{PASSWORD}"));
        client.expect("C 332 ");
    }
    server.signal(Signal::TERM);
    for client in &mut clients {
        let first = client.line();
        assert!(first.starts_with("C 230 ") || first.starts_with("C 421 "), "{first:?}");
    }
    drop(clients);
    assert_eq!(server.wait_exit().code(), Some(0));
    server.restart();
    server.bare("new0").barrier();
}

#[test]
fn hup_rereads_limits_unless_the_file_is_bad() {
    let server = Server::start();
    let mut clients: Vec<Client> = (0..3).map(|n| server.bare(&format!("user{n}"))).collect();
    assert_eq!(listed(&mut clients[0]), 3);
    configure(&server, "list_lines = 2");
    server.hup();
    server.wait_for_log("reload: configuration: ");
    eventually("the new limit holds", || listed(&mut clients[0]) == 2);
    configure(&server, "list_lines = 1\nlist_linse = 7");
    server.hup();
    let why = server.wait_for_log("list_linse");
    assert!(why.contains("[ERROR]") && why.contains("config.toml:"), "{why}");
    server.wait_for_log("the old one stays in effect");
    assert_eq!(listed(&mut clients[0]), 2);
    fs::remove_file(server.path("config.toml")).unwrap();
    server.hup();
    server.wait_for_log("No such file");
    assert_eq!(listed(&mut clients[0]), 2);
}

#[test]
fn hup_says_which_keys_have_changed() {
    let server = Server::start();
    configure(&server, "list_lines = 7\nline_s = 31");
    server.hup();
    let line = server.wait_for_log("reload: changed: ");
    assert!(line.ends_with("reload: changed: limits.line_s from 30 to 31, limits.list_lines from 200 to 7"), "{line}");
    server.hup();
    server.wait_for_log("reload: the configuration has not changed");
}

/// Replaces a file by a pipe that nobody writes to.
fn put_pipe(path: &Path) {
    fs::remove_file(path).unwrap();
    mknodat(CWD, path, FileType::Fifo, 0o600.into(), 0).unwrap();
}

#[test]
fn hup_with_a_pipe_as_configuration_stops_nobody() {
    let mut server = Server::start();
    let mut alice = server.bare("alice");
    put_pipe(&server.path("config.toml"));
    server.hup();
    let why = server.wait_for_log("cannot be read as configuration");
    assert!(why.contains("[ERROR]") && why.contains("it is a pipe"), "{why}");
    server.wait_for_log("the old one stays in effect");
    alice.barrier();
    server.bare("bob").barrier();
    // A second HUP, and then the end.
    server.hup();
    server.signal(Signal::TERM);
    alice.expect_421(GOODBYE);
    drop(alice);
    assert_eq!(server.wait_exit().code(), Some(0));
}

#[test]
fn an_unusable_log_file_keeps_the_old_one() {
    let mut server = Server::builder()
        .config("listen = ['line://127.0.0.1:0']\naccounts.argon2 = { memory_kib = 8, iterations = 1 }\n[log]\nfile = 'chatd.log'\n")
        .start();
    let mut alice = server.bare("alice");
    fs::write(server.path("pipe"), "").unwrap();
    put_pipe(&server.path("pipe"));
    std::os::unix::fs::symlink("accounts", server.path("link")).unwrap();
    let accounts = fs::read(server.path("accounts")).unwrap();
    let mut before = "chatd.log".to_owned();
    for (name, why) in [
        ("pipe", "nothing reads from this pipe"),
        (".", "is a folder"),
        ("link", "is the account file"),
        ("accounts.lock", "is a file of the accounts"),
        ("config.toml", "is the configuration"),
    ] {
        let text = fs::read_to_string(server.path("config.toml")).unwrap();
        fs::write(server.path("config.toml"), text.replace(&format!("'{before}'"), &format!("'{name}'"))).unwrap();
        name.clone_into(&mut before);
        server.hup();
        let line = server.wait_for_log(why);
        assert!(line.contains("[ERROR] log.file: ") && line.ends_with("; the log stays where it was"), "{line}");
    }
    assert_eq!(fs::read(server.path("accounts")).unwrap(), accounts);
    server.signal(Signal::TERM);
    alice.expect_421(GOODBYE);
    drop(alice);
    assert_eq!(server.wait_exit().code(), Some(0));
    assert!(fs::read_to_string(server.path("chatd.log")).unwrap().contains("stopping: telling everybody"));
}

#[test]
fn hup_names_what_needs_a_restart() {
    let server = Server::builder().set("limits.list_lines", "1").start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    let text = fs::read_to_string(server.path("config.toml")).unwrap();
    fs::write(server.path("config.toml"), text.replace("127.0.0.1:0", "127.0.0.1:1")).unwrap();
    configure(&server, "list_lines = 7");
    server.hup();
    let told = server.wait_for_log("reload: listen ");
    assert!(told.contains("[WARN]") && told.contains("restarted"), "{told}");
    assert_eq!(listed(&mut alice), 1);
    server.bare("carol").barrier();
    bob.barrier();
}

#[test]
fn hup_reopens_a_moved_log() {
    let mut server = Server::builder().set("log.file", "\"chatd.log\"").set("log.level", "\"debug\"").start();
    let alice = server.bare("alice");
    server.wait_for_log("alice logged in");
    fs::rename(server.path("chatd.log"), server.path("chatd.log.1")).unwrap();
    let bob = server.bare("bob");
    server.hup();
    server.wait_for_log("configuration re-read");
    let carol = server.bare("carol");
    server.wait_for_log("carol logged in");
    drop((alice, bob, carol));
    server.term();
    let old = fs::read_to_string(server.path("chatd.log.1")).unwrap();
    let new = fs::read_to_string(server.path("chatd.log")).unwrap();
    assert!(old.contains("alice logged in") && old.contains("bob logged in"), "{old}");
    assert!(!new.contains("bob logged in"), "{new}");
    for text in [&old, &new] {
        assert!(text.ends_with('\n') && text.lines().all(|line| line.contains("Z [")), "torn lines:\n{text}");
    }
}

#[test]
fn sigpipe_is_ignored_and_accounts_survive() {
    let mut server = Server::start();
    let mut alice = server.bare("alice");
    server.signal(Signal::PIPE);
    alice.barrier();
    drop(alice);
    server.restart();
    let mut again = server.returning("alice");
    // Writing to a client that is gone.
    let gone = server.bare("bob");
    gone.reset();
    again.op("PM hello");
    again.expect("C 250 ");
    again.barrier();
}

/// A program that starts another one, which ignores this signal.
fn deaf_to(signal: &str) -> [String; 3] {
    ["sh".to_owned(), "-c".to_owned(), format!("trap '' {signal}; exec \"$0\" \"$@\"")]
}

#[test]
fn what_was_ignored_at_the_start_stays_ignored() {
    for (name, signal) in [("INT", Signal::INT), ("HUP", Signal::HUP)] {
        let deaf = deaf_to(name);
        let mut server = Server::builder().within(&deaf.each_ref().map(String::as_str)).start();
        let mut alice = server.bare("alice");
        configure(&server, "list_lines = 1");
        server.signal(signal);
        // The other signal works, and comes after it.
        if signal == Signal::INT {
            server.hup();
            server.wait_for_log("configuration re-read");
        }
        alice.barrier();
        assert!(!server.log_text().contains("stopping"), "{}", server.log_text());
        let reloads = server.log_text().matches("configuration re-read").count();
        assert_eq!(reloads, usize::from(signal == Signal::INT), "{}", server.log_text());
        // TERM ends it, whatever was ignored.
        alice.op("EX");
        alice.expect("C 221 ");
        drop(alice);
        assert_eq!(server.term().code(), Some(0));
    }
    let deaf = deaf_to("TERM");
    let mut server = Server::builder().within(&deaf.each_ref().map(String::as_str)).start();
    assert_eq!(server.term().code(), Some(0));
}
