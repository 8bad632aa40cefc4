//! Requests by HTTP: files, times, names, and whose they are.

use super::{Bench, PAGE, get, ip, limits, status};
use crate::close::CloseReason;
use crate::door::web::files::Files;
use crate::engine::pages::Piece;
use crate::engine::tests::socket::HANDSHAKE;
use crate::engine::{Entrance, Origin};
use crate::limits::{KEEP_ALIVE_MS, Limits, STAGE_MS, WEB_ANSWER_MS, WEB_REQUESTS};

#[test]
fn a_page_then_its_files_one_by_one() {
    let mut bench = Bench::new(limits());
    let browser = bench.connect("192.0.2.1");
    let files = Files::of_page();
    let script = get(&format!("/a/{}/main.js", files.hash), "Host: localhost\r\n");
    bench.send(
        browser,
        [PAGE, &script, &get("/", &format!("Host: a\r\nIf-None-Match: \"{}\"\r\n", files.hash))].concat(),
    );
    let text = bench.take(browser);
    let page = String::from_utf8_lossy(files.bytes(&files.index));
    let script = String::from_utf8_lossy(files.bytes(files.find(&files.hash, "main.js").expect("a file")));
    let parts: Vec<_> = text.split("HTTP/1.1 ").skip(1).collect();
    assert!(parts[0].starts_with("200 OK") && parts[0].ends_with(&*page), "{text}");
    assert!(parts[1].starts_with("200 OK") && parts[1].ends_with(&*script), "{text}");
    assert!(parts[2].starts_with("421 ") && parts[2].contains("web.names"), "{text}");
    let known = get("/", &format!("Host: localhost\r\nIf-None-Match: \"{}\"\r\n", files.hash));
    bench.send(browser, known);
    assert!(bench.take(browser).starts_with("HTTP/1.1 304 "));
    bench.send(browser, PAGE.replace("GET", "HEAD"));
    let text = bench.take(browser);
    assert!(text.starts_with("HTTP/1.1 200 OK") && text.ends_with("\r\n\r\n"), "{text}");
    assert_eq!(bench.engine.pages.owed_bytes(), 0);
    assert!(!bench.is_over(browser));
    bench.send(browser, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
    assert!(bench.take(browser).contains("Connection: close") && bench.is_over(browser));
}

#[test]
fn no_request_is_read_before_the_answer_was_taken() {
    let mut bench = Bench::new(limits());
    let browser = bench.connect("192.0.2.1");
    bench.wires[browser].takes = 10;
    bench.send(browser, PAGE.repeat(3));
    let conn = bench.engine.conns.iter().next().expect("the browser's");
    let page = conn.outbox.shared_pieces().next().expect("a piece").page();
    assert_eq!(page, Piece::FILES, "a file weighs nothing");
    bench.pass(10_000);
    assert_eq!((bench.take(browser).as_str(), bench.engine.counters().answers.iter().sum::<u64>()), ("HTTP/1.1 2", 1));
    bench.let_take(browser, usize::MAX);
    assert_eq!(bench.take(browser).matches("HTTP/1.1 200").count(), 2);
    assert_eq!(bench.status(browser, PAGE), 200);
}

#[test]
fn an_answer_is_taken_in_half_a_minute_however_little_is_taken_at_once() {
    let mut bench = Bench::new(limits());
    let browser = bench.connect("192.0.2.1");
    bench.wires[browser].takes = 10;
    bench.send(browser, PAGE);
    for _ in 0..WEB_ANSWER_MS / 1_000 - 1 {
        bench.let_take(browser, 1);
        bench.pass(1_000);
        assert_eq!(bench.closed(&CloseReason::TooSlow), 0);
    }
    bench.pass(2_000);
    assert_eq!(bench.closed(&CloseReason::TooSlow), 1);
    bench.pass(STAGE_MS);
    assert!(bench.wires[browser].closed.is_some());
    // Nor is there more time for the last answer.
    let browser = bench.connect("192.0.2.1");
    bench.wires[browser].takes = 10;
    bench.send(browser, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    for _ in 0..=WEB_ANSWER_MS / 1_000 {
        bench.let_take(browser, 1);
        bench.pass(1_000);
    }
    assert!(bench.wires[browser].closed.is_some());
}

#[test]
fn a_rest_is_short_and_a_hundred_requests_are_all() {
    let mut bench = Bench::new(limits());
    let (silent, browser) = (bench.connect("192.0.2.1"), bench.connect("192.0.2.1"));
    bench.pass(KEEP_ALIVE_MS - 1);
    assert!(!bench.is_over(silent));
    assert_eq!(bench.status(browser, PAGE), 200);
    bench.pass(1);
    assert!(bench.is_over(silent) && bench.take(silent).is_empty());
    bench.pass(KEEP_ALIVE_MS - 2);
    assert!(!bench.is_over(browser));
    bench.pass(1);
    assert!(bench.is_over(browser) && bench.take(browser).is_empty());
    let browser = bench.connect("192.0.2.1");
    for number in 1..=100 {
        assert!(!bench.is_over(browser), "{number}");
        assert_eq!(bench.status(browser, PAGE), 200);
    }
    assert!(bench.is_over(browser));
}

#[test]
fn a_dribbled_head_has_the_time_of_a_line() {
    let mut bench = Bench::new(limits());
    let browser = bench.connect("192.0.2.1");
    for byte in PAGE.bytes().take(29) {
        bench.send(browser, [byte]);
        bench.pass(1_000);
    }
    assert!(!bench.is_over(browser));
    bench.pass(2_000);
    assert_eq!(status(&bench.take(browser)), 400);
    assert_eq!(bench.closed(&CloseReason::LineNeverEnded), 1);
}

#[test]
fn names_and_origins() {
    let mut bench = Bench::new(limits());
    for (host, expected) in [
        ("localhost:8015", 200),
        ("127.0.0.1", 200),
        ("[::1]:8015", 200),
        ("203.0.113.5:80", 200),
        ("CHAT.example", 200),
        ("www.certified.example:443", 200),
        ("certified.example", 421),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("", 421),
    ] {
        let browser = bench.connect("192.0.2.1");
        assert_eq!(bench.status(browser, get("/", &format!("Host: {host}\r\n"))), expected, "{host}");
        bench.send(browser, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
        bench.pass(10_000);
    }
    let browser = bench.connect("192.0.2.1");
    for (origin, expected) in [("http://localhost", 200), ("http://evil.example", 403), ("null", 403)] {
        let fields = format!("Host: localhost\r\nOrigin: {origin}\r\n");
        assert_eq!(bench.status(browser, get("/", &fields)), expected, "{origin}");
    }
    let upgrade =
        String::from_utf8_lossy(HANDSHAKE).replace("Upgrade: web", "Origin: http://evil.example\r\nUpgrade: web");
    assert_eq!(bench.status(browser, upgrade), 403);
    assert_eq!(bench.status(browser, get("/ws", "Host: localhost\r\n")), 426);
}

#[test]
fn an_address_has_a_number_of_requests_and_of_conversations() {
    let mut bench = Bench::new(limits());
    let mut browser = bench.connect("192.0.2.1");
    for number in 1..=WEB_REQUESTS {
        assert_eq!(bench.status(browser, PAGE), 200, "{number}");
        if bench.is_over(browser) {
            browser = bench.connect("192.0.2.1");
        }
    }
    assert_eq!(bench.status(browser, PAGE), 429);
    let other = bench.connect("192.0.2.2");
    assert_eq!(bench.status(other, PAGE), 200);
    bench.pass(3_000);
    assert_eq!(bench.status(browser, PAGE), 200);
    // A conversation is charged as a new connection.
    let mut bench = Bench::new(Limits { per_address: 100, new_per_address: 3, ..limits() });
    let fetching: Vec<_> = (0..10).map(|_| bench.connect("192.0.2.1")).collect();
    let codes: Vec<_> = fetching.iter().map(|place| bench.status(*place, HANDSHAKE)).collect();
    assert_eq!(codes, [101, 101, 101, 429, 429, 429, 429, 429, 429, 429]);
    // Those that fetch count while they are open.
    let mut bench = Bench::new(Limits { per_address: 3, ..limits() });
    let places: Vec<_> = (0..3).map(|_| bench.connect("192.0.2.1")).collect();
    let refused = bench.connect_from(ip("192.0.2.1"), Entrance::default()).expect_err("one too many");
    assert_eq!(status(&refused), 429);
    assert_eq!(bench.status(places[0], HANDSHAKE), 101);
    bench.pass(KEEP_ALIVE_MS + 10_000);
    assert_eq!((bench.engine.gate.addresses.open(), bench.is_over(places[1])), (1, true));
}

#[test]
fn proxies_name_the_client_of_each_request() {
    let proxies = vec!["10.0.0.0/8".parse().expect("a network")];
    let mut bench = Bench::new(Limits { proxies, new_per_address: 2, ..limits() });
    let proxy = bench.connect("10.0.0.1");
    let asking = |fields: &str| get("/", &format!("Host: localhost\r\n{fields}"));
    assert_eq!(bench.status(proxy, asking("")), 400);
    assert_eq!(bench.status(proxy, asking("X-Forwarded-For: nobody\r\n")), 400);
    for _ in 0..2 {
        let places: Vec<_> = (0..3).map(|_| bench.connect("10.0.0.1")).collect();
        for place in &places {
            for _ in 0..43 {
                bench.status(*place, asking("X-Forwarded-For: 1.1.1.1, 192.0.2.1, 10.0.0.7\r\n"));
            }
        }
    }
    let spent = bench.status(proxy, asking("X-Forwarded-For: 1.1.1.1, 192.0.2.1, 10.0.0.7\r\n"));
    let other = bench.status(proxy, asking("X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\n"));
    assert_eq!((spent, other), (429, 200), "the rightmost that is no proxy is the client");
    assert_eq!(bench.engine.gate.addresses.open(), 0, "a proxy counts for nobody");
    // From others the field says nothing.
    let liar = bench.connect("192.0.2.9");
    assert_eq!(bench.status(liar, asking("X-Forwarded-For: nobody\r\n")), 200);
    // The upgrade names the client for good.
    let upgrade = |client: &str| {
        String::from_utf8_lossy(HANDSHAKE)
            .replace("Upgrade: web", &format!("X-Forwarded-For: {client}\r\nUpgrade: web"))
    };
    let codes = [(); 3].map(|()| {
        let place = bench.connect("10.0.0.1");
        bench.status(place, upgrade("192.0.2.77"))
    });
    assert_eq!((codes, bench.engine.gate.addresses.open()), ([101, 101, 429], 3), "the liar and two");
    let origins: Vec<_> = bench.engine.conns.iter().map(|conn| conn.origin).collect();
    assert!(origins.contains(&Origin::Learnt(ip("192.0.2.77"))), "{origins:?}");
    // A proxy that listens for both families names IPv4 clients so.
    let place = bench.connect("10.0.0.1");
    assert_eq!(bench.status(place, upgrade("::ffff:192.0.2.77")), 429);
    assert_eq!(bench.status(place, upgrade("::ffff:192.0.2.78")), 101);
    let origins: Vec<_> = bench.engine.conns.iter().map(|conn| conn.origin).collect();
    assert!(origins.contains(&Origin::Learnt(ip("192.0.2.78"))), "{origins:?}");
    // An address that was learnt is never exempt; one at a Unix socket is, if nobody names it.
    let mut bench = Bench::new(Limits { new_per_address: 1, ..Limits::default() });
    let unix = |bench: &mut Bench, request: &str| {
        let place = bench.connect_from(Origin::Unix, Entrance::default()).expect("admission");
        bench.status(place, request)
    };
    let plain = String::from_utf8_lossy(HANDSHAKE).into_owned();
    assert_eq!([(); 3].map(|()| unix(&mut bench, &plain)), [101; 3]);
    assert_eq!([(); 2].map(|()| unix(&mut bench, &upgrade("127.0.0.1"))), [101, 429]);
}

#[test]
fn who_a_proxy_header_names_is_the_client() {
    let proxies = vec!["10.0.0.0/8".parse().expect("a network")];
    let mut bench = Bench::new(Limits { proxies, ..limits() });
    let place = bench.connect_from(ip("10.0.0.1"), Entrance { takes_proxy: true, is_tls: false }).expect("admission");
    let id = bench.wires[place].id;
    bench.begin();
    bench.engine.on_named(id, Some(ip("10.0.0.99")));
    bench.end();
    assert_eq!(bench.engine.gate.addresses.open(), 1);
    assert_eq!(bench.status(place, get("/", "Host: localhost\r\n")), 200, "no field is needed");
    assert_eq!(bench.status(place, HANDSHAKE), 101);
    assert_eq!(bench.engine.gate.addresses.open(), 1);
}
