//! Operators in the chat: `OP`.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use testkit::{Client, PASSWORD, Server, run_with};

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

/// A server whose operator is `Rita`, who has an account.
fn server() -> Server {
    let mut server = Server::builder().set("operator.accounts", "[\"Rita\", \"nobody.yet\"]").start();
    server.term();
    let config = server.path("config.toml");
    let args = ["accounts", "add", "Rita", "--config", config.to_str().unwrap()];
    run_with(CHATD, &server.path(""), &args, &format!("{PASSWORD}\n")).check(0, &[]);
    server.restart();
    server
}

#[test]
fn operators_do_as_at_the_socket() {
    let server = server();
    let mut rita = server.returning("Rita");
    let (mut alice, mut bob) = (server.bare("alice"), server.typed("bob"));
    alice.send("MAKE den");
    alice.expect("C 227 ");
    assert!(rita.list("OP status")[0].starts_with("version="), "the status");
    assert_eq!(rita.list("OP rooms"), ["name=den members=1 host=alice kept=no locked=no", "1"]);
    assert_eq!(rita.list("op  sessions bob").len(), 2);
    assert_eq!(rita.ask("OP announce hi all"), "C 250 sent to 3");
    alice.expect_exact("C 100 hi all");
    bob.expect_exact("C 100 hi all");
    assert_eq!(rita.ask("OP close den over"), "C 250 den is closed");
    alice.expect_exact("C 106 den closed: by the operator: over");
    assert_eq!(rita.ask("OP kick bob"), "C 250 1 put out");
    bob.expect_421("put out by the operator");
    assert_eq!(rita.ask("OP kick"), "C 501 usage: kick NAME|ID|ADDRESS [reason]");
    for other in ["OP reload", "OP stop", "OP log debug", "OP trace alice", "OP accounts list", "OP nonsense", "OP"] {
        let told = rita.ask(other);
        assert!(
            told.starts_with(
                "C 502 unknown command; there are status sessions rooms kick ban unban bans announce close"
            ),
            "{told}"
        );
    }
    for what in ["status", "sessions bob", "announce hi all", "close den over", "kick bob"] {
        server.wait_for_log(&format!("[INFO] operator Rita from 127.0.0.1: {what}"));
    }
    // Typed lines too.
    let mut typed = server.greeted();
    typed.send("C rita");
    typed.expect("C 331 ");
    typed.send(&format!("C {PASSWORD}"));
    typed.expect("C 230 ");
    typed.typed("OP announce typed");
    typed.expect_exact("C 100 typed");
    typed.expect_exact("C 250 sent to 3");
}

#[test]
fn to_others_it_does_not_exist() {
    let server = server();
    let (mut rita, mut alice) = (server.returning("Rita"), server.bare("alice"));
    let unknown = "C 502 unknown operation; PM hello says it to everybody, HELP lists all";
    for line in ["OP status", "OP", "op kick Rita", "HELP OP", "OP nonsense"] {
        assert_eq!(alice.ask(line), unknown, "{line}");
    }
    rita.barrier();
    let has_op = |client: &mut Client| client.list("HELP").iter().any(|line| line.starts_with("OP "));
    assert!(has_op(&mut rita) && !has_op(&mut alice));
    let help = rita.list("HELP OP");
    for word in ["status", "sessions", "rooms", "kick", "ban", "unban", "bans", "announce", "close"] {
        let has_it = |line: &String| line.split([' ', ':']).nth(1) == Some(word);
        assert!(help.iter().any(has_it), "{word}: {help:?}");
    }
    // A reload takes the right away.
    let text = std::fs::read_to_string(server.path("config.toml")).unwrap();
    assert!(!text.contains("[operator]"));
    assert!(!server.log_text().contains("operator alice"));
}

#[test]
fn a_listed_name_cannot_be_registered() {
    let server = server();
    let mut stranger = server.greeted();
    for name in ["nobody.yet", "NOBODY.YET"] {
        stranger.send(name);
        stranger.expect_exact(&format!("C 553 {name} is reserved; your name?"));
    }
    stranger.send("RITA");
    stranger.expect_exact("C 331 Rita, your password?");
}

#[test]
fn the_list_is_read_again() {
    let server = Server::start();
    let mut alice = server.bare("alice");
    assert!(alice.ask("OP rooms").starts_with("C 502 "));
    let mut bob = server.greeted();
    bob.send("bob");
    bob.expect("C 332 ");
    let text = std::fs::read_to_string(server.path("config.toml")).unwrap();
    std::fs::write(server.path("config.toml"), format!("{text}[operator]\naccounts = ['alice', 'bob']\n")).unwrap();
    server.hup();
    server.wait_for_log("configuration re-read");
    assert_eq!(alice.ask("OP rooms"), "C 211 0");
    // A registration that has begun does not make an operator.
    bob.send(PASSWORD);
    bob.expect("C 553 ");
    bob.send("carol");
    bob.expect("C 332 ");
}

/// An address of this machine that is not loopback; `None` if there is none.
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|addr| addr.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

#[test]
fn not_in_the_clear() {
    let Some(ip) = outward() else { return eprintln!("skipped: this machine has no address but loopback") };
    let mut server = server();
    server.set("listen", &format!("[\"line://{ip}:0\"]"));
    server.restart();
    let mut rita = server.returning("Rita");
    assert_eq!(rita.ask("OP status"), "C 554 OP needs TLS");
    let mut alice = server.bare("alice");
    assert!(alice.ask("OP status").starts_with("C 502 "));
    rita.barrier();
}
