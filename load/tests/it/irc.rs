//! Workloads by IRC, to a server's IRC door and to a server of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use testkit::Server;

use super::load::{Load, all_heard, json};

fn server() -> Server {
    let doors = ["line://127.0.0.1:0", "irc://127.0.0.1:0"];
    Server::builder().no_rates().set("limits.send_buffer_bytes", "0").listen(&doors).start()
}

#[test]
fn works_by_irc() {
    let server = server();
    let mut watcher = server.typed("watcher");
    let at = format!("--irc --server {} --seconds 1", server.door("irc"));
    let report = json(&format!("idle {at} --connections 20"));
    let found = &report["connections"];
    assert_eq!((&found["logged_in"], &found["registered"]), (&20.into(), &20.into()), "{report}");
    // The accounts are there, and are used again.
    let report = json(&format!("pingpong {at} --connections 2"));
    assert_eq!((&report["connections"]["registered"], &report["irc"]), (&0.into(), &true.into()), "{report}");
    all_heard(&report, 1);
    all_heard(&json(&format!("fanout {at} --connections 4 --window 20 --size 384")), 4);
    all_heard(&json(&format!("mesh {at} --connections 8 --rooms 2 --rate 20")), 3);
    // One conversation: who is at the line door hears what is said by IRC.
    watcher.expect("D PM ");
    let report = json(&format!("mesh {at} --connections 5 --rate 20"));
    all_heard(&report, 4);
    assert!(report["what"].as_str().unwrap().ends_with("by IRC"), "{report}");
    assert_eq!(report["lines"]["bad_ids"], 0, "{report}");
}

#[cfg(feature = "tls")]
#[test]
fn by_irc_within_tls() {
    let doors = ["irc+tls://127.0.0.1:0", "line+tls://127.0.0.1:0"];
    let server = Server::builder().no_rates().listen(&doors).with_pair().start();
    let at = |door: &str| format!("--server {} --seconds 1 --connections 4", server.door(door));
    let report = json(&format!("mesh --tls --irc {} --rate 20", at("irc+tls")));
    all_heard(&report, 3);
    assert_eq!(report["tls"]["full"], 4, "{report}");
    // One door is not taken for the other.
    Load::start(&format!("idle --tls {}", at("irc+tls"))).finish().check(1, &["NoApplicationProtocol"]);
    Load::start(&format!("idle --tls --irc {}", at("line+tls"))).finish().check(1, &["NoApplicationProtocol"]);
}

#[test]
fn other_doors_and_refusals_are_told() {
    let server = server();
    Load::start(&format!("idle --irc --server {} --connections 2", server.door("line")))
        .finish()
        .check(1, &["speaks no IRC"]);
    let report = json("mesh --spawn --irc --connections 8 --seconds 1 --set limits.connections=5");
    assert_eq!(report["connections"]["failed"]["server full"], 3, "{report}");
    all_heard(&report, 4);
}

#[test]
fn a_server_of_its_own_by_irc() {
    all_heard(&json("fanout --spawn --irc --connections 5 --window 5 --seconds 1"), 5);
    // Killed and started again, it has the same door at the same port.
    let report = json("storm --spawn --irc --connections 10");
    assert_eq!(report["storm"]["resumed"], 10, "{report}");
}

#[cfg(feature = "tls")]
#[test]
fn a_server_of_its_own_by_irc_within_tls() {
    all_heard(&json("mesh --spawn --irc --tls --connections 5 --rate 20 --seconds 1"), 4);
    let report = json("handshakes --spawn --irc --tls --resumed --connections 4 --seconds 1");
    let found = &report["handshakes"];
    assert!(found["resumed"].as_u64().unwrap() > found["full"].as_u64().unwrap(), "{report}");
    all_heard(&report, 1);
}

/// A server that lets one client in, in these words, and ends with this reason.
#[test]
fn the_reason_for_the_end_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut load = Load::start(&format!("idle --irc --connections 1 --server {}", listener.local_addr().unwrap()));
    let (client, _) = listener.accept().unwrap();
    let mut lines = BufReader::new(&client).lines();
    for (said, answer) in [
        ("PING :chatload", ":x.y PONG x.y :chatload"),
        ("CAP REQ :server-time message-tags echo-message draft/no-implicit-names sasl", ":x.y CAP * ACK :sasl"),
        ("NICK load0", ""),
        ("USER load0 0 * :load0", ""),
        ("REGISTER * * :chatload-password", ":x.y REGISTER SUCCESS load0 :made"),
        ("CAP END", ":x.y 001 load0 :Welcome\r\nERROR :Closing link: enough"),
    ] {
        assert_eq!(lines.next().unwrap().unwrap(), said);
        (&client).write_all(format!("{answer}\r\n").as_bytes()).unwrap();
    }
    drop(lines);
    drop(client);
    load.finish().check(1, &["enough"]);
}
