//! Heads: what is accepted, what is refused, cut at every byte; and answers.

use super::*;
use crate::limits::{HEAD_BYTES, HEAD_FIELDS};

/// A head as a word: its method, path, query, host and whether the connection stays.
fn read(bytes: &[u8]) -> Result<Option<(String, usize)>, u16> {
    match parse(bytes) {
        Parsed::Whole(head, length) => {
            let Head { method, path, query, host, keeps_open, .. } = *head;
            Ok(Some((format!("{method:?} {path} {query} {host:?} {keeps_open}"), length)))
        }
        Parsed::Partial => Ok(None),
        Parsed::Refused(status, _) => Err(status.code()),
    }
}

/// A whole head gives `expected`, and nothing before its last byte.
#[track_caller]
fn check(head: &str, expected: &str) {
    let bytes = [head.as_bytes(), b"GET /next"].concat();
    assert_eq!(read(&bytes), Ok(Some((expected.to_owned(), head.len()))), "{head:?}");
    for end in 0..head.len() {
        assert_eq!(read(&bytes[..end]), Ok(None), "{:?}", &head[..end]);
    }
}

/// The input is refused, and every longer one, too; shorter ones are refused or incomplete.
#[track_caller]
fn check_refused(head: &str, code: u16) {
    assert_eq!(read(head.as_bytes()), Err(code), "{head:?}");
    assert_eq!(read(&[head.as_bytes(), b"more"].concat()), Err(code), "{head:?}");
    for end in 0..head.len() {
        let result = read(&head.as_bytes()[..end]);
        assert!(result == Ok(None) || result == Err(code), "{:?}: {result:?}", &head[..end]);
    }
}

#[test]
fn heads_cut_at_every_byte() {
    check("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "Get /  Localhost true");
    check("HEAD /metrics?a=b?c HTTP/1.1\r\nhOST: LOCALHOST:9100\r\n\r\n", "Head /metrics a=b?c Localhost true");
    check("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n", "Other /x  Name(\"a.example\") true");
    check("GET / HTTP/1.0\r\nHost: [::1]:9\r\nConnection: keep-alive\r\n\r\n", "Get /  Address(::1) false");
    check("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: te, Close\r\n\r\n", "Get /  Address(127.0.0.1) false");
    check("\r\nGET /%2f..//a HTTP/1.1\r\nHost:\r\n\r\n", "Get /%2f..//a  Name(\"\") true");
    check("GET / HTTP/1.1\nHost: localhost\n\n", "Get /  Localhost true"); // typed into nc
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    for fields in [
        "Host: a\r\nHost: a",
        "Accept: */*",
        "Host: a\r\nContent-Length: 5",
        "Host: a\r\nContent-Length: 0\r\nContent-Length: 5",
        "Host: a\r\nContent-Length: 00",
        "Host: a\r\nContent-Length: +0",
        "Host: a\r\nContent-Length: 0, 0",
        "Host: a\r\nContent-Length:",
        "Host: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked",
        "Host: a\r\nTransfer-Encoding: identity",
        "Host: a\r\ntransfer-encoding:",
        "Host: a, b",
        "Host: a b",
        "Host: a/b",
        "Host: user@a",
        "Host: a:b",
        "Host: a:65536",
        "Host: a:+1",
        "Host: [::1",
        "Host: [::1]x",
        "Host: [::1%eth0]",
        "Host: [127.0.0.1]",
        "Host: \u{e9}",
        "Host : a",
        "Host: a\r\n folded: b",
        "Host: a\r\nTransfer-Encoding\u{b}: chunked",
        "Host: a\rb: c",
        "Host: a\nX-Forwarded-For: 192.0.2.1",
        "Host: a\n\nGET /ws HTTP/1.1\r\nHost: a",
    ] {
        check_refused(&format!("GET / HTTP/1.1\r\n{fields}\r\n\r\n"), 400);
    }
}

#[test]
fn what_is_no_request_of_ours_is_refused() {
    check_refused("GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400);
    check_refused("CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400);
    check_refused("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400);
    check_refused("PRI * HTTP/2.0\r\n\r\n", 400);
    check_refused("GET /\r\n", 400);
    check_refused("alice\n", 400);
    check_refused("\u{16}\u{3}\u{1}\u{2}", 400);
    check_refused("GET / HTTP/1.1\r\nHost: a\0\r\n\r\n", 400);
    check_refused("GET / HTTP/1.1\nHost: localhost\n\r\n", 400);
    check_refused("\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400);
}

#[test]
fn a_head_has_a_bound() {
    let with = |count: usize| {
        let fields: String = (1..count).map(|n| format!("X-{n}: y\r\n")).collect();
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
    };
    check(&with(HEAD_FIELDS), "Get /  Localhost true");
    assert_eq!(read(with(HEAD_FIELDS + 1).as_bytes()), Err(431));
    let of = |length: usize| {
        let start = "GET / HTTP/1.1\r\nHost: localhost\r\nX: ";
        format!("{start}{}\r\n\r\n", "x".repeat(length - start.len() - 4))
    };
    assert_eq!(read(of(HEAD_BYTES).as_bytes()), Ok(Some(("Get /  Localhost true".to_owned(), HEAD_BYTES))));
    assert_eq!(read(of(HEAD_BYTES + 1).as_bytes()), Err(431));
    assert_eq!(read(&of(HEAD_BYTES + 1).as_bytes()[..HEAD_BYTES - 1]), Ok(None));
    assert_eq!(read(&vec![b'a'; HEAD_BYTES]), Err(431));
}

#[test]
fn hosts_of_this_machine() {
    for (host, is_ours) in [
        ("localhost", true),
        ("Localhost:80", true),
        ("127.0.0.1:9100", true),
        ("192.0.2.7", true),
        ("[2001:db8::1]", true),
        ("[::1]:", true),
        ("", false),
        ("localhost.", false),
        ("localhost.evil.example", false),
        ("127.0.0.1.evil.example", false),
        ("127.1", false),
        ("chat.example:80", false),
    ] {
        assert_eq!(Host::parse(host.as_bytes()).map(Host::is_of_this_machine), Some(is_ours), "{host}");
    }
}

#[test]
fn answers() {
    let answer = Answer::text(Status::MethodNotAllowed, "only GET and HEAD\n");
    let mut out = Vec::new();
    answer.encode(true, false, &mut out);
    let text = String::from_utf8(out).unwrap();
    assert_eq!(
        text,
        "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 18\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nAllow: GET, HEAD\r\n\r\nonly GET and HEAD\n"
    );
    let mut out = Vec::new();
    Answer::text(Status::Ok, "ok\n").encode(false, true, &mut out);
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("\r\nContent-Length: 3\r\n") && text.ends_with("\r\nConnection: close\r\n\r\n"), "{text}");
    for (place, status) in Status::ALL.into_iter().enumerate() {
        assert_eq!(status.index(), place);
    }
}
