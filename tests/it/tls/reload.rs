//! Pairs: at the start, in `--check`, and at a reload.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm};
use testkit::tls::{Versions, settings};
use testkit::{Client, Server, run};

use super::{greeted, port, secure};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

/// Writes a pair of which the certificate ends after so many days, and returns the certificate.
fn write_pair(folder: &Path, days: i64, algorithm: &'static SignatureAlgorithm) -> Vec<u8> {
    write_pair_of(folder, (-1000, days), algorithm)
}

/// The same for a certificate that begins and ends after so many days.
fn write_pair_of(folder: &Path, (begin, end): (i64, i64), algorithm: &'static SignatureAlgorithm) -> Vec<u8> {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let at = |days: i64| {
        let (now, span) = (SystemTime::now(), Duration::from_secs(days.unsigned_abs() * 86_400 + 60));
        if days < 0 { now - span } else { now + span }
    };
    params.not_before = at(begin).into();
    params.not_after = at(end).into();
    let cert = params.self_signed(&key).unwrap();
    fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    fs::set_permissions(folder.join("key.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    cert.der().to_vec()
}

fn folder_of(server: &Server) -> std::path::PathBuf {
    server.path("cert.pem").parent().unwrap().to_owned()
}

/// The certificate that a new client is shown.
#[track_caller]
fn shown(server: &Server) -> Vec<u8> {
    let mut client = greeted(server, &settings(Versions::Both, &["chatd"]));
    client.tls().connection().peer_certificates().unwrap()[0].to_vec()
}

/// A start, and `--check`, must fail with code 78 and say this.
#[track_caller]
fn refuse(folder: &Path, told: &[&str]) {
    for args in [&["--check"][..], &[]] {
        run(CHATD, folder, args).check(78, told);
    }
}

#[test]
fn pairs_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let config = |text: &str| fs::write(folder.join("config.toml"), text).unwrap();
    config("listen = ['line+tls://127.0.0.1:0']\n");
    refuse(folder, &["tls.cert: line+tls://127.0.0.1:0 needs a certificate; 'chatd cert make --config config.toml'"]);
    config("listen = ['line+tls://127.0.0.1:0']\ntls.cert = 'cert.pem'\n");
    refuse(folder, &["tls.key", "both or neither"]);
    config(
        "listen = ['line+tls://127.0.0.1:0', 'rooms+tls://127.0.0.1:0?udp=0']\ntls.cert = 'cert.pem'\ntls.key = 'key.pem'\n",
    );
    refuse(folder, &["cert.pem: cannot be read: No such file", "'chatd cert make --config config.toml' makes a pair"]);
    write_pair(folder, 30, &PKCS_ECDSA_P256_SHA256);
    for mode in [0o644, 0o604] {
        fs::set_permissions(folder.join("key.pem"), fs::Permissions::from_mode(mode)).unwrap();
        refuse(folder, &["key.pem: others can read this key; 'chmod o= ", "key.pem' keeps them out"]);
    }
    fs::set_permissions(folder.join("key.pem"), fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(run(CHATD, folder, &["--check"]).code, Some(0), "its own group may read it");
    let other = tempfile::tempdir().unwrap();
    write_pair(other.path(), 30, &PKCS_ECDSA_P256_SHA256);
    fs::copy(other.path().join("cert.pem"), folder.join("cert.pem")).unwrap();
    refuse(folder, &["is not the key of the first certificate", "'chatd cert make --config config.toml --renew'"]);
    config("listen = ['line+tls://127.0.0.1:0?cert=other.pem&key=key.pem']\n");
    refuse(folder, &["other.pem: cannot be read"]);
    config("listen = ['line+tls://127.0.0.1:0?cert=other.pem']\n");
    refuse(folder, &["cert is given without key"]);
}

#[test]
fn a_listener_may_have_its_own_pair() {
    let folder = tempfile::tempdir().unwrap();
    let own = write_pair(folder.path(), 30, &PKCS_RSA_SHA256);
    let pair = format!("cert={0}/cert.pem&key={0}/key.pem", folder.path().display());
    let with_own = format!("line+tls://127.0.0.1:0?{pair}");
    let server = Server::builder().with_pair().listen(&[&with_own, "line+tls://127.0.0.1:0"]).start();
    assert_eq!(shown(&server), own);
    let mut client = Client::connect_tls(server.addrs()[1]);
    assert_ne!(client.tls().connection().peer_certificates().unwrap()[0].as_ref(), own);
}

#[test]
fn a_reload_shows_the_new_pair_and_keeps_everybody() {
    let server = secure();
    let old = settings(Versions::Both, &["chatd"]);
    let mut alice = greeted(&server, &old);
    alice.login_bare("alice");
    // A handshake that is half done.
    let mut late = Client::connect(port(&server));
    let mut tls = testkit::tls::Tls::new(&settings(Versions::Both, &["chatd"]));
    let hello = tls.outgoing();
    late.send_wire(&hello[..hello.len() / 2]);
    let before = shown(&server);
    let new = write_pair(&folder_of(&server), 30, &PKCS_ECDSA_P256_SHA256);
    server.hup();
    server.wait_for_log("configuration re-read");
    assert_eq!(shown(&server), new);
    assert_ne!(before, new);
    alice.barrier();
    late.send_wire(&hello[hello.len() / 2..]);
    tls.shake(late.stream()).unwrap();
    assert_eq!(tls.connection().peer_certificates().unwrap()[0].as_ref(), before, "it began before the reload");
    // The keys of tickets are kept.
    let mut alice = greeted(&server, &old);
    assert_eq!(alice.tls().connection().handshake_kind(), Some(testkit::tls::HandshakeKind::Resumed));
}

#[test]
fn a_bad_pair_or_configuration_changes_nothing() {
    let server = secure();
    let before = shown(&server);
    let folder = folder_of(&server);
    let config = fs::read_to_string(folder.join("config.toml")).unwrap();
    // A good pair with a bad configuration …
    write_pair(&folder, 30, &PKCS_ECDSA_P256_SHA256);
    fs::write(folder.join("config.toml"), "limits.line_s = 0\n").unwrap();
    server.hup();
    server.wait_for_log("the old one stays in effect");
    assert_eq!(shown(&server), before);
    // … and a good configuration with a bad pair.
    fs::write(folder.join("config.toml"), format!("{config}\n[limits]\nline_s = 7\n")).unwrap();
    fs::write(folder.join("key.pem"), "no key").unwrap();
    server.hup();
    server.wait_for_log("has no private key in PEM");
    assert_eq!(shown(&server), before);
    assert!(!server.log_text().contains("limits.line_s from 30 to 7"), "{}", server.log_text());
    // Both good.
    let new = write_pair(&folder, 30, &PKCS_ECDSA_P256_SHA256);
    server.hup();
    server.wait_for_log("limits.line_s from 30 to 7");
    server.wait_for_log("configuration re-read");
    assert_eq!(shown(&server), new);
}

#[test]
fn the_oldest_version_changes_with_a_reload() {
    let server = secure();
    let old = settings(Versions::Tls12, &["chatd"]);
    greeted(&server, &old);
    let folder = folder_of(&server);
    let config = fs::read_to_string(folder.join("config.toml")).unwrap();
    fs::write(folder.join("config.toml"), format!("{config}\n[tls]\nmin_version = '1.3'\n")).unwrap();
    server.hup();
    server.wait_for_log("configuration re-read");
    assert!(Client::connect(port(&server)).try_encrypted(&old).is_err());
    greeted(&server, &settings(Versions::Both, &["chatd"]));
}

#[test]
fn an_expired_certificate_is_served_and_complained_about() {
    let server = secure();
    assert!(server.wait_for_log("the certificate expires on ").contains("[INFO]"));
    write_pair(&folder_of(&server), 13, &PKCS_ECDSA_P256_SHA256);
    server.hup();
    assert!(server.wait_for_log("(in 13 days)").contains("[WARN]"));
    let expired = write_pair(&folder_of(&server), -3, &PKCS_ECDSA_P256_SHA256);
    server.hup();
    assert!(server.wait_for_log("the certificate expired on ").contains("[ERROR]"));
    assert_eq!(shown(&server), expired);
    write_pair_of(&folder_of(&server), (9, 30), &PKCS_ECDSA_P256_SHA256);
    server.hup();
    assert!(server.wait_for_log("the certificate is not valid before ").contains("[WARN]"));
    write_pair(&folder_of(&server), -3, &PKCS_ECDSA_P256_SHA256);
    let check = run(
        CHATD,
        &folder_of(&server),
        &[
            "--check",
            "--set",
            "listen=['line+tls://127.0.0.1:0']",
            "--set",
            "tls.cert='cert.pem'",
            "--set",
            "tls.key='key.pem'",
        ],
    );
    assert_eq!(check.code, Some(0), "{check:?}");
    assert!(check.stdout.contains("the certificate expired on "), "{check:?}");
}
