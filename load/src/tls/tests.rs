//! Both ends in memory.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ServerConfig, ServerConnection};
use testkit::certificate::{Certificate, LOCAL, Validity};

use super::*;

fn server() -> Arc<ServerConfig> {
    let certificate = Certificate::own(&LOCAL, Validity::Now);
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(builder.with_single_cert(certificate.chain(), certificate.key()).unwrap())
}

/// A connection and its server, whose bytes reach it in pieces of this size.
struct Pair {
    tls: Tls,
    server: ServerConnection,
    step: usize,
    heard: Vec<u8>,
}

impl Pair {
    fn new(config: &Arc<ServerConfig>, settings: &Settings, step: usize) -> Self {
        let server = ServerConnection::new(Arc::clone(config)).unwrap();
        let mut pair = Self { tls: Tls::new(settings).unwrap(), server, step, heard: Vec::new() };
        pair.settle().unwrap();
        pair
    }

    /// Passes bytes in both directions until there are none.
    fn settle(&mut self) -> Result<(), String> {
        loop {
            let mut out = self.tls.waiting().to_vec();
            // As a socket that takes little.
            out.truncate(1000);
            self.tls.sent(out.len());
            let mut rest = out.as_slice();
            while !rest.is_empty() {
                self.server.read_tls(&mut rest).unwrap();
                self.server.process_new_packets().unwrap();
            }
            let mut back = Vec::new();
            while self.server.wants_write() {
                self.server.write_tls(&mut back).unwrap();
            }
            for piece in back.chunks_mut(self.step) {
                self.tls.receive(piece, &mut |bytes| self.heard.extend_from_slice(bytes))?;
            }
            if out.is_empty() && back.is_empty() {
                return Ok(());
            }
        }
    }

    /// What the server has decrypted.
    fn said(&mut self) -> Vec<u8> {
        let mut said = Vec::new();
        // It ends with an error, for there may be more.
        let _ = self.server.reader().read_to_end(&mut said);
        said
    }
}

#[test]
fn cut_anywhere_it_is_the_same() {
    let (config, settings) = (server(), Settings::new("localhost", None, false, Alpn::Chat).unwrap());
    let text: Vec<u8> = (0..40_000u32).map(|n| b'a' + (n % 23) as u8).collect();
    for step in [1, 2, 3, 5, 7, 100, 1 << 14, 1 << 20] {
        let mut pair = Pair::new(&config, &settings, step);
        assert_eq!((pair.tls.take_handshake(), pair.tls.take_handshake()), (Some(Handshake::Full), None));
        for part in [&text[..1], &text[1..30], &text[30..]] {
            pair.server.writer().write_all(part).unwrap();
            pair.settle().unwrap();
        }
        assert!(pair.heard == text, "in pieces of {step}");
        assert_eq!((pair.tls.held.capacity(), pair.tls.out.capacity()), (0, 0), "nothing is kept");
        pair.server.send_close_notify();
        assert!(!pair.tls.has_ended());
        pair.settle().unwrap();
        assert!(pair.tls.has_ended());
    }
}

#[test]
fn what_is_said_arrives_also_within_a_half_record() {
    let (config, settings) = (server(), Settings::new("localhost", None, false, Alpn::Chat).unwrap());
    let mut pair = Pair::new(&config, &settings, 1 << 20);
    pair.server.writer().write_all(b"hello").unwrap();
    let mut record = Vec::new();
    pair.server.write_tls(&mut record).unwrap();
    let (first, second) = record.split_at_mut(10);
    pair.tls.receive(first, &mut |_| panic!("it is not whole")).unwrap();
    let text: Vec<u8> = (0..200_000u32).map(|n| b'a' + (n % 23) as u8).collect();
    let (mut rest, mut said) = (text.as_slice(), Vec::new());
    while !rest.is_empty() {
        let count = pair.tls.encrypt(rest).unwrap();
        assert!((1..=BATCH_BYTES).contains(&count));
        assert_eq!(pair.tls.encrypt(rest), Ok(0), "what is encrypted goes first");
        rest = &rest[count..];
        while !pair.tls.waiting().is_empty() {
            let mut out = pair.tls.waiting();
            let count = pair.server.read_tls(&mut out).unwrap();
            pair.tls.sent(count);
            pair.server.process_new_packets().unwrap();
            said.extend(pair.said());
        }
    }
    assert!(said == text);
    let mut heard = Vec::new();
    pair.tls.receive(second, &mut |bytes| heard.extend_from_slice(bytes)).unwrap();
    assert_eq!(heard, b"hello");
}

#[test]
fn new_keys_are_followed() {
    let (config, settings) = (server(), Settings::new("localhost", None, false, Alpn::Chat).unwrap());
    let mut pair = Pair::new(&config, &settings, 3);
    for _ in 0..5 {
        pair.server.refresh_traffic_keys().unwrap();
        pair.server.writer().write_all(b"ping ").unwrap();
        pair.settle().unwrap();
        assert_eq!(pair.tls.encrypt(b"pong "), Ok(5));
        pair.settle().unwrap();
    }
    assert_eq!(pair.heard, b"ping ".repeat(5));
    assert_eq!(pair.said(), b"pong ".repeat(5));
}

#[test]
fn tickets_are_used_if_asked() {
    let config = server();
    for resumes in [false, true] {
        let settings = Settings::new("127.0.0.1", None, resumes, Alpn::Chat).unwrap();
        let mut kinds = (0..4).map(|_| Pair::new(&config, &settings, 1 << 20).tls.take_handshake().unwrap());
        assert_eq!(kinds.next(), Some(Handshake::Full));
        assert!(kinds.all(|kind| (kind == Handshake::Resumed) == resumes));
    }
}

#[test]
fn what_is_no_tls_is_told() {
    let settings = Settings::new("localhost", None, false, Alpn::Chat).unwrap();
    for (input, told) in [(&b"C 220 chatd"[..], "speaks no TLS"), (b"\x16\x02\x00\x00\x01x", "TLS failed")] {
        let mut tls = Tls::new(&settings).unwrap();
        let why = tls.receive(&mut input.to_vec(), &mut |_| {}).unwrap_err();
        assert!(why.contains(told), "{why}");
    }
    // Damage is noticed.
    let config = server();
    let mut pair = Pair::new(&config, &settings, 1 << 20);
    pair.server.writer().write_all(b"hello").unwrap();
    let mut record = Vec::new();
    pair.server.write_tls(&mut record).unwrap();
    *record.last_mut().unwrap() ^= 1;
    assert!(pair.tls.receive(&mut record, &mut |_| panic!("it is damaged")).unwrap_err().contains("TLS failed"));
}
