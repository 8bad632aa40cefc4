//! A session against rustls' client, in memory.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};
use std::sync::Arc;

use rustls::client::{ClientConfig, ClientConnection, Resumption};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version};

use super::*;
use crate::engine::{Finished, Frames, Handshake, Read as Heard, Shaken, Unusable, Wrote};
use crate::limits::{
    LINE_BYTES_MOST, READ_BYTES, TLS_BLANK_RECORDS, TLS_BLANK_WORK, TLS_HANDSHAKE_BYTES, TLS_RECORD_BYTES,
    TLS_RECORD_WORK, TLS_RSA_WORK, TLS_SIGN_WORK, TLS_STEP_WORK, TlsVersion,
};

/// A pair in a folder of its own.
pub(super) struct Pair {
    folder: tempfile::TempDir,
    cert: rcgen::Certificate,
}

impl Pair {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["chat.example".to_owned()]).unwrap();
        std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
        let key = folder.path().join("key.pem");
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(key, mode).unwrap();
        Self { folder, cert: made.cert }
    }

    pub(super) fn paths(&self) -> Paths {
        Paths { cert: self.folder.path().join("cert.pem"), key: self.folder.path().join("key.pem") }
    }

    fn identity(&self) -> Identity {
        Identity::read(&self.paths(), "chatd cert make").unwrap()
    }

    fn acceptor(&self, min_version: TlsVersion) -> Acceptor {
        let credentials = Credentials { identity: self.identity(), min_version };
        Acceptor::new(&credentials, "chatd", &Tickets::new().unwrap()).unwrap()
    }

    fn client_config(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.cert.der().clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(8);
        config
    }
}

/// The server's end of a wire.
#[derive(Default)]
struct Socket {
    incoming: VecDeque<u8>,
    is_ended: bool,
    outgoing: Vec<u8>,
    /// How many bytes it still takes; `None` for any number.
    room: Option<usize>,
}

impl io::Read for Socket {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() && !self.is_ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.incoming.read(room)
    }
}

impl io::Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.room.map_or(bytes.len(), |room| room.min(bytes.len()));
        if count == 0 && !bytes.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.outgoing.extend_from_slice(&bytes[..count]);
        self.room = self.room.map(|room| room - count);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// True if TLS has failed.
fn has_failed(heard: &Heard) -> bool {
    matches!(heard, Heard::Unusable(Unusable::TlsFailed { .. }))
}

/// A session, its socket, and a client.
struct Talk {
    session: Session,
    socket: Socket,
    client: ClientConnection,
    buffers: Buffers,
    heard: Vec<Heard>,
    /// What the session has read as plaintext.
    said: Vec<u8>,
}

impl Talk {
    fn new(acceptor: &Acceptor, config: ClientConfig) -> Self {
        Self::of(acceptor, &Arc::new(config))
    }

    fn of(acceptor: &Acceptor, config: &Arc<ClientConfig>) -> Self {
        let name = ServerName::try_from("chat.example").unwrap();
        Self {
            session: acceptor.session().unwrap(),
            socket: Socket::default(),
            client: ClientConnection::new(Arc::clone(config), name).unwrap(),
            buffers: Buffers::default(),
            heard: Vec::new(),
            said: Vec::new(),
        }
    }

    /// An open session with a client of this version.
    fn open(version: &'static SupportedProtocolVersion) -> (Pair, Self) {
        let pair = Pair::new();
        let mut talk = Self::new(&pair.acceptor(TlsVersion::Tls12), pair.client_config(&[version]));
        talk.shake(usize::MAX);
        talk.heard.clear();
        (pair, talk)
    }

