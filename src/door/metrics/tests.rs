//! Requests to answers.

use super::*;
use crate::secret::Masked;

fn ask(door: &mut Metrics, request: &str) -> What {
    let Cut::Line { end, next } = door.cut(request.as_bytes()) else { panic!("{request:?} is not whole") };
    assert_eq!((end, next), (request.len(), request.len()));
    let Decoded::Ask(ask) = door.decode(request.as_bytes()) else { panic!("{request:?} is no request") };
    ask.what
}

fn answer(door: &mut Metrics) -> String {
    let mut out = Vec::new();
    door.encode_answer(&Answer::text(Status::Ok, "body"), &mut out);
    String::from_utf8(out).unwrap()
}

#[track_caller]
fn check(target: &str, expected: What) {
    let mut door = Metrics::new(0);
    assert_eq!(ask(&mut door, &format!("GET {target} HTTP/1.1\r\nHost: [::1]\r\n\r\n")), expected);
    assert!(!door.is_over(), "{target}");
}

#[test]
fn paths() {
    let list = |limit, sort| What::Connections(List { limit, sort });
    let is_wrong = |status, target: &str| {
        let mut door = Metrics::new(0);
        let what = ask(&mut door, &format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert!(matches!(what, What::Wrong(found, _) if found == status), "{target}: {what:?}");
    };
    check("/healthz", What::Health);
    check("/readyz?verbose", What::Ready);
    check("/metrics?name[]=up", What::Figures);
    check("/connz", list(100, Sort::Owed));
    check("/connz?", list(100, Sort::Owed));
    check("/connz?limit=7&sort=since", list(7, Sort::Since));
    check("/connz?sort=owed&limit=0", list(0, Sort::Owed));
    check("/connz?limit=1001", list(1_000, Sort::Owed));
    for query in
        ["limit=", "limit=-1", "limit=+1", "limit=99999999999", "limit=1&limit=1", "sort=", "sort=x", "limit", "x=y"]
    {
        is_wrong(Status::BadRequest, &format!("/connz?{query}"));
    }
    for path in ["/", "/metrics/", "//metrics", "/Metrics", "/%6detrics", "/metrics/../connz", "/metricsx"] {
        is_wrong(Status::NotFound, path);
    }
}

#[test]
fn methods_and_bodies() {
    let mut door = Metrics::new(0);
    let what = ask(&mut door, "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    assert!(matches!(what, What::Wrong(Status::MethodNotAllowed, _)) && !door.is_over());
    assert_eq!(ask(&mut door, "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"), What::Figures);
    let text = answer(&mut door);
    assert!(text.contains("Content-Length: 4\r\n") && text.ends_with("\r\n\r\n"), "{text}");
    let what = ask(&mut door, "POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody");
    assert!(matches!(what, What::Refused(Status::BadRequest, _)) && door.is_over());
    assert!(answer(&mut door).contains("Connection: close\r\n"));
}

#[test]
fn a_connection_carries_a_hundred_requests() {
    let mut door = Metrics::new(0);
    for left in (0..REQUESTS_A_CONNECTION).rev() {
        assert_eq!(ask(&mut door, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), What::Health);
        assert_eq!(answer(&mut door).contains("Connection: close\r\n"), left == 0);
        assert_eq!(door.is_over(), left == 0);
    }
}

#[test]
fn tokens_and_hosts() {
    let of = |fields: &str| {
        let request = format!("GET /metrics HTTP/1.1\r\n{fields}\r\n\r\n");
        let mut door = Metrics::new(0);
        let Decoded::Ask(ask) = door.decode(request.as_bytes()) else { panic!("no request") };
        (ask.bearer.map(|Masked(token)| String::from_utf8(token.to_vec()).unwrap()), ask.is_host_ours)
    };
    assert_eq!(of("Host: localhost"), (None, true));
    assert_eq!(of("Host: chat.example\r\nAuthorization: Bearer abc"), (Some("abc".to_owned()), false));
    assert_eq!(of("Host: 192.0.2.1\r\nAuthorization: bearer  abc "), (Some("abc".to_owned()), true));
    assert_eq!(of("Host: localhost\r\nAuthorization: Basic abc"), (None, true));
    assert_eq!(of("Host: localhost\r\nAuthorization: Bearer"), (None, true));
    assert_eq!(of("Host: localhost\r\nAuthorization: Bearer a\r\nAuthorization: Bearer a"), (None, true));
}

#[test]
fn who_is_closed_hears_why_only_if_it_waits_for_an_answer() {
    let closed = |request: &[u8], reason: CloseReason| {
        let (mut door, mut out) = (Metrics::new(0), Vec::new());
        door.cut(request);
        door.encode_close(&reason, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(closed(b"", CloseReason::ShuttingDown(2)), "");
    assert!(closed(b"GET /", CloseReason::ShuttingDown(2)).starts_with("HTTP/1.1 503 "));
    assert!(closed(b"GET /", CloseReason::LineNeverEnded).starts_with("HTTP/1.1 400 "));
    assert_eq!(closed(b"GET /", CloseReason::TooSlow), "");
    let mut door = Metrics::new(0);
    ask(&mut door, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    answer(&mut door);
    let mut out = Vec::new();
    door.encode_close(&CloseReason::ShuttingDown(2), &mut out);
    assert!(out.is_empty(), "it would be taken for the answer to the next request");
    door.refuse(b"HEAD /", &CloseReason::ServerFull, &mut out);
    assert!(out.starts_with(b"HTTP/1.1 503 ") && out.ends_with(b"\r\n\r\n"));
}
