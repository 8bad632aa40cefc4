//! Listeners with TLS: what is the same as on plain ones, and what is not.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use testkit::rooms::{MAKE, request, token_of};
use testkit::tls::{ClientConfig, HandshakeKind, Versions, settings};
use testkit::{Canary, Client, Server};

mod cert;
mod foreign;
mod hostile;
mod reload;

const BOTH: [Versions; 2] = [Versions::Tls12, Versions::Tls13];

/// A server with a listener by TLS and a plain one, without rate limits.
fn secure() -> Server {
    Server::builder().no_rates().with_pair().listen(&["line+tls://127.0.0.1:0", "line://127.0.0.1:0"]).start()
}

/// The address of the listener by TLS.
fn port(server: &Server) -> SocketAddr {
    server.door("line+tls")
}

/// A client by TLS that has read its greeting.
#[track_caller]
fn greeted(server: &Server, settings: &Arc<ClientConfig>) -> Client {
    let mut client = Client::connect_tls_with(port(server), settings);
    client.expect("C 220 chatd ");
    client
}

#[test]
fn talk_is_the_same_by_tls() {
    let server = secure();
    let mut plain = server.typed("plain");
    for (versions, name) in BOTH.into_iter().zip(["alice", "bob"]) {
        let mut client = greeted(&server, &settings(versions, &[]));
        client.login_typed(name);
        client.typed("PM hello");
        assert!(plain.expect("D PM ").ends_with(&format!(" {name} hello")));
        client.expect_exact("C 250 sent to 1");
        assert_eq!(plain.ask(&format!("DM {name} and you")), format!("C 250 sent to {name}"));
        assert!(client.expect("D DM ").ends_with(" plain and you"));
        assert!(client.list("HELP").len() > 10);
        client.typed("EX");
        client.expect("C 221 ");
        client.expect_closed();
    }
}

#[test]
fn lines_split_and_joined_across_records() {
    let server = secure();
    for (versions, name) in BOTH.into_iter().zip(["alice", "bob"]) {
        let mut client = greeted(&server, &settings(versions, &["chatd"]));
        client.login_bare(name);
        let text = b"NOOP\nPM in one record\nNOOP\n";
        // A record for each byte, all of them in one write …
        let records = client.tls().records(text.chunks(1));
        client.send_wire(&records);
        // … each record in its own write, and its bytes one by one …
        for byte in client.tls().records([&b"NOOP\n"[..], b"NO", b"OP\n"]) {
            client.send_wire(&[byte]);
        }
        // … and all lines in one record.
        let record = client.tls().records([&text[..]]);
        client.send_wire(&record);
        for code in ["200", "250", "200", "200", "200", "200", "250", "200"] {
            client.expect(&format!("C {code}"));
        }
    }
}

#[test]
fn ten_thousand_lines_in_one_burst() {
    let server = secure();
    let canary = Canary::start(&server);
    let mut client = greeted(&server, &settings(Versions::Both, &["chatd"]));
    client.login_bare("alice");
    let records = client.tls().records([&b"NOOP\n".repeat(10_000)[..]]);
    client.send_wire(&records);
    for _ in 0..10_000 {
        client.expect_exact("C 200 done");
    }
    // The same with a record for each line.
    let records = client.tls().records(std::iter::repeat_n(&b"NOOP\n"[..], 10_000));
    client.send_wire(&records);
    for _ in 0..10_000 {
        client.expect_exact("C 200 done");
    }
    canary.finish("20,000 lines in bursts of records");
}

#[test]
fn long_lists_and_long_lines_arrive_whole() {
    let server = secure();
    let mut alice = greeted(&server, &settings(Versions::Both, &["chatd"]));
    alice.login_bare("alice");
    let mut bob = greeted(&server, &settings(Versions::Tls12, &["chatd"]));
    bob.login_bare("bob");
    let long = "x".repeat(4000);
    let lines = format!("PM {long}\n").repeat(50);
    alice.send_raw(lines.as_bytes());
    for _ in 0..50 {
        bob.expect_exact(&format!("D PM alice {long}"));
        alice.expect_exact("C 250 sent to 1");
    }
}