    /// What the client sends now.
    fn sent(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut bytes).unwrap();
        }
        bytes
    }

    /// Reads until the socket is drained, as the loop does.
    fn read(&mut self) {
        loop {
            let mut room = vec![0; 2 * LINE_BYTES_MOST];
            let heard = self.session.read(&mut self.socket, &mut room, &mut self.buffers);
            self.heard.push(heard);
            let is_over = match heard {
                Heard::Records { count, is_short, .. } | Heard::Shaken(Shaken { count, is_short, .. }) => {
                    self.said.extend_from_slice(&room[..count]);
                    is_short
                }
                Heard::Unusable(_) | Heard::Nothing | Heard::End | Heard::Broken => true,
                Heard::Bytes { .. } | Heard::Named(_) => panic!("{heard:?}"),
            };
            if is_over {
                return;
            }
        }
    }

    /// The session gets bytes, in parts of at most `part` bytes.
    fn give(&mut self, bytes: &[u8], part: usize) {
        for part in bytes.chunks(part) {
            self.socket.incoming.extend(part);
            self.read();
        }
    }

    /// The client reads what the session has sent.
    fn hear(&mut self) -> Vec<u8> {
        let outgoing = std::mem::take(&mut self.socket.outgoing);
        let mut rest = outgoing.as_slice();
        let mut text = Vec::new();
        while !rest.is_empty() {
            self.client.read_tls(&mut rest).unwrap();
            let state = self.client.process_new_packets().unwrap();
            let from = text.len();
            text.resize(from + state.plaintext_bytes_to_read(), 0);
            self.client.reader().read_exact(&mut text[from..]).unwrap();
        }
        text
    }

    /// Both shake hands; the session gets at most `part` bytes at once.
    fn shake(&mut self, part: usize) {
        for _ in 0..8 {
            let sent = self.sent();
            self.give(&sent, part);
            let _ = self.hear();
        }
        assert!(!self.client.is_handshaking());
    }

    fn done(&self) -> Option<Handshake> {
        self.heard.iter().find_map(|heard| if let Heard::Shaken(step) = heard { step.done } else { None })
    }

    /// What the client's records look like on the wire.
    fn records(&mut self, texts: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for text in texts {
            self.client.writer().write_all(text).unwrap();
            bytes.extend(self.sent());
        }
        bytes
    }

    #[track_caller]
    fn write(&mut self, text: &[u8]) -> usize {
        match self.session.write(&mut self.socket, &Frames::One(text), &mut self.buffers) {
            Wrote::Bytes { count, is_short: false } | Wrote::Sealed { count, .. } => count,
            broken @ (Wrote::Bytes { .. } | Wrote::Broken) => panic!("{broken:?}"),
        }
    }

    /// The bytes of heap that it keeps.
    fn kept(&self) -> (usize, usize) {
        self.session.kept()
    }
}

#[test]
fn handshakes_cut_at_every_byte() {
    for version in [&version::TLS12, &version::TLS13] {
        let pair = Pair::new();
        let acceptor = pair.acceptor(TlsVersion::Tls12);
        for part in [1, 2, 3, 5, 7, 64, 500, usize::MAX] {
            let mut talk = Talk::new(&acceptor, pair.client_config(&[version]));
            talk.shake(part);
            assert_eq!(talk.done(), Some(Handshake::Full));
            assert_eq!(talk.client.protocol_version(), Some(version.version));
            assert_eq!(talk.write(b"C 220 hello\n"), 12);
            assert_eq!(talk.hear(), b"C 220 hello\n");
            let records = talk.records(&[b"alice\n", b"secret\n"]);
            talk.give(&records, part);
            assert_eq!(talk.said, b"alice\nsecret\n");
            assert_eq!(talk.kept(), (0, 0));
        }
    }
}

#[test]
fn the_work_of_a_handshake_is_counted() {
    let pair = Pair::new();
    let mut talk = Talk::new(&pair.acceptor(TlsVersion::Tls12), pair.client_config(&[&version::TLS13]));
    talk.shake(usize::MAX);
    let work: usize = talk.heard.iter().map(|heard| if let Heard::Shaken(step) = heard { step.work } else { 0 }).sum();
    assert!((TLS_SIGN_WORK..TLS_RSA_WORK).contains(&work), "{work}");
}

