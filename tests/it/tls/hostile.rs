//! Clients by TLS that do what no client should.

use std::io::Read as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use testkit::tls::{Tls, Versions, settings};
use testkit::{Canary, Client, PATIENCE, Server, eventually, pause};

use super::{greeted, port, secure};

/// The first bytes of a handshake.
fn hello() -> Vec<u8> {
    Tls::new(&settings(Versions::Both, &["chatd"])).outgoing()
}

#[test]
fn half_and_dribbled_handshakes_end_in_ten_seconds() {
    let server = Server::builder()
        .no_rates()
        .with_pair()
        .listen(&["line+tls://127.0.0.1:0", "line://127.0.0.1:0"])
        .set("log.level", "\"debug\"")
        .start();
    let canary = Canary::start(&server);
    let hello = hello();
    let begun = Instant::now();
    let half: Vec<Client> = (0..2000)
        .map(|number| {
            let mut client = Client::connect(port(&server));
            client.send_wire(&hello[..1 + number % (hello.len() - 1)]);
            client
        })
        .collect();
    let mut dribbling: Vec<Client> = (0..500).map(|_| Client::connect(port(&server))).collect();
    for byte in &hello[..60] {
        for client in &mut dribbling {
            client.send_wire(&[*byte]);
        }
        pause(20);
    }
    canary.talks();
    for mut client in half.into_iter().chain(dribbling) {
        assert_eq!(client.expect_reset_or_closed(), "", "nothing is said to them");
    }
    assert!(begun.elapsed() > Duration::from_secs(9), "{:?}", begun.elapsed());
    assert!(server.wait_for_log("421 TLS failed: ").contains("[DEBUG]"));
    canary.finish("2,500 half handshakes");
}

#[test]
fn a_storm_of_handshakes_starves_nobody() {
    let server = secure();
    let canary = Canary::start(&server);
    let attackers: Vec<_> = (0..4)
        .map(|_| {
            let port = port(&server);
            std::thread::spawn(move || {
                // A step that signs, and no more: cheap for the client.
                for _ in 0..200 {
                    let mut client = Client::connect(port);
                    client.send_wire(&hello());
                    assert!(client.stream().read(&mut [0; 64]).unwrap() > 0);
                }
            })
        })
        .collect();
    attackers.into_iter().for_each(|attacker| attacker.join().unwrap());
    canary.talks();
    canary.finish("800 handshakes by four clients");
}

#[test]
fn garbage_ends_one_connection_only() {
    let server = secure();
    let mut alice = server.bare("alice");
    // Before, within and after the handshake.
    for bytes in [
        &b"\x16garbage that is no record of the handshake"[..],
        b"\x16\x03\x01\x00\x04\x01\x00\x00\x00",
        b"\x16\x03\x01\xff\xff",
    ] {
        let mut client = Client::connect(port(&server));
        client.send_wire(bytes);
        client.expect_reset_or_closed();
    }
    let mut client = Client::connect(port(&server));
    let mut bytes = hello();
    bytes.extend(b"\x17\x03\x03\x00\x20 that is no record by any key ...");
    client.send_wire(&bytes);
    client.expect_reset_or_closed();
    for versions in [Versions::Tls12, Versions::Tls13] {
        let mut client = greeted(&server, &settings(versions, &["chatd"]));
        let mut record = client.tls().records([&b"alice\n"[..]]);
        *record.last_mut().unwrap() ^= 0x80;
        client.send_wire(&record);
        client.expect_reset_or_closed();
    }
    alice.barrier();
}

#[test]
fn a_handshake_is_bounded_in_bytes() {
    let server = secure();
    let mut client = Client::connect(port(&server));
    // A ClientHello of 60,000 bytes, in records of 1,000.
    let mut text = vec![1, 0, 0xea, 0x60];
    text.resize(60_000, 3);
    let records: Vec<u8> = text.chunks(1000).flat_map(|part| [&[0x16, 3, 1, 3, 0xe8], part].concat()).collect();
    client.send_wire(&records[..20_000]);
    client.expect_reset_or_closed();
}

#[test]
fn key_updates_without_end_are_cut() {
    let server = secure();
    let canary = Canary::start(&server);
    let mut honest = greeted(&server, &settings(Versions::Tls13, &["chatd"]));
    honest.login_bare("honest");
    for _ in 0..20 {
        let update = honest.tls().key_update();
        honest.send_wire(&update);
        honest.barrier();
    }
    let mut client = greeted(&server, &settings(Versions::Tls13, &["chatd"]));
    let updates: Vec<u8> = (0..1000).flat_map(|_| client.tls().key_update()).collect();
    // It may be cut before it has sent them all.
    let _ = std::io::Write::write_all(&mut client.stream(), &updates);
    client.expect_reset_or_closed();
    honest.barrier();
    canary.finish("a thousand key updates");
}

