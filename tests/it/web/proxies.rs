//! Who a client is, behind a proxy.

use std::os::unix::net::UnixStream;

use super::*;

#[test]
fn a_known_proxy_names_the_client() {
    let server = served().set("limits.proxies", "['127.0.0.1']").set("log.level", "'debug'").start();
    let mut http = http(&server);
    assert_eq!(http.get("/").code, 400);
    let asking = |field: &str| format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {field}\r\n\r\n");
    assert_eq!(http.ask(&asking("192.0.2.1")).code, 200);
    assert_eq!(http.ask(&asking("unknown")).code, 400);
    let mut alice =
        Browser::upgraded(server.door("web"), &handshake("X-Forwarded-For: 6.6.6.6, 192.0.2.7, 127.0.0.1\r\n"));
    alice.expect("C 220 ");
    alice.log_in("alice");
    server.wait_for_log("alice logged in from 192.0.2.7");
}

#[test]
fn a_stranger_names_nobody() {
    let server = served().set("log.level", "'debug'").start();
    let mut alice = Browser::upgraded(server.door("web"), &handshake("X-Forwarded-For: 192.0.2.7\r\n"));
    alice.expect("C 220 ");
    alice.log_in("alice");
    server.wait_for_log("alice logged in from 127.0.0.1");
}

#[test]
fn a_proxy_header_comes_first_where_it_is_asked_for() {
    let server = Server::builder()
        .listen(&["line://127.0.0.1:0", "web://127.0.0.1:0?proxy"])
        .set("limits.proxies", "['127.0.0.1']")
        .set("log.level", "'debug'")
        .start();
    let header = "PROXY TCP4 192.0.2.7 127.0.0.1 1234 80\r\n";
    let mut alice = Browser::upgraded(server.door("web"), &format!("{header}{HANDSHAKE}"));
    alice.expect("C 220 ");
    alice.log_in("alice");
    server.wait_for_log("alice logged in from 192.0.2.7");
    let mut http = http(&server);
    http.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(http.rest().starts_with("HTTP/1.1 400 "));
}

#[test]
fn a_unix_socket_is_a_proxy() {
    let server =
        Server::builder().listen(&["line://127.0.0.1:0", "web+unix:web.sock"]).set("log.level", "'debug'").start();
    for (name, fields, from) in [("alice", "", "unix"), ("bob", "X-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7")] {
        let stream = UnixStream::connect(server.path("web.sock")).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut browser = Browser::over(stream, &handshake(fields));
        browser.expect("C 220 ");
        browser.log_in(name);
        server.wait_for_log(&format!("{name} logged in from {from}"));
    }
}