#[test]
fn many_short_records_are_more_work() {
    let (_pair, mut talk) = Talk::open(&version::TLS13);
    let bytes = talk.records(&[&b"x"[..]; 100]);
    talk.give(&bytes, usize::MAX);
    let [Heard::Records { count: 100, work, .. }] = talk.heard[..] else { panic!("{:?}", talk.heard) };
    assert_eq!(work, 100 * TLS_RECORD_WORK);
}

#[test]
fn records_cut_at_every_byte() {
    for version in [&version::TLS12, &version::TLS13] {
        let (_pair, mut talk) = Talk::open(version);
        let long = vec![b'x'; 5000];
        // Two cuts a round would take minutes; the sequence numbers forbid to send a round twice.
        for cut in (0..6000).step_by(97).chain(0..80) {
            let bytes = talk.records(&[b"one\n", &long, b"\ntwo\nthr", b"ee\n"]);
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            talk.give(first, usize::MAX);
            talk.give(second, usize::MAX);
            let expected = [&b"one\n"[..], &long, b"\ntwo\nthree\n"].concat();
            assert_eq!(std::mem::take(&mut talk.said), expected, "cut at {cut}");
        }
        assert_eq!(talk.kept(), (0, 0));
        assert!(!talk.heard.iter().any(|heard| has_failed(heard) || [Heard::Broken, Heard::End].contains(heard)));
    }
}

#[test]
fn the_longest_records_in_one_burst() {
    let (_pair, mut talk) = Talk::open(&version::TLS13);
    let text = vec![b'y'; 10 * 16384];
    talk.client.set_buffer_limit(None);
    let bytes = talk.records(&[&text]);
    talk.socket.incoming.extend(&bytes);
    for _ in 0..bytes.len() / READ_BYTES {
        talk.read();
        assert!(talk.kept().0 <= TLS_RECORD_BYTES, "{:?}", talk.kept());
    }
    assert_eq!(talk.said, text);
    for heard in &talk.heard {
        let Heard::Records { count, .. } = heard else { continue };
        assert!(*count <= 16384 + READ_BYTES, "one read gives one long record: {count}");
    }
}

#[test]
fn a_write_is_one_record_and_the_rest_waits() {
    let (_pair, mut talk) = Talk::open(&version::TLS13);
    let text: Vec<u8> = (0..40_000_u32).map(|n| b'a' + (n % 26) as u8).collect();
    talk.socket.room = Some(100);
    assert_eq!(talk.write(&text), 16384);
    assert_eq!(talk.kept().1 + 100, 16384 + 22);
    assert_eq!(talk.write(&text[16384..]), 0, "the socket takes nothing");
    talk.socket.room = Some(50_000);
    let slices: Vec<IoSlice<'_>> = text[16384..].chunks(1000).map(IoSlice::new).collect();
    let wrote = talk.session.write(&mut talk.socket, &Frames::Many(slices), &mut talk.buffers);
    assert_eq!(wrote, Wrote::Bytes { count: 16384, is_short: false });
    assert_eq!(talk.write(&text[2 * 16384..]), 40_000 - 2 * 16384);
    assert_eq!(talk.hear(), text);
    assert_eq!(talk.kept(), (0, 0));
}

#[test]
fn another_protocol_is_not_tls() {
    let pair = Pair::new();
    let acceptor = pair.acceptor(TlsVersion::Tls12);
    for first in (0..=255).filter(|byte| *byte != 0x16) {
        let mut talk = Talk::new(&acceptor, pair.client_config(&[&version::TLS13]));
        talk.give(&[first, b'x'], usize::MAX);
        assert_eq!(talk.heard, [Heard::Unusable(Unusable::NotTls { count: 2 })]);
        assert_eq!(talk.write(b"C 421 not TLS\n"), 14);
        assert_eq!(talk.session.finish(&mut talk.socket, &mut talk.buffers), Finished::Done);
        assert_eq!(talk.socket.outgoing, b"C 421 not TLS\n");
    }
}

