//! Clients of other protocols, and clients that send garbage.

use std::io::Read as _;
use std::time::Instant;

use testkit::rooms::frames;
use testkit::{Client, PATIENCE, Server};

#[test]
fn other_protocols_are_told_once_and_closed() {
    let server = Server::start();
    let hello: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: x\r\n\r\n",
        b"POST /login HTTP/1.0\r\n\r\nname=alice\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"Host: example.org\r\n",
        b"hOSt: example.org\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"SSH-1.99-x\n",
        b"\xef\xbb\xbfSSH-2.0-x\n",
        // A TLS hello has no LF, and is refused at its first byte.
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x16",
    ];
    for bytes in hello {
        let mut client = server.greeted();
        client.send_raw(bytes);
        client.expect_421("not a chat client");
    }
    assert!(server.wait_for_log("not a chat client").contains("INFO"));
    server.bare("alice").barrier();
}

#[test]
fn a_proxy_header_that_nobody_expects_is_told_so() {
    let server = Server::builder().rooms(&[""]).start();
    let text = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 5015\r\nalice\r\ncorrect horse\r\n";
    let binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x13\x97alice\n";
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    for header in [&text[..], b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", b"PROXY UNKNOWN\r\n", binary, local] {
        for is_cut in [false, true] {
            let mut client = server.greeted();
            // What follows the header is read and discarded, so these writes succeed as long as they matter.
            for piece in header.chunks(if is_cut { 1 } else { header.len() }).take(60) {
                client.send_raw(piece);
            }
            client.expect_421("not a chat client: a PROXY header");
        }
        // The room door answers in its own way, and logs the reason.
        let bytes = [header, &[0; 64]].concat();
        let mut client = Client::connect(server.door("rooms"));
        client.send_raw(&bytes);
        assert_eq!(frames(&read_all(&mut client))[0].payload, [4]);
    }
    server.wait_for_log("421 not a chat client: a PROXY header: nobody from 127.0.0.1");
    // Two empty lines of a person with telnet are not a foreign protocol.
    let mut telnet = server.greeted();
    telnet.send_raw(b"\r\n\r\nalice\r\ncorrect horse\r\n");
    telnet.expect("C 332 ");
    telnet.expect("C 230 ");
}

fn read_all(client: &mut Client) -> Vec<u8> {
    let mut bytes = Vec::new();
    client.stream().set_read_timeout(Some(PATIENCE)).unwrap();
    client.stream().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn words_like_another_protocol_s_are_names() {
    let server = Server::start();
    for name in ["GET", "POST", "Hosts", "SSH", "SSH-", "SSH-2", "HTTP", "PROXY"] {
        server.bare(name).barrier();
    }
}

#[test]
fn only_the_first_line_can_be_another_protocol() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    alice.send("GET / HTTP/1.1");
    alice.expect("C 502");
    alice.send("\u{16}");
    alice.expect("C 501");
    alice.barrier();
}

#[test]
fn a_hundred_bad_lines_close() {
    let server = Server::builder().no_rates().start();
    let long = "x".repeat(5000);
    for bad in ["bad \u{1b} byte", "WHO too many words", long.as_str()] {
        let mut alice = server.bare("alice");
        let mut answered = 0;
        for _ in 0..99 {
            alice.send(bad);
            let reply = alice.line();
            assert!(reply.starts_with("C 500") || reply.starts_with("C 501"), "{reply:?}");
            answered += 1;
        }
        alice.barrier();
        alice.send(bad);
        let mut last = alice.line();
        if last.starts_with("C 50") {
            answered += 1;
            last = alice.line();
        }
        assert_eq!(last, "C 421 too many bad lines", "after {answered} answers");
        alice.expect_closed();
    }
}

#[test]
fn a_hundred_bad_lines_in_one_piece_close_too() {
    let server = Server::builder().no_rates().start();
    let mut bob = server.bare("bob");
    let mut alice = server.bare("alice");
    alice.send_raw(&[b"\x01\n".repeat(150), b"PM after all\n".to_vec()].concat());
    let mut line = alice.line();
    while line.starts_with("C 501") {
        line = alice.line();
    }
    assert_eq!(line, "C 421 too many bad lines");
    alice.expect_closed();
    bob.barrier();
}

#[test]
fn a_full_server_tells_newcomers_and_goes_on() {
    let server = Server::builder().set("limits.connections", "2").start();
    let (mut alice, mut bob) = (server.bare("alice"), server.bare("bob"));
    server.connect().expect_421("server full");
    assert_eq!(alice.ask("PM still here"), "C 250 sent to 1");
    bob.expect_exact("D PM alice still here");
    assert_eq!(bob.ask("EX"), "C 221 bye");
    drop(bob);
    let deadline = Instant::now() + PATIENCE;
    loop {
        // The place is free once the server has noticed that bob is gone.
        let first = server.connect().line();
        if first.starts_with("C 220 ") {
            break;
        }
        assert_eq!(first, "C 421 server full");
        assert!(Instant::now() < deadline, "the place is never free again");
    }
}
