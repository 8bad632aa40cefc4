//! Both ends in memory.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ServerConfig, ServerConnection};
use testkit::certificate::{Certificate, LOCAL, Validity};

use super::*;
use crate::args::Trust;
use crate::destination::Server;
use crate::fingerprint::Fingerprint;

/// A connection that has proven its server, and the server.
fn pair() -> (Tls, ServerConnection) {
    let certificate = Certificate::own(&LOCAL, Validity::Now);
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = builder.with_single_cert(certificate.chain(), certificate.key()).unwrap();
    let mut server = ServerConnection::new(Arc::new(config)).unwrap();
    let pins = vec![Fingerprint::parse(&certificate.fingerprint).unwrap()];
    let proof = Arc::new(Proof::new(&Trust { ca: None, pins }, |_| Ok(None)).unwrap());
    let place = Server { host: "localhost".to_owned(), port: 1, is_tls: true };
    let (mut tls, _) = handshake::start(&place, &proof).unwrap();
    while server.is_handshaking() {
        take(&mut tls, &mut server);
        let mut back = sent(&mut server);
        assert!(received(&mut tls, &mut back).is_empty());
    }
    (tls, server)
}

/// The server takes what is encrypted.
fn take(tls: &mut Tls, server: &mut ServerConnection) {
    let mut out = Vec::new();
    assert!(tls.write_out(&mut out).unwrap());
    let mut rest = out.as_slice();
    while !rest.is_empty() {
        server.read_tls(&mut rest).unwrap();
        server.process_new_packets().unwrap();
    }
}

fn sent(server: &mut ServerConnection) -> Vec<u8> {
    let mut out = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut out).unwrap();
    }
    out
}

#[track_caller]
fn received(tls: &mut Tls, raw: &mut [u8]) -> Vec<u8> {
    match tls.receive(raw) {
        Ok(Received::Bytes(bytes)) => bytes,
        Ok(Received::Last(_)) => panic!("it has not ended"),
        Err(why) => panic!("{why}"),
    }
}

#[test]
fn cut_anywhere_it_is_the_same() {
    let (mut tls, mut server) = pair();
    let text: Vec<u8> = (0..30_000u32).map(|n| b'a' + (n % 23) as u8).collect();
    for step in [1, 2, 3, 100, 1 << 14, 1 << 20] {
        let mut heard = Vec::new();
        let mut raw = Vec::new();
        // rustls has a bound for what waits.
        for part in text.chunks(9000) {
            server.writer().write_all(part).unwrap();
            raw.extend(sent(&mut server));
        }
        for piece in raw.chunks_mut(step) {
            heard.extend(received(&mut tls, piece));
        }
        assert!(heard == text, "in pieces of {step}");
    }
}

#[test]
fn the_end_is_told_from_a_cut() {
    let (mut tls, mut server) = pair();
    server.writer().write_all(b"bye").unwrap();
    server.send_close_notify();
    let raw = sent(&mut server);
    assert!(matches!(tls.receive(&raw[..raw.len() - 1]), Ok(Received::Bytes(bytes)) if bytes == b"bye"));
    assert!(matches!(tls.receive(&raw[raw.len() - 1..]), Ok(Received::Last(bytes)) if bytes.is_empty()));
    assert!(matches!(tls.receive(b""), Ok(Received::Last(_))));
}

#[test]
fn what_came_before_damage_counts() {
    let (mut tls, mut server) = pair();
    server.writer().write_all(b"good").unwrap();
    let mut raw = sent(&mut server);
    server.writer().write_all(b"evil").unwrap();
    raw.extend(sent(&mut server));
    *raw.last_mut().unwrap() ^= 1;
    assert_eq!(received(&mut tls, &mut raw), b"good");
    assert!(tls.receive(b"").is_err());
    // The server is told.
    let mut out = Vec::new();
    assert!(tls.write_out(&mut out).unwrap() && !out.is_empty());
}

#[test]
fn new_keys_are_followed_and_answered() {
    let (mut tls, mut server) = pair();
    for _ in 0..5 {
        server.refresh_traffic_keys().unwrap();
        server.writer().write_all(b"ping").unwrap();
        assert_eq!(received(&mut tls, &mut sent(&mut server)), b"ping");
        tls.put(b"pong").unwrap();
        take(&mut tls, &mut server);
        let mut said = [0; 4];
        server.reader().read_exact(&mut said).unwrap();
        assert_eq!(&said, b"pong");
    }
}
