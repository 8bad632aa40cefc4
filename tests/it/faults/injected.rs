//! Failing system calls, injected by strace.

use std::fs;
use std::process::Command;

use testkit::{Builder, Canary, Client, Server, eventually};

/// Whether strace works here.
fn may_trace() -> bool {
    let run = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    let may = run.is_ok_and(|status| status.success());
    if !may {
        eprintln!("skipped: there is no strace here, or it may not trace");
    }
    may
}

/// The server under strace, which makes these calls fail: `inject=` of strace(1). `None` without strace.
fn injected(rules: &[&str]) -> Option<Builder> {
    if !may_trace() {
        return None;
    }
    // -D: the server is our child, and strace runs beside it.
    let mut words = vec!["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "signal=none"];
    let rules: Vec<String> = rules.iter().map(|rule| format!("inject={rule}")).collect();
    rules.iter().for_each(|rule| words.extend(["-e", rule.as_str()]));
    Some(Server::builder().no_rates().within(&words))
}

/// Clients that talk, come and go.
#[track_caller]
fn live(server: &Server) {
    let canary = Canary::start(server);
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    for n in 0..50 {
        alice.send_raw("HELP\n".repeat(20).as_bytes());
        for _ in 0..20 {
            let first = alice.expect("C 214");
            alice.rest_of_list(&first);
        }
        alice.send(&format!("DM bob {n}"));
        alice.expect_exact("C 250 sent to bob");
        bob.expect_exact(&format!("D DM alice {n}"));
        // A client that connects while there is no descriptor is told so.
        let come = server.connect().line();
        assert!(come.starts_with("C 220 ") || come == "C 421 server full", "{come:?}");
    }
    canary.finish("calls that fail");
}

#[test]
fn calls_that_are_interrupted_are_made_again() {
    let calls = ["epoll_wait", "accept4", "recvfrom", "sendto", "writev", "fdatasync"];
    let rules: Vec<String> = calls.iter().map(|call| format!("{call}:error=EINTR:when=3+4")).collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let Some(builder) = injected(&rules) else { return };
    // It is killed at the end: a signal's handler wakes the loop by `sendto`, too, which is never interrupted in
    // practice, and is not repeated.
    live(&builder.start());
}

#[test]
fn failing_accepts_cost_a_moment() {
    for error in ["EMFILE", "ENFILE", "ENOMEM", "ECONNABORTED"] {
        let Some(builder) = injected(&[&format!("accept4:error={error}:when=20..40+2")]) else { return };
        let mut server = builder.start();
        live(&server);
        // The failures are over: every client is served.
        let mut late: Option<Client> = None;
        eventually("somebody is let in", || {
            let mut client = server.connect();
            let is_in = client.line().starts_with("C 220 ");
            late = Some(client);
            is_in
        });
        late.unwrap().login_bare("late");
        assert_eq!(server.term().code(), Some(0), "{error}");
    }
}

#[test]
fn the_keepalive_options_are_as_promised() {
    if !may_trace() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let calls = folder.path().join("calls");
    let file = calls.to_str().expect("a path of UTF-8");
    let _server = Server::builder().within(&["strace", "-D", "-qq", "-e", "trace=setsockopt", "-o", file]).start();
    // Connections inherit from their listener. 60 s and 4 times 15 s are 120 s.
    let text = fs::read_to_string(&calls).expect("what strace has seen");
    let options = ["SO_KEEPALIVE, [1]", "TCP_KEEPIDLE, [60]", "TCP_KEEPINTVL, [15]", "TCP_KEEPCNT, [4]"];
    for option in options {
        assert!(text.contains(option), "no {option} in {text}");
    }
}
