//! Clients of the metrics door that do what they should not. Two people talk meanwhile.

use std::time::Instant;

use testkit::PATIENCE;

use super::*;

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
const FIGURES: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// Places at the door.
const PLACES: usize = 16;

#[test]
fn what_could_be_smuggled_is_refused_and_closed() {
    let server = monitored().start();
    for fields in [
        "Host: localhost\r\nContent-Length: 44\r\nTransfer-Encoding: chunked",
        "Host: localhost\r\nTransfer-Encoding: chunked",
        "Host: localhost\r\nContent-Length: 44",
        "Host: localhost\r\nHost: localhost",
        "Accept: */*",
    ] {
        let mut http = http(&server);
        // The rest would be a request of its own if the first had no body.
        let request =
            format!("GET /connz HTTP/1.1\r\n{fields}\r\n\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
        http.send(request.as_bytes());
        let said = http.rest();
        assert!(said.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{fields}: {said}");
        assert_eq!(said.matches("HTTP/1.1").count(), 1, "{fields}: {said}");
        assert!(said.contains("\r\nConnection: close\r\n"), "{said}");
    }
}

#[test]
fn other_protocols_and_long_heads_are_answered() {
    let server = monitored().start();
    let long = format!("GET /{} HTTP/1.1\r\n", "a".repeat(9_000));
    let fields = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65));
    for (bytes, status) in [
        (&b"alice\n"[..], "400"),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", "400"),
        (b"GET http://localhost/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"),
        (long.as_bytes(), "431"),
        (fields.as_bytes(), "431"),
    ] {
        let mut http = http(&server);
        http.send(bytes);
        let said = http.rest();
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{:?}: {said}", String::from_utf8_lossy(bytes));
    }
    let mut http = http(&server);
    http.send(b"GET / HTTP/1.1\r\nHo");
    http.end();
    assert_eq!(http.rest(), "", "half a request has no answer");
    for (request, code) in [("DELETE /metrics", 405), ("GET /secret", 404)] {
        let answer = self::http(&server).ask(&format!("{request} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!(answer.code, code);
        assert!(!answer.body.contains("secret"), "nothing of a request is repeated");
    }
}

#[test]
fn who_never_reads_dribbles_or_holds_a_place_costs_nobody_else() {
    let server = monitored().start();
    let canary = Canary::start(&server);
    // One that asks for much and reads nothing; dribblers; and silent ones in all other places.
    let mut held: Vec<Http> = (0..PLACES).map(|_| http(&server)).collect();
    held[0].send(&FIGURES.repeat(99));
    eventually("all places are taken", || {
        let mut http = http(&server);
        let refusal = http.rest();
        refusal.starts_with("HTTP/1.1 503 ") && refusal.ends_with("server full\n")
    });
    let dribblers: Vec<Http> = (0..200).map(|_| http(&server)).collect();
    for byte in HEALTH.iter().take(20) {
        held.iter_mut().skip(1).take(8).for_each(|http| http.send(&[*byte]));
        testkit::pause(20);
    }
    canary.talks();
    drop(dribblers);
    // The places are free again after ten seconds, whatever their holders do.
    let begun = Instant::now();
    loop {
        let mut http = http(&server);
        http.send(HEALTH);
        if http.answer(false).is_some_and(|answer| answer.code == 200) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "no place is free");
        testkit::pause(100);
    }
    assert!(held.iter_mut().skip(1).take(8).any(|http| http.rest().starts_with("HTTP/1.1 400 ")));
    canary.finish("a metrics door that is misused");
}

#[test]
fn many_scrapes_in_a_row_and_pipelined_ones_are_all_answered() {
    let server = monitored().start();
    let canary = Canary::start(&server);
    for _ in 0..200 {
        assert_eq!(http(&server).get("/metrics").code, 200);
    }
    let mut http = http(&server);
    http.send(&[FIGURES, HEALTH].concat().repeat(50));
    for _ in 0..50 {
        assert!(http.answer(false).is_some_and(|answer| answer.body.contains("\nprocess_open_fds ")));
        assert!(http.answer(false).is_some_and(|answer| answer.body == "ok\n"));
    }
    assert!(http.rest().is_empty(), "a hundred and no more");
    canary.finish("scrapes in a row");
}
