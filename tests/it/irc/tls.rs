//! The IRC door by TLS, and what a plain one says of it.

use testkit::tls::{Versions, settings};
use testkit::{Client, PASSWORD, Server};

use super::client::{Irc, builder};

fn secure() -> Server {
    Server::builder().with_pair().listen(&["line://127.0.0.1:0", "irc+tls://127.0.0.1:0"]).no_rates().start()
}

#[test]
fn clients_name_irc_or_no_protocol() {
    let server = secure();
    server.bare("alice").barrier();
    let door = server.door("irc+tls");
    for protocols in [&["irc"][..], &[], &["h2", "irc"]] {
        let mut irc = Irc::connect_tls(door, protocols);
        let chosen = irc.raw().tls().connection().alpn_protocol().map(<[u8]>::to_vec);
        assert_eq!(chosen.as_deref(), (!protocols.is_empty()).then_some(&b"irc"[..]));
        irc.send(&format!("PASS :alice:{PASSWORD}"));
        irc.greet("alice");
        irc.wait("366 alice &all");
        irc.barrier();
        irc.send("QUIT :done");
        irc.expect_end("done");
    }
    for versions in [Versions::Tls12, Versions::Tls13] {
        let refused = Client::connect(door).try_encrypted(&settings(versions, &["chatd"]));
        assert!(refused.is_err(), "{versions:?}");
    }
    server.is_idle_for_a_second();
}

#[test]
fn plain_irc_at_the_port_for_tls() {
    let server = secure();
    let mut client = Client::connect(server.door("irc+tls"));
    client.send_raw(b"NICK alice\r\nUSER a 0 * :a\r\n");
    let told = client.expect_reset_or_closed();
    assert!(told == "ERROR :Closing link: not TLS\r\n" || told.is_empty(), "{told:?}");
}

/// What a client that asks for version 302 is offered.
#[track_caller]
fn offered(irc: &mut Irc) -> String {
    irc.ask("CAP LS 302", "CAP * LS :*").join(" ")
}

#[test]
fn sts_is_told_at_the_listener_that_has_it() {
    let server = builder("irc://127.0.0.1:0?sts=6697").start();
    let mut irc = Irc::connect(server.door("irc"));
    let told = offered(&mut irc);
    assert!(told.split([' ', ':']).any(|word| word == "sts=port=6697"), "{told}");
    irc.send("CAP REQ sts");
    irc.expect("CAP * NAK");
    // Old clients get no values, so it would mean nothing to them.
    let mut irc = Irc::connect(server.door("irc"));
    irc.send("CAP LS");
    let told = irc.expect("CAP * LS :*");
    assert!(!told.contains(" sts") && !told.contains('='), "{told}");
    assert!(!offered(&mut Irc::connect(builder("irc://127.0.0.1:0").start().door("irc"))).contains("sts="));
    let server = secure();
    assert!(!offered(&mut Irc::connect_tls(server.door("irc+tls"), &["irc"])).contains("sts="));
}