#[test]
fn the_rates_hold_by_tls() {
    let server =
        Server::builder().with_pair().listen(&["line+tls://127.0.0.1:0"]).set("limits.rate_burst", "5").start();
    let mut client = greeted(&server, &settings(Versions::Both, &["chatd"]));
    client.login_bare("alice");
    let record = client.tls().records([&b"NOOP\n".repeat(15)[..]]);
    client.send_wire(&record);
    for _ in 0..15 {
        client.expect_exact("C 200 done");
    }
    let mut server = server;
    server.term();
    let log = server.log_text();
    let paused = log.split(" rate_paused=").nth(1).unwrap().split(' ').next().unwrap().parse::<u32>().unwrap();
    assert!(paused > 0, "{log}");
}

#[test]
fn a_half_close_is_answered_and_then_ended() {
    let server = secure();
    for (versions, name) in BOTH.into_iter().zip(["alice", "bob"]) {
        let mut client = greeted(&server, &settings(versions, &["chatd"]));
        client.login_bare(name);
        let mut last = client.tls().records([&b"NOOP\nPM last\nNOOP\nPM not ended"[..]]);
        last.extend(client.tls().close_notify());
        client.send_wire(&last);
        for line in ["C 200 done", "C 250 sent to 0", "C 200 done"] {
            client.expect_exact(line);
        }
        client.expect_closed();
    }
    // FIN alone is the same, also within a record.
    for cut in [0, 1, 20] {
        let mut client = greeted(&server, &settings(Versions::Both, &["chatd"]));
        client.login_bare("carol");
        assert_eq!(client.ask("NOOP"), "C 200 done");
        let cut_off = client.tls().records([&b"PM cut off\n"[..]]);
        client.send_wire(&cut_off[..cut]);
        client.stream().shutdown(Shutdown::Write).unwrap();
        client.expect_closed();
    }
}

#[test]
fn other_protocols_are_told_so_in_the_clear() {
    let server = Server::builder()
        .with_pair()
        .listen(&["line+tls://127.0.0.1:0", "rooms+tls://127.0.0.1:0?udp=0", "line://127.0.0.1:0"])
        .start();
    for text in ["alice\n", "GET / HTTP/1.1\r\n\r\n", "SSH-2.0-x\r\n", "\n", "\0"] {
        let mut client = Client::connect(port(&server));
        client.send_raw(text.as_bytes());
        client.expect_421("not TLS");
    }
    assert!(server.wait_for_log("421 not TLS: ").contains("[INFO]"));
    // The room door refuses in its own language: a bare close for what is no request.
    let mut client = Client::connect(server.door("rooms+tls"));
    client.send_raw(b"\x01");
    client.expect_closed();
    // The other way round.
    let mut client = server.greeted();
    let hello = testkit::tls::Tls::new(&settings(Versions::Both, &[])).outgoing();
    client.send_wire(&hello);
    client.expect_421("not a chat client");
}

#[test]
fn the_room_door_works_by_tls() {
    let server = Server::builder().with_pair().listen(&["rooms+tls://127.0.0.1:0?udp=0"]).start();
    let mut client = Client::connect_tls(server.door("rooms+tls"));
    client.send_raw(&request(MAKE, "tea", b"alice"));
    let answer = client.expect_reset_or_closed();
    assert!(!token_of(answer.as_bytes()).is_empty(), "{answer:?}");
}

#[test]
fn only_this_protocol_is_spoken() {
    let server = secure();
    for protocols in [&["http/1.1"][..], &["h2", "http/1.1"], &["irc"]] {
        let client = Client::connect(port(&server));
        let refused = client.try_encrypted(&settings(Versions::Both, protocols));
        assert!(refused.is_err(), "{protocols:?}");
    }
    for protocols in [&[][..], &["chatd"], &["http/1.1", "chatd"]] {
        greeted(&server, &settings(Versions::Both, protocols));
    }
}

#[test]
fn one_ticket_resumes() {
    let mut server = secure();
    for versions in BOTH {
        let settings = settings(versions, &["chatd"]);
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
            let mut client = greeted(&server, &settings);
            assert_eq!(client.tls().connection().handshake_kind(), Some(kind), "{versions:?}");
        }
    }
    server.term();
    let log = server.log_text();
    assert!(log.contains(" tls_full=2 tls_resumed=4 tls_failed=0 "), "{log}");
}

#[test]
fn nobody_is_greeted_before_the_handshake() {
    let server = secure();
    let mut client = Client::connect(port(&server));
    client.silence(std::time::Duration::from_millis(200));
    let mut client = client.encrypted(&settings(Versions::Both, &["chatd"]));
    client.expect("C 220 chatd ");
}