#[test]
fn a_signature_counts_as_work_also_if_the_same_bytes_fail() {
    let pair = Pair::new();
    let mut talk = Talk::new(&pair.acceptor(TlsVersion::Tls12), pair.client_config(&[&version::TLS13]));
    let hello = talk.sent();
    talk.give(&[&hello[..], b"\x17\x03\x03\x00\x05hello"].concat(), usize::MAX);
    assert_eq!(talk.heard, [Heard::Unusable(Unusable::TlsFailed { work: TLS_SIGN_WORK })]);
}

#[test]
fn bad_records_are_refused() {
    for (bytes, says_so) in [
        (&b"\x16\x03\x01\xff\xff"[..], true),
        (b"\x16\x03\x01\x41\x01", true),
        (b"\x16\x03\x01\x00\x00", true),
        (b"\x16\x13\x01\x00\x01a", true),
        // Messages that rustls answers with nothing.
        (b"\x16\x03\x01\x00\x05hello", false),
        (b"\x16\x03\x03\x00\x01\x01\x17\x03\x03\x00\x01a", false),
    ] {
        for part in [1, usize::MAX] {
            let pair = Pair::new();
            let mut talk = Talk::new(&pair.acceptor(TlsVersion::Tls12), pair.client_config(&[&version::TLS13]));
            talk.give(bytes, part);
            assert!(talk.heard.iter().any(has_failed), "{bytes:?}: {:?}", talk.heard);
            assert_eq!(talk.socket.outgoing.first() == Some(&21), says_so, "{bytes:?}: an alert");
            assert_eq!(talk.session.write(&mut talk.socket, &Frames::One(b"x"), &mut talk.buffers), Wrote::Broken);
        }
    }
    // An open connection.
    for version in [&version::TLS12, &version::TLS13] {
        let (_pair, mut talk) = Talk::open(version);
        let mut bytes = talk.records(&[b"good\n", b"bad\n"]);
        *bytes.last_mut().unwrap() ^= 1;
        talk.give(&bytes, usize::MAX);
        assert_eq!(talk.said, b"good\n");
        assert!(matches!(talk.heard[..], [Heard::Records { count: 5, is_short: false, .. }, Heard::Unusable(_)]));
        assert!(!talk.socket.outgoing.is_empty());
    }
}

#[test]
fn a_handshake_without_end_is_cut() {
    // A ClientHello that says to be 60,000 bytes long, in records of one byte and of 1,000.
    for size in [1, 1000] {
        let pair = Pair::new();
        let mut talk = Talk::new(&pair.acceptor(TlsVersion::Tls12), pair.client_config(&[&version::TLS13]));
        let mut hello = vec![1, 0, 0xea, 0x60];
        hello.resize(60_000, 3);
        let mut taken = 0;
        for part in hello.chunks(size) {
            let header = [0x16, 3, 1, (part.len() >> 8) as u8, part.len() as u8];
            talk.give(&[&header, part].concat(), usize::MAX);
            taken += 5 + part.len();
            if talk.heard.iter().any(has_failed) {
                break;
            }
        }
        assert!(talk.heard.iter().any(has_failed));
        assert!(taken <= TLS_HANDSHAKE_BYTES + 1005, "{taken}");
        assert_eq!(talk.kept().0, 0);
    }
}

#[test]
fn key_updates_are_answered_but_not_without_end() {
    let (_pair, mut talk) = Talk::open(&version::TLS13);
    for round in 0..3 * TLS_BLANK_RECORDS {
        talk.client.refresh_traffic_keys().unwrap();
        let update = talk.sent();
        talk.give(&update, usize::MAX);
        assert!(
            matches!(talk.heard.last(), Some(Heard::Records { count: 0, work: TLS_BLANK_WORK, .. })),
            "{:?}",
            talk.heard.last()
        );
        let text = format!("{round}\n");
        let records = talk.records(&[text.as_bytes()]);
        talk.give(&records, usize::MAX);
        assert_eq!(std::mem::take(&mut talk.said), text.as_bytes());
        talk.write(text.as_bytes());
        assert_eq!(talk.hear(), text.as_bytes());
    }
    for _ in 0..=TLS_BLANK_RECORDS {
        assert!(!talk.heard.last().is_some_and(has_failed));
        talk.client.refresh_traffic_keys().unwrap();
        let update = talk.sent();
        talk.give(&update, usize::MAX);
    }
    assert!(talk.heard.last().is_some_and(has_failed));
}

