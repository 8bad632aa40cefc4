//! Workloads by WebSocket, to a server's web door and to a server of its own.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use testkit::Server;

use super::load::{Load, all_heard, json};

fn server() -> Server {
    let doors = ["line://127.0.0.1:0", "web://127.0.0.1:0"];
    Server::builder().no_rates().set("limits.send_buffer_bytes", "0").listen(&doors).start()
}

#[test]
fn works_by_websocket() {
    let server = server();
    let mut watcher = server.typed("watcher");
    let at = format!("--web --server {} --seconds 1", server.door("web"));
    let report = json(&format!("idle {at} --connections 20"));
    assert_eq!((&report["connections"]["logged_in"], &report["web"]), (&20.into(), &true.into()), "{report}");
    all_heard(&json(&format!("pingpong {at} --connections 2")), 1);
    all_heard(&json(&format!("fanout {at} --connections 4 --window 20 --size 4000")), 4);
    // One conversation: who is at the line door hears what is said by WebSocket.
    watcher.expect("D PM ");
    let report = json(&format!("mesh {at} --connections 5 --rate 20"));
    all_heard(&report, 4);
    assert!(report["what"].as_str().unwrap().ends_with("by WebSocket"), "{report}");
}

#[test]
fn by_websocket_within_tls() {
    let doors = ["web+tls://127.0.0.1:0", "line+tls://127.0.0.1:0"];
    let server = Server::builder().no_rates().listen(&doors).with_pair().start();
    let at = |door: &str| format!("--server {} --seconds 1 --connections 4", server.door(door));
    let report = json(&format!("mesh --tls --web {} --rate 20", at("web+tls")));
    all_heard(&report, 3);
    assert_eq!(report["tls"]["full"], 4, "{report}");
    // One door is not taken for the other.
    Load::start(&format!("idle --tls {}", at("web+tls"))).finish().check(1, &["NoApplicationProtocol"]);
    Load::start(&format!("idle --tls --web {}", at("line+tls"))).finish().check(1, &["NoApplicationProtocol"]);
}

#[test]
fn other_doors_and_refusals_are_told() {
    let server = server();
    let at = |door: &str| format!("--server {} --seconds 1 --connections 2", server.door(door));
    Load::start(&format!("idle --web {}", at("line"))).finish().check(1, &["speaks no HTTP"]);
    Load::start(&format!("idle --web --tls {}", at("web"))).finish().check(1, &["speaks no TLS"]);
    let full = "mesh --spawn --web --connections 8 --seconds 1 --set limits.connections=5";
    let report = json(full);
    let failed = &report["connections"]["failed"];
    assert_eq!(failed["503 Service Unavailable: server full"], 3, "{report}");
    all_heard(&report, 4);
}

#[test]
fn a_server_of_its_own_by_websocket() {
    for tls in ["", " --tls"] {
        all_heard(&json(&format!("fanout --spawn --web{tls} --connections 5 --window 5 --seconds 1")), 5);
        // Killed and started again, it has the same door at the same port.
        let report = json(&format!("storm --spawn --web{tls} --connections 10"));
        assert_eq!(report["storm"]["resumed"], 10, "{report}");
    }
    let report = json("handshakes --spawn --web --tls --resumed --connections 4 --seconds 1");
    let found = &report["handshakes"];
    assert!(found["resumed"].as_u64().unwrap() > found["full"].as_u64().unwrap(), "{report}");
    all_heard(&report, 1);
}

#[test]
fn the_servers_pings_are_heard_and_do_no_harm() {
    let report = json("idle --spawn --web --connections 3 --seconds 3 --set web.ping_s=1");
    let found = &report["connections"];
    assert_eq!((&found["logged_in"], &found["ended"]), (&3.into(), &serde_json::json!({})), "{report}");
}

#[test]
fn a_ping_is_answered_and_the_reason_for_the_end_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut load = Load::start(&format!("idle --web --connections 1 --server {}", listener.local_addr().unwrap()));
    let (mut client, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).unwrap();
        request.extend(byte);
    }
    let answer = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    client.write_all(answer.as_bytes()).unwrap();
    client.write_all(b"\x89\x02hi").unwrap();
    let mut pong = [0; 8];
    client.read_exact(&mut pong).unwrap();
    let [first, second, mask @ .., h, i] = pong;
    assert_eq!((first, second, [h ^ mask[0], i ^ mask[1]]), (0x8a, 0x82, *b"hi"));
    client.write_all(b"\x81\x0cC 421 enough\x88\x00").unwrap();
    load.finish().check(1, &["enough"]);
}