#[test]
fn a_stop_tells_everybody() {
    let mut server = secure();
    let mut client = greeted(&server, &settings(Versions::Both, &["chatd"]));
    let begun = Client::connect(port(&server));
    assert!(server.term().success());
    client.expect_421("shutting down, retry in 2 s");
    drop(begun);
}

#[test]
fn a_proxy_names_the_client_before_the_handshake() {
    let server = Server::builder()
        .with_pair()
        .listen(&["line+tls://127.0.0.1:0?proxy"])
        .set("limits.proxies", "[\"127.0.0.1\"]")
        .set("log.level", "\"debug\"")
        .start();
    let settings = settings(Versions::Both, &["chatd"]);
    let mut client = Client::connect(port(&server));
    client.send_wire(b"PROXY TCP4 192.0.2.7 127.0.0.1 1234 5016\r\n");
    let mut client = client.encrypted(&settings);
    client.expect("C 220 ");
    client.login_bare("alice");
    server.wait_for_log("alice logged in from 192.0.2.7");
    // Header and ClientHello in one segment.
    let mut tls = testkit::tls::Tls::new(&settings);
    let client = Client::connect(port(&server));
    let first = [&b"PROXY TCP4 192.0.2.8 127.0.0.1 1234 5016\r\n"[..], &tls.outgoing()].concat();
    std::io::Write::write_all(&mut client.stream(), &first).unwrap();
    tls.shake(client.stream()).unwrap();
    // Without the header nothing can be said by TLS, so nothing is.
    let mut stranger = Client::connect(port(&server));
    stranger.send_wire(b"\x16\x03\x01");
    assert_eq!(stranger.expect_reset_or_closed(), "");
}

/// Passes bytes between one client and the server, and keeps them.
fn tap(server: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = TcpStream::connect(server).unwrap();
        let pump = |mut from: TcpStream, mut to: TcpStream, keep: Arc<Mutex<Vec<u8>>>| {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut bytes) {
                keep.lock().unwrap().extend_from_slice(&bytes[..count]);
                if to.write_all(&bytes[..count]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        };
        let (back, there) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let also = Arc::clone(&keep);
        thread::spawn(move || pump(back, there, also));
        pump(client, server, keep);
    });
    (addr, seen)
}

#[test]
fn nothing_readable_crosses_the_network() {
    let server = secure();
    let words = ["C 220 chatd ", "mallory", testkit::PASSWORD, "a secret between us", "C 250 sent to 0"];
    let said = |client: &mut Client| {
        client.expect("C 220 ");
        client.login_bare("mallory");
        assert_eq!(client.ask("PM a secret between us"), "C 250 sent to 0");
        client.send("EX");
        client.expect("C 221 ");
        client.expect_closed();
    };
    let contains = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
    for versions in BOTH {
        let (addr, seen) = tap(port(&server));
        let client = &mut Client::connect_tls_with(addr, &settings(versions, &["chatd"]));
        said(client);
        let seen = seen.lock().unwrap();
        assert!(words.iter().all(|word| !contains(&seen, word)) && seen.len() > 1000, "{versions:?}");
    }
    // The same words on a plain listener, to show that the tap sees what there is to be seen.
    let (addr, seen) = tap(server.addr());
    said(&mut Client::connect(addr));
    assert!(words.iter().all(|word| contains(&seen.lock().unwrap(), word)));
}

#[test]
fn idle_clients_cost_little() {
    const WARM: usize = 200;
    const IDLE: usize = 1500;
    if !crate::crowds::may_open(WARM + IDLE) {
        return;
    }
    let _turn = crate::crowds::turn();
    let server = secure();
    let settings = settings(Versions::Both, &["chatd"]);
    let connect = |count: usize| -> Vec<Client> { (0..count).map(|_| greeted(&server, &settings)).collect() };
    let warm = connect(WARM);
    let before = server.resident_kib();
    let idle = connect(IDLE);
    let each = (server.resident_kib() - before) * 1024 / IDLE as u64;
    println!("{IDLE} idle clients by TLS: {each} bytes of the process's memory each");
    assert!(each < 5 * 1024, "an idle connection by TLS costs {each} bytes");
    drop((warm, idle));
}