#[test]
fn empty_records_without_end_are_cut() {
    let server = secure();
    let mut client = greeted(&server, &settings(Versions::Tls12, &["chatd"]));
    let _ = std::io::Write::write_all(&mut client.stream(), &[21, 3, 3, 0, 2, 1, 90].repeat(100));
    client.expect_reset_or_closed();
}

#[test]
fn who_stops_within_a_record_is_cut_and_delays_nobody() {
    let server = Server::builder()
        .no_rates()
        .with_pair()
        .listen(&["line+tls://127.0.0.1:0", "line://127.0.0.1:0"])
        .set("limits.send_buffer_bytes", "4096")
        .set("limits.owed_soft_s", "2")
        .start();
    let mut alice = server.bare("alice");
    let canary = Canary::start(&server);
    let mut slow = Client::connect_narrow(port(&server)).encrypted(&settings(Versions::Both, &["chatd"]));
    slow.expect("C 220 ");
    slow.login_bare("slow");
    let text = "x".repeat(2000);
    for _ in 0..100 {
        alice.send(&format!("DM slow {text}"));
        alice.expect("C 250 ");
    }
    // It reads the beginning of a record, and stops.
    slow.stream().read_exact(&mut [0; 1000]).unwrap();
    server.wait_for_log("421 too slow: slow from");
    canary.talks();
    canary.finish("a reader that stops within a record");
}

#[test]
fn who_reads_slowly_gets_every_line_in_order() {
    let server = Server::builder()
        .no_rates()
        .with_pair()
        .listen(&["line+tls://127.0.0.1:0", "line://127.0.0.1:0"])
        .set("limits.send_buffer_bytes", "4096")
        .start();
    for versions in [Versions::Tls12, Versions::Tls13] {
        let name = format!("{versions:?}");
        let mut alice = server.bare(&format!("alice{name}"));
        let mut slow = Client::connect_narrow(port(&server)).encrypted(&settings(versions, &["chatd"]));
        slow.expect("C 220 ");
        slow.login_bare(&name);
        let text = |number: usize| format!("{number:x<1500}");
        for number in 0..60 {
            alice.send(&format!("DM {name} {}", text(number)));
            alice.expect("C 250 ");
        }
        pause(100);
        slow.half_close();
        for number in 0..60 {
            slow.expect_exact(&format!("D DM alice{name} {}", text(number)));
        }
        slow.expect_closed();
    }
}

#[test]
fn handshakes_count_for_their_address() {
    let server = Server::builder()
        .with_pair()
        .listen(&["line+tls://127.0.0.1:0"])
        .set("limits.include_loopback", "true")
        .set("limits.per_address", "3")
        .start();
    let begun: Vec<Client> = (0..3).map(|_| Client::connect(port(&server))).collect();
    eventually("three are accepted", || {
        let mut fourth = Client::connect(port(&server));
        // Who is not let in gets no handshake, and no line.
        fourth.expect_reset_or_closed().is_empty()
    });
    drop(begun);
    server.wait_for_log("421 too many from your address");
    eventually("there is room again", || {
        Client::connect(port(&server)).try_encrypted(&settings(Versions::Both, &["chatd"])).is_ok()
    });
}

/// Reads once.
trait Once {
    fn read(&self, room: &mut [u8]) -> std::io::Result<usize>;
}

impl Once for TcpStream {
    fn read(&self, room: &mut [u8]) -> std::io::Result<usize> {
        let mut stream = self;
        std::io::Read::read(&mut stream, room)
    }
}

#[test]
fn a_long_chain_through_a_small_window_is_no_slow_reader() {
    let server = Server::builder()
        .with_pair()
        .listen(&["line+tls://127.0.0.1:0"])
        .set("limits.send_buffer_bytes", "2048")
        .start();
    // More than a stranger may owe, and than the kernel takes at once.
    let cert = std::fs::read_to_string(server.path("cert.pem")).unwrap();
    std::fs::write(server.path("cert.pem"), cert.repeat(40)).unwrap();
    server.hup();
    server.wait_for_log("configuration re-read");
    for versions in [Versions::Tls12, Versions::Tls13] {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(8192).unwrap();
        socket.connect(&port(&server).into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut tls = Tls::new(&settings(versions, &["chatd"]));
        // It sends a record of its own while the server's write waits.
        tls.shake(&stream).unwrap();
        let mut text = Vec::new();
        while text.is_empty() {
            text = tls.read(&stream).unwrap().expect("a greeting");
        }
        assert!(text.starts_with(b"C 220 "), "{text:?}");
    }
}
