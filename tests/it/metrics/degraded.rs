//! Degraded parts, as the log, `/readyz` and the metric show them.

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use testkit::{Client, PATIENCE};

use super::*;

/// Waits until a part is shown as degraded, or not any more, and gives the answer of `/readyz` then.
#[track_caller]
fn shown(http: &mut Http, part: &str, is_degraded: bool) -> testkit::http::Answer {
    let sample = format!("chatd_degraded{{part=\"{part}\"}}");
    let begun = std::time::Instant::now();
    loop {
        let text = http.get("/metrics").body;
        if (samples(&text)[sample.as_str()] > 0.0) == is_degraded {
            return http.get("/readyz");
        }
        assert!(begun.elapsed() < PATIENCE, "{part} is never {is_degraded}");
        testkit::pause(250);
    }
}

#[test]
fn a_full_server_is_not_ready_and_recovers() {
    let server = monitored().set("limits.connections", "2").start();
    let mut http = Http::connect(server.door("metrics"));
    assert_eq!(http.get("/readyz").body, "ready\n");
    let (mut alice, bob) = (server.bare("alice"), server.bare("bob"));
    let answer = shown(&mut http, "full", true);
    assert!(answer.code == 503 && answer.body.starts_with("not ready\nfull: "), "{answer:?}");
    assert!(answer.head.contains("\r\nRetry-After: "), "{answer:?}");
    server.wait_for_log("degraded: full: limits.connections are open; new connections are refused");
    server.connect().expect_exact("C 421 server full");
    bob.reset();
    let answer = shown(&mut http_again(&server), "full", false);
    assert_eq!((answer.code, answer.body.as_str()), (200, "ready\n"));
    server.wait_for_log("degraded no more: full");
    alice.barrier();
}

/// A connection of its own for a long wait: one carries a hundred requests.
fn http_again(server: &Server) -> Http {
    Http::connect(server.door("metrics"))
}

#[test]
fn without_descriptors_it_is_not_ready() {
    let server = monitored().start();
    let mut http = http_again(&server);
    http.get("/healthz");
    server.limit_descriptors(server.descriptors() as u64);
    let mut inside: Vec<Client> = Vec::new();
    eventually("there are none left", || {
        inside.push(server.connect());
        server.log_text().contains("cannot accept connections")
    });
    let answer = http.get("/readyz");
    assert!(answer.code == 503 && answer.body.contains("descriptors: Too many open files"), "{answer:?}");
    server.wait_for_log("degraded: descriptors: Too many open files");
}

#[test]
fn a_file_that_cannot_be_written_is_shown_and_heals_by_itself() {
    // The limit would stop a history, too.
    let server = monitored().set("history.file", "''").start();
    let canary = Canary::start(&server);
    let mut http = http_again(&server);
    (0..40).for_each(|n| server.bare(&format!("n{n}")).barrier()); // the account file is then longer than the log
    let pid = Pid::from_raw(server.pid().cast_signed()).expect("a pid");
    let most = getrlimit(Resource::Fsize).maximum;
    let limit = |current| prlimit(Some(pid), Resource::Fsize, Rlimit { current, maximum: most }).expect("prlimit");
    limit(Some(fs::metadata(server.path("accounts")).unwrap().len()));
    let (_, answer) = server.register("bob");
    assert!(answer.starts_with("C 450 "), "{answer:?}");
    let answer = shown(&mut http, "accounts read-only", true);
    let cause = "ready\naccounts read-only: the file cannot be written: File too large";
    assert!(answer.code == 200 && answer.body.starts_with(cause), "{answer:?}");
    server.wait_for_log("degraded: accounts read-only: the file cannot be written");
    limit(most);
    // Nobody registers meanwhile.
    let answer = shown(&mut http_again(&server), "accounts read-only", false);
    assert_eq!(answer.body, "ready\n");
    canary.finish("a file that cannot be written");
    let (_, answer) = server.register("bob");
    assert!(answer.starts_with("C 230 "), "{answer:?}");
}

#[test]
fn a_server_that_stops_says_so() {
    let mut server = monitored().start();
    let stalled = server.narrow("stalled");
    let mut alice = server.bare("alice");
    for _ in 0..60 {
        alice.ask(&format!("DM stalled {}", "x".repeat(4_000)));
    }
    let mut http = http_again(&server);
    assert_eq!(http.get("/readyz").code, 200);
    server.signal(rustix::process::Signal::TERM);
    server.wait_for_log("stopping");
    for http in [&mut http, &mut http_again(&server)] {
        let answer = http.get("/readyz");
        assert!(answer.code == 503 && answer.body.contains("stopping: "), "{answer:?}");
        assert_eq!(http.get("/healthz").code, 200);
    }
    assert_eq!(server.wait_exit().code(), Some(0));
    drop(stalled);
}