#[test]
fn close_notify_is_a_half_close() {
    for version in [&version::TLS12, &version::TLS13] {
        let (_pair, mut talk) = Talk::open(version);
        let mut bytes = talk.records(&[b"last\n"]);
        talk.client.send_close_notify();
        bytes.extend(talk.sent());
        bytes.extend(b"garbage behind the end");
        talk.give(&bytes, usize::MAX);
        assert_eq!(talk.said, b"last\n");
        assert!(matches!(talk.heard[..], [Heard::Records { count: 5, is_short: false, .. }, Heard::End]));
        // We may talk on, and then end; nothing is encrypted after that.
        assert_eq!(talk.write(b"answer\n"), 7);
        assert_eq!(talk.hear(), b"answer\n");
        talk.socket.room = Some(3);
        let Finished::Sealed { sealed: pending } = talk.session.finish(&mut talk.socket, &mut talk.buffers) else {
            panic!()
        };
        assert!(pending > 0);
        talk.socket.room = None;
        assert_eq!(talk.session.finish(&mut talk.socket, &mut talk.buffers), Finished::Done);
        assert_eq!(talk.session.write(&mut talk.socket, &Frames::One(b"more\n"), &mut talk.buffers), Wrote::Broken);
        assert_eq!(talk.hear(), b"");
        assert!(talk.client.reader().read(&mut [0]).is_ok_and(|count| count == 0), "the client saw our end");
    }
}

#[test]
fn nothing_is_encrypted_after_our_end() {
    for version in [&version::TLS12, &version::TLS13] {
        let (_pair, mut talk) = Talk::open(version);
        assert_eq!(talk.session.finish(&mut talk.socket, &mut talk.buffers), Finished::Done);
        assert_eq!(talk.hear(), b"");
        assert_eq!(talk.session.write(&mut talk.socket, &Frames::One(b"more\n"), &mut talk.buffers), Wrote::Broken);
        if version.version == ProtocolVersion::TLSv1_3 {
            talk.client.refresh_traffic_keys().unwrap(); // asks for an answer
        }
        let sent = talk.records(&[b"too late\n"]);
        talk.give(&sent, usize::MAX);
        assert_eq!(talk.session.finish(&mut talk.socket, &mut talk.buffers), Finished::Done);
        assert_eq!((talk.said.len(), talk.socket.outgoing.len()), (0, 0));
    }
}

#[test]
fn the_end_of_the_stream_is_an_end() {
    let (_pair, mut talk) = Talk::open(&version::TLS13);
    let bytes = talk.records(&[b"last\n", b"cut off\n"]);
    talk.socket.is_ended = true;
    talk.give(&bytes[..bytes.len() - 1], usize::MAX);
    talk.read();
    assert_eq!(talk.said, b"last\n");
    assert_eq!(talk.heard.last(), Some(&Heard::End));
}

#[test]
fn protocols_are_strict() {
    let pair = Pair::new();
    let acceptor = pair.acceptor(TlsVersion::Tls12);
    for version in [&version::TLS12, &version::TLS13] {
        let offer = |protocols: &[&str]| {
            let mut config = pair.client_config(&[version]);
            config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
            let mut talk = Talk::new(&acceptor, config);
            let hello = talk.sent();
            talk.give(&hello, usize::MAX);
            !talk.heard.iter().any(has_failed)
        };
        assert!(offer(&[]));
        assert!(offer(&["chatd"]));
        assert!(offer(&["http/1.1", "chatd"]));
        assert!(!offer(&["http/1.1"]));
        assert!(!offer(&["h2", "http/1.1"]));
    }
}

