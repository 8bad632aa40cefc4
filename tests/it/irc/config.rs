//! How an operator configures the IRC door.

use std::fs;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use testkit::http::Http;
use testkit::{Client, Server, run};

use super::client::{Irc, builder, in_anteroom, logged_in, server};
use crate::reload::reload;

const CHATD: &str = env!("CARGO_BIN_EXE_chatd");

/// Runs chatd in a folder with this configuration. It ends with this code and says this.
#[track_caller]
fn check(config: &str, args: &[&str], code: i32, told: &str) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), config).unwrap();
    run(CHATD, folder.path(), args).check(code, &[told]);
}

/// The message of the day that a newcomer gets.
#[track_caller]
fn motd(server: &Server) -> Vec<String> {
    let mut irc = Irc::connect(server.door("irc"));
    irc.greet("eve");
    let lines = irc.until("376 eve");
    lines.iter().filter_map(|line| line.split_once(" 372 eve :- ")).map(|(_, text)| text.to_owned()).collect()
}

#[test]
fn a_fault_is_told_at_the_start_and_by_check() {
    for args in [&[][..], &["--check"]] {
        check("irc.name = 'chatd'", args, 78, "irc.name: must hold a dot");
        check("irc.motd = 'none.txt'", args, 78, "irc.motd: none.txt: cannot be read: No such file");
        check("irc.motd = '.'", args, 78, "irc.motd: .: cannot be read: it is not a regular file");
        check("listen = ['irc://0.0.0.0:0?guests=bare']", args, 78, "guests=bare is for test programs of this one");
        let told = if cfg!(feature = "tls") { "needs a certificate" } else { "without the feature tls" };
        check("listen = ['irc+tls://127.0.0.1:0']", args, 78, told);
    }
    let config = "listen = ['irc://127.0.0.1:0']\nirc = { name = 'irc.example', network = 'Example' }";
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let outcome = run(CHATD, folder.path(), &["--check"]);
    assert!(outcome.code == Some(0) && outcome.stdout.contains("name = \"irc.example\""), "{outcome:?}");
}

#[test]
fn names_of_the_server_and_of_the_network() {
    let server =
        builder("irc://127.0.0.1:0").set("irc.name", "\"irc.example\"").set("irc.network", "\"Example\"").start();
    let mut irc = Irc::connect(server.door("irc"));
    irc.greet("eve");
    assert_eq!(irc.line(), ":irc.example 001 eve :Welcome to Example, eve");
    assert!(irc.line().contains(":Your host is irc.example, "));
    assert!(irc.until("376").iter().any(|line| line.contains(" NETWORK=Example ")));
}

#[test]
fn a_reload_brings_another_message_of_the_day_and_no_other_name() {
    let mut server = server();
    assert!(motd(&server)[0].starts_with("One chat for "));
    let mut alice = logged_in(&server, "alice");
    fs::write(server.path("motd.txt"), "Be kind.\r\n\r\n  Tea at five\t😀\n").unwrap();
    reload(&server, "[accounts]", "[irc]\nmotd = 'motd.txt'\nname = 'new.example'\n[accounts]");
    assert_eq!(motd(&server)[..3], ["Be kind.", "", "  Tea at five 😀"]);
    server.wait_for_log("irc.name has changed; that takes effect when the server is restarted");
    alice.send("JOIN #tea");
    alice.expect(":alice!account@chatd.local JOIN #tea");
    // A bad file changes nothing.
    fs::write(server.path("motd.txt"), b"caf\xe9\n").unwrap();
    let mut desk = server.desk();
    let answer = desk.ask("reload");
    assert!(answer.items.iter().any(|item| item.contains("line 1 is not UTF-8")), "{answer:?}");
    assert_eq!(motd(&server)[0], "Be kind.");
    fs::remove_file(server.path("motd.txt")).unwrap();
    assert!(desk.ask("reload").items.iter().any(|item| item.contains("No such file")));
    fs::write(server.path("motd.txt"), "Back.\n").unwrap();
    server.restart();
    assert_eq!(motd(&server)[0], "Back.");
    let mut irc = Irc::connect(server.door("irc"));
    irc.greet("eve");
    assert!(irc.line().starts_with(":new.example 001 "));
}

#[test]
fn a_socket_of_this_machine_and_a_proxy() {
    let server = builder("irc+unix:irc.sock?mode=0666").start();
    let stream = UnixStream::connect(server.path("irc.sock")).unwrap();
    std::io::Write::write_all(&mut &stream, b"NICK eve\r\nUSER e 0 * :e\r\n").unwrap();
    let mut told = [0; 24];
    std::io::Read::read_exact(&mut &stream, &mut told).unwrap();
    assert_eq!(told, *b":chatd.local 001 eve :We");

    let server = builder("irc://127.0.0.1:0?proxy").set("limits.proxies", "['127.0.0.1']").start();
    let mut client = Client::from_stream(TcpStream::connect(server.door("irc")).unwrap());
    client.send_raw(b"PROXY TCP4 192.0.2.7 192.0.2.1 7 6667\r\n");
    let mut irc = Irc::of(client);
    irc.greet("eve");
    irc.wait("221 eve");
    let sessions = server.desk().ask("sessions 192.0.2.7");
    assert_eq!((sessions.value(0, "door"), sessions.value(0, "address")), ("irc", "192.0.2.7"));
    let mut client = Client::from_stream(TcpStream::connect(server.door("irc")).unwrap());
    client.send_raw(b"NICK eve\r\n");
    assert_eq!(client.expect_reset_or_closed(), "ERROR :Closing link: a PROXY header is missing\r\n");
}

#[test]
fn figures_and_lists_name_the_door() {
    let server = Server::builder()
        .listen(&["line://127.0.0.1:0", "irc://127.0.0.1:0", "metrics://127.0.0.1:0"])
        .set("log.level", "\"debug\"")
        .start();
    let alice = logged_in(&server, "alice");
    let eve = in_anteroom(server.door("irc"), "eve");
    let mut http = Http::connect(server.door("metrics"));
    let told = http.get("/metrics").body;
    assert!(told.contains("\nchatd_connections{door=\"irc\",tls=\"false\"} 2\n"), "{told}");
    let told = http.get("/connz").body;
    assert!(told.contains("\"door\":\"irc\""), "{told}");
    server.wait_for_log("alice logged in from 127.0.0.1");
    let status = server.desk().ask("status");
    assert!(status.value(0, "listeners").contains("irc://127.0.0.1:"), "{status:?}");
    drop((alice, eve));
}
