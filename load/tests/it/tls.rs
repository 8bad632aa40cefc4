//! Workloads by TLS, with a front that speaks it for the real server.

use std::fs;

use testkit::certificate::{Authority, Certificate, LOCAL, Validity};
use testkit::{Front, Server, Style};

use super::load::{Load, all_heard, json};

fn server() -> Server {
    Server::builder().no_rates().set("limits.send_buffer_bytes", "0").start()
}

#[test]
fn works_by_tls() {
    let server = server();
    let certificate = Certificate::own(&LOCAL, Validity::Now);
    for style in [Style::Good, Style::Old, Style::Dribble] {
        let front = Front::start(server.addr(), &certificate);
        front.set(&certificate, style);
        let at = format!("--tls --server {} --seconds 1", front.addr());
        let report = json(&format!("idle {at} --connections 20"));
        assert_eq!(report["connections"]["logged_in"], 20, "{report}");
        let tls = &report["tls"];
        assert_eq!((&tls["full"], &tls["resumed"]), (&20.into(), &0.into()), "{report}");
        assert!(tls["handshakes_per_s"].as_f64().unwrap() > 0.0, "{report}");
        all_heard(&json(&format!("fanout {at} --connections 8 --rate 50")), 8);
        all_heard(&json(&format!("mesh {at} --connections 5 --rate 20")), 4);
        all_heard(&json(&format!("fanout {at} --connections 4 --window 20 --size 4000")), 4);
        all_heard(&json(&format!("pingpong {at} --connections 2")), 1);
    }
}

#[test]
fn handshakes_beside_a_pair() {
    let server = server();
    let front = Front::start(server.addr(), &Certificate::own(&LOCAL, Validity::Now));
    let at = format!("--tls --server {} --seconds 1 --connections 4", front.addr());
    let report = json(&format!("handshakes {at}"));
    let found = &report["handshakes"];
    assert!(found["full"].as_u64().unwrap() > 0 && found["resumed"] == 0, "{report}");
    assert!(found["per_s"].as_f64().unwrap() > 0.0 && found["failed"].as_object().unwrap().is_empty(), "{report}");
    assert!(found["until_greeting_us"]["p99"].is_number() && found["not_begun"] == 0, "{report}");
    all_heard(&report, 1);
    let report = json(&format!("handshakes {at} --resumed --rate 40 --pair-rate 20"));
    let found = &report["handshakes"];
    assert!(found["resumed"].as_u64().unwrap() > 0, "{report}");
    let all = ["full", "resumed", "not_begun"].map(|name| found[name].as_u64().unwrap()).iter().sum::<u64>();
    assert!((36..=40).contains(&all), "{report}");
}

#[test]
fn a_certificate_is_checked_if_asked() {
    let server = server();
    let authority = Authority::new();
    let front = Front::start(server.addr(), &authority.issue(&LOCAL, Validity::Now));
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    let work = format!("idle --tls --ca {} --server {} --seconds 1 --connections 3", ca.display(), front.addr());
    fs::write(&ca, &authority.pem).unwrap();
    assert_eq!(json(&work)["connections"]["logged_in"], 3);
    for own in [Certificate::own(&LOCAL, Validity::Now), Certificate::own_ca()] {
        front.set(&own, Style::Good);
        Load::start(&work).finish().check(1, &["TLS failed: invalid peer certificate"]);
        fs::write(&ca, &own.pem).unwrap();
        assert_eq!(json(&work)["connections"]["logged_in"], 3);
    }
    fs::write(&ca, "").unwrap();
    Load::start(&work).finish().check(1, &["no certificate is in it"]);
}

#[test]
fn a_plain_server_and_wrong_options_are_told() {
    let server = server();
    let at = format!("--server {} --seconds 1 --connections 2", server.addr());
    Load::start(&format!("idle --tls {at}")).finish().check(1, &["speaks no TLS"]);
    Load::start(&format!("handshakes {at}")).finish().check(2, &["goes with --tls"]);
    Load::start(&format!("idle --ca x.pem {at}")).finish().check(2, &["goes with --tls"]);
}