#[test]
fn old_versions_are_refused_if_so_configured() {
    let pair = Pair::new();
    let acceptor = pair.acceptor(TlsVersion::Tls13);
    let mut talk = Talk::new(&acceptor, pair.client_config(&[&version::TLS12]));
    let hello = talk.sent();
    talk.give(&hello, usize::MAX);
    assert_eq!(talk.heard, [Heard::Unusable(Unusable::TlsFailed { work: TLS_STEP_WORK })]);
    let mut talk = Talk::new(&acceptor, pair.client_config(&[&version::TLS12, &version::TLS13]));
    talk.shake(usize::MAX);
    assert_eq!(talk.client.protocol_version(), Some(ProtocolVersion::TLSv1_3));
}

#[test]
fn talk_that_is_recorded_today_stays_secret() {
    let (_pair, talk) = Talk::open(&version::TLS13);
    let group = talk.client.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
}

#[test]
fn one_ticket_resumes_also_after_a_reload() {
    for version in [&version::TLS12, &version::TLS13] {
        let pair = Pair::new();
        let tickets = Tickets::new().unwrap();
        let config = Arc::new(pair.client_config(&[version]));
        let shake = |expected: HandshakeKind| {
            // Read again each time, as a reload does.
            let credentials = Credentials { identity: pair.identity(), min_version: TlsVersion::Tls12 };
            let acceptor = Acceptor::new(&credentials, "chatd", &tickets).unwrap();
            let mut talk = Talk::of(&acceptor, &config);
            talk.shake(usize::MAX);
            assert_eq!(talk.client.handshake_kind(), Some(expected));
            assert!(version.version == ProtocolVersion::TLSv1_2 || talk.client.tls13_tickets_received() == 1);
            talk.done()
        };
        assert_eq!(shake(HandshakeKind::Full), Some(Handshake::Full));
        assert_eq!(shake(HandshakeKind::Resumed), Some(Handshake::Resumed));
    }
}

#[test]
fn pairs_that_cannot_be_used() {
    let (pair, other) = (Pair::new(), Pair::new());
    let read = |paths: &Paths| Identity::read(paths, "chatd cert make").unwrap_err();
    let paths = pair.paths();
    let mixed = Paths { key: other.paths().key, ..pair.paths() };
    assert!(read(&mixed).contains("is not the key of the first certificate"), "{}", read(&mixed));
    std::fs::set_permissions(&paths.key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert!(read(&paths).contains("others can read this key; 'chmod o= "), "{}", read(&paths));
    std::fs::write(other.paths().key, "nothing").unwrap();
    assert!(read(&other.paths()).contains("has no private key in PEM"), "{}", read(&other.paths()));
    std::fs::write(other.paths().key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMA==\n").unwrap();
    assert!(read(&other.paths()).contains("'openssl pkey -in "), "{}", read(&other.paths()));
    std::fs::write(other.paths().cert, "nothing").unwrap();
    assert!(read(&other.paths()).contains("remove it and run 'chatd cert make --renew'"), "{}", read(&other.paths()));
    std::fs::write(&paths.cert, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n").unwrap();
    assert!(read(&paths).contains("is not a certificate"), "{}", read(&paths));
    std::fs::remove_file(&paths.cert).unwrap();
    assert!(read(&paths).contains("'chatd cert make' makes a pair"), "{}", read(&paths));
    std::fs::create_dir(&paths.cert).unwrap();
    assert!(read(&paths).contains("not a regular file"), "{}", read(&paths));
}

#[test]
fn what_a_certificate_says() {
    let pair = Pair::new();
    let identity = pair.identity();
    assert_eq!(identity.certificate().names, ["chat.example"]);
    assert!(identity.certificate().fingerprint().starts_with("SHA256:"));
    assert_eq!(identity.certificate().fingerprint().len(), 7 + 43);
}
